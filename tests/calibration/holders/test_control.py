"""Laws of control: it cannot be split away, and rises with what insiders and unknown hands have."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from calibration import concentration, hazard_factor
from calibration.hazard.factor import CONTROL_CAPS
from calibration.hazard.published import UNLISTED
from calibration.holders.control import ALONE, DUST, HIDDEN_WHALE, HIDDEN_WHALE_STRESS
from calibration.holders.sums import sums_up
from pricing.errors import DataError

#: Smallest piece of the supply into which a position is split here.
PIECE = 1e-4
SUPPLY = 1e9
AS_OF = pd.Timestamp("2025-04-12", tz="UTC")
LABELS = ("holder", "team", "treasury", "locked", "exchange", "staking", "contract", "independent")
BAD = ("team", "treasury", "locked")


def measure(shares, labels=None, **known):
    """Concentration of wallets with shares of the supply; a label of "" is none."""
    rows = pd.DataFrame({"address": [f"w{i}" for i in range(len(shares))], "balance": SUPPLY * np.asarray(shares)})
    rows["label"] = "" if labels is None else list(labels)
    return concentration(rows, supply=SUPPLY, **known)


def factor(shares, labels=None, **known):
    return hazard_factor(concentration=measure(shares, labels, **known)).value


@st.composite
def lists(draw, most=12):
    """Wallets with labels that leave a float, and a part of the supply that is not listed."""
    weights = draw(st.lists(st.floats(1e-3, 1.0), min_size=2, max_size=most))
    listed = draw(st.floats(0.1, 1.0))
    labels = draw(st.lists(st.sampled_from(LABELS), min_size=len(weights), max_size=len(weights)))
    assume(any(label in ("holder", "team", "independent", "exchange", "staking") for label in labels))
    return listed * np.array(weights) / sum(weights), labels


def pieces_of(share, draw):
    """Split a share into pieces of at least a hundredth of a per cent: equal, or uneven with rounding."""
    count = min(int(share / PIECE), draw(st.sampled_from([2, 3, 17, 200, 9000])))
    if count < 2:
        return [share]
    if draw(st.booleans()):
        return [share / count] * count
    spare = share - count * PIECE
    extra = np.array(draw(st.lists(st.floats(1e-6, 1.0), min_size=min(count, 20), max_size=min(count, 20))))
    grown = np.full(count, PIECE)
    grown[: len(extra)] += spare * extra / extra.sum()
    return list(np.round(grown, 12))


# --- splitting --------------------------------------------------------------------------------------------------------


@given(lists(), st.data())
def test_splitting_a_position_lowers_the_factor_by_a_quarter_at_most(list_, data):
    shares, labels = list_
    single = [place for place, label in enumerate(labels) if label in ("holder", *BAD)]
    assume(single)
    place = data.draw(st.sampled_from(single))
    pieces = pieces_of(shares[place], data.draw)
    decoys = data.draw(st.integers(0, 3))
    dust = np.full(decoys, 1e-9)
    split = [*np.delete(shares, place), *pieces, *dust]
    unlabelled = [*np.delete(labels, place), *["" if labels[place] == "holder" else "holder"] * len(pieces)]
    assume(sum(split) <= 1.0)
    before = factor(shares, labels)
    after = factor(split, [*unlabelled, *[""] * decoys])
    assert after >= 0.75 * before


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.9, 0.99])
def test_the_finest_split_is_no_escape(share):
    rest = [1.0 - share]
    whole = factor([share, *rest], ["team", "staking"])
    split = factor([*[PIECE] * round(share / PIECE), *rest], [*["holder"] * round(share / PIECE), "staking"])
    assert 0.75 * whole <= split <= whole


@given(st.lists(st.floats(1e-9, 1.0), min_size=1, max_size=30), st.floats(0.06, 1.0), st.booleans())
def test_no_list_without_evidence_is_below_one(weights, listed, customers):
    shares = listed * np.array(weights) / sum(weights)
    labels = ["exchange" if customers and place % 2 else "" for place in range(len(shares))]
    assert factor(shares, labels) >= 1.0


# --- moving tokens, and naming them -----------------------------------------------------------------------------------


@given(lists(), st.data())
def test_tokens_that_move_to_larger_or_worse_hands_never_lower_the_factor(list_, data):
    shares, labels = list_
    pairs = [
        (giver, taker)
        for giver, taker in permutations(range(len(shares)), 2)
        if (labels[giver] == labels[taker] and shares[taker] >= shares[giver])
        or (labels[taker] in BAD and labels[giver] not in BAD)
    ]
    assume(pairs)
    giver, taker = data.draw(st.sampled_from(pairs))
    moved = shares.copy()
    amount = data.draw(st.floats(0.0, 1.0)) * moved[giver]
    moved[[giver, taker]] += [-amount, amount]
    floated = [label in ("holder", "team", "independent", "exchange", "staking") for label in labels]
    assume(moved[floated].sum() > 1e-6)
    assume(sums_up(moved) is None)  # a balance that may be the total of the others is refused
    assert factor(moved, labels) >= factor(shares, labels) - 1e-9


def test_a_transfer_that_hides_a_group_of_equal_wallets_does_not_lower_the_factor():
    labels = ["holder"] * 3
    before = factor([1 / 6, 1 / 6, 1 / 6], labels)
    assert factor([0.0, 2 / 6, 1 / 6], labels) >= before


@given(lists(), st.data(), st.sampled_from(BAD))
def test_an_insiders_label_never_makes_a_token_safer_than_not_knowing(list_, data, label):
    shares, labels = list_
    place = data.draw(st.sampled_from(range(len(shares))))
    unknown, named = ([*labels[:place], each, *labels[place + 1 :]] for each in ("", label))
    assume(any(each in ("", "holder", "team", "independent", "exchange", "staking") for each in named))
    assert factor(shares, named) >= factor(shares, unknown) - 1e-12


@given(lists(), st.integers(1, 11), st.sampled_from(["", "holder", *BAD]))
def test_a_longer_list_never_moves_the_middle_down_and_narrows_the_bounds(list_, kept, label):
    shares, labels = list_
    order = np.argsort(-shares)
    labels = [labels[place] if place in order[:kept] else label for place in range(len(shares))]
    short = [place in order[:kept] for place in range(len(shares))]
    floated = ("", "holder", "team", "independent", "exchange", "staking")
    assume(any(labels[place] in floated for place in order[:kept]))
    whole = measure(shares, labels)
    cut = measure(shares[short], [label for label, keep in zip(labels, short, strict=True) if keep])
    assume(cut.is_known)
    before, after = (hazard_factor(concentration=each) for each in (cut, whole))
    assert after.value >= before.value - 1e-9
    assert whole.control.least >= cut.control.least - 1e-9
    assert whole.control.most <= cut.control.most + 1e-9


@given(lists(), st.floats(0.05, 1.0), st.floats(0.05, 1.0))
def test_less_circulation_never_lowers_the_factor(list_, one, other):
    less, more = sorted((one, other))
    assert factor(*list_, circulating=less * SUPPLY) >= factor(*list_, circulating=more * SUPPLY) - 1e-12


@given(lists())
def test_shares_add_to_one_and_the_order_of_bounds_holds(list_):
    control = measure(*list_).control
    parts = ("insiders", "unknown", "unlisted", "large", "small", "customers", "code", "still")
    assert sum(getattr(control, name) for name in parts) == pytest.approx(1.0)
    assert control.least <= control.share(unlisted=UNLISTED) + 1e-12 <= control.most + 2e-12
    assert CONTROL_CAPS[0] <= factor(*list_) <= CONTROL_CAPS[1]


# --- by hand ----------------------------------------------------------------------------------------------------------


def test_the_controlled_share_by_hand():
    shares = [0.2, 0.1, 0.05, 0.3, 0.15, 0.02, 0.002]
    labels = ["team", "holder", "locked", "exchange", "staking", "independent", "independent"]
    control = measure(shares, labels).control
    unlisted, dust = 1.0 - sum(shares), DUST
    assert control.large == pytest.approx(0.02 - ALONE)
    assert control.small == pytest.approx(ALONE + 0.002)
    expected = 0.25 + 0.1 - (1.0 - UNLISTED) * dust + UNLISTED * unlisted + 0.015 + HIDDEN_WHALE * 0.45
    assert control.share(unlisted=UNLISTED) == pytest.approx(expected)
    assert control.least == pytest.approx(0.25 + 0.015 + 0.1 - ALONE)
    assert control.most == pytest.approx(0.25 + 0.1 + unlisted + 0.015 + HIDDEN_WHALE_STRESS * 0.45)
    assert control.evidence == pytest.approx(0.15 + ALONE + 0.002)


def test_what_came_to_exchanges_lately_counts_as_if_it_had_not_moved():
    before = measure([0.5, 0.1, 0.3], ["holder", "exchange", "staking"])
    after = measure([0.45, 0.15, 0.3], ["holder", "exchange", "staking"], before=before.control)
    assert after.control.deposited == pytest.approx(0.05)
    assert after.control.share(unlisted=UNLISTED) == pytest.approx(before.control.share(unlisted=UNLISTED))
    forgotten = measure([0.45, 0.15, 0.3], ["holder", "exchange", "staking"])
    assert forgotten.control.share(unlisted=UNLISTED) < after.control.share(unlisted=UNLISTED)
    with pytest.raises(DataError, match="before must be a Control or None, got "):
        measure([0.45, 0.15, 0.3], ["holder", "exchange", "staking"], before=before)


def test_a_lock_counts_as_still_only_beyond_the_longest_term():
    rows = pd.DataFrame({"address": ["a", "b", "c"], "balance": [50.0, 20.0, 30.0], "label": ["locked", "locked", ""]})
    rows["locked_until"] = ["2026-05-01", "2026-03-01", ""]
    measured = concentration(rows, supply=100.0, as_of=AS_OF)
    assert (measured.control.still, measured.control.insiders) == (0.5, pytest.approx(0.2))
    assert concentration(rows, supply=100.0).control.insiders == pytest.approx(0.7)


@pytest.mark.parametrize("circulating", [0.0, -1.0, 1.1e9, float("nan")])
def test_an_impossible_circulation_is_refused(circulating):
    with pytest.raises(DataError, match="circulating must be positive and at most the supply of 1e"):
        measure([0.5, 0.2], circulating=circulating)
