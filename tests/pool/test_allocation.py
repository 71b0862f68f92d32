from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration import shipped_market
from pool import (
    Book,
    Dependence,
    ExcessOfLoss,
    JointSettings,
    Observation,
    Occurrence,
    QuotaShare,
    TokenRisk,
    compress,
    expected_losses,
    joint_scenarios,
    marginal_capital,
    pool_losses,
    retain,
    tail_contributions,
    tail_value_at_risk,
)
from pricing import Cover, DropTrigger, FullPayout, LinearPayout, TieredPayout
from pricing.errors import NotSimulatedError
from tests.pool.synthetic import uniform_surface

LEVEL = 0.99
WEEK = Observation(term="7d")
PAYOUTS = (FullPayout(), LinearPayout(attachment=0.3, exhaustion=0.9), TieredPayout({0.3: 0.25, 0.6: 1.0}))
ASSETS = ("A", "B", "C", "D")
SURFACES = {asset: uniform_surface(4_000, seed, WEEK) for seed, asset in enumerate(ASSETS)}
SCENARIOS = joint_scenarios(
    SURFACES,
    Dependence.of_law(shipped_market(datetime(2025, 7, 1, tzinfo=UTC)).laws[-1]),
    dict.fromkeys(ASSETS, TokenRisk(centre=-1.9, crash_rate=0.05)),
    settings=JointSettings(n_scenarios=4_000),
)


def random_book(seed, n_covers=60):
    rng = np.random.default_rng(seed)
    return Book(
        currency="USD",
        assets=ASSETS,
        observations=(Observation(), WEEK),
        payouts=PAYOUTS,
        asset=rng.integers(0, len(ASSETS), n_covers),
        observation=rng.integers(0, 2, n_covers),
        payout=rng.integers(0, len(PAYOUTS), n_covers),
        drop=rng.uniform(0.2, 0.9, n_covers),
        limit=rng.uniform(1.0, 100.0, n_covers),
    )


def losses_one_by_one(book):
    """Loss of every cover in every scenario, by definition."""
    for asset, observation, payout, drop, limit in zip(
        book.asset, book.observation, book.payout, book.drop, book.limit, strict=True
    ):
        drops = SCENARIOS.worst_drops(book.assets[asset], book.observations[observation])
        yield limit * np.where(drops >= drop, book.payouts[payout].share(drops), 0.0)


def test_the_losses_of_a_pool_are_those_of_its_covers():
    book = random_book(1)
    losses = pool_losses(compress(book), SCENARIOS)
    one_by_one = np.array(list(losses_one_by_one(book)))
    np.testing.assert_allclose(losses.total, one_by_one.sum(axis=0), rtol=0.0, atol=1e-12 * book.limit.sum())
    for row, asset in enumerate(losses.assets):
        of_asset = one_by_one[book.asset == book.assets.index(asset)].sum(axis=0)
        np.testing.assert_allclose(losses.by_asset[row], of_asset, rtol=0.0, atol=1e-12 * book.limit.sum())


def test_expected_losses_are_split_to_the_covers_that_cause_them():
    book = random_book(2)
    allocation = expected_losses(compress(book), SCENARIOS)
    exact = [losses.mean() for losses in losses_one_by_one(book)]
    np.testing.assert_allclose(allocation.by_cover, exact, rtol=1e-10, atol=1e-12)


@given(seed=st.integers(0, 200), n_covers=st.integers(1, 40), level=st.sampled_from([0.0, 0.9, 0.99, 0.995]))
def test_contributions_add_up_to_the_tail_value_at_risk(seed, n_covers, level):
    compressed = compress(random_book(seed, n_covers))
    losses = pool_losses(compressed, SCENARIOS)
    allocation = tail_contributions(compressed, SCENARIOS, losses, level=level)
    whole = tail_value_at_risk(losses.total, level).value
    assert allocation.total == pytest.approx(whole, rel=1e-10, abs=1e-10)
    assert allocation.by_asset.sum() == pytest.approx(whole, rel=1e-10, abs=1e-10)
    assert (allocation.by_cover >= -1e-9).all()


