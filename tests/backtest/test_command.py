import json

import numpy as np
import pytest
from click.testing import CliRunner

from crashcover.cli import main
from crashcover.files.panels import read_panel
from crashcover.files.reading import PriceReading
from pricing.errors import DataError
from tests.backtest.conftest import DAYS, TOKENS, make_closes

QUICK = ["--forecaster", "logit", "--drop", "0.1", "--window", "24h", "--workers", "1"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The same panel as csv with close labels, and as parquet with open labels."""
    folder = tmp_path_factory.mktemp("panels")
    closes = make_closes()
    closes["USDT"] = 1.0
    closes.rename_axis("close_time").to_csv(folder / "closes.csv", date_format="%Y-%m-%dT%H:%M:%SZ")
    closes.shift(-1, freq="h").rename_axis("open_time").reset_index().to_parquet(folder / "opens.parquet")
    closes.rename_axis("timestamp").reset_index().to_parquet(folder / "unsaid.parquet")
    return folder


def run(*arguments):
    return CliRunner().invoke(main, ["backtest", *map(str, arguments)])


def test_labels_of_opens_are_moved_to_the_close(files):
    by_close = read_panel(files / "closes.csv", leave_out=("USDT",))
    by_open = read_panel(files / "opens.parquet", leave_out=("USDT",))
    assert by_close.closes.shape == (24 * DAYS, TOKENS)
    assert by_close.closes.index.equals(by_open.closes.index)
    assert by_close.closes.to_numpy() == pytest.approx(by_open.closes.to_numpy(), rel=1e-12)
    told = read_panel(files / "unsaid.parquet", PriceReading(label="close"), leave_out=("USDT",))
    assert by_open.closes.equals(told.closes)
    moved = read_panel(files / "unsaid.parquet", PriceReading(label="open"), leave_out=("USDT",))
    assert moved.closes.index[0] == by_close.closes.index[1]


def test_a_label_that_is_not_said_is_noticed(files, capsys):
    read_panel(files / "unsaid.parquet", leave_out=())
    assert "column timestamp is read as the close of the bar" in capsys.readouterr().err


def test_a_file_of_one_token_is_no_panel(tmp_path):
    (tmp_path / "one.csv").write_text("time,close\n2024-01-01T00:00Z,1\n2024-01-01T01:00Z,2\n")
    with pytest.raises(DataError, match="one column of closes per token"):
        read_panel(tmp_path / "one.csv", leave_out=())


@pytest.fixture(scope="module")
def finished(files, tmp_path_factory):
    """A backtest that came to its end: its folder and what the command told."""
    folder = tmp_path_factory.mktemp("finished")
    return folder, run(files / "opens.parquet", "--out", folder, *QUICK)


def test_the_command_prints_tables_and_writes_a_document_and_a_page(finished):
    folder, result = finished
    assert result.exit_code == 0, result.output
    assert "fall of 10 % within 24h, at some time in 30d: occurred in" in result.stdout
    assert "whole periods are resampled" in result.stdout
    for name in ("constant", "logit"):
        assert f" {name} " in result.stdout
    document = json.loads((folder / "backtest.json").read_text())
    assert document["plan"]["token_periods"] == 4 * TOKENS
    assert (folder / "backtest.html").read_text().startswith("<!doctype html>")


def test_json_is_all_there_is_on_stdout(files, tmp_path):
    result = run(files / "closes.csv", "--out", tmp_path, *QUICK, "--json")
    document = json.loads(result.stdout)
    assert document == json.loads((tmp_path / "backtest.json").read_text())
    assert document["panel"]["tokens"] == TOKENS
    assert np.isfinite(document["cells"][0]["forecasters"]["logit"]["log_score"][0])


def test_quiet_prints_notices_only(files, tmp_path):
    result = run(files / "opens.parquet", "--out", tmp_path, *QUICK, "--quiet")
    assert (result.exit_code, result.stdout) == (0, "")
    assert all(line.startswith("notice: ") for line in result.stderr.splitlines())


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--forecaster", "oracle"], 4, "got 'oracle'"),
        (["--every", "7d"], 4, "longest term 30d"),
        (["--drop", "20"], 4, "a fraction: 20 % is 0.20"),
        (["--first-start", "2023-08-15T00:00Z"], 5, "more than 1 starts"),
        (["--workers", "0"], 2, "Invalid value for '--workers'"),
        (["--first-start", "2023-08-15T00:00"], 2, "no time zone"),
    ],
)
def test_a_wrong_option_is_an_error_of_one_line(files, tmp_path, arguments, code, message):
    result = run(files / "opens.parquet", "--out", tmp_path / "out", *arguments)
    assert result.exit_code == code
    assert message in result.stderr.splitlines()[-1]
    assert result.stdout == ""


def test_a_second_panel_in_the_same_folder_is_refused(files, finished):
    folder, _ = finished
    result = run(files / "unsaid.parquet", "--out", folder, "--label", "open", *QUICK)
    assert result.exit_code == 4
    assert "holds results of another panel" in result.stderr


def test_a_surface_is_scored_at_starts_that_overlap(files, tmp_path):
    few = ["--sample", "12", "--paths", "300", "--term", "7d", "--term", "30d", "--every", "20d", "--workers", "1"]
    result = run(files / "closes.csv", "--out", tmp_path, "--surface", *few, "--drop", "0.1")
    assert result.exit_code == 0, result.output
    assert "quotes of calibrated at" in result.stdout
    document = json.loads((tmp_path / "surface.json").read_text())
    assert [(cell["window"], cell["term"]) for cell in document["cells"]][:3] == [
        ("1h", "7d"),
        ("1h", "30d"),
        ("4h", "7d"),
    ]
    assert {cell["window"] for cell in document["cells"]} == {"1h", "4h", "24h", "3d"}
    assert (tmp_path / "surface.html").read_text().startswith("<!doctype html>")
    refused = run(files / "closes.csv", "--surface", "--forecaster", "gbm")
    assert refused.exit_code == 4
    assert "forecaster must not be named for a surface, got 'gbm'" in refused.stderr
