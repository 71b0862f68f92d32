"""The score of control: the picture of OM, the market that bears it, and the references from published lists."""

import math

import numpy as np
import pandas as pd
import pytest

from calibration import RiskSignals, concentration, hazard_factor
from calibration.hazard.factor import CONTROL_CAPS
from calibration.hazard.overhang import SEEN
from calibration.hazard.published import CIRCULATING, CONTROLLED, DEPTH, SCORES, TURNOVER, TYPICAL, UNLISTED
from calibration.hazard.slopes import SLOPES
from calibration.holders.control import DUST
from docs.studies.control import circulating_shares, published_lists, references
from pricing.errors import DataError

#: Supply of OM in the picture of its holders before the fall of 13 April 2025; the others are 400 equal wallets.
SUPPLY, OTHERS = 888.9e6, 400
CAP = CONTROL_CAPS[1]


def om(count, share=0.9, label="", entity=""):
    """Return the holders of OM: a share of the supply in some wallets of one owner."""
    balances = [*[share * SUPPLY / count] * count, *[(1.0 - share) * SUPPLY / OTHERS] * OTHERS]
    rows = pd.DataFrame({"address": [f"w{i}" for i in range(count + OTHERS)], "balance": balances})
    rows["label"] = [*[label] * count, *[""] * OTHERS]
    rows["entity"] = [*[entity] * count, *[""] * OTHERS]
    return rows


def factor_of(rows, signals=None, **known):
    return hazard_factor(concentration=concentration(rows, supply=SUPPLY, **known), signals=signals)


# --- OM in every representation ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rows",
    [
        om(1),
        om(17),
        om(17, entity="team"),
        om(17, label="team"),
        om(17, label="treasury"),
        om(17, label="locked"),
        om(50),
        om(200),
        om(9000),
    ],
)
def test_om_stands_near_the_cap_in_every_representation(rows):
    assert 0.75 * CAP <= factor_of(rows).value <= CAP


@pytest.mark.parametrize("label", ["", "team", "treasury", "locked"])
def test_om_stands_near_the_cap_if_only_its_team_is_listed(label):
    rows = om(17, label=label).iloc[:17]
    if label in ("treasury", "locked"):  # what the others have is the float
        rows = pd.concat([rows, pd.DataFrame({"address": ["venue"], "balance": [1e6], "label": ["exchange"]})])
    assert 0.75 * CAP <= factor_of(rows).value <= CAP


def test_tokens_on_exchanges_are_between_one_and_the_hidden_whale():
    found = factor_of(om(3, share=0.6, label="exchange"))
    assert 1.0 <= found.value <= found.upper
    assert factor_of(om(3, share=0.6)).value > found.value


# --- what the market bears --------------------------------------------------------------------------------------------


def typical_list():
    """A list whose controlled share and large hands are those of a typical token, the remainder in staking."""
    staked, small = (1.0 - CONTROLLED) / 0.9, 1000
    team = TYPICAL / SEEN
    unknown = 1.0 - staked - team + (1.0 - UNLISTED) * small * DUST / 0.9
    balances = [team, staked - (1.0 - UNLISTED) * small * DUST / 0.9, *(unknown / small * np.linspace(0.9, 1.1, small))]
    rows = pd.DataFrame({"address": [f"w{i}" for i in range(small + 2)], "balance": SUPPLY * np.array(balances)})
    return rows.assign(label=["team", "staking", *["holder"] * small])


def test_a_typical_token_has_factor_one():
    found = factor_of(typical_list(), circulating=CIRCULATING * SUPPLY)
    assert found.value == pytest.approx(1.0, abs=1e-9)
    assert found.overhang.market == pytest.approx({"circulating": 1.0, "others": 1.0})


