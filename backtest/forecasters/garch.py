"""Textbook model: GARCH(1,1) with a Student-t likelihood, simulated by resampling its own residuals."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from arch.univariate import GARCH, ConstantMean, StudentsT

from backtest.forecasters.simulated import exceedances
from backtest.known import Known, Quotes, quote_each
from pricing.errors import InsufficientDataError, NotConvergedError
from pricing.models.innovations import Empirical
from pricing.models.price_model import PriceModel
from pricing.models.volatility import Garch
from pricing.surface.settings import SimulationSettings
from pricing.tools.arrays import FloatArray

#: arch works best with returns of about this size.
_PER_CENT = 100.0
#: The same minimum as in ``calibration.fit_volatility``.
_FEWEST_RETURNS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class TextbookGarch:
    """GARCH(1,1)-t fitted by ``arch`` to up to a year of returns; slow, so it quotes a sample of tokens.

    Parameters
    ----------
    share : float
        Share of token-periods to quote, drawn by hash.
    n_paths : int
        Paths per token; no quote is below half a path.
    history : timedelta
        Length of history that is used.
    """

    share: float = 1.0
    n_paths: int = 10_000
    history: timedelta = timedelta(days=365)
    name: str = "garch"

    def quote(self, known: Known) -> Quotes:
        """Quote the tokens of the sample."""
        return quote_each(known, known.sample(self.share), lambda token: self._quote(known, token))

    def _quote(self, known: Known, token: str) -> FloatArray:
        closes = known.history[token].loc[known.start - self.history :].dropna()
        returns = np.diff(np.log(closes.to_numpy()))[np.diff(closes.index) == known.step]
        settings = SimulationSettings(n_paths=self.n_paths, seed=known.seed_for(token))
        return exceedances(_fit(returns, known), known.cells, settings)


def _fit(returns: FloatArray, known: Known) -> PriceModel:
    if len(returns) < _FEWEST_RETURNS:
        raise InsufficientDataError(f"returns must be at least {_FEWEST_RETURNS}, got {len(returns)}")
    model = ConstantMean(_PER_CENT * returns, volatility=GARCH(), distribution=StudentsT(), rescale=False)
    fitted = model.fit(disp="off", show_warning=False)
    if fitted.convergence_flag != 0:
        raise NotConvergedError(f"SLSQP found no maximum of the likelihood (flag {fitted.convergence_flag})")
    omega, alpha, beta = (float(fitted.params[name]) for name in ("omega", "alpha[1]", "beta[1]"))
    shocks = np.asarray(fitted.std_resid)
    next_variance = omega + alpha * float(fitted.resid[-1]) ** 2 + beta * float(fitted.conditional_volatility[-1]) ** 2
    law = Garch(omega=omega / _PER_CENT**2, alpha=alpha, beta=beta, initial_variance=next_variance / _PER_CENT**2)
    return PriceModel(volatility=law, innovations=Empirical(values=tuple(shocks.tolist())), step=known.step)
