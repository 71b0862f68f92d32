"""Tasks that write files: what they need, what they do, and what a reader finds."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from crashcover.fetching.bars import Bar
from crashcover.fetching.price_file import PriceFile
from crashcover.sample_market import write_files
from pricing.rates.publishing import prune, publish
from pricing.rates.store import RateStore
from pricing.tools.whole_files import write_text
from tests.crashcover.rates.nights import rate
from tests.crashcover.repricing.books import book_file, make_book, reprice
from tests.pricing.rates.store_worlds import constant_surface, make_entry

_HOUR = 3_600_000
_LAST = datetime(2025, 12, 31, 23, tzinfo=UTC)
#: Values that a reader finds, by name.
Parts = dict[str, object]


class Scenario(NamedTuple):
    """Something that writes into a folder; each part that is read is that of before, or that of after."""

    prepare: Callable[[Path], object]
    act: Callable[[Path], object]
    read: Callable[[Path], Parts]
    #: What is done after a fault; the same once more by default.
    again: Callable[[Path], object] | None = None


@cache
def _surface(level):
    return constant_surface(level)


def _publish(folder, level):
    rates = ((make_entry(asset), _surface(level)) for asset in ("OM", "LUNA"))
    return publish(folder, rates, name=f"night-{level}")


def _rates(folder):
    store = RateStore.open(folder)
    surfaces = store.surfaces()
    return {"all": (store.version, [surfaces.surface(asset).model_digest for asset in store.entries])}


def _rates_of_tokens(folder):
    """Return the rates of each token: one that fails keeps those of the night before."""
    store = RateStore.open(folder)
    surfaces = store.surfaces()
    return {asset: surfaces.surface(asset).model_digest for asset in store.entries}


def _add_bars(folder, first, last):
    file = PriceFile(folder / "om.csv", "OM", _HOUR)
    file.add(Bar(hour * _HOUR, 1.0, 2.0, 0.5, 1.5, 7.0) for hour in range(first, last) if not file.last or hour > 10)
    file.save()


def _publish_three(folder):
    for level in (1, 2, 3):
        _publish(folder, level)


def _inputs(folder):
    """Return a folder beside the one whose disk fails."""
    inputs = folder.parent / "inputs"
    inputs.mkdir(exist_ok=True)
    return inputs


def _write_prices(folder):
    prices, _ = write_files(_inputs(folder))
    table = pd.read_csv(prices)
    table[["time", "SYNTH-CALM", "SYNTH-WILD"]].tail(1_600).to_csv(_inputs(folder) / "prices.csv", index=False)


def _first_night(folder):
    _write_prices(folder)
    _night(folder, 1)


def _night(folder, number):
    """Rate two tokens; one that fails for want of a disk is told, as every token that fails, and its night goes on."""
    as_of = _LAST + timedelta(days=number - 3)
    report = rate(_inputs(folder) / "prices.csv", folder, as_of=as_of)
    failed = [each["error"] for each in report["assets"] if each["error"]]
    if failed:
        assert "fault of the program" not in failed[0]
        raise OSError(failed[0])


def _rates_and_book(folder):
    _write_prices(folder)
    rate(_inputs(folder) / "prices.csv", _inputs(folder) / "rates")
    book = make_book(50)
    book = book[book["asset"].isin(["SYNTH-CALM", "SYNTH-WILD"])].reset_index(drop=True)
    book.loc[0, "drop"] = 7.0  # a row for the quarantine
    book_file(book, _inputs(folder))


def _price(folder):
    return reprice(_inputs(folder) / "book.parquet", _inputs(folder) / "rates", folder)


def _premiums(folder):
    """Return what a run has finished, or None."""
    if not (folder / "summary.json").exists():
        return {"all": None}
    priced = pd.read_parquet(folder / "priced").sort_values("cover_id")
    return {"all": (priced.to_csv(index=False), (folder / "quarantine.csv").read_text())}


SCENARIOS = {
    "a text": Scenario(
        prepare=lambda folder: write_text(folder / "text", "before"),
        act=lambda folder: write_text(folder / "text", "after", to_disk=True),
        read=lambda folder: {"all": (folder / "text").read_text()},
    ),
    "a surface": Scenario(
        prepare=lambda folder: _surface(1).save(folder / "surface"),
        act=lambda folder: _surface(2).save(folder / "surface"),
        read=lambda folder: {"all": (folder / "surface").read_bytes()},
    ),
    "a file of prices": Scenario(
        prepare=lambda folder: _add_bars(folder, 0, 11),
        act=lambda folder: _add_bars(folder, 11, 30),
        read=lambda folder: {"all": (folder / "om.csv").read_bytes()},
    ),
    "a publication": Scenario(
        prepare=lambda folder: _publish(folder, 1), act=lambda folder: _publish(folder, 2), read=_rates
    ),
    "a pruned store": Scenario(prepare=_publish_three, act=lambda folder: prune(folder, keep=1), read=_rates),
    "a night": Scenario(
        prepare=_first_night,
        act=lambda folder: _night(folder, 2),
        read=_rates_of_tokens,
        again=lambda folder: _night(folder, 3),
    ),
    "a priced book": Scenario(prepare=_rates_and_book, act=_price, read=_premiums),
}
