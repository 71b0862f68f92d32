"""The figures of a calibration in words, as panels and notebooks show them."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from calibration.hazard.factor import HazardFactor
from calibration.holders.concentration_measures import Concentration
from calibration.law.crashes import CrashRate
from calibration.law.drop_law import TERM, MarketState, TokenState
from calibration.law.worst_month import WorstMonth
from calibration.prices.diagnostics import Diagnostics
from calibration.prices.horizons import HALF_LIVES
from pricing.tools.units import YEAR, format_duration

#: Name and text of a figure; the name is empty if the line continues the one above.
Figure = tuple[str, str]
#: Drops whose 30-day probabilities are shown.
_SHOWN_DROPS = (0.2, 0.3, 0.5)


def price_figures(history: Diagnostics, step: timedelta, as_of: datetime) -> tuple[Figure, ...]:
    """Describe the history of prices."""
    return (
        (
            "Prices",
            f"{history.n_closes:,} closes of {format_duration(step)}, {history.first_close:%Y-%m-%d %H:%M} to "
            f"{history.last_close:%Y-%m-%d %H:%M} UTC, as of {as_of:%Y-%m-%d %H:%M}",
        ),
        (
            "Worst falls",
            f"{_percent(history.worst_drop_1h)} in 1h, {_percent(history.worst_drop_24h)} in 24h; "
            f"{history.falls_of_30_percent} of 30% or more in 24h",
        ),
    )


def state_figures(state: TokenState, market: MarketState) -> tuple[Figure, ...]:
    """Describe the annual volatilities of all horizons, and the market's."""
    volatilities = np.exp(state.log_volatilities[:, 0])
    latest = ", ".join(f"{each:.1%} ({days:g}d)" for each, days in zip(volatilities, HALF_LIVES, strict=True))
    return (
        (
            "Volatility",
            f"{latest}; market {math.exp(market.log_volatility):.1%}, {math.expm1(market.run_up):+.0%} in 90d",
        ),
    )


def law_figures(months: Sequence[WorstMonth], crashes: Sequence[CrashRate], hazard: HazardFactor) -> tuple[Figure, ...]:
    """Describe the worst month, the token's own crashes, and the effect of holders and signals."""
    parts = ", ".join(f"{part.covariate.replace('_', ' ')} {part.factor:.2f}" for part in hazard.parts)
    lower, upper = hazard.lower / hazard.average, hazard.upper / hazard.average
    factor = f"x {hazard.on_rate:.2f} ({lower:.2f} to {upper:.2f}) for {parts}; the mean token has {hazard.average:.2f}"
    return (
        *_named("Worst month", [_describe_month(month) for month in months]),
        *_named("Own crashes", [_describe_crashes(rate) for rate in crashes]),
        ("", factor),
    )


def _named(name: str, texts: Sequence[str]) -> list[Figure]:
    return [("" if place else name, text) for place, text in enumerate(texts)]


def _describe_month(month: WorstMonth) -> str:
    chances = ", ".join(f"{100 * month.at(drop):.3g}% for {drop:.0%}" for drop in _SHOWN_DROPS)
    return f"median {month.median_drop:.1%} within {format_duration(month.window)}; {chances}"


def _describe_crashes(rate: CrashRate) -> str:
    return (
        f"{rate.per_year:.2f} per year of {rate.threshold_drop:.0%} or more within {format_duration(rate.window)}: "
        f"{rate.market_rate * (YEAR / TERM):.2f} for similar tokens x {rate.credibility_factor:.2f} for its record"
    )


def holder_figures(holders: Concentration | None) -> tuple[Figure, ...]:
    """Describe the concentration of holders, if there is a list."""
    if holders is None:
        return (("Holders", "no list given: counted as the mean of published tokens"),)
    control = holders.control
    return (
        (
            "Holders",
            f"{control.insiders:.1%} of the supply with insiders, {control.unknown:.1%} with unknown wallets, "
            f"{control.unlisted:.1%} not listed,",
        ),
        ("", f"{control.customers:.1%} on exchanges, {control.evidence:.1%} shown to belong to many;"),
        (
            "",
            f"HHI {holders.hhi.describe('.4f')}, effective holders {holders.effective_holders.describe(',.1f')},",
        ),
        (
            "",
            f"top 10 hold {holders.top10.describe('.1%')}, Nakamoto {holders.nakamoto.describe(',.0f')}",
        ),
        ("", f"of the float of {holders.float:,.0f} tokens; the list covers {holders.listed_share:.1%} of it"),
    )


def _percent(fraction: float | None) -> str:
    return "unknown" if fraction is None else f"{fraction:.1%}"
