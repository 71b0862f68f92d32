"""Rules of an index: what they refuse, their digest, and their files."""

import dataclasses

import pytest

from pricing.errors import InvalidTermsError
from settlement import Conversion, IndexRule, Source, read_rule, write_rule

SOURCES = tuple(Source(name=name, weight=1.0) for name in ("a", "b", "c"))
TETHER = IndexRule(sources=[Source(name="usdt a"), Source(name='usdt "b"')], quorum_sources=1)
FULL = IndexRule(
    sources=[*SOURCES, Source(name="d", weight=2.0, currency="USDT")],
    bar="10s",
    max_weight=0.4,
    average="5min",
    stale_after="90s",
    allow_nonpositive=True,
    conversions=[Conversion(currency="USDT", rule=dataclasses.replace(TETHER, bar="10s"))],
)


@pytest.mark.parametrize("rule", [IndexRule(sources=SOURCES), TETHER, FULL])
def test_a_file_gives_back_the_same_rule(tmp_path, rule):
    write_rule(tmp_path / "rule.toml", rule)
    again = read_rule(tmp_path / "rule.toml")
    assert again == rule
    assert again.digest == rule.digest


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("bar", "30s"),
        ("max_weight", 0.5),
        ("quorum_sources", 2),
        ("quorum_weight", 0.7),
        ("stale_after", "61s"),
        ("readmit_at", 0.6),
        ("average", "5min"),
        ("allow_nonpositive", True),
        ("currency", "EUR"),
        ("sources", SOURCES[::-1]),
    ],
)
def test_every_field_changes_the_digest(name, value):
    rule = IndexRule(sources=tuple(dataclasses.replace(source, currency="EUR") for source in SOURCES), currency="EUR")
    if name == "currency":
        rule, value = IndexRule(sources=SOURCES), "USD "
        other = IndexRule(
            sources=tuple(dataclasses.replace(source, currency=value) for source in SOURCES), currency=value
        )
    else:
        value = tuple(dataclasses.replace(each, currency="EUR") for each in value) if name == "sources" else value
        other = dataclasses.replace(rule, **{name: value})
    assert other.digest != rule.digest


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"sources": []}, "sources"),
        ({"sources": [*SOURCES, SOURCES[0]]}, "'a' twice"),
        ({"sources": [*SOURCES, Source(name="d")]}, "for every source or for none"),
        ({"sources": [*SOURCES, Source(name="d", weight=1.0, currency="USDT")]}, "quotes in USDT"),
        ({"quorum_sources": 4}, "between 1 and the number of sources, 3, got 4"),
        ({"quorum_sources": 0}, "quorum_sources"),
        ({"quorum_weight": 60}, "quorum_weight must be above 0 and at most 1, got 60"),
        ({"max_weight": 0.0}, "max_weight"),
        ({"readmit_at": float("nan")}, "readmit_at"),
        ({"bar": 60}, "a bare number has no unit"),
        ({"bar": "0s"}, "longer than zero"),
        ({"average": "90s"}, "whole number of steps"),
        ({"average": "0s"}, "leave it out"),
        (
            {"conversions": [Conversion(currency="USDT", rule=dataclasses.replace(TETHER, bar="10s"))]},
            "must have the bar",
        ),
    ],
)
def test_an_invalid_rule_is_refused(fields, message):
    with pytest.raises(InvalidTermsError, match=message):
        IndexRule(**{"sources": SOURCES, **fields})


@pytest.mark.parametrize("weight", [0.0, -1.0, float("inf"), float("nan"), "much"])
def test_an_invalid_weight_is_refused(weight):
    with pytest.raises(InvalidTermsError, match="weight"):
        Source(name="a", weight=weight)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bars = '60s'", "'bars' is no field of IndexRule.*bar"),
        ("bar = '60s'\nsources = 3", r"write \[\[sources\]\]"),
        ("[[sources]]\nweight = 1.0", "name"),
        ("bar = ", "no rule in TOML"),
    ],
)
def test_a_wrong_file_is_named(tmp_path, text, message):
    (tmp_path / "rule.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InvalidTermsError, match=f"rule.toml: .*{message}"):
        read_rule(tmp_path / "rule.toml")
