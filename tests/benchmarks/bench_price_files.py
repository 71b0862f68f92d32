"""Time of reading a month of minute bars as downloaded, compared with pandas alone on the same archive.

By itself: ``python -m pytest -W default tests/benchmarks/bench_price_files.py``
"""

import zipfile
from time import process_time

import numpy as np
import pandas as pd

from crashcover import read_prices

MINUTES = 31 * 24 * 60
#: The ratio on an idle machine is below 3; a month takes less than a second on any.
REACH = 6.0


def write_month(path):
    """Write made-up klines of January 2025."""
    rng = np.random.default_rng(1)
    opened = 1_735_689_600_000_000 + 60_000_000 * np.arange(MINUTES)
    closes = np.exp(np.cumsum(rng.normal(0.0, 1e-3, MINUTES))).round(6)
    opens = np.append(1.0, closes[:-1])
    volumes = [rng.uniform(1.0, 1e4, MINUTES).round(2) for _ in range(4)]
    columns = [opened, opens, np.maximum(opens, closes), np.minimum(opens, closes), closes, volumes[0]]
    columns += [opened + 59_999_999, volumes[1], rng.integers(1, 999, MINUTES), *volumes[2:], np.zeros(MINUTES, int)]
    table = pd.DataFrame(dict(enumerate(columns)))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("OMUSDT-1m-2025-01.csv", table.to_csv(index=False, header=False))


def seconds(read, path):
    start = process_time()
    read(path)
    return process_time() - start


def test_a_month_of_minutes(benchmark, tmp_path):
    path = tmp_path / "OMUSDT-1m-2025-01.zip"
    write_month(path)
    ours, theirs = [], []

    def side_by_side():
        ours.append(seconds(read_prices, path))
        theirs.append(seconds(lambda archive: pd.read_csv(archive, header=None), path))

    benchmark.pedantic(side_by_side, rounds=7, warmup_rounds=1)
    benchmark.extra_info.update(table="files", ours=ours[1:], pandas=theirs[1:], reach=REACH)
    assert len(read_prices(path).closes) == MINUTES
    assert np.median(ours[1:]) < REACH * np.median(theirs[1:])
