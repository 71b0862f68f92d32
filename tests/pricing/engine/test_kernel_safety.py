"""Nothing that a caller passes or does breaks the kernel: absurd numbers, wrong arrays, threads, forks, nested runs."""

import contextlib
import dataclasses
import importlib
import os
import subprocess
import sys
import sysconfig
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricing import (
    ConstantVolatility,
    DoubleExponentialSizes,
    Empirical,
    Garch,
    GeneralizedParetoFalls,
    Jumps,
    Normal,
    NormalSizes,
    PriceModel,
    PricingError,
    Reference,
    SimulationSettings,
    StudentT,
    simulate,
)
from pricing.engine import kernel
from tests.checkout import CHECKOUT

OUTPUTS = ("worst_drops", "weights")
MODEL = PriceModel(
    volatility=Garch(omega=1e-6, alpha=0.05, beta=0.9, gamma=0.05, initial_variance=3e-4),
    innovations=StudentT(dof=4.0),
    jumps=(
        Jumps(per_year=24.0, sizes=NormalSizes(mean=-0.1, stdev=0.2)),
        Jumps(per_year=900.0, sizes=DoubleExponentialSizes(p_up=0.4, eta_up=20.0, eta_down=10.0)),
    ),
)
OTHER = PriceModel(volatility=ConstantVolatility(annual=3.0), innovations=Empirical(values=(-2.0, 0.5, 1.0)))


def drops_of(model, *, n_paths=5_000, n_threads=1, rare_drops=False, progress=None):
    sizes = SimulationSettings(n_paths=n_paths, seed=5, n_threads=n_threads, rare_drops=rare_drops)
    return simulate(
        model,
        windows=("1h", "24h"),
        terms=("60h", "3d"),
        references=tuple(Reference),
        settings=sizes,
        progress=progress,
    ).worst_drops


def steps(*counts):
    return tuple(timedelta(hours=count) for count in counts)


# ------------------------------------------------------------------------------------------------ absurd numbers


def logarithmic(smallest, largest):
    return st.floats(np.log10(smallest), np.log10(largest)).map(lambda exponent: 10.0**exponent)


COEFFICIENTS = st.just(0.0) | logarithmic(1e-300, 1e300)
VOLATILITIES = st.one_of(
    st.builds(ConstantVolatility, annual=st.just(0.0) | logarithmic(1e-9, 1e3)),
    st.builds(
        Garch,
        omega=COEFFICIENTS,
        alpha=COEFFICIENTS,
        beta=COEFFICIENTS,
        gamma=COEFFICIENTS,
        initial_variance=logarithmic(1e-300, 1e300),
    ),
)
INNOVATIONS = st.one_of(
    st.just(Normal()),
    st.builds(StudentT, dof=st.sampled_from((2.0001, 3.0, 1e6))),
    st.builds(Empirical, values=st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=3)),
)
JUMP_SIZES = st.one_of(
    st.builds(NormalSizes, mean=st.floats(-1e3, 1e3), stdev=st.floats(0.0, 1e3)),
    st.builds(
        DoubleExponentialSizes,
        p_up=st.floats(0.0, 1.0, allow_subnormal=False),
        eta_up=logarithmic(1e-3, 1e9),
        eta_down=logarithmic(1e-3, 1e9),
    ),
    st.builds(
        GeneralizedParetoFalls,
        threshold=st.floats(0.0, 1e3),
        scale=logarithmic(1e-9, 1e3),
        shape=st.floats(-0.99, 0.99),
    ),
)
JUMPS = st.builds(Jumps, per_year=st.just(0.0) | logarithmic(1e-300, 1e6), sizes=JUMP_SIZES)
MODELS = st.builds(
    PriceModel,
    volatility=VOLATILITIES,
    innovations=INNOVATIONS,
    jumps=st.lists(JUMPS, max_size=3),
    annual_drift=st.sampled_from((0.0, -1e6, 1e6, -1e308, 1e308)) | st.floats(-1e6, 1e6),
)


