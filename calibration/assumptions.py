"""The assumptions of a calibration, in sentences that an actuary can read and challenge."""

import math

from calibration.hazard.factor import HazardFactor
from calibration.holders.concentration_measures import Concentration
from calibration.law.bar_lengths import HOURLY, Sight
from calibration.law.crashes import CrashRate
from calibration.law.law_anchors import TERMS, can_be_anchored
from calibration.law.worst_month import WorstMonth
from calibration.market.market import Market
from calibration.paths.volatility import PERSISTENCE_BOUND, VolatilityFit
from calibration.prices.bars import CheckedCloses
from pricing.models.volatility import ConstantVolatility
from pricing.tools.units import format_duration


def state_assumptions(
    checked: CheckedCloses,
    shape: VolatilityFit,
    months: tuple[WorstMonth, ...],
    crashes: tuple[CrashRate, ...],
    market: Market,
    sight: Sight,
    hazard: HazardFactor,
    owners: Concentration | None,
) -> tuple[str, ...]:
    """List the assumptions of a calibration."""
    return (
        f"Closes are labelled by the end of their bar of {format_duration(checked.step)}.",
        "The log price has no drift: 30 days of history say nothing reliable about the next 30.",
        *_of_market(market, months),
        *(_of_crashes(rate) for rate in crashes),
        *_of_holders(hazard, owners),
        *_of_bars(checked, market, sight),
        *_of_paths(shape, market, sight),
    )


def _of_market(market: Market, months: tuple[WorstMonth, ...]) -> tuple[str, ...]:
    medians = ", ".join(f"{month.median_drop:.1%} within {format_duration(month.window)}" for month in months)
    return (
        f"The worst drop of a month follows the laws of {market.n_tokens} tokens from {market.first_start:%Y-%m-%d} to "
        f"{market.as_of:%Y-%m-%d}, listed on one venue and mostly alive at the end: dead tokens are missing and true "
        "rates are higher.",
        f"The median worst drop of the next 30 days is {medians}; the shock that all tokens share is one of the months "
        "on record, each as likely as any other.",
        "Months of BTC and ETH from 2017 on are translated to other tokens by a slope of 0.62, and count half.",
    )


def _of_crashes(rate: CrashRate) -> str:
    return (
        f"Crashes of the token's own, {rate.threshold_drop:.0%} or more within {format_duration(rate.window)}: "
        f"{rate.per_year:.2f} a year. The market's record for its volatility and tails gives "
        f"{rate.market_rate:.4f} in 30 days; the token's own record ({rate.crashes:.0f} seen, {rate.expected:.2f} "
        f"expected) multiplies it by {rate.credibility_factor:.2f}, holders and signals by {rate.hazard_factor:.2f}. "
        f"Their depth is Pareto in log price, with index {rate.index:.2f}, and {rate.deep_index:.2f} from "
        f"{rate.deep_drop:.0%} on."
    )


def _of_holders(hazard: HazardFactor, owners: Concentration | None) -> tuple[str, ...]:
    overhang = hazard.overhang
    if overhang is None:
        lacking = "no holder list was given"
        if owners is not None:
            lacking = f"the holder list shows {1.0 - owners.control.unlisted:.2%} of the supply"
        known = f"Control is that of the mean token whose holders are published: {lacking}."
    else:
        known = (
            f"{overhang.controlled:.1%} of the supply counts as controlled by few hands ({overhang.least:.1%} to "
            f"{overhang.most:.1%}); {overhang.evidence:.1%} is shown to belong to many. Wallets prove nothing: what "
            "is not shown to be independent counts as controlled. The market bears least by what "
            f"{'is left to others' if overhang.limit == 'others' else f'its {overhang.limit} shows'}."
        )
    mean = f"The market's rate belongs to tokens with a mean factor of {hazard.average:.2f}, by which all is divided."
    return (
        known,
        mean,
        *(
            f"{part.covariate.capitalize()} multiplies the crash rate of a typical token by {part.factor:.2f} "
            f"({part.lower:.2f} to {part.upper:.2f}): {part.source}"
            f"{', a judgement with a sign, not an estimate' if part.prior_only else ''}."
            for part in hazard.parts
        ),
    )


def _of_bars(checked: CheckedCloses, market: Market, sight: Sight) -> tuple[str, ...]:
    """State what is seen on bars and grids that are longer than an hour."""
    said, window = [], market.laws[-1].window
    if sight.grid != checked.step or sight.covers != HOURLY:
        said.append(
            f"Covers are observed every {format_duration(sight.grid)}: a fall within a day looks shallower than from "
            f"hour to hour, by a factor of {math.exp(-sight.covers.log_factor):.2f} on the log price."
        )
    if sight.bars != HOURLY:
        said.append(
            f"Bars of {format_duration(checked.step)} show volatility and record less exactly than hourly bars: a "
            f"standard error of {sight.level_error(window):.1%} of the depth of a month, and of "
            f"{sight.bars.rate_error(window):.0%} of the rate of the token's own crashes."
        )
    return tuple(said)


def _of_paths(shape: VolatilityFit, market: Market, sight: Sight) -> tuple[str, ...]:
    shocks = f"Shocks within a path are independent, of the law {type(shape.innovations).__name__} with unit variance."
    fading = (
        "Volatility within a path is constant."
        if isinstance(shape.law, ConstantVolatility)
        else f"Of a variance shock, {shape.persistence:.4f} remains after a step, at most {PERSISTENCE_BOUND}."
    )
    level = (
        f"The level of the paths is that of the laws, met exactly at their nodes over {_terms()}, at the hazard rate "
        "of 30 days; terms in between and other windows follow from the paths."
        if can_be_anchored(sight.grid, market.laws)
        else "Bars do not divide a day: the level of the paths is that of the token's own returns, "
        f"{shape.annual_volatility:.1%} a year."
    )
    return (shocks, fading, level)


def _terms() -> str:
    *most, last = (format_duration(term) for term in TERMS)
    return f"{', '.join(most)} and {last}"
