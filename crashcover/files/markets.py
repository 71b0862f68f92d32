"""Market files, as ``crashcover market`` writes them."""

from pathlib import Path

from calibration import Market
from pricing.errors import DataError, NewerFormatError


def read_market(path: Path) -> Market:
    """Read a market that ``run_market`` wrote.

    Raises
    ------
    DataError
        If the file cannot be read or is not a market.
    NewerFormatError
        If a newer release wrote it.
    """
    try:
        return Market.from_json(path.read_text(encoding="utf-8"))
    except NewerFormatError as error:
        raise NewerFormatError(f"{path}: {error}") from error
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    except (DataError, UnicodeDecodeError) as error:
        raise DataError(f"{path} must be a file from `crashcover market`: {error}") from error
