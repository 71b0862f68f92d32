"""One self-contained HTML page from the plain values of a summary."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backtest.results import pictures

Values = Mapping[str, Any]

_TEMPLATE = Path(__file__).with_name("report.html.j2")


def write_page(summary: Values) -> str:
    """Fill the template with tables and pictures.

    Parameters
    ----------
    summary : mapping
        As returned by ``summarise``, or read back from its JSON.

    Returns
    -------
    str
        HTML with everything in it.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters |= {"ends": ends, "number": number}
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        **summary, pictures={cell["name"]: _draw(cell, summary["plan"]) for cell in summary["cells"]}
    )


def _draw(cell: Values, plan: Values) -> dict[str, str]:
    return {
        "reliability": pictures.reliability(cell),
        "ratio_by_decile": pictures.ratio_by_decile(cell),
        "by_period": pictures.by_period(cell, plan["starts"]),
        "lorenz_and_loss_ratio": pictures.lorenz_and_loss_ratio(cell, plan["starts"], plan["expense_ratio"]),
    }


def number(value: float | None, form: str) -> str:
    """Write a number, or a dash if there is none."""
    return "–" if value is None else format(value, form)


def ends(interval: Sequence[float | None], form: str) -> str:
    """Write the ends of an interval, or nothing if it is not defined."""
    value, lower, upper = interval
    if value is None or (lower is None and upper is None):
        return ""
    return f"{'−∞' if lower is None else format(lower, form)} to {'∞' if upper is None else format(upper, form)}"
