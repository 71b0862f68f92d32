"""Payment instructions leave once, however often the payer is killed."""

import os
import random
import signal
import sqlite3
import time
from decimal import Decimal
from itertools import chain, count

import pytest

from pricing.errors import PricingError
from settlement import ClaimStore, Outbox, State, TransparencyLog
from tests.settlement.decisions import FIRED, Policy

KILLS = 50
pytest.importorskip("sqlalchemy")  # imported here, so that 50 forked processes need not


def pausing(outbox, begun):
    """Return an outbox whose process stops once an instruction has left, before that is recorded, and tells so."""

    def send(instruction):
        outbox(instruction)
        os.write(begun, b"!")
        signal.pause()

    return send


def settle(folder, begun=None, outbox=None):
    """Complete all claims; a process that is to be killed tells that it began, and opens others without end."""
    outbox = Outbox(folder / "out") if outbox is None else outbox
    with ClaimStore(f"sqlite:///{folder / 'claims.db'}", log=TransparencyLog(folder / "log")) as store:
        store.fund(Decimal(10**9), "USD", key="deposit")
        states = {entry.claim: entry.state for entry in store.entries() if entry.claim}
        if begun is not None:
            os.write(begun, b"!")
        new = () if begun is None else map("C-{}".format, count(len(states)))
        for claim in chain((claim for claim, state in states.items() if state is not State.PAID), new):
            store.open(Policy(claim), FIRED)
            store.confirm(claim)
            store.pay(claim, outbox)
        return len(states)


def kill_one(folder, seconds):
    """Settle in a forked process, which never returns to the tests, and kill it.

    It is killed after some seconds, or, if they are None, when an instruction has left but that is not recorded.
    """
    ready, begun = os.pipe()
    child = os.fork()
    if not child:
        try:
            settle(folder, begun, pausing(Outbox(folder / "out"), begun) if seconds is None else None)
        finally:
            os._exit(1)
    os.close(begun)
    assert os.read(ready, 1) == b"!"  # nothing, if the child failed before
    if seconds is None:
        assert os.read(ready, 1) == b"!"
    else:
        time.sleep(seconds)
    os.close(ready)
    os.kill(child, signal.SIGKILL)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])


def files_of(folder):
    """Return what each instruction is: a file that was written again has another number."""
    return {path.name: (path.stat().st_ino, path.read_bytes()) for path in folder.glob("*.json")}


def count_paid(folder):
    with sqlite3.connect(folder / "claims.db") as connection:
        return connection.execute("SELECT count(*) FROM crashcover_entries WHERE key LIKE '%:left'").fetchone()[0]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_an_instruction_leaves_once_if_the_payer_is_killed_50_times(tmp_path):
    draw, left, between = random.Random(11), {}, 0
    for number in range(KILLS):
        kill_one(tmp_path, None if number % 5 == 0 else draw.uniform(0.0, 0.02))
        found = files_of(tmp_path / "out")
        assert {name: found[name] for name in left} == left
        between += len(found) > count_paid(tmp_path)
        left = found
    assert between >= KILLS // 5  # kills came also after an instruction had left, but before that was recorded
    claims = settle(tmp_path)
    found = files_of(tmp_path / "out")
    assert {name: found[name] for name in left} == left
    assert len(found) == count_paid(tmp_path) == claims
    with ClaimStore(f"sqlite:///{tmp_path / 'claims.db'}", log=TransparencyLog(tmp_path / "log")) as store:
        assert store.balance("paid") == 60 * claims
        assert len(store.entries()) == len(store.log) == 1 + 4 * claims


def test_an_instruction_that_cannot_be_written_is_not_recorded_as_paid(tmp_path):
    (tmp_path / "out").write_text("a file where the folder should be")
    with ClaimStore("sqlite://") as store:
        store.fund(Decimal(100), "USD", key="deposit")
        store.open(Policy(), FIRED)
        store.confirm("C-1")
        with pytest.raises((OSError, PricingError)):
            store.pay("C-1", Outbox(tmp_path / "out"))
        assert store.state("C-1") is State.PAYING
