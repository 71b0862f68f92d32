"""Exit codes of the commands."""

from enum import IntEnum

from pricing import errors


class Exit(IntEnum):
    """Exit codes; 2 is reserved for wrong usage, which click reports."""

    DONE = 0
    BAD_DATA = 3
    INVALID_TERMS = 4
    CALIBRATION_FAILED = 5
    ALL_REFUSED = 6
    NOT_REPRODUCED = 7
    IN_USE = 8
    WORKERS_LOST = 9
    SYSTEM_FAILED = 10
    VENUE_FAILED = 11
    FAULTS = 12
    INTERRUPTED = 130


#: Meaning of every exit code.
MEANINGS = {
    Exit.DONE.value: "done",
    2: "wrong usage",
    Exit.BAD_DATA.value: "bad data: a file, a row, a price or a holder",
    Exit.INVALID_TERMS.value: "invalid terms, basis, model or simulation settings",
    Exit.CALIBRATION_FAILED.value: "calibration failed: too few data, no convergence, or a pegged token",
    Exit.ALL_REFUSED.value: "every cover was refused: uninsurable, or not resolved by the simulation",
    Exit.NOT_REPRODUCED.value: "a quote could not be reproduced",
    Exit.IN_USE.value: "another run is using the folder",
    Exit.WORKERS_LOST.value: "workers were lost or could not be reached, or an optional library is not installed",
    Exit.SYSTEM_FAILED.value: "the system refused a file or folder: disk full, no permission, not a folder",
    Exit.VENUE_FAILED.value: "a venue could not be reached, or refused to answer",
    Exit.FAULTS.value: "rates were published, but some tokens have none for a reason that is not their data",
    Exit.INTERRUPTED.value: "interrupted",
}


_ERRORS: dict[Exit, tuple[type[errors.PricingError], ...]] = {
    Exit.BAD_DATA: (
        errors.PricingError,
        errors.DataError,
        errors.PrecisionError,
        errors.QuoteRefusedError,
        errors.UnknownAssetError,
        errors.SuspendedAssetError,
        errors.StaleRateError,
        errors.SalesFrozenError,
        errors.WaitingPeriodError,
        errors.UnmeasurableLossError,
        errors.UninsurableError,
        errors.UnresolvedError,
        errors.CorruptSurfaceError,
        errors.RateStoreError,
        errors.TamperedQuoteError,
        errors.ForeignQuoteError,
        errors.NotYetValidError,
        errors.ExpiredQuoteError,
        errors.NewerFormatError,
        errors.ProofError,
        errors.CorruptLogError,
        errors.EvidenceError,
        errors.LedgerError,
    ),
    Exit.INVALID_TERMS: (
        errors.InvalidTermsError,
        errors.InvalidModelError,
        errors.InvalidBasisError,
        errors.InvalidPayoutError,
        errors.NegativeRiskLoadError,
        errors.FallingRiskLoadError,
        errors.NotSimulatedError,
        errors.SimulationError,
        errors.TooLargeError,
    ),
    Exit.CALIBRATION_FAILED: (
        errors.CalibrationError,
        errors.InsufficientDataError,
        errors.NotConvergedError,
        errors.PeggedTokenError,
    ),
    Exit.NOT_REPRODUCED: (errors.ReproductionError,),
    Exit.IN_USE: (errors.FolderInUseError,),
    Exit.WORKERS_LOST: (errors.WorkerError, errors.MissingLibraryError),
    Exit.VENUE_FAILED: (errors.VenueError,),
}
#: Exit code of every error of the project.
CODES = {kind: code for code, kinds in _ERRORS.items() for kind in kinds}


def exit_code(error: errors.PricingError) -> Exit:
    """Return the exit code of an error; a subclass from elsewhere has that of its nearest base class."""
    code, *_ = (CODES[kind] for kind in type(error).__mro__ if kind in CODES)
    return code
