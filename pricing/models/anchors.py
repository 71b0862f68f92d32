"""Probabilities of worst drops that a simulation must meet, beyond the dynamics of its paths."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from pricing.contract.observation import Observation
from pricing.errors import InvalidModelError
from pricing.tools.fields import set_series
from pricing.tools.units import Duration, parse_duration, require_fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """Probabilities of the worst drop below the rolling high, for one window and one term.

    Parameters
    ----------
    window, term : timedelta or str
        Window and term, whole numbers of the model's steps.
    drops : sequence of float
        Fractions of the rolling high, in increasing order.
    probabilities : sequence of float
        Probability that the worst drop of the term is as deep as each of `drops` or deeper; decreasing, in (0, 1).

    Raises
    ------
    InvalidModelError
        If the drops do not increase or the probabilities do not decrease.

    Examples
    --------
    >>> Anchor(window="24h", term="30d", drops=(0.2, 0.3), probabilities=(0.31, 0.07)).window
    datetime.timedelta(days=1)
    """

    window: Duration
    term: Duration
    drops: Sequence[float]
    probabilities: Sequence[float]

    def __post_init__(self) -> None:
        for field in ("window", "term"):
            duration = parse_duration(getattr(self, field), field)
            if duration <= timedelta(0):
                raise InvalidModelError(f"{field} of an anchor must be longer than zero, got {duration}")
            object.__setattr__(self, field, duration)
        set_series(self, "drops", "probabilities", error=InvalidModelError)
        _check_curve(tuple(self.drops), tuple(self.probabilities))

    @property
    def observation(self) -> Observation:
        """Observation to simulate for the anchor."""
        return Observation(window=self.window, term=self.term)


def anchors_for(anchors: Sequence[Anchor], term: timedelta) -> tuple[Anchor, ...]:
    """Return the anchors that hold for a term: those of the next shorter and of the next longer or equal anchored term.

    What a term costs then does not depend on which other terms are simulated as well.
    """
    terms = sorted({anchor.term for anchor in anchors})
    place = bisect_left(terms, term)
    held = terms[max(place - 1, 0) : place + 1]
    return tuple(anchor for anchor in anchors if anchor.term in held)


def _check_curve(drops: tuple[float, ...], probabilities: tuple[float, ...]) -> None:
    if not drops or len(drops) != len(probabilities):
        raise InvalidModelError(
            f"drops and probabilities of an anchor must have the same length, got {len(drops)} and {len(probabilities)}"
        )
    for field, values in (("drops", drops), ("probabilities", probabilities)):
        for value in values:
            require_fraction(value, field)
    if any(after <= before for before, after in pairwise(drops)):
        raise InvalidModelError(f"drops of an anchor must increase, got {drops}")
    if any(after >= before for before, after in pairwise(probabilities)):
        raise InvalidModelError(f"probabilities of an anchor must decrease as drops increase, got {probabilities}")
