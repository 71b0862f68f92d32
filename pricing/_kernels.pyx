# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Paths in, worst drops out: the only compiled file.

Sixteen paths advance side by side, one per lane. A block of paths flows through small stages over a chunk of rows that
stays in the first-level cache::

    words -> innovations -> returns (volatility law) -> jumps -> log prices -> one stage per watch -> worst drops

Neither payouts nor drops enter. Every inner loop runs over lanes in plain arithmetic, without calls into the C library,
so the compiler vectorises it and the bits do not depend on the instruction set. Random numbers are a function of
(seed, stream, path) alone, so neither threads nor batches can change a result. No function here allocates, raises or
keeps anything: the GIL is released, scratch memory belongs to the caller, trouble is counted and returned.

The same stages in plain NumPy, one path a column, are in ``tests/pricing/kernel_twin.py``.
"""

from libc.stdint cimport int64_t, uint64_t

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    static inline double double_of_bits(uint64_t bits) { double x; memcpy(&x, &bits, 8); return x; }
    static inline uint64_t bits_of_double(double x) { uint64_t bits; memcpy(&bits, &x, 8); return bits; }
    static inline uint64_t rotate_left(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
    /* Keeps a loop scalar: four plain loads from one cache line beat four gathers from four lines. */
    static int runs_avx2(void) {
    #if defined(__x86_64__) && defined(__GNUC__)
        __builtin_cpu_init();
        return __builtin_cpu_supports("avx2") != 0;
    #else
        return 0;
    #endif
    }
    static int runs_avx512(void) {
    #if defined(__x86_64__) && defined(__GNUC__)
        __builtin_cpu_init();
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")
            && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
    #else
        return 0;
    #endif
    }
    #if defined(__GNUC__)
    static inline uint64_t one_by_one(uint64_t x) { __asm__("" : "+r"(x)); return x; }
    #else
    static inline uint64_t one_by_one(uint64_t x) { return x; }
    #endif
    """
    double double_of_bits(uint64_t bits) noexcept nogil
    uint64_t bits_of_double(double x) noexcept nogil
    uint64_t rotate_left(uint64_t x, int k) noexcept nogil
    uint64_t one_by_one(uint64_t x) noexcept nogil
    int runs_avx2() noexcept nogil
    int runs_avx512() noexcept nogil
    double sqrt "__builtin_sqrt"(double x) noexcept nogil

cdef enum:
    LANES = 16
    CHUNK = 32  # rows of a chunk: 4 KiB a buffer
    OCTAVES = 53  # of the uniform, from 2^-53 to 1
    SEGMENTS = 32  # an octave
    SIDE = OCTAVES * SEGMENTS  # segments on one side of a quantile table

cdef enum:  # as in pricing.triggers.Reference
    ROLLING_HIGH = 0
    LAGGED = 1
    RUNNING_HIGH = 2
    INCEPTION = 3

cdef double BELOW_ANY_PRICE = -1e308
cdef uint64_t EXPONENT_OF_ONE = 0x3FF0000000000000ULL
cdef uint64_t FIRST_SEGMENT = (1023 - OCTAVES) * SEGMENTS
cdef uint64_t INSIDE_SEGMENT = (1ULL << 47) - 1

N_LANES = LANES
N_OCTAVES = OCTAVES
N_SEGMENTS = SEGMENTS


def instruction_sets():
    """Name the instruction sets that this processor runs and that the kernel is built for, narrowest first."""
    return ["baseline"] + ["avx2"] * bool(runs_avx2()) + ["avx512"] * bool(runs_avx512())


# ---------------------------------------------------------------------------------------------- random words

cdef struct Generator:  # xoshiro256++ (Blackman and Vigna 2021), one a lane
    uint64_t s0[LANES]
    uint64_t s1[LANES]
    uint64_t s2[LANES]
    uint64_t s3[LANES]


cdef inline uint64_t splitmix(uint64_t *state) noexcept nogil:
    """Advance a SplitMix64 generator (Steele, Lea and Flood 2014)."""
    cdef uint64_t z
    state[0] += 0x9E3779B97F4A7C15ULL
    z = state[0]
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL
    return z ^ (z >> 31)


cdef void seed_generator(Generator *generator, uint64_t seed, uint64_t stream, uint64_t first_path) noexcept nogil:
    """Give every lane a state of its own, a hash of (seed, stream, path)."""
    cdef uint64_t state
    cdef Py_ssize_t lane
    for lane in range(LANES):
        state = seed
        state = splitmix(&state) ^ stream
        state = splitmix(&state) ^ (first_path + lane)
        generator.s0[lane] = splitmix(&state)
        generator.s1[lane] = splitmix(&state)
        generator.s2[lane] = splitmix(&state)
        generator.s3[lane] = splitmix(&state)


