"""Inputs that several commands read from their options."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click
import pandas as pd

from calibration import Calibration, RiskSignals, calibrate, calibrate_peg, explain
from calibration.holders.lists import holds_shares
from calibration.prices.volume import median_day
from crashcover.display.messages import tell
from crashcover.files.holders import read_holders
from crashcover.files.markets import read_market
from crashcover.files.prices import PriceHistory, read_history
from crashcover.files.reading import PriceReading
from crashcover.files.splits import read_split_file
from crashcover.offers.offers import AnyCalibration
from crashcover.offers.stated_market import market_signals
from crashcover.offers.terms import Terms
from crashcover.runs.workers import one_blas_thread
from crashcover.sample_market import is_synthetic
from pricing.contract.payouts import parse_payout
from pricing.contract.triggers import Reference
from pricing.premiums.basis import PLAIN_LOADINGS, PricingBasis
from pricing.premiums.loadings import CapitalCost, survivorship
from pricing.principles import parse_risk_load
from pricing.surface.settings import SimulationSettings

#: Options of a command by name.
Options = Mapping[str, Any]


def read_terms(options: Options) -> Terms:
    """Return the terms of covers from options."""
    return Terms(
        drops=options["drops"],
        windows=options["windows"],
        terms=options["terms"],
        limit=options["limit"],
        currency=options["currency"],
        reference=Reference[options["reference"].replace("-", "_").upper()],
        payout=parse_payout(options["payout"]),
        waiting_period=options["waiting_period"],
    )


def read_basis(options: Options) -> PricingBasis:
    """Return the loadings from options."""
    capital_rate = options["capital_rate"]
    return PricingBasis(
        risk_load=parse_risk_load(options["risk_load"], horizon=options["load_horizon"]),
        capital=CapitalCost(annual_rate=capital_rate) if capital_rate else None,
        loadings=[survivorship(options["survivorship_load"])] if options["survivorship_load"] else (),
        **{name: options[name] for name in PLAIN_LOADINGS},
    )


def read_settings(options: Options) -> SimulationSettings:
    """Return the settings of the simulation from options."""
    return SimulationSettings(
        n_paths=options["paths"],
        seed=options["seed"],
        n_threads=options["threads"],
        rare_drops=options["rare_drops"],
    )


def read_reading(options: Options) -> PriceReading:
    """Return how files of prices are to be read."""
    return PriceReading(**{name: options[name] for name in ("label", "format", "columns", "resample")})


def read_token_prices(options: Options) -> PriceHistory:
    """Read the prices of one token, and report the notices about the file."""
    path = Path(options["prices"])
    history = read_history(path, options["asset"], read_reading(options))
    _tell("notice", (f"{path}: {notice}" for notice in history.notices))
    return history


def read_holder_list(options: Options, asset: str | None) -> pd.DataFrame:
    """Read the holders of one token, and report the notices about the file."""
    path = Path(options["holders"])
    holders = read_holders(path, asset=asset, columns=options["holder_columns"])
    _tell("notice", (f"{path}: {notice}" for notice in holders.attrs["notices"]))
    return holders


def calibrate_token(history: PriceHistory, options: Options) -> Calibration:
    """Calibrate one token from its files, and report the findings."""
    holders = read_holder_list(options, options["asset"]) if options["holders"] else None
    market = read_market(Path(options["market"])) if options["market"] else None
    splits = read_split_file(Path(options["splits"]), asset=history.asset) if options["splits"] else None
    with one_blas_thread():
        calibration = calibrate(
            history.closes,
            holders=holders,
            supply=options["supply"],
            circulating=options["circulating"],
            signals=_signals(history, holders, options),
            market=market,
            as_of=options["as_of"],
            grid=options["grid"],
            splits=splits,
            stale_ok=options["stale_ok"],
        )
    _tell_findings(calibration)
    if calibration.concentration:
        _tell("finding", (f"{each.kind.value}: {each.message}" for each in calibration.concentration.findings))
    return calibration


def _signals(history: PriceHistory, holders: pd.DataFrame | None, options: Options) -> RiskSignals | None:
    """Return what the market bears, as stated; the volume of the file counts if none is stated beside holders."""
    volume, as_of = options["daily_volume"], options["as_of"]
    if volume is None and holders is not None and not holds_shares(holders) and history.volumes is not None:
        traded = history.volumes.dropna()
        volume = median_day(traded if as_of is None else traded[traded.index <= as_of])
        if volume is not None:
            tell(f"notice: {volume:,.0f} tokens are traded on a median day of the file (or state --daily-volume)")
    return market_signals(history.closes, as_of=as_of, depth=options["depth"], daily_volume=volume)


def calibrate_as_stated(history: PriceHistory, options: Options) -> AnyCalibration:
    """Calibrate one token by the record of its class if --peg states one, and by the laws of the market otherwise."""
    if options["peg"] is None:
        return calibrate_token(history, options)
    for name in ("holders", "supply", "circulating", "depth", "daily_volume", "market", "splits", "grid"):
        if options[name] is not None:
            option = f"--{name.replace('_', '-')}"
            raise click.UsageError(f"--peg cannot be combined with {option}: the record of pegs does not use it")
    calibration = calibrate_peg(history.closes, options["peg"], as_of=options["as_of"], stale_ok=options["stale_ok"])
    _tell_findings(calibration)
    _tell("notice", (f"{history.asset}: {reason}" for reason in explain(calibration.verdict)))
    return calibration


def _tell_findings(calibration: AnyCalibration) -> None:
    _tell(
        "finding",
        (f"{finding.time:%Y-%m-%d %H:%M}Z {finding.kind.value}: {finding.message}" for finding in calibration.findings),
    )


def _tell(kind: str, texts: Iterable[str]) -> None:
    for text in texts:
        tell(f"{kind}: {text}")


def story_of(asset: str) -> str:
    """Return a note if a token is synthetic."""
    return "synthetic" if is_synthetic(asset) else ""
