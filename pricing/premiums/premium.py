"""A premium, line by line."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from pricing.premiums.statements import Amounts, Statement, statement
from pricing.show import drawing
from pricing.show.formats import cents, money_with_error, percent, percent_with_error, words
from pricing.show.frames import make_frame
from pricing.show.html_tables import Table, write_html
from pricing.show.waterfalls import build_up_height, draw_build_up

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


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

    def to_frame(self) -> "pd.DataFrame":
        """Return the build-up as a data frame: a row per line, then the sums, in the currency of the cover.

        Returns
        -------
        DataFrame
            Index ``line``; columns ``meaning``, ``amount`` and ``standard_error`` (NaN if it is not estimated).
        """
        return build_up_frame(self, self, headed_lines(self))

    def plot(self, axes: "Axes | None" = None, *, currency: str = "currency of the cover") -> "Axes":
        """Draw the build-up line by line, to the cent, with the error of the gross premium.

        Parameters
        ----------
        axes : Axes, optional
            Axes of matplotlib to draw on; by default those of a new picture.
        currency : str
            Name of the currency on the axis.
        """
        written = statement(self)
        axes = drawing.new_axes(axes, build_up_height(written.lines, written.tax))
        draw_build_up(axes, written.lines, tax=written.tax, currency=currency, standard_error=self.standard_error)
        return axes

    def _repr_html_(self) -> str:
        lines = build_up_table(self, headed_lines(self), "Amount")
        notes = ["Amounts are in the currency of the cover.", *reliability_notes(self.flag)]
        return write_html("Premium", lines, figures_table(self), notes=notes)


Entry = TypeVar("Entry")


def with_further(lines: Mapping[str, Entry], further: Mapping[str, Entry]) -> dict[str, Entry]:
    """Insert further lines before the lift of a minimum, which is the last line."""
    *_, last = LINES
    return {**{name: entry for name, entry in lines.items() if name != last}, **further, last: lines[last]}


#: Sums below the lines of a build-up.
_SUMS = {"gross": "Gross premium", "tax": "Tax", "total": "To pay"}


def headed_lines(priced: Premium) -> dict[str, Line]:
    """Return heading and meaning of the lines, as far as a premium knows them without its basis."""
    return with_further(LINES, {name: Line(words(name), "") for name, _ in priced.further})


def build_up_frame(amounts: Amounts | Statement, priced: Premium, lines: Mapping[str, Line]) -> "pd.DataFrame":
    """Return a build-up as a data frame.

    Parameters
    ----------
    amounts : Premium or Statement
        Amounts to show: exact, or to the cent.
    priced : Premium
        Premium with its standard errors.
    lines : mapping of str to Line
        Lines in their order.
    """
    names = [*lines, *_SUMS]
    shown = {**amounts.lines, **{name: getattr(amounts, name) for name in _SUMS}}
    errors = {"expected_loss": priced.expected_loss_standard_error, "gross": priced.standard_error}
    columns = {
        "line": names,
        "meaning": [line.meaning for line in lines.values()] + list(_SUMS.values()),
        "amount": [float(shown[name]) for name in names],
        "standard_error": [errors.get(name, float("nan")) for name in names],
    }
    return make_frame(columns, index="line")


def build_up_table(priced: Premium, lines: Mapping[str, Line], currency: str) -> Table:
    """Return a build-up to the cent as a table; lines of zero are left out."""
    written = statement(priced)
    rows = [
        (words(name), lines[name].meaning, cents(str(amount)), _share(amount, written))
        for name, amount in written.lines.items()
        if amount
    ]
    rows.append((_SUMS["gross"], "", cents(str(written.gross)), _share(written.gross, written)))
    if written.tax:
        rows.append((_SUMS["tax"], "", cents(str(written.tax)), _share(written.tax, written)))
        rows.append((_SUMS["total"], "", cents(str(written.total)), _share(written.total, written)))
    headings = ("Line", "Meaning", currency, "% of premium")
    return Table(rows=rows, headings=headings, n_texts=2, sums=(_SUMS["gross"], _SUMS["total"]))


def _share(amount: Decimal, written: Statement) -> str:
    return f"{100 * amount / written.gross:.1f}" if written.gross else ""


def figures_table(priced: Premium) -> Table:
    """Return the figures of a premium with their standard errors as a table."""
    fired = _estimate(priced.trigger_probability, priced.trigger_probability_standard_error)
    rows = [
        ("Trigger probability", percent_with_error(fired)),
        ("Expected loss", money_with_error(_estimate(priced.expected_loss, priced.expected_loss_standard_error))),
        ("Gross premium", money_with_error(_estimate(priced.gross, priced.standard_error))),
        ("Rate on line", percent(priced.rate_on_line)),
    ]
    if priced.capital:
        rows.append(("Capital", cents(f"{priced.capital:.2f}")))
    return Table(rows=rows, headings=("Figure", "Value ± standard error"))


def _estimate(value: float, error: float) -> dict[str, float]:
    return {"value": value, "standard_error": error}


def reliability_notes(flag: PremiumFlag) -> list[str]:
    """Say what a standard error includes, and what makes a premium suspect."""
    notes = ["Standard errors are of the simulation and do not include errors of the model."]
    return notes if flag is PremiumFlag.OK else [*notes, _RELIABILITY[flag]]


_RELIABILITY = {
    PremiumFlag.IMPRECISE: "Imprecise: the standard error of the expected loss, with or without risk load, exceeds a "
    "tenth of it (use more paths).",
    PremiumFlag.UNRESOLVED: "Unresolved: no path triggers a payment, so the premium is a bound and not an estimate.",
}
