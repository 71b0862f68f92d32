import struct

import numpy as np
import pytest

from crashcover.display.picture import Chart, Curve, draw_exceedance
from pricing import WeightedSample
from pricing.surface.exceedance_curves import exceedance_band

GRID = np.arange(0.01, 1.0, 0.005)


def uniform_sample(n):
    return WeightedSample.of_paths((np.arange(n) + 0.5) / n, None)


@pytest.mark.parametrize(("ending", "magic"), [("png", b"\x89PNG\r\n\x1a\n"), ("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_a_picture_is_written_in_the_format_of_its_ending(tmp_path, ending, magic):
    path = tmp_path / f"exceedance.{ending}"
    chart = Chart(title="uniform", curves=[Curve(label="term 30d", sample=uniform_sample(1000))])
    draw_exceedance([chart, chart, chart], path, title="Three of them")
    assert path.read_bytes().startswith(magic)


def test_a_png_is_large_enough_to_read(tmp_path):
    path = tmp_path / "exceedance.png"
    draw_exceedance([Chart(title="u", curves=[Curve(label="a", sample=uniform_sample(500))])], path, title="One")
    width, height = struct.unpack(">II", path.read_bytes()[16:24])
    assert width >= 700
    assert height >= 500


def test_a_curve_is_the_exceedance_and_stops_where_three_paths_are_left():
    drops, probability, _, lower, upper = exceedance_band(uniform_sample(100), GRID)
    # midpoints of a hundredth each: the three deepest are 0.975, 0.985 and 0.995
    assert drops[-1] == pytest.approx(0.975)
    np.testing.assert_allclose(probability, np.round(100 * (1.0 - drops) + 1e-9) / 100, atol=0.01)
    assert probability[-1] == pytest.approx(0.03)
    assert (lower < probability).all()
    assert (upper >= probability).all()
    assert upper.max() <= 1.0


def test_the_band_covers_the_truth_at_its_level():
    """95 % band at P(X >= 0.9) = 0.1 over 400 samples of 500: coverage within 95 % +- 4.4 % (z = 4), seed 8."""
    random = np.random.default_rng(8)
    hits = 0
    for _ in range(400):
        drops, _, _, lower, upper = exceedance_band(WeightedSample.of_paths(random.random(500), None), GRID)
        at = int(np.argmin(np.abs(drops - 0.9)))
        hits += lower[at] <= 1.0 - drops[at] <= upper[at]
    assert abs(hits / 400 - 0.95) < 0.044
