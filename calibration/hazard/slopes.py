"""Slopes of the crash hazard on scores of holders and markets: every coefficient, with its source.

A slope multiplies a score, and the exponential of the product multiplies the hazard. A score is zero for a typical
token, so nothing here sets the level. A slope has a normal law truncated at zero: the
sign is an assumption, stated once, and data can reduce a slope to zero but never reverse it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from types import MappingProxyType

from scipy.stats import truncnorm

from pricing.errors import InvalidModelError

#: Share of probability inside every interval that is reported.
CONFIDENCE = 0.90
#: Half the width of that interval for a normal law, in standard deviations.
REACH = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2.0)
JUDGEMENT = "judgement: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Slope:
    """Rise of the log hazard with a score: a normal law truncated at zero.

    Parameters
    ----------
    mean : float
        Mean of the normal law, not negative; the slope that is used.
    sd : float
        Standard deviation of the normal law, positive.
    source : str
        Data and period of an estimate, or the reason for a judgement.
    prior_only : bool
        Whether it is a judgement that no data have updated.
    """

    mean: float
    sd: float
    source: str
    prior_only: bool = True

    def __post_init__(self) -> None:
        if not 0.0 <= self.mean < math.inf:
            raise InvalidModelError(
                f"mean of a slope must be finite and not negative, got {self.mean} (signs are fixed)"
            )
        if not 0.0 < self.sd < math.inf:
            raise InvalidModelError(f"sd of a slope must be positive and finite, got {self.sd}")

    @property
    def spread(self) -> float:
        """Standard deviation after truncation at zero."""
        return float(truncnorm.std(-self.mean / self.sd, math.inf, loc=self.mean, scale=self.sd))

    @property
    def interval(self) -> tuple[float, float]:
        """Bounds that contain 90 % of the normal law, not below zero."""
        return max(0.0, self.mean - REACH * self.sd), self.mean + REACH * self.sd


SLOPES: Mapping[str, Slope] = MappingProxyType(
    {
        "control": Slope(
            mean=0.3,
            sd=0.15,
            source=JUDGEMENT + "between 0.26, the slope of collapses of 10,094 Uniswap tokens on the share of their "
            "creator, and 0.5 from simulated sales, diluted because nobody knows when a holder sells; studies of "
            "shares find both signs",
        ),
        "open_interest": Slope(
            mean=0.05,
            sd=0.10,
            source=JUDGEMENT + "near zero: open interest added nothing out of time on 24 tokens, 2021 to 2025 (z 0.8)",
        ),
        "unlock": Slope(
            mean=0.4,
            sd=0.3,
            source=JUDGEMENT + "two studies of 16,000 and 5,000 unlocks find falling prices that grow with size",
        ),
        "inflow": Slope(
            mean=0.05,
            sd=0.05,
            source=JUDGEMENT + "near zero: deposits to exchanges explain 0.2 to 5 % of the variance of later returns "
            "in the one public study",
        ),
        "funding": Slope(
            mean=0.05,
            sd=0.10,
            source=JUDGEMENT + "near zero: studies of futures find the sign, the data at hand cannot decide",
        ),
        "listing": Slope(
            mean=0.06,
            sd=0.23,
            source="228 falls of 30 % in 24 h outside market-wide crashes, 16 of them of new listings, given their "
            "volatility, Binance, April 2021 to June 2025; before: 1.2 with sd 0.5, judged from three launches",
            prior_only=False,
        ),
    }
)
"""Slopes by score. Only ``listing`` is estimated; ``fit_hazard`` estimates them all if a user has data."""
