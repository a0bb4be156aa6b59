"""A kernel as a learner has it who downloaded one file: an empty folder, and no repository.

The environment of the tests imports `checks` from here, through an editable install. So this
kernel takes the installed packages without the `.pth` files that make it do so.
"""

from __future__ import annotations

import json
import os
import re
import sys
import sysconfig
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from checks.runner import kernel
from checks.runner.lab import Lab
from checks.runner.pins import THREADS
from publish import notebooks

START = """\
import sys
sys.path.append({packages!r})
from ipykernel import kernelapp
kernelapp.launch_new_instance()
"""


def install(home: Path) -> Path:
    """Put the kernelspec under `home`, and return an empty folder there to work in."""
    spec = home / "jupyter" / "kernels" / "alone"
    spec.mkdir(parents=True, exist_ok=True)
    start = START.format(packages=sysconfig.get_path("purelib"))
    # -I: no PYTHON* variables and no folder of the caller's; -S: no .pth file
    argv = [sys.executable, "-I", "-S", "-c", start, "-f", "{connection_file}"]
    fields = {"argv": argv, "display_name": "alone", "language": "python", "env": THREADS}
    (spec / "kernel.json").write_text(json.dumps(fields), encoding="utf-8")
    folder = home / "empty"
    folder.mkdir(exist_ok=True)
    return folder


def run(book: NotebookNode, home: Path, seconds: int = 300, allow_errors: bool = False) -> None:
    """Run a notebook in such a kernel; fails where it leaves a file behind."""
    folder = install(home)
    before = os.environ.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = str(home / "jupyter")
    try:
        kernel.run(book, seconds, allow_errors, folder=str(folder), kernel="alone")
    finally:
        os.environ.pop("JUPYTER_PATH")
        if before is not None:
            os.environ["JUPYTER_PATH"] = before
    assert list(folder.iterdir()) == []


PROBE = """try:
    import checks
    print("checks from", checks.__file__)
except ModuleNotFoundError as error:
    print(error)"""
WAITS = re.compile(r"This cell needs .*\.\n")
OF_A_STAGE = re.compile(r"^(from|import|def|class|check_stage|[A-Z_]+ = )", flags=re.M)


def code(*sources: str) -> list[NotebookNode]:
    """Code cells."""
    return [nbformat.v4.new_code_cell(source) for source in sources]


def is_of_a_stage(source: str) -> bool:
    """Whether a cell defines, imports or checks, and draws nothing."""
    return bool(OF_A_STAGE.search(source)) and "plt.show()" not in source


def shows(cell: NotebookNode) -> list:
    """The pictures of a cell."""
    return [out for out in cell.outputs if "image/png" in out.get("data", {})]


def prove(lab: Lab, home: Path, whole: bool = True) -> None:
    """A notebook runs alone, in one kernel: all cells as shipped, then all as solved.

    whole  if not, of the solved cells only those that define, import and check
    """
    shipped = notebooks.book(lab).cells
    solved = jupytext.reads(kernel.as_solved(lab), fmt="py:percent").cells
    solved = [cell for cell in solved if whole or is_of_a_stage(cell.source)]
    before, after = code(PROBE, PROBE)
    book = nbformat.v4.new_notebook(cells=[before, *shipped, after, *solved])
    run(book, home)  # the kernel's reply to each cell is ok, or this raises
    assert kernel.printed(before) == "No module named 'checks'\n"
    assert f"{lab.stem}.ipynb" in kernel.printed(after)
    waiting = [cell for cell in shipped if WAITS.search(kernel.printed(cell))]
    assert len(waiting) >= len(lab.stages) - 1
    assert not any(shows(cell) for cell in waiting)
    assert sum(kernel.printed(cell).count(" passed: ") for cell in solved) == len(lab.stages)
    for cell in solved if whole else []:  # what is drawn may be made by cells that were left out
        assert not WAITS.search(kernel.printed(cell)), cell.source
        if cell.cell_type == "code" and "plt.show()" in cell.source:
            assert shows(cell), cell.source
