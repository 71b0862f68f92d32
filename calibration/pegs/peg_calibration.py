"""From the closes of a pegged token and the class of its peg to a price model, by the record of the class."""

import json
import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pandas as pd

from calibration.pegs.recognise import FEWEST_DAYS, PEGGED_BELOW, volatility_of
from calibration.pegs.record import CONFIDENCE, PegRecord, record_of
from calibration.prices.bars import CheckedCloses, check_closes
from calibration.prices.diagnostics import Diagnostics, diagnose
from calibration.prices.findings import Finding, findings_frame
from calibration.prices.labels import Label
from calibration.verdict import Verdict, explain
from pricing.errors import InsufficientDataError, PeggedTokenError
from pricing.models.anchors import Anchor
from pricing.models.innovations import Normal
from pricing.models.jumps import Jumps, NormalSizes
from pricing.models.price_model import PriceModel
from pricing.models.volatility import ConstantVolatility
from pricing.show.html_tables import Table, write_html
from pricing.tools.plain import Form, to_plain
from pricing.tools.stored import format_name
from pricing.tools.units import Duration, format_duration

#: Price of the currency in which prices are quoted.
PEG_PRICE = 1.0
#: A peg whose last close is further away from its price, as a share, is being lost, or is another one.
OFF_PEG = 0.03
#: Term whose probabilities are shown and met exactly by a simulation.
TERM = timedelta(days=30)
#: A loss of the peg between two falls on record counts as this much less than the deeper one, as a share of what is
#: left of the price; beyond the deepest one, this much is left.
_JUST_SHORT = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class PegCalibration:
    """A price model of a pegged token and everything that it is based on.

    Parameters
    ----------
    model : PriceModel
        The model to simulate: the price stays at its peg until the peg is lost.
    record : PegRecord
        Losses of the pegs of the stated class.
    robust_volatility : float
        Volatility per year by which the token is recognised as pegged.
    lowest_close : float
        Lowest close of the history.
    lowest_at : datetime
        UTC label of that close.
    diagnostics : Diagnostics
        Summary figures of the price history.
    findings : tuple of Finding
        Irregularities of the prices, and repairs.
    as_of : datetime
        UTC time up to which prices were used: as requested, or the last close.
    """

    model: PriceModel
    record: PegRecord
    robust_volatility: float
    lowest_close: float
    lowest_at: datetime
    diagnostics: Diagnostics
    findings: tuple[Finding, ...]
    as_of: datetime

    @property
    def verdict(self) -> Verdict:
        """The warning that the price is a judgement."""
        return Verdict.PEGGED

    @property
    def figures(self) -> tuple[tuple[str, str], ...]:
        """Name and text of the figures that a summary shows."""
        seen, record = self.diagnostics, self.record
        step = format_duration(self.model.step)
        chances = ", ".join(f"{100 * record.probability(drop, TERM):.3g}% for {drop:.0%}" for drop in record.drops)
        counts = ", ".join(f"{n} of {drop:.0%}" for n, drop in zip(record.losses, record.drops, strict=True))
        return (
            (
                "Prices",
                f"{seen.n_closes:,} closes of {step}, {seen.first_close:%Y-%m-%d %H:%M} to "
                f"{seen.last_close:%Y-%m-%d %H:%M} UTC, as of {self.as_of:%Y-%m-%d %H:%M}",
            ),
            ("Peg", f"{record.peg}, at {PEG_PRICE:g}; robust volatility {self.robust_volatility:.2%} a year"),
            ("Lowest close", f"{self.lowest_close:.4g} at {self.lowest_at:%Y-%m-%d %H:%M}"),
            ("Loss of peg", f"{chances} within {format_duration(TERM)}: the upper bound of"),
            ("", f"{counts} or more in {record.token_years:.1f} token-years"),
        )

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Assumptions, in sentences."""
        record = self.record
        rates = ", ".join(f"{rate:.3f} of {drop:.0%}" for rate, drop in zip(record.rates(), record.drops, strict=True))
        return (
            f"The token is pegged to {PEG_PRICE:g} in the currency of its prices, and its peg is of the class "
            f"{record.peg}: both as stated.",
            f"Losses a year: {rates} or more, the upper bound of the rate on record at {CONFIDENCE:.0%}, one-sided. "
            "That is a declared judgement: no estimate, and no law of other tokens.",
            "Falls are measured from the peg, whatever the reference and the window of the cover: no reference is "
            f"more than {OFF_PEG:.0%} above it at the start, and the peg is lost within one bar.",
            f"A fall between {' and '.join(f'{drop:.0%}' for drop in record.drops)} is as likely as the smaller one, "
            f"and a fall beyond {record.drops[-1]:.0%} loses everything: the record does not say more. Falls below "
            f"{record.least_drop:.0%} are not on record and count as certain.",
            "Losses of pegs are independent of each other, of the market and of the past of the token.",
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the findings as a data frame: columns ``kind``, ``time``, ``row`` and ``message``."""
        return findings_frame(self.findings)

    def _repr_html_(self) -> str:
        return write_html(
            "Calibration of a peg",
            Table(rows=self.figures, n_texts=2),
            Table(rows=[(each,) for each in explain(self.verdict)], caption="Warnings"),
            notes=self.assumptions,
        )

    def to_json(self) -> str:
        """Write everything as JSON with sorted keys; floats survive a round trip bit for bit."""
        texts = {"verdict": to_plain(self.verdict, Form.NAMED), "assumptions": list(self.assumptions)}
        named = {"format": format_name("calibration of a peg", 1)} | to_plain(self, Form.NAMED) | texts
        return json.dumps(named, sort_keys=True, allow_nan=False)


