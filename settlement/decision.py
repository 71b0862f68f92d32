"""Decision about one cover: whether it is due, how much, and why.

The trigger object that priced the cover decides it, by the rules of ``pricing.events.rules``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from enum import StrEnum

import numpy as np

from pricing.contract.cover import Cover, require_cover
from pricing.contract.shares import shares_of
from pricing.errors import DataError, InvalidTermsError
from pricing.events.reinstatements import AggregateTerms
from pricing.events.rules import EventRules, settle, worst_fall
from pricing.tools.arrays import FloatArray
from pricing.tools.times import to_utc
from pricing.tools.units import in_steps
from settlement.index.price_index import Index

_ONE_PAYMENT = EventRules()
_CENT = Decimal("0.01")
_DIGITS = 400  # of the largest limit in cents


class DecisionStatus(StrEnum):
    """Status of a cover."""

    FIRED = "FIRED"
    """The trigger fired, and the amount is due."""
    NOT_FIRED = "NOT_FIRED"
    """The term is over, and nothing is due."""
    RUNNING = "RUNNING"
    """Nothing is due so far, and the index ends before the term."""
    INDETERMINATE = "INDETERMINATE"
    """The index has no value at closes on which the answer depends."""


@dataclass(frozen=True, slots=True)
class PaidEvent:
    """An event that pays.

    Parameters
    ----------
    fired_at : datetime
        Close at which the trigger fired.
    drop : float
        Deepest fall, a fraction of the reference price.
    share : float
        Share of the limit, before aggregate terms.
    """

    fired_at: datetime
    drop: float
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Decision about one cover.

    Parameters
    ----------
    cover : Cover
        Cover that was decided.
    rules, terms : EventRules, AggregateTerms or None
        Rules of events and aggregate terms by which it was decided.
    status : DecisionStatus
        Whether it is due.
    sold_at : datetime
        Time of the sale.
    fired_at, reference_at : datetime or None
        Close at which the trigger first fired, and close of its reference price.
    reference_price : float or None
        Reference price.
    worst_drop : float
        Deepest fall that is certain, a fraction of its reference price. With rules of events, the deepest of them.
    share : float
        Amount as a share of the limit of the cover.
    amount : Decimal
        Amount due in the currency of the cover, in whole cents.
    reason : str
        Reason of the status.
    events : tuple of PaidEvent
        Events that pay; one at most without rules of events.
    rule_digest : str
        Digest of the rule of the index.
    """

    cover: Cover
    rules: EventRules
    terms: AggregateTerms | None
    status: DecisionStatus
    sold_at: datetime
    fired_at: datetime | None
    reference_price: float | None
    reference_at: datetime | None
    worst_drop: float
    share: float
    amount: Decimal
    reason: str
    events: tuple[PaidEvent, ...]
    rule_digest: str

    @property
    def cover_id(self) -> str:
        """Name of the cover."""
        return self.cover.cover_id


def decide(
    cover: Cover,
    index: Index,
    *,
    sold_at: datetime,
    rules: EventRules = _ONE_PAYMENT,
    terms: AggregateTerms | None = None,
) -> Decision:
    """Decide one cover.

    By default the cover pays once, by the worst drop of its term, as ``premium`` prices it. With rules of events or
    aggregate terms it pays for events, as ``event_premium`` prices it; without terms, up to one limit.

    Parameters
    ----------
    cover : Cover
        Cover as it was priced.
    index : Index
        Index of its token. The term is observed at its closes, from the last one at or before the sale.
    sold_at : datetime
        Time of the sale, with an offset from UTC.
    rules : EventRules
        Definition of an event.
    terms : AggregateTerms, optional
        Terms for all events together, with reinstatements.

    Returns
    -------
    Decision
        If closes are missing, FIRED only if every price that they could have had leaves the amount as it is.

    Raises
    ------
    InvalidTermsError
        If a duration is not a whole number of bars, or the event limit is not the limit of the cover.
    DataError
        If the index begins after the term, or has a negative value.

    Examples
    --------
    >>> import pandas as pd
    >>> from pricing import DropTrigger, FullPayout
    >>> from settlement import IndexRule, Source, build_index
    >>> rule = IndexRule(sources=[Source(name="kraken", weight=1.0)], quorum_sources=1)
    >>> times = pd.to_datetime(["2025-10-10 21:20", "2025-10-10 21:21"], utc=True)
    >>> index = build_index(pd.DataFrame({"time": times, "venue": "kraken", "price": [3.0, 0.6]}), rule)
    >>> cover = Cover(
    ...     cover_id="C-1", asset="DOT", trigger=DropTrigger(drop=0.8), payout=FullPayout(), limit=1e5, currency="USD"
    ... )
    >>> decision = decide(cover, index, sold_at=times[0].to_pydatetime())
    >>> print(decision.status, decision.fired_at, decision.amount)
    FIRED 2025-10-10 21:21:00+00:00 100000.00
    """
    require_cover(cover)
    if terms is not None and terms.event_limit != cover.limit:
        raise InvalidTermsError(
            f"event_limit must be the limit of the cover, {cover.limit:g}, got {terms.event_limit:g}"
        )
    record = _Record.of(cover, index, to_utc(sold_at, "sold_at"))
    if terms is None and rules == _ONE_PAYMENT:
        decision = _decide_once(cover, record)
    else:
        decision = _decide_events(cover, record, rules, terms or AggregateTerms(event_limit=cover.limit))
    return replace(decision, rules=rules, terms=terms)


