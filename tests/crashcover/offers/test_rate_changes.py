from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest

from calibration import RiskSignals, calibrate, shipped_market
from crashcover import sample_market
from crashcover.offers.outcomes import quote_or_refuse, simulate_covers
from crashcover.offers.rate_changes import explain
from crashcover.offers.terms import Terms
from pricing import InvalidTermsError, PricingBasis, SimulationSettings

SETTINGS = SimulationSettings(n_paths=8_000, seed=4)
PARTS = ("terms", "market", "volatility", "own_record", "concentration", "paths")
CLOSES = sample_market.closes(sample_market.WILD)
EARLIER = CLOSES.index[-1] - pd.Timedelta(days=60)


def quoted(calibration, drop=0.2, window="24h"):
    (cover,) = Terms(drops=(drop,), windows=(window,)).covers("W")
    surface = simulate_covers(calibration.model, (cover,), SETTINGS, lambda _: None)
    return quote_or_refuse(cover, surface, PricingBasis())


@pytest.fixture(scope="module")
def calm():
    return calibrate(CLOSES, as_of=EARLIER)


def change(before, after, *, drop_before=0.2, drop_after=0.2, window="24h"):
    return explain(
        quoted(before, drop_before, window),
        quoted(after, drop_after, window),
        calibration_before=before,
        calibration_after=after,
    )


def test_the_parts_add_up_to_the_change(calm):
    later = calibrate(CLOSES, signals=RiskSignals(unlock_share=0.2))
    found = change(calm, later, drop_after=0.25, window="12h")
    parts = [getattr(found, name) for name in PARTS]
    assert sum(parts) == pytest.approx(found.after - found.before, abs=1e-15)
    assert {field.name for field in fields(found)} == {"before", "after", *PARTS, "reasons"}
    assert found.reasons == ("The factor of unlock goes from 1.00 to 1.55.",)
    assert {name for name in PARTS if abs(getattr(found, name)) > 1e-8} == set(PARTS) - {"market"}


def test_nothing_moves_without_a_change(calm):
    found = change(calm, calm)
    assert found.before == found.after > 0.0
    assert [getattr(found, name) for name in PARTS] == [0.0] * 6


@pytest.mark.parametrize(
    ("later", "window", "moved"),
    [  # anchors hold the law of 24 hours, whatever the paths; between anchors the paths have their say
        (lambda: calibrate(CLOSES, as_of=EARLIER, signals=RiskSignals(unlock_share=0.2)), "24h", {"concentration"}),
        (
            lambda: calibrate(CLOSES, as_of=EARLIER, market=shipped_market(pd.Timestamp("2024-06-01", tz="UTC"))),
            "12h",
            {"market", "own_record", "paths"},
        ),
        (lambda: calibrate(CLOSES, as_of=EARLIER, law="constant"), "24h", set()),
        (lambda: calibrate(CLOSES, as_of=EARLIER, law="constant"), "12h", {"paths"}),
    ],
)
def test_what_did_not_change_has_no_part(calm, later, window, moved):
    found = change(calm, later(), window=window)
    assert {name for name in PARTS if abs(getattr(found, name)) > 1e-8} == moved  # anchors are met to 1e-9


def test_a_deeper_drop_costs_less_and_only_terms_moved(calm):
    found = change(calm, calm, drop_after=0.3)
    assert found.terms == found.after - found.before < 0.0


def test_a_wilder_token_pays_for_volatility(calm):
    shaken = CLOSES.copy()
    noise = np.cumsum(np.random.default_rng(3).choice([-0.03, 0.03], 240))
    shaken[EARLIER - pd.Timedelta(hours=239) : EARLIER] *= np.exp(noise - noise[-1])
    later = calibrate(shaken, as_of=EARLIER)
    assert change(calm, later).volatility > 0.0


def test_quotes_that_do_not_belong_together_are_refused(calm):
    quote = quoted(calm)
    other = replace(quote, cover=replace(quote.cover, asset="X"))
    with pytest.raises(InvalidTermsError, match="asset must be the same"):
        explain(quote, other, calibration_before=calm, calibration_after=calm)
    with pytest.raises(InvalidTermsError, match="calibration_after"):
        explain(quote, quote, calibration_before=calm, calibration_after=calibrate(CLOSES))
