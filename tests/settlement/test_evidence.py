"""Evidence: it verifies with the same ticks, and every change is found and named."""

import json

import pandas as pd
import pytest

from pricing import Cover, DropTrigger, LinearPayout, TieredPayout
from pricing.errors import EvidenceError
from pricing.events.reinstatements import AggregateTerms
from pricing.events.rules import EventRules
from pricing.tools.stored import seal_text
from settlement import IndexRule, Source, build_index, decide, verify_evidence, write_evidence

RULE = IndexRule(sources=[Source(name=name) for name in ("a", "b", "c")], bar="1h", stale_after="1h")
START = pd.Timestamp("2025-10-10 20:00", tz="UTC")
TICKS = pd.DataFrame(
    [
        (START + pd.Timedelta(hours=hour), venue, price + extra, 1.0)
        for hour, price in enumerate([4.0, 4.1, 2.0, 3.0])
        for venue, extra in (("a", 0.0), ("b", 0.01), ("c", -0.01))
    ],
    columns=["time", "venue", "price", "volume"],
)
COVER = Cover(
    cover_id="C-1",
    asset="DOT",
    trigger=DropTrigger(drop=0.3),
    payout=LinearPayout(attachment=0.3, exhaustion=0.8),
    limit=1e5,
    currency="USD",
    term="3h",
)


@pytest.fixture
def written(tmp_path):
    return write(tmp_path / "evidence.json")


def write(path, cover=COVER, **given):
    index = build_index(TICKS, RULE)
    decision = decide(cover, index, sold_at=START.to_pydatetime(), **given)
    write_evidence(path, decision, index, RULE, TICKS)
    return path, decision


def test_the_same_ticks_give_the_decision_again(written):
    path, decision = written
    assert decision.status == "FIRED"
    assert verify_evidence(path, TICKS) == decision
    before = TICKS.assign(time=TICKS["time"] - pd.Timedelta(days=2), price=77.0)
    after = TICKS.assign(time=TICKS["time"] + pd.Timedelta(days=2), price=77.0)
    assert verify_evidence(path, pd.concat([after, TICKS.sample(frac=1.0, random_state=1), before])) == decision


def test_events_and_tiers_are_verified_too(tmp_path):
    cover = Cover(
        cover_id="C-2",
        asset="DOT",
        trigger=DropTrigger(drop=0.3),
        payout=TieredPayout(tiers={0.3: 0.5, 0.5: 1.0}),
        limit=1e5,
        currency="USD",
        term="3h",
    )
    terms = AggregateTerms(event_limit=1e5, deductible=1e4)
    path, decision = write(tmp_path / "events.json", cover, rules=EventRules(cool_off="1h"), terms=terms)
    assert verify_evidence(path, TICKS) == decision


@pytest.mark.parametrize("place", range(len(TICKS)))
def test_a_changed_tick_is_found_and_named(written, place):
    ticks = TICKS.copy()
    ticks.loc[place, "price"] += 1e-9
    hour = f"{ticks.loc[place, 'time']:%Y-%m-%d %H}:00 UTC"
    with pytest.raises(EvidenceError, match=f"ticks of {ticks.loc[place, 'venue']} from {hour}"):
        verify_evidence(written[0], ticks)


def test_a_missing_tick_is_found_and_named(written):
    with pytest.raises(EvidenceError, match="ticks of b from 2025-10-10 21:00 UTC.*the ticks give nothing"):
        verify_evidence(written[0], TICKS.drop(index=4))


def test_a_changed_byte_is_found(written):
    path, _ = written
    path.write_text(path.read_text(encoding="utf-8").replace("FIRED", "FIRES"), encoding="utf-8")
    with pytest.raises(EvidenceError, match="evidence.json: .*checksum"):
        verify_evidence(path, TICKS)


def reseal(path, change):
    """Change an evidence as one would who knows its format, and calculate its checksum again."""
    evidence = json.loads(path.read_text(encoding="utf-8"))["evidence"]
    change(evidence)
    path.write_text(seal_text("evidence", 1, evidence), encoding="utf-8")


@pytest.mark.parametrize("name", ["status", "fired_at", "reference_price", "worst_drop", "share", "amount", "reason"])
def test_a_changed_figure_is_named_though_the_checksum_fits(written, name):
    reseal(written[0], lambda evidence: evidence["decision"].update({name: "1"}))
    with pytest.raises(EvidenceError, match=f"decision {name}: the evidence states 1, and the ticks give"):
        verify_evidence(written[0], TICKS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda evidence: evidence["rule"].update(max_weight=0.5), "decision rule_digest"),
        (lambda evidence: evidence["cover"].update(limit=2e5), "decision amount"),
        (lambda evidence: evidence["cover"]["trigger"].update(drop=0.31), "decision reason"),
        (lambda evidence: evidence["index"].popitem(), "index at 2025-10-10"),
        (lambda evidence: evidence.update(sold_at="then"), "sold_at must be a time"),
        (lambda evidence: evidence.update(span=[1]), "span must be two times"),
        (lambda evidence: evidence.update(rule=None), "rule must be an IndexRule"),
        (lambda evidence: evidence.update(rules=None), "rules must be EventRules"),
        (lambda evidence: evidence.update(cover=None), "cover must be a Cover"),
        (lambda evidence: evidence.update(ticks=[]), "ticks must be an object"),
        (lambda evidence: evidence.pop("terms"), "its fields must be"),
    ],
)
def test_a_changed_part_is_named_though_the_checksum_fits(written, change, message):
    reseal(written[0], change)
    with pytest.raises(EvidenceError, match=message):
        verify_evidence(written[0], TICKS)


def test_evidence_that_does_not_lead_to_the_decision_is_not_written(tmp_path):
    index = build_index(TICKS, RULE)
    decision = decide(COVER, index, sold_at=START.to_pydatetime())
    with pytest.raises(EvidenceError, match="decision amount"):
        write_evidence(tmp_path / "evidence.json", decision, index, RULE, TICKS[TICKS["time"] != decision.fired_at])
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(EvidenceError, match="nothing.json: cannot be read"):
        verify_evidence(tmp_path / "nothing.json", TICKS)
