"""How the rates of covers moved since another run."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from pricing.units import format_duration

#: As many changes are kept.
MOST_CHANGES = 20

_TERMS = ("asset", "drop", "window", "reference", "payout", "term", "waiting_period")


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverChange:
    """A cover whose rate moved.

    Parameters
    ----------
    cover_id, asset : str
        Which.
    before, after : float
        Both rates on line.
    drop : float
        Fall that fires it.
    window, term : str
        How it is observed.
    same_terms : bool
        Whether its terms are those of the run before.
    calibration_before, calibration_after : str
        Identities of both calibrations.
    """

    cover_id: str
    asset: str
    before: float
    after: float
    drop: float
    window: str
    term: str
    same_terms: bool
    calibration_before: str
    calibration_after: str

    @property
    def log_ratio(self) -> float:
        """Log of the ratio of both rates."""
        return math.log(self.after / self.before)


def matched(now: pd.DataFrame, before: pd.DataFrame | None) -> pd.DataFrame:
    """Put covers beside themselves in another run.

    Parameters
    ----------
    now, before : DataFrame
        Priced covers on one asset, one row a cover; None where there was no other run.

    Returns
    -------
    DataFrame
        Covers that have a price in both, in the order of `now`; the columns of `before` end in ``_before``.
    """
    if before is None:
        return now.iloc[:0].assign(premium_before=0.0, rate_on_line_before=0.0)
    priced = [
        frame[frame["premium"].notna()].assign(cover_id=frame["cover_id"].astype("str")) for frame in (now, before)
    ]
    return priced[0].merge(priced[1], on="cover_id", suffixes=("", "_before"), validate="one_to_one")


def changes_of(covers: pd.DataFrame) -> list[CoverChange]:
    """Return the largest changes among matched covers, the largest first.

    They are measured in points of the rate on line: relative changes are largest where rates are small, and there they
    are the noise of the simulation.
    """
    moves = np.abs(covers["rate_on_line"].to_numpy() - covers["rate_on_line_before"].to_numpy())
    order = np.lexsort((covers["cover_id"].to_numpy(dtype=object), -moves))[:MOST_CHANGES]
    return [_change(covers.iloc[place]) for place in order.tolist() if moves[place] > 0.0]


def largest(changes: Iterable[CoverChange]) -> list[CoverChange]:
    """Return the largest of many changes, the largest first."""
    return sorted(changes, key=lambda each: (-abs(each.after - each.before), each.asset, each.cover_id))[:MOST_CHANGES]


def _change(row: pd.Series) -> CoverChange:
    return CoverChange(
        cover_id=row["cover_id"],
        asset=row["asset"],
        before=float(row["rate_on_line_before"]),
        after=float(row["rate_on_line"]),
        drop=float(row["drop"]),
        window=_text(row["window"]),
        term=_text(row["term"]),
        same_terms=all(_text(row[name]) == _text(row[f"{name}_before"]) for name in _TERMS),
        calibration_before=row["calibration_id_before"],
        calibration_after=row["calibration_id"],
    )


def _text(cell: Any) -> str:
    if pd.isna(cell):
        return ""
    return format_duration(cell) if isinstance(cell, timedelta) else str(cell)
