"""A repriced book: the same premiums as cover by cover, nothing lost, one run at a time, comparable with the last."""

import errno
import json
import math
import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pyarrow.dataset import dataset

from crashcover.repricing.intake import files as book_files
from crashcover.repricing.intake.rows import ROW as ROW_NUMBER
from crashcover.repricing.job import RepriceJob, run_job
from crashcover.runs.locks import locked
from crashcover.runs.workers import Workplace
from pricing import Cover, DropTrigger, PricingBasis, StandardDeviationPrinciple, UninsurableError
from pricing.contract.payouts import parse_payout
from pricing.errors import FolderInUseError, InvalidTermsError, RateStoreError
from pricing.premiums.build_up import premium_from_sample
from pricing.rates.publishing import publish
from pricing.rates.store import RateStore
from pricing.tools.progress import silent
from tests.crashcover.repricing.books import ROW, book_file, content, make_book, reprice

BASIS = PricingBasis(risk_load=StandardDeviationPrinciple(multiple=0.2), expense_ratio=0.15, fixed_expense=3.0)


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    return book_file(make_book(300), tmp_path_factory.mktemp("book"))


@pytest.fixture(scope="module")
def out(book, rate_store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "out"
    reprice(book, rate_store, folder, basis=BASIS)
    return folder


def price_alone(row, store):
    """Price one row with the scalar premium of the engine."""
    cover = Cover(
        cover_id=row["cover_id"],
        asset=row["asset"],
        trigger=DropTrigger(drop=row["drop"], window=row["window"]),
        payout=parse_payout(row["payout"]),
        limit=row["limit"],
        currency=row["currency"],
        term=row["term"],
    )
    sample = store.surface(row["asset"]).sample(window=row["window"], term=row["term"])
    return premium_from_sample(cover, sample, BASIS)


def test_every_row_has_the_premium_that_its_cover_has_alone(out, rate_store):
    store = RateStore.open(rate_store)
    priced = pd.read_parquet(out / "priced")
    resolved = priced[~priced["verdict"].isin(["unresolved", "uninsurable"])]
    assert len(resolved) > 200
    for row in resolved.to_dict("records"):
        alone = price_alone(row, store)
        names = ("rate_on_line", "standard_error", "expected_loss", "trigger_probability")
        found = [row["premium"], *(row[name] for name in names)]
        wanted = [alone.gross, *(getattr(alone, name) for name in names)]
        assert found == pytest.approx(wanted, rel=1e-9)
        assert row["verdict"] == alone.flag.value


def test_a_cover_without_a_price_stays_in_the_book_and_says_why(rate_store, tmp_path):
    rows = [{**ROW, "cover_id": "sure", "drop": 0.001}, {**ROW, "cover_id": "never", "drop": 0.999}]
    summary = reprice(book_file(pd.DataFrame(rows), tmp_path), rate_store, tmp_path / "out")
    priced = pd.read_parquet(tmp_path / "out" / "priced").set_index("cover_id")
    assert priced["verdict"].to_dict() == {"sure": "uninsurable", "never": "unresolved"}
    assert priced[["premium", "rate_on_line", "standard_error"]].isna().all(axis=None)
    assert (summary["priced"], summary["without_price"], summary["quarantined"]) == (2, 2, 0)
    with pytest.raises(UninsurableError):
        price_alone({**rows[0]}, RateStore.open(rate_store))


def test_the_rows_come_out_as_they_came_in(out, book, rate_store):
    original = pd.read_parquet(book)
    priced = pd.read_parquet(out / "priced").sort_values(ROW_NUMBER, ignore_index=True)
    assert priced[ROW_NUMBER].tolist() == list(range(1, 301))
    for name in original.columns:
        assert priced[name].tolist() == original[name].tolist(), name
    entries = RateStore.open(rate_store).entries
    assert priced["calibration_id"].tolist() == [entries[asset].calibration_id for asset in priced["asset"]]
    assert priced["surface_id"].tolist() == [entries[asset].surface_id for asset in priced["asset"]]
    assert set(priced["engine_version"]) == {entries["SYNTH-WILD"].engine_version}


def test_totals_add_up_to_the_rows(out):
    priced = pd.read_parquet(out / "priced")
    summary = json.loads((out / "summary.json").read_text())
    assert len(summary["totals"]) == 8  # four assets in two currencies
    for total in summary["totals"]:
        part = priced[(priced["asset"] == total["asset"]) & (priced["currency"] == total["currency"])]
        assert total["covers"] == len(part)
        assert total["without_price"] == part["premium"].isna().sum()
        for name in ("limit", "premium", "expected_loss"):
            assert total[name] == pytest.approx(math.fsum(part[name].dropna()), rel=1e-12)


def test_neither_processes_nor_batches_change_a_byte(out, book, rate_store, tmp_path, monkeypatch):
    monkeypatch.setattr(book_files, "_ROWS_A_BATCH", 37)
    reprice(book, rate_store, tmp_path / "small", basis=BASIS)
    run_job(RepriceJob(book=book, rates=rate_store, out=tmp_path / "two", basis=BASIS), Workplace(processes=2), silent)
    assert content(tmp_path / "small") == content(tmp_path / "two") == content(out)


def test_a_finished_run_is_not_done_again(out, book, rate_store):
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.name != ".lock"}
    reprice(book, rate_store, out, basis=BASIS)
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize("change", ["book", "basis"])
def test_a_folder_takes_no_other_run(out, book, rate_store, tmp_path, change):
    other = {"book": (book_file(make_book(10), tmp_path), BASIS), "basis": (book, PricingBasis())}[change]
    with pytest.raises(InvalidTermsError, match=f"holds a run of another {change}: .* .choose another --out"):
        reprice(other[0], rate_store, out, basis=other[1])


