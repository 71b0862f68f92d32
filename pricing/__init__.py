"""What a crash cover is worth.

A cover says when money is due, how much, and for how long; a price model says how log prices move. ``simulate`` runs
the model once and keeps the worst drop of every path: a ``DropSurface``. Every cover on the asset is then a function
of one column of that surface; ``premium`` prices it and ``Quoter`` wraps the price in a reproducible ``Quote``::

    Cover ──► signal ─────────────────────┐
    PriceModel ──► simulate ──► DropSurface ──► premium ──► Quote

Exact laws and bounds to check simulations with are in ``pricing.closed_form``, which needs scipy and is therefore not
in none of the names below: all of ``pricing`` imports numpy and nothing else. A name is loaded when it is first used;
``__init__.pyi`` says the same to type checkers.
"""

from importlib import import_module
from typing import Any

from pricing.version import ENGINE_VERSION

__version__ = ENGINE_VERSION

_EXPORTS = {
    "anchoring": ["Anchoring"],
    "anchors": ["Anchor"],
    "compaction": ["CompactSurface", "compact"],
    "cover": ["Cover", "Payment"],
    "errors": [
        "CalibrationError",
        "CorruptSurfaceError",
        "DataError",
        "InsufficientDataError",
        "InvalidBasisError",
        "InvalidModelError",
        "InvalidTermsError",
        "NotConvergedError",
        "NotSimulatedError",
        "PrecisionError",
        "PrecisionWarning",
        "PricingError",
        "QuoteRefusedError",
        "RateStoreError",
        "ReproductionError",
        "SalesFrozenError",
        "SimulationError",
        "StaleRateError",
        "SuspendedAssetError",
        "TamperedQuoteError",
        "TooLargeError",
        "UninsurableError",
        "UnknownAssetError",
        "WaitingPeriodError",
    ],
    "estimates": ["Estimate", "WeightedSample"],
    "loadings": ["CapitalCost", "ParameterUncertainty"],
    "models": [
        "Collapse",
        "ConstantVolatility",
        "DoubleExponentialSizes",
        "Empirical",
        "Garch",
        "GeneralizedParetoFalls",
        "Jumps",
        "Normal",
        "NormalSizes",
        "PriceModel",
        "QuantileLaw",
        "StudentT",
    ],
    "payouts": ["FullPayout", "LinearPayout", "Payout", "TieredPayout"],
    "premiums": ["Premium", "PremiumFlag", "PricingBasis", "premium"],
    "principles": ["StandardDeviationPrinciple"],
    "quote": ["Quote"],
    "quoter": ["Quoter"],
    "rate_limits": ["LimitedRate", "RateLimits"],
    "rate_quote": ["RateQuote", "verify"],
    "rate_quoter": ["RateQuoter"],
    "selling_rules": ["Conditions", "RateInForce", "RatesInForce", "SalesBump", "SalesPressure", "SellingRules"],
    "settings": ["SimulationSettings"],
    "simulation": ["simulate"],
    "surface": ["DropSurface"],
    "three_windows": ["TermEstimate", "exceedance_over_term", "simulate_three_windows"],
    "triggers": ["DropTrigger", "Reference"],
    "version": ["ENGINE_VERSION"],
}
_HOMES = {name: module for module, names in _EXPORTS.items() for name in names}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Load the module of a name, or a module by its own name, when it is first asked for."""
    if name in _EXPORTS and name not in _HOMES:
        return import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value  # found without this function from now on
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
