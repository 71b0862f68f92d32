import json
import math

import numpy as np
import pandas as pd
import pytest

import calibration
from calibration import (
    RiskSignals,
    Verdict,
    calibrate,
    fit_volatility,
    hazard_factor,
    inputs_of,
    remodel,
    shipped_market,
)
from calibration.hazard.factor import CONTROL_CAPS
from calibration.hazard.overhang import SEEN
from calibration.hazard.published import CONTROLLED, TYPICAL, UNLISTED
from calibration.holders.control import ALONE, DUST
from calibration.law.law_anchors import exceedance
from pricing.engine.simulation import simulate
from pricing.errors import DataError, InsufficientDataError, InvalidTermsError
from pricing.models.innovations import Empirical, StudentT
from pricing.models.volatility import ConstantVolatility, Garch
from pricing.surface.settings import SimulationSettings


@pytest.fixture(scope="module")
def calibrated(hourly_closes):
    return calibrate(hourly_closes)


@pytest.fixture(scope="module")
def crashed(hourly_closes):
    """The same history with two crashes of 40 % and 60 % in one hour, a month apart."""
    returns = np.log(hourly_closes).diff()
    returns.iloc[[3000, 3720]] = np.log([0.6, 0.4])
    return np.exp(returns.fillna(0.0).cumsum())


def holders(*balances):
    return pd.DataFrame(
        {"address": [f"h{i}" for i in range(len(balances))], "balance": np.array(balances, dtype=float)}
    )


def test_the_model_has_the_shape_of_the_returns_and_the_level_of_the_law(hourly_closes, calibrated):
    returns = np.log(hourly_closes).diff().dropna()[-4320:]
    shape = fit_volatility(returns, step=pd.Timedelta("1h").to_pytimedelta(), law="garch", innovations="student_t")
    law = calibrated.model.volatility
    assert isinstance(law, Garch)
    assert (law.alpha, law.beta, law.gamma) == pytest.approx((shape.law.alpha, shape.law.beta, 0.0), rel=1e-5)
    assert law.initial_variance / law.omega == pytest.approx(shape.law.initial_variance / shape.law.omega, rel=1e-4)
    assert calibrated.model.innovations.dof == pytest.approx(shape.innovations.dof, rel=1e-5)
    assert calibrated.model.jumps == (calibrated.crashes[0].jumps(),)
    assert calibrated.model.annual_drift == 0.0
    assert calibrated.as_of == hourly_closes.index[-1]


def test_a_simulation_meets_the_law_of_the_worst_month(calibrated):
    surface = simulate(calibrated.model, windows=("1h", "24h"), settings=SimulationSettings(n_paths=20_000))
    for month in calibrated.worst_months:
        curve = dict(zip(month.drops, month.probabilities, strict=True))
        for drop in (0.1, 0.15, 0.2):
            met = surface.exceedance(drop, window=month.window).value
            assert met == pytest.approx(curve[drop], rel=1e-6)


def test_other_inputs_are_the_same_paths_under_another_law(calibrated):
    assert remodel(calibrated, inputs_of(calibrated)) == calibrated.model


def test_a_stormy_token_in_a_calm_market_without_holders(calibrated):
    """The simulated history is wilder than the real year that its dates lie in."""
    assert calibrated.verdict == Verdict.NO_HOLDERS | Verdict.CRASHES_SEEN
    assert calibrated.market == shipped_market(calibrated.as_of)
    assert calibrated.findings == ()
    assert calibrated.concentration is None


def test_other_laws_reach_the_model(hourly_closes):
    found = calibrate(hourly_closes, law="constant", innovations="empirical")
    assert isinstance(found.model.volatility, ConstantVolatility)
    assert isinstance(found.model.innovations, Empirical)
    assert isinstance(calibrate(hourly_closes, law="gjr").model.innovations, StudentT)


def test_crashes_of_its_own_raise_the_rate_and_hardly_the_volatility(crashed, calibrated):
    found = calibrate(crashed)
    before, after = calibrated.crashes[0], found.crashes[0]
    assert (before.crashes, after.crashes) == (0.0, 2.0)
    assert after.expected == before.expected
    assert after.credibility_factor == pytest.approx(3.0 * before.credibility_factor)
    assert found.state.log_volatility == pytest.approx(calibrated.state.log_volatility, abs=0.05)
    assert Verdict.CRASHES_SEEN in found.verdict
    assert found.diagnostics.worst_drop_1h == pytest.approx(0.6)
    assert found.diagnostics.falls_of_30_percent == calibrated.diagnostics.falls_of_30_percent + 2


