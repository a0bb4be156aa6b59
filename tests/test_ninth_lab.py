"""A ninth lab, added by CONTRIBUTING.md: three files, and every face finds it."""

import shutil
import subprocess
import sys

import nbformat
import pytest

from tests import alone
from tests.workshop import ROOT

LAB = '''# %% [markdown]
# # Lab 9 · Doubling
# **You build** one function.

# %%
from checks.lab_9_doubling import check_stage1

# %% [markdown]
# ## Stage 1 · Twice as much
# ### By hand
# Twice 3 is 6.


# %%
def double(x):
    """Twice x. int in, int out."""
    # TODO(you): stage 1, about 1 line.
    raise NotImplementedError("stage 1: double")


# %%
# Done? Uncomment, run, read what it says.
# check_stage1(double)

# %% [markdown]
# # Solutions


# %%
def solution_double(x):
    return 2 * x
'''
STAGES = '''"""The checks of lab 9."""

from checks import expect
from checks.expect import stage


@stage(reread='Stage 1, "By hand"')
def check_stage1(double):
    """One value."""
    expect.equal("twice 3", double(3), 6)
    expect.equal("twice 5", double(5), 10)
'''
SLIPS = '''"""Wrong on purpose."""

from checks.expect import Slip

SLIPS = [
    Slip("double", "2 * x", "x * x", "when x is squared"),
    Slip("double", "2 * x", "x + 3", "when 3 is added"),
]
'''


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    home = tmp_path_factory.mktemp("ninth")
    for part in ("checks", "labs", "publish", "conftest.py", "pyproject.toml", "noxfile.py"):
        source = ROOT / part
        (shutil.copytree if source.is_dir() else shutil.copy)(source, home / part)
    (home / "labs" / "lab_9_doubling.py").write_text(LAB, encoding="utf-8")
    folder = home / "checks" / "lab_9_doubling"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        '"""The checks of lab 9."""\n\nfrom checks.lab_9_doubling.stages import check_stage1\n\n'
        '__all__ = ["check_stage1"]\n',
        encoding="utf-8",
    )
    (folder / "stages.py").write_text(STAGES, encoding="utf-8")
    (folder / "slips.py").write_text(SLIPS, encoding="utf-8")
    return home


def run(workspace, *words):
    command = [sys.executable, "-m", *words]
    return subprocess.run(command, cwd=workspace, capture_output=True, text=True)


def test_nox_lists_it(workspace):
    listed = run(workspace, "nox", "-l").stdout
    assert "lab-9 -> Doubling: the reference is judged" in listed


def test_pytest_lists_it(workspace):
    listed = run(workspace, "pytest", "--collect-only", "-q", "labs/lab_9_doubling.py").stdout
    assert "labs/lab_9_doubling.py::stage-1-double" in listed


def test_the_table_shows_it_after_the_tracks(workspace):
    shown = run(workspace, "checks").stdout
    assert shown.index("more\n  lab-9  Doubling") > shown.index("lab-8")


def test_its_reference_and_its_slips_are_judged(workspace):
    assert "reference of stage 1 passed" in run(workspace, "checks", "9", "--reference").stdout
    assert run(workspace, "checks", "9", "1").returncode == 1
    file = workspace / "labs" / "lab_9_doubling.py"
    body = LAB.split("    # TODO")[0] + "    return x * x\n\n\n# %%" + LAB.split("# %%", 5)[-1]
    file.write_text(body, encoding="utf-8")
    assert "this is what you get when x is squared" in run(workspace, "checks", "9", "1").stdout
    file.write_text(LAB, encoding="utf-8")


def test_its_notebook_is_built_and_diagnoses(workspace, tmp_path):
    run(workspace, "publish.notebooks", "9", "--to", str(tmp_path))
    book = nbformat.read(tmp_path / "lab_9_doubling.ipynb", 4)
    cells = ["def double(x):\n    return x * x", "check_stage1(double)", "hint(1)"]
    book.cells += [nbformat.v4.new_code_cell(cell) for cell in cells]
    alone.run(book, tmp_path, allow_errors=True)
    told, hint = ("".join(str(out) for out in cell.outputs) for cell in book.cells[-2:])
    assert "this is    what you get when x is squared" in told
    assert "lab-9 has no hints for stage 1" in hint
