import dataclasses
import json
import warnings
from decimal import Decimal

import numpy as np
import pytest

from pricing import (
    ConstantVolatility,
    Cover,
    DoubleExponentialSizes,
    DropTrigger,
    Empirical,
    FullPayout,
    Garch,
    GeneralizedParetoFalls,
    Jumps,
    LinearPayout,
    Normal,
    NormalSizes,
    ParameterUncertainty,
    PriceModel,
    PricingBasis,
    Quote,
    Quoter,
    Reference,
    SimulationSettings,
    StandardDeviationPrinciple,
    StudentT,
    TieredPayout,
    simulate,
)
from pricing.errors import (
    DataWarning,
    NewerFormatError,
    PrecisionWarning,
    PricingError,
    ReproductionError,
    TooLargeError,
    UnknownAssetError,
    UnresolvedError,
)

GARCH = Garch(omega=1e-6, alpha=0.05, beta=0.9, gamma=0.05, initial_variance=1 / 3e4)
MODELS = [
    PriceModel(volatility=ConstantVolatility(annual=2.0), innovations=Normal(), annual_drift=-0.1),
    PriceModel(
        volatility=GARCH,
        innovations=StudentT(dof=10 / 3),
        jumps=(
            Jumps(per_year=24.0, sizes=NormalSizes(mean=-0.1, stdev=0.2)),
            Jumps(per_year=7.0, sizes=DoubleExponentialSizes(p_up=1 / 3, eta_up=10.0, eta_down=6.0)),
        ),
    ),
    PriceModel(
        volatility=GARCH,
        innovations=Empirical(values=np.random.default_rng(3).standard_normal(400)),
        jumps=(Jumps(per_year=20.0, sizes=GeneralizedParetoFalls(threshold=0.2, scale=0.1, shape=0.2)),),
    ),
]
PAYOUTS = [FullPayout(), LinearPayout(attachment=0.2, exhaustion=0.7), TieredPayout({0.2: 0.1, 0.4: 1 / 3})]
SETTINGS = SimulationSettings(n_paths=3_000, seed=2**64 - 1)


def make_cover(**changes):
    terms = {"cover_id": "C-1", "asset": "OM", "limit": 1e5, "currency": "USD", "payout": FullPayout()}
    return Cover(**{"trigger": DropTrigger(drop=0.3), **terms, **changes})


def quote_of(model, cover, basis=None):
    surface = simulate(
        model,
        windows=("24h", "6h"),
        terms=("30d", "7d"),
        references=tuple(Reference),
        waiting_periods=("0h", "12h"),
        settings=SETTINGS,
    )
    return Quoter({"OM": surface}, basis or PricingBasis()).quote(cover)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("payout", PAYOUTS)
@pytest.mark.parametrize("reference", Reference)
def test_json_alone_reproduces_a_quote_bit_for_bit(model, payout, reference):
    cover = make_cover(
        trigger=DropTrigger(drop=0.2, window="6h", reference=reference), payout=payout, term="7d", waiting_period="12h"
    )
    basis = PricingBasis(risk_load=StandardDeviationPrinciple(multiple=1 / 7), expense_ratio=1 / 9, fixed_expense=0.1)
    quote = quote_of(model, cover, basis)
    again = Quote.from_json(quote.to_json())
    assert again == quote
    assert again.reproduce(n_threads=2) == quote
    assert again.to_json() == quote.to_json()


def test_a_changed_quote_does_not_reproduce():
    quote = quote_of(MODELS[0], make_cover())
    plain = json.loads(quote.to_json())
    plain["premium"]["gross"] = np.nextafter(plain["premium"]["gross"], 0.0)
    with pytest.raises(ReproductionError, match="'C-1' was altered after it was issued: gross is .*, its terms"):
        Quote.from_json(json.dumps(plain)).reproduce()
    plain["model"]["volatility"]["annual"] = 1.0
    with pytest.raises(ReproductionError, match="was altered, or its quantile tables were made by another scipy"):
        Quote.from_json(json.dumps(plain)).reproduce()