cdef inline uint64_t next_word(Generator *generator, Py_ssize_t lane) noexcept nogil:
    cdef uint64_t s0 = generator.s0[lane], s1 = generator.s1[lane], s2 = generator.s2[lane], s3 = generator.s3[lane]
    cdef uint64_t word = rotate_left(s0 + s3, 23) + s0
    s2 ^= s0
    s3 ^= s1
    generator.s0[lane] = s0 ^ s3
    generator.s2[lane] = s2 ^ (s1 << 17)
    generator.s1[lane] = s1 ^ s2
    generator.s3[lane] = rotate_left(s3, 45)
    return word


cdef void word_stage(Generator *generator, Py_ssize_t rows, uint64_t *words) noexcept nogil:
    cdef Py_ssize_t row, lane
    for row in range(rows):
        for lane in range(LANES):
            words[row * LANES + lane] = next_word(generator, lane)


# ------------------------------------------------------------------------------------------------ innovations

cdef inline double uniform_of(uint64_t word) noexcept nogil:
    """Turn the upper 52 bits into an odd multiple of 2^-53: strictly inside (0, 1), and exact."""
    return double_of_bits((word >> 12) | EXPONENT_OF_ONE) - (1.0 - 1.1102230246251565e-16)


cdef inline uint64_t segment_of(double uniform, uint64_t side) noexcept nogil:
    """Take the segment from the exponent and the upper five bits of the mantissa."""
    return (bits_of_double(uniform) >> 47) - FIRST_SEGMENT + side * SIDE


cdef inline double place_in_segment(double uniform) noexcept nogil:
    """Return the other bits of the mantissa as a number from 0 to 1."""
    return double_of_bits(((bits_of_double(uniform) & INSIDE_SEGMENT) << 5) | EXPONENT_OF_ONE) - 1.0


cdef inline double cubic(const double *coefficients, double t) noexcept nogil:
    return coefficients[0] + t * (coefficients[1] + t * (coefficients[2] + t * coefficients[3]))


cdef inline double table_value(const double *table, uint64_t side, double uniform) noexcept nogil:
    """Evaluate one side of a quantile table: four cubic coefficients a segment."""
    return cubic(table + 4 * segment_of(uniform, side), place_in_segment(uniform))


cdef void table_stage(const double *table, Py_ssize_t rows, const uint64_t *words, double *innovations) noexcept nogil:
    """Draw from a quantile table: the lowest bit takes the side, the upper bits the place on it."""
    cdef uint64_t segments[CHUNK * LANES]
    cdef double uniform
    cdef Py_ssize_t i
    for i in range(rows * LANES):
        uniform = uniform_of(words[i])
        segments[i] = segment_of(uniform, words[i] & 1)
        innovations[i] = place_in_segment(uniform)
    for i in range(rows * LANES):
        innovations[i] = cubic(table + 4 * one_by_one(segments[i]), innovations[i])


cdef void empirical_stage(
    const double *values, uint64_t n_values, Py_ssize_t rows, const uint64_t *words, double *innovations
) noexcept nogil:
    """Draw from a list of values with equal probability, to within n_values / 2^32."""
    cdef Py_ssize_t i
    for i in range(rows * LANES):
        innovations[i] = values[<int64_t>(((words[i] >> 32) * n_values) >> 32)]


# --------------------------------------------------------------------------------------------- volatility laws

cdef void constant_stage(double deviation, Py_ssize_t rows, double *returns) noexcept nogil:
    """Turn innovations into returns of one deviation, in place."""
    cdef Py_ssize_t i
    for i in range(rows * LANES):
        returns[i] = deviation * returns[i]


cdef void garch_stage(const double *law, double *variance, Py_ssize_t rows, double *returns) noexcept nogil:
    """Turn innovations into GARCH(1,1) or GJR returns, in place; law is omega, alpha, beta, gamma."""
    cdef double omega = law[0], alpha_up = law[1], beta = law[2], alpha_down = law[1] + law[3]
    cdef double shock
    cdef Py_ssize_t row, lane
    for row in range(rows):
        for lane in range(LANES):
            shock = sqrt(variance[lane]) * returns[row * LANES + lane]
            variance[lane] = (
                omega + (alpha_down if shock < 0.0 else alpha_up) * (shock * shock) + beta * variance[lane]
            )
            returns[row * LANES + lane] = shock


