"""A premium, line by line."""

from dataclasses import dataclass
from enum import Enum

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
