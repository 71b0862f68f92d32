"""Write the tables of docs/evidence.md: how the law of a month's worst drop does on tokens it was not fitted to.

Usage: ``CRASHCOVER_DATA=folder python -m docs.studies.evidence`` (about ten minutes)

Tokens are split into three groups. Each group is quoted, month by month from April 2021 on, by a market that was
fitted to the other two groups and to nothing later than the start. Intervals are a bootstrap of whole months.
"""

import sys
from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import expit

from backtest.scoring.resampling import Interval, PeriodBootstrap
from backtest.scoring.scores import Sample, actual_to_expected, log_losses, rank, skill
from calibration import calibrate, fit_market, fit_volatility
from calibration.law.drop_law import TokenState
from calibration.market.market import WINDOWS
from calibration.market.panel import STEP, PanelGrid, market_blocks, outcomes, panel_grid, states_at
from docs.studies.blocks import markdown_table, write_block
from docs.studies.panel import read_panel
from pricing import ConstantVolatility, Normal, PriceModel, SimulationSettings, simulate

PAGE = "evidence.md"
STARTS = pd.date_range("2021-04-01", periods=51, freq="30D", tz="UTC")
N_FOLDS, SEED = 3, 7
DROPS = {timedelta(hours=1): (0.1, 0.2, 0.3), timedelta(hours=24): (0.1, 0.2, 0.3, 0.4, 0.5)}
LUNA_DAYS = (
    *("2022-03-01", "2022-03-15", "2022-04-01", "2022-04-15"),
    *("2022-05-01", "2022-05-05", "2022-05-08", "2022-05-09"),
)


def quoted_months(closes: pd.DataFrame) -> pd.DataFrame:
    """Quote every token of every month by a market that does not know it; one row per token, month, window and drop."""
    grid = panel_grid(closes, None)
    rows = [int((start - grid.times[0]) / STEP) for start in STARTS]
    blocks = tuple(market_blocks(grid, round(window / STEP)) for window in WINDOWS)
    states = states_at(grid, rows, blocks)
    fold = np.random.default_rng(SEED).permutation(closes.shape[1]) % N_FOLDS
    worst = [outcomes(grid, rows, round(window / STEP)) for window in WINDOWS]
    parts = []
    for month, (start, row, state) in enumerate(zip(STARTS, rows, states, strict=True)):
        happened = [outcome[month] for outcome in worst]
        for which in range(N_FOLDS):
            others = closes.loc[:, fold != which]
            parts += _quotes(others, grid, start, row, state, fold == which, happened)
    return pd.concat(parts, ignore_index=True)


def _quotes(
    others: pd.DataFrame,
    grid: PanelGrid,
    start: pd.Timestamp,
    row: int,
    state: TokenState,
    chosen: np.ndarray,
    worst: list[np.ndarray],
) -> Iterator[pd.DataFrame]:
    market = fit_market(others, as_of=start)
    print(f"{start:%Y-%m-%d}: {market.n_tokens} tokens", file=sys.stderr, flush=True)
    known = ~np.isnan(grid.log_prices)
    counted = known[row + 1 - 2160 : row + 1].sum(axis=0) >= 1440
    tokens = np.flatnonzero(chosen & counted & (known[row + 1 : row + 721].sum(axis=0) >= 24))
    for place, law in enumerate(market.laws):
        covariates = state.covariates(place)
        centre = law.centre(covariates, market.state)[tokens]
        record = state.records[place]
        rates = (law.own.market_rates(state) * record.credibility_factor)[tokens]
        for drop in DROPS[law.window]:
            yield pd.DataFrame(
                {
                    "start": start,
                    "window": law.window,
                    "drop": drop,
                    "quoted": law.exceedance(-np.log1p(-drop), centre, rates),
                    "came": worst[place][tokens] >= -np.log1p(-drop),
                }
                | {f"x{k}": covariates[tokens, k] for k in range(covariates.shape[1])}
                | {"x5": state.tail_weight[tokens], "x6": np.log(record.credibility_factor[tokens])}
            )


def frequency_before(cell: pd.DataFrame) -> np.ndarray:
    """Return the frequency of all earlier months, half an event and half a non-event added, as the reference."""
    months = cell.groupby("start")["came"].agg(["sum", "size"])
    earlier = months.cumsum().shift(fill_value=0)
    return cell["start"].map((earlier["sum"] + 0.5) / (earlier["size"] + 1.0)).to_numpy()


def hindsight(cell: pd.DataFrame) -> np.ndarray:
    """Fit a logit with one intercept per month to everything that happened: the best ranking by these covariates."""
    month = cell["start"].factorize()[0]
    covariates = cell.filter(regex="^x").to_numpy()
    covariates = (covariates - covariates.mean(axis=0)) / covariates.std(axis=0)
    came = cell["came"].to_numpy(dtype=float)
    n_months = month.max() + 1

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        z = parameters[month] + covariates @ parameters[n_months:]
        gap = expit(z) - came
        ridge = np.concatenate([np.full(n_months, 0.1), np.ones(covariates.shape[1])]) * parameters
        gradient = np.concatenate([np.bincount(month, gap, n_months), covariates.T @ gap]) + ridge
        return float(np.logaddexp(0.0, z).sum() - came @ z + 0.5 * ridge @ parameters), gradient

    found = minimize(loss, np.zeros(n_months + covariates.shape[1]), jac=True, method="L-BFGS-B").x
    return expit(found[month] + covariates @ found[n_months:])


