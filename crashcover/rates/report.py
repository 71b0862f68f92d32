"""The report on a night: every asset with its status, the rates that moved most, and the time taken."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich import box
from rich.table import Table

from crashcover.rates.publication import DAMAGE, NO_PRICES, Tonight
from crashcover.rates.token import RateOutcome
from pricing.contract.observation import Observation
from pricing.contract.signals import observation_of
from pricing.rates.compact_surface import CompactSurface
from pricing.rates.store import RateStore

#: Drop that represents the rates of an asset, and its observation if that was simulated.
DROP = 0.3
_USUAL = Observation(window="24h", term="30d")
_MOST_CHANGES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetReport:
    """Report on one asset of a night.

    Parameters
    ----------
    asset : str
        Name of the token.
    status : str
        "fresh", "stale", "suspended", or "missing" if there are no rates at all.
    verdict : tuple of str
        Times as published.
    error : str
        Reason why there are no rates from tonight; empty if there are.
    is_fault : bool
        True if the reason is not the token's data.
    notices : tuple of str
        Warnings of the simulation.
    rate, rate_before : float or None
        Probability of the representative drop, tonight and in the previous version.
    seconds : dict of str to float
        Seconds of each stage.
    """

    asset: str
    status: str
    verdict: tuple[str, ...]
    error: str
    notices: tuple[str, ...]
    rate: float | None
    rate_before: float | None
    seconds: Mapping[str, float]
    is_fault: bool = False

    @property
    def change(self) -> float:
        """Log of the ratio of both rates; 0 unless both exist."""
        return math.log(self.rate / self.rate_before) if self.rate and self.rate_before else 0.0


def report_assets(outcomes: Mapping[str, RateOutcome], tonight: Tonight) -> tuple[AssetReport, ...]:
    """Report every asset that was to be rated, or has or had rates, by name."""
    assets = sorted({*outcomes, *tonight.entries, *tonight.lost})
    return tuple(_report(outcomes.get(asset, RateOutcome(asset=asset, error=NO_PRICES)), tonight) for asset in assets)


def _report(outcome: RateOutcome, tonight: Tonight) -> AssetReport:
    asset = outcome.asset
    entry, lost = tonight.entries.get(asset), tonight.lost.get(asset)
    surface = tonight.surface(asset) if entry else None
    standing = _standing_for(surface) if surface else None
    return AssetReport(
        asset=asset,
        status=entry.status if entry else "missing",
        verdict=entry.verdict if entry else (),
        error=f"{outcome.error}; its earlier rates are lost: {lost}" if lost else outcome.error,
        notices=outcome.notices,
        rate=_rate(surface, standing),
        rate_before=_rate(_surface_before(tonight.before, asset), standing),
        seconds=dict(outcome.seconds),
        is_fault=outcome.is_fault,
    )


def _surface_before(before: RateStore | None, asset: str) -> CompactSurface | None:
    """Map the earlier surface of an asset for comparison; a damaged one must not stop tonight's rates."""
    try:
        return before.surface(asset) if before and asset in before.entries else None
    except DAMAGE:
        return None


def _standing_for(surface: CompactSurface) -> Observation:
    """Choose the observation that represents the rates: the usual one, or else the first."""
    held = _observations(surface)
    return _USUAL if _USUAL in held else held[0]


def _observations(surface: CompactSurface) -> list[Observation]:
    return [observation_of(signal, surface.step) for signal in surface.signals]


def _rate(surface: CompactSurface | None, observation: Observation | None) -> float | None:
    if surface is None or observation is None or observation not in _observations(surface):
        return None
    return surface.sample_of(observation).exceedance(DROP).value


def report_document(
    name: str, as_of: str, assets: Sequence[AssetReport], notices: Sequence[str], seconds: Mapping[str, float]
) -> dict[str, Any]:
    """Return the report as plain values."""
    return {
        "version": name,
        "as_of": as_of,
        "assets": [asdict(each) for each in assets],
        "statuses": dict(sorted(Counter(each.status for each in assets).items())),
        "notices": list(notices),
        "seconds": dict(seconds),
    }


def count_text(report: Mapping[str, Any]) -> str:
    """Summarise the outcome of the tokens and the time taken in one line."""
    statuses = ", ".join(f"{count} {status}" for status, count in report["statuses"].items())
    seconds = ", ".join(f"{stage} {taken:.1f} s" for stage, taken in report["seconds"].items())
    return f"Rates {report['version']}: {statuses}. Time: {seconds}."


def change_table(assets: Sequence[AssetReport]) -> Table:
    """Tabulate the rates that moved most."""
    table = _table(f"Largest changes of the probability of a fall of {DROP:.0%}", "asset", "before", "now", "change")
    moved = sorted((each for each in assets if each.change), key=lambda each: (-abs(each.change), each.asset))
    for each in moved[:_MOST_CHANGES]:
        table.add_row(
            each.asset,
            f"{100 * (each.rate_before or 0.0):.3g} %",
            f"{100 * (each.rate or 0.0):.3g} %",
            f"{100 * math.expm1(each.change):+.1f} %",
        )
    return table


def failure_table(assets: Sequence[AssetReport]) -> Table:
    """Tabulate the assets that have no rates from tonight."""
    table = _table("Not rated tonight", "asset", "status", "reason")
    for each in assets:
        if each.error:
            table.add_row(each.asset, each.status, each.error)
    return table


def asset_table(assets: Sequence[AssetReport]) -> Table:
    """Tabulate all assets."""
    table = _table("Assets", "asset", "status", f"fall of {DROP:.0%}", "seconds", "warnings")
    for each in assets:
        rate = "–" if each.rate is None else f"{100 * each.rate:.3g} %"
        verdict = ", ".join(_flag_text(reason) for reason in each.verdict)
        table.add_row(each.asset, each.status, rate, f"{sum(each.seconds.values()):.1f}", verdict)
    return table


def _flag_text(reason: str) -> str:
    """Return the name of a flag in lower case, and leave sentences, which name files, unchanged."""
    return reason.lower() if reason.isupper() else reason


def _table(title: str, *headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left", title_style="bold")
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    return table
