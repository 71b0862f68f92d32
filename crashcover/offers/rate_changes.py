"""Explanation of a rate change: split into terms, market, volatility, own record, holders and signals, and paths."""

from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np
import pandas as pd

from calibration import Calibration, exchanged, inputs_of, remodel
from crashcover.offers.movements import holder_changes
from crashcover.offers.outcomes import simulate_covers
from pricing.contract.shares import shares_of
from pricing.errors import InvalidTermsError
from pricing.models.price_model import PriceModel
from pricing.premiums.build_up import sample_for
from pricing.quotes.quote import Quote
from pricing.show.frames import make_frame


@dataclass(frozen=True, slots=True, kw_only=True)
class RateChange:
    """Two expected losses as shares of the limit, and the parts of their difference.

    Parameters
    ----------
    before, after : float
        Expected loss on line of both quotes.
    terms : float
        Effect of other terms under the old calibration.
    market : float
        Effect of the laws and the state of the market.
    volatility : float
        Effect of the token's volatility at all horizons and of its tail weight.
    own_record : float
        Effect of the token's own record against the market.
    concentration : float
        Effect of holders and signals.
    paths : float
        Effect of the shape of the paths: clustering and fat tails.
    reasons : tuple of str
        Sentences about what holders and signals did.
    """

    before: float
    after: float
    terms: float
    market: float
    volatility: float
    own_record: float
    concentration: float
    paths: float
    reasons: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return the split as a data frame.

        Returns
        -------
        DataFrame
            Index ``input``, in the order in which inputs were exchanged; columns ``change`` of the rate, and ``rate``
            after it. The first row is the rate before.
        """
        parts = {each.name: getattr(self, each.name) for each in fields(self)[2:-1]}
        changes = np.array([0.0, *parts.values()])
        columns = {"input": ["before", *parts], "change": changes, "rate": self.before + np.cumsum(changes)}
        return make_frame(columns, index="input")


def explain(
    quote_before: Quote, quote_after: Quote, *, calibration_before: Calibration, calibration_after: Calibration
) -> RateChange:
    """Split the change of a rate, input by input, with the same random numbers.

    The parts add up to the change exactly. They are taken in the order of the fields, so an effect that needs two
    inputs to move counts towards the later one.

    Parameters
    ----------
    quote_before, quote_after : Quote
        Quotes of one asset, with the same number of paths and seed.
    calibration_before, calibration_after : Calibration
        Calibrations of these quotes.

    Raises
    ------
    InvalidTermsError
        If the quotes are of different assets or simulations, or do not belong to these calibrations.
    """
    _check(quote_before, quote_after, calibration_before, calibration_after)
    _, *moved = exchanged(inputs_of(calibration_before), inputs_of(calibration_after))
    steps = [calibration_before.model, *(remodel(calibration_before, each) for each in moved), calibration_after.model]
    before = _loss_on_line(quote_before.model, quote_before)
    losses = [_loss_on_line(model, quote_after) for model in steps]
    changes = [after - earlier for earlier, after in pairwise([before, *losses])]
    terms, market, by_volatility, own_record, concentration, paths = changes
    return RateChange(
        before=before,
        after=losses[-1],
        terms=terms,
        market=market,
        volatility=by_volatility,
        own_record=own_record,
        concentration=concentration,
        paths=paths,
        reasons=holder_changes(calibration_before, calibration_after),
    )


def _check(before: Quote, after: Quote, calibration_before: Calibration, calibration_after: Calibration) -> None:
    if before.cover.asset != after.cover.asset:
        raise InvalidTermsError(f"asset must be the same, got {before.cover.asset!r} and {after.cover.asset!r}")
    if before.settings != after.settings:
        raise InvalidTermsError(f"settings must be the same, got {before.settings} and {after.settings}")
    for name, quote, calibration in (
        ("before", before, calibration_before),
        ("after", after, calibration_after),
    ):
        if quote.model != calibration.model:
            raise InvalidTermsError(f"calibration_{name} must be the calibration behind quote_{name}")


def _loss_on_line(model: PriceModel, quote: Quote) -> float:
    cover = quote.cover
    surface = simulate_covers(model, (cover,), quote.settings)
    sample = sample_for(cover, surface)
    return sample.mean(shares_of(cover.payout, sample.tail(cover.trigger.drop))).value