@pytest.mark.parametrize(
    "contracts",
    [
        (QuotaShare(ceded=0.3),),
        (ExcessOfLoss(occurrence=Occurrence.PERIOD, retention=300.0, limit=500.0, premium=1.0),),
        (ExcessOfLoss(occurrence=Occurrence.ASSET, retention=100.0, limit=200.0, premium=1.0),),
        (
            QuotaShare(ceded=0.2),
            ExcessOfLoss(occurrence=Occurrence.ASSET, retention=100.0, limit=200.0, premium=1.0),
            ExcessOfLoss(occurrence=Occurrence.PERIOD, retention=300.0, limit=500.0, premium=1.0),
        ),
    ],
)
def test_contributions_add_up_after_reinsurance(contracts):
    compressed = compress(random_book(3))
    gross = pool_losses(compressed, SCENARIOS)
    net = retain(contracts, gross)
    allocation = tail_contributions(compressed, SCENARIOS, gross, level=LEVEL, net=net)
    assert allocation.total == pytest.approx(tail_value_at_risk(net.total, LEVEL).value, rel=1e-10)
    assert allocation.total < tail_value_at_risk(gross.total, LEVEL).value


def test_a_contribution_is_the_derivative_by_the_size_of_the_cover():
    """Tasche 1999: grow one cover by a millionth, too little to change which scenarios are the tail."""
    book = random_book(4)
    compressed = compress(book)
    losses = pool_losses(compressed, SCENARIOS)
    allocation = tail_contributions(compressed, SCENARIOS, losses, level=LEVEL)
    before = tail_value_at_risk(losses.total, LEVEL).value
    for contribution, own in zip(allocation.by_cover, losses_one_by_one(book), strict=True):
        grown = tail_value_at_risk(losses.total + 1e-6 * own, LEVEL).value
        assert (grown - before) / 1e-6 == pytest.approx(contribution, rel=1e-5, abs=1e-4)


def make_cover(asset="A", drop=0.6, limit=50.0, payout=None):
    return Cover(
        cover_id="C-1",
        asset=asset,
        trigger=DropTrigger(drop=drop),
        payout=payout or FullPayout(),
        limit=limit,
        currency="USD",
    )


@given(seed=st.integers(0, 50), drop=st.floats(0.3, 0.98), limit=st.floats(0.1, 1e4), payout=st.sampled_from(PAYOUTS))
def test_one_more_cover_costs_between_its_contribution_and_itself_alone(seed, drop, limit, payout):
    pool = pool_losses(compress(random_book(seed)), SCENARIOS).total
    marginal = marginal_capital(pool, make_cover(drop=drop, limit=limit, payout=payout), SCENARIOS, level=LEVEL)
    rounding = 1e-9 * (limit + pool.max())
    assert 0.0 <= marginal.contribution <= marginal.added.value + rounding
    assert marginal.added.value <= marginal.alone + rounding
    assert marginal.alone <= limit * (1.0 + 1e-9)


def test_an_empty_pool_needs_what_the_cover_needs_alone():
    marginal = marginal_capital(np.zeros(4_000), make_cover(drop=0.995), SCENARIOS, level=LEVEL)
    assert marginal.added.value == pytest.approx(marginal.alone, rel=1e-12)
    # Half of the tail: 20 of 40 scenarios. The error of a frequency of 0.005 among 4,000, over 1 - level.
    assert marginal.alone == pytest.approx(25.0, rel=1e-9)
    assert marginal.added.standard_error == pytest.approx(50.0 * np.sqrt(0.005 * 0.995 / 4_000) / 0.01, rel=1e-9)


def test_one_more_of_the_same_adds_all_of_itself():
    """Losses that increase together are additive in the tail (comonotonic additivity)."""
    cover = make_cover(drop=0.5, payout=PAYOUTS[1])
    drops = SCENARIOS.worst_drops("A", Observation())
    marginal = marginal_capital(1e3 * drops, cover, SCENARIOS, level=LEVEL)
    assert marginal.contribution == pytest.approx(marginal.alone, rel=1e-10)
    assert marginal.added.value == pytest.approx(marginal.alone, rel=1e-10)


def test_a_cover_on_an_unknown_token_is_refused():
    with pytest.raises(NotSimulatedError):
        marginal_capital(np.zeros(4_000), make_cover(asset="Z"), SCENARIOS, level=LEVEL)
