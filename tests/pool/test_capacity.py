import math
from itertools import chain, combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pool import PriceSource, accumulations, manipulation_limit, manipulation_sale
from pricing.errors import InvalidTermsError
from tests.pool.synthetic import binary_book

sources = st.lists(
    st.builds(
        PriceSource,
        name=st.sampled_from("ABCDE"),
        depth=st.floats(1e3, 1e7),
        volume_share=st.floats(0.01, 1.0),
        half_life=st.sampled_from(["1min", "20min", "24h"]),
    ),
    min_size=1,
    max_size=8,
)


@given(sources=sources, drop=st.floats(0.05, 0.95))
def test_the_sale_is_the_least_of_all_sets_of_more_than_half_of_the_weight(sources, drop):
    """Against every subset."""
    weights = [min(source.volume_share, 0.3) for source in sources]
    minutes = [source.half_life.total_seconds() / 60 for source in sources]
    sales = [
        source.depth * -math.log1p(-drop) / 0.01 * (1.0 + 5.0 * math.log(2.0) / half_life)
        for source, half_life in zip(sources, minutes, strict=True)
    ]
    places = range(len(sources))
    subsets = chain.from_iterable(combinations(places, size) for size in range(1, len(sources) + 1))
    heavy = [subset for subset in subsets if sum(weights[i] for i in subset) > sum(weights) / 2 * (1.0 + 1e-9)]
    assert manipulation_sale(sources, drop) == pytest.approx(min(sum(sales[i] for i in s) for s in heavy), rel=1e-9)


def test_the_published_example():
    """Depth of 3 million in all, a fall by half held for five minutes: 121 million for half of it, 30 million of cover.

    Among ten equal sources more than half are six.
    """
    venues = [PriceSource(name=str(number), depth=0.3e6, volume_share=0.1) for number in range(10)]
    sale = manipulation_sale(venues, 0.5)
    assert sale * 5 / 6 == pytest.approx(121e6, rel=0.01)
    assert manipulation_limit(sale) * 5 / 6 == pytest.approx(30e6, rel=0.02)


def test_the_limit_falls_where_perpetuals_pay_for_the_attack():
    assert manipulation_limit(100.0, open_interest=500.0) == 25.0
    assert manipulation_limit(100.0, open_interest=500.1) == pytest.approx(10.0)


@given(sources=sources, drop=st.floats(0.05, 0.9), deeper=st.floats(1.0, 1.09))
def test_deeper_drops_and_deeper_books_cost_more(sources, drop, deeper):
    sale = manipulation_sale(sources, drop)
    assert manipulation_sale(sources, drop * deeper) >= sale
    assert manipulation_sale(sources, drop, hold="10min") >= sale


def test_what_stands_on_each_token():
    book = binary_book("ABC", drop=0.5, limit=[1.0, 5.0, 2.0])
    rows = accumulations(book, capital=100.0, share_of_capital=0.03, manipulation_limits={"C": 1.5})
    assert [(row.asset, row.limits, row.n_covers, row.capacity, row.room) for row in rows] == [
        ("A", 1.0, 1, 3.0, 2.0),
        ("B", 5.0, 1, 3.0, -2.0),
        ("C", 2.0, 1, 1.5, -0.5),
    ]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: PriceSource(name="A", depth=0.0, volume_share=0.5), "depth of A must be positive"),
        (lambda: PriceSource(name="A", depth=1.0, volume_share=40.0), "volume_share of A must be above 0"),
        (lambda: PriceSource(name="A", depth=1.0, volume_share=0.4, half_life="0h"), "half_life of A must be longer"),
        (lambda: manipulation_sale([], 0.5), "sources must hold at least one market"),
        (lambda: accumulations(binary_book("A", drop=0.5), capital=-1.0), "capital must not be negative"),
        (lambda: accumulations(binary_book("A", drop=0.5), capital=1.0, share_of_capital=2.0), "share_of_capital"),
    ],
)
def test_wrong_input_is_refused(call, message):
    with pytest.raises(InvalidTermsError, match=message):
        call()


def test_a_book_of_many_covers_is_counted():
    book = binary_book("AB", drop=0.5)
    assert sum(row.n_covers for row in accumulations(book, capital=np.inf)) == len(book)
