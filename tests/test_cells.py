"""A whole lab, as solved, top to bottom, in a real Jupyter kernel, with its plots."""

import pytest

from checks.runner import kernel
from tests.workshop import LABS, name


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
