"""A quoter goes to another process without its key, or says what to do."""

import copy
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor

import pytest

from pricing import RateQuoter, SellingRules, compact, verify
from pricing.errors import PricingError
from pricing.rates.publishing import publish
from tests.pricing.rates.store_worlds import KEY, NOON, make_cover, make_entry, simulate_surface

METHODS = multiprocessing.get_all_start_methods()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rates")
    publish(folder, [(make_entry(), compact(simulate_surface("plain", n_paths=2000)))], name="night")
    return folder


def quote_of(quoter):
    return quoter.quote(make_cover(), at=NOON, quote_id="Q-1")


def in_worker(method, quoter):
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as pool:
        return pool.submit(quote_of, quoter).result()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("method", METHODS)
def test_a_quoter_without_a_key_gives_the_same_quote_in_a_worker(method, folder):
    quoter = RateQuoter(folder, rules=SellingRules(validity="10min"))
    assert in_worker(method, quoter) == quote_of(quoter)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("method", METHODS)
def test_a_key_does_not_travel(method, folder):
    with pytest.raises(PricingError, match=r"call RateQuoter\(folder, ..., key=...\) in each worker"):
        in_worker(method, RateQuoter(folder, key=KEY))


def test_no_pickle_holds_a_key(folder):
    quoter = RateQuoter(folder, key=KEY)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(PricingError, match="the key would go with it"):
            pickle.dumps({"quoter": quoter}, protocol=protocol)


def test_a_relative_folder_is_found_from_elsewhere(folder, monkeypatch, tmp_path):
    monkeypatch.chdir(folder.parent)
    text = pickle.dumps(RateQuoter(folder.name))
    monkeypatch.chdir(tmp_path)
    assert quote_of(pickle.loads(text)) == quote_of(RateQuoter(folder))


@pytest.mark.parametrize("make_copy", [copy.copy, copy.deepcopy])
def test_a_copy_seals_alike_and_refreshes_on_its_own(make_copy, tmp_path):
    entry, surface = make_entry(), compact(simulate_surface("plain", n_paths=2000))
    publish(tmp_path, [(entry, surface)], name="night-0")
    quoter = RateQuoter(tmp_path, key=KEY)
    twin = make_copy(quoter)
    assert quote_of(twin) == quote_of(quoter)
    verify(quote_of(twin), key=KEY)
    publish(tmp_path, [(entry, surface)], name="night-1")
    assert twin.refresh()
    assert (twin.version, quoter.version) == ("night-1", "night-0")
