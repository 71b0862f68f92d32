"""The kernel in plain NumPy, stage by stage: its executable specification.

Same names, same order of operations, one path a column and one step a row, no lanes, no chunks. References are written
as their definition says, without any streaming. The results must agree with the kernel to the last bit.
"""

import numpy as np

from pricing.kernel_inputs import model_arrays
from pricing.triggers import Reference

N_OCTAVES, N_SEGMENTS = 53, 32
SIDE = N_OCTAVES * N_SEGMENTS


def splitmix(state):
    state = state + np.uint64(0x9E3779B97F4A7C15)
    z = state
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state, z ^ (z >> np.uint64(31))


class Generator:
    """xoshiro256++, one state a path, a hash of (seed, stream, path)."""

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


def table_value(table, side, uniform):
    fraction, exponent = np.frexp(uniform)  # uniform = fraction * 2^exponent, fraction in [1/2, 1)
    place = (2.0 * fraction - 1.0) * N_SEGMENTS
    segment = np.floor(place).astype(np.int64)
    t = place - segment
    column = (exponent - 1 + N_OCTAVES) * N_SEGMENTS + segment + side.astype(np.int64) * SIDE
    c = table.reshape(2 * SIDE, 4).T[:, column]
    return c[0] + t * (c[1] + t * (c[2] + t * c[3]))


def innovations_of(arrays, words):
    if arrays.innovations_are_values:
        n_values = np.uint64(len(arrays.innovations))
        return arrays.innovations[((words >> np.uint64(32)) * n_values) >> np.uint64(32)]
    return table_value(arrays.innovations, words & np.uint64(1), uniform_of(words))


def volatility_of(arrays, innovations):
    """Turn innovations, shape (steps, paths), into returns."""
    if not arrays.law.size:
        return arrays.deviation * innovations
    omega, alpha, beta, gamma = arrays.law
    variance = np.full(innovations.shape[1], arrays.initial_variance)
    returns = np.empty_like(innovations)
    for step, row in enumerate(innovations):
        shock = np.sqrt(variance) * row
        variance = omega + np.where(shock < 0.0, alpha + gamma, alpha) * (shock * shock) + beta * variance
        returns[step] = shock
    return returns


def add_jumps(returns, generator, mean_wait, split, sizes, waits):
    """Add every jump to the step that it falls into, path by path in the order of time."""
    n_steps, n_paths = returns.shape
    lower = np.zeros(n_paths, dtype=np.uint64)
    time = mean_wait * table_value(waits, lower, uniform_of(generator.next_word()))
    while True:
        (live,) = np.nonzero(time < n_steps)
        if not live.size:
            return
        side = (uniform_of(generator.next_word(live)) > split).astype(np.uint64)
        size = table_value(sizes, side, uniform_of(generator.next_word(live)))
        returns[time[live].astype(np.int64), live] += size
        time[live] += mean_wait * table_value(waits, lower[live], uniform_of(generator.next_word(live)))


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


def log_prices_of(model, seed, n_paths, n_steps):
    """Return log prices, shape (steps + 1, paths)."""
    arrays = model_arrays(model)
    paths = np.arange(n_paths, dtype=np.uint64)
    generator = Generator(seed, 0, paths)
    words = np.array([generator.next_word() for _ in range(n_steps)])
    returns = volatility_of(arrays, innovations_of(arrays, words))
    for source in range(len(arrays.mean_waits)):
        add_jumps(
            returns,
            Generator(seed, 1 + source, paths),
            arrays.mean_waits[source],
            arrays.splits[source],
            arrays.sizes[source],
            arrays.waits,
        )
    return np.concatenate([np.zeros((1, n_paths)), np.cumsum(arrays.drift + returns, axis=0)])


def fraction_of_log_drop(log_drop):
    """Return 1 - exp(-log_drop) by halving and a series, as the kernel does."""
    halvings = np.floor(log_drop * 1.4426950408889634 + 0.5)
    rest = (log_drop - halvings * 0.6931471803691238) - halvings * 1.9082149292705877e-10
    term = total = np.ones_like(log_drop)
    for k in range(1, 15):
        term = term * (-rest / k)
        total = total + term
    return 1.0 - np.ldexp(total, -halvings.astype(np.int64))


def worst_drops(model, signals, seed, n_paths):
    """Return what ``simulate`` returns, shape (signals, paths)."""
    log_prices = log_prices_of(model, seed, n_paths, max(signal.term_steps for signal in signals))
    return np.array([fraction_of_log_drop(worst_log_drop(log_prices, signal)) for signal in signals])
