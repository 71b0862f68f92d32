"""Reinsurance contracts as one word on the command line, and as a sentence on the page."""

import math

from pool import ExcessOfLoss, Occurrence, QuotaShare, Reinsurance
from pricing.errors import InvalidTermsError


def parse_reinsurance(text: str) -> Reinsurance:
    """Parse a contract.

    Parameters
    ----------
    text : str
        ``quota-share:CEDED:COMMISSION``, or ``excess:OCCURRENCE:RETENTION:LIMIT:PREMIUM`` in which an occurrence is a
        ``period`` or an ``asset``.

    Raises
    ------
    InvalidTermsError
        If it is anything else, or its numbers are not a valid contract.

    Examples
    --------
    >>> parse_reinsurance("quota-share:0.3:0.25")
    QuotaShare(ceded=0.3, commission=0.25)
    """
    kind, *words = text.strip().split(":")
    try:
        if kind == "quota-share":
            ceded, commission = map(float, words)
            return QuotaShare(ceded=ceded, commission=commission)
        if kind == "excess":
            retention, limit, premium = map(float, words[1:])
            return ExcessOfLoss(occurrence=Occurrence(words[0]), retention=retention, limit=limit, premium=premium)
    except InvalidTermsError:
        raise
    except (ValueError, IndexError) as error:
        raise _malformed(text) from error
    raise _malformed(text)


def _malformed(text: str) -> InvalidTermsError:
    return InvalidTermsError(
        f"reinsurance must look like quota-share:0.3:0.25 or excess:period:50000:100000:2000, got {text!r}"
    )


def describe_reinsurance(contract: Reinsurance) -> str:
    """Describe the effect of a contract in one period.

    Examples
    --------
    >>> describe_reinsurance(QuotaShare(ceded=0.3, commission=0.25))
    'Quota share: 30 % of every loss and of the income is ceded, 25 % of the ceded income comes back as commission.'
    """
    if isinstance(contract, QuotaShare):
        return (
            f"Quota share: {100 * contract.ceded:g} % of every loss and of the income is ceded, "
            f"{100 * contract.commission:g} % of the ceded income comes back as commission."
        )
    if isinstance(contract, ExcessOfLoss):
        what = "a period" if contract.occurrence is Occurrence.PERIOD else "an asset in a period"
        most = "all" if math.isinf(contract.limit) else f"up to {contract.limit:,.0f}"
        return (
            f"Excess of loss pays {most} of the losses of {what} above {contract.retention:,.0f}, "
            f"reinstated every period, for a premium of {contract.premium:,.0f} per period."
        )
    return repr(contract)