def test_a_folder_within_the_rates_or_the_book_is_refused(out, book, rate_store):
    for inside, name in ((rate_store / "priced", "--rates"), (rate_store / "x" / "..", "--rates"), (out, "--previous")):
        before = content(rate_store)
        with pytest.raises(InvalidTermsError, match=f"--out must not be within {name}"):
            reprice(book, rate_store, inside, previous=out)
        assert content(rate_store) == before
    with pytest.raises(InvalidTermsError, match="--out must not be within the book"):
        reprice(book.parent, rate_store, book.parent / "priced")


def test_the_second_of_two_runs_on_one_folder_is_refused(run, book, rate_store, tmp_path):
    with locked(tmp_path / "out"):
        with pytest.raises(FolderInUseError, match="in use by another run"):
            reprice(book, rate_store, tmp_path / "out")
        result = run("reprice", book, "--rates", rate_store, "--out", tmp_path / "out")
        assert result.exit_code == 8
    assert reprice(book, rate_store, tmp_path / "out")["priced"] == 300


def test_without_rates_there_is_nothing_to_price_on(book, tmp_path):
    with pytest.raises(RateStoreError, match="nothing has been published"):
        reprice(book, tmp_path / "nothing", tmp_path / "out")


def test_a_book_of_bad_rows_only_leaves_an_empty_result(rate_store, tmp_path, run):
    book = book_file(make_book(5).assign(drop=50.0), tmp_path)
    result = run("reprice", book, "--rates", rate_store, "--out", tmp_path / "out", "--processes", 1, "--json")
    assert result.exit_code == 6
    summary = json.loads(result.stdout)
    assert (summary["rows"], summary["priced"], summary["quarantined"]) == (5, 0, 5)


@pytest.mark.parametrize("name", ["book.csv", "book.parquet"])
def test_an_empty_book_is_priced(run, rate_store, tmp_path, name):
    book = book_file(make_book(0), tmp_path, name)
    result = run("reprice", book, "--rates", rate_store, "--out", tmp_path / "out", "--processes", 1)
    assert (result.exit_code, result.stdout.splitlines()[-1][:35]) == (0, "0 rows: 0 priced, 0 set aside. Rate")
    assert (tmp_path / "out" / "quarantine.csv").read_text() == "row,cover_id,field,value,reason\n"
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["totals"] == []
    assert list((tmp_path / "out" / "priced").iterdir()) == []


