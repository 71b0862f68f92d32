from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import expit, ndtr

from backtest import (
    Calibrated,
    Constant,
    GeometricBrownianMotion,
    HistoricalSimulation,
    Logit,
    OwnHistory,
    Span,
    TextbookGarch,
    WorstDropLaw,
    find_starts,
    known_at,
    make_cells,
    make_forecasters,
    outcome_table,
    worst_drops,
)
from backtest.cells import spans_of
from backtest.forecasters.historical import stretch_drops
from backtest.forecasters.logit import fit_logit
from backtest.forecasters.worst_drop_law import fit_drop_law
from backtest.known import smoothed
from pricing import ConstantVolatility, Normal, PriceModel, simulate
from pricing.errors import InsufficientDataError, InvalidTermsError
from pricing.surface.settings import SimulationSettings

HOUR, DAY_SPAN = timedelta(hours=1), Span(timedelta(hours=24), timedelta(days=30))


@pytest.fixture(scope="module")
def known(panel, plan):
    starts = find_starts(panel, plan)
    return known_at(panel, plan, starts[-1], outcome_table(panel, starts, spans_of(plan.cells)))


def with_past(known, **columns):
    return replace(known, past=pd.DataFrame(columns))


def test_half_an_event_is_added():
    assert smoothed([0, 3], 9).tolist() == [0.05, 0.35]


def test_the_constant_is_the_frequency_of_all_earlier_token_periods(known):
    quoted = Constant().quote(known).probabilities
    for column, cell in zip(quoted.T, known.cells, strict=True):
        events = (known.past[cell.span.name] >= cell.drop).sum()
        assert set(column) == {(events + 0.5) / (len(known.past) + 1.0)}


def test_own_history_lies_between_the_own_frequency_and_that_of_all(known):
    cells = make_cells(drops=[0.2])
    past = {"token": ["T0"] * 4 + ["T1"] * 6, "24h in 30d": [0.3] * 3 + [0.1] * 7}
    quoted = OwnHistory(credibility=2.0).quote(replace(with_past(known, **past), cells=cells)).probabilities[:, 0]
    pooled = 3.5 / 11.0
    expected = [(3 + 2 * pooled) / 6, (0 + 2 * pooled) / 8, *[pooled] * 6]
    assert quoted == pytest.approx(expected, rel=1e-12)


def test_gbm_quotes_what_a_simulation_at_the_own_volatility_says(known):
    quoted = GeometricBrownianMotion(n_paths=40_000).quote(known).probabilities
    token = int(np.argsort(known.volatility)[-1])
    model = PriceModel(volatility=ConstantVolatility(annual=known.volatility[token]), innovations=Normal())
    surface = simulate(model, windows=["1h", "24h"], settings=SimulationSettings(n_paths=40_000, seed=99))
    for cell, value in zip(known.cells, quoted[token], strict=True):
        exceedance = surface.exceedance(cell.drop, window=cell.span.window, term=cell.span.term)
        assert abs(value - exceedance.value) < 4.0 * np.sqrt(2.0) * exceedance.standard_error + 1.0 / 40_000


def test_gbm_rises_with_volatility_and_falls_with_the_drop(known):
    quoted = GeometricBrownianMotion(n_paths=5_000).quote(known).probabilities
    assert (np.diff(quoted[np.argsort(known.volatility)], axis=0) >= 0.0).all()
    assert (quoted[:, 0] >= quoted[:, 1]).all()
    assert (quoted[:, 2] >= quoted[:, 3]).all()


@pytest.mark.parametrize("window", [1, 5, 40, 60])
def test_stretches_have_the_worst_drops_of_covers_that_start_with_them(window):
    random = np.random.default_rng(window)
    closes = np.exp(np.cumsum(random.normal(0.0, 0.05, (200, 3)), axis=0))
    closes[random.random(closes.shape) < 0.2] = np.nan
    term, every = 40, 7
    found = stretch_drops(closes, Span(window * HOUR, term * HOUR), HOUR, every)
    for row, first in enumerate(range(0, 200 - term, every)):
        direct = worst_drops(closes[first : first + term + 1], window)
        direct[np.isnan(closes[first])] = np.nan
        assert found[row] == pytest.approx(direct, rel=1e-12, nan_ok=True)


