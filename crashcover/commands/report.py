"""The command ``report``: write a page and its figures."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pandas as pd

from calibration import Calibration, calibrate
from crashcover.commands.exits import Exit
from crashcover.commands.inputs import (
    Options,
    calibrate_token,
    read_basis,
    read_holder_list,
    read_reading,
    read_settings,
    read_terms,
    read_token_prices,
)
from crashcover.display.progress import stages
from crashcover.files.markets import read_market
from crashcover.files.panels import read_panel
from crashcover.files.splits import read_split_file
from crashcover.files.tables import ASSET_COLUMNS, find_column, read_table
from crashcover.report.book.content import book_content
from crashcover.report.book.file import read_whole_book
from crashcover.report.book.pooling import PoolAims, needed_observations, pool_book
from crashcover.report.book.reinsurance import parse_reinsurance
from crashcover.report.book.tokens import RatedToken, rate_calibrated, rate_from_store, require_assets
from crashcover.report.covers.content import FORMAT, cover_content
from crashcover.report.covers.pricing import price_covers, read_covers
from crashcover.report.page import write_json, write_page
from crashcover.runs.workers import one_blas_thread
from pool import LARGE_OWN_SHARE, JointSettings
from pricing.contract.cover import Cover
from pricing.errors import DataError, PricingError
from pricing.rates.store import RateStore
from pricing.tools.libraries import load_library
from pricing.tools.progress import Progress
from pricing.tools.whole_files import replacing


def run_report(options: Options) -> Exit:
    """Write a report, or write the page of an earlier report again."""
    load_library("jinja2", extra="cli"), load_library("matplotlib", extra="plot")
    if options["xlsx"]:
        load_library("xlsxwriter", extra="cli")
    page = Path(options["out"])
    if options["report_file"]:
        content = read_report(Path(options["report_file"]))
    else:
        text = write_json(_make_content(options))
        # The page is made from the values of the file, so that it can be reproduced from the file.
        content = json.loads(text)
        _write(page.with_suffix(".json"), text)
    if options["xlsx"]:
        _write_premiums(options["xlsx"], content, options["report_file"])
    _write(page, write_page(content))
    return Exit.DONE if content["kind"] == "book" or content["quotes"] else Exit.ALL_REFUSED


def _write_premiums(path: Path, content: dict[str, Any], source: str | None) -> None:
    """Write the premiums of the covers of a report as a workbook."""
    from crashcover.report.covers.workbook import write_workbook

    if content["kind"] == "book":
        raise DataError(f"{source}: is a report on a book: --xlsx is for covers of one token")
    _write(path, write_workbook(content))


def read_report(path: Path) -> dict[str, Any]:
    """Read the values of a report.

    Raises
    ------
    DataError
        If the file cannot be read or does not hold a report.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {str(error.strerror).lower()}") from error
    except ValueError as error:
        raise DataError(f"{path}: is not JSON: {error}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DataError(f"{path}: must be a report in the format {FORMAT!r}, written by crashcover report")
    return content


def _write(path: Path, content: str | bytes) -> None:
    try:
        with replacing(path) as part:
            part.write_bytes(content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {str(error.strerror).lower()}") from error
    click.echo(str(path))


def _make_content(options: Options) -> dict[str, Any]:
    if options["book"]:
        return _book(options)
    with stages() as begin:
        if options["quotes"]:
            return cover_content(read_covers(Path(options["quotes"]), begin))
        basis, settings, terms = read_basis(options), read_settings(options), read_terms(options)
        history = read_token_prices(options)
        covers = terms.covers(history.asset)
        calibration = calibrate_token(history, options)
        priced = price_covers(calibration, covers, basis=basis, settings=settings, closes=history.closes, begin=begin)
        return cover_content(priced)


def _book(options: Options) -> dict[str, Any]:
    covers = read_whole_book(Path(options["book"]))
    aims = PoolAims(
        capital=options["capital"],
        level=options["level"],
        ruin_target=options["ruin_target"],
        horizon_periods=options["horizon_periods"],
        share_of_capital=options["share_of_capital"],
        reinsurance=tuple(parse_reinsurance(text) for text in options["reinsurance"]),
    )
    joint = JointSettings(n_scenarios=options["scenarios"], seed=options["seed"], n_threads=options["threads"])
    aims.require_scenarios(joint.n_scenarios)
    _require_named(options["large"], _assets(covers))
    with stages() as begin:
        rate = _rated_from_store if options["rates"] else _rated_from_panel
        rated = rate(covers, options, begin)
    tokens = {asset: _as_large(token) if asset in options["large"] else token for asset, token in rated.items()}
    return book_content(pool_book(covers, tokens, basis=read_basis(options), aims=aims, settings=joint))


def _require_named(large: Sequence[str], assets: Sequence[str]) -> None:
    for asset in large:
        if asset not in assets:
            raise DataError(f"large must name a token of the book, got {asset!r} (it has {', '.join(assets[:6])})")


def _as_large(token: RatedToken) -> RatedToken:
    return replace(token, risk=replace(token.risk.named(token.asset), own_share=LARGE_OWN_SHARE))


def _assets(covers: Sequence[Cover]) -> list[str]:
    return list(dict.fromkeys(cover.asset for cover in covers))


def _rated_from_store(covers: Sequence[Cover], options: Options, begin: Progress) -> dict[str, RatedToken]:
    folder = Path(options["rates"])
    store = RateStore.open(folder)
    assets = _assets(covers)
    require_assets(assets, list(store.entries), folder)
    return {asset: rate_from_store(folder, store, asset, needed_observations(covers, asset), begin) for asset in assets}


def _rated_from_panel(covers: Sequence[Cover], options: Options, begin: Progress) -> dict[str, RatedToken]:
    panel_file = Path(options["prices"])
    panel = read_panel(panel_file, read_reading(options), leave_out=())
    assets = _assets(covers)
    require_assets(assets, list(panel.closes.columns), panel_file)
    listed = _listed(Path(options["holders"])) if options["holders"] else set()
    calibrations = {
        asset: _calibrate_column(panel.closes[asset].dropna(), asset, options, has_holders=asset in listed)
        for asset in assets
    }
    settings = read_settings(options)
    return {
        asset: rate_calibrated(calibration, asset, needed_observations(covers, asset), settings, begin)
        for asset, calibration in calibrations.items()
    }


def _listed(holders: Path) -> set[str]:
    """Return the tokens that a file of holders lists; the others are flagged as tokens without holders."""
    table = read_table(holders)
    column = find_column(table, *ASSET_COLUMNS)
    if column is None:
        raise DataError(
            f"{holders}, row 1: must have a column that names the token (such as list) if it is used for a book"
        )
    return set(table[column].dropna().astype(str))


def _calibrate_column(closes: pd.Series, asset: str, options: Options, *, has_holders: bool) -> Calibration:
    holders = read_holder_list(options, asset) if has_holders else None
    market = read_market(Path(options["market"])) if options["market"] else None
    splits = read_split_file(Path(options["splits"]), asset=asset) if options["splits"] else None
    known = {name: options[name] for name in ("as_of", "grid", "stale_ok")} | {"splits": splits}
    try:
        with one_blas_thread():
            return calibrate(closes, holders=holders, market=market, **known)
    except PricingError as error:
        raise type(error)(f"asset {asset!r}: {error}") from error
