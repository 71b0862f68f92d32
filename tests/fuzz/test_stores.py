"""A store, a quote, a surface or a market with any value changed gives what it gave, or an error of ours."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration import Market, shipped_market
from pricing import CompactSurface, PricingError, RateQuoter, verify
from pricing.quotes.sealed_quote import RateQuote
from pricing.rates.publishing import publish
from pricing.rates.store import RateStore
from pricing.tools.stored import sum_of
from tests.fuzz.hostile import answer_of
from tests.pricing.rates.store_worlds import KEY, NOON, constant_surface, make_cover, make_entry

_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**41), 10**41)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["../x", "/dev/zero", "2026-11-22T00:00:00", "OM", "crashcover rates 1", "crashcover rates 9"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def places(value, path=()):
    """Yield the path of everything inside a nested value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from places(item, (*path, key))


@st.composite
def changed(draw, value):
    """Replace, leave out or add something anywhere in a nested value."""
    value = json.loads(json.dumps(value))
    *path, last = draw(st.sampled_from(list(places(value))))
    inner = value
    for key in path:
        inner = inner[key]
    what = draw(st.sampled_from(["replace", "leave out", "add"]))
    if what == "leave out":
        del inner[last]
    elif what == "add" and isinstance(inner, dict):
        inner[draw(st.text(max_size=8))] = draw(_JSON)
    else:
        inner[last] = draw(_JSON)
    return value


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    publish(folder, ((make_entry(asset), constant_surface(1)) for asset in ("OM", "LUNA")), name="night")
    return folder


@pytest.fixture(scope="module")
def quote(folder):
    return RateQuoter(folder, key=KEY).quote(make_cover(), at=NOON)


@pytest.fixture(scope="module")
def market():
    return shipped_market(NOON)


def rate_in(folder):
    """Read everything in a store, and return the probability in a quote."""
    store = RateStore.open(folder)
    for asset in store.entries:
        store.surface(asset)
    return RateQuoter(folder).quote(make_cover(), at=NOON).premium.trigger_probability


@given(data=st.data())
def test_a_manifest_sealed_again_names_its_damage_or_gives_the_rate(folder, data):
    path = folder / "night" / "manifest.json"
    whole = path.read_bytes()
    manifest = data.draw(changed(json.loads(whole)["manifest"]))
    try:
        path.write_text(json.dumps({"sha256": sum_of(manifest), "manifest": manifest}))
        found = answer_of(lambda: rate_in(folder))
    finally:
        path.write_bytes(whole)
    assert isinstance(found, PricingError) or found == pytest.approx(0.01)


@given(data=st.data())
def test_a_surface_with_changed_bytes_is_refused(folder, data):
    content = bytearray((folder / "night" / "surfaces").read_bytes())
    start, length, _ = RateStore.open(folder).places["OM"]
    content = content[start : start + length]
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    content = content[: data.draw(st.sampled_from([len(content), place]))]
    with TemporaryDirectory() as elsewhere:
        path = Path(elsewhere, "surface")
        path.write_bytes(content)
        with pytest.raises(PricingError):
            CompactSurface.load(path)


@given(data=st.data())
def test_a_quote_with_anything_changed_does_not_verify(quote, data):
    value = data.draw(changed(json.loads(quote.to_json())))

    def read():
        found = RateQuote.from_json(json.dumps(value))
        verify(found, KEY)
        return found

    found = answer_of(read)
    assert isinstance(found, PricingError) or found == quote


@given(data=st.data())
def test_a_market_with_anything_changed_is_that_market_or_is_refused(market, data):
    value = json.loads(json.dumps(data.draw(changed(market.to_plain()))).replace("Infinity", "1e999"))
    found = answer_of(lambda: Market.from_plain(value))
    assert isinstance(found, PricingError) or found.to_plain() == value
