"""Any sequence of requests leaves a ledger that balances, moves forward and never changes an entry."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pricing.errors import LedgerError
from settlement import Account, ClaimStore, State, verify_consistency
from tests.settlement.decisions import Decision, Policy

CLAIMS = st.sampled_from(["C-1", "C-2", "C-3"])
AMOUNTS = st.decimals(0, 120, places=2)
STATUSES = st.sampled_from(["FIRED", "NOT_FIRED", "INDETERMINATE", "RUNNING"])
AT = datetime(2026, 12, 1, tzinfo=UTC)
DAY = timedelta(days=1)
NAMES = st.sampled_from(["ann", "bob"])
#: States in the order in which a claim may go through them.
ORDER = list(State)


class Claims(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.store = ClaimStore("sqlite://")
        self.store.fund(Decimal(150), "USD", key="deposit")
        self.known = self.store.entries()
        self.sent = {}

    def attempt(self, method, *arguments, **options):
        before = len(self.store.entries())
        try:
            getattr(self.store, method)(*arguments, **options)
        except LedgerError:
            allowed = 1 if method == "pay" else 0  # the order stays if its sending failed
            assert len(self.store.entries()) <= before + allowed

    def send(self, instruction):
        assert self.sent.setdefault(instruction.key, instruction) == instruction
        assert 0 < instruction.amount <= 100
        assert instruction.amount == -sum(
            Decimal(entry.postings.get(Account.PAYABLE, 0)) / 100
            for entry in self.store.entries()
            if entry.key == instruction.key
        )

    @rule(
        place=st.integers(0, 40),
        account=st.sampled_from(["payable", "reserves", "in_transit", "paid", "bonds", "premium"]),
        cents=st.integers(-15_000, 15_000),
        key=st.integers(0, 5).map("correction-{}".format),
    )
    def correct(self, place, account, cents, key):
        self.attempt("correct", place, {account: cents, "pool": -cents}, reason="it was wrong", key=key)

    @rule(claim=CLAIMS, premium=AMOUNTS)
    def activate(self, claim, premium):
        self.attempt("activate", Policy(claim), premium=premium)

    @rule(claim=CLAIMS, status=STATUSES, amount=AMOUNTS)
    def open(self, claim, status, amount):
        self.attempt("open", Policy(claim), Decision(status, amount))

    @rule(claim=CLAIMS, status=STATUSES, amount=AMOUNTS)
    def decide_again(self, claim, status, amount):
        self.attempt("decide_again", claim, Decision(status, amount))

    @rule(claim=CLAIMS)
    def confirm(self, claim):
        self.attempt("confirm", claim)

    @rule(claim=CLAIMS, method=st.sampled_from(["reject", "doubt"]))
    def leave(self, claim, method):
        self.attempt(method, claim, reason="a reason")

    @rule(claim=CLAIMS, amount=AMOUNTS, bond=AMOUNTS, by=NAMES)
    def propose(self, claim, amount, bond, by):
        self.attempt("propose", claim, amount, by=by, bond=bond, at=AT, challenge_time=DAY)

    @rule(claim=CLAIMS, amount=AMOUNTS, by=NAMES)
    def challenge(self, claim, amount, by):
        self.attempt("challenge", claim, amount, by=by, at=AT)

    @rule(claim=CLAIMS, late=st.booleans())
    def accept(self, claim, late):
        self.attempt("accept", claim, at=AT + DAY * late)

    @rule(claim=CLAIMS, winner=NAMES)
    def rule_between(self, claim, winner):
        self.attempt("rule", claim, winner=winner, reason="a reason")

    @rule(claim=CLAIMS)
    def pay(self, claim):
        self.attempt("pay", claim, self.send)

    @invariant()
    def entries_stay_and_balance(self):
        entries, size = self.store.entries(), len(self.known)
        assert entries[:size] == self.known
        assert all(sum(entry.postings.values()) == 0 for entry in entries)
        assert [entry.place for entry in entries] == list(range(len(entries)))
        log = self.store.log
        verify_consistency(
            old_size=size,
            new_size=len(entries),
            proof=log.consistency_proof(size, len(entries)),
            old_root=log.root(size),
            new_root=log.root(len(entries)),
        )
        self.known = entries

    @invariant()
    def states_move_forward(self):
        for claim in ("C-1", "C-2", "C-3"):
            states = [ORDER.index(entry.state) for entry in self.known if entry.claim == claim]
            assert states == sorted(set(states))

    @invariant()
    def money_is_where_it_should_be(self):
        held = {account: self.store.balance(account) for account in Account}
        assert sum(held.values()) == 0
        assert all(amount >= 0 for account, amount in held.items() if account not in (Account.OUTSIDE, Account.POOL))
        assert held[Account.PAID] == sum(instruction.amount for instruction in self.sent.values())

    def teardown(self):
        self.store.close()


TestClaims = Claims.TestCase
TestClaims.settings = settings(max_examples=15, stateful_step_count=40, deadline=None)
