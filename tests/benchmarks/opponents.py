"""The same work with other tools, each in the best form that we know: 720 steps, worst fall from the high of 24 steps.

Functions that fill `worst_drops` one path after the other are plain Python, for numba to compile.
"""

import numpy as np
import QuantLib as ql  # noqa: N813 (its own custom)
from arch import arch_model
from arch.univariate import StudentsT
from scipy.ndimage import maximum_filter1d

from tests.benchmarks.works import CONSTANT, N_STEPS, WINDOW

DEVIATION = CONSTANT.annual / np.sqrt(8760.0)
BATCH = 200  # paths: the arrays of NumPy stay in the second-level cache, which is its fastest size


def numpy_and_scipy(generator, n_paths):
    """Shock, cumulate, filter, subtract, reduce: five passes over arrays that are allocated once."""
    shocks = np.empty((BATCH, N_STEPS))
    log_prices = np.zeros((BATCH, N_STEPS + 1))
    highs = np.empty_like(log_prices)
    worst = np.empty(n_paths)
    for first in range(0, n_paths, BATCH):
        generator.standard_normal(out=shocks)
        np.multiply(shocks, DEVIATION, out=shocks)
        np.cumsum(shocks, axis=1, out=log_prices[:, 1:])
        maximum_filter1d(log_prices, WINDOW + 1, axis=1, output=highs, origin=WINDOW // 2, mode="nearest")
        np.subtract(highs, log_prices, out=highs)
        highs.max(axis=1, out=worst[first : first + BATCH])
    return -np.expm1(-worst)


def numpy_by_doubling(generator, n_paths):
    """The high of a window from the highs of its halves: five vectorised maxima in place of the filter."""
    log_prices = np.zeros((N_STEPS + 1, BATCH))
    highs, spare = np.empty_like(log_prices), np.empty_like(log_prices)
    worst = np.empty(n_paths)
    for first in range(0, n_paths, BATCH):
        generator.standard_normal(out=log_prices[1:])
        np.multiply(log_prices, DEVIATION, out=log_prices)
        np.cumsum(log_prices, axis=0, out=log_prices)
        highs[:] = log_prices
        span = 1
        while span < WINDOW + 1:
            shift = min(span, WINDOW + 1 - span)
            np.maximum(highs[shift:], highs[:-shift], out=spare[shift:])
            spare[:shift] = highs[:shift]
            highs, spare = spare, highs
            span += shift
        np.subtract(highs, log_prices, out=highs)
        highs.max(axis=0, out=worst[first : first + BATCH])
    return -np.expm1(-worst)


def van_herk(generator, worst_drops):
    """Prefix and suffix maxima over blocks of one window, in one pass."""
    rest = np.empty(WINDOW + 2)
    for path in range(worst_drops.size):
        rest[:] = -1e308
        rest[0] = 0.0
        price = level = worst = 0.0
        position = 1
        for shock in generator.standard_normal(N_STEPS):
            price += DEVIATION * shock
            level = price if price > level else level
            high = rest[position + 1] if rest[position + 1] > level else level
            worst = high - price if high - price > worst else worst
            rest[position] = price
            position += 1
            if position > WINDOW:
                position, level = 0, -1e308
                for i in range(WINDOW - 1, -1, -1):
                    rest[i] = rest[i + 1] if rest[i + 1] > rest[i] else rest[i]
        worst_drops[path] = -np.expm1(-worst)


def deque(generator, worst_drops):
    """A ring of decreasing prices; the first is the high of the window."""
    size = WINDOW + 2
    prices, steps = np.empty(size), np.empty(size, np.int64)
    for path in range(worst_drops.size):
        price = worst = prices[0] = 0.0
        first = last = steps[0] = 0
        for step in range(1, N_STEPS + 1):
            price += DEVIATION * generator.standard_normal()
            if steps[first % size] < step - WINDOW:
                first += 1
            while last >= first and prices[last % size] <= price:
                last -= 1
            last += 1
            prices[last % size], steps[last % size] = price, step
            fall = prices[first % size] - price
            worst = fall if fall > worst else worst
        worst_drops[path] = -np.expm1(-worst)


def one_touch(drop):
    """Build an option that pays 1 when the price falls below a fixed barrier, without interest or dividends."""
    today = ql.Date(1, 1, 2025)
    ql.Settings.instance().evaluationDate = today
    days = ql.Actual365Fixed()
    no_interest = ql.YieldTermStructureHandle(ql.FlatForward(today, 0.0, days))
    volatility = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), CONSTANT.annual, days))
    spot = ql.QuoteHandle(ql.SimpleQuote(1.0))
    never_paid = ql.PlainVanillaPayoff(ql.Option.Call, 1e6)
    option = ql.BarrierOption(ql.Barrier.DownOut, 1.0 - drop, 1.0, never_paid, ql.EuropeanExercise(today + 30))
    return option, ql.BlackScholesMertonProcess(spot, no_interest, no_interest, volatility)


def quantlib_touch_probability(option, process, seed, n_paths):
    """Price by simulation on the grid, without the bridge between its points."""
    engine = ql.MCBarrierEngine(
        process, "pseudorandom", timeSteps=N_STEPS, requiredSamples=n_paths, isBiased=True, seed=seed
    )
    option.setPricingEngine(engine)
    return option.NPV()


def arch_result(law, dof, residuals):
    """Fix the parameters of an arch model on a history that `law` makes of residuals, in per cent as arch advises."""
    omega, initial_variance = 1e4 * law.omega, 1e4 * law.initial_variance
    returns, variance = np.empty_like(residuals), initial_variance
    for step, residual in enumerate(residuals):
        returns[step] = np.sqrt(variance) * residual
        asymmetry = law.gamma if residual < 0.0 else 0.0
        variance = omega + (law.alpha + asymmetry) * returns[step] ** 2 + law.beta * variance
    model = arch_model(returns, mean="Zero", vol="GARCH", p=1, o=1, q=1, dist="t", rescale=False)
    model.distribution = StudentsT(seed=1)
    return model.fix([omega, law.alpha, law.gamma, law.beta, dof])


def worst_drops_of_returns(returns):
    """Reduce log returns in per cent, shape (n_paths, n_steps), to the worst drop of each path."""
    log_prices = np.pad(np.cumsum(returns / 100.0, axis=1), ((0, 0), (1, 0)))
    highs = maximum_filter1d(log_prices, WINDOW + 1, axis=1, origin=WINDOW // 2, mode="nearest")
    return -np.expm1(-(highs - log_prices).max(axis=1))
