"""What a command tells the shell."""

from enum import IntEnum

from pricing.errors import (
    CalibrationError,
    DataError,
    FolderInUseError,
    InvalidBasisError,
    InvalidModelError,
    InvalidTermsError,
    NotSimulatedError,
    PricingError,
    ReproductionError,
    SimulationError,
    WorkerError,
)


class Exit(IntEnum):
    """Exit codes; 2 is left to wrong usage, which click reports."""

    DONE = 0
    BAD_DATA = 3
    INVALID_TERMS = 4
    CALIBRATION_FAILED = 5
    ALL_REFUSED = 6
    NOT_REPRODUCED = 7
    IN_USE = 8
    WORKERS_LOST = 9
    SYSTEM_FAILED = 10
    INTERRUPTED = 130


_CODES: tuple[tuple[type[PricingError], Exit], ...] = (
    (DataError, Exit.BAD_DATA),
    (CalibrationError, Exit.CALIBRATION_FAILED),
    (ReproductionError, Exit.NOT_REPRODUCED),
    (InvalidTermsError, Exit.INVALID_TERMS),
    (InvalidModelError, Exit.INVALID_TERMS),
    (InvalidBasisError, Exit.INVALID_TERMS),
    (NotSimulatedError, Exit.INVALID_TERMS),
    (SimulationError, Exit.INVALID_TERMS),
    (FolderInUseError, Exit.IN_USE),
    (WorkerError, Exit.WORKERS_LOST),
)


def exit_code(error: PricingError) -> Exit:
    """Choose the exit code of an error; one without a code of its own comes from a file of the wrong kind."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), Exit.BAD_DATA)
