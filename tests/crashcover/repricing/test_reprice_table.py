"""A book in a table: of a PostgreSQL server that this test starts for itself, or of SQLite."""

import os
import pwd
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from crashcover.repricing.intake.rows import ROW as ROW_NUMBER
from crashcover.repricing.intake.tables import TableBook
from pricing.errors import DataError
from tests.crashcover.repricing.books import ROW, book_file, content, make_book, reprice

sqlalchemy = pytest.importorskip("sqlalchemy")
pytest.importorskip("psycopg")


def find_programs():
    """Return the folder of PostgreSQL's programs, or skip."""
    installed = [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
    installed += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    programs = next((folder for folder in installed if (folder / "pg_ctl").exists()), None)
    if programs is None:
        pytest.skip("no PostgreSQL is installed: neither initdb on the path nor /usr/lib/postgresql/*/bin")
    return programs


def find_user():
    """Return the user to run the server as, which may not be root, or skip."""
    if os.getuid() != 0:
        return None
    if "postgres" not in [entry.pw_name for entry in pwd.getpwall()]:
        pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
    return "postgres"


@contextmanager
def serving(programs, user, folder):
    def call(*command):
        with (folder / "log").open("ab") as log:
            subprocess.run(command, check=True, user=user, stdout=log, stderr=log, cwd=folder)

    data = folder / "data"
    call(programs / "initdb", "--no-sync", "--auth=trust", "--username=tester", "--encoding=UTF8", "-D", data)
    options = f"-c listen_addresses='' -c fsync=off -k {folder}"
    call(programs / "pg_ctl", "-w", "-D", data, "-o", options, "-l", folder / "server.log", "start")
    try:
        yield f"postgresql+psycopg://tester@/postgres?host={folder}"
    finally:
        call(programs / "pg_ctl", "-w", "-D", data, "-m", "immediate", "stop")


@pytest.fixture(scope="module")
def database():
    programs, user = find_programs(), find_user()
    folder = Path(tempfile.mkdtemp(prefix="crashcover-"))  # sockets need a short path, and the user has to get there
    if user:
        shutil.chown(folder, user)
    try:
        with serving(programs, user, folder) as url:
            yield url
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def table(database):
    """A book as a database would hold it, with types of its own and some wrong rows."""
    book = make_book(500).assign(drop=lambda rows: rows["drop"].where(rows.index % 50 > 0, 50.0))
    engine = sqlalchemy.create_engine(database)
    with engine.begin() as connection:
        connection.execute(
            sqlalchemy.text(
                'create table covers (cover_id text primary key, asset text, "drop" numeric(6, 3), "window" interval, '
                'reference text, payout text, "limit" numeric(18, 2), currency char(3), term text, '
                "waiting_period text, broker text, note jsonb)"
            )
        )
        names = ", ".join(f'"{name}"' for name in book.columns)
        values = ", ".join(f":{name}" if name != "window" else "cast(:window as interval)" for name in book.columns)
        connection.execute(sqlalchemy.text(f"insert into covers ({names}) values ({values})"), book.to_dict("records"))
    engine.dispose()
    return book


def test_a_table_is_priced_like_a_file(database, table, rate_store, tmp_path):
    summary = reprice(TableBook(url=database, table="covers"), rate_store, tmp_path / "table")
    assert (summary["rows"], summary["priced"], summary["quarantined_by_field"]) == (500, 490, {"drop": 10})
    reprice(book_file(table, tmp_path), rate_store, tmp_path / "file")
    priced = [pd.read_parquet(tmp_path / name / "priced") for name in ("table", "file")]
    one, other = (each.sort_values("cover_id", ignore_index=True) for each in priced)
    pd.testing.assert_frame_equal(one.drop(columns=[ROW_NUMBER, "note"]), other.drop(columns=ROW_NUMBER))
    assert not (tmp_path / "table" / ".work").exists()


@pytest.mark.usefixtures("table")
def test_the_same_table_gives_the_same_bytes(database, rate_store, tmp_path):
    book = TableBook(url=database, table="public.covers")
    reprice(book, rate_store, tmp_path / "one")
    reprice(book, rate_store, tmp_path / "two")
    assert content(tmp_path / "one") == content(tmp_path / "two")


@pytest.mark.usefixtures("table")
def test_the_command_reads_a_table(run, database, rate_store, tmp_path):
    arguments = ("--table", "covers", "--rates", rate_store, "--out", tmp_path / "out", "--processes", 1)
    result = run("reprice", database, *arguments)
    assert result.exit_code == 0, result.output
    assert "500 rows: 490 priced" in result.stdout


def test_a_table_that_is_not_there_is_named(database, rate_store, tmp_path):
    with pytest.raises(DataError, match="table nothing: is not in the database, which holds "):
        reprice(TableBook(url=database, table="nothing"), rate_store, tmp_path / "out")


def test_a_database_that_is_not_there_is_named(rate_store, tmp_path):
    url = f"postgresql+psycopg://tester@/postgres?host={tmp_path}"
    with pytest.raises(DataError, match="table covers: cannot be read"):
        reprice(TableBook(url=url, table="covers"), rate_store, tmp_path / "out")


def sqlite_table(folder, kind, cells, *, score_kind="real"):
    """Make a table of three covers, of which one column is declared to be of a kind that SQLite does not enforce."""
    kinds = {**dict.fromkeys(ROW, "text"), "limit": kind, "score": score_kind}
    columns = ", ".join(f'"{name}" {kind}' for name, kind in kinds.items())
    with sqlite3.connect(folder / "sales.db") as connection:
        connection.execute(f"create table covers ({columns})")
        for place, (limit, score) in enumerate(cells):
            row = {**ROW, "cover_id": f"C-{place}", "limit": limit, "score": score}
            connection.execute(f"insert into covers values ({', '.join('?' * len(row))})", list(row.values()))
    connection.close()
    return TableBook(url=f"sqlite:///{folder / 'sales.db'}", table="covers")


@pytest.mark.parametrize("kind", ["real", "numeric", "integer", "text"])
def test_a_cell_that_is_not_what_its_column_is_declared_to_costs_its_row_only(rate_store, tmp_path, kind):
    cells = [(1000.25, 0.5), ("abc", None), (2**53 + 1, 0.5), (7, 1.0)]
    summary = reprice(sqlite_table(tmp_path, kind, cells), rate_store, tmp_path / "out")
    assert (summary["rows"], summary["quarantined_by_field"]) == (4, {"limit": 2})
    priced = pd.read_parquet(tmp_path / "out" / "priced").set_index("cover_id")
    assert priced[["limit", "score"]].to_dict("index") == {
        "C-0": {"limit": 1000.25, "score": 0.5},
        "C-3": {"limit": 7.0, "score": 1.0},
    }


@pytest.mark.parametrize(
    ("kind", "cells", "kept"),
    [
        ("real", ["abc", 0.5], ["abc", "0.5"]),
        ("date", ["2026-02-30", "2026-11-22"], ["2026-02-30", "2026-11-22"]),
        ("date", ["2026-11-21", "2026-11-22"], [date(2026, 11, 21), date(2026, 11, 22)]),
        ("integer", ["2026-11-22", 7], ["2026-11-22", "7"]),
        ("boolean", [1, 0], [True, False]),
        ("boolean", [2, 0], ["2", "0"]),
        ("datetime", ["soon", "never"], ["soon", "never"]),
    ],
)
def test_a_column_that_is_only_kept_becomes_texts_if_a_cell_is_not_of_its_type(rate_store, tmp_path, kind, cells, kept):
    book = sqlite_table(tmp_path, "real", [(1000, cell) for cell in cells], score_kind=kind)
    assert reprice(book, rate_store, tmp_path / "out")["priced"] == 2
    assert pd.read_parquet(tmp_path / "out" / "priced")["score"].tolist() == kept


@pytest.mark.parametrize("name", ["cover_id", "asset", "payout", "term", "limit", "score"])
def test_bytes_that_are_no_text_cost_the_row_only(rate_store, tmp_path, name):
    book = sqlite_table(tmp_path, "text", [(1000, "a"), (1000, "b")], score_kind="text")
    with sqlite3.connect(tmp_path / "sales.db") as connection:
        connection.execute(f"update covers set \"{name}\" = cast(x'ff41' as text) where cover_id = 'C-1'")
    connection.close()
    summary = reprice(book, rate_store, tmp_path / "out")
    assert (summary["priced"], summary["quarantined_by_field"]) == (1, {name: 1})
    (line,) = (tmp_path / "out" / "quarantine.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert f"{name} must be text in UTF-8, got '\\\\xffA'" in line


def test_an_empty_table_is_priced(rate_store, tmp_path):
    assert reprice(sqlite_table(tmp_path, "real", []), rate_store, tmp_path / "out")["rows"] == 0
