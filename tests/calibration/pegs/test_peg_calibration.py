"""Pegs are quoted by their record, at their peg only, and nothing of their history is cut off."""

import json
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from calibration import Verdict, calibrate, calibrate_peg, check_closes
from calibration.pegs.peg_calibration import peg_model
from calibration.pegs.record import RECORDS
from pricing import Cover, DropTrigger, FullPayout, Quoter, Reference, SimulationSettings, UninsurableError, simulate
from pricing.errors import InsufficientDataError, InvalidTermsError, PeggedTokenError

REFERENCES = tuple(Reference)
TERMS = ("7d", "30d", "90d")


def peg_closes(last=1.0, hours=100 * 24):
    index = pd.date_range("2024-01-01T01:00Z", periods=hours, freq="1h")
    closes = pd.Series(1.0 + 2e-4 * np.random.default_rng(1).standard_normal(hours), index=index)
    closes.iloc[-1] = last
    return closes


@pytest.fixture(scope="module", params=["reserve", "synthetic"])
def record(request):
    return RECORDS[request.param]


@pytest.fixture(scope="module")
def surface(record):
    return simulate(
        peg_model(record, timedelta(hours=4)),
        windows=("24h", "72h"),
        terms=TERMS,
        references=REFERENCES,
        settings=SimulationSettings(n_paths=20_000, seed=4),
    )


@pytest.mark.parametrize("reference", REFERENCES)
@pytest.mark.parametrize("drop", [0.1, 0.25, 0.3, 0.9])
def test_a_simulation_meets_the_record_whatever_the_reference(surface, record, reference, drop):
    for term in TERMS:
        found = surface.exceedance(drop, window="24h", term=term, reference=reference)
        known = record.probability(drop, timedelta(days=int(term[:-1])))
        # Seed 4, 20,000 paths, z up to 4; 30 days are met exactly, but for two losses on one path.
        tolerance = 1e-3 * known if term == "30d" else 4.0 * np.sqrt(known / 20_000)
        assert found.value == pytest.approx(known, abs=tolerance)


def test_smaller_drops_are_certain_so_that_no_cover_on_them_is_sold(surface):
    assert surface.exceedance(0.0999, window="24h", term="7d").value == 1.0
    terms = {"limit": 1000.0, "currency": "USD", "term": "30d", "payout": FullPayout()}
    cover = Cover(cover_id="C-1", asset="USDC", trigger=DropTrigger(drop=0.05, window="24h"), **terms)
    with pytest.raises(UninsurableError):
        Quoter({"USDC": surface}).quote(cover)


def test_rare_drops_can_be_asked_for(record):
    settings = SimulationSettings(n_paths=4000, seed=4, rare_drops=True)
    found = simulate(peg_model(record, timedelta(hours=4)), settings=settings)
    assert found.exceedance(0.3).value == pytest.approx(record.probability(0.3, timedelta(days=30)), rel=1e-3)


def test_bars_that_do_not_divide_a_month_are_simulated_without_anchors(record):
    assert peg_model(record, timedelta(hours=7)).anchors == ()


def test_a_peg_is_declared_as_a_judgement():
    found = calibrate_peg(peg_closes(), "reserve")
    assert found.verdict == Verdict.PEGGED
    assert ("Loss of peg", "1.52% for 10%, 0.59% for 30% within 30d: the upper bound of") in found.figures
    assert any("declared judgement" in sentence for sentence in found.assumptions)
    written = json.loads(found.to_json())
    assert written["verdict"] == ["PEGGED"]
    assert written["record"]["peg"] == "reserve"
    assert written["assumptions"] == list(found.assumptions)
    assert "declared judgement" in found._repr_html_()


def test_a_price_that_never_moves_can_be_a_peg():
    still = peg_closes() * 0.0 + 1.0
    assert calibrate_peg(still, "synthetic").robust_volatility == 0.0
    with pytest.raises(PeggedTokenError, match="got 0.00% by the median day"):
        calibrate(still)


@pytest.mark.parametrize("last", [0.969, 1.031])
def test_a_token_off_its_peg_is_not_insured(last):
    with pytest.raises(PeggedTokenError, match=f"prices must end within 3% of the peg of 1, got {last}"):
        calibrate_peg(peg_closes(last), "reserve")


@pytest.mark.parametrize("last", [0.971, 1.029])
def test_a_token_near_its_peg_is_insured(last):
    assert calibrate_peg(peg_closes(last), "reserve").lowest_close == min(last, peg_closes().min())


def test_no_class_can_be_stated_for_another_token(hourly_closes):
    with pytest.raises(PeggedTokenError, match="peg must be stated for pegged tokens only, got prices that move by"):
        calibrate_peg(hourly_closes, "reserve")


def test_the_class_and_a_history_are_needed():
    with pytest.raises(InvalidTermsError, match="peg must be one of"):
        calibrate_peg(peg_closes(), "gold")
    with pytest.raises(InsufficientDataError, match="at least 45 daily returns of the last 90 days"):
        calibrate_peg(peg_closes(hours=45 * 24), "reserve")


def test_a_hole_of_months_does_not_cut_the_history_of_a_peg():
    closes = peg_closes(hours=400 * 24)
    holed = closes.drop(closes.index[100 * 24 : 260 * 24])
    holed.iloc[50 * 24] = 0.87
    assert check_closes(holed).closes.index[0] > closes.index[100 * 24]
    found = calibrate_peg(holed, "reserve")
    assert (found.lowest_close, found.lowest_at) == (0.87, closes.index[50 * 24])
    assert found.diagnostics.n_closes == len(holed)


def test_march_2023_is_on_the_record_of_usdc(market_data):
    path = market_data / "panel" / "binance_spot_1h_close_2021_202506_dev.parquet"
    closes = pd.read_parquet(path, columns=["open_time", "USDC"]).set_index("open_time")["USDC"].dropna()
    closes.index = (closes.index + timedelta(hours=1)).rename("time")
    found = calibrate_peg(closes, "reserve")
    assert found.lowest_close == 0.9128
    assert str(found.lowest_at) == "2023-03-11 16:00:00+00:00"
    assert found.diagnostics.first_close.year == 2021
    assert check_closes(closes).closes.index[0].year == 2023  # what a calibration by the laws saw of it
