from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.errors import InvalidTermsError
from pricing.tools.units import format_duration, in_steps, parse_duration, require_fraction, steps_per_year

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("90s", timedelta(seconds=90)),
        ("15min", timedelta(minutes=15)),
        ("24h", DAY),
        ("30d", 30 * DAY),
        ("2w", 14 * DAY),
        (" 7 d ", 7 * DAY),
    ],
)
def test_parses_durations(text, duration):
    assert parse_duration(text, "window") == duration


@pytest.mark.parametrize(
    ("value", "slip"),
    [
        ("24", "24 hours is '24h'"),
        (24, "24 hours is '24h'"),
        ("15m", "minutes are 'min'"),
        ("1M", "a month has no fixed length"),
        ("soon", "got 'soon'"),
        ("", "got ''"),
        ("1.5h", "got '1.5h'"),
        (-DAY, "must not be negative"),
        (timedelta(microseconds=5), "whole number of seconds"),
    ],
)
def test_rejects_what_is_not_a_duration_and_names_the_slip(value, slip):
    with pytest.raises(InvalidTermsError, match=slip) as caught:
        parse_duration(value, "window")
    assert "window" in str(caught.value)


@given(st.integers(0, 10**9))
def test_a_formatted_duration_parses_back(seconds):
    duration = timedelta(seconds=seconds)
    assert parse_duration(format_duration(duration), "term") == duration


def test_a_step_must_divide():
    assert in_steps(DAY, timedelta(minutes=15), "window") == 96
    with pytest.raises(InvalidTermsError, match="window must be a whole number of steps of 1h, got 90min"):
        in_steps(timedelta(minutes=90), timedelta(hours=1), "window")


def test_a_year_has_365_days():
    assert steps_per_year(timedelta(hours=1)) == 8760.0


@pytest.mark.parametrize("value", [0.0, 1.0, -0.1, 20.0, float("nan"), float("inf")])
def test_a_fraction_lies_between_0_and_1(value):
    with pytest.raises(InvalidTermsError, match="drop must be between 0 and 1"):
        require_fraction(value, "drop")


def test_a_percentage_is_named_as_the_slip():
    with pytest.raises(InvalidTermsError, match=r"got 20.0 \(a fraction: 20 % is 0.20\)"):
        require_fraction(20.0, "drop")
