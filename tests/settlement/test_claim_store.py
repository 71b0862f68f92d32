"""Claims from the decision to the payment, in SQLite and in PostgreSQL."""

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from pricing import Cover, DropTrigger, FullPayout
from pricing.errors import CorruptLogError, LedgerError
from settlement import Account, ClaimStore, Outbox, State, TransparencyLog, hash_leaf, verify_inclusion
from tests.settlement.decisions import FIRED, NOT_FIRED, UNKNOWN, Policy

AT = datetime(2026, 12, 1, tzinfo=UTC)
DAY = timedelta(days=1)
POLICY = Policy()


@pytest.fixture(scope="module")
def server():
    """Start a PostgreSQL server of our own, which only listens on a socket in a folder of its own."""
    if shutil.which("initdb") is None or shutil.which("pg_ctl") is None:
        pytest.skip("initdb and pg_ctl of PostgreSQL are not on the path")
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as name:
        folder, user = Path(name), []
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            if shutil.which("runuser") is None:
                pytest.skip("PostgreSQL does not run as root, and there is no runuser")
            shutil.chown(folder, "postgres", "postgres")
            user = ["runuser", "-u", "postgres", "--"]

        def run(*command):
            subprocess.run([*user, *command], cwd="/", check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

        run("initdb", "-D", str(folder / "data"), "-U", "tester", "-A", "trust", "--no-sync")
        options = f"-k {folder} -c listen_addresses=''"
        run("pg_ctl", "start", "-w", "-D", str(folder / "data"), "-o", options, "-l", str(folder / "messages"))
        try:
            yield f"postgresql+psycopg://tester@/postgres?host={folder}"
        finally:
            run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", str(folder / "data"))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'claims.db'}"
    found = request.getfixturevalue("server")
    execute(found, "DROP TABLE IF EXISTS crashcover_entries")
    return found


def execute(url, statement):
    """Do to the database what the ledger never does."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.fixture
def store(url):
    with ClaimStore(url) as store:
        store.fund(Decimal(1000), "USD", key="deposit-1")
        yield store


def balances(store):
    found = {account.value: store.balance(account) for account in Account}
    assert sum(found.values()) == 0
    return {name: amount for name, amount in found.items() if amount}


def test_a_claim_goes_from_the_decision_to_the_payment(store, url, tmp_path):
    store.activate(POLICY, premium=Decimal("5.25"))
    assert store.open(POLICY, FIRED).state is State.CANDIDATE
    assert balances(store) == {"outside": Decimal("-1005.25"), "pool": 940, "premium": Decimal("5.25"), "reserves": 60}
    assert store.confirm("C-1").state is State.CONFIRMED
    assert store.balance("payable") == 60
    entry = store.pay("C-1", Outbox(tmp_path / "out"))
    assert (entry.state, store.state("C-1")) == (State.PAID, State.PAID)
    assert balances(store) == {"outside": Decimal("-1005.25"), "pool": 940, "premium": Decimal("5.25"), "paid": 60}
    (file,) = (tmp_path / "out").iterdir()
    assert json.loads(file.read_text()) == {
        "key": "pay:C-1", "claim": "C-1", "amount": "60.00", "currency": "USD", "place": 4,
    }  # fmt: skip
    entries = store.entries()
    assert [entry.place for entry in entries] == list(range(6))
    with ClaimStore(url) as again:
        assert again.entries() == entries
        for at, each in enumerate(entries):
            proof, root = again.log.inclusion_proof(at, 6), store.log.root(6)
            verify_inclusion(leaf_hash=hash_leaf(each.to_bytes()), index=at, size=6, proof=proof, root=root)


def test_a_cover_is_a_policy(store):
    cover = Cover(
        cover_id="C-9", asset="OM", trigger=DropTrigger(drop=0.5), payout=FullPayout(), limit=60.0, currency="USD"
    )
    assert store.open(cover, FIRED).postings == {Account.POOL: -6000, Account.RESERVES: 6000}


def test_a_repeated_request_changes_nothing(store):
    sent = []
    requests = [
        lambda: store.fund(Decimal(1000), "USD", key="deposit-1"),
        lambda: store.activate(POLICY, premium=Decimal(5)),
        lambda: store.open(POLICY, FIRED),
        lambda: store.confirm("C-1"),
        lambda: store.pay("C-1", sent.append),
    ]
    first = [request() for request in requests]
    size = len(store.entries())
    assert [request() for request in requests] == first
    assert (len(store.entries()), len(sent)) == (size, 1)
    with pytest.raises(LedgerError, match="key 'open:C-1' belongs to another request"):
        store.open(POLICY, replace(FIRED, amount=Decimal(61)))


def test_an_instruction_that_may_not_have_left_is_sent_again_with_its_key(store):
    store.open(POLICY, FIRED)
    store.confirm("C-1")
    sent = []

    def fail(instruction):
        sent.append(instruction)
        raise OSError("the line is dead")

    with pytest.raises(OSError, match="the line is dead"):
        store.pay("C-1", fail)
    assert (store.state("C-1"), store.balance("in_transit")) == (State.PAYING, 60)
    store.pay("C-1", sent.append)
    assert sent[0] == sent[1]


@pytest.mark.parametrize(
    ("decision", "slip"),
    [
        (NOT_FIRED, "status must be FIRED or INDETERMINATE to open a claim, got NOT_FIRED"),
        (replace(FIRED, amount=Decimal(0)), "amount must be above 0 and at most the limit 100.00, got 0"),
        (replace(FIRED, amount=Decimal("100.01")), "at most the limit 100.00, got 100.01"),
        (replace(FIRED, amount=Decimal("1.005")), "amount must have whole cents, got 1.005"),
        (replace(FIRED, amount=60.0), "amount must be a Decimal, got 60.0"),
        (replace(FIRED, amount=Decimal("NaN")), "amount must be from 0 to 1,000,000,000,000,000, got NaN"),
    ],
)
def test_impossible_claims_leave_no_entry(store, decision, slip):
    with pytest.raises(LedgerError, match=slip):
        store.open(POLICY, decision)
    assert len(store.entries()) == 1


def test_states_only_move_forward(store):
    store.open(POLICY, FIRED)
    with pytest.raises(LedgerError, match="must be confirmed to pay, but it is candidate"):
        store.pay("C-1", lambda _: None)
    store.reject("C-1", reason="sold after the fall")
    assert balances(store) == {"outside": -1000, "pool": 1000}
    with pytest.raises(LedgerError, match="must be candidate to confirm, but it is rejected"):
        store.confirm("C-1")
    with pytest.raises(LedgerError, match="is rejected and cannot become candidate .next: nothing, it is final"):
        store.open(POLICY, FIRED, key="again")
    with pytest.raises(LedgerError, match="'C-2' must be candidate to confirm, but it is unknown"):
        store.confirm("C-2")


def test_a_policy_keeps_its_limit_and_currency(store):
    store.activate(POLICY)
    with pytest.raises(LedgerError, match=r"policy has limit 100\.00, not 70\.00"):
        store.open(replace(POLICY, limit=70.0), FIRED)
    with pytest.raises(LedgerError, match="policy has currency USD, not EUR"):
        store.open(replace(POLICY, currency="EUR"), FIRED)


def test_a_pool_without_money_does_not_pay(store):
    policy = replace(POLICY, limit=2000.0)
    store.open(policy, replace(FIRED, amount=Decimal(1500)))
    store.confirm("C-1")
    assert store.balance("pool") == -500
    with pytest.raises(LedgerError, match=r"the pool has 1000\.00, but 1500\.00 is due \(fund it first\)"):
        store.pay("C-1", lambda _: pytest.fail("sent"))
    store.fund(Decimal(500), "USD", key="deposit-2")
    store.pay("C-1", lambda _: None)
    assert store.balance("pool") == 0


def test_a_second_index_decides(store):
    store.open(POLICY, UNKNOWN)
    assert store.balance("reserves") == 100
    assert store.decide_again("C-1", FIRED).state is State.CONFIRMED
    assert balances(store) == {"outside": -1000, "pool": 940, "payable": 60}
    store.open(replace(POLICY, cover_id="C-2"), FIRED)
    store.doubt("C-2", reason="a venue restated its trades")
    assert store.balance("reserves") == 100
    assert store.decide_again("C-2", NOT_FIRED).state is State.REJECTED
    assert store.balance("pool") == 940


def proposed(store, amount="60"):
    store.open(POLICY, UNKNOWN)
    assert store.decide_again("C-1", UNKNOWN).state is State.UNRESOLVED
    bond = Decimal("10.01")
    store.propose("C-1", Decimal(amount), by="ann", bond=bond, at=AT, challenge_time=DAY)


@pytest.mark.parametrize(("amount", "state"), [("60", State.CONFIRMED), ("0", State.REJECTED)])
def test_a_proposal_that_nobody_challenges_stands(store, amount, state):
    proposed(store, amount)
    with pytest.raises(LedgerError, match="at must be after the deadline 2026-12-02"):
        store.accept("C-1", at=AT)
    assert store.accept("C-1", at=AT + DAY).state is state
    assert (store.balance("bonds"), store.balance("payable")) == (0, Decimal(amount))


@pytest.mark.parametrize(("winner", "due"), [("ann", 60), ("bob", 20)])
def test_half_of_the_bond_of_a_loser_is_burnt(store, winner, due):
    proposed(store)
    store.challenge("C-1", Decimal(20), by="bob", at=AT)
    assert store.balance("bonds") == Decimal("20.02")
    store.rule("C-1", winner=winner, reason="the trades of a third venue")
    assert balances(store) == {
        "outside": Decimal("-1005.01"), "pool": 1000 - due, "payable": due, "burnt": Decimal("5.01"),
    }  # fmt: skip


def test_a_challenge_is_in_time_and_of_somebody_else(store):
    proposed(store)
    with pytest.raises(LedgerError, match="at must be before the deadline"):
        store.challenge("C-1", Decimal(20), by="bob", at=AT + DAY)
    for amount, by in ((20, "ann"), (60, "bob")):
        with pytest.raises(LedgerError, match="of somebody else and for another amount"):
            store.challenge("C-1", Decimal(amount), by=by, at=AT)
    with pytest.raises(LedgerError, match=r"at most the reserve 100\.00, got 101\.00"):
        store.challenge("C-1", Decimal(101), by="bob", at=AT)
    store.challenge("C-1", Decimal(20), by="bob", at=AT)
    with pytest.raises(LedgerError, match="winner must be one of ann, bob, got 'eve'"):
        store.rule("C-1", winner="eve", reason="")


def test_a_proposal_costs_something(store):
    store.open(POLICY, UNKNOWN)
    store.decide_again("C-1", UNKNOWN)
    with pytest.raises(LedgerError, match="bond must be above 0"):
        store.propose("C-1", Decimal(1), by="ann", bond=Decimal(0), at=AT, challenge_time=DAY)
    with pytest.raises(LedgerError, match="challenge_time must be positive"):
        store.propose("C-1", Decimal(1), by="ann", bond=Decimal(1), at=AT, challenge_time=-DAY)


def test_a_correction_is_a_new_entry(store):
    before = store.entries()
    store.correct(0, {"outside": 5000, "pool": -5000}, reason="the deposit was 950.00", key="correction-1")
    assert store.entries()[:-1] == before
    assert store.balance("pool") == 950
    with pytest.raises(LedgerError, match="postings must add up to 0"):
        store.correct(0, {"outside": 5000, "pool": -4999}, reason="", key="correction-2")
    with pytest.raises(LedgerError, match="postings must be to outside, pool"):
        store.correct(0, {"kitty": 0}, reason="", key="correction-2")
    with pytest.raises(LedgerError, match="postings must be whole cents"):
        store.correct(0, {"outside": 0.5, "pool": -0.5}, reason="", key="correction-2")
    with pytest.raises(LedgerError, match="place must be from 0 to 1, got 2"):
        store.correct(2, {}, reason="", key="correction-2")


@pytest.mark.parametrize("cents", [-50_000, -6_001, 4_001, 900_000])
def test_no_correction_makes_a_payment_below_nothing_or_above_the_limit(store, cents):
    store.open(POLICY, FIRED)
    place = store.confirm("C-1").place
    with pytest.raises(LedgerError, match=r"payable of claim 'C-1' must be from 0 to its limit 100\.00 after a"):
        store.correct(place, {"payable": cents, "pool": -cents}, reason="", key="correction")


def test_what_is_due_can_be_corrected_until_it_is_instructed(store):
    store.open(POLICY, FIRED)
    place = store.confirm("C-1").place
    store.correct(place, {"payable": 1_000, "pool": -1_000}, reason="the share was 0.7", key="correction-1")
    sent = []
    store.pay("C-1", sent.append)
    assert [each.amount for each in sent] == [Decimal(70)]
    for account in ("payable", "reserves", "in_transit"):
        with pytest.raises(LedgerError, match=f"{account} cannot be corrected while the claim is paid"):
            store.correct(place, {account: 1_000, "pool": -1_000}, reason="", key="correction-2")
    with pytest.raises(LedgerError, match="payable cannot be corrected while the claim is unknown"):
        store.correct(0, {"payable": 1_000, "pool": -1_000}, reason="", key="correction-2")


def test_nothing_is_not_paid(store):
    store.open(POLICY, FIRED)
    place = store.confirm("C-1").place
    store.correct(place, {"payable": -6_000, "pool": 6_000}, reason="the trigger did not fire", key="correction-1")
    with pytest.raises(LedgerError, match="nothing is due to claim 'C-1'"):
        store.pay("C-1", pytest.fail)


def test_currencies_do_not_mix(store):
    store.fund(Decimal(7), "EUR", key="deposit-2")
    assert (store.balance("pool", "EUR"), store.balance("pool", "USD")) == (7, 1000)
    with pytest.raises(LedgerError, match="currency must be one of EUR, USD"):
        store.balance("pool")
    with pytest.raises(LedgerError, match="account must be one of outside, pool"):
        store.balance("kitty", "EUR")


def test_two_processes_see_each_other(store, url):
    with ClaimStore(url) as other:
        store.open(POLICY, FIRED)
        other.confirm("C-1")
        store.pay("C-1", lambda _: None)
        assert other.balance("paid") == 60
        assert other.log.root(5) == store.log.root(5)


def test_a_changed_row_is_found_by_the_log(url, tmp_path):
    with ClaimStore(url, log=TransparencyLog(tmp_path / "log")) as store:
        store.fund(Decimal(1000), "USD", key="deposit-1")
        store.open(POLICY, FIRED)
    execute(url, "UPDATE crashcover_entries SET entry = replace(entry, '6000', '9000')")
    log = TransparencyLog(tmp_path / "log")
    with log, pytest.raises(CorruptLogError, match="entry 1 of the ledger was changed"):
        ClaimStore(url, log=log)


def test_a_lost_row_is_found(url, tmp_path):
    with ClaimStore(url, log=TransparencyLog(tmp_path / "log")) as store:
        for number in range(3):
            store.fund(Decimal(1), "USD", key=f"deposit-{number}")
    for place, slip in ((2, "the log has 3 entries, the ledger has 2"), (0, "entry 0 of the ledger is missing")):
        execute(url, f"DELETE FROM crashcover_entries WHERE place = {place}")
        log = TransparencyLog(tmp_path / "log")
        with log, pytest.raises((CorruptLogError, LedgerError), match=slip):
            ClaimStore(url, log=log)


def test_nothing_is_sent_if_the_log_cannot_be_written(store, monkeypatch):
    store.open(POLICY, FIRED)
    store.confirm("C-1")
    with monkeypatch.context() as patch:
        patch.setattr(TransparencyLog, "append", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
        with pytest.raises(OSError, match="No space left"):
            store.pay("C-1", lambda _: pytest.fail("sent"))
    store.pay("C-1", lambda _: None)
    assert len(store.log) == len(store.entries()) == 5


@pytest.mark.parametrize(
    ("bad", "slip"),
    [
        ("nonsense", "url must be one of SQLAlchemy"),
        ("sqlite:////no/such/folder/claims.db", "the ledger cannot be read or written"),
    ],
)
def test_a_database_that_cannot_be_used_is_named(bad, slip):
    with pytest.raises(LedgerError, match=slip):
        ClaimStore(bad)


def test_a_file_that_is_no_database_is_named(tmp_path):
    (tmp_path / "claims.db").write_bytes(b"no database" * 1000)
    with pytest.raises(LedgerError, match="the ledger cannot be read or written: .*not a database"):
        ClaimStore(f"sqlite:///{tmp_path / 'claims.db'}")
