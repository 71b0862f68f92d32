"""Payouts: the share of the limit that is due, given the worst drop of the term.

A payout is a non-decreasing function of the worst drop. It never enters the simulation: one simulated sample of worst
drops prices every payout. A payout of steps and ramps describes itself by its nodes, and everything that
sums up, seals, reads or describes payouts asks it and not its type.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any, ClassVar, Protocol, Self, TypeGuard, runtime_checkable

import numpy as np

from pricing.contract.thresholds import least_drop
from pricing.errors import InvalidTermsError
from pricing.tools.arrays import FloatArray
from pricing.tools.units import as_number, require_fraction, shown


@runtime_checkable
class Payout(Protocol):
    """Any function from worst drops to shares of the limit."""

    def share(self, worst_drop: FloatArray) -> FloatArray:
        """Return the share of the limit, between 0 and 1, for each worst drop that fired the trigger."""
        ...


#: A drop at which a payout steps or bends: the drop, the shares just below and at it, and the slope from it on.
Node = tuple[float, float, float, float]


class PiecewisePayout(ABC):
    """A payout of steps and ramps, which books and tail sums can add up, and texts and seals can write.

    A new payout needs only a subclass. It can be read from texts and quotes as soon as it is defined.
    """

    __slots__ = ()

    form: ClassVar[str]
    """An example of the payout as one word, such as ``"linear:0.3:0.9"``: its kind, and its numbers after a colon."""
    is_kind: ClassVar[bool]
    """True if the class has its own form."""
    kind: ClassVar[str]
    """The first part of the form, which identifies the class of a payout."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.is_kind = "form" in vars(cls)  # a class derived from a kind is not a kind itself: it may pay something else
        if cls.is_kind:
            cls.kind = cls.form.partition(":")[0]
            _KINDS[cls.kind] = cls

    @classmethod
    @abstractmethod
    def parse(cls, numbers: str) -> Self:
        """Parse the part after the kind; raise a ``ValueError`` if it is malformed."""

    @abstractmethod
    def nodes(self) -> tuple[Node, ...]:
        """Return the nodes in order of their drops; nothing is due below the first, and the last has no slope."""

    @abstractmethod
    def describe(self, limit: str) -> str:
        """Describe in a sentence how much of a limit is due."""

    def numbers(self) -> tuple[float, ...]:
        """Return the numbers that distinguish this payout from others of its kind, for a seal."""
        return tuple(chain.from_iterable(self.nodes()))

    def as_text(self) -> str:
        """Write the payout as one word, see ``form``.

        Examples
        --------
        >>> LinearPayout(attachment=0.3, exhaustion=0.9).as_text()
        'linear:0.3:0.9'
        """
        return ":".join((self.kind, *(repr(number) for number in self.numbers())))

    def share(self, worst_drop: FloatArray) -> FloatArray:
        """Return the share of the limit for each worst drop."""
        points, _, shares, slopes = np.array(self.nodes()).T
        node = np.searchsorted(least_drop(points), worst_drop, side="right") - 1
        beyond = np.maximum(worst_drop - points[node], 0.0)
        return np.where(node >= 0, shares[node] + slopes[node] * beyond, 0.0)


_KINDS: dict[str, type[PiecewisePayout]] = {}


def payout_classes() -> tuple[type[PiecewisePayout], ...]:
    """Return the classes of all payouts of steps and ramps."""
    return tuple(_KINDS.values())


def is_piecewise(payout: Payout) -> TypeGuard[PiecewisePayout]:
    """Return whether the nodes of a payout define its share; a subclass may override the share alone."""
    return getattr(payout, "is_kind", False)


