"""The forecasters that come with the backtest, by name."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from backtest.forecasters.calibrated import Calibrated
from backtest.forecasters.constant import Constant, OwnHistory
from backtest.forecasters.garch import TextbookGarch
from backtest.forecasters.gbm import GeometricBrownianMotion
from backtest.forecasters.historical import HistoricalSimulation
from backtest.forecasters.logit import Logit
from backtest.forecasters.worst_drop_law import WorstDropLaw
from backtest.known import Forecaster
from pricing.errors import InvalidTermsError

#: Makers by name; the arguments are the number of paths and the share of token-periods for the slow ones.
MAKERS: Mapping[str, Callable[[int, float], Forecaster]] = MappingProxyType(
    {
        "constant": lambda _paths, _share: Constant(),
        "own-history": lambda _paths, _share: OwnHistory(),
        "gbm": lambda _paths, _share: GeometricBrownianMotion(),
        "garch": lambda paths, share: TextbookGarch(n_paths=paths, share=share),
        "historical": lambda _paths, _share: HistoricalSimulation(),
        "logit": lambda _paths, _share: Logit(),
        "worst-drop-law": lambda _paths, _share: WorstDropLaw(),
        "calibrated": lambda paths, _share: Calibrated(n_paths=paths),
    }
)


def make_forecasters(names: Sequence[str], *, n_paths: int, share: float) -> tuple[Forecaster, ...]:
    """Make forecasters by name; the constant comes first, because all others are compared with it.

    Parameters
    ----------
    names : sequence of str
        Keys of ``MAKERS``.
    n_paths : int
        Paths per token, for forecasters that simulate each token.
    share : float
        Share of token-periods that the textbook GARCH quotes.

    Raises
    ------
    InvalidTermsError
        If a name is not known.
    """
    unknown = [name for name in names if name not in MAKERS]
    if unknown:
        raise InvalidTermsError(f"forecasters must be among {', '.join(MAKERS)}, got {unknown[0]!r}")
    chosen = dict.fromkeys(["constant", *names])
    return tuple(MAKERS[name](n_paths, share) for name in chosen)
