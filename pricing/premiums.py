"""From a cover and a surface to a premium: the expected loss plus named loadings, each a line to read and challenge."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

from pricing.cover import Cover
from pricing.errors import InvalidBasisError, InvalidTermsError, NotSimulatedError, PrecisionError, UninsurableError
from pricing.estimates import Estimate, WeightedSample
from pricing.loadings import CapitalCost, ParameterUncertainty
from pricing.payment_time import discount_factor
from pricing.principles import LossDistribution, PremiumPrinciple, StandardDeviationPrinciple
from pricing.principles.principle import require_not_negative
from pricing.surface import DropSurface
from pricing.units import YEAR, Duration, as_number, parse_duration

FloatArray = npt.NDArray[np.float64]

#: Lines of a premium in their order; they add up to the gross premium.
LINES = (
    "expected_loss",
    "parameter_load",
    "risk_load",
    "capital_cost",
    "expenses",
    "commission",
    "profit",
    "minimum_lift",
)

#: Loadings of a basis that are plain numbers.
PLAIN_LOADINGS = (
    "parameter_load",
    "interest_rate",
    "expense_ratio",
    "fixed_expense",
    "commission_ratio",
    "profit_ratio",
    "tax_ratio",
    "minimum_premium",
    "minimum_rate_on_line",
)
_DEFAULT_RISK_LOAD = StandardDeviationPrinciple(multiple=0.25)
#: Share of an estimate from which its standard error makes it imprecise.
IMPRECISE = 0.1
#: By what share of the expected loss rounding may take the price below it.
ROUNDING = 1e-9


class PremiumFlag(Enum):
    """What makes a premium suspect as a number, whatever one thinks of the model."""

    OK = "ok"
    """Nothing."""
    IMPRECISE = "imprecise"
    """The standard error of the expected loss, or of it with its risk load, exceeds a tenth of it: simulate more."""
    UNRESOLVED = "unresolved"
    """No path led to a payment: the premium is an upper bound of ignorance, not an estimate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PricingBasis:
    """Everything that turns an expected loss into a premium.

    Parameters
    ----------
    risk_load : PremiumPrinciple
        Prices the uncertainty of the loss.
    parameter_load : float
        Load for parameter uncertainty that the surface does not hold, as a share of the expected loss.
    capital : CapitalCost, optional
        Return on the capital behind the cover; none is charged where it is absent.
    interest_rate : float
        Continuous riskless rate per year at which payments are discounted.
    expense_ratio, commission_ratio, profit_ratio : float
        Shares of the gross premium; together below 1.
    fixed_expense : float
        Expense per cover, in its currency.
    tax_ratio : float
        Tax as a share of the gross premium, on top of it.
    minimum_premium : float
        Least gross premium per cover, in its currency.
    minimum_rate_on_line : float
        Least gross premium as a share of the limit, for the whole term.

    Raises
    ------
    InvalidBasisError
        If a loading is out of range.
    """

    risk_load: PremiumPrinciple = _DEFAULT_RISK_LOAD
    parameter_load: float = 0.0
    capital: CapitalCost | None = None
    interest_rate: float = 0.0
    expense_ratio: float = 0.1
    fixed_expense: float = 0.0
    commission_ratio: float = 0.0
    profit_ratio: float = 0.0
    tax_ratio: float = 0.0
    minimum_premium: float = 0.0
    minimum_rate_on_line: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.risk_load, PremiumPrinciple):
            raise InvalidBasisError(f"risk_load must be a PremiumPrinciple, got {self.risk_load!r}")
        if not (self.capital is None or isinstance(self.capital, CapitalCost)):
            raise InvalidBasisError(f"capital must be a CapitalCost, got {self.capital!r}")
        for name in PLAIN_LOADINGS:
            object.__setattr__(self, name, as_number(getattr(self, name), name, InvalidBasisError))
        for name in ("parameter_load", "interest_rate", "fixed_expense", "minimum_premium"):
            require_not_negative(getattr(self, name), name)
        for name in ("expense_ratio", "commission_ratio", "profit_ratio", "tax_ratio", "minimum_rate_on_line"):
            _require_ratio(getattr(self, name), name)
        if not self.ratio_of_gross < 1.0:
            raise InvalidBasisError(
                "expense_ratio, commission_ratio and profit_ratio must be below 1 together, got "
                f"{self.expense_ratio} + {self.commission_ratio} + {self.profit_ratio}"
            )

    def least_gross(self, limit: Any, *, larger: Callable[[Any, Any], Any] = max) -> Any:
        """Return the least gross premium of a limit, or with ``numpy.maximum`` of many."""
        return larger(self.minimum_premium, self.minimum_rate_on_line * limit)

    @property
    def ratio_of_gross(self) -> float:
        """Share of the gross premium that goes to expenses, commission and profit."""
        return self.expense_ratio + self.commission_ratio + self.profit_ratio