@pytest.mark.parametrize(
    ("part", "change", "first"),
    [
        ("cover", {"limit": 50_000.0}, "expected_loss is"),
        ("settings", {"seed": 99}, "trigger_probability is"),
        ("basis", {"expense_ratio": 0.2}, "expenses is"),
        ("premium", {"trigger_probability": 0.5, "tax": 3.0}, "trigger_probability is 0.5"),
    ],
)
def test_the_first_fields_that_differ_are_named_with_both_values(part, change, first):
    quote = quote_of(MODELS[0], make_cover())
    altered = dataclasses.replace(quote, **{part: dataclasses.replace(getattr(quote, part), **change)})
    with pytest.raises(
        ReproductionError, match=f"was altered after it was issued: {first}.*, its terms give "
    ) as caught:
        altered.reproduce()
    assert "must be" not in str(caught.value)
    assert str(caught.value).count("its terms give") <= 3


def test_a_quote_of_another_engine_says_which():
    quote = dataclasses.replace(quote_of(MODELS[0], make_cover()), engine_version="0.0.1")
    with pytest.raises(ReproductionError, match="is of engine 0.0.1, this is .* .use the release that issued it"):
        quote.reproduce()


def test_the_price_is_rounded_once_to_the_cent_halves_up():
    quote = quote_of(MODELS[0], make_cover())
    priced = dataclasses.replace(quote.premium, gross=0.125)  # exact in binary
    assert dataclasses.replace(quote, premium=priced).price == Decimal("0.13")
    assert abs(quote.price - Decimal(quote.premium.gross)) <= Decimal("0.005")


def test_a_quote_keeps_and_reproduces_its_load_for_uncertainty():
    surface = simulate(MODELS[0], settings=SETTINGS)
    uncertainty = ParameterUncertainty(drops=(0.3,), shares=(0.25,))
    quote = Quoter({"OM": surface}).quote(make_cover(), uncertainty=uncertainty)
    assert quote.premium.parameter_load == pytest.approx(0.25 * 1e5 * surface.exceedance(0.3).value, rel=1e-12)
    assert Quote.from_json(quote.to_json()).reproduce() == quote


def test_json_has_the_indent_that_is_asked_for():
    quote = quote_of(MODELS[0], make_cover())
    plain = json.loads(quote.to_json())
    assert quote.to_json() == json.dumps(plain, sort_keys=True, separators=(",", ":"))
    assert quote.to_json(indent=2) == json.dumps(plain, sort_keys=True, indent=2)


def test_an_unknown_asset_is_named():
    with pytest.raises(UnknownAssetError, match="cover 'C-1': asset must be one of the 1 with a rate, got 'LUNA'"):
        quote_of(MODELS[0], make_cover(asset="LUNA"))


def test_what_no_path_reached_is_not_quoted():
    with pytest.raises(UnresolvedError, match="none of 3000 paths .* probability is below 1.0e-03"):
        quote_of(MODELS[0], make_cover(trigger=DropTrigger(drop=0.99)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not a quote"),
        ("[]", "not a quote but a tuple"),
        ('{"type": "Reference", "name": "LAGGED"}', "not a quote but a Reference"),
        ('{"type": "Popen", "args": "true"}', "type must be one of .*, got 'Popen'"),
        ('{"type": "Quote"}', "Quote cannot be rebuilt"),
        ('{"type": "Reference", "name": "YESTERDAY"}', "Reference cannot be rebuilt"),
        ('{"type": "Reference"}', "Reference cannot be rebuilt"),
    ],
)
def test_what_is_not_a_quote_is_refused(text, message):
    with pytest.raises(PricingError, match=message):
        Quote.from_json(text)


@dataclasses.dataclass(frozen=True)
class HalfPayout:
    """A payout of the user's own."""

    def share(self, worst_drop):
        return np.full_like(worst_drop, 0.5)


def test_a_payout_of_the_users_own_is_quoted_and_read_back():
    quote = quote_of(MODELS[0], make_cover(payout=HalfPayout()))
    full = quote_of(MODELS[0], make_cover())
    assert quote.premium.expected_loss == 0.5 * full.premium.expected_loss
    assert Quote.from_json(quote.to_json(), classes=(HalfPayout,)).reproduce() == quote
    with pytest.raises(PricingError, match="got 'HalfPayout'"):
        Quote.from_json(quote.to_json())


