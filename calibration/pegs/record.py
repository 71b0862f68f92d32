"""Losses of pegs on record by class, and the bounds that are quoted from them.

The record is short, and the price of a token before it lost its peg does not show its class. So the class is stated by
the user, and the rate that is quoted is the upper bound of the rate on record: a declared judgement, no estimate.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, get_args

import numpy as np
from scipy.special import gammaincinv

from pricing.errors import InvalidTermsError
from pricing.tools.units import YEAR

#: Classes of pegs: backed by a reserve of money, of its equivalents or of collateral; or kept by an algorithm, a
#: position or other tokens.
Peg = Literal["reserve", "synthetic"]
#: Confidence of the upper bound of a rate.
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class PegRecord:
    """Losses of the pegs of one class.

    Parameters
    ----------
    peg : {"reserve", "synthetic"}
        The class.
    token_years : float
        Years of all tokens of the class together while they were among the 200 largest tokens, 2020 to October 2025.
    drops : tuple of float
        Falls below the peg that were counted, in increasing order.
    losses : tuple of int
        Number of times that a token fell as far below its peg as each of `drops`.
    """

    peg: Peg
    token_years: float
    drops: tuple[float, ...]
    losses: tuple[int, ...]

    @property
    def least_drop(self) -> float:
        """Smallest fall that was counted; the record says nothing about smaller ones."""
        return self.drops[0]

    def rates(self) -> tuple[float, ...]:
        """Return the upper bound of the rate per year of each of `drops`, exact for Poisson counts (Garwood 1936)."""
        return tuple(float(gammaincinv(count + 1.0, CONFIDENCE)) / self.token_years for count in self.losses)

    def probability(self, drop: float, term: timedelta) -> float:
        """Return the quoted probability of a fall below the peg within a term.

        The record knows a few falls only. A fall between two of them is as likely as the smaller one, so that the
        probability is never below the bound.

        Raises
        ------
        InvalidTermsError
            If the drop is smaller than any on record.
        """
        self.require_on_record(drop)
        rate = self.rates()[int(np.searchsorted(self.drops, drop, side="right")) - 1]
        return float(-np.expm1(-rate * (term / YEAR)))

    def require_on_record(self, drop: float) -> None:
        """Check that the record covers a drop.

        Raises
        ------
        InvalidTermsError
            If it is smaller than any on record.
        """
        if drop < self.least_drop:
            raise InvalidTermsError(
                f"drop must be at least {self.least_drop:g} on a pegged token, got {drop:g} (smaller losses of pegs "
                "are not on record)"
            )


#: The record by class, from monthly lists of the 200 largest tokens. Of those with a reserve, USDC and DAI (March 2023)
#: and FDUSD (April 2025) fell 10 % or more; of the others, USDN (April 2022), UST (May 2022) and, on one venue, USDe
#: (October 2025) fell 30 % or more. HUSD, IRON and sUSD were not on the lists when they lost their pegs.
RECORDS = {
    record.peg: record
    for record in (
        PegRecord(peg="reserve", token_years=499 / 12, drops=(0.1, 0.3), losses=(3, 0)),
        PegRecord(peg="synthetic", token_years=110 / 12, drops=(0.1, 0.3), losses=(3, 3)),
    )
}


def record_of(peg: str) -> PegRecord:
    """Return the record of a class.

    Raises
    ------
    InvalidTermsError
        If there is no such class.
    """
    if peg not in RECORDS:
        raise InvalidTermsError(f"peg must be one of {', '.join(get_args(Peg))}, got {peg!r}")
    return RECORDS[peg]
