"""A payout of a user's own pays rising shares of the limit, one per worst drop, or nothing is priced."""

import re
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from pricing import Cover, DropTrigger, FullPayout, InvalidPayoutError, InvalidTermsError, PiecewisePayout, TieredPayout
from pricing.contract import payouts
from pricing.contract.book import Book
from pricing.contract.observation import Observation
from pricing.contract.shares import require_payout, shares_of

#: Deepest first, as samples hold them.
DROPS = np.array([0.9, 0.6, 0.6, 0.3])


class Own:
    def __init__(self, share):
        self.share = share

    def __repr__(self):
        return "Own()"


@dataclass(frozen=True)
class OwnNodes(PiecewisePayout):
    form: ClassVar[str] = "own-nodes"

    of: tuple

    @classmethod
    def parse(cls, _):
        return cls(of=())

    def nodes(self):
        return self.of

    def describe(self, limit):
        return limit


del payouts._KINDS[OwnNodes.kind]  # texts are read in other tests


@pytest.mark.parametrize(
    ("share", "message"),
    [
        (lambda drops: drops[:-1], "payout must return one share per worst drop, (4,), got (3,) from Own()"),
        (lambda _: 0.5, "payout must return one share per worst drop, (4,), got () from Own()"),
        (lambda drops: drops[:, None], "payout must return one share per worst drop, (4,), got (4, 1) from Own()"),
        (
            lambda drops: 5.0 + 0.0 * drops,
            "payout must return shares from 0 to 1, got 5.0 for a drop of 0.9 from",
        ),
        (lambda drops: drops - 0.5, "payout must return shares from 0 to 1, got -0.2 for a drop of 0.3 from Own()"),
        (lambda drops: drops * np.nan, "payout must return shares from 0 to 1, got nan for a drop of 0.9 from Own()"),
        (
            lambda drops: 1.0 - drops,
            "payout must not pay less for a deeper drop, got 0.7 for a drop of 0.3 and 0.4 for 0.6 from Own()",
        ),
        (lambda _: "all", "payout must return numbers, got 'all' from Own()"),
        (lambda drops: [1.0] * (len(drops) - 1) + [[1.0]], "payout must return numbers, got [1.0, 1.0, 1.0, [1.0]]"),
        (lambda drops: [1j] * len(drops), "payout must return numbers, got [1j, 1j, 1j, 1j]"),
    ],
)
def test_shares_that_are_none_are_refused(share, message):
    with pytest.raises(InvalidPayoutError, match=re.escape(message)):
        shares_of(Own(share), DROPS)


def test_shares_may_be_whole_numbers_in_a_list_and_carry_the_rounding_of_a_formula():
    assert shares_of(Own(lambda _: [1, 1, 1, 0]), DROPS).tolist() == [1.0, 1.0, 1.0, 0.0]
    assert shares_of(Own(lambda drops: 1.0 + 1e-16 * drops), DROPS).max() == 1.0
    assert shares_of(Own(lambda drops: (drops - 0.3) * 1e-17 - 1e-17), DROPS).min() == 0.0


@pytest.mark.parametrize(
    ("payout", "message"),
    [
        (FullPayout, "payout must be an object, got a class (write FullPayout())"),
        ("full", "payout must have share(worst_drop), got 'full'"),
        (None, "payout must have share(worst_drop), got None"),
        (OwnNodes(of=()), "payout must have at least one node"),
        (OwnNodes(of=((0.3, 0.0, 5.0, 0.0),)), "payout must have nodes with drop and shares from 0 to 1 that rise"),
        (OwnNodes(of=((0.3, 0.0, 0.5, 0.0), (0.5, 0.5, 0.2, 0.0))), "payout must have nodes with drop and shares"),
        (
            OwnNodes(of=((0.3, 0.0, 0.5, -1.0), (0.5, 0.3, 1.0, 0.0))),
            "payout must have nodes with drop and shares",
        ),
        (OwnNodes(of=((0.3, 0.1, 0.5, 0.0),)), "payout must pay nothing below its first node and end level"),
        (OwnNodes(of=((0.3, 0.0, 0.0, 1.0),)), "payout must pay nothing below its first node and end level"),
        (OwnNodes(of=((0.5, 0.0, 0.5, 0.0), (0.3, 0.5, 1.0, 0.0))), "payout must have nodes in order of their drops"),
        (OwnNodes(of=((0.3, 0.0, 0.0, 1.0), (0.5, 0.9, 1.0, 0.0))), "payout must have nodes in order of their drops"),
    ],
)
def test_a_contract_holds_no_other_payout(payout, message):
    with pytest.raises(InvalidTermsError, match=re.escape(message)):
        Cover(cover_id="C-1", asset="OM", trigger=DropTrigger(drop=0.3), payout=payout, limit=1e5, currency="USD")
    columns = {name: np.array([0]) for name in ("asset", "observation", "payout")}
    with pytest.raises(InvalidTermsError, match=re.escape(message)):
        Book(
            currency="USD",
            assets=["OM"],
            observations=[Observation()],
            payouts=[payout],
            drop=np.array([0.3]),
            limit=np.array([1e5]),
            **columns,
        )


def test_nodes_that_rise_are_a_payout():
    tiers = TieredPayout({0.3: 0.25, 0.8: 1.0})
    own = OwnNodes(of=tiers.nodes())
    require_payout(own)
    assert shares_of(own, DROPS).tolist() == tiers.share(DROPS).tolist()
