import re
import shlex

import pytest
from click.testing import CliRunner

from crashcover import sample_market
from crashcover.cli import main
from crashcover.files.prices import read_prices


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "out"
    return folder, CliRunner().invoke(main, ["demo", "--out", str(folder), "--paths", "20000"])


def test_it_leaves_a_picture_and_the_sample_files(demo):
    folder, result = demo
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in folder.iterdir()) == [
        "exceedance.png",
        "synthetic_holders.csv",
        "synthetic_prices.csv",
    ]
    assert (folder / "exceedance.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    for token in sample_market.TOKENS:
        assert len(read_prices(folder / "synthetic_prices.csv", asset=token.name).closes) == 8760


def test_everything_it_shows_is_called_synthetic(demo):
    _, result = demo
    assert result.stdout.startswith("SYNTHETIC MARKET")
    for token in sample_market.TOKENS:
        assert f"{token.name} (synthetic: {token.story})" in result.stdout


def test_it_prices_every_combination_for_every_token(demo):
    _, result = demo
    rows = [tuple(line.split()[:3]) for line in result.stdout.splitlines() if line.strip()[:1].isdigit()]
    combinations = {
        (drop, window, term) for drop in ("20", "30", "50") for window in ("1h", "24h") for term in ("7d", "30d")
    }
    assert len(rows) == 12 * len(sample_market.TOKENS)
    assert set(rows) == combinations


def test_the_command_it_prints_works(demo, run):
    _, result = demo
    command = re.search(r"crashcover quote .*?\n.*", result.stdout)[0].replace("\\\n", " ")
    assert run(*shlex.split(command)[1:], "--paths", 20000).exit_code == 0
