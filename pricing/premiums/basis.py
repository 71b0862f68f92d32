"""Everything that turns an expected loss into a premium."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from typing import Any

from pricing.errors import InvalidBasisError
from pricing.premiums.loadings import CapitalCost, Loading
from pricing.premiums.premium import LINES, Line, Premium, with_further
from pricing.principles import HazardTransform, PremiumPrinciple
from pricing.principles.principle import require_not_negative
from pricing.tools.fields import set_members, set_numbers
from pricing.tools.units import shown

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
_DEFAULT_RISK_LOAD = HazardTransform()


@dataclass(frozen=True, slots=True, kw_only=True)
class PricingBasis:
    """Everything that turns an expected loss into a premium.

    Parameters
    ----------
    risk_load : PremiumPrinciple
        Principle that prices the uncertainty of the loss.
    parameter_load : float
        Load for parameter uncertainty that is not in the surface, as a share of the expected loss.
    capital : CapitalCost, optional
        Return on the capital behind the cover; by default none is charged.
    interest_rate : float
        Continuous riskless rate per year at which payments are discounted.
    expense_ratio, commission_ratio, profit_ratio : float
        Shares of the gross premium; together below 1.
    fixed_expense : float
        Expense per cover, in its currency.
    tax_ratio : float
        Tax as a share of the gross premium, added to it.
    minimum_premium : float
        Minimum gross premium per cover, in its currency.
    minimum_rate_on_line : float
        Minimum gross premium as a share of the limit, per year of the term.
    loadings : sequence of Loading
        Further lines.

    Attributes
    ----------
    ratio_of_loss : float
        Share of the expected loss that is added to it.
    ratio_of_gross : float
        Share of the gross premium that goes to expenses, commission, profit and further loadings.

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
    loadings: Sequence[Loading] = field(default=(), metadata={"plain": "if set"})
    ratio_of_loss: float = field(init=False, repr=False, compare=False, metadata={"plain": False})
    ratio_of_gross: float = field(init=False, repr=False, compare=False, metadata={"plain": False})

    def __post_init__(self) -> None:
        if not isinstance(self.risk_load, PremiumPrinciple):
            raise InvalidBasisError(f"risk_load must be a PremiumPrinciple, got {shown(self.risk_load)}")
        if not (self.capital is None or isinstance(self.capital, CapitalCost)):
            raise InvalidBasisError(f"capital must be a CapitalCost, got {shown(self.capital)}")
        set_numbers(self, *PLAIN_LOADINGS, error=InvalidBasisError)
        for name in ("parameter_load", "interest_rate", "fixed_expense", "minimum_premium"):
            require_not_negative(getattr(self, name), name)
        for name in ("expense_ratio", "commission_ratio", "profit_ratio", "tax_ratio", "minimum_rate_on_line"):
            _require_ratio(getattr(self, name), name)
        set_members(self, "loadings", Loading, error=InvalidBasisError)
        self._check_loadings()
        ratio_of_loss = self.parameter_load
        ratio_of_gross = self.expense_ratio + self.commission_ratio + self.profit_ratio
        for each in self.loadings:
            ratio_of_loss += each.of_loss
            ratio_of_gross += each.of_gross
        object.__setattr__(self, "ratio_of_loss", ratio_of_loss)
        object.__setattr__(self, "ratio_of_gross", ratio_of_gross)
        if not self.ratio_of_gross < 1.0:
            further = "".join(f" + {each.of_gross}" for each in self.loadings)
            raise InvalidBasisError(
                "expense_ratio, commission_ratio and profit_ratio must be below 1 together, got "
                f"{self.expense_ratio} + {self.commission_ratio} + {self.profit_ratio}{further}"
            )

    def _check_loadings(self) -> None:
        taken = {each.name for each in fields(Premium)}
        for each in self.loadings:
            if each.name in taken:
                raise InvalidBasisError(f"name of a loading must be new, got {each.name!r}")
            taken.add(each.name)

    def over(self, term: timedelta) -> "PricingBasis":
        """Return the basis for covers of a term: this one, unless its risk load or its capital depends on the term."""
        risk_load, capital = self.risk_load.over(term), self.capital and self.capital.over(term)
        if risk_load is self.risk_load and capital is self.capital:
            return self
        return replace(self, risk_load=risk_load, capital=capital)

    def least_gross(self, limit: Any, years: Any, *, larger: Callable[[Any, Any], Any] = max) -> Any:
        """Return the minimum gross premium for a limit over a term in years, or for many with ``numpy.maximum``."""
        return larger(self.minimum_premium, self.minimum_rate_on_line * years * limit)

    @property
    def lines(self) -> dict[str, Line]:
        """All lines of a premium by name, in their order, with heading and meaning."""
        return with_further(LINES, {each.name: Line(each.heading, each.meaning) for each in self.loadings})


def _require_ratio(value: float, field: str) -> None:
    if not 0.0 <= value < 1.0:
        slip = " (a fraction: 10 % is 0.10)" if value >= 1.0 else ""
        raise InvalidBasisError(f"{field} must be from 0 to below 1, got {value}{slip}")
