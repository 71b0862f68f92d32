"""Tokens whose name says how they fail, in this process or in a spawned one."""

import os
import signal
from unittest import mock

from crashcover.rates import token
from crashcover.rates.token import RateOutcome
from pricing import compact
from tests.pricing.rates.store_worlds import simulate_surface

#: What is raised for a token whose name begins so.
#: What is raised for a token whose name begins so.
RAISED = {
    kind.__name__: kind for kind in (StopIteration, KeyError, MemoryError, RecursionError, OSError, AssertionError)
}
KILLED, GOOD = "Killed", "Good"


def rate_token(task):
    """Rate a token as ``crashcover.rates.token`` does, but fail as its name says, and calibrate nothing."""
    with mock.patch.object(token, "_rate", _rate):
        return token.rate_token(task)


def _rate(task):
    how = task.asset.partition("-")[0]
    if how == KILLED:
        os.kill(os.getpid(), signal.SIGKILL)
    if how != GOOD:
        raise RAISED[how]
    compact(simulate_surface("plain", n_paths=200)).save(task.surface_file)
    return RateOutcome(asset=task.asset, surface_id="surface", calibration_id="calibration")
