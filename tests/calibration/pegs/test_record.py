"""The record of pegs: bounds against published limits of Poisson counts, counts against the lists they are from."""

import math
from datetime import timedelta

import pandas as pd
import pytest

from calibration.pegs.record import RECORDS, record_of
from docs.studies.pegs import CLASSES
from pricing.errors import InvalidTermsError

#: Upper 95 % limits, one-sided, of the mean of a Poisson count (Garwood 1936; Johnson, Kemp and Kotz 2005, table 4.1).
LIMITS = {0: 2.996, 3: 7.754}


@pytest.mark.parametrize("record", RECORDS.values(), ids=lambda record: record.peg)
def test_rates_are_the_published_limits_over_the_years(record):
    expected = [LIMITS[count] / record.token_years for count in record.losses]
    assert record.rates() == pytest.approx(expected, rel=1e-4)


def test_the_bounds_are_those_of_the_evidence():
    assert [round(rate, 3) for rate in RECORDS["reserve"].rates()] == [0.186, 0.072]
    assert [round(rate, 2) for rate in RECORDS["synthetic"].rates()] == [0.85, 0.85]


@pytest.mark.parametrize("record", RECORDS.values(), ids=lambda record: record.peg)
def test_probabilities_are_coherent_over_drops_and_terms(record):
    drops = (0.1, 0.15, 0.3, 0.5, 0.99)
    for drop in drops:
        month, quarter = (record.probability(drop, timedelta(days=days)) for days in (30, 90))
        assert quarter == pytest.approx(1.0 - (1.0 - month) ** 3, rel=1e-12)
    months = [record.probability(drop, timedelta(days=30)) for drop in drops]
    assert months == sorted(months, reverse=True)
    assert months[0] == months[1] == pytest.approx(-math.expm1(-record.rates()[0] * 30 / 365), rel=1e-12)
    assert months[2] == months[3] == months[4]


def test_what_is_not_on_record_is_refused():
    with pytest.raises(InvalidTermsError, match="drop must be at least 0.1 on a pegged token, got 0.0999"):
        RECORDS["reserve"].probability(0.0999, timedelta(days=30))
    with pytest.raises(InvalidTermsError, match="peg must be one of reserve, synthetic, got 'gold'"):
        record_of("gold")


def test_the_years_are_those_of_the_lists(market_data):
    listed = pd.read_csv(market_data / "panel" / "coinmarketcap_top200_monthly_2020_202510.csv.gz")["Name"]
    for peg, record in RECORDS.items():
        assert listed.isin(CLASSES[peg]).sum() == pytest.approx(12 * record.token_years, abs=1e-9)
