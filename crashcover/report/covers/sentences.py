"""Contracts in words: what pays, how much, and when."""

from datetime import timedelta

from pricing.contract.cover import Cover
from pricing.contract.observation import Payment
from pricing.contract.payouts import FullPayout, LinearPayout, Payout, TieredPayout
from pricing.contract.triggers import DropTrigger, Reference
from pricing.tools.units import format_duration


def describe_cover(cover: Cover, step: timedelta) -> list[dict[str, str]]:
    """Write the terms of a cover, one sentence a heading.

    Parameters
    ----------
    cover : Cover
        The contract.
    step : timedelta
        How often the price is looked at.
    """
    term = format_duration(cover.term)
    sentences = {
        "Pays when": describe_event(cover.trigger, cover.asset),
        "Pays how much": describe_payout(cover.payout, f"{cover.limit:,.2f} {cover.currency}"),
        "Pays at": _payment(cover),
        "Lasts": f"{term} from the sale. {_waiting(cover)}",
        "Observed": f"One close each {format_duration(step)}. What happens between two closes is not seen.",
    }
    return [{"name": name, "text": text} for name, text in sentences.items()]


def describe_event(trigger: DropTrigger, asset: str) -> str:
    """Say when a trigger fires.

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
        Reference.LAGGED: f"the close exactly {window} before",
        Reference.RUNNING_HIGH: "the highest close since the observation began",
        Reference.INCEPTION: "the close at which the observation began",
    }[trigger.reference]


def describe_payout(payout: Payout, limit: str) -> str:
    """Say how much of a limit is due.

    Examples
    --------
    >>> describe_payout(FullPayout(), "1,000.00 USD")
    'The limit of 1,000.00 USD, whole, once the trigger fires.'
    """
    if isinstance(payout, FullPayout):
        return f"The limit of {limit}, whole, once the trigger fires."
    if isinstance(payout, LinearPayout):
        return (
            f"By the worst drop of the term: nothing at {100 * payout.attachment:g} %, the limit of {limit} from "
            f"{100 * payout.exhaustion:g} % on, and in proportion between the two."
        )
    if isinstance(payout, TieredPayout):
        tiers = ", ".join(
            f"{100 * share:g} % from a drop of {100 * drop:g} %" for drop, share in dict(payout.tiers).items()
        )
        return f"By the worst drop of the term, a share of the limit of {limit}: {tiers}."
    return f"By the worst drop of the term, at most the limit of {limit}: {payout!r}."


def _payment(cover: Cover) -> str:
    if cover.payment is Payment.AT_EXPIRY:
        return "The end of the term."
    if isinstance(cover.payout, FullPayout):
        return "The time when the trigger fires."
    return "The time when the trigger fires, and again whenever the worst drop deepens and more is due."


def _waiting(cover: Cover) -> str:
    if not cover.waiting_period:
        return "Observed from the sale on."
    return (
        f"Nothing is covered in the first {format_duration(cover.waiting_period)}: the observation begins at their end."
    )
