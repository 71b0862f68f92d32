"""The histories of many tokens, fetched into a folder with one file per token."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crashcover.fetching.history import Fetched, Span, fetch_token
from crashcover.fetching.patience import Tell
from crashcover.fetching.venue import Venue, open_venue
from crashcover.runs.locks import locked
from pricing.errors import DataError, InvalidTermsError, PricingError, VenueError
from pricing.show.frames import make_frame
from pricing.tools.progress import Progress, silent
from pricing.tools.units import Duration
from pricing.tools.whole_files import replacing

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelFetched:
    """Tokens of a panel: those that were fetched, and the others.

    Parameters
    ----------
    fetched : dict of str to Fetched
        Tokens whose files reach as far as the venue does.
    failed : dict of str to PricingError
        Reason for every other token; it may have a file of earlier bars, which the next call continues.
    """

    fetched: dict[str, Fetched]
    failed: dict[str, PricingError]

    def to_frame(self) -> "pd.DataFrame":
        """Return a data frame with a row per token, which is the index.

        Returns
        -------
        DataFrame
            Columns ``n_bars``, ``n_new``, ``first_close``, ``last_close``, ``n_missing`` (bars in holes), ``n_after``
            and ``error``, which is empty for a token that was fetched.
        """
        names = ("n_bars", "n_new", "first_close", "last_close", "n_after")
        rows = {token: {name: getattr(each, name) for name in names} for token, each in self.fetched.items()}
        for token, each in self.fetched.items():
            rows[token] |= {"n_missing": sum(hole.n_bars for hole in each.holes), "error": ""}
        rows |= {token: {"error": str(error)} for token, error in self.failed.items()}
        columns = (*names[:-1], "n_missing", "n_after", "error")
        shown = {name: [row.get(name) for row in rows.values()] for name in columns}
        return make_frame({"token": list(rows)} | shown, index="token")


def fetch_panel(
    tokens: Iterable[str] | None,
    venue: str = "binance",
    *,
    span: Span,
    out: Path | str,
    patience: Duration = "10min",
    url: str | None = None,
    exchange: Any = None,
    begin: Progress = silent,
    tell: Tell = lambda _notice: None,
    sleep: Callable[[float], None] | None = None,
) -> PanelFetched:
    """Fetch the closed bars of many tokens into a folder; continue the files that exist.

    A token that fails does not stop the others. A venue that no longer answers does.

    Parameters
    ----------
    tokens : iterable of str, optional
        Names of tokens; by default all that the venue lists in the quote currency.
    span : Span
        Bars to fetch.
    out : Path or str
        Folder with one file per token, named by it, as ``crashcover rates --prices`` reads it.
    venue, patience, url, exchange, begin, tell, sleep
        As in ``fetch_prices``.

    Raises
    ------
    VenueError
        If the venue cannot be reached before the first token.
    FolderInUseError
        If another call writes to the same folder.
    """
    folder = Path(out)
    opened = open_venue(venue, url=url, exchange=exchange, patience=patience, tell=tell, sleep=sleep)
    with opened as place, locked(folder):
        closed = place.time()
        names = sorted(place.symbols(span.quote)) if tokens is None else list(dict.fromkeys(tokens))
        report = begin(f"tokens at {place.name}", len(names))
        found = PanelFetched(fetched={}, failed={})
        for count, token in enumerate(names, start=1):
            _fetch_into(found, place, token, span, folder, closed)
            report(count)
    return found


def _fetch_into(found: PanelFetched, venue: Venue, token: str, span: Span, folder: Path, closed: int) -> None:
    lost = next((error for error in found.failed.values() if isinstance(error, VenueError)), None)
    try:
        if lost:
            raise VenueError(f"not asked for, because the venue was lost before: {lost}")
        path = folder / f"{token}.csv"
        found.fetched[token] = fetch_token(venue, token, span, path, closed=closed, begin=silent)
    except (DataError, VenueError) as error:
        found.failed[token] = error


def join_closes(fetched: Sequence[Fetched], path: Path) -> None:
    """Write the closes of many tokens into one wide file, as ``crashcover market`` reads it.

    Parameters
    ----------
    fetched : sequence of Fetched
        Tokens, all with bars of one length.
    path : Path
        File to write: .csv or .parquet, with the column close_time and one column per token.
    """
    import pandas as pd

    closes = pd.DataFrame(dict(_read_closes(fetched))).sort_index().rename_axis("close_time")
    with replacing(path, to_disk=True) as part:
        if path.suffix == ".parquet":
            closes.to_parquet(part)
        elif path.suffix == ".csv":
            closes.to_csv(part, date_format="%Y-%m-%dT%H:%M:%SZ")
        else:
            raise InvalidTermsError(f"the file of the panel must end in .csv or .parquet, got {path.name!r}")


def _read_closes(fetched: Sequence[Fetched]) -> Iterator[tuple[str, "pd.Series"]]:
    import pandas as pd

    for each in fetched:
        columns = pd.read_csv(each.path, usecols=["close_time", "close"], index_col="close_time", parse_dates=True)
        yield each.path.stem, columns["close"]
