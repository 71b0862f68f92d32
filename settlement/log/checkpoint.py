"""Checkpoints: origin, size and root of a log in one signed note, which witnesses co-sign.

Source: the notes and cosignatures of the C2SP specifications signed-note, tlog-checkpoint and tlog-cosignature (v1).
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from pricing.errors import InvalidTermsError, ProofError
from pricing.tools.libraries import load_library
from settlement.log.proofs import HASH_BYTES, verify_consistency

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_LOG, _WITNESS = b"\x01", b"\x04"
_NAME = re.compile(r"[^\s+]+")
_SIGNATURE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+=*)")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """State of a log at one size.

    Parameters
    ----------
    origin : str
        Name of the log, unique in the world, such as ``"example.org/claims"``: no blanks, no plus sign.
    size : int
        Number of entries.
    root : bytes
        Root over them, 32 bytes.
    signatures : tuple of str
        Lines of signatures, as in the note.

    Raises
    ------
    InvalidTermsError
        If a part is outside its domain.
    """

    origin: str
    size: int
    root: bytes
    signatures: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _require_name("origin", self.origin)
        if isinstance(self.size, bool) or not isinstance(self.size, int) or self.size < 0:
            raise InvalidTermsError(f"size must be an int of at least 0, got {self.size!r}")
        if not isinstance(self.root, bytes) or len(self.root) != HASH_BYTES:
            raise InvalidTermsError(f"root must be {HASH_BYTES} bytes, got {self.root!r} (raw bytes, not hex)")

    @property
    def body(self) -> str:
        """Text that is signed: three lines."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @property
    def note(self) -> str:
        """The body, a blank line and the signatures: the form in which checkpoints are published and kept."""
        return "\n".join([self.body, *self.signatures, ""])

    @classmethod
    def from_note(cls, note: str) -> Self:
        """Read a published checkpoint; ``verify`` then tells who signed it.

        Raises
        ------
        ProofError
            If the text is not a checkpoint.
        """
        body, _, rest = note.partition("\n\n")
        lines, signatures = body.split("\n"), rest.split("\n")
        if len(lines) != 3 or not re.fullmatch(r"0|[1-9][0-9]{0,18}", lines[1]):
            raise ProofError("a checkpoint must begin with three lines: origin, size, root in base64")
        if signatures.pop() != "" or not all(map(_SIGNATURE.fullmatch, signatures)):
            raise ProofError("after a blank line, a checkpoint must have lines of signatures: — name base64")
        try:
            return cls(lines[0], int(lines[1]), _decode(lines[2]), tuple(signatures))
        except InvalidTermsError as error:
            raise ProofError(f"not a checkpoint: {error}") from error

    def sign(self, key: "Ed25519PrivateKey") -> Self:
        """Return the checkpoint with the signature of its log.

        Parameters
        ----------
        key : Ed25519PrivateKey
            Key of the log, from the library cryptography.
        """
        signature = _key_id(self.origin, _LOG, key.public_key()) + key.sign(self.body.encode())
        return self._add(self.origin, signature)

    def verify(self, public_key: "Ed25519PublicKey") -> None:
        """Verify the signature of the log.

        Raises
        ------
        ProofError
            If the log has not signed this checkpoint with this key.
        """
        _verify(public_key, self._find(self.origin, _LOG, public_key), self.body)

    def cosign(self, name: str, key: "Ed25519PrivateKey", *, at: datetime) -> Self:
        """Return the checkpoint with the signature of a witness, which says that the log is consistent at a time.

        A witness calls ``witness``, which checks that first.

        Raises
        ------
        InvalidTermsError
            If the name has blanks or a plus sign, or the time has no offset from UTC.
        """
        _require_name("name", name)
        if at.tzinfo is None:
            raise InvalidTermsError(f"at must have an offset from UTC, got {at}")
        seconds = int(at.timestamp())
        signature = key.sign(_witnessed(self.body, seconds).encode())
        return self._add(name, _key_id(name, _WITNESS, key.public_key()) + seconds.to_bytes(8, "big") + signature)

    def verify_cosignature(self, name: str, public_key: "Ed25519PublicKey") -> datetime:
        """Verify the signature of a witness, and return its time.

        Raises
        ------
        ProofError
            If the witness has not signed this checkpoint with this key.
        """
        found = self._find(name, _WITNESS, public_key)
        seconds = int.from_bytes(found[:8], "big")
        _verify(public_key, found[8:], _witnessed(self.body, seconds))
        return datetime.fromtimestamp(seconds, UTC)

    def _add(self, name: str, signature: bytes) -> Self:
        return replace(self, signatures=(*self.signatures, f"— {name} {base64.b64encode(signature).decode()}"))

    def _find(self, name: str, kind: bytes, public_key: "Ed25519PublicKey") -> bytes:
        """Return the signature of a name and key, without the identity of the key."""
        key_id = _key_id(name, kind, public_key)
        for line in self.signatures:
            _, signer, text = line.split(" ")
            signature = _decode(text)
            if signer == name and signature.startswith(key_id):
                return signature.removeprefix(key_id)
        raise ProofError(
            f"the checkpoint of {self.origin} at size {self.size} has no signature of {name} with this key"
        )


