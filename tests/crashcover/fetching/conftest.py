"""An exchange on this machine, and a way to fetch from it that never waits."""

import csv
from datetime import UTC, datetime

import pytest

from crashcover.fetching.history import fetch_prices
from crashcover.fetching.venue import open_exchange
from tests.crashcover.fetching.fake_binance import HOUR, START, FakeBinance, make_bars, serving

SINCE = datetime.fromtimestamp(START / 1000, UTC)


class Fetching:
    """Fetches from the fake exchange, and remembers what it was told and how long it would have slept."""

    def __init__(self, fake, path):
        self.fake, self.path = fake, path
        self.told, self.slept, self.opened = [], [], []

    def open(self):
        exchange = open_exchange("binance", url=self.fake.url)
        exchange.enableRateLimit = False  # a test of its own shows that the limits are kept
        self.opened.append(exchange)
        return exchange

    def close(self):
        for exchange in self.opened:
            exchange.close()

    def __call__(self, token="OM", **options):
        options = {"since": SINCE, "out": self.path} | options
        options["exchange"] = options.get("exchange") or self.open()
        return fetch_prices(token, tell=self.told.append, sleep=self.slept.append, **options)

    def rows(self, path=None):
        """Return opening time and prices of the bars in the file."""
        with (path or self.path).open(newline="") as file:
            return [
                (
                    round(datetime.fromisoformat(row["close_time"]).timestamp() * 1000) - HOUR,
                    *(float(row[name]) for name in ("open", "high", "low", "close")),
                )
                for row in csv.DictReader(file)
            ]


@pytest.fixture
def fake(monkeypatch):
    """An exchange with 200 closed bars of OM, one that is running, and pages of at most 40."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving(FakeBinance({"OMUSDT": make_bars(201)}, now=START + 200 * HOUR + HOUR // 3, most=40)) as exchange:
        yield exchange


@pytest.fixture
def fetch(fake, tmp_path):
    fetching = Fetching(fake, tmp_path / "om.csv")
    yield fetching
    fetching.close()
