"""A surface shows itself: as a frame, as HTML and as a picture, with the same probabilities."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from pricing import ConstantVolatility, Normal, PriceModel, Reference, SimulationSettings, compact, simulate
from pricing.surface.exceedance_curves import FEWEST_PATHS

MODEL = PriceModel(volatility=ConstantVolatility(annual=1.5), innovations=Normal())
DROPS = (0.15, 0.25, 0.9)


@pytest.fixture(scope="module")
def surface():
    return simulate(
        MODEL,
        windows=("1h", "24h"),
        terms=("7d", "30d"),
        references=(Reference.ROLLING_HIGH, Reference.INCEPTION),
        settings=SimulationSettings(n_paths=2000, seed=3),
    )


@pytest.fixture(params=["all paths", "compact"])
def any_surface(request, surface):
    return surface if request.param == "all paths" else compact(surface)


def test_the_frame_has_the_exceedance_of_every_observation_with_its_error(any_surface):
    frame = any_surface.to_frame(DROPS)
    assert len(frame) == len(any_surface.observations) * len(DROPS)
    assert not frame.duplicated(["reference", "window", "waiting_period", "term", "drop"]).any()
    for row in frame.itertuples():
        estimate = any_surface.exceedance(
            row.drop,
            window=row.window or None,
            term=row.term,
            reference=Reference[row.reference.upper().replace("-", "_")],
        )
        assert (row.probability, row.standard_error) == (estimate.value, estimate.standard_error)
    assert (frame["standard_error"] > 0.0).all()


def test_the_html_has_a_row_for_every_observation(any_surface):
    text = any_surface._repr_html_()
    assert "rolling-high, 24h in 30d" in text
    assert "inception in 7d" in text
    assert text.count("<tr") == 1 + len(any_surface.observations)
    assert "2,000 paths, seed 3" in text


def test_the_picture_has_a_curve_with_a_band_for_every_observation(any_surface):
    axes = any_surface.plot(Figure().subplots())
    named = [line for line in axes.lines if not line.get_label().startswith("_")]
    assert len(named) == len(any_surface.observations) == len(axes.collections)
    for line, observation in zip(named, any_surface.observations, strict=True):
        drops, shown = np.array(line.get_xdata()) / 100, np.array(line.get_ydata()) / 100
        sample = any_surface.sample_of(observation)
        np.testing.assert_allclose(shown, [sample.exceedance(drop).value for drop in drops])
    assert axes.get_yscale() == "log"
    assert any(f"fewer than {FEWEST_PATHS} of 2,000 paths" in text.get_text() for text in axes.texts)
    assert axes.get_xlabel().startswith("worst drop of the term, %")
