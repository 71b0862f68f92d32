"""Loadings that need more than a ratio: the cost of capital, the load for parameter uncertainty, and further ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np

from pricing.errors import InvalidBasisError
from pricing.principles import PremiumPrinciple, ProportionalHazardTransform, TailValueAtRisk
from pricing.principles.principle import parse_term, require_not_negative
from pricing.surface.estimates import Estimate, WeightedSample
from pricing.tools.arrays import FloatArray
from pricing.tools.fields import require_kind, set_numbers, set_series
from pricing.tools.units import YEAR, DurationField, default_duration, require_fraction, shown

_DEFAULT_MEASURE = TailValueAtRisk(level=0.995)
_EXPECTED_LOSS = ProportionalHazardTransform(exponent=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CapitalCost:
    """The return that the capital behind a cover must earn during the term.

    Capital that is measured is that of the losses within a horizon, whatever the term of the cover, if crashes come at
    a constant rate. Otherwise short covers would need less capital per day than long ones, and 52 weekly covers could
    cost less than a yearly one.

    Parameters
    ----------
    annual_rate : float
        Return on capital per year above the riskless rate, not negative.
    capital : float, ValueAtRisk, TailValueAtRisk or any distortion
        Capital per unit of limit, between 0 and 1, such as the cover's share of a pool's capital; or a measure of the
        cover's own loss: the premium pays for the expected loss, and the rest is capital.
    horizon : timedelta or str
        Time within which the losses happen that the capital is measured on.
    term : timedelta or str
        Term of the cover.

    Attributes
    ----------
    measures : tuple of 2 PremiumPrinciple, or None
        Measure of the capital and expected loss, both within the horizon and applied to the law within the term: the
        capital is their difference. None if the capital is a number.

    Raises
    ------
    InvalidBasisError
        If a number is out of range, or the measure is no function of exceedance probabilities.
    """

    annual_rate: float = 0.1
    capital: float | PremiumPrinciple = _DEFAULT_MEASURE
    horizon: DurationField = default_duration("30d")
    term: DurationField = default_duration("30d")
    measures: tuple[PremiumPrinciple, PremiumPrinciple] | None = field(
        init=False, repr=False, compare=False, metadata={"plain": False}
    )

    def __post_init__(self) -> None:
        set_numbers(self, "annual_rate", error=InvalidBasisError)
        require_not_negative(self.annual_rate, "annual_rate")
        for name in ("horizon", "term"):
            object.__setattr__(self, name, parse_term(getattr(self, name), name))
        if not isinstance(self.capital, PremiumPrinciple):
            set_numbers(self, "capital", error=InvalidBasisError)
            if not 0.0 <= self.capital <= 1.0:
                raise InvalidBasisError(f"capital must be between 0 and 1 per unit of limit, got {self.capital}")
        object.__setattr__(self, "measures", self._measures())

    def _measures(self) -> tuple[PremiumPrinciple, PremiumPrinciple] | None:
        if not isinstance(self.capital, PremiumPrinciple):
            return None
        required, expected = (each.measuring(self.horizon, term=self.term) for each in (self.capital, _EXPECTED_LOSS))
        return required, expected

    def over(self, term: timedelta) -> "CapitalCost":
        """Return the cost for covers of a term."""
        return self if term == self.term else replace(self, term=term)

    def allotted(
        self, price: Callable[[PremiumPrinciple], Estimate[Any]], *, larger: Callable[[Any, Any], Any] = max
    ) -> Estimate[Any]:
        """Return the capital per unit of limit, of one cover or of a column of them.

        The standard errors of the measure and of the expected loss are added, which is conservative.

        Parameters
        ----------
        price : callable
            Prices the loss per unit of limit by a principle.
        larger : callable
            Function for the larger of two numbers: ``max``, or ``numpy.maximum`` for arrays.
        """
        if self.measures is None:
            return Estimate(self.capital, 0.0)
        required, expected = map(price, self.measures)
        # A value at risk may be below the expected loss; then the premium covers it and no capital is needed.
        return Estimate(larger(required.value - expected.value, 0.0), required.standard_error + expected.standard_error)

    def rises(self, fired: Any, years: Any) -> Any:
        """Return whether no part of a loss costs more than it would if it were sure, of one cover or of a column.

        A part that is due with probability ``p`` costs at most ``p + annual_rate years (1 - p) ** (horizon / term)``.
        Near certainty that exceeds 1 if the term is longer than the horizon of measured capital.

        Parameters
        ----------
        fired : float or ndarray
            Probability of any loss, at most 1.
        years : float or ndarray
            Length of the term in years.
        """
        if self.measures is None:
            return True
        spared = 1.0 - fired
        return spared >= self.annual_rate * years * spared ** (self.horizon / YEAR / years)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading:
    """A further line of a premium: its name and its charges.

    Parameters
    ----------
    name : str
        Name of the line, such as ``"oracle_fee"``.
    heading : str
        Heading of its column in a table.
    meaning : str
        Meaning of the line in a few words.
    of_loss : float
        Share of the expected loss.
    of_limit : float
        Share of the limit per year of the term.
    fixed : float
        Amount per cover, in its currency.
    of_gross : float
        Share of the gross premium.

    Raises
    ------
    InvalidBasisError
        If a number is out of range, or the name is invalid.

    Examples
    --------
    >>> from pricing import PricingBasis
    >>> fee = Loading(name="oracle_fee", heading="oracle", meaning="for the price feed", of_limit=0.001)
    >>> list(PricingBasis(loadings=(fee,)).lines)[-2:]
    ['oracle_fee', 'minimum_lift']
    """

    name: str
    heading: str
    meaning: str
    of_loss: float = 0.0
    of_limit: float = 0.0
    fixed: float = 0.0
    of_gross: float = 0.0

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and self.name.isidentifier()):
            raise InvalidBasisError(f"name of a loading must be one word such as oracle_fee, got {shown(self.name)}")
        for name in ("heading", "meaning"):
            require_kind(getattr(self, name), name, str, InvalidBasisError)
        set_numbers(self, "of_loss", "of_limit", "fixed", "of_gross", error=InvalidBasisError)
        for name in ("of_loss", "of_limit", "fixed", "of_gross"):
            require_not_negative(getattr(self, name), name)


def survivorship(of_loss: float) -> Loading:
    """Return the loading for what a rate lacks that was learned from tokens that lived.

    Parameters
    ----------
    of_loss : float
        Share of the expected loss; ``docs/evidence.md`` has estimates with intervals, such as 0.13 for a fall of 30 %.
    """
    return Loading(
        name="survivorship", heading="surviv.", meaning="for tokens that are gone from the record", of_loss=of_loss
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterUncertainty:
    """Share of the exceedance probabilities of a surface that is due to parameter uncertainty.

    A surface that is anchored to probabilities including all uncertainty already contains the load for
    parameter uncertainty. This class separates it from the expected loss and does not change the premium.

    Parameters
    ----------
    drops : sequence of float
        Fractions in increasing order; shares are interpolated in between and constant outside.
    shares : sequence of float
        Share of each exceedance probability that would vanish if the parameters were known, at least 0
        and below 1.

    Raises
    ------
    InvalidBasisError
        If the drops do not increase or a share is out of range.

    Examples
    --------
    >>> ParameterUncertainty.between(drops=(0.2, 0.4), probabilities=(0.3, 0.06), certain=(0.29, 0.045)).shares[1]
    0.25
    """

    drops: Sequence[float]
    shares: Sequence[float]

    def __post_init__(self) -> None:
        set_series(self, "drops", "shares", error=InvalidBasisError)
        if not self.drops or len(self.drops) != len(self.shares):
            raise InvalidBasisError(
                f"drops and shares must have one length of at least 1, got {len(self.drops)} and {len(self.shares)}"
            )
        for drop in self.drops:
            require_fraction(drop, "drops")
        if any(after <= before for before, after in pairwise(self.drops)):
            raise InvalidBasisError(f"drops must increase, got {self.drops}")
        if not all(0.0 <= share < 1.0 for share in self.shares):
            raise InvalidBasisError(f"shares must be at least 0 and below 1, got {self.shares}")

    @classmethod
    def between(
        cls, *, drops: Sequence[float], probabilities: Sequence[float], certain: Sequence[float]
    ) -> "ParameterUncertainty":
        """Compare two exceedance curves.

        Uncertainty makes deep drops likelier and shallow ones less likely. If it lowers a probability, there is nothing
        to load, and the share is zero.

        Parameters
        ----------
        drops : sequence of float
            Fractions in increasing order.
        probabilities : sequence of float
            Probability of at least each drop, including all uncertainty.
        certain : sequence of float
            The same if the parameters were known exactly.
        """
        for value in (*probabilities, *certain):
            if not 0.0 < value <= 1.0:
                raise InvalidBasisError(f"probabilities must be above 0 and at most 1, got {value}")
        return cls(
            drops=drops,
            shares=[max(1.0 - known / whole, 0.0) for whole, known in zip(probabilities, certain, strict=True)],
        )

    def part_of_mean(self, sample: WeightedSample, drops: FloatArray, shares: FloatArray) -> float:
        """Return the part of the mean loss that is due to parameter uncertainty, per unit of limit.

        The mean is the area under the exceedance curve of the loss; each layer contributes its share.

        Parameters
        ----------
        sample : WeightedSample
            Worst drops, deepest first.
        drops, shares : ndarray of shape (n_tail,)
            Worst drops that fire the trigger, and the share of the limit that each pays.
        """
        exceedances = np.cumsum(sample.weighted(np.ones(len(drops)))) / sample.n_paths
        layers = -np.diff(shares, append=0.0)
        return float((layers * exceedances * np.interp(drops, self.drops, self.shares)).sum())
