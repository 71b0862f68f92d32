"""Results of a backtest as plain values, from which the table, the JSON document and the page are made."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from backtest.cells import Cell
from backtest.known import smoothed
from backtest.panel import Panel
from backtest.periods import Plan
from backtest.scoring.breaches import breach_tests, reserve_breaches, token_sequences
from backtest.scoring.money import Account, keep_account
from backtest.scoring.resampling import LEVEL, RESAMPLES, PeriodBootstrap
from backtest.scoring.scores import (
    Sample,
    actual_to_expected,
    brier_losses,
    gini,
    log_losses,
    lorenz_curve,
    mean,
    quantile_groups,
    rank,
    skill,
)
from backtest.walk_forward import Walked
from pricing.premiums.basis import PricingBasis
from pricing.tools.arrays import BoolArray, FloatArray, IntArray
from pricing.tools.plain import Form, to_plain
from pricing.tools.units import format_duration

#: The forecaster that all others are compared with.
REFERENCE = "constant"
_DECILES, _QUINTILES = 10, 5
_LORENZ_POINTS = 101


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Ground:
    """Token-periods that are scored; common to all cells and forecasters."""

    plan: Plan
    basis: PricingBasis
    rows: IntArray
    outcomes: pd.DataFrame
    starts: pd.DatetimeIndex
    period: IntArray
    token: IntArray
    volatility_class: IntArray
    bootstrap: PeriodBootstrap


def summarise(panel: Panel, plan: Plan, walked: Walked, basis: PricingBasis | None = None) -> dict[str, Any]:
    """Score a walk.

    Parameters
    ----------
    panel : Panel
        The panel that was walked through.
    plan : Plan
        Plan of the walk.
    walked : Walked
        Quotes and outcomes, including those of the reference forecaster.
    basis : PricingBasis, optional
        Loadings of the gross premium; by default those of ``PricingBasis()``.

    Raises
    ------
    InvalidTermsError
        If terms overlap, see ``summarise_surface``.

    Returns
    -------
    dict
        Plain values. An interval is ``[value, lower, upper]``; None means not defined or not bounded.
    """
    plan.require_apart()
    ground = _ground(plan, walked, basis or PricingBasis())
    summary = {
        "panel": _describe_panel(panel),
        "plan": {**_describe_plan(ground), "unscored": _unscored(panel, ground)},
        "intervals": {"level": LEVEL, "resamples": RESAMPLES, "drawn": "whole periods", "seed": plan.seed},
        "cells": [_summarise_cell(cell, walked, ground) for cell in plan.cells],
    }
    plain: dict[str, Any] = to_plain(summary, Form.BARE)
    return plain


def _ground(plan: Plan, walked: Walked, basis: PricingBasis) -> _Ground:
    """Keep token-periods with an outcome after the warm-up; the walk itself has already left out the first period."""
    starts = np.unique(walked.outcomes["start"])[plan.warm_up - 1 :]
    resolved = walked.outcomes.notna().all(axis=1) & (walked.outcomes["start"] >= starts[0])
    rows = np.flatnonzero(resolved)
    outcomes = walked.outcomes.iloc[rows].reset_index(drop=True)
    period, scored_starts = pd.factorize(outcomes["start"], sort=True)
    return _Ground(
        plan=plan,
        basis=basis,
        rows=rows,
        outcomes=outcomes,
        starts=pd.DatetimeIndex(scored_starts),
        period=period,
        token=pd.factorize(outcomes["token"])[0],
        volatility_class=quantile_groups(outcomes["volatility"].to_numpy(), _QUINTILES),
        bootstrap=PeriodBootstrap.draw(len(scored_starts), seed=plan.seed),
    )


def _describe_panel(panel: Panel) -> dict[str, Any]:
    closes = panel.closes
    return {
        "fingerprint": panel.fingerprint(),
        "tokens": closes.shape[1],
        "first_close": closes.index[0].isoformat(),
        "last_close": closes.index[-1].isoformat(),
        "step": format_duration(panel.step),
        "left_out": panel.left_out,
    }


def _unscored(panel: Panel, ground: _Ground) -> list[str]:
    """Return the tokens without any token-period: too short a history before each start, or too few closes after it."""
    scored = set(ground.outcomes["token"])
    return [token for token in panel.closes.columns if token not in scored]


def _describe_plan(ground: _Ground) -> dict[str, Any]:
    return {
        "starts": [start.isoformat() for start in ground.starts],
        "every": format_duration(ground.plan.every),
        "warm_up": ground.plan.warm_up,
        "seed": ground.plan.seed,
        "tokens": int(ground.token.max()) + 1,
        "token_periods": len(ground.rows),
        "reference": REFERENCE,
        "risk_load": repr(ground.basis.risk_load),
        "expense_ratio": ground.basis.expense_ratio,
    }


def _summarise_cell(cell: Cell, walked: Walked, ground: _Ground) -> dict[str, Any]:
    came = (ground.outcomes[cell.span.name] >= cell.drop).to_numpy()
    reference = walked.quotes[REFERENCE][cell.name].to_numpy()[ground.rows]
    of_term = replace(ground, basis=ground.basis.over(cell.span.term))
    return {
        "name": cell.name,
        "window": format_duration(cell.span.window),
        "term": format_duration(cell.span.term),
        "drop": cell.drop,
        "events": int(came.sum()),
        "frequency": came.mean(),
        "forecasters": {
            name: _summarise_forecaster(table[cell.name], table["refusal"], came, reference, of_term)
            for name, table in walked.quotes.items()
        },
    }


def _summarise_forecaster(
    quotes: pd.Series, refusals: pd.Series, came: BoolArray, reference: FloatArray, ground: _Ground
) -> dict[str, Any]:
    """Score one forecaster in one cell; a token that it refused is scored at the quote of the reference."""
    refused = refusals.iloc[ground.rows].notna().to_numpy()
    quoted = np.where(refused, reference, quotes.to_numpy()[ground.rows])
    chosen = np.isfinite(quoted)
    everything = Sample(quoted=quoted, came=came, period=ground.period, n_periods=len(ground.starts))
    sample = everything.rows(chosen)
    losses, errors = log_losses(sample.quoted, sample.came), brier_losses(sample.quoted, sample.came)
    hindsight = np.full(len(losses), smoothed(sample.came.sum(), len(losses)))
    bootstrap, ranking = ground.bootstrap, rank(sample)
    return {
        "token_periods": len(losses),
        "events": int(sample.came.sum()),
        "refused": int(refused.sum()),
        "refusals": _error_types(refusals.iloc[ground.rows]),
        "log_score": mean(sample, losses, bootstrap),
        "brier_score": mean(sample, errors, bootstrap),
        "log_skill": skill(sample, losses, log_losses(reference[chosen], sample.came), bootstrap),
        "brier_skill": skill(sample, errors, brier_losses(reference[chosen], sample.came), bootstrap),
        "log_skill_against_hindsight": skill(sample, losses, log_losses(hindsight, sample.came), bootstrap),
        "actual_to_expected": actual_to_expected(sample, bootstrap),
        "by_decile": _groups(sample, quantile_groups(sample.quoted, _DECILES), bootstrap),
        "by_volatility": _groups(sample, ground.volatility_class[chosen], bootstrap),
        "by_period": _periods(sample),
        "auc_within_periods": ranking.within_periods(bootstrap),
        "auc": ranking.overall(bootstrap),
        **_lorenz(sample),
        "breaches": _breaches(sample, ground.token[chosen]),
        "money": _money(sample, ground),
    }


def _error_types(refusals: pd.Series) -> dict[str, int]:
    """Count refusals by the type of the error, which is the beginning of their text."""
    return Counter(text.partition(":")[0] for text in refusals.dropna())


def _groups(sample: Sample, group: IntArray, bootstrap: PeriodBootstrap) -> list[dict[str, Any]]:
    """Tabulate groups of token-periods."""
    return [_group(sample.rows(group == number), bootstrap) for number in np.unique(group)]


def _group(sample: Sample, bootstrap: PeriodBootstrap) -> dict[str, Any]:
    return {
        "token_periods": len(sample.quoted),
        "events": int(sample.came.sum()),
        "quoted": float(sample.quoted.mean()),
        "came": mean(sample, sample.came, bootstrap),
        "actual_to_expected": actual_to_expected(sample, bootstrap),
    }


def _periods(sample: Sample) -> dict[str, FloatArray]:
    covers = sample.by_period(np.ones(len(sample.quoted)))
    return {
        "token_periods": covers,
        "events": sample.by_period(sample.came),
        "expected": sample.by_period(sample.quoted),
    }


def _lorenz(sample: Sample) -> dict[str, Any]:
    covers, events = lorenz_curve(sample)
    shown = np.linspace(0.0, 1.0, _LORENZ_POINTS)
    return {"gini": gini((covers, events)), "lorenz": np.interp(shown, covers, events)}


def _breaches(sample: Sample, token: IntArray) -> dict[str, Any]:
    """Apply the tests to the reserve of each period, and to the hits of each token."""
    traded = sample.by_period(np.ones(len(sample.quoted))) > 0.0
    breached, rate = reserve_breaches(sample.by_period(sample.came)[traded], sample.by_period(sample.quoted)[traded])
    order, follows = token_sequences(token, sample.period)
    one_after_another = np.arange(len(breached)) > 0
    return {
        "of_the_reserve": breach_tests(breached, one_after_another, rate),
        "of_tokens": breach_tests(sample.came[order], follows, float(sample.quoted.mean())),
    }


def _money(sample: Sample, ground: _Ground) -> Account:
    return keep_account(
        sample,
        ground.starts.tz_convert(None).to_numpy(),
        ground.bootstrap,
        ground.basis,
        period_days=ground.plan.every / timedelta(days=1),
        seed=ground.plan.seed,
    )
