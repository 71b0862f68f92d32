"""Law of the worst drop itself: a shock common to all tokens of a period, and an elasticity of a half on volatility."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr

from backtest.cells import Span, spans_of
from backtest.known import Known, Quotes
from pricing.errors import InsufficientDataError
from pricing.tools.arrays import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class DropLaw:
    """``log W = slope * log volatility + shock of the period + noise`` for the worst log fall W.

    Parameters
    ----------
    slope : float
        Elasticity on volatility.
    shocks : ndarray of float, shape (n_periods,)
        Shock of each period, with the level in it.
    noise : float
        Standard deviation of the token's own part.
    """

    slope: float
    shocks: FloatArray
    noise: float

    def exceedance(self, drop: float, volatility: FloatArray) -> FloatArray:
        """Average the normal tail over the shocks of the past, for volatilities of shape (n_tokens,)."""
        centres = self.slope * np.log(volatility)[:, None] + self.shocks
        return np.asarray(ndtr((centres - np.log(-np.log1p(-drop))) / self.noise).mean(axis=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstDropLaw:
    """``DropLaw`` fitted at each start to all earlier token-periods; it uses no price paths."""

    name: str = "worst-drop-law"

    def quote(self, known: Known) -> Quotes:
        """Quote from the volatility of each token and the shocks of all past periods."""
        laws = {span: fit_drop_law(known.past, span) for span in spans_of(known.cells)}
        quotes = [laws[cell.span].exceedance(cell.drop, known.volatility) for cell in known.cells]
        return Quotes(probabilities=np.column_stack(quotes))


def fit_drop_law(past: pd.DataFrame, span: Span) -> DropLaw:
    """Fit by least squares within periods.

    Parameters
    ----------
    past : DataFrame
        As in ``Known``; rows whose price never fell carry no information on the size of falls and are left out.
    span : Span
        Window and term.

    Raises
    ------
    InsufficientDataError
        If there are no two tokens of one period to compare.
    """
    fell = past[past[span.name] > 0.0]
    size = np.log(-np.log1p(-fell[span.name]))
    volatility = np.log(fell["volatility"])
    x = volatility - volatility.groupby(fell["start"]).transform("mean")
    y = size - size.groupby(fell["start"]).transform("mean")
    freedom = len(fell) - fell["start"].nunique() - 1
    if freedom < 1:
        raise InsufficientDataError(f"past must hold a period with several tokens that fell, got {len(fell)} rows")
    slope = float(x @ y / (x @ x))
    shocks = (size - slope * volatility).groupby(fell["start"]).mean().to_numpy()
    return DropLaw(slope=slope, shocks=shocks, noise=float(np.sqrt(np.square(y - slope * x).sum() / freedom)))
