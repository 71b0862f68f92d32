"""Logistic regression on the logarithm of volatility."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from backtest.known import Known, Quotes
from pricing.errors import NotConvergedError
from pricing.tools.arrays import BoolArray, FloatArray

_MOST_STEPS = 100
_TOLERANCE = 1e-10
#: Prior standard deviation of the slope: wide compared with the slopes of 0.5 to 2 that data support.
_SLOPE_SPREAD = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Logit:
    """``P = expit(a + b * log volatility)``, fitted at each start to all earlier token-periods."""

    name: str = "logit"

    def quote(self, known: Known) -> Quotes:
        """Quote from the volatility of each token."""
        past = np.log(known.past["volatility"].to_numpy())
        centre = past.mean()
        fits = [fit_logit(past - centre, known.events(cell)) for cell in known.cells]
        now = np.log(known.volatility) - centre
        return Quotes(probabilities=np.column_stack([expit(level + slope * now) for level, slope in fits]))


def fit_logit(covariate: FloatArray, events: BoolArray) -> FloatArray:
    """Fit level and slope by Newton's method.

    One more observation, half an event at a covariate of zero, keeps the level finite when there are no events; a
    normal prior of standard deviation 5 keeps the slope finite when the covariate separates them.

    Parameters
    ----------
    covariate, events : ndarray, shape (n,)
        Observations.

    Returns
    -------
    ndarray of float, shape (2,)
        Level and slope.

    Raises
    ------
    NotConvergedError
        If Newton's method does not settle.
    """
    design = np.column_stack([np.ones(len(covariate) + 1), np.append(covariate, 0.0)])
    target = np.append(events, 0.5)
    precision = np.array([0.0, _SLOPE_SPREAD**-2])
    beta = np.array([np.log(target.sum() / (len(target) - target.sum())), 0.0])
    for _ in range(_MOST_STEPS):
        fitted = expit(design @ beta)
        slopes = design.T @ (target - fitted) - precision * beta
        curvature = (design.T * (fitted * (1.0 - fitted))) @ design + np.diag(precision)
        step = np.linalg.solve(curvature, slopes)
        beta = beta + step / max(1.0, float(np.abs(step).max()))
        if float(np.abs(step).max()) < _TOLERANCE:
            return beta
    raise NotConvergedError(f"Newton's method found no maximum of the likelihood of {len(events)} token-periods")
