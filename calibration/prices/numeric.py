"""Checks of numeric columns from files: a string that looks like a number is a mistake upstream, not a number."""

import numbers

import numpy as np
import numpy.typing as npt
import pandas as pd


def find_non_numbers(values: pd.Series) -> npt.NDArray[np.bool_]:
    """Mark values that are not real numbers: strings, flags, complex numbers; a missing value counts as a number.

    Examples
    --------
    >>> find_non_numbers(pd.Series([1, None, "2", True], dtype=object)).tolist()
    [False, False, True, True]
    """
    if pd.api.types.is_any_real_numeric_dtype(values.dtype):
        return np.zeros(len(values), dtype=np.bool_)
    return np.array([not _is_real(value) for value in values], dtype=np.bool_)


def _is_real(value: object) -> bool:
    return (
        value is None or value is pd.NA or (isinstance(value, numbers.Number) and not isinstance(value, bool | complex))
    )
