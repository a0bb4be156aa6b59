"""A whole lab, as solved, top to bottom, in a real Jupyter kernel, with its plots."""

import os

import jupytext
import nbclient
import pytest

from checks.runner import stub
from checks.runner.judge import Judge
from checks.runner.lab import ROOT, Lab, discover


@pytest.mark.parametrize("path", discover(), ids=os.path.basename)
def test_each_lab_runs_as_solved_and_each_plotting_cell_shows_a_picture(path, monkeypatch):
    monkeypatch.delenv("MPLBACKEND", raising=False)
    lab = Lab(path)
    text = stub.solved(lab, list(Judge(lab).owner)).replace("# check_stage", "check_stage")
    book = jupytext.reads(text, fmt="py:percent")
    book.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python",
        "language": "python",
    }
    nbclient.NotebookClient(book, timeout=120, resources={"metadata": {"path": ROOT}}).execute()
    passed = 0
    for cell in book.cells:
        outputs = cell.get("outputs", [])
        if "plt.show()" in cell.source and cell.cell_type == "code":
            assert any("image/png" in out.get("data", {}) for out in outputs), cell.source
        passed += sum("passed" in out.get("text", "") for out in outputs)
    assert passed == len(lab.stages)
