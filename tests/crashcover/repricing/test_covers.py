"""Covers of a book in Python: the rows that ``reprice`` would price, and the reasons for the others."""

import pandas as pd
import pytest

from crashcover import read_book
from crashcover.files.tables import BOOK_COLUMNS
from pricing import Cover, DropTrigger, Reference, TieredPayout
from pricing.errors import DataError
from tests.crashcover.repricing.books import ROW, book_file, make_book, reprice


def book_of(folder, *rows, name="book.csv"):
    return book_file(pd.DataFrame([{**ROW, "cover_id": f"C-{at}", **row} for at, row in enumerate(rows)]), folder, name)


def test_a_row_is_the_cover_that_it_states(tmp_path):
    row = {"reference": "inception", "window": "", "payout": "tiered:0.1=0.25,0.3=1", "term": "60d", "asset": "NA"}
    (cover,), set_aside = read_book(book_of(tmp_path, row))
    assert set_aside == ()
    assert cover == Cover(
        cover_id="C-0",
        asset="NA",
        trigger=DropTrigger(drop=0.2, window=None, reference=Reference.INCEPTION),
        payout=TieredPayout({0.1: 0.25, 0.3: 1.0}),
        limit=1000.0,
        currency="USD",
        term="60d",
    )


@pytest.mark.parametrize("name", ["book.csv", "book.csv.gz", "book.parquet"])
def test_every_kind_of_file_gives_the_same_covers(tmp_path, name):
    table = make_book(40)
    covers, set_aside = read_book(str(book_file(table, tmp_path, name)))
    assert ([cover.cover_id for cover in covers], set_aside) == (table["cover_id"].tolist(), ())
    assert [cover.trigger.drop for cover in covers] == table["drop"].tolist()
    assert [cover.limit for cover in covers] == table["limit"].tolist()


@pytest.mark.parametrize(
    ("slip", "field", "reason"),
    [
        ({"asset": ""}, "asset", "asset must not be empty"),
        ({"asset": " "}, "asset", "asset must not be empty"),
        ({"drop": 30}, "drop", "drop must be between 0 and 1"),
        ({"limit": "1,000"}, "limit", "limit must be a number, got '1,000' (write digits"),
        ({"window": ""}, "reference, window, term, waiting_period", "window must be given for ROLLING_HIGH"),
        ({"window": "5x"}, "window", "window must be a duration"),
        ({"waiting_period": "30d"}, "reference, window, term, waiting_period", "waiting_period must be shorter than"),
        ({"payout": "half"}, "payout", "payout must look like"),
        ({"currency": " "}, "currency", "currency must be a text"),
        ({"cover_id": ""}, "cover_id", "cover_id must not be empty"),
        ({"cover_id": "C-0"}, "cover_id", "cover_id must occur once, also found in row 2"),
    ],
)
def test_a_row_that_is_no_cover_is_set_aside_with_its_reason(tmp_path, slip, field, reason):
    covers, (row,) = read_book(book_of(tmp_path, {}, slip, {}))
    assert [cover.cover_id for cover in covers] == ["C-0", "C-2"]
    assert (row.row, row.field) == (3, field)
    assert reason in row.reason


def test_a_book_that_can_be_priced_and_a_book_of_covers_are_the_same_rows(rate_store, tmp_path):
    slips = [{}, {"drop": 5}, {"term": "x"}, {"limit": -1}, {"payout": "linear:0.1:0.6"}]
    book = book_of(tmp_path, *slips)
    summary = reprice(book, rate_store, tmp_path / "out")
    covers, set_aside = read_book(book)
    assert (summary["priced"], summary["quarantined"]) == (len(covers), len(set_aside)) == (2, 3)


def test_a_file_without_the_columns_is_refused(tmp_path):
    with pytest.raises(DataError, match="row 1: must have the columns .*, lacks waiting_period"):
        read_book(book_file(make_book(2)[list(BOOK_COLUMNS[:-1])], tmp_path, "book.csv"))
