"""The kernel in plain NumPy, stage by stage: its executable specification.

Same names, same order of operations, one path per column and one step per row, no lanes, no chunks. References are
written as their definition says, without any streaming. The results must agree with the kernel to the last bit.
"""

import numpy as np

from pricing.contract.triggers import Reference
from pricing.engine.kernel_inputs import model_arrays
from pricing.engine.rare_drops.mixture import make_proposal

N_OCTAVES, N_SEGMENTS = 53, 32
SIDE = N_OCTAVES * N_SEGMENTS


def splitmix(state):
    state = state + np.uint64(0x9E3779B97F4A7C15)
    z = state
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state, z ^ (z >> np.uint64(31))


class Generator:
    """xoshiro256++, one state per path, a hash of (seed, stream, path)."""

    def __init__(self, seed, stream, paths):
        _, key = splitmix(np.full(len(paths), seed, dtype=np.uint64))
        _, key = splitmix(key ^ np.uint64(stream))
        state = key ^ paths
        words = []
        for _ in range(4):
            state, word = splitmix(state)
            words.append(word)
        self.s = words

    def next_word(self, where=slice(None)):
        s0, s1, s2, s3 = (s[where] for s in self.s)
        word = rotate_left(s0 + s3, 23) + s0
        s2, s3 = s2 ^ s0, s3 ^ s1
        for state, new in zip(self.s, (s0 ^ s3, s1 ^ s2, s2 ^ (s1 << np.uint64(17)), rotate_left(s3, 45)), strict=True):
            state[where] = new
        return word


def rotate_left(x, k):
    return (x << np.uint64(k)) | (x >> np.uint64(64 - k))


def uniform_of(word):
    """Return (2 k + 1) / 2^53 for the upper 52 bits k of a word."""
    return (2.0 * (word >> np.uint64(12)).astype(np.float64) + 1.0) * 2.0**-53


def segment_and_place(side, uniform):
    """Return the segment of a quantile table and the place in it, from 0 to 1."""
    fraction, exponent = np.frexp(uniform)  # uniform = fraction * 2^exponent, fraction in [1/2, 1)
    place = (2.0 * fraction - 1.0) * N_SEGMENTS
    segment = np.floor(place).astype(np.int64)
    return (exponent - 1 + N_OCTAVES) * N_SEGMENTS + segment + side.astype(np.int64) * SIDE, place - segment


def cubic(table, segment, t):
    c = table.reshape(2 * SIDE, 4).T[:, segment]
    return c[0] + t * (c[1] + t * (c[2] + t * c[3]))


def table_value(table, side, uniform):
    return cubic(table, *segment_and_place(side, uniform))


def segments_of(arrays, words):
    if arrays.innovations_are_values:
        n_values = np.uint64(len(arrays.innovations))
        return (((words >> np.uint64(32)) * n_values) >> np.uint64(32)).astype(np.int64), np.zeros(words.shape)
    return segment_and_place(words & np.uint64(1), uniform_of(words))


def innovations_of(arrays, segments, places):
    if arrays.innovations_are_values:
        return arrays.innovations[segments]
    return cubic(arrays.innovations, segments, places)


def search(cumulated, uniform):
    """Return the first entry above `uniform`, or the last, and where between its neighbours it lies."""
    i = min(int(np.searchsorted(cumulated, uniform, side="right")), len(cumulated) - 1)
    below = cumulated[i - 1] if i else 0.0
    inside = cumulated[i] > below and uniform < cumulated[i]
    return i, (uniform - below) / (cumulated[i] - below) if inside else 0.5


