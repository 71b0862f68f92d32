"""What a reader should know before trusting a calibration: a set of flags, each with its reason."""

from enum import Flag, auto


class Verdict(Flag):
    """Reasons to look twice; ``Verdict.OK`` is none of them."""

    OK = 0
    SHORT_HISTORY = auto()
    GAPS = auto()
    HISTORY_CUT = auto()
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


_EXPLANATIONS = {
    Verdict.SHORT_HISTORY: "less than half a year of returns: the long-run volatility is that of one market mood",
    Verdict.GAPS: "bars are missing: what happened in the gaps is in no return and in no crash count",
    Verdict.HISTORY_CUT: "the history before a redenomination or a reuse of the ticker was left out",
    Verdict.REPAIRED: "rows were repeated, unordered or off the grid and have been repaired",
    Verdict.STALE_PRICES: "the price stood still for long, or the last close is old: volatility may be understated",
    Verdict.COARSE_TICKS: "the tick is coarse against the price: volatility may be overstated",
    Verdict.CRASHES_SEEN: "the token has crashed on its own before: that is in its crash rate and in its record",
    Verdict.PERSISTENCE_BOUNDED: "the fitted persistence was at or beyond its bound: volatility shocks hardly fade",
    Verdict.RESIDUALS_DEPENDENT: "squared residuals are still correlated: volatility clusters more than the law knows",
    Verdict.NO_HOLDERS: "no holder list: the crash rate is that of a token of ordinary concentration",
    Verdict.HOLDERS_CUT: "the holder list ends before the supply is reached: the upper bound of concentration is used",
    Verdict.SUPPLY_UNKNOWN: "no supply was given: shares are of the listed total and concentration is overstated",
    Verdict.HAZARD_CAPPED: "the effect of holders and signals on the crash rate reached a cap",
    Verdict.OLD_MARKET: "the market was fitted more than 45 days before: its run-up is taken to be none",
    Verdict.SHAPE_NOT_FITTED: "no likelihood could find clustering in the returns: paths have constant volatility",
    Verdict.NOT_ANCHORED: "bars are longer than the windows of the laws: the level of the paths is the token's own",
}


def explain(verdict: Verdict) -> tuple[str, ...]:
    """Say in one line each why a calibration needs a second look.

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
