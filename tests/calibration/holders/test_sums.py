"""Rows of a list that are no holder: refused or told, while lists of names are read."""

from contextlib import nullcontext
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration import HolderFindingKind, concentration
from calibration.holders.sums import names_among_addresses, sum_slip
from pricing.errors import DataError

HEXADECIMAL = ["0xac0c78a4f0469620002f3ac3464f2ecd16a7aaa0", "0xF8", "0x972c", "0xc4a1", "0x23ae"]


def owners(addresses, balances):
    return pd.DataFrame({"address": addresses, "balance": np.asarray(balances, dtype=float)})


def kinds(measured):
    return {finding.kind for finding in measured.findings}


@pytest.mark.parametrize("name", ["Total", "TOTAL:", "Grand Total", "total supply", "Sum of all", "Top 100 total"])
@pytest.mark.parametrize("place", [0, 3, 5])
def test_a_row_named_total_is_refused_anywhere(name, place):
    rows = owners(HEXADECIMAL, [5, 4, 3, 2, 1])
    rows = pd.concat([rows[:place], owners([name], [15]), rows[place:]], ignore_index=True)
    with pytest.raises(DataError, match=rf"address at row {place} must be a holder, got .* \(a sum: remove the row\)"):
        concentration(rows, supply=100.0)


@pytest.mark.parametrize("name", ["Others", "other", "All others", "Rest", "Other holders (1,204)", "Everyone else"])
def test_a_row_named_others_is_refused(name):
    with pytest.raises(DataError, match="address at row 2 must be a holder, .* give the supply"):
        concentration(owners(["a", "b", name], [3, 2, 90]))


@pytest.mark.parametrize("name", ["total.eth", "The Other Fund", "Restaurant", "0xdead", "Sumitomo", "12", "a"])
def test_names_that_only_resemble_a_sum_are_holders(name):
    assert sum_slip(name) is None


@given(st.lists(st.floats(1e-3, 1e9), min_size=3, max_size=30))
def test_a_last_row_that_is_the_sum_of_all_others_never_passes_in_silence(balances):
    rows = owners([f"0x{place:x}" for place in range(len(balances) + 1)], [*balances, sum(balances)])
    falling = any(later < earlier for earlier, later in pairwise(balances))
    with pytest.raises(DataError, match="the sum of all rows above") if falling else nullcontext():
        assert HolderFindingKind.SUM_SUSPECTED in kinds(concentration(rows))


def test_a_last_row_that_is_the_sum_of_falling_balances_is_refused_however_it_is_rounded():
    for total in (15.0, 15.00001):
        with pytest.raises(DataError, match="row 5 must be a holder, got 'z', the sum of all rows above"):
            concentration(owners([*HEXADECIMAL, "z"], [5, 4, 3, 2, 1, total]))
    assert HolderFindingKind.SUM_SUSPECTED in kinds(
        concentration(owners([*HEXADECIMAL, "0xz"], [5, 4, 3, 2, 1, 15.01]))
    )


def test_a_holder_of_one_half_at_the_top_is_a_holder():
    measured = concentration(owners(HEXADECIMAL, [10, 4, 3, 2, 1]), supply=20.0)
    assert measured.top1.value == pytest.approx(0.5)
    assert HolderFindingKind.SUM_SUSPECTED in kinds(measured)


def test_a_name_among_addresses_is_told_with_its_row():
    measured = concentration(owners([*HEXADECIMAL[:3], "Binance 14", *HEXADECIMAL[3:]], [5, 4, 3, 2, 1.5, 1]))
    (finding,) = [each for each in measured.findings if each.kind is HolderFindingKind.NAMES_AMONG_ADDRESSES]
    assert finding.message == "1 rows, the first is row 4 of the list, 'Binance 14'"


@pytest.mark.parametrize(
    "addresses",
    [
        HEXADECIMAL,
        ["Fund A", "Fund B", "Customer 12", "Treasury"],
        ["vitalik.eth", *HEXADECIMAL],
        ["4k1MNiA6Dix1KJG7aq4fipJrjgmskQdNF6SmoywVmyff", "8KguGNMAmEFnEEAeUwpSbDSJviwXMPH5QZrdtRHEXLTk"],
        ["bob.near", "alice.near"],
        ["Fund A", *HEXADECIMAL[:1]],
    ],
)
def test_lists_of_addresses_and_lists_of_names_are_both_lists(addresses):
    assert names_among_addresses(addresses) == []
