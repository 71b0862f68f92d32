"""Printed lines of a premium: amounts to the cent that add up exactly."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal
from typing import Protocol

from pricing.errors import UninsurableError

CENT = Decimal("0.01")


class Amounts(Protocol):
    """Amounts of a premium, such as those of ``Premium``."""

    @property
    def lines(self) -> Mapping[str, float]:
        """Lines by name; they add up to the gross premium."""

    @property
    def gross(self) -> float:
        """Gross premium."""

    @property
    def tax(self) -> float:
        """Tax on the gross premium."""

    @property
    def total(self) -> float:
        """Gross premium and tax."""

    @property
    def trigger_probability(self) -> float:
        """Probability that the trigger fires within the term."""


#: A smaller amount rounds to zero.
LEAST_COIN = 0.005
#: Largest amount that rounding adds to a premium and its tax.
ROUNDED_UP = 0.01

#: Enough digits to represent every double exactly.
_EXACT = Context(prec=1200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A premium in whole units of money.

    Parameters
    ----------
    lines : mapping of str to Decimal
        Lines from the expected loss to the minimum lift, in this order; they add up to the gross premium.
    gross : Decimal
        Gross premium.
    tax : Decimal
        Tax on the gross premium.
    """

    lines: Mapping[str, Decimal]
    gross: Decimal
    tax: Decimal

    @property
    def total(self) -> Decimal:
        """Amount that the buyer pays."""
        return self.gross + self.tax


def rounded(amount: float, unit: Decimal = CENT) -> Decimal:
    """Round an amount to whole units, halves up.

    Examples
    --------
    >>> rounded(0.125)
    Decimal('0.13')
    """
    return Decimal(float(amount)).quantize(unit, rounding=ROUND_HALF_UP, context=_EXACT)


def require_coins(priced: Amounts, *, limit: float, name: str, factor: float = 1.0) -> None:
    """Check that a rounded premium is above zero and, with tax, below the limit.

    Parameters
    ----------
    priced : Premium
        The premium.
    limit : float
        Largest payment.
    name : str
        Name of the cover, for errors.
    factor : float
        Factor on the premium.

    Raises
    ------
    UninsurableError
        If it is not. A limit split into pieces whose premiums round to zero would be covered for free.
    """
    gross, total = priced.gross * factor, priced.total * factor
    if gross < LEAST_COIN:
        raise UninsurableError(
            f"cover {name!r}: a premium of {gross:.2g} rounds to zero (raise the limit, or set a minimum premium)",
            trigger_probability=priced.trigger_probability,
        )
    if not total < limit - ROUNDED_UP:
        raise UninsurableError(
            f"cover {name!r}: the premium {total:,.2f} reaches the limit {limit:,.2f}",
            trigger_probability=priced.trigger_probability,
        )


def statement(priced: Amounts, *, unit: Decimal = CENT) -> Statement:
    """Return the statement of a premium in whole units of money.

    The gross premium and the tax are rounded, halves up. The lines are rounded down, and the remaining units of
    the gross premium go to the lines with the largest remainders, one each, earlier lines first if remainders are equal
    (Hamilton's method). No line is off by a unit or more, and a line of zero stays zero.

    Parameters
    ----------
    priced : Premium
        The premium.
    unit : Decimal
        Unit of money: a cent, or one.

    Examples
    --------
    >>> from pricing.premiums.build_up import premium_of_law
    >>> from pricing.principles import LossDistribution
    >>> law = LossDistribution.discrete([100.0, 0.0], [0.02, 0.98])
    >>> written = statement(premium_of_law(law, name="C-1", limit=100.0, term="30d"))
    >>> [str(amount) for amount in written.lines.values() if amount], str(written.gross)
    (['2.00', '1.63', '0.40'], '4.03')
    """
    exact = {line: Decimal(amount) for line, amount in priced.lines.items()}
    lines = {line: amount.quantize(unit, rounding=ROUND_FLOOR, context=_EXACT) for line, amount in exact.items()}
    gross = rounded(priced.gross, unit)
    n_missing = int((gross - sum(lines.values())) / unit)
    by_rest = sorted(exact, key=lambda line: lines[line] - exact[line])
    for line in by_rest[:n_missing]:
        lines[line] += unit
    return Statement(lines=lines, gross=gross, tax=rounded(priced.tax, unit))