def test_historical_simulation_counts_stretches_of_the_past(known):
    quoted = HistoricalSimulation().quote(known).probabilities
    closes = known.history.loc[known.start - timedelta(days=365) :, list(known.tokens)].to_numpy()
    worst = np.array([worst_drops(closes[row : row + 721], 24) for row in range(0, len(closes) - 720, 24)])
    expected = smoothed((worst >= 0.15).sum(axis=0), len(worst))
    assert quoted[:, known.cells.index(make_cells(drops=[0.15])[0])] == pytest.approx(expected, rel=1e-12)


def test_historical_simulation_refuses_a_token_without_a_stretch(known):
    history = known.history.copy()
    history.loc[: known.start - timedelta(days=20), known.tokens[2]] = np.nan
    quotes = HistoricalSimulation().quote(replace(known, history=history))
    assert list(quotes.refusals) == [known.tokens[2]]
    assert np.isnan(quotes.probabilities[2]).all()
    assert np.isfinite(np.delete(quotes.probabilities, 2, axis=0)).all()


def test_the_logit_maximises_its_likelihood():
    random = np.random.default_rng(1)
    covariate = random.normal(size=300)
    events = random.random(300) < expit(-1.0 + 0.7 * covariate)
    x, y = np.append(covariate, 0.0), np.append(events, 0.5)

    def loss(beta):
        linear = beta[0] + beta[1] * x
        return np.sum(np.logaddexp(0.0, linear) - y * linear) + 0.5 * (beta[1] / 5.0) ** 2

    assert fit_logit(covariate, events) == pytest.approx(minimize(loss, [0.0, 0.0], tol=1e-12).x, abs=1e-5)


@pytest.mark.parametrize("events", [[False] * 4, [True] * 4, [False, False, True, True]])
def test_the_logit_stays_finite_without_events_and_with_separated_ones(events):
    assert np.isfinite(fit_logit(np.array([-2.0, -1.0, 1.0, 2.0]), np.array(events))).all()


def test_the_logit_quotes_its_curve(known):
    quoted = Logit().quote(known).probabilities
    centre = np.log(known.past["volatility"]).mean()
    level, slope = fit_logit(np.log(known.past["volatility"].to_numpy()) - centre, known.events(known.cells[0]))
    assert quoted[:, 0] == pytest.approx(expit(level + slope * (np.log(known.volatility) - centre)), rel=1e-12)


def drop_law_past(periods=400, tokens=40):
    """Worst drops that obey the law: slope 0.5, shocks of deviation 0.35 around -2, noise 0.3."""
    random = np.random.default_rng(3)
    shocks = -2.0 + random.normal(0.0, 0.35, periods)
    volatility = np.exp(random.normal(0.0, 0.4, (periods, tokens)))
    size = 0.5 * np.log(volatility) + shocks[:, None] + random.normal(0.0, 0.3, (periods, tokens))
    start = np.repeat(np.arange(periods), tokens)
    drops = -np.expm1(-np.exp(size.ravel()))
    return pd.DataFrame({"start": start, "volatility": volatility.ravel(), DAY_SPAN.name: drops}), shocks


def test_the_worst_drop_law_recovers_itself():
    """16,000 token-periods: standard errors of 0.006 (slope), 0.0017 (noise), 0.05 (a shock); z of 4."""
    past, shocks = drop_law_past()
    law = fit_drop_law(past, DAY_SPAN)
    assert law.slope == pytest.approx(0.5, abs=0.025)
    assert law.noise == pytest.approx(0.3, abs=0.007)
    assert law.shocks == pytest.approx(shocks, abs=0.25)


def test_the_worst_drop_law_averages_a_normal_tail_over_the_shocks():
    past, _ = drop_law_past()
    law = fit_drop_law(past, DAY_SPAN)
    volatility = np.array([0.5, 2.0])
    centres = 0.5 * np.log(volatility)[:, None] - 2.0
    exact = ndtr((centres[:, 0] - np.log(-np.log(0.8))) / np.hypot(0.35, 0.3))
    assert law.exceedance(0.2, volatility) == pytest.approx(exact, abs=0.03)


