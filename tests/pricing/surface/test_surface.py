import math

import numpy as np
import pytest

from pricing import (
    ConstantVolatility,
    DoubleExponentialSizes,
    DropSurface,
    DropTrigger,
    Empirical,
    FullPayout,
    Garch,
    GeneralizedParetoFalls,
    Jumps,
    LinearPayout,
    PriceModel,
    Reference,
    SimulationSettings,
    StudentT,
    TieredPayout,
    simulate,
)
from pricing.errors import CorruptSurfaceError, InvalidTermsError, NotSimulatedError, PricingError

MODEL = PriceModel(
    volatility=Garch(omega=1e-6, alpha=0.05, beta=0.9, gamma=0.05, initial_variance=5e-5),
    innovations=Empirical(values=(np.random.default_rng(2).standard_t(4, 500) / 2**0.5).tolist()),
    jumps=(
        Jumps(per_year=24.0, sizes=DoubleExponentialSizes(p_up=0.3, eta_up=10.0, eta_down=6.0)),
        Jumps(per_year=1.0, sizes=GeneralizedParetoFalls(threshold=0.2, scale=0.1, shape=0.1)),
    ),
)


@pytest.fixture(scope="module")
def surface():
    return simulate(
        MODEL,
        windows=("1h", "24h"),
        terms=("7d", "30d"),
        references=(Reference.ROLLING_HIGH, Reference.RUNNING_HIGH),
        settings=SimulationSettings(n_paths=5_000, seed=4),
    )


def test_exceedance_is_a_share_of_paths(surface):
    row = next(
        row
        for row, signal in enumerate(surface.signals)
        if (signal.reference, signal.window_steps, signal.term_steps) == (Reference.ROLLING_HIGH, 24, 720)
    )
    share = np.count_nonzero(surface.worst_drops[row] >= 0.2) / 5_000
    estimate = surface.exceedance(0.2, window="24h", term="30d")
    assert estimate.value == share
    assert estimate.standard_error == pytest.approx(math.sqrt(share * (1 - share) / 5_000), rel=1e-12)


def test_drops_may_be_an_array_of_any_shape(surface):
    curve = surface.exceedance(np.array([[0.1, 0.2], [0.3, 0.4]]))
    assert curve.value.shape == curve.standard_error.shape == (2, 2)
    assert curve.value[1, 0] == surface.exceedance(0.3).value


def test_longer_windows_and_terms_lose_more(surface):
    for drop in (0.1, 0.2, 0.4):
        assert surface.exceedance(drop, window="1h").value <= surface.exceedance(drop, window="24h").value
        assert surface.exceedance(drop, term="7d").value <= surface.exceedance(drop, term="30d").value


def test_expected_payout_is_the_mean_share(surface):
    sample = surface.sample(window="24h", term="30d")
    trigger = DropTrigger(drop=0.25)
    fired = sample.drops >= 0.25
    expected = {
        FullPayout(): np.ones(5_000),
        LinearPayout(attachment=0.2, exhaustion=0.6): np.minimum((sample.drops - 0.2) / 0.4, 1.0),
        TieredPayout({0.1: 0.1, 0.3: 0.5}): np.where(sample.drops >= 0.3, 0.5, 0.1),
    }
    for payout, shares in expected.items():
        estimate = surface.expected_payout(payout, trigger=trigger, term="30d")
        losses = np.where(fired, shares, 0.0)
        assert estimate.value == pytest.approx(losses.mean(), rel=1e-12)
        assert estimate.standard_error == pytest.approx(losses.std() / math.sqrt(5_000), rel=1e-9)


@pytest.mark.parametrize("signal", [{"window": "12h"}, {"term": "3d"}, {"waiting_period": "1h"}])
def test_what_was_not_simulated_is_named_with_what_was(surface, signal):
    with pytest.raises(
        NotSimulatedError, match=r"the surface holds no rolling high .*; it holds rolling high of 1h over 7d"
    ):
        surface.exceedance(0.3, **signal)


