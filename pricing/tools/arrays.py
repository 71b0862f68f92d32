"""Names of array types, and a view of an array as plain numbers."""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
LongArray = npt.NDArray[np.int64]
CodeArray = npt.NDArray[np.int8]
BoolArray = npt.NDArray[np.bool_]


def view_of(numbers: FloatArray) -> "memoryview[float]":
    """View a contiguous array: an entry of the view is a plain number, which takes less time than one of an array."""
    return memoryview(numbers.data).cast("B").cast("d")
