"""A book on its tokens, priced and pooled: the basis of a report on a book."""

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from crashcover.report.book.tokens import RANKING_WINDOW, RatedToken
from pool import (
    Book,
    CompressedBook,
    Dependence,
    JointScenarios,
    JointSettings,
    Observation,
    PoolLosses,
    PoolReport,
    PoolTerms,
    Reinsurance,
    compress,
    joint_scenarios,
    periods_in_a_year,
    pool_losses,
    pool_report,
    retain,
)
from pool.exceedance import RETURN_PERIODS
from pricing.contract.cover import Cover
from pricing.errors import InvalidTermsError, PrecisionWarning, QuoteRefusedError, Refusal, SimulationError
from pricing.premiums.basis import PricingBasis
from pricing.premiums.build_up import premium_from_sample, require_payment, sample_for
from pricing.premiums.premium import Premium
from pricing.premiums.statements import require_coins
from pricing.surface.estimates import FEWEST_BEYOND, WeightedSample
from pricing.tools.units import require_fraction

#: Return periods of the curve, in years; the table shows those of the pool.
CURVE_YEARS = (1.25, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 25.0, 35.0, 50.0, 75.0, 100.0, 150.0, 200.0, 250.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolAims:
    """Capital and targets of a pool; its income follows from the premiums of the book.

    Parameters
    ----------
    capital : float
        Capital at the start.
    level : float
        Confidence of the tail measures.
    ruin_target : float
        Probability of ruin for which the required capital is computed.
    horizon_periods : int
        Number of periods of the ruin horizon.
    share_of_capital : float
        Largest sum of limits on one token, as a fraction of capital.
    reinsurance : tuple of contracts
        Reinsurance contracts, applied in this order.

    Raises
    ------
    InvalidTermsError
        If a probability is not between 0 and 1, or there is no period.
    """

    capital: float
    level: float
    ruin_target: float
    horizon_periods: int
    share_of_capital: float
    reinsurance: tuple[Reinsurance, ...] = ()

    def __post_init__(self) -> None:
        for name in ("level", "ruin_target"):
            require_fraction(getattr(self, name), name)
        if self.horizon_periods < 1:
            raise InvalidTermsError(f"horizon_periods must be at least 1, got {self.horizon_periods}")

    def require_scenarios(self, n_scenarios: int) -> None:
        """Check that there are enough scenarios for the level and the ruin target.

        Raises
        ------
        SimulationError
            If there are too few.
        """
        for_tail = FEWEST_BEYOND / (1.0 - self.level)
        for_ruin = self.horizon_periods * FEWEST_BEYOND / self.ruin_target
        least = math.ceil(round(max(for_tail, for_ruin), 6))
        if n_scenarios < least:
            raise SimulationError(
                f"n_scenarios must be at least {least:,} for a level of {self.level:g} and a probability of ruin of "
                f"{self.ruin_target:g} in {self.horizon_periods} periods, got {n_scenarios:,}"
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PooledBook:
    """A book, priced and pooled.

    Parameters
    ----------
    covers : tuple of Cover
        The book.
    tokens : mapping of str to RatedToken
        Its tokens.
    premiums : tuple of Premium or Refusal
        Current price of each cover, or its refusal; the losses of a refused cover count, but not its premium.
    basis : PricingBasis
        Loadings.
    aims : PoolAims
        Capital and targets of the pool.
    ranking, shape : Observation
        Observations that link the tokens; no shape if all covers use the ranking.
    dependence : Dependence
        How they fall together.
    settings : JointSettings
        Size and seed of the joint simulation.
    compressed : CompressedBook
        The book as loss functions.
    scenarios : JointScenarios
        Joint scenarios.
    gross, net : PoolLosses
        Losses before and after reinsurance.
    report : PoolReport
        Figures of the pool.
    """

    covers: tuple[Cover, ...] = field(repr=False)
    tokens: Mapping[str, RatedToken] = field(repr=False)
    premiums: tuple[Premium | Refusal, ...] = field(repr=False)
    basis: PricingBasis
    aims: PoolAims
    ranking: Observation
    shape: Observation | None
    dependence: Dependence
    settings: JointSettings
    compressed: CompressedBook = field(repr=False)
    scenarios: JointScenarios = field(repr=False)
    gross: PoolLosses = field(repr=False)
    net: PoolLosses = field(repr=False)
    report: PoolReport = field(repr=False)


def observations_of(covers: Sequence[Cover]) -> tuple[Observation, Observation | None]:
    """Choose the observations that link tokens: the worst day of the longest term, and that with most of the limits."""
    period = max(cover.term for cover in covers)
    ranking = Observation(window=RANKING_WINDOW, term=period)
    limits: dict[Observation, float] = {}
    for cover in covers:
        observation = cover.observation
        limits[observation] = limits.get(observation, 0.0) + cover.limit
    limits.pop(ranking, None)
    return ranking, max(limits, key=lambda each: limits[each], default=None)


def needed_observations(covers: Sequence[Cover], asset: str) -> list[Observation]:
    """List the observations to simulate for one asset of a book."""
    ranking, shape = observations_of(covers)
    own = [cover.observation for cover in covers if cover.asset == asset]
    return list(dict.fromkeys([*own, ranking, *([shape] if shape else [])]))


def pool_book(
    covers: Sequence[Cover],
    tokens: Mapping[str, RatedToken],
    *,
    basis: PricingBasis,
    aims: PoolAims,
    settings: JointSettings,
) -> PooledBook:
    """Price every cover, draw joint scenarios and report on the pool.

    Parameters
    ----------
    covers : sequence of Cover
        Covers in one currency.
    tokens : mapping of str to RatedToken
        Every token of the book, simulated for ``needed_observations``.
    basis : PricingBasis
        Loadings; premiums less expenses and commission are the income of a period.
    aims : PoolAims
        Capital and targets of the pool.
    settings : JointSettings
        Size and seed of the joint simulation.

    Raises
    ------
    SimulationError
        If there are too few scenarios for the level or the ruin target.
    """
    aims.require_scenarios(settings.n_scenarios)
    premiums = _price(covers, tokens, basis)
    ranking, shape = observations_of(covers)
    (law,) = (law for law in _any(tokens).market.laws if law.window == RANKING_WINDOW)
    dependence = Dependence.of_law(law)
    scenarios = joint_scenarios(
        {asset: token.surface for asset, token in tokens.items()},
        dependence,
        {asset: token.risk for asset, token in tokens.items()},
        ranking=ranking,
        shape=shape,
        settings=settings,
    )
    compressed = compress(Book.of_covers(covers))
    gross = pool_losses(compressed, scenarios)
    return PooledBook(
        covers=tuple(covers),
        tokens=tokens,
        premiums=premiums,
        basis=basis,
        aims=aims,
        ranking=ranking,
        shape=shape,
        dependence=dependence,
        settings=settings,
        compressed=compressed,
        scenarios=scenarios,
        gross=gross,
        net=retain(aims.reinsurance, gross),
        report=pool_report(compressed, scenarios, _terms(aims, premiums, scenarios), seed=settings.seed),
    )


def _any(tokens: Mapping[str, RatedToken]) -> RatedToken:
    token, *_ = tokens.values()
    return token


def income_of(premiums: Sequence[Premium | Refusal]) -> float:
    """Sum gross premiums less expenses and commission."""
    return math.fsum(each.gross - each.expenses - each.commission for each in premiums if isinstance(each, Premium))


def _terms(aims: PoolAims, premiums: Sequence[Premium | Refusal], scenarios: JointScenarios) -> PoolTerms:
    n_years = scenarios.n_scenarios // periods_in_a_year(scenarios.period)
    seen = tuple(years for years in sorted({*CURVE_YEARS, *RETURN_PERIODS}) if n_years / years >= FEWEST_BEYOND)
    return PoolTerms(
        capital=aims.capital,
        income=income_of(premiums),
        level=aims.level,
        ruin_target=aims.ruin_target,
        horizon_periods=aims.horizon_periods,
        reinsurance=aims.reinsurance,
        share_of_capital=aims.share_of_capital,
        return_periods=seen,
    )


def _price(
    covers: Sequence[Cover], tokens: Mapping[str, RatedToken], basis: PricingBasis
) -> tuple[Premium | Refusal, ...]:
    """Price covers one by one; covers with the same observation share the order of paths."""
    samples: dict[tuple[str, Observation], WeightedSample] = {}
    priced = []
    for cover in covers:
        key = (cover.asset, cover.observation)
        if key not in samples:
            samples[key] = sample_for(cover, tokens[cover.asset].surface)
        priced.append(_price_one(cover, samples[key], basis))
    return tuple(priced)


def _price_one(cover: Cover, sample: WeightedSample, basis: PricingBasis) -> Premium | Refusal:
    try:
        with warnings.catch_warnings():
            # One path with a large weight makes a premium imprecise; the report counts these premiums instead of one
            # warning each.
            warnings.simplefilter("ignore", PrecisionWarning)
            found = premium_from_sample(cover, sample, basis)
        require_payment(found, cover.cover_id, sample.n_paths)
        require_coins(found, limit=cover.limit, name=cover.cover_id)
    except QuoteRefusedError as error:
        return error.refusal
    return found
