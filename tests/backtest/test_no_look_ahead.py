"""Events after a start do not change a quote at it."""

import numpy as np
import pandas as pd
import pytest

from backtest import MAKERS, find_starts, known_at, make_forecasters, make_panel, outcome_table
from backtest.cells import spans_of
from tests.backtest.conftest import make_closes


def noise(closes, start):
    """Replace everything after a start by random prices."""
    changed = closes.copy()
    later = changed.index > start
    changed.loc[later] = np.exp(np.random.default_rng(9).normal(0.0, 2.0, (later.sum(), closes.shape[1])))
    return changed


def nothing(closes, start):
    """Stop every token but one after a start: the panel still ends when it ended."""
    changed = closes.copy()
    changed.loc[changed.index > start, changed.columns[1:]] = np.nan
    return changed


def a_boom(closes, start):
    changed = closes.copy()
    changed.loc[changed.index > start] *= 1e6
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


@pytest.mark.parametrize("name", MAKERS)
def test_a_poisoned_future_changes_no_quote(plan, start, name):
    closes = make_closes()
    honest = quotes_at(closes, plan, start, name)
    assert len(honest) == closes.shape[1]
    for poison in (noise, nothing, a_boom):
        pd.testing.assert_frame_equal(quotes_at(poison(closes, start), plan, start, name), honest, check_exact=True)


@pytest.mark.parametrize("name", [name for name in MAKERS if name != "constant"])
def test_a_changed_past_does_change_quotes(plan, start, name):
    """The test above can fail: the last close before the start, or an earlier crash, is seen."""
    closes = make_closes()
    changed = closes.copy()
    changed.loc[start - pd.Timedelta("40D") :] *= 0.5
    assert not quotes_at(changed, plan, start, name).equals(quotes_at(closes, plan, start, name))


def test_what_is_known_ends_at_the_start(panel, plan, start):
    known = known_at(panel, plan, start, outcome_table(panel, find_starts(panel, plan), spans_of(plan.cells)))
    assert known.history.index[-1] == start
    assert known.past["start"].max() + plan.longest_term == start
