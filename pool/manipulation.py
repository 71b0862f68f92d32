"""Cost of firing a trigger on purpose by selling into the sources of the index until its median falls."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from pricing.errors import InvalidTermsError
from pricing.tools.units import Duration, DurationField, default_duration, parse_duration, require_fraction

#: No source weighs more in the index than this.
LARGEST_WEIGHT = 0.30
#: Depth is quoted as the sale that moves the log price by this much.
DEPTH_MOVE = 0.01
#: Share of the cost that limits may reach, and the lower share if perpetuals pay for the attack.
SHARE_OF_COST, SHARE_OF_COST_WITH_PERPETUALS = 0.25, 0.10
#: Ratio of open interest to cost above which perpetuals pay for the attack.
OPEN_INTEREST_RATIO = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSource:
    """A market that the index reads.

    Parameters
    ----------
    name : str
        Name.
    depth : float
        Sale that lowers its price by 1 %, in the currency of the pool. A low quantile is better than the mean,
        because markets are thin at night.
    volume_share : float
        Share of the volume of all sources, a fraction; it is the weight in the index, capped at 30 %.
    half_life : timedelta or str
        Time in which half of the depth comes back.
    """

    name: str
    depth: float
    volume_share: float
    half_life: DurationField = default_duration("20min")

    def __post_init__(self) -> None:
        if not 0.0 < self.depth < math.inf:
            raise InvalidTermsError(f"depth of {self.name} must be positive and finite, got {self.depth}")
        if not 0.0 < self.volume_share <= 1.0:
            raise InvalidTermsError(
                f"volume_share of {self.name} must be above 0 and at most 1, got {self.volume_share} (40 % is 0.40)"
            )
        object.__setattr__(self, "half_life", parse_duration(self.half_life, "half_life"))
        if not self.half_life:
            raise InvalidTermsError(f"half_life of {self.name} must be longer than zero")

    @property
    def weight(self) -> float:
        """Weight in the index, before weights are normalised."""
        return min(self.volume_share, LARGEST_WEIGHT)

    def sale(self, drop: float, hold: timedelta) -> float:
        """Return the sale that pushes the price down by a fraction and holds it there."""
        refills = 1.0 + hold / self.half_life * math.log(2.0)
        return self.depth * -math.log1p(-drop) / DEPTH_MOVE * refills


def manipulation_sale(sources: Sequence[PriceSource], drop: float, *, hold: Duration = "5min") -> float:
    """Return the least sale that moves the weighted median: over sources of more than half of all weight.

    Parameters
    ----------
    sources : sequence of PriceSource
        Markets that the index reads.
    drop : float
        Fall that fires the trigger, a fraction.
    hold : timedelta or str
        How long the price has to stay there.

    Examples
    --------
    >>> venues = [PriceSource(name=name, depth=0.6e6, volume_share=0.2) for name in "ABCDE"]
    >>> round(manipulation_sale(venues, 0.5) / 1e6)  # three of five venues
    146
    """
    require_fraction(drop, "drop")
    if not sources:
        raise InvalidTermsError("sources must hold at least one market, got none")
    span = parse_duration(hold, "hold")
    half = 0.5 * math.fsum(source.weight for source in sources)
    # Exact: only those sets are kept that no other set beats in both weight and sale.
    sets = [(0.0, 0.0)]
    for source in sources:
        sale = source.sale(drop, span)
        sets = _undominated([*sets, *((weight + source.weight, sold + sale) for weight, sold in sets)])
    return min(sold for weight, sold in sets if weight > half * (1.0 + 1e-12))


def manipulation_limit(sale: float, open_interest: float = 0.0) -> float:
    """Return the largest sum of all limits on a token for which firing a trigger on purpose does not pay.

    Parameters
    ----------
    sale : float
        See ``manipulation_sale``.
    open_interest : float
        Perpetual positions in which an attacker could also be short, in the currency of the pool.
    """
    pays = open_interest > OPEN_INTEREST_RATIO * sale
    return (SHARE_OF_COST_WITH_PERPETUALS if pays else SHARE_OF_COST) * sale


def _undominated(sets: list[tuple[float, float]]) -> list[tuple[float, float]]:
    kept: list[tuple[float, float]] = []
    for weight, sold in sorted(sets, key=lambda pair: (-pair[0], pair[1])):
        if not kept or sold < kept[-1][1]:
            kept.append((weight, sold))
    return kept
