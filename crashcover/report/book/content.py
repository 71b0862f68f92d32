"""Content of a report on a book, as plain values."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any

import numpy as np

from crashcover.display.curves import plain_estimate
from crashcover.files.quotes import plain_refusal
from crashcover.report.book.limits import state_limits
from crashcover.report.book.pooling import PooledBook, income_of
from crashcover.report.book.reinsurance import describe_reinsurance
from crashcover.report.covers.content import FORMAT, verdict_reasons
from crashcover.sample_market import is_synthetic
from pool import tail_value_at_risk, tail_weights, value_at_risk
from pool.exceedance import RETURN_PERIODS
from pricing.errors import Refusal
from pricing.premiums.premium import Premium, PremiumFlag
from pricing.premiums.statements import statement
from pricing.surface.estimates import FEWEST_BEYOND, Estimate
from pricing.tools import plain
from pricing.tools.arrays import FloatArray
from pricing.tools.units import format_duration
from pricing.version import ENGINE_VERSION

Values = dict[str, Any]

#: Number of covers with the largest tail contributions that are listed.
MOST_COVERS = 20
#: Probabilities of the curve of one period; with few scenarios beyond the last one it would be noise.
_PROBABILITIES = (0.5, 0.3, 0.2, 0.1, 0.07, 0.05, 0.03, 0.02, 0.01, 0.007, 0.005, 0.003, 0.002, 0.001, 0.0005, 0.0002)


def book_content(pooled: PooledBook) -> Values:
    """Return everything that the page of a report on a book shows.

    Parameters
    ----------
    pooled : PooledBook
        The book, priced and pooled.
    """
    flags = Counter(flag for token in pooled.tokens.values() for flag in token.calibration["verdict"])
    first, *_ = pooled.tokens.values()
    market, tokens = first.market, _tokens(pooled)
    return {
        "format": FORMAT,
        "kind": "book",
        "synthetic": any(is_synthetic(asset) for asset in pooled.tokens),
        "engine_version": ENGINE_VERSION,
        "currency": pooled.report.currency,
        "as_of": max(token.calibration["as_of"] for token in pooled.tokens.values()),
        "market": {
            "as_of": market.as_of.isoformat(),
            "n_tokens": market.n_tokens,
            "first_start": market.first_start.isoformat(),
        },
        "limits": float(pooled.compressed.book.limit.sum()),
        "kinds": _kinds(pooled),
        "basis": plain.to_plain(pooled.basis),
        "premiums": _premiums(pooled),
        "aims": {
            "capital": pooled.aims.capital,
            "level": pooled.aims.level,
            "ruin_target": pooled.aims.ruin_target,
            "horizon_periods": pooled.aims.horizon_periods,
            "share_of_capital": pooled.aims.share_of_capital,
            "reinsurance": [describe_reinsurance(contract) for contract in pooled.aims.reinsurance],
        },
        "pool": json.loads(pooled.report.to_json()),
        "shown_years": [years for years in RETURN_PERIODS if years in _years(pooled)],
        "period_curves": {name: _period_curve(losses.total) for name, losses in _losses(pooled).items()},
        "tokens": tokens,
        "covers": _covers(pooled),
        "joint": {
            "n_scenarios": pooled.settings.n_scenarios,
            "seed": pooled.settings.seed,
            "correlation": pooled.dependence.correlation,
            "dependence": asdict(pooled.dependence),
            "sum_alone": sum(token["alone"]["value"] for token in tokens),
        },
        "verdict": [
            {**reason, "n_tokens": flags[reason["flag"]]} for reason in verdict_reasons(sorted(flags, key=str))
        ],
        "model_limits": state_limits(pooled),
        **_assumptions(pooled),
    }


def _losses(pooled: PooledBook) -> Mapping[str, Any]:
    return {"gross": pooled.gross, "net": pooled.net} if pooled.aims.reinsurance else {"gross": pooled.gross}


def _years(pooled: PooledBook) -> set[float]:
    return {level.return_period for level in pooled.report.return_levels}


def _kinds(pooled: PooledBook) -> list[Values]:
    """Sum the book by observation, largest limits first."""
    book = pooled.compressed.book
    return sorted(
        (
            {
                "reference": observation.reference.name.lower().replace("_", " "),
                "window": format_duration(observation.window) if observation.window else "",
                "term": format_duration(observation.term),
                "waiting_period": format_duration(observation.waiting_period),
                "n_covers": int((book.observation == place).sum()),
                "limits": float(book.limit[book.observation == place].sum()),
            }
            for place, observation in enumerate(book.observations)
        ),
        key=lambda kind: -float(str(kind["limits"])),
    )


def _premiums(pooled: PooledBook) -> Values:
    """Sum the statements of all priced covers: cents that add up."""
    written = [statement(each) for each in pooled.premiums if isinstance(each, Premium)]
    lines = {line: sum((each.lines[line] for each in written), Decimal("0.00")) for line in pooled.basis.lines}
    gross, tax = (sum((getattr(each, name) for each in written), Decimal("0.00")) for name in ("gross", "tax"))
    errors = [each.standard_error for each in pooled.premiums if isinstance(each, Premium)]
    return {
        "statement": {
            "lines": [{"name": name, "amount": str(amount)} for name, amount in lines.items()],
            "gross": str(gross),
            "tax": str(tax),
            "total": str(gross + tax),
        },
        "largest_error": float(np.sum(errors)) if errors else 0.0,
        "n_priced": len(written),
        "n_imprecise": sum(getattr(each, "flag", None) is PremiumFlag.IMPRECISE for each in pooled.premiums),
        "income": income_of(pooled.premiums),
        "refused": [
            {"cover_id": cover.cover_id, "asset": cover.asset, "limit": cover.limit, **plain_refusal(each)}
            for cover, each in zip(pooled.covers, pooled.premiums, strict=True)
            if isinstance(each, Refusal)
        ],
    }


def _period_curve(losses: FloatArray) -> list[Values]:
    """Return the losses of a period exceeded with given probabilities, as far as there are enough scenarios."""
    seen = [p for p in _PROBABILITIES if p * len(losses) >= FEWEST_BEYOND]
    return [{"probability": p, **plain_estimate(value_at_risk(losses, 1.0 - p))} for p in seen]


def _tokens(pooled: PooledBook) -> list[Values]:
    """Describe the tokens of the book, those with the largest tail contribution first."""
    by_asset = dict(zip(pooled.compressed.book.assets, pooled.report.assets, strict=True))
    tail = tail_weights(pooled.net.total, pooled.aims.level)
    rows = [_token(pooled, asset, by_asset[asset], tail) for asset in by_asset]
    return sorted(rows, key=lambda row: (-row["tail"]["value"], row["asset"]))


def _token(pooled: PooledBook, asset: str, line: Any, tail: FloatArray) -> Values:
    row = pooled.scenarios.row(asset)
    gross, net = pooled.gross.by_asset[row], pooled.net.by_asset[row]
    token, standing = pooled.tokens[asset], line.accumulation
    return {
        "asset": asset,
        "n_covers": standing.n_covers,
        "limits": standing.limits,
        "capacity": standing.capacity,
        "room": standing.room,
        "expected": plain_estimate(Estimate(line.expected_loss, _error(gross))),
        "alone": plain_estimate(tail_value_at_risk(gross, pooled.aims.level)),
        "tail": plain_estimate(Estimate(line.tail_contribution, _error_within(net, tail))),
        "group": line.group,
        "own_share": line.own_share,
        "as_of": token.calibration["as_of"],
        "verdict": list(token.calibration["verdict"]),
        "n_paths": token.surface.settings.n_paths,
        "seed": token.surface.settings.seed,
        "model_digest": token.surface.model_digest,
    }


def _error(losses: FloatArray) -> float:
    return float(losses.std()) / float(np.sqrt(len(losses)))


def _error_within(losses: FloatArray, weights: FloatArray) -> float:
    """Return the standard error of a weighted mean over the scenarios of the tail."""
    mean = float(weights @ losses)
    return float(np.sqrt(np.sum(np.square(weights * (losses - mean)))))


def _covers(pooled: PooledBook) -> list[Values]:
    """List the covers with the largest tail contributions."""
    report = pooled.report
    order = np.argsort(-report.tail_by_cover, kind="stable")[:MOST_COVERS]
    return [
        {
            "cover_id": pooled.covers[place].cover_id,
            "asset": pooled.covers[place].asset,
            "drop": pooled.covers[place].trigger.drop,
            "limit": pooled.covers[place].limit,
            "gross": _gross(pooled.premiums[place]),
            "expected": float(report.expected_by_cover[place]),
            "tail": float(report.tail_by_cover[place]),
        }
        for place in order.tolist()
    ]


def _gross(priced: Premium | Refusal) -> float | None:
    return priced.gross if isinstance(priced, Premium) else None


def _assumptions(pooled: PooledBook) -> Values:
    """Separate the assumptions common to all calibrations from those on single tokens."""
    stated = {asset: token.calibration["assumptions"] for asset, token in pooled.tokens.items()}
    first, *others = stated.values()
    common = [sentence for sentence in first if all(sentence in other for other in others)]
    return {
        "assumptions": common,
        "token_assumptions": [
            {"asset": asset, "sentences": [sentence for sentence in sentences if sentence not in common]}
            for asset, sentences in sorted(stated.items())
        ],
    }