def test_the_worst_drop_law_needs_tokens_to_compare():
    past = pd.DataFrame({"start": [1, 2], "volatility": [1.0, 2.0], DAY_SPAN.name: [0.1, 0.2]})
    with pytest.raises(InsufficientDataError, match="got 2 rows"):
        fit_drop_law(past, DAY_SPAN)


def test_the_worst_drop_law_leaves_out_prices_that_never_fell(known):
    still = known.past.copy()
    still.loc[0, [span.name for span in spans_of(known.cells)]] = 0.0
    left_out = known.past.drop(index=0)
    quotes = [WorstDropLaw().quote(replace(known, past=past)).probabilities for past in (still, left_out)]
    assert quotes[0] == pytest.approx(quotes[1], rel=1e-12)


@pytest.mark.parametrize("forecaster", [TextbookGarch(n_paths=2000), Calibrated(n_paths=2000)])
def test_slow_forecasters_quote_tokens_one_by_one_whatever_their_order(known, forecaster):
    wild = {"tokens": known.tokens[-2:], "volatility": known.volatility[-2:]}
    turned = {"tokens": known.tokens[:-3:-1], "volatility": known.volatility[:-3:-1]}
    quotes = forecaster.quote(replace(known, **wild))
    again = forecaster.quote(replace(known, **turned))
    assert np.array_equal(again.probabilities[::-1], quotes.probabilities, equal_nan=True)
    assert again.refusals == quotes.refusals
    for token, row in zip(wild["tokens"], quotes.probabilities, strict=True):
        assert np.isnan(row).all() if token in quotes.refusals else ((row > 0.0) & (row < 1.0)).all()


def test_the_textbook_garch_finds_the_process_that_made_the_prices(known):
    """Constant volatility is the edge of GARCH: its quote is that of GBM, within what 5,000 returns leave open."""
    random = np.random.default_rng(4)
    times = known.history.index[-5000:]
    history = pd.DataFrame({"A": np.exp(np.cumsum(random.normal(0.0, 0.01, 5000)))}, index=times)
    alone = replace(known, tokens=("A",), volatility=np.array([0.01 * np.sqrt(8760.0)]), history=history)
    garch, gbm = (f.quote(alone).probabilities[0] for f in (TextbookGarch(n_paths=20_000), GeometricBrownianMotion()))
    common = gbm > 0.02
    assert np.log(garch[common] / gbm[common]) == pytest.approx(0.0, abs=0.25)


def test_a_token_that_cannot_be_fitted_is_refused_with_its_reason(known):
    history = known.history.copy()
    history.iloc[:-300, 0] = np.nan
    for forecaster in (TextbookGarch(n_paths=100), Calibrated(n_paths=100)):
        two = replace(known, tokens=known.tokens[:2], volatility=known.volatility[:2], history=history)
        quotes = forecaster.quote(two)
        assert list(quotes.refusals) == [known.tokens[0]]
        assert quotes.refusals[known.tokens[0]].startswith("InsufficientDataError: ")
        assert np.isnan(quotes.probabilities[0]).all()
        assert np.isfinite(quotes.probabilities[1]).all()


def test_a_token_without_closes_in_the_last_hours_is_quoted_all_the_same(known):
    name = known.tokens[0]
    late = known.history.copy()
    late.loc[late.index > known.start - timedelta(hours=10), name] = np.nan
    quotes = Calibrated(n_paths=200).quote(replace(known, history=late))
    assert name not in quotes.refusals


def test_a_sample_is_about_the_share_asked_for_and_does_not_depend_on_the_others(known):
    many = replace(known, tokens=tuple(f"X{number}" for number in range(10_000)))
    chosen = many.sample(0.06)
    assert pytest.approx(len(chosen), abs=4 * np.sqrt(10_000 * 0.06 * 0.94)) == 0.06 * 10_000
    some = replace(known, tokens=many.tokens[:100])
    assert set(some.sample(0.06)) == set(chosen) & set(some.tokens)
    assert known.sample(1.0) == known.tokens


def test_the_constant_is_always_there_and_first():
    names = [forecaster.name for forecaster in make_forecasters(["logit", "gbm"], n_paths=10, share=0.5)]
    assert names == ["constant", "logit", "gbm"]


def test_an_unknown_forecaster_is_named():
    with pytest.raises(InvalidTermsError, match="got 'oracle'"):
        make_forecasters(["oracle"], n_paths=10, share=0.5)
