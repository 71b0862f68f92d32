"""Forms of holder lists that explorers and data providers give, recognised by the names of their columns.

Names are without capitals, blanks and punctuation, as of ``squeezed``.
"""

from dataclasses import dataclass

from calibration.holders.columns import COLUMN_NAMES

#: Columns of ours: an address, a balance or a share, and what is known about the address.
OURS = ("address", "balance", "share", "label", "entity", "name", "first_seen", "funded_by", "locked_until")
#: Those of them that say something about an address.
ABOUT = OURS[3:]


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderFormat:
    """One form of a holder list.

    Parameters
    ----------
    name : str
        Source.
    address, balance : str
        Their columns.
    decimals : str
        Their column of decimals, if balances are in the smallest unit of the token.
    """

    name: str
    address: str
    balance: str
    decimals: str = ""

    def matches(self, names: set[str]) -> bool:
        """Return whether a file has all columns of the form."""
        return {each for columns in self.names.values() for each in columns} <= names

    @property
    def names(self) -> dict[str, tuple[str, ...]]:
        """Their names by column of ours."""
        names: dict[str, tuple[str, ...]] = {"address": (self.address,), "balance": (self.balance,)}
        return names | ({"decimals": (self.decimals,)} if self.decimals else {})


#: The first one that matches counts.
HOLDER_FORMATS = (
    HolderFormat(name="Covalent or GoldRush", address="address", balance="balance", decimals="contractdecimals"),
    HolderFormat(name="Blockscout interface", address="addresshash", balance="value", decimals="tokendecimals"),
    HolderFormat(name="Moralis", address="owneraddress", balance="balanceformatted"),
    HolderFormat(name="Solana interface", address="address", balance="uiamountstring"),
    HolderFormat(name="Solscan interface", address="owner", balance="amount", decimals="decimals"),
    HolderFormat(name="Solscan export", address="account", balance="quantity"),
    HolderFormat(name="Nansen", address="address", balance="tokenamount"),
    HolderFormat(name="export of Etherscan, BscScan or Blockscout", address="holderaddress", balance="balance"),
    HolderFormat(name="table of an explorer", address="address", balance="quantity"),
)
#: Names in any other file, such as the result of a query; the first one in the file counts.
ANY_NAMES: dict[str, tuple[str, ...]] = {
    "address": ("address", "holderaddress", "holder", "walletaddress", "wallet", "owneraddress", "account", "owner"),
    "balance": ("balance", "tokenbalance", "quantity", "amount", "tokens", "holding", "holdings"),
    "share": ("share", "percentage", "percent", "pct", "shareofsupply", "percentageofsupply", "ownershippercentage"),
    **{name: COLUMN_NAMES[name] for name in ABOUT},
}
