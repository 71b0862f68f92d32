import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

N_LANES: int
N_OCTAVES: int
N_SEGMENTS: int

def instruction_sets() -> list[str]:
    """Return the instruction sets that this processor supports and the kernel is built for, narrowest first."""

def simulate_blocks(
    *,
    seed: int,
    first_block: int,
    drift: float,
    deviation: float,
    initial_variance: float,
    scales: FloatArray,
    law: FloatArray,
    innovations: FloatArray,
    innovations_are_values: bool,
    waits: FloatArray,
    mean_waits: FloatArray,
    splits: FloatArray,
    sizes: FloatArray,
    watches: IntArray,
    records: IntArray,
    worst_drops: FloatArray,
    weights: FloatArray,
    proposal: object | None = None,
    ratios: FloatArray | None = None,
    log_prices: FloatArray | None = None,
) -> int:
    """Fill `worst_drops` with the worst drops of consecutive blocks of paths; the GIL is released.

    Parameters
    ----------
    seed : int
        Seed, from 0 to 2^64 - 1.
    first_block : int
        First block of N_LANES paths.
    drift : float
        Drift of the log price per step.
    deviation : float
        Standard deviation per step if `law` is empty.
    initial_variance : float
        Variance of the first step if `law` is not empty.
    scales : ndarray of shape (N_LANES,)
        Factor on all volatility of each path of a block.
    law : ndarray of shape (0,) or (4,)
        omega, alpha, beta and gamma of a GARCH law, or nothing.
    innovations : ndarray of shape (8 * N_OCTAVES * N_SEGMENTS,) or (n_values,)
        A quantile table, or values of equal probability.
    innovations_are_values : bool
        Whether `innovations` is a table.
    waits : ndarray of shape (8 * N_OCTAVES * N_SEGMENTS,)
        Quantile table of the unit exponential law.
    mean_waits : ndarray of shape (n_sources,)
        Mean number of steps between two jumps of each source.
    splits : ndarray of shape (n_sources,)
        Probability of the lower side of each size table.
    sizes : ndarray of shape (n_sources, 8 * N_OCTAVES * N_SEGMENTS)
        Quantile tables of the log jumps.
    watches : ndarray of shape (n_watches, 3)
        Reference, window and start of each observation, in steps.
    records : ndarray of shape (n_records, 3)
        Term in steps, watch and row of `worst_drops`, ordered by term.
    worst_drops : ndarray of shape (n_records, n_paths)
        Output: worst drops as fractions.
    weights : ndarray of shape (n_paths,)
        Output: likelihood ratio of each path.
    proposal : ProposalArrays, optional
        Laws from which the paths are drawn instead of the model; see ``pricing.engine.rare_drops.mixture``.
    ratios : ndarray of shape (n_components, n_paths), optional
        Output: ratio of the likelihood of each path under each component of the proposal to that under the model.
    log_prices : ndarray of shape (n_steps, n_paths), optional
        Output: log price after each step up to the last term; the start is 0.

    Returns
    -------
    int
        Number of paths whose log price is not finite.

    Raises
    ------
    ValueError
        If arguments are inconsistent.
    """
