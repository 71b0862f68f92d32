from datetime import timedelta

import numpy as np
import pytest

from calibration.crash_prior import CrashPrior, fit_falls, prior_from_exceedances, published_prior
from pricing.errors import DataError, InvalidModelError, InvalidTermsError
from pricing.models import GeneralizedParetoFalls

HOURLY = {"drops": (0.20, 0.25, 0.30, 0.40, 0.50, 0.60, 0.70, 0.90), "events": (172, 81, 41, 6, 3, 2, 1, 0)}
DAILY = {"drops": (0.40, 0.50, 0.60, 0.70, 0.90), "events": (182, 35, 10, 4, 1)}


def survival(severity, drops):
    excess = -np.log1p(-np.asarray(drops)) - severity.threshold
    return (1.0 + severity.shape * excess / severity.scale) ** (-1.0 / severity.shape)


def log_likelihood(severity, table):
    probabilities = survival(severity, table["drops"])
    classes = np.array(table["events"]) - np.append(table["events"][1:], 0)
    return classes @ np.log(probabilities - np.append(probabilities[1:], 0.0))


@pytest.mark.parametrize(
    ("step", "per_year", "threshold"),
    [
        # 365/30 times -ln(1 - share of the 8,691 token-months): 1.979 % and 2.094 %
        (timedelta(hours=1), 0.2432, 0.20),
        (timedelta(minutes=1), 0.2432, 0.20),
        (timedelta(hours=4), 0.2575, 0.40),
        (timedelta(days=1), 0.2575, 0.40),
    ],
)
def test_rates_follow_from_the_published_frequencies(step, per_year, threshold):
    prior = published_prior(step)
    assert prior.per_year == pytest.approx(per_year, abs=5e-5)
    assert prior.threshold_drop == threshold
    assert prior.severity.threshold == pytest.approx(-np.log1p(-threshold))
    assert "looks ahead" in prior.source


def test_a_longer_step_has_no_prior():
    with pytest.raises(DataError, match="at most 24h"):
        published_prior(timedelta(days=2))


@pytest.mark.parametrize(("step", "table"), [(timedelta(hours=1), HOURLY), (timedelta(days=1), DAILY)])
def test_severity_is_the_likeliest_for_the_published_counts(step, table):
    best = published_prior(step).severity
    top = log_likelihood(best, table)
    for scale, shape in ((1e-3, 0.0), (-1e-3, 0.0), (0.0, 1e-2), (0.0, -1e-2)):
        other = GeneralizedParetoFalls(threshold=best.threshold, scale=best.scale + scale, shape=best.shape + shape)
        assert log_likelihood(other, table) < top


@pytest.mark.parametrize(("step", "table"), [(timedelta(hours=1), HOURLY), (timedelta(days=1), DAILY)])
def test_severity_describes_the_published_counts(step, table):
    # each count is binomial among those beyond the threshold: z = 2.5 at the most
    n, counts = table["events"][0], np.array(table["events"][1:])
    p = survival(published_prior(step).severity, table["drops"][1:])
    assert np.all(np.abs(counts - n * p) < 2.5 * np.sqrt(n * p * (1.0 - p)))


@pytest.mark.parametrize(("scale", "shape"), [(0.08, 0.2), (0.05, 0.4), (0.1, -0.2)])
def test_a_known_law_is_recovered_from_its_own_frequencies(scale, shape):
    drops = (0.2, 0.22, 0.25, 0.3, 0.35, 0.4)
    law = GeneralizedParetoFalls(threshold=-np.log1p(-0.2), scale=scale, shape=shape)
    events = np.rint(1e12 * survival(law, drops)).astype(int)
    found = fit_falls(drops, events.tolist())
    assert found.scale == pytest.approx(scale, rel=1e-5)
    assert found.shape == pytest.approx(shape, abs=1e-5)


def test_wrong_priors_are_refused():
    severity = published_prior(timedelta(hours=1)).severity
    with pytest.raises(InvalidTermsError, match=r"threshold_drop must be between 0 and 1, got 20.*fraction"):
        CrashPrior(threshold_drop=20.0, per_year=0.2, severity=severity, source="")
    with pytest.raises(InvalidModelError, match="per_year must be positive"):
        CrashPrior(threshold_drop=0.2, per_year=0.0, severity=severity, source="")


def test_more_events_are_a_higher_rate():
    fewer = prior_from_exceedances(drops=(0.2, 0.3, 0.4), events=(100, 30, 8), source="")
    more = prior_from_exceedances(drops=(0.2, 0.3, 0.4), events=(200, 60, 16), source="")
    assert more.per_year > fewer.per_year
    assert more.severity.scale == pytest.approx(fewer.severity.scale, rel=1e-6)
