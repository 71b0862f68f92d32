"""Settlement: from what happened to money that is due, beyond dispute.

Entries of claims and payments go into a public log. Anyone who kept one of its checkpoints finds out if a past entry is
changed.
"""

from settlement.claims.claim_store import ClaimStore
from settlement.claims.entry import Entry
from settlement.claims.outbox import Outbox, PaymentInstruction
from settlement.claims.states import Account, State
from settlement.log.checkpoint import Checkpoint, verify_growth, witness
from settlement.log.proofs import hash_leaf, verify_consistency, verify_inclusion
from settlement.log.transparency_log import TransparencyLog

__all__ = [
    "Account",
    "Checkpoint",
    "ClaimStore",
    "Entry",
    "Outbox",
    "PaymentInstruction",
    "State",
    "TransparencyLog",
    "hash_leaf",
    "verify_consistency",
    "verify_growth",
    "verify_inclusion",
    "witness",
]
