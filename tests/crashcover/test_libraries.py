"""Every optional library that is missing is named in one line, with the extra that installs it."""

import re
import subprocess
import sys
import tomllib

import pandas as pd
import pytest

from crashcover.runs.workers import Workplace
from pricing.errors import MissingLibraryError
from pricing.tools.libraries import EXTRAS, load_library, missing_library
from tests.checkout import CHECKOUT
from tests.crashcover.repricing.books import book_file, make_book

PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
#: Extras for users; those for developers are not needed by any command.
FOR_USERS = set(PROJECT["optional-dependencies"]) - {"test", "dev", "bench", "docs"}
SEVERAL_NAMES = {"distributed": "Dask", "sqlalchemy": "SQLAlchemy"}

HIDDEN = """
import sys

hidden = sys.argv.pop(1)


class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == hidden:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Hide())
from crashcover.__main__ import main

main()
"""


def needed(library):
    """Return the arguments of a command that needs a library, without files: it is missed before any is opened."""
    out = ("--out", "out")
    return {
        "matplotlib": ("quote", "--prices", "p.csv", "--drop", "0.3", "--plot", "p.png"),
        "jinja2": ("report", "--prices", "p.csv", "--drop", "0.3"),
        "filelock": ("rates", "--prices", "p.csv", *out),
        "ccxt": ("fetch", "OM", "--since", "2024-01-01", "--out", "om.csv"),
        "openpyxl": ("quote", "--prices", "p.xlsx", "--drop", "0.3"),
        "xlsxwriter": ("report", "--prices", "p.csv", "--drop", "0.3", "--xlsx", "p.xlsx"),
        "pyarrow": ("reprice", "book.csv", "--rates", "rates", *out),
    }.get(library, ("quote", "--prices", "p.csv", "--drop", "0.3"))


def run_without(library, *arguments, cwd):
    return subprocess.run(
        [sys.executable, "-c", HIDDEN, library, *map(str, arguments)],
        cwd=cwd, env={"PYTHONPATH": str(CHECKOUT), "PATH": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_table_is_that_of_the_project():
    listed = {
        re.match(r"[\w-]+", requirement)[0]: extra
        for extra in FOR_USERS
        for requirement in PROJECT["optional-dependencies"][extra]
        if not requirement.startswith("crashcover")
    }
    assert listed == EXTRAS


@pytest.mark.parametrize("library", sorted(set(EXTRAS) - {"distributed", "psycopg", "sqlalchemy", "tenacity"}))
def test_a_command_names_the_library_that_it_misses(library, tmp_path):
    pd.DataFrame({"time": [1], "close": [1]}).to_excel(tmp_path / "p.xlsx")
    result = run_without(library, *needed(library), cwd=tmp_path)
    line = f"error: {library} is not installed: pip install 'crashcover[{EXTRAS[library]}]'\n"
    assert (result.returncode, result.stdout, result.stderr) == (9, "", line)


@pytest.mark.parametrize("library", ["sqlalchemy", "psycopg", "distributed"])
def test_a_book_names_the_library_that_it_misses(library, rate_store, tmp_path):
    url = {"psycopg": "postgresql+psycopg://nobody@localhost/sales"}.get(library, "sqlite:///book.db")
    book = book_file(make_book(1), tmp_path)
    source = (book, "--workers", 1) if library == "distributed" else (url, "--table", "covers")
    result = run_without(library, "reprice", *source, "--rates", rate_store, "--out", "out", cwd=tmp_path)
    name = SEVERAL_NAMES.get(library, library)
    assert (result.returncode, result.stdout) == (9, "")
    assert result.stderr.splitlines()[-1] == f"error: {name} is not installed: pip install 'crashcover[batch]'"
    assert "Traceback" not in result.stderr


def test_another_driver_that_is_missing_is_named(run, rate_store, tmp_path):
    result = run("reprice", "mysql+nodriver://u@h/d", "--table", "c", "--rates", rate_store, "--out", tmp_path / "out")
    assert result.exit_code == 3
    assert result.stderr.count("\n") == 1


def test_python_gets_the_same_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingLibraryError, match="Dask is not installed"):
        list(Workplace(workers=1).run(abs, [1]))
    with pytest.raises(MissingLibraryError, match="Dask is not installed"):
        load_library("distributed", extra="batch")


def test_other_imports_that_fail_are_not_explained_away():
    assert (
        missing_library(ModuleNotFoundError("No module named 'crashcover.nothing'", name="crashcover.nothing")) is None
    )
    with pytest.raises(ImportError, match="nothing"):
        load_library("crashcover.nothing", extra="cli")


def test_a_library_that_only_the_message_names_is_found():
    error = ImportError("Unable to find a usable engine; tried using: 'pyarrow', 'fastparquet'.")
    assert str(missing_library(error)) == "pyarrow is not installed: pip install 'crashcover[cli]'"
