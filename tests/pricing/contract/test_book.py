from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing import Cover, DropTrigger, FullPayout, LinearPayout, Reference, TieredPayout
from pricing.contract.book import Book
from pricing.contract.loss_functions import compress
from pricing.contract.observation import Observation
from pricing.contract.thresholds import least_drop
from pricing.errors import InvalidTermsError

ASSETS = ("BTC", "OM")
OBSERVATIONS = (Observation(), Observation(window="1h", term="7d"))
# Ramps at least one per cent wide: a slope multiplies rounding errors.
PAYOUTS = (
    FullPayout(),
    LinearPayout(attachment=0.3, exhaustion=0.9),
    LinearPayout(attachment=0.2, exhaustion=0.21),
    LinearPayout(attachment=0.1, exhaustion=1.0),
    TieredPayout({0.3: 0.25, 0.5: 0.6, 0.8: 1.0}),
    TieredPayout({0.2: 1.0}),
)
TO_ROUNDING = 1e-12

drops = st.sampled_from([0.1, 0.2, 0.205, 0.21, 0.3, 0.5, 0.8, 0.9]) | st.floats(0.01, 0.99)
rows = st.tuples(
    st.integers(0, len(ASSETS) - 1),
    st.integers(0, len(OBSERVATIONS) - 1),
    st.integers(0, len(PAYOUTS) - 1),
    drops,
    st.floats(0.01, 1e6),
)


def make_book(rows):
    asset, observation, payout, drop, limit = map(list, zip(*rows, strict=True))
    return Book(
        currency="USD",
        assets=ASSETS,
        observations=OBSERVATIONS,
        payouts=PAYOUTS,
        asset=np.array(asset),
        observation=np.array(observation),
        payout=np.array(payout),
        drop=np.array(drop),
        limit=np.array(limit),
    )


def loss_of_row(row, worst_drops):
    """The definition: a share of the limit of the worst drop, if the trigger fired."""
    _, _, payout, drop, limit = row
    return limit * np.where(worst_drops >= least_drop(drop), PAYOUTS[payout].share(worst_drops), 0.0)


def with_neighbours(values):
    """Thresholds, and numbers below and above them that rounding cannot explain."""
    values = np.array(values)
    return np.concatenate([[0.0, 1.0], values, values - 1e-12, values + 1e-12])


@given(covers=st.lists(rows, min_size=1, max_size=30), at=st.lists(drops, min_size=1, max_size=20))
def test_functions_are_the_sum_of_covers_one_by_one(covers, at):
    worst_drops = with_neighbours([*at, *(row[3] for row in covers)])
    compressed = compress(make_book(covers))
    total = sum(row[4] for row in covers)
    for function in compressed.functions:
        key = ASSETS.index(function.asset), OBSERVATIONS.index(function.observation)
        expected = sum(loss_of_row(row, worst_drops) for row in covers if row[:2] == key)
        np.testing.assert_allclose(function.loss(worst_drops), expected, rtol=0.0, atol=TO_ROUNDING * total)


@given(
    covers=st.lists(rows, min_size=1, max_size=30),
    at=st.lists(drops, min_size=1, max_size=20),
    seed=st.integers(0, 1000),
)
def test_averages_of_covers_are_those_one_by_one(covers, at, seed):
    worst_drops = with_neighbours([*at, *(row[3] for row in covers)])
    weights = np.random.default_rng(seed).random(len(worst_drops))
    compressed = compress(make_book(covers))
    averages = compressed.by_cover([function.node_averages(worst_drops, weights) for function in compressed.functions])
    expected = [weights @ loss_of_row(row, worst_drops) for row in covers]
    np.testing.assert_allclose(averages, expected, rtol=0.0, atol=1e-11 * weights.sum() * sum(row[4] for row in covers))


@given(covers=st.lists(rows, min_size=2, max_size=30), seed=st.integers(0, 1000))
def test_order_of_covers_does_not_matter(covers, seed):
    at = np.linspace(0.0, 1.0, 101)
    shuffled = [covers[place] for place in np.random.default_rng(seed).permutation(len(covers))]
    total = sum(row[4] for row in covers)
    for function, other in zip(
        compress(make_book(covers)).functions, compress(make_book(shuffled)).functions, strict=True
    ):
        assert (function.asset, function.observation) == (other.asset, other.observation)
        np.testing.assert_allclose(function.loss(at), other.loss(at), rtol=0.0, atol=TO_ROUNDING * total)


