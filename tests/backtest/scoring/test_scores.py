import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest import PeriodBootstrap
from backtest.scoring.scores import (
    Sample,
    actual_to_expected,
    brier_losses,
    gini,
    log_losses,
    lorenz_curve,
    mean,
    quantile_groups,
    rank,
    skill,
)

ROWS = st.lists(
    st.tuples(st.integers(1, 9).map(lambda tenths: tenths / 10), st.booleans(), st.integers(0, 3)),
    min_size=2,
    max_size=40,
)


def make_sample(rows):
    quoted, came, period = zip(*rows, strict=True)
    return Sample(quoted=np.array(quoted), came=np.array(came), period=np.array(period), n_periods=4)


BOOTSTRAP = PeriodBootstrap.draw(4, seed=1, n_resamples=50)
EXAMPLE = make_sample([(0.9, True, 0), (0.2, False, 0), (0.4, True, 1), (0.5, False, 2), (0.1, False, 3)])


def test_scores_of_a_handful_of_quotes_by_hand():
    losses = log_losses(EXAMPLE.quoted, EXAMPLE.came)
    by_hand = -(math.log(0.9) + math.log(0.8) + math.log(0.4) + math.log(0.5) + math.log(0.9)) / 5
    assert mean(EXAMPLE, losses, BOOTSTRAP).value == pytest.approx(by_hand, rel=1e-12)
    errors = brier_losses(EXAMPLE.quoted, EXAMPLE.came)
    assert mean(EXAMPLE, errors, BOOTSTRAP).value == pytest.approx((0.01 + 0.04 + 0.36 + 0.25 + 0.01) / 5, rel=1e-12)
    assert actual_to_expected(EXAMPLE, BOOTSTRAP).value == pytest.approx(2 / 2.1, rel=1e-12)
    half = log_losses(np.full(5, 0.5), EXAMPLE.came)
    assert skill(EXAMPLE, losses, half, BOOTSTRAP).value == pytest.approx(1.0 - by_hand / math.log(2.0), rel=1e-12)


def test_a_forecaster_has_no_skill_against_itself_beyond_doubt():
    losses = log_losses(EXAMPLE.quoted, EXAMPLE.came)
    itself = skill(EXAMPLE, losses, losses, BOOTSTRAP)
    assert (itself.lower, itself.value, itself.upper) == pytest.approx((0.0, 0.0, 0.0), abs=1e-6)


@given(probability=st.floats(0.01, 0.99), quoted=st.floats(0.01, 0.99))
def test_both_scores_are_proper(probability, quoted):
    for losses in (log_losses, brier_losses):

        def expected(quote, losses=losses):
            return probability * losses(quote, True) + (1.0 - probability) * losses(quote, False)

        assert expected(np.float64(probability)) <= expected(np.float64(quoted)) + 1e-12


def share_of_pairs(pairs):
    """Count pairs one by one; ties are half."""
    ranks = [(event > other) + 0.5 * (event == other) for event, other in pairs]
    return sum(ranks) / len(ranks) if ranks else math.nan


@given(rows=ROWS)
def test_areas_under_the_curve_count_pairs(rows):
    sample = make_sample(rows)
    ranking = rank(sample)
    pairs = [(a, b) for a, b in itertools.product(rows, rows) if a[1] and not b[1]]
    overall = share_of_pairs([(a[0], b[0]) for a, b in pairs])
    within = share_of_pairs([(a[0], b[0]) for a, b in pairs if a[2] == b[2]])
    assert ranking.overall(BOOTSTRAP).value == pytest.approx(overall, rel=1e-12, nan_ok=True)
    assert ranking.within_periods(BOOTSTRAP).value == pytest.approx(within, rel=1e-12, nan_ok=True)


def test_periods_that_are_drawn_twice_count_their_pairs_four_times():
    rows = [(0.9, True, 0), (0.2, False, 0), (0.1, True, 1), (0.5, False, 1), (0.3, False, 2), (0.3, True, 3)]
    again = make_sample([row for row in rows for _ in range(2 if row[2] == 0 else 1) if row[2] != 1])
    interval = rank(make_sample(rows)).overall(PeriodBootstrap(draws=np.array([[2.0, 0.0, 1.0, 1.0]])))
    assert interval.lower == interval.upper == pytest.approx(rank(again).overall(BOOTSTRAP).value, rel=1e-12)


def test_rows_are_kept_with_all_their_columns():
    kept = EXAMPLE.rows(np.array([True, False, True, False, False]))
    assert (kept.quoted.tolist(), kept.came.tolist(), kept.period.tolist()) == ([0.9, 0.4], [True, True], [0, 1])
    assert kept.by_period(kept.came).tolist() == [1.0, 1.0, 0.0, 0.0]


@given(rows=ROWS)
def test_the_gini_coefficient_follows_from_the_area_under_the_curve(rows):
    """Gini = (2 AUC - 1) (1 - frequency): the Lorenz curve is the ROC curve with covers for non-events."""
    sample = make_sample(rows)
    if sample.came.any() and not sample.came.all():
        area = rank(sample).overall(BOOTSTRAP).value
        expected = (2.0 * area - 1.0) * (1.0 - sample.came.mean())
        assert gini(lorenz_curve(sample)) == pytest.approx(expected, abs=1e-12)


def test_the_lorenz_curve_runs_from_the_lowest_rate_to_the_highest():
    covers, events = lorenz_curve(EXAMPLE)
    assert covers == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert events == pytest.approx([0.0, 0.0, 0.0, 0.5, 0.5, 1.0])


def test_equal_quotes_make_the_diagonal():
    sample = make_sample([(0.5, True, 0), (0.5, False, 1), (0.5, False, 2)])
    assert gini(lorenz_curve(sample)) == 0.0


@given(values=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=60), n_groups=st.integers(2, 10))
def test_groups_rise_and_keep_equal_values_together(values, n_groups):
    values = np.array(values)
    group = quantile_groups(values, n_groups)
    order = np.argsort(values, kind="stable")
    assert (np.diff(group[order]) >= 0).all()
    assert set(group) == set(range(group.max() + 1))
    assert group.max() < n_groups
    for value in np.unique(values):
        assert len(set(group[values == value])) == 1


def test_groups_of_different_values_are_of_equal_size():
    assert np.bincount(quantile_groups(np.random.default_rng(1).random(1000), 10)).tolist() == [100] * 10
