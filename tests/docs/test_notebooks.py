"""The notebooks run from top to bottom, show what they promise, and are stored without results."""

import os
import sys

import nbformat
import pytest
from nbclient import NotebookClient

from tests.checkout import CHECKOUT

FOLDER = CHECKOUT / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
#: Results that show themselves, and pictures.
SHOWN = {"price-one-cover": (4, 4), "a-book-and-its-capital": (1, 1), "how-good-are-the-rates": (0, 1)}

of_every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def test_there_are_three():
    assert {path.stem for path in NOTEBOOKS} == set(SHOWN)


@of_every_notebook
def test_a_notebook_is_stored_without_results(path):
    for cell in nbformat.read(path, as_version=4).cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@of_every_notebook
@pytest.mark.filterwarnings("default::ResourceWarning")  # sockets to the kernel, which the client closes late
def test_a_notebook_runs_and_shows_its_results(path, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(CHECKOUT), *sys.path]))
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert [output.text for output in outputs if output.output_type == "stream"] == []  # no warnings
    data = [output.data for output in outputs if "data" in output]
    results = sum('<div class="crashcover">' in each.get("text/html", "") for each in data)
    assert (results, sum("image/png" in each for each in data)) == SHOWN[path.stem]
