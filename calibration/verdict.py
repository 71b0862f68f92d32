"""Warnings about a calibration: a set of flags, each with its reason."""

from enum import Flag, auto


class Verdict(Flag):
    """Warnings; ``Verdict.OK`` means that there are none."""

    OK = 0
    SHORT_HISTORY = auto()
    GAPS = auto()
    HISTORY_CUT = auto()
    UNIT_DOUBTFUL = auto()
    REPAIRED = auto()
    STALE_PRICES = auto()
    COARSE_TICKS = auto()
    CRASHES_SEEN = auto()
    PERSISTENCE_BOUNDED = auto()
    RESIDUALS_DEPENDENT = auto()
    NO_HOLDERS = auto()
    HOLDERS_CUT = auto()
    SUPPLY_UNKNOWN = auto()
    HAZARD_CAPPED = auto()
    OLD_MARKET = auto()
    SHAPE_NOT_FITTED = auto()
    NOT_ANCHORED = auto()
    PEGGED = auto()
    COARSE_BARS = auto()
    FINE_GRID = auto()


_EXPLANATIONS = {
    Verdict.SHORT_HISTORY: "less than half a year of returns: the long-run volatility reflects a single market phase",
    Verdict.GAPS: "bars are missing: moves across a gap are in no return, and only windows that span it count them",
    Verdict.HISTORY_CUT: "the history before a redenomination or a reuse of the ticker was left out",
    Verdict.UNIT_DOUBTFUL: "one step looks like a new unit but counts as a move of the market: if it is one, state it",
    Verdict.REPAIRED: "rows were repeated, unordered or a little off the grid and have been repaired",
    Verdict.STALE_PRICES: "the price was unchanged for long, or the last close is old: volatility may be understated",
    Verdict.COARSE_TICKS: "the tick is coarse relative to the price: volatility may be overstated",
    Verdict.CRASHES_SEEN: "the token has crashed on its own before: its crash rate and its record include that",
    Verdict.PERSISTENCE_BOUNDED: "the fitted persistence was at or beyond its bound: volatility shocks hardly fade",
    Verdict.RESIDUALS_DEPENDENT: "squared residuals are still correlated: volatility clusters more than in the law",
    Verdict.NO_HOLDERS: "no holder list, or next to nothing on it: the token counts as the mean of published ones",
    Verdict.HOLDERS_CUT: "the holder list ends before the supply is reached: the rest counts as in the mean token",
    Verdict.SUPPLY_UNKNOWN: "no supply was given: shares are of the listed total",
    Verdict.HAZARD_CAPPED: "the effect of holders and signals on the crash rate reached a cap",
    Verdict.OLD_MARKET: "the market was fitted more than 45 days earlier: its run-up is assumed to be zero",
    Verdict.SHAPE_NOT_FITTED: "the volatility fit did not converge: paths have constant volatility",
    Verdict.NOT_ANCHORED: "bars do not divide a day: the level of the paths is the token's own",
    Verdict.COARSE_BARS: "bars are longer than an hour: the token is known less well, and quotes have a larger error",
    Verdict.FINE_GRID: "covers are observed more often than every hour: falls between hourly closes are in no law",
    Verdict.PEGGED: "a pegged token: its price is a declared judgement, the upper bound of the record of its class",
}


def explain(verdict: Verdict) -> tuple[str, ...]:
    """Explain each warning of a calibration in one line.

    Parameters
    ----------
    verdict : Verdict
        Any combination of flags.

    Examples
    --------
    >>> explain(Verdict.OK)
    ()
    >>> len(explain(Verdict.GAPS | Verdict.NO_HOLDERS))
    2
    """
    return tuple(_EXPLANATIONS[flag] for flag in verdict)
