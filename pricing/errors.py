"""Every error that the engine raises: one tree, so that a caller can catch as widely or as narrowly as he likes."""


class PricingError(Exception):
    """Root of all errors of this project."""


class InvalidTermsError(PricingError, ValueError):
    """A cover, trigger, payout or duration makes no sense as stated."""


class InvalidModelError(PricingError, ValueError):
    """A price model, or a part of one, has parameters outside its domain."""


class InvalidBasisError(PricingError, ValueError):
    """A pricing basis has a loading outside its domain."""


class SimulationError(PricingError):
    """A simulation cannot run, or a path left the range of finite numbers."""


class TooLargeError(SimulationError):
    """A simulation does not fit into memory."""


class NotSimulatedError(PricingError, LookupError):
    """A surface was asked for a signal that it does not hold."""


class CorruptSurfaceError(PricingError):
    """A surface file is damaged, truncated or not a surface."""


class PrecisionError(PricingError):
    """A number exists but is too uncertain to be sold on."""


class PrecisionWarning(UserWarning):
    """A Monte Carlo estimate hangs on very few paths; its standard error is not to be trusted."""


class RateStoreError(PricingError):
    """A rate store is missing, damaged, or already holds what was to be published."""


class QuoteRefusedError(PricingError):
    """Root of the reasons for which a backend does not sell a cover that it could price."""


class UnknownAssetError(QuoteRefusedError, LookupError):
    """No rate is published for the asset."""


class StaleRateError(QuoteRefusedError):
    """The asset's surface is older than the rules allow, or no longer valid."""


class SuspendedAssetError(QuoteRefusedError):
    """The asset is suspended from sale."""


class SalesFrozenError(QuoteRefusedError):
    """An alert on the asset froze new sales for a while."""


class WaitingPeriodError(QuoteRefusedError):
    """A cover begins sooner after its sale than the rules allow."""


class TamperedQuoteError(PricingError):
    """A quote and its digest do not belong together, or the key is another."""


class UninsurableError(PricingError):
    """A premium would reach its limit: the event is too likely to insure on this basis."""


class ReproductionError(PricingError):
    """A stored quote and its recalculation differ."""


class CalibrationError(PricingError):
    """Data cannot be turned into a model."""


class DataError(CalibrationError, ValueError):
    """A price or a holder is wrong in itself; the message names the row."""


class InsufficientDataError(CalibrationError):
    """Too few observations for the fit that was asked for."""


class NotConvergedError(CalibrationError):
    """An optimiser stopped without an optimum."""


class FolderInUseError(PricingError):
    """Another run is at work on a folder."""


class WorkerError(PricingError):
    """A worker was lost or could not be reached."""
