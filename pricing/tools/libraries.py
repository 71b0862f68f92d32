"""Libraries that come with an extra of the installation and are imported when they are first needed."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

from pricing.errors import MissingLibraryError

#: Extra that installs each library; ``pyproject.toml`` lists them.
EXTRAS = {
    **dict.fromkeys(("arch", "pandas", "statsmodels"), "calibration"),
    **dict.fromkeys(("click", "jinja2", "openpyxl", "pyarrow", "rich", "threadpoolctl", "xlsxwriter"), "cli"),
    **dict.fromkeys(("distributed", "psycopg", "sqlalchemy"), "batch"),
    **dict.fromkeys(("ccxt", "tenacity"), "fetch"),
    "cryptography": "settlement",
    "matplotlib": "plot",
}
#: Libraries that are known by another name than that of their module.
_NAMES = {"distributed": "Dask", "sqlalchemy": "SQLAlchemy"}


def load_library(name: str, *, extra: str) -> ModuleType:
    """Import a library, or a module of it.

    Parameters
    ----------
    name : str
        Name of the module.
    extra : str
        Extra of the installation that brings the library.

    Raises
    ------
    MissingLibraryError
        If the library is not installed or cannot be imported.

    Examples
    --------
    >>> load_library("json", extra="cli").__name__
    'json'
    """
    try:
        return import_module(name)
    except ImportError as error:
        library = name.partition(".")[0]
        if isinstance(error, ModuleNotFoundError) and error.name == library:
            raise _not_installed(library, extra) from error
        raise MissingLibraryError(
            f"{library} cannot be imported: {error} (pip install 'crashcover[{extra}]')"
        ) from error


@contextmanager
def without(library: str) -> Iterator[None]:
    """Import others as if a library that they can do without were not installed; one that is loaded stays.

    Examples
    --------
    >>> with without("matplotlib"):
    ...     import json
    """
    if library in sys.modules:
        yield
        return
    sys.modules[library] = None  # type: ignore[assignment]  # how Python marks a module that cannot be imported
    try:
        yield
    finally:
        del sys.modules[library]


def missing_library(error: ImportError) -> MissingLibraryError | None:
    """Return the error that names the extra of a missing library; None if another import failed.

    Examples
    --------
    >>> print(missing_library(ModuleNotFoundError("No module named 'sqlalchemy'", name="sqlalchemy")))
    SQLAlchemy is not installed: pip install 'crashcover[batch]'
    """
    if isinstance(error, ModuleNotFoundError):
        named = [(error.name or "").partition(".")[0]]
    else:  # pandas names a library in the message only; other errors of an import name the module that has them
        named = [] if error.name else re.findall(r"\w+", str(error))
    for library in named:
        if library in EXTRAS:
            return _not_installed(library, EXTRAS[library])
    return None


def _not_installed(library: str, extra: str) -> MissingLibraryError:
    return MissingLibraryError(f"{_NAMES.get(library, library)} is not installed: pip install 'crashcover[{extra}]'")
