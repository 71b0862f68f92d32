"""Every error of the project, in one tree: catch as widely or as narrowly as you like.

::

    PricingError
        InvalidTermsError (ValueError)
        InvalidModelError (ValueError)
        InvalidBasisError (ValueError)
        SimulationError
            TooLargeError
        PrecisionError
        QuoteRefusedError
            UnknownAssetError (LookupError)
            SuspendedAssetError
            StaleRateError
            NotYetValidError
            SalesFrozenError
            WaitingPeriodError
            NotSimulatedError (LookupError)
            InvalidPayoutError (InvalidTermsError)
            UnmeasurableLossError (PrecisionError)
            NegativeRiskLoadError (InvalidBasisError)
            UninsurableError
            FallingRiskLoadError (InvalidBasisError)
            UnresolvedError (PrecisionError)
        CorruptSurfaceError
        RateStoreError
        TamperedQuoteError
        ExpiredQuoteError
        ForeignQuoteError
        ReproductionError
        NewerFormatError
        CalibrationError
            DataError (ValueError)
            InsufficientDataError
            NotConvergedError
            PeggedTokenError
        FolderInUseError
        WorkerError
        MissingLibraryError (ImportError)
        VenueError
        ProofError
        CorruptLogError
        EvidenceError
        LedgerError
    PrecisionWarning (UserWarning)
    DataWarning (UserWarning)

The class in brackets is a further base. A cover that is not sold is always refused in the same form. Every class below
``QuoteRefusedError`` corresponds to one ``Reason``, and its ``refusal`` is the plain value that reports and documents
store. Columns of a book store the code of the reason instead.
"""

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar


class Reason(Enum):
    """Reason why a cover is not sold or cannot be priced; its value is the stable text in files and documents.

    Members are in the order in which a quoter checks them; only a premium that rounds to zero is found last.
    """

    UNKNOWN_ASSET = "unknown_asset"
    """There are no rates for the asset."""
    SUSPENDED = "suspended"
    """The asset is suspended from sale."""
    STALE = "stale"
    """The rates of the asset are too old, or of another engine."""
    NOT_YET_VALID = "not_yet_valid"
    """The time of the quote is before the data of the rates, or before the rate in force was set."""
    FROZEN = "frozen"
    """There was an alert on the asset shortly before."""
    WAITING_PERIOD = "waiting_period"
    """The waiting period is too short."""
    NOT_SIMULATED = "not_simulated"
    """The rates do not contain the cover's observation."""
    INVALID_PAYOUT = "invalid_payout"
    """A payout of the user's own returns no shares, shares out of range, or a smaller share for a deeper drop."""
    UNMEASURABLE = "unmeasurable"
    """The basis requires a measure of the loss that the simulation cannot provide."""
    NEGATIVE_RISK_LOAD = "negative_risk_load"
    """The risk load of the basis would lower the premium."""
    UNINSURABLE = "uninsurable"
    """The premium reaches the limit, or rounds to zero where it is offered for sale."""
    FALLING_RISK_LOAD = "falling_risk_load"
    """The risk load of the basis would make a larger loss cheaper than this one."""
    UNRESOLVED = "unresolved"
    """No simulated path triggers a payment."""

    @property
    def code(self) -> int:
        """Number by which columns store the reason: its index in ``REASONS``."""
        return REASONS.index(self)