@settings(max_examples=200)
@given(
    model=MODELS,
    windows=st.lists(st.integers(1, 100), min_size=1, max_size=3),
    term=st.integers(1, 70),
    waiting=st.integers(0, 69),
    n_paths=st.integers(1, 40),
    seed=st.integers(0, 2**64 - 1),
)
def test_absurd_models_give_a_fraction_or_a_typed_error(model, windows, term, waiting, n_paths, seed):
    try:
        surface = simulate(
            model,
            windows=steps(*windows),
            terms=steps(term, waiting + 1),
            references=tuple(Reference),
            waiting_periods=steps(min(waiting, term - 1)),
            settings=SimulationSettings(n_paths=n_paths, seed=seed),
        )
    except PricingError:
        return
    assert ((surface.worst_drops >= 0.0) & (surface.worst_drops <= 1.0)).all()


@pytest.mark.parametrize("innovations", [Normal(), Empirical(values=(1.0,))])
@pytest.mark.parametrize("reference", Reference)
def test_one_path_over_one_step(innovations, reference):
    surface = simulate(
        PriceModel(volatility=ConstantVolatility(annual=1.0), innovations=innovations, annual_drift=-1e6),
        windows=steps(1),
        terms=steps(1),
        references=(reference,),
        settings=SimulationSettings(n_paths=1, seed=1),
    )
    fall = 1e6 / 8_760 - 20.0 / 8_760**0.5  # whatever the shock: no draw exceeds ten deviations
    assert surface.worst_drops.item() >= 1.0 - np.exp(-fall)


@pytest.mark.parametrize("window", [59, 60, 61, 10_000])
def test_a_window_beyond_the_observation_is_no_window(window):
    surface = simulate(
        MODEL,
        windows=steps(window),
        terms=steps(64),
        references=tuple(Reference),
        waiting_periods=steps(5),
        settings=SimulationSettings(n_paths=100, seed=3),
    )
    rows = {watched.reference: drops for watched, drops in zip(surface.signals, surface.worst_drops, strict=True)}
    assert np.array_equal(rows[Reference.ROLLING_HIGH], rows[Reference.RUNNING_HIGH])
    assert rows[Reference.LAGGED].any() == (window <= 59)


@given(terms=st.permutations(range(30, 60)), windows=st.permutations((1, 2, 31, 33, 90)))
@settings(max_examples=10)
def test_hundreds_of_signals_in_any_order(terms, windows):
    surface = simulate(
        MODEL,
        windows=steps(*windows),
        terms=steps(*terms),
        references=tuple(Reference),
        waiting_periods=steps(29, 0),
        settings=SimulationSettings(n_paths=16, seed=1),
    )
    assert len(surface.signals) == 30 * 2 * (2 * 5 + 2)
    rows = dict(zip(surface.signals, surface.worst_drops, strict=True))
    for watched, earlier in zip(surface.signals[1:], surface.signals[:-1], strict=True):
        if watched.term_steps == earlier.term_steps + 1:  # the same watch, one step later: nothing is forgotten
            assert (rows[watched] >= rows[earlier]).all()


# ---------------------------------------------------------------------------------------- the kernel as a function


def kernel_arguments(model, *, rare_drops):
    """Return what ``simulate`` passes to the kernel, after a run."""
    taken = {}

    def record(**arguments):
        taken.update(arguments)
        return kernel.simulate_blocks(**arguments)

    with mock.patch("pricing.engine.simulation.simulate_blocks", record):
        drops_of(model, n_paths=32, rare_drops=rare_drops)
    return taken


POISON = (np.nan, np.inf, -np.inf, 1e308, -1e308, 5e-324, -0.0)


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "rare drops"])
def arguments(request):
    return kernel_arguments(MODEL, rare_drops=request.param)


@pytest.fixture(scope="module")
def plain_arguments():
    return kernel_arguments(MODEL, rare_drops=False)


@pytest.fixture(scope="module")
def proposal():
    return kernel_arguments(MODEL, rare_drops=True)["proposal"]


def arrays_of(arguments):
    return {name: value for name, value in arguments.items() if isinstance(value, np.ndarray)}


