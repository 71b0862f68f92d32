"""The schema of a book: required columns, permitted types, and the common types of different files."""

from collections.abc import Callable, Collection
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset

from crashcover.files.tables import BOOK_COLUMNS, require_different_names
from pricing.errors import DataError

#: Columns among these that may be stored as durations.
DURATIONS = ("window", "term", "waiting_period")


def require_columns(names: Collection[str], path: Path) -> None:
    """Check that the columns of a book are present, each once.

    Raises
    ------
    DataError
        If one is missing, or any occurs twice.
    """
    require_different_names(names, path)
    missing = [name for name in BOOK_COLUMNS if name not in names]
    if missing:
        raise DataError(
            f"{path}, row 1: must have the columns {', '.join(BOOK_COLUMNS)}, lacks {', '.join(missing)}{_slip(names)}"
        )


def _slip(names: Collection[str]) -> str:
    """Return the likely reason why columns are missing."""
    separator = next((mark for mark in (";", "\t", "|") if len(names) == 1 and mark in "".join(names)), None)
    if separator:
        return f" (its fields are separated by {separator!r}: write commas)"
    if set(BOOK_COLUMNS) <= {name.strip().lower() for name in names}:
        return " (write their names in lower case, without blanks)"
    return ""


def require_types(schema: pa.Schema, path: Path) -> None:
    """Check that the columns of a book have types from which cells can be parsed.

    Raises
    ------
    DataError
        If a column has another type, such as times or lists.
    """
    for name in BOOK_COLUMNS:
        kind = schema.field(name).type
        is_duration = name in DURATIONS and pa.types.is_duration(kind)
        if not (is_number(kind) or is_text(kind) or pa.types.is_null(kind) or is_duration):
            raise DataError(f"{path}: column {name} must hold texts or numbers, got {kind} (store it as text)")


def common_schema(dataset: pyarrow.dataset.Dataset) -> pa.Schema:
    """Return a schema that fits all files of a book: a column that a file lacks is empty there.

    A column of numbers in one file and texts in another becomes texts, so that only the rows without valid numbers are
    quarantined. Metadata of pandas is removed: it would hide the columns that were an index.

    Raises
    ------
    DataError
        If a file holds a column twice, or with a type incompatible with the other files.
    """
    schema = dataset.schema.remove_metadata()
    for fragment in dataset.get_fragments():
        found = fragment.physical_schema.remove_metadata()
        if not found.equals(schema):
            schema = _merged(schema, found, Path(fragment.path))
    return pa.schema({field.name: _owned(field.type) for field in schema})


def _owned(kind: pa.DataType) -> pa.DataType:
    """Return a type without views, also within lists and structures: Arrow cannot sort them."""
    if pa.types.is_list(kind):
        return pa.list_(_owned(kind.value_type))
    if pa.types.is_large_list(kind):
        return pa.large_list(_owned(kind.value_type))
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(_owned(kind.value_type), kind.list_size)
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_owned(field.type)) for field in kind])
    if pa.types.is_map(kind):
        return pa.map_(_owned(kind.key_type), _owned(kind.item_type))
    return {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}.get(kind, kind)


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
            f"{file}: column {field.name} must have one type in all files, got {field.type} and {one} in others"
        ) from error


def is_number(kind: pa.DataType) -> bool:
    """Return whether a type is numeric, or a category of numbers."""
    return _is_any(kind, pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)


def is_text(kind: pa.DataType) -> bool:
    """Return whether a type is text, or a category of texts."""
    return _is_any(kind, pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)


def _is_any(kind: pa.DataType, *tests: Callable[[pa.DataType], bool]) -> bool:
    value_type = kind.value_type if pa.types.is_dictionary(kind) else kind
    return any(test(value_type) for test in tests)
