"""Payment instructions as files: each has the name of its idempotency key, so that it leaves once."""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path

from pricing.tools.whole_files import PART


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentInstruction:
    """Order to pay a claim.

    Parameters
    ----------
    key : str
        Idempotency key; a receiver carries out one instruction per key.
    claim : str
        Name of the policy.
    amount : Decimal
        Amount, in `currency`.
    currency : str
        Currency of the amount.
    place : int
        Place in the public log of the entry that orders the payment.
    """

    key: str
    claim: str
    amount: Decimal
    currency: str
    place: int


#: Function that sends an instruction. It may be called again with the same key, and must then send nothing.
Send = Callable[[PaymentInstruction], None]


@dataclass(frozen=True, slots=True)
class Outbox:
    """Folder of instructions, one JSON file per key.

    A file that exists is never written again. Whoever carries out the instructions leaves the files where they are.

    Parameters
    ----------
    folder : Path
        The folder; it is created if it does not exist.
    """

    folder: Path

    def __call__(self, instruction: PaymentInstruction) -> None:
        """Write an instruction and wait for the disk; do nothing if it is there.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        target = self.folder / f"{hashlib.sha256(instruction.key.encode()).hexdigest()}.json"
        part = target.with_name(f"{target.name}.{os.getpid()}{PART}")
        with part.open("w", encoding="utf-8") as file:
            json.dump({**asdict(instruction), "amount": str(instruction.amount)}, file, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(part, target)  # unlike a rename, this fails if the instruction is there
        except FileExistsError:
            pass
        finally:
            part.unlink()
        _flush_folder(self.folder)


def _flush_folder(folder: Path) -> None:
    """Wait until the names in a folder are on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
