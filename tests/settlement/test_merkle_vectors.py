"""Vectors of another transparency log: proofs that hold, and damaged ones. They are not part of the repository."""

import base64

import pytest

from pricing.errors import ProofError
from settlement import verify_consistency, verify_inclusion


@pytest.fixture(scope="module")
def vectors(read_peers):
    return read_peers("merkle_proofs.json")


def decode(text):
    return base64.b64decode(text)


def holds(verify, **values):
    try:
        verify(**values)
    except ProofError:
        return False
    return True


def test_inclusion_proofs_hold_or_fail_as_they_should(vectors):
    for case in vectors["inclusion"]:
        held = holds(
            verify_inclusion,
            leaf_hash=decode(case["leafHash"]),
            index=case["leafIdx"],
            size=case["treeSize"],
            proof=[decode(text) for text in case["proof"] or ()],
            root=decode(case["root"]),
        )
        assert held is not case["wantErr"], case["name"]


def test_consistency_proofs_hold_or_fail_as_they_should(vectors):
    for case in vectors["consistency"]:
        held = holds(
            verify_consistency,
            old_size=case["size1"],
            new_size=case["size2"],
            proof=[decode(text) for text in case["proof"] or ()],
            old_root=decode(case["root1"]),
            new_root=decode(case["root2"]),
        )
        assert held is not case["wantErr"], case["name"]
