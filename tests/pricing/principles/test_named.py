"""Risk loads by name."""

from datetime import timedelta

import pytest

from pricing.errors import InvalidBasisError, InvalidTermsError
from pricing.principles import (
    PRINCIPLE_CLASSES,
    RISK_LOAD_FORMS,
    ExpectedValuePrinciple,
    HazardTransform,
    OverHorizon,
    StandardDeviationPrinciple,
    WangTransform,
    WangTTransform,
    parse_risk_load,
)

NAMES = [form.partition(":")[0] for form in RISK_LOAD_FORMS]


@pytest.mark.parametrize(
    ("text", "load"),
    [
        ("hazard", HazardTransform()),
        ("hazard:0.25", HazardTransform(margin=0.25)),
        ("hazard:0.25:0.08:0.02", HazardTransform(margin=0.25, capital_rate=0.08, least_capital=0.02)),
        ("capital:0.12", HazardTransform(margin=0.0, capital_rate=0.12)),
        ("full-collateral", HazardTransform(capital_rate=0.05, least_capital=1.0)),
        ("wang:0.3", OverHorizon(distortion=WangTransform(shift=0.3))),
        ("wang-t:0.3:4", OverHorizon(distortion=WangTTransform(shift=0.3, dof=4.0))),
        ("standard-deviation:0.25", StandardDeviationPrinciple(multiple=0.25)),
        (" expected-value:1 ", ExpectedValuePrinciple(loading=1.0)),
    ],
)
def test_a_name_and_its_numbers_are_a_load(text, load):
    assert parse_risk_load(text) == load


def test_every_principle_has_a_name():
    named = {type(parse_risk_load(name, horizon="term")) for name in NAMES}
    assert named == set(PRINCIPLE_CLASSES) - {OverHorizon}


def test_a_horizon_belongs_to_distortions_of_a_chance():
    assert parse_risk_load("wang", horizon="30d").horizon == timedelta(days=30)
    assert parse_risk_load("wang", horizon="term") == WangTransform()
    assert parse_risk_load("hazard", horizon="term") == HazardTransform()
    for name in ("hazard", "standard-deviation"):
        with pytest.raises(InvalidBasisError, match=f"horizon must be left out for {name}"):
            parse_risk_load(name, horizon="365d")
    with pytest.raises(InvalidTermsError, match="horizon must be a duration"):
        parse_risk_load("wang", horizon="365")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "risk_load must be one of hazard:MARGIN:CAPITAL_RATE:LEAST_CAPITAL"),
        ("wang0.45", "risk_load must be one of"),
        ("wang:0.45:1", "risk_load must look like wang:SHIFT, got 'wang:0.45:1'"),
        ("wang:", "risk_load must look like wang:SHIFT, got 'wang:'"),
        ("wang:-1", "risk_load 'wang:-1': shift must be finite and not negative, got -1"),
        ("hazard:nan", "risk_load 'hazard:nan': margin must be finite"),
    ],
)
def test_anything_else_is_refused_by_name(text, message):
    with pytest.raises(InvalidBasisError, match=message):
        parse_risk_load(text)
