"""A book of any cells is read to its end: each row is a cover, or is set aside with its reason."""

import csv

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from crashcover.repricing.intake.covers import read_book
from crashcover.repricing.intake.quarantine import append_rejections
from pricing import DataError
from tests.crashcover.repricing.books import ROW

_NUMBERS = st.one_of(st.floats(), st.integers(-(2**63), 2**63 - 1).map(float), st.just(0.3), st.just(1000.0))
_WORDS = st.sampled_from(
    [
        "24h",
        "30d",
        "0h",
        "full",
        "rolling-high",
        "linear:0.1:0.5",
        "tiered:0.1=1",
        "=1+1",
        "-1",
        "\r",
        '"',
        "\0",
        "1e999",
    ]
)
_TEXTS = st.one_of(_WORDS, st.text(max_size=10)).map(lambda text: text.encode("utf-8", "replace"))
_COLUMNS = st.one_of(
    st.tuples(
        st.sampled_from(["texts", "dictionary"]),
        st.lists(st.one_of(st.none(), _TEXTS, st.binary(max_size=6)), min_size=3, max_size=3),
    ),
    st.tuples(st.just("numbers"), st.lists(st.one_of(st.none(), _NUMBERS), min_size=3, max_size=3)),
    st.tuples(
        st.sampled_from(["s", "ms", "us", "ns"]),
        st.lists(st.one_of(st.none(), st.integers(-(2**63) + 1, 2**63 - 1)), min_size=3, max_size=3),
    ),
)


def column_of(kind, cells):
    if kind == "texts":
        return pa.array(cells, pa.binary()).cast(pa.string(), safe=False)
    if kind == "dictionary":
        return column_of("texts", cells).dictionary_encode()
    return pa.array(cells, pa.float64()) if kind == "numbers" else pa.array(cells, pa.int64()).cast(pa.duration(kind))


def answer_of(path):
    try:
        return read_book(path)
    except DataError as error:
        return error


@given(changed=st.dictionaries(st.sampled_from([*ROW, "broker"]), _COLUMNS, max_size=4))
def test_every_row_of_a_parquet_book_is_a_cover_or_is_set_aside(tmp_path_factory, changed):
    columns = {name: [cell] * 3 for name, cell in ROW.items()} | {"cover_id": ["C-1", "C-2", "C-3"]}
    columns |= {name: column_of(*column) for name, column in changed.items()}
    folder = tmp_path_factory.mktemp("book")
    pq.write_table(pa.table(columns), folder / "book.parquet")
    found = answer_of(folder / "book.parquet")
    if isinstance(found, DataError):  # a whole column of a type that its name cannot have
        assert "must hold texts or numbers" in str(found)
        assert any(kind not in ("texts", "dictionary", "numbers") for kind, _ in changed.values())
        return
    assert len(found.covers) + len(found.set_aside) == 3
    append_rejections(folder / "quarantine.csv", found.set_aside, with_header=True)
    with (folder / "quarantine.csv").open(encoding="utf-8", newline="") as file:
        assert [int(row["row"]) for row in csv.DictReader(file)] == [each.row for each in found.set_aside]


@given(lines=st.lists(st.one_of(_TEXTS, st.binary(max_size=80)), max_size=6))
def test_every_line_of_a_csv_book_is_a_cover_or_is_set_aside(tmp_path_factory, lines):
    path, good = tmp_path_factory.mktemp("book") / "book.csv", ",".join(map(str, ROW.values())).encode()
    path.write_bytes(b"\n".join([",".join(ROW).encode(), *lines, good, b""]))
    found = read_book(path)
    assert [cover.cover_id for cover in found.covers] == ["C-1"]
    n_lines = sum(1 for line in b"\n".join(lines).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n") if line)
    assert len(found.set_aside) == n_lines
