"""A format of price files: the columns by which it is recognised, and what they mean."""

from dataclasses import dataclass

from calibration.prices.labels import Label


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFormat:
    """One format.

    Parameters
    ----------
    name : str
        Name for the option --format.
    title : str
        Name for people.
    columns : tuple of str
        Columns that all files of the format have, in small letters with underscores; for rows without a header, all
        columns in their order.
    time, close : str
        Column of times and column of closes.
    label : {"open", "close"}, optional
        End of the bar that the times label; None if it is to be judged.
    zone : str, optional
        Zone of times that name none, if the source documents it.
    layout : str
        Form of times, as of ``pandas.to_datetime``.
    asset : str, optional
        Column that names the token.
    volume : str, optional
        Column of the tokens traded in a bar; None if there is none, or if it may be in money.
    ends_now : bool
        Whether the last row is the price at the time of the download.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    time: str = "time"
    close: str = "close"
    label: Label | None = None
    zone: str | None = None
    layout: str = "ISO8601"
    asset: str | None = None
    volume: str | None = None
    ends_now: bool = False
