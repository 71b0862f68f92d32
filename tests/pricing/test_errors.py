"""The tree of errors is the one that its page draws, every error is raised, and every refusal has its reason."""

import pickle
import re

import pytest

from pricing import errors
from pricing.errors import REASONS, DataWarning, PrecisionWarning, PricingError, QuoteRefusedError, Reason, Refusal
from tests.checkout import CHECKOUT


def tree_of(error):
    return {error}.union(*(tree_of(kind) for kind in error.__subclasses__() if kind.__module__ == errors.__name__))


TREE = tree_of(PricingError)
WARNINGS = {"DataWarning", "PrecisionWarning"}
REFUSALS = tree_of(QuoteRefusedError) - {QuoteRefusedError}


def drawn_tree():
    """Read each class and its bases from the docstring: the nearest line with less indent, and what is in brackets."""
    above = {4: "Exception"}
    for indent, name, other in re.findall(r"^( {4,})(\w+)(?: \((\w+)\))?$", errors.__doc__, re.MULTILINE):
        depth = len(indent)
        first = [] if name in WARNINGS else [above[depth]]
        yield name, [*first, *([other] if other else [])]
        above[depth + 4] = name


def test_the_docstring_draws_the_tree():
    drawn = dict(drawn_tree())
    assert drawn == {
        kind.__name__: [base.__name__ for base in kind.__bases__] for kind in TREE | {DataWarning, PrecisionWarning}
    }


@pytest.mark.parametrize("error", sorted(TREE | {DataWarning, PrecisionWarning}, key=lambda kind: kind.__name__))
def test_each_class_says_when_it_is_raised(error):
    assert re.match(r"Raised (if|while) |Issued if |Root of ", error.__doc__)


def test_no_error_is_there_for_nothing():
    packages = ("pricing", "calibration", "backtest", "pool", "settlement", "crashcover")
    modules = [path for package in packages for path in (CHECKOUT / package).rglob("*.py")]
    texts = "\n".join(path.read_text(encoding="utf-8") for path in modules)
    raised = set(re.findall(r"(?:raise|return) (\w+)\(", texts))
    leaves = {kind.__name__ for kind in TREE if not tree_of(kind) - {kind}}
    assert leaves <= raised


def test_every_refusal_has_a_reason_of_its_own():
    assert sorted((kind.reason for kind in REFUSALS), key=Reason.code.fget) == list(Reason)


def test_codes_of_reasons_are_their_places():
    assert [REASONS[reason.code] for reason in Reason] == list(Reason)
    assert REASONS[0] is None


@pytest.mark.parametrize("error", sorted(REFUSALS, key=lambda kind: kind.__name__))
def test_a_refusal_is_told_and_survives_the_way_between_processes(error):
    refused = pickle.loads(pickle.dumps(error("cover 'C-1': no", trigger_probability=0.25)))
    assert type(refused) is error
    assert refused.refusal == Refusal(reason=error.reason, message="cover 'C-1': no", trigger_probability=0.25)
    assert error("no").refusal.trigger_probability is None
