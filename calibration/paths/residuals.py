"""Diagnostics of standardised residuals: remaining dependence and tail weight."""

from dataclasses import dataclass

import numpy as np
from statsmodels.tsa.stattools import acf, q_stat

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
        The same on squared residuals: a small p-value means that volatility still clusters. The chi-square law of both
        needs a fourth moment, which token returns may not have, so read them as a warning, not as a proof.
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
    statistic, p_value = _ljung_box(residuals)
    squared_statistic, squared_p_value = _ljung_box(residuals**2)
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


def _ljung_box(values: FloatArray) -> tuple[float, float]:
    """Return the statistic and its p-value (Ljung and Box 1978, Biometrika 65)."""
    correlations = acf(values, nlags=LJUNG_BOX_LAGS, fft=True)[1:]  # acorr_ljungbox takes seconds for a year of hours
    statistics, p_values = q_stat(correlations, len(values))
    return float(statistics[-1]), float(p_values[-1])