def test_a_token_may_have_any_name(rate_store, tmp_path):
    store = RateStore.open(rate_store)
    entry, surface = store.entry("SYNTH-WILD"), store.surface("SYNTH-WILD")
    names = ["index", "000000", "quarantine", "A/B", "币" * 60, "币" * 60 + "!"]
    publish(tmp_path / "rates", [(replace(entry, asset=name), surface) for name in names], name="one")
    book = make_book(30).assign(asset=[names[place % 6] for place in range(30)])
    path = book_file(book, tmp_path)
    summary = reprice(path, tmp_path / "rates", tmp_path / "out")
    assert (summary["priced"], summary["quarantined"]) == (30, 0)
    priced = pd.read_parquet(tmp_path / "out" / "priced").sort_values(ROW_NUMBER)
    assert priced["asset"].tolist() == book["asset"].tolist()
    assert set(dataset(tmp_path / "out" / "priced", partitioning="hive").to_table()["asset"].to_pylist()) == set(names)
    again = reprice(path, tmp_path / "rates", tmp_path / "again", previous=tmp_path / "out")
    assert all(total["compared"] == total["premium"] == total["compared_before"] for total in again["totals"])


def test_the_command_shows_totals_and_counts(run, book, rate_store, tmp_path):
    arguments = ("reprice", book, "--rates", rate_store, "--out", tmp_path / "out", "--processes", 1)
    result = run(*arguments)
    assert result.exit_code == 0
    assert "300 rows: 300 priced" in result.stdout
    assert "SYNTH-WHALE" in result.stdout
    assert "\x1b" not in result.stderr  # quiet in a log


@pytest.mark.parametrize(
    ("book", "options", "slip"),
    [("sqlite:///sales.db", [], "with --table"), ("book.csv", ["--table", "covers"], "--table needs the URL")],
)
def test_a_table_and_its_database_go_together(run, rate_store, tmp_path, book, options, slip):
    result = run("reprice", book, "--rates", rate_store, "--out", tmp_path / "out", *options)
    assert result.exit_code == 2
    assert slip in result.stderr


