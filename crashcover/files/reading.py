"""Instructions on how to read the files of prices, in place of what is inferred from them."""

from collections.abc import Mapping
from dataclasses import dataclass

from calibration.prices.labels import Label
from pricing.tools.units import Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceReading:
    """Instructions on how to read files of prices; None is inferred from each file.

    Parameters
    ----------
    label : {"open", "close"}, optional
        End of the bar that the time column labels.
    format : str, optional
        Name of the format.
    columns : mapping of str to str, optional
        Columns of the file by what they are, as for ``read_prices``.
    resample : timedelta or str, optional
        Length of the bars to make of finer ones.
    """

    label: Label | None = None
    format: str | None = None
    columns: Mapping[str, str] | None = None
    resample: Duration | None = None


#: Everything is inferred.
INFERRED = PriceReading()
