"""Effects of a wrong model on an expected loss, and the loss under named stresses.

Each cover is priced again with the same random numbers and one input of the law of the worst month changed. The parts
of the model error are changes by about one standard deviation, down and up; logarithms of their effects are combined as
those of independent errors. A stress is one change, and no probability is claimed for it.
"""

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

import pandas as pd
from scipy.special import gammaincinv

from calibration import Calibration, Inputs, Market, inputs_of, remodel, shipped_market
from calibration.hazard.factor import CONTROL_CAPS
from calibration.hazard.slopes import SLOPES
from calibration.law.bar_lengths import HOURLY
from calibration.law.drop_law import DropLaw, OwnCrashLaw
from calibration.law.own_record import CREDIBILITY_SHAPE, block_number
from crashcover.offers.outcomes import quote_or_refuse, simulate_covers
from pricing.contract.cover import Cover
from pricing.errors import InsufficientDataError, PrecisionWarning
from pricing.premiums.basis import PricingBasis
from pricing.premiums.build_up import discounted_shares, sample_for
from pricing.quotes.quote import Quote
from pricing.surface.settings import SimulationSettings
from pricing.surface.surface import DropSurface
from pricing.tools.progress import Progress, silent
from pricing.tools.units import format_duration

#: Number of paths for a ratio: few are enough on the same paths.
MOST_PATHS = 20_000
#: Shares of a normal law below and above one standard deviation.
_DOWN, _UP = 0.158655, 0.841345
#: Pareto index of deep own crashes if their tail is thin: that of falls of 30 % or more in months in which the median
#: token fell by less than 15 %, 3.5 to 4.4. If it is heavy, the index of shallow crashes holds at every depth: a
#: judgement.
_THIN_INDEX = 3.9
#: One standard deviation over the half-width of a 90 % interval.
_NINETY_TO_ONE = 1.0 / 1.6449
#: Ages in days of earlier markets whose laws are tried.
_EARLIER = (90, 180, 270, 360)
_MAY_2021 = pd.Timestamp("2021-05-19", tz="UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPart:
    """One source of model error.

    Parameters
    ----------
    name : str
        What may be wrong.
    meaning : str
        By how much it was changed, and on which ground.
    low, high : float
        Factors on the expected loss.
    """

    name: str
    meaning: str
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stress:
    """A named change, and what the cover would be worth under it.

    Parameters
    ----------
    name, meaning : str
        The change.
    expected_loss : float
        Expected loss, in the currency of the cover.
    gross : float or None
        Gross premium that the same loadings would give; None if the cover could not be sold.
    is_bound : bool
        Whether too few paths fall as deep as the stressed law asks for, so that both are more than stated.
    """

    name: str
    meaning: str
    expected_loss: float
    gross: float | None
    is_bound: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelError:
    """Model error of the expected loss of one cover.

    Parameters
    ----------
    expected_loss : float
        Expected loss as quoted, in the currency of the cover.
    parts : tuple of ErrorPart
        Sources of the error.
    stresses : tuple of Stress
        Named stresses.
    """

    expected_loss: float
    parts: tuple[ErrorPart, ...]
    stresses: tuple[Stress, ...]

    @property
    def low(self) -> float:
        """Lower end of the interval of about 68 %, in the currency of the cover."""
        return self.expected_loss * math.exp(-math.hypot(*(math.log(part.low) for part in self.parts)))

    @property
    def high(self) -> float:
        """Upper end of the interval."""
        return self.expected_loss * math.exp(math.hypot(*(math.log(part.high) for part in self.parts)))


@dataclass(frozen=True, slots=True)
class _Change:
    """A part of the error as low and high inputs of the law, or a stress as one."""

    name: str
    meaning: str
    inputs: tuple[Inputs, ...]


@dataclass(frozen=True, slots=True)
class _Priced:
    """Expected loss and gross premium of one cover, see ``Stress``."""

    expected_loss: float
    gross: float | None
    is_bound: bool


def model_errors(
    calibration: Calibration,
    covers: Sequence[Cover],
    *,
    basis: PricingBasis,
    settings: SimulationSettings,
    begin: Progress = silent,
) -> tuple[ModelError | None, ...]:
    """Price covers again under every change.

    Parameters
    ----------
    calibration : Calibration
        Source of the model.
    covers : sequence of Cover
        Covers on this asset.
    basis : PricingBasis
        Loadings.
    settings : SimulationSettings
        Size and seed of the simulation; at most 20,000 paths are used.
    begin : callable, optional
        Progress callback.

    Returns
    -------
    tuple of ModelError or None
        One per cover; None if no path pays, or if nothing is anchored to the law that is changed.
    """
    if not calibration.model.anchors:
        return (None,) * len(covers)
    few = replace(settings, n_paths=min(settings.n_paths, MOST_PATHS))
    parts, stresses = _parts(calibration), _stresses(calibration)
    report, done = begin("model error", 1 + sum(len(each.inputs) for each in (*parts, *stresses))), 0

    def price(inputs: Inputs) -> list[_Priced]:
        nonlocal done
        with warnings.catch_warnings(record=True) as calm:
            warnings.simplefilter("always", PrecisionWarning)
            surface = simulate_covers(remodel(calibration, inputs), covers, few)
            priced = [_price(cover, surface, basis, is_bound=bool(calm)) for cover in covers]
        report(done := done + 1)
        return priced

    quoted = price(inputs_of(calibration))
    of_parts = [[price(inputs) for inputs in each.inputs] for each in parts]
    of_stresses = [price(*each.inputs) for each in stresses]
    return tuple(
        _model_error(
            quoted[place],
            [(change, [each[place] for each in found]) for change, found in zip(parts, of_parts, strict=True)],
            [(change, found[place]) for change, found in zip(stresses, of_stresses, strict=True)],
        )
        for place in range(len(covers))
    )


def _price(cover: Cover, surface: DropSurface, basis: PricingBasis, *, is_bound: bool) -> _Priced:
    sample = sample_for(cover, surface)
    mean = sample.mean(discounted_shares(cover, sample.tail(cover.trigger.drop), basis)).value
    outcome = quote_or_refuse(cover, surface, basis)
    return _Priced(cover.limit * mean, outcome.premium.gross if isinstance(outcome, Quote) else None, is_bound)


def _model_error(
    quoted: _Priced, parts: Sequence[tuple[_Change, list[_Priced]]], stresses: Sequence[tuple[_Change, _Priced]]
) -> ModelError | None:
    whole = quoted.expected_loss
    if not whole or not all(each.expected_loss for _, found in parts for each in found):
        return None
    return ModelError(
        expected_loss=whole,
        parts=tuple(
            ErrorPart(
                name=change.name,
                meaning=change.meaning,
                low=min(1.0, *(each.expected_loss / whole for each in found)),
                high=max(1.0, *(each.expected_loss / whole for each in found)),
            )
            for change, found in parts
        ),
        stresses=tuple(
            Stress(
                name=change.name,
                meaning=change.meaning,
                expected_loss=found.expected_loss,
                gross=found.gross,
                is_bound=found.is_bound,
            )
            for change, found in stresses
        ),
    )


def _parts(calibration: Calibration) -> list[_Change]:
    inputs = inputs_of(calibration)
    rate = calibration.crashes[-1]
    shape = CREDIBILITY_SHAPE + rate.crashes
    hazard, thin = calibration.hazard, max(_THIN_INDEX, rate.deep_index)
    parts = [
        _Change(
            "level",
            "one standard error of the level of all months, as it was fitted",
            tuple(_with_level(inputs, sign) for sign in (-1.0, 1.0)),
        ),
        _Change(
            "rate of own crashes",
            f"one standard deviation of the rate, given {rate.crashes:g} crashes on record",
            tuple(
                replace(inputs, hazard=inputs.hazard * float(gammaincinv(shape, share)) / shape)
                for share in (_DOWN, _UP)
            ),
        ),
        _Change(
            "depth of own crashes",
            f"Pareto index {thin:.1f} or {rate.index:.1f} instead of {rate.deep_index:.1f} "
            f"from {rate.deep_drop:.0%} on; judgement",
            (_with_deep_index(inputs, lambda _: thin), _with_deep_index(inputs, lambda own: own.index)),
        ),
    ]
    if calibration.sight.bars != HOURLY:
        parts.append(_of_bars(calibration))
    if hazard.lower < hazard.upper:
        ends = tuple(hazard.on_rate * (end / hazard.value) ** _NINETY_TO_ONE for end in (hazard.lower, hazard.upper))
        meaning = "one standard deviation of their slopes and of what is unknown about holders"
        parts.append(_Change("holders and signals", meaning, tuple(replace(inputs, hazard=end) for end in ends)))
    earlier = _earlier_laws(calibration)
    if earlier:
        ages = ", ".join(map(str, earlier))
        meaning = f"laws fitted {ages} days before, for the same state of market and token"
        parts.append(_Change("laws", meaning, tuple(replace(inputs, market=each) for each in earlier.values())))
    return parts


def _of_bars(calibration: Calibration) -> _Change:
    """Change the level of each law and the rate of own crashes by what longer bars show less exactly."""
    inputs, sight = inputs_of(calibration), calibration.sight

    def moved(law: DropLaw, sign: float) -> DropLaw:
        intercept = law.level.intercept + sign * sight.level_error(law.window)
        return replace(law, level=replace(law.level, intercept=intercept))

    rate_error = sight.bars.rate_error(inputs.market.laws[-1].window)
    return _Change(
        "length of bars",
        f"one standard error of what bars of {format_duration(calibration.history.step)} show of the token",
        tuple(
            replace(_with_laws(inputs, partial(moved, sign=sign)), hazard=inputs.hazard * math.exp(sign * rate_error))
            for sign in (-1.0, 1.0)
        ),
    )


def _stresses(calibration: Calibration) -> list[_Change]:
    inputs = inputs_of(calibration)
    holders = _twice_the_overhang(calibration)
    changes = [
        ("May 2021 tomorrow", "the mean token falls as it did in the block of May 2021", _as_in(inputs, _MAY_2021)),
        ("volatility doubles", "of the token and of the market, over all horizons", _with_volatility(inputs, 2.0)),
        ("level too low", "by one standard error", _with_level(inputs, 1.0)),
        (
            "twice the overhang",
            "of tokens that few hands control, over what the market can bear",
            replace(inputs, hazard=inputs.hazard * holders),
        ),
    ]
    return [_Change(name, meaning, (changed,)) for name, meaning, changed in changes if changed]


def _with_laws(inputs: Inputs, change: Callable[[DropLaw], DropLaw]) -> Inputs:
    return replace(inputs, market=replace(inputs.market, laws=tuple(map(change, inputs.market.laws))))


def _with_level(inputs: Inputs, errors: float) -> Inputs:
    """Move the level by standard errors, and take it as known exactly."""

    def change(law: DropLaw) -> DropLaw:
        moved = replace(law.level, intercept=law.level.intercept + errors * law.level.error, error=0.0)
        return replace(law, level=moved)

    return _with_laws(inputs, change)


def _with_deep_index(inputs: Inputs, index: Callable[[OwnCrashLaw], float]) -> Inputs:
    return _with_laws(inputs, lambda law: replace(law, own=replace(law.own, deep_index=index(law.own))))


def _with_volatility(inputs: Inputs, factor: float) -> Inputs:
    state, market, more = inputs.state, inputs.market_state, math.log(factor)
    return replace(
        inputs,
        state=replace(state, log_volatilities=state.log_volatilities + more),
        market_state=replace(market, log_volatility=market.log_volatility + more),
    )


def _as_in(inputs: Inputs, time: pd.Timestamp) -> Inputs | None:
    """Let the mean token fall as in one block on record; None if the market does not know the block."""
    laws = inputs.market.laws
    places = [block_number(time) - law.first_block for law in laws]
    changed = []
    for law, place in zip(laws, places, strict=True):
        mean = law.block_means[place] if 0 <= place < len(law.block_means) else None
        if mean is None:
            return None
        changed.append(replace(law, shocks=(mean - law.level.at(inputs.market_state),)))
    return replace(inputs, market=replace(inputs.market, laws=tuple(changed)))


def _twice_the_overhang(calibration: Calibration) -> float:
    """Return the factor on the crash rate if controlled tokens over what the market can bear double."""
    before = calibration.hazard.control.factor
    return min(before * math.pow(2.0, SLOPES["control"].mean), CONTROL_CAPS[1]) / before


def _earlier_laws(calibration: Calibration) -> dict[int, Market]:
    """Return markets by their age in days, as far as any shipped."""
    found = {}
    for days in _EARLIER:
        try:
            market = shipped_market(calibration.market.as_of - timedelta(days=days))
            found[days] = calibration.market_on_grid(market)
        except InsufficientDataError:
            break
    return found
