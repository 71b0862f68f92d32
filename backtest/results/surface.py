"""The whole surface of one forecaster: events over expected events by window, term and drop, and falls together.

Starts are spread evenly over time and closer than the longest terms, so that terms overlap. Intervals resample blocks
of time that are as long as the term, and at least a month. The law's own interval says how far A/E may be from one by
the shocks that tokens share, if the law is right.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from backtest.cells import Cell
from backtest.periods import Plan
from backtest.scoring.resampling import LEVEL, RESAMPLES, PeriodBootstrap
from backtest.scoring.scores import Sample, actual_to_expected
from backtest.scoring.shared_shocks import Ground, draw_events
from backtest.scoring.tail_coverage import pool_tail
from backtest.walk_forward import Walked
from calibration import shipped_market
from calibration.law.drop_law import TERM, DropLaw
from pricing.errors import InsufficientDataError
from pricing.tools.arrays import BoolArray, FloatArray, IntArray
from pricing.tools.plain import Form, to_plain
from pricing.tools.units import format_duration

#: A cell is outside if its A/E is, and its interval excludes one.
LEAST_RATIO, LARGEST_RATIO = 0.6, 1.6
#: Cells with fewer events enter no mean.
FEWEST_EVENTS = 20
#: Draws from the law.
DRAWS = 1000
#: Shares of the starts at which the number of tokens that fall together is read.
TOGETHER = (0.5, 0.9, 0.99)
_TAILS = (0.5 * (1.0 - LEVEL), 0.5 * (1.0 + LEVEL))


def summarise_surface(plan: Plan, walked: Walked, forecaster: str) -> dict[str, Any]:
    """Score every cell of one forecaster.

    Parameters
    ----------
    plan : Plan
        Plan of the walk; terms may overlap.
    walked : Walked
        Quotes and outcomes.
    forecaster : str
        Name of the forecaster.

    Returns
    -------
    dict
        Plain values: ``cells`` with ``token_periods``, ``events``, ``expected``, ``actual_to_expected``, ``predicted``
        (the law's own interval of it) and ``outside``; ``together``, by cell of a month with enough events, with
        quantiles over starts of the share of tokens that fell, ``observed`` and ``predicted``, and, of a pool of one
        cover per token, ``beyond`` and ``severity`` of losses beyond its value at risk (see ``PoolTail``), each with
        the law's own interval; ``mean_distance`` of the log of A/E from zero.

    Raises
    ------
    InsufficientDataError
        If nothing was quoted.
    """
    quoted = walked.quotes[forecaster][plan.cells[0].name].notna()
    starts = pd.DatetimeIndex(np.unique(walked.outcomes["start"][quoted]))
    if starts.empty:
        raise InsufficientDataError(f"{forecaster} must quote at least one token, got none (see the refusals)")
    laws = {start: shipped_market(start.to_pydatetime()).laws for start in starts}
    cells = [_cell(cell, plan, walked, forecaster, laws) for cell in plan.cells]
    counted = [cell for cell in cells if cell["events"] >= FEWEST_EVENTS]
    distances = [abs(math.log(cell["actual_to_expected"][0])) for cell in counted]
    summary = {
        "forecaster": forecaster,
        "starts": [start.isoformat() for start in starts],
        "every": format_duration(plan.every),
        "token_periods": int(quoted.sum()),
        "intervals": {"level": LEVEL, "resamples": RESAMPLES, "draws": DRAWS, "seed": plan.seed},
        "bounds": (LEAST_RATIO, LARGEST_RATIO),
        "fewest_events": FEWEST_EVENTS,
        "mean_distance": float(np.mean(distances)) if distances else math.nan,
        "cells": [{key: value for key, value in cell.items() if key != "together"} for cell in cells],
        "together": [cell["together"] for cell in cells if cell["together"]],
    }
    plain: dict[str, Any] = to_plain(summary, Form.BARE)
    return plain


def _cell(
    cell: Cell, plan: Plan, walked: Walked, forecaster: str, laws: Mapping[pd.Timestamp, tuple[DropLaw, ...]]
) -> dict[str, Any]:
    quotes, drops = walked.quotes[forecaster][cell.name], walked.outcomes[cell.span.name]
    known = (quotes.notna() & drops.notna()).to_numpy()
    quoted, came = quotes.to_numpy()[known], (drops.to_numpy() >= cell.drop)[known]
    start, starts = pd.factorize(walked.outcomes["start"][known], sort=True)
    times = np.asarray((starts - starts[0]) / pd.Timedelta(days=1), dtype=np.float64)
    ratio = _ratio(quoted, came, times[start], cell.span.term, plan.seed)
    ground = Ground(times=times[start], laws=[laws[each] for each in starts], start=start)
    drawn = draw_events(quoted, cell, ground, n_draws=DRAWS, seed=plan.seed)
    counts = drawn.sum(axis=1)
    value, lower, upper = ratio
    enough = came.sum() >= FEWEST_EVENTS
    beyond = not LEAST_RATIO <= value <= LARGEST_RATIO
    return {
        "name": cell.name,
        "window": format_duration(cell.span.window),
        "term": format_duration(cell.span.term),
        "drop": cell.drop,
        "token_periods": len(quoted),
        "events": int(came.sum()),
        "expected": float(quoted.sum()),
        "actual_to_expected": ratio,
        "predicted": np.quantile(counts / max(counts.mean(), 1e-9), _TAILS).tolist(),
        "outside": bool(enough and beyond and not lower <= 1.0 <= upper),
        "together": _together(cell, came, drawn, start) if cell.span.term == TERM and enough else None,
    }


def _ratio(quoted: FloatArray, came: BoolArray, times: FloatArray, term: timedelta, seed: int) -> Sequence[float]:
    """Divide events by expected events, with an interval from blocks of time as long as the term."""
    block = (times // (max(term, TERM) / timedelta(days=1))).astype(np.intp)
    n_blocks = int(block.max()) + 1
    sample = Sample(quoted=quoted, came=came, period=block, n_periods=n_blocks)
    return actual_to_expected(sample, PeriodBootstrap.draw(n_blocks, seed=seed))


def _together(cell: Cell, came: BoolArray, drawn: BoolArray, start: IntArray) -> dict[str, Any]:
    """Compare quantiles over starts of the share of tokens that fell with those drawn from the law."""
    numbers = np.bincount(start)
    shares = np.bincount(start, came) / numbers
    by_draw = np.array([np.bincount(start, each) / numbers for each in drawn])
    tail = pool_tail(shares, by_draw)
    return {
        "name": cell.name,
        "quantiles": TOGETHER,
        "observed": np.quantile(shares, TOGETHER),
        "predicted": np.quantile(np.quantile(by_draw, TOGETHER, axis=1), _TAILS, axis=1).T,
        "beyond": [tail.beyond, *np.quantile(tail.predicted_beyond, _TAILS)],
        "severity": [tail.severity, *np.quantile(tail.predicted_severity, _TAILS)],
    }
