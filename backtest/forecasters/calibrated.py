"""The engine's own calibration: the market once per start, then token by token."""

from dataclasses import dataclass

import numpy as np

from backtest.forecasters.simulated import exceedances
from backtest.known import Known, Quotes, quote_each
from calibration import Market, calibrate, fit_market, shipped_market
from pricing.errors import CalibrationError
from pricing.surface.settings import SimulationSettings
from pricing.tools.arrays import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrated:
    """``calibration.fit_market`` on the whole panel, ``calibration.calibrate`` on a token, then ``pricing.simulate``.

    Parameters
    ----------
    share : float
        Share of token-periods to quote, drawn by hash.
    n_paths : int
        Paths per token; no quote is below half a path.
    shipped : bool
        Use the market that ships for the day instead of fitting one to the panel.
    """

    share: float = 1.0
    n_paths: int = 10_000
    shipped: bool = False
    name: str = "calibrated"

    def quote(self, known: Known) -> Quotes:
        """Quote every token of the sample; refuse them all if there is no market."""
        as_of = known.start.to_pydatetime()
        try:
            market = shipped_market(as_of) if self.shipped else fit_market(known.history, as_of=as_of)
        except CalibrationError as error:
            refusals = dict.fromkeys(known.sample(self.share), f"{type(error).__name__}: {error}")
            return Quotes(probabilities=np.full((len(known.tokens), len(known.cells)), np.nan), refusals=refusals)
        return quote_each(known, known.sample(self.share), lambda token: self._quote(known, token, market))

    def _quote(self, known: Known, token: str, market: Market) -> FloatArray:
        prices = known.history[token].dropna()
        as_of = known.start.to_pydatetime()
        # which tokens can be quoted is a rule of the backtest, the same for every forecaster
        calibration = calibrate(prices, market=market, as_of=as_of, step=known.step, stale_ok=True)
        settings = SimulationSettings(n_paths=self.n_paths, seed=known.seed_for(token))
        return exceedances(calibration.model, known.cells, settings)
