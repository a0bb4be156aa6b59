"""A check that is called from a cell of a real kernel."""

import nbformat
import pytest

from checks.runner import kernel
from tests.workshop import LABS, solved

LAB = next(lab for lab in LABS if lab.number == 3)
IMPORTS = "from collections import Counter\nfrom checks.lab_3_bpe import check_stage1"
RIGHT = "def pair_counts(ids):\n    return Counter(zip(ids, ids[1:]))"
WRONG = "def pair_counts(ids):\n    return Counter(zip(ids[1:], ids))"


def run(*cells):
    """The outputs of the last cell, after all ran in a fresh kernel at the workspace root."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    kernel.run(book, seconds=60, allow_errors=True)
    return book.cells[-1].outputs


def test_a_failure_shows_the_whole_verdict_and_no_traceback():
    (output,) = run(IMPORTS, WRONG, "check_stage1(pair_counts)")
    text = "\n".join(output.traceback)
    assert "this is    what you get when the right neighbour is put first" in text
    assert "python -m checks hint 3 1" in text
    assert "Traceback" not in text and "File " not in text


def test_a_crash_shows_the_learners_line_and_no_frame_of_the_engine():
    crashes = "def pair_counts(ids):\n    return Counter(zip(ids, ids[1]))"
    (output,) = run(IMPORTS, crashes, "check_stage1(pair_counts)")
    text = "\n".join(output.traceback)
    line = next(d for d in LAB.definitions["pair_counts"]).name_line
    assert text.startswith(f"labs/lab_3_bpe.py:{line}:5: error: stage 1: TypeError: 'int' object")
    assert "in pair_counts line 2 of its cell: return Counter(zip(ids, ids[1]))" in text
    assert "python -m checks hint 3 1" in text
    assert "Traceback" not in text and "File " not in text


def test_a_pass_says_that_the_saved_file_holds_something_else():
    (output,) = run(IMPORTS, RIGHT, "check_stage1(pair_counts)")
    assert "stage 1 passed: pair_counts. Next: stage 2" in output.text
    assert "the saved file holds another pair_counts than this kernel" in output.text


def test_a_stub_is_called_still_to_write():
    stub = 'def pair_counts(ids):\n    raise NotImplementedError("stage 1: pair_counts")'
    (output,) = run(IMPORTS, stub, "check_stage1(pair_counts)")
    assert "stage 1: pair_counts is still to write" in "\n".join(output.traceback)


@pytest.mark.parametrize(("body", "is_same"), [(RIGHT, True), (WRONG, False)])
def test_code_is_compared_without_file_and_lines(body, is_same):
    from checks.runner import live

    lab = solved(LAB)
    space: dict = {}
    exec(f"from collections import Counter\n\n\n\n{body}", space)
    notes = live.stale(lab, {"pair_counts": space["pair_counts"]})
    assert (notes == []) is is_same
