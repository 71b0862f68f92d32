"""The columns of a book: which it must have, what they may hold, and what they are over files that differ."""

from collections.abc import Callable, Collection
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset

from crashcover.files.tables import require_different_names
from pricing.errors import DataError

#: Columns that a book must have; what else it has is kept.
COLUMNS = (
    "cover_id",
    "asset",
    "drop",
    "window",
    "reference",
    "payout",
    "limit",
    "currency",
    "term",
    "waiting_period",
)

#: Those among them that may be stored as lengths of time.
DURATIONS = ("window", "term", "waiting_period")


def require_columns(names: Collection[str], path: Path) -> None:
    """Demand the columns of a book, each once.

    Raises
    ------
    DataError
        If one is missing, or any comes twice.
    """
    require_different_names(names, path)
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise DataError(
            f"{path}, row 1: must have the columns {', '.join(COLUMNS)}, lacks {', '.join(missing)}{_slip(names)}"
        )


def _slip(names: Collection[str]) -> str:
    """Guess why columns are missing."""
    separator = next((mark for mark in (";", "\t", "|") if len(names) == 1 and mark in "".join(names)), None)
    if separator:
        return f" (its fields are separated by {separator!r}: write commas)"
    if set(COLUMNS) <= {name.strip().lower() for name in names}:
        return " (write their names in small letters, without blanks)"
    return ""


def require_types(schema: pa.Schema, path: Path) -> None:
    """Demand that the columns of a book hold what cells can be read from, right or wrong.

    Raises
    ------
    DataError
        If one holds times, lists or the like.
    """
    for name in COLUMNS:
        kind = schema.field(name).type
        is_duration = name in DURATIONS and pa.types.is_duration(kind)
        if not (is_number(kind) or is_text(kind) or pa.types.is_null(kind) or is_duration):
            raise DataError(f"{path}: column {name} must hold texts or numbers, got {kind} (store it as text)")


def common_schema(dataset: pyarrow.dataset.Dataset) -> pa.Schema:
    """Find the columns that all files of a book fit into: a column that a file lacks is empty there.

    A column of numbers in one file and texts in another is one of texts, so that only the rows that are no numbers are
    set aside. What pandas noted beside the columns is left out: it would hide those that it took for an index.

    Raises
    ------
    DataError
        If a file holds a column twice, or of a type that does not go with that of the others.
    """
    schema = dataset.schema.remove_metadata()
    for fragment in dataset.get_fragments():
        found = fragment.physical_schema.remove_metadata()
        if not found.equals(schema):
            schema = _merged(schema, found, Path(fragment.path))
    # Arrow cannot sort views.
    owned = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}
    return pa.schema({field.name: owned.get(field.type, field.type) for field in schema})


def _merged(schema: pa.Schema, found: pa.Schema, file: Path) -> pa.Schema:
    require_different_names(found.names, file)
    types = dict(zip(schema.names, schema.types, strict=True))
    for field in found:
        types[field.name] = _common_type(types.get(field.name, field.type), field, file)
    return pa.schema(types)


def _common_type(one: pa.DataType, field: pa.Field, file: Path) -> pa.DataType:
    schemas = [pa.schema({field.name: kind}) for kind in (one, field.type)]
    try:
        return pa.unify_schemas(schemas, promote_options="permissive").types[0]
    except pa.ArrowTypeError as error:
        if all(is_number(kind) or is_text(kind) for kind in (one, field.type)):
            return pa.string()
        raise DataError(
            f"{file}: column {field.name} must be of one type in all files, got {field.type} and {one} in others"
        ) from error


def is_number(kind: pa.DataType) -> bool:
    """Tell whether a type is one of numbers, also of categories of them."""
    return _is_any(kind, pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)


def is_text(kind: pa.DataType) -> bool:
    """Tell whether a type is one of texts, also of categories of them."""
    return _is_any(kind, pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)


def _is_any(kind: pa.DataType, *tests: Callable[[pa.DataType], bool]) -> bool:
    value_type = kind.value_type if pa.types.is_dictionary(kind) else kind
    return any(test(value_type) for test in tests)
