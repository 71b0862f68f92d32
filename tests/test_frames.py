"""Results that are tables become data frames, one row per thing that they hold; values are those of their fields."""

import ast
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from calibration import shipped_market
from calibration.hazard.factor import HazardFactor, HazardPart
from calibration.paths.volatility import Parameter, VolatilityFit
from crashcover.fetching.history import Fetched
from crashcover.fetching.panel import PanelFetched
from crashcover.fetching.price_file import Hole
from crashcover.files.prices import PriceHistory
from crashcover.offers.rate_changes import RateChange
from crashcover.repricing.intake.covers import BookCovers
from crashcover.repricing.intake.quarantine import Rejection
from pool.allocation import Allocation
from pool.leverage import LeverageLines
from pool.losses import PoolLosses
from pricing import Cover, DropTrigger, Estimate, FullPayout, LinearPayout, Premium, PremiumFlag, RateQuote, Reason
from pricing.contract.book import Book
from pricing.errors import DataError
from pricing.hedging.hedges import Hedge, Leg
from pricing.premiums.sensitivity import Sensitivity
from pricing.principles import LossDistribution
from pricing.quotes.rate_quoter import BookQuotes
from pricing.rates.book_premiums import FLAGS, PremiumColumns
from pricing.rates.store import RateStore
from tests.checkout import CHECKOUT
from tests.pricing.rates.store_worlds import make_entry

COVERS = [
    Cover(
        cover_id=f"C-{number}",
        asset=asset,
        trigger=DropTrigger(drop=0.3, window="24h"),
        payout=payout,
        limit=100.0 * number,
        currency="USD",
        term="30d",
    )
    for number, asset, payout in ((1, "OM", FullPayout()), (2, "BTC", LinearPayout(attachment=0.3, exhaustion=0.9)))
]
TERMS = {
    "asset": ["OM", "BTC"],
    "drop": [0.3, 0.3],
    "window": ["24h", "24h"],
    "reference": ["rolling-high", "rolling-high"],
    "payout": ["full", "linear:0.3:0.9"],
    "limit": [100.0, 200.0],
    "currency": ["USD", "USD"],
    "term": ["30d", "30d"],
    "waiting_period": ["0h", "0h"],
}
FIGURES = [each.name for each in fields(Premium) if each.name not in ("flag", "further")]
#: The second cover is refused.
PREMIUMS = PremiumColumns(
    **{name: np.array([place + 1.0, np.nan]) for place, name in enumerate(FIGURES)},
    flag=np.array([FLAGS.index(PremiumFlag.IMPRECISE), 0], dtype=np.int8),
    refusal=np.array([0, Reason.UNINSURABLE.code], dtype=np.int8),
    further=(("levy", np.array([0.5, np.nan])),),
)
PREMIUM_TABLE = {
    **{name: [place + 1.0, np.nan] for place, name in enumerate(FIGURES)},
    "levy": [0.5, np.nan],
    "flag": ["imprecise", FLAGS[0].value],
    "refusal": ["", "uninsurable"],
}
ENTRY = make_entry("OM", verdict=("NO_HOLDERS",))
REJECTION = Rejection(row=3, cover_id="C-3", field="drop", value="30%", reason="must be a number")
FIT = dict.fromkeys(each.name for each in fields(VolatilityFit)) | {
    "parameters": (Parameter(name="omega", estimate=0.1, standard_error=0.2),)
}
PART = HazardPart(
    covariate="control",
    score=2.0,
    slope=0.5,
    sd=0.1,
    factor=1.5,
    lower=1.2,
    upper=1.9,
    capped=False,
    source="judgement",
    prior_only=True,
)
HOUR = datetime(2024, 1, 1, 1, tzinfo=UTC)
FETCHED = Fetched(
    symbol="OM/USDT",
    venue="binance",
    bar="1h",
    path=Path("OM.csv"),
    n_bars=20,
    n_new=5,
    first_close=HOUR,
    last_close=HOUR + timedelta(hours=22),
    holes=(Hole(opened=1_704_067_200_000, n_bars=3),),
    n_after=1,
)
CLOSES = pd.Series([1.0, 2.0], index=pd.date_range(HOUR, periods=2, freq="h", name="time"))
CHANGE = RateChange(
    before=0.1, after=0.16, terms=0.01, market=0.02, volatility=0.03, own_record=0.0, concentration=0.01, paths=-0.01
)

