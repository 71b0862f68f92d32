import pytest

from calibration.verdict import Verdict, explain


@pytest.mark.parametrize("flag", list(Verdict))
def test_every_flag_has_one_line(flag):
    (line,) = explain(flag)
    assert line
    assert "\n" not in line


def test_explanations_are_all_different():
    every = explain(~Verdict.OK)
    assert len(every) == len(set(every)) == len(list(Verdict))


def test_ok_needs_no_word():
    assert explain(Verdict.OK) == ()
    assert not Verdict.OK
