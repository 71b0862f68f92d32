"""What the data say: from prices and holders to a price model.

::

    prices  --> check_closes --> one-step log returns --+--> crash bars ----> estimate_crashes --+
                (bars, breaks)                          |                      (crash_prior)     |
                                                        +--> the others ----> fit_volatility ----+--> Calibration.model
                                                                                                 |
    holders --> concentration (holders, shares) --> Herfindahl index, upper bound ---------------+

Whatever is repaired, cut, bounded or capped on the way is a ``Finding`` or a flag of the ``Verdict``; whatever is taken
for granted is a sentence in ``Calibration.assumptions``.
"""

from calibration.bars import CheckedCloses, check_closes
from calibration.bounded import Bounded
from calibration.calibrate import Calibration, calibrate
from calibration.concentration import Concentration, concentration
from calibration.crash_prior import CrashPrior, published_prior
from calibration.crashes import CrashEstimate, estimate_crashes
from calibration.diagnostics import Diagnostics
from calibration.findings import Finding, FindingKind
from calibration.holders import BURN_ADDRESSES, Category, HolderFinding, HolderFindingKind
from calibration.verdict import Verdict, explain
from calibration.volatility import VolatilityFit, fit_volatility

__all__ = [
    "BURN_ADDRESSES",
    "Bounded",
    "Calibration",
    "Category",
    "CheckedCloses",
    "Concentration",
    "CrashEstimate",
    "CrashPrior",
    "Diagnostics",
    "Finding",
    "FindingKind",
    "HolderFinding",
    "HolderFindingKind",
    "Verdict",
    "VolatilityFit",
    "calibrate",
    "check_closes",
    "concentration",
    "estimate_crashes",
    "explain",
    "fit_volatility",
    "published_prior",
]
