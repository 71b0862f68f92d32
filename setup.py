"""Build the compiled kernels: one source, once per instruction set. The rest of the package is in pyproject.toml.

The environment variable ``CRASHCOVER_SANITIZE=1`` builds kernels that stop at the first bad address or undefined
operation instead; only ``make sanitize`` uses them (GCC on Linux).
"""

import copy
import os
import platform
import subprocess
import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

# -fno-math-errno and -fno-trapping-math let the compiler vectorise at all. -ffp-contract=off keeps the bits equal on
# every machine, because a fused multiply-add rounds once where two operations round twice. Never -ffast-math. -g0
# leaves out debug information, which takes a quarter of the compiler's time. The flag for GCC keeps it from unrolling
# the loops over sixteen lanes before it vectorises them.
COMMON = ["-O3", "-g0", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off"]
GCC_ONLY = ["--param=max-completely-peel-times=8"]
# float-cast-overflow is not part of undefined. The first finding ends the process, so that no test can ignore it.
SANITIZERS = ["-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all"]
SANITIZED = (
    [*SANITIZERS, "-O1", "-g", "-fno-omit-frame-pointer"] if os.environ.get("CRASHCOVER_SANITIZE") == "1" else []
)
INSTRUCTION_SETS = {
    "_kernels_avx2": ["-mavx2"],
    "_kernels_avx512": ["-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mprefer-vector-width=512"],
}


def is_gcc(compiler):
    """Return whether a compiler is GCC; on some systems the command gcc is clang."""
    answer = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False)
    return "Free Software Foundation" in answer.stdout


class BuildKernels(build_ext):
    """Compile the extensions in parallel, each in its own folder, because the variants share one C file."""

    def finalize_options(self):
        """Use one thread per processor unless the command line says otherwise."""
        super().finalize_options()
        self.parallel = self.parallel or True

    def build_extension(self, ext):
        """Compile one extension on a copy of the command, because all threads share the command itself."""
        if self.compiler.compiler_type == "unix" and is_gcc(self.compiler.compiler_so[0]):
            ext.extra_compile_args = [*ext.extra_compile_args, *GCC_ONLY]
        apart = copy.copy(self)
        apart.build_temp = str(Path(self.build_temp) / ext.name)
        super(BuildKernels, apart).build_extension(ext)


def extension(name, source, flags, **options):
    """Describe one extension module of pricing; the flags are for GCC and clang."""
    compile_args = ["/O2", "/fp:precise"] if sys.platform == "win32" else [*flags, *SANITIZED]
    return Extension(
        f"pricing.{name}",
        [f"pricing/{source}"],
        extra_compile_args=compile_args,
        extra_link_args=SANITIZERS if SANITIZED else [],
        **options,
    )


def kernel(name, flags):
    """Describe one variant of the kernel; its init function takes the name of the module."""
    macros = [("PyInit__kernels", f"PyInit_{name}")] if name != "_kernels" else []
    return extension(name, "_kernels.c", [*COMMON, *flags], define_macros=macros)


# Cython's memoryview classes would take half of the compiler's time for every variant. This module shares them between
# the variants. No hot loop uses them. The module has no source to declare that it needs no GIL: the directive does.
SHARED = extension("_kernels_cython", "_kernels_cython.c", ["-O1", "-g0"])
cythonize(
    [Extension("pricing._kernels", ["pricing/_kernels.pyx"]), SHARED],
    compiler_directives={"freethreading_compatible": True},
    shared_utility_qualified_name=SHARED.name,
)
has_variants = platform.machine().lower() in {"x86_64", "amd64"} and sys.platform != "win32"
variants = INSTRUCTION_SETS if has_variants else {}
setup(
    cmdclass={"build_ext": BuildKernels},
    ext_modules=[kernel("_kernels", []), *(kernel(name, flags) for name, flags in variants.items()), SHARED],
)
