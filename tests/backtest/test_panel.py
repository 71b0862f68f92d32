import numpy as np
import pandas as pd
import pytest

from backtest import make_panel
from pricing.errors import DataError, DataWarning, InsufficientDataError

HOURS = pd.date_range("2024-01-01T01:00Z", periods=4, freq="h")


def closes(**columns):
    return pd.DataFrame(columns or {"A": [1.0, 2.0, np.nan, 3.0]}, index=HOURS)


def test_a_panel_knows_its_step_even_with_a_gap():
    assert make_panel(closes().drop(HOURS[2])).step == pd.Timedelta("1h")


def test_pegged_tokens_are_left_out_by_default_and_others_on_request():
    frame = closes(A=[1.0] * 4, USDC=[1.0] * 4)
    assert list(make_panel(frame).closes) == ["A"]
    assert list(make_panel(frame, leave_out=["A"]).closes) == ["USDC"]


def test_a_token_to_leave_out_that_is_not_there_is_an_error_with_near_names():
    frame = closes(BTC=[1.0] * 4, ETH=[1.0] * 4)
    with pytest.raises(DataError, match=r"leave_out must name tokens of the panel, got 'btc' \(did you mean BTC\?\)"):
        make_panel(frame, leave_out=["ETH", "btc"])
    with pytest.raises(DataError, match=r"leave_out must name tokens of the panel, got 'XRP'$"):
        make_panel(frame, leave_out=["XRP"])


def test_times_that_label_opens_are_moved_if_said_or_if_their_name_says_so():
    frame = closes()
    assert (make_panel(frame, label="open").closes.index == HOURS + pd.Timedelta("1h")).all()
    named = frame.rename_axis("open_time")
    with pytest.warns(DataWarning, match="open_time is read as the open of bars"):
        moved = make_panel(named).closes
    assert (moved.index == HOURS + pd.Timedelta("1h")).all()
    assert (make_panel(moved).closes.index == moved.index).all()  # once
    assert (make_panel(named, label="close").closes.index == HOURS).all()
    with pytest.raises(DataError, match="label must be 'open' or 'close', got 'end'"):
        make_panel(frame, label="end")


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (closes().tz_localize(None), "time zone"),
        (closes().reset_index(drop=True), "DatetimeIndex"),
        (closes().iloc[::-1], "increasing times"),
        (closes().iloc[[0, 0, 1]], "increasing times"),
        (closes(A=[1.0, 0.0, 1.0, 1.0]), "got 0 for A at 2024-01-01T02:00:00"),
        (closes(A=[1.0, -1.0, 1.0, 1.0]), "got -1 for A"),
        (closes(A=[1.0, np.inf, 1.0, 1.0]), "got inf for A"),
        (closes(USDT=[1.0] * 4), "at least one token"),
        (pd.concat([closes(), closes()], axis=1), "'A' twice"),
    ],
)
def test_a_wrong_panel_is_refused(frame, message):
    with pytest.raises(DataError, match=message):
        make_panel(frame)


def test_one_bar_is_not_a_panel():
    with pytest.raises(InsufficientDataError, match="two bars"):
        make_panel(closes().iloc[:1])


def test_the_fingerprint_is_that_of_names_times_and_prices():
    one = make_panel(closes()).fingerprint()
    assert one == make_panel(closes().tz_convert("Asia/Tokyo")).fingerprint()
    others = [
        closes().rename(columns={"A": "B"}),
        closes().shift(1, freq="h"),
        closes(A=[1.0, 2.0, np.nan, 3.0000000001]),
    ]
    assert one not in {make_panel(other).fingerprint() for other in others}