@pytest.mark.parametrize(
    ("signals", "measure"),
    [
        (RiskSignals(depth_usd=0.25 * DEPTH * CIRCULATING * SUPPLY * 6.0, price_usd=6.0), "depth"),
        (RiskSignals(daily_volume=0.25 * TURNOVER * CIRCULATING * SUPPLY), "volume"),
    ],
)
def test_a_quarter_of_the_depth_or_volume_is_four_times_the_overhang(signals, measure):
    found = factor_of(typical_list(), signals, circulating=CIRCULATING * SUPPLY)
    assert found.value == pytest.approx(4.0 ** SLOPES["control"].mean)
    assert found.overhang.limit == measure
    assert found.overhang.market[measure] == pytest.approx(0.25)


def test_a_deep_book_hides_nothing():
    deep = RiskSignals(depth_usd=1e12, price_usd=6.0, daily_volume=1e15)
    assert factor_of(om(17), deep).value == factor_of(om(17)).value


@pytest.mark.parametrize(
    ("signals", "name"),
    [(RiskSignals(depth_usd=1e6, price_usd=1.0), "depth_usd"), (RiskSignals(daily_volume=1.0), "daily_volume")],
)
def test_depth_and_volume_without_holders_are_refused(signals, name):
    with pytest.raises(DataError, match=f"{name} needs holders, got it without"):
        hazard_factor(signals=signals)


def test_the_sale_of_the_largest_hand_by_hand():
    rows = om(17, label="team")  # equal pieces are one hand
    sale = factor_of(rows, circulating=0.1 * SUPPLY).sale
    assert sale.share == pytest.approx(0.9)
    assert sale.times_bids == pytest.approx(0.9 / (0.1 * DEPTH))
    assert sale.days_of_volume == pytest.approx(0.9 / (0.1 * TURNOVER))
    assert (sale.bids_known, sale.volume_known) == (False, False)
    stated = factor_of(rows, RiskSignals(depth_usd=30e6, price_usd=6.0, daily_volume=1e7)).sale
    assert stated.times_bids == pytest.approx(0.9 * SUPPLY / 5e6)
    assert stated.days_of_volume == pytest.approx(0.9 * SUPPLY / 1e7)


# --- references -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published(market_data):  # noqa: ARG001, skips without data
    return dict(published_lists())


def test_the_references_are_those_of_the_published_lists(published):
    typical, median, unlisted, scores = references(published)
    assert typical == pytest.approx(CONTROLLED, abs=5e-4)
    assert median == pytest.approx(TYPICAL, abs=5e-4)
    assert unlisted == pytest.approx(UNLISTED, abs=5e-4)
    assert circulating_shares().median() == pytest.approx(CIRCULATING, abs=5e-4)
    np.testing.assert_allclose(scores, SCORES, atol=6e-3)


def test_a_list_that_shows_nothing_has_the_factor_of_no_list():
    odds = UNLISTED / (1.0 - UNLISTED) / (CONTROLLED / (1.0 - CONTROLLED)) * math.exp(-TYPICAL)
    assert odds ** SLOPES["control"].mean == pytest.approx(hazard_factor().value, rel=5e-3)


def test_published_tokens_are_spread_around_one_and_none_is_like_om(published):
    factors = pd.Series({token: hazard_factor(concentration=held).value for token, held in published.items()})
    assert 0.5 <= factors.min() < 0.75
    assert factors.median() == pytest.approx(1.0, abs=0.05)
    assert factors["AAVE"] < factors["ARB"] < factors["DIMO"] < factors["POKT"] < CAP
    assert set(factors[factors >= 0.75 * CAP].index) <= {"META", "POKT"}  # nearly all with insiders and unknown wallets


def test_the_law_of_published_tokens_is_not_the_sign_of_one_outlier():
    free = np.exp(SLOPES["control"].mean * np.array(SCORES)).clip(*CONTROL_CAPS)
    without = [float(np.mean(np.delete(free, place))) for place in range(len(free))]
    assert max(abs(math.log(each / free.mean())) for each in without) < 0.06