#: Results, the arguments of ``to_frame``, its index if it has one, and its columns.
TABLES = {
    "book": (Book.of_covers(COVERS), (), None, TERMS),
    "premiums": (PREMIUMS, (), None, PREMIUM_TABLE),
    "quotes": (
        BookQuotes(premiums=PREMIUMS, price=np.array([9.0, np.nan]), version="1", entries={}, valid_until={}),
        (),
        None,
        {"price": [9.0, np.nan], **PREMIUM_TABLE},
    ),
    "store": (
        RateStore(path=Path("rates"), version="1", entries={"OM": ENTRY}, places={}, length=0, number=1),
        (),
        ["OM"],
        {each.name: [getattr(ENTRY, each.name)] for each in fields(ENTRY) if each.name != "asset"},
    ),
    "sensitivity": (
        Sensitivity(name="volatility", expected_loss=Estimate(5.0, 0.1), gross=Estimate(7.0, 0.2)),
        (),
        ["expected_loss", "gross"],
        {"value": [5.0, 7.0], "standard_error": [0.1, 0.2]},
    ),
    "hedge": (
        Hedge(legs=(Leg(instrument="put", strike=0.7, quantity=2.0, price=0.01),), limit=100.0),
        (),
        None,
        {"instrument": ["put"], "strike": [0.7], "quantity": [2.0], "price": [0.01]},
    ),
    "law": (LossDistribution.binary(0.02), (), None, {"loss": [1.0, 0.0], "exceedance": [0.02, 1.0]}),
    "hazard": (
        HazardFactor(value=1.5, lower=1.2, upper=1.9, average=1.2, parts=(PART,), overhang=None, sale=None),
        (),
        ["control"],
        {
            **{
                name: [getattr(PART, name)]
                for name in ("score", "slope", "sd", "factor", "lower", "upper", "capped", "source", "prior_only")
            },
        },
    ),
    "volatility": (VolatilityFit(**FIT), (), ["omega"], {"estimate": [0.1], "standard_error": [0.2]}),
    "allocation": (
        Allocation(assets=("OM", "BTC"), by_cover=np.array([1.0, 2.0, 5.0]), by_asset=np.array([6.0, 2.0])),
        (),
        ["OM", "BTC"],
        {"amount": [6.0, 2.0], "share": [0.75, 0.25]},
    ),
    "allocation to covers": (
        Allocation(assets=("OM", "BTC"), by_cover=np.array([1.0, 2.0, 5.0]), by_asset=np.array([6.0, 2.0])),
        ("covers",),
        None,
        {"amount": [1.0, 2.0, 5.0], "share": [0.125, 0.25, 0.625]},
    ),
    "losses": (
        PoolLosses(assets=("OM", "BTC"), by_asset=np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 9.0]])),
        (),
        None,
        {"OM": [1.0, 2.0, 3.0], "BTC": [0.0, 0.0, 9.0]},
    ),
    "leverage": (
        LeverageLines(margins=10.0, penalties=np.array([1.0, 2.0]), shortfalls=np.array([0.0, 20.0])),
        (),
        None,
        {"margins": [10.0, 10.0], "penalties": [1.0, 2.0], "shortfalls": [0.0, 20.0], "net_income": [11.0, -8.0]},
    ),
    "rate change": (
        CHANGE,
        (),
        ["before", "terms", "market", "volatility", "own_record", "concentration", "paths"],
        {"change": [0.0, 0.01, 0.02, 0.03, 0.0, 0.01, -0.01], "rate": [0.1, 0.11, 0.13, 0.16, 0.16, 0.17, 0.16]},
    ),
    "covers": (
        BookCovers(covers=tuple(COVERS), set_aside=(REJECTION,)),
        (),
        None,
        {"cover_id": ["C-1", "C-2"], **TERMS},
    ),
    "no covers": (BookCovers(covers=(), set_aside=()), (), None, {"cover_id": [], **{name: [] for name in TERMS}}),
    "set aside": (
        BookCovers(covers=(), set_aside=(REJECTION,)),
        ("set_aside",),
        None,
        {each.name: [getattr(REJECTION, each.name)] for each in fields(REJECTION)},
    ),
    "nothing set aside": (
        BookCovers(covers=(), set_aside=()),
        ("set_aside",),
        None,
        {each.name: [] for each in fields(Rejection)},
    ),
    "prices": (PriceHistory(asset="OM", closes=CLOSES), (), list(CLOSES.index), {"close": [1.0, 2.0]}),
    "holes": (FETCHED, (), None, {"opened": [HOUR - timedelta(hours=1)], "n_bars": [3]}),
    "fetched panel": (
        PanelFetched(fetched={"OM": FETCHED}, failed={"XX": DataError("not listed")}),
        (),
        ["OM", "XX"],
        {
            "n_bars": [20, np.nan],
            "n_new": [5, np.nan],
            "first_close": [HOUR, pd.NaT],
            "last_close": [HOUR + timedelta(hours=22), pd.NaT],
            "n_missing": [3, np.nan],
            "n_after": [1, np.nan],
            "error": ["", "not listed"],
        },
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_frame_holds_what_the_result_holds(name):
    result, arguments, index, columns = TABLES[name]
    frame = result.to_frame(*arguments)
    expected = pd.DataFrame(columns, index=index)
    pd.testing.assert_frame_equal(frame, expected, check_dtype=False, check_names=False, check_freq=False)


def test_the_frame_of_a_sealed_quote_is_that_of_its_premium():
    premium = Premium(**{name: float(place) for place, name in enumerate(FIGURES)}, flag=PremiumFlag.OK)
    texts = (
        "issued_at",
        "valid_until",
        "version",
        "surface_id",
        "calibration_id",
        "engine_version",
        "quote_id",
        "audience",
        "key_id",
        "basis_id",
        "digest",
    )
    quote = RateQuote(cover=COVERS[0], premium=premium, rate_factor=1.0, sales_factor=2.0, **dict.fromkeys(texts, ""))
    pd.testing.assert_frame_equal(quote.to_frame(), premium.to_frame())


def test_the_frame_of_a_market_has_its_laws():
    market = shipped_market(datetime(2025, 6, 1, tzinfo=UTC))
    frame = market.to_frame()
    assert list(frame.index) == ["1h", "24h"]
    for law, (_, row) in zip(market.laws, frame.iterrows(), strict=True):
        assert row["volatility"] == law.slopes[0]
        assert row["level error"] == law.level.error
        assert row["own crash index"] == law.own.index


def classes_with_frames():
    for package in ("pricing", "calibration", "backtest", "pool", "crashcover"):
        for path in (CHECKOUT / package).rglob("*.py"):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef) and "to_frame" in {getattr(each, "name", "") for each in node.body}:
                    yield node.name


def test_the_page_names_every_result_with_a_frame():
    page = (CHECKOUT / "docs" / "how-to" / "show-results.md").read_text(encoding="utf-8")
    missing = {name for name in classes_with_frames() if f"`{name}`" not in page}
    assert missing == {"SampledSurface"}  # the base class of the two surfaces that the page names
