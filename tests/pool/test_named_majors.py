import pytest

from pool import LARGE_OWN_SHARE, MAJORS, TokenRisk
from pool.majors import is_major

RISK = TokenRisk(centre=-2.6, crash_rate=0.07)


@pytest.mark.parametrize("name", ["BTC", "btc", "XBT", "bitcoin", "ETH", "ethereum", "BTCUSDT", "ETH/USD", "xbt-eur"])
def test_majors_are_known_by_their_names(name):
    assert is_major(name)
    assert RISK.named(name) == TokenRisk(centre=-2.6, crash_rate=0.07, group=MAJORS, own_share=LARGE_OWN_SHARE)


@pytest.mark.parametrize("name", ["WBTC", "BTCST", "ETHFI", "ETHW", "ETH/BTC", "BTCDOMUSDT", "bitcoin-cash", ""])
def test_names_that_begin_alike_are_no_majors(name):
    assert not is_major(name)
    assert RISK.named(name) is RISK


@pytest.mark.parametrize("stated", [{"group": "exchanges"}, {"own_share": 1.0}, {"own_share": LARGE_OWN_SHARE}])
def test_what_the_caller_states_goes_before_the_name(stated):
    risk = TokenRisk(centre=-2.6, crash_rate=0.07, **stated)
    assert risk.named("BTC") is risk
