"""Every error has an exit code, and codes stay: scripts look at them."""

import pytest

from crashcover.commands.exits import CODES, Exit, exit_code
from pricing.errors import InvalidModelError
from tests.pricing.test_errors import TREE

#: Every code but that of bad data, by the name of the error.
OTHERS = {
    "InvalidTermsError": 4,
    "InvalidModelError": 4,
    "InvalidBasisError": 4,
    "NegativeRiskLoadError": 4,
    "FallingRiskLoadError": 4,
    "InvalidPayoutError": 4,
    "NotSimulatedError": 4,
    "SimulationError": 4,
    "TooLargeError": 4,
    "CalibrationError": 5,
    "InsufficientDataError": 5,
    "NotConvergedError": 5,
    "PeggedTokenError": 5,
    "ReproductionError": 7,
    "FolderInUseError": 8,
    "WorkerError": 9,
    "VenueError": 11,
    "MissingLibraryError": 9,
}


def test_the_codes_name_every_error_of_the_tree():
    assert set(CODES) == TREE


@pytest.mark.parametrize("error", sorted(TREE, key=lambda kind: kind.__name__))
def test_an_error_ends_a_command_with_its_code(error):
    assert exit_code(error("what is wrong")) == OTHERS.get(error.__name__, 3)


def test_an_error_of_somebody_else_has_the_code_of_the_class_above_it():
    class UnknownLawError(InvalidModelError):
        pass

    assert exit_code(UnknownLawError("no such law")) is Exit.INVALID_TERMS
