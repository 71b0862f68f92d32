"""Events drawn from the law have the quoted frequencies, and move together as the shocks say."""

from datetime import timedelta

import numpy as np
import pytest

from backtest import Cell, Span
from backtest.scoring.shared_shocks import Ground, draw_events
from tests.calibration.drop_laws import a_law

MONTH = timedelta(days=30)
N_TOKENS, N_DRAWS = 400, 2000


def a_cell(days=30, hours=24, drop=0.3):
    return Cell(Span(timedelta(hours=hours), timedelta(days=days)), drop)


def ground(n_starts=1, *, apart=30.0, **law):
    """Starts that are some days apart, each with as many tokens; own crashes never come unless they are stated."""
    laws = (a_law("1h", **{"log_rate": -30.0} | law), a_law("24h", **{"log_rate": -30.0} | law))
    start = np.repeat(np.arange(n_starts), N_TOKENS)
    return Ground(times=apart * start, laws=[laws] * n_starts, start=start)


@pytest.mark.parametrize("probability", [0.02, 0.3, 0.9])
@pytest.mark.parametrize("own", [-30.0, -3.0])
def test_events_of_a_calendar_month_come_as_often_as_quoted(probability, own):
    events = draw_events(np.full(N_TOKENS, probability), a_cell(), ground(log_rate=own), n_draws=N_DRAWS, seed=3)
    share = events.mean(axis=1)
    assert abs(share.mean() - probability) < 4.0 * share.std() / np.sqrt(N_DRAWS)


def test_without_shocks_and_errors_tokens_fall_independently():
    """The variance of a binomial count, within four standard errors of an estimated variance."""
    calm = ground(shocks=(0.0, 0.0), error=0.0)
    counts = draw_events(np.full(N_TOKENS, 0.1), a_cell(), calm, n_draws=N_DRAWS, seed=5).sum(axis=1)
    assert counts.var() == pytest.approx(N_TOKENS * 0.1 * 0.9, rel=4.0 * np.sqrt(2.0 / N_DRAWS))


@pytest.mark.parametrize(("stormy", "apart"), [({"shocks": (-0.5, 0.5), "error": 0.0}, 30.0), ({"error": 0.3}, 30.0)])
def test_shocks_and_an_error_of_the_level_make_tokens_fall_together(stormy, apart):
    counts = draw_events(np.full(N_TOKENS, 0.1), a_cell(), ground(apart=apart, **stormy), n_draws=N_DRAWS, seed=5).sum(
        axis=1
    )
    assert counts.var() > 10.0 * N_TOKENS * 0.1 * 0.9


def test_terms_of_one_calendar_month_share_its_shock_and_others_do_not():
    law = {"shocks": (-1.0, 1.0), "error": 0.0}

    def correlation(apart):
        events = draw_events(
            np.full(2 * N_TOKENS, 0.1), a_cell(days=7), ground(2, apart=apart, **law), n_draws=N_DRAWS, seed=9
        )
        first, second = events[:, :N_TOKENS].sum(axis=1), events[:, N_TOKENS:].sum(axis=1)
        return np.corrcoef(first, second)[0, 1]

    assert correlation(7.0) > 0.8
    assert abs(correlation(30.0)) < 4.0 / np.sqrt(N_DRAWS)


def test_a_quarter_has_three_shocks():
    """Three independent months of equal hazard: the relative variance is a third of that of one month."""
    law = ground(shocks=(-0.5, 0.5), error=0.0)
    quarter = 1.0 - (1.0 - 0.02) ** 3
    month = draw_events(np.full(N_TOKENS, 0.02), a_cell(), law, n_draws=N_DRAWS, seed=2).sum(axis=1)
    long = draw_events(np.full(N_TOKENS, quarter), a_cell(days=90), law, n_draws=N_DRAWS, seed=2).sum(axis=1)
    excess = [(counts.var() - counts.mean()) / counts.mean() ** 2 for counts in (month, long)]
    assert excess[1] / excess[0] == pytest.approx(1.0 / 3.0, rel=0.25)
