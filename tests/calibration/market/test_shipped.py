import json
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration import Market, fit_market, shipped_market
from pricing.errors import InsufficientDataError

FIRST, LAST = datetime(2021, 4, 1, tzinfo=UTC), datetime(2025, 6, 13, 11, tzinfo=UTC)


@pytest.fixture(scope="module")
def shipped():
    text = (files("calibration") / "data" / "markets.json").read_text(encoding="utf-8")
    return [Market.from_plain(market) for market in json.loads(text)]


def test_every_market_is_dated_and_they_increase(shipped):
    times = [market.as_of for market in shipped]
    assert (times[0], times[-1]) == (FIRST, LAST)
    assert all(earlier < later <= earlier + timedelta(days=30) for earlier, later in pairwise(times))


def test_every_market_is_one_of_its_time(shipped):
    for market in shipped:
        assert [law.window for law in market.laws] == [timedelta(hours=1), timedelta(hours=24)]
        # three starts, a month and five days each, lie between the first start and the date
        assert market.first_start + timedelta(days=40) <= market.as_of
        for law in market.laws:
            last_block = law.first_block + len(law.block_means)
            assert datetime(2021, 4, 1, tzinfo=UTC) + last_block * timedelta(days=30) <= market.as_of


def test_later_markets_know_more(shipped):
    for earlier, later in pairwise(shipped):
        assert earlier.first_start >= later.first_start - timedelta(days=5)
        for before, after in zip(earlier.laws, later.laws, strict=True):
            assert len(after.block_means) >= len(before.block_means)
            assert after.level.error <= before.level.error + 1e-5


@given(st.datetimes(datetime(2021, 4, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))
def test_no_market_of_a_later_day_is_returned(time):
    market = shipped_market(time)
    assert market.as_of <= time
    if time < LAST:
        assert time - market.as_of < timedelta(days=30)


def test_a_market_is_found_at_its_own_time(shipped):
    for market in shipped:
        assert shipped_market(market.as_of) == market
    for earlier, later in pairwise(shipped):
        assert shipped_market(later.as_of - timedelta(seconds=1)) == earlier


def test_before_the_first_market_there_is_none():
    with pytest.raises(InsufficientDataError, match=r"as_of must not be before 2021-04-01.*got 2021-03-31.*fit_market"):
        shipped_market(FIRST - timedelta(seconds=1))


@pytest.fixture(scope="module")
def panel(market_data):
    panel = pd.read_parquet(market_data / "panel" / "binance_spot_1h_close_2021_202506_dev.parquet")
    panel = panel.set_index("open_time")
    panel.index = (panel.index + timedelta(hours=1)).rename("close_time")
    return panel


@pytest.mark.parametrize("time", ["2021-04-01T00:00Z", "2022-04-26T00:00Z"])
def test_a_market_is_the_fit_of_the_panel_at_its_date(panel, time):
    fitted, shipped = (
        market.to_plain()
        for market in (fit_market(panel, as_of=time), shipped_market(pd.Timestamp(time).to_pydatetime()))
    )
    assert fitted.keys() == shipped.keys()
    assert fitted["as_of"] == shipped["as_of"] == pd.Timestamp(time).isoformat()
    assert fitted["n_tokens"] == shipped["n_tokens"]
    assert_rounded(shipped, fitted)


def assert_rounded(shipped, fitted):
    """Check that figures agree to five digits after the point, the last of which may be rounded either way."""
    if isinstance(fitted, dict):
        assert shipped.keys() == fitted.keys()
        for key in fitted:
            assert_rounded(shipped[key], fitted[key])
    elif isinstance(fitted, list):
        for one, other in zip(shipped, fitted, strict=True):
            assert_rounded(one, other)
    elif isinstance(fitted, float):
        assert shipped == round(shipped, 5)
        assert shipped == pytest.approx(fitted, abs=1.01e-5)
    else:
        assert shipped == fitted
