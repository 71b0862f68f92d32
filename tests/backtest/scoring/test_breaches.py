import numpy as np
import pytest
from scipy.stats import kstest

from backtest.scoring.breaches import breach_tests, reserve_breaches, token_sequences


def sequence(runs):
    return np.concatenate([np.full(n, hit) for hit, n in runs])


def test_the_exceptions_of_a_bank_in_1998():
    """Jorion, Value at Risk (3rd edition 2006), chapter 6: 20 exceptions in 252 days at 5 %.

    Fourteen follow a day without an exception and six a day with one, of 232 and 20 days. The book
    reports 3.91 for coverage, 9.53 for independence and 13.44 for both. The first day has no day before it here, so a
    quiet one is put in front.
    """
    hits = sequence([(False, 3), (True, 7), *[(False, 1), (True, 1)] * 13, (False, 217)])
    follows = np.arange(253) > 0
    found = breach_tests(hits, follows, 0.05)
    before, after = hits[:-1], hits[1:]
    assert (after[before].sum(), before.sum(), after[~before].sum(), (~before).sum()) == (6, 20, 14, 232)
    assert found.independence == pytest.approx(9.53, abs=0.005)
    assert (found.trials, found.breaches) == (253, 20)
    assert found.expected == pytest.approx(12.65, rel=1e-12)
    assert found.conditional == pytest.approx(found.coverage + found.independence, rel=1e-12)
    coverage = breach_tests(after, follows[1:], 0.05).coverage
    assert coverage == pytest.approx(3.91, abs=0.005)
    assert coverage + found.independence == pytest.approx(13.44, abs=0.01)


def test_what_comes_as_promised_has_a_statistic_of_zero():
    hits = sequence([(False, 9), (True, 1)] * 5)
    assert breach_tests(hits, np.arange(50) > 0, 0.1).coverage == pytest.approx(0.0, abs=1e-12)


def test_both_is_the_sum_and_no_hits_are_no_evidence_of_dependence():
    found = breach_tests(np.zeros(50, dtype=bool), np.arange(50) > 0, 0.1)
    assert found.independence == 0.0
    assert found.conditional == found.coverage == pytest.approx(-100.0 * np.log(0.9), rel=1e-12)
    assert found.coverage_p_value == pytest.approx(0.00117, abs=5e-5)  # of chi-square 10.54 with 1 degree of freedom


def test_a_single_trial_has_a_likelihood():
    found = breach_tests(np.array([True]), np.array([False]), 0.1)
    assert found.coverage == pytest.approx(-2.0 * np.log(0.1), rel=1e-12)
    assert found.independence == 0.0


def test_one_hit_after_a_hit_and_two_misses_after_misses():
    """Apart both states are certain, so the statistic is minus twice the log likelihood of one rate of 1/3."""
    hits, follows = np.array([True, True, False, False, False]), np.array([False, True, False, True, True])
    by_hand = -2.0 * (np.log(1.0 / 3.0) + 2.0 * np.log(2.0 / 3.0))
    assert breach_tests(hits, follows, 0.1).independence == pytest.approx(by_hand, rel=1e-12)


def test_p_values_of_independent_hits_are_uniform():
    """Seed 1, 400 sequences of 2,000 hits at 20 %: Kolmogorov-Smirnov at one in a thousand."""
    hits = np.random.default_rng(1).random((400, 2000)) < 0.2
    found = [breach_tests(row, np.arange(2000) > 0, 0.2) for row in hits]
    for name in ("coverage_p_value", "independence_p_value", "conditional_p_value"):
        assert kstest([getattr(test, name) for test in found], "uniform").pvalue > 1e-3


def test_the_reserve_is_breached_as_often_as_promised_however_strong_the_common_shock():
    """Seed 2, 3,000 walks of 30 periods whose ratios are exchangeable: z below 4."""
    random = np.random.default_rng(2)
    came = np.exp(random.normal(0.0, 1.5, (3000, 30)))
    expected = random.uniform(5.0, 10.0, (3000, 30))
    walks = [reserve_breaches(ratios * weights, weights) for ratios, weights in zip(came, expected, strict=True)]
    rate = walks[0][1]
    assert rate == pytest.approx(0.1, abs=0.02)
    shares = np.array([breached.mean() for breached, _ in walks])
    assert len(walks[0][0]) == 21
    assert abs(shares.mean() - rate) < 4.0 * shares.std() / np.sqrt(3000)


def test_a_reserve_rests_on_earlier_periods_only():
    came = np.arange(1.0, 31.0)
    breached, _ = reserve_breaches(came, np.ones(30))
    assert breached.all()
    assert not reserve_breaches(came[::-1], np.ones(30))[0].any()


def test_reserves_are_set_for_ratios_and_a_ratio_that_equals_its_reserve_is_no_breach():
    ratio = np.arange(1.0, 16.0)
    expected = ratio**-3.0  # so that came, and came times expected, fall while the ratio rises
    assert reserve_breaches(ratio * expected, expected)[0].all()
    assert not reserve_breaches(np.full(15, 2.0), np.ones(15))[0].any()


def test_the_first_reserve_is_the_largest_of_nine_ratios():
    for tenth, is_breach in ((8.5, False), (9.5, True)):
        breached, _ = reserve_breaches(np.array([*np.arange(1.0, 10.0), tenth]), np.ones(10))
        assert breached.tolist() == [is_breach]


def test_the_promised_rate_is_that_of_the_ranks():
    """The ninth of nine ratios is exceeded by one in ten; rank 10, which 0.9 x 11 rounds to, by one in eleven."""
    assert reserve_breaches(np.ones(11), np.ones(11))[1] == pytest.approx((1.0 / 10.0 + 1.0 / 11.0) / 2.0, rel=1e-12)
    breached, rate = reserve_breaches(np.ones(9), np.ones(9))
    assert (len(breached), rate) == (0, 0.1)


def test_sequences_run_by_token_and_break_at_a_missing_period():
    token = np.array([1, 0, 1, 0, 1])
    period = np.array([3, 0, 0, 1, 1])
    order, follows = token_sequences(token, period)
    assert order.tolist() == [1, 3, 2, 4, 0]
    assert follows.tolist() == [False, True, False, True, False]
