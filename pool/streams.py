"""Random numbers by name: each use has its own stream, so one more token does not change the draws of others."""

import numpy as np

from pricing.tools.arrays import FloatArray, IntArray


def uniforms(seed: int, stream: str, n: int) -> FloatArray:
    """Draw uniforms strictly between 0 and 1 from a named stream.

    Raw bits of PCG64 are the same on every machine and under every version of NumPy.

    Parameters
    ----------
    seed : int
        Not negative.
    stream : str
        Name of the stream.
    n : int
        Number of draws.

    Examples
    --------
    >>> uniforms(1, "shocks", 2)
    array([0.9725327 , 0.99434444])
    """
    bits = np.random.PCG64(np.random.SeedSequence(seed, spawn_key=tuple(stream.encode()))).random_raw(n)
    return np.asarray(((bits >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53)


def shuffle(seed: int, stream: str, n: int) -> IntArray:
    """Return 0 to ``n - 1`` in random order."""
    return np.argsort(uniforms(seed, stream, n), kind="stable")


def stratified_uniforms(seed: int, stream: str, n: int) -> FloatArray:
    """Draw one uniform from the middle of each of `n` equal strata, in random order."""
    return np.asarray((shuffle(seed, stream, n) + 0.5) / n)
