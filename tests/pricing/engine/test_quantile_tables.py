from dataclasses import dataclass

import numpy as np
import pytest

from pricing import DoubleExponentialSizes, GeneralizedParetoFalls, Normal, NormalSizes, StudentT
from pricing.engine.quantile_tables import exponential_table, quantile_table
from pricing.errors import InvalidModelError
from tests.pricing.engine.kernel_twin import table_value

#: One uniform in each of many places of each octave, down to the smallest that the kernel draws.
V = np.concatenate([2.0 ** -np.random.default_rng(1).uniform(0.0, 53.0, 100_000), [2.0**-53, 1.0 - 2.0**-53]])
LOWER, UPPER = np.zeros(len(V), dtype=np.uint64), np.ones(len(V), dtype=np.uint64)


def worst_error(law, split):
    table = quantile_table(law, split)
    lower = table_value(table, LOWER, V) - law.quantile(split * V)
    upper = table_value(table, UPPER, V) - law.upper_quantile((1.0 - split) * V)
    scale = np.maximum(1.0, np.abs(law.quantile(split * V)))
    return max(np.abs(lower / scale).max(), np.abs(upper / scale).max())


@pytest.mark.parametrize(
    ("law", "split", "tolerance"),
    [
        (Normal(), 0.5, 2e-9),
        (StudentT(dof=2.1), 0.5, 5e-9),
        (StudentT(dof=6.0), 0.5, 5e-9),
        (NormalSizes(mean=-0.1, stdev=0.2), 0.5, 5e-10),
        (DoubleExponentialSizes(p_up=0.3, eta_up=12.0, eta_down=8.0), 0.7, 5e-10),
        (GeneralizedParetoFalls(threshold=0.2, scale=0.1, shape=0.3), 0.5, 5e-9),
    ],
)
def test_tables_follow_their_law_into_both_tails(law, split, tolerance):
    assert worst_error(law, split) < tolerance


def test_waits_are_exponential():
    assert np.abs(table_value(exponential_table(), LOWER, V) + np.log(V)).max() < 5e-9


@dataclass(frozen=True)
class Logistic:
    """A law that a user might supply: only a quantile function."""

    def quantile(self, u):
        return np.log(u / (1.0 - u))


def test_a_law_needs_only_a_quantile_function():
    v = V[V > 2.0**-40]
    upper = table_value(quantile_table(Logistic()), np.ones(len(v), dtype=np.uint64), v)
    assert np.abs(upper - np.log((2.0 - v) / v)).max() < 1e-3 * 2.0**-10


@pytest.mark.parametrize(
    ("quantile", "message"),
    [
        (lambda u: np.full_like(u, np.inf), "must be finite"),
        (lambda u: -np.log(u), "must not decrease"),
    ],
)
def test_what_is_not_a_quantile_function_is_refused(quantile, message):
    law = type("Law", (), {"quantile": staticmethod(quantile)})()
    with pytest.raises(InvalidModelError, match=message):
        quantile_table(law)
