"""What standardised residuals say about a fit: remaining dependence and the weight of their tails."""

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from pricing.tools.arrays import FloatArray

#: Autocorrelations tested together: one day of hours.
LJUNG_BOX_LAGS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidualDiagnostics:
    """Moments and dependence of standardised residuals.

    Parameters
    ----------
    mean, variance, skewness, excess_kurtosis : float
        Sample moments; a perfect fit has 0, 1 and, for normal shocks, 0 and 0.
    ljung_box, ljung_box_p_value : float
        Test of no autocorrelation over 24 lags, and its p-value.
    ljung_box_squared, ljung_box_squared_p_value : float
        The same on squared residuals: a small p-value says that volatility still clusters. The chi-square law of both
        needs a fourth moment, which the tails of tokens may not have, so read them as a warning, not as a proof.
    """

    mean: float
    variance: float
    skewness: float
    excess_kurtosis: float
    ljung_box: float
    ljung_box_p_value: float
    ljung_box_squared: float
    ljung_box_squared_p_value: float


def examine_residuals(residuals: FloatArray) -> ResidualDiagnostics:
    """Compute moments and Ljung-Box tests of standardised residuals, shape (n,)."""
    mean, variance = float(np.mean(residuals)), float(np.var(residuals))
    standard = (residuals - mean) / np.sqrt(variance)
    statistic, p_value = ljung_box(residuals, LJUNG_BOX_LAGS)
    squared_statistic, squared_p_value = ljung_box(residuals**2, LJUNG_BOX_LAGS)
    return ResidualDiagnostics(
        mean=mean,
        variance=variance,
        skewness=float(np.mean(standard**3)),
        excess_kurtosis=float(np.mean(standard**4)) - 3.0,
        ljung_box=statistic,
        ljung_box_p_value=p_value,
        ljung_box_squared=squared_statistic,
        ljung_box_squared_p_value=squared_p_value,
    )


def ljung_box(values: FloatArray, lags: int) -> tuple[float, float]:
    """Test that autocorrelations vanish (Ljung and Box 1978, Biometrika 65).

    Parameters
    ----------
    values : ndarray of float, shape (n,)
        Observations, more than ``lags``.
    lags : int
        Number of autocorrelations tested together.

    Returns
    -------
    statistic, p_value : float
        ``n (n + 2) sum(r_k**2 / (n - k))``, chi-square with ``lags`` degrees of freedom.
    """
    n = len(values)
    centred = values - np.mean(values)
    lag = np.arange(1, lags + 1)
    correlations = np.array([centred[k:] @ centred[:-k] for k in lag]) / (centred @ centred)
    statistic = float(n * (n + 2) * np.sum(correlations**2 / (n - lag)))
    return statistic, float(chdtrc(lags, statistic))
