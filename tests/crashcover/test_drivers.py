from dataclasses import replace

import numpy as np
import pytest

from calibration import calibrate
from crashcover import sample_market
from crashcover.drivers import drivers_of, is_resolved, simulate_variants, without_concentration
from crashcover.quoting import Terms, simulate_covers
from pricing import ConstantVolatility, Estimate, LinearPayout, Normal, SimulationSettings

SETTINGS = SimulationSettings(n_paths=40_000, seed=5)
TERMS = Terms(drops=(0.2, 0.3), windows=("1h", "24h"), terms=("30d",))


def silent(_):
    pass


def variants_of(calibration, covers):
    return simulate_variants(calibration, simulate_covers(calibration.model, covers, SETTINGS, silent), covers)


def shares(drivers):
    return drivers.volatility, drivers.crash_rate, drivers.concentration


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
        assert sum(share.value for share in shares(drivers)) == pytest.approx(1.0, abs=1e-12)


def replace_payout(terms):
    return replace(terms, payout=LinearPayout(attachment=0.2, exhaustion=0.8))


def test_the_ordinary_rate_is_that_of_the_same_prices_without_holders(whale):
    without = calibrate(sample_market.closes(sample_market.WHALE))
    assert whale.crashes.concentration_factor > 1.0
    assert whale.crashes.ordinary_per_year == pytest.approx(without.crashes.per_year, rel=1e-14)
    assert without_concentration(whale).jumps[0].per_year == pytest.approx(without.model.jumps[0].per_year, rel=1e-14)
    assert without_concentration(without) is without.model


def test_concentrated_holders_add_to_the_price_and_dispersed_ones_take_away(whale_variants):
    token = sample_market.EVEN
    even = calibrate(sample_market.closes(token), holders=sample_market.holders(token), supply=sample_market.SUPPLY)
    cover = TERMS.covers("W")[0]
    adds = drivers_of(cover, whale_variants).concentration
    takes = drivers_of(cover, variants_of(even, TERMS.covers("W"))).concentration
    assert adds.value > 4.0 * adds.standard_error > 0.0
    assert takes.value < -4.0 * takes.standard_error < 0.0


def test_without_holders_concentration_is_nothing_and_costs_no_simulation():
    calibration = calibrate(sample_market.closes(sample_market.CALM))
    covers = TERMS.covers("C")
    variants = variants_of(calibration, covers)
    assert variants.ordinary is variants.full
    assert drivers_of(covers[0], variants).concentration == Estimate(0.0, 0.0)


def test_shares_agree_with_the_expected_payouts_of_the_surfaces(whale_variants):
    (cover, *_) = replace_payout(TERMS).covers("W")
    expected = [
        surface.expected_payout(cover.payout, trigger=cover.trigger, term=cover.term).value
        for surface in (whale_variants.full, whale_variants.ordinary, whale_variants.smooth)
    ]
    full, ordinary, smooth = expected
    drivers = drivers_of(cover, whale_variants)
    assert [share.value for share in shares(drivers)] == pytest.approx(
        [smooth / full, (ordinary - smooth) / full, (full - ordinary) / full], rel=1e-9
    )


def test_the_standard_error_is_that_of_repetitions(whale):
    """Spread of shares over 40 seeds against the mean stated error: within 45 % (z = 4 for 40 normal repetitions)."""
    (cover,) = Terms(drops=(0.25,), windows=("24h",), terms=("10d",)).covers("W")
    stated, found = [], []
    for seed in range(40):
        settings = SimulationSettings(n_paths=8000, seed=seed)
        full = simulate_covers(whale.model, (cover,), settings, silent)
        share = drivers_of(cover, simulate_variants(whale, full, (cover,))).crash_rate
        stated.append(share.standard_error)
        found.append(share.value)
    assert np.std(found, ddof=1) == pytest.approx(np.mean(stated), rel=0.45)


def test_common_random_numbers_make_the_difference_far_more_precise_than_its_parts(whale_variants):
    cover = TERMS.covers("W")[2]
    drivers = drivers_of(cover, whale_variants)
    full = whale_variants.full.exceedance(0.2, window="24h", term="30d")
    independent = 2.0**0.5 * full.standard_error / full.value
    assert drivers.concentration.standard_error < 0.5 * independent


def test_what_no_path_shows_is_not_certain(whale):
    quiet = replace(whale, model=replace(whale.model, volatility=ConstantVolatility(annual=0.01), innovations=Normal()))
    covers = Terms(drops=(0.3,), windows=("1h",)).covers("W")
    drivers = drivers_of(covers[0], variants_of(quiet, covers))
    assert drivers.volatility.value == 0.0
    n_losses = 40_000 * variants_of(quiet, covers).full.exceedance(0.3, window="1h").value
    assert drivers.volatility.standard_error == pytest.approx(1.0 / n_losses)
    assert is_resolved(drivers.volatility) == (n_losses >= 10)


def test_a_loss_that_never_came_has_no_drivers(whale_variants):
    (cover,) = Terms(drops=(0.999999,), windows=("1h",)).covers("W")
    assert drivers_of(cover, whale_variants) is None


def test_a_share_is_resolved_to_ten_points():
    assert is_resolved(Estimate(0.5, 0.09))
    assert not is_resolved(Estimate(0.5, 0.11))