# ------------------------------------------------------------------------------------------------------- jumps

cdef struct JumpSource:
    double mean_wait  # steps between jumps
    double split  # probability of the lower side of the size table
    const double *sizes
    Generator generator
    double next_time[LANES]  # in steps since the start of the path
    double soonest  # over the lanes


cdef void start_jumps(JumpSource *source, const double *waits) noexcept nogil:
    cdef Py_ssize_t lane
    for lane in range(LANES):
        source.next_time[lane] = next_wait(source, waits, lane)
    find_soonest(source)


cdef inline double next_wait(JumpSource *source, const double *waits, Py_ssize_t lane) noexcept nogil:
    return source.mean_wait * table_value(waits, 0, uniform_of(next_word(&source.generator, lane)))


cdef void find_soonest(JumpSource *source) noexcept nogil:
    cdef Py_ssize_t lane
    source.soonest = source.next_time[0]
    for lane in range(1, LANES):
        if source.next_time[lane] < source.soonest:
            source.soonest = source.next_time[lane]


cdef void jump_stage(
    JumpSource *source, const double *waits, int64_t step, Py_ssize_t rows, double *returns
) noexcept nogil:
    """Add every jump to the return of the step that it falls into."""
    cdef double end
    cdef Py_ssize_t row, lane
    for row in range(rows):
        end = <double>(step + row + 1)
        if source.soonest >= end:
            continue
        for lane in range(LANES):
            while source.next_time[lane] < end:
                returns[row * LANES + lane] += jump_size(source, lane)
                source.next_time[lane] += next_wait(source, waits, lane)
        find_soonest(source)


cdef inline double jump_size(JumpSource *source, Py_ssize_t lane) noexcept nogil:
    cdef uint64_t side = 1 if uniform_of(next_word(&source.generator, lane)) > source.split else 0
    return table_value(source.sizes, side, uniform_of(next_word(&source.generator, lane)))


# -------------------------------------------------------------------------------------------------- log prices

cdef void cumulate_stage(double drift, double *price, Py_ssize_t rows, double *returns) noexcept nogil:
    """Turn returns into log prices, in place."""
    cdef Py_ssize_t row, lane
    for row in range(rows):
        for lane in range(LANES):
            price[lane] = price[lane] + (drift + returns[row * LANES + lane])
            returns[row * LANES + lane] = price[lane]


# --------------------------------------------------------------------------------------------------- references

cdef struct Watch:
    int64_t reference
    int64_t window  # in steps
    int64_t start  # step at which the observation begins
    int64_t position  # row of the memory that the next price goes to
    double *memory  # window + 2 rows of lanes
    double level[LANES]  # highest price of the current block, of all times, or the first price
    double worst[LANES]  # log drop


cdef void open_watch(Watch *watch, const double *price) noexcept nogil:
    """Begin the observation: the price of this moment is the first reference."""
    cdef int64_t i
    cdef Py_ssize_t lane
    for i in range((watch.window + 2) * LANES):
        watch.memory[i] = BELOW_ANY_PRICE
    watch.position = 0
    for lane in range(LANES):
        watch.level[lane] = price[lane]
        watch.worst[lane] = 0.0
    if watch.reference == ROLLING_HIGH or watch.reference == LAGGED:
        for lane in range(LANES):
            watch.memory[lane] = price[lane]
        watch.position = 1
    if watch.reference == LAGGED and watch.window == 1:
        watch.position = 0


cdef void watch_stage(Watch *watch, Py_ssize_t rows, const double *prices) noexcept nogil:
    if watch.reference == ROLLING_HIGH:
        rolling_high_stage(watch, rows, prices)
    elif watch.reference == LAGGED:
        lagged_stage(watch, rows, prices)
    elif watch.reference == RUNNING_HIGH:
        running_high_stage(watch, rows, prices)
    else:
        inception_stage(watch, rows, prices)