#: Reasons by code; 0 means a cover that is not refused.
REASONS: tuple[Reason | None, ...] = (None, *Reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A cover that is not sold or cannot be priced.

    Parameters
    ----------
    reason : Reason
        Why not.
    message : str
        Reason in words.
    trigger_probability : float, optional
        Simulated probability that the trigger fires within the term, if it was computed.
    """

    reason: Reason
    message: str
    trigger_probability: float | None = None


class PricingError(Exception):
    """Root of all errors; raised directly if a text is not a stored quote or a value cannot be stored."""


class InvalidTermsError(PricingError, ValueError):
    """Raised if a cover, trigger, payout, duration or other term is invalid."""


class InvalidModelError(PricingError, ValueError):
    """Raised if a price model, or a part of one, has parameters outside its domain."""


class InvalidBasisError(PricingError, ValueError):
    """Raised if a loading, premium principle or selling rule is outside its domain."""


class SimulationError(PricingError):
    """Raised if a simulation cannot run as requested, or if a path is not finite."""


class TooLargeError(SimulationError):
    """Raised if a simulation does not fit into memory."""


class PrecisionError(PricingError):
    """Raised if a number cannot be computed with the precision that its use requires."""


class QuoteRefusedError(PricingError):
    """Root of the refusals: a cover is not sold or cannot be priced; each class is one reason.

    Parameters
    ----------
    message : str
        Reason in words.
    trigger_probability : float, optional
        Simulated probability that the trigger fires within the term, if it was computed.
    """

    reason: ClassVar[Reason]

    def __init__(self, message: str, *, trigger_probability: float | None = None) -> None:
        super().__init__(message)
        self.trigger_probability = trigger_probability

    @property
    def refusal(self) -> Refusal:
        """The refusal as a plain value."""
        return Refusal(reason=self.reason, message=str(self), trigger_probability=self.trigger_probability)


class UnknownAssetError(QuoteRefusedError, LookupError):
    """Raised if there is no rate or surface for the asset of a cover."""

    reason = Reason.UNKNOWN_ASSET


class SuspendedAssetError(QuoteRefusedError):
    """Raised if the asset of a cover is suspended from sale."""

    reason = Reason.SUSPENDED


class StaleRateError(QuoteRefusedError):
    """Raised if rates are marked as stale, no longer valid, too old for the rules, or from another engine."""

    reason = Reason.STALE


class NotYetValidError(QuoteRefusedError):
    """Raised if a quote is asked for at a time before the data of its rate, or before the rate in force was set."""

    reason = Reason.NOT_YET_VALID


class SalesFrozenError(QuoteRefusedError):
    """Raised while sales are frozen after an alert on the asset."""

    reason = Reason.FROZEN


class WaitingPeriodError(QuoteRefusedError):
    """Raised if the waiting period of a cover is shorter than the selling rules allow."""

    reason = Reason.WAITING_PERIOD


class NotSimulatedError(QuoteRefusedError, LookupError):
    """Raised if a surface or a set of scenarios does not contain an observation."""

    reason = Reason.NOT_SIMULATED


class InvalidPayoutError(QuoteRefusedError, InvalidTermsError):
    """Raised if a payout of the user's own returns anything but rising shares of the limit, one per worst drop."""

    reason = Reason.INVALID_PAYOUT


class UnmeasurableLossError(QuoteRefusedError, PrecisionError):
    """Raised if the risk load or the capital of a basis cannot be measured: too few paths, or too large an aversion."""

    reason = Reason.UNMEASURABLE


class NegativeRiskLoadError(QuoteRefusedError, InvalidBasisError):
    """Raised if the principle of the risk load prices a loss below its expected value."""

    reason = Reason.NEGATIVE_RISK_LOAD


class UninsurableError(QuoteRefusedError):
    """Raised if a premium reaches the limit, or rounds to zero."""

    reason = Reason.UNINSURABLE


class FallingRiskLoadError(QuoteRefusedError, InvalidBasisError):
    """Raised if the principle of the risk load would price a larger loss, such as a surer one, below this one."""

    reason = Reason.FALLING_RISK_LOAD


class UnresolvedError(QuoteRefusedError, PrecisionError):
    """Raised if no simulated path triggers a payment, so that there is a bound but no price."""

    reason = Reason.UNRESOLVED


class CorruptSurfaceError(PricingError):
    """Raised if a surface file is damaged, truncated or not a surface."""


class RateStoreError(PricingError):
    """Raised if a rate store is empty or damaged, or already contains the version to publish."""


class TamperedQuoteError(PricingError):
    """Raised if a sealed quote was changed, or was sealed with another key."""


class ExpiredQuoteError(PricingError):
    """Raised if a quote is accepted outside the time for which it was offered."""


class ForeignQuoteError(PricingError):
    """Raised if a quote was offered to another audience."""


class NewerFormatError(PricingError):
    """Raised if something stored is in a format of a newer release."""


class ReproductionError(PricingError):
    """Raised if a stored quote and its recalculation differ."""


class CalibrationError(PricingError):
    """Root of the errors of calibration: data cannot be turned into a model."""


class DataError(CalibrationError, ValueError):
    """Raised if a file, a price or a holder is invalid; the message names the row."""


class InsufficientDataError(CalibrationError):
    """Raised if there are too few observations for the requested fit."""


class NotConvergedError(CalibrationError):
    """Raised if an optimiser stops without an optimum."""


class PeggedTokenError(CalibrationError):
    """Raised if a token follows another price, so that the laws of the market do not hold, or is not at its peg."""


class FolderInUseError(PricingError):
    """Raised if another run is using a folder."""


class WorkerError(PricingError):
    """Raised if a worker is lost or cannot be reached."""


class MissingLibraryError(PricingError, ImportError):
    """Raised if a library of an extra is not installed; the message names the extra."""


class VenueError(PricingError):
    """Raised if an exchange cannot be reached, or refuses to answer."""


class ProofError(PricingError):
    """Raised if a proof or a signature is malformed, or does not prove that an entry or a log is unchanged."""


class CorruptLogError(PricingError):
    """Raised if a public log is damaged, or an entry was changed."""


class LedgerError(PricingError):
    """Raised if an entry of the ledger is impossible, or the ledger cannot be read or written."""


class EvidenceError(PricingError):
    """Raised if evidence of a decision was changed, or other ticks, rules or figures lead to another decision."""


class PrecisionWarning(UserWarning):
    """Issued if an estimate depends on very few paths, so that its standard error is unreliable."""


class DataWarning(UserWarning):
    """Issued if data were read in a way that their owner should know, such as labels that were taken to a grid."""
