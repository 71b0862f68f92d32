"""Settlement: from what happened to money that is due, beyond dispute.

Trades of several venues become an index, one price at every close, by a rule that is part of the policy. The trigger
that priced a cover decides it on this index. Entries of claims and payments go into a public log. Anyone who kept one
of its checkpoints finds out if a past entry is changed.
"""

from settlement.claims.claim_store import ClaimStore
from settlement.claims.entry import Entry
from settlement.claims.outbox import Outbox, PaymentInstruction
from settlement.claims.states import Account, State
from settlement.decision import Decision, DecisionStatus, PaidEvent, decide
from settlement.evidence import verify_evidence, write_evidence
from settlement.index.price_index import Index, IndexState, build_index
from settlement.index.rules import Conversion, IndexRule, Source, read_rule, write_rule
from settlement.log.checkpoint import Checkpoint, verify_growth, witness
from settlement.log.proofs import hash_leaf, verify_consistency, verify_inclusion
from settlement.log.transparency_log import TransparencyLog

__all__ = [
    "Account",
    "Checkpoint",
    "ClaimStore",
    "Conversion",
    "Decision",
    "DecisionStatus",
    "Entry",
    "Index",
    "IndexRule",
    "IndexState",
    "Outbox",
    "PaidEvent",
    "PaymentInstruction",
    "Source",
    "State",
    "TransparencyLog",
    "build_index",
    "decide",
    "hash_leaf",
    "read_rule",
    "verify_consistency",
    "verify_evidence",
    "verify_growth",
    "verify_inclusion",
    "witness",
    "write_evidence",
    "write_rule",
]
