"""Contracts in words: the event, the payment and its time."""

from datetime import timedelta

from pricing.contract.cover import Cover
from pricing.contract.observation import Payment
from pricing.contract.payouts import Payout, is_piecewise
from pricing.contract.triggers import DropTrigger, Reference
from pricing.tools.units import format_duration


def describe_cover(cover: Cover, step: timedelta) -> list[dict[str, str]]:
    """Return the terms of a cover, one sentence per heading.

    Parameters
    ----------
    cover : Cover
        The contract.
    step : timedelta
        Time between two observations of the price.
    """
    term = format_duration(cover.term)
    sentences = {
        "Pays when": describe_event(cover.trigger, cover.asset),
        "Pays how much": _describe_payout(cover.payout, f"{cover.limit:,.2f} {cover.currency}"),
        "Pays at": _payment(cover),
        "Lasts": f"{term} from the sale. {_waiting(cover)}",
        "Observed": f"One close every {format_duration(step)}. Moves between two closes are not observed.",
    }
    return [{"name": name, "text": text} for name, text in sentences.items()]


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
