"""Guarantees of ``simulate``: results depend on model, seed and number of paths only."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing import (
    ConstantVolatility,
    Garch,
    Jumps,
    Normal,
    NormalSizes,
    PriceModel,
    Reference,
    SimulationSettings,
    StudentT,
    simulate,
)
from pricing.engine.rare_drops import mixture
from pricing.errors import InvalidModelError, InvalidTermsError, PricingError, SimulationError
from pricing.models.price_model import MODEL_CLASSES
from pricing.tools.plain import from_plain, to_plain

MODEL = PriceModel(
    volatility=Garch(omega=1e-6, alpha=0.05, beta=0.9, gamma=0.05, initial_variance=3e-4),
    innovations=StudentT(dof=4.0),
    jumps=(Jumps(per_year=24.0, sizes=NormalSizes(mean=-0.1, stdev=0.2)),),
)
ALL = {
    "windows": ("1h", "24h"),
    "terms": ("3d", "7d"),
    "references": tuple(Reference),
    "waiting_periods": ("0h", "6h"),
}


def drops_of(n_paths=9_001, seed=11, n_threads=1, **signals):
    settings = SimulationSettings(n_paths=n_paths, seed=seed, n_threads=n_threads)
    return simulate(MODEL, settings=settings, **{**ALL, **signals})


@pytest.fixture(scope="module")
def surface():
    return drops_of()


@pytest.mark.parametrize("n_threads", [2, 3])
def test_threads_do_not_change_a_bit(surface, n_threads):
    assert np.array_equal(drops_of(n_threads=n_threads).worst_drops, surface.worst_drops)


@pytest.mark.parametrize("blocks_a_batch", [1, 7, 1_000])
def test_batches_do_not_change_a_bit(surface, blocks_a_batch, monkeypatch):
    monkeypatch.setattr("pricing.engine.simulation._BLOCKS_A_BATCH", blocks_a_batch)
    assert np.array_equal(drops_of().worst_drops, surface.worst_drops)


@pytest.mark.parametrize("n_paths", [1, 15, 16, 17, 4_097])
def test_fewer_paths_are_the_first_of_more(surface, n_paths):
    assert np.array_equal(drops_of(n_paths=n_paths).worst_drops, surface.worst_drops[:, :n_paths])


def test_order_and_company_of_signals_do_not_change_a_bit(surface):
    turned = drops_of(windows=("24h", "1h"), terms=("7d", "3d"), references=tuple(Reference)[::-1])
    assert turned.signals == surface.signals
    assert np.array_equal(turned.worst_drops, surface.worst_drops)
    for row, watched in enumerate(surface.signals):
        alone = simulate(
            MODEL,
            windows=(f"{watched.window_steps or 1}h",),
            terms=(f"{watched.term_steps}h",),
            references=(watched.reference,),
            waiting_periods=(f"{watched.start_steps}h",),
            settings=SimulationSettings(n_paths=500, seed=11),
        )
        assert np.array_equal(alone.worst_drops[0], surface.worst_drops[row, :500])


def test_a_jump_source_without_jumps_changes_nothing():
    quiet = PriceModel(volatility=MODEL.volatility, innovations=MODEL.innovations)
    silent = Jumps(per_year=0.0, sizes=NormalSizes(mean=-1.0, stdev=0.1))
    with_silence = PriceModel(volatility=MODEL.volatility, innovations=MODEL.innovations, jumps=(silent,))
    sizes = SimulationSettings(n_paths=100, seed=1)
    drops, again = (simulate(model, settings=sizes).worst_drops for model in (quiet, with_silence))
    assert np.array_equal(drops, again)


def test_another_seed_gives_other_paths(surface):
    assert not np.array_equal(drops_of(seed=12).worst_drops, surface.worst_drops)


def test_the_four_references_are_ordered_path_by_path(surface):
    rows = dict(zip(surface.signals, surface.worst_drops, strict=True))
    for watched, drops in rows.items():
        if watched.reference is Reference.LAGGED:
            rolling = [
                other
                for key, other in rows.items()
                if key.reference is Reference.ROLLING_HIGH
                and (key.window_steps, key.start_steps, key.term_steps)
                == (watched.window_steps, watched.start_steps, watched.term_steps)
            ]
            assert (drops <= rolling[0]).all()
        if watched.reference is Reference.ROLLING_HIGH:
            running = [
                other
                for key, other in rows.items()
                if key.reference is Reference.RUNNING_HIGH
                and (key.start_steps, key.term_steps) == (watched.start_steps, watched.term_steps)
            ]
            assert (drops <= running[0]).all()


@mock.patch.object(mixture, "PILOT_PATHS", 256)  # of up to a hundred jumps per hour, and nothing asks for good shares
@given(
    annual=st.one_of(st.floats(1e-9, 1e3), st.just(0.0)),
    drift=st.floats(-1e4, 1e4),
    dof=st.floats(2.0001, 100.0),
    per_year=st.floats(0.0, 1e6),
    mean=st.floats(-3.0, 3.0),
    window=st.integers(1, 48),
    n_paths=st.integers(1, 20),
    rare_drops=st.booleans(),
)
def test_absurd_parameters_give_drops_between_0_and_1_or_a_typed_error(
    annual, drift, dof, per_year, mean, window, n_paths, rare_drops
):
    model = PriceModel(
        volatility=ConstantVolatility(annual=annual),
        innovations=StudentT(dof=dof),
        annual_drift=drift,
        jumps=(Jumps(per_year=per_year, sizes=NormalSizes(mean=mean, stdev=0.5)),),
    )
    try:
        surface = simulate(
            model,
            windows=(f"{window}h",),
            terms=("48h",),
            references=tuple(Reference),
            settings=SimulationSettings(n_paths=n_paths, seed=1, rare_drops=rare_drops),
        )
    except PricingError:
        return
    assert ((surface.worst_drops >= 0.0) & (surface.worst_drops <= 1.0)).all()
    if surface.weights is not None:
        assert ((surface.weights >= 0.0) & (surface.weights <= 20.0)).all()


def test_a_price_that_never_moves_never_falls():
    still = PriceModel(volatility=ConstantVolatility(annual=0.0), innovations=Normal())
    assert not simulate(still, settings=SimulationSettings(n_paths=20, seed=1)).worst_drops.any()


def test_an_exploding_variance_is_refused():
    model = PriceModel(
        volatility=Garch(omega=1e-4, alpha=5.0, beta=5.0, initial_variance=1.0), innovations=StudentT(dof=2.1)
    )
    with pytest.raises(SimulationError, match="is not finite on .* paths"):
        simulate(model, settings=SimulationSettings(n_paths=20, seed=1))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"windows": "24h"}, "windows must be a sequence"),
        ({"terms": ()}, "terms must be a sequence that is not empty"),
        ({"references": Reference.LAGGED}, "references must be a sequence"),
        ({"windows": ("90min",)}, "window must be a whole number of steps of 1h"),
        ({"waiting_periods": ("30d",)}, "waiting_period must be shorter than the term"),
        ({"terms": ("0d",)}, "shorter than the term of 0h"),
    ],
)
def test_terms_that_do_not_fit_are_named(changes, message):
    with pytest.raises(InvalidTermsError, match=message):
        simulate(MODEL, **changes)


@pytest.mark.parametrize(("field", "value"), [("n_paths", 0), ("n_paths", 1.5), ("seed", -1), ("n_threads", True)])
def test_settings_name_what_is_wrong(field, value):
    with pytest.raises(SimulationError, match=f"{field} must be a whole number"):
        SimulationSettings(**{field: value})


def test_jumps_denser_than_a_thousand_a_step_are_refused():
    dense = Jumps(per_year=1e8, sizes=NormalSizes(mean=0.0, stdev=0.001))
    with pytest.raises(InvalidModelError, match="that many small jumps are a diffusion"):
        simulate(PriceModel(volatility=MODEL.volatility, innovations=Normal(), jumps=(dense,)))


def test_more_paths_than_memory_are_refused():
    with pytest.raises(SimulationError, match="n_paths must fit into memory, got 1099511627776: 17,592 GB"):
        simulate(MODEL, settings=SimulationSettings(n_paths=2**40, seed=1))


def test_progress_counts_every_path():
    counts = []
    simulate(MODEL, settings=SimulationSettings(n_paths=9_000, seed=1), progress=counts.append)
    assert counts == [4_096, 8_192, 9_000]


def test_many_callers_at_once_get_the_same_bits(surface):
    with ThreadPoolExecutor(8) as pool:
        for drops in pool.map(lambda _: drops_of(n_paths=500).worst_drops, range(16)):
            assert np.array_equal(drops, surface.worst_drops[:, :500])


def _digest(_):
    return drops_of(n_paths=300).worst_drops.tobytes()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_forked_workers_get_the_same_bits(surface):
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert set(pool.map(_digest, range(4))) == {np.ascontiguousarray(surface.worst_drops[:, :300]).tobytes()}


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for a child process")
def test_a_long_run_can_be_interrupted():
    program = (
        "from pricing import *\n"
        "print('ready', flush=True)\n"
        "model = PriceModel(volatility=ConstantVolatility(annual=1.0), innovations=Normal())\n"
        "simulate(model, terms=('360d',), settings=SimulationSettings(n_paths=10_000_000, seed=1))\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "ready\n"
    time.sleep(1.0)
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=30)
    assert "KeyboardInterrupt" in errors


def test_drops_that_a_model_does_not_know_are_certain_and_the_others_keep_every_bit(surface):
    unknown = replace(MODEL, least_known_drop=0.1)
    raised = simulate(unknown, settings=surface.settings, **ALL)
    known = surface.worst_drops >= 0.1
    assert np.array_equal(raised.worst_drops[known], surface.worst_drops[known])
    assert (raised.worst_drops[~known] == np.maximum(surface.worst_drops[~known], 0.1 * (1.0 - 1e-9))).all()
    assert raised.exceedance(0.09999, window="1h", term="3d").value == 1.0
    assert raised.exceedance(0.1, window="1h", term="3d") == surface.exceedance(0.1, window="1h", term="3d")
    assert raised.model_digest != surface.model_digest


def test_a_smallest_known_drop_is_stored_if_there_is_one_only():
    assert "least_known_drop" not in to_plain(MODEL)
    unknown = replace(MODEL, least_known_drop=0.1)
    assert from_plain(to_plain(unknown), MODEL_CLASSES) == unknown
    with pytest.raises(InvalidModelError, match="least_known_drop must be from 0 to below 1, got 10"):
        replace(MODEL, least_known_drop=10.0)
