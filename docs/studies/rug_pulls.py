"""Write three tables of docs/concentration.md: creators' holdings and collapses of 18,296 Uniswap v2 tokens of 2021.

Usage: ``CRASHCOVER_DATA=folder python -m docs.studies.rug_pulls``
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm
from patsy import build_design_matrices, dmatrix
from scipy.stats import rankdata
from statsmodels.duration.hazard_regression import PHReg

from docs.studies.blocks import markdown_table, write_block
from docs.studies.panel import DATA

FEATURES = "holders/uniswap_v2_rugpull_features_2021.csv.gz"
PAGE = "concentration.md"
#: Ratios this near to 0 and 1 are rounding of the source.
ROUNDING = 1e-6
#: Smaller creators' holdings count as none; the slope is of the others.
SMALLEST_HOLDING = 1e-3
RATIOS = {
    "token_creator_holding_ratio": "share",
    "lp_creator_holding_ratio": "free_liquidity",
    "lp_lock_ratio": "locked_liquidity",
}
#: Upper ends of the bins of creators' shares, and how the table names them.
BINS = {
    0.0: "none",
    1e-3: "up to 0.1 %",
    1e-2: "0.1 to 1 %",
    0.05: "1 to 5 %",
    0.2: "5 to 20 %",
    0.5: "20 to 50 %",
    0.9: "50 to 90 %",
    1.0: "90 to 100 %",
}
AGES = {"all": 0.0, "over a day": 1.0 / 7.0, "over a week": 1.0, "over four weeks": 4.0}
FOLDS, SEED = 5, 20211231
REACH = 1.6448536269514722


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A coefficient with its standard error and 90 % interval."""

    value: float
    standard_error: float

    @property
    def interval(self) -> tuple[float, float]:
        """Bounds of the interval."""
        return self.value - REACH * self.standard_error, self.value + REACH * self.standard_error

    def __str__(self) -> str:
        """Value and interval with two digits."""
        return f"{self.value:.2f} [{self.interval[0]:.2f}, {self.interval[1]:.2f}]"


def read_tokens(data: Path) -> pd.DataFrame:
    """Return one row per token: clean ratios, its age when measured, in weeks, and whether it collapsed.

    A token whose creator's share is out of range is left out. Its age is not in the file but follows from its columns:
    counts are divided by the age plus one week, and with i trades in, o trades out and d that divisor,
    ``(i / d) / (i / (o + 1)) - o / d = 1 / d``.
    """
    raw = pd.read_csv(data / FEATURES)
    frame = pd.DataFrame({name: clean_ratio(raw[column]) for column, name in RATIOS.items()})
    frame["collapsed"] = raw["Label"].astype(float)
    frame["tokens_of_creator"] = raw["number_of_token_creation_of_creator"]
    traded = raw["swap_rate"] > 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        frame["weeks"] = 1.0 / (raw["swap_in_per_week"] / raw["swap_rate"] - raw["swap_out_per_week"]) - 1.0
    return frame[traded & frame["share"].notna()].reset_index(drop=True)


def clean_ratio(ratio: pd.Series) -> pd.Series:
    """Round what is within rounding of 0 and 1, and make everything else out of range unknown."""
    rounded = ratio.mask(ratio.abs() <= ROUNDING, 0.0).mask((ratio - 1.0).abs() <= ROUNDING, 1.0)
    return rounded.where((rounded >= 0.0) & (rounded <= 1.0))


def holding_creators(tokens: pd.DataFrame, weeks: float) -> pd.DataFrame:
    """Return tokens older than some weeks whose creator holds something, with the log of the creator's share."""
    kept = tokens[(tokens["weeks"] > weeks) & (tokens["share"] >= SMALLEST_HOLDING)].dropna()
    return kept.assign(log_share=np.log(kept["share"]))


def odds_slope(tokens: pd.DataFrame, controls: Sequence[str] = (), *, same_age: bool = False) -> Estimate:
    """Slope of the log odds of collapse on the log share, given controls and, by a spline, the age."""
    design = sm.add_constant(tokens[["log_share", *controls]])
    if same_age:
        spline = dmatrix("cr(x, df=5) - 1", {"x": np.log(tokens["weeks"])}, return_type="dataframe").iloc[:, 1:]
        design = pd.concat([design, spline.set_index(design.index)], axis=1)
    fit = sm.GLM(tokens["collapsed"], design, family=sm.families.Binomial()).fit(cov_type="HC0")
    return Estimate(value=fit.params["log_share"], standard_error=fit.bse["log_share"])


def hazard_slope(tokens: pd.DataFrame, weeks: float, controls: Sequence[str] = ()) -> Estimate:
    """Slope of the log hazard of collapse on the log share (Cox 1972), from an age on."""
    entry = np.full(len(tokens), weeks) if weeks else None
    covariates = tokens[["log_share", *controls]]
    fit = PHReg(tokens["weeks"], covariates, status=tokens["collapsed"], entry=entry, ties="efron").fit()
    return Estimate(value=fit.params[0], standard_error=fit.bse[0])


