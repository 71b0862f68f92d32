"""Limits of the model of a pool, in sentences."""

from dataclasses import replace
from types import SimpleNamespace

from crashcover.report.book.limits import state_limits
from pool import Observation, TokenRisk


def test_the_tokens_of_a_group_are_an_exception():
    risk = TokenRisk(centre=-2.5, crash_rate=0.05)
    tokens = {name: risk.named(name) for name in ("BTC", "ETH", "OM")} | {"XRP": replace(risk, own_share=0.5)}
    scenarios = SimpleNamespace(period=Observation().term, tokens=tokens)
    pooled = SimpleNamespace(
        scenarios=scenarios, ranking=Observation(), shape=None, aims=SimpleNamespace(share_of_capital=0.02)
    )
    (sentence,) = (each for each in state_limits(pooled) if each.startswith("Deviations"))
    assert sentence == (
        "Deviations and own crashes of different tokens are independent, given the shock. BTC and ETH share a part of "
        "their deviations. Of the crashes, 13\xa0% of those of BTC, 13\xa0% of those of ETH, 50\xa0% of those of XRP "
        "come alone; the others are of months in which all fall."
    )
