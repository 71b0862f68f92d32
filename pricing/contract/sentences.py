"""Contracts in words: the event, the payment and its time."""

from datetime import timedelta

from pricing.contract.cover import Cover
from pricing.contract.observation import Observation, Payment
from pricing.contract.payouts import Payout, is_piecewise
from pricing.contract.triggers import DropTrigger, Reference
from pricing.show.html_tables import Table
from pricing.tools.units import format_duration


def describe_cover(cover: Cover, step: timedelta | None = None) -> list[dict[str, str]]:
    """Return the terms of a cover, one sentence per heading.

    Parameters
    ----------
    cover : Cover
        The contract.
    step : timedelta, optional
        Time between two observations of the price, if it is known.
    """
    term = format_duration(cover.term)
    sentences = {
        "Pays when": describe_event(cover.trigger, cover.asset),
        "Pays how much": _describe_payout(cover.payout, f"{cover.limit:,.2f} {cover.currency}"),
        "Pays at": _payment(cover),
        "Lasts": f"{term} from the sale. {_waiting(cover)}",
    }
    if step is not None:
        sentences["Observed"] = f"One close every {format_duration(step)}. Moves between two closes are not observed."
    return [{"name": name, "text": text} for name, text in sentences.items()]


def terms_table(cover: Cover, step: timedelta | None = None) -> Table:
    """Return the terms of a cover as a table."""
    return Table(rows=[(each["name"], each["text"]) for each in describe_cover(cover, step)], n_texts=2)


def observation_texts(observation: Observation) -> tuple[str, str, str, str]:
    """Return reference, window (empty if there is none), waiting period and term of an observation as texts."""
    window = format_duration(observation.window) if observation.window else ""
    times = (format_duration(observation.waiting_period), format_duration(observation.term))
    return (observation.reference.name.lower().replace("_", "-"), window, *times)


def cover_terms(cover: Cover) -> dict[str, str | float]:
    """Return the terms of a cover by the columns of a book; durations and the payout are texts."""
    reference, window, waiting_period, term = observation_texts(cover.observation)
    return {
        "cover_id": cover.cover_id,
        "asset": cover.asset,
        "drop": cover.trigger.drop,
        "window": window,
        "reference": reference,
        "payout": payout_text(cover.payout),
        "limit": cover.limit,
        "currency": cover.currency,
        "term": term,
        "waiting_period": waiting_period,
    }


def payout_text(payout: Payout) -> str:
    """Return a payout as one word, or as Python writes it if it has no such form."""
    return payout.as_text() if is_piecewise(payout) else repr(payout)


def describe_observation(observation: Observation) -> str:
    """Describe an observation in a few words.

    Examples
    --------
    >>> describe_observation(Observation(window="24h", term="30d"))
    'rolling-high, 24h in 30d'
    >>> describe_observation(Observation(reference=Reference.INCEPTION, window=None, waiting_period="7d"))
    'inception in 30d, after 7d'
    """
    reference, window, waiting, term = observation_texts(observation)
    start = f", after {waiting}" if observation.waiting_period else ""
    return f"{reference}{f', {window}' if window else ''} in {term}{start}"


def describe_event(trigger: DropTrigger, asset: str) -> str:
    """Describe when a trigger fires.

    Examples
    --------
    >>> describe_event(DropTrigger(drop=0.3), "OM")
    'A close of OM is 30 % or more below the highest close of the last 24h.'
    """
    return f"A close of {asset} is {100 * trigger.drop:g} % or more below {_reference(trigger)}."


def _reference(trigger: DropTrigger) -> str:
    window = format_duration(trigger.window) if trigger.window else ""
    return {
        Reference.ROLLING_HIGH: f"the highest close of the last {window}",
        Reference.LAGGED: f"the close exactly {window} earlier",
        Reference.RUNNING_HIGH: "the highest close since observation began",
        Reference.INCEPTION: "the close at which observation began",
    }[trigger.reference]


def _describe_payout(payout: Payout, limit: str) -> str:
    if is_piecewise(payout):
        return payout.describe(limit)
    return f"By the worst drop of the term, at most the limit of {limit}: {payout!r}."


def _payment(cover: Cover) -> str:
    if cover.payment is Payment.AT_EXPIRY:
        return "The end of the term."
    if _pays_at_once(cover):
        return "The time when the trigger fires."
    return "The time when the trigger fires, and again whenever a deeper worst drop makes more due."


def _pays_at_once(cover: Cover) -> bool:
    """Return whether everything that can become due is due when the trigger fires."""
    if not is_piecewise(cover.payout):
        return False
    drop, _, _, slope = cover.payout.nodes()[-1]
    return drop <= cover.trigger.drop and not slope


def _waiting(cover: Cover) -> str:
    if not cover.waiting_period:
        return "Observed from the sale on."
    return f"There is no cover in the first {format_duration(cover.waiting_period)}; observation begins at their end."
