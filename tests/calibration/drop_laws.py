"""Laws, states and panels shared by the tests of the calibration."""

from datetime import timedelta

import numpy as np
import pandas as pd

from calibration.law.drop_law import DropLaw, Level, OwnCrashLaw, TokenState
from calibration.law.own_record import OwnRecord


def a_law(window="24h", *, shocks=(-0.3, 0.0, 0.4), error=0.1, intercept=-1.6, spread=-1.4, spread_slope=0.2, **own):
    """Return a law of ordinary size."""
    crashes = {"threshold": 0.16, "log_rate": -3.0, "tail_slope": 0.7, "volatility_slope": 0.3, "index": 2.5}
    crashes |= {"deep": 0.4, "deep_index": 3.0}
    return DropLaw(
        window=window,
        slopes=(0.5, 0.2, 0.15, 0.1, 0.3),
        level=Level(intercept=intercept, volatility_slope=0.55, run_up_slope=0.2, error=error),
        shocks=shocks,
        spread=spread,
        spread_slope=spread_slope,
        own=OwnCrashLaw(**(crashes | {"crash_share": 0.02} | own)),
        first_block=0,
        block_means=(-1.8, -1.9, None, -1.7),
    )


def a_record(excess=0.0, crashes=0.0, expected=0.0):
    """Return the record of one token."""
    return OwnRecord(excess=np.array([excess]), crashes=np.array([crashes]), expected=np.array([expected]))


def a_state(log_volatilities=(0.1, 0.0, -0.1, 0.2), tail_weight=0.1, record=None):
    """Return the state of one token with the same record for two windows; volatilities from the shortest horizon on."""
    record = record or a_record()
    return TokenState(
        log_volatilities=np.array(log_volatilities, dtype=float)[:, None],
        tail_weight=np.array([tail_weight]),
        records=(record, record),
    )


def a_panel(n_tokens=15, days=240, *, seed=1, start="2021-02-01T01:00Z"):
    """Return hourly closes of tokens that share half of their variance, Student-t with 4 degrees of freedom."""
    rng = np.random.default_rng(seed)
    n_bars = days * 24
    shared = 0.006 * rng.standard_t(4, (n_bars, 1)) / np.sqrt(2.0)
    own = np.linspace(0.004, 0.012, n_tokens) * rng.standard_t(4, (n_bars, n_tokens)) / np.sqrt(2.0)
    index = pd.date_range(start, periods=n_bars, freq=timedelta(hours=1))
    return pd.DataFrame(
        np.exp(np.cumsum(shared + own, axis=0)), index=index, columns=[f"T{i}" for i in range(n_tokens)]
    )
