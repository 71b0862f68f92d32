"""Index against numbers of another index, closed forms, and the laws that make it hard to move."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.errors import DataError, PricingError
from settlement import Conversion, IndexRule, IndexState, Source, build_index

START = pd.Timestamp("2025-10-10 21:00", tz="UTC")


def make_rule(n_sources=3, weights=None, **fields):
    weights = weights or [1.0] * n_sources
    sources = [Source(name=str(number), weight=weight) for number, weight in enumerate(weights)]
    return IndexRule(**{"sources": sources, "max_weight": 1.0, **fields})


def make_ticks(*rows):
    """Make ticks from seconds since 21:00, numbers of venues, prices and volumes."""
    frame = pd.DataFrame(rows, columns=["time", "venue", "price", "volume"][: len(rows[0])])
    return frame.assign(time=START + pd.to_timedelta(frame["time"], unit="s"), venue=frame["venue"].astype(str))


def at(index, second):
    return index.to_frame().loc[START + pd.Timedelta(seconds=second)]


def test_aggregates_of_another_oracle_are_met(read_peers):
    for case in read_peers("pyth_aggregation.json"):
        quotes = [quote for quote in case["input"]["quotes"] if quote["status"] == 1]
        votes = [quote["price"] + way * quote["conf"] for quote in quotes for way in (-1, 0, 1)]
        rule = make_rule(len(votes), allow_nonpositive=True)
        index = build_index(make_ticks(*[(30, place, vote) for place, vote in enumerate(votes)]), rule)
        # Their prices are integers, the mean of the two in the middle rounded down.
        price = np.floor(index.value[0])
        assert price == case["result"]["price"], case["case"]
        confidence = np.floor(index.confidence[0] + (index.value[0] - price))
        assert confidence == case["result"]["conf"], case["case"]


def test_the_median_is_the_mean_of_two_where_the_weight_is_exactly_half():
    ticks = make_ticks((30, 0, 10.0), (30, 1, 20.0), (30, 2, 40.0))
    assert build_index(ticks, make_rule(weights=[0.1, 0.2, 0.3])).value[0] == 30.0
    assert build_index(ticks, make_rule(weights=[0.1, 0.2, 0.31])).value[0] == 40.0


def test_a_weight_is_cut_to_its_largest_share():
    ticks = make_ticks((30, 0, 10.0), (30, 1, 20.0), (30, 2, 30.0), (30, 3, 40.0))
    weights = [7.0, 1.0, 1.0, 1.0]
    assert build_index(ticks, make_rule(weights=weights)).value[0] == 10.0
    assert build_index(ticks, make_rule(weights=weights, max_weight=0.3)).value[0] == 15.0  # 3, 1, 1, 1: half at 10
    assert build_index(ticks, make_rule(weights=weights, max_weight=0.2)).value[0] == 20.0


def test_a_source_is_its_mean_by_volume():
    rows = [(10, 0, 10.0, 3.0), (20, 0, 20.0, 1.0), (20, 1, 1.0, 0.0), (30, 1, 2.0, 0.0)]
    assert build_index(make_ticks(*rows[:2]), make_rule(1, quorum_sources=1)).value[0] == 12.5
    assert build_index(make_ticks(*rows), make_rule(2, quorum_sources=1)).value[0] == (12.5 + 1.5) / 2


def test_weights_that_are_not_stated_are_volumes():
    rule = IndexRule(sources=[Source(name="0"), Source(name="1"), Source(name="2")], max_weight=1.0)
    ticks = make_ticks((30, 0, 10.0, 5.0), (30, 1, 20.0, 1.0), (30, 2, 30.0, 3.0))
    assert build_index(ticks, rule).value[0] == 10.0
    with pytest.raises(DataError, match="'volume'"):
        build_index(ticks.drop(columns="volume"), rule)


def test_a_tick_at_the_close_belongs_to_the_bar_that_ends_there():
    index = build_index(make_ticks((60, 0, 10.0), (60.001, 0, 20.0)), make_rule(1, quorum_sources=1))
    assert index.to_frame()["value"].tolist() == [10.0, 20.0]
    assert index.to_frame().index[0] == START + pd.Timedelta("60s")


def test_a_value_is_held_until_it_is_stale_and_then_missing():
    rule = make_rule(1, quorum_sources=1, stale_after="120s")
    index = build_index(make_ticks((60, 0, 10.0), (300, 0, 11.0)), rule)
    live, stale, missing = IndexState.LIVE, IndexState.STALE, IndexState.INDETERMINATE
    assert index.states == [live, stale, stale, missing, live]
    np.testing.assert_array_equal(index.value, [10.0, 10.0, 10.0, np.nan, 11.0])


def test_an_excluded_source_comes_back_only_when_it_is_fresh():
    rule = make_rule(1, quorum_sources=1, stale_after="60s", readmit_at=0.5)
    # Ages at the closes: 50, 110 (out), 50 (stays out), 20 (in), 50 (stays in).
    index = build_index(make_ticks((10, 0, 1.0), (130, 0, 2.0), (220, 0, 3.0), (250, 0, 4.0)), rule)
    np.testing.assert_array_equal(index.value, [1.0, np.nan, np.nan, 3.0, 4.0])


def test_both_quorums_must_be_met():
    rows = [(30, 0, 10.0), (30, 1, 10.0)]
    assert at(build_index(make_ticks(*rows), make_rule(3)), 60)["state"] == "INDETERMINATE"
    assert at(build_index(make_ticks(*rows), make_rule(3, quorum_sources=2)), 60)["value"] == 10.0
    heavy = make_rule(weights=[1.0, 1.0, 4.0], quorum_sources=2)
    assert at(build_index(make_ticks(*rows), heavy), 60)["state"] == "INDETERMINATE"
    exact = make_rule(weights=[0.1, 0.2, 0.2], quorum_sources=2, quorum_weight=0.6)
    assert at(build_index(make_ticks(*rows), exact), 60)["state"] == "LIVE"


def test_a_price_of_zero_is_a_halt_unless_the_rule_takes_it():
    rows = [(30, 0, 10.0), (40, 0, 0.0), (90, 0, 9.0)]
    held = make_rule(1, quorum_sources=1, stale_after="1h")
    np.testing.assert_array_equal(build_index(make_ticks(*rows), held).value, [np.nan, 9.0])
    taken = make_rule(1, quorum_sources=1, allow_nonpositive=True)
    assert build_index(make_ticks(*rows), taken).value[0] == 5.0


def test_an_average_needs_all_its_closes():
    rows = [(60, 0, 1.0), (120, 0, 2.0), (180, 0, 6.0), (300, 0, 1.0)]
    index = build_index(make_ticks(*rows), make_rule(1, quorum_sources=1, stale_after="30s", average="3min"))
    np.testing.assert_array_equal(index.value, [np.nan, np.nan, 3.0, np.nan, np.nan])


def test_a_currency_is_converted_at_its_own_median():
    tether = IndexRule(sources=[Source(name=f"usdt {n}", weight=1.0) for n in range(3)])
    sources = [Source(name="0", weight=1.0), Source(name="1", weight=1.0, currency="USDT")]
    rule = IndexRule(
        sources=sources, quorum_sources=1, max_weight=1.0, conversions=[Conversion(currency="USDT", rule=tether)]
    )
    own = [(30, "0", 10.0), (30, "1", 10.0)]
    pegs = [(30, "usdt 0", 0.9), (30, "usdt 1", 0.5), (30, "usdt 2", 0.99)]
    assert build_index(make_ticks(*own, *pegs), rule).value[0] == (10.0 + 9.0) / 2
    # Without its own quorum the currency has no price, and its source does not count: half of the weight is left.
    assert np.isnan(build_index(make_ticks(*own, *pegs[:2]), rule).value[0])
    ticks = make_ticks(*own, *pegs).assign(currency="USD")
    with pytest.raises(DataError, match="row 1: '1' quotes in USDT by the rule, got 'USD'"):
        build_index(ticks, rule)


PRICES = st.floats(1e-3, 1e6)


@given(st.data())
def test_less_than_half_of_the_weight_cannot_leave_the_range_of_the_others(data):
    weights = data.draw(st.lists(st.integers(1, 20).map(float), min_size=3, max_size=8))
    order = data.draw(st.permutations(range(len(weights))))
    bad, weight = [], 0.0
    for place in order:
        if 2 * (weight + weights[place]) < sum(weights):
            bad, weight = [*bad, place], weight + weights[place]
    honest = {place: data.draw(PRICES) for place in range(len(weights)) if place not in bad}
    lies = {place: data.draw(st.floats(1e-300, 1e300)) for place in bad}
    ticks = make_ticks(*[(30, place, price) for place, price in {**honest, **lies}.items()])
    value = build_index(ticks, make_rule(weights=weights)).value[0]
    assert min(honest.values()) <= value <= max(honest.values())


TICKS = st.lists(
    st.tuples(st.integers(0, 600), st.integers(0, 3), PRICES, st.floats(0.0, 1e6)), min_size=1, max_size=40
)


@given(rows=TICKS, data=st.data())
def test_order_repetition_and_time_zone_change_nothing(rows, data):
    rule = IndexRule(sources=[Source(name=str(n)) for n in range(4)], quorum_sources=2, stale_after="90s")
    expected = build_index(make_ticks(*rows), rule)
    other = data.draw(st.permutations(rows)) + data.draw(st.lists(st.sampled_from(rows)))
    ticks = make_ticks(*other)
    ticks["time"] = ticks["time"].dt.tz_convert(data.draw(st.sampled_from(["Asia/Kolkata", "America/New_York"])))
    found = build_index(ticks, rule)
    assert found.closes.tobytes() == expected.closes.tobytes()
    assert found.value.tobytes() == expected.value.tobytes()
    assert found.confidence.tobytes() == expected.confidence.tobytes()
    assert found.states == expected.states


@given(rows=TICKS, cut=st.integers(0, 600))
def test_a_close_does_not_depend_on_later_ticks(rows, cut):
    rule = IndexRule(sources=[Source(name=str(n)) for n in range(4)], quorum_sources=2, average="2min")
    whole = build_index(make_ticks(*rows), rule).to_frame()
    end = -(-cut // 60) * 60
    known = [row for row in rows if row[0] <= end]
    if known:
        part = build_index(make_ticks(*known), rule).to_frame()
        pd.testing.assert_frame_equal(part, whole.loc[: part.index[-1]], check_exact=True)


CELLS = st.one_of(st.none(), st.floats(), st.integers(), st.text(max_size=3), st.booleans(), st.binary(max_size=2))


@given(
    times=st.lists(
        st.one_of(CELLS, st.datetimes(), st.datetimes().map(lambda t: t.astimezone())), min_size=2, max_size=2
    ),
    venues=st.lists(st.one_of(CELLS, st.just("0")), min_size=2, max_size=2),
    prices=st.lists(CELLS, min_size=2, max_size=2),
)
def test_whatever_comes_in_nothing_but_a_typed_error_comes_out(times, venues, prices):
    ticks = pd.DataFrame({"time": times, "venue": venues, "price": prices}, dtype=object)
    try:
        build_index(ticks, make_rule(1, quorum_sources=1))
    except PricingError:
        return


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("price", float("nan"), "row 1: price must be a finite number, got nan"),
        ("price", float("inf"), "row 1: price"),
        ("price", "1,5", "row 1: price must be a number, got '1,5'"),
        ("volume", -1.0, "row 1: volume must not be negative"),
        ("time", START.tz_localize(None), "row 1: time must have an offset from UTC"),
        ("time", "yesterday", "row 1: time"),
        ("time", pd.NaT, "row 1: time"),
        ("time", pd.Timestamp("1970-01-01 00:00:01", tz="UTC"), "wrong unit"),
    ],
)
def test_an_error_names_the_row(column, cell, message):
    ticks = make_ticks((10, 0, 1.0, 1.0), (20, 1, 1.0, 1.0), (30, 2, 1.0, 1.0)).astype(object)
    ticks.loc[1, column] = cell
    with pytest.raises(DataError, match=message):
        build_index(ticks, make_rule(bar="1s", quorum_sources=1))


def test_missing_columns_and_sources_are_named():
    ticks = make_ticks((10, 0, 1.0), (20, 1, 1.0))
    with pytest.raises(DataError, match="one column 'price'"):
        build_index(ticks.rename(columns={"price": "prize"}), make_rule())
    with pytest.raises(DataError, match="no tick is of a source"):
        build_index(ticks.assign(venue="x"), make_rule())
    with pytest.raises(DataError, match="one column 'time', got none"):
        build_index(None, make_rule())
    with pytest.raises(DataError, match="one column 'volume', got time, venue, price, volume, volume"):
        build_index(
            pd.concat([ticks, pd.DataFrame({"v": [1, 1], "w": [1, 1]})], axis=1).set_axis(
                ["time", "venue", "price", "volume", "volume"], axis=1
            ),
            make_rule(),
        )
    with pytest.raises(DataError, match="venue must be texts"):
        build_index(ticks.assign(venue=[["a"], "b"]), make_rule())