def test_what_the_system_refuses_is_one_line(run, book, rate_store, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    arguments = ("reprice", book, "--rates", rate_store, "--processes", 1, "--out")
    result = run(*arguments, tmp_path / "file" / "out")
    assert (result.exit_code, result.stderr) == (10, f"error: {tmp_path / 'file' / 'out'}: not a directory\n")

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("crashcover.repricing.token.with_premiums", full)
    result = run(*arguments, tmp_path / "out")
    assert (result.exit_code, result.stderr) == (10, "error: no space left on device\n")
    monkeypatch.undo()
    assert run(*arguments, tmp_path / "out").exit_code == 0


def test_changes_are_those_of_the_rates_and_zero_where_nothing_moved(out, book, rate_store, tmp_path):
    dearer = PricingBasis(risk_load=BASIS.risk_load, expense_ratio=0.575, fixed_expense=3.0)  # (1 - 0.15) / 2 is kept
    summary = reprice(book, rate_store, tmp_path / "dearer", basis=dearer, previous=out)
    assert len(summary["changes"]) == 20
    now = pd.read_parquet(tmp_path / "dearer" / "priced").set_index("cover_id")
    was = pd.read_parquet(out / "priced").set_index("cover_id")
    moves = (now["rate_on_line"] - was["rate_on_line"]).abs().sort_values(ascending=False)
    found = [(change["cover_id"], change["after"] - change["before"]) for change in summary["changes"]]
    assert found == [(name, pytest.approx(move)) for name, move in moves[:20].items()]
    assert all(
        change["log_ratio"] == pytest.approx(np.log(change["after"] / change["before"]))
        for change in summary["changes"]
    )
    reasons = summary["changes"][0]["reasons"]
    assert [reasons[name] for name in ("market", "volatility", "own_record", "concentration")] == [0.0] * 4
    same = reprice(book, rate_store, tmp_path / "same", basis=BASIS, previous=out)
    assert same["changes"] == []
    for total in same["totals"]:
        assert total["compared"] == total["compared_before"] == pytest.approx(total["premium"], rel=1e-12)


def test_totals_compare_a_cover_with_itself_only_where_it_is_the_same_cover(rate_store, tmp_path):
    row = {**ROW, "broker": "north"}
    names = ["same", "limit", "currency", "drop", "new"]
    book = pd.DataFrame([{**row, "cover_id": name} for name in names])
    reprice(book_file(book[:4].assign(window=pd.Timedelta("24h")), tmp_path), rate_store, tmp_path / "was")
    book.loc[1, "limit"], book.loc[2, "currency"], book.loc[3, "drop"] = 3000.0, "JPY", 0.3
    summary = reprice(book_file(book, tmp_path), rate_store, tmp_path / "now", previous=tmp_path / "was")
    premium = pd.read_parquet(tmp_path / "now" / "priced").set_index("cover_id")["premium"]
    dollars, yen = sorted(summary["totals"], key=lambda total: total["currency"] == "JPY")
    assert dollars["compared"] == dollars["compared_before"] == premium["same"]
    assert (yen["covers"], yen["compared"], yen["compared_before"]) == (1, 0.0, 0.0)
    (change,) = summary["changes"]
    assert (change["cover_id"], change["same_terms"]) == ("drop", False)


def test_the_rate_of_an_asset_counts_only_limits_that_have_a_price(run, rate_store, tmp_path):
    rows = [ROW, {**ROW, "cover_id": "sure", "drop": 0.001, "limit": 1e6}]
    book = book_file(pd.DataFrame(rows), tmp_path)
    result = run("reprice", book, "--rates", rate_store, "--out", tmp_path / "out", "--processes", 1)
    (total,) = json.loads((tmp_path / "out" / "summary.json").read_text())["totals"]
    assert (total["limit"], total["priced_limit"], total["without_price"]) == (1_001_000.0, 1000.0, 1)
    priced = pd.read_parquet(tmp_path / "out" / "priced")
    assert f"{100 * priced['rate_on_line'].max():.2f} %" in result.stdout


def test_a_book_may_have_columns_of_any_name_beside_its_own(rate_store, tmp_path):
    names = ["premium_before", "same_terms", "same_cover", "cover_id_before", "limit_before", "index", "part"]
    book = make_book(20).assign(**dict.fromkeys(names, "mine"), lists=[[1]] * 20)
    path = book_file(book, tmp_path)
    reprice(path, rate_store, tmp_path / "one")
    summary = reprice(path, rate_store, tmp_path / "two", previous=tmp_path / "one")
    assert sum(total["compared_before"] for total in summary["totals"]) > 0.0
    assert set(pd.read_parquet(tmp_path / "two" / "priced")["premium_before"]) == {"mine"}


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-20]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"PAR1" + bytes(100) + b"PAR1"),
        lambda path: pd.read_parquet(path).drop(columns="premium").to_parquet(path),
        lambda path: pd.read_parquet(path).assign(premium="a lot").to_parquet(path),
        lambda path: pd.read_parquet(path).assign(cover_id="C-1").to_parquet(path),
    ],
)
def test_a_damaged_previous_run_is_named(run, rate_store, tmp_path, damage):
    book = book_file(make_book(20), tmp_path)
    reprice(book, rate_store, tmp_path / "was")
    damaged = sorted((tmp_path / "was" / "priced").rglob("*.parquet"))[0]
    damage(damaged)
    arguments = ("--rates", rate_store, "--out", tmp_path / "now", "--processes", 1, "--previous", tmp_path / "was")
    result = run("reprice", book, *arguments)
    assert result.exit_code == 3, result.output
    assert f"{damaged}: the previous run cannot be read: " in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_previous_run_that_is_none_is_named(run, rate_store, tmp_path):
    (tmp_path / "was").mkdir()
    arguments = ("--rates", rate_store, "--out", tmp_path / "now", "--processes", 1, "--previous", tmp_path / "was")
    result = run("reprice", book_file(make_book(3), tmp_path), *arguments)
    assert result.exit_code == 3, result.output
