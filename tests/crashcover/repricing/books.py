"""Books of covers on the sample market, and the results of runs to compare."""

from pathlib import Path

import numpy as np
import pandas as pd

from crashcover.repricing.job import RepriceJob, run_job
from crashcover.runs.workers import Workplace
from pricing.tools.progress import silent

ASSETS = ("SYNTH-CALM", "SYNTH-EVEN", "SYNTH-WHALE", "SYNTH-WILD")
PAYOUTS = ("full", "linear:0.1:0.6", "tiered:0.1=0.25,0.3=1")
#: One good row, to be spoilt.
ROW = {
    "cover_id": "C-1",
    "asset": "SYNTH-WILD",
    "drop": 0.2,
    "window": "24h",
    "reference": "rolling-high",
    "payout": "full",
    "limit": 1000.0,
    "currency": "USD",
    "term": "30d",
    "waiting_period": "0h",
}


def make_book(n_covers, *, seed=1):
    """Draw covers on the sample market that can all be priced."""
    draw = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "cover_id": [f"C-{number}" for number in range(n_covers)],
            "asset": draw.choice(ASSETS, n_covers),
            "drop": draw.uniform(0.05, 0.4, n_covers).round(3),
            "window": draw.choice(["1h", "24h"], n_covers),
            "reference": "rolling-high",
            "payout": draw.choice(PAYOUTS, n_covers),
            "limit": draw.lognormal(9.0, 1.0, n_covers).round(2),
            "currency": draw.choice(["USD", "EUR"], n_covers),
            "term": draw.choice(["7d", "30d"], n_covers),
            "waiting_period": "0h",
            "broker": draw.choice(["north", "south"], n_covers),
        }
    )


def book_file(table, folder, name="book.parquet"):
    """Write a book to a file that a run can read."""
    path = folder / name
    if name.endswith(".parquet"):
        table.to_parquet(path, index=False)
    else:
        table.to_csv(path, index=False)
    return path


def reprice(book, rates, out, **options):
    """Price a book in this process."""
    return run_job(RepriceJob(book=book, rates=rates, out=out, **options), Workplace(processes=1), silent)


def content(folder):
    """Return every file that a run left, by name."""
    files = [path for path in Path(folder).rglob("*") if path.is_file() and path.name != ".lock"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
