"""Tokens that follow another price: refused in a night, or rated by the record of the class that is stated."""

import json

import numpy as np
import pandas as pd
import pytest

from crashcover.rates.documents import read_inputs
from pricing import Cover, DropTrigger, FullPayout, UninsurableError, premium
from pricing.errors import DataError
from pricing.rates.store import RateStore
from tests.crashcover.rates.nights import rate, statuses, write
from tests.crashcover.repricing.books import book_file, make_book, reprice

HOURS = 75 * 24


@pytest.fixture(scope="module")
def prices(panel, tmp_path_factory):
    """Prices of one token, of one that wraps it, and of a dollar."""
    recent = panel[["time", "SYNTH-WILD"]].tail(HOURS)
    noise = 1.0 + 1e-4 * np.random.default_rng(2).standard_normal((2, HOURS))
    table = recent.assign(W=recent["SYNTH-WILD"] * noise[0], COIN=noise[1]).rename(columns={"SYNTH-WILD": "WILD"})
    return write(table[["W", "COIN", "WILD", "time"]], tmp_path_factory.mktemp("prices") / "panel.csv")


@pytest.fixture(scope="module")
def pegs(tmp_path_factory):
    return write(pd.DataFrame({"asset": ["COIN"], "peg": ["reserve"]}), tmp_path_factory.mktemp("pegs") / "pegs.csv")


@pytest.fixture(scope="module")
def night(prices, pegs, tmp_path_factory):
    out = tmp_path_factory.mktemp("rates")
    return out, rate(prices, out, pegs=pegs)


def reasons(report):
    return {each["asset"]: each["error"] for each in report["assets"] if each["error"]}


def test_a_night_refuses_wrapped_tokens_and_rates_pegs_by_their_record(night):
    out, report = night
    assert statuses(report) == {"COIN": "fresh", "W": "fresh", "WILD": "missing"}  # of two twins the shorter name
    assert reasons(report)["WILD"].startswith(
        "prices must not follow another token: it follows W: their ratio moves by"
    )
    store = RateStore.open(out)
    assert store.entries["COIN"].verdict == ("PEGGED",)
    calibration_id = store.calibration_id("COIN")
    document = json.loads((out / "calibrations" / f"{calibration_id}.json").read_text())
    assert document["calibration"]["record"]["peg"] == "reserve"
    with pytest.raises(DataError, match="calibration of 'COIN' must be by the laws of the market"):
        read_inputs(out, calibration_id)


def test_a_book_is_told_why_a_refused_token_has_no_rates(night, tmp_path):
    book = make_book(2).assign(asset=["COIN", "WILD"], drop=0.3, payout="full")
    summary = reprice(book_file(book, tmp_path), night[0], tmp_path / "out")
    assert (summary["priced"], summary["quarantined"]) == (1, 1)
    assert "asset 'WILD' has no rates: prices must not follow" in (tmp_path / "out" / "quarantine.csv").read_text()
    assert pd.read_parquet(tmp_path / "out" / "priced")["cover_id"].tolist() == ["C-0"]


def test_published_rates_of_a_peg_are_those_of_its_record_and_sell_no_smaller_drop(night):
    surface = RateStore.open(night[0]).surface("COIN")

    def price(drop):
        trigger = DropTrigger(drop=drop, window="24h")
        terms = {"limit": 1000.0, "currency": "USD", "term": "30d", "payout": FullPayout()}
        return premium(Cover(cover_id="C-1", asset="COIN", trigger=trigger, **terms), surface)

    # 0.0720 a year is the bound of no loss in 41.6 token-years: 1 - exp(-0.0720 * 30 / 365).
    assert price(0.3).trigger_probability == pytest.approx(0.00590, rel=1e-3)
    with pytest.raises(UninsurableError):
        price(0.09)


def test_a_refused_token_keeps_no_rates_of_an_earlier_night(night, prices):
    out, _ = night
    later = rate(prices, out)  # without the file of classes
    assert statuses(later) == {"COIN": "missing", "W": "fresh", "WILD": "missing"}
    assert "the token is pegged or its price is stale" in reasons(later)["COIN"]
    assert "COIN" not in RateStore.open(out).entries


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"asset": ["COIN"], "class": ["reserve"]}, "row 1: must have a column peg, got"),
        ({"peg": ["reserve"]}, "row 1: must have a column asset, got"),
        ({"asset": ["COIN"], "peg": ["gold"]}, "row 2: peg must be one of reserve, synthetic, got 'gold'"),
        ({"asset": ["A", None], "peg": ["reserve"] * 2}, "row 3: asset must name the token of the row"),
        ({"asset": ["A", "A"], "peg": ["reserve", "synthetic"]}, "row 3: peg 'synthetic' contradicts 'reserve'"),
    ],
)
def test_a_wrong_file_of_classes_stops_the_night(prices, tmp_path, rows, message):
    path = write(pd.DataFrame(rows), tmp_path / "pegs.csv")
    with pytest.raises(DataError, match=message):
        rate(prices, tmp_path / "out", pegs=path)


def test_classes_of_unknown_tokens_are_named(run, prices, tmp_path):
    path = write(pd.DataFrame({"asset": ["COIN", "GONE"], "peg": ["reserve"] * 2}), tmp_path / "pegs.csv")
    result = run("rates", "--prices", prices, "--out", tmp_path / "out", "--pegs", path, "--paths", 200)
    assert result.exit_code == 0, result.output
    assert f"notice: {path}: there are no prices for GONE" in result.stderr
