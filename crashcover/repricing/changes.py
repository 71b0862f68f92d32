"""Changes of the rates of covers since another run."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pricing.tools.units import format_duration

#: Number of changes that are kept.
MOST_CHANGES = 20

#: Relative tolerance: another limit changes the last bits of a rate.
_ROUNDING = 1e-12

_TERMS = ("drop", "window", "reference", "payout", "term", "waiting_period")
_FIGURES = ("limit", "currency", "premium", "rate_on_line", "calibration_id")
#: Columns of priced covers that a comparison uses.
COMPARED = ("cover_id", *_TERMS, *_FIGURES)
#: Those of them that are numbers.
COMPARED_NUMBERS = tuple(name for name in COMPARED if name in ("drop", "limit", "premium", "rate_on_line"))


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverChange:
    """A cover whose rate moved.

    Parameters
    ----------
    cover_id, asset : str
        Cover and asset.
    before, after : float
        Previous and current rate on line.
    drop : float
        Drop that fires the trigger.
    window, term : str
        Observation of the drop.
    same_terms : bool
        Whether its terms are the same as in the previous run.
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


def matched(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Join covers with the same covers in another run.

    Parameters
    ----------
    now, before : DataFrame
        Priced covers on one asset with the columns ``COMPARED``, one row per cover; `before` has no rows if there was
        no other run.

    Returns
    -------
    DataFrame
        Covers priced in both, in the order of `now`; the columns of `before` end in ``_before``. Two more columns
        say whether a cover has the same terms, and whether its limit and currency are also the same.
    """
    covers = _with_price(now).merge(_with_price(before), on="cover_id", suffixes=("", "_before"), validate="one_to_one")
    has_same_terms = np.logical_and.reduce([_is_same(covers, name) for name in _TERMS])
    is_same = has_same_terms & _is_same(covers, "limit") & _is_same(covers, "currency")
    return covers.assign(same_terms=has_same_terms, same_cover=is_same)


def _with_price(covers: pd.DataFrame) -> pd.DataFrame:
    return covers.loc[covers["premium"].notna()].filter(COMPARED).astype({"cover_id": "str"})


def _is_same(covers: pd.DataFrame, name: str) -> npt.NDArray[np.bool_]:
    now, before = covers[name], covers[f"{name}_before"]
    if name in ("drop", "limit"):
        return np.asarray(now == before)
    return np.asarray(_texts(now) == _texts(before))


def _texts(cells: pd.Series) -> npt.NDArray[np.object_]:
    """Convert each distinct cell to text, because one run may hold durations and the other texts."""
    codes, kinds = pd.factorize(cells, use_na_sentinel=False)
    return np.array([_text(kind) for kind in kinds], dtype=object)[codes]


def changes_of(asset: str, covers: pd.DataFrame) -> list[CoverChange]:
    """Return the largest changes among matched covers on an asset, in descending order.

    They are measured in points of the rate on line: relative changes are largest for small rates, where they
    are mostly noise of the simulation.
    """
    moves = np.abs(covers["rate_on_line"].to_numpy() - covers["rate_on_line_before"].to_numpy())
    order = np.lexsort((covers["cover_id"].to_numpy(dtype=object), -moves))[:MOST_CHANGES]
    return [_change(asset, covers.iloc[place]) for place in order.tolist() if moves[place] > _ROUNDING]


def largest(changes: Iterable[CoverChange]) -> list[CoverChange]:
    """Return the largest of many changes, in descending order."""
    return sorted(changes, key=lambda each: (-abs(each.after - each.before), each.asset, each.cover_id))[:MOST_CHANGES]


def _change(asset: str, row: pd.Series) -> CoverChange:
    return CoverChange(
        cover_id=row["cover_id"],
        asset=asset,
        before=float(row["rate_on_line_before"]),
        after=float(row["rate_on_line"]),
        drop=float(row["drop"]),
        window=_text(row["window"]),
        term=_text(row["term"]),
        same_terms=bool(row["same_terms"]),
        calibration_before=row["calibration_id_before"],
        calibration_after=row["calibration_id"],
    )


def _text(cell: Any) -> str:
    if pd.isna(cell):
        return ""
    return format_duration(cell) if isinstance(cell, timedelta) else str(cell)