def test_a_hundred_thousand_covers_are_four_functions_of_few_nodes():
    rng = np.random.default_rng(1)
    n_covers = 100_000
    book = Book(
        currency="USD",
        assets=ASSETS,
        observations=OBSERVATIONS,
        payouts=PAYOUTS,
        asset=rng.integers(0, len(ASSETS), n_covers),
        observation=rng.integers(0, len(OBSERVATIONS), n_covers),
        payout=rng.integers(0, len(PAYOUTS), n_covers),
        drop=rng.integers(10, 71, n_covers) / 100,
        limit=rng.uniform(1.0, 1e4, n_covers),
    )
    functions = compress(book).functions
    assert len(functions) == len(ASSETS) * len(OBSERVATIONS)
    # 61 triggers, the points of the payouts above them, and one at zero
    assert max(len(function.points) for function in functions) <= 61 + 8 + 1
    everything = sum(float(function.loss(np.array([1.0]))[0]) for function in functions)
    assert everything == pytest.approx(book.limit.sum(), rel=1e-12)
    assert book.limits_by_asset().sum() == pytest.approx(book.limit.sum(), rel=1e-12)


def make_cover(**changes):
    terms = {"cover_id": "C-1", "asset": "OM", "payout": FullPayout(), "limit": 1e5, "currency": "USD", **changes}
    return Cover(trigger=terms.pop("trigger", DropTrigger(drop=0.5)), **terms)


def test_columns_hold_what_the_covers_say():
    references = (Reference.ROLLING_HIGH, Reference.INCEPTION)
    covers = [
        make_cover(asset=asset, payout=payout, trigger=DropTrigger(drop=0.3, reference=reference), term=term)
        for asset, payout, reference, term in product(ASSETS, PAYOUTS, references, ("7d", "30d"))
    ]
    book = Book.of_covers(covers)
    assert len(book) == len(covers)
    assert len(book.observations) == len(references) * 2
    for row, cover in enumerate(covers):
        assert book.assets[book.asset[row]] == cover.asset
        assert book.payouts[book.payout[row]] == cover.payout
        assert book.observations[book.observation[row]] == cover.observation
        assert (book.drop[row], book.limit[row]) == (cover.trigger.drop, cover.limit)


def test_covers_that_differ_in_waiting_period_are_not_summed_up():
    covers = [make_cover(waiting_period=waiting) for waiting in ("0h", "24h", "24h")]
    assert len(compress(Book.of_covers(covers)).functions) == 2


def test_a_book_has_one_currency():
    with pytest.raises(InvalidTermsError, match="must be in one currency, got EUR, USD"):
        Book.of_covers([make_cover(), make_cover(currency="EUR")])


def test_a_book_is_not_empty():
    with pytest.raises(InvalidTermsError, match="one currency, got none"):
        Book.of_covers([])


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("drop", [0.3, 30.0], "drop of row 1 must be between 0 and 1 (a fraction: 30 % is 0.30), got 30.0"),
        ("limit", [0.0, 1.0], "limit of row 0 must be positive and finite, got 0.0"),
        ("asset", [0, 2], "asset of row 1 must be from 0 to below 2, got 2"),
        ("payout", [-1, 0], "payout of row 0 must be from 0 to below 6, got -1"),
        ("observation", [0.0, 1.0], "observation must be whole numbers"),
        ("drop", [0.3], "drop must have one entry per cover"),
    ],
)
def test_wrong_columns_are_refused(column, values, message):
    book = make_book([(0, 0, 0, 0.3, 1.0), (1, 1, 1, 0.3, 1.0)])
    columns = {name: getattr(book, name) for name in ("asset", "observation", "payout", "drop", "limit")}
    with pytest.raises(InvalidTermsError) as raised:
        Book(
            currency="USD",
            assets=ASSETS,
            observations=OBSERVATIONS,
            payouts=PAYOUTS,
            **{**columns, column: np.array(values)},
        )
    assert message in str(raised.value)


class Digital:
    def share(self, worst_drop):
        return np.ones_like(worst_drop)


def test_a_payout_of_ones_own_cannot_be_summed_up():
    with pytest.raises(InvalidTermsError, match="payout must be made of steps and ramps"):
        compress(Book.of_covers([make_cover(payout=Digital())]))