def _require_ratio(value: float, field: str) -> None:
    if not 0.0 <= value < 1.0:
        slip = " (a fraction: 10 % is 0.10)" if value >= 1.0 else ""
        raise InvalidBasisError(f"{field} must be from 0 to below 1, got {value}{slip}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Premium:
    """A premium for the whole term, in the currency of the cover, line by line.

    Parameters
    ----------
    trigger_probability : float
        Probability that the trigger fires within the term.
    trigger_probability_standard_error : float
        Its standard error.
    expected_loss : float
        Pure premium: expected payments, discounted.
    expected_loss_standard_error : float
        Its standard error.
    parameter_load : float
        Price of not knowing the parameters of the model exactly.
    risk_load : float
        Price of the uncertainty of the loss.
    capital_cost : float
        Return on the capital.
    expenses : float
        Fixed and proportional expenses.
    commission, profit : float
        Their shares of the gross premium.
    minimum_lift : float
        What the minimum adds to the lines above.
    gross : float
        Sum of the lines from the expected loss to the lift.
    tax : float
        Tax on the gross premium.
    total : float
        Gross premium and tax: what the buyer pays.
    capital : float
        Capital that the cost is charged on; no line of the sum.
    standard_error : float
        Monte Carlo standard error of the gross premium, before a minimum lifts it; it says nothing about the model.
    rate_on_line : float
        Gross premium over the limit.
    flag : PremiumFlag
        What makes the number suspect.
    """

    trigger_probability: float
    trigger_probability_standard_error: float
    expected_loss: float
    expected_loss_standard_error: float
    parameter_load: float
    risk_load: float
    capital_cost: float
    expenses: float
    commission: float
    profit: float
    minimum_lift: float
    gross: float
    tax: float
    total: float
    capital: float
    standard_error: float
    rate_on_line: float
    flag: PremiumFlag


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
        Loadings; the defaults of ``PricingBasis`` where it is absent.
    uncertainty : ParameterUncertainty, optional
        Which part of the expected loss is there for parameter uncertainty, and shown apart.

    Raises
    ------
    NotSimulatedError
        If the surface does not hold the cover's signal.
    UninsurableError
        If the premium reaches the limit.
    InvalidBasisError
        If the risk load would lower the premium.

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


def sample_for(cover: Cover, surface: DropSurface) -> WeightedSample:
    """Return the worst drops that decide a cover.

    Raises
    ------
    NotSimulatedError
        If the surface does not hold them.
    """
    try:
        return surface.sample(
            window=cover.trigger.window,
            term=cover.term,
            reference=cover.trigger.reference,
            waiting_period=cover.waiting_period,
        )
    except NotSimulatedError as error:
        raise NotSimulatedError(f"cover {cover.cover_id!r}: {error}") from error


def premium_from_sample(
    cover: Cover, sample: WeightedSample, basis: PricingBasis, *, uncertainty: ParameterUncertainty | None = None
) -> Premium:
    """Price a cover from the sorted worst drops of its signal."""
    drops = sample.tail(cover.trigger.drop)
    shares = discount_factor(cover, basis.interest_rate) * cover.payout.share(drops)
    losses = simulated_losses(sample, shares, sample.exceedance(cover.trigger.drop), basis)
    uncertain = uncertainty.part_of_mean(sample, drops, shares) if uncertainty else 0.0
    return add_up(losses, basis, name=cover.cover_id, limit=cover.limit, term=cover.term, uncertain=uncertain)


def premium_of_law(
    losses: LossDistribution, basis: PricingBasis | None = None, *, name: str, limit: float, term: Duration
) -> Premium:
    """Price a loss whose law is known, in money, with the same loadings; nothing is simulated or discounted.

    Parameters
    ----------
    losses : LossDistribution
        Payments within the term, in money.
    basis : PricingBasis, optional
        Loadings; the defaults of ``PricingBasis`` where it is absent.
    name : str
        Name of the cover, for errors.
    limit : float
        Largest payment within the term.
    term : timedelta or str
        How long capital is bound.

    Raises
    ------
    UninsurableError
        If the premium reaches the limit.

    Examples
    --------
    >>> law = LossDistribution.discrete([100.0, 0.0], [0.02, 0.98])
    >>> round(premium_of_law(law, name="C-1", limit=100.0, term="30d").gross, 4)
    6.1111
    """
    basis = basis or PricingBasis()
    shares = LossDistribution(losses.losses / limit, losses.exceedances)
    mean = Estimate(shares.mean, 0.0)
    fired = float(shares.exceedances[shares.losses > 0.0].max(initial=0.0))
    measure = basis.capital.capital if basis.capital else 0.0
    capital = max(measure.price(shares) - mean.value, 0.0) if isinstance(measure, PremiumPrinciple) else measure
    known = Losses(Estimate(fired, 0.0), mean, Estimate(basis.risk_load.price(shares), 0.0), Estimate(capital, 0.0))
    return add_up(known, basis, name=name, limit=limit, term=term)


@dataclass(frozen=True, slots=True)
class Losses:
    """What a premium is made from.

    Parameters
    ----------
    fired : Estimate
        Probability of any loss.
    mean, price, capital : Estimate
        Expected loss, price with risk load, and capital, per unit of limit.
    """

    fired: Estimate[float]
    mean: Estimate[float]
    price: Estimate[float]
    capital: Estimate[float]


def simulated_losses(sample: WeightedSample, shares: FloatArray, fired: Estimate[float], basis: PricingBasis) -> Losses:
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
    InvalidTermsError
        If a share is not between 0 and 1, or they rise.
    """
    if shares.size and not (shares[0] <= 1.0 and shares[-1] >= 0.0):
        raise InvalidTermsError(f"shares of a payout must be between 0 and 1, got {shares[-1]} to {shares[0]}")
    mean = sample.mean(shares)
    return Losses(
        fired=fired,
        mean=mean,
        price=basis.risk_load.estimate(sample, shares),
        capital=basis.capital.allotted(sample, shares, mean) if basis.capital else Estimate(0.0, 0.0),
    )


def add_up(
    losses: Losses, basis: PricingBasis, *, name: str, limit: float, term: Duration, uncertain: float = 0.0
) -> Premium:
    """Put the lines of a premium together.

    Parameters
    ----------
    losses : Losses
        Per unit of limit.
    basis : PricingBasis
        Loadings.
    name : str
        Name of the cover, for errors.
    limit : float
        Largest payment.
    term : timedelta or str
        How long capital is bound.
    uncertain : float
        Part of the expected loss that is there for parameter uncertainty, per unit of limit.

    Raises
    ------
    UninsurableError
        If the premium reaches the limit.
    InvalidBasisError
        If the risk load would lower the premium.
    """
    mean, price, capital = losses.mean, losses.price, losses.capital
    capital_rate = basis.capital.annual_rate * (parse_duration(term, "term") / YEAR) if basis.capital else 0.0
    expected_loss = limit * (mean.value - uncertain)
    parameter_load = limit * (uncertain + basis.parameter_load * mean.value)
    risk_load = limit * _risk_load(losses, basis, name)
    capital_cost = limit * capital_rate * capital.value
    charged = charge(expected_loss + parameter_load + risk_load + capital_cost, limit, basis, larger=max)
    _require_insurable(charged["total"], limit, losses.fired.value, name)
    before_expenses = (
        price.standard_error + basis.parameter_load * mean.standard_error + capital_rate * capital.standard_error
    )
    return Premium(
        trigger_probability=losses.fired.value,
        trigger_probability_standard_error=losses.fired.standard_error,
        expected_loss=expected_loss,
        expected_loss_standard_error=limit * mean.standard_error,
        parameter_load=parameter_load,
        risk_load=risk_load,
        capital_cost=capital_cost,
        capital=limit * capital.value,
        standard_error=limit * before_expenses / (1.0 - basis.ratio_of_gross),
        flag=_flag(losses),
        **charged,
    )


def charge(risk_lines: Any, limit: Any, basis: PricingBasis, *, larger: Callable[[Any, Any], Any]) -> dict[str, Any]:
    """Charge what does not depend on the loss: expenses, commission, profit, minima and tax.

    Parameters
    ----------
    risk_lines : float or ndarray
        Sum of the lines that depend on it.
    limit : float or ndarray
        Largest payment.
    basis : PricingBasis
        Loadings.
    larger : callable
        The larger of two numbers: ``max``, or ``numpy.maximum`` for arrays.

    Returns
    -------
    dict
        Fields of ``Premium`` by name.
    """
    kept = 1.0 - basis.ratio_of_gross
    technical = (risk_lines + basis.fixed_expense) / kept
    charged = larger(technical, basis.least_gross(limit, larger=larger))
    expenses = basis.expense_ratio * charged + basis.fixed_expense
    commission, profit = basis.commission_ratio * charged, basis.profit_ratio * charged
    lift = (charged - technical) * kept
    gross = risk_lines + expenses + commission + profit + lift
    tax = basis.tax_ratio * gross
    return {
        "expenses": expenses,
        "commission": commission,
        "profit": profit,
        "minimum_lift": lift,
        "gross": gross,
        "tax": tax,
        "total": gross + tax,
        "rate_on_line": gross / limit,
    }


def require_payment(priced: Premium, name: str, n_paths: int) -> None:
    """Demand that there is a price and not only a bound.

    Raises
    ------
    PrecisionError
        If no simulated path led to a payment.
    """
    if priced.flag is PremiumFlag.UNRESOLVED:
        raise PrecisionError(
            f"cover {name!r}: none of {n_paths} paths led to a payment, so its probability is below "
            f"{3.0 / n_paths:.1e} with 95 % confidence and there is no price (raise n_paths)"
        )


def _risk_load(losses: Losses, basis: PricingBasis, name: str) -> float:
    load = losses.price.value - losses.mean.value
    if load < -ROUNDING * losses.mean.value:
        raise InvalidBasisError(
            f"cover {name!r}: {type(basis.risk_load).__name__} prices the loss at {losses.price.value:.3g} per unit of "
            f"limit, below its expected {losses.mean.value:.3g} (use it to measure capital, not as a risk load)"
        )
    return max(load, 0.0)  # a principle without a load may be below the mean by rounding


def _require_insurable(total: float, limit: float, fired: float, name: str) -> None:
    if not total < limit:
        raise UninsurableError(
            f"cover {name!r}: premium {total:,.2f} reaches the limit {limit:,.2f} "
            f"(the trigger fires with probability {fired:.3f}: choose a deeper drop or a shorter term)"
        )


def _flag(losses: Losses) -> PremiumFlag:
    if losses.mean.value == 0.0:
        return PremiumFlag.UNRESOLVED
    imprecise = any(each.standard_error > IMPRECISE * each.value for each in (losses.mean, losses.price))
    return PremiumFlag.IMPRECISE if imprecise else PremiumFlag.OK
