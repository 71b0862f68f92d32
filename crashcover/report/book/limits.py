"""Omissions and assumptions of the model of a pool, in sentences."""

from crashcover.report.book.pooling import PooledBook
from pool import periods_in_a_year
from pricing.contract.observation import Observation
from pricing.show.formats import share
from pricing.tools.units import format_duration


def state_limits(pooled: PooledBook) -> list[str]:
    """Return the assumptions behind capital and allocation."""
    period = format_duration(pooled.scenarios.period)
    years = periods_in_a_year(pooled.scenarios.period)
    return [
        "Tokens fall together through the shock of a month, drawn from the months on record. No shock is "
        "worse than the worst on record, except for the error of the level: beyond about ten years the curves rest on "
        "two or three months.",
        f"Deviations and own crashes of different tokens are independent, given the shock.{_together(pooled)}",
        f"Tokens are linked by the rank of {_observed(pooled.ranking)}. {_shape(pooled)}",
        f"A period is {period}, a year {years} of them. Periods are independent except for the persistent "
        "error of the level. The book is renewed unchanged in each; covers shorter than it are not renewed within it.",
        "Income is the gross premium of every cover at today's price, less expenses and commission. Covers that would "
        "not be sold today bring losses and no premium.",
        "Standard errors are those of independent scenarios. Errors of the surfaces, of the laws and of the dependence "
        "are not included.",
        "The standard error of a tail contribution treats the scenarios in the tail as given.",
        f"Limits on one token should not exceed {pooled.aims.share_of_capital:.0%} of capital: a judgement. The cost "
        "of firing a trigger on purpose is not considered here, nor are leverage products, reinsurance counterparties "
        "and the operation of the pool itself.",
    ]


def _together(pooled: PooledBook) -> str:
    """Return what holds for the tokens of a group, and for those whose crashes seldom come alone."""
    risks = pooled.scenarios.tokens
    grouped = [asset for asset, risk in risks.items() if risk.group is not None]
    alone = [
        f"{share(risk.share_alone)} of those of {asset}" for asset, risk in risks.items() if risk.share_alone < 1.0
    ]
    sentences = [f" {' and '.join(grouped)} share a part of their deviations."] if grouped else []
    if alone:
        sentences.append(f" Of the crashes, {', '.join(alone)} come alone; the others are of months in which all fall.")
    return "".join(sentences)


def _observed(observation: Observation) -> str:
    window = format_duration(observation.window) if observation.window else ""
    reference = observation.reference.name.lower().replace("_", " ")
    term = format_duration(observation.term)
    return f"the worst drop below the {reference}{f' of {window}' if window else ''} over {term}"


def _shape(pooled: PooledBook) -> str:
    if pooled.shape is None:
        return "All covers use exactly this observation."
    return (
        f"Among paths of almost the same rank, {_observed(pooled.shape)} decides the order, with a correlation of "
        f"{pooled.dependence.shape_correlation:g} between tokens; dependence for other windows and terms is too weak."
    )
