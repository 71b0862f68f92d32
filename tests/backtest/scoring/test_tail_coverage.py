"""Coverage of the tail of a pool: exact on small samples, and near the level if the law is right."""

import numpy as np
import pytest

from backtest.scoring.tail_coverage import TAIL_LEVEL, pool_tail


def test_starts_beyond_and_their_severity_are_counted():
    """100 draws of 0.01 to 1.00 at each start: the value at risk is 0.95 and the tail value at risk 0.98."""
    drawn = np.arange(1, 101)[:, None] / 100.0 * np.ones((1, 4))
    tail = pool_tail(np.array([0.5, 0.95, 0.96, 1.0]), drawn)
    assert tail.beyond == pytest.approx(0.5)
    assert tail.severity == pytest.approx((0.96 + 1.0) / (4 * 0.05 * 0.98))


def test_if_the_law_is_right_the_level_is_met():
    """Seed 3, 400 worlds of 300 starts that share nothing; z of the means below 4."""
    drawn = np.random.default_rng(3).beta(0.5, 3.0, size=(400, 300))
    tail = pool_tail(drawn[0], drawn)
    for found, expected in ((tail.predicted_beyond, 1.0 - TAIL_LEVEL), (tail.predicted_severity, 1.0)):
        assert abs(found.mean() - expected) < 4.0 * found.std() / np.sqrt(len(found))


def test_a_law_whose_losses_are_half_as_large_is_found_out():
    drawn = np.random.default_rng(4).beta(0.5, 3.0, size=(400, 300))
    tail = pool_tail(2.0 * drawn[0], drawn)
    assert tail.beyond > np.quantile(tail.predicted_beyond, 0.999)
    assert tail.severity > np.quantile(tail.predicted_severity, 0.999)


def test_a_law_that_expects_nothing_is_exceeded_at_every_start_with_a_loss():
    tail = pool_tail(np.array([0.0, 0.1]), np.zeros((100, 2)))
    assert tail.beyond == 0.5
    assert tail.severity == 0.0
