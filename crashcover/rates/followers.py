"""Tokens of a night that follow another price: pegged ones whose class is stated, and wrapped ones, which are refused.

Whether a token is pegged shows in its own prices, so ``calibrate`` refuses it. Whether it follows another token shows
in the prices of both, and a night is where they meet.
"""

from collections.abc import Hashable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from calibration.pegs.recognise import daily_log_prices, find_wrapped
from crashcover.files.pegs import read_pegs
from crashcover.files.tables import some
from crashcover.rates.night import Night, read_closes


def without_followers(night: Night, pegs: Path | None) -> Night:
    """Add the classes of pegged tokens to a night, and refuse the wrapped tokens.

    Parameters
    ----------
    night : Night
        The tokens to rate.
    pegs : Path, optional
        A file of the classes of pegged tokens.

    Raises
    ------
    DataError
        If the file is wrong.
    """
    stated = read_pegs(pegs) if pegs else {}
    wrapped = {asset: slip for asset, slip in _wrapped(night).items() if asset not in stated}
    unknown = sorted({*stated} - {*night.prices, *night.unreadable})
    notices = (f"{pegs}: there are no prices for {some(unknown)}",) if unknown else ()
    return replace(
        night,
        prices={asset: path for asset, path in night.prices.items() if asset not in wrapped},
        pegs={asset: peg for asset, peg in stated.items() if asset in night.prices},
        refused=wrapped,
        notices=(*night.notices, *notices),
    )


def _wrapped(night: Night) -> dict[str, str]:
    known = dict(_known_closes(night))
    if not known:
        return {}
    daily = {asset: daily_log_prices(closes, end=pd.Timestamp(night.as_of)) for asset, closes in known.items()}
    begins: dict[Hashable, pd.Timestamp] = {asset: closes.index[0] for asset, closes in known.items()}
    return {
        str(asset): f"prices must not follow another token: {reason}"
        for asset, reason in find_wrapped(pd.DataFrame(daily), begins).items()
    }


def _known_closes(night: Night) -> Iterator[tuple[str, pd.Series]]:
    """Yield the closes of each token as far as they are prices; what is wrong with others is found by their tasks."""
    for asset, path in night.prices.items():
        closes = read_closes(path)
        closes = closes[(closes > 0.0) & np.isfinite(closes) & (closes.index <= night.as_of)]
        closes = closes[~closes.index.duplicated()].sort_index()
        if len(closes):
            yield asset, closes
