"""Concentration of holders, measured on the tokens that can be sold; a cut list is never scaled up to 100 %.

Burnt tokens leave the supply. Locked, treasury and contract balances leave the float. Balances of exchanges, bridges,
staking and liquidity pools belong to unknown customers, so two cases are kept: all of them small (their tokens
count in the float, but in no holder's share), or one hidden whale with a tenth of all pooled tokens. Lower bounds
come from the first case, upper bounds from the second (for the Nakamoto number, the other way round).
"""

import math
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from calibration.holders import shares as measures
from calibration.holders.bounded import Bounded
from calibration.holders.clusters import Cluster
from calibration.holders.control import HIDDEN_WHALE, HIDDEN_WHALE_STRESS, INSIDERS, Control, measure_control
from calibration.holders.lists import (
    Category,
    Entities,
    HolderFinding,
    HolderFindingKind,
    Labels,
    holds_shares,
    read_holders,
)
from calibration.holders.shares import RankedShares
from calibration.holders.units import looks_like_smallest_units, unit_slip
from pricing.errors import DataError
from pricing.show import drawing
from pricing.show.frames import require_table
from pricing.show.html_tables import Table, write_html

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: The type float under another name, because ``Concentration`` has an attribute ``float``.
Number = float

#: Share of a treasury's tokens that its owners may sell within 30 days. Judgement.
TREASURY_DISCRETION = 0.25
#: Listed balances may exceed the supply only by this relative rounding error.
SUPPLY_TOLERANCE = 1e-9
#: A list that shows less of the supply says next to nothing. Judgement: the largest hundred holders of widely held
#: tokens own several times as much.
LEAST_LISTED = 0.05

