"""The arena: forecasters of crash probabilities, walked forward through a panel of prices and scored.

::

    panel ──► outcomes ──► known at each start ──► forecasters ──► quotes ──► scores, money, breaches ──► summary

A forecaster sees only what was known at a start. ``walk`` keeps its quotes in a folder and can resume from it;
``summarise`` turns them into plain values, which feed the table, the JSON document and the page.
"""

from backtest.cells import Cell, Span, make_cells
from backtest.forecasters.calibrated import Calibrated
from backtest.forecasters.constant import Constant, OwnHistory
from backtest.forecasters.garch import TextbookGarch
from backtest.forecasters.gbm import GeometricBrownianMotion
from backtest.forecasters.historical import HistoricalSimulation
from backtest.forecasters.logit import Logit
from backtest.forecasters.makers import MAKERS, make_forecasters
from backtest.forecasters.worst_drop_law import WorstDropLaw
from backtest.known import Forecaster, Known, Quotes
from backtest.outcomes import outcome_table, worst_drops
from backtest.panel import Panel, make_panel
from backtest.periods import Plan, find_starts
from backtest.results.frames import deciles_frame, plot_actual_to_expected, scores_frame
from backtest.results.page import write_page
from backtest.results.summary import summarise
from backtest.results.surface import summarise_surface
from backtest.results.surface_page import draw_surface, surface_frame, write_surface_page
from backtest.scoring.resampling import Interval, PeriodBootstrap
from backtest.walk_forward import Walked, known_at, walk

__all__ = [
    "MAKERS",
    "Calibrated",
    "Cell",
    "Constant",
    "Forecaster",
    "GeometricBrownianMotion",
    "HistoricalSimulation",
    "Interval",
    "Known",
    "Logit",
    "OwnHistory",
    "Panel",
    "PeriodBootstrap",
    "Plan",
    "Quotes",
    "Span",
    "TextbookGarch",
    "Walked",
    "WorstDropLaw",
    "deciles_frame",
    "draw_surface",
    "find_starts",
    "known_at",
    "make_cells",
    "make_forecasters",
    "make_panel",
    "outcome_table",
    "plot_actual_to_expected",
    "scores_frame",
    "summarise",
    "summarise_surface",
    "surface_frame",
    "walk",
    "worst_drops",
    "write_page",
    "write_surface_page",
]
