"""Payouts as one word on the command line."""

from pricing.contract.payouts import FullPayout, LinearPayout, Payout, TieredPayout
from pricing.errors import InvalidTermsError


def parse_payout(text: str) -> Payout:
    """Read a payout.

    Parameters
    ----------
    text : str
        ``full``, ``linear:ATTACHMENT:EXHAUSTION`` or ``tiered:DROP=SHARE,DROP=SHARE,...``, all numbers fractions.

    Raises
    ------
    InvalidTermsError
        If it is anything else, or its numbers make no payout.

    Examples
    --------
    >>> parse_payout("linear:0.3:0.9")
    LinearPayout(attachment=0.3, exhaustion=0.9)
    >>> parse_payout("tiered:0.3=0.25,0.8=1")
    TieredPayout(tiers=((0.3, 0.25), (0.8, 1.0)))
    """
    kind, _, numbers = text.strip().partition(":")
    try:
        if kind == "full" and not numbers:
            return FullPayout()
        if kind == "linear":
            attachment, exhaustion = map(float, numbers.split(":"))
            return LinearPayout(attachment=attachment, exhaustion=exhaustion)
        if kind == "tiered":
            return TieredPayout({float(drop): float(share) for drop, share in _pairs(numbers)})
    except InvalidTermsError:
        raise
    except ValueError as error:
        raise _malformed(text) from error
    raise _malformed(text)


def _pairs(numbers: str) -> list[list[str]]:
    return [pair.split("=") for pair in numbers.split(",")]


def _malformed(text: str) -> InvalidTermsError:
    return InvalidTermsError(
        f"payout must look like full, linear:0.3:0.9 or tiered:0.3=0.25,0.5=0.6,0.8=1, got {text!r}"
    )
