"""Evidence: one file per decision, which an outsider checks with the same ticks.

The file holds the cover, the rule, sums of the ticks hour by hour, the index around the event and the decision. To
verify it, the index and the decision are made again, and everything is compared.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pricing.contract.cover import Cover
from pricing.contract.observation import Payment
from pricing.contract.payouts import FullPayout, LinearPayout, TieredPayout
from pricing.contract.triggers import DropTrigger, Reference
from pricing.errors import DataError, EvidenceError, NewerFormatError, PricingError
from pricing.events.reinstatements import AggregateTerms
from pricing.events.rules import EventRules
from pricing.tools.plain import from_plain, to_plain
from pricing.tools.stored import read_sealed, seal_text
from pricing.tools.units import shown
from pricing.tools.whole_files import write_text
from settlement.decision import Decision, decide
from settlement.index.price_index import Index, build_index
from settlement.index.rules import Conversion, IndexRule, Source
from settlement.index.ticks import check_ticks

if TYPE_CHECKING:
    import pandas as pd

_TYPES = (
    Cover,
    DropTrigger,
    Reference,
    Payment,
    FullPayout,
    LinearPayout,
    TieredPayout,
    EventRules,
    AggregateTerms,
    IndexRule,
    Source,
    Conversion,
)
_FIGURES = (
    "cover_id",
    "sold_at",
    "status",
    "fired_at",
    "reference_price",
    "reference_at",
    "worst_drop",
    "share",
    "amount",
    "reason",
    "events",
    "rule_digest",
)
_HOUR = 3_600_000_000_000
_MOST_CHARACTERS = 50_000_000
#: Closes before the reference price and after the trigger that the file shows.
_SHOWN = 10


def write_evidence(path: Path, decision: Decision, index: Index, rule: IndexRule, ticks: "pd.DataFrame") -> None:
    """Write the evidence of a decision.

    Parameters
    ----------
    path : Path
        File to write.
    decision : Decision
        Decision made on `index`.
    index : Index
        Index made of `ticks` by `rule`.
    rule : IndexRule
        Rule of the index.
    ticks : DataFrame
        Ticks as in ``build_index``.

    Raises
    ------
    EvidenceError
        If the ticks and the rule do not lead to this decision.
    PricingError
        If the cover has a payout that a file cannot hold.
    """
    evidence = {
        "cover": to_plain(decision.cover),
        "sold_at": decision.sold_at.isoformat(),
        "rules": to_plain(decision.rules),
        "terms": to_plain(decision.terms),
        "rule": to_plain(rule),
        "span": _span(ticks, rule),
        "ticks": _sums(ticks, rule),
        "index": _shown_closes(decision, index),
        "decision": _figures(decision),
    }
    _verify(evidence, ticks)
    write_text(path, seal_text("evidence", 1, evidence) + "\n", to_disk=True)


def verify_evidence(path: Path, ticks: "pd.DataFrame") -> Decision:
    """Make the decision of an evidence file again, and compare everything with the file.

    Parameters
    ----------
    path : Path
        File that ``write_evidence`` wrote.
    ticks : DataFrame
        Ticks of the same time, as in ``build_index``. Those outside the hours of the evidence do not count.

    Returns
    -------
    Decision
        Decision, made again.

    Raises
    ------
    EvidenceError
        If the file was changed, or the ticks, the index or the decision differ; the message names the first difference.
    DataError
        If a tick is invalid.
    """
    try:
        evidence = read_sealed(path.read_text(encoding="utf-8"), "evidence", {1: _fields}, most=_MOST_CHARACTERS)
        return _verify(evidence, _within(ticks, evidence))
    except (OSError, UnicodeDecodeError) as error:
        raise EvidenceError(f"{path}: cannot be read ({error})") from error
    except (DataError, NewerFormatError):
        raise
    except PricingError as error:
        raise EvidenceError(f"{path}: {error}") from error


def _fields(evidence: Any) -> dict[str, Any]:
    wanted = {"cover", "sold_at", "rules", "terms", "rule", "span", "ticks", "index", "decision"}
    if not isinstance(evidence, dict) or evidence.keys() != wanted:
        raise EvidenceError(f"its fields must be {', '.join(sorted(wanted))}")
    return evidence


def _verify(evidence: Mapping[str, Any], ticks: "pd.DataFrame") -> Decision:
    cover, rules, terms = (from_plain(evidence[name], _TYPES) for name in ("cover", "rules", "terms"))
    if not isinstance(rules, EventRules) or not isinstance(terms, AggregateTerms | None):
        raise EvidenceError("rules must be EventRules, and terms AggregateTerms or nothing")
    rule = _rule(evidence)
    _compare("ticks", evidence["ticks"], _sums(ticks, rule))
    index = build_index(ticks, rule)
    try:
        sold_at = datetime.fromisoformat(evidence["sold_at"])
    except (TypeError, ValueError) as error:
        raise EvidenceError(f"sold_at must be a time, got {evidence['sold_at']!r}") from error
    decision = decide(cover, index, sold_at=sold_at, rules=rules, terms=terms)
    _compare("decision", evidence["decision"], _figures(decision))
    _compare("index", evidence["index"], _shown_closes(decision, index))
    return decision


def _compare(part: str, stated: Any, found: Mapping[str, Any]) -> None:
    if not isinstance(stated, dict):
        raise EvidenceError(f"{part} must be an object, got {type(stated).__name__}")
    for name in sorted(stated.keys() | found.keys()):
        if stated.get(name) != found.get(name):
            raise EvidenceError(
                f"{part} {name}: the evidence states {stated.get(name, 'nothing')}, and the ticks give "
                f"{found.get(name, 'nothing')}"
            )


def _sums(ticks: "pd.DataFrame", rule: IndexRule) -> dict[str, str]:
    """Return number and hash of the ticks of every venue and hour."""
    checked = check_ticks(ticks, rule)
    hours = checked.time // _HOUR
    starts = np.flatnonzero(
        (np.diff(hours, prepend=hours[0] - 1) != 0) | (np.diff(checked.source, prepend=-1) != 0)
    ).tolist()
    sums = {}
    for start, end in zip(starts, [*starts[1:], len(hours)], strict=True):
        parts = [checked.time[start:end].astype("<i8")]
        parts += [column[start:end].astype("<f8") for column in (checked.price, checked.volume)]
        digest = hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()
        hour = datetime.fromtimestamp(int(hours[start]) * 3600, UTC)
        sums[_name(rule.venues[checked.source[start]], hour)] = f"{end - start} ticks {digest}"
    return sums


def _name(venue: str, hour: datetime) -> str:
    return f"of {venue} from {hour:%Y-%m-%d %H}:00 UTC"


def _span(ticks: "pd.DataFrame", rule: IndexRule) -> list[int]:
    """Return the times of the first and the last tick in nanoseconds since 1970."""
    times = check_ticks(ticks, rule).time
    return [int(times.min()), int(times.max())]


def _within(ticks: "pd.DataFrame", evidence: Mapping[str, Any]) -> "pd.DataFrame":
    """Return the ticks of the time of the evidence."""
    import pandas as pd

    check_ticks(ticks, _rule(evidence))
    try:
        first, last = (pd.Timestamp(time, unit="ns", tz="UTC") for time in evidence["span"])
    except (TypeError, ValueError, OverflowError) as error:
        raise EvidenceError(f"span must be two times, got {shown(evidence['span'])}") from error
    times = pd.to_datetime(ticks["time"], utc=True)
    return ticks[((times >= first) & (times <= last)).to_numpy()]


def _rule(evidence: Mapping[str, Any]) -> IndexRule:
    rule = from_plain(evidence["rule"], _TYPES)
    if not isinstance(rule, IndexRule):
        raise EvidenceError(f"rule must be an IndexRule, got {shown(rule)}")
    return rule


def _shown_closes(decision: Decision, index: Index) -> dict[str, str]:
    """Return the index from shortly before the reference price, or else the sale, to shortly after the trigger."""
    bar = index.rule.bar
    begin = (decision.reference_at or decision.sold_at) - _SHOWN * bar
    end = (decision.fired_at or decision.sold_at) + _SHOWN * bar
    first = index.closes[0].astype("datetime64[us]").astype(datetime).replace(tzinfo=UTC)
    places = range(max(0, (begin - first) // bar), min(len(index.closes), (end - first) // bar + 1))
    shown_values = [f"{float(index.value[place])} ± {float(index.confidence[place])}" for place in places]
    times = [f"at {first + place * bar:%Y-%m-%d %H:%M:%S} UTC" for place in places]
    return dict(zip(times, shown_values, strict=True))


def _figures(decision: Decision) -> dict[str, str]:
    return {name: str(getattr(decision, name)) for name in _FIGURES}
