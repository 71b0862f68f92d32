"""Covers of several events, against the table, against Poisson sums and against simulated terms."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import poisson

from pricing.errors import InvalidTermsError
from pricing.events.reinstatements import AggregateTerms, PoissonEvents, aggregate_loss, reinstatement_premium
from pricing.principles import WangTransform
from tests.reference_tables import rows

means = st.floats(1e-6, 30.0)
severities = st.lists(st.floats(0.01, 1.0), min_size=1, max_size=6).map(
    lambda parts: [part / sum(parts) for part in parts]
)


@pytest.mark.parametrize("row", rows("reinstatement_poisson_binary"))
def test_binary_events_against_the_table(row):
    terms = AggregateTerms(
        event_limit=1.0, n_reinstatements=int(row["n_reinstatements"]), reinstatement_share=row["reinst_cost_c"]
    )
    premium = reinstatement_premium(PoissonEvents(mean_events=row["mean_events"]), terms)
    assert premium.expected_loss == pytest.approx(row["E_paid_units"], rel=1e-11)
    assert premium.expected_reinstatements == pytest.approx(row["E_units_reinstated"], rel=1e-11, abs=1e-15)
    assert premium.initial == pytest.approx(row["initial_premium_per_unit_limit"], rel=1e-11)


@given(mean=means, n_reinstatements=st.integers(0, 5), share=st.floats(0.0, 2.0), total=st.floats(0.1, 10.0))
def test_premiums_add_up_to_the_total(mean, n_reinstatements, share, total):
    terms = AggregateTerms(event_limit=1.0, n_reinstatements=n_reinstatements, reinstatement_share=share)
    premium = reinstatement_premium(PoissonEvents(mean_events=mean), terms, total=total)
    assert premium.initial + premium.reinstatement == pytest.approx(total, rel=1e-14)
    assert premium.reinstatement == pytest.approx(share * premium.expected_reinstatements * premium.initial, rel=1e-13)


@given(mean=means, severity=severities)
def test_without_limits_the_mean_and_variance_are_those_of_a_compound_poisson_law(mean, severity):
    events = PoissonEvents(mean_events=mean, unit=3.0, severity=severity)
    losses = aggregate_loss(events, AggregateTerms(event_limit=300.0, n_reinstatements=100_000))
    units = 3.0 * np.arange(len(severity))
    assert losses.mean == pytest.approx(events.mean_loss, rel=1e-12)
    assert losses.mean == pytest.approx(mean * (units @ severity), rel=1e-12)
    variance = losses.expectation(np.square(losses.losses - losses.mean))
    assert variance == pytest.approx(mean * (np.square(units) @ severity), rel=1e-10)


@given(mean=means, deductible=st.floats(0.0, 4.0), n_reinstatements=st.integers(0, 4), kept=st.floats(0.0, 0.9))
def test_binary_events_are_a_poisson_sum(mean, deductible, n_reinstatements, kept):
    terms = AggregateTerms(event_limit=1.0, n_reinstatements=n_reinstatements, deductible=deductible, coinsurance=kept)
    counts = np.arange(200)
    paid = (1.0 - kept) * np.clip(counts - deductible, 0.0, n_reinstatements + 1)
    losses = aggregate_loss(PoissonEvents(mean_events=mean), terms)
    assert losses.mean == pytest.approx(poisson.pmf(counts, mean) @ paid, rel=1e-11)


@given(mean=means, n_reinstatements=st.integers(1, 5))
def test_deductible_and_limit_split_the_loss(mean, n_reinstatements):
    """The losses below a deductible, inside the limit and above both is all of it."""
    events = PoissonEvents(mean_events=mean, severity=(0.1, 0.3, 0.4, 0.2))
    below = AggregateTerms(event_limit=3.0, n_reinstatements=n_reinstatements)
    above = AggregateTerms(event_limit=3.0, n_reinstatements=100_000, deductible=below.term_limit)
    split = aggregate_loss(events, below).mean + aggregate_loss(events, above).mean
    assert split == pytest.approx(events.mean_loss, rel=1e-12)


def test_an_event_limit_cuts_each_event():
    events = PoissonEvents(mean_events=0.7, unit=10.0, severity=(0.1, 0.3, 0.4, 0.2))
    cut = PoissonEvents(mean_events=0.7, unit=10.0, severity=(0.1, 0.3, 0.6))
    limited = aggregate_loss(events, AggregateTerms(event_limit=20.0, n_reinstatements=3))
    again = aggregate_loss(cut, AggregateTerms(event_limit=20.0, n_reinstatements=3))
    assert limited.mean == pytest.approx(again.mean, rel=1e-15)
    one_unit = aggregate_loss(events, AggregateTerms(event_limit=10.0)).mean
    assert one_unit == pytest.approx(10.0 * -math.expm1(-0.7 * 0.9), rel=1e-14)


@pytest.mark.parametrize("mean", [1e-6, 0.05, 1.0, 20.0, 500.0])
@pytest.mark.parametrize("n_reinstatements", [1, 3])
def test_charges_for_the_rest_of_the_term_against_the_closed_form(mean, n_reinstatements):
    """The j-th event finds the part 1 - E T_j of the term left; events up to it are Gamma(j) apart.

    Averaging Poisson laws over the term gives P(N > n) / mean, the law in equilibrium.
    """
    terms = AggregateTerms(
        event_limit=1.0, n_reinstatements=n_reinstatements, reinstatement_share=1.0, pro_rata_time=True
    )
    counts = np.arange(1_000)
    equilibrium = poisson.sf(counts, mean) / mean
    expected = equilibrium @ np.minimum(counts, n_reinstatements)
    premium = reinstatement_premium(PoissonEvents(mean_events=mean), terms)
    assert premium.expected_charge == pytest.approx(expected, rel=1e-11)
    assert premium.expected_charge < premium.expected_reinstatements


def test_a_term_of_uneven_events_against_simulation():
    # 200,000 terms, seed 5, z < 4. Two events in three make the charge depend on when they come.
    events = PoissonEvents(mean_events=1.5, unit=25.0, severity=(0.0, 0.2, 0.3, 0.0, 0.5))
    terms = AggregateTerms(
        event_limit=75.0,
        n_reinstatements=2,
        reinstatement_share=0.8,
        pro_rata_time=True,
        deductible=40.0,
        coinsurance=0.1,
        aggregate_limit=180.0,
    )
    generator = np.random.default_rng(5)
    n_terms, most = 200_000, 14
    counts = generator.poisson(1.5, n_terms)
    assert counts.max() <= most
    happens = np.arange(most) < counts[:, None]
    times = np.sort(np.where(happens, generator.random((n_terms, most)), 2.0), axis=1)
    units = generator.choice(5, size=(n_terms, most), p=events.severity)
    costs = np.where(happens, np.minimum(25.0 * units, 75.0), 0.0).cumsum(axis=1)
    paid = 0.9 * np.clip(costs[:, -1] - 40.0, 0.0, 180.0)
    used = np.clip(costs - 40.0, 0.0, 105.0) / 75.0
    charges = 0.8 * (np.diff(used, axis=1, prepend=0.0) * np.where(happens, 1.0 - times, 0.0)).sum(axis=1)
    premium = reinstatement_premium(events, terms)
    for simulated, exact in ((paid, premium.expected_loss), (charges, premium.expected_charge)):
        assert abs(simulated.mean() - exact) < 4.0 * simulated.std() / math.sqrt(n_terms)
    assert premium.initial * (1.0 + premium.expected_charge) == pytest.approx(premium.expected_loss, rel=1e-14)


def test_any_principle_prices_the_law_of_the_term():
    """One event at most: the law is binary, and so is its price."""
    losses = aggregate_loss(PoissonEvents(mean_events=0.1, unit=50.0), AggregateTerms(event_limit=50.0))
    binary = 50.0 * WangTransform(shift=0.3).price_of_binary(-math.expm1(-0.1))
    assert WangTransform(shift=0.3).price(losses) == pytest.approx(binary, rel=1e-13)


def test_events_that_cost_nothing_cost_nothing():
    losses = aggregate_loss(PoissonEvents(mean_events=2.0, severity=(1.0,)), AggregateTerms(event_limit=1.0))
    assert losses.mean == 0.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PoissonEvents(mean_events=0.0), "mean_events must be above 0 and at most 500, got 0.0"),
        (lambda: PoissonEvents(mean_events=501.0), "mean_events must be"),
        (lambda: PoissonEvents(mean_events=1.0, unit=0.0), "unit must be positive"),
        (lambda: PoissonEvents(mean_events=1.0, severity=(0.5, 0.6)), "severity must be probabilities that add up"),
        (lambda: PoissonEvents(mean_events=1.0, severity=(-0.5, 1.5)), "severity must be"),
        (lambda: PoissonEvents(mean_events=1.0, severity=()), "severity must be"),
        (lambda: PoissonEvents(mean_events=1.0, severity=(0.5, 0.5 + 1e-8)), "severity must be"),
        (lambda: PoissonEvents(mean_events=1.0, severity=(0.5, math.nan)), "severity must be"),
        (lambda: AggregateTerms(event_limit=math.inf), "event_limit must be positive and finite, got inf"),
        (lambda: AggregateTerms(event_limit=1.0, n_reinstatements=True), "n_reinstatements must be a whole number"),
        (lambda: AggregateTerms(event_limit=1.0, n_reinstatements=math.inf), "n_reinstatements must be .* got inf"),
        (lambda: AggregateTerms(event_limit=1.0, reinstatement_share=math.inf), "reinstatement_share must be finite"),
        (lambda: AggregateTerms(event_limit=1.0, deductible=-1.0), "deductible must be finite and not negative"),
        (lambda: AggregateTerms(event_limit=1.0, coinsurance=1.0), r"got 1.0 \(a fraction: 10 % is 0.10\)$"),
        (lambda: AggregateTerms(event_limit=1.0, coinsurance=-0.1), "coinsurance must be .*, got -0.1$"),
        (lambda: AggregateTerms(event_limit=2.0, aggregate_limit=1.0), "aggregate_limit must be between"),
        (lambda: AggregateTerms(event_limit=0.0), "event_limit must be positive"),
        (lambda: AggregateTerms(event_limit=1.0, n_reinstatements=-1), "n_reinstatements must be a whole number"),
        (lambda: AggregateTerms(event_limit=1.0, n_reinstatements=1.5), "n_reinstatements must be a whole number"),
        (lambda: AggregateTerms(event_limit=1.0, reinstatement_share=-0.1), "reinstatement_share must be"),
        (lambda: AggregateTerms(event_limit=1.0, deductible=math.inf), "deductible must be"),
        (lambda: AggregateTerms(event_limit=1.0, coinsurance=10.0), r"got 10.0 \(a fraction: 10 % is 0.10\)"),
        (
            lambda: AggregateTerms(event_limit=1.0, n_reinstatements=1, aggregate_limit=3.0),
            "aggregate_limit must be between the event limit 1 and 2, .* got 3.0",
        ),
        (
            lambda: aggregate_loss(
                PoissonEvents(mean_events=1.0, unit=10.0, severity=(0.0, 0.5, 0.5)), AggregateTerms(event_limit=15.0)
            ),
            "event_limit must be a whole number of units of 10 or above every loss, got 15",
        ),
    ],
)
def test_terms_name_what_is_wrong(make, message):
    with pytest.raises(InvalidTermsError, match=message):
        make()


def test_an_aggregate_limit_may_be_one_event_or_all_of_them():
    for limit in (2.0, 3.0, 6.0):
        terms = AggregateTerms(event_limit=2.0, n_reinstatements=2, aggregate_limit=limit)
        assert terms.paid(np.array([1.0, 10.0])).tolist() == [1.0, limit]
        assert terms.reinstated(np.array([1.0, 10.0])).tolist() == [min(0.5, limit / 2.0 - 1.0), limit / 2.0 - 1.0]


def test_terms_apply_in_their_order():
    """The deductible on the sum, the limit of the term, then the share that the insured keeps."""
    terms = AggregateTerms(event_limit=2.0, n_reinstatements=1, deductible=1.0, coinsurance=0.25)
    assert terms.paid(np.array([0.5, 2.0, 9.0])).tolist() == [0.0, 0.75, 3.0]


def test_a_charge_for_the_rest_of_the_term_is_the_mean_over_the_term():
    """Midpoints of 50 parts of the term, of events of up to two units of ten."""
    events = PoissonEvents(mean_events=1.5, unit=10.0, severity=(0.1, 0.3, 0.6))
    terms = AggregateTerms(event_limit=20.0, n_reinstatements=1, reinstatement_share=0.5)
    so_far = [replace(events, mean_events=1.5 * (part + 0.5) / 50.0) for part in range(50)]
    mean = np.mean([reinstatement_premium(each, terms).expected_reinstatements for each in so_far])
    found = reinstatement_premium(events, replace(terms, pro_rata_time=True))
    assert found.expected_charge == pytest.approx(0.5 * mean, rel=1e-3)
    assert found.reinstatement == pytest.approx(found.expected_charge * found.initial, rel=1e-14)


def test_500_events_are_the_most():
    assert PoissonEvents(mean_events=500.0).mean_loss == 500.0


def test_nothing_is_reinstated_below_the_deductible():
    terms = AggregateTerms(event_limit=2.0, n_reinstatements=2, deductible=3.0)
    assert terms.reinstated(np.array([1.0, 3.0, 5.0, 9.0])).tolist() == [0.0, 0.0, 1.0, 2.0]


def test_an_event_limit_above_every_loss_may_lie_between_two_lattice_points():
    events = PoissonEvents(mean_events=0.5, unit=100.0)
    for limit in (100.0, 150.0):
        assert aggregate_loss(events, AggregateTerms(event_limit=limit)).mean == pytest.approx(
            100.0 * (1.0 - math.exp(-0.5))
            if limit == 100.0
            else 100.0 * poisson.pmf(1, 0.5) + 150.0 * poisson.sf(1, 0.5)
        )


def test_rounding_takes_no_event_limit_off_its_lattice_point():
    """A thousandth unit that is off by half a part in a thousand million."""
    events = PoissonEvents(mean_events=1.0, severity=[0.0] + [1.0 / 2000.0] * 2000)
    exact, rounded = (
        aggregate_loss(events, AggregateTerms(event_limit=limit, n_reinstatements=50)).mean
        for limit in (1000.0, 1000.0 + 5e-7)
    )
    assert rounded == pytest.approx(exact, rel=1e-8)


def test_a_unit_without_end_is_refused():
    with pytest.raises(InvalidTermsError, match="unit must be positive and finite, got inf"):
        PoissonEvents(mean_events=1.0, unit=math.inf)
