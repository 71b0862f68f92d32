import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing import (
    Anchor,
    CompactSurface,
    ConstantVolatility,
    DropTrigger,
    FullPayout,
    Jumps,
    LinearPayout,
    NormalSizes,
    PriceModel,
    PricingBasis,
    Reference,
    SimulationSettings,
    StudentT,
    TieredPayout,
    WeightedSample,
    compact,
    simulate,
)
from pricing.errors import CorruptSurfaceError, InvalidTermsError, NotSimulatedError
from pricing.rates.compact_surface import group
from pricing.rates.cover_losses import tail_losses
from pricing.rates.tail_sums import TailSums
from tests.pricing.rates.store_worlds import PAYOUTS, simulate_surface

#: Just wide enough to be summed from powers of drops, where these cancel most.
NEARLY_NARROW = [LinearPayout(attachment=start, exhaustion=start + 0.0501) for start in (0.1, 0.3, 0.6)]
KINDS = ("plain", "weighted", "anchored")


@pytest.fixture(scope="module", params=KINDS)
def surface(request):
    return simulate_surface(request.param)


def largest_error(sample, grouped):
    """Compare two exceedance curves at every drop where either steps, in standard errors of the full one."""
    steps = np.concatenate([sample.drops, grouped.drops])
    drops = np.unique(np.concatenate([steps, np.nextafter(steps, 1.0)]))
    full, coarse = exceedances(sample, np.ones(len(sample.drops)), drops), exceedances(grouped, None, drops)
    errors = np.abs(coarse[0] - full[0])
    is_certain = full[1] <= 1e-7 * full[0]  # no error but for rounding, as where all paths fired or none
    assert (errors[is_certain] <= 1e-12).all()
    return (errors[~is_certain] / full[1][~is_certain]).max(initial=0.0)


def exceedances(sample, squares, drops):
    """Return probabilities and standard errors at drops, straight from the sums that define them."""
    weights = sample.weighted(np.ones(len(sample.drops)))
    squares = weights**2 if squares is not None else sample.squares
    beyond = np.searchsorted(-sample.drops, -drops, side="right")
    reached, squared = (np.append(0.0, np.cumsum(values))[beyond] for values in (weights, squares))
    variance = squared / sample.n_paths - (reached / sample.n_paths) ** 2
    return reached / sample.n_paths, np.sqrt(np.maximum(variance, 0.0) / sample.n_paths)


def test_every_signal_keeps_its_own_weights():
    week, month = (
        Anchor(window="24h", term=term, drops=(0.15, 0.2), probabilities=probabilities)
        for term, probabilities in (("7d", (0.05, 0.01)), ("30d", (0.5, 0.2)))
    )
    model = PriceModel(volatility=ConstantVolatility(annual=1.2), innovations=StudentT(dof=4.0), anchors=(week, month))
    whole = simulate(model, terms=("7d", "30d"), settings=SimulationSettings(n_paths=20_000, seed=1))
    grouped = compact(whole)
    for anchor in (week, month):
        found = grouped.exceedance(anchor.drops, term=anchor.term)
        assert found.value == pytest.approx(anchor.probabilities, abs=0.1 * found.standard_error.max() + 1e-7)
    assert {tail.largest_weight for tail in grouped.tails} == {whole.weights.max()}


@pytest.mark.parametrize("share_of_error", [0.05, 0.1, 0.5])
def test_every_exceedance_is_within_the_share_of_its_standard_error(surface, share_of_error):
    for drops in surface.worst_drops:
        sample = WeightedSample.of_paths(drops, surface.weights)
        grouped = group(sample, share_of_error)
        assert largest_error(sample, grouped) < share_of_error
        assert len(grouped.drops) < len(np.unique(drops))


@given(st.data())
def test_the_bound_holds_for_any_sample(data):
    n_paths = data.draw(st.integers(1, 400))
    seed = data.draw(st.integers(0, 2**32))
    rng = np.random.default_rng(seed)
    drops = rng.choice(rng.beta(0.5, 3.0, size=data.draw(st.integers(1, 400))), n_paths)  # with ties
    weights = rng.lognormal(0.0, data.draw(st.floats(0.0, 4.0)), n_paths) if data.draw(st.booleans()) else None
    sample = WeightedSample.of_paths(drops, weights)
    share_of_error = data.draw(st.floats(0.01, 1.0))
    grouped = group(sample, share_of_error)
    assert largest_error(sample, grouped) < share_of_error
    whole = sample.weighted(np.ones(n_paths))
    # Probability, and with it the mean of every payout that is linear across groups, is kept to rounding.
    assert grouped.weights.sum() == pytest.approx(whole.sum(), rel=1e-12)
    assert (grouped.weights * grouped.drops).sum() == pytest.approx((whole * sample.drops).sum(), rel=1e-12)
    assert grouped.squares.sum() == pytest.approx((whole**2).sum(), rel=1e-12)
    assert (np.diff(grouped.drops) <= 0.0).all()


