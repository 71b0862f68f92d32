"""Prices of crash covers.

A cover states when money is due, how much, and for how long; a price model describes the log price. ``simulate`` runs
the model once and keeps the worst drop of every path: a ``DropSurface``. Every cover on the asset is then a function
of one column of that surface; ``premium`` prices it and ``Quoter`` wraps the price in a reproducible ``Quote``::

    Cover ──► signal ─────────────────────┐
    PriceModel ──► simulate ──► DropSurface ──► premium ──► Quote

Exact laws and bounds to check simulations with are in ``pricing.closed_form``. They need scipy, so they are not among
the names below, which import only numpy. A name is loaded when it is first used; ``__init__.pyi`` gives the
same names to type checkers.
"""

from importlib import import_module
from typing import Any

from pricing.version import VERSION

__version__ = VERSION

_EXPORTS = {
    "contract.cover": ["Cover"],
    "contract.observation": ["Payment"],
    "contract.payouts": ["FullPayout", "LinearPayout", "Payout", "PiecewisePayout", "TieredPayout"],
    "contract.triggers": ["DropTrigger", "Reference"],
    "engine.simulation": ["simulate"],
    "engine.three_windows": ["TermEstimate", "exceedance_over_term", "simulate_three_windows"],
    "errors": [
        "REASONS",
        "CalibrationError",
        "CorruptSurfaceError",
        "DataError",
        "DataWarning",
        "ExpiredQuoteError",
        "FallingRiskLoadError",
        "ForeignQuoteError",
        "InsufficientDataError",
        "InvalidBasisError",
        "InvalidModelError",
        "InvalidPayoutError",
        "InvalidTermsError",
        "MissingLibraryError",
        "NegativeRiskLoadError",
        "NewerFormatError",
        "NotConvergedError",
        "NotSimulatedError",
        "NotYetValidError",
        "PeggedTokenError",
        "PrecisionError",
        "PrecisionWarning",
        "PricingError",
        "QuoteRefusedError",
        "RateStoreError",
        "Reason",
        "Refusal",
        "ReproductionError",
        "SalesFrozenError",
        "SimulationError",
        "StaleRateError",
        "SuspendedAssetError",
        "TamperedQuoteError",
        "TooLargeError",
        "UninsurableError",
        "UnknownAssetError",
        "UnmeasurableLossError",
        "UnresolvedError",
        "WaitingPeriodError",
    ],
    "models.anchors": ["Anchor"],
    "models.innovations": ["Empirical", "Normal", "QuantileLaw", "StudentT"],
    "models.jumps": ["DoubleExponentialSizes", "GeneralizedParetoFalls", "Jumps", "NormalSizes"],
    "models.price_model": ["Collapse", "PriceModel"],
    "models.volatility": ["ConstantVolatility", "Garch"],
    "premiums.basis": ["PricingBasis"],
    "premiums.build_up": ["premium"],
    "premiums.loadings": ["CapitalCost", "Loading", "ParameterUncertainty", "survivorship"],
    "premiums.premium": ["Premium", "PremiumFlag"],
    "principles": ["HazardTransform", "StandardDeviationPrinciple", "parse_risk_load"],
    "quotes.quote": ["Quote"],
    "quotes.quoter": ["Quoter"],
    "quotes.rate_limits": ["LimitedRate", "RateInForce", "RateLimits", "RatesInForce"],
    "quotes.rate_quoter": ["RateQuoter"],
    "quotes.sales": ["SalesBump", "SalesPressure"],
    "quotes.sealed_quote": ["RateQuote", "verify"],
    "quotes.selling_rules": ["Conditions", "SellingRules"],
    "rates.compact_surface": ["CompactSurface", "compact"],
    "surface.estimates": ["Estimate", "WeightedSample"],
    "surface.settings": ["SimulationSettings"],
    "surface.surface": ["Anchoring", "DropSurface"],
    "version": ["ENGINE_VERSION"],
}
_ROOMS = {module.split(".")[0] for module in _EXPORTS}
_HOMES = {name: module for module, names in _EXPORTS.items() for name in names}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Load the module of a name, or a sub-package, when it is first used."""
    if name in _ROOMS and name not in _HOMES:
        return import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value  # from now on found without this function
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
