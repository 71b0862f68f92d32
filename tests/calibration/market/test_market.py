import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from calibration import Market, fit_market
from calibration.law.drop_law import MarketState
from calibration.market import long_memory
from calibration.market.market import PEGGED, WINDOWS, unused_tokens
from pricing.errors import DataError, InsufficientDataError, NewerFormatError
from pricing.tools.stored import seal_text
from tests.calibration.drop_laws import a_law, a_panel


@pytest.fixture(scope="module")
def panel():
    """Eight months of fifteen tokens."""
    return a_panel()


@pytest.fixture(scope="module")
def market(panel):
    return fit_market(panel)


def flat(value):
    """Flatten everything in a market to a list of leaves."""
    if isinstance(value, dict):
        return [leaf for key in sorted(value) for leaf in flat(value[key])]
    if isinstance(value, list):
        return [leaf for item in value for leaf in flat(item)]
    return [value]


def assert_close(found, expected, tolerance):
    for one, other in zip(flat(found.to_plain()), flat(expected.to_plain()), strict=True):
        assert one == (pytest.approx(other, abs=tolerance) if isinstance(other, float) else other)


# --- what comes out ---------------------------------------------------------------------------------------------------


def test_a_market_has_a_law_for_each_window(market, panel):
    assert [law.window for law in market.laws] == list(WINDOWS)
    assert market.as_of == panel.index[-1]
    assert market.n_tokens == 15
    assert market.first_start >= panel.index[0] + timedelta(days=30)
    leaves = [leaf for leaf in flat(market.to_plain()) if isinstance(leaf, float)]
    assert np.isfinite(leaves).all()
    for law, least in zip(market.laws, WINDOWS.values(), strict=True):
        assert law.own.threshold == pytest.approx(-np.log1p(-least))
        assert np.all(np.diff(law.shocks) >= 0.0)
        assert len(law.slopes) == 5
        assert law.level.error > 0.0


def test_every_token_of_a_panel_is_used_or_named_with_its_reason(panel, market):
    known = panel.iloc[:, 0]
    more = panel.assign(USDT=1.0, FLAT=5.0, YOUNG=known.where(known.index > known.index[-200]))
    unused = unused_tokens(more)
    assert unused == {
        "USDT": "it follows another price",
        "FLAT": "it moves less than 8% a year on the median day",
        "YOUNG": "at no start has it enough history, movement and outcome",
    }
    assert len(more.columns) == market.n_tokens + len(unused)


def test_the_state_of_the_market_by_hand(market, panel):
    logs = np.log(panel)
    run_up = logs.diff().mean(axis=1).iloc[-90 * 24 :].sum()
    assert market.state.run_up == pytest.approx(run_up, abs=1e-12)
    # 30-day volatilities lie around the volatility of the tokens: 4 degrees of freedom, half of the variance shared
    volatility = np.sqrt(logs.diff().pow(2).mean() * 8760.0)
    assert market.state.log_volatility == pytest.approx(np.log(volatility).mean(), abs=0.3)


def test_a_law_expects_about_as_many_drops_as_came(market, panel):
    # the median worst drop of a month, over all tokens and months, lies where the law says, within the shock of a month
    law = market.laws[-1]
    logs = np.log(panel.to_numpy())
    months = [logs[start : start + 721] for start in range(30 * 24, len(logs) - 720, 720)]
    worst = [
        np.max([np.max(month[max(0, at - 24) : at + 1], axis=0) - month[at] for at in range(721)], axis=0)
        for month in months
    ]
    state = MarketState(
        log_volatility=float(np.log(np.sqrt(np.nanmean(np.diff(logs, axis=0) ** 2) * 8760))), run_up=0.0
    )
    assert law.level.at(state) == pytest.approx(np.median(np.log(worst)), abs=0.3)


def test_the_same_panel_gives_the_same_bits(panel, market):
    assert fit_market(panel.copy()).to_json() == market.to_json()


def test_the_order_of_tokens_does_not_matter(panel, market):
    shuffled = panel[panel.columns[np.random.default_rng(3).permutation(panel.shape[1])]]
    assert_close(fit_market(shuffled), market, 1e-9)


def test_the_unit_of_prices_does_not_matter(panel, market):
    assert_close(fit_market(panel * np.geomspace(1e-6, 1e6, panel.shape[1])), market, 1e-8)


# --- nothing learnt later ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("poison", ["random", "crash", "nothing", "text"])
def test_later_closes_change_nothing(panel, poison):
    as_of = panel.index[4000]
    rng = np.random.default_rng(4)
    poisoned = panel.astype(object) if poison == "text" else panel.copy()
    later = {"random": rng.lognormal(size=(len(panel) - 4001, 15)), "crash": 1e-9, "nothing": np.nan, "text": "?"}
    poisoned.iloc[4001:] = later[poison]
    known = fit_market(panel.iloc[:4001])
    assert known.as_of == as_of
    assert fit_market(poisoned, as_of=as_of).to_json() == known.to_json()
    assert fit_market(panel, as_of=as_of.isoformat()).to_json() == known.to_json()


