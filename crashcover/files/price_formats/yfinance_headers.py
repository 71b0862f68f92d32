"""The three rows above the prices of a file that yfinance's download has written."""

from pathlib import Path

import pandas as pd

from crashcover.files.tables import require_different_names


def unfold(cells: pd.DataFrame, path: Path) -> pd.DataFrame | None:
    """Return one row per token and time, or None if the file does not begin with Price, Ticker and Date.

    Raises
    ------
    DataError
        If a token has two columns of one name, or the times have the name of another column.
    """
    if len(cells) < 3 or cells.iloc[:3, 0].fillna("").tolist()[:2] != ["Price", "Ticker"]:
        return None
    date = cells.iloc[2, 0]
    fields, tickers, body = cells.iloc[0, 1:], cells.iloc[1, 1:], cells.iloc[3:].dropna(how="all")
    parts = []
    for ticker in tickers.dropna().unique():
        columns = tickers.index[tickers == ticker]
        names = [str(name) for name in fields[columns]]
        require_different_names([str(date), *names, "Ticker"], path)
        part = body[columns].set_axis(names, axis="columns").assign(Ticker=ticker)
        part.insert(0, str(date), body[0])
        parts.append(part)
    return pd.concat(parts) if parts else None
