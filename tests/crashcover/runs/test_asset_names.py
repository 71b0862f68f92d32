from hypothesis import example, given
from hypothesis import strategies as st

from crashcover.runs.asset_names import file_name

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=120)


@given(names, names)
@example("币" * 60, "币" * 61)
@example("A" * 200, file_name("A" * 200))
def test_names_of_files_are_short_and_distinct(one, other):
    assert len(file_name(one).encode()) <= 200  # of 255, as there are prefixes and endings
    assert "/" not in file_name(one)
    assert (file_name(one) == file_name(other)) == (one == other)