OUT_OF_FLOAT = frozenset({Category.LOCKED, Category.TREASURY, Category.CONTRACT})
#: Owners of whom each counts by themselves.
SINGLE = frozenset({Category.HOLDER, Category.INDEPENDENT, Category.TEAM})
POOLED = frozenset({Category.EXCHANGE, Category.BRIDGE, Category.STAKING, Category.POOL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Excluded:
    """An address that is not a single holder.

    Parameters
    ----------
    address : str
        The address, hexadecimal ones in lower case.
    balance : float
        Its tokens.
    category : Category
        Category of its owner.
    reason : str
        Treatment of its tokens in the measures.
    """

    address: str
    balance: Number
    category: Category
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """The largest hand of a list: an entity, a cluster or an address that is not known to hold for others.

    Parameters
    ----------
    name : str
        Its name, or its address.
    balance : float
        Its tokens.
    """

    name: str
    balance: Number


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Concentration:
    """Concentration of a token's holders. Shares are of the float.

    Parameters
    ----------
    hhi : Bounded
        Herfindahl-Hirschman index: sum of squared shares.
    stress_hhi : Bounded
        The same index if a hidden whale owns 35 % of all pooled tokens.
    effective_holders : Bounded
        ``1 / hhi``: number of equal holders with the same index.
    top1, top10 : Bounded
        Share of the largest holder and of the ten largest; ``top_share(k)`` for others.
    nakamoto : Bounded
        Smallest number of holders that own more than half of the float.
    overhang : Bounded
        Tokens that the ten largest sellers could sell within 30 days: single holders, a quarter of each treasury and,
        in the upper bound, the hidden whale.
    gini : Bounded
        Gini coefficient of single holders, without pools. For display only: it depends on dust.
    pooled : float
        Share of the float that exchanges, bridges, staking contracts and liquidity pools hold for others.
    supply : float
        Number of tokens in existence, without burnt ones.
    float : float
        Tokens that can be sold.
    listed_share : float
        Share of the float that the list accounts for, including pools.
    control : Control
        Who controls the supply; this is what rates depend on.
    largest : Hand
        The insiders or unknown wallets of one hand that have most.
    excluded : tuple of Excluded
        Addresses that are not single holders, with the reason.
    clusters : tuple of Cluster
        Addresses that seem to belong to one hand.
    findings : tuple of HolderFinding
        Irregularities of the list.
    dispersed, hidden_whale : RankedShares
        Shares in the two cases for pools, from which ``top_share`` is computed.
    unlabelled : ndarray of bool, shape (N,)
        For each listed share of the dispersed case, whether nothing is known about its owner.
    """

    hhi: Bounded
    stress_hhi: Bounded
    effective_holders: Bounded
    top1: Bounded
    top10: Bounded
    nakamoto: Bounded
    overhang: Bounded
    gini: Bounded
    pooled: Number
    supply: Number
    float: Number
    listed_share: Number
    control: Control
    largest: "Hand | None"
    excluded: tuple[Excluded, ...]
    clusters: tuple[Cluster, ...]
    findings: tuple[HolderFinding, ...]
    dispersed: RankedShares = field(repr=False, metadata={"plain": False})
    hidden_whale: RankedShares = field(repr=False, metadata={"plain": False})
    unlabelled: npt.NDArray[np.bool_] = field(repr=False, metadata={"plain": False})

    def top_share(self, k: int) -> Bounded:
        """Share of the ``k`` largest holders."""
        return _between(measures.top_share(self.dispersed, k), measures.top_share(self.hidden_whale, k))

    @property
    def is_known(self) -> bool:
        """False if the list shows next to nothing of the supply, so that it says no more than no list."""
        return 1.0 - self.control.unlisted >= LEAST_LISTED

    def has(self, kind: HolderFindingKind) -> bool:
        """Return whether there is a finding of a kind."""
        return any(finding.kind is kind for finding in self.findings)

    def to_frame(
        self, table: Literal["measures", "control", "excluded", "clusters", "findings"] = "measures"
    ) -> pd.DataFrame:
        """Return one table of the measures as a data frame.

        Parameters
        ----------
        table : {"measures", "control", "excluded", "clusters", "findings"}
            Measures with their bounds; shares of the supply by who controls them; addresses that are not single
            holders, with the reason; addresses that seem to belong to one hand; irregularities of the list.

        Raises
        ------
        InvalidTermsError
            If there is no such table.
        """
        require_table(table, ("measures", "control", "excluded", "clusters", "findings"))
        if table == "measures":
            return pd.DataFrame(
                [(name, getattr(self, name).lower, getattr(self, name).upper) for name in _MEASURES],
                columns=["measure", "lower", "upper"],
            ).set_index("measure")
        if table == "control":
            parts = {name: getattr(self.control, name) for name in CONTROL}
            return pd.DataFrame({"share": parts}).rename_axis("owner")
        if table == "clusters":
            found = [
                (each.addresses, each.balance, " and ".join(each.reasons), each.confidence) for each in self.clusters
            ]
            return pd.DataFrame(found, columns=["addresses", "balance", "reasons", "confidence"])
        if table == "excluded":
            rows = [(each.address, each.balance, each.category.value, each.reason) for each in self.excluded]
            return pd.DataFrame(rows, columns=["address", "balance", "category", "reason"])
        return pd.DataFrame([(each.kind.name, each.message) for each in self.findings], columns=["kind", "message"])

    def plot(self, axes: "Axes | None" = None) -> "Axes":
        """Draw the share of the largest holders by their number, between its bounds.

        Parameters
        ----------
        axes : Axes, optional
            Axes of matplotlib to draw on; by default those of a new picture.
        """
        axes = drawing.new_axes(axes, _HEIGHT)
        counts = np.unique(np.geomspace(1, max(10, len(self.dispersed.listed)), 80).round().astype(int))
        shares = [self.top_share(int(count)) for count in counts]
        lower, upper = (100 * np.array([getattr(share, end) for share in shares]) for end in ("lower", "upper"))
        drawing.banded(axes, counts, upper, (lower, upper), style=0, name="share of the largest holders")
        axes.axhline(50.0, color=drawing.GREY, linewidth=0.9, linestyle=(0, (4, 2)))
        axes.set(xscale="log", xlim=(counts[0], counts[-1]), ylim=(0.0, 104.0))
        drawing.plain_numbers(axes.xaxis, (1.0, 2.0, 5.0))
        drawing.plain(axes)
        drawing.label(
            axes,
            across="number of largest holders (band: bounds of their share; dashes: half)",
            up="share of the float, %",
        )
        return axes

    def _repr_html_(self) -> str:
        rows = [
            (heading, meaning, getattr(self, name).describe(form))
            for name, (heading, meaning, form) in _MEASURES.items()
        ]
        return write_html(
            "Concentration of holders",
            Table(rows=rows, headings=("Measure", "Meaning", "Value or bounds"), n_texts=2),
            Table(rows=[(each.message,) for each in self.findings], caption="Findings in the list"),
            notes=[
                f"Of the float of {self.float:,.0f} tokens; the list covers {self.listed_share:.1%} of it. "
                f"{len(self.excluded):,} addresses are not single holders: to_frame('excluded')."
            ],
        )


#: Heading, meaning and format of the measures, in the order of tables.
_MEASURES = {
    "hhi": ("HHI", "sum of squared shares", ".4f"),
    "stress_hhi": (
        "HHI under stress",
        f"the same if one holder owns {HIDDEN_WHALE_STRESS:.0%} of pooled tokens",
        ".4f",
    ),
    "effective_holders": ("Effective holders", "number of equal holders with the same index", ",.1f"),
    "top1": ("Top 1", "share of the largest holder", ".1%"),
    "top10": ("Top 10", "share of the ten largest", ".1%"),
    "nakamoto": ("Nakamoto number", "fewest holders with more than half", ",.0f"),
    "overhang": ("Overhang", "tokens that the ten largest sellers could sell in 30 days", ",.0f"),
    "gini": ("Gini coefficient", "inequality of single holders, for display only", ".3f"),
}
#: Parts of the supply by who controls them.
CONTROL = ("insiders", "unknown", "unlisted", "large", "small", "customers", "code", "still")
#: Height of a picture in inches.
_HEIGHT = 3.2


def concentration(
    holders: pd.DataFrame,
    *,
    supply: float | None = None,
    labels: Labels | None = None,
    entities: Entities | None = None,
    n_holders: int | None = None,
    burn_addresses: frozenset[str] = frozenset(),
    circulating: float | None = None,
    as_of: datetime | None = None,
    before: Control | None = None,
) -> Concentration:
    """Measure the concentration of a token's largest holders.

    Parameters
    ----------
    holders : DataFrame
        Columns ``address``, ``balance`` in tokens and, optionally, ``label`` (a category) and ``entity`` (a name that
        addresses of one owner share): the largest holders, in any order. Instead of ``balance`` it may have ``share``,
        a fraction of the supply.
    supply : float, optional
        Number of tokens in existence, including burnt ones. By default the listed total, with a finding; for shares
        it is 1.
    labels : mapping or Series, optional
        Category by address: exchange, bridge, staking, pool, locked, treasury, contract, burn or holder.
    entities : mapping or Series, optional
        Name of the owner by address: balances of one entity in one category count as one holder.
    n_holders : int, optional
        Number of entities with a balance, listed or not; it narrows the bounds.
    burn_addresses : frozenset of str, optional
        Addresses that count as burnt unless labelled otherwise, such as ``BURN_ADDRESSES``. By default no address does,
        and a finding names the well-known burn addresses on the list.
    circulating : float, optional
        Number of tokens in circulation, in the unit of `supply`.
    as_of : datetime, optional
        Time of the list, by which first appearances and locks are judged.
    before : Control, optional
        ``.control`` some days before: what exchanges have received since counts as if it had not moved.

    Raises
    ------
    DataError
        If a row is invalid or a sum, the listed balances exceed the supply, or nothing is left in the float.

    Examples
    --------
    >>> holders = pd.DataFrame({"address": ["a", "b"], "balance": [60.0, 20.0]})
    >>> measured = concentration(holders, supply=100.0)
    >>> round(measured.hhi.lower, 12), round(measured.hhi.upper, 12), measured.nakamoto.value
    (0.4, 0.44, 1.0)
    """
    checked = read_holders(holders, labels, burn_addresses, entities, as_of)
    frame, findings = checked.frame, checked.findings
    if holds_shares(holders):
        findings += _share_findings(supply)
        supply = 1.0 if supply is None else supply
        frame["balance"] *= supply
    listed = math.fsum(frame["balance"])
    issued = _issued(supply, listed)
    existing = issued - _sum(frame, frozenset({Category.BURN}))
    tradable = existing - _sum(frame, OUT_OF_FLOAT)
    if tradable <= SUPPLY_TOLERANCE * issued:
        raise DataError(f"holders must leave a float, got {tradable:g} of {issued:g} tokens after all exclusions")
    single = frame["category"].isin(list(SINGLE))
    dispersed = RankedShares(
        listed=frame.loc[single, "balance"].to_numpy() / tradable,
        rest=max(0.0, issued - listed) / tradable,
        largest_unlisted=float(frame["balance"].min()) / tradable,
        n_unlisted=None if n_holders is None else n_holders - len(frame),
    )
    pooled = _sum(frame, POOLED) / tradable
    whale = dispersed.with_holders(HIDDEN_WHALE * pooled)
    hhi = _between(measures.herfindahl(dispersed), measures.herfindahl(whale))
    control = measure_control(
        frame,
        issued=issued,
        existing=existing,
        circulating=circulating,
        before=before,
    )
    return Concentration(
        hhi=hhi,
        stress_hhi=measures.herfindahl(dispersed.with_holders(HIDDEN_WHALE_STRESS * pooled)),
        effective_holders=_effective_holders(hhi),
        top1=_between(measures.top_share(dispersed, 1), measures.top_share(whale, 1)),
        top10=_between(measures.top_share(dispersed, 10), measures.top_share(whale, 10)),
        nakamoto=_between(measures.nakamoto(whale), measures.nakamoto(dispersed), prudent="lower"),
        overhang=_overhang(dispersed, whale, frame, tradable),
        gini=_gini_of_singles(dispersed, 1.0 - pooled),
        pooled=pooled,
        supply=existing,
        float=tradable,
        listed_share=1.0 - dispersed.rest,
        control=control,
        largest=_largest(frame),
        excluded=_excluded(frame),
        clusters=checked.clusters,
        findings=findings + _supply_findings(supply, listed, dispersed, control),
        dispersed=dispersed,
        hidden_whale=whale,
        unlabelled=frame.loc[single, "unlabelled"].to_numpy(dtype=bool),
    )


def _issued(supply: float | None, listed: float) -> float:
    if supply is None:
        return listed
    if not 0.0 < supply < math.inf:
        raise DataError(f"supply must be positive and finite, got {supply}")
    if listed > supply * (1.0 + SUPPLY_TOLERANCE):
        slip = unit_slip("balances", listed / supply) or (
            "a rebasing token, a stale supply, or the circulating supply although locked tokens are listed"
        )
        raise DataError(f"supply must cover the listed balances, got {supply:g} against {listed:g} ({slip})")
    return supply


def _gini_of_singles(dispersed: RankedShares, single: float) -> Bounded:
    if single <= measures.ROUNDING:
        return Bounded(lower=0.0, upper=1.0)  # everything is pooled: nothing is known about single holders
    return measures.gini(dispersed.of(single))


def _overhang(dispersed: RankedShares, whale: RankedShares, frame: pd.DataFrame, tradable: float) -> Bounded:
    treasuries = frame.loc[frame["category"] == Category.TREASURY, "balance"].to_numpy()
    sellable = TREASURY_DISCRETION * treasuries / tradable
    shares = _between(
        measures.top_share(dispersed.with_holders(*sellable), 10), measures.top_share(whale.with_holders(*sellable), 10)
    )
    return Bounded(lower=shares.lower * tradable, upper=shares.upper * tradable)


def _between(lowest: Bounded, highest: Bounded, prudent: str = "upper") -> Bounded:
    # a whale the size of dust changes the order of a sum, and with it the last digit
    return Bounded(lower=lowest.lower, upper=max(lowest.lower, highest.upper), prudent=prudent)


def _effective_holders(hhi: Bounded) -> Bounded:
    upper = 1.0 / hhi.lower if hhi.lower > 0.0 else math.inf
    return Bounded(lower=1.0 / hhi.upper, upper=upper, prudent="lower")


def _sum(frame: pd.DataFrame, categories: frozenset[Category]) -> float:
    return math.fsum(frame.loc[frame["category"].isin(categories), "balance"])


def _largest(frame: pd.DataFrame) -> Hand | None:
    own = frame[frame["category"].isin(list(INSIDERS | SINGLE)) & ~frame["still"]]
    by_hand = own.groupby("hand")["balance"].sum()
    if by_hand.empty:
        return None
    return Hand(name=str(by_hand.idxmax()), balance=float(by_hand.max()))


def _excluded(frame: pd.DataFrame) -> tuple[Excluded, ...]:
    rows = zip(frame["address"], frame["balance"], frame["category"], strict=True)
    return tuple(
        Excluded(address=address, balance=float(balance), category=category, reason=_reason(category))
        for address, balance, category in rows
        if category not in SINGLE
    )


def _reason(category: Category) -> str:
    if category is Category.BURN:
        return "burnt: out of the supply"
    if category in OUT_OF_FLOAT:
        return f"{category.value}: out of the float"
    return (
        f"{category.value}: held for customers, all small in the lower bound, one with {HIDDEN_WHALE:.0%} in the upper"
    )


def _supply_findings(
    supply: float | None, listed: float, dispersed: RankedShares, control: Control
) -> tuple[HolderFinding, ...]:
    findings = []
    if looks_like_smallest_units(listed):
        message = f"the list holds {listed:g}; divide balances and supply by 10^decimals of the token"
        findings.append(HolderFinding(kind=HolderFindingKind.SMALLEST_UNITS, message=message))
    if supply is None:
        findings.append(HolderFinding(kind=HolderFindingKind.SUPPLY_UNKNOWN, message="shares are of the listed total"))
    elif 1.0 - control.unlisted < LEAST_LISTED:
        slip = unit_slip("supply", supply / listed)
        message = f"{1.0 - control.unlisted:.2%} of the supply, {listed:g} of {supply:g} tokens"
        message += f" ({slip})" if slip else ""
        findings.append(HolderFinding(kind=HolderFindingKind.NEXT_TO_NOTHING, message=message))
    elif dispersed.rest > measures.ROUNDING:
        message = f"{dispersed.rest:.2%} of the float is held by addresses that are not listed"
        findings.append(HolderFinding(kind=HolderFindingKind.LIST_CUT, message=message))
    return tuple(findings)


def _share_findings(supply: float | None) -> tuple[HolderFinding, ...]:
    if supply is not None:
        return ()
    return (HolderFinding(kind=HolderFindingKind.SHARES_ONLY, message="give the supply for amounts in tokens"),)
