"""The commands ``log sign`` and ``log verify``: checkpoints of a public log."""

from pathlib import Path
from typing import Any

import click

from crashcover.commands.exits import Exit
from pricing.errors import DataError, ProofError
from pricing.tools.libraries import load_library
from pricing.tools.regular_files import read_regular
from pricing.tools.whole_files import write_text
from settlement import Checkpoint
from settlement.log.transparency_log import read_tree

#: Most bytes of a key or a checkpoint.
_MOST_BYTES = 100_000


def run_sign(log_file: Path, *, origin: str, key: Path, out: Path) -> Exit:
    """Write the signed checkpoint of a whole log."""
    private = _read_key(key, "load_pem_private_key", "Ed25519PrivateKey", password=None)
    tree = read_tree(log_file)
    checkpoint = Checkpoint(origin, len(tree), tree.root(len(tree))).sign(private)
    write_text(out, checkpoint.note, to_disk=True)
    click.echo(f"signed: {checkpoint.size:,} entries of {origin}, {out}")
    return Exit.DONE


def run_verify(log_file: Path, checkpoint_file: Path, *, public_key: Path) -> Exit:
    """Verify that a log has signed a checkpoint, and has only grown since."""
    public = _read_key(public_key, "load_pem_public_key", "Ed25519PublicKey")
    try:
        checkpoint = Checkpoint.from_note(read_regular(checkpoint_file, most=_MOST_BYTES).decode())
    except UnicodeDecodeError as error:
        raise ProofError(f"{checkpoint_file} is not a checkpoint: {error}") from error
    checkpoint.verify(public)
    tree = read_tree(log_file)
    if len(tree) < checkpoint.size:
        raise ProofError(f"{log_file} has {len(tree):,} entries, the checkpoint has {checkpoint.size:,}")
    if tree.root(checkpoint.size) != checkpoint.root:
        raise ProofError(f"{log_file} is not the log of the checkpoint: one of its first entries was changed")
    click.echo(f"verified: the first {checkpoint.size:,} of {len(tree):,} entries are those of the checkpoint")
    return Exit.DONE


def _read_key(path: Path, loader: str, kind: str, **options: None) -> Any:
    """Read a key in PEM form, as OpenSSL writes it."""
    serialization = load_library("cryptography.hazmat.primitives.serialization", extra="settlement")
    ed25519 = load_library("cryptography.hazmat.primitives.asymmetric.ed25519", extra="settlement")
    unsupported = load_library("cryptography.exceptions", extra="settlement").UnsupportedAlgorithm
    try:
        found = getattr(serialization, loader)(read_regular(path, most=_MOST_BYTES), **options)
    except (ValueError, TypeError, unsupported) as error:
        raise DataError(f"{path} must be a key in PEM form, without a password: {error}") from error
    if not isinstance(found, getattr(ed25519, kind)):
        raise DataError(f"{path} must be a key of Ed25519 (openssl genpkey -algorithm ed25519), got another kind")
    return found
