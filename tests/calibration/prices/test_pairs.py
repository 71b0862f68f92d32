import pytest

from calibration.prices.pairs import QUOTE_CURRENCIES, is_pair_of


@pytest.mark.parametrize("currency", QUOTE_CURRENCIES)
@pytest.mark.parametrize("between", ["", "/", "_", ":", "-"])
def test_a_token_and_a_currency_make_a_pair(currency, between):
    assert is_pair_of("OM", f"OM{between}{currency}")


@pytest.mark.parametrize("name", ["OM", "OMUSDTX", "OM//USD", "XOM/USDT", "OM/BTC", "OM USD", "OM/usdt"])
def test_no_other_name_is_a_pair_of_it(name):
    assert not is_pair_of("OM", name)


def test_signs_in_the_name_of_a_token_are_read_as_they_are():
    assert is_pair_of("$M.", "$M./USD")
    assert not is_pair_of("M.", "MA/USD")