@pytest.mark.parametrize("poison", [0.0, np.nan, 1e12, "text"])
def test_later_prices_change_nothing(hourly_closes, poison):
    as_of = hourly_closes.index[1500]
    poisoned = hourly_closes.astype(object)
    poisoned.iloc[1501:] = poison
    assert calibrate(poisoned, as_of=as_of).to_json() == calibrate(hourly_closes.iloc[:1501], as_of=as_of).to_json()


def test_sixty_days_with_gaps_are_enough(hourly_closes):
    rng = np.random.default_rng(2)
    kept = np.array([0, *np.sort(1 + rng.choice(1438, 1298, replace=False)), 1439])
    found = calibrate(hourly_closes.iloc[:1440].iloc[kept])
    assert {Verdict.SHORT_HISTORY, Verdict.GAPS, Verdict.NO_HOLDERS} <= set(found.verdict)
    assert found.diagnostics.n_returns == found.volatility.n_returns == int(np.sum(np.diff(kept) == 1))


def test_a_price_that_mostly_stands_still_is_calibrated_all_the_same(hourly_closes):
    coarse = calibrate(hourly_closes.div(300.0).round(4))
    assert Verdict.COARSE_TICKS in coarse.verdict
    assert coarse.worst_months[1].median_drop > 0.02


def test_too_short_a_history_is_refused(hourly_closes):
    with pytest.raises(InsufficientDataError, match=r"at least 60 days, whatever the bar, got 59.96 days from 2023"):
        calibrate(hourly_closes.iloc[:1439])
    holes = [*range(167), *range(600, 767), *range(1273, 1440)]
    with pytest.raises(InsufficientDataError, match="at least 500 returns, got 498"):
        calibrate(hourly_closes.iloc[holes])


def test_nine_hours_of_minutes_are_no_history(hourly_closes):
    minutes = hourly_closes.iloc[:540].set_axis(pd.date_range("2024-01-01T00:01Z", periods=540, freq="1min"))
    with pytest.raises(InsufficientDataError, match=r"at least 60 days, whatever the bar, got 0.38 days"):
        calibrate(minutes)


# --- holders ----------------------------------------------------------------------------------------------------------


def test_concentration_loads_the_crash_rate_and_nothing_else(hourly_closes, calibrated):
    many = pd.DataFrame({"address": ["pool", "a", "b"], "balance": [70.0, 20.0, 10.0], "label": ["staking", "", ""]})
    dispersed = calibrate(hourly_closes, holders=many, supply=100.0)
    concentrated = calibrate(hourly_closes, holders=holders(90.0, 10.0), supply=100.0)
    for low, middle, high in zip(dispersed.crashes, calibrated.crashes, concentrated.crashes, strict=True):
        assert low.rate < middle.rate < high.rate
        assert low.market_rate == middle.market_rate == high.market_rate
        assert middle.hazard_factor == 1.0
        assert high.hazard_factor == pytest.approx(CONTROL_CAPS[1] / hazard_factor().value)
    assert dispersed.verdict == Verdict.CRASHES_SEEN
    assert concentrated.verdict == Verdict.HAZARD_CAPPED | Verdict.CRASHES_SEEN


def test_what_a_cut_list_leaves_open_counts_as_in_the_mean_token(hourly_closes):
    found = calibrate(hourly_closes, holders=holders(30.0, 10.0), supply=100.0)
    controlled, large = 0.4 + UNLISTED * 0.6 - (1.0 - UNLISTED) * 2 * DUST, 0.4 - 2 * ALONE
    over_market = controlled / CONTROLLED * (1.0 - CONTROLLED) / (1.0 - controlled)
    assert found.hazard.value == pytest.approx((over_market * math.exp(SEEN * large - TYPICAL)) ** 0.3)
    assert found.verdict == Verdict.HOLDERS_CUT | Verdict.CRASHES_SEEN
    without_supply = calibrate(hourly_closes, holders=holders(30.0, 10.0))
    assert without_supply.verdict == Verdict.SUPPLY_UNKNOWN | Verdict.CRASHES_SEEN | Verdict.HAZARD_CAPPED


def test_a_list_that_shows_next_to_nothing_is_priced_as_no_list(hourly_closes, calibrated):
    found = calibrate(hourly_closes, holders=holders(30.0, 10.0), supply=100e18)
    assert found.model == calibrated.model
    assert found.verdict == calibrated.verdict
    assert Verdict.NO_HOLDERS in found.verdict
    assert any("the holder list shows 0.00% of the supply" in assumption for assumption in found.assumptions)