cdef void rolling_high_stage(Watch *watch, Py_ssize_t rows, const double *prices) noexcept nogil:
    """Compare with the highest of the last window + 1 prices (van Herk 1992).

    Time is cut into blocks of window + 1 rows. The highest price of a window is the larger of the highest so far in
    this block (the level) and the highest of the rest of the block before (a suffix maximum, in the memory). A price
    takes the place of a suffix maximum that is no longer needed; the row after the last stays below any price.
    """
    cdef double price, high
    cdef double *here
    cdef double *rest
    cdef int64_t i
    cdef Py_ssize_t row, lane
    for row in range(rows):
        here = watch.memory + watch.position * LANES
        rest = here + LANES
        for lane in range(LANES):
            price = prices[row * LANES + lane]
            watch.level[lane] = price if price > watch.level[lane] else watch.level[lane]
            high = rest[lane] if rest[lane] > watch.level[lane] else watch.level[lane]
            watch.worst[lane] = high - price if high - price > watch.worst[lane] else watch.worst[lane]
            here[lane] = price
        watch.position += 1
        if watch.position > watch.window:
            watch.position = 0
            for lane in range(LANES):
                watch.level[lane] = BELOW_ANY_PRICE
            for i in range(watch.window - 1, -1, -1):
                here = watch.memory + i * LANES
                rest = here + LANES
                for lane in range(LANES):
                    here[lane] = rest[lane] if rest[lane] > here[lane] else here[lane]


cdef void lagged_stage(Watch *watch, Py_ssize_t rows, const double *prices) noexcept nogil:
    """Compare with the price exactly one window ago; before that there is nothing to compare with."""
    cdef double drop
    cdef double *ago
    cdef Py_ssize_t row, lane
    for row in range(rows):
        ago = watch.memory + watch.position * LANES
        for lane in range(LANES):
            drop = ago[lane] - prices[row * LANES + lane]
            watch.worst[lane] = drop if drop > watch.worst[lane] else watch.worst[lane]
            ago[lane] = prices[row * LANES + lane]
        watch.position = watch.position + 1 if watch.position + 1 < watch.window else 0


cdef void running_high_stage(Watch *watch, Py_ssize_t rows, const double *prices) noexcept nogil:
    """Compare with the highest price since the observation began."""
    cdef double price, drop
    cdef Py_ssize_t row, lane
    for row in range(rows):
        for lane in range(LANES):
            price = prices[row * LANES + lane]
            watch.level[lane] = price if price > watch.level[lane] else watch.level[lane]
            drop = watch.level[lane] - price
            watch.worst[lane] = drop if drop > watch.worst[lane] else watch.worst[lane]


cdef void inception_stage(Watch *watch, Py_ssize_t rows, const double *prices) noexcept nogil:
    """Compare with the price at which the observation began."""
    cdef double drop
    cdef Py_ssize_t row, lane
    for row in range(rows):
        for lane in range(LANES):
            drop = watch.level[lane] - prices[row * LANES + lane]
            watch.worst[lane] = drop if drop > watch.worst[lane] else watch.worst[lane]


# ------------------------------------------------------------------------------------------------- worst drops

cdef double fraction_of_log_drop(double log_drop) noexcept nogil:
    """Return 1 - exp(-log_drop) with our own exponential, so that the bits agree everywhere."""
    cdef double term = 1.0, total = 1.0
    cdef int64_t halvings
    cdef double rest
    cdef int k
    if log_drop > 700.0:
        return 1.0
    halvings = <int64_t>(log_drop * 1.4426950408889634 + 0.5)
    rest = (log_drop - <double>halvings * 0.6931471803691238) - <double>halvings * 1.9082149292705877e-10
    for k in range(1, 15):
        term = term * (-rest / <double>k)
        total = total + term
    return 1.0 - total * double_of_bits(<uint64_t>(1023 - halvings) << 52)


# --------------------------------------------------------------------------------------------------------- block

cdef struct Plan:
    uint64_t seed
    double drift
    double deviation  # per step; the volatility is constant where law is NULL
    double initial_variance
    const double *law
    const double *innovations  # a quantile table, or values
    uint64_t n_values  # 0 for a quantile table
    const double *waits
    JumpSource *sources
    int64_t n_sources
    Watch *watches
    int64_t n_watches
    const int64_t *records  # rows of (term, watch, column), by term
    int64_t n_records
    double *worst_drops  # columns of paths
    int64_t n_columns_stride


