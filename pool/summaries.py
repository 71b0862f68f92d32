"""Summaries of a pool: losses of a period, exposure by token, and how frames, tables and pictures show them."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

import numpy as np

from pool.capacity import Accumulation
from pool.exceedance import ReturnLevel
from pool.tail import measure, tail_value_at_risk, value_at_risk
from pricing.principles import ExpectedValuePrinciple
from pricing.show import drawing
from pricing.show.formats import amount, fixed, money_with_error, percent_with_error, share
from pricing.show.frames import make_frame
from pricing.show.html_tables import Table
from pricing.surface.estimates import Estimate
from pricing.tools.arrays import FloatArray

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: Losses of a year by return period, with their names in pictures and tables.
RETURN_CURVES = {
    "aggregate": "all losses of a year (AEP)",
    "period_occurrence": "worst period of a year (OEP)",
    "asset_occurrence": "worst token in a period of a year",
}
#: Number of tokens that a table shows.
_MOST_TOKENS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class LossSummary:
    """Summary figures of the loss of one period.

    Parameters
    ----------
    expected : Estimate
        Mean.
    standard_deviation : float
        Standard deviation.
    value_at_risk, tail_value_at_risk : Estimate
        At the level of the report.
    """

    expected: Estimate[float]
    standard_deviation: float
    value_at_risk: Estimate[float]
    tail_value_at_risk: Estimate[float]

    @classmethod
    def of(cls, losses: FloatArray, level: float) -> "LossSummary":
        """Summarise equally likely losses."""
        return cls(
            expected=measure(ExpectedValuePrinciple(loading=0.0), losses),
            standard_deviation=float(losses.std()),
            value_at_risk=value_at_risk(losses, level),
            tail_value_at_risk=tail_value_at_risk(losses, level),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetLine:
    """Exposure and risk contribution of one token.

    Parameters
    ----------
    accumulation : Accumulation
        Current and permitted exposure to the token.
    expected_loss : float
        Expected loss of a period, before reinsurance.
    tail_contribution : float
        Contribution to the tail value at risk after reinsurance.
    group : str or None
        Group whose tokens share a part of their deviation, see ``TokenRisk``.
    own_share : float
        Share of the rate of own crashes whose crashes come to this token alone.
    """

    accumulation: Accumulation
    expected_loss: float
    tail_contribution: float
    group: str | None
    own_share: float


def tokens_frame(assets: Sequence[AssetLine]) -> "pd.DataFrame":
    """Return exposure and risk contribution as a data frame: a row per token."""
    kept = ("asset", "limits", "n_covers", "capacity", "room")
    columns = {name: [getattr(line.accumulation, name) for line in assets] for name in kept}
    names = ("expected_loss", "tail_contribution", "group", "own_share")
    further = {name: [getattr(line, name) for line in assets] for name in names}
    return make_frame(columns | further, index="asset")


def losses_frame(losses: Mapping[str, LossSummary]) -> "pd.DataFrame":
    """Return summaries of losses as a data frame: a row per measure and kind of losses."""
    rows = [
        (kind, name, *_with_error(getattr(summary, name)))
        for kind, summary in losses.items()
        for name in ("expected", "standard_deviation", "value_at_risk", "tail_value_at_risk")
    ]
    return _framed(("losses", "measure", "value", "standard_error"), rows)


def levels_frame(levels: Sequence[ReturnLevel]) -> "pd.DataFrame":
    """Return losses by return period as a data frame: a row per return period and kind of loss."""
    rows = [
        (level.return_period, name, *_with_error(getattr(level, name))) for name in RETURN_CURVES for level in levels
    ]
    return _framed(("return_period", "losses", "value", "standard_error"), rows)


def capital_frame(figures: Mapping[str, Estimate[float]]) -> "pd.DataFrame":
    """Return capital and probability of ruin as a data frame: a row per figure."""
    rows = [(name, *_with_error(figure)) for name, figure in figures.items()]
    return _framed(("figure", "value", "standard_error"), rows)


def _framed(columns: Sequence[str], rows: Sequence[tuple[object, ...]]) -> "pd.DataFrame":
    return make_frame({name: [row[place] for row in rows] for place, name in enumerate(columns)})


def _with_error(figure: Estimate[float] | float) -> tuple[float, float]:
    return astuple(figure) if isinstance(figure, Estimate) else (figure, float("nan"))


def losses_table(losses: Mapping[str, LossSummary], currency: str) -> Table:
    """Return the losses of one period as a table."""
    rows = [
        (
            name,
            _money(each.expected),
            amount(each.standard_deviation),
            _money(each.value_at_risk),
            _money(each.tail_value_at_risk),
        )
        for name, each in losses.items()
    ]
    headings = ("Losses", "Expected", "Standard deviation", "Value at risk", "Tail value at risk")
    return Table(rows=rows, headings=headings, caption=f"Losses of one period, {currency}")


def capital_table(figures: Mapping[str, Estimate[float]], income: float, currency: str) -> Table:
    """Return capital and probability of ruin as a table."""
    rows = [
        ("Probability of ruin within the horizon", percent_with_error(_plain(figures["ruin"]))),
        ("Capital for the targeted probability of ruin", _money(figures["capital_for_ruin"])),
        ("Capital for the tail of one period", _money(figures["capital_for_tail"])),
        ("Income of a period after reinsurance", amount(income)),
    ]
    return Table(rows=rows, caption=f"Capital, {currency}")


def levels_table(levels: Sequence[ReturnLevel], currency: str) -> Table:
    """Return losses by return period as a table."""
    rows = [(f"{each.return_period:g}", *(_money(getattr(each, name)) for name in RETURN_CURVES)) for each in levels]
    headings = ("Return period, years", *(name[0].upper() + name[1:] for name in RETURN_CURVES.values()))
    return Table(rows=rows, headings=headings, caption=f"Losses of a year before reinsurance, {currency}", n_texts=0)


def tokens_table(assets: Sequence[AssetLine], currency: str) -> Table:
    """Return exposure and risk contribution as a table: the tokens with the largest contributions."""
    shown = sorted(assets, key=lambda line: -line.tail_contribution)[:_MOST_TOKENS]
    rows = [
        (
            line.accumulation.asset,
            f"{line.accumulation.n_covers:,}",
            *(fixed(value, 0) for value in (line.accumulation.limits, line.accumulation.room)),
            *(fixed(value, 0) for value in (line.expected_loss, line.tail_contribution)),
            line.group or "–",
            share(line.own_share),
        )
        for line in shown
    ]
    headings = ("Token", "Covers", "Limits", "Room", "Expected loss", "Tail contribution", "Group", "Crashes alone")
    which = f"{len(shown)} of {len(assets):,} tokens, by tail contribution"
    return Table(rows=rows, headings=headings, caption=f"{which}, {currency}")


def _money(estimate: Estimate[float]) -> str:
    return money_with_error(_plain(estimate))


def _plain(estimate: Estimate[float]) -> dict[str, float]:
    return {"value": estimate.value, "standard_error": estimate.standard_error}


def draw_return_levels(
    axes: "Axes", years: Sequence[float], curves: Mapping[str, Sequence[Estimate[float]]], currency: str
) -> None:
    """Draw losses by return period with their 95 % bands.

    Parameters
    ----------
    axes : Axes
        Axes to draw on.
    years : sequence of float
        Return periods.
    curves : mapping of str to sequence of Estimate
        Losses by the names of ``RETURN_CURVES``.
    currency : str
        Currency of the losses.
    """
    for style, (name, losses) in enumerate(curves.items()):
        value, error = np.array([astuple(loss) for loss in losses]).T
        ends = np.maximum(value - drawing.BAND * error, 0.0), value + drawing.BAND * error
        drawing.banded(axes, np.array(years), value, ends, style=style, name=RETURN_CURVES[name])
    axes.set(xscale="log", xlim=(years[0], years[-1]), ylim=(0.0, None))
    drawing.plain_numbers(axes.xaxis, (1.0, 2.0, 5.0))
    drawing.money(axes.yaxis)
    drawing.plain(axes)
    drawing.label(axes, across="return period, years (bands: 95 %)", up=f"loss before reinsurance, {currency}")
    drawing.legend(axes, "upper left")