def calibrate_peg(
    prices: pd.Series | pd.DataFrame,
    peg: str,
    *,
    as_of: datetime | date | str | None = None,
    step: Duration | None = None,
    label: Label | None = None,
    stale_ok: bool = False,
) -> PegCalibration:
    """Make a price model of a pegged token from the record of its class.

    Nothing of the history is cut off: a hole of months does not make a token at its peg another asset.

    Parameters
    ----------
    prices : Series or DataFrame of float
        Closes in the currency of the peg, as for ``calibrate``.
    peg : {"reserve", "synthetic"}
        Class of the peg: backed by a reserve of money, of its equivalents or of collateral; or kept by an algorithm, a
        position or other tokens.
    as_of, step, label, stale_ok
        As for ``calibrate``.

    Raises
    ------
    DataError
        If a price is invalid.
    InsufficientDataError
        If fewer than 45 daily returns are known in the last 90 days.
    PeggedTokenError
        If the token is not pegged, not to 1, or is not at its peg.
    InvalidTermsError
        If there is no such class.
    """
    record = record_of(peg)
    checked = check_closes(prices, step=step, as_of=as_of, label=label, stale_ok=stale_ok, one_asset=True)
    closes = checked.closes
    volatility = volatility_of(closes)
    _require_at_peg(checked, volatility)
    return PegCalibration(
        model=peg_model(record, checked.step),
        record=record,
        robust_volatility=volatility,
        lowest_close=float(closes.min()),
        lowest_at=closes.index[int(closes.argmin())].to_pydatetime(),
        diagnostics=diagnose(checked),
        findings=checked.findings,
        as_of=checked.as_of,
    )


def require_unpegged(checked: CheckedCloses) -> None:
    """Check that a token is not pegged, because the laws of the market do not hold for one that is.

    Raises
    ------
    PeggedTokenError
        If it is.
    """
    volatility = volatility_of(checked.closes)
    if volatility < PEGGED_BELOW:
        raise PeggedTokenError(
            f"prices must move by at least {PEGGED_BELOW:.0%} a year, got {volatility:.2%} by the median day of 90: "
            "the token is pegged or its price is stale, so the laws of other tokens do not hold for it (with the class "
            "of its peg stated, it is quoted at the upper bound of the record of that class: quote --peg reserve or "
            "synthetic, rates --pegs, calibrate_peg in Python)"
        )


def _require_at_peg(checked: CheckedCloses, volatility: float) -> None:
    if math.isnan(volatility):
        raise InsufficientDataError(f"prices must hold at least {FEWEST_DAYS} daily returns of the last 90 days")
    if not volatility < PEGGED_BELOW:
        raise PeggedTokenError(
            f"peg must be stated for pegged tokens only, got prices that move by {volatility:.0%} a year, not by less "
            f"than {PEGGED_BELOW:.0%}"
        )
    last = float(checked.closes.iloc[-1])
    if abs(last / PEG_PRICE - 1.0) > OFF_PEG:
        raise PeggedTokenError(
            f"prices must end within {OFF_PEG:.0%} of the peg of {PEG_PRICE:g}, got {last:g} (a token that is losing "
            "its peg is not insured; one that is pegged to something else needs prices in that currency)"
        )


def peg_model(record: PegRecord, step: timedelta) -> PriceModel:
    """Return the price model of a class: a constant price, and jumps down at the rates of its record.

    Parameters
    ----------
    record : PegRecord
        The record of the class.
    step : timedelta
        Length of a bar.
    """
    rates = (*record.rates(), 0.0)
    left = [*((1.0 - drop) * (1.0 + _JUST_SHORT) for drop in record.drops[1:]), _JUST_SHORT]
    return PriceModel(
        volatility=ConstantVolatility(annual=0.0),
        innovations=Normal(),
        jumps=tuple(
            Jumps(per_year=rate - deeper, sizes=NormalSizes(mean=math.log(share), stdev=0.0))
            for rate, deeper, share in zip(rates, rates[1:], left, strict=False)
            if rate > deeper
        ),
        step=step,
        anchors=_anchors(record, step),
        least_known_drop=record.least_drop,
    )


def _anchors(record: PegRecord, step: timedelta) -> tuple[Anchor, ...]:
    """Fix the probabilities of the term that is shown, if it is a whole number of bars."""
    if TERM % step != timedelta(0):
        return ()
    probabilities = {record.probability(drop, TERM): drop for drop in record.drops}  # the deepest drop of each
    return (Anchor(window=step, term=TERM, drops=list(probabilities.values()), probabilities=list(probabilities)),)
