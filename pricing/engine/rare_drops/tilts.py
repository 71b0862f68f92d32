"""The component laws of a rare-drop sample: windows under a tilt, an extra jump, or both.

A tilt (Esscher 1932) multiplies the probability of every innovation and every jump in a window by
``exp(-tilt * statistic)``, and the rate of jumps accordingly. It acts on the segments of the quantile tables: it
multiplies the probability of a segment and leaves the law within it unchanged, so that likelihood ratios are exact. The
statistic is the value in the middle of the segment; any other number would also be correct, only less efficient.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from pricing._kernels import N_OCTAVES, N_SEGMENTS
from pricing.engine.rare_drops.segments import MODERATE, SegmentLaw, is_heavy, quantile
from pricing.engine.rare_drops.shares import SMALLEST_PROBABILITY
from pricing.tools.arrays import FloatArray

DEEPEST_LOG_DROP = 3.2
"""Mean log drop of the strongest tilt; a drop of 95 % is 3.0."""
LARGEST_RATE = 40.0
"""Relative entropy of the strongest tilt: such a window has a probability of about exp(-40) = 4e-18."""
SPACING = 1.0
"""Distance between neighbouring tilts, in standard deviations."""
STORM_ENTROPY = 8.0
"""Relative entropy of a storm: about that of an event of probability exp(-8) = 3e-4."""
STORM_SQUARE = 4.0
"""Weight of the squared innovation relative to the innovation in a storm."""
STORM_HALF_LIVES = (1.0, 4.0)
"""Lengths of storms beyond the shortest window, in half-lives of a variance shock."""

_FLAT_OCTAVES = 40  # depth of the flat law: falls of probability down to 2^-40
_N_TRIED = 129  # exponents of a window from which those of given distances are chosen
_NEAR_CEILING = 0.9
_END = 0.02  # share of the smallest probability at which falls cease to be even: the deepest level needs some beyond it
_LARGEST_EXPONENT = 39.0  # the kernel holds exponents to 40
_LARGEST_MOMENT = 600.0  # exp(600) is still a number
_WITHIN_SIGHT = 0.5  # distance up to which plain paths are enough
_NOTHING_MOVES = 1e12  # a larger tilt means that no step can fall


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Window:
    """A sequence of steps whose law can be tilted.

    Parameters
    ----------
    length : int
        Length in steps.
    innovation : SegmentLaw
        Law of the innovation.
    jumps : tuple of SegmentLaw
        Laws of the jumps.
    """

    length: int
    innovation: SegmentLaw
    jumps: tuple[SegmentLaw, ...]

    def jump_rates(self, tilt: float) -> FloatArray:
        """Return the expected number of jumps of each source in the whole window, shape (n_sources,)."""
        return np.array([self.length * jump.rate * float(jump.tilted(tilt).sum()) for jump in self.jumps])

    def log_moment(self, tilt: float) -> float:
        """Return ``log E exp(-tilt * statistic of the window)``."""
        more_jumps = float((self.jump_rates(tilt) - self.jump_rates(0.0)).sum())
        return self.length * math.log(float(self.innovation.tilted(tilt).sum())) + more_jumps

    def mean_fall(self, tilt: float) -> float:
        """Return the expected log fall over the window under a tilt."""
        return self._mean_fall(tilt, lambda law: law.sizes)

    def distance(self, tilt: float) -> float:
        """Return the square root of twice the relative entropy of a tilt: for normal steps, its standard deviations."""
        entropy = tilt * self._mean_fall(tilt, lambda law: law.statistic) - self.log_moment(tilt)
        return math.sqrt(2.0 * entropy) if not entropy <= 0.0 else 0.0

    def is_usable(self, tilt: float) -> bool:
        """Return whether a tilt is a law in double precision, and differs from the model."""
        masses = [float(law.tilted(tilt).sum()) for law in (self.innovation, *self.jumps)]
        if not all(0.0 < mass < math.inf for mass in masses) or not abs(self.log_moment(tilt)) < _LARGEST_MOMENT:
            return False
        return 0.0 < self.distance(tilt) < math.inf

    def _mean_fall(self, tilt: float, number: Callable[[SegmentLaw], FloatArray]) -> float:
        weights = self.innovation.tilted(tilt)
        innovation = -float((weights * number(self.innovation)).sum() / weights.sum())
        jumps = -math.fsum(jump.rate * float((jump.tilted(tilt) * number(jump)).sum()) for jump in self.jumps)
        return self.length * (innovation + jumps)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Component:
    """A law from which paths are drawn instead of the model.

    Parameters
    ----------
    window : Window or None
        The tilted window; None if one jump is added anywhere in the path and nothing else is changed.
    tilt, log_moment : float
        Exponent, and the log of its moment.
    innovations : ndarray of shape (n_segments,)
        Probabilities of the segments of the innovations in the window.
    sizes : ndarray of shape (n_sources, n_segments)
        Probabilities of the segments of the jumps in the window, and of the extra jump.
    multiplicity : ndarray of shape (n_sources,)
        Factor on the rate of each source in the window.
    sources : ndarray of shape (n_sources,)
        Probability that each source makes the extra jump; zeros if there is none.
    per_jump : float
        Likelihood ratio of the extra jump in a window, per jump in the window; 0 if there is none.
    size_ratio : ndarray of shape (n_sources, n_segments)
        Likelihood ratio, per step, of the extra jump anywhere; zeros if there is none.
    """

    window: Window | None
    tilt: float
    log_moment: float
    innovations: FloatArray
    sizes: FloatArray
    multiplicity: FloatArray
    sources: FloatArray
    per_jump: float
    size_ratio: FloatArray


def _tilted(window: Window, tilt: float, *, jump_more: bool = False) -> Component:
    rates = window.jump_rates(tilt)
    probabilities = [jump.tilted(tilt) for jump in window.jumps]
    sizes = np.array([one / one.sum() for one in probabilities]).reshape(len(rates), 2 * N_OCTAVES * N_SEGMENTS)
    innovations = window.innovation.tilted(tilt)
    return Component(
        window=window,
        tilt=tilt,
        log_moment=window.log_moment(tilt),
        innovations=innovations / innovations.sum(),
        sizes=sizes,
        multiplicity=rates / window.jump_rates(0.0),
        sources=rates / rates.sum() if jump_more else np.zeros_like(rates),
        per_jump=1.0 / float(rates.sum()) if jump_more else 0.0,
        size_ratio=np.zeros_like(sizes),
    )


def tilted_windows(length: int, innovation: SegmentLaw, jumps: tuple[SegmentLaw, ...]) -> Iterator[Component]:
    """Tilt a window by exponents `SPACING` apart in distance, from the strongest down to what plain paths reach.

    If there are jumps, each tilt also has a variant with an extra jump: the number of jumps in a tilted window is
    Poisson, and too often zero.
    """
    window = Window(length=length, innovation=innovation, jumps=jumps)
    tilts = _strongest_tilt(window) * np.linspace(0.0, 1.0, _N_TRIED)
    distances = np.array([window.distance(tilt) for tilt in tilts])
    if not np.isfinite(distances).all():
        return
    wanted = np.arange(distances[-1], _WITHIN_SIGHT, -SPACING)
    for tilt in np.interp(wanted, np.maximum.accumulate(distances), tilts):
        if window.is_usable(tilt):
            yield _tilted(window, tilt)
            if jumps:
                yield _tilted(window, tilt, jump_more=True)


def _strongest_tilt(window: Window) -> float:
    """Find the exponent that reaches the deepest drop or the largest rate, whichever comes first.

    Without jumps the rate cannot exceed that of a window of only the deepest innovation, and approaches it only
    under extreme exponents.
    """
    deepest = window.innovation.statistic == window.innovation.statistic.min()
    ceiling = -window.length * math.log(float(window.innovation.probabilities[deepest].sum()))
    largest = LARGEST_RATE if window.jumps else min(LARGEST_RATE, _NEAR_CEILING * ceiling)
    # Written so that an overflow to NaN counts as too strong.
    return _bisect(lambda tilt: not window.mean_fall(tilt) < DEEPEST_LOG_DROP or _is_beyond(window, largest, tilt))


def _bisect(too_strong: Callable[[float], bool]) -> float:
    """Find the largest exponent that is not too strong, or 0 if none is too strong."""
    high = 1e-6
    while not too_strong(high):
        high *= 2.0
        if high > _NOTHING_MOVES:
            return 0.0
    low = 0.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if too_strong(middle) else (middle, high)
    return low


def storms(
    law: FloatArray, window: int, n_steps: int, innovation: SegmentLaw, jumps: tuple[SegmentLaw, ...]
) -> Iterator[Component]:
    """Yield periods of large innovations, of both signs but more often falls, which raise the variance."""
    scale = math.sqrt(float((innovation.probabilities * innovation.sizes**2).sum()))
    if scale == 0.0:
        return
    bound = max(3.0, -quantile(innovation, MODERATE) / scale)
    standardised = np.clip(innovation.sizes / scale, -bound, bound)
    stormy = replace(innovation, statistic=standardised - STORM_SQUARE * standardised**2)
    for length in _storm_lengths(law, window, n_steps):
        calm = Window(length=length, innovation=stormy, jumps=tuple(map(_untouched, jumps)))
        tilt = _bisect(partial(_is_beyond, calm, STORM_ENTROPY))
        if tilt and calm.is_usable(tilt):
            yield _tilted(calm, tilt)


def _is_beyond(window: Window, entropy: float, tilt: float) -> bool:
    return not 0.5 * window.distance(tilt) ** 2 < entropy


def _storm_lengths(law: FloatArray, window: int, n_steps: int) -> list[int]:
    _, alpha, beta, gamma = law
    persistence = min(alpha + beta + 0.5 * gamma, 1.0 - 1.0 / n_steps)
    half_life = math.log(0.5) / math.log(max(persistence, 0.5))
    return sorted({min(n_steps, window + round(share * half_life)) for share in STORM_HALF_LIVES})


def huge_steps(innovation: SegmentLaw, jumps: tuple[SegmentLaw, ...]) -> Iterator[Component]:
    """Yield one huge fall in one step if innovations are heavy: all octaves of the lower tail are equally likely.

    The statistic is minus the log of the ratio of probabilities, so that the tilt 1 gives the desired law: an equal
    mixture of the law and the flat one.
    """
    if is_heavy(innovation):
        window = Window(length=1, innovation=_flattened(innovation), jumps=tuple(map(_untouched, jumps)))
        if window.is_usable(1.0):
            yield _tilted(window, 1.0)


def _untouched(law: SegmentLaw) -> SegmentLaw:
    return replace(law, statistic=np.zeros_like(law.sizes))


def _flattened(law: SegmentLaw) -> SegmentLaw:
    side = len(law.sizes) // 2
    octaves = np.arange(side) // N_SEGMENTS
    deep = octaves >= N_OCTAVES - _FLAT_OCTAVES
    lower = np.where(deep, 1.0 / np.count_nonzero(deep), 0.0) / law.probabilities[:side]
    ratio = 0.5 + 0.5 * np.concatenate([lower, np.zeros(len(law.sizes) - side)])
    return replace(law, statistic=-np.minimum(np.log(ratio), _LARGEST_EXPONENT))


def further_jumps(innovation: SegmentLaw, jumps: tuple[SegmentLaw, ...], n_steps: int) -> Iterator[Component]:
    """Add one jump of a source anywhere in a path of the model, for every source in turn.

    The likelihood ratio is a sum over the jumps of the path, so its cost is negligible.
    """
    for source, jump in enumerate(jumps):
        if jump.rate * n_steps < SMALLEST_PROBABILITY:
            continue
        sizes = np.zeros((len(jumps), len(jump.sizes)))
        sizes[source] = _even_falls(jump, SMALLEST_PROBABILITY / (jump.rate * n_steps))
        yield Component(
            window=None,
            tilt=0.0,
            log_moment=0.0,
            innovations=innovation.probabilities,
            sizes=sizes,
            multiplicity=np.ones(len(jumps)),
            sources=(np.arange(len(jumps)) == source).astype(np.float64),
            per_jump=0.0,
            size_ratio=_ratio(sizes, np.array([one.rate * one.probabilities for one in jumps])),
        )


def _ratio(sizes: FloatArray, expected: FloatArray) -> FloatArray:
    return np.divide(sizes, expected, out=np.zeros_like(sizes), where=sizes > 0.0)


def _even_falls(jump: SegmentLaw, smallest: float) -> FloatArray:
    """Make falls of every order of probability equally likely, down to the deepest drop or the smallest probability.

    Among all laws this one minimises the largest variance over the falls; see docs/rare-drops.md.
    """
    order = np.argsort(jump.sizes, kind="stable")
    tail = np.empty_like(jump.sizes)
    tail[order] = np.cumsum(jump.probabilities[order])
    deepest = float(jump.probabilities[jump.sizes < -DEEPEST_LOG_DROP].sum())
    probabilities = jump.probabilities / (tail + _END * max(deepest, smallest))
    return np.asarray(probabilities / probabilities.sum())
