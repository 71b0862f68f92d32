"""Commands on prices as people have them: labels a little off, splits that are known, closes that are old."""

import json

import numpy as np
import pandas as pd
import pytest

from crashcover import sample_market
from crashcover.commands.exits import Exit

CLOSES = sample_market.closes(sample_market.CALM).iloc[-3000:]


def written(tmp_path, closes, name="tok.csv"):
    path = tmp_path / name
    closes.rename("close").rename_axis("close_time").to_csv(path, date_format="%Y-%m-%dT%H:%M:%S.%fZ")
    return path


@pytest.fixture
def premiums(run, tmp_path):
    """Return premiums and stderr of a quote on closes."""

    def quote(closes, *options):
        path = written(tmp_path, closes)
        result = run("quote", "--prices", path, "--drop", 0.2, "--paths", 2000, "--json", *options)
        assert result.exit_code == 0, result.stderr
        return [quoted["premium"] for quoted in json.loads(result.stdout)["quotes"]], result.stderr

    return quote


def test_labels_seconds_off_give_the_premium_of_those_on_the_hour(premiums):
    late = np.random.default_rng(1).integers(-9, 10, len(CLOSES))
    expected, _ = premiums(CLOSES)
    found, said = premiums(CLOSES.set_axis(CLOSES.index + pd.to_timedelta(late, unit="s")))
    assert found == expected
    assert said.count("finding: ") == 1
    assert "labels, by up to 9 s" in said


def test_a_label_between_two_bars_is_one_line_that_names_row_and_offset(run, tmp_path):
    labels = CLOSES.index.to_series()
    labels.iloc[100] += pd.Timedelta("20min")
    result = run("quote", "--prices", written(tmp_path, CLOSES.set_axis(pd.DatetimeIndex(labels))), "--drop", 0.2)
    assert result.exit_code == Exit.BAD_DATA
    error = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(error) == 1
    assert "label at row 100 " in error[0]
    assert "got 1200 s after" in error[0]


def test_stated_splits_give_the_premium_of_the_series_without(premiums, tmp_path):
    told = CLOSES.where(np.arange(len(CLOSES)) < 2000, CLOSES / 4.0)
    splits = tmp_path / "splits.csv"
    splits.write_text(f"time,ratio\n{CLOSES.index[2000].isoformat()},1:4\n")
    (expected,), _ = premiums(CLOSES)
    (found,), said = premiums(told, "--splits", splits)
    assert found["gross"] == pytest.approx(expected["gross"], rel=1e-6)
    assert "a redenomination was stated" in said
    (counted,), said = premiums(told)
    assert counted["gross"] > 2.0 * expected["gross"]
    assert "(a new unit: --splits, or splits=)" in said


def test_old_prices_need_consent(run, tmp_path, premiums):
    last = CLOSES.index[-1]
    late = (last + pd.Timedelta("4h")).isoformat()
    result = run("quote", "--prices", written(tmp_path, CLOSES), "--drop", 0.2, "--as-of", late)
    assert result.exit_code == Exit.BAD_DATA
    assert "at most 3 bars after the last close" in result.stderr
    _, said = premiums(CLOSES, "--as-of", late, "--stale-ok")
    assert "the last close is older than it should be" in said


def test_a_date_is_midnight_utc_with_a_notice(premiums):
    day = CLOSES.index[2500].strftime("%Y-%m-%d")
    found, said = premiums(CLOSES, "--as-of", day)
    assert f"notice: {day} means {day}T00:00Z, the beginning of the day" in said
    assert found == premiums(CLOSES, "--as-of", f"{day}T00:00Z")[0]


def test_a_few_hours_of_minutes_are_no_history(run, tmp_path):
    minutes = CLOSES.iloc[:540].set_axis(pd.date_range("2025-06-01T00:01Z", periods=540, freq="1min"))
    result = run("quote", "--prices", written(tmp_path, minutes), "--drop", 0.2)
    assert result.exit_code == Exit.CALIBRATION_FAILED
    assert "at least 60 days, whatever the bar" in result.stderr


@pytest.mark.filterwarnings("default")
def test_rates_and_markets_take_labels_to_the_grid_and_apply_splits(run, tmp_path):
    """Labels as exchanges wrote them before and after 2025: the last millisecond, then the last microsecond."""
    index = CLOSES.index - pd.to_timedelta(np.where(np.arange(len(CLOSES)) < 1500, 7_000_000, 1_000_000), unit="us")
    told = CLOSES.where(np.arange(len(CLOSES)) < 2000, CLOSES / 4.0)
    panel, splits = tmp_path / "panel.csv", tmp_path / "splits.csv"
    pd.DataFrame({"A": CLOSES, "B": told}).set_axis(index).rename_axis("close_time").to_csv(panel)
    splits.write_text(f"asset,time,ratio\nB,{index[2000].isoformat()},4\nC,2025-01-01T00:00Z,4\n")
    cells = ("--paths", 500, "--window", "24h", "--term", "30d", "--processes", 1)
    result = run("rates", "--prices", panel, "--out", tmp_path / "rates", "--splits", splits, *cells, "--json")
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["statuses"] == {"fresh": 2}
    verdicts = {each["asset"]: set(each["verdict"]) for each in report["assets"]}
    assert verdicts["A"] == verdicts["B"] >= {"REPAIRED"}
    assert "UNIT_DOUBTFUL" not in verdicts["B"]
    assert "splits.csv: there are no prices for C" in result.stderr
    market = run("market", panel, "--out", tmp_path / "market.json", "--splits", splits)
    assert "notice: off the grid of 1h, and taken to it: " in market.stderr
    assert "splits.csv: there are no prices for C" in market.stderr
