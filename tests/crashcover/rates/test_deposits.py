"""A night remembers the holders of the week before: tokens that went to an exchange do not look like dispersion."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from crashcover.rates.documents import read_control
from crashcover.rates.earlier_holders import control_before
from pricing.errors import NewerFormatError
from pricing.rates.store import RateStore
from tests.crashcover.rates.nights import rate, write

ASSET = "SYNTH-WHALE"
LAST = datetime(2025, 12, 31, 23, tzinfo=UTC)


@pytest.fixture(scope="module")
def prices(sample_files, tmp_path_factory):
    table = pd.read_csv(sample_files[0])[["time", ASSET]].tail(1_800)
    return write(table, tmp_path_factory.mktemp("prices") / "prices.csv")


def write_holders(folder, *, exchange):
    """Write the list of a token of which one wallet and one exchange hold 60 %, and 400 others the rest."""
    folder.mkdir(exist_ok=True)
    rows = [("whale", 0.6 - exchange, ""), ("venue", exchange, "exchange"), *((f"w{n}", 0.001, "") for n in range(400))]
    table = pd.DataFrame(rows, columns=["address", "balance", "label"])
    write(table.assign(balance=table["balance"] * 1e9), folder / f"{ASSET}.csv")
    return folder


def control_of(store):
    return read_control(store, RateStore.open(store).entries[ASSET].calibration_id)


@pytest.mark.parametrize(("days", "deposited"), [(3, 0.2), (7, 0.2), (8, 0.0)])
def test_a_deposit_of_the_week_counts_as_if_it_had_not_moved(prices, tmp_path, days, deposited):
    store, begun = tmp_path / "rates", LAST - timedelta(days=days)
    rate(prices, store, holders=write_holders(tmp_path / "holders", exchange=0.1), as_of=begun)
    report = rate(prices, store, holders=write_holders(tmp_path / "holders", exchange=0.3), as_of=LAST)
    assert control_of(store).customers == pytest.approx(0.3)
    assert control_of(store).deposited == pytest.approx(deposited)
    told = [each for each in report["assets"][0]["notices"] if "within a week" in each]
    if deposited:
        assert told[0] == "holders: within a week: 200,000,000 tokens, 20.0% of the supply, went to exchanges."
    else:
        assert not told


def test_the_earliest_night_of_the_week_is_remembered_and_damage_is_passed_over(prices, tmp_path):
    store = tmp_path / "rates"
    nights = [LAST - timedelta(days=days) for days in (9, 5, 3)]
    for exchange, night in zip((0.1, 0.2, 0.25), nights, strict=True):
        rate(prices, store, holders=write_holders(tmp_path / "holders", exchange=exchange), as_of=night)
    assert control_before(store, [ASSET, "OTHER"], LAST)[ASSET].customers == pytest.approx(0.2)
    assert control_before(store, [ASSET], nights[0]) == {}
    for document in (store / "calibrations").glob("*.json"):
        document.write_text(document.read_text().replace("0", "1"))
    assert control_before(store, [ASSET], LAST) == {}


def test_a_calibration_of_a_newer_release_does_not_end_a_night(prices, tmp_path, monkeypatch):
    store = tmp_path / "rates"
    rate(prices, store, holders=write_holders(tmp_path / "holders", exchange=0.1), as_of=LAST - timedelta(days=1))

    def read_newer(*_):
        raise NewerFormatError("a newer release stored it")

    monkeypatch.setattr("crashcover.rates.earlier_holders.read_control", read_newer)
    assert control_before(store, [ASSET], LAST) == {}


def test_without_holders_no_earlier_night_is_opened(monkeypatch, tmp_path):
    monkeypatch.setattr("crashcover.rates.earlier_holders.whole_versions", lambda _: pytest.fail("opened"))
    assert control_before(tmp_path, [], LAST) == {}
