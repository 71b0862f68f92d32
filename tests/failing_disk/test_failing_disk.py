"""Every write, fsync and rename fails once: a reader finds the old or the new, and a second try completes the work."""

import os
import subprocess
import sys

import pytest

from tests.checkout import CHECKOUT
from tests.failing_disk import disk

pytestmark = pytest.mark.skipif(not disk.IS_POSSIBLE, reason="needs Linux and gcc, to load a library before libc")

#: Fewest operations of each scenario, and which of them fail here: all, or one in so many.
FEWEST = {
    "a text": (3, 1),
    "a surface": (4, 1),
    "a file of prices": (5, 1),
    "a publication": (10, 1),
    "a pruned store": (1, 1),
    "a night": (5, 7),
    "a priced book": (10, 13),
}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return disk.build(tmp_path_factory.mktemp("library"))


@pytest.mark.parametrize("name", FEWEST)
def test_one_failed_operation_leaves_the_old_or_the_new(library, name):
    fewest, every = FEWEST[name]
    done = subprocess.run(
        [sys.executable, "-m", "tests.failing_disk.run", name, str(every)],
        env={**os.environ, "LD_PRELOAD": str(library)},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= fewest
