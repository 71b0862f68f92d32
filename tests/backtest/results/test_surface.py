"""A surface counts events against quotes, by cell, and shows what it counted."""

import json
import math
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from backtest import Plan, Walked, make_cells, summarise_surface, surface_frame, write_surface_page
from backtest.results.surface_page import surface_notes, surface_rows, together_rows
from pricing.errors import InsufficientDataError

N_STARTS, N_TOKENS = 60, 10
PLAN = Plan(cells=make_cells(terms=["30d", "90d"], drops=[0.2, 0.4]), every=timedelta(days=11))
PROBABILITIES = {
    "20% in 24h in 30d": 0.2,
    "40% in 24h in 30d": 0.1,
    "20% in 24h in 90d": 0.4,
    "40% in 24h in 90d": 0.02,
}


@pytest.fixture(scope="module")
def walked():
    """At five starts in turn 0, 2, 4, 1 and 3 tokens fall by 30 %, and none by more; the last token is not quoted."""
    starts = pd.date_range("2022-01-01", periods=N_STARTS, freq="11D", tz="UTC").repeat(N_TOKENS)
    number, token = np.divmod(np.arange(N_STARTS * N_TOKENS), N_TOKENS)
    fell = token < 7 * number % 5
    drops = np.where(fell, 0.3, 0.05)
    outcomes = pd.DataFrame(
        {"start": starts, "token": token.astype(str), "volatility": 1.0, "24h in 30d": drops, "24h in 90d": drops}
    )
    quotes = pd.DataFrame({name: np.where(token < 9, p, np.nan) for name, p in PROBABILITIES.items()})
    return Walked(outcomes=outcomes, quotes={"calibrated": quotes.assign(refusal=None)})


@pytest.fixture(scope="module")
def summary(walked):
    return summarise_surface(PLAN, walked, "calibrated")


def test_events_are_counted_against_the_quotes_of_the_same_tokens(summary):
    cells = {cell["name"]: cell for cell in summary["cells"]}
    for name, probability in PROBABILITIES.items():
        cell, events = cells[name], 120 if name.startswith("20%") else 0
        assert (cell["token_periods"], cell["events"]) == (540, events)
        assert cell["expected"] == pytest.approx(540 * probability)
        assert cell["actual_to_expected"][0] == pytest.approx(events / (540 * probability))
        assert cell["predicted"][0] < 1.0 < cell["predicted"][1]
    # 120 / 108 is within the bounds and 120 / 216 is not, and its blocks are much alike
    assert [cell["outside"] for cell in summary["cells"]] == [False, False, True, False]
    assert summary["mean_distance"] == pytest.approx(0.5 * (math.log(120 / 108) + math.log(216 / 120)))
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_the_share_of_tokens_that_fall_together_is_read_over_starts(summary):
    (together,) = summary["together"]
    assert together["name"] == "20% in 24h in 30d"
    assert together["observed"] == pytest.approx([2 / 9, 4 / 9, 4 / 9])  # none to four of nine, equally often
    assert all(low <= high for low, high in together["predicted"])
    assert 0.0 <= together["beyond"][0] <= 1.0
    assert all(low <= high for _, low, high in (together["beyond"], together["severity"]))


def test_frame_rows_and_page_say_the_same(summary):
    frame = surface_frame(summary)
    assert list(frame["events"]) == [cell["events"] for cell in summary["cells"]]
    assert frame.loc[2, "actual_to_expected"] == pytest.approx(120 / 216)
    assert bool(frame.loc[2, "outside"])
    assert [row[:5] for row in surface_rows(summary, fewest_events=20)] == [
        ("24h ≥ 20 %", "30d", "540", "120", "1.11"),
        ("24h ≥ 20 %", "90d", "540", "120", "0.56"),
    ]
    assert together_rows(summary)[0][:1] == ("20% in 24h in 30d",)
    assert "20 events or more: 20% in 24h in 90d." in surface_notes(summary)[2]
    page = write_surface_page(summary)
    assert page.startswith("<!doctype html>")
    assert "<svg" in page
    assert "24h ≥ 40 %" in page


def test_a_surface_without_quotes_is_refused(walked):
    nothing = walked.quotes["calibrated"].assign(**dict.fromkeys(PROBABILITIES, np.nan))
    with pytest.raises(InsufficientDataError, match="calibrated must quote at least one token, got none"):
        summarise_surface(PLAN, Walked(outcomes=walked.outcomes, quotes={"calibrated": nothing}), "calibrated")