class Mixture:
    """The component that each path comes from, and how likely the path is under all of them."""

    def __init__(self, proposal, seed, paths, n_steps):
        generator = Generator(seed, 1 << 30, paths)
        self.proposal = proposal
        self.component = np.full(len(paths), -1)
        self.begin = np.full(len(paths), n_steps + 1)
        self.end = self.begin.copy()
        self.further = {}  # path: source and time of the extra jump
        uniforms = uniform_of(generator.next_word())
        for path in np.flatnonzero(uniforms >= proposal.plain_share):
            self.component[path], _ = search(proposal.cumulated_shares, uniforms[path])
            self.place(path, lambda path=path: uniform_of(generator.next_word(np.array([path])))[0])
        self.statistic = np.zeros((len(proposal.windows), n_steps, len(paths)))
        self.n_jumps = np.zeros((n_steps, len(paths)))
        self.size_ratio = np.zeros((len(proposal.shares), len(paths)))  # sums over the jumps of a path

    def place(self, path, draw):
        proposal, component = self.proposal, self.component[path]
        group = proposal.group_of_component[component]
        if group >= 0:
            self.begin[path], _ = search(proposal.cumulated_placements[group], draw())
            self.end[path] = self.begin[path] + proposal.windows[group]
        if proposal.source_cumulated[component].any():
            source, _ = search(proposal.source_cumulated[component], draw())
            if group >= 0:
                self.further[path] = source, self.begin[path] + int(draw() * proposal.windows[group])
            else:
                self.further[path] = source, search(proposal.cumulated_moments, draw())[0]

    def tilt(self, words, segments, places):
        for path in np.flatnonzero(self.component >= 0):
            cumulated = self.proposal.innovation_cumulated[self.component[path]]
            for step in range(self.begin[path], min(self.end[path], len(words))):
                uniform = uniform_of(words[step, path])
                segments[step, path], places[step, path] = search(cumulated, uniform)
        self.statistic += self.proposal.innovation_statistic[:, segments]

    def step_of_jump_more(self, path, source):
        chosen, step = self.further.get(path, (None, np.inf))
        return step if chosen == source else np.inf

    def note_jump(self, step, path, source, segment):
        self.n_jumps[step, path] += 1.0
        self.statistic[:, step, path] += self.proposal.size_statistic[:, source, segment]
        self.size_ratio[:, path] += self.proposal.moments[step] * self.proposal.size_ratio[:, source, segment]

    def ratio(self, component):
        """Return the likelihood of the paths under a component over that under the model, window by window."""
        proposal, group = self.proposal, self.proposal.group_of_component[component]
        if group < 0:
            return self.size_ratio[component]
        ratio, window = np.zeros(self.n_jumps.shape[1]), proposal.windows[group]
        for start in range(len(self.n_jumps) - window + 1):
            total = self.statistic[group, start : start + window].sum(axis=0)
            one = np.exp(-proposal.tilts[component] * total - proposal.log_moments[component])
            if proposal.per_jump[component]:
                one *= proposal.per_jump[component] * self.n_jumps[start : start + window].sum(axis=0)
            ratio += proposal.placements[group, start] * one
        return ratio

    def weights(self):
        """Return one over the likelihood ratio of the mixture."""
        shares = self.proposal.shares
        return 1.0 / (self.proposal.plain_share + sum(share * self.ratio(i) for i, share in enumerate(shares)))


def volatility_of(arrays, innovations):
    """Turn innovations, shape (steps, paths), into returns."""
    scale = np.resize(arrays.scales, innovations.shape[1])
    if not arrays.law.size:
        return arrays.deviation * scale * innovations
    omega, alpha, beta, gamma = arrays.law
    omega, variance = omega * (scale * scale), arrays.initial_variance * (scale * scale)
    returns = np.empty_like(innovations)
    for step, row in enumerate(innovations):
        returns[step] = np.sqrt(variance) * row
        variance = omega + variance * (beta + np.where(row < 0.0, alpha + gamma, alpha) * (row * row))
    return returns


def add_jumps(returns, generator, arrays, source, mixture):
    """Add every jump to the step that it falls into, path by path in the order of time."""
    for path in range(returns.shape[1]):
        add_jumps_of_path(returns, generator, arrays, source, mixture, path)


