"""Model errors and stresses: each changes one input of the law, and combines as independent errors do."""

import json
import math
from dataclasses import replace

import pytest

from calibration import calibrate, inputs_of, remodel
from crashcover import sample_market
from crashcover.files.quotes import write_document
from crashcover.offers.model_error import model_errors
from crashcover.offers.offers import make_offers
from crashcover.offers.terms import Terms
from pricing import PricingBasis, SimulationSettings

SETTINGS = SimulationSettings(n_paths=10_000, seed=3)
COVERS = Terms(drops=(0.2, 0.4), windows=("24h",), terms=("30d",)).covers("W")
TOKEN = sample_market.WHALE


@pytest.fixture(scope="module")
def whale():
    return calibrate(sample_market.closes(TOKEN), holders=sample_market.holders(TOKEN), supply=sample_market.SUPPLY)


@pytest.fixture(scope="module")
def errors(whale):
    return model_errors(whale, COVERS, basis=PricingBasis(), settings=SETTINGS)


def test_a_quote_lies_in_its_interval_and_parts_combine_as_independent_errors(errors):
    for error in errors:
        assert error.low < error.expected_loss < error.high
        assert all(part.low <= 1.0 <= part.high for part in error.parts)
        above = math.sqrt(sum(math.log(part.high) ** 2 for part in error.parts))
        assert math.log(error.high / error.expected_loss) == pytest.approx(above, rel=1e-12)


def test_the_level_moves_the_law_by_its_standard_error(whale, errors):
    """The anchored probability at a node is that of the law with the level moved, so the factor is their ratio."""
    inputs, law = inputs_of(whale), whale.market.laws[-1]
    moved = replace(law, level=replace(law.level, intercept=law.level.intercept + law.level.error, error=0.0))
    market = replace(whale.market, laws=(whale.market.laws[0], moved))
    anchors = [
        dict(zip(anchor.drops, anchor.probabilities, strict=True))
        for model in (remodel(whale, replace(inputs, market=market)), whale.model)
        for anchor in model.anchors
        if anchor.observation == COVERS[0].observation
    ]
    for cover, error in zip(COVERS, errors, strict=True):
        (level,) = (part for part in error.parts if part.name == "level")
        wanted = anchors[0][cover.trigger.drop] / anchors[1][cover.trigger.drop]
        assert level.high == pytest.approx(wanted, rel=0.02)  # the hour's law moves with it and is met, too


def test_deeper_covers_are_less_certain(errors):
    shallow, deep = (error.high / error.low for error in errors)
    assert deep > shallow


def test_stresses_are_dearer_and_named(errors):
    for error in errors:
        assert [stress.name for stress in error.stresses] == [
            "May 2021 tomorrow",
            "volatility doubles",
            "level too low",
            "twice the overhang",
        ]
        for stress in error.stresses:
            assert stress.expected_loss > error.expected_loss
            assert stress.gross is None or stress.gross > stress.expected_loss
    assert errors[0].stresses[0].gross is None  # in a month like May 2021, a fall of 20 % is all but certain


def test_the_block_of_may_2021_is_left_out_if_the_market_does_not_know_it(whale):
    laws = tuple(replace(law, block_means=()) for law in whale.market.laws)
    forgetful = replace(whale, market=replace(whale.market, laws=laws))
    (error,) = model_errors(forgetful, COVERS[:1], basis=PricingBasis(), settings=SETTINGS)
    assert error.stresses[0].name == "volatility doubles"


def test_nothing_is_said_about_paths_that_no_law_anchors(whale):
    free = replace(whale, model=replace(whale.model, anchors=()))
    assert model_errors(free, COVERS, basis=PricingBasis(), settings=SETTINGS) == (None, None)


def test_a_document_holds_the_model_errors_that_were_asked_for(whale):
    settings = replace(SETTINGS, n_paths=2_000)
    plain, doubtful = (
        json.loads(
            write_document(
                make_offers(
                    whale, COVERS, basis=PricingBasis(), settings=settings, with_drivers=False, with_model_error=asked
                )
            )
        )
        for asked in (False, True)
    )
    assert "model_errors" not in plain
    assert doubtful["model_errors"].keys() == {cover.cover_id for cover in COVERS}
    assert plain["quotes"] == doubtful["quotes"]
    one = doubtful["model_errors"][COVERS[1].cover_id]
    assert one["low"] < one["expected_loss"] < one["high"]


def test_a_stress_that_too_few_paths_can_follow_is_a_bound(whale, errors):
    """Paths of an ordinary month hardly follow May 2021: 98 % of 10,000 weigh next to nothing."""
    assert not any(stress.is_bound for error in errors for stress in error.stresses[1:])
    few = replace(SETTINGS, n_paths=500)
    (error,) = model_errors(whale, COVERS[:1], basis=PricingBasis(), settings=few)
    assert error.stresses[0].is_bound


def test_progress_counts_every_simulation(whale):
    seen = []

    def begin(_name, total):
        return lambda done: seen.append((done, total))

    model_errors(whale, COVERS[:1], basis=PricingBasis(), settings=replace(SETTINGS, n_paths=500), begin=begin)
    assert [done for done, _ in seen] == list(range(1, seen[0][1] + 1))


def test_longer_bars_are_a_part_of_their_own():
    """An error of 4 % in depth moves a probability by about as much as the power of its tail, two to six."""
    closes = sample_market.closes(TOKEN)
    bars = calibrate(closes[closes.index.hour % 4 == 0])
    found = model_errors(bars, COVERS, basis=PricingBasis(), settings=SETTINGS)
    for error in found:
        (part,) = (part for part in error.parts if part.name == "length of bars")
        assert part.meaning == "one standard error of what bars of 4h show of the token"
        assert 0.5 < part.low < 0.97
        assert 1.03 < part.high < 2.0
