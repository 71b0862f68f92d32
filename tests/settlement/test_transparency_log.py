"""The public log: roots by the definition, proofs of every size, changed entries, crashes and full disks."""

import hashlib
import os
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.errors import CorruptLogError, FolderInUseError, InvalidTermsError, ProofError
from settlement import TransparencyLog, hash_leaf, verify_consistency, verify_inclusion

MOST = 40


def root_by_definition(entries):
    """Compute a root as RFC 6962 section 2.1 defines it."""
    if not entries:
        return hashlib.sha256().digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\0" + entries[0]).digest()
    middle = 1
    while middle * 2 < len(entries):
        middle *= 2
    return hashlib.sha256(b"\1" + root_by_definition(entries[:middle]) + root_by_definition(entries[middle:])).digest()


def log_of(entries):
    log = TransparencyLog()
    assert [log.append(entry) for entry in entries] == list(range(len(entries)))
    return log


ENTRIES = [b"entry %d" % number for number in range(MOST)]


def test_roots_are_those_of_the_definition():
    log = log_of(ENTRIES)
    for size in range(MOST + 1):
        assert log.root(size) == root_by_definition(ENTRIES[:size])


def test_every_entry_of_every_size_is_proved():
    log = log_of(ENTRIES)
    for size in range(1, MOST + 1):
        for index in range(size):
            proof = log.inclusion_proof(index, size)
            verify_inclusion(
                leaf_hash=hash_leaf(ENTRIES[index]), index=index, size=size, proof=proof, root=log.root(size)
            )


def test_every_growth_is_proved():
    log = log_of(ENTRIES)
    for new in range(1, MOST + 1):
        for old in range(1, new + 1):
            proof = log.consistency_proof(old, new)
            verify_consistency(old_size=old, new_size=new, proof=proof, old_root=log.root(old), new_root=log.root(new))


@given(st.data())
def test_a_changed_entry_is_found_by_whoever_kept_a_root(data):
    changed_at = data.draw(st.integers(0, MOST - 1))
    kept = data.draw(st.integers(changed_at + 1, MOST))
    new = data.draw(st.integers(kept, MOST))
    honest, other = log_of(ENTRIES), log_of([*ENTRIES[:changed_at], b"other", *ENTRIES[changed_at + 1 :]])
    with pytest.raises(ProofError, match="leads to|new_root"):
        verify_consistency(
            old_size=kept,
            new_size=new,
            proof=other.consistency_proof(kept, new),
            old_root=honest.root(kept),
            new_root=other.root(new),
        )


@given(st.data())
def test_a_proof_with_one_bit_changed_proves_nothing(data):
    log = log_of(ENTRIES)
    size = data.draw(st.integers(2, MOST))
    index = data.draw(st.integers(0, size - 1))
    proof = log.inclusion_proof(index, size)
    place, bit = data.draw(st.integers(0, len(proof) - 1)), data.draw(st.integers(0, 255))
    proof[place] = bytes(a ^ b for a, b in zip(proof[place], (1 << bit).to_bytes(32, "big"), strict=True))
    with pytest.raises(ProofError, match="leads to"):
        verify_inclusion(leaf_hash=hash_leaf(ENTRIES[index]), index=index, size=size, proof=proof, root=log.root(size))


HASHES = st.one_of(st.binary(min_size=32, max_size=32), st.binary(max_size=40), st.none(), st.text(max_size=3))
SIZES = st.one_of(st.integers(-2, 70), st.integers(), st.none(), st.booleans(), st.floats())


@given(HASHES, SIZES, SIZES, st.one_of(st.lists(HASHES, max_size=8), st.none(), st.binary()), HASHES)
def test_whatever_is_no_proof_raises_a_proof_error(leaf_hash, index, size, proof, root):
    with pytest.raises(ProofError):
        verify_inclusion(leaf_hash=leaf_hash, index=index, size=size, proof=proof, root=root)
    if leaf_hash == root and index == size and not proof:
        return  # equal sizes and roots need no proof
    with pytest.raises(ProofError):
        verify_consistency(old_size=index, new_size=size, proof=proof, old_root=leaf_hash, new_root=root)


@pytest.mark.parametrize(("old", "new"), [(0, 3), (3, 2), (1, 4)])
def test_sizes_that_are_not_in_the_log_have_no_proof(old, new):
    with pytest.raises(ProofError, match="must be an int from"):
        log_of(ENTRIES[:3]).consistency_proof(old, new)


def test_a_log_that_is_opened_again_is_the_same(tmp_path):
    path = tmp_path / "log"
    for number, entry in enumerate(ENTRIES):
        with TransparencyLog(path) as log:
            assert log.append(entry) == number
    with TransparencyLog(path) as log:
        assert log.root(MOST) == root_by_definition(ENTRIES)
        assert [log.entry(index) for index in range(MOST)] == ENTRIES
        with pytest.raises(ProofError, match="index must be an int from 0 to 39, got 40"):
            log.entry(MOST)


def test_every_cut_of_the_last_record_leaves_the_entries_before_it(tmp_path):
    path = tmp_path / "log"
    ends = []
    with TransparencyLog(path) as log:
        ends.append(path.stat().st_size)
        for entry in (b"one", b"two", b""):
            log.append(entry)
            ends.append(path.stat().st_size)
    content = path.read_bytes()
    for size, (begin, end) in enumerate(pairwise([0, *ends])):
        for cut in range(begin, end):
            path.write_bytes(content[:cut])
            with TransparencyLog(path) as log:
                assert len(log) == max(size - 1, 0)
                log.append(b"next")
            with TransparencyLog(path) as log:
                assert log.entry(len(log) - 1) == b"next"


def test_zeros_that_a_crash_left_are_removed(tmp_path):
    path = tmp_path / "log"
    with TransparencyLog(path) as log:
        log.append(b"one")
    size = path.stat().st_size
    path.write_bytes(path.read_bytes() + bytes(100))
    with TransparencyLog(path) as log:
        assert len(log) == 1
    assert path.stat().st_size == size


def test_every_changed_byte_of_a_log_is_found(tmp_path):
    path = tmp_path / "log"
    with TransparencyLog(path) as log:
        for entry in (b"one", b"two"):
            log.append(entry)
    content = path.read_bytes()
    for at in range(len(content)):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(CorruptLogError, match="damaged|must begin with"):
            TransparencyLog(path)


def test_an_entry_that_changes_under_an_open_log_is_found(tmp_path):
    path = tmp_path / "log"
    with TransparencyLog(path) as log:
        log.append(b"pay 100")
        path.write_bytes(path.read_bytes().replace(b"100", b"900"))
        with pytest.raises(CorruptLogError, match="entry 0 has changed"):
            log.entry(0)


def test_an_entry_is_bytes():
    log = TransparencyLog()
    with pytest.raises(InvalidTermsError, match=r"entry must be bytes, at most 4,294,967,295, got str \(a text"):
        log.append("one")
    assert len(log) == 0


def test_a_log_has_one_writer(tmp_path):
    with TransparencyLog(tmp_path / "log"), pytest.raises(FolderInUseError, match="is open in another process"):
        TransparencyLog(tmp_path / "log")


def test_an_append_that_fails_leaves_the_log_as_it_was(tmp_path, monkeypatch):
    with TransparencyLog(tmp_path / "log") as log:
        log.append(b"one")
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
            with pytest.raises(OSError, match="No space left"):
                log.append(b"two")
        assert len(log) == 1
        assert log.append(b"three") == 1
    with TransparencyLog(tmp_path / "log") as log:
        assert [log.entry(0), log.entry(1)] == [b"one", b"three"]
