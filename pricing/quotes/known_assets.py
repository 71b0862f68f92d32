"""Look-up of the asset of a cover, shared by all quoters."""

from collections.abc import Mapping
from typing import TypeVar

from pricing.contract.cover import Cover, require_cover
from pricing.errors import UnknownAssetError

Known = TypeVar("Known")


def find_asset(cover: Cover, known: Mapping[str, Known]) -> Known:
    """Return the data of the asset of a cover.

    Raises
    ------
    UnknownAssetError
        If there are none.
    InvalidTermsError
        If the cover is none.
    """
    found = known.get(require_cover(cover).asset)
    if found is None:
        raise UnknownAssetError(
            f"cover {cover.cover_id!r}: asset must be one of the {len(known)} with a rate, got {cover.asset!r}"
        )
    return found
