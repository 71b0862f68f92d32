"""Values that no field is made for, and objects in which one of them can be put."""

import math
from dataclasses import MISSING, fields
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from pricing import (
    Anchor,
    CapitalCost,
    Conditions,
    ConstantVolatility,
    Cover,
    DoubleExponentialSizes,
    DropTrigger,
    Empirical,
    FullPayout,
    Garch,
    GeneralizedParetoFalls,
    HazardTransform,
    Jumps,
    LinearPayout,
    Loading,
    Normal,
    NormalSizes,
    ParameterUncertainty,
    Payment,
    PriceModel,
    PricingBasis,
    PricingError,
    RateInForce,
    RateLimits,
    RatesInForce,
    Reference,
    SalesBump,
    SalesPressure,
    SellingRules,
    SimulationSettings,
    StudentT,
    TieredPayout,
)
from pricing.contract.book import Book
from pricing.contract.observation import Observation
from pricing.principles import PRINCIPLE_CLASSES, WangTransform

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
_SIZES = NormalSizes(mean=-0.2, stdev=0.1)
_INDICES = {"asset": [0], "observation": [0], "payout": [0]}

#: Public classes, with arguments that each accepts.
VALID = {
    Anchor: {"window": "24h", "term": "30d", "drops": (0.2, 0.3), "probabilities": (0.3, 0.1)},
    Book: {
        "currency": "USD",
        "assets": ["OM"],
        "observations": [Observation()],
        "payouts": [FullPayout()],
        "drop": [0.3],
        "limit": [1.0],
        **_INDICES,
    },
    CapitalCost: {"annual_rate": 0.1, "capital": 0.5, "horizon": "30d", "term": "30d"},
    Conditions: {"alerted_at": NOON, "pressure": SalesPressure(sold=0.1, at=NOON)},
    ConstantVolatility: {"annual": 1.0},
    Cover: {
        "cover_id": "C-1",
        "asset": "OM",
        "trigger": DropTrigger(drop=0.3),
        "payout": FullPayout(),
        "limit": 1e5,
        "currency": "USD",
        "term": "30d",
        "waiting_period": "0h",
        "payment": Payment.AT_HIT,
    },
    DoubleExponentialSizes: {"p_up": 0.3, "eta_up": 5.0, "eta_down": 5.0},
    DropTrigger: {"drop": 0.3, "window": "24h", "reference": Reference.ROLLING_HIGH},
    Empirical: {"values": (-1.0, 0.0, 1.0)},
    Garch: {"omega": 1e-6, "alpha": 0.1, "beta": 0.8, "gamma": 0.05, "initial_variance": 1e-5},
    GeneralizedParetoFalls: {"threshold": 0.1, "scale": 0.1, "shape": 0.1},
    Jumps: {"per_year": 3.0, "sizes": _SIZES},
    LinearPayout: {"attachment": 0.3, "exhaustion": 0.9},
    Loading: {
        "name": "fee",
        "heading": "fee",
        "meaning": "for the feed",
        "of_loss": 0.1,
        "of_limit": 0.1,
        "fixed": 1.0,
        "of_gross": 0.1,
    },
    NormalSizes: {"mean": -0.2, "stdev": 0.1},
    Observation: {"reference": Reference.LAGGED, "window": "24h", "term": "30d", "waiting_period": "0h"},
    ParameterUncertainty: {"drops": (0.2, 0.4), "shares": (0.1, 0.2)},
    PriceModel: {
        "volatility": ConstantVolatility(annual=1.0),
        "innovations": Normal(),
        "jumps": (Jumps(per_year=3.0, sizes=_SIZES),),
        "annual_drift": 0.0,
        "step": "1h",
        "volatility_spread": 0.1,
        "collapse": None,
        "anchors": (),
        "least_known_drop": 0.0,
    },
    PricingBasis: {each.name: each.default for each in fields(PricingBasis) if each.init},
    RateInForce: {"rate": 0.1, "since": NOON},
    RateLimits: {"per_hour": 0.25, "per_day": 1.0},
    RatesInForce: {"rate": [0.1], "since": NOON},
    SalesBump: {"strength": 1.0, "half_life": "24h", "largest": 3.0},
    SalesPressure: {"sold": 0.1, "at": NOON},
    SellingRules: {each.name: each.default for each in fields(SellingRules)},
    SimulationSettings: {"n_paths": 1000, "seed": 1, "n_threads": 1, "rare_drops": False},
    StudentT: {"dof": 4.0},
    TieredPayout: {"tiers": {0.3: 0.5}},
    **{
        kind: {
            each.name: WangTransform() if each.default is MISSING else each.default
            for each in fields(kind)
            if each.init
        }
        for kind in PRINCIPLE_CLASSES
    },
}
PLACES = [(kind, name) for kind, valid in VALID.items() for name in valid]


class Nothing:
    """An object of no use."""


_SCALARS = (
    *(None, True, False, ..., NotImplemented, 0, -1, 3, 10**400, 10**5000, 1j, b"x", "", " ", "false", "0.3", "nan"),
    *("24h", "30 days", "\ud800", "\x1b[31m", "[/b]", "x" * 1000, 0.0, -0.0, 1.0, 2.0, math.nan, math.inf, -math.inf),
    *(1e308, 5e-324, Decimal("0.3"), Decimal("NaN"), Decimal("sNaN"), Decimal("1e999"), Fraction(1, 3)),
    *(np.float64(0.3), np.float32(0.3), np.int64(1), np.bool_(True), np.datetime64("2026-11-22"), np.str_("x")),
    *(timedelta(hours=1), timedelta(0), timedelta(-1), timedelta.max, timedelta(microseconds=1)),
    *(NOON, NOON.replace(tzinfo=None), date(2026, 1, 1), datetime.max.replace(tzinfo=UTC)),
    datetime.min.replace(tzinfo=timezone(timedelta(hours=5))),
    *(Reference.LAGGED, Payment.AT_HIT, FullPayout(), HazardTransform(), DropTrigger(drop=0.3), Nothing()),
    *(Nothing, FullPayout, Reference, HazardTransform, int, len),
)
_ARRAYS = tuple(np.array(part) for part in (0.3, [0.3], [0.3, 0.4], [[0.3]], [], ["a"], [None]))


def values():
    """Return a strategy for values of any type: single ones, and sequences, mappings and arrays of them."""
    single = st.one_of(
        st.sampled_from(_SCALARS), st.floats(), st.integers(), st.text(max_size=8), st.decimals(), st.timedeltas()
    )
    return st.one_of(
        single,
        st.sampled_from(_ARRAYS).map(np.copy),
        st.lists(single, max_size=3),
        st.lists(single, max_size=3).map(tuple),
        st.lists(single, max_size=3).map(iter),
        st.dictionaries(st.one_of(st.floats(), st.text(max_size=3)), single, max_size=3),
        st.just(range(3)),
        st.just({0.3}),
    )


def answer_of(make):
    """Return what a call returns, or the error of ours that it raises."""
    try:
        return make()
    except PricingError as error:
        return error
