"""The inversion against transforms whose originals are known."""

import math

import numpy as np
import pytest
from scipy.special import erfc

from pricing.closed_form.laplace import agreed, invert
from pricing.errors import PrecisionError


@pytest.mark.parametrize("time", [1e-4, 0.02, 1.0, 300.0])
@pytest.mark.parametrize("volatility", [0.3, 2.0])
def test_first_passage_of_brownian_motion(time, volatility):
    """exp(-a sqrt(2 s)) / s belongs to erfc(a / sqrt(2 t)): 1e-217 at the first time."""
    value = invert(lambda s: -np.sqrt(2.0 * s) * 0.3 - np.log(s), time=time, volatility=volatility, log_drift=0.0)
    assert value == pytest.approx(erfc(0.3 / math.sqrt(2.0 * time)), rel=1e-11)


def test_a_pole_left_of_zero():
    value = invert(lambda s: -2.0 * np.log(s + 3.0), time=0.5, volatility=1.0, log_drift=-1.0)
    assert value == pytest.approx(0.5 * math.exp(-1.5), rel=1e-11)


def test_a_pole_next_to_the_contour_is_noticed():
    """The transform of 1 - cos(2 t) / 2 has poles at 2i, where the contour passes."""
    with pytest.raises(PrecisionError, match="disagree"):
        invert(lambda s: np.log(1.0 / s - 0.5 * s / (s**2 + 4.0)), time=1.0, volatility=1.0, log_drift=0.0)


def test_agreement_is_relative():
    assert agreed(1.0, 1.0 + 1e-9, 1e-8) == 1.0 + 1e-9
    with pytest.raises(PrecisionError, match="disagree"):
        agreed(1e-30, 2e-30, 1e-8)
    with pytest.raises(PrecisionError, match="disagree"):
        agreed(math.nan, 1.0, 1e-8)
