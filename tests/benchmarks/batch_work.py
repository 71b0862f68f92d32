"""A night at full size: a synthetic market, its rates, and a book of covers on it, timed and weighed.

Usage: ``python -m tests.benchmarks.batch_work FOLDER`` for 250 tokens and a million covers; see ``--help``.
"""

import argparse
import json
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

SEED = 20261122
WINDOWS, TERMS = ("1h", "4h", "24h", "72h"), ("7d", "14d", "21d", "30d")  # 720 hourly steps at most
PAYOUTS = ("full", "linear:0.3:0.9", "linear:0.2:0.6", "tiered:0.3=0.25,0.5=0.6,0.8=1")
_HOURS = 365 * 24
_LAST_CLOSE = pd.Timestamp("2025-06-01T00:00Z")


def market(n_tokens):
    """Draw a year of hourly closes: fat tails, clustered volatility of a level of its own, a market in common."""
    draw = np.random.default_rng(SEED)
    calm = np.exp(np.cumsum(0.05 * draw.standard_normal(_HOURS)) / 4.0)
    common = 0.006 * calm * draw.standard_t(5.0, _HOURS)
    levels = draw.uniform(0.004, 0.014, n_tokens)
    returns = common[:, None] + levels * calm[:, None] * draw.standard_t(4.0, (_HOURS, n_tokens))
    times = pd.date_range(end=_LAST_CLOSE, periods=_HOURS, freq="h", name="time")
    names = [f"SYNTH-{place:05d}" for place in range(n_tokens)]
    return pd.DataFrame(np.exp(np.cumsum(returns, axis=0) + 2.0), index=times, columns=names)


def book(n_covers, tokens):
    """Draw covers, seven of ten paid in full."""
    draw = np.random.default_rng(SEED)
    return pd.DataFrame(
        {
            "cover_id": [f"C-{number:09d}" for number in range(n_covers)],
            "asset": draw.choice(tokens, n_covers),
            "drop": draw.uniform(0.15, 0.8, n_covers).round(3),
            "window": draw.choice(WINDOWS, n_covers),
            "reference": "rolling-high",
            "payout": draw.choice(PAYOUTS, n_covers, p=[0.7, 0.1, 0.1, 0.1]),
            "limit": draw.lognormal(10.0, 1.0, n_covers).round(2),
            "currency": "USD",
            "term": draw.choice(TERMS, n_covers),
            "waiting_period": "0h",
        }
    )


class Taken(NamedTuple):
    """Seconds by the clock and of all cores, and the most gigabytes that all processes had at once."""

    seconds: float
    core_seconds: float
    gigabytes: float


def run(*arguments):
    """Run the command; return what it printed, and what it took."""
    started, worked = time.perf_counter(), _work_of_children()
    process = subprocess.Popen(
        [sys.executable, "-m", "crashcover", *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )
    most = [0.0]
    watcher = threading.Thread(target=_watch, args=(process, most))
    watcher.start()
    printed, _ = process.communicate()
    watcher.join()
    if process.returncode:
        raise SystemExit(f"{arguments[0]} ended with {process.returncode}")
    return printed, Taken(time.perf_counter() - started, _work_of_children() - worked, most[0])


def _work_of_children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _watch(process, most):
    while process.poll() is None:
        most[0] = max(most[0], sum(map(_memory, _family(process.pid))))
        time.sleep(0.1)


def _family(pid):
    """Return a process and all that descend from it."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(each for child in children for each in _family(int(child)))]


def _memory(pid):
    """Return the gigabytes of a process, pages that it shares counted in parts."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where everything is written; new or empty")
    parser.add_argument("--tokens", type=int, default=250)
    parser.add_argument("--covers", type=int, default=1_000_000)
    parser.add_argument("--paths", type=int, default=100_000)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    prices, covers = options.folder / "prices.parquet", options.folder / "book.parquet"
    closes = market(options.tokens)
    closes.to_parquet(prices)
    book(options.covers, list(closes.columns)).to_parquet(covers, index=False)
    common = ("--processes", options.processes, "--json")
    cells = [text for window in WINDOWS for text in ("--window", window)]
    cells += [text for term in TERMS for text in ("--term", term)]
    rates = options.folder / "rates"
    night, rated = run("rates", "--prices", prices, "--out", rates, "--paths", options.paths, *cells, *common)
    report = json.loads(night)
    size = sum(file.stat().st_size for file in (rates / report["version"]).iterdir()) / 1e9
    stages = {
        stage: sum(each["seconds"][stage] for each in report["assets"]) / options.tokens
        for stage in ("calibrate", "simulate", "compact")
    }
    _tell("rates", rated, f"{size:.2f} GB of surfaces; seconds a token: {_figures(stages)}")
    printed, priced = run("reprice", covers, "--rates", rates, "--out", options.folder / "priced", *common)
    summary = json.loads(printed)
    _tell("reprice", priced, f"{summary['priced']:,} covers")
    together = Taken(*(one + other for one, other in zip(rated[:2], priced[:2], strict=True)), max(rated[2], priced[2]))
    _tell("together", together, f"on {options.processes} processes")


def _tell(name, taken, note):
    seconds, core_seconds, gigabytes = taken
    sys.stdout.write(f"{name:9} {seconds:6.1f} s  {core_seconds:6.1f} core-s  {gigabytes:5.2f} GB  {note}\n")


def _figures(stages):
    return ", ".join(f"{stage} {taken:.2f}" for stage, taken in stages.items())


if __name__ == "__main__":
    main()
