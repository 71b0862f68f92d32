"""Build the compiled kernels: one source, once per instruction set. The rest of the package is in pyproject.toml.

The environment variable ``CRASHCOVER_SANITIZE=1`` builds kernels that stop at the first bad address or undefined
operation instead; only ``make sanitize`` wants them (GCC on Linux).
"""

import os
import platform
import subprocess
import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

# -fno-math-errno and -fno-trapping-math let the compiler vectorise at all. -ffp-contract=off keeps the bits equal on
# every machine, because a fused multiply-add rounds once where two operations round twice. Never -ffast-math. The last
# keeps GCC from unrolling the loops over sixteen lanes before it looks at them.
COMMON = ["-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off"]
GCC_ONLY = ["--param=max-completely-peel-times=8"]
# float-cast-overflow is not part of undefined. The first finding ends the process, so that no test can pass over it.
SANITIZERS = ["-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all"]
SANITIZED = (
    [*SANITIZERS, "-O1", "-g", "-fno-omit-frame-pointer"] if os.environ.get("CRASHCOVER_SANITIZE") == "1" else []
)
INSTRUCTION_SETS = {
    "_kernels_avx2": ["-mavx2"],
    "_kernels_avx512": ["-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mprefer-vector-width=512"],
}


def is_gcc(compiler):
    """Ask the compiler: clang answers to the name of gcc on some systems."""
    answer = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False)
    return "Free Software Foundation" in answer.stdout


class BuildKernels(build_ext):
    """Compile each variant in a folder of its own, as all come from one C file."""

    def build_extension(self, ext):
        """Compile one variant."""
        shared = self.build_temp
        self.build_temp = str(Path(shared) / ext.name)
        if self.compiler.compiler_type == "unix" and is_gcc(self.compiler.compiler_so[0]):
            ext.extra_compile_args = [*ext.extra_compile_args, *GCC_ONLY]
        super().build_extension(ext)
        self.build_temp = shared


def kernel(name, flags):
    """Describe one variant; its init function takes the name of the module."""
    compile_args = ["/O2", "/fp:precise"] if sys.platform == "win32" else [*COMMON, *flags, *SANITIZED]
    macros = [("PyInit__kernels", f"PyInit_{name}")] if name != "_kernels" else []
    return Extension(
        f"pricing.{name}",
        ["pricing/_kernels.c"],
        define_macros=macros,
        extra_compile_args=compile_args,
        extra_link_args=SANITIZERS if SANITIZED else [],
    )


cythonize("pricing/_kernels.pyx", compiler_directives={"language_level": 3})
has_variants = platform.machine().lower() in {"x86_64", "amd64"} and sys.platform != "win32"
variants = INSTRUCTION_SETS if has_variants else {}
setup(
    cmdclass={"build_ext": BuildKernels},
    ext_modules=[kernel("_kernels", []), *(kernel(name, flags) for name, flags in variants.items())],
)
