"""Laws to draw paths from so that deep drops are common: importance sampling by exponentially tilted windows.

A path comes from a mixture. With probability `PLAIN_SHARE` it follows the model. Otherwise one window of its steps,
placed at random, is drawn from an exponentially tilted law (Esscher 1932): every innovation and every jump in the
window has its probability multiplied by ``exp(-theta * size)`` and the rate of jumps changes accordingly. The weight of
a path is one over the likelihood ratio of the whole mixture, so it is bounded by ``1 / PLAIN_SHARE`` whatever the path
(Hesterberg 1995), and one sample serves all drops.

Everything is exact on the segments of the quantile tables: a tilt multiplies the probability of a segment and leaves
the law inside it alone. The size of a segment in the exponent is the value in its middle; any other number would be as
correct and only less efficient.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pricing._kernels import N_OCTAVES, N_SEGMENTS, N_TILTS
from pricing.kernel_inputs import ModelArrays
from pricing.segment_laws import MODERATE, SegmentLaw, innovation_law, is_heavy, jump_laws, quantile
from pricing.signals import Signal

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

PLAIN_SHARE = 0.05
"""Share of paths that follow the model itself, where steps are independent."""
PLAIN_SHARE_UNDER_GARCH = 0.77
"""The same under GARCH: no estimate is worse than plain simulation by more than 1 / 0.77 = 1.3 in variance."""
DEEPEST_LOG_DROP = 3.2
"""Mean log drop of the strongest tilt; a drop of 95 % is 3.0."""
LARGEST_RATE = 32.0
"""Relative entropy of the strongest tilt: a window like it has probability about exp(-32) = 1e-14."""
SPACING = 1.75
"""Distance of neighbouring tilts, in standard deviations."""
LEAN = 1.0
"""Power of the distance that the share of a tilt goes with."""
STORM_ENTROPY = 8.0
"""Relative entropy of a storm: about that of an event of probability exp(-8) = 3e-4."""
STORM_SQUARE = 4.0
"""Weight of the squared innovation against the innovation in a storm."""
STORM_HALF_LIVES = (1.0, 4.0)
"""Lengths of storms beyond the shortest window, in half-lives of a variance shock."""

_FLAT_OCTAVES = 40  # depth of the flat law: falls of probability down to 2^-40
_NEAR_CEILING = 0.9
_LARGEST_EXPONENT = 39.0  # the kernel holds exponents to 40
_LARGEST_MOMENT = 600.0  # exp(600) is still a number
_WITHIN_SIGHT = 0.5  # distance up to which plain paths see enough
_NOTHING_MOVES = 1e12  # a tilt beyond this means that no step can fall


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProposalArrays:
    """A mixture of tilted windows as the kernel reads it. Components are pairs of a group and a tilt.

    Parameters
    ----------
    plain_share : float
        Probability of the model itself.
    cumulated_shares : ndarray of shape (n_components,)
        Cumulated probabilities of the components, from `plain_share` to 1.
    group_of_component : ndarray of shape (n_components,)
        Row of the group.
    innovation_statistic : ndarray of shape (n_groups, n_segments)
        Statistic of each segment (or value) of the innovations.
    innovation_cumulated : ndarray of shape (n_components, n_segments)
        Cumulated tilted probabilities.
    size_statistic : ndarray of shape (n_groups, n_sources, n_segments)
        Statistic of each segment of the jump sizes.
    size_cumulated : ndarray of shape (n_components, n_sources, n_segments)
        Cumulated tilted probabilities.
    multiplicity : ndarray of shape (n_components, n_sources)
        Factor on the rate of each source.
    windows : ndarray of shape (n_groups,)
        Length of the tilted window, in steps.
    tilts : ndarray of shape (n_groups,)
        Smallest exponent of each group; the others are its multiples.
    coefficients : ndarray of shape (n_groups, N_TILTS)
        Probability of each multiple over its moment generating function.
    placements, cumulated_placements : ndarray of shape (n_groups, n_steps)
        Probability of each start of the window.
    """

    plain_share: float
    cumulated_shares: FloatArray
    group_of_component: IntArray
    innovation_statistic: FloatArray
    innovation_cumulated: FloatArray
    size_statistic: FloatArray
    size_cumulated: FloatArray
    multiplicity: FloatArray
    windows: IntArray
    tilts: FloatArray
    coefficients: FloatArray
    placements: FloatArray
    cumulated_placements: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Group:
    """Tilts of one window and one statistic.

    Parameters
    ----------
    window : int
        Length in steps.
    innovation : SegmentLaw
        Law of the innovation.
    jumps : tuple of SegmentLaw
        Laws of the jumps.
    tilt : float
        Smallest exponent.
    multiples : tuple of int
        Which multiples of it are used, between 1 and N_TILTS.
    """

    window: int
    innovation: SegmentLaw
    jumps: tuple[SegmentLaw, ...]
    tilt: float
    multiples: tuple[int, ...]

    def log_moment(self, theta: float) -> float:
        """Return ``log E exp(-theta * statistic of the window)``."""
        jumps = sum(jump.rate * (float(jump.tilted(theta).sum()) - 1.0) for jump in self.jumps)
        return self.window * (math.log(float(self.innovation.tilted(theta).sum())) + jumps)

    def mean_fall(self, theta: float) -> float:
        """Return the expected log fall over the window under a tilt."""
        weights = self.innovation.tilted(theta)
        innovation = -float((weights * self.innovation.sizes).sum() / weights.sum())
        jumps = -sum(jump.rate * float((jump.tilted(theta) * jump.sizes).sum()) for jump in self.jumps)
        return self.window * (innovation + jumps)

    def distance(self, theta: float) -> float:
        """Return the square root of twice the relative entropy of a tilt: for normal steps, its standard deviations."""
        entropy = theta * self._mean_statistic(theta) - self.log_moment(theta)
        return math.sqrt(2.0 * entropy) if not entropy <= 0.0 else 0.0

    def _mean_statistic(self, theta: float) -> float:
        weights = self.innovation.tilted(theta)
        innovation = -float((weights * self.innovation.statistic).sum() / weights.sum())
        jumps = -sum(jump.rate * float((jump.tilted(theta) * jump.statistic).sum()) for jump in self.jumps)
        return self.window * (innovation + jumps)


def make_proposal(arrays: ModelArrays, signals: Sequence[Signal]) -> ProposalArrays | None:
    """Choose tilted windows for the signals of a simulation.

    Each window length has a group of tilts; a reference without a window is watched over the whole term. Half a dozen
    tilts a group bring every drop between those of plain paths and `DEEPEST_LOG_DROP` within reach, as far as their
    probability exceeds about 1e-12. Under GARCH a fall is prepared by rising volatility, so storms take the place of
    tilted windows. Where a law has a heavy tail, one more group makes a single huge step or jump common.

    Returns
    -------
    ProposalArrays or None
        None where nothing can be tilted, as the price does not move.
    """
    n_steps = max(signal.term_steps for signal in signals)
    spans = sorted({signal.window_steps or signal.term_steps - signal.start_steps for signal in signals})
    with np.errstate(all="ignore"):  # absurd laws overflow on the way to a group that is not usable
        plain_share, found = _groups(arrays, spans, n_steps)
        groups = [group for group in found if group is not None and _is_usable(group)]
    return _arrays(groups, plain_share, signals, n_steps) if groups else None


def _groups(arrays: ModelArrays, spans: Sequence[int], n_steps: int) -> tuple[float, list[Group | None]]:
    innovation, jumps = innovation_law(arrays), jump_laws(arrays)
    huge = _huge_group(innovation, jumps)
    if arrays.law.size:
        lengths = _storm_lengths(arrays.law, spans[0], n_steps)
        return PLAIN_SHARE_UNDER_GARCH, [*(_storm_group(length, innovation, jumps) for length in lengths), huge]
    lengths = sorted({min(span, n_steps) for span in spans})
    return PLAIN_SHARE, [*(_window_group(length, innovation, jumps) for length in lengths), huge]


def _is_usable(group: Group) -> bool:
    """Whether every tilt of a group is a law in double precision, and another one than the model."""
    for k in group.multiples:
        theta = k * group.tilt
        masses = [float(law.tilted(theta).sum()) for law in (group.innovation, *group.jumps)]
        if not all(0.0 < mass < math.inf for mass in masses) or not abs(group.log_moment(theta)) < _LARGEST_MOMENT:
            return False
        if not 0.0 < group.distance(theta) < math.inf:
            return False
    return True


def _window_group(window: int, innovation: SegmentLaw, jumps: tuple[SegmentLaw, ...]) -> Group | None:
    """Choose the tilts of a window: neighbours are `SPACING` apart in distance."""
    untilted = _untilted(window, innovation, jumps)
    strongest = _strongest_tilt(untilted)
    if untilted.distance(strongest) < _WITHIN_SIGHT:
        return None
    tilt = strongest / N_TILTS
    distances = np.array([untilted.distance(k * tilt) for k in range(1, N_TILTS + 1)])
    wanted = np.arange(distances[-1], _WITHIN_SIGHT, -SPACING)
    multiples = {int(np.argmin(np.abs(distances - distance))) + 1 for distance in wanted}
    return Group(window=window, innovation=innovation, jumps=jumps, tilt=tilt, multiples=tuple(sorted(multiples)))


def _untilted(window: int, innovation: SegmentLaw, jumps: tuple[SegmentLaw, ...]) -> Group:
    return Group(window=window, innovation=innovation, jumps=jumps, tilt=0.0, multiples=())


def _strongest_tilt(group: Group) -> float:
    """Find the exponent that reaches the deepest drop or the largest rate, whichever is first.

    Without jumps the rate cannot exceed that of a window of nothing but the deepest innovation, and comes near it only
    under absurd exponents.
    """
    deepest = group.innovation.statistic == group.innovation.statistic.min()
    ceiling = -group.window * math.log(float(group.innovation.probabilities[deepest].sum()))
    largest = LARGEST_RATE if group.jumps else min(LARGEST_RATE, _NEAR_CEILING * ceiling)
    # Written so that an overflow to NaN is too strong.
    return _bisect(
        lambda theta: not (group.mean_fall(theta) < DEEPEST_LOG_DROP and 0.5 * group.distance(theta) ** 2 < largest)
    )


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


def _storm_lengths(law: FloatArray, window: int, n_steps: int) -> list[int]:
    _, alpha, beta, gamma = law
    persistence = min(alpha + beta + 0.5 * gamma, 1.0 - 1.0 / n_steps)
    half_life = math.log(0.5) / math.log(max(persistence, 0.5))
    return sorted({min(n_steps, window + round(share * half_life)) for share in STORM_HALF_LIVES})


def _storm_group(length: int, innovation: SegmentLaw, jumps: tuple[SegmentLaw, ...]) -> Group | None:
    """Make a stretch of large innovations, of both signs but more often falls, which raises the variance on its own."""
    scale = math.sqrt(float((innovation.probabilities * innovation.sizes**2).sum()))
    if scale == 0.0:
        return None
    bound = max(3.0, -quantile(innovation, MODERATE) / scale)
    standardised = np.clip(innovation.sizes / scale, -bound, bound)
    stormy = replace(innovation, statistic=standardised - STORM_SQUARE * standardised**2)
    calm = Group(window=length, innovation=stormy, jumps=tuple(map(_untouched, jumps)), tilt=0.0, multiples=())
    tilt = _bisect(lambda theta: not 0.5 * calm.distance(theta) ** 2 < STORM_ENTROPY)
    if not tilt:
        return None
    # Centred so that the exponent of a window is the log of its likelihood ratio, a number near zero on most paths.
    centred = replace(stormy, statistic=stormy.statistic + math.log(float(stormy.tilted(tilt).sum())) / tilt)
    return replace(calm, innovation=centred, tilt=tilt, multiples=(1,))


def _huge_group(innovation: SegmentLaw, jumps: tuple[SegmentLaw, ...]) -> Group | None:
    """Make one huge fall in one step: every octave of the lower tail of a heavy law becomes as likely as any other.

    The statistic is minus the log of the ratio of probabilities, so that the tilt 1 is the law wanted. An innovation is
    drawn from an even mixture of its law and the flat one; jumps of the flat law come on top, one in the step.
    """
    flat_jumps = tuple(_flattened(jump, 1.0, 1.0 / jump.rate) if is_heavy(jump) else _untouched(jump) for jump in jumps)
    flat_innovation = _flattened(innovation, 0.5, 0.5) if is_heavy(innovation) else _untouched(innovation)
    if not any(law.statistic.any() for law in (flat_innovation, *flat_jumps)):
        return None
    return Group(window=1, innovation=flat_innovation, jumps=flat_jumps, tilt=1.0, multiples=(1,))


def _untouched(law: SegmentLaw) -> SegmentLaw:
    return replace(law, statistic=np.zeros_like(law.sizes))


def _flattened(law: SegmentLaw, own: float, flat: float) -> SegmentLaw:
    side = len(law.sizes) // 2
    octaves = np.arange(side) // N_SEGMENTS
    deep = octaves >= N_OCTAVES - _FLAT_OCTAVES
    lower = np.where(deep, 1.0 / np.count_nonzero(deep), 0.0) / law.probabilities[:side]
    ratio = own + flat * np.concatenate([lower, np.zeros(len(law.sizes) - side)])
    return replace(law, statistic=-np.minimum(np.log(ratio), _LARGEST_EXPONENT))


def _arrays(groups: Sequence[Group], plain_share: float, signals: Sequence[Signal], n_steps: int) -> ProposalArrays:
    components = [(row, group, k) for row, group in enumerate(groups) for k in group.multiples]
    shares = np.concatenate([_shares(group) for group in groups]) * ((1.0 - plain_share) / len(groups))
    coefficients = np.zeros((len(groups), N_TILTS))
    for share, (row, group, k) in zip(shares, components, strict=True):
        coefficients[row, k - 1] = share * math.exp(-group.log_moment(k * group.tilt))
    tilted_jumps = [[jump.tilted(k * group.tilt) for jump in group.jumps] for _, group, k in components]
    n_sources, n_segments = len(groups[0].jumps), 2 * N_OCTAVES * N_SEGMENTS
    placements = np.array([_placements(group.window, signals, n_steps) for group in groups])
    return ProposalArrays(
        plain_share=plain_share,
        cumulated_shares=plain_share + np.cumsum(shares),
        group_of_component=np.array([row for row, _, _ in components], dtype=np.int64),
        innovation_statistic=np.array([group.innovation.statistic for group in groups]),
        innovation_cumulated=np.array(
            [_cumulated(group.innovation.tilted(k * group.tilt)) for _, group, k in components]
        ),
        size_statistic=np.array([[jump.statistic for jump in group.jumps] for group in groups]).reshape(
            len(groups), n_sources, n_segments
        ),
        size_cumulated=np.array([[_cumulated(tilted) for tilted in row] for row in tilted_jumps]).reshape(
            len(components), n_sources, n_segments
        ),
        multiplicity=np.array([[tilted.sum() for tilted in row] for row in tilted_jumps]).reshape(
            len(components), n_sources
        ),
        windows=np.array([group.window for group in groups], dtype=np.int64),
        tilts=np.array([group.tilt for group in groups]),
        coefficients=coefficients,
        placements=placements,
        cumulated_placements=np.cumsum(placements, axis=1),
    )


def _shares(group: Group) -> FloatArray:
    """Give stronger tilts more paths: their likelihood ratios scatter more."""
    weights = np.array([group.distance(k * group.tilt) ** LEAN for k in group.multiples])
    return np.asarray(weights / weights.sum())


def _cumulated(weights: FloatArray) -> FloatArray:
    cumulated = np.cumsum(weights)
    return np.asarray(cumulated / cumulated[-1])


def _placements(window: int, signals: Sequence[Signal], n_steps: int) -> FloatArray:
    """Return the probability of each start: even over each stretch that is watched, and over the stretches."""
    density = np.zeros(n_steps)
    stretches = {(signal.start_steps, signal.term_steps) for signal in signals}
    for start, term in stretches:
        last = min(max(start, term - window), n_steps - window)
        first = min(start, last)
        density[first : last + 1] += 1.0 / (last + 1 - first) / len(stretches)
    return density
