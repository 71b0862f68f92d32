"""The commands of a public log: a checkpoint that was kept tells whether the log is still the same."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from settlement import TransparencyLog
from tests.crashcover.calling import call

PEM = serialization.Encoding.PEM


def write_keys(folder, key):
    private = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (folder / "key.pem").write_bytes(private)
    (folder / "key.pub").write_bytes(public)


def write_log(path, *entries):
    path.unlink(missing_ok=True)
    with TransparencyLog(path) as log:
        for entry in entries:
            log.append(entry)


@pytest.fixture
def folder(tmp_path):
    write_keys(tmp_path, Ed25519PrivateKey.from_private_bytes(bytes(32)))
    write_log(tmp_path / "log", b"one", b"two")
    assert sign(tmp_path).stdout.startswith("signed: 2 entries of example.org/claims, ")
    return tmp_path


def sign(folder, origin="example.org/claims"):
    out = folder / "checkpoint"
    return call("log", "sign", folder / "log", "--origin", origin, "--key", folder / "key.pem", "--out", out)


def verify(folder):
    return call("log", "verify", folder / "log", folder / "checkpoint", "--public-key", folder / "key.pub")


def test_a_log_that_grew_is_verified(folder):
    write_log(folder / "log", b"one", b"two", b"three")
    done = verify(folder)
    assert (done.exit_code, done.stdout) == (0, "verified: the first 2 of 3 entries are those of the checkpoint\n")


@pytest.mark.parametrize(
    ("entries", "slip"),
    [((b"one", b"2", b"three"), "one of its first entries was changed"), ((b"one",), "has 1 entries, the checkpoint")],
)
def test_a_log_that_changed_is_found(folder, entries, slip):
    write_log(folder / "log", *entries)
    done = verify(folder)
    assert done.exit_code == 3
    assert slip in done.stderr


def test_what_is_no_checkpoint_or_key_is_named(folder):
    (folder / "checkpoint").write_bytes(b"\xff")
    assert "is not a checkpoint" in verify(folder).stderr
    write_keys(folder, generate_private_key(SECP256R1()))
    assert "must be a key of Ed25519" in sign(folder).stderr
    (folder / "key.pub").write_text("no key")
    done = verify(folder)
    assert done.exit_code == 3
    assert "must be a key in PEM form" in done.stderr


def test_a_wrong_origin_is_named(folder):
    done = sign(folder, "two words")
    assert done.exit_code == 4
    assert "origin must be a text without blanks" in done.stderr


def test_a_log_that_does_not_exist_is_not_created(folder):
    (folder / "log").unlink()
    assert verify(folder).exit_code == 10
    assert not (folder / "log").exists()


def test_verifying_changes_nothing_and_needs_no_lock(folder):
    torn = (folder / "log").read_bytes() + b"\0\0\0\3half"
    (folder / "log").write_bytes(torn)
    (folder / "log.lock").unlink(missing_ok=True)
    assert verify(folder).exit_code == sign(folder).exit_code == 0
    assert (folder / "log").read_bytes() == torn
    assert not (folder / "log.lock").exists()


def test_a_log_is_verified_while_its_owner_has_it_open(folder):
    with TransparencyLog(folder / "log") as log:
        log.append(b"three")
        assert verify(folder).stdout == "verified: the first 2 of 3 entries are those of the checkpoint\n"