def call(arguments, **changes):
    fresh = {name: np.full_like(arguments[name], np.nan) for name in OUTPUTS}
    arguments = {**arguments, **fresh, **changes}
    return kernel.simulate_blocks(**arguments), arguments["worst_drops"]


@settings(max_examples=150)
@given(data=st.data())
def test_any_float_in_any_input_gives_fractions_and_a_count(arguments, data):
    name = data.draw(
        st.sampled_from(("drift", "deviation", "initial_variance", "law", "innovations", "splits", "sizes"))
    )
    bad = data.draw(st.sampled_from(POISON) | st.floats())
    value = np.array(arguments[name])
    value.flat[data.draw(st.integers(0, value.size - 1)) if data.draw(st.booleans()) else slice(None)] = bad
    n_broken, drops = call(arguments, **{name: value if value.ndim else bad})
    assert 0 <= n_broken <= drops.shape[1]
    assert ((drops >= 0.0) & (drops <= 1.0)).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e308])
@pytest.mark.parametrize("name", ["waits", "mean_waits"])
def test_waits_without_end_are_waits_without_jumps(plain_arguments, name, bad):
    n_broken, drops = call(plain_arguments, **{name: np.full_like(plain_arguments[name], bad)})
    quiet = PriceModel(volatility=MODEL.volatility, innovations=MODEL.innovations)
    assert n_broken == 0
    assert np.array_equal(drops, drops_of(quiet, n_paths=32))


def test_what_is_only_read_may_be_read_only_and_stays_as_it_was(arguments):
    arrays = arrays_of(arguments)
    frozen = {name: array.copy() for name, array in arrays.items() if name not in OUTPUTS}
    for array in frozen.values():
        array.flags.writeable = False
    n_broken, drops = call(arguments, **frozen)
    assert n_broken == 0
    assert np.array_equal(drops, call(arguments)[1])
    assert all(np.array_equal(array, arrays[name]) for name, array in frozen.items())


@pytest.mark.parametrize("name", OUTPUTS)
def test_what_is_written_must_be_writable(arguments, name):
    output = arguments[name].copy()
    output.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        call(arguments, **{name: output})


def single(array):
    return array.astype(np.float32 if array.dtype == np.float64 else np.int32)


def other_kind(array):
    return array.astype(np.int64 if array.dtype == np.float64 else np.float64)


def foreign_bytes(array):
    return array.astype(array.dtype.newbyteorder())


def with_gaps(array):
    return np.repeat(array, 2, axis=-1)[..., ::2]


def one_more_dimension(array):
    return array[np.newaxis]


def no_dimension(array):
    return array.flat[:1].reshape(())


def as_list(array):
    return array.tolist()


def is_refused(arguments, **changes):
    try:
        call(arguments, **changes)
    except (TypeError, ValueError):
        return True
    return False


SPOILT = pytest.mark.parametrize(
    "spoil", [single, other_kind, foreign_bytes, with_gaps, one_more_dimension, no_dimension, as_list]
)


@SPOILT
def test_arrays_of_another_kind_are_refused(arguments, spoil):
    arrays = arrays_of(arguments)
    assert [name for name in arrays if not is_refused(arguments, **{name: spoil(arrays[name])})] == []


@SPOILT
def test_proposals_of_another_kind_are_refused(plain_arguments, proposal, spoil):
    arrays = arrays_of(dataclasses.asdict(proposal))
    spoilt = {name: dataclasses.replace(proposal, **{name: spoil(array)}) for name, array in arrays.items()}
    assert [name for name, other in spoilt.items() if not is_refused(plain_arguments, proposal=other)] == []


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"seed": -1}, OverflowError),
        ({"seed": 2**64}, OverflowError),
        ({"first_block": 2**63}, OverflowError),
        ({"first_block": "0"}, TypeError),
        ({"drift": "1"}, TypeError),
        ({"deviation": None}, TypeError),
        ({"no_such_argument": 1}, TypeError),
    ],
)
def test_numbers_of_another_kind_are_refused(arguments, changes, error):
    with pytest.raises(error):
        call(arguments, **changes)


# -------------------------------------------------------------------------------- threads, forks, calls in calls


