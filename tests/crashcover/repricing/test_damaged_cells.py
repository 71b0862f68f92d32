"""One cell of a book, whatever it holds, costs its row; the file of such rows can be read back row for row."""

import csv
import gzip
import tracemalloc

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crashcover.files.spreadsheets import no_formula
from crashcover.repricing.intake.covers import read_book
from crashcover.repricing.intake.quarantine import Rejection, append_rejections
from pricing import DataError
from tests.crashcover.repricing.books import ROW, reprice

NOT_UTF8 = pa.StringArray.from_buffers(
    3, pa.py_buffer(np.array([0, 1, 3, 4], dtype=np.int32).tobytes()), pa.py_buffer(b"a\xff\xfeb")
)


def durations(counts, unit):
    return pa.array(np.array(counts, dtype=np.int64)).cast(pa.duration(unit))


def book_of(folder, **changed):
    """Write three covers as Parquet, with other columns in place of some."""
    columns = {name: [cell] * 3 for name, cell in ROW.items()} | {"cover_id": ["C-1", "C-2", "C-3"]} | changed
    path = folder / "book.parquet"
    pq.write_table(pa.table(columns), path)
    return path


@pytest.mark.parametrize(
    ("name", "column", "reason"),
    [
        ("payout", ["full", "fu\rll", "full"], "payout must look like full, "),
        ("asset", NOT_UTF8, r"asset must be text in UTF-8, got '\\xff\\xfe'"),
        ("currency", NOT_UTF8, r"currency must be text in UTF-8, got '\\xff\\xfe'"),
        ("cover_id", NOT_UTF8, r"cover_id must be text in UTF-8, got '\\xff\\xfe'"),
        ("broker", NOT_UTF8, r"broker must be text in UTF-8, got '\\xff\\xfe'"),
        (
            "term",
            durations([30 * 86_400 * 10**9, 7 * 86_400 * 10**9 + 1, 30 * 86_400 * 10**9], "ns"),
            "term must be a duration such as 15min, 24h or 30d, got '604800.000000001s'",
        ),
        (
            "term",
            durations([2_592_000, 10**14, 2_592_000], "s"),
            "term must be a duration that fits a timedelta, got 100000000000...s",
        ),
        (
            "term",
            durations([2_592_000_000, 9 * 10**17, 2_592_000_000], "ms"),
            "term must be a duration such as 15min, 24h or 30d, got '900000000000000.000s'",
        ),
        ("window", durations([86_400, -(2**62), 86_400], "s"), "window must be a duration such as 15min, 24h or 30d"),
    ],
)
def test_a_cell_costs_its_row(tmp_path, name, column, reason):
    found = read_book(book_of(tmp_path, **{name: column}))
    assert [cover.cover_id for cover in found.covers] in (["C-1", "C-3"], ["a", "b"])
    (rejection,) = found.set_aside
    assert (rejection.row, rejection.field) == (2, name)
    assert rejection.reason.startswith(reason)


@pytest.mark.parametrize("name", ["asset", "currency", "window", "payout", "broker"])
@pytest.mark.parametrize("places", [[0, 1, 0], [0, 0, 0]], ids=["referred to", "left over"])
def test_other_bytes_in_a_dictionary_cost_the_rows_that_refer_to_them(rate_store, tmp_path, name, places):
    word = ROW.get(name, "north").encode()
    words = pa.array([word, b"\xff\xfe"], pa.binary()).cast(pa.string(), safe=False)
    column = pa.DictionaryArray.from_arrays(pa.array(places, pa.int32()), words)
    summary = reprice(book_of(tmp_path, **{name: column}), rate_store, tmp_path / "out")
    assert (summary["priced"], summary["quarantined"]) == (3 - sum(places), sum(places))


@pytest.mark.parametrize(
    "column",
    [
        pa.array([["a"], [None], None], pa.list_(pa.string_view())),
        pa.array([[["a"]], None, []], pa.large_list(pa.list_(pa.string_view()))),
        pa.array([{"a": "x"}, None, {"a": None}], pa.struct({"a": pa.string_view()})),
        pa.array([[("k", "v")], None, []], pa.map_(pa.string(), pa.string_view())),
    ],
)
def test_views_within_a_column_that_is_only_kept_are_read(rate_store, tmp_path, column):
    assert reprice(book_of(tmp_path, note=column), rate_store, tmp_path / "out")["priced"] == 3
    assert pd.read_parquet(tmp_path / "out" / "priced")["note"].notna().sum() == 3 - column.null_count


def test_a_line_of_other_bytes_costs_its_row(tmp_path):
    rows = [",".join(map(str, (ROW | {"cover_id": f"C-{place}"}).values())).encode() for place in range(3)]
    path = tmp_path / "book.csv"
    path.write_bytes(b"\n".join([",".join(ROW).encode(), rows[0], rows[1].replace(b"USD", b"US\xa3"), rows[2]]))
    found = read_book(path)
    assert [cover.cover_id for cover in found.covers] == ["C-0", "C-2"]
    (rejection,) = found.set_aside
    assert (rejection.row, rejection.cover_id) == (3, "C-1")
    assert rejection.reason == "row must be text in UTF-8 (save the book as UTF-8)"
    assert r"US\xa3" in rejection.value


def test_a_small_file_with_an_endless_line_fills_no_memory(tmp_path):
    """100 MB of one letter are 0.1 MB compressed; without a limit, the line alone would take as much as it is long."""
    path, good = tmp_path / "book.csv.gz", ",".join(map(str, ROW.values()))
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=1) as file:
        file.write(",".join(ROW) + "\n")
        for _ in range(100):
            file.write("x" * 1_000_000)
        file.write(f"\n{good}\n")
    tracemalloc.start()
    found = read_book(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found.covers) == 1
    (rejection,) = found.set_aside
    assert (rejection.row, rejection.reason) == (2, "row must have less than 1,000,000 characters")
    assert most < 30e6


def test_a_header_without_an_end_is_no_header(tmp_path):
    path = tmp_path / "book.csv"
    path.write_text("x" * 2_000_000)
    with pytest.raises(DataError, match="row 1: must have less than 1,000,000 characters"):
        read_book(path)


TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["=1+1", "+A1", "-A1", "@SUM(A1)", "\t=1", "\r=1", 'a"b', "a\r\nb", "a\nb", "a,b", "a\0b", "-0.3"]),
)


@given(rows=st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=5))
def test_the_quarantine_is_read_back_row_for_row(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("quarantine") / "quarantine.csv"
    rejections = [
        Rejection(row=place, cover_id=cover_id, field="asset", value=value, reason=reason)
        for place, (cover_id, value, reason) in enumerate(rows)
    ]
    append_rejections(path, rejections, with_header=True)
    with path.open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    texts = [tuple(no_formula(text.replace("\0", "\\0")) for text in row) for row in rows]
    assert [(each["cover_id"], each["value"], each["reason"]) for each in read] == texts
    assert [int(each["row"]) for each in read] == list(range(len(rows)))
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert len(frame) == len(rows)
    assert not frame["value"].str.match(r"[=@\t\r]|[+-](?![\d.]|inf|nan)").any()
