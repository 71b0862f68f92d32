"""The build-up of a premium as formulas of a spreadsheet, written with the names of cells.

Cells of the basis are shared by all covers. Those of a cover end with its number: ``limit_1`` is the limit of cover 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pricing.premiums.basis import PricingBasis
from pricing.principles import HazardTransform, PremiumPrinciple, StandardDeviationPrinciple
from pricing.principles.horizons import MONTH, TAIL
from pricing.tools.units import YEAR


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A cell that a reader may change.

    Parameters
    ----------
    value : float
        The number.
    unit : str
        Unit of the number.
    label : str
        What it is.
    kind : {"money", "share", "number"}
        Format of the number.
    """

    value: float
    unit: str
    label: str
    kind: str = "share"


def basis_inputs(basis: PricingBasis) -> dict[str, Input]:
    """Return the cells of a basis by name."""
    gross, each = "of the gross premium", "per cover"
    inputs = {
        "parameter_load": Input(value=basis.parameter_load, unit="of the expected payments", label="Parameter load"),
        "capital_rate": Input(
            value=basis.capital.annual_rate if basis.capital else 0.0, unit="per year", label="Return on capital"
        ),
        "expense_ratio": Input(value=basis.expense_ratio, unit=gross, label="Expenses"),
        "fixed_expense": Input(value=basis.fixed_expense, unit=each, label="Fixed expense", kind="money"),
        "commission_ratio": Input(value=basis.commission_ratio, unit=gross, label="Commission"),
        "profit_ratio": Input(value=basis.profit_ratio, unit=gross, label="Profit"),
        "tax_ratio": Input(value=basis.tax_ratio, unit="of the gross premium, added to it", label="Tax"),
        "minimum_premium": Input(value=basis.minimum_premium, unit=each, label="Minimum premium", kind="money"),
        "minimum_rate_on_line": Input(
            value=basis.minimum_rate_on_line, unit="of the limit per year", label="Minimum rate on line"
        ),
    }
    inputs = _risk_load_inputs(basis.risk_load) | inputs
    for loading in basis.loadings:
        name, title = loading.name, loading.name.replace("_", " ").capitalize()
        inputs[f"{name}_of_loss"] = Input(value=loading.of_loss, unit="of the expected payments", label=title)
        inputs[f"{name}_of_limit"] = Input(value=loading.of_limit, unit="of the limit per year", label=title)
        inputs[f"{name}_fixed"] = Input(value=loading.fixed, unit=each, label=title, kind="money")
        inputs[f"{name}_of_gross"] = Input(value=loading.of_gross, unit=gross, label=title)
    return inputs


def _risk_load_inputs(load: PremiumPrinciple) -> dict[str, Input]:
    """Return the parameters of a risk load that formulas follow."""
    if isinstance(load, StandardDeviationPrinciple):
        unit = "per standard deviation"
        return {"risk_load_multiple": Input(value=load.multiple, unit=unit, label="Risk load", kind="number")}
    if isinstance(load, HazardTransform):
        share = "of the limit"
        return {
            "hazard_margin": Input(value=load.margin, unit="of the crash rate", label="Margin", kind="number"),
            "hazard_capital_rate": Input(
                value=load.capital_rate, unit="per year", label="Return on the pool's capital"
            ),
            "hazard_least_capital": Input(value=load.least_capital, unit=share, label="Least capital of the pool"),
        }
    return {}


def hazard_formula(chance: str, years: str) -> str:
    """Return the loaded chance of a payment by ``HazardTransform``, given the cells of the chance and the term."""
    within_a_month = f"(1-(1-{chance})^({MONTH / YEAR!r}/{years}))"
    capital = f"(hazard_least_capital+(1-hazard_least_capital)*{within_a_month}/({within_a_month}+{TAIL!r}))"
    return f"=1-(1-{chance})^(1+hazard_margin)*EXP(-hazard_capital_rate*{capital}*{years})"


def ratio_of_gross(basis: PricingBasis) -> str:
    """Return the share of the gross premium that does not pay for the loss."""
    further = [f"{loading.name}_of_gross" for loading in basis.loadings]
    return "=" + "+".join(["expense_ratio", "commission_ratio", "profit_ratio", *further])


def line_formulas(basis: PricingBasis, number: int) -> dict[str, str]:
    """Return the formula of every line of the premium of a cover, in their order."""
    n = number
    by_deviation = isinstance(basis.risk_load, StandardDeviationPrinciple)
    formulas = {
        "expected_loss": f"=limit_{n}*(mean_{n}-uncertain_{n})",
        "parameter_load": f"=limit_{n}*(uncertain_{n}+parameter_load*mean_{n})",
        "risk_load": f"=limit_{n}*{f'risk_load_multiple*deviation_{n}' if by_deviation else f'risk_{n}'}",
        "capital_cost": f"=limit_{n}*capital_rate*years_{n}*capital_{n}",
        "expenses": f"=expense_ratio*charged_{n}+fixed_expense",
        "commission": f"=commission_ratio*charged_{n}",
        "profit": f"=profit_ratio*charged_{n}",
        "minimum_lift": f"=(charged_{n}-technical_{n})*(1-ratio_of_gross)",
    }
    further = {each.name: f"={_before_gross(each.name, n)}+{each.name}_of_gross*charged_{n}" for each in basis.loadings}
    return {name: (formulas | further)[name] for name in basis.lines}


def step_formulas(basis: PricingBasis, number: int, cells: Mapping[str, str]) -> dict[str, str]:
    """Return the steps from the lines before expenses to the premium that is charged.

    Parameters
    ----------
    basis : PricingBasis
        Loadings.
    number : int
        Number of the cover.
    cells : mapping of str to str
        Cells of the lines by name.
    """
    n = number
    losses = [cells[name] for name in ("expected_loss", "parameter_load", "risk_load", "capital_cost")]
    before = "+".join([*losses, *(_before_gross(each.name, n) for each in basis.loadings), "fixed_expense"])
    return {
        "technical": f"=({before})/(1-ratio_of_gross)",
        "least": f"=MAX(minimum_premium,minimum_rate_on_line*years_{n}*limit_{n})",
        "charged": f"=MAX(technical_{n},least_{n})",
    }


def _before_gross(name: str, n: int) -> str:
    return f"limit_{n}*({name}_of_loss*mean_{n}+{name}_of_limit*years_{n})+{name}_fixed"
