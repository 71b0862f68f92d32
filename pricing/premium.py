"""From a cover and a surface to a premium: the expected loss plus named loadings, each a line to read and challenge."""

import math
from dataclasses import dataclass
from enum import Enum

from pricing.cover import Cover
from pricing.errors import InvalidBasisError, NotSimulatedError, UninsurableError
from pricing.estimates import Estimate, WeightedSample
from pricing.surface import DropSurface

_IMPRECISE = 0.1


class PremiumFlag(Enum):
    """What makes a premium suspect as a number, whatever one thinks of the model."""

    OK = "ok"
    """Nothing."""
    IMPRECISE = "imprecise"
    """The standard error of the expected loss exceeds a tenth of it: simulate more paths."""
    UNRESOLVED = "unresolved"
    """No path fired the trigger: the premium is an upper bound of ignorance, not an estimate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardDeviationLoad:
    """Risk load by the standard deviation principle: a multiple of the standard deviation of the loss.

    Parameters
    ----------
    multiple : float
        Load per unit of standard deviation, not negative (Kreps 1990 calls it reluctance).
    """

    multiple: float = 0.25

    def __post_init__(self) -> None:
        if not 0.0 <= self.multiple < math.inf:
            raise InvalidBasisError(f"multiple must be finite and not negative, got {self.multiple}")

    def of(self, mean: float, second_moment: float) -> float:
        """Return the load for a loss of given first and second moment."""
        return self.multiple * math.sqrt(max(second_moment - mean * mean, 0.0))

    def slopes(self, mean: float, second_moment: float) -> tuple[float, float]:
        """Return the derivatives of the load by the two moments."""
        load = self.of(mean, second_moment)
        if load == 0.0:
            return 0.0, 0.0
        half = 0.5 * self.multiple * self.multiple / load
        return -2.0 * mean * half, half


@dataclass(frozen=True, slots=True, kw_only=True)
class PricingBasis:
    """Everything that turns an expected loss into a premium.

    Parameters
    ----------
    risk_load : StandardDeviationLoad
        Price of the uncertainty of the loss.
    expense_ratio : float
        Expenses in proportion to the gross premium.
    fixed_expense : float
        Expense per cover, in its currency.

    Raises
    ------
    InvalidBasisError
        If an expense is out of range.
    """

    risk_load: StandardDeviationLoad = StandardDeviationLoad()
    expense_ratio: float = 0.1
    fixed_expense: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.risk_load, StandardDeviationLoad):
            raise InvalidBasisError(f"risk_load must be a StandardDeviationLoad, got {self.risk_load!r}")
        if not 0.0 <= self.expense_ratio < 1.0:
            slip = " (a fraction: 10 % is 0.10)" if self.expense_ratio >= 1.0 else ""
            raise InvalidBasisError(f"expense_ratio must be from 0 to below 1, got {self.expense_ratio}{slip}")
        if not 0.0 <= self.fixed_expense < math.inf:
            raise InvalidBasisError(f"fixed_expense must be finite and not negative, got {self.fixed_expense}")


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
        Pure premium.
    expected_loss_standard_error : float
        Its standard error.
    risk_load : float
        Price of the uncertainty of the loss.
    expenses : float
        Fixed and proportional expenses.
    gross : float
        Sum of the expected loss, the risk load and the expenses.
    standard_error : float
        Monte Carlo standard error of the gross premium; it says nothing about the model.
    rate_on_line : float
        Gross premium over the limit.
    flag : PremiumFlag
        What makes the number suspect.
    """

    trigger_probability: float
    trigger_probability_standard_error: float
    expected_loss: float
    expected_loss_standard_error: float
    risk_load: float
    expenses: float
    gross: float
    standard_error: float
    rate_on_line: float
    flag: PremiumFlag


def premium(cover: Cover, surface: DropSurface, basis: PricingBasis | None = None) -> Premium:
    """Price a cover.

    Parameters
    ----------
    cover : Cover
        The contract.
    surface : DropSurface
        Worst drops of the covered asset, with the signal of the cover.
    basis : PricingBasis, optional
        Loadings; the defaults of ``PricingBasis`` where it is absent.

    Raises
    ------
    NotSimulatedError
        If the surface does not hold the cover's signal.
    UninsurableError
        If the gross premium reaches the limit.

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
    return premium_from_sample(cover, sample_for(cover, surface), basis or PricingBasis())


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


def premium_from_sample(cover: Cover, sample: WeightedSample, basis: PricingBasis) -> Premium:
    """Price a cover from the sorted worst drops of its signal."""
    shares = cover.payout.share(sample.tail(cover.trigger.drop))
    fired = sample.exceedance(cover.trigger.drop)
    expected = sample.mean(shares)
    second_moment = sample.mean(shares * shares).value
    expected_loss = cover.limit * expected.value
    risk_load = cover.limit * basis.risk_load.of(expected.value, second_moment)
    net = expected_loss + risk_load
    expenses = (net * basis.expense_ratio + basis.fixed_expense) / (1.0 - basis.expense_ratio)
    gross = expected_loss + risk_load + expenses
    if gross >= cover.limit:
        raise UninsurableError(
            f"cover {cover.cover_id!r}: gross premium {gross:,.2f} reaches the limit {cover.limit:,.2f} "
            f"(the trigger fires with probability {fired.value:.3f}: choose a deeper drop or a shorter term)"
        )
    slope, curvature = basis.risk_load.slopes(expected.value, second_moment)
    influence = sample.mean((1.0 + slope) * shares + curvature * shares * shares)
    return Premium(
        trigger_probability=fired.value,
        trigger_probability_standard_error=fired.standard_error,
        expected_loss=expected_loss,
        expected_loss_standard_error=cover.limit * expected.standard_error,
        risk_load=risk_load,
        expenses=expenses,
        gross=gross,
        standard_error=cover.limit * influence.standard_error / (1.0 - basis.expense_ratio),
        rate_on_line=gross / cover.limit,
        flag=_flag(expected),
    )


def _flag(expected: Estimate[float]) -> PremiumFlag:
    if expected.value == 0.0:
        return PremiumFlag.UNRESOLVED
    return PremiumFlag.IMPRECISE if expected.standard_error > _IMPRECISE * expected.value else PremiumFlag.OK
