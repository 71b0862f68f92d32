from pricing.anchoring import Anchoring
from pricing.anchors import Anchor
from pricing.compaction import CompactSurface, compact
from pricing.cover import Cover, Payment
from pricing.errors import (
    CalibrationError,
    CorruptSurfaceError,
    DataError,
    InsufficientDataError,
    InvalidBasisError,
    InvalidModelError,
    InvalidTermsError,
    NotConvergedError,
    NotSimulatedError,
    PrecisionError,
    PrecisionWarning,
    PricingError,
    QuoteRefusedError,
    RateStoreError,
    ReproductionError,
    SalesFrozenError,
    SimulationError,
    StaleRateError,
    SuspendedAssetError,
    TamperedQuoteError,
    TooLargeError,
    UninsurableError,
    UnknownAssetError,
    WaitingPeriodError,
)
from pricing.estimates import Estimate, WeightedSample
from pricing.loadings import CapitalCost, ParameterUncertainty
from pricing.models import (
    Collapse,
    ConstantVolatility,
    DoubleExponentialSizes,
    Empirical,
    Garch,
    GeneralizedParetoFalls,
    Jumps,
    Normal,
    NormalSizes,
    PriceModel,
    QuantileLaw,
    StudentT,
)
from pricing.payouts import FullPayout, LinearPayout, Payout, TieredPayout
from pricing.premiums import Premium, PremiumFlag, PricingBasis, premium
from pricing.principles import StandardDeviationPrinciple
from pricing.quote import Quote
from pricing.quoter import Quoter
from pricing.rate_limits import LimitedRate, RateLimits
from pricing.rate_quote import RateQuote, verify
from pricing.rate_quoter import RateQuoter
from pricing.selling_rules import Conditions, RateInForce, RatesInForce, SalesBump, SalesPressure, SellingRules
from pricing.settings import SimulationSettings
from pricing.simulation import simulate
from pricing.surface import DropSurface
from pricing.three_windows import TermEstimate, exceedance_over_term, simulate_three_windows
from pricing.triggers import DropTrigger, Reference
from pricing.version import ENGINE_VERSION

__version__: str

__all__ = [
    "ENGINE_VERSION",
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
    "DoubleExponentialSizes",
    "DropSurface",
    "DropTrigger",
    "Empirical",
    "Estimate",
    "FullPayout",
    "Garch",
    "GeneralizedParetoFalls",
    "InsufficientDataError",
    "InvalidBasisError",
    "InvalidModelError",
    "InvalidTermsError",
    "Jumps",
    "LimitedRate",
    "LinearPayout",
    "Normal",
    "NormalSizes",
    "NotConvergedError",
    "NotSimulatedError",
    "ParameterUncertainty",
    "Payment",
    "Payout",
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
    "Reference",
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
    "WaitingPeriodError",
    "WeightedSample",
    "compact",
    "exceedance_over_term",
    "premium",
    "simulate",
    "simulate_three_windows",
    "verify",
]