def test_later_months_of_the_long_memory_change_nothing(panel, monkeypatch):
    as_of = panel.index[4000]
    known = fit_market(panel, as_of=as_of)
    months = long_memory._shipped()
    later = months.index > as_of - timedelta(days=30)
    assert later.sum() > 10
    poisoned = months.copy()
    poisoned.loc[later] = np.random.default_rng(5).normal(30.0, 5.0, (later.sum(), months.shape[1]))
    monkeypatch.setattr(long_memory, "_shipped", lambda: poisoned)
    assert fit_market(panel, as_of=as_of).to_json() == known.to_json()
    poisoned.loc[~later] += 1.0
    poisoned.loc[months.index < panel.index[0]] += 1.0
    assert fit_market(panel, as_of=as_of).to_json() != known.to_json()


def test_new_tokens_of_a_month_teach_nothing_yet(panel, market):
    listed = panel.assign(NEW=np.where(panel.index > panel.index[-20 * 24], panel["T1"], np.nan))
    found = fit_market(listed)
    assert found.n_tokens == market.n_tokens
    for law, known in zip(found.laws, market.laws, strict=True):
        # Sums over one more column round differently on some processors.
        assert law.slopes == pytest.approx(known.slopes, rel=1e-12)


# --- what does not count ----------------------------------------------------------------------------------------------


def test_pegged_and_wrapped_tokens_are_left_out_by_name_and_by_their_prices(panel, market):
    assert {"USDT", "USDC", "WBTC", "PAXG"} <= PEGGED
    wrapped = panel["T3"] * (1.0 + 1e-4 * np.random.default_rng(6).standard_normal(len(panel)))
    pegged = panel.assign(USDT=1.0, WBTC=wrapped)
    assert fit_market(pegged).to_json() == market.to_json()
    assert fit_market(panel.assign(MINE=panel["T3"]), exclude={"MINE"}).to_json() == market.to_json()
    assert fit_market(pegged, exclude=()).n_tokens == 15  # they are recognised without their names, too


def test_pegged_tokens_are_left_out_of_the_learning_by_their_volatility(panel, market):
    peg = np.exp(np.random.default_rng(6).normal(0.0, 2e-4, len(panel)))
    found = fit_market(panel.assign(PEG=peg))
    assert found.n_tokens == market.n_tokens
    assert found.state.log_volatility == market.state.log_volatility


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (lambda p: p["T0"], DataError, "panel must be a frame of closes.*got Series"),
        (lambda p: p.tz_localize(None), DataError, "with a time zone"),
        (lambda p: p.assign(T3=0.0), DataError, r"close of T3 at .* must be positive and finite, got 0.0 .*NaN, not 0"),
        (lambda p: p.iloc[:700], InsufficientDataError, "at least a month of hourly closes, got 700 rows"),
        (lambda p: p.iloc[:1600], InsufficientDataError, "reach back at least 70 days"),
        (lambda p: p.iloc[:, :4], InsufficientDataError, "at least 3 starts of 5 tokens with history.*got 0"),
        (lambda p: p[[]], InsufficientDataError, "at least 3 starts of 5 tokens"),
        (lambda p: p.where(np.arange(15) < 4 + 0 * p), InsufficientDataError, "at least 3 starts of 5 tokens"),
    ],
)
def test_errors_name_the_field_the_value_and_the_slip(panel, spoil, error, message):
    with pytest.raises(error, match=message):
        fit_market(spoil(panel))


def test_as_of_before_the_panel_is_refused(panel):
    with pytest.raises(InsufficientDataError, match="got 0 rows"):
        fit_market(panel, as_of="2020-01-01T00:00Z")


# --- as text ----------------------------------------------------------------------------------------------------------


def test_json_reads_back_to_the_last_bit(market):
    back = Market.from_json(market.to_json())
    assert back == market
    assert back.to_json() == market.to_json()
    for field in fields(Market):
        assert getattr(back, field.name) == getattr(market, field.name)


def test_unknown_blocks_and_windows_survive_json():
    market = Market(
        as_of=datetime(2024, 1, 1, tzinfo=UTC),
        state=MarketState(log_volatility=0.1, run_up=-0.2),
        laws=(a_law("1h"), a_law("24h")),
        n_tokens=11,
        first_start=datetime(2023, 1, 1, tzinfo=UTC),
    )
    assert None in market.laws[0].block_means
    assert Market.from_json(market.to_json()) == market


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"as_of": "tomorrow"}', "[" * 100_000])
def test_what_is_no_market_is_refused(text):
    with pytest.raises(DataError, match="not a market"):
        Market.from_json(text)


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"as_of": "tomorrow"},
        {"as_of": "2024-01-01T00:00:00+00:00", "state": {"type": "X"}},
    ],
)
def test_sealed_values_that_are_no_market_are_refused(value):
    with pytest.raises(DataError, match="not a market"):
        Market.from_json(seal_text("market", 1, value))


def test_a_market_with_one_changed_figure_is_refused(market):
    value = json.loads(market.to_json())
    value["market"]["laws"][0]["level"]["intercept"] += 0.3
    with pytest.raises(DataError, match="not a market: its checksum does not match"):
        Market.from_json(json.dumps(value))


def test_a_market_of_a_newer_release_says_so(market):
    with pytest.raises(NewerFormatError, match="format is 'crashcover market 2'"):
        Market.from_json(seal_text("market", 2, market.to_plain()))


def test_a_stale_market_has_no_run_up(market):
    fresh, stale = market.as_of + timedelta(days=45), market.as_of + timedelta(days=45, hours=1)
    assert not market.is_stale(fresh)
    assert market.state_at(fresh) == market.state
    assert market.is_stale(stale)
    assert market.state_at(stale) == replace(market.state, run_up=0.0)
