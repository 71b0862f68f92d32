"""Build the compiled kernels. Everything else about the package is in pyproject.toml."""

import sys

from Cython.Build import cythonize
from setuptools import Extension, setup

# Without the first three the compiler vectorises no lane loop; -ffp-contract=off keeps the bits equal on every
# machine, because a fused multiply-add rounds once where two operations round twice. Never -ffast-math.
GCC_FLAGS = ["-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off"]
MSVC_FLAGS = ["/O2", "/fp:precise"]

kernels = Extension(
    "pricing._kernels",
    sources=["pricing/_kernels.pyx"],
    extra_compile_args=MSVC_FLAGS if sys.platform == "win32" else GCC_FLAGS,
)

setup(ext_modules=cythonize([kernels], compiler_directives={"language_level": 3}))
