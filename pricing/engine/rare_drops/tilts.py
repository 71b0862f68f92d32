"""The laws that a rare-drop sample is mixed from: windows under a tilt, one jump more, or both.

A tilt (Esscher 1932) multiplies the probability of every innovation and every jump in a window by
``exp(-tilt * statistic)``, and the rate of jumps accordingly. It acts on the segments of the quantile tables: it
multiplies the probability of a segment and leaves the law inside it alone, so that likelihood ratios are exact. The
statistic is the value in the middle of the segment; any other number would be as correct and only less efficient.
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
"""Relative entropy of the strongest tilt: a window like it has probability about exp(-40) = 4e-18."""
SPACING = 1.0
"""Distance of neighbouring tilts, in standard deviations."""
STORM_ENTROPY = 8.0
"""Relative entropy of a storm: about that of an event of probability exp(-8) = 3e-4."""
STORM_SQUARE = 4.0
"""Weight of the squared innovation against the innovation in a storm."""
STORM_HALF_LIVES = (1.0, 4.0)
"""Lengths of storms beyond the shortest window, in half-lives of a variance shock."""

_FLAT_OCTAVES = 40  # depth of the flat law: falls of probability down to 2^-40
_N_TRIED = 129  # exponents of a window, to find those of given distances
_NEAR_CEILING = 0.9
_END = 0.02  # part of the smallest probability where falls stop to be even: the deepest level needs some beyond
_LARGEST_EXPONENT = 39.0  # the kernel holds exponents to 40
_LARGEST_MOMENT = 600.0  # exp(600) is still a number
_WITHIN_SIGHT = 0.5  # distance up to which plain paths see enough
_NOTHING_MOVES = 1e12  # a tilt beyond this means that no step can fall


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Window:
    """A stretch of steps whose law can be tilted.

    Parameters
    ----------
    length : int
        In steps.
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
        """Whether a tilt is a law in double precision, and another one than the model."""
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
    """A law that paths are drawn from instead of the model.

    Parameters
    ----------
    window : Window or None
        What is tilted; None where one jump is put anywhere into the path and nothing else is changed.
    tilt, log_moment : float
        Exponent, and the log of its moment.
    innovations : ndarray of shape (n_segments,)
        Probabilities of the segments of the innovations in the window.
    sizes : ndarray of shape (n_sources, n_segments)
        Probabilities of the segments of the jumps in the window, and of the jump more.
    multiplicity : ndarray of shape (n_sources,)
        Factor on the rate of each source in the window.
    sources : ndarray of shape (n_sources,)
        Probability of each source to make the jump more; zeros where there is none.
    per_jump : float
        Likelihood ratio of the jump more in a window, per jump that the window holds; 0 where there is none.
    size_ratio : ndarray of shape (n_sources, n_segments)
        Likelihood ratio, per step, of the jump more anywhere; zeros where there is none.
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
    """Tilt a window by exponents that are `SPACING` apart in distance, from the strongest to what plain paths see.

    Where there are jumps, each tilt also comes with one jump more: the number of jumps in a tilted window is Poisson,
    and too often none.
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
    """Find the exponent that reaches the deepest drop or the largest rate, whichever is first.

    Without jumps the rate cannot exceed that of a window of nothing but the deepest innovation, and comes near it only
    under absurd exponents.
    """
    deepest = window.innovation.statistic == window.innovation.statistic.min()
    ceiling = -window.length * math.log(float(window.innovation.probabilities[deepest].sum()))
    largest = LARGEST_RATE if window.jumps else min(LARGEST_RATE, _NEAR_CEILING * ceiling)
    # Written so that an overflow to NaN is too strong.
    return _bisect(lambda tilt: not window.mean_fall(tilt) < DEEPEST_LOG_DROP or _is_beyond(window, largest, tilt))


def _bisect(too_strong: Callable[[float], bool]) -> float:
    """Find the largest exponent that is not too strong, or 0 where none is ever too strong."""
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
    """Make stretches of large innovations, of both signs but more often falls, which raise the variance themselves."""
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
    """Make one huge fall in one step where innovations are heavy: every octave of the lower tail is as likely as any.

    The statistic is minus the log of the ratio of probabilities, so that the tilt 1 is the law wanted: an even mixture
    of the law and the flat one.
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
    """Put one jump of a source anywhere into a path of the model, for every source in turn.

    The likelihood ratio is a sum over the jumps of the path, so it costs next to nothing.
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
    """Make falls of every order of probability as likely as any other, down to the deepest drop or the smallest.

    Of all laws this one has the smallest largest variance over the falls; see docs/rare-drops.md.
    """
    order = np.argsort(jump.sizes, kind="stable")
    tail = np.empty_like(jump.sizes)
    tail[order] = np.cumsum(jump.probabilities[order])
    deepest = float(jump.probabilities[jump.sizes < -DEEPEST_LOG_DROP].sum())
    probabilities = jump.probabilities / (tail + _END * max(deepest, smallest))
    return np.asarray(probabilities / probabilities.sum())
