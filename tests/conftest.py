"""What several test modules share."""

import os
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def market_data() -> Path:
    """Folder of real market data, or a skip where it is absent."""
    folder = Path(os.environ.get("CRASHCOVER_DATA", CHECKOUT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no market data at {folder}: set CRASHCOVER_DATA to the folder that holds it")
    return folder
