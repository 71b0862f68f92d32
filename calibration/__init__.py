"""Calibration: from prices, a market and holders to a price model.

::

    panel --> fit_market: slopes between tokens, shocks of months, crashes of a token's own --> Market
                                                                                                  |
    prices --> check_closes --> observe (horizons, own record) --> worst month, crash rate <------+
                    |                                                     |          ^
                    +--> fit_volatility: the shape of paths --> scaled, anchored     +-- hazard_factor
                                                                          |                  ^
                                                                          v                  |
                                                                  Calibration.model   holders, signals

Everything that is repaired, cut, bounded or capped on the way is a ``Finding`` or a flag of the ``Verdict``; everything
that is assumed is a sentence in ``Calibration.assumptions``.
"""

from calibration.calibration import Calibration, calibrate, update
from calibration.hazard.drill import LargestSale
from calibration.hazard.factor import HazardFactor, HazardPart, hazard_factor
from calibration.hazard.overhang import Overhang
from calibration.hazard.risk_signals import RiskSignals
from calibration.holders.bounded import Bounded
from calibration.holders.clusters import Cluster
from calibration.holders.concentration_measures import Concentration, Hand, concentration
from calibration.holders.control import Control
from calibration.holders.lists import BURN_ADDRESSES, Category, HolderFinding, HolderFindingKind
from calibration.law.crashes import CrashRate
from calibration.law.worst_month import WorstMonth
from calibration.market.market import PEGGED, Market, fit_market
from calibration.market.shipped import shipped_market
from calibration.paths.volatility import VolatilityFit, fit_volatility
from calibration.pegs.peg_calibration import PegCalibration, calibrate_peg
from calibration.pegs.record import Peg, PegRecord
from calibration.prices.bars import CheckedCloses, check_closes
from calibration.prices.diagnostics import Diagnostics
from calibration.prices.findings import Finding, FindingKind
from calibration.verdict import Verdict, explain
from calibration.what_if import Inputs, exchanged, inputs_of, remodel

__all__ = [
    "BURN_ADDRESSES",
    "PEGGED",
    "Bounded",
    "Calibration",
    "Category",
    "CheckedCloses",
    "Cluster",
    "Concentration",
    "Control",
    "CrashRate",
    "Diagnostics",
    "Finding",
    "FindingKind",
    "Hand",
    "HazardFactor",
    "HazardPart",
    "HolderFinding",
    "HolderFindingKind",
    "Inputs",
    "LargestSale",
    "Market",
    "Overhang",
    "Peg",
    "PegCalibration",
    "PegRecord",
    "RiskSignals",
    "Verdict",
    "VolatilityFit",
    "WorstMonth",
    "calibrate",
    "calibrate_peg",
    "check_closes",
    "concentration",
    "exchanged",
    "explain",
    "fit_market",
    "fit_volatility",
    "hazard_factor",
    "inputs_of",
    "remodel",
    "shipped_market",
    "update",
]
