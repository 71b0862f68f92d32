import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.holders.bounded import Bounded
from calibration.holders.shares import RankedShares, gini, herfindahl, nakamoto, top_share
from pricing.errors import DataError
from pricing.tools.plain import Form, to_plain

balances = st.lists(st.integers(1, 10**6), min_size=2, max_size=60)


def whole(values):
    shares = np.sort(np.asarray(values, dtype=float))[::-1]
    return RankedShares(listed=shares / shares.sum(), rest=0.0, largest_unlisted=1.0)


def cut(values, n, n_unlisted):
    shares = np.sort(np.asarray(values, dtype=float))[::-1] / np.sum(values)
    return RankedShares(listed=shares[:n], rest=shares[n:].sum(), largest_unlisted=shares[n - 1], n_unlisted=n_unlisted)


def pairwise_gini(values):
    values = np.asarray(values, dtype=float)
    return np.abs(values[:, None] - values[None, :]).sum() / (2.0 * len(values) * values.sum())


def inside(truth, bounds):
    return bounds.lower - 1e-9 <= truth <= bounds.upper + 1e-9


# --- complete lists ---------------------------------------------------------------------------------------------------


@given(balances)
def test_measures_of_a_complete_list_are_their_definitions(values):
    shares = whole(values)
    ordered = sorted(values, reverse=True)
    assert herfindahl(shares).value == pytest.approx(sum((v / sum(values)) ** 2 for v in values))
    assert gini(shares).value == pytest.approx(pairwise_gini(values), abs=1e-12)
    assert top_share(shares, 3).value == pytest.approx(sum(ordered[:3]) / sum(values))
    fewest = next(k for k in range(1, len(values) + 1) if 2 * sum(ordered[:k]) > sum(values))
    assert nakamoto(shares).value in {fewest, fewest + 1}  # a sum of exactly one half may round either way
    assert 1.0 / len(values) - 1e-12 <= herfindahl(shares).value <= 1.0


def test_equal_holders():
    shares = whole([5, 5, 5, 5])
    assert herfindahl(shares).value == 0.25
    assert gini(shares).value == pytest.approx(0.0, abs=1e-15)
    assert nakamoto(shares).value == 3  # two of four own exactly half, which is not more than half


@given(balances, st.data())
def test_splitting_a_holder_never_raises_the_index_and_merging_never_lowers_it(values, data):
    i = data.draw(st.integers(0, len(values) - 1))
    part = data.draw(st.integers(0, values[i]))
    split = [v for v in [*values[:i], part, values[i] - part, *values[i + 1 :]] if v]
    assert herfindahl(whole(split)).value <= herfindahl(whole(values)).value + 1e-12
    assert nakamoto(whole(split)).value >= nakamoto(whole(values)).value


# --- lists that were cut ----------------------------------------------------------------------------------------------


@given(balances, st.data())
def test_bounds_contain_the_truth(values, data):
    n = data.draw(st.integers(1, len(values) - 1))
    known = data.draw(st.booleans())
    shares, full = cut(values, n, len(values) - n if known else None), whole(values)
    assert inside(herfindahl(full).value, herfindahl(shares))
    assert inside(gini(full).value, gini(shares))
    for k in (1, 2, 5, 10, 100):
        assert inside(top_share(full, k).value, top_share(shares, k))
    bounds = nakamoto(shares)
    assert bounds.lower - 1 <= nakamoto(full).value <= bounds.upper + 1  # halves that round either way


@given(balances, st.data())
def test_knowing_the_number_of_holders_narrows_the_bounds(values, data):
    n = data.draw(st.integers(1, len(values) - 1))
    unknown, known = cut(values, n, None), cut(values, n, len(values) - n)
    for measure in (herfindahl, gini, nakamoto):
        assert measure(unknown).lower <= measure(known).lower + 1e-9
        assert measure(known).upper <= measure(unknown).upper + 1e-9


@given(balances, st.data())
def test_width_of_the_index_is_at_most_the_rest_times_the_smallest_listed_share(values, data):
    shares = cut(values, data.draw(st.integers(1, len(values) - 1)), None)
    bounds = herfindahl(shares)
    assert bounds.upper - bounds.lower <= shares.rest * shares.largest_unlisted + 1e-12


def test_zipf_reference():
    # 123,000 holders with shares proportional to rank ** -1.1, of which 100 are listed
    values = np.arange(1, 123_001) ** -1.1
    shares = cut(values, 100, 123_000 - 100)
    assert herfindahl(whole(values)).value == pytest.approx(0.02659, abs=5e-6)
    assert herfindahl(shares).lower == pytest.approx(0.02653, abs=5e-6)
    assert herfindahl(shares).upper == pytest.approx(0.02689, abs=5e-6)
    assert gini(whole(values)).value == pytest.approx(0.908, abs=5e-4)
    assert gini(shares).lower == pytest.approx(0.571, abs=5e-4)
    assert gini(shares).upper == pytest.approx(0.997, abs=5e-4)
    assert herfindahl(whole(values[:100])).value == pytest.approx(0.0813, abs=5e-5)  # blown up to 100 %: wrong


def test_bounds_are_attained():
    even, uneven = [24, 16, 15, 15, 15, 15], [24, 16, 16, 16, 16, 12]
    shares = RankedShares(listed=np.array([0.24, 0.16]), rest=0.6, largest_unlisted=0.16, n_unlisted=4)
    assert herfindahl(shares).lower == pytest.approx(herfindahl(whole(even)).value)
    assert herfindahl(shares).upper == pytest.approx(herfindahl(whole(uneven)).value)
    assert gini(shares).lower == pytest.approx(pairwise_gini(even))
    assert gini(shares).upper == pytest.approx(pairwise_gini(uneven))
    assert top_share(shares, 4).lower == pytest.approx(0.70)
    assert top_share(shares, 4).upper == pytest.approx(0.72)


def test_bounds_of_the_number_of_nakamoto_are_attained():
    shares = RankedShares(listed=np.array([0.25]), rest=0.75, largest_unlisted=0.2, n_unlisted=10)
    assert nakamoto(shares).lower == nakamoto(whole([25, 20, 20, 20, 15])).value == 3
    assert nakamoto(shares).upper == nakamoto(whole([250, *[75] * 10])).value == 5


def test_without_the_number_of_holders_dust_can_be_endless():
    shares = RankedShares(listed=np.array([0.19, 0.11]), rest=0.7, largest_unlisted=0.11)
    assert herfindahl(shares).lower == pytest.approx(0.19**2 + 0.11**2)
    assert gini(shares).upper == 1.0
    assert nakamoto(shares).upper == math.inf
    assert nakamoto(shares).lower == 4  # 0.30 on the list, then two more of 0.11 pass one half
    assert top_share(shares, 50).lower == pytest.approx(0.3)
    assert top_share(shares, 50).upper == pytest.approx(1.0)


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_too_few_holders_for_the_rest_are_refused():
    with pytest.raises(DataError, match="n_holders leaves 3 holders"):
        RankedShares(listed=np.array([0.6, 0.1]), rest=0.35, largest_unlisted=0.1, n_unlisted=3)


def test_top_zero_is_refused():
    with pytest.raises(DataError, match="k must be at least 1, got 0"):
        top_share(whole([1, 2]), 0)


def test_the_plain_form_has_both_bounds():
    plain = to_plain(Bounded(lower=2.0, upper=math.inf, prudent="lower"), Form.NAMED)
    assert plain == {"type": "Bounded", "lower": 2.0, "upper": "inf"}
