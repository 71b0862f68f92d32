"""Write the tables of docs/concentration.md about quotes: against what happened, and for other slopes and caps.

The lists are of early 2026 and look ahead in time, so that a gain would prove nothing; a loss would say that the factor
does harm.

Usage: ``CRASHCOVER_DATA=folder python -m docs.studies.control_in_the_arena``
"""

from datetime import timedelta

import numpy as np
import pandas as pd

from calibration import Market, hazard_factor, shipped_market
from calibration.hazard.factor import CONTROL_CAPS
from calibration.hazard.slopes import SLOPES
from calibration.law.bar_lengths import HOURLY
from calibration.law.crashes import crash_rate
from calibration.law.token_history import observe
from calibration.law.worst_month import worst_month_law
from docs.studies.blocks import markdown_table, write_block
from docs.studies.control import CAPS, published_lists, references
from docs.studies.panel import read_panel

HOUR, DAY, MONTH = timedelta(hours=1), 24, pd.Timedelta(days=30)
DROPS = (0.2, 0.3, 0.4)
FIRST = pd.Timestamp("2022-01-01", tz="UTC")
SHORTEST = 90 * DAY
N_RESAMPLES, SEED = 2_000, 1


def months_of(closes: pd.Series, factor: float) -> list[tuple]:
    """Return each month of a token: start, drop, chance without a list, chance with it, and whether it fell."""
    falls, rows = 1.0 - closes / closes.rolling(DAY + 1, min_periods=1).max(), []
    for start in pd.date_range(FIRST, closes.index[-1] - MONTH, freq=MONTH):
        known, later = closes[:start], falls[start : start + MONTH].iloc[1:]
        if len(known) < SHORTEST or len(later) < 20 * DAY:
            continue
        market = shipped_market(start)
        chances = [_chances(known, market, each) for each in (1.0, factor)]
        rows.extend((start, drop, *each, later.max() >= drop) for drop, *each in zip(DROPS, *chances, strict=True))
    return rows


def _chances(known: pd.Series, market: Market, hazard: float) -> list[float]:
    place = [law.window for law in market.laws].index(timedelta(hours=DAY))
    history = observe(known, HOUR, tuple(law.window for law in market.laws))
    state, law = history.state(market.laws, HOURLY), market.laws[place]
    month = worst_month_law(law, state, place, market.state_at(known.index[-1]), crash_rate(law, state, place, hazard))
    return [month.at(drop) for drop in DROPS]


def main() -> None:
    """Write the table."""
    panel = read_panel()
    factors = {token: hazard_factor(concentration=held).on_rate for token, held in published_lists()}
    tokens = [token for token in panel if token in factors]
    columns = ["start", "drop", "without", "with", "fell"]
    months = pd.concat(
        pd.DataFrame(months_of(panel[token].dropna(), factors[token]), columns=columns) for token in tokens
    )
    rows = []
    for drop, part in months.groupby("drop"):
        gain = _log_score(part["with"], part["fell"]) - _log_score(part["without"], part["fell"])
        low, high = _interval(gain.groupby(part["start"].to_numpy()).mean())
        ratios = (part["fell"].sum() / part[name].sum() for name in ("without", "with"))
        cells = (f"24 h ≥ {drop:.0%}", len(part), int(part["fell"].sum()), *(f"{ratio:.2f}" for ratio in ratios))
        rows.append((*cells, f"{1e3 * gain.mean():+.1f} [{1e3 * low:+.1f}, {1e3 * high:+.1f}]"))
    head = (
        "fall",
        "token-months",
        "fell",
        "A/E without list",
        "A/E with list",
        "gain in log score, 10⁻³ [90 %]",
    )
    write_block("concentration.md", "arena", f"{markdown_table(head, rows)}\n\n{len(tokens)} tokens.")
    *_, scores = references(dict(published_lists()))
    write_block("concentration.md", "book", book_table(panel, scores))


def book_table(closes: pd.DataFrame, scores: pd.Series) -> str:
    """Return the expected loss of a book of one cover per token, for other slopes and caps of the factor."""
    start = closes.index[-1]
    known = {token: closes[token].dropna() for token in closes if token in scores.index}
    tokens = [token for token, each in known.items() if each.index[-1] == start and len(each) >= SHORTEST]
    market = shipped_market(start)

    def losses(slope: float, cap: float) -> np.ndarray:
        values = np.exp(slope * scores).clip(CONTROL_CAPS[0], cap)
        factors = values[tokens] / values.mean()
        return np.array([_chances(known[token], market, factors[token]) for token in tokens])

    base, rows = losses(SLOPES["control"].mean, CONTROL_CAPS[1]), []
    for slope in (0.15, 0.3, 0.5):
        cells = []
        for cap in CAPS:
            other = losses(slope, cap)
            book, each = other.sum(axis=0) / base.sum(axis=0) - 1.0, other / base - 1.0
            cells.append(f"{book[-1]:+.1%} ({each[:, -1].min():+.0%} to {each[:, -1].max():+.0%})")
        rows.append((f"{slope:g}", *cells))
    text = markdown_table(("slope", *(f"cap {cap:g}" for cap in CAPS)), rows)
    return f"{text}\n\n{len(tokens)} tokens, {start:%Y-%m-%d}."


def _log_score(chance: pd.Series, fell: pd.Series) -> pd.Series:
    return np.log(chance.where(fell, 1.0 - chance))


def _interval(by_month: pd.Series) -> np.ndarray:
    """Return the 90 % interval of the mean; whole months are drawn again."""
    values, rng = by_month.to_numpy(), np.random.default_rng(SEED)
    drawn = rng.choice(values, size=(N_RESAMPLES, len(values)))
    return np.quantile(drawn.mean(axis=1), [0.05, 0.95])


if __name__ == "__main__":
    main()