def sample_of(cell: pd.DataFrame, quoted: np.ndarray) -> Sample:
    """Put a cell into the form that scores read."""
    period = STARTS.get_indexer(pd.DatetimeIndex(cell["start"]))
    return Sample(quoted=quoted, came=cell["came"].to_numpy(), period=period, n_periods=len(STARTS))


def interval(found: Interval, form: str) -> str:
    """Write a figure with its interval."""
    return f"{found.value:{form}} ({found.lower:{form}} to {found.upper:{form}})"


def score_table(quotes: pd.DataFrame) -> str:
    """Tabulate A/E, skill and ranking of every cell, and how a logit with hindsight ranks."""
    bootstrap = PeriodBootstrap.draw(len(STARTS), seed=SEED)
    rows = []
    for (window, drop), cell in quotes.groupby(["window", "drop"]):
        came = cell["came"].to_numpy()
        sample = sample_of(cell, cell["quoted"].to_numpy())
        gained = skill(sample, log_losses(sample.quoted, came), log_losses(frequency_before(cell), came), bootstrap)
        ranks = [
            rank(sample_of(cell, scores)).within_periods(bootstrap).value
            for scores in (sample.quoted, cell["x0"].to_numpy(), hindsight(cell))
        ]
        accuracy = interval(actual_to_expected(sample, bootstrap), ".2f")
        fall = f"{window / STEP:.0f} h ≥ {drop:.0%}"
        rows.append([fall, came.sum(), accuracy, interval(gained, "+.3f"), *(f"{value:.2f}" for value in ranks)])
    head = ("fall", "events", "A/E", "log skill", "AUC within months", "volatility alone", "hindsight")
    return markdown_table(head, rows)


def decile_table(quotes: pd.DataFrame) -> str:
    """Tabulate quoted and observed frequencies by decile of the quote."""
    rows = []
    for hours, drop in ((24, 0.2), (24, 0.3), (24, 0.4), (1, 0.2)):
        cell = quotes[(quotes["window"] == timedelta(hours=hours)) & (quotes["drop"] == drop)]
        decile = pd.qcut(cell["quoted"], 10, labels=False)
        means = cell.groupby(decile)[["quoted", "came"]].mean() * 100
        events = cell.groupby(decile)["came"].sum()
        cells = [f"{q:.1f} / {c:.1f} ({n})" for q, c, n in zip(means["quoted"], means["came"], events, strict=True)]
        rows.append([f"{hours} h ≥ {drop:.0%}", *cells])
    return markdown_table(["decile of the quote", *map(str, range(1, 11))], rows)


def quarter_table(quotes: pd.DataFrame) -> str:
    """Tabulate quoted and observed frequencies by quarter: the waves of 2021 and 2022, and what followed them."""
    cell = quotes[(quotes["window"] == timedelta(hours=24)) & (quotes["drop"] == 0.3)]
    quarter = cell["start"].dt.tz_convert(None).dt.to_period("Q")
    means = cell.assign(before=frequency_before(cell)).groupby(quarter)[["quoted", "came", "before"]].mean() * 100
    head = ("quarter of the start", "quoted, %", "happened, %", "frequency before, %")
    return markdown_table(head, ([name, *(f"{value:.1f}" for value in row)] for name, row in means.iterrows()))


def luna_table(closes: pd.DataFrame) -> str:
    """Tabulate quotes on LUNA before its end, beside those of volatility alone."""
    settings = SimulationSettings(n_paths=100_000, seed=SEED)
    rows = []
    for day in LUNA_DAYS:
        as_of = pd.Timestamp(day, tz="UTC")
        market = fit_market(closes, as_of=as_of)
        known = closes["LUNA"].loc[:as_of]
        returns = np.log(known).diff().dropna()
        recent = float(np.sqrt(np.mean(np.square(returns[-2160:])) * 8760))
        fit = fit_volatility(returns[-8760:], step=STEP, law="garch", innovations="student_t")
        models = (
            calibrate(known, market=market, as_of=as_of).model,
            PriceModel(volatility=ConstantVolatility(annual=recent), innovations=Normal()),
            PriceModel(volatility=fit.law, innovations=fit.innovations),
        )
        found = [simulate(model, settings=settings).exceedance([0.3, 0.5]).value for model in models]
        rows.append([day, *(f"{100 * probability:.3g}" for curve in found for probability in curve)])
    fall = "24 h ≥ 30 %", "≥ 50 %"
    head = ("as of", *fall, *(f"{model}, {text}" for model in ("GBM, 90 days", "GARCH-t, a year") for text in fall))
    return markdown_table(head, rows)


def main() -> None:
    """Write all tables."""
    closes = read_panel()
    write_block(PAGE, "luna", luna_table(closes))
    quotes = quoted_months(closes)
    write_block(PAGE, "scores", score_table(quotes))
    write_block(PAGE, "deciles", decile_table(quotes))
    write_block(PAGE, "quarters", quarter_table(quotes))


if __name__ == "__main__":
    main()
