"""Price histories of one token, from a file or from a folder of its months."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from calibration.prices.labels import Label
from crashcover.files.closes import read_file
from crashcover.files.months import read_months
from crashcover.files.reading import PriceReading
from crashcover.files.resampling import resample_closes
from pricing.tools.units import Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceHistory:
    """Closes of one token as in a file.

    Parameters
    ----------
    asset : str
        Name of the token.
    closes : Series of float
        Closes on a UTC DatetimeIndex, labelled by the close of the bar, in the order of the file.
    volumes : Series of float, optional
        Tokens traded in each bar of the file; None if it does not say so.
    notices : tuple of str
        Notices about assumptions and shifts.
    """

    asset: str
    closes: pd.Series = field(repr=False)
    volumes: pd.Series | None = field(default=None, repr=False)
    notices: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return the closes as a data frame with the column ``close``."""
        return self.closes.to_frame("close")


def read_prices(
    path: str | Path,
    *,
    asset: str | None = None,
    label: Label | None = None,
    format: str | None = None,  # noqa: A002  (the name of the option)
    columns: Mapping[str, str] | None = None,
    resample: Duration | None = None,
) -> PriceHistory:
    r"""Read the closes of one token, in any of the formats of docs/price-formats.md.

    Parameters
    ----------
    path : str or Path
        The file, or a folder of files that follow each other, such as the months that an exchange gives. The format of
        each is recognised by its columns, and a notice says which it is.
    asset : str, optional
        Token to choose; needed if the file holds several. It names the token if the file does not.
    label : {"open", "close"}, optional
        End of the bar that the time column labels; by default that of the format, or judged by names and opens.
    format : str, optional
        Name of the format, if it is not to be recognised.
    columns : mapping, optional
        Columns of the file by what they are (time, close, open, high, low, asset), such as
        ``{"time": "Date", "close": "Last"}``; columns of a file without a header are numbered from "1".
    resample : timedelta or str, optional
        Length of the bars to make of finer ones; a notice states the worst fall that is lost inside them.

    Raises
    ------
    DataError
        If a file or a row of it is wrong, or its format is not clear; the message names both. If files of a folder
        contradict each other, or differ in bars, labels or names.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "OM.csv"
    ...     _ = path.write_text("snapped_at,price,market_cap\n2025-01-01 01:00:00 UTC,3.77,3400\n")
    ...     history = read_prices(path, asset="OM")
    >>> history.closes.tolist(), history.notices
    ([3.77], ('read as CoinGecko: price at snapped_at',))
    """
    reading = PriceReading(label=label, format=format, columns=columns, resample=resample)
    return read_history(Path(path), asset, reading)


def read_history(path: Path, asset: str | None, reading: PriceReading) -> PriceHistory:
    """Read the closes of one token as ``read_prices`` does."""
    read = read_months(path, asset, reading) if path.is_dir() else read_file(path, asset, reading)
    name, named = (read.asset, ()) if read.asset else _named_by_user(asset, path)
    notices = (*read.notices, *named)
    if reading.resample is None:
        return PriceHistory(asset=name, closes=read.closes, volumes=read.volumes, notices=notices)
    closes, lost = resample_closes(read.closes, reading.resample, path)
    return PriceHistory(asset=name, closes=closes, volumes=read.volumes, notices=(*notices, *lost.notices))


def _named_by_user(asset: str | None, path: Path) -> tuple[str, tuple[str, ...]]:
    """Return the name of the only token of a file or folder that does not name it."""
    kind = "folder" if path.is_dir() else "file"
    stem = path.resolve().name if path.is_dir() else path.name.split(".")[0]
    if asset is None:
        told = f"the {kind} does not name its token: {stem} is the name of the {kind} (or choose --asset)"
        return stem, (told,)
    if stem.lower().startswith(asset.lower()):
        return asset, ()
    return asset, (f"the {kind} does not name its token: {asset} is the name that --asset gives",)