def test_signals_load_the_crash_rate(hourly_closes, calibrated):
    found = calibrate(hourly_closes, signals=RiskSignals(unlock_share=0.1))
    assert found.crashes[1].rate == pytest.approx(calibrated.crashes[1].rate * found.hazard.on_rate)
    assert found.hazard.value > 1.0


def test_supply_without_holders_is_refused(hourly_closes):
    with pytest.raises(DataError, match="without holders"):
        calibrate(hourly_closes, supply=100.0)


# --- verdicts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "flag"),
    [
        (lambda closes: closes.drop(closes.index[900:905]), Verdict.GAPS),
        (lambda closes: closes.iloc[[1, 0, *range(2, len(closes))]], Verdict.REPAIRED),
        (
            lambda closes: closes.where(closes.index >= closes.index[1000], 1000.0 * closes).drop(
                closes.index[950:1050]
            ),
            Verdict.HISTORY_CUT,
        ),
        (
            lambda closes: closes.mask((closes.index >= closes.index[500]) & (closes.index < closes.index[540]), 1.0),
            Verdict.STALE_PRICES,
        ),
        (lambda closes: closes.div(30.0).round(4), Verdict.COARSE_TICKS),
    ],
)
def test_flaws_of_prices_are_flagged(hourly_closes, change, flag):
    assert flag in calibrate(change(hourly_closes)).verdict


def test_history_before_a_break_does_not_count(hourly_closes):
    closes = hourly_closes.copy()
    closes.iloc[:1000] *= 1000.0
    broken = closes.drop(closes.index[950:1050])
    assert calibrate(broken).model == calibrate(hourly_closes.iloc[1050:]).model


# --- what is handed over ----------------------------------------------------------------------------------------------


def test_json_is_complete_sorted_and_exact(calibrated):
    text = calibrated.to_json()
    read = json.loads(text)
    assert json.dumps(read, sort_keys=True) == text
    assert read["model"]["innovations"]["dof"] == calibrated.model.innovations.dof
    assert read["model"]["anchors"][3]["probabilities"] == list(calibrated.model.anchors[3].probabilities)
    assert read["model"]["volatility"]["omega"] == calibrated.model.volatility.omega
    assert read["model"]["jumps"][0]["per_year"] == calibrated.crashes[0].per_year
    assert read["model"]["step"] == "1h"
    assert read["verdict"] == ["CRASHES_SEEN", "NO_HOLDERS"]
    assert read["concentration"] is None
    assert read["assumptions"] == list(calibrated.assumptions)
    assert set(read) == {
        *("as_of", "assumptions", "concentration", "crashes", "diagnostics", "findings", "model", "type", "verdict"),
        *("format", "hazard", "market_state", "volatility", "worst_months"),
    }
    assert read["format"] == "crashcover calibration 1"


def test_json_of_a_cut_list_writes_infinity_as_text(hourly_closes):
    read = json.loads(calibrate(hourly_closes, holders=holders(30.0, 10.0), supply=100.0).to_json())
    assert read["concentration"]["nakamoto"]["upper"] == "inf"


def test_the_same_data_give_the_same_calibration(hourly_closes, calibrated):
    assert calibrate(hourly_closes).to_json() == calibrated.to_json()


def test_assumptions_name_what_a_reader_would_challenge(calibrated):
    text = " ".join(calibrated.assumptions)
    for word in ("no drift", "dead tokens", "BTC and ETH", "own record", "Pareto", "variance shock", "no holder list"):
        assert word in text, word
    assert all(sentence.endswith(".") for sentence in calibrated.assumptions)


def test_a_market_that_knows_more_than_the_prices_is_refused(hourly_closes):
    with pytest.raises(DataError, match="must not know more than the prices"):
        calibrate(hourly_closes, market=shipped_market(pd.Timestamp("2025-01-01", tz="UTC")))


def test_before_the_first_market_there_is_no_default(hourly_closes):
    early = hourly_closes.set_axis(hourly_closes.index - pd.Timedelta(days=1500))
    with pytest.raises(InsufficientDataError, match="fit_market"):
        calibrate(early)


def test_an_old_market_is_flagged_and_has_no_run_up(hourly_closes):
    old = shipped_market(pd.Timestamp("2023-06-30", tz="UTC"))
    found = calibrate(hourly_closes, market=old)
    assert Verdict.OLD_MARKET in found.verdict
    assert found.market_state.run_up == 0.0 != old.state.run_up


