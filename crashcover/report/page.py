"""One self-contained HTML page from the plain values of a report, and from nothing else."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crashcover.report.book.pictures import period_losses, tokens, year_losses
from crashcover.report.covers.pictures import exceedance, history, waterfall, worst_month
from pricing.show.formats import FILTERS
from pricing.show.texts import readable

Values = Mapping[str, Any]

_TEMPLATES = Path(__file__).parent

#: Titles of the drivers of an expected loss on the page.
DRIVERS = {
    "volatility": "Volatility and market shocks",
    "own_crashes": "Own crashes",
    "holders": "Holders and signals",
    "uncertainty": "Uncertainty of the level",
}


def write_json(content: Values) -> str:
    """Write a report's values as JSON with sorted keys; the values read back give the same page, byte for byte."""
    return json.dumps(content, sort_keys=True, allow_nan=False, indent=1) + "\n"


def write_page(content: Values) -> str:
    """Fill the template of a report.

    Parameters
    ----------
    content : mapping
        Values from ``cover_content`` or ``book_content``, or read back from JSON.

    Returns
    -------
    str
        Self-contained HTML: no external script, font or picture.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        finalize=_shown,
    )
    environment.filters |= FILTERS
    draw = _draw_covers if content["kind"] == "covers" else _draw_book
    template = environment.get_template(f"{content['kind']}.html.j2")
    return template.render(**content, driver_titles=DRIVERS, pictures=draw(content)) + "\n"


def _shown(value: object) -> object:
    """Write control characters in texts of users as escapes; pictures and other markup of ours are left."""
    return readable(value) if type(value) is str else value


def _draw_covers(content: Values) -> dict[str, Any]:
    return {
        "worst_month": worst_month(content["calibration"], "month"),
        "history": content["history"] and history(content["history"], "history"),
        "covers": [_draw_cover(content, cover, f"cover{place}") for place, cover in enumerate(content["covers"])],
    }


def _draw_cover(content: Values, cover: Values, name: str) -> dict[str, str]:
    return {"exceedance": exceedance(cover, content["simulation"], f"{name}-exceedance")}


def _draw_book(content: Values) -> dict[str, str]:
    premiums = content["premiums"]
    build_up = waterfall(premiums["statement"], content["currency"], "waterfall", error=premiums["largest_error"])
    return {
        "waterfall": build_up,
        "period": period_losses(content, "period"),
        "year": year_losses(content, "year"),
        "tokens": tokens(content, "tokens"),
    }