def parse_payout(text: str) -> Payout:
    """Parse a payout written as one word.

    Parameters
    ----------
    text : str
        ``full``, ``linear:ATTACHMENT:EXHAUSTION`` or ``tiered:DROP=SHARE,DROP=SHARE,...``, all numbers fractions.

    Raises
    ------
    InvalidTermsError
        If it is anything else, or its numbers are not a valid payout.

    Examples
    --------
    >>> parse_payout("linear:0.3:0.9")
    LinearPayout(attachment=0.3, exhaustion=0.9)
    >>> parse_payout("tiered:0.3=0.25,0.8=1")
    TieredPayout(tiers=((0.3, 0.25), (0.8, 1.0)))
    """
    kind, _, numbers = text.strip().partition(":")
    try:
        return _KINDS[kind].parse(numbers)
    except InvalidTermsError:
        raise
    except (KeyError, ValueError) as error:
        *forms, last = (cls.form for cls in payout_classes())
        raise InvalidTermsError(f"payout must look like {', '.join(forms)} or {last}, got {text!r}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class FullPayout(PiecewisePayout):
    """Pays the whole limit once the trigger fires."""

    form: ClassVar[str] = "full"

    @classmethod
    def parse(cls, numbers: str) -> Self:
        """Parse a payout without numbers."""
        if numbers:
            raise ValueError(f"a full payout has no numbers, got {numbers}")
        return cls()

    def nodes(self) -> tuple[Node, ...]:
        """Return a single step."""
        return ((0.0, 0.0, 1.0, 0.0),)

    def numbers(self) -> tuple[float, ...]:
        """Return nothing."""
        return ()

    def describe(self, limit: str) -> str:
        """Describe in a sentence how much of a limit is due.

        Examples
        --------
        >>> FullPayout().describe("1,000.00 USD")
        'The limit of 1,000.00 USD, in full, once the trigger fires.'
        """
        return f"The limit of {limit}, in full, once the trigger fires."

    def share(self, worst_drop: FloatArray) -> FloatArray:
        """Return 1 for each worst drop."""
        return np.ones_like(worst_drop)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearPayout(PiecewisePayout):
    """Pays in proportion to the worst drop between two points.

    Parameters
    ----------
    attachment : float
        Drop at which the payout begins, a fraction.
    exhaustion : float
        Drop from which the whole limit is paid, a fraction above the attachment.

    Examples
    --------
    >>> LinearPayout(attachment=0.25, exhaustion=0.75).share(np.array([0.2, 0.5, 0.8]))
    array([0. , 0.5, 1. ])
    """

    form: ClassVar[str] = "linear:0.3:0.9"

    attachment: float
    exhaustion: float

    def __post_init__(self) -> None:
        for name in ("attachment", "exhaustion"):
            object.__setattr__(self, name, as_number(getattr(self, name), name))
        require_fraction(self.attachment, "attachment")
        if not self.attachment < self.exhaustion <= 1.0:
            raise InvalidTermsError(
                f"exhaustion must be above the attachment {self.attachment} and at most 1, got {self.exhaustion}"
            )

    @classmethod
    def parse(cls, numbers: str) -> Self:
        """Parse ``ATTACHMENT:EXHAUSTION``."""
        attachment, exhaustion = map(float, numbers.split(":"))
        return cls(attachment=attachment, exhaustion=exhaustion)

    def nodes(self) -> tuple[Node, ...]:
        """Return the two ends of the ramp."""
        slope = 1.0 / (self.exhaustion - self.attachment)
        return (self.attachment, 0.0, 0.0, slope), (self.exhaustion, 1.0, 1.0, 0.0)

    def numbers(self) -> tuple[float, ...]:
        """Return the two ends of the ramp."""
        return self.attachment, self.exhaustion

    def describe(self, limit: str) -> str:
        """Describe in a sentence how much of a limit is due."""
        return (
            f"By the worst drop of the term: nothing at {100 * self.attachment:g} %, the limit of {limit} from "
            f"{100 * self.exhaustion:g} % on, and in proportion between the two."
        )

    def share(self, worst_drop: FloatArray) -> FloatArray:
        """Return the share of the limit for each worst drop."""
        return np.clip((worst_drop - self.attachment) / (self.exhaustion - self.attachment), 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class TieredPayout(PiecewisePayout):
    """Pays a fixed share for the deepest tier that the worst drop reaches.

    Parameters
    ----------
    tiers : mapping of float to float
        Share of the limit by drop, both fractions; a deeper drop pays more.

    Examples
    --------
    >>> TieredPayout({0.3: 0.25, 0.5: 0.6, 0.8: 1.0}).share(np.array([0.29, 0.3, 0.6, 0.9]))
    array([0.  , 0.25, 0.6 , 1.  ])
    """

    form: ClassVar[str] = "tiered:0.3=0.25,0.5=0.6,0.8=1"

    tiers: Mapping[float, float] | tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        numbers = ((as_number(drop, "tiers: drop"), as_number(share, "tiers: share")) for drop, share in self._steps())
        tiers = tuple(sorted(numbers))
        if not tiers:
            raise InvalidTermsError("tiers must hold at least one drop, got none (for example {0.3: 0.25, 0.5: 1.0})")
        for drop, share in tiers:
            require_fraction(drop, "tiers: drop")
            if not 0.0 < share <= 1.0:
                raise InvalidTermsError(f"tiers: share at {drop} must be above 0 and at most 1, got {share}")
        for (_, lower), (drop, upper) in pairwise(tiers):
            if upper <= lower:
                raise InvalidTermsError(
                    f"tiers: share at {drop} must be above the share of the previous tier, got {upper}"
                )
        object.__setattr__(self, "tiers", tiers)

    def _steps(self) -> Iterable[tuple[float, float]]:
        try:
            return dict(self.tiers).items()
        except (TypeError, ValueError) as error:
            raise InvalidTermsError(
                f"tiers must be shares by drop, such as {{0.3: 0.25}}, got {shown(self.tiers)}"
            ) from error

    @classmethod
    def parse(cls, numbers: str) -> Self:
        """Parse ``DROP=SHARE,DROP=SHARE,...``."""
        pairs = (pair.split("=") for pair in numbers.split(","))
        return cls({float(drop): float(share) for drop, share in pairs})

    def nodes(self) -> tuple[Node, ...]:
        """Return one step per tier."""
        nodes: list[Node] = []
        below = 0.0
        for drop, share in dict(self.tiers).items():
            nodes.append((drop, below, share, 0.0))
            below = share
        return tuple(nodes)

    def numbers(self) -> tuple[float, ...]:
        """Return the drop and the share of each tier."""
        return tuple(chain.from_iterable(dict(self.tiers).items()))

    def as_text(self) -> str:
        """Write the payout as one word, see ``form``.

        Examples
        --------
        >>> TieredPayout({0.3: 0.25, 0.8: 1.0}).as_text()
        'tiered:0.3=0.25,0.8=1.0'
        """
        return f"{self.kind}:{','.join(f'{drop!r}={share!r}' for drop, share in dict(self.tiers).items())}"

    def describe(self, limit: str) -> str:
        """Describe in a sentence how much of a limit is due."""
        tiers = ", ".join(f"{100 * share:g} % from a drop of {100 * drop:g} %" for drop, share in self._steps())
        return f"By the worst drop of the term, a share of the limit of {limit}: {tiers}."

    def share(self, worst_drop: FloatArray) -> FloatArray:
        """Return the share of the limit for each worst drop."""
        drops, shares = np.array(tuple(self.tiers)).T
        return np.concatenate(([0.0], shares))[np.searchsorted(least_drop(drops), worst_drop, side="right")]
