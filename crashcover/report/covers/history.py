"""The price history of a token, and the falls in it that would have fired a trigger."""

import math
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from crashcover.offers.terms import describe_window
from pricing.contract.cover import Cover
from pricing.events.rules import EventRules, settle

#: Number of closes that are drawn, at most.
MOST_POINTS = 500


def plain_history(closes: pd.Series, cover: Cover, step: timedelta) -> dict[str, Any]:
    """Return the closes to draw, and every fall that would have fired the trigger of a cover, as plain values; in UTC.

    A missing close is that of the bar before. A new fall counts once the window of the last one is over.

    Parameters
    ----------
    closes : Series
        Closes on a UTC DatetimeIndex, in any order.
    cover : Cover
        Cover whose trigger is applied.
    step : timedelta
        Length of a bar.
    """
    known = closes[~closes.index.duplicated()].dropna().sort_index()
    bars = known.reindex(pd.date_range(known.index[0], known.index[-1], freq=step), method="ffill")
    whole = replace(cover, term=(len(bars) - 1) * step, waiting_period=timedelta(0))
    rules = EventRules(cool_off=cover.trigger.window or timedelta(days=1))
    events = settle(np.log(bars.to_numpy())[:, None], whole, rules, step=step)
    bars.index = pd.DatetimeIndex(bars.index).tz_convert(None)
    shown = bars.iloc[:: math.ceil(len(bars) / MOST_POINTS)]
    return {
        "drop": cover.trigger.drop,
        "window": describe_window(cover.trigger),
        "times": [time.isoformat() for time in shown.index],
        "closes": shown.tolist(),
        "falls": [
            {"time": bars.index[event.step].isoformat(), "close": float(bars.iloc[event.step]), "drop": event.drop}
            for event in events
        ],
    }
