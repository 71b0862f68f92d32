"""Write the tables of docs/real-markets.md: quotes from the command line before real crashes, and what happened then.

Usage: ``CRASHCOVER_DATA=folder python -m docs.studies.real_markets``
"""

import json
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crashcover.files.prices import read_prices
from docs.studies.blocks import markdown_table, write_block
from docs.studies.panel import DATA, PANEL

HOLDERS = "holders/top_holders_2026q1_zukowski.csv.gz"
TERM = pd.Timedelta(days=30)
COVERS = ["--drop", "0.2", "--drop", "0.3", "--drop", "0.5", "--window", "1h", "--window", "24h", "--term", "30d"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One token on one day."""

    asset: str
    prices: str
    as_of: str

    @property
    def options(self) -> list[str]:
        """Options of ``crashcover quote`` with file names relative to the data folder."""
        asset = ["--asset", self.asset] if self.prices == PANEL else []
        return ["--prices", self.prices, *asset, "--as-of", self.as_of]

    def run(self) -> dict:
        """Run the command line and return its document."""
        command = [sys.executable, "-m", "crashcover", "quote", *self.options, *COVERS, "--json"]
        return json.loads(subprocess.run(command, cwd=DATA, check=False, capture_output=True, text=True).stdout)

    def outcome(self) -> dict[str, float]:
        """Worst fall within 1 and 24 hours over the 30 days after the quote."""
        asset = self.asset if self.prices == PANEL else None
        closes = read_prices(DATA / self.prices, asset=asset).closes.dropna()
        start = pd.Timestamp(self.as_of)
        term = closes[(closes.index >= start) & (closes.index <= start + TERM)]
        step = term.index.to_series().diff().mode()[0]
        return {
            window: float((1.0 - term / term.rolling(int(pd.Timedelta(window) / step) + 1, min_periods=1).max()).max())
            for window in ("1h", "24h")
        }


def probability(document: dict, drop: float, window: str) -> str:
    """Trigger probability with its standard error, in per cent."""
    for quote in document["quotes"]:
        trigger, priced = quote["cover"]["trigger"], quote["premium"]
        if (trigger["drop"], trigger["window"]) == (drop, window):
            return f"{priced['trigger_probability']:.2%} ± {priced['trigger_probability_standard_error']:.2%}"
    for refusal in document["refused"]:
        trigger = refusal["cover"]["trigger"]
        if (trigger["drop"], trigger["window"]) == (drop, window):
            return "not insurable" if refusal["reason"] == "uninsurable" else "not resolved"
    return "?"


def rate_on_line(document: dict, drop: float, window: str) -> str:
    """Gross premium over the limit for the term, in per cent."""
    for quote in document["quotes"]:
        trigger = quote["cover"]["trigger"]
        if (trigger["drop"], trigger["window"]) == (drop, window):
            return f"{quote['premium']['rate_on_line']:.1%}"
    return "–"


def table(cases: list[Case]) -> str:
    """Return the command of the first case, and one row per case."""
    command = f"cd $CRASHCOVER_DATA\ncrashcover quote {' '.join(cases[0].options)} \\\n  {' '.join(COVERS)}"
    falls = ["1 h ≥ 20 %", "24 h ≥ 20 %", "24 h ≥ 30 %", "rate", "24 h ≥ 50 %", "rate"]
    head = ["token, as of", *falls, "happened: 1 h, 24 h", "warnings"]
    return f"```sh\n{command}\n```\n\n{markdown_table(head, map(row, cases))}"


def row(case: Case) -> list[str]:
    """Return the cells of one case."""
    document, came = case.run(), case.outcome()
    verdict = ", ".join(name.lower().replace("_", " ") for name in document["calibration"]["verdict"])
    return [
        f"{case.asset}, {case.as_of[:10]}",
        probability(document, 0.2, "1h"),
        probability(document, 0.2, "24h"),
        probability(document, 0.3, "24h"),
        rate_on_line(document, 0.3, "24h"),
        probability(document, 0.5, "24h"),
        rate_on_line(document, 0.5, "24h"),
        f"{came['1h']:.1%}, {came['24h']:.1%}",
        verdict or "–",
    ]


def famous_days() -> list[Case]:
    """Tokens on the eve of three market-wide crashes and of two of their own."""
    may_2021 = [Case(asset=asset, prices=PANEL, as_of="2021-05-18T00:00Z") for asset in ("BTC", "ETH", "DOGE")]
    august_2024 = [Case(asset=asset, prices=PANEL, as_of="2024-08-04T00:00Z") for asset in ("BTC", "ETH")]
    own = [
        Case(asset="LUNA", prices=PANEL, as_of="2022-05-07T00:00Z"),
        Case(asset="FTT", prices=PANEL, as_of="2022-11-05T00:00Z"),
    ]
    return own + may_2021 + august_2024


def tokens_with_holders() -> list[Case]:
    """Twenty tokens that are in the panel and have a published holder list, which is later and not used."""
    columns = pd.read_parquet(DATA / PANEL).columns
    listed = set(pd.read_csv(DATA / HOLDERS)["list"])
    tokens = [token for token in columns if token in listed]
    cases = [Case(asset=token, prices=PANEL, as_of="2025-01-01T00:00Z") for token in tokens]
    return [case for case in cases if not np.isnan(case.outcome()["24h"])][:20]


def main() -> None:
    """Write both tables, each under its command."""
    write_block("real-markets.md", "crashes", table(famous_days()))
    write_block("real-markets.md", "january", table(tokens_with_holders()))


if __name__ == "__main__":
    main()
