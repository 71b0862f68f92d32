import hashlib

import numpy as np
import pandas as pd
import pytest

from calibration import calibrate, concentration
from crashcover import sample_market
from crashcover.files.holders import read_holders
from crashcover.files.prices import read_prices
from crashcover.sample_market import CALM, EVEN, SUPPLY, TOKENS, WHALE, WILD


def digest(folder):
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in sample_market.write_files(folder)]


def worst_drop(closes, hours):
    return float((1.0 - closes / closes.rolling(hours + 1, min_periods=1).max()).max())


def test_a_second_generation_is_the_same_to_the_byte(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    assert digest(first) == digest(second)


@pytest.mark.parametrize("token", TOKENS, ids=lambda token: token.name)
def test_files_hold_what_was_generated(token, sample_files):
    prices, holders = sample_files
    history = read_prices(prices, asset=token.name)
    pd.testing.assert_series_equal(
        history.closes, sample_market.closes(token), check_names=False, check_freq=False, check_index_type=False
    )
    assert history.notices == ()
    expected = sample_market.holders(token)
    found = read_holders(holders, asset=token.name)
    assert found["address"].to_list() == expected["address"].to_list()
    assert found["balance"].to_list() == expected["balance"].to_list()


@pytest.mark.parametrize("token", TOKENS, ids=lambda token: token.name)
def test_a_year_of_hours_of_positive_prices_with_a_synthetic_name(token):
    closes = sample_market.closes(token)
    assert len(closes) == 8760
    assert (closes > 0.0).all()
    assert set(np.diff(closes.index.to_numpy())) == {np.timedelta64(1, "h")}
    assert token.name.startswith("SYNTH-")
    assert sample_market.is_synthetic(token.name)
    assert not sample_market.is_synthetic(token.name.removeprefix("SYNTH-"))


@pytest.mark.parametrize("token", TOKENS, ids=lambda token: token.name)
def test_every_token_calibrates_without_a_finding(token):
    calibration = calibrate(sample_market.closes(token), holders=sample_market.holders(token), supply=SUPPLY)
    assert calibration.findings == ()


def test_one_token_has_crashed_clearly_and_the_others_have_not():
    assert worst_drop(sample_market.closes(WILD), 24) > 0.45
    assert all(worst_drop(sample_market.closes(token), 24) < 0.30 for token in (CALM, EVEN, WHALE))


def test_twins_have_the_same_returns_up_to_the_rounding_of_prices():
    even, whale = (np.diff(np.log(sample_market.closes(token))) for token in (EVEN, WHALE))
    # six digits of two prices, each rounded by at most half a unit: 4 x 5e-6
    np.testing.assert_allclose(even, whale, rtol=0.0, atol=2e-5)


def test_complete_lists_are_complete_and_the_cut_one_is_cut_and_labelled():
    for token in (CALM, WILD, EVEN):
        assert sample_market.holders(token)["balance"].sum() == SUPPLY
    whale = sample_market.holders(WHALE)
    assert len(whale) == 100
    assert whale["balance"].sum() == pytest.approx(0.92 * SUPPLY, abs=1.0)
    assert {"exchange", "burn", "locked"} <= set(whale["label"])


def test_concentration_tells_the_twins_apart():
    even, whale = (concentration(sample_market.holders(token), supply=SUPPLY) for token in (EVEN, WHALE))
    # the largest holder alone: 45 % of the supply over a float of 1 - 5 % burnt - 15 % locked
    assert whale.top1.lower >= 0.45 / 0.80
    assert whale.hhi.lower > 50.0 * even.hhi.upper
    assert whale.nakamoto.upper == 1
