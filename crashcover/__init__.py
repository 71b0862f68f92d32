"""User interface of the engine: the command line, tables, pictures and a synthetic sample market.

::

    files (prices, holders) ──► calibration.calibrate ──► offers ──► display (table, picture), JSON
    sample_market ──────────────────────┘

``crashcover.cli`` declares the commands and ``crashcover.commands`` carries them out. The readers of files and the
functions that fetch prices are public; each is imported when it is first used, so that importing this package has no
other imports.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crashcover.fetching.history import Fetched, Span, fetch_prices
    from crashcover.fetching.panel import PanelFetched, fetch_panel
    from crashcover.files.holders import read_holders
    from crashcover.files.prices import PriceHistory, read_prices
    from crashcover.repricing.intake.covers import BookCovers, read_book

#: Module of each public name.
_HOMES = {
    "BookCovers": "crashcover.repricing.intake.covers",
    "Fetched": "crashcover.fetching.history",
    "PanelFetched": "crashcover.fetching.panel",
    "PriceHistory": "crashcover.files.prices",
    "Span": "crashcover.fetching.history",
    "fetch_panel": "crashcover.fetching.panel",
    "fetch_prices": "crashcover.fetching.history",
    "read_book": "crashcover.repricing.intake.covers",
    "read_holders": "crashcover.files.holders",
    "read_prices": "crashcover.files.prices",
}

__all__ = [
    "BookCovers",
    "Fetched",
    "PanelFetched",
    "PriceHistory",
    "Span",
    "fetch_panel",
    "fetch_prices",
    "read_book",
    "read_holders",
    "read_prices",
]


def __getattr__(name: str) -> Any:
    """Load the module of a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
