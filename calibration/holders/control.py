"""The part of a supply that few hands control, or may control for all that a list shows.

What is not shown to be independent counts as controlled: a wallet costs nothing, so the number and the size of wallets
prove nothing. Tokens of exchanges, pools and contracts belong to many customers, of whom one may be large. What nobody
has listed, and dust, counts as in an ordinary token. Shares are of the supply without burnt tokens.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from calibration.holders.lists import PUBLIC, Category
from pricing.errors import DataError
from pricing.tools.arrays import FloatArray
from pricing.tools.fields import require_kind

#: Share of all tokens held for others that one hidden customer owns: base case and stress. Judgement: before the fall
#: of OM in April 2025, 84 million tokens left one exchange for 26 new wallets.
HIDDEN_WHALE, HIDDEN_WHALE_STRESS = 0.10, 0.35
#: Share of the supply below which a wallet is dust. A hundred times smaller than the smallest piece into which a
#: position can be split without losing more than a hundredth of its weight.
DUST = 1e-6
#: An independent holder of this share of the supply moves a market alone; a larger one counts beyond it. Judgement.
ALONE = 0.005

#: A circulating supply may exceed the supply by this relative rounding error.
ROUNDING = 1e-6

INSIDERS = frozenset({Category.TEAM, Category.TREASURY, Category.LOCKED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """Shares of the supply by who controls them. They add to 1.

    Parameters
    ----------
    insiders : float
        Team, treasury, and locked tokens unless they are still.
    unknown : float
        Listed wallets without evidence that their owners are independent.
    unlisted : float
        Everything that is not on the list.
    large, small : float
        Independent holders: what each has beyond half a per cent of the supply, and the remainder.
    customers : float
        Tokens on exchanges, which belong to customers.
    code : float
        Tokens in pools, bridges, staking and other contracts, which belong to their users.
    still : float
        Tokens in locks that outlast the longest term.
    dust : float
        Part of `unknown` whose weight is that of unlisted tokens.
    alone, apart : float
        Part of `unknown` that its hands, and that its wallets, have beyond half a per cent of the supply each. Hands
        are wallets that seem to belong together.
    deposited : float
        Part of `customers` that has come from other hands since an earlier list; it counts as if it had not moved.
    circulating : float
        Circulating supply as far as it is stated, else 1.
    """

    insiders: float
    unknown: float
    unlisted: float
    large: float
    small: float
    customers: float
    code: float
    still: float
    dust: float
    alone: float
    apart: float
    deposited: float = 0.0
    circulating: float = 1.0

    def share(self, *, unlisted: float) -> float:
        """Return the share of the supply that counts as controlled.

        Parameters
        ----------
        unlisted : float
            Share of what is not listed, and of dust, that counts as controlled.
        """
        return self._sum(unlisted, HIDDEN_WHALE)

    @property
    def least(self) -> float:
        """Controlled share if every unknown wallet is independent and nothing is hidden."""
        return min(1.0, self.insiders + self.large + self.alone + self.deposited)

    @property
    def seen(self) -> float:
        """Share in large hands, wallet by wallet: a transfer that hid which wallets belong together would lower it."""
        return min(1.0, self.insiders + self.large + self.apart + self.deposited)

    @property
    def most(self) -> float:
        """Controlled share if nothing unknown is independent, with one large customer."""
        return self._sum(1.0, HIDDEN_WHALE_STRESS)

    @property
    def evidence(self) -> float:
        """Share of the supply that is shown to belong to many: code and small independent holders."""
        return self.code + self.small

    def _sum(self, unlisted: float, whale: float) -> float:
        doubtful = self.unknown - (1.0 - unlisted) * self.dust + unlisted * self.unlisted
        moved = (1.0 - whale) * self.deposited
        return min(1.0, self.insiders + self.large + doubtful + whale * (self.customers + self.code) + moved)


def measure_control(
    frame: pd.DataFrame,
    *,
    issued: float,
    existing: float,
    circulating: float | None = None,
    before: Control | None = None,
) -> Control:
    """Measure who controls a supply.

    Parameters
    ----------
    frame : DataFrame
        Holders as ``read_holders`` gives them.
    issued, existing : float
        Supply with burnt tokens, and without them.
    circulating : float, optional
        Circulating supply; by default everything that is not controlled circulates.
    before : Control, optional
        An earlier measurement: what exchanges hold more than then counts as deposited by those who sell next.

    Raises
    ------
    DataError
        If the circulating supply is not between 0 and the supply, or the earlier measurement is none.
    """
    require_kind(before, "before", Control | None, DataError)
    shares = frame["balance"].to_numpy() / existing
    categories, still = frame["category"], frame["still"].to_numpy(dtype=bool)

    def held(names: Iterable[Category]) -> FloatArray:
        chosen: FloatArray = shares[categories.isin(list(names)).to_numpy() & ~still]
        return chosen

    unknown, independent = held([Category.HOLDER]), held([Category.INDEPENDENT])
    in_doubt = (categories == Category.HOLDER).to_numpy()
    hands = pd.Series(shares[in_doubt]).groupby(frame.loc[in_doubt, "hand"].to_numpy()).sum().to_numpy()
    large = float(np.sum(np.maximum(0.0, independent - ALONE)))
    customers = float(np.sum(held([Category.EXCHANGE])))
    return Control(
        insiders=float(np.sum(held(INSIDERS))),
        unknown=float(np.sum(unknown)),
        unlisted=max(0.0, 1.0 - float(np.sum(shares[(categories != Category.BURN).to_numpy()]))),
        large=large,
        small=float(np.sum(independent)) - large,
        customers=customers,
        code=float(np.sum(held(PUBLIC - {Category.EXCHANGE, Category.BURN}))),
        still=float(np.sum(shares[still])),
        dust=float(np.sum(np.minimum(unknown, DUST))),
        alone=float(np.sum(np.maximum(0.0, hands - ALONE))),
        apart=float(np.sum(np.maximum(0.0, unknown - ALONE))),
        deposited=0.0 if before is None else max(0.0, customers - before.customers),
        circulating=1.0 if circulating is None else _circulating_share(circulating, issued, existing),
    )


def _circulating_share(circulating: float, issued: float, existing: float) -> float:
    if not 0.0 < circulating <= issued * (1.0 + ROUNDING):
        raise DataError(
            f"circulating must be positive and at most the supply of {issued:g}, got {circulating:g} (another unit, or "
            "a supply that is out of date?)"
        )
    return min(1.0, circulating / existing)
