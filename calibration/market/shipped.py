"""The markets that ship with the package: one per month, each fitted to the data known at that time."""

import json
from datetime import datetime
from importlib.resources import files

from calibration.market.market import Market
from pricing.errors import InsufficientDataError


def shipped_market(as_of: datetime) -> Market:
    """Return the latest shipped market that uses no data later than a time.

    The shipped markets were fitted to up to 242 tokens from January 2021 to June 2025 and to BTC and ETH since 2017.
    ``docs/studies/market_defaults.py`` makes them, and ``fit_market`` makes one of your own panel.

    Parameters
    ----------
    as_of : datetime
        UTC time.

    Raises
    ------
    InsufficientDataError
        If the first market is later.
    """
    text = (files("calibration") / "data" / "markets.json").read_text(encoding="utf-8")
    lines = [line.rstrip(",") for line in text.splitlines() if line.startswith("{")]
    times = [datetime.fromisoformat(line.removeprefix('{"as_of": "').split('"', 1)[0]) for line in lines]
    known = [line for line, time in zip(lines, times, strict=True) if time <= as_of]
    if not known:
        raise InsufficientDataError(
            f"as_of must not be before {times[0]:%Y-%m-%d}, the first market that ships, got {as_of:%Y-%m-%d} "
            "(pass market=fit_market(panel, as_of=...) for a panel of that time)"
        )
    return Market.from_plain(json.loads(known[-1]))
