"""The volume in a file of prices says, beside holders, what the market bears; a stated one takes its place."""

import json

import numpy as np
import pandas as pd
import pytest

ASSET = "SYNTH-WILD"


@pytest.fixture(scope="module")
def files(panel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("volume")
    closes = panel[["time", ASSET]].tail(2_000).rename(columns={ASSET: "close"})
    for name, volume in (("thin", 2e5), ("deep", 5e6)):
        closes.assign(volume=volume).to_csv(folder / f"{name}.csv", index=False)
    rows = [("a", 1e8, "team"), ("b", 7e8, "staking"), *((f"w{number}", 1e6, "") for number in range(200))]
    holders = pd.DataFrame(rows, columns=["address", "balance", "label"])
    holders.to_csv(folder / "holders.csv", index=False)
    shares = holders.assign(percentage=holders["balance"].map(lambda balance: f"{balance / 1e7}%"))
    shares.drop(columns="balance").to_csv(folder / "shares.csv", index=False)
    return folder


def factor(run, files, name, *options, holders="holders.csv"):
    result = run(
        *("calibrate", "--prices", files / f"{name}.csv", "--asset", ASSET, "--holders", files / holders),
        *(*options, "--json"),
    )
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)["hazard"]["parts"][0]["factor"], result.stderr


def test_the_volume_of_the_file_counts_beside_holders(run, files):
    thin, told = factor(run, files, "thin")
    deep, _ = factor(run, files, "deep")
    assert thin > deep
    assert "notice: 4,800,000 tokens are traded on a median day of the file (or state --daily-volume)" in told
    assert factor(run, files, "deep", "--daily-volume", 4.8e6)[0] == pytest.approx(thin, rel=1e-12)
    assert factor(run, files, "thin", "--daily-volume", 1.2e8)[0] == pytest.approx(deep, rel=1e-12)


def test_a_list_of_shares_says_nothing_about_volume(run, files):
    first, told = factor(run, files, "thin", holders="shares.csv")
    assert first == factor(run, files, "deep", holders="shares.csv")[0]
    assert "median day" not in told


def test_later_volumes_take_no_part(run, files, tmp_path):
    table = pd.read_csv(files / "thin.csv")
    table["volume"] = np.where(np.arange(len(table)) < 1_700, 2e5, 5e6)
    table.to_csv(tmp_path / "later.csv", index=False)
    as_of = table["time"].iloc[1_690]
    later = run("calibrate", "--prices", tmp_path / "later.csv", "--holders", files / "holders.csv", "--as-of", as_of)
    assert "notice: 4,800,000 tokens are traded on a median day" in later.stderr
