from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from calibration import Verdict, calibrate, check_closes, concentration, fit_volatility, hazard_factor
from calibration.judgement import judge
from calibration.law.bar_lengths import HOUR, BarEffect, Sight
from calibration.prices.findings import Finding, FindingKind
from tests.calibration.drop_laws import a_law

CALM = {"law": "constant", "innovations": "normal"}


@pytest.fixture(scope="module")
def parts(hourly_closes):
    """Inputs of a judgement for an ordinary token with an empty crash record and known holders."""
    checked = check_closes(hourly_closes)
    found = calibrate(hourly_closes, **CALM)
    owners = concentration(
        pd.DataFrame({"address": [f"h{i}" for i in range(40)], "balance": np.full(40, 2.5)}), supply=100.0
    )
    independent = replace(found.volatility.diagnostics, ljung_box_squared_p_value=0.5)
    return {
        "checked": checked,
        "diagnostics": found.diagnostics,
        "shape": replace(found.volatility, diagnostics=independent),
        "crashes": tuple(replace(rate, crashes=0.0) for rate in found.crashes),
        "market": found.market,
        "sight": found.sight,
        "hazard": hazard_factor(),
        "owners": owners,
        "shape_is_fitted": True,
    }


def judged(parts, **changes):
    parts = parts | changes
    fitted = parts.pop("shape_is_fitted")
    return judge(*parts.values(), shape_is_fitted=fitted)


def with_finding(checked, kind):
    finding = Finding(kind=kind, time=checked.as_of, row=0, message="for a test")
    return replace(checked, findings=(finding,))


def with_p_value(shape, p_value):
    return replace(shape, diagnostics=replace(shape.diagnostics, ljung_box_squared_p_value=p_value))


def test_an_ordinary_token_needs_no_second_look(parts):
    assert judged(parts) == Verdict.OK


@pytest.mark.parametrize(
    ("change", "flag"),
    [
        (lambda p: {"diagnostics": replace(p["diagnostics"], years=0.49)}, Verdict.SHORT_HISTORY),
        (lambda p: {"crashes": (p["crashes"][0], replace(p["crashes"][1], crashes=1.0))}, Verdict.CRASHES_SEEN),
        (lambda p: {"shape": replace(p["shape"], persistence_bounded=True)}, Verdict.PERSISTENCE_BOUNDED),
        (lambda p: {"shape": with_p_value(p["shape"], 0.009)}, Verdict.RESIDUALS_DEPENDENT),
        (lambda _: {"owners": None}, Verdict.NO_HOLDERS),
        (
            lambda p: {"market": replace(p["market"], as_of=p["checked"].as_of - timedelta(days=45, seconds=1))},
            Verdict.OLD_MARKET,
        ),
        (lambda _: {"shape_is_fitted": False}, Verdict.SHAPE_NOT_FITTED),
        (lambda _: {"sight": Sight(grid=timedelta(hours=7))}, Verdict.NOT_ANCHORED),
        (lambda _: {"sight": Sight(grid=timedelta(minutes=30))}, Verdict.FINE_GRID),
        (lambda _: {"sight": Sight(grid=HOUR, bars=BarEffect(error_24h=0.01))}, Verdict.COARSE_BARS),
        (lambda p: {"market": replace(p["market"], laws=(a_law("90min"),))}, Verdict.NOT_ANCHORED),
        (lambda p: {"hazard": replace(p["hazard"], value=12.0)}, Verdict.HAZARD_CAPPED),
    ],
)
def test_each_reason_raises_its_flag_and_no_other(parts, change, flag):
    assert judged(parts, **change(parts)) == flag


@pytest.mark.parametrize(
    "change",
    [
        lambda p: {"diagnostics": replace(p["diagnostics"], years=0.5)},
        lambda p: {"shape": with_p_value(p["shape"], 0.01)},
        lambda p: {"market": replace(p["market"], as_of=p["checked"].as_of - timedelta(days=45))},
        lambda _: {"sight": Sight(grid=HOUR)},
        lambda _: {"sight": Sight(grid=timedelta(hours=4), covers=BarEffect(log_factor=0.1))},
    ],
)
def test_at_its_edge_a_reason_is_none(parts, change):
    assert judged(parts, **change(parts)) == Verdict.OK


@pytest.mark.parametrize(
    ("kind", "flag"),
    [
        (FindingKind.GAP, Verdict.GAPS),
        (FindingKind.OFF_GRID, Verdict.REPAIRED),
        (FindingKind.DUPLICATE, Verdict.REPAIRED),
        (FindingKind.UNSORTED, Verdict.REPAIRED),
        (FindingKind.MISSING, Verdict.OK),  # a missing bar that leaves a gap is found as one
        (FindingKind.REDENOMINATION, Verdict.HISTORY_CUT),
        (FindingKind.TICKER_REUSE, Verdict.HISTORY_CUT),
        (FindingKind.STALE, Verdict.STALE_PRICES),
        (FindingKind.OUTDATED, Verdict.STALE_PRICES),
        (FindingKind.COARSE_TICK, Verdict.COARSE_TICKS),
    ],
)
def test_findings_of_prices_become_flags(parts, kind, flag):
    assert judged(parts, checked=with_finding(parts["checked"], kind)) == flag


@pytest.mark.parametrize(("supply", "flag"), [(1000.0, Verdict.HOLDERS_CUT), (None, Verdict.SUPPLY_UNKNOWN)])
def test_findings_of_holders_become_flags(parts, supply, flag):
    rows = pd.DataFrame({"address": ["a", "b"], "balance": [60.0, 40.0]})
    assert judged(parts, owners=concentration(rows, supply=supply)) == flag


def test_reasons_add_up(parts):
    both = judged(parts, owners=None, shape_is_fitted=False)
    assert both == Verdict.NO_HOLDERS | Verdict.SHAPE_NOT_FITTED


def test_a_calibration_carries_the_judgement_of_its_parts(hourly_closes):
    found = calibrate(hourly_closes.iloc[:2000], **CALM)
    checked = check_closes(hourly_closes.iloc[:2000])
    fit = fit_volatility(checked.log_returns, step=checked.step, **CALM)
    parts = (checked, found.diagnostics, fit, found.crashes, found.market, found.sight, found.hazard, None)
    assert found.verdict == judge(*parts, shape_is_fitted=True)
