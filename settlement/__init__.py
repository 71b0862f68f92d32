"""Settlement: from what happened to money that is due, beyond dispute.

Entries of claims and payments go into a public log. Anyone who kept one of its checkpoints finds out if a past entry is
changed.
"""

from settlement.log.checkpoint import Checkpoint, verify_growth, witness
from settlement.log.proofs import hash_leaf, verify_consistency, verify_inclusion
from settlement.log.transparency_log import TransparencyLog

__all__ = [
    "Checkpoint",
    "TransparencyLog",
    "hash_leaf",
    "verify_consistency",
    "verify_growth",
    "verify_inclusion",
    "witness",
]
