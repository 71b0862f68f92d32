import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration import concentration
from calibration.holders.hidden_whale import stress_hidden_whale
from pricing.errors import DataError


def owners(supply=None, **balances):
    frame = pd.DataFrame({"address": list(balances), "balance": [float(b) for b in balances.values()]})
    return concentration(frame, labels={"venue": "exchange", "named": "holder"}, supply=supply)


def test_part_of_a_pool_is_one_holder_by_hand():
    stress = stress_hidden_whale(owners(a=40, venue=60), pooled=0.5)
    assert stress.whale == pytest.approx(0.3)
    assert stress.hhi.value == pytest.approx(0.4**2 + 0.3**2)
    assert (stress.top1.value, stress.top10.value) == (pytest.approx(0.4), pytest.approx(0.7))


@pytest.mark.parametrize(("share", "whale"), [(0.0, 0.0), (0.1, 0.3), (0.5, 0.3), (0.51, 0.5), (0.9, 0.6), (1.0, 0.6)])
def test_the_largest_unlabelled_addresses_are_one_holder_by_hand(share, whale):
    measured = owners(named=40, a=30, b=20, c=10)
    stress = stress_hidden_whale(measured, pooled=0.0, unlabelled=share)
    assert stress.whale == pytest.approx(whale)
    others = {0.0: (0.3, 0.2, 0.1), 0.3: (0.2, 0.1), 0.5: (0.1,), 0.6: ()}[whale]
    assert stress.hhi.value == pytest.approx(0.4**2 + whale**2 + sum(other**2 for other in others))


def test_labelled_addresses_are_never_part_of_the_whale():
    measured = owners(named=90, a=10)
    assert stress_hidden_whale(measured, unlabelled=1.0).hhi.value == pytest.approx(0.9**2 + 0.1**2)


def test_the_default_is_the_stress_that_every_measurement_shows():
    measured = owners(a=30, b=10, venue=40, supply=100)
    assert stress_hidden_whale(measured).hhi.upper == pytest.approx(measured.stress_hhi.upper)
    assert stress_hidden_whale(measured).hhi.lower == pytest.approx(measured.stress_hhi.lower)


@given(
    st.lists(st.floats(0.01, 100.0), min_size=1, max_size=15),
    st.floats(0.0, 300.0),
    st.floats(1.0, 2.0),
    st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)),
    st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)),
)
def test_a_larger_whale_never_means_less_concentration(balances, venue, unlisted, pooled, unlabelled):
    single = {f"h{i}": balance for i, balance in enumerate(balances)}
    measured = owners(**single, venue=venue, supply=unlisted * (sum(balances) + venue))
    low = stress_hidden_whale(measured, pooled=min(pooled), unlabelled=min(unlabelled))
    high = stress_hidden_whale(measured, pooled=max(pooled), unlabelled=max(unlabelled))
    for name in ("whale", "hhi", "top1", "top10"):
        assert float(getattr(high, name)) >= float(getattr(low, name)) - 1e-12, name


@pytest.mark.parametrize("name", ["pooled", "unlabelled"])
@pytest.mark.parametrize("share", [-0.1, 35.0, float("nan")])
def test_shares_are_fractions(name, share):
    with pytest.raises(DataError, match=rf"{name} must be between 0 and 1, got .* 35 % is 0\.35"):
        stress_hidden_whale(owners(a=1), **{name: share})
