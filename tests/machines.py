"""Other processors, emulated by the environment variables that narrow the loops of NumPy, BLAS, the kernel and libc.

    python -m tests.machines -m pytest tests/calibration

runs a program of Python as it would run on the narrowest of them.
"""

import os
import platform
import sys

from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

#: Instructions that the GNU C library is told to leave alone; other C libraries do not read the variable.
_WIDE_IN_LIBC = "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX512F"


def is_x86() -> bool:
    """Return whether the emulated processors are narrower kinds of this one."""
    return platform.machine().lower() in {"x86_64", "amd64"}


def without_wide_loops() -> dict[str, str]:
    """Return the environment of a processor with the least that NumPy supports."""
    wide = [name for name in __cpu_dispatch__ if __cpu_features__.get(name)]
    return {"NPY_DISABLE_CPU_FEATURES": ",".join(wide)} if wide else {}


def narrowest() -> dict[str, str]:
    """Return the environment of a processor of 2008 with one BLAS thread."""
    if not is_x86():
        return {"OPENBLAS_NUM_THREADS": "1"}
    return {
        **without_wide_loops(),
        "OPENBLAS_CORETYPE": "Nehalem",
        "OPENBLAS_NUM_THREADS": "1",
        "CRASHCOVER_INSTRUCTION_SET": "baseline",
        "GLIBC_TUNABLES": _WIDE_IN_LIBC,
    }


if __name__ == "__main__":
    environment = narrowest()
    sys.stdout.write("".join(f"{name}={value}\n" for name, value in environment.items()))
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, *sys.argv[1:]], os.environ | environment)