@pytest.mark.parametrize("model", MODELS)
def test_a_quote_with_rare_drops_reproduces_whatever_was_simulated_beside_it(model):
    surface = simulate(
        model,
        windows=("12h", "24h", "6h"),
        terms=("7d", "3d"),
        references=(Reference.INCEPTION, Reference.ROLLING_HIGH),
        waiting_periods=("0h", "12h"),
        settings=dataclasses.replace(SETTINGS, rare_drops=True),
    )
    for window, term in (("6h", "3d"), ("24h", "7d")):
        quote = Quoter({"OM": surface}).quote(make_cover(trigger=DropTrigger(drop=0.3, window=window), term=term))
        again = Quote.from_json(quote.to_json())
        assert again.reproduce() == quote == again


def test_a_quote_without_rare_drops_does_not_say_what_was_simulated_beside_it():
    assert quote_of(MODELS[0], make_cover()).simulated_for == ()


@pytest.mark.parametrize(
    ("field", "value"), [("cover_id", "C-2"), ("asset", "LUNA"), ("currency", "EUR"), ("asset", "OM ")]
)
def test_names_are_part_of_what_is_reproduced(field, value):
    plain = json.loads(quote_of(MODELS[0], make_cover()).to_json())
    plain["cover"][field] = value
    altered = Quote.from_json(json.dumps(plain))
    with pytest.raises(ReproductionError, match=r"its digest is \w+, its fields give \w+ \(its cover_id, asset or"):
        altered.reproduce()
    with pytest.raises(ReproductionError):  # writing it again does not make it whole
        Quote.from_json(altered.to_json()).reproduce()


@pytest.mark.parametrize("digest", ["", None, 3])
def test_a_quote_does_not_lose_its_digest(digest):
    plain = json.loads(quote_of(MODELS[0], make_cover()).to_json())
    with pytest.raises(PricingError, match="digest of a quote must be a str"):
        Quote.from_json(json.dumps({**plain, "digest": digest}))


def test_a_quote_of_format_1_reproduces_and_says_what_cannot_be_seen():
    quote = quote_of(MODELS[0], make_cover())
    plain = json.loads(quote.to_json())
    del plain["format"], plain["digest"]
    old = Quote.from_json(json.dumps(plain))
    with pytest.warns(DataWarning, match="is of format 1, which has no digest"):
        old.reproduce()
    assert old.premium == quote.premium
    assert json.loads(old.to_json())["format"] == "crashcover quote 1"


def test_a_quote_of_a_newer_release_says_so():
    plain = json.loads(quote_of(MODELS[0], make_cover()).to_json())
    with pytest.raises(NewerFormatError, match="format is 'crashcover quote 3', this release reads quote up to 2"):
        Quote.from_json(json.dumps({**plain, "format": "crashcover quote 3", "colour": "red"}))


def test_work_that_its_writer_chose_is_bounded():
    plain = json.loads(quote_of(MODELS[0], make_cover()).to_json())
    plain["settings"]["n_paths"] = 2**40
    with pytest.raises(TooLargeError, match="n_paths times the steps of the term must be at most 1,000,000,000,000"):
        Quote.from_json(json.dumps(plain)).reproduce()


def leaves(value, path=()):
    """List the way to every value inside plain JSON."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(leaf for name, item in inner for leaf in leaves(item, (*path, name)))]


JUNK = (None, True, "1", "\ud800", [], {}, {"type": "Cover"}, {"type": "Payment", "name": "AT_HIT"}, -1e308, 10**39)
PLAIN = quote_of(MODELS[0], make_cover(payout=PAYOUTS[0])).to_json()


@pytest.mark.parametrize("junk", JUNK, ids=repr)
@pytest.mark.parametrize("path", leaves(json.loads(PLAIN))[1:], ids=str)
def test_whatever_is_put_into_a_quote_is_refused_or_does_not_reproduce(path, junk):
    plain = json.loads(PLAIN)
    *way, last = path
    inner = plain
    for step in way:
        inner = inner[step]
    if inner[last] == junk and type(inner[last]) is type(junk):
        pytest.skip("nothing is changed")
    inner[last] = junk
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PrecisionWarning)
        with pytest.raises(PricingError):
            Quote.from_json(json.dumps(plain)).reproduce()
