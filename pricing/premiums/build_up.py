"""From a cover and a surface to a premium: the expected loss plus named loadings, each on a line of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from operator import add
from typing import Any, Generic

import numpy as np

from pricing.contract.cover import Cover
from pricing.contract.shares import shares_of
from pricing.errors import (
    FallingRiskLoadError,
    NegativeRiskLoadError,
    NotSimulatedError,
    PrecisionError,
    UninsurableError,
    UnmeasurableLossError,
    UnresolvedError,
)
from pricing.premiums.basis import PricingBasis
from pricing.premiums.discounting import discount_factor
from pricing.premiums.loadings import ParameterUncertainty
from pricing.premiums.premium import IMPRECISE, ROUNDING, Premium, PremiumFlag
from pricing.principles import LossDistribution, PremiumPrinciple, StandardDeviationPrinciple
from pricing.surface.estimates import Estimate, FloatOrArray, WeightedSample
from pricing.surface.surface import DropSurface, SampledSurface
from pricing.tools.arrays import FloatArray
from pricing.tools.units import YEAR, Duration, parse_duration


def premium(
    cover: Cover,
    surface: DropSurface,
    basis: PricingBasis | None = None,
    *,
    uncertainty: ParameterUncertainty | None = None,
) -> Premium:
    """Price a cover.

    Parameters
    ----------
    cover : Cover
        The contract.
    surface : DropSurface
        Worst drops of the covered asset, with the signal of the cover.
    basis : PricingBasis, optional
        Loadings; by default ``PricingBasis()``.
    uncertainty : ParameterUncertainty, optional
        Part of the expected loss that is due to parameter uncertainty and is shown separately.

    Raises
    ------
    NotSimulatedError
        If the surface does not contain the cover's signal.
    InvalidPayoutError
        If a payout of the user's own returns anything but rising shares of the limit.
    UnmeasurableLossError
        If the simulation cannot provide the risk load or the capital of the basis.
    NegativeRiskLoadError
        If the risk load would lower the premium.
    UninsurableError
        If the premium reaches the limit.
    FallingRiskLoadError
        If the risk load would make a larger loss, such as a surer one, cheaper.

    Examples
    --------
    >>> from pricing import ConstantVolatility, DropTrigger, FullPayout, Normal, PriceModel, simulate
    >>> model = PriceModel(volatility=ConstantVolatility(annual=1.5), innovations=Normal())
    >>> surface = simulate(model, windows=["24h"], terms=["30d"])
    >>> cover = Cover(
    ...     cover_id="C-1", asset="OM", trigger=DropTrigger(drop=0.2), payout=FullPayout(), limit=1e5, currency="USD"
    ... )
    >>> priced = premium(cover, surface)
    >>> priced.gross == priced.expected_loss + priced.risk_load + priced.expenses
    True
    """
    return premium_from_sample(cover, sample_for(cover, surface), basis or PricingBasis(), uncertainty=uncertainty)


def sample_for(cover: Cover, surface: SampledSurface) -> WeightedSample:
    """Return the worst drops that determine a cover's loss.

    Raises
    ------
    NotSimulatedError
        If the surface does not contain them.
    """
    try:
        return surface.sample_of(cover.observation)
    except NotSimulatedError as error:
        raise NotSimulatedError(f"cover {cover.cover_id!r}: {error}") from error


def premium_from_sample(
    cover: Cover, sample: WeightedSample, basis: PricingBasis, *, uncertainty: ParameterUncertainty | None = None
) -> Premium:
    """Price a cover from the sorted worst drops of its signal."""
    basis = basis.over(cover.term)
    drops = sample.tail(cover.trigger.drop)
    shares = discounted_shares(cover, drops, basis)
    losses = simulated_losses(sample, shares, sample.mean(np.ones(len(drops))), basis)
    uncertain = uncertainty.part_of_mean(sample, drops, shares) if uncertainty else 0.0
    return add_up(losses, basis, name=cover.cover_id, limit=cover.limit, term=cover.term, uncertain=uncertain)


def discounted_shares(cover: Cover, drops: FloatArray, basis: PricingBasis) -> FloatArray:
    """Return the shares of the limit that worst drops pay, discounted to the sale."""
    shares: FloatArray = discount_factor(cover.observation, basis.interest_rate) * shares_of(cover.payout, drops)
    return shares


def payment_deviation(cover: Cover, sample: WeightedSample, basis: PricingBasis) -> float:
    """Return the standard deviation of the discounted payment of a cover, in its currency.

    Parameters
    ----------
    cover : Cover
        The contract.
    sample : WeightedSample
        Worst drops of its observation.
    basis : PricingBasis
        Loadings, of which the interest rate is used.
    """
    shares = discounted_shares(cover, sample.tail(cover.trigger.drop), basis)
    price = StandardDeviationPrinciple(multiple=1.0).estimate(sample, shares).value
    return cover.limit * (price - sample.mean(shares).value)


def payment_layers(cover: Cover, sample: WeightedSample, basis: PricingBasis, *, most: int = 60) -> FloatArray:
    """Cut the discounted payment of a cover into layers: the price of a distortion is the sum of ``width g(S)``.

    Parameters
    ----------
    cover : Cover
        The contract.
    sample : WeightedSample
        Worst drops of its observation.
    basis : PricingBasis
        Loadings, of which the interest rate is used.
    most : int
        Largest number of layers; neighbours are joined beyond it.

    Returns
    -------
    ndarray of shape (n_layers, 2)
        Widths as shares of the limit, from the lowest layer to the highest, and the probabilities S that each layer
        pays; of joined layers, the mean by width.
    """
    losses = LossDistribution.of_sample(sample, discounted_shares(cover, sample.tail(cover.trigger.drop), basis))
    widths, chances = -np.diff(losses.losses, append=0.0)[::-1], losses.exceedances[::-1]
    paid = widths > 0.0
    parts = [np.array_split(column, min(most, paid.sum())) for column in (widths[paid], (widths * chances)[paid])]
    width, mean = (np.array([part.sum() for part in column]) for column in parts)
    return np.stack([width, mean / width], axis=1)


def premium_of_law(
    losses: LossDistribution, basis: PricingBasis | None = None, *, name: str, limit: float, term: Duration
) -> Premium:
    """Price a loss whose law is known, in money, with the same loadings; nothing is simulated or discounted.

    Parameters
    ----------
    losses : LossDistribution
        Payments within the term, in money.
    basis : PricingBasis, optional
        Loadings; by default ``PricingBasis()``.
    name : str
        Name of the cover, for errors.
    limit : float
        Largest payment within the term.
    term : timedelta or str
        Time for which capital is required.

    Raises
    ------
    UninsurableError
        If the premium reaches the limit.

    Examples
    --------
    >>> law = LossDistribution.discrete([100.0, 0.0], [0.02, 0.98])
    >>> round(premium_of_law(law, name="C-1", limit=100.0, term="30d").gross, 4)
    4.0319
    """
    term = parse_duration(term, "term")
    basis = (basis or PricingBasis()).over(term)
    shares = LossDistribution(losses.losses / limit, losses.exceedances)
    mean = Estimate(shares.mean, 0.0)
    fired = float(shares.exceedances[shares.losses > 0.0].max(initial=0.0))

    def price(principle: PremiumPrinciple) -> Estimate[float]:
        return Estimate(principle.price(shares), 0.0)

    capital = basis.capital.allotted(price) if basis.capital else Estimate(0.0, 0.0)
    known = Losses(Estimate(fired, 0.0), mean, price(basis.risk_load), capital)
    return add_up(known, basis, name=name, limit=limit, term=term)


#: Largest weight of the paths that fire a trigger, as a share of all paths; beyond 1 it is no rounding.
MOST_WEIGHT = 1.0 + 1e-9


@dataclass(frozen=True, slots=True)
class Losses(Generic[FloatOrArray]):
    """Losses that a premium is made from, of one cover or of a column of them.

    Parameters
    ----------
    fired : Estimate
        Probability of any loss.
    mean, price, capital : Estimate
        Expected loss, price with risk load, and capital, per unit of limit.
    """

    fired: Estimate[FloatOrArray]
    mean: Estimate[FloatOrArray]
    price: Estimate[FloatOrArray]
    capital: Estimate[FloatOrArray]


def simulated_losses(
    sample: WeightedSample, shares: FloatArray, fired: Estimate[float], basis: PricingBasis
) -> Losses[float]:
    """Price simulated losses before expenses.

    Parameters
    ----------
    sample : WeightedSample
        Paths, largest loss first.
    shares : ndarray of shape (n_tail,)
        Share of the limit that the first paths lose; all others lose nothing.
    fired : Estimate
        Probability of any loss.
    basis : PricingBasis
        Loadings.

    Raises
    ------
    UnmeasurableLossError
        If the simulation cannot provide the risk load or the capital.
    """

    def price(principle: PremiumPrinciple) -> Estimate[float]:
        return principle.estimate(sample, shares)

    try:
        capital = basis.capital.allotted(price) if basis.capital else Estimate(0.0, 0.0)
        return Losses(fired=fired, mean=sample.mean(shares), price=price(basis.risk_load), capital=capital)
    except PrecisionError as error:
        raise UnmeasurableLossError(str(error), trigger_probability=fired.value) from error


def add_up(
    losses: Losses[float], basis: PricingBasis, *, name: str, limit: float, term: timedelta, uncertain: float = 0.0
) -> Premium:
    """Add up the lines of a premium.

    Parameters
    ----------
    losses : Losses
        Losses per unit of limit.
    basis : PricingBasis
        Loadings.
    name : str
        Name of the cover, for errors.
    limit : float
        Largest payment.
    term : timedelta
        Time for which capital is required.
    uncertain : float
        Part of the expected loss that is due to parameter uncertainty, per unit of limit.

    Raises
    ------
    UnmeasurableLossError
        If the weights of the paths that fire the trigger exceed those of all paths.
    NegativeRiskLoadError
        If the risk load would lower the premium.
    UninsurableError
        If the premium reaches the limit.
    FallingRiskLoadError
        If the risk load or the cost of capital would make a larger or surer loss cheaper.
    """
    if losses.fired.value > MOST_WEIGHT:
        raise _too_heavy(losses, name)
    if losses.price.value - losses.mean.value < -ROUNDING * losses.mean.value:
        raise _negative_load(losses, basis, name)
    priced: Premium = make_figures(
        losses, basis, limit=limit, years=term / YEAR, uncertain=uncertain, flag=_flag(losses), larger=max, make=Premium
    )
    if not priced.total < limit:
        raise _uninsurable(priced.total, limit, losses.fired.value, name)
    if not basis.risk_load.rises(losses.mean.value, losses.price.value):
        raise _falling_load(losses, basis.risk_load, name)
    if basis.capital and not basis.capital.rises(priced.trigger_probability, term / YEAR):
        raise _falling_load(losses, basis.capital, name)
    return priced


def make_figures(
    losses: Losses[FloatOrArray],
    basis: PricingBasis,
    *,
    limit: FloatOrArray,
    years: FloatOrArray,
    flag: Any,
    larger: Callable[[Any, Any], Any],
    make: Callable[..., Any],
    uncertain: float,
) -> Any:
    """Make every figure of a premium, of one cover or of a column of them.

    Parameters
    ----------
    losses : Losses
        Losses per unit of limit.
    basis : PricingBasis
        Loadings.
    limit, years : float or ndarray
        Largest payment, and time for which capital is required.
    flag : PremiumFlag or ndarray
        What makes the number suspect.
    larger : callable
        Function for the larger of two numbers: ``max``, or ``numpy.maximum`` for arrays.
    make : callable
        Takes the fields of ``Premium`` by name: ``Premium`` itself, or ``dict``.
    uncertain : float
        Part of the expected loss that is due to parameter uncertainty, per unit of limit.
    """
    mean, price, capital = losses.mean, losses.price, losses.capital
    capital_rate: Any = basis.capital.annual_rate * years if basis.capital else 0.0
    expected_loss = limit * (mean.value - uncertain)
    parameter_load = limit * (uncertain + basis.parameter_load * mean.value)
    # A principle without a load may be below the mean by rounding.
    risk_load = limit * larger(price.value - mean.value, 0.0)
    capital_cost = limit * capital_rate * capital.value
    before_expenses = (
        price.standard_error + basis.ratio_of_loss * mean.standard_error + capital_rate * capital.standard_error
    )
    risk_lines = expected_loss + parameter_load + risk_load + capital_cost
    least = basis.least_gross(limit, years, larger=larger)
    further: tuple[Any, ...] = ()
    if basis.loadings:
        further = tuple(
            limit * (each.of_loss * mean.value + each.of_limit * years) + each.fixed for each in basis.loadings
        )
    charged = _charge(risk_lines, further, basis, least, larger)
    return make(
        trigger_probability=-larger(-losses.fired.value, -1.0),  # rounding may leave a little more than 1
        trigger_probability_standard_error=losses.fired.standard_error,
        expected_loss=expected_loss,
        expected_loss_standard_error=limit * mean.standard_error,
        parameter_load=parameter_load,
        risk_load=risk_load,
        capital_cost=capital_cost,
        capital=limit * capital.value,
        standard_error=limit * before_expenses / (1.0 - basis.ratio_of_gross),
        flag=flag,
        rate_on_line=charged["gross"] / limit,
        **charged,
    )


def _charge(
    risk_lines: Any, further: tuple[Any, ...], basis: PricingBasis, least: Any, larger: Callable[[Any, Any], Any]
) -> dict[str, Any]:
    """Add the charges proportional to the gross premium, minima and tax to the lines so far."""
    for amount in further:
        risk_lines = risk_lines + amount
    kept = 1.0 - basis.ratio_of_gross
    technical = (risk_lines + basis.fixed_expense) / kept
    charged = larger(technical, least)
    expenses = basis.expense_ratio * charged + basis.fixed_expense
    commission, profit = basis.commission_ratio * charged, basis.profit_ratio * charged
    lift = (charged - technical) * kept
    gross = risk_lines + expenses + commission + profit
    if further:
        shares = [each.of_gross * charged for each in basis.loadings]
        further = tuple(zip((each.name for each in basis.loadings), map(add, further, shares), strict=True))
        gross = reduce(add, shares, gross)
    gross = gross + lift
    tax = basis.tax_ratio * gross
    return {
        "expenses": expenses,
        "commission": commission,
        "profit": profit,
        "minimum_lift": lift,
        "further": further,
        "gross": gross,
        "tax": tax,
        "total": gross + tax,
    }


def require_payment(priced: Premium, name: str, n_paths: int) -> None:
    """Check that there is a price and not only a bound.

    Raises
    ------
    UnresolvedError
        If no simulated path triggers a payment.
    """
    if priced.flag is PremiumFlag.UNRESOLVED:
        raise UnresolvedError(
            f"cover {name!r}: none of {n_paths} paths triggers a payment, so its probability is below "
            f"{3.0 / n_paths:.1e} with 95 % confidence and there is no price (raise n_paths)",
            trigger_probability=priced.trigger_probability,
        )


def _negative_load(losses: Losses[float], basis: PricingBasis, name: str) -> NegativeRiskLoadError:
    return NegativeRiskLoadError(
        f"cover {name!r}: {type(basis.risk_load).__name__} prices the loss at {losses.price.value:.3g} per unit of "
        f"limit, below its expected {losses.mean.value:.3g} (use it to measure capital, not as a risk load)",
        trigger_probability=losses.fired.value,
    )


def _falling_load(losses: Losses[float], load: object, name: str) -> FallingRiskLoadError:
    return FallingRiskLoadError(
        f"cover {name!r}: {type(load).__name__} would price a larger loss below this one, whose expected "
        f"value is {losses.mean.value:.3g} per unit of limit (the loss is too sure for it: use a distortion, such as "
        "HazardTransform)",
        trigger_probability=losses.fired.value,
    )


def _too_heavy(losses: Losses[float], name: str) -> UnmeasurableLossError:
    return UnmeasurableLossError(
        f"cover {name!r}: the weights of the paths that fire the trigger average {losses.fired.value:.6f}, more than "
        "1, so the loss is too sure to be measured by rare-drop sampling (simulate without rare_drops)",
        trigger_probability=1.0,
    )


def _uninsurable(total: float, limit: float, fired: float, name: str) -> UninsurableError:
    return UninsurableError(
        f"cover {name!r}: premium {total:,.2f} reaches the limit {limit:,.2f} "
        f"(the trigger fires with probability {fired:.3f}: choose a deeper drop or a shorter term)",
        trigger_probability=fired,
    )


def _flag(losses: Losses[float]) -> PremiumFlag:
    mean, price = losses.mean, losses.price
    if mean.value == 0.0:
        return PremiumFlag.UNRESOLVED
    if mean.standard_error > IMPRECISE * mean.value or price.standard_error > IMPRECISE * price.value:
        return PremiumFlag.IMPRECISE
    return PremiumFlag.OK
