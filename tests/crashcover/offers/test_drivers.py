from dataclasses import fields, replace

import numpy as np
import pytest

from calibration import calibrate, inputs_of, remodel
from crashcover import sample_market
from crashcover.offers.drivers import drivers_of, is_resolved, simulate_variants
from crashcover.offers.outcomes import simulate_covers
from crashcover.offers.terms import Terms
from pricing import Estimate, LinearPayout, SimulationSettings

SETTINGS = SimulationSettings(n_paths=60_000, seed=5)
TERMS = Terms(drops=(0.2, 0.3), windows=("1h", "24h"), terms=("30d",))


def silent(_):
    pass


def variants_of(calibration, covers):
    return simulate_variants(calibration, simulate_covers(calibration.model, covers, SETTINGS, silent), covers)


@pytest.fixture(scope="module")
def whale():
    token = sample_market.WHALE
    return calibrate(sample_market.closes(token), holders=sample_market.holders(token), supply=sample_market.SUPPLY)


@pytest.fixture(scope="module")
def whale_variants(whale):
    return variants_of(whale, TERMS.covers("W"))


def test_shares_sum_to_one_up_to_rounding(whale_variants):
    for cover in (*TERMS.covers("W"), *replace_payout(TERMS).covers("W")):
        drivers = drivers_of(cover, whale_variants)
        assert sum(share.value for share in drivers.shares.values()) == pytest.approx(1.0, abs=1e-12)
        assert all(0.0 <= share.value <= 1.0 for share in drivers.shares.values())


def replace_payout(terms):
    return replace(terms, payout=LinearPayout(attachment=0.2, exhaustion=0.8))


def test_ordinary_holders_are_those_of_the_same_prices_without_holders(whale):
    without = calibrate(sample_market.closes(sample_market.WHALE))
    assert whale.hazard.value > 1.0
    ordinary = remodel(whale, replace(inputs_of(whale), hazard=1.0))
    assert (ordinary.anchors, ordinary.jumps) == (without.model.anchors, without.model.jumps)
    assert ordinary.volatility == whale.model.volatility
    assert remodel(whale, inputs_of(whale)) == whale.model


def test_without_own_crashes_no_jump_is_left(whale):
    smooth = remodel(whale, replace(inputs_of(whale), hazard=0.0))
    assert smooth.jumps[0].per_year == 0.0


def test_uncertainty_adds_to_a_deep_cover(whale_variants):
    deep = TERMS.covers("W")[-1]
    uncertainty = drivers_of(deep, whale_variants).uncertainty
    assert uncertainty.value > 1.0


def test_concentrated_holders_add_to_the_price_and_dispersed_ones_take_away(whale_variants):
    token = sample_market.EVEN
    even = calibrate(sample_market.closes(token), holders=sample_market.holders(token), supply=sample_market.SUPPLY)
    cover = TERMS.covers("W")[0]
    adds = drivers_of(cover, whale_variants).holders
    takes = drivers_of(cover, variants_of(even, TERMS.covers("W"))).holders
    assert adds.value - 1.0 > 4.0 * adds.standard_error > 0.0
    assert takes.value - 1.0 < -4.0 * takes.standard_error < 0.0


def test_without_holders_their_factor_is_one_and_costs_no_simulation():
    calibration = calibrate(sample_market.closes(sample_market.CALM))
    covers = TERMS.covers("C")
    variants = variants_of(calibration, covers)
    assert variants.ordinary is variants.full
    assert drivers_of(covers[0], variants).holders == Estimate(1.0, 0.0)


def test_drivers_agree_with_the_expected_payouts_of_the_surfaces(whale_variants):
    (cover, *_) = replace_payout(TERMS).covers("W")
    full, smooth, ordinary, certain = (
        getattr(whale_variants, part.name).expected_payout(cover.payout, trigger=cover.trigger, term=cover.term).value
        for part in fields(whale_variants)
    )
    drivers = drivers_of(cover, whale_variants)
    assert [getattr(drivers, part.name).value for part in fields(drivers)] == pytest.approx(
        [smooth / full, 1.0 - smooth / full, full / ordinary, full / certain], rel=1e-9
    )


def test_the_standard_error_is_that_of_repetitions(whale):
    """Spread of shares over 40 seeds against the mean stated error: within 45 % (z = 4 for 40 normal repetitions)."""
    (cover,) = Terms(drops=(0.2,), windows=("24h",), terms=("3d",)).covers("W")  # far from any anchor
    stated, found = [], []
    for seed in range(40):
        settings = SimulationSettings(n_paths=4000, seed=seed)
        full = simulate_covers(whale.model, (cover,), settings, silent)
        share = drivers_of(cover, simulate_variants(whale, full, (cover,))).own_crashes
        stated.append(share.standard_error)
        found.append(share.value)
    assert np.std(found, ddof=1) == pytest.approx(np.mean(stated), rel=0.45)


def test_what_no_path_shows_is_not_certain():
    """If all paths agree, the share has the error of one full loss that differs."""
    calm = calibrate(sample_market.closes(sample_market.CALM))
    covers = Terms(drops=(0.3,), windows=("1h",), terms=("1d",)).covers("C")
    variants = variants_of(calm, covers)
    drivers = drivers_of(covers[0], replace(variants, smooth=variants.full))
    losses = SETTINGS.n_paths * variants.full.exceedance(0.3, window="1h", term="1d").value
    assert drivers.volatility.value == pytest.approx(1.0)
    assert drivers.volatility.standard_error == pytest.approx(1.0 / losses)


def test_a_factor_on_nothing_is_unknown(whale_variants):
    (cover,) = TERMS.covers("W")[-1:]
    nothing = replace(whale_variants.full, worst_drops=0.0 * whale_variants.full.worst_drops)
    drivers = drivers_of(cover, replace(whale_variants, ordinary=nothing))
    assert not np.isfinite(drivers.holders.value)
    assert not is_resolved(drivers.holders)


def test_a_loss_that_never_came_has_no_drivers(whale_variants):
    (cover,) = Terms(drops=(0.999999,), windows=("1h",)).covers("W")
    assert drivers_of(cover, whale_variants) is None


def test_a_share_is_resolved_to_ten_points():
    assert is_resolved(Estimate(0.5, 0.09))
    assert not is_resolved(Estimate(0.5, 0.11))
