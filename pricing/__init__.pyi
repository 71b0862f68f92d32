from pricing.contract.cover import Cover
from pricing.contract.observation import Payment
from pricing.contract.payouts import FullPayout, LinearPayout, Payout, PiecewisePayout, TieredPayout
from pricing.contract.triggers import DropTrigger, Reference
from pricing.engine.simulation import simulate
from pricing.engine.three_windows import TermEstimate, exceedance_over_term, simulate_three_windows
from pricing.errors import (
    REASONS,
    CalibrationError,
    CorruptSurfaceError,
    DataError,
    DataWarning,
    ExpiredQuoteError,
    FallingRiskLoadError,
    ForeignQuoteError,
    InsufficientDataError,
    InvalidBasisError,
    InvalidModelError,
    InvalidPayoutError,
    InvalidTermsError,
    MissingLibraryError,
    NegativeRiskLoadError,
    NewerFormatError,
    NotConvergedError,
    NotSimulatedError,
    NotYetValidError,
    PeggedTokenError,
    PrecisionError,
    PrecisionWarning,
    PricingError,
    QuoteRefusedError,
    RateStoreError,
    Reason,
    Refusal,
    ReproductionError,
    SalesFrozenError,
    SimulationError,
    StaleRateError,
    SuspendedAssetError,
    TamperedQuoteError,
    TooLargeError,
    UninsurableError,
    UnknownAssetError,
    UnmeasurableLossError,
    UnresolvedError,
    WaitingPeriodError,
)
from pricing.models.anchors import Anchor
from pricing.models.innovations import Empirical, Normal, QuantileLaw, StudentT
from pricing.models.jumps import DoubleExponentialSizes, GeneralizedParetoFalls, Jumps, NormalSizes
from pricing.models.price_model import Collapse, PriceModel
from pricing.models.volatility import ConstantVolatility, Garch
from pricing.premiums.basis import PricingBasis
from pricing.premiums.build_up import premium
from pricing.premiums.loadings import CapitalCost, Loading, ParameterUncertainty, survivorship
from pricing.premiums.premium import Premium, PremiumFlag
from pricing.principles import HazardTransform, StandardDeviationPrinciple, parse_risk_load
from pricing.quotes.quote import Quote
from pricing.quotes.quoter import Quoter
from pricing.quotes.rate_limits import LimitedRate, RateInForce, RateLimits, RatesInForce
from pricing.quotes.rate_quoter import RateQuoter
from pricing.quotes.sales import SalesBump, SalesPressure
from pricing.quotes.sealed_quote import RateQuote, verify
from pricing.quotes.selling_rules import Conditions, SellingRules
from pricing.rates.compact_surface import CompactSurface, compact
from pricing.surface.estimates import Estimate, WeightedSample
from pricing.surface.settings import SimulationSettings
from pricing.surface.surface import Anchoring, DropSurface
from pricing.version import ENGINE_VERSION

__version__: str

__all__ = [
    "ENGINE_VERSION",
    "REASONS",
    "Anchor",
    "Anchoring",
    "CalibrationError",
    "CapitalCost",
    "Collapse",
    "CompactSurface",
    "Conditions",
    "ConstantVolatility",
    "CorruptSurfaceError",
    "Cover",
    "DataError",
    "DataWarning",
    "DoubleExponentialSizes",
    "DropSurface",
    "DropTrigger",
    "Empirical",
    "Estimate",
    "ExpiredQuoteError",
    "FallingRiskLoadError",
    "ForeignQuoteError",
    "FullPayout",
    "Garch",
    "GeneralizedParetoFalls",
    "HazardTransform",
    "InsufficientDataError",
    "InvalidBasisError",
    "InvalidModelError",
    "InvalidPayoutError",
    "InvalidTermsError",
    "Jumps",
    "LimitedRate",
    "LinearPayout",
    "Loading",
    "MissingLibraryError",
    "NegativeRiskLoadError",
    "NewerFormatError",
    "Normal",
    "NormalSizes",
    "NotConvergedError",
    "NotSimulatedError",
    "NotYetValidError",
    "ParameterUncertainty",
    "Payment",
    "Payout",
    "PeggedTokenError",
    "PiecewisePayout",
    "PrecisionError",
    "PrecisionWarning",
    "Premium",
    "PremiumFlag",
    "PriceModel",
    "PricingBasis",
    "PricingError",
    "QuantileLaw",
    "Quote",
    "QuoteRefusedError",
    "Quoter",
    "RateInForce",
    "RateLimits",
    "RateQuote",
    "RateQuoter",
    "RateStoreError",
    "RatesInForce",
    "Reason",
    "Reference",
    "Refusal",
    "ReproductionError",
    "SalesBump",
    "SalesFrozenError",
    "SalesPressure",
    "SellingRules",
    "SimulationError",
    "SimulationSettings",
    "StaleRateError",
    "StandardDeviationPrinciple",
    "StudentT",
    "SuspendedAssetError",
    "TamperedQuoteError",
    "TermEstimate",
    "TieredPayout",
    "TooLargeError",
    "UninsurableError",
    "UnknownAssetError",
    "UnmeasurableLossError",
    "UnresolvedError",
    "WaitingPeriodError",
    "WeightedSample",
    "compact",
    "exceedance_over_term",
    "parse_risk_load",
    "premium",
    "simulate",
    "simulate_three_windows",
    "survivorship",
    "verify",
]
