"""Nights on the sample market, few paths each, and their results."""

from crashcover.rates.job import RateJob, run_job
from crashcover.rates.night import RateSettings
from crashcover.runs.workers import Workplace
from pricing.tools.progress import silent
from tests.crashcover.repricing.books import content

SETTINGS = RateSettings(n_paths=2000, windows=("1h", "24h"), terms=("7d", "30d"))
HERE = Workplace(processes=1)


def write(table, path):
    table.to_csv(path, index=False)
    return path


def rate(prices, out, place=HERE, **options):
    return run_job(RateJob(prices=prices, out=out, settings=SETTINGS, **options), place, silent)


def statuses(report):
    return {each["asset"]: each["status"] for each in report["assets"]}


def published(folder):
    """Return every byte that is published, by name; a report also holds seconds."""
    return {name: data for name, data in content(folder).items() if not name.startswith("reports/")}
