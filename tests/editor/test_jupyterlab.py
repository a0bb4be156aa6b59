"""A downloaded notebook in a bare JupyterLab: run all, a wrong answer, a right one, a hint."""

import re

import pytest

from checks.runner.lab import Lab, find
from publish import notebooks
from tests.editor import jupyterlab
from tests.editor.jupyterlab import JupyterLab

PICTURES = jupyterlab.CACHE / "pictures"
SWAPPED = "def pair_counts(ids):\n    return Counter(zip(ids[1:], ids))"
CRASHES = "def pair_counts(ids):\n    return Counter(zip(ids, ids[1]))"
RIGHT = "def pair_counts(ids):\n    return Counter(zip(ids, ids[1:]))"
MISTAKE = "this is    what you get when the right neighbour is put first"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab on a folder that holds lab 3 as it is downloaded."""
    jupyterlab.ensure()
    PICTURES.mkdir(exist_ok=True)
    home = tmp_path_factory.mktemp("jupyterlab")
    folder = home / "downloads"
    notebooks.write(Lab(find("3")), folder)
    window = JupyterLab(home, folder / "lab_3_bpe.ipynb")
    yield window
    window.close()


def shown(cell):
    """What a cell shows, as plain text."""
    text = "".join("\n".join(o.get("traceback", [o.get("text", "")])) for o in cell.outputs)
    return re.sub(r"\x1b\[[\d;]*m", "", text)


def picture(lab, name):
    """Keep a picture of the window, to look at."""
    lab.page.wait_for_timeout(700)
    lab.page.screenshot(path=PICTURES / f"{name}.png")


def test_the_pack_is_folded_and_so_are_the_solutions(lab):
    folded = lab.page.locator(".jp-Cell .jp-InputPlaceholder").all_inner_texts()
    assert [text.split(".")[0] for text in folded] == ["# @title The checks of this lab"]
    picture(lab, "1-opened")
    lab.select(lab.find("# Solutions", "markdown"))
    lab.page.locator(".jp-showHiddenCellsButton").wait_for()
    picture(lab, "1-solutions")


def test_all_cells_run_to_the_end_with_nothing_written(lab):
    lab.command("notebook:run-all-cells")
    cells = [cell for cell in lab.saved().cells if cell.cell_type == "code" and cell.source]
    assert all(cell.execution_count for cell in cells)
    assert not [o for cell in cells for o in cell.outputs if o.output_type == "error"]
    waiting = [cell for cell in cells if "This cell needs" in shown(cell)]
    assert len(waiting) >= 6
    lab.select(lab.find("# Predict first: 256 bytes"), "center")
    picture(lab, "2-waiting")


def test_a_wrong_answer_is_diagnosed_below_its_check(lab):
    lab.type(lab.find("def pair_counts("), SWAPPED)
    at = lab.find("check_stage1(pair_counts)")
    assert MISTAKE in shown(lab.type(at, "check_stage1(pair_counts)"))
    assert lab.page.get_by_text(MISTAKE).count() == 1
    lab.select(at, "center")
    picture(lab, "3-diagnosis")


def test_a_crash_is_shown_by_the_learners_own_line(lab):
    lab.type(lab.find("def pair_counts("), CRASHES)
    at = lab.find("check_stage1(pair_counts)")
    cell = lab.run(at)
    assert "line 2 of its cell: return Counter(zip(ids, ids[1]))" in shown(cell)
    lab.select(at, "center")
    picture(lab, "4-crash")


def test_a_hint_a_pass_and_the_plot(lab):
    lab.type(lab.find("def pair_counts("), RIGHT)
    at = lab.find("check_stage1(pair_counts)")
    text = shown(lab.type(at, "hint(1)\ncheck_stage1(pair_counts)"))
    assert "hint 1 of 3" in text
    assert "stage 1 passed: pair_counts. Next: stage 2, Merging a pair" in text
    plot = lab.run(lab.find("# Predict first: 256 bytes"))
    assert any("image/png" in out.get("data", {}) for out in plot.outputs)
    lab.select(at)
    picture(lab, "5-passed")


def test_nothing_is_left_in_the_folder(lab):
    left = {path.name for path in lab.file.parent.iterdir()}
    assert left <= {lab.file.name, ".ipynb_checkpoints", ".virtual_documents"}