@pytest.mark.parametrize("build", kernel.usable_builds())
def test_a_run_leaves_nothing_in_the_module(arguments, build):
    module = kernel.load_build(build)
    before = dict(vars(module))
    module.simulate_blocks(**arguments)
    assert vars(module) == before
    assert all(vars(module)[name] is value for name, value in before.items())


def test_calls_from_many_threads_give_the_bits_of_serial_calls():
    n_threads = 8
    jobs = [(MODEL, False), (MODEL, True), (OTHER, False), (OTHER, True)] * (n_threads // 4)
    start = threading.Barrier(n_threads)

    def run(job):
        start.wait()
        return [drops_of(job[0], rare_drops=job[1]) for _ in range(3)]

    with ThreadPoolExecutor(n_threads) as pool:
        for (model, rare_drops), runs in zip(jobs, pool.map(run, jobs), strict=True):
            expected = drops_of(model, rare_drops=rare_drops)
            assert all(np.array_equal(drops, expected) for drops in runs)


@pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this interpreter has a GIL")
def test_the_kernel_leaves_the_gil_off():
    for build in kernel.usable_builds():
        kernel.load_build(build)
    assert not sys._is_gil_enabled()


def test_a_run_inside_a_run_changes_neither():
    inner = []
    outer = drops_of(MODEL, progress=lambda _: inner.append(drops_of(OTHER)))
    assert np.array_equal(outer, drops_of(MODEL))
    assert len(inner) == 2
    assert all(np.array_equal(drops, drops_of(OTHER)) for drops in inner)


def count_threads():
    """Count the threads of this process, those below Python included where the system lists them."""
    tasks = Path("/proc/self/task")
    return threading.active_count(), len(list(tasks.iterdir())) if tasks.is_dir() else 0


def threads_during(n_threads):
    counts = []
    drops_of(MODEL, n_threads=n_threads, progress=lambda _: counts.append(count_threads()))
    return counts


def test_one_thread_is_this_thread():
    before = count_threads()
    assert threads_during(1) == [before, before]
    assert threads_during(2)[0][0] > before[0]


FORKS = """
import multiprocessing

from tests.pricing.engine.test_kernel_safety import MODEL, drops_of

def digest(queue, n_threads):
    queue.put(drops_of(MODEL, n_threads=n_threads).tobytes())

def in_a_child(n_threads):
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=digest, args=(queue, n_threads))
    child.start()
    drops = queue.get(timeout=60)
    child.join()
    return drops

digests = [in_a_child(1), drops_of(MODEL).tobytes(), in_a_child(1), in_a_child(2)]
digests += [drops_of(MODEL, n_threads=2).tobytes(), in_a_child(2)]
print(len(digests), len(set(digests)))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_forks_before_and_after_a_run_get_the_same_bits():
    root = CHECKOUT
    child = subprocess.run([sys.executable, "-c", FORKS], cwd=root, capture_output=True, text=True, check=False)
    assert child.stdout == "6 1\n", child.stderr


SECOND_INTERPRETER = """
import importlib.util, os
spec = importlib.util.spec_from_file_location("pricing._kernels", {path!r})
try:
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    answer = b"served"
except ImportError:
    answer = b"refused"
os.write({pipe}, answer)
"""


def interpreters():
    for name in ("_interpreters", "_xxsubinterpreters"):
        with contextlib.suppress(ImportError):
            return importlib.import_module(name)
    pytest.skip("this Python has no second interpreters")


def test_a_second_interpreter_is_refused_and_the_first_lives_on(plain_arguments):
    # The module holds its Python objects once a process, and says so instead of sharing them.
    module, before = interpreters(), call(plain_arguments)[1]
    reader, writer = os.pipe()
    second = module.create()
    module.run_string(second, SECOND_INTERPRETER.format(path=kernel._kernels.__file__, pipe=writer))
    module.destroy(second)
    assert os.read(reader, 10) == b"refused"
    os.close(reader)
    os.close(writer)
    assert np.array_equal(call(plain_arguments)[1], before)


# ------------------------------------------------------------------------------------------------ sizes beyond memory


def test_windows_that_fill_any_memory_are_windows_without_end():
    model = PriceModel(volatility=ConstantVolatility(annual=1.0), innovations=Normal(), step="1s")
    longest = 999_999_999 * 86_400
    windows = [timedelta(seconds=longest - i) for i in range(2**57 // longest)]
    surface = simulate(model, windows=windows, terms=("10s",), settings=SimulationSettings(n_paths=1, seed=1))
    assert len({drops.tobytes() for drops in surface.worst_drops}) == 1


def test_a_window_beyond_any_memory_reaches_back_to_the_start():
    surface = simulate(
        MODEL,
        windows=("999999999d",),
        references=(Reference.ROLLING_HIGH, Reference.RUNNING_HIGH),
        settings=SimulationSettings(n_paths=16, seed=1),
    )
    assert np.array_equal(*surface.worst_drops)


@pytest.mark.parametrize("text", ["9999999999d", "9" * 5_000 + "d"])
def test_durations_beyond_time_are_typed(text):
    with pytest.raises(PricingError, match="must be a duration that fits a timedelta"):
        simulate(MODEL, terms=(text,))


# ------------------------------------------------------------------------------------- arguments that do not fit


@pytest.mark.parametrize("name", ["innovations", "waits", "splits", "law", "weights"])
@pytest.mark.parametrize("spoil", [lambda array: array[:1].copy(), lambda array: array[:0].copy(), lambda _: None])
def test_arrays_of_another_length_are_refused(plain_arguments, name, spoil):
    spoilt = spoil(plain_arguments[name])
    if name == "law" and spoilt is not None and not spoilt.size:
        pytest.skip("no law is a law: constant volatility")
    if spoilt is not None and len(spoilt) == len(plain_arguments[name]):
        pytest.skip("the model has one of these")
    assert is_refused(plain_arguments, **{name: spoilt})


@pytest.mark.parametrize("record", [(72, 99, 0), (72, 0, 99), (72, -1, 0), (0, 0, 0)])
def test_records_of_nothing_are_refused(plain_arguments, record):
    records = np.tile(np.array(record), (len(plain_arguments["records"]), 1))
    assert is_refused(plain_arguments, records=records)


@pytest.mark.parametrize("watch", [(0, -3, 0), (7, 24, 0), (0, 24, -1), (0, 0, 0)])
def test_watches_of_nothing_are_refused(plain_arguments, watch):
    watches = np.tile(np.array(watch), (len(plain_arguments["watches"]), 1))
    assert is_refused(plain_arguments, watches=watches)


def test_jumps_without_a_wait_are_refused(plain_arguments):
    assert is_refused(plain_arguments, mean_waits=np.zeros_like(plain_arguments["mean_waits"]))


# ------------------------------------------------------------------------------------------ proposals at their limits


@pytest.mark.parametrize("persistence", [0.97, 0.99, 0.995, 0.998, 1.1])
def test_weights_average_one_under_persistent_volatility(persistence):
    law = Garch(omega=1e-7, alpha=0.05, beta=persistence - 0.05, initial_variance=1e-4)
    size = SimulationSettings(n_paths=20_000, seed=3, rare_drops=True)
    weights = simulate(PriceModel(volatility=law, innovations=Normal()), settings=size).weights
    assert abs(weights.mean() - 1.0) < 4.0 * weights.std() / len(weights) ** 0.5


@pytest.mark.parametrize(
    "model",
    [
        PriceModel(volatility=MODEL.volatility, innovations=Empirical(values=(1.0,))),
        PriceModel(
            volatility=ConstantVolatility(annual=0.05),
            innovations=Normal(),
            jumps=(Jumps(per_year=1.0, sizes=NormalSizes(mean=0.5, stdev=0.0)),),
        ),
    ],
)
def test_laws_that_cannot_be_tilted_stay_plain_or_finite(model):
    weights = simulate(model, settings=SimulationSettings(n_paths=100, seed=3, rare_drops=True)).weights
    assert weights is None or (np.isfinite(weights) & (weights > 0.0)).all()
