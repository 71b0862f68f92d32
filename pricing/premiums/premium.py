"""A premium, line by line."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar


@dataclass(frozen=True, slots=True)
class Line:
    """Heading of a line of a premium in a table, and its meaning."""

    heading: str
    meaning: str


#: Lines of every premium in their order; with those of further loadings they add up to the gross premium.
LINES: dict[str, Line] = {
    "expected_loss": Line("exp. loss", "payments on average, discounted"),
    "parameter_load": Line("param.", "for parameter uncertainty"),
    "risk_load": Line("risk", "for the uncertainty of the loss"),
    "capital_cost": Line("capital", "return on the capital that the cover requires"),
    "expenses": Line("expenses", "fixed and proportional"),
    "commission": Line("commission", "proportional to the gross premium"),
    "profit": Line("profit", "proportional to the gross premium"),
    "minimum_lift": Line("to minimum", "up to the agreed minimum"),
}
#: Relative standard error from which an estimate is imprecise.
IMPRECISE = 0.1
#: Share of the expected loss by which rounding may lower the price below it.
ROUNDING = 1e-9


class PremiumFlag(Enum):
    """Numerical reliability of a premium, regardless of the model."""

    OK = "ok"
    """No problem."""
    IMPRECISE = "imprecise"
    """The standard error of the expected loss, with or without risk load, exceeds a tenth of it: use more paths."""
    UNRESOLVED = "unresolved"
    """No path triggers a payment: the premium is an upper bound and not an estimate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Premium:
    """A premium for the whole term, in the currency of the cover, line by line.

    Parameters
    ----------
    trigger_probability : float
        Probability that the trigger fires within the term.
    trigger_probability_standard_error : float
        Standard error of the trigger probability.
    expected_loss : float
        Pure premium: expected payments, discounted.
    expected_loss_standard_error : float
        Standard error of the expected loss.
    parameter_load : float
        Load for parameter uncertainty.
    risk_load : float
        Load for the uncertainty of the loss.
    capital_cost : float
        Return on the capital.
    expenses : float
        Fixed and proportional expenses.
    commission, profit : float
        Commission and profit as shares of the gross premium.
    minimum_lift : float
        Addition to the lines above to reach the minimum.
    gross : float
        Sum of the lines from the expected loss to the minimum lift.
    tax : float
        Tax on the gross premium.
    total : float
        Gross premium and tax: what the buyer pays.
    capital : float
        Capital on which the cost is charged; it is not part of the sum.
    standard_error : float
        Monte Carlo standard error of the gross premium, before a minimum lifts it; it does not include errors of the
        model.
    rate_on_line : float
        Gross premium over the limit.
    flag : PremiumFlag
        Numerical reliability of the premium.
    further : tuple of (str, float)
        Lines of the loadings that a basis adds, by name.
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
    further: tuple[tuple[str, float], ...] = field(default=(), metadata={"plain": "if set"})

    @property
    def lines(self) -> dict[str, float]:
        """All lines by name, in their order; they add up to the gross premium."""
        return with_further({name: getattr(self, name) for name in LINES}, dict(self.further))


Entry = TypeVar("Entry")


def with_further(lines: Mapping[str, Entry], further: Mapping[str, Entry]) -> dict[str, Entry]:
    """Insert further lines before the lift of a minimum, which is the last line."""
    last = next(reversed(LINES))
    return {**{name: entry for name, entry in lines.items() if name != last}, **further, last: lines[last]}
