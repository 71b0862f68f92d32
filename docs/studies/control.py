"""Measure control of published tokens: references of the factor, and the table in docs/concentration.md.

Usage: ``CRASHCOVER_DATA=folder python -m docs.studies.control``
"""

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

from calibration import Concentration, concentration, hazard_factor
from calibration.hazard.factor import CONTROL_CAPS
from calibration.hazard.overhang import SEEN
from calibration.hazard.published import CIRCULATING
from calibration.hazard.slopes import SLOPES
from calibration.holders.control import Control
from calibration.holders.lists import BURN_ADDRESSES
from docs.studies.blocks import markdown_table, write_block
from docs.studies.panel import DATA

HOLDERS = DATA / "holders"
#: Old tokens that were migrated: nearly all of their supply is in one contract, which the sources do not classify.
MIGRATED = {"MPL", "RENDER_SOL", "RNDR_ETH", "SYRUP"}
#: A list that shows less of the supply than this says too little to be a reference.
LEAST_SHOWN = 0.5
LABELS = {"insider": "team", "exchange": "exchange", "contract": "contract"}
#: Label of an excluded address by words in the reason; the first that is found counts.
REASONS = {
    "exchange": "exchange",
    "burn": "burn",
    "staking|staked|stakers": "staking",
    "bridge|gateway": "bridge",
    "lending": "pool",
    "foundation|treasury|vesting|multisig|gnosis|grants|reserve|investor|council|executor|timelock|rewards|unminted": (
        "treasury"
    ),
}


def published_lists() -> Iterator[tuple[str, Concentration]]:
    """Yield each published token with its holders, labelled as the sources classify them."""
    lists = pd.read_csv(HOLDERS / "top_holders_2026q1_zukowski.csv.gz")
    supplies, labels = _supplies().reindex(lists["list"].unique()), _labels()
    for token, rows in lists.groupby("list"):
        if token in MIGRATED:
            continue
        listed = float(rows["balance"].sum())
        total, circulating = supplies.loc[token, ["total_supply", "circulating_supply"]]
        agrees = total >= listed  # otherwise the two sources mean different units or tokens
        yield (
            str(token),
            concentration(
                rows[["address", "balance"]],
                supply=float(total) if agrees else listed,
                circulating=float(circulating) if agrees and 0.0 < circulating <= total else None,
                labels={
                    address: labels[token, address.lower()]
                    for address in rows["address"]
                    if (token, address.lower()) in labels
                },
                burn_addresses=BURN_ADDRESSES,
            ),
        )


def _labels() -> dict[tuple[str, str], str]:
    """Return labels by token and address in lower case, which is how the sources write even base58."""
    classified = pd.read_csv(HOLDERS / "zukowski_insider_classification.csv")
    excluded = pd.read_csv(HOLDERS / "zukowski_exclusions_log.csv")
    labels = {
        (token, address.lower()): LABELS[kind]
        for token, address, kind in classified[["token", "address", "final_classification"]].itertuples(index=False)
        if kind in LABELS
    }
    for token, address, identity, reason in excluded[["token", "address", "identity", "exclusion_reason"]].itertuples(
        index=False
    ):
        labels[token, address.lower()] = _label(f"{identity} {reason}")
    return labels


def _label(text: str) -> str:
    return next((label for words, label in REASONS.items() if re.search(words, text, re.IGNORECASE)), "contract")


def references(held: dict[str, Concentration]) -> tuple[float, float, float, pd.Series]:
    """Return the typical controlled share, the median score, the weight of unlisted tokens, and the scores.

    They depend on each other: the weight is such that a list that shows nothing has the mean factor, and the typical
    share is the median of shares that contain it.
    """
    shown = {token: each for token, each in held.items() if each.control.unlisted <= 1.0 - LEAST_SHOWN}
    slope, unlisted = SLOPES["control"].mean, 0.5
    for _ in range(500):
        shares = {token: each.control.share(unlisted=unlisted) for token, each in shown.items()}
        typical = float(np.median(list(shares.values())))
        free = pd.Series({token: _score(shown[token].control, shares[token], typical) for token in shown})
        median = float(free.median())
        evidence = pd.Series({token: each.control.evidence for token, each in shown.items()})
        scores = (free - median).where(free > median, (free - median) * evidence)
        mean = float(np.exp(slope * scores).clip(*CONTROL_CAPS).mean())
        odds = mean ** (1.0 / slope) * np.exp(median) * typical / (1.0 - typical)
        unlisted = 0.5 * (unlisted + odds / (1.0 + odds))
    return typical, median, unlisted, scores.sort_values()


def _score(control: Control, share: float, typical: float) -> float:
    """Return the score of control by hand, before the median is subtracted, and as if owners were shown to be many."""
    others = max(1e-9, 1.0 - share - control.still) / (1.0 - typical)
    bears = min(control.circulating / CIRCULATING, others)
    return float(np.log(share / typical) - np.log(bears) + SEEN * control.seen)


def circulating_shares() -> pd.Series:
    """Return the circulating over the total supply of the published tokens that state both."""
    return _supplies()["circ_to_total_ratio"].loc[lambda ratio: ratio > 0.0]


def _supplies() -> pd.DataFrame:
    return pd.read_csv(HOLDERS / "zukowski_coingecko_market.csv").set_index("token")


def main() -> None:
    """Print the references, and write the table."""
    held = dict(published_lists())
    typical, median, unlisted, scores = references(held)
    print(f"CONTROLLED = {typical:.3f}\nTYPICAL = {median:.3f}\nUNLISTED = {unlisted:.3f}")
    print(f"CIRCULATING = {circulating_shares().median():.3f}")
    print(f"SCORES = ({', '.join(f'{score:.2f}' for score in scores)})")
    factors = {token: hazard_factor(concentration=held[token]) for token in held}
    rows = [
        (
            token,
            *(f"{100 * getattr(held[token].control, name):.0f}" for name in PARTS),
            f"{100 * held[token].control.circulating:.0f}" if held[token].control.circulating < 1.0 else "–",
            f"{factors[token].value:.2f} [{factors[token].lower:.2f}, {factors[token].upper:.2f}]",
        )
        for token in sorted(held, key=lambda each: factors[each].value)
    ]
    head = ("token", *PARTS, "circulating", "factor [90 %]")
    write_block("concentration.md", "published", markdown_table(head, rows))
    write_block("concentration.md", "sensitivity", _sensitivity(scores))


def _sensitivity(scores: pd.Series) -> str:
    """Return the mean factor, and the factor on the rate at the cap, for other slopes and caps."""
    rows = []
    for slope in (0.15, 0.26, 0.3, 0.5):
        means = [float(np.exp(slope * scores).clip(CONTROL_CAPS[0], cap).mean()) for cap in CAPS]
        rows.append((f"{slope:g}", *(f"{mean:.2f}; {cap / mean:.2f}" for mean, cap in zip(means, CAPS, strict=True))))
    return markdown_table(("slope", *(f"cap {cap:g}" for cap in CAPS)), rows)


CAPS = (2.0, 3.0, 5.0)
PARTS = ("insiders", "unknown", "unlisted", "customers", "code")

if __name__ == "__main__":
    main()