def test_paths_of_the_tail_stay_alone():
    sample = WeightedSample.of_paths(np.random.default_rng(1).uniform(size=100_000), None)
    grouped = group(sample, 0.1)
    # Two paths in a group are off by 1 / n between them, and the k-th exceedance has the standard error sqrt(k) / n:
    # they stay alone at least while a tenth of that is below 1 / n.
    assert (grouped.drops[:99] == sample.drops[:99]).all()
    assert (grouped.weights[:99] == 1.0).all()
    # In standard errors the axis of probability is pi sqrt(n) long. The best groups, each off by half of its
    # probability at most, are 0.2 wide; these are within 45 % of that number.
    fewest = math.pi * math.sqrt(100_000) / 0.2
    assert fewest < len(grouped.drops) < 1.45 * fewest


@pytest.mark.parametrize("payout", PAYOUTS)
@pytest.mark.parametrize("drop", [0.15, 0.3, 0.45])
def test_expected_payouts_are_within_the_share_too(surface, payout, drop):
    # For three tiers the bound is sqrt(3) times as much; errors of several groups that all point one way are rare.
    compacted = compact(surface)
    for window, term in (("1h", "7d"), ("24h", "30d")):
        trigger = DropTrigger(drop=drop, window=window)
        full = surface.expected_payout(payout, trigger=trigger, term=term)
        coarse = compacted.expected_payout(payout, trigger=trigger, term=term)
        assert abs(coarse.value - full.value) < 0.1 * full.standard_error + 1e-15
        assert coarse.standard_error == pytest.approx(full.standard_error, rel=0.01)


def crash_surface(volatility, *, rare_drops):
    """Simulate 100,000 paths that jump three times a year."""
    model = PriceModel(
        volatility=ConstantVolatility(annual=volatility),
        innovations=StudentT(dof=4.0),
        jumps=(Jumps(per_year=3.0, sizes=NormalSizes(mean=-0.3, stdev=0.3)),),
    )
    return simulate(model, settings=SimulationSettings(n_paths=100_000, rare_drops=rare_drops))


def test_two_tiers_may_be_off_by_more_than_the_share_but_not_by_more_than_the_bound():
    # Tiers that were searched for: both thresholds fall where a group is off, to the same side.
    surface = crash_surface(1.2, rare_drops=False)
    drop = 0.12380861228727677
    payout, trigger = TieredPayout({drop: 0.22062445, 0.64194346: 1.0}), DropTrigger(drop=drop)
    full, coarse = (each.expected_payout(payout, trigger=trigger) for each in (surface, compact(surface)))
    assert 0.13 < abs(coarse.value - full.value) / full.standard_error < 0.1 * math.sqrt(2.0)


@pytest.mark.filterwarnings("ignore::pricing.errors.PrecisionWarning")
@given(
    ends=st.tuples(st.floats(0.05, 0.95), st.floats(0.05, 0.95)).filter(lambda ends: abs(ends[0] - ends[1]) > 1e-6),
    drop=st.floats(0.05, 0.9),
)
def test_any_ramp_is_within_the_share(ends, drop):
    payout = LinearPayout(attachment=min(ends), exhaustion=max(ends))
    full = ANCHORED.expected_payout(payout, trigger=DropTrigger(drop=drop))
    coarse = COMPACT.expected_payout(payout, trigger=DropTrigger(drop=drop))
    assert abs(coarse.value - full.value) < 0.1 * full.standard_error


ANCHORED = simulate_surface("anchored", windows=("24h",), terms=("30d",))
COMPACT = compact(ANCHORED)


def test_standard_errors_are_those_of_all_paths(surface):
    compacted = compact(surface)
    for drop in (0.2, 0.3, 0.4):
        full, coarse = surface.exceedance(drop), compacted.exceedance(drop)
        assert coarse.standard_error == pytest.approx(full.standard_error, rel=0.01)
    # Where nothing fired the error is that of one path, the heaviest.
    nothing = compacted.exceedance(0.999)
    assert (nothing.value, nothing.standard_error) == (0.0, surface.exceedance(0.999).standard_error)


def test_a_curve_is_read_like_single_drops():
    curve = COMPACT.exceedance([0.2, 0.4])
    assert curve.value.tolist() == [COMPACT.exceedance(drop).value for drop in (0.2, 0.4)]
    assert curve.standard_error.tolist() == [COMPACT.exceedance(drop).standard_error for drop in (0.2, 0.4)]


def test_a_file_gives_back_the_same_numbers(surface, tmp_path):
    compacted = compact(surface, share_of_error=0.2)
    compacted.save(tmp_path / "om.surface")
    loaded = CompactSurface.load(tmp_path / "om.surface")
    assert (loaded.signals, loaded.settings, loaded.step) == (compacted.signals, compacted.settings, compacted.step)
    assert (loaded.model_digest, loaded.share_of_error) == (surface.model_digest, 0.2)
    for before, after in zip(compacted.tails, loaded.tails, strict=True):
        assert np.array_equal(before.columns, after.columns)
        assert np.array_equal(before.powers, after.powers)
        assert (before.paths, before.largest_weight) == (after.paths, after.largest_weight)
        assert after.columns.flags.aligned
        assert not after.columns.flags.writeable


