"""Size and seed of a simulation."""

from dataclasses import dataclass

from pricing.errors import SimulationError
from pricing.tools.fields import require_flag
from pricing.tools.units import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationSettings:
    """Size and seed of a simulation.

    Parameters
    ----------
    n_paths : int
        Number of paths.
    seed : int
        Seed of every random stream, from 0 to 2^64 - 1; results are a function of it.
    n_threads : int
        Number of threads; results do not depend on it.
    rare_drops : bool
        Draw most paths from laws under which deep drops are common, and weight them (importance sampling). It pays off
        for probabilities below one in a hundred if steps are independent, and below one in a thousand under GARCH; see
        ``pricing.engine.rare_drops.mixture``.

    Raises
    ------
    SimulationError
        If a number is out of range.
    """

    n_paths: int = 100_000
    seed: int = 1
    n_threads: int = 1
    rare_drops: bool = False

    def __post_init__(self) -> None:
        self._require_integer("n_paths", smallest=1, largest=2**40)
        self._require_integer("seed", smallest=0, largest=2**64 - 1)
        self._require_integer("n_threads", smallest=1, largest=1024)
        require_flag(self.rare_drops, "rare_drops", SimulationError)

    def _require_integer(self, field: str, *, smallest: int, largest: int) -> None:
        value = getattr(self, field)
        if isinstance(value, bool) or not isinstance(value, int) or not smallest <= value <= largest:
            raise SimulationError(f"{field} must be a whole number from {smallest} to {largest}, got {shown(value)}")
