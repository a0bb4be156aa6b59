"""A ninth lab, added by CONTRIBUTING.md alone: every face finds it, and every gate demands of it.

The steps are taken in their order. What CONTRIBUTING says that `nox` prints is taken from there.
"""

import json
import re
import shutil
import subprocess
import sys

import nbformat
import pytest

from tests import alone, ninth_lab
from tests.workshop import ROOT

PARTS = ("checks", "labs", "publish", "tests", "docs", ".vscode", ".github", "conftest.py",
         "pyproject.toml", "noxfile.py", "requirements.lock", "README.md")  # fmt: skip
GATES = "lab-9 or pick_lists or table_of_the_readme or stands_in_one_track or ci_picks_out"
FILES = ("tests/test_gates.py", "tests/test_faces.py", "tests/test_cells.py", "tests/test_loop.py")
LAB = f"labs/{ninth_lab.STEM}.py"


def run(home, *words):
    command = [sys.executable, "-m", *words]
    return subprocess.run(command, cwd=home, capture_output=True, text=True)


def gates(home, which=GATES):
    """The gates that concern the new lab, in the copy; without colours, cut short."""
    return run(home, "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", *FILES, "-k", which)


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """The workspace with the three files of a lab that is not finished."""
    home = tmp_path_factory.mktemp("ninth")
    for part in PARTS:
        source = ROOT / part
        (shutil.copytree if source.is_dir() else shutil.copy)(source, home / part)
    ninth_lab.begin(home)
    return home


@pytest.fixture(scope="module")
def demanded(begun):
    """What the gates say of it."""
    done = gates(begun)
    assert done.returncode == 1, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def finished(begun, demanded):
    """The lab as the gates want it: their own lines pasted where they say."""
    ninth_lab.finish(begun)
    orders = begun / "labs" / "orders.toml"
    text = orders.read_text(encoding="utf-8")
    orders.write_text(text.replace("production = [6, 8]", "production = [6, 8, 9]"))
    tasks = begun / ".vscode" / "tasks.json"
    text = tasks.read_text(encoding="utf-8")
    rows = re.findall(r'^E +(\{"label": .*\}),?$', demanded, flags=re.M)
    pasted = ",\n".join(f"        {row}" for row in rows)
    lists = re.compile(r'("options": \[)\n +\{ "label".*?(\n +\])', flags=re.S)
    text = lists.sub(lambda found: f"{found[1]}\n{pasted}{found[2]}", text)
    tasks.write_text(text, encoding="utf-8")
    readme = begun / "README.md"
    (row,) = re.findall(r"^E +(\| \[9 · .* \|)$", demanded, flags=re.M)
    text = readme.read_text(encoding="utf-8")
    last = re.findall(r"^\| \[8 · .*$", text, flags=re.M)[0]
    readme.write_text(text.replace(last, f"{last}\n{row}"), encoding="utf-8")
    return begun


def test_nox_lists_it(begun):
    listed = run(begun, "nox", "-l").stdout
    assert "lab-9 -> Doubling: the reference is judged" in listed


def test_pytest_lists_it(begun):
    listed = run(begun, "pytest", "--collect-only", "-q", LAB).stdout
    assert f"{LAB}::stage-1-double" in listed


def test_the_table_shows_it_after_the_tracks(begun):
    shown = run(begun, "checks").stdout
    assert shown.index("more\n  lab-9  Doubling") > shown.index("lab-8")


def test_its_reference_and_its_slips_are_judged(begun):
    assert "reference of stage 1 passed" in run(begun, "checks", "9", "--reference").stdout
    assert run(begun, "checks", "9", "1").returncode == 1
    file = begun / LAB
    stub = ninth_lab.LAB.partition("    # TODO")[2].partition("\n\n\n")[0]
    file.write_text(ninth_lab.LAB.replace(f"    # TODO{stub}", "    return x * x"))
    assert "this is what you get when x is squared" in run(begun, "checks", "9", "1").stdout
    file.write_text(ninth_lab.LAB, encoding="utf-8")


def test_its_notebook_is_built_and_diagnoses(begun, tmp_path):
    run(begun, "publish.notebooks", "9", "--to", str(tmp_path))
    book = nbformat.read(tmp_path / f"{ninth_lab.STEM}.ipynb", 4)
    book.cells = [cell for cell in book.cells if "plt." not in cell.source]  # its stub is no answer
    cells = ["def double(x):\n    return x * x", "check_stage1(double)", "hint(1)"]
    book.cells += [nbformat.v4.new_code_cell(cell) for cell in cells]
    alone.run(book, tmp_path, allow_errors=True)
    told, hint = ("".join(str(out) for out in cell.outputs) for cell in book.cells[-2:])
    assert "this is    what you get when x is squared" in told
    assert "lab-9 has no hints for stage 1" in hint


@pytest.mark.parametrize(
    "words",
    [
        "checks/lab_9_doubling/slips.py: stage 1 has 2 slips, and needs 8",
        "tests/right/lab_9_doubling*.py: stage 1 has 0 right answers, and needs 3",
        "checks/lab_9_doubling/hints.md: stage 1 has 0 hints, and needs 3",
        "labs/orders.toml: put 9 into one of the tracks",
        "paste into .vscode/tasks.json:",
        '{"label": "9 · Doubling", "value": "9"}',
        "paste into README.md:",
        f"| [9 · Doubling]({LAB}) | more | one function. |",
    ],
)
def test_what_is_missing_is_said_in_words_that_can_be_acted_on(demanded, words):
    assert words in demanded


def test_a_lab_that_is_finished_passes_every_gate(finished):
    done = gates(finished)
    assert done.returncode == 0, done.stdout
    passed = int(re.findall(r"(\d+) passed", done.stdout)[0])
    assert passed >= 2 * 8 + 8 + 3 + 10, done.stdout  # slips, their meanings, answers, the rest


def test_a_finished_lab_stands_in_the_lists_that_people_see(finished):
    text = (finished / ".vscode" / "tasks.json").read_text(encoding="utf-8")
    lab, _ = json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.M))["inputs"]
    assert lab["options"][-1] == {"label": "9 · Doubling", "value": "9"}
    assert "lab-9  Doubling" in run(finished, "checks").stdout.partition("production")[2]


def test_it_is_shown_as_solved_with_its_picture(finished, tmp_path):
    done = run(finished, "checks.runner.kernel", "9", str(tmp_path))
    assert done.returncode == 0 and "four points" in done.stdout, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["lab_9_doubling_1.png"]


def test_the_wrong_answers_that_its_checks_let_pass_are_listed(finished):
    done = run(finished, "tests.mutants", "9")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "stage 1: 6 mutants, 0 alive" in done.stdout
