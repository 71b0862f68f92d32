"""Anchored simulations: anchors are met, and everything else changes as little as possible."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing import (
    Anchor,
    ConstantVolatility,
    DropSurface,
    DropTrigger,
    FullPayout,
    InvalidModelError,
    Jumps,
    Normal,
    NormalSizes,
    PrecisionWarning,
    PriceModel,
    SimulationError,
    SimulationSettings,
    simulate,
)
from pricing.engine.anchoring import anchored_weights
from pricing.models.anchors import anchors_for
from pricing.tools.units import parse_duration

SETTINGS = SimulationSettings(n_paths=20_000, seed=3)
PLAIN = PriceModel(
    volatility=ConstantVolatility(annual=1.2),
    innovations=Normal(),
    jumps=(Jumps(per_year=2.0, sizes=NormalSizes(mean=-0.25, stdev=0.15)),),
)
DAY = Anchor(window="24h", term="30d", drops=(0.15, 0.2, 0.3), probabilities=(0.5, 0.25, 0.12))
HOUR = Anchor(window="1h", term="30d", drops=(0.1, 0.2), probabilities=(0.19, 0.11))
ANCHORED = replace(PLAIN, anchors=(DAY, HOUR))


def test_every_node_of_every_anchor_is_met():
    surface = simulate(ANCHORED, windows=("1h", "24h"), settings=SETTINGS)
    for anchor in ANCHORED.anchors:
        met = surface.exceedance(anchor.drops, window=anchor.window, term=anchor.term).value
        assert met == pytest.approx(anchor.probabilities, abs=1e-7)
    assert surface.anchoring.nodes == 5
    assert surface.weights.mean() == pytest.approx(1.0, abs=1e-12)


def test_one_anchor_has_the_closed_form_of_poststratification():
    """With one window the least-entropy weight of a stratum is its anchored over its simulated probability."""
    before = simulate(PLAIN, settings=SETTINGS)
    after = simulate(replace(PLAIN, anchors=(DAY,)), settings=SETTINGS)
    simulated = -np.diff([1.0, *before.exceedance(DAY.drops).value, 0.0])
    anchored = -np.diff([1.0, *DAY.probabilities, 0.0])
    strata = np.searchsorted(DAY.drops, before.worst_drops[0], side="right")
    assert after.weights == pytest.approx((anchored / simulated)[strata], rel=1e-9)
    assert after.anchoring.relative_entropy == pytest.approx(np.sum(anchored * np.log(anchored / simulated)), rel=1e-9)


def test_anchors_that_the_simulation_meets_move_nothing():
    surface = simulate(PLAIN, settings=SETTINGS)
    own = Anchor(window="24h", term="30d", drops=DAY.drops, probabilities=surface.exceedance(DAY.drops).value)
    anchored = simulate(replace(PLAIN, anchors=(own,)), settings=SETTINGS)
    assert anchored.weights == pytest.approx(np.ones(SETTINGS.n_paths), abs=1e-7)
    assert anchored.anchoring.relative_entropy == pytest.approx(0.0, abs=1e-12)
    assert anchored.anchoring.effective_share == pytest.approx(1.0)


def test_no_other_weights_on_the_same_cells_are_nearer_to_the_simulation():
    """The gradient of the entropy is orthogonal to every move that keeps the anchors: log weights are additive."""
    surface = simulate(ANCHORED, windows=("1h", "24h"), settings=SETTINGS)
    hour, day = (
        np.searchsorted(anchor.drops, drops, side="right")
        for anchor, drops in ((HOUR, surface.worst_drops[0]), (DAY, surface.worst_drops[1]))
    )
    cells, first = np.unique(np.stack([hour, day]), axis=1, return_index=True)
    columns = [*(cells[0] == bin_ for bin_ in range(3)), *(cells[1] == bin_ for bin_ in range(4))]
    design = np.array(columns, dtype=float).T
    log_weights = np.log(surface.weights[first])
    fitted = design @ np.linalg.lstsq(design, log_weights, rcond=None)[0]
    assert fitted == pytest.approx(log_weights, abs=1e-6)


def test_weights_do_not_depend_on_what_else_is_asked_for():
    alone = simulate(ANCHORED, windows=("72h",), terms=("7d",), settings=SETTINGS)
    among = simulate(ANCHORED, windows=("4h", "72h"), terms=("7d", "30d"), settings=replace(SETTINGS, n_threads=2))
    assert np.array_equal(alone.weights, among.weights)
    trigger = DropTrigger(drop=0.3, window="72h")
    one, two = (surface.expected_payout(FullPayout(), trigger=trigger, term="7d") for surface in (alone, among))
    assert one == two


WEEK = Anchor(window="24h", term="7d", drops=(0.15, 0.2, 0.3), probabilities=(0.13, 0.06, 0.03))
QUARTER = Anchor(window="24h", term="90d", drops=(0.2, 0.3), probabilities=(0.55, 0.3))
OF_TERMS = replace(PLAIN, anchors=(WEEK, DAY, HOUR, QUARTER))


@pytest.mark.parametrize(
    ("term", "held"),
    [
        ("1d", (WEEK,)),
        ("7d", (WEEK,)),
        ("8d", (WEEK, DAY, HOUR)),
        ("30d", (WEEK, DAY, HOUR)),
        ("31d", (DAY, HOUR, QUARTER)),
        ("90d", (DAY, HOUR, QUARTER)),
        ("91d", (QUARTER,)),
    ],
)
def test_a_term_is_held_by_the_anchors_on_either_side(term, held):
    assert anchors_for(OF_TERMS.anchors, parse_duration(term, "term")) == held
    assert anchors_for((DAY,), parse_duration(term, "term")) == (DAY,)
    assert anchors_for((), parse_duration(term, "term")) == ()


def test_every_anchored_term_is_met_in_one_surface_as_if_alone():
    """Each term has weights of its own: no bit depends on the other terms, and shorter ones are simulated no longer."""
    surface = simulate(OF_TERMS, windows=("1h", "24h"), terms=("7d", "30d", "90d"), settings=SETTINGS)
    assert surface.weights.shape == surface.worst_drops.shape
    for anchor in OF_TERMS.anchors:
        met = surface.exceedance(anchor.drops, window=anchor.window, term=anchor.term)
        assert met.value == pytest.approx(anchor.probabilities, abs=1e-7)
        alone = simulate(OF_TERMS, windows=(anchor.window,), terms=(anchor.term,), settings=SETTINGS)
        assert np.array_equal(alone.weights, surface.weights_of(anchor.observation))
        again = alone.exceedance(anchor.drops, window=anchor.window, term=anchor.term)
        assert np.array_equal(again.value, met.value)
    assert surface.anchoring.nodes == 7  # of the longest term: of 30 and of 90 days


def test_a_saved_surface_keeps_the_weights_of_each_term(tmp_path):
    surface = simulate(OF_TERMS, terms=("7d", "30d"), settings=SETTINGS)
    surface.save(tmp_path / "surface")
    loaded = DropSurface.load(tmp_path / "surface")
    assert np.array_equal(loaded.weights, surface.weights)
    assert loaded.exceedance(0.25, term="7d") == surface.exceedance(0.25, term="7d")


def test_anchored_rare_drop_sampling_meets_the_anchors_too():
    surface = simulate(ANCHORED, windows=("24h",), settings=replace(SETTINGS, rare_drops=True))
    assert surface.exceedance(DAY.drops).value == pytest.approx(DAY.probabilities, abs=1e-7)


def test_the_standard_error_covers_what_is_not_anchored():
    """Over 60 seeds the spread of an estimate between two nodes is at most its stated error (4 sigma of a spread)."""
    estimates = [
        simulate(ANCHORED, settings=SimulationSettings(n_paths=4_000, seed=seed)).exceedance(0.25) for seed in range(60)
    ]
    spread = np.std([estimate.value for estimate in estimates])
    stated = np.mean([estimate.standard_error for estimate in estimates])
    assert spread < stated * (1.0 + 4.0 / math.sqrt(2.0 * 60))


def test_a_node_that_hardly_a_path_reaches_is_left_to_the_model():
    deep = replace(DAY, drops=(*DAY.drops, 0.9), probabilities=(*DAY.probabilities, 1e-3))
    surface = simulate(replace(PLAIN, anchors=(deep,)), settings=SETTINGS)
    assert (surface.anchoring.nodes, surface.anchoring.left_out) == (3, 1)


def test_dynamics_that_cannot_make_an_anchored_drop_are_reported():
    deep = replace(DAY, drops=(*DAY.drops, 0.9), probabilities=(*DAY.probabilities, 0.05))
    with pytest.warns(PrecisionWarning, match="too calm"):
        simulate(replace(PLAIN, anchors=(deep,)), settings=SETTINGS)


def test_contradicting_anchors_are_refused():
    hour = Anchor(window="1h", term="30d", drops=(0.2,), probabilities=(0.4,))
    day = Anchor(window="24h", term="30d", drops=(0.2,), probabilities=(0.2,))
    with pytest.raises(
        SimulationError, match=r"no weights of the paths .* got 20% with 40.0%, 20% with 20.0% \(simulate more paths"
    ):
        simulate(replace(PLAIN, anchors=(hour, day)), settings=SETTINGS)


def test_a_saved_surface_keeps_weights_and_anchoring(tmp_path):
    surface = simulate(ANCHORED, settings=SETTINGS)
    surface.save(tmp_path / "surface")
    loaded = DropSurface.load(tmp_path / "surface")
    assert loaded.anchoring == surface.anchoring
    assert loaded.model == ANCHORED
    assert np.array_equal(loaded.weights, surface.weights)


@given(
    st.lists(st.floats(0.0, 1.0), min_size=200, max_size=400),
    st.lists(st.floats(0.02, 0.98), min_size=3, max_size=3, unique=True),
)
def test_weights_are_positive_of_mean_one_and_constant_within_a_stratum(worst, probabilities):
    anchor = Anchor(
        window="24h", term="30d", drops=(0.25, 0.5, 0.75), probabilities=tuple(sorted(probabilities, reverse=True))
    )
    drops = np.concatenate([worst, np.repeat([0.1, 0.3, 0.6, 0.9], 10)])  # every stratum has paths
    weights, anchoring = anchored_weights([drops], np.ones(len(drops)), [anchor])
    assert (weights > 0.0).all()
    assert weights.mean() == pytest.approx(1.0)
    assert anchoring.relative_entropy >= -1e-12
    for stratum in (drops < 0.25, drops >= 0.75):
        assert np.ptp(weights[stratum]) < 1e-9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"drops": (0.3, 0.2, 0.4)}, "must increase"),
        ({"probabilities": (0.1, 0.2, 0.3)}, "must decrease"),
        ({"drops": (15.0, 20.0, 30.0)}, "a fraction"),
        ({"probabilities": (0.5,)}, "the same length"),
        ({"drops": (), "probabilities": ()}, "the same length"),
        ({"term": "0h"}, "longer than zero"),
    ],
)
def test_an_anchor_that_makes_no_sense_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(DAY, **change)


def test_anchors_of_another_kind_are_refused():
    with pytest.raises(InvalidModelError, match="sequence of Anchor"):
        replace(PLAIN, anchors=(0.2,))
