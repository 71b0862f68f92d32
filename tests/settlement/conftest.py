"""Numbers of peers to test against, which are not part of the repository."""

import json

import pytest


@pytest.fixture(scope="session")
def read_peers(market_data):
    """Read a file beside the market data, or skip if there is none."""

    def read(name):
        path = market_data.parent / "reference" / "peers" / name
        if not path.is_file():
            pytest.skip(f"no numbers of peers at {path}")
        return json.loads(path.read_text(encoding="utf-8"))

    return read