def bars_of(hours, gjr_returns):
    returns = gjr_returns(1000, omega=1e-4, alpha=0.06, gamma=0.04, beta=0.88, dof=6.0, seed=7)
    return np.exp(returns.set_axis(pd.date_range("2022-01-01", periods=1000, freq=f"{hours}h", tz="UTC")).cumsum())


def test_bars_that_do_not_divide_a_day_are_not_anchored(gjr_returns):
    found = calibrate(bars_of(7, gjr_returns))
    assert Verdict.NOT_ANCHORED in found.verdict
    assert found.model.anchors == ()
    assert found.model.volatility == found.volatility.law


@pytest.mark.parametrize("hours", [2, 4, 12, 24])
def test_longer_bars_meet_the_law_of_their_own_grid(hours, gjr_returns):
    found = calibrate(bars_of(hours, gjr_returns))
    assert Verdict.COARSE_BARS in found.verdict
    assert Verdict.NOT_ANCHORED not in found.verdict
    assert found.model.step == pd.Timedelta(hours=hours)
    assert any("rate of the token's own crashes" in each for each in found.assumptions)
    surface = simulate(found.model, windows=("24h",), settings=SimulationSettings(n_paths=20_000))
    for drop in (0.3, 0.4, 0.5):
        assert surface.exceedance(drop, window="24h").value == pytest.approx(found.worst_months[1].at(drop), rel=1e-6)
    assert remodel(found, inputs_of(found)) == found.model


def test_a_grid_of_hours_sees_falls_as_shallower_by_one_factor(hourly_closes, calibrated):
    """A fall of 30 % every 4 hours is one of 1 - 0.7^k every hour, and neither bars nor their doubts change."""
    found = calibrate(hourly_closes, grid="4h")
    factor = np.exp(found.sight.covers.log_factor)
    law, centre = calibrated.market.laws[1], calibrated.worst_months[1].centre
    for drop in (0.1, 0.3):
        deeper = exceedance(law, 1.0 - (1.0 - drop) ** factor, centre, calibrated.crashes[1].rate)
        assert found.worst_months[1].at(drop) == pytest.approx(deeper, rel=1e-9)
    assert factor > 1.05
    assert found.worst_months[0] == calibrated.worst_months[0]
    assert found.verdict == calibrated.verdict
    assert {anchor.window for anchor in found.model.anchors} == {pd.Timedelta("24h")}


def test_long_bars_may_price_covers_that_are_observed_every_hour(gjr_returns):
    found = calibrate(bars_of(24, gjr_returns), grid="1h")
    assert found.model.step == pd.Timedelta("1h")
    surface = simulate(found.model, windows=("1h", "24h"), settings=SimulationSettings(n_paths=20_000))
    for month in found.worst_months:
        assert surface.exceedance(0.2, window=month.window).value == pytest.approx(month.at(0.2), rel=1e-6)
    assert found.worst_months[1].at(0.2) > calibrate(bars_of(24, gjr_returns)).worst_months[1].at(0.2)


def test_a_grid_must_divide_a_day(hourly_closes):
    with pytest.raises(InvalidTermsError, match="grid must divide a day, got 7h"):
        calibrate(hourly_closes, grid="7h")


def test_public_names():
    assert all(hasattr(calibration, name) for name in calibration.__all__)


def test_real_tokens(market_data):
    panel = pd.read_parquet(
        market_data / "panel" / "binance_spot_1h_close_2021_202506_dev.parquet", columns=["open_time", "LUNA", "FTT"]
    ).set_index("open_time")
    panel.index = (panel.index + pd.Timedelta("1h")).rename("close_time")
    luna = calibrate(panel["LUNA"], as_of="2022-05-13T01:00Z")
    assert Verdict.HISTORY_CUT not in luna.verdict
    assert Verdict.COARSE_TICKS in luna.verdict
    assert luna.state.tail_weight[0] > calibrate(panel["LUNA"], as_of="2022-05-01T00:00Z").state.tail_weight[0]
    quiet = calibrate(panel["FTT"], as_of="2022-11-01T00:00Z")
    assert Verdict.HISTORY_CUT in calibrate(panel["FTT"]).verdict
    stormy = calibrate(panel["FTT"], as_of="2022-11-15T00:00Z")
    assert stormy.worst_months[1].median_drop > quiet.worst_months[1].median_drop
