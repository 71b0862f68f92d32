"""Every optional library that is missing is named in one line, with the extra that installs it."""

import json
import os
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

#: Runs each command in a process of its own that does not find a library, and has the others imported already.
HIDDEN = """
import json
import os
import sys


class Hide:
    def __init__(self, hidden):
        self.hidden = hidden

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == self.hidden:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def run(library, arguments):
    for number, ending in enumerate(("out", "err"), start=1):
        os.dup2(os.open(f"{library}.{ending}", os.O_WRONLY | os.O_CREAT), number)
    for name in [name for name in sys.modules if name.partition(".")[0] == library]:
        del sys.modules[name]
    sys.meta_path.insert(0, Hide(library))
    sys.argv = ["crashcover", *arguments]
    from crashcover.__main__ import main

    try:
        main()
    except SystemExit as end:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(end.code)  # to take down all that was imported lasts longer than the command


codes = {}
for library, arguments in json.loads(sys.argv[1]):
    if library != "pyarrow":  # pandas looks for it
        import matplotlib.figure, pandas, scipy.signal, scipy.stats
    if library not in ("pyarrow", "matplotlib", "pandas", "statsmodels", "arch"):  # arch needs the others
        import arch.univariate
    child = os.fork()
    if not child:
        run(library, arguments)
        os._exit(0)
    codes[library] = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(json.dumps(codes))
"""


def commands(rate_store, folder):
    """Return arguments of a command by the library that it needs; most are missed before any file is opened."""
    pd.DataFrame({"time": [1], "close": [1]}).to_excel(folder / "p.xlsx")
    quote, out = ("quote", "--drop", "0.3", "--prices"), ("--out", "out")
    reprice = ("reprice", "--rates", str(rate_store), *out)
    table = ("--table", "covers")
    plain = (*quote, "p.csv")
    return {
        "pyarrow": ("reprice", "book.csv", "--rates", "rates", *out),
        "matplotlib": (*plain, "--plot", "p.png"),
        **dict.fromkeys(("pandas", "statsmodels", "arch", "click", "rich", "threadpoolctl"), plain),
        "jinja2": ("report", "--prices", "p.csv", "--drop", "0.3"),
        "ccxt": ("fetch", "OM", "--since", "2024-01-01", "--out", "om.csv"),
        "openpyxl": (*quote, "p.xlsx"),
        "xlsxwriter": ("report", "--prices", "p.csv", "--drop", "0.3", "--xlsx", "p.xlsx"),
        "distributed": (*reprice, str(book_file(make_book(1), folder)), "--workers", "1"),
        "cryptography": ("log", "verify", "claims.log", "checkpoint.txt", "--public-key", "key.pub"),
        "sqlalchemy": (*reprice, "sqlite:///book.db", *table),
        "psycopg": (*reprice, "postgresql+psycopg://nobody@localhost/sales", *table),
    }


def test_the_table_is_that_of_the_project():
    listed = {
        re.match(r"[\w-]+", requirement)[0]: extra
        for extra in FOR_USERS
        for requirement in PROJECT["optional-dependencies"][extra]
        if not requirement.startswith("crashcover")
    }
    assert listed == EXTRAS


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_command_names_the_library_that_it_misses(rate_store, tmp_path):
    asked = commands(rate_store, tmp_path)
    assert asked.keys() == EXTRAS.keys() - {"tenacity"}
    environment = {"PYTHONPATH": str(CHECKOUT), "PATH": ""}
    command = [sys.executable, "-c", HIDDEN, json.dumps([*asked.items()])]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == dict.fromkeys(asked, 9)
    for library in asked:
        line = f"error: {SEVERAL_NAMES.get(library, library)} is not installed: "
        line += f"pip install 'crashcover[{EXTRAS[library]}]'\n"
        assert (tmp_path / f"{library}.out").read_text() == ""
        told = (tmp_path / f"{library}.err").read_text().splitlines(keepends=True)
        # A book is read before its library is missed, which may show progress.
        assert (told if EXTRAS[library] != "batch" else told[-1:]) == [line]
        assert not any(each.startswith("Traceback") for each in told)


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
