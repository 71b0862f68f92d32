"""Rows that cannot be priced go to the quarantine, each with its row, field, value and reason; others are priced."""

import csv
import gzip
import re
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crashcover.files.spreadsheets import no_formula
from crashcover.repricing.intake import files as book_files
from crashcover.repricing.intake.repeats import Repeats
from crashcover.repricing.intake.rows import ROW as ROW_NUMBER
from crashcover.repricing.intake.rows import AssetRates, check_rows
from pricing.errors import DataError
from pricing.rates.store import RateStore
from tests.crashcover.repricing.books import ROW, book_file, make_book, reprice

OBSERVATION = "reference, window, term, waiting_period"
#: Field, what is written there, field of the quarantine, and what the reason says.
SLIPS = [
    ("cover_id", "", "cover_id", "must not be empty"),
    ("asset", "OTHER", "asset", "must be one of the 4 that the rates hold, got 'OTHER'"),
    ("asset", "", "asset", "must not be empty"),
    ("drop", "50", "drop", "between 0 and 1, got 50.0 (a fraction: 50 % is 0.50)"),
    ("drop", "0", "drop", "between 0 and 1"),
    ("drop", "0,5", "drop", "must be a number, got '0,5' (write digits and a decimal point"),
    ("drop", "50%", "drop", "must be a number, got '50%' (write a fraction: 50 % is 0.5)"),
    ("asset", " synth-wild", "asset", "got ' synth-wild' (did you mean 'SYNTH-WILD'?)"),
    ("term", "30 days", "term", "got '30 days' (write '30d')"),
    ("drop", "half", "drop", "must be a number, got 'half'"),
    ("drop", "", "drop", "must not be empty"),
    ("limit", "NaN", "limit", "positive and finite, got NaN"),
    ("limit", "-5", "limit", "positive and finite, got -5"),
    ("limit", "inf", "limit", "positive and finite, got inf"),
    ("limit", "1e308", "limit", "from 1e-09 to 1e+15, got 1e308 (write units of the currency, not wei)"),
    ("limit", "1e-320", "limit", "from 1e-09 to 1e+15, got 1e-320"),
    ("limit", "1,000", "limit", "must be a number, got '1,000'"),
    ("term", "-30d", "term", "must be a duration such as"),
    ("term", "30", "term", "a bare number has no unit"),
    ("term", "6h", OBSERVATION, "the rates hold no rolling high of 24h over 6h"),
    ("window", "90min", OBSERVATION, "whole number of steps of 1h"),
    ("window", "", OBSERVATION, "window must be given"),
    ("waiting_period", "40d", OBSERVATION, "waiting_period must be shorter than the term"),
    ("waiting_period", "1h", OBSERVATION, "the rates hold no rolling high of 24h over 30d after 1h"),
    ("reference", "low", "reference", "must be one of rolling-high, lagged, running-high, inception, got 'low'"),
    ("reference", "lagged", OBSERVATION, "the rates hold no lagged of 24h over 30d"),
    ("payout", "linear:30:90", "payout", "attachment must be between 0 and 1, got 30.0"),
    ("payout", "half", "payout", "must look like"),
    ("currency", " ", "currency", "must be a text that is not empty"),
]


