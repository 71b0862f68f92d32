import pytest

from pricing import FullPayout, InvalidTermsError, LinearPayout, TieredPayout
from pricing.contract.payouts import parse_payout


@pytest.mark.parametrize(
    ("text", "payout"),
    [
        ("full", FullPayout()),
        (" linear:0.25:1 ", LinearPayout(attachment=0.25, exhaustion=1.0)),
        ("tiered:0.3=0.25,0.5=0.6,0.8=1", TieredPayout({0.3: 0.25, 0.5: 0.6, 0.8: 1.0})),
    ],
)
def test_payouts_are_read(text, payout):
    assert parse_payout(text) == payout


@pytest.mark.parametrize(
    "text",
    ["", "half", "full:1", "linear", "linear:0.3", "linear:0.3:0.5:0.9", "linear:a:b", "tiered:", "tiered:0.3,0.5=1"],
)
def test_other_texts_are_refused_with_an_example(text):
    with pytest.raises(InvalidTermsError, match=r"payout must look like full, linear:0\.3:0\.9 or tiered:") as caught:
        parse_payout(text)
    assert repr(text) in str(caught.value)


def test_the_slip_of_a_percentage_is_named():
    with pytest.raises(InvalidTermsError, match=r"a fraction: 30 % is 0\.30"):
        parse_payout("linear:30:90")
