"""Choose, at import, the build of the kernel with the widest instruction set that this machine supports.

The environment variable ``CRASHCOVER_INSTRUCTION_SET`` (baseline, avx2 or avx512) overrules the choice. All builds come
from one source and give the same bits.
"""

import importlib
import importlib.util
import os
from types import ModuleType

from pricing import _kernels
from pricing.errors import SimulationError

VARIABLE = "CRASHCOVER_INSTRUCTION_SET"
_MODULES = {"baseline": "pricing._kernels", "avx2": "pricing._kernels_avx2", "avx512": "pricing._kernels_avx512"}


def usable_builds() -> list[str]:
    """Return the names of the installed builds that this machine supports, narrowest first."""
    return [name for name in _kernels.instruction_sets() if importlib.util.find_spec(_MODULES[name]) is not None]


def load_build(name: str) -> ModuleType:
    """Import one build.

    Raises
    ------
    SimulationError
        If it is not usable on this machine.
    """
    usable = usable_builds()
    if name not in usable:
        raise SimulationError(f"{VARIABLE} must be one of {', '.join(usable)} on this machine, got {name!r}")
    return importlib.import_module(_MODULES[name])


instruction_set = os.environ.get(VARIABLE) or usable_builds()[-1]
simulate_blocks = load_build(instruction_set).simulate_blocks
