"""Rule of an index: which venues count, how much, and when they do not. It is part of a policy."""

import hashlib
import json
import math
import tomllib
from dataclasses import dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any

from pricing.errors import InvalidTermsError
from pricing.tools.fields import require_flag, require_text, set_members
from pricing.tools.near_names import did_you_mean
from pricing.tools.plain import Form, to_plain
from pricing.tools.units import (
    DurationField,
    OptionalDurationField,
    as_number,
    default_duration,
    format_duration,
    in_steps,
    parse_duration,
)
from pricing.tools.whole_files import write_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A venue whose trades count.

    Parameters
    ----------
    name : str
        Name of the venue in the ticks.
    weight : float, optional
        Weight, in any unit that all sources share. By default the weight is the volume of the bar whose price counts.
    currency : str
        Currency of its prices.

    Raises
    ------
    InvalidTermsError
        If a field is invalid.
    """

    name: str
    weight: float | None = None
    currency: str = "USD"

    def __post_init__(self) -> None:
        for name in ("name", "currency"):
            require_text(getattr(self, name), name, InvalidTermsError)
        if self.weight is not None:
            object.__setattr__(self, "weight", as_number(self.weight, "weight"))
            if not 0.0 < self.weight < math.inf:
                raise InvalidTermsError(
                    f"weight of source {self.name!r} must be positive and finite, got {self.weight} (leave out a venue "
                    "that does not count)"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexRule:
    """Rule by which trades of several venues become one price.

    Parameters
    ----------
    sources : sequence of Source
        Venues that count. Either all of them state a weight or none does.
    currency : str
        Currency of the index.
    bar : timedelta or str
        Time between two closes. Closes are whole multiples of it since 1970 in UTC.
    max_weight : float
        Largest weight of one source as a share of all weights, above 0 and at most 1. Larger ones are cut to it.
    quorum_sources : int
        Smallest number of live sources.
    quorum_weight : float
        Smallest weight of live sources as a share of the weights of all sources.
    stale_after : timedelta or str
        Time after its last trade from which a source is excluded.
    readmit_at : float
        Share of `stale_after`, above 0 and at most 1: an excluded source counts again only if its last trade is no
        older than that.
    average : timedelta or str, optional
        Time over which closes are averaged, a whole number of bars. By default the index is not averaged.
    allow_nonpositive : bool
        Take prices of zero or less as prices. By default they mean that the venue has halted.
    conversions : sequence of Conversion
        Rules of the other currencies that sources quote in.

    Attributes
    ----------
    digest : str
        SHA-256 of all other fields, in hexadecimal digits.

    Raises
    ------
    InvalidTermsError
        If a field is invalid, a currency has no conversion, or a venue appears twice.

    Examples
    --------
    >>> rule = IndexRule(sources=[Source(name=name, weight=1.0) for name in ("kraken", "coinbase", "gemini")])
    >>> rule.digest[:12]
    '5e02058dc9c2'
    """

    sources: tuple[Source, ...]
    currency: str = "USD"
    bar: DurationField = default_duration("60s")
    max_weight: float = 0.30
    quorum_sources: int = 3
    quorum_weight: float = 0.60
    stale_after: DurationField = default_duration("60s")
    readmit_at: float = 0.5
    average: OptionalDurationField = None  # type: ignore[assignment]  # the descriptor takes None
    allow_nonpositive: bool = False
    conversions: "tuple[Conversion, ...]" = ()
    digest: str = field(init=False, repr=False, compare=False, metadata={"plain": False})

    def __post_init__(self) -> None:
        set_members(self, "sources", Source, error=InvalidTermsError)
        set_members(self, "conversions", Conversion, error=InvalidTermsError)
        require_text(self.currency, "currency", InvalidTermsError)
        require_flag(self.allow_nonpositive, "allow_nonpositive", InvalidTermsError)
        self._check_times()
        for name in ("max_weight", "quorum_weight", "readmit_at"):
            share = as_number(getattr(self, name), name)
            object.__setattr__(self, name, share)
            if not 0.0 < share <= 1.0:
                raise InvalidTermsError(f"{name} must be above 0 and at most 1, got {share} (30 % is 0.30)")
        self._check_sources()
        self._check_conversions()
        text = json.dumps(to_plain(self, Form.NAMED), sort_keys=True, separators=(",", ":"))
        object.__setattr__(self, "digest", hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())

    def _check_times(self) -> None:
        for name in ("bar", "stale_after"):
            object.__setattr__(self, name, parse_duration(getattr(self, name), name))
            if getattr(self, name) == timedelta(0):
                raise InvalidTermsError(f"{name} must be longer than zero, got 0s")
        if self.average is not None:
            object.__setattr__(self, "average", parse_duration(self.average, "average"))
            if not in_steps(self.average, self.bar, "average"):
                raise InvalidTermsError("average must be longer than zero, got 0s (leave it out for no average)")

    def _check_sources(self) -> None:
        if not self.sources:
            raise InvalidTermsError("sources must hold at least one source, got none")
        if len({source.weight is None for source in self.sources}) > 1:
            raise InvalidTermsError("weight must be given for every source or for none, got both")
        quorum = self.quorum_sources
        if isinstance(quorum, bool) or not isinstance(quorum, int) or not 1 <= quorum <= len(self.sources):
            raise InvalidTermsError(
                f"quorum_sources must be an int between 1 and the number of sources, {len(self.sources)}, got {quorum}"
            )
        seen: set[str] = set()
        for name in self.venues:
            if name in seen:
                raise InvalidTermsError(
                    f"sources must have different names, got {name!r} twice (a venue that also quotes a currency needs "
                    "a name of its own for it)"
                )
            seen.add(name)

    def _check_conversions(self) -> None:
        rules = self.rules_by_currency
        for source in self.sources:
            if source.currency != self.currency and source.currency not in rules:
                raise InvalidTermsError(
                    f"source {source.name!r} quotes in {source.currency}, and conversions have no rule for it"
                )
        for conversion in self.conversions:
            if conversion.rule.bar != self.bar or conversion.rule.currency != self.currency:
                raise InvalidTermsError(
                    f"the conversion of {conversion.currency} must have the bar and the currency of the index, "
                    f"{format_duration(self.bar)} and {self.currency}"
                )

    @property
    def rules_by_currency(self) -> "dict[str, IndexRule]":
        """Rules of conversions by currency."""
        return {conversion.currency: conversion.rule for conversion in self.conversions}

    @property
    def venues(self) -> tuple[str, ...]:
        """Names of all sources, with those of conversions."""
        names = [source.name for source in self.sources]
        return (*names, *(name for conversion in self.conversions for name in conversion.rule.venues))


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """Rule by which a currency gets its price in the currency of the index.

    Parameters
    ----------
    currency : str
        Currency that sources quote in, such as USDT.
    rule : IndexRule
        Rule of its price, over venues of its own.
    """

    currency: str
    rule: IndexRule

    def __post_init__(self) -> None:
        require_text(self.currency, "currency", InvalidTermsError)
        if not isinstance(self.rule, IndexRule):
            raise InvalidTermsError(f"rule must be an IndexRule, got {type(self.rule).__name__}")


def read_rule(path: Path) -> IndexRule:
    """Read a rule from a TOML file.

    Raises
    ------
    InvalidTermsError
        If the file cannot be read, or a field is unknown, missing or invalid; the message names the file.
    """
    try:
        return _rule(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidTermsError(f"{path}: no rule in TOML ({error})") from error
    except InvalidTermsError as error:
        raise InvalidTermsError(f"{path}: {error}") from error


def _rule(table: dict[str, Any]) -> IndexRule:
    rule: IndexRule = _build(
        IndexRule,
        {
            **table,
            "sources": [_build(Source, each) for each in _tables(table, "sources")],
            "conversions": [
                _build(Conversion, {**each, "rule": _rule(_table(each.get("rule"), "rule"))})
                for each in _tables(table, "conversions")
            ],
        },
    )
    return rule


def _build(kind: Any, table: dict[str, Any]) -> Any:
    known = [each.name for each in fields(kind) if each.init]
    for name in table:
        if name not in known:
            raise InvalidTermsError(f"{name!r} is no field of {kind.__name__}{did_you_mean(name, known)}")
    try:
        return kind(**table)
    except TypeError as error:
        raise InvalidTermsError(f"a field of {kind.__name__} is missing ({error})") from error


def _tables(table: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = table.get(name, [])
    if not isinstance(found, list):
        raise InvalidTermsError(f"{name} must be tables, got {found!r} (write [[{name}]] above each)")
    return [_table(each, name) for each in found]


def _table(found: object, name: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise InvalidTermsError(f"{name} must be a table, got {found!r}")
    return found


def write_rule(path: Path, rule: IndexRule) -> None:
    """Write a rule to a TOML file, from which ``read_rule`` returns the same rule."""
    write_text(path, "\n".join(_lines(rule, "")) + "\n")


def _lines(rule: IndexRule, within: str) -> list[str]:
    lines = _values(rule)
    for source in rule.sources:
        lines += ["", f"[[{within}sources]]", *_values(source)]
    for conversion in rule.conversions:
        lines += ["", f"[[{within}conversions]]", *_values(conversion), "", f"[{within}conversions.rule]"]
        lines += _lines(conversion.rule, f"{within}conversions.rule.")
    return lines


def _values(part: IndexRule | Source | Conversion) -> list[str]:
    plain = to_plain(part, Form.BARE)
    values = {name: value for name, value in plain.items() if not isinstance(value, list | dict) and value is not None}
    return [f"{name} = {json.dumps(value)}" for name, value in values.items()]
