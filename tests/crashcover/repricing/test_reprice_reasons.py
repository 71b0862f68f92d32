"""Reasons from two nights' calibrations, checked against their law and against simulated explanations."""

import math
from dataclasses import replace

import pandas as pd
import pytest

from calibration import calibrate, inputs_of
from crashcover.offers.outcomes import quote_or_refuse, simulate_covers
from crashcover.offers.rate_changes import explain
from crashcover.rates.documents import read_inputs, write_calibration
from crashcover.rates.job import RateJob
from crashcover.rates.job import run_job as run_rates
from crashcover.rates.night import RateSettings
from crashcover.repricing.changes import CoverChange
from crashcover.repricing.reasons import split
from crashcover.runs.workers import Workplace
from pricing import Cover, DropTrigger, FullPayout, PricingBasis, SimulationSettings
from pricing.errors import DataError
from pricing.tools.progress import silent
from tests.crashcover.repricing.books import book_file, make_book, reprice

PARTS = ("market", "volatility", "own_record", "concentration", "rest")


@pytest.fixture(scope="module")
def nights(sample_files):
    """Calibrations of one token before and after its crash."""
    closes = pd.read_csv(sample_files[0], index_col="time", parse_dates=True)["SYNTH-WILD"]
    return tuple(calibrate(closes.loc[:day]) for day in ("2025-07-15", "2025-08-01"))


def change_of(drop=0.3, before=0.05, after=0.08, window="24h"):
    return CoverChange(
        cover_id="C-1", asset="SYNTH-WILD", before=before, after=after, drop=drop, window=window, term="30d",
        same_terms=True, calibration_before="", calibration_after="",
    )  # fmt: skip


@pytest.mark.parametrize("window", ["1h", "24h", "72h", ""])
def test_parts_add_up_to_the_change(nights, window):
    change = change_of(window=window)
    reasons = split(change, *map(inputs_of, nights))
    assert math.fsum(getattr(reasons, name) for name in PARTS) == pytest.approx(math.log(0.08 / 0.05), abs=1e-12)


def test_only_what_moved_is_a_reason(nights):
    before = inputs_of(nights[0])
    assert split(change_of(), before, before).rest == pytest.approx(math.log(0.08 / 0.05))
    for name, moved in {
        "market": replace(before, market_state=inputs_of(nights[1]).market_state),
        "concentration": replace(before, hazard=2.0),
        "own_record": replace(before, state=replace(before.state, records=inputs_of(nights[1]).state.records)),
    }.items():
        reasons = split(change_of(), before, moved)
        assert [part for part in PARTS[:-1] if getattr(reasons, part)] in ([name], []), name
    assert split(change_of(), before, replace(before, hazard=2.0)).concentration > 0.0


def test_reasons_are_those_of_the_simulated_explanation(nights):
    """Paths are anchored to the law, so both tell the same of its parts: 40,000 paths of one seed, a drop of 30 %."""
    cover = Cover(
        cover_id="C-1",
        asset="SYNTH-WILD",
        trigger=DropTrigger(drop=0.3),
        payout=FullPayout(),
        limit=1e6,
        currency="USD",
    )
    settings = SimulationSettings(n_paths=40_000, seed=1)
    basis = PricingBasis()
    quotes = [
        quote_or_refuse(cover, simulate_covers(night.model, [cover], settings, lambda _: None), basis)
        for night in nights
    ]
    told = explain(*quotes, calibration_before=nights[0], calibration_after=nights[1])
    reasons = split(change_of(before=told.before, after=told.after), *map(inputs_of, nights))
    level = told.before
    for name in PARTS[:-1]:
        simulated = math.log1p(getattr(told, name) / level)
        assert getattr(reasons, name) == pytest.approx(simulated, abs=0.02), name
        level += getattr(told, name)


def test_a_kept_calibration_reads_back_to_the_last_bit(nights, tmp_path):
    name = write_calibration(tmp_path, "SYNTH-WILD", nights[1])
    assert name == write_calibration(tmp_path, "SYNTH-WILD", nights[1])
    wanted = inputs_of(nights[1])
    assert split(change_of(), wanted, read_inputs(tmp_path, name)) == split(change_of(), wanted, wanted)


def test_a_kept_calibration_that_was_changed_is_refused(nights, tmp_path):
    name = write_calibration(tmp_path, "SYNTH-WILD", nights[1])
    path = tmp_path / "calibrations" / f"{name}.json"
    path.write_text(path.read_text().replace("0.", "1.", 1))
    with pytest.raises(DataError, match="damaged"):
        read_inputs(tmp_path, name)
    with pytest.raises(DataError, match="No such file"):
        read_inputs(tmp_path, "0" * 32)


def test_a_book_of_two_nights_says_what_moved_and_why(sample_files, tmp_path):
    panel = pd.read_csv(sample_files[0])
    book = book_file(make_book(400), tmp_path)
    settings = RateSettings(n_paths=4000, windows=("1h", "24h"), terms=("7d", "30d"))
    for night, until in (("one", "2025-07-15"), ("two", "2025-08-01")):
        prices = tmp_path / f"{night}.csv"
        panel[panel["time"] <= until].to_csv(prices, index=False)
        job = RateJob(prices=prices, out=tmp_path / "rates", settings=settings)
        run_rates(job, Workplace(processes=1), silent)
        previous = tmp_path / "out-one" if night == "two" else None
        summary = reprice(book, tmp_path / "rates", tmp_path / f"out-{night}", previous=previous)
    for change in summary["changes"]:
        assert change["log_ratio"] == pytest.approx(math.fsum(change["reasons"].values()), abs=1e-12)
    crashed = [change for change in summary["changes"] if change["asset"] == "SYNTH-WILD"]  # in between
    assert len(crashed) >= 5
    assert all(change["log_ratio"] > change["reasons"]["volatility"] / 2 > 0.0 for change in crashed)
