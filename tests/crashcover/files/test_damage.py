"""A damaged file is read right, or refused in one line: never a traceback, never another price in silence."""

import pytest

from tests.crashcover.files.damage import run


@pytest.mark.parametrize("seed", [1, 2])
def test_damaged_files_are_read_right_or_refused(seed):
    outcomes = run(200, seed=seed)
    assert outcomes["right"] > 20
    assert outcomes["refused"] > 50
    assert outcomes["as written"] < 5
