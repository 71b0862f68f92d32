# cython: language_level=3, wraparound=False, cdivision=True, initializedcheck=False, freethreading_compatible=True
"""Paths in, worst drops out: the only compiled file.

Sixteen paths advance side by side, one per lane. A block of paths flows through small stages over a chunk of rows that
stays in the first-level cache::

    words -> segments -> innovations -> returns (volatility law) -> jumps -> log prices -> one stage per watch

For rare drops some segments and jumps are drawn from other laws, and one stage per law accumulates the likelihood ratio
of the path; see ``pricing/engine/rare_drops/mixture.py``.

Neither payouts nor drops enter. Every inner loop runs over lanes in plain arithmetic, without calls into the C library,
so the compiler vectorises it and the bits do not depend on the instruction set. Random numbers are a function of
(seed, stream, path) alone, so the number of threads and batches does not change a result. No stage allocates, raises or
keeps anything: the GIL is released, scratch memory belongs to the caller, failures are counted and returned. Running
values of a stage live in local arrays, because a store to shared memory in one row would stall the load in the next.

The same stages in plain NumPy, one path per column, are in ``tests/pricing/engine/kernel_twin.py``.
"""

import numpy as np

from libc.stdint cimport int64_t, uint64_t

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    static inline double double_of_bits(uint64_t bits) { double x; memcpy(&x, &bits, 8); return x; }
    static inline uint64_t bits_of_double(double x) { uint64_t bits; memcpy(&bits, &x, 8); return bits; }
    static inline uint64_t rotate_left(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
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
    /* Keep a loop scalar: four plain loads from one cache line beat four gathers from four lines. */
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
    CHUNK = 32  # rows of a chunk: 4 KiB per buffer
    OCTAVES = 53  # of the uniform, from 2^-53 to 1
    SEGMENTS = 32  # per octave
    SIDE = OCTAVES * SEGMENTS  # segments on one side of a quantile table

cdef enum:  # random streams of a path
    INNOVATION_STREAM = 0
    FIRST_JUMP_STREAM = 1
    PROPOSAL_STREAM = 1 << 30

cdef enum:  # as in pricing.triggers.Reference
    ROLLING_HIGH = 0
    LAGGED = 1
    RUNNING_HIGH = 2
    INCEPTION = 3

cdef double BELOW_ANY_PRICE = -1e308
cdef double NEVER = 1e308
cdef uint64_t EXPONENT_OF_ONE = 0x3FF0000000000000ULL
cdef uint64_t FIRST_SEGMENT = (1023 - OCTAVES) * SEGMENTS
cdef uint64_t INSIDE_SEGMENT = (1ULL << 47) - 1

N_LANES = LANES
N_OCTAVES = OCTAVES
N_SEGMENTS = SEGMENTS


def instruction_sets():
    """Return the instruction sets that this processor supports and the kernel is built for, narrowest first."""
    return ["baseline"] + ["avx2"] * bool(runs_avx2()) + ["avx512"] * bool(runs_avx512())


# ---------------------------------------------------------------------------------------------- random words

cdef struct Generator:  # xoshiro256++ (Blackman and Vigna 2021), one per lane
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
    """Give every lane its own state, a hash of (seed, stream, path)."""
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
    """Evaluate one side of a quantile table: four cubic coefficients per segment."""
    return cubic(table + 4 * segment_of(uniform, side), place_in_segment(uniform))


cdef void segment_stage(
    uint64_t n_values, Py_ssize_t rows, const uint64_t *words, uint64_t *segments, double *places
) noexcept nogil:
    """Turn words into segments of a quantile table and places within them, or into indices of values.

    The lowest bit selects the side of the table and the upper bits the place on it. A value is drawn with equal
    probability to within n_values / 2^32.
    """
    cdef double uniform
    cdef Py_ssize_t i
    if n_values:
        for i in range(rows * LANES):
            segments[i] = ((words[i] >> 32) * n_values) >> 32
        return
    for i in range(rows * LANES):
        uniform = uniform_of(words[i])
        segments[i] = segment_of(uniform, words[i] & 1)
        places[i] = place_in_segment(uniform)


cdef void table_stage(
    const double *table, Py_ssize_t rows, const uint64_t *segments, const double *places, double *innovations
) noexcept nogil:
    """Evaluate a quantile table."""
    cdef Py_ssize_t i
    for i in range(rows * LANES):
        innovations[i] = cubic(table + 4 * one_by_one(segments[i]), places[i])


cdef void value_stage(
    const double *values, Py_ssize_t rows, const uint64_t *segments, double *innovations
) noexcept nogil:
    """Look values up."""
    cdef Py_ssize_t i
    for i in range(rows * LANES):
        innovations[i] = values[one_by_one(segments[i])]


# ---------------------------------------------------------------------------------------------------- proposals

cdef struct Rolling:  # a sum over the last `window` rows
    int64_t window
    int64_t position  # row of the memory for the next level
    double *memory  # window rows of lanes
    double level[LANES]  # sum of all rows so far


cdef struct Group:  # tilts that share a window and a statistic
    int64_t window
    const double *placements  # probability of each start
    const double *cumulated_placements
    int64_t n_placements
    const double *innovation_statistic  # one number per segment
    const double *size_statistic  # one number per segment, sources 2 * SIDE apart
    Rolling statistics
    Rolling counts  # of jumps
    double statistic[CHUNK * LANES]  # of the row, then of the window that ends there
    double count[CHUNK * LANES]


cdef struct Component:  # a law from which paths are drawn
    double share
    Group *group  # NULL if no window is tilted
    double tilt
    double log_moment  # of the window
    double per_jump  # one over the expected number of jumps in the window if it contains the extra jump, or 0
    const double *innovation_cumulated  # tilted probabilities of the segments
    const double *size_cumulated  # the same, sources 2 * SIDE apart
    const double *multiplicity  # factor on the rate of each source
    const double *source_cumulated  # probability that each source makes the extra jump; zeros if there is none
    const double *size_ratio  # of the extra jump if no window is tilted: one number per segment, sources 2 * SIDE apart
    double ratio[LANES]  # ratio of the path's likelihood to that under the model


cdef struct Proposal:  # a mixture of the model itself and of the components
    int64_t n_components  # 0 for plain simulation
    double plain_share
    const double *cumulated_shares
    Component *components
    int64_t n_segments
    int64_t n_sources
    int64_t n_groups
    Group *groups
    const double *moments  # probability that each step contains the extra jump of a component without a window
    const double *cumulated_moments
    int64_t n_moments
    Generator generator
    Component *drawn[LANES]  # NULL for the model
    double begin[LANES]  # of the tilted window
    double end[LANES]
    int64_t further_source[LANES]  # of the extra jump
    double further_time[LANES]


cdef void choose_components(Proposal *proposal) noexcept nogil:
    """Draw, for each path, its component, the start of its window and the time of its extra jump."""
    cdef int64_t i
    cdef Py_ssize_t lane
    for lane in range(LANES):
        proposal.drawn[lane] = NULL
        proposal.begin[lane] = proposal.end[lane] = proposal.further_time[lane] = NEVER
        proposal.further_source[lane] = -1
        choose_component(proposal, lane, uniform_of(next_word(&proposal.generator, lane)))
    for i in range(proposal.n_components):
        for lane in range(LANES):
            proposal.components[i].ratio[lane] = 0.0
    for i in range(proposal.n_groups):
        open_rolling(&proposal.groups[i].statistics)
        open_rolling(&proposal.groups[i].counts)


cdef void choose_component(Proposal *proposal, Py_ssize_t lane, double uniform) noexcept nogil:
    cdef Component *component
    cdef Group *group
    if uniform < proposal.plain_share:
        return
    component = &proposal.components[search(proposal.cumulated_shares, proposal.n_components, uniform)]
    group = component.group
    proposal.drawn[lane] = component
    if group != NULL:
        uniform = uniform_of(next_word(&proposal.generator, lane))
        proposal.begin[lane] = <double>search(group.cumulated_placements, group.n_placements, uniform)
        proposal.end[lane] = proposal.begin[lane] + <double>group.window
    if proposal.n_sources and component.source_cumulated[proposal.n_sources - 1] > 0.0:
        uniform = uniform_of(next_word(&proposal.generator, lane))
        proposal.further_source[lane] = search(component.source_cumulated, proposal.n_sources, uniform)
        uniform = uniform_of(next_word(&proposal.generator, lane))
        if group != NULL:
            proposal.further_time[lane] = proposal.begin[lane] + <double><int64_t>(uniform * <double>group.window)
        else:
            proposal.further_time[lane] = <double>search(proposal.cumulated_moments, proposal.n_moments, uniform)


cdef inline int64_t search(const double *cumulated, int64_t n, double uniform) noexcept nogil:
    """Return the first entry above `uniform`, or the last."""
    cdef int64_t low = 0, high = n - 1, middle
    while low < high:
        middle = (low + high) >> 1
        if cumulated[middle] > uniform:
            high = middle
        else:
            low = middle + 1
    return low


cdef inline double place_between(const double *cumulated, int64_t i, double uniform) noexcept nogil:
    """Return where `uniform` lies between entry i - 1 and entry i, as a number from 0 to 1."""
    cdef double below = cumulated[i - 1] if i else 0.0
    return (uniform - below) / (cumulated[i] - below) if cumulated[i] > below and uniform < cumulated[i] else 0.5


cdef void tilt_stage(
    Proposal *proposal, int64_t step, Py_ssize_t rows, const uint64_t *words, uint64_t *segments, double *places
) noexcept nogil:
    """Draw the segments of tilted steps again, from the same words."""
    cdef const double *cumulated
    cdef double uniform
    cdef Py_ssize_t row, lane, i
    for lane in range(LANES):
        if proposal.end[lane] <= <double>step or proposal.begin[lane] >= <double>(step + rows):
            continue
        cumulated = proposal.drawn[lane].innovation_cumulated
        for row in range(rows):
            if proposal.begin[lane] <= <double>(step + row) < proposal.end[lane]:
                i = row * LANES + lane
                uniform = uniform_of(words[i])
                segments[i] = <uint64_t>search(cumulated, proposal.n_segments, uniform)
                places[i] = place_between(cumulated, <int64_t>segments[i], uniform)


cdef void statistic_stage(Group *group, Py_ssize_t rows, const uint64_t *segments) noexcept nogil:
    """Store the statistic of the innovations; jumps add theirs."""
    cdef Py_ssize_t i
    for i in range(rows * LANES):
        group.statistic[i] = group.innovation_statistic[one_by_one(segments[i])]
        group.count[i] = 0.0


cdef void open_rolling(Rolling *rolling) noexcept nogil:
    cdef Py_ssize_t lane
    rolling.position = 1 if rolling.window > 1 else 0
    for lane in range(LANES):
        rolling.level[lane] = rolling.memory[lane] = 0.0


cdef void rolling_stage(Rolling *rolling, Py_ssize_t rows, double *values) noexcept nogil:
    """Turn the values of rows into sums over the windows that end there, in place."""
    cdef double *ago
    cdef double level[LANES]
    cdef Py_ssize_t row, lane
    for lane in range(LANES):
        level[lane] = rolling.level[lane]
    for row in range(rows):
        ago = rolling.memory + rolling.position * LANES
        for lane in range(LANES):
            level[lane] = level[lane] + values[row * LANES + lane]
            values[row * LANES + lane] = level[lane] - ago[lane]
            ago[lane] = level[lane]
        rolling.position = rolling.position + 1 if rolling.position + 1 < rolling.window else 0
    for lane in range(LANES):
        rolling.level[lane] = level[lane]


cdef void likelihood_stage(Component *component, int64_t step, Py_ssize_t rows) noexcept nogil:
    """Add the likelihood ratios of all windows that end in this chunk.

    A window with sum s has the ratio exp(-tilt * s - log_moment). If an extra jump was added, the ratio is multiplied
    by the number of jumps in the window over their expected number (Slivnyak and Mecke).
    """
    cdef Group *group = component.group
    cdef double weight
    cdef double ratio[LANES]
    cdef Py_ssize_t row, lane
    cdef int64_t start
    for lane in range(LANES):
        ratio[lane] = component.ratio[lane]
    for row in range(rows):
        start = step + row + 1 - group.window
        if start < 0 or start >= group.n_placements or group.placements[start] == 0.0:
            continue
        weight = group.placements[start]
        if component.per_jump > 0.0:
            weight = weight * component.per_jump
            for lane in range(LANES):
                ratio[lane] = ratio[lane] + weight * group.count[row * LANES + lane] * exponential(
                    -component.tilt * group.statistic[row * LANES + lane] - component.log_moment
                )
        else:
            for lane in range(LANES):
                ratio[lane] = ratio[lane] + weight * exponential(
                    -component.tilt * group.statistic[row * LANES + lane] - component.log_moment
                )
    for lane in range(LANES):
        component.ratio[lane] = ratio[lane]


cdef inline double exponential(double x) noexcept nogil:
    """Return exp(x) for x clipped to [-700, 40], to within two units in the last place.

    A path with an exponent above 40 has a negligible weight: below exp(-40) over the share of its tilt.
    """
    cdef double shifted, rest, total
    x = x if x > -700.0 else -700.0
    x = x if x < 40.0 else 40.0
    shifted = x * 1.4426950408889634 + 6755399441055744.0  # rounds to an integer in the lowest bits
    rest = shifted - 6755399441055744.0
    rest = (x - rest * 0.6931471803691238) - rest * 1.9082149292705877e-10
    total = 1.0 + rest * (1.0 + rest * (1.0 / 2 + rest * (1.0 / 6 + rest * (1.0 / 24 + rest * (
        1.0 / 120 + rest * (1.0 / 720 + rest * (1.0 / 5040 + rest * (1.0 / 40320 + rest * (
            1.0 / 362880 + rest * (1.0 / 3628800 + rest * (1.0 / 39916800 + rest * (1.0 / 479001600))))))))))))
    return total * double_of_bits((bits_of_double(shifted) + 1023) << 52)


# --------------------------------------------------------------------------------------------- volatility laws

cdef void constant_stage(double deviation, const double *scales, Py_ssize_t rows, double *returns) noexcept nogil:
    """Turn innovations into returns with one standard deviation per lane, in place."""
    cdef double deviations[LANES]
    cdef Py_ssize_t row, lane
    for lane in range(LANES):
        deviations[lane] = deviation * scales[lane]
    for row in range(rows):
        for lane in range(LANES):
            returns[row * LANES + lane] = deviations[lane] * returns[row * LANES + lane]


cdef void garch_stage(
    const double *law, const double *scales, double *variance, Py_ssize_t rows, double *returns
) noexcept nogil:
    """Turn innovations into GARCH(1,1) or GJR returns, in place; law is omega, alpha, beta, gamma."""
    cdef double alpha_up = law[1], beta = law[2], alpha_down = law[1] + law[3]
    cdef double innovation
    cdef double now[LANES]
    cdef double omega[LANES]
    cdef Py_ssize_t row, lane
    for lane in range(LANES):
        now[lane] = variance[lane]
        omega[lane] = law[0] * (scales[lane] * scales[lane])
    for row in range(rows):
        for lane in range(LANES):
            innovation = returns[row * LANES + lane]
            returns[row * LANES + lane] = sqrt(now[lane]) * innovation
            # The squared shock is the variance times the squared innovation, so the next step need not wait for a root.
            now[lane] = omega[lane] + now[lane] * (
                beta + (alpha_down if innovation < 0.0 else alpha_up) * (innovation * innovation)
            )
    for lane in range(LANES):
        variance[lane] = now[lane]


# ------------------------------------------------------------------------------------------------------- jumps

cdef struct JumpSource:
    double mean_wait  # steps between jumps
    double split  # probability of the lower side of the size table
    const double *sizes
    const double *waits
    int64_t row  # among the sources
    Generator generator
    double next_time[LANES]  # of a jump, in steps since the start of the path
    double next_switch[LANES]  # of the rate
    double further_time[LANES]  # of the extra jump
    bint tilted[LANES]
    double soonest  # of all three, over the lanes


cdef void start_jumps(JumpSource *source, const Proposal *proposal) noexcept nogil:
    cdef Py_ssize_t lane
    for lane in range(LANES):
        source.tilted[lane] = False
        source.next_time[lane] = next_wait(source, lane)
        source.next_switch[lane] = source.further_time[lane] = NEVER
        if proposal.n_components:
            source.next_switch[lane] = proposal.begin[lane]
            if proposal.further_source[lane] == source.row:
                source.further_time[lane] = proposal.further_time[lane]
    find_soonest(source)


cdef inline double next_wait(JumpSource *source, Py_ssize_t lane) noexcept nogil:
    return source.mean_wait * table_value(source.waits, 0, uniform_of(next_word(&source.generator, lane)))


cdef void find_soonest(JumpSource *source) noexcept nogil:
    cdef Py_ssize_t lane
    source.soonest = NEVER
    for lane in range(LANES):
        if source.next_time[lane] < source.soonest:
            source.soonest = source.next_time[lane]
        if source.next_switch[lane] < source.soonest:
            source.soonest = source.next_switch[lane]
        if source.further_time[lane] < source.soonest:
            source.soonest = source.further_time[lane]


cdef void jump_stage(
    JumpSource *source, Proposal *proposal, int64_t step, Py_ssize_t rows, double *returns
) noexcept nogil:
    """Add every jump to the return of the step in which it occurs."""
    cdef double end
    cdef Py_ssize_t row, lane
    for row in range(rows):
        end = <double>(step + row + 1)
        if source.soonest >= end:
            continue
        for lane in range(LANES):
            if source.further_time[lane] < end:
                source.further_time[lane] = NEVER
                add_tilted_jump(source, proposal, lane, row, step, returns)
            while source.next_time[lane] < end or source.next_switch[lane] < end:
                if source.next_switch[lane] <= source.next_time[lane]:
                    switch_rate(source, proposal, lane)
                else:
                    add_next_jump(source, proposal, lane, row, step, returns)
        find_soonest(source)


cdef void switch_rate(JumpSource *source, const Proposal *proposal, Py_ssize_t lane) noexcept nogil:
    """Enter or leave the tilted window; waits have no memory, so the next one begins here."""
    cdef double now = source.next_switch[lane]
    source.tilted[lane] = not source.tilted[lane]
    source.next_switch[lane] = proposal.end[lane] if source.tilted[lane] else NEVER
    source.next_time[lane] = now + wait_at_present(source, proposal, lane)


cdef inline double wait_at_present(JumpSource *source, const Proposal *proposal, Py_ssize_t lane) noexcept nogil:
    if source.tilted[lane]:
        return next_wait(source, lane) / proposal.drawn[lane].multiplicity[source.row]
    return next_wait(source, lane)


cdef void add_next_jump(
    JumpSource *source, Proposal *proposal, Py_ssize_t lane, Py_ssize_t row, int64_t step, double *returns
) noexcept nogil:
    cdef uint64_t side
    cdef double uniform
    if source.tilted[lane]:
        add_tilted_jump(source, proposal, lane, row, step, returns)
    else:
        side = 1 if uniform_of(next_word(&source.generator, lane)) > source.split else 0
        uniform = uniform_of(next_word(&source.generator, lane))
        add_jump(source, proposal, segment_of(uniform, side), place_in_segment(uniform), lane, row, step, returns)
    source.next_time[lane] += wait_at_present(source, proposal, lane)


cdef void add_tilted_jump(
    JumpSource *source, Proposal *proposal, Py_ssize_t lane, Py_ssize_t row, int64_t step, double *returns
) noexcept nogil:
    cdef const double *cumulated = proposal.drawn[lane].size_cumulated + source.row * 2 * SIDE
    cdef double uniform = uniform_of(next_word(&source.generator, lane))
    cdef int64_t segment = search(cumulated, 2 * SIDE, uniform)
    cdef double t = place_between(cumulated, segment, uniform)
    add_jump(source, proposal, <uint64_t>segment, t, lane, row, step, returns)


cdef void add_jump(
    JumpSource *source, Proposal *proposal, uint64_t segment, double t, Py_ssize_t lane, Py_ssize_t row, int64_t step,
    double *returns,
) noexcept nogil:
    cdef Component *component
    cdef int64_t i, place = source.row * 2 * SIDE + <int64_t>segment
    returns[row * LANES + lane] += cubic(source.sizes + 4 * segment, t)
    for i in range(proposal.n_groups):
        proposal.groups[i].statistic[row * LANES + lane] += proposal.groups[i].size_statistic[place]
        proposal.groups[i].count[row * LANES + lane] += 1.0
    for i in range(proposal.n_components):
        component = &proposal.components[i]
        if component.group == NULL:
            component.ratio[lane] += proposal.moments[step + row] * component.size_ratio[place]


# -------------------------------------------------------------------------------------------------- log prices

cdef void cumulate_stage(double drift, double *price, Py_ssize_t rows, double *returns) noexcept nogil:
    """Turn returns into log prices, in place."""
    cdef double now[LANES]
    cdef Py_ssize_t row, lane
    for lane in range(LANES):
        now[lane] = price[lane]
    for row in range(rows):
        for lane in range(LANES):
            now[lane] = now[lane] + (drift + returns[row * LANES + lane])
            returns[row * LANES + lane] = now[lane]
    for lane in range(LANES):
        price[lane] = now[lane]


# --------------------------------------------------------------------------------------------------- references

cdef struct Watch:
    int64_t reference
    int64_t window  # in steps
    int64_t start  # step at which the observation begins
    int64_t position  # row of the memory for the next price
    double *memory  # window + 2 rows of lanes
    double level[LANES]  # highest price of the current block, of all times, or the first price
    double worst[LANES]  # log drop


cdef void open_watch(Watch *watch, const double *price) noexcept nogil:
    """Begin the observation: the current price is the first reference."""
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

    Time is divided into blocks of window + 1 rows. The highest price of a window is the larger of the highest so far in
    this block (the level) and the highest of the rest of the previous block (a suffix maximum, in the memory). A price
    replaces a suffix maximum that is no longer needed; the row after the last stays below any price.
    """
    cdef double price, high
    cdef double level[LANES]
    cdef double worst[LANES]
    cdef double *here
    cdef double *rest
    cdef int64_t i
    cdef Py_ssize_t row, lane
    for lane in range(LANES):
        level[lane], worst[lane] = watch.level[lane], watch.worst[lane]
    for row in range(rows):
        here = watch.memory + watch.position * LANES
        rest = here + LANES
        for lane in range(LANES):
            price = prices[row * LANES + lane]
            level[lane] = price if price > level[lane] else level[lane]
            high = rest[lane] if rest[lane] > level[lane] else level[lane]
            worst[lane] = high - price if high - price > worst[lane] else worst[lane]
            here[lane] = price
        watch.position += 1
        if watch.position > watch.window:
            watch.position = 0
            for lane in range(LANES):
                level[lane] = BELOW_ANY_PRICE
            for i in range(watch.window - 1, -1, -1):
                here = watch.memory + i * LANES
                rest = here + LANES
                for lane in range(LANES):
                    here[lane] = rest[lane] if rest[lane] > here[lane] else here[lane]
    for lane in range(LANES):
        watch.level[lane], watch.worst[lane] = level[lane], worst[lane]


cdef void lagged_stage(Watch *watch, Py_ssize_t rows, const double *prices) noexcept nogil:
    """Compare with the price exactly one window ago; before that, there is no reference."""
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
    const double *scales  # factor on the volatility, one per lane
    const double *law
    const double *innovations  # a quantile table, or values
    uint64_t n_values  # 0 for a quantile table
    Proposal proposal
    JumpSource *sources
    int64_t n_sources
    Watch *watches
    int64_t n_watches
    const int64_t *records  # rows of (term, watch, column), by term
    int64_t n_records
    double *worst_drops  # one row per record, one column per path
    int64_t n_paths
    double *weights
    double *ratios  # one row per component, one column per path, or NULL
    double *log_prices  # one row per step, one column per path, or NULL


cdef int simulate_block(Plan *plan, int64_t path, int64_t offset) noexcept nogil:
    """Run sixteen paths from the first step to the last record; return the number of paths that are not finite."""
    cdef uint64_t words[CHUNK * LANES]
    cdef uint64_t segments[CHUNK * LANES]
    cdef double places[CHUNK * LANES]
    cdef double prices[CHUNK * LANES]
    cdef double price[LANES]
    cdef double variance[LANES]
    cdef Generator generator
    cdef int64_t step = 0, record = 0, stop, i
    cdef Py_ssize_t lane, rows
    cdef int broken = 0

    seed_generator(&generator, plan.seed, INNOVATION_STREAM, path)
    if plan.proposal.n_components:
        seed_generator(&plan.proposal.generator, plan.seed, PROPOSAL_STREAM, path)
        choose_components(&plan.proposal)
    for i in range(plan.n_sources):
        seed_generator(&plan.sources[i].generator, plan.seed, FIRST_JUMP_STREAM + i, path)
        start_jumps(&plan.sources[i], &plan.proposal)
    for lane in range(LANES):
        price[lane] = 0.0
        variance[lane] = plan.initial_variance * (plan.scales[lane] * plan.scales[lane])

    while record < plan.n_records:
        stop = plan.records[3 * record]
        for i in range(plan.n_watches):
            if plan.watches[i].start == step:
                open_watch(&plan.watches[i], price)
            if step < plan.watches[i].start < stop:
                stop = plan.watches[i].start
        rows = stop - step if stop - step < CHUNK else CHUNK

        word_stage(&generator, rows, words)
        segment_stage(plan.n_values, rows, words, segments, places)
        if plan.proposal.n_components:
            tilt_stage(&plan.proposal, step, rows, words, segments, places)
        for i in range(plan.proposal.n_groups):
            statistic_stage(&plan.proposal.groups[i], rows, segments)
        if plan.n_values:
            value_stage(plan.innovations, rows, segments, prices)
        else:
            table_stage(plan.innovations, rows, segments, places, prices)
        if plan.law:
            garch_stage(plan.law, plan.scales, variance, rows, prices)
        else:
            constant_stage(plan.deviation, plan.scales, rows, prices)
        for i in range(plan.n_sources):
            jump_stage(&plan.sources[i], &plan.proposal, step, rows, prices)
        for i in range(plan.proposal.n_groups):
            rolling_stage(&plan.proposal.groups[i].statistics, rows, plan.proposal.groups[i].statistic)
            if plan.n_sources:
                rolling_stage(&plan.proposal.groups[i].counts, rows, plan.proposal.groups[i].count)
        for i in range(plan.proposal.n_components):
            if plan.proposal.components[i].group != NULL:
                likelihood_stage(&plan.proposal.components[i], step, rows)
        cumulate_stage(plan.drift, price, rows, prices)
        if plan.log_prices != NULL:
            store_log_prices(plan, step, rows, offset, prices)
        for i in range(plan.n_watches):
            if plan.watches[i].start <= step:
                watch_stage(&plan.watches[i], rows, prices)

        step += rows
        while record < plan.n_records and plan.records[3 * record] == step:
            store_worst_drops(plan, record, offset)
            record += 1

    for lane in range(paths_in_block(plan, offset)):
        plan.weights[offset + lane] = weight_of(plan, lane, offset)
        if not price[lane] - price[lane] == 0.0:
            broken += 1
    return broken


cdef double weight_of(Plan *plan, Py_ssize_t lane, int64_t offset) noexcept nogil:
    """Return one over the likelihood ratio of the mixture to the model; store those of the components on the way."""
    cdef double likelihood = plan.proposal.plain_share
    cdef int64_t i
    if not plan.proposal.n_components:
        return 1.0
    for i in range(plan.proposal.n_components):
        likelihood = likelihood + plan.proposal.components[i].share * plan.proposal.components[i].ratio[lane]
        if plan.ratios != NULL:
            plan.ratios[i * plan.n_paths + offset + lane] = plan.proposal.components[i].ratio[lane]
    return 1.0 / likelihood


cdef void store_worst_drops(Plan *plan, int64_t record, int64_t offset) noexcept nogil:
    cdef Watch *watch = &plan.watches[plan.records[3 * record + 1]]
    cdef double *column = plan.worst_drops + plan.records[3 * record + 2] * plan.n_paths
    cdef Py_ssize_t lane
    for lane in range(paths_in_block(plan, offset)):
        column[offset + lane] = fraction_of_log_drop(watch.worst[lane])


cdef void store_log_prices(
    Plan *plan, int64_t step, Py_ssize_t rows, int64_t offset, const double *prices
) noexcept nogil:
    cdef Py_ssize_t row, lane
    for row in range(rows):
        for lane in range(paths_in_block(plan, offset)):
            plan.log_prices[(step + row) * plan.n_paths + offset + lane] = prices[row * LANES + lane]


cdef inline Py_ssize_t paths_in_block(const Plan *plan, int64_t offset) noexcept nogil:
    """Return the number of requested paths in a block: the last block may be incomplete."""
    return LANES if plan.n_paths - offset > LANES else plan.n_paths - offset


def check_arguments(
    scales, law, innovations, innovations_are_values, waits, mean_waits, splits, sizes, watches, records, worst_drops,
    weights,
):
    """Check that arrays are consistent; nothing is checked again after this.

    Raises
    ------
    ValueError
        If a shape or a number is inconsistent.
    """
    table = 8 * SIDE
    n_sources, n_watches, n_rows = len(mean_waits), len(watches), len(worst_drops)
    fitting = {
        "scales": scales.shape == (LANES,),
        "law": law.shape in ((0,), (4,)),
        "innovations": len(innovations) >= 1 if innovations_are_values else innovations.shape == (table,),
        "waits": waits.shape == (table,),
        "mean_waits": not (mean_waits <= 0.0).any(),
        "splits": splits.shape == (n_sources,),
        "sizes": not n_sources or sizes.shape == (n_sources, table),
        "watches": watches.shape[1] == 3 and 0 <= watches.min(initial=0) and watches[:, 0].max(initial=0) <= INCEPTION,
        "records": records.shape[1] == 3 and n_rows == len(records) >= 1 and (np.diff(records[:, 0]) >= 0).all(),
        "weights": weights.shape == worst_drops.shape[1:],
    }
    if all(fitting.values()):
        fitting["records"] = (
            records[:, 0].min() >= 1 and (records[:, 1:] >= 0).all()
            and records[:, 1].max() < n_watches and records[:, 2].max() < n_rows
        )
        fitting["watches"] = not ((watches[:, 0] <= LAGGED) & (watches[:, 1] < 1)).any()
    for name, fits in fitting.items():
        if not fits:
            raise ValueError(f"{name} does not fit the other arguments of the kernel")


def simulate_blocks(
    *,
    uint64_t seed,
    int64_t first_block,
    double drift,
    double deviation,
    double initial_variance,
    const double[::1] scales not None,
    const double[::1] law not None,
    const double[::1] innovations not None,
    bint innovations_are_values,
    const double[::1] waits not None,
    const double[::1] mean_waits not None,
    const double[::1] splits not None,
    const double[:, ::1] sizes not None,
    const int64_t[:, ::1] watches not None,
    const int64_t[:, ::1] records not None,
    double[:, ::1] worst_drops not None,
    double[::1] weights not None,
    proposal=None,
    double[:, ::1] ratios=None,
    double[:, ::1] log_prices=None,
):
    """Fill `worst_drops`, one row per record and one column per path; see the stub file for the arguments."""
    check_arguments(
        np.asarray(scales), np.asarray(law), np.asarray(innovations), innovations_are_values, np.asarray(waits),
        np.asarray(mean_waits), np.asarray(splits), np.asarray(sizes), np.asarray(watches),
        np.asarray(records), np.asarray(worst_drops), np.asarray(weights),
    )
    cdef int64_t n_watches = watches.shape[0], n_sources = mean_waits.shape[0]
    cdef int64_t n_blocks = (worst_drops.shape[1] + LANES - 1) // LANES, block, i
    cdef int broken = 0
    rows = 0  # a Python number: it cannot overflow
    watch_memory = bytearray(max(1, n_watches) * sizeof(Watch))
    source_memory = bytearray(max(1, n_sources) * sizeof(JumpSource))
    cdef Watch *watch = <Watch *><char *>watch_memory
    cdef JumpSource *source = <JumpSource *><char *>source_memory
    for i in range(n_watches):
        rows += watches[i, 1] + 2
    price_memory = bytearray(max(1, rows) * int(LANES * sizeof(double)))
    cdef double *memory = <double *><char *>price_memory
    for i in range(n_watches):
        watch[i].reference, watch[i].window, watch[i].start = watches[i, 0], watches[i, 1], watches[i, 2]
        watch[i].memory = memory
        memory += (watches[i, 1] + 2) * LANES
    for i in range(n_sources):
        source[i].mean_wait, source[i].split, source[i].sizes = mean_waits[i], splits[i], &sizes[i, 0]
        source[i].row, source[i].waits = i, &waits[0]

    cdef Plan plan
    plan.seed, plan.drift, plan.deviation, plan.initial_variance = seed, drift, deviation, initial_variance
    plan.scales = &scales[0]
    plan.law = &law[0] if law.shape[0] else NULL
    plan.innovations = &innovations[0]
    plan.n_values = <uint64_t>innovations.shape[0] if innovations_are_values else 0
    plan.sources, plan.n_sources = source, n_sources
    plan.watches, plan.n_watches = watch, n_watches
    plan.records, plan.n_records = &records[0, 0], records.shape[0]
    plan.worst_drops, plan.n_paths = &worst_drops[0, 0], worst_drops.shape[1]
    plan.weights = &weights[0]
    plan.proposal.n_components = plan.proposal.n_groups = 0
    plan.ratios = plan.log_prices = NULL
    if log_prices is not None:
        if log_prices.shape[0] != records[records.shape[0] - 1, 0] or log_prices.shape[1] != plan.n_paths:
            raise ValueError("log_prices does not fit the other arguments of the kernel")
        plan.log_prices = &log_prices[0, 0]
    if proposal is not None:
        _kept_alive = attach_proposal(&plan, proposal)
        if ratios is not None:
            if ratios.shape[0] != plan.proposal.n_components or ratios.shape[1] != plan.n_paths:
                raise ValueError("ratios does not fit the other arguments of the kernel")
            plan.ratios = &ratios[0, 0]
    with nogil:
        for block in range(n_blocks):
            broken += simulate_block(&plan, (first_block + block) * LANES, block * LANES)
    return broken


cdef object attach_proposal(Plan *plan, object arrays):
    """Point the plan to the arrays of a proposal; return the objects that must stay alive during the run."""
    group_memory, statistic_memory = attach_groups(plan, arrays)
    component_memory = attach_components(plan, arrays)
    cdef const double[::1] cumulated_shares = arrays.cumulated_shares
    cdef const double[::1] moments = arrays.moments
    cdef const double[::1] cumulated_moments = arrays.cumulated_moments
    plan.proposal.plain_share, plan.proposal.cumulated_shares = arrays.plain_share, &cumulated_shares[0]
    plan.proposal.moments, plan.proposal.cumulated_moments = &moments[0], &cumulated_moments[0]
    plan.proposal.n_moments, plan.proposal.n_sources = moments.shape[0], plan.n_sources
    return group_memory, statistic_memory, component_memory, arrays


cdef object attach_groups(Plan *plan, object arrays):
    cdef const double[:, ::1] statistic = arrays.innovation_statistic
    cdef const double[:, :, ::1] size_statistic = arrays.size_statistic
    cdef const int64_t[::1] windows = arrays.windows
    cdef const double[:, ::1] placements = arrays.placements
    cdef const double[:, ::1] cumulated_placements = arrays.cumulated_placements
    cdef int64_t i, n_groups = windows.shape[0]
    rows = 0  # a Python number: it cannot overflow
    for i in range(n_groups):
        rows += windows[i]
    group_memory = bytearray(max(1, n_groups) * sizeof(Group))
    statistic_memory = bytearray(max(1, 2 * rows) * int(LANES * sizeof(double)))
    cdef Group *group = <Group *><char *>group_memory
    cdef double *memory = <double *><char *>statistic_memory
    for i in range(n_groups):
        group[i].window, group[i].n_placements = windows[i], placements.shape[1]
        group[i].placements, group[i].cumulated_placements = &placements[i, 0], &cumulated_placements[i, 0]
        group[i].innovation_statistic = &statistic[i, 0]
        group[i].size_statistic = &size_statistic[i, 0, 0] if plan.n_sources else NULL
        group[i].statistics.window = group[i].counts.window = windows[i]
        group[i].statistics.memory, group[i].counts.memory = memory, memory + windows[i] * LANES
        memory += 2 * windows[i] * LANES
    plan.proposal.groups, plan.proposal.n_groups = group, n_groups
    return group_memory, statistic_memory


cdef object attach_components(Plan *plan, object arrays):
    cdef const double[::1] shares = arrays.shares
    cdef const int64_t[::1] group_of_component = arrays.group_of_component
    cdef const double[::1] tilts = arrays.tilts
    cdef const double[::1] log_moments = arrays.log_moments
    cdef const double[::1] per_jump = arrays.per_jump
    cdef const double[:, ::1] innovation_cumulated = arrays.innovation_cumulated
    cdef const double[:, :, ::1] size_cumulated = arrays.size_cumulated
    cdef const double[:, ::1] multiplicity = arrays.multiplicity
    cdef const double[:, ::1] source_cumulated = arrays.source_cumulated
    cdef const double[:, :, ::1] size_ratio = arrays.size_ratio
    cdef int64_t i, row
    component_memory = bytearray(shares.shape[0] * sizeof(Component))
    cdef Component *component = <Component *><char *>component_memory
    for i in range(shares.shape[0]):
        row = group_of_component[i]
        component[i].share, component[i].group = shares[i], &plan.proposal.groups[row] if row >= 0 else NULL
        component[i].tilt, component[i].log_moment, component[i].per_jump = tilts[i], log_moments[i], per_jump[i]
        component[i].innovation_cumulated = &innovation_cumulated[i, 0]
        if plan.n_sources:
            component[i].size_cumulated, component[i].multiplicity = &size_cumulated[i, 0, 0], &multiplicity[i, 0]
            component[i].source_cumulated, component[i].size_ratio = &source_cumulated[i, 0], &size_ratio[i, 0, 0]
    plan.proposal.components, plan.proposal.n_components = component, shares.shape[0]
    plan.proposal.n_segments = innovation_cumulated.shape[1]
    return component_memory
