"""Texts from outside: what is ambiguous, too long or not of this release is refused with an error of ours."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.errors import NewerFormatError, PricingError
from pricing.tools.stored import format_name, parse_json, read_format, read_sealed, seal_text

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**39), 10**39)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(value=VALUES)
def test_a_value_comes_back_as_it_was_written(value):
    assert parse_json(json.dumps(value), "a value", most=10**6) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "not a quote: it must be a str, got NoneType"),
        (b"{}", "not a quote: it must be a str, got bytes"),
        ("{", "not a quote: Expecting property name"),
        ("[" * 100_000, "not a quote: maximum recursion depth"),
        ("1" * 5_000, "a whole number must have at most 40 digits, got 5000"),
        ("-" + "1" * 41, "a whole number must have at most 40 digits"),
        ("1e999", "a number must be finite, got 1e999"),
        ("NaN", "a number must be finite, got NaN"),
        ("[-Infinity]", "a number must be finite, got -Infinity"),
        ('{"limit": 1, "limit": 2}', r"each name must occur once in an object, got \['limit', 'limit'\]"),
        ('["\\ud800"]', "a text in it cannot be encoded"),
        ('{"\\udfff": 1}', "a text in it cannot be encoded"),
        ('"\ud800"', "a text in it cannot be encoded"),
        ("[" + "1," * 100_000 + "1]", "it must have at most 100,000 characters, got 200,003"),
    ],
    ids=lambda text: repr(text)[:20],
)
def test_what_is_ambiguous_or_too_long_is_refused(text, message):
    with pytest.raises(PricingError, match=message):
        parse_json(text, "a quote", most=100_000)


def test_a_pair_of_escaped_halves_is_a_character():
    assert parse_json('"\\ud83d\\ude00"', "a text", most=100) == "\N{GRINNING FACE}"


@pytest.mark.parametrize("version", [1, 2])
def test_each_version_has_its_reader(version):
    readers = {1: lambda: "first", 2: lambda: "second"}
    assert read_format(format_name("rates", version), "rates", readers) == readers[version]()


@pytest.mark.parametrize("found", [None, 2, "", "crashcover rates", "crashcover rates 02", "crashcover rates 2 ", "x"])
def test_another_format_is_told(found):
    with pytest.raises(PricingError, match=r"format must be 'crashcover rates 2', got ") as caught:
        read_format(found, "rates", {1: list, 2: list})
    assert not isinstance(caught.value, NewerFormatError)


def test_a_newer_version_is_told():
    with pytest.raises(NewerFormatError, match="this release reads rates up to 2 .use the release that wrote it"):
        read_format("crashcover rates 3", "rates", {1: list, 2: list})


# --- sealed values ----------------------------------------------------------------------------------------------------


def unseal(text):
    return read_sealed(text, "market", {1: lambda value: value}, most=10**6)


@given(value=VALUES)
def test_a_sealed_value_comes_back_as_it_was(value):
    assert unseal(seal_text("market", 1, value)) == value


def leaves(value, path=()):
    """Yield the path of every number in a nested value."""
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(item, (*path, key))
    elif not isinstance(value, bool):
        yield path


@given(value=VALUES, draw=st.data())
def test_one_changed_figure_is_found(value, draw):
    sealed = json.loads(seal_text("market", 1, value))
    places = list(leaves(sealed["market"]))
    if not places:
        return
    inner, (*path, last) = sealed, ("market", *draw.draw(st.sampled_from(places)))
    for key in path:
        inner = inner[key]
    inner[last] = "another" if inner[last] != "another" else 1
    with pytest.raises(PricingError, match="its checksum does not match"):
        unseal(json.dumps(sealed))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda sealed: sealed.update(colour="red"), "its fields must be format, market and sha256, got "),
        (lambda sealed: sealed.pop("sha256"), "its fields must be format, market and sha256, got "),
        (lambda sealed: sealed.pop("format"), "format must be 'crashcover market 1', got None"),
        (lambda sealed: sealed.update(sha256=3), "its checksum does not match"),
    ],
)
def test_what_is_not_sealed_is_refused(change, message):
    sealed = json.loads(seal_text("market", 1, [1.5]))
    change(sealed)
    with pytest.raises(PricingError, match=message):
        unseal(json.dumps(sealed))
