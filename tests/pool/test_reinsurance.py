import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pool import ExcessOfLoss, Occurrence, PoolLosses, QuotaShare, retain, retained_income
from pricing.errors import InvalidTermsError

losses = arrays(float, (3, 8), elements=st.floats(0.0, 100.0)).map(
    lambda by_asset: PoolLosses(assets=("A", "B", "C"), by_asset=by_asset)
)


@given(losses=losses, ceded=st.floats(0.01, 0.99))
def test_a_quota_share_keeps_its_share_of_everything(losses, ceded):
    kept = QuotaShare(ceded=ceded).retain(losses)
    np.testing.assert_allclose(kept.by_asset, (1.0 - ceded) * losses.by_asset)


def test_a_quota_share_shares_income_and_gets_a_commission():
    assert QuotaShare(ceded=0.4).retained_income(100.0) == pytest.approx(60.0)
    assert QuotaShare(ceded=0.4, commission=0.25).retained_income(100.0) == pytest.approx(70.0)


@given(losses=losses, retention=st.floats(0.0, 150.0), limit=st.floats(1.0, 150.0))
def test_an_excess_of_loss_for_the_period_pays_between_its_points(losses, retention, limit):
    contract = ExcessOfLoss(occurrence=Occurrence.PERIOD, retention=retention, limit=limit, premium=0.0)
    kept, total = contract.retain(losses), losses.total
    expected = np.where(total <= retention, total, np.maximum(retention, total - limit))
    np.testing.assert_allclose(kept.total, expected, rtol=1e-9, atol=1e-9)
    assert (kept.by_asset >= -1e-12).all()
    assert (kept.by_asset <= losses.by_asset + 1e-12).all()


@given(losses=losses, retention=st.floats(0.0, 150.0), limit=st.floats(1.0, 150.0))
def test_an_excess_of_loss_for_each_asset_pays_between_its_points(losses, retention, limit):
    contract = ExcessOfLoss(occurrence=Occurrence.ASSET, retention=retention, limit=limit, premium=0.0)
    gross, kept = losses.by_asset, contract.retain(losses).by_asset
    expected = np.where(gross <= retention, gross, np.maximum(retention, gross - limit))
    np.testing.assert_allclose(kept, expected, rtol=1e-12, atol=1e-12)


@given(losses=losses)
def test_contracts_apply_one_after_the_other(losses):
    share = QuotaShare(ceded=0.5)
    excess = ExcessOfLoss(occurrence=Occurrence.PERIOD, retention=10.0, limit=np.inf, premium=3.0)
    np.testing.assert_allclose(retain((share, excess), losses).total, np.minimum(0.5 * losses.total, 10.0), atol=1e-9)
    np.testing.assert_allclose(retain((excess, share), losses).total, 0.5 * np.minimum(losses.total, 10.0), atol=1e-9)
    assert retained_income((share, excess), 100.0) == 47.0
    assert retained_income((excess, share), 100.0) == 48.5
    assert retain((), losses) is losses


@pytest.mark.parametrize(
    ("contract", "terms", "message"),
    [
        (QuotaShare, {"ceded": 30.0}, "ceded must be between 0 and 1"),
        (QuotaShare, {"ceded": 0.3, "commission": 1.0}, "commission must be from 0 to below 1"),
        (ExcessOfLoss, {"retention": -1.0}, "retention must be finite and not negative"),
        (ExcessOfLoss, {"limit": 0.0}, "limit must be positive"),
        (ExcessOfLoss, {"premium": np.inf}, "premium must be finite"),
    ],
)
def test_wrong_contracts_are_refused(contract, terms, message):
    excess = {"occurrence": Occurrence.PERIOD, "retention": 1.0, "limit": 1.0, "premium": 0.0}
    with pytest.raises(InvalidTermsError, match=message):
        contract(**(terms if contract is QuotaShare else {**excess, **terms}))
