"""Checkpoints: what is signed, who signed, and what a witness refuses."""

import base64
import hashlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from pricing.errors import InvalidTermsError, ProofError
from settlement import Checkpoint, TransparencyLog, verify_growth, witness

ORIGIN = "example.org/claims"
KEY, WITNESS_KEY = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2))
AT = datetime(2026, 12, 1, tzinfo=UTC)


def checkpoint_of(log, size):
    return Checkpoint(ORIGIN, size, log.root(size)).sign(KEY)


@pytest.fixture
def log():
    log = TransparencyLog()
    for entry in (b"one", b"two", b"three"):
        log.append(entry)
    return log


def test_a_note_has_the_form_of_the_specification(log):
    checkpoint = checkpoint_of(log, 3)
    body = f"{ORIGIN}\n3\n{base64.b64encode(log.root(3)).decode()}\n"
    public = KEY.public_key().public_bytes_raw()
    key_id = hashlib.sha256(ORIGIN.encode() + b"\n\x01" + public).digest()[:4]
    line = base64.b64encode(key_id + KEY.sign(body.encode())).decode()
    assert checkpoint.note == f"{body}\n— {ORIGIN} {line}\n"
    assert Checkpoint.from_note(checkpoint.note) == checkpoint
    checkpoint.verify(KEY.public_key())


@pytest.mark.parametrize("changes", [{"size": 2}, {"root": bytes(32)}])
def test_a_changed_checkpoint_has_no_valid_signature(log, changes):
    with pytest.raises(ProofError, match="the signature is not of this checkpoint"):
        replace(checkpoint_of(log, 3), **changes).verify(KEY.public_key())


def test_another_key_or_log_has_not_signed(log):
    with pytest.raises(ProofError, match="has no signature of example.org/claims with this key"):
        checkpoint_of(log, 3).verify(WITNESS_KEY.public_key())
    with pytest.raises(ProofError, match="has no signature of other with this key"):
        replace(checkpoint_of(log, 3), origin="other").verify(KEY.public_key())


@given(st.data())
def test_a_note_with_one_character_changed_is_refused(data):
    log = TransparencyLog()
    log.append(b"one")
    note = checkpoint_of(log, 1).note
    at = data.draw(st.integers(0, len(note) - 1))
    other = data.draw(st.characters(exclude_characters=note[at], exclude_categories=["Cs"]))
    with pytest.raises(ProofError):
        Checkpoint.from_note(note[:at] + other + note[at + 1 :]).verify(KEY.public_key())


@given(st.text())
def test_any_other_text_is_not_a_checkpoint(text):
    with pytest.raises(ProofError):
        Checkpoint.from_note(text)


@pytest.mark.parametrize(
    ("parts", "slip"),
    [
        (("two words", 1, bytes(32)), "origin must be a text without blanks"),
        ((ORIGIN, -1, bytes(32)), "size must be an int of at least 0, got -1"),
        ((ORIGIN, 1, "00" * 32), "root must be 32 bytes"),
    ],
)
def test_impossible_checkpoints_are_refused(parts, slip):
    with pytest.raises(InvalidTermsError, match=slip):
        Checkpoint(*parts)


def cosigned(new, kept, proof):
    return witness(new, kept=kept, proof=proof, public_key=KEY.public_key(), name="w.example", key=WITNESS_KEY, at=AT)


def test_a_witness_signs_what_grew(log):
    first = cosigned(checkpoint_of(log, 1), None, [])
    second = cosigned(checkpoint_of(log, 3), first, log.consistency_proof(1, 3))
    assert second.verify_cosignature("w.example", WITNESS_KEY.public_key()) == AT
    Checkpoint.from_note(second.note).verify(KEY.public_key())
    with pytest.raises(ProofError, match="has no signature of x.example"):
        second.verify_cosignature("x.example", WITNESS_KEY.public_key())


def test_a_witness_refuses_a_log_that_changed_shrank_or_did_not_sign(log):
    kept = checkpoint_of(log, 2)
    other = TransparencyLog()
    for entry in (b"one", b"2", b"three"):
        other.append(entry)
    with pytest.raises(ProofError, match="entries differ or were changed"):
        cosigned(checkpoint_of(other, 3), kept, other.consistency_proof(2, 3))
    with pytest.raises(ProofError, match="old_size must be from 1 to new_size"):
        cosigned(checkpoint_of(log, 1), kept, [])
    with pytest.raises(ProofError, match="has no signature"):
        cosigned(Checkpoint(ORIGIN, 3, log.root(3)), kept, log.consistency_proof(2, 3))


def test_growth_is_of_one_log(log):
    with pytest.raises(ProofError, match="is of another log: other, not example.org/claims"):
        verify_growth(Checkpoint("other", 1, log.root(1)), checkpoint_of(log, 3), log.consistency_proof(1, 3))


def test_an_empty_log_grows_into_any_other(log):
    verify_growth(checkpoint_of(TransparencyLog(), 0), checkpoint_of(log, 3), [])


def test_a_witness_needs_a_time_with_an_offset(log):
    with pytest.raises(InvalidTermsError, match="at must have an offset from UTC"):
        checkpoint_of(log, 1).cosign("w.example", WITNESS_KEY, at=datetime(2026, 12, 1))