def test_a_percentage_is_refused(surface):
    with pytest.raises(InvalidTermsError, match="30 % is 0.30"):
        surface.exceedance([0.2, 30.0])


def test_a_saved_surface_loads_the_same_and_is_mapped(surface, tmp_path):
    surface.save(tmp_path / "om.surface")
    loaded = DropSurface.load(tmp_path / "om.surface")
    assert isinstance(loaded.worst_drops, np.memmap)
    assert np.array_equal(loaded.worst_drops, surface.worst_drops)
    assert loaded.weights is None
    for field in ("model", "settings", "signals", "model_digest"):
        assert getattr(loaded, field) == getattr(surface, field)
    assert list(tmp_path.iterdir()) == [tmp_path / "om.surface"]


def test_weights_are_saved(surface, tmp_path):
    weights = np.linspace(0.5, 1.5, 5_000)
    weighted = DropSurface(
        model=surface.model,
        settings=surface.settings,
        model_digest=surface.model_digest,
        signals=surface.signals,
        worst_drops=surface.worst_drops,
        weights=weights,
    )
    weighted.save(tmp_path / "om.surface")
    loaded = DropSurface.load(tmp_path / "om.surface")
    assert np.array_equal(loaded.weights, weights)
    assert loaded.exceedance(0.3) == weighted.exceedance(0.3) != surface.exceedance(0.3)


def test_every_damage_is_noticed(surface, tmp_path):
    surface.save(tmp_path / "whole")
    whole = (tmp_path / "whole").read_bytes()
    rng = np.random.default_rng(7)
    damaged = tmp_path / "damaged"
    for place in [0, 7, 150, 500, len(whole) - 1, *rng.integers(0, len(whole), 60)]:
        changed = bytearray(whole)
        changed[place] ^= 1 << int(rng.integers(8))
        damaged.write_bytes(changed)
        with pytest.raises(CorruptSurfaceError, match="damaged"):
            DropSurface.load(damaged)
    for length in (0, 5, 100, len(whole) // 2, len(whole) - 1):
        damaged.write_bytes(whole[:length])
        with pytest.raises(CorruptSurfaceError, match="damaged"):
            DropSurface.load(damaged)


def test_a_file_that_is_not_a_surface_is_refused(tmp_path):
    np.save(tmp_path / "array.npy", np.arange(10))
    with pytest.raises(CorruptSurfaceError, match="damaged or not a surface"):
        DropSurface.load(tmp_path / "array.npy")
    with pytest.raises(FileNotFoundError):
        DropSurface.load(tmp_path / "absent")


def test_nothing_is_unpickled(tmp_path):
    np.save(tmp_path / "objects.npy", np.array([print], dtype=object), allow_pickle=True)
    with pytest.raises(CorruptSurfaceError):
        DropSurface.load(tmp_path / "objects.npy")


class Uniform:
    """A law of the user's own, and not even a dataclass."""

    def quantile(self, u):
        return (u - 0.5) * math.sqrt(12.0)


def test_a_law_without_a_plain_form_can_be_simulated_but_not_saved(tmp_path):
    model = PriceModel(volatility=ConstantVolatility(annual=1.0), innovations=Uniform())
    surface = simulate(model, settings=SimulationSettings(n_paths=10, seed=1))
    with pytest.raises(PricingError, match="Uniform has no plain form"):
        surface.save(tmp_path / "own.surface")
    assert list(tmp_path.iterdir()) == []


def test_digest_tells_models_apart():
    settings = SimulationSettings(n_paths=1, seed=1)
    digests = {
        simulate(PriceModel(volatility=ConstantVolatility(annual=1.0), innovations=law), settings=settings).model_digest
        for law in (StudentT(dof=4.0), StudentT(dof=5.0), Empirical(values=[1.0, -1.0]), Empirical(values=[-1.0, 1.0]))
    }
    assert len(digests) == 4
