"""Mixtures of laws from which paths are drawn so that deep drops are common.

With probability `plain_share` a path follows the model. Otherwise it is drawn from a component: a law under which falls
are common (``tilts``). The weight of a path is one over the likelihood ratio of the whole mixture, so it is
bounded by ``1 / plain_share`` for every path (Hesterberg 1995), and one sample serves all drops.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pricing.contract.signals import Signal
from pricing.engine.kernel import simulate_blocks
from pricing.engine.kernel_inputs import ModelArrays, watches_and_records
from pricing.engine.rare_drops.segments import innovation_law, jump_laws
from pricing.engine.rare_drops.shares import best_shares
from pricing.engine.rare_drops.tilts import Component, further_jumps, huge_steps, storms, tilted_windows
from pricing.tools.arrays import FloatArray, LongArray

PLAIN_SHARE = 0.05
"""Least share of paths that follow the model itself, if steps are independent."""
PLAIN_SHARE_UNDER_GARCH = 0.77
"""The share under GARCH: no estimate is worse than plain simulation by more than 1 / 0.77 = 1.3 in variance."""
PILOT_PATHS = 16_384
"""Number of paths of the pilot simulation that determines the shares of the components."""
PILOT_SEED = 1
"""Seed of the pilot simulation: the shares are a function of the model and the signals."""

_LEAST_SHARE = 0.01  # of a component that is worth its cost
_GRAIN = 200  # shares are whole multiples of 1 / 200: rounding errors of the search do not affect the paths


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProposalArrays:
    """A mixture in the form that the kernel reads. Components that tilt the same window and statistic share a group.

    Parameters
    ----------
    plain_share : float
        Probability of the model itself.
    shares, cumulated_shares : ndarray of shape (n_components,)
        Probability of each component; the same, cumulated, from `plain_share` to 1.
    group_of_component : ndarray of shape (n_components,)
        Row of the group; -1 if no window is tilted.
    tilts, log_moments, per_jump : ndarray of shape (n_components,)
        As in ``Component``.
    innovation_cumulated : ndarray of shape (n_components, n_segments)
        Cumulated probabilities of the segments (or values) of the innovations.
    size_cumulated : ndarray of shape (n_components, n_sources, n_segments)
        The same of the jump sizes.
    multiplicity : ndarray of shape (n_components, n_sources)
        Factor on the rate of each source.
    source_cumulated : ndarray of shape (n_components, n_sources)
        Cumulated probabilities that each source makes the extra jump; zeros if there is none.
    size_ratio : ndarray of shape (n_components, n_sources, n_segments)
        Likelihood ratio of the extra jump anywhere.
    windows : ndarray of shape (n_groups,)
        Length of the tilted window, in steps.
    innovation_statistic : ndarray of shape (n_groups, n_segments)
        Statistic of each segment (or value) of the innovations.
    size_statistic : ndarray of shape (n_groups, n_sources, n_segments)
        Statistic of each segment of the jump sizes.
    placements, cumulated_placements : ndarray of shape (n_groups, n_steps)
        Probability of each start of the window.
    moments, cumulated_moments : ndarray of shape (n_steps,)
        Probability that each step contains the extra jump anywhere.
    """

    plain_share: float
    shares: FloatArray
    cumulated_shares: FloatArray
    group_of_component: LongArray
    tilts: FloatArray
    log_moments: FloatArray
    per_jump: FloatArray
    innovation_cumulated: FloatArray
    size_cumulated: FloatArray
    multiplicity: FloatArray
    source_cumulated: FloatArray
    size_ratio: FloatArray
    windows: LongArray
    innovation_statistic: FloatArray
    size_statistic: FloatArray
    placements: FloatArray
    cumulated_placements: FloatArray
    moments: FloatArray
    cumulated_moments: FloatArray


def make_proposal(arrays: ModelArrays, signals: Sequence[Signal]) -> ProposalArrays | None:
    """Choose the mixture for the signals of a simulation.

    If steps are independent, a pilot simulation determines the shares: every drop of probability 0.2 to 1e-12, up to 95
    %, is to be estimated with about the same relative error. Under GARCH, rising volatility precedes a fall, so storms
    take the place of tilted windows, and shares are equal.

    Returns
    -------
    ProposalArrays or None
        None if nothing can be tilted because the price does not move.
    """
    with np.errstate(all="ignore"):  # extreme laws overflow on the way to a tilt that is not usable
        components = _components(arrays, signals)
    if not components:
        return None
    plain_share = PLAIN_SHARE_UNDER_GARCH if arrays.law.size else PLAIN_SHARE
    shares = np.full(len(components), (1.0 - plain_share) / len(components))
    proposal = _arrays(components, shares, signals)
    if arrays.law.size:
        return proposal
    shares = _rounded(_pilot(proposal, arrays, signals))
    kept = np.flatnonzero(shares)
    return _arrays([components[i] for i in kept], shares[kept], signals) if kept.size else proposal


def _components(arrays: ModelArrays, signals: Sequence[Signal]) -> list[Component]:
    """List the candidate laws; a reference without a window is observed over the whole term."""
    n_steps = _n_steps(signals)
    spans = sorted({min(n_steps, signal.window_steps or signal.term_steps - signal.start_steps) for signal in signals})
    innovation, jumps = innovation_law(arrays), jump_laws(arrays)
    if arrays.law.size:
        windows = list(storms(arrays.law, spans[0], n_steps, innovation, jumps))
    else:
        windows = [component for span in spans for component in tilted_windows(span, innovation, jumps)]
    return [*windows, *huge_steps(innovation, jumps), *further_jumps(innovation, jumps, n_steps)]


def _pilot(proposal: ProposalArrays, arrays: ModelArrays, signals: Sequence[Signal]) -> FloatArray:
    """Simulate a few paths under equal shares and return better shares."""
    watches, records = watches_and_records(signals)
    worst_drops = np.empty((len(signals), PILOT_PATHS))
    ratios = np.ones((1 + len(proposal.shares), PILOT_PATHS))
    simulate_blocks(
        seed=PILOT_SEED,
        first_block=0,
        watches=watches,
        records=records,
        worst_drops=worst_drops,
        weights=np.empty(PILOT_PATHS),
        proposal=proposal,
        ratios=ratios[1:],
        **arrays.as_arguments(),
    )
    return best_shares(ratios, worst_drops, np.concatenate([[proposal.plain_share], proposal.shares]))[1:]


def _rounded(shares: FloatArray) -> FloatArray:
    """Leave out components that are hardly used, because each costs time, and round the others down."""
    used = np.where(shares >= _LEAST_SHARE, shares, 0.0)
    return np.asarray(np.floor(_GRAIN * used * (shares.sum() / max(used.sum(), _LEAST_SHARE))) / _GRAIN)


def _arrays(components: Sequence[Component], shares: FloatArray, signals: Sequence[Signal]) -> ProposalArrays:
    n_steps, plain_share = _n_steps(signals), 1.0 - float(shares.sum())
    groups = list(dict.fromkeys(component.window for component in components if component.window))
    jump_shape = components[0].sizes.shape
    placements = np.array([_placements(group.length, signals, n_steps) for group in groups]).reshape(-1, n_steps)
    moments = _placements(1, signals, n_steps)
    return ProposalArrays(
        plain_share=plain_share,
        shares=shares,
        cumulated_shares=plain_share + np.cumsum(shares),
        group_of_component=np.array([groups.index(one.window) if one.window else -1 for one in components]),
        tilts=np.array([one.tilt for one in components]),
        log_moments=np.array([one.log_moment for one in components]),
        per_jump=np.array([one.per_jump for one in components]),
        innovation_cumulated=_cumulated([one.innovations for one in components]),
        size_cumulated=_cumulated([one.sizes for one in components]),
        multiplicity=np.array([one.multiplicity for one in components]),
        source_cumulated=_cumulated([one.sources for one in components]),
        size_ratio=np.array([one.size_ratio for one in components]),
        windows=np.array([group.length for group in groups], dtype=np.int64),
        innovation_statistic=np.array([group.innovation.statistic for group in groups]).reshape(
            len(groups), components[0].innovations.size
        ),
        size_statistic=np.array([[jump.statistic for jump in group.jumps] for group in groups]).reshape(
            len(groups), *jump_shape
        ),
        placements=placements,
        cumulated_placements=np.cumsum(placements, axis=1),
        moments=moments,
        cumulated_moments=np.cumsum(moments),
    )


def _n_steps(signals: Sequence[Signal]) -> int:
    return max(signal.term_steps for signal in signals)


def _cumulated(probabilities: Sequence[FloatArray]) -> FloatArray:
    return np.cumsum(np.array(probabilities), axis=-1)


def _placements(window: int, signals: Sequence[Signal], n_steps: int) -> FloatArray:
    """Return the probability of each start: uniform over each observed interval, and over the intervals."""
    density = np.zeros(n_steps)
    stretches = {(signal.start_steps, signal.term_steps) for signal in signals}
    for start, term in stretches:
        last = min(max(start, term - window), n_steps - window)
        first = min(start, last)
        density[first : last + 1] += 1.0 / (last + 1 - first) / len(stretches)
    return density
