import json
from time import process_time

import numpy as np
import pandas as pd
import pytest

import calibration
from calibration import (
    Verdict,
    calibrate,
    check_closes,
    concentration,
    estimate_crashes,
    fit_volatility,
    published_prior,
)
from pricing.errors import DataError, InsufficientDataError, NotConvergedError
from pricing.models import ConstantVolatility, Empirical, Garch, PriceModel, StudentT


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


def test_the_parts_are_those_of_the_modules(hourly_closes, calibrated):
    checked = check_closes(hourly_closes)
    fit = fit_volatility(checked.log_returns, step=checked.step)
    crashes = estimate_crashes(checked.log_returns, step=checked.step, prior=published_prior(checked.step))
    expected = PriceModel(volatility=fit.law, innovations=fit.innovations, jumps=(crashes.jumps,), step="1h")
    assert calibrated.model == expected
    assert calibrated.crashes == crashes
    assert isinstance(calibrated.model.volatility, Garch)
    assert isinstance(calibrated.model.innovations, Empirical)
    assert calibrated.model.annual_drift == 0.0
    assert calibrated.as_of == hourly_closes.index[-1]


def test_a_calm_year_without_holders_has_one_reservation(calibrated):
    assert calibrated.verdict == Verdict.NO_HOLDERS
    assert calibrated.findings == ()
    assert calibrated.concentration is None


def test_other_laws_reach_the_model(hourly_closes):
    found = calibrate(hourly_closes, law="constant", innovations="student_t")
    assert isinstance(found.model.volatility, ConstantVolatility)
    assert isinstance(found.model.innovations, StudentT)


def test_crash_bars_leave_the_volatility_and_enter_the_rate(crashed, calibrated):
    found = calibrate(crashed)
    assert (found.crashes.crash_bars, found.crashes.crashes) == (2, 2)
    assert found.crashes.deepest_drop == pytest.approx(0.6)
    assert found.volatility.n_returns == calibrated.volatility.n_returns - 2
    assert found.volatility.annual_volatility == pytest.approx(calibrated.volatility.annual_volatility, rel=1e-3)
    # with two crashes more the numerator of the rate is three times as large
    assert found.crashes.per_year == pytest.approx(3.0 * calibrated.crashes.per_year)
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
    kept = np.sort(rng.choice(1440, 1300, replace=False))
    found = calibrate(hourly_closes.iloc[:1440].iloc[kept])
    assert {Verdict.SHORT_HISTORY, Verdict.GAPS, Verdict.NO_HOLDERS} <= set(found.verdict)
    assert found.diagnostics.n_returns == found.volatility.n_returns == int(np.sum(np.diff(kept) == 1))


def test_a_price_that_mostly_stands_still_has_no_garch_and_says_so(hourly_closes):
    coarse = hourly_closes.div(300.0).round(4)
    with pytest.raises(NotConvergedError, match="87% of the returns are 0"):
        calibrate(coarse)
    assert calibrate(coarse, law="constant", innovations="normal").volatility.persistence == 0.0


def test_too_short_a_history_is_refused(hourly_closes):
    with pytest.raises(InsufficientDataError, match="at least 500 returns, got 499"):
        calibrate(hourly_closes.iloc[:500])


# --- holders ----------------------------------------------------------------------------------------------------------


def test_concentration_loads_the_rate_and_nothing_else(hourly_closes, calibrated):
    dispersed = calibrate(hourly_closes, holders=holders(*[1.0] * 400), supply=400.0)
    concentrated = calibrate(hourly_closes, holders=holders(90.0, 10.0), supply=100.0)
    assert dispersed.crashes.per_year < calibrated.crashes.per_year < concentrated.crashes.per_year
    assert dispersed.model.volatility == concentrated.model.volatility == calibrated.model.volatility
    assert dispersed.verdict == Verdict.CONCENTRATION_CAPPED
    assert concentrated.verdict == Verdict.OK
    assert concentrated.crashes.concentration_factor == pytest.approx((0.82 / 0.10098) ** 0.25)


def test_a_cut_list_is_priced_at_its_upper_bound(hourly_closes):
    found = calibrate(hourly_closes, holders=holders(30.0, 10.0), supply=100.0)
    owners = concentration(holders(30.0, 10.0), supply=100.0)
    assert found.crashes.concentration_factor == pytest.approx((owners.hhi.upper / 0.10098) ** 0.25)
    assert found.verdict == Verdict.HOLDERS_CUT
    assert calibrate(hourly_closes, holders=holders(30.0, 10.0)).verdict == Verdict.SUPPLY_UNKNOWN


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
    assert read["model"]["innovations"]["values"] == list(calibrated.model.innovations.values)
    assert read["model"]["volatility"]["omega"] == calibrated.model.volatility.omega
    assert read["model"]["jumps"][0]["per_year"] == calibrated.crashes.per_year
    assert read["model"]["step"] == "1h"
    assert read["verdict"] == ["NO_HOLDERS"]
    assert read["concentration"] is None
    assert read["assumptions"] == list(calibrated.assumptions)
    assert set(read) == {
        *("as_of", "assumptions", "concentration", "crashes", "diagnostics", "findings", "model", "type", "verdict"),
        "volatility",
    }


def test_json_of_a_cut_list_writes_infinity_as_text(hourly_closes):
    read = json.loads(calibrate(hourly_closes, holders=holders(30.0, 10.0), supply=100.0).to_json())
    assert read["concentration"]["nakamoto"]["upper"] == "inf"


def test_the_same_data_give_the_same_calibration(hourly_closes, calibrated):
    assert calibrate(hourly_closes).to_json() == calibrated.to_json()


def test_assumptions_name_what_a_reader_would_challenge(calibrated):
    text = " ".join(calibrated.assumptions)
    for word in ("no drift", "gap", "Long-run volatility", "excised", "prior", "looks ahead", "no holder list"):
        assert word in text, word
    assert all(sentence.endswith(".") for sentence in calibrated.assumptions)


def test_a_year_of_hours_takes_less_than_two_seconds(hourly_closes):
    start = process_time()
    calibrate(hourly_closes)
    assert process_time() - start < 2.0


def test_public_names():
    assert all(hasattr(calibration, name) for name in calibration.__all__)
    assert list(calibration.__all__) == sorted(calibration.__all__)


def test_real_tokens(market_data):
    panel = pd.read_parquet(
        market_data / "panel" / "binance_spot_1h_close_2021_202506_dev.parquet", columns=["open_time", "LUNA", "FTT"]
    ).set_index("open_time")
    panel.index += pd.Timedelta("1h")
    luna = calibrate(panel["LUNA"], as_of="2022-05-13T01:00Z")
    assert luna.crashes.crashes == 1
    assert Verdict.HISTORY_CUT not in luna.verdict
    assert {Verdict.CRASHES_SEEN, Verdict.COARSE_TICKS} <= set(luna.verdict)
    quiet = calibrate(panel["FTT"], as_of="2022-11-01T00:00Z")
    assert Verdict.HISTORY_CUT in calibrate(panel["FTT"]).verdict
    assert calibrate(panel["FTT"], as_of="2022-11-15T00:00Z").crashes.per_year > quiet.crashes.per_year
