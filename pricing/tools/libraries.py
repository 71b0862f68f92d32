"""Libraries that come with an extra of the installation and are imported when they are first needed."""

from importlib import import_module
from types import ModuleType

from pricing.errors import MissingLibraryError


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
            raise MissingLibraryError(f"{library} is not installed (pip install 'crashcover[{extra}]')") from error
        raise MissingLibraryError(
            f"{library} cannot be imported: {error} (pip install 'crashcover[{extra}]')"
        ) from error
