"""Figures in docs/concentration.md, recomputed from the data."""

import math

import numpy as np
import pandas as pd
import pytest

from calibration.hazard.slopes import SLOPES
from docs.studies.new_listings import fit_listing, read_panel, token_months
from docs.studies.rug_pulls import (
    area_under_curve,
    clean_ratio,
    cross_validated_auc,
    hazard_slope,
    holding_creators,
    odds_slope,
    read_tokens,
)


@pytest.fixture(scope="module")
def tokens(market_data):
    return read_tokens(market_data)


# --- the tools --------------------------------------------------------------------------------------------------------


def test_ratios_out_of_range_are_unknown_and_not_moved():
    ratios = pd.Series([-500.0, -1.0, -1e-9, 0.0, 0.3, 1.0 + 1e-9, 1.04, 6250.0])
    assert clean_ratio(ratios).fillna(-9.0).tolist() == [-9.0, -9.0, 0.0, 0.0, 0.3, 1.0, -9.0, -9.0]


def test_area_under_the_curve_by_hand():
    event = np.array([1.0, 1.0, 0.0, 0.0])
    assert area_under_curve(np.array([4.0, 3.0, 2.0, 1.0]), event) == 1.0
    assert area_under_curve(np.array([4.0, 1.0, 3.0, 2.0]), event) == 0.5
    assert area_under_curve(np.ones(4), event) == 0.5


def simulated(n, slope, seed):
    """Creators' shares; the hazard is a power of them, watched for one week each."""
    rng = np.random.default_rng(seed)
    log_share = rng.uniform(math.log(1e-3), 0.0, n)
    life = rng.exponential(1.0, n) / (0.5 * np.exp(slope * log_share))
    frame = pd.DataFrame({"log_share": log_share, "weeks": np.minimum(life, 1.0), "collapsed": (life < 1.0) * 1.0})
    return frame.assign(share=np.exp(log_share))


def test_the_hazard_slope_finds_a_power_law():
    # seed 5, 4,000 tokens, z 4
    estimate = hazard_slope(simulated(4000, 0.3, 5), 0.0)
    assert abs(estimate.value - 0.3) < 4.0 * estimate.standard_error
    assert estimate.standard_error < 0.03


# --- the Uniswap tokens -----------------------------------------------------------------------------------------------


def test_cleaning_leaves_the_stated_tokens(tokens):
    holding = holding_creators(tokens, 0.0)
    assert (len(tokens), len(holding), int(holding["collapsed"].sum())) == (17483, 10094, 9306)
    assert tokens["share"].between(0.0, 1.0).all()


def test_the_age_hidden_in_the_columns_makes_counts_whole(market_data, tokens):
    # mints per week times (age + 1 week) is a number of mints
    raw = pd.read_csv(market_data / "holders" / "uniswap_v2_rugpull_features_2021.csv.gz")
    age = 1.0 / (raw["swap_in_per_week"] / raw["swap_rate"] - raw["swap_out_per_week"])
    mints = (raw["mint_count_per_week"] * age)[raw["swap_rate"] > 0.0]
    assert (abs(mints - mints.round()) < 1e-3).mean() > 0.997
    assert tokens["weeks"].min() > 0.0


@pytest.mark.parametrize("weeks", [1.0 / 7.0, 1.0, 4.0])
def test_collapses_rise_with_the_creators_share_less_than_was_judged(tokens, weeks):
    holding = holding_creators(tokens, weeks)
    judged = 0.5  # of simulated sales, the upper end of what the shipped slope lies between
    for estimate in (hazard_slope(holding, weeks), odds_slope(holding, same_age=True)):
        lower, upper = estimate.interval
        assert 0.05 < lower < upper < judged


def test_the_plainest_slope_is_the_one_in_the_docs(tokens):
    estimate = hazard_slope(holding_creators(tokens, 1.0), 1.0)
    assert str(estimate) == "0.26 [0.21, 0.30]"
    lower, upper = SLOPES["control"].interval
    assert lower < estimate.value < SLOPES["control"].mean < upper


def test_given_the_liquidity_little_is_left(tokens):
    holding = holding_creators(tokens, 4.0)
    estimate = hazard_slope(holding, 4.0, ["free_liquidity", "locked_liquidity"])
    assert estimate.interval[0] < 0.0 < estimate.interval[1]


def test_the_share_alone_ranks_little_and_the_liquidity_much(tokens):
    older = tokens[tokens["weeks"] > 1.0]
    # the standard error of an area over 1,050 collapses and 1,430 others is 0.012 (Hanley and McNeil 1982)
    assert 0.5 + 3 * 0.012 < cross_validated_auc(older, ["share"]) < 0.65
    assert cross_validated_auc(older, ["free_liquidity", "locked_liquidity"]) > 0.85


# --- new listings -----------------------------------------------------------------------------------------------------


def test_the_listing_slope_is_the_one_that_ships(market_data):
    fit, of_new = fit_listing(token_months(read_panel(market_data), 24), 0.30)
    assert (fit.crashes, of_new) == (228, 16)
    shipped = SLOPES["listing"]
    assert fit.slopes["listing"].value == pytest.approx(shipped.mean, abs=0.005)
    assert fit.slopes["listing"].normal_sd == pytest.approx(shipped.sd, abs=0.005)
    assert not fit.slopes["listing"].prior_only
