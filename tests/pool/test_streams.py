import numpy as np

from pool.streams import shuffle, stratified_uniforms, uniforms


def test_uniforms_are_those_of_numpy_half_a_unit_higher():
    sequence = np.random.SeedSequence(7, spawn_key=tuple(b"level"))
    expected = np.random.Generator(np.random.PCG64(sequence)).random(1000) + 2.0**-54
    np.testing.assert_array_equal(uniforms(7, "level", 1000), expected)


def test_streams_and_seeds_differ_and_repeat():
    first = uniforms(1, "BTC", 100)
    np.testing.assert_array_equal(first, uniforms(1, "BTC", 100))
    assert not np.isin(first, uniforms(1, "ETH", 100)).any()
    assert not np.isin(first, uniforms(2, "BTC", 100)).any()


def test_stratified_uniforms_fill_every_stratum_once():
    n = 1000
    drawn = stratified_uniforms(3, "shock", n)
    np.testing.assert_array_equal(np.sort(drawn), (np.arange(n) + 0.5) / n)
    # Random order: under it the correlation with the place has standard deviation 1 / sqrt(n); seed 3 is within 3.
    assert abs(np.corrcoef(drawn, np.arange(n))[0, 1]) < 3.0 / np.sqrt(n)


def test_a_shuffle_holds_every_number_once():
    np.testing.assert_array_equal(np.sort(shuffle(1, "years", 500)), np.arange(500))
