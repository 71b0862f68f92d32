"""One token's covers: read, priced, compared with the previous run, and written; the task can run anywhere."""

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from crashcover.files.tables import reason
from crashcover.repricing.changes import COMPARED, COMPARED_NUMBERS, CoverChange, changes_of, matched
from crashcover.repricing.intake.staging import Stretches, read_stretches
from crashcover.repricing.premiums import with_premiums
from crashcover.runs.asset_names import file_name, is_whole, partition_name
from pricing.errors import DataError
from pricing.premiums.basis import PricingBasis
from pricing.rates.store import RateStore
from pricing.tools.plain import read_json, to_json
from pricing.tools.whole_files import replacing, write_text

#: File of the covers on one asset, in its own folder.
PARTITION = "part-0.parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class RepriceTask:
    """The covers on one asset, small enough to be sent to any worker.

    Parameters
    ----------
    asset : str
        Name of the token.
    stretches : Stretches
        Places of its rows in the staged book.
    staged : Path
        Folder of the staged book.
    rates : RateStore
        The rates of this asset.
    basis : PricingBasis
        Loadings.
    priced : Path
        Folder to write to.
    before : Path or None
        Corresponding folder of the previous run.
    """

    asset: str
    stretches: Stretches = field(repr=False)
    staged: Path
    rates: RateStore = field(repr=False)
    basis: PricingBasis
    priced: Path
    before: Path | None = None

    @property
    def result_file(self) -> Path:
        """File of the outcome, written after everything else."""
        return self.staged / f"outcome-{file_name(self.asset)}.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """Totals of the covers on one asset in one currency.

    Parameters
    ----------
    asset, currency : str
        Asset and currency.
    covers : int
        Number of covers.
    without_price : int
        Number of covers that are uninsurable or not resolved.
    limit, priced_limit : float
        Sum of all limits, and of the limits of priced covers.
    premium, expected_loss : float
        Sums over priced covers.
    compared, compared_before : float
        Current and previous premiums of the covers that are also priced in the previous run with the same terms, limit
        and currency.
    """

    asset: str
    currency: str
    covers: int
    without_price: int
    limit: float
    priced_limit: float
    premium: float
    expected_loss: float
    compared: float
    compared_before: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RepriceOutcome:
    """Outcome of the covers on one asset.

    Parameters
    ----------
    asset : str
        Name of the token.
    covers : int
        Number of rows written.
    totals : tuple of Total
        Totals, one per currency.
    changes : tuple of CoverChange
        Largest changes, in descending order.
    """

    asset: str
    covers: int
    totals: tuple[Total, ...]
    changes: tuple[CoverChange, ...]


def reprice_token(task: RepriceTask) -> RepriceOutcome:
    """Price the covers on one asset and write them."""
    rows = read_stretches(task.staged, task.stretches)
    priced = with_premiums(rows, task.rates.entry(task.asset), task.rates.surface(task.asset), task.basis)
    _write(priced, task)
    covers = priced.select([*COMPARED, "expected_loss"]).to_pandas()
    matches = matched(covers, _read_before(task))
    compared = matches[matches["same_cover"]]
    outcome = RepriceOutcome(
        asset=task.asset,
        covers=len(covers),
        totals=tuple(
            _total(task.asset, str(currency), part, compared[compared["currency"] == currency])
            for currency, part in covers.groupby("currency", observed=True, sort=True)
        ),
        changes=tuple(changes_of(task.asset, matches)),
    )
    write_text(task.result_file, to_json(outcome))
    return outcome


def read_outcome(path: Path) -> RepriceOutcome:
    """Read an outcome that ``reprice_token`` wrote."""
    outcome: RepriceOutcome = read_json(path, (RepriceOutcome, Total, CoverChange))
    return outcome


def _write(table: pa.Table, task: RepriceTask) -> None:
    """Write a partition whose folder contains the name of the asset, if that is short enough."""
    if is_whole(task.asset):
        table = table.drop_columns("asset")
    folder = task.priced / partition_name(task.asset)
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / PARTITION) as part:
        pq.write_table(table.replace_schema_metadata(None), part, compression="zstd")


def _read_before(task: RepriceTask) -> pd.DataFrame:
    file = task.before / partition_name(task.asset) / PARTITION if task.before else None
    if file is None or not file.exists():
        return pd.DataFrame(columns=list(COMPARED))
    try:
        covers: pd.DataFrame = pq.read_table(file, columns=list(COMPARED), partitioning=None).to_pandas()
        covers = covers.astype(dict.fromkeys(COMPARED_NUMBERS, "float64"))
        if covers["cover_id"].duplicated().any():
            raise ValueError("a cover occurs twice")
    except (OSError, ValueError, LookupError, pa.ArrowException) as error:
        raise DataError(
            f"{file}: the previous run cannot be read: {reason(error)} (give another --previous)"
        ) from error
    return covers


def _total(asset: str, currency: str, covers: pd.DataFrame, compared: pd.DataFrame) -> Total:
    has_price = covers["premium"].notna()
    return Total(
        asset=asset,
        currency=currency,
        covers=len(covers),
        without_price=int((~has_price).sum()),
        limit=float(covers["limit"].sum()),
        priced_limit=float(covers["limit"][has_price].sum()),
        premium=float(covers["premium"].sum()),
        expected_loss=float(covers["expected_loss"].sum()),
        compared=float(compared["premium"].sum()),
        compared_before=float(compared["premium_before"].sum()),
    )