def quarantine(folder):
    with (folder / "quarantine.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_rows(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([list(ROW), *rows])
    return path


def test_every_slip_is_named_and_the_other_rows_are_priced(rate_store, tmp_path):
    rows = [{**ROW, "cover_id": f"S-{place}", field: text} for place, (field, text, _, _) in enumerate(SLIPS)]
    book = write_rows(tmp_path / "book.csv", [ROW.values(), *(row.values() for row in rows)])
    summary = reprice(book, rate_store, tmp_path / "out")
    found = quarantine(tmp_path / "out")
    assert [int(row["row"]) for row in found] == list(range(3, 3 + len(SLIPS)))  # the header is 1, the good row 2
    for row, (_, text, named, reason) in zip(found, SLIPS, strict=True):
        assert row["field"] == named
        assert reason in row["reason"], row
        assert row["value"] == no_formula(text) or (named == OBSERVATION and text in row["value"].split(", "))
    assert (summary["rows"], summary["priced"], summary["quarantined"]) == (1 + len(SLIPS), 1, len(SLIPS))
    assert sum(summary["quarantined_by_field"].values()) == len(SLIPS)
    priced = pd.read_parquet(tmp_path / "out" / "priced")
    assert priced["cover_id"].tolist() == ["C-1"]
    assert priced[ROW_NUMBER].tolist() == [2]


def test_wrong_numbers_of_a_parquet_file_are_named_as_well(rate_store, tmp_path):
    book = make_book(6)
    book.loc[1, "drop"], book.loc[2, "limit"], book.loc[3, "limit"] = 50.0, np.nan, np.inf
    book["term"] = book["term"].astype(object)
    book.loc[4, "term"] = None
    reprice(book_file(book, tmp_path), rate_store, tmp_path / "out")
    found = [(int(row["row"]), row["cover_id"], row["field"]) for row in quarantine(tmp_path / "out")]
    assert found == [(2, "C-1", "drop"), (3, "C-2", "limit"), (4, "C-3", "limit"), (5, "C-4", "term")]


def test_a_line_with_too_few_fields_is_set_aside_and_an_empty_one_is_no_row(rate_store, tmp_path):
    path = write_rows(
        tmp_path / "book.csv", [ROW.values(), ["C-2", "SYNTH-WILD"], [], {**ROW, "cover_id": "C-3"}.values()]
    )
    summary = reprice(path, rate_store, tmp_path / "out")
    (row,) = quarantine(tmp_path / "out")
    assert (row["row"], row["cover_id"], row["field"]) == ("3", "C-2", "row")
    assert (summary["rows"], summary["priced"], summary["quarantined"]) == (3, 2, 1)
    assert pd.read_parquet(tmp_path / "out" / "priced")[ROW_NUMBER].tolist() == [2, 5]


LINE = ",".join(str(cell) for name, cell in ROW.items() if name != "cover_id")


@pytest.mark.parametrize(
    ("notes", "aside", "kept"),
    [
        (['"open', "x", "y"], [2], ["x", "y"]),
        (['"5 inch', "x", '"y"'], [2], ["x", "y"]),
        (["x", "y", '"open'], [4], ["x", "y"]),
        (['"two', 'lines"', "y"], [2, 3], ["y"]),
        (['"x"y', '"x"', 'x"y,"z'], [2, 4], ["x"]),
        (['"5"" disk"', '"x,y"', "x"], [], ['5" disk', "x,y", "x"]),
        (["z" * 200_000, "y", '"' + "z" * 200_000 + '"'], [4], ["z" * 200_000, "y"]),
    ],
)
def test_a_quotation_mark_that_is_not_closed_takes_no_other_line_with_it(rate_store, tmp_path, notes, aside, kept):
    lines = [f"{place},{LINE},{note}\n" for place, note in enumerate(notes, start=2)]
    path = tmp_path / "book.csv"
    path.write_text(",".join(ROW) + ",note\n" + "".join(lines))
    summary = reprice(path, rate_store, tmp_path / "out")
    found = quarantine(tmp_path / "out")
    assert [(int(row["row"]), row["cover_id"], row["field"]) for row in found] == [(n, str(n), "row") for n in aside]
    assert all("a field holds no line break" in row["reason"] for row in found)
    assert (summary["rows"], summary["priced"], summary["quarantined"]) == (3, 3 - len(aside), len(aside))
    assert pd.read_parquet(tmp_path / "out" / "priced").sort_values(ROW_NUMBER)["note"].tolist() == kept


@pytest.mark.parametrize("field", ["cover_id", "window"])
def test_a_cell_of_any_length_is_set_aside(rate_store, tmp_path, field):
    rows = [ROW, {**ROW, "cover_id": "C-2", "drop": 50, field: "x" * 200_000}]
    summary = reprice(write_rows(tmp_path / "book.csv", [row.values() for row in rows]), rate_store, tmp_path / "out")
    (row,) = quarantine(tmp_path / "out")
    assert (summary["priced"], row["row"], row["field"]) == (1, "3", "drop")
    assert all(len(cell) <= 1000 for cell in row.values())


def test_a_cover_that_comes_again_is_set_aside_even_in_another_batch(rate_store, tmp_path, monkeypatch):
    monkeypatch.setattr(book_files, "_ROWS_A_BATCH", 4)
    book = make_book(20)
    book.loc[[7, 19], "cover_id"] = book.loc[2, "cover_id"]
    summary = reprice(book_file(book, tmp_path), rate_store, tmp_path / "out")
    assert [(row["row"], row["reason"]) for row in quarantine(tmp_path / "out")] == [
        ("8", "cover_id must occur once, also found in row 3"),
        ("20", "cover_id must occur once, also found in row 3"),
    ]
    assert summary["priced"] == 18


@pytest.mark.parametrize("name", ["book.csv", "book.parquet"])
def test_a_cover_named_none_is_not_one_without_a_name(rate_store, tmp_path, name):
    book = make_book(5).assign(cover_id=[None, "None", None, "nan", "null"])
    reprice(book_file(book, tmp_path, name), rate_store, tmp_path / "out")
    assert [(row["cover_id"], row["reason"]) for row in quarantine(tmp_path / "out")] == [
        ("", "cover_id must not be empty")
    ] * 2
    assert set(pd.read_parquet(tmp_path / "out" / "priced")["cover_id"]) == {"None", "nan", "null"}


def test_a_suspended_asset_is_not_priced(tmp_path, rate_store):
    surface = RateStore.open(rate_store).surface("SYNTH-WILD")
    rates = {"SYNTH-WILD": AssetRates(step=surface.step, signals=frozenset(surface.signals), is_suspended=True)}
    (batch,) = book_files.read_batches(book_file(pd.DataFrame([ROW]), tmp_path))
    table, (rejection,) = check_rows(batch, rates, Repeats(np.empty(0, np.uint64)))
    assert len(table) == 0
    assert (rejection.field, rejection.reason) == ("asset", "asset 'SYNTH-WILD' is suspended")


CELLS = {
    "cover_id": st.sampled_from(["A", "B", "C", "D", ""]),
    "asset": st.sampled_from(["SYNTH-WILD", "SYNTH-CALM", "OTHER", ""]),
    "drop": st.one_of(st.floats(), st.sampled_from([0.1, 0.3, 50.0])).map(str),
    "limit": st.one_of(st.floats(), st.sampled_from([100.0, 1e6])).map(str),
    "term": st.sampled_from(["7d", "30d", "-1d", "x"]),
    "window": st.sampled_from(["1h", "24h", "2h", ""]),
}


@given(st.lists(st.fixed_dictionaries(CELLS), max_size=12))
def test_each_row_is_either_good_or_named_once(rate_store, tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("rows")
    path = write_rows(folder / "book.csv", [list({**ROW, **cells}.values()) for cells in rows])
    store = RateStore.open(rate_store)
    surface = store.surface("SYNTH-WILD")
    known = AssetRates(step=surface.step, signals=frozenset(surface.signals))
    rates = {"SYNTH-WILD": known, "SYNTH-CALM": known}
    for batch in book_files.read_batches(path):
        table, rejections = check_rows(batch, rates, Repeats.in_book(path))
        numbers = [*table[ROW_NUMBER].to_pylist(), *(rejection.row for rejection in rejections)]
        assert sorted(numbers) == list(range(2, 2 + len(rows)))
        good = table.to_pandas()
        assert ((good["drop"] > 0.0) & (good["drop"] < 1.0)).all()
        assert ((good["limit"] > 0.0) & np.isfinite(good["limit"])).all()
        assert good["cover_id"].is_unique


@pytest.mark.parametrize("name", ["book.csv", "BOOK.CSV", "book.csv.gz", "book.parquet"])
def test_a_book_reads_the_same_from_every_kind_of_file(rate_store, tmp_path, name):
    book = make_book(50)
    if name.endswith(".gz"):
        with gzip.open(tmp_path / name, "wt", newline="") as file:
            book.to_csv(file, index=False)
    else:
        book_file(book, tmp_path, name)
    reprice(tmp_path / name, rate_store, tmp_path / "out")
    reprice(book_file(book, tmp_path, "plain.parquet"), rate_store, tmp_path / "plain")
    one, other = (pd.read_parquet(tmp_path / each / "priced") for each in ("out", "plain"))
    pd.testing.assert_frame_equal(one.drop(columns=ROW_NUMBER), other.drop(columns=ROW_NUMBER))


def test_a_folder_of_parquet_files_is_a_book(rate_store, tmp_path):
    book = make_book(60)
    book.to_parquet(tmp_path / "parts", partition_cols=["asset"], index=False)
    assert reprice(tmp_path / "parts", rate_store, tmp_path / "out")["priced"] == 60


@pytest.mark.parametrize(
    ("write", "slip"),
    [
        (lambda path: path.write_text("cover_id,asset\nC-1,A\n"), "lacks drop, window"),
        (
            lambda path: path.write_text(";".join(ROW) + "\n"),
            "waiting_period (its fields are separated by ';': write comm",
        ),
        (
            lambda path: path.write_text(",".join(ROW).upper() + "\n"),
            "waiting_period (write their names in lower case",
        ),
        (lambda path: path.write_text('a,"b\n'), "row 1: row must have its quotation marks in pairs"),
        (lambda path: path.write_bytes(b"\xff\xfe\x00"), "cannot be read as a book: .* (save it as UTF-8)"),
        (lambda path: path.mkdir(), "row 1: must have the columns"),
        (lambda _: None, "No such file"),
    ],
)
def test_a_file_that_is_no_book_stops_the_run(rate_store, tmp_path, write, slip):
    path = tmp_path / "book.csv"
    write(path)
    with pytest.raises(DataError, match=re.escape(slip).replace(r"\.\*", ".*")):
        reprice(path, rate_store, tmp_path / "out")


def test_a_book_that_stopped_a_run_is_priced_in_the_same_folder_once_it_is_mended(rate_store, tmp_path):
    path = book_file(make_book(5).drop(columns="limit"), tmp_path, "book.csv")
    with pytest.raises(DataError, match="lacks limit"):
        reprice(path, rate_store, tmp_path / "out")
    book_file(make_book(5), tmp_path, "book.csv")
    assert reprice(path, rate_store, tmp_path / "out")["priced"] == 5


def test_what_a_book_is_not_is_said(rate_store, tmp_path):
    (tmp_path / "book.xlsx").write_bytes(b"PK\x03\x04 a workbook")
    with pytest.raises(DataError, match="a book is a .csv, .csv.gz or .parquet file, or a folder of parquet files"):
        reprice(tmp_path / "book.xlsx", rate_store, tmp_path / "out")
    (tmp_path / "parts").mkdir()
    book_file(make_book(5), tmp_path / "parts", "north.csv")
    with pytest.raises(DataError, match="a folder holds parquet files only, got north.csv"):
        reprice(tmp_path / "parts", rate_store, tmp_path / "out")


def test_a_damaged_archive_stops_the_run(rate_store, tmp_path):
    path = tmp_path / "book.csv.gz"
    path.write_bytes(gzip.compress(b"")[:10] + b"\x07" + bytes(40))  # no block is of this kind
    with pytest.raises(DataError, match="cannot be read as a book"):
        reprice(path, rate_store, tmp_path / "out")


def test_a_damaged_parquet_file_stops_the_run(rate_store, tmp_path):
    path = tmp_path / "book.parquet"
    path.write_bytes(b"PAR1 but not really")
    with pytest.raises(DataError, match="cannot be read as a book"):
        reprice(path, rate_store, tmp_path / "out")


def test_a_priced_book_is_no_book_until_its_added_columns_are_gone(rate_store, tmp_path):
    reprice(book_file(make_book(20), tmp_path), rate_store, tmp_path / "out")
    with pytest.raises(DataError, match="must not have the columns book_row, premium"):
        reprice(tmp_path / "out" / "priced", rate_store, tmp_path / "again")


def test_columns_may_be_stored_in_any_fitting_type(rate_store, tmp_path, monkeypatch):
    monkeypatch.setattr(book_files, "_ROWS_A_BATCH", 32)
    book = make_book(100)
    typed = pa.table(
        {
            **{name: pa.array(book[name]) for name in book.columns},
            "asset": pa.array(book["asset"]).dictionary_encode(),
            "drop": pa.array([Decimal(f"{drop:.3f}") for drop in book["drop"]], pa.decimal128(5, 3)),
            "window": pa.array([pd.Timedelta(text).to_pytimedelta() for text in book["window"]], pa.duration("s")),
            "payout": pa.array(book["payout"], pa.large_string()),
            "currency": pa.array(book["currency"], pa.string_view()),
            "note": pa.nulls(100),
        }
    )
    pq.write_table(typed, tmp_path / "typed.parquet", row_group_size=7)
    reprice(tmp_path / "typed.parquet", rate_store, tmp_path / "out")
    reprice(book_file(book, tmp_path), rate_store, tmp_path / "plain")
    one, other = (pd.read_parquet(tmp_path / name / "priced")["premium"].tolist() for name in ("out", "plain"))
    assert one == pytest.approx(other, nan_ok=True, rel=0.0, abs=0.0)


def test_a_column_that_comes_twice_stops_the_run(rate_store, tmp_path):
    path = tmp_path / "book.csv"
    path.write_text(",".join([*ROW, "limit"]) + "\n" + ",".join(map(str, [*ROW.values(), 5])) + "\n")
    with pytest.raises(DataError, match="row 1: must have different column names, got 'limit' twice"):
        reprice(path, rate_store, tmp_path / "out")
    table = pa.table([pa.array([cell]) for cell in [*ROW.values(), 5]], [*ROW, "limit"])
    pq.write_table(table, tmp_path / "book.parquet")
    with pytest.raises(DataError, match="book.parquet: cannot be read as a book: .* duplicate field names"):
        reprice(tmp_path / "book.parquet", rate_store, tmp_path / "other")
    parts = parts_of(tmp_path / "parts", make_book(1))
    pq.write_table(table, parts / "part-1.parquet")
    with pytest.raises(DataError, match="part-1.parquet, row 1: must have different column names, got 'limit' twice"):
        reprice(parts, rate_store, tmp_path / "third")


def parts_of(folder, *tables):
    folder.mkdir()
    for place, table in enumerate(tables):
        table.to_parquet(folder / f"part-{place}.parquet", index=False)
    return folder


def test_files_of_a_folder_may_differ_in_their_columns_and_nothing_is_lost(rate_store, tmp_path):
    plain = make_book(4).drop(columns="broker")
    texts = make_book(8).iloc[4:].assign(limit=["1000", "abc", "2000.5", "10"], year=2024)
    counted = make_book(12).iloc[8:].assign(limit=[100, 200, 300, 400], year=2024.5)
    summary = reprice(parts_of(tmp_path / "parts", plain, texts, counted), rate_store, tmp_path / "out")
    (row,) = quarantine(tmp_path / "out")
    assert (row["row"], row["cover_id"], row["reason"]) == ("6", "C-5", "limit must be a number, got 'abc'")
    assert (summary["rows"], summary["priced"]) == (12, 11)
    priced = pd.read_parquet(tmp_path / "out" / "priced").set_index("cover_id")
    assert priced.loc[plain["cover_id"], "limit"].tolist() == plain["limit"].tolist()
    assert priced.loc[["C-4", "C-6", "C-7", "C-8", "C-11"], "limit"].tolist() == [1000.0, 2000.5, 10.0, 100.0, 400.0]
    assert priced.loc[plain["cover_id"], ["broker", "year"]].isna().all(axis=None)
    assert priced.loc[["C-4", "C-11"], "year"].tolist() == [2024.0, 2024.5]
    assert priced.loc["C-4", "broker"] == texts["broker"].iloc[0]


def test_a_column_of_types_that_do_not_go_together_is_named_with_its_file(rate_store, tmp_path):
    odd = make_book(8).iloc[4:].assign(broker=[["north"]] * 4)
    with pytest.raises(DataError, match=r"part-1.parquet: column broker must have one type in all files, got list"):
        reprice(parts_of(tmp_path / "parts", make_book(4), odd), rate_store, tmp_path / "out")


def test_a_column_that_pandas_took_for_an_index_is_a_column(rate_store, tmp_path):
    book = make_book(20)
    book.set_index("cover_id").to_parquet(tmp_path / "indexed.parquet")
    reprice(tmp_path / "indexed.parquet", rate_store, tmp_path / "out")
    assert set(pd.read_parquet(tmp_path / "out" / "priced")["cover_id"]) == set(book["cover_id"])


@pytest.mark.parametrize(
    ("name", "cells", "reason"),
    [
        ("limit", [1, 2, 2**53 + 1, 3], "limit must be from 1e-09 to 1e+15, got 9007199254740993 (write"),
        ("limit", pa.array([1, 2, 2**64 - 1, 3], pa.uint64()), "limit must be from 1e-09 to 1e+15"),
        ("drop", pa.array(["0.2", "0.3", "half", "0.4"]).dictionary_encode(), "drop must be a number, got 'half'"),
        ("drop", pa.array([0.2, 0.3, 30.0, 0.4]).dictionary_encode(), "drop must be between 0 and 1, got 30.0"),
        ("window", pa.array([24, 24, 24, 24]), "window must be a duration such as 15min, 24h or 30d, got 24 (a bare"),
    ],
)
def test_a_wrong_cell_of_any_type_costs_its_own_row_only(rate_store, tmp_path, name, cells, reason):
    table = pa.Table.from_pandas(make_book(4))
    pq.write_table(table.set_column(table.column_names.index(name), name, pa.array(cells)), tmp_path / "book.parquet")
    reprice(tmp_path / "book.parquet", rate_store, tmp_path / "out")
    found = quarantine(tmp_path / "out")
    assert [row["row"] for row in found] == (["1", "2", "3", "4"] if name == "window" else ["3"])
    assert found[0]["reason"].startswith(reason)


@pytest.mark.parametrize(
    ("name", "cell", "kind"),
    [
        ("drop", pd.Timestamp("2026-01-01"), "timestamp"),
        ("window", ["24h"], "list"),
        ("cover_id", ["C-1"], "list"),
        ("limit", True, "bool"),
        ("asset", pd.Timedelta("1h"), "duration"),
    ],
)
def test_a_column_of_an_impossible_type_is_named(rate_store, tmp_path, name, cell, kind):
    path = book_file(make_book(4).assign(**{name: pd.Series([cell] * 4)}), tmp_path)
    with pytest.raises(DataError, match=f"column {name} must hold texts or numbers, got {kind}"):
        reprice(path, rate_store, tmp_path / "out")
