"""Records of a JSON document as a table."""

import json
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from crashcover.files.contents import UNREADABLE, decode, read_contents
from crashcover.files.tables import reason
from pricing.errors import DataError

#: Fields of an answer that say that further pages follow.
_FURTHER_PAGES = ("has_more", "next_offset", "next_uri", "next_page_params", "nextPageToken", "cursor")


def read_document(path: Path) -> Any:
    """Read a JSON document.

    Raises
    ------
    DataError
        If the file cannot be read or is not JSON.
    """
    try:
        ((_, data),) = read_contents(path)
        return json.loads(decode(data, path), parse_float=str, parse_int=str, parse_constant=str)
    except (*UNREADABLE, RecursionError) as error:
        raise DataError(f"{path}: cannot be read: {reason(error)}") from error


def find_records(document: Any, path: Path) -> pd.DataFrame:
    """Return the records nearest to the root of a document, numbered from 1; nested fields have dots in their names.

    Raises
    ------
    DataError
        If there is no list of records.
    """
    waiting = deque([document])
    while waiting:
        value = waiting.popleft()
        if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
            table = pd.json_normalize(value).astype(object)
            return table.set_axis(np.arange(1, len(table) + 1))
        waiting.extend(value.values() if isinstance(value, dict) else ())
    raise DataError(f"{path}: must hold a list of records, got none")


def says_more_follows(document: Any) -> bool:
    """Return whether a document says that it is one page of several."""
    waiting = deque([document])
    while waiting:
        value = waiting.popleft()
        if isinstance(value, dict):
            if any(value.get(name) not in (None, False, "", "0") for name in _FURTHER_PAGES):
                return True
            waiting.extend(value.values())
    return False