@dataclass(frozen=True, slots=True)
class _Record:
    """Closes of an index from the sale of a cover to the end of its term, or of the index."""

    index: Index
    sold_at: datetime
    first_close: datetime
    prices: FloatArray
    log_prices: FloatArray
    missing: tuple[int, ...]
    is_over: bool

    @classmethod
    def of(cls, cover: Cover, index: Index, sold_at: datetime) -> "_Record":
        bar = index.rule.bar
        n_steps = in_steps(cover.term, bar, "term")
        start = datetime(1970, 1, 1, tzinfo=UTC)
        at_sale = (sold_at - start) // bar
        first = int(index.closes[0].astype(np.int64)) // (bar // timedelta(microseconds=1) * 1000)
        before = first - at_sale  # closes of the term that lie before the index
        if before > n_steps:
            raise DataError(
                f"index begins at {start + first * bar}, after the term of cover {cover.cover_id!r}, which ends at "
                f"{sold_at + cover.term} (are these the ticks of its term?)"
            )
        known = index.value[max(0, -before) : max(0, n_steps + 1 - before)]
        prices = np.concatenate([np.full(max(0, before), np.nan), known])
        if (prices < 0.0).any():
            raise DataError(
                f"index must not be negative, got {np.nanmin(prices)} (a drop of a negative price is unknown)"
            )
        with np.errstate(divide="ignore"):
            log_prices = np.log(prices)  # -inf for a price of zero, which is a drop of 100 %
        begin = in_steps(cover.waiting_period, bar, "waiting_period")
        missing = tuple((begin + np.flatnonzero(np.isnan(prices[begin:]))).tolist())
        return cls(index, sold_at, start + at_sale * bar, prices, log_prices, missing, len(prices) > n_steps)

    def time(self, step: int) -> datetime:
        return self.first_close + step * self.index.rule.bar

    @property
    def gaps(self) -> str:
        first = self.time(self.missing[0])
        return f"the index has no value at {len(self.missing)} closes, the first at {first:%Y-%m-%d %H:%M:%S} UTC"

    @property
    def end(self) -> str:
        if not len(self.prices):
            return "the index ends before the sale"
        return f"the index ends at {self.time(len(self.prices) - 1):%Y-%m-%d %H:%M:%S} UTC, before the term"


def _decide_once(cover: Cover, record: _Record) -> Decision:
    """Decide by the worst drop. Missing closes cannot make it smaller, only deeper or earlier."""
    fall = worst_fall(record.log_prices, cover, step=record.index.rule.bar)
    share = _share(cover, fall.drop) if fall.fired is not None else 0.0
    settled = not record.missing or (share > 0.0 and share == _share(cover, 1.0))
    if fall.fired is None or fall.reference is None or not settled:
        return _nothing_due(cover, record, worst_drop=fall.drop)
    event = PaidEvent(record.time(fall.fired), fall.drop, share)
    return _due(cover, record, [event], fall.reference, share)


def _decide_events(cover: Cover, record: _Record, rules: EventRules, terms: AggregateTerms) -> Decision:
    """Decide by events. An event counts as soon as nothing later can change it."""
    bar = record.index.rule.bar
    last = len(record.prices) - 1
    if record.missing or last * bar <= cover.waiting_period:
        return _nothing_due(cover, record, worst_drop=0.0)
    part = cover if record.is_over else replace(cover, term=last * bar)
    lasting = max(in_steps(rules.cool_off, bar, "cool_off"), in_steps(rules.recovery_period, bar, "recovery_period"))
    found = settle(record.log_prices[:, None], part, rules, step=bar)
    events = [event for event in found if record.is_over or event.step + lasting <= last]
    if not events:
        return _nothing_due(cover, record, worst_drop=0.0)
    paying = [PaidEvent(record.time(event.step), event.drop, _share(cover, event.drop)) for event in events]
    total = terms.paid(np.array([cover.limit * sum(event.share for event in paying)]))
    return _due(cover, record, paying, events[0].reference, float(total[0]) / cover.limit)


def _share(cover: Cover, drop: float) -> float:
    return float(shares_of(cover.payout, np.array([drop]))[0])


def _nothing_due(cover: Cover, record: _Record, *, worst_drop: float) -> Decision:
    status, reason = DecisionStatus.NOT_FIRED, f"no drop of {cover.trigger.drop:.6g} within the term"
    if record.missing:
        status, reason = DecisionStatus.INDETERMINATE, record.gaps
    elif not record.is_over:
        status, reason = DecisionStatus.RUNNING, record.end
    return Decision(
        cover=cover,
        rules=_ONE_PAYMENT,
        terms=None,
        status=status,
        sold_at=record.sold_at,
        fired_at=None,
        reference_price=None,
        reference_at=None,
        worst_drop=worst_drop,
        share=0.0,
        amount=Decimal("0.00"),
        reason=reason,
        events=(),
        rule_digest=record.index.rule.digest,
    )


def _due(cover: Cover, record: _Record, events: Sequence[PaidEvent], reference: int, share: float) -> Decision:
    """Return a decision that the trigger fired; the amount is rounded to cents, halves to the even cent."""
    with localcontext(prec=_DIGITS):
        amount = (Decimal(repr(cover.limit)) * Decimal(repr(share))).quantize(_CENT, ROUND_HALF_EVEN)
    drop = max(event.drop for event in events)
    reason = f"the price fell by {drop:.6g}, and the trigger is {cover.trigger.drop:.6g}"
    return Decision(
        cover=cover,
        rules=_ONE_PAYMENT,
        terms=None,
        status=DecisionStatus.FIRED,
        sold_at=record.sold_at,
        fired_at=events[0].fired_at,
        reference_price=float(record.prices[reference]),
        reference_at=record.time(reference),
        worst_drop=drop,
        share=share,
        amount=amount,
        reason=reason if record.is_over else f"{reason}; {record.end}",
        events=tuple(events),
        rule_digest=record.index.rule.digest,
    )