def witness(
    new: Checkpoint,
    *,
    kept: Checkpoint | None,
    proof: Sequence[bytes],
    public_key: "Ed25519PublicKey",
    name: str,
    key: "Ed25519PrivateKey",
    at: datetime,
) -> Checkpoint:
    """Co-sign a checkpoint, if its log signed it and only grew since the checkpoint that the witness kept.

    Parameters
    ----------
    new : Checkpoint
        Checkpoint that the log asks to co-sign.
    kept : Checkpoint, optional
        Checkpoint of the same log that this witness signed last; None for the first.
    proof : list of bytes
        Consistency proof from `kept` to `new`; empty without `kept`.
    public_key : Ed25519PublicKey
        Key of the log.
    name, key : str, Ed25519PrivateKey
        Name and key of the witness.
    at : datetime
        Time of the signature, with an offset from UTC.

    Returns
    -------
    Checkpoint
        Checkpoint that the witness publishes, and keeps instead of `kept`.

    Raises
    ------
    ProofError
        If the log did not sign it, is another log, shrank, or changed an entry.
    """
    new.verify(public_key)
    verify_growth(kept, new, proof)
    return new.cosign(name, key, at=at)


def verify_growth(kept: Checkpoint | None, new: Checkpoint, proof: Sequence[bytes]) -> None:
    """Verify that a log only grew since a checkpoint was kept; an empty log grows into any other.

    Raises
    ------
    ProofError
        If the checkpoints are of different logs, or the log shrank or changed an entry.
    """
    if kept is None:
        return
    if kept.origin != new.origin:
        raise ProofError(f"the kept checkpoint is of another log: {kept.origin}, not {new.origin}")
    if kept.size:
        verify_consistency(old_size=kept.size, new_size=new.size, proof=proof, old_root=kept.root, new_root=new.root)


def _key_id(name: str, kind: bytes, public_key: "Ed25519PublicKey") -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + kind + public_key.public_bytes_raw()).digest()[:4]


def _witnessed(body: str, seconds: int) -> str:
    return f"cosignature/v1\ntime {seconds}\n{body}"


def _verify(public_key: "Ed25519PublicKey", signature: bytes, text: str) -> None:
    exceptions = load_library("cryptography.exceptions", extra="settlement")
    try:
        public_key.verify(signature, text.encode())
    except exceptions.InvalidSignature as error:
        raise ProofError(
            "the signature is not of this checkpoint: it was changed, or signed with another key"
        ) from error


def _decode(text: str) -> bytes:
    try:
        found = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ProofError(f"{text!r} must be base64") from error
    if base64.b64encode(found).decode() != text:
        raise ProofError(f"{text!r} must be base64 as encoders write it: its last character has unused bits")
    return found


def _require_name(field: str, name: object) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidTermsError(f"{field} must be a text without blanks and plus signs, got {name!r}")