def add_jumps_of_path(returns, generator, arrays, source, mixture, path):
    n_steps, lower, tilted, where = len(returns), np.zeros(1, dtype=np.uint64), False, np.array([path])
    switch = mixture.begin[path] if mixture and mixture.component[path] >= 0 else np.inf

    def draw():
        return uniform_of(generator.next_word(where))

    def tilted_size():
        return search(mixture.proposal.size_cumulated[mixture.component[path], source], draw()[0])

    def add(step, segment, place):
        returns[step, path] += cubic(arrays.sizes[source], segment, place)
        if mixture:
            mixture.note_jump(step, path, source, segment)

    def wait():
        steps = arrays.mean_waits[source] * table_value(arrays.waits, lower, draw())[0]
        return steps / mixture.proposal.multiplicity[mixture.component[path], source] if tilted else steps

    further_step = mixture.step_of_jump_more(path, source) if mixture else np.inf
    time = wait()
    while min(time, switch, further_step) < n_steps:
        # The kernel adds the extra jump before all others of its step.
        if further_step <= int(min(time, switch, n_steps)):
            add(further_step, *tilted_size())
            further_step = np.inf
            continue
        if switch <= time:
            tilted = not tilted
            time = switch + wait()
            switch = mixture.end[path] if tilted else np.inf
            continue
        if tilted:
            segment, place = tilted_size()
        else:
            side = (draw() > arrays.splits[source]).astype(np.uint64)
            (segment,), (place,) = segment_and_place(side, draw())
        add(int(time), segment, place)
        time += wait()


def worst_log_drop(log_prices, signal):
    """Return the worst log drop, by definition; row 0 of `log_prices` is the start."""
    observed = log_prices[signal.start_steps : signal.term_steps + 1]
    worst = np.zeros(log_prices.shape[1])
    for t in range(1, len(observed)):
        reference = {
            Reference.ROLLING_HIGH: lambda t: observed[max(0, t - signal.window_steps) : t + 1].max(axis=0),
            Reference.LAGGED: lambda t: observed[t - signal.window_steps] if t >= signal.window_steps else -np.inf,
            Reference.RUNNING_HIGH: lambda t: observed[: t + 1].max(axis=0),
            Reference.INCEPTION: lambda _: observed[0],
        }[signal.reference](t)
        worst = np.maximum(worst, reference - observed[t])
    return worst


def log_prices_and_weights(model, signals, settings):
    """Return log prices, shape (steps + 1, paths), and the weights of the paths."""
    arrays = model_arrays(model)
    n_steps, n_paths = max(signal.term_steps for signal in signals), settings.n_paths
    paths = np.arange(n_paths, dtype=np.uint64)
    proposal = make_proposal(arrays, signals) if settings.rare_drops else None
    mixture = Mixture(proposal, settings.seed, paths, n_steps) if proposal else None
    generator = Generator(settings.seed, 0, paths)
    words = np.array([generator.next_word() for _ in range(n_steps)])
    segments, places = segments_of(arrays, words)
    if mixture:
        mixture.tilt(words, segments, places)
    returns = volatility_of(arrays, innovations_of(arrays, segments, places))
    for source in range(len(arrays.mean_waits)):
        add_jumps(returns, Generator(settings.seed, 1 + source, paths), arrays, source, mixture)
    log_prices = np.concatenate([np.zeros((1, n_paths)), np.cumsum(arrays.drift + returns, axis=0)])
    return log_prices, mixture.weights() if mixture else np.ones(n_paths)


def fraction_of_log_drop(log_drop):
    """Return 1 - exp(-log_drop) by halving and a series, as the kernel does."""
    halvings = np.floor(log_drop * 1.4426950408889634 + 0.5)
    rest = (log_drop - halvings * 0.6931471803691238) - halvings * 1.9082149292705877e-10
    term = total = np.ones_like(log_drop)
    for k in range(1, 15):
        term = term * (-rest / k)
        total = total + term
    return 1.0 - np.ldexp(total, -halvings.astype(np.int64))


def worst_drops_and_weights(model, signals, settings):
    """Return what ``simulate`` returns: worst drops, shape (signals, paths), and weights."""
    log_prices, weights = log_prices_and_weights(model, signals, settings)
    return np.array([fraction_of_log_drop(worst_log_drop(log_prices, signal)) for signal in signals]), weights