def area_under_curve(score: np.ndarray, event: np.ndarray) -> float:
    """Probability that an event has the higher score than a non-event, ties as one half (Mann-Whitney)."""
    n_events = event.sum()
    above = rankdata(score)[event == 1.0].sum() - n_events * (n_events + 1.0) / 2.0
    return float(above / (n_events * (len(event) - n_events)))


def cross_validated_auc(tokens: pd.DataFrame, columns: Sequence[str]) -> float:
    """AUC of a logit on splines, each token scored by a fit to the other folds (seeded, as there is no time)."""
    tokens = tokens.dropna(subset=list(columns))
    fold = np.random.default_rng(SEED).permutation(len(tokens)) % FOLDS
    score = np.empty(len(tokens))
    formula = " + ".join(
        f"bs({column}, knots=(0.05, 0.5), degree=2, lower_bound=0, upper_bound=1)" for column in columns
    )
    for k in range(FOLDS):
        train, test = tokens[fold != k], tokens[fold == k]
        design = dmatrix(f"1 + {formula}", train)
        # a ridge: without it the few tokens between none and all make splines run away
        fit = sm.GLM(train["collapsed"], np.asarray(design), family=sm.families.Binomial()).fit_regularized(
            alpha=1e-4, L1_wt=0.0
        )
        score[fold == k] = np.asarray(build_design_matrices([design.design_info], test)[0]) @ fit.params
    return area_under_curve(score, tokens["collapsed"].to_numpy())


def share_table(tokens: pd.DataFrame) -> str:
    """Tabulate odds of collapse by creator's share, relative to creators with 0.1 to 1 %."""
    ratios = {weeks: relative_odds(tokens[tokens["weeks"] > weeks]) for weeks in (0.0, 1.0)}
    rows = [
        [name, f"{row['tokens']:.0f}", f"{row['others']:.0f}", f"{row['ratio']:.2f}", f"{ratios[1.0].ratio[name]:.2f}"]
        for name, row in ratios[0.0].iterrows()
    ]
    head = ["creator's share", "tokens", "not collapsed", "odds ratio, all", "odds ratio, over a week"]
    return markdown_table(head, rows)


def relative_odds(tokens: pd.DataFrame) -> pd.DataFrame:
    """Odds of collapse by bins of the creator's share, relative to creators with 0.1 to 1 %."""
    bins = pd.cut(tokens["share"], [-1.0, *BINS], labels=list(BINS.values()))
    by_bin = tokens.groupby(bins, observed=True)["collapsed"]
    table = pd.DataFrame({"tokens": by_bin.size(), "others": by_bin.size() - by_bin.sum()})
    odds = by_bin.mean() / (1.0 - by_bin.mean())
    return table.assign(ratio=odds / odds.loc[BINS[1e-2]])


def slope_table(tokens: pd.DataFrame) -> str:
    """Tabulate slopes on the log share by age and design."""
    liquidity = ["free_liquidity", "locked_liquidity"]
    head = [
        "age",
        "collapsed",
        "not collapsed",
        "odds",
        "odds, same age",
        "hazard",
        "hazard, one-token creators",
        "odds, same age and liquidity",
        "hazard, same liquidity",
    ]
    rows = []
    for name, weeks in AGES.items():
        holding = holding_creators(tokens, weeks)
        cells = [
            name,
            f"{holding['collapsed'].sum():,.0f}",
            f"{(1.0 - holding['collapsed']).sum():,.0f}",
            odds_slope(holding),
            odds_slope(holding, same_age=True),
            hazard_slope(holding, weeks),
            hazard_slope(holding[holding["tokens_of_creator"] == 1], weeks),
            odds_slope(holding, liquidity, same_age=True),
            hazard_slope(holding, weeks, liquidity),
        ]
        rows.append(cells)
    return markdown_table(head, rows)


def ranking_table(tokens: pd.DataFrame) -> str:
    """Tabulate areas under the curve out of sample."""
    rows = []
    for name, columns in (
        ("creator's share of the tokens", ["share"]),
        ("creator's free and locked liquidity", ["free_liquidity", "locked_liquidity"]),
        ("all three", ["share", "free_liquidity", "locked_liquidity"]),
    ):
        areas = [cross_validated_auc(tokens[tokens["weeks"] > weeks], columns) for weeks in (0.0, 1.0)]
        rows.append([name, *(f"{area:.2f}" for area in areas)])
    return markdown_table(["AUC out of sample", "all", "over a week"], rows)


def main() -> None:
    """Write the three tables."""
    tokens = read_tokens(DATA)
    write_block(PAGE, "creators", share_table(tokens))
    write_block(PAGE, "collapses", slope_table(tokens))
    write_block(PAGE, "ranking", ranking_table(tokens))


if __name__ == "__main__":
    main()
