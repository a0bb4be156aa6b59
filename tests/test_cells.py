"""A whole lab, as solved, top to bottom, in a real Jupyter kernel, with its plots."""

import pytest

from checks.runner import kernel, stub
from checks.runner.lab import HEADING
from tests.workshop import JUDGES, LABS, STAGES, name


@pytest.mark.parametrize("lab", LABS, ids=name)
def test_each_lab_runs_as_solved_and_each_plotting_cell_shows_a_picture(lab):
    book = kernel.execute(kernel.as_solved(lab))
    passed = 0
    for cell in book.cells:
        if "plt.show()" in cell.source and cell.cell_type == "code":
            shown = [out for out in cell.outputs if "image/png" in out.get("data", {})]
            assert shown, cell.source
        passed += kernel.printed(cell).count(" passed: ")
    assert passed == len(lab.stages)


@pytest.mark.parametrize(("lab", "number"), STAGES, ids=name)
def test_run_above_a_stage_needs_the_stages_before_it_and_no_other(lab, number):
    """Its cells are the first cells of the run above, word for word, in the same order."""
    owner = JUDGES[lab.id].owner
    before = stub.solved(lab, [function for function, stage in owner.items() if stage < number])
    heading = f"\n{HEADING}{number} "
    above, found, below = before.partition(heading)
    assert found and f'NotImplementedError("stage {number}:' in below
    assert above == stub.solved(lab, list(owner)).partition(heading)[0]