cdef int simulate_block(Plan *plan, int64_t path, int64_t offset) noexcept nogil:
    """Run sixteen paths from the first step to the last record; return how many left the finite numbers."""
    cdef uint64_t words[CHUNK * LANES]
    cdef double prices[CHUNK * LANES]
    cdef double price[LANES]
    cdef double variance[LANES]
    cdef Generator generator
    cdef int64_t step = 0, record = 0, stop, i
    cdef Py_ssize_t lane, rows
    cdef int broken = 0

    seed_generator(&generator, plan.seed, 0, path)
    for i in range(plan.n_sources):
        seed_generator(&plan.sources[i].generator, plan.seed, 1 + i, path)
        start_jumps(&plan.sources[i], plan.waits)
    for lane in range(LANES):
        price[lane] = 0.0
        variance[lane] = plan.initial_variance

    while record < plan.n_records:
        stop = plan.records[3 * record]
        for i in range(plan.n_watches):
            if plan.watches[i].start == step:
                open_watch(&plan.watches[i], price)
            if step < plan.watches[i].start < stop:
                stop = plan.watches[i].start
        rows = stop - step if stop - step < CHUNK else CHUNK

        word_stage(&generator, rows, words)
        if plan.n_values:
            empirical_stage(plan.innovations, plan.n_values, rows, words, prices)
        else:
            table_stage(plan.innovations, rows, words, prices)
        if plan.law:
            garch_stage(plan.law, variance, rows, prices)
        else:
            constant_stage(plan.deviation, rows, prices)
        for i in range(plan.n_sources):
            jump_stage(&plan.sources[i], plan.waits, step, rows, prices)
        cumulate_stage(plan.drift, price, rows, prices)
        for i in range(plan.n_watches):
            if plan.watches[i].start <= step:
                watch_stage(&plan.watches[i], rows, prices)

        step += rows
        while record < plan.n_records and plan.records[3 * record] == step:
            store_worst_drops(plan, record, offset)
            record += 1

    for lane in range(LANES):
        if not price[lane] - price[lane] == 0.0:
            broken += 1
    return broken


cdef void store_worst_drops(Plan *plan, int64_t record, int64_t offset) noexcept nogil:
    cdef Watch *watch = &plan.watches[plan.records[3 * record + 1]]
    cdef double *column = plan.worst_drops + plan.records[3 * record + 2] * plan.n_columns_stride
    cdef Py_ssize_t lane
    for lane in range(LANES):
        column[offset + lane] = fraction_of_log_drop(watch.worst[lane])


def simulate_blocks(
    *,
    uint64_t seed,
    int64_t first_block,
    double drift,
    double deviation,
    double initial_variance,
    const double[::1] law,
    const double[::1] innovations,
    bint innovations_are_values,
    const double[::1] waits,
    const double[::1] mean_waits,
    const double[::1] splits,
    const double[:, ::1] sizes,
    const int64_t[:, ::1] watches,
    const int64_t[:, ::1] records,
    double[:, ::1] worst_drops,
):
    """Fill `worst_drops`, one row a record and one column a path; see the stub file for the arguments."""
    cdef int64_t n_watches = watches.shape[0], n_sources = mean_waits.shape[0]
    cdef int64_t n_blocks = worst_drops.shape[1] // LANES, block, rows = 0, i
    cdef int broken = 0
    watch_memory = bytearray(max(1, n_watches) * sizeof(Watch))
    source_memory = bytearray(max(1, n_sources) * sizeof(JumpSource))
    cdef Watch *watch = <Watch *><char *>watch_memory
    cdef JumpSource *source = <JumpSource *><char *>source_memory
    for i in range(n_watches):
        rows += watches[i, 1] + 2
    price_memory = bytearray(max(1, rows) * LANES * sizeof(double))
    cdef double *memory = <double *><char *>price_memory
    for i in range(n_watches):
        watch[i].reference, watch[i].window, watch[i].start = watches[i, 0], watches[i, 1], watches[i, 2]
        watch[i].memory = memory
        memory += (watches[i, 1] + 2) * LANES
    for i in range(n_sources):
        source[i].mean_wait, source[i].split, source[i].sizes = mean_waits[i], splits[i], &sizes[i, 0]

    cdef Plan plan
    plan.seed, plan.drift, plan.deviation, plan.initial_variance = seed, drift, deviation, initial_variance
    plan.law = &law[0] if law.shape[0] else NULL
    plan.innovations = &innovations[0]
    plan.n_values = <uint64_t>innovations.shape[0] if innovations_are_values else 0
    plan.waits = &waits[0]
    plan.sources, plan.n_sources = source, n_sources
    plan.watches, plan.n_watches = watch, n_watches
    plan.records, plan.n_records = &records[0, 0], records.shape[0]
    plan.worst_drops, plan.n_columns_stride = &worst_drops[0, 0], worst_drops.shape[1]
    with nogil:
        for block in range(n_blocks):
            broken += simulate_block(&plan, (first_block + block) * LANES, block * LANES)
    return broken
