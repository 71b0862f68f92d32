"""Run the tests of this folder with other examples again and again, until a time is over: ``make fuzz``.

Examples that failed are kept in ``tests/fuzz/corpus`` and tried first.
"""

import argparse
import sys
import time

import pytest

from tests.checkout import CHECKOUT


def main() -> int:
    """Return the exit code of the first run that fails, or 0 once the time is over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    until = time.monotonic() + 60.0 * parser.parse_args().minutes
    n_runs = 0
    while time.monotonic() < until:
        failed = pytest.main(["-q", "-x", "--hypothesis-profile", "fuzz", str(CHECKOUT / "tests" / "fuzz")])
        if failed:
            return int(failed)
        n_runs += 1
    print(f"{n_runs} runs, nothing found")  # noqa: T201 - what the command is for
    return 0


if __name__ == "__main__":
    sys.exit(main())
