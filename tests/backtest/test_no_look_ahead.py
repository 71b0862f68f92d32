"""Events after a start do not change a quote at it."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from backtest import MAKERS, find_starts, known_at, make_forecasters, make_panel, outcome_table
from backtest.cells import spans_of
from tests.backtest.conftest import make_closes


def poisoned(closes, start):
    """After a start, give a third of the tokens random prices, another no prices, and let the last rise steeply."""
    changed, later = closes.copy(), closes.index > start
    random, none, boom = (changed.columns[number::3] for number in range(3))
    changed.loc[later, random] = np.exp(np.random.default_rng(9).normal(0.0, 2.0, (later.sum(), len(random))))
    changed.loc[later, none] = np.nan
    changed.loc[later, boom] *= 1e6
    return changed


@pytest.fixture(scope="module")
def start(panel, plan):
    return find_starts(panel, plan)[2]


def quotes_at(closes, plan, start, name):
    panel = make_panel(closes)
    known = known_at(panel, plan, start, outcome_table(panel, find_starts(panel, plan), spans_of(plan.cells)))
    (forecaster,) = (f for f in make_forecasters([name], n_paths=500, share=1.0) if f.name == name)
    quotes = forecaster.quote(known)
    return pd.DataFrame(quotes.probabilities, index=known.tokens)


@pytest.fixture(scope="module")
def honest(plan, start):
    """Quotes of a forecaster on the panel as it is, made once."""
    return cache(lambda name: quotes_at(make_closes(), plan, start, name))


@pytest.mark.parametrize("name", MAKERS)
def test_a_poisoned_future_changes_no_quote(plan, start, honest, name):
    closes = make_closes()
    assert len(honest(name)) == closes.shape[1]
    quotes = quotes_at(poisoned(closes, start), plan, start, name)
    pd.testing.assert_frame_equal(quotes, honest(name), check_exact=True)


@pytest.mark.parametrize("name", [name for name in MAKERS if name != "constant"])
def test_a_changed_past_does_change_quotes(plan, start, honest, name):
    """The test above can fail: the last close before the start, or an earlier crash, is seen."""
    changed = make_closes()
    changed.loc[start - pd.Timedelta("40D") :] *= 0.5
    assert not quotes_at(changed, plan, start, name).equals(honest(name))


def test_what_is_known_ends_at_the_start(panel, plan, start):
    known = known_at(panel, plan, start, outcome_table(panel, find_starts(panel, plan), spans_of(plan.cells)))
    assert known.history.index[-1] == start
    assert known.past["start"].max() + plan.longest_term == start