@pytest.mark.parametrize("place", [0.0, 0.1, 0.5, 0.999])
def test_damage_anywhere_is_found(tmp_path, place):
    COMPACT.save(tmp_path / "om.surface")
    content = bytearray((tmp_path / "om.surface").read_bytes())
    content[int(place * len(content))] ^= 1
    (tmp_path / "om.surface").write_bytes(content)
    with pytest.raises(CorruptSurfaceError, match=r"om\.surface is damaged"):
        CompactSurface.load(tmp_path / "om.surface")


@pytest.mark.parametrize("size", [0, 10, 5_000])
def test_a_truncated_file_is_found(tmp_path, size):
    COMPACT.save(tmp_path / "om.surface")
    (tmp_path / "om.surface").write_bytes((tmp_path / "om.surface").read_bytes()[:size])
    with pytest.raises(CorruptSurfaceError):
        CompactSurface.load(tmp_path / "om.surface")


def test_another_kind_of_file_is_refused(tmp_path):
    ANCHORED.save(tmp_path / "om.surface")
    with pytest.raises(CorruptSurfaceError):
        CompactSurface.load(tmp_path / "om.surface")


def test_250_tokens_of_16_cells_fit_into_a_gigabyte():
    # The drops of a signal do not matter for the size, only how many paths there are: uniform ones stand for all.
    drops = np.random.default_rng(3).uniform(size=100_000)
    tail = TailSums.of_sample(group(WeightedSample.of_paths(drops, None), 0.1))
    assert 250 * 16 * (tail.columns.nbytes + tail.powers.nbytes) < 0.9e9


def test_surfaces_of_rare_drops_take_more_room():
    (tail,) = compact(crash_surface(0.9, rare_drops=True)).tails
    assert 1.0e9 < 250 * 16 * (tail.columns.nbytes + tail.powers.nbytes) < 1.6e9


def test_an_unknown_signal_and_a_bad_share_are_refused():
    with pytest.raises(NotSimulatedError, match="the surface holds no rolling high of 4h over 30d"):
        COMPACT.exceedance(0.3, window="4h")
    with pytest.raises(InvalidTermsError, match="share_of_error must be above 0 and at most 1, got 0"):
        compact(ANCHORED, share_of_error=0.0)


@given(drop=st.floats(0.02, 0.98), reference=st.sampled_from([Reference.ROLLING_HIGH, Reference.INCEPTION]))
def test_tail_sums_give_the_sample_back(drop, reference):
    window = None if reference is Reference.INCEPTION else "24h"
    sample = COMPACT.sample(reference=reference, window=window)
    tail = TailSums.of_sample(sample)
    again, n_beyond = tail.sample(), sample.n_beyond(drop)
    assert np.array_equal(again.drops, sample.drops)
    assert np.array_equal(again.tail(drop), sample.drops[:n_beyond])
    assert again.weights == pytest.approx(sample.weights, rel=1e-9)
    assert again.squares == pytest.approx(sample.squares, rel=1e-9)
    beyond = [sample.weights[:n_beyond].sum(), sample.squares[:n_beyond].sum()]
    assert tail.at(np.array([drop]))[:, 0] == pytest.approx(beyond, rel=1e-12)


@given(drop=st.floats(0.02, 0.98), payout=st.sampled_from([*PAYOUTS, *NEARLY_NARROW]))
def test_sums_without_a_pass_are_the_sums_over_groups(drop, payout):
    # The definition, group by group; powers of drops cancel to 1e-16 (1 / width)^4 of the sum over all groups.
    tail = COMPACT.tails[0]
    sample = tail.sample()
    shares = payout.share(sample.tail(drop))
    weights, squares = sample.weights[: len(shares)], sample.squares[: len(shares)]
    wanted = [weights.sum(), squares.sum(), weights @ shares, weights @ shares**2]
    wanted += [squares @ shares**power for power in (2, 3, 4)]
    found = tail.reader().loss_sums(payout, drop)
    assert found == pytest.approx(wanted, rel=1e-9, abs=1e-8)


def test_payouts_of_another_shape_are_priced_by_a_pass():
    class Half(FullPayout):
        def share(self, worst_drop):
            return 0.5 * np.ones_like(worst_drop)

    whole, half = (
        tail_losses(COMPACT.tails[0].reader(), payout, 0.3, PricingBasis(), 1.0) for payout in (FullPayout(), Half())
    )
    assert half.fired == whole.fired
    assert half.price.value == pytest.approx(0.5 * whole.price.value, rel=1e-12)
