"""Each lab as a notebook that works alone: built, validated, run where there is nothing else."""

import ast
import base64
import json
import re
import zlib

import nbformat
import pytest

from checks.runner import kernel
from checks.runner.lab import Lab
from publish import notebooks, remote
from tests import alone
from tests.workshop import JUDGES, LABS, name, written

LAB = next(lab for lab in LABS if lab.number == 3)
QUICK = (5, 6)  # the labs that take a few seconds as solved


def errors(cells):
    """What went wrong, cell by cell."""
    return [
        (cell.source[:80], out.evalue)
        for cell in cells
        for out in cell.get("outputs", [])
        if out.output_type == "error"
    ]


@pytest.mark.parametrize("lab", LABS, ids=name)
def test_each_notebook_runs_alone_as_shipped_and_its_stages_as_solved(lab, tmp_path):
    """The session `browser` runs the solved ones whole; their cells run in test_cells as well."""
    alone.prove(lab, tmp_path, whole=lab.number in QUICK)


IMPORTS = """from collections import Counter
from checks.lab_3_bpe import check_stage1, check_stage2, check_stage3"""
STUB = 'def {0}({1}):\n    "Text."\n    raise NotImplementedError("stage {2}: {0}")'
STUBS = "\n\n".join(
    STUB.format(*stub) for stub in [("pair_counts", "ids", 1), ("merge", "ids, pair, new_id", 2)]
)
SWAPPED = "def pair_counts(ids):\n    return Counter(zip(ids[1:], ids))"
CRASHES = "def pair_counts(ids):\n    short = ids[1]\n    return Counter(zip(ids, short))"
ENDLESS = """import _thread, threading
def pair_counts(ids):
    threading.Timer(0.5, _thread.interrupt_main).start()
    while True:
        pass"""
BEHIND = """def merge(ids, pair, new_id):
    out, at = [], 0
    while at < len(ids):
        if ids[at] == pair[0] and ids[at + 1] == pair[1]:
            out.append(new_id)
            at += 2
        else:
            out.append(ids[at])
            at += 1
    return out"""
TRAIN = kernel.as_solved(LAB).partition("def train(")[2].partition("\n\n\n")[0]
SESSION = {
    "start": IMPORTS,
    "stubs": STUBS,
    "check of a stub": "check_stage1(pair_counts)",
    "wait": "counts = pair_counts([1, 2])",
    "go on": "print(len(counts))",
    "train": f"def train({TRAIN}",
    "carried": "check_stage3(train)",
    "swapped": SWAPPED,
    "wrong": "check_stage1(pair_counts)",
    "carried again": "check_stage3(train)",
    "forgotten": "print(len(counts))",
    "crashes": CRASHES,
    "crash": "check_stage1(pair_counts)",
    "behind": BEHIND,
    "diagnosed crash": "check_stage2(merge)",
    "endless": ENDLESS,
    "interrupted": "check_stage1(pair_counts)",
    "missing": "del pair_counts, merge\ncheck_stage3(train)",
    "left as they were": "print('merge' in globals())",
    "source": "import inspect\nprint(inspect.getsource(check_stage1.check))",
    "hint": "for _ in range(4):\n    hint(1)\nhint(7)",
    "own": "def mine():\n    raise NotImplementedError('later')\nmine()",
    "typo": "print(contus)",
    "asked wrongly": "check_stage1()",
    "cheat": "def solution_merge(*a): ...\ndef merge(ids, pair, new_id):\n"
    "    return solution_merge(ids, pair, new_id)\ncheck_stage2(merge)",
}


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """What the cells of one session with lab 3 show: (text, whether the cell is an error)."""
    first = notebooks.book(LAB).cells[2]
    cells = dict(zip(SESSION, alone.code(*SESSION.values())))
    book = nbformat.v4.new_notebook(cells=[first, *cells.values()])
    alone.run(book, tmp_path_factory.mktemp("session"), allow_errors=True)
    shown = {}
    for title, cell in cells.items():
        text = "".join(
            "\n".join(out.get("traceback", [out.get("text", "")])) for out in cell.outputs
        )
        shown[title] = re.sub(r"\x1b\[[\d;]*m", "", text), bool(errors([cell]))
    return shown


def test_a_check_of_a_stub_and_a_cell_that_needs_it_say_so_in_one_line(session):
    told = "stage 1: pair_counts is still to write. Write it, run its cell, then this one.\n"
    assert session["check of a stub"] == (told, False)
    waits = "This cell needs stage 1 (pair_counts), which is still to write.\n"
    assert session["wait"] == (waits, False)


def test_a_cell_that_misses_a_variable_names_the_stage_that_it_waits_for(session):
    stage = "stage 1 (pair_counts)"
    text = f"This cell needs counts, which an earlier cell makes once {stage} is written.\n"
    assert session["go on"] == (text, False)
    text = (
        f"This cell needs counts: run the earlier cell of {stage} that makes it, then this one.\n"
    )
    assert session["forgotten"] == (text, False)


def test_a_wrong_answer_is_diagnosed_in_words_that_fit_a_notebook(session):
    text, is_error = session["wrong"]
    assert is_error
    assert text.startswith("stage 1 is not right yet: pairs of [5, 6, 5, 6, 7]\n")
    assert "  this is    what you get when the right neighbour is put first\n" in text
    assert text.endswith("or ask for a hint: hint(1)")
    for word in ("labs/", "python -m", "Traceback", "File ", "saved file"):
        assert word not in text


def test_a_crash_shows_the_learners_line_and_no_frame_of_the_engine(session):
    text, is_error = session["crash"]
    assert is_error
    assert text.startswith("stage 1 is not right yet: TypeError: 'int' object is not iterable\n")
    assert "in pair_counts line 3 of its cell: return Counter(zip(ids, short))\n" in text
    assert "Traceback" not in text and "judge" not in text


def test_a_crash_that_a_slip_shares_is_diagnosed(session):
    text, _ = session["diagnosed crash"]
    assert "IndexError: list index out of range\n" in text
    assert "this is    what you get when the last id looks for a neighbour behind the end" in text


def test_an_endless_loop_that_is_interrupted_is_shown_by_its_line(session):
    text, is_error = session["interrupted"]
    assert is_error
    assert text.startswith("stage 1 is not right yet: still running when it was interrupted\n")
    assert "in pair_counts line " in text and "find the loop that does not end" in text


@pytest.mark.parametrize("title", ["carried", "carried again", "missing"])
def test_a_later_stage_is_judged_on_the_reference_of_those_that_are_not_right(session, title):
    text, is_error = session[title]
    assert not is_error
    assert text.startswith("stage 3 passed: train. Next: stage 4, Vocabulary and decoding\n")
    assert "stages 1, 2 are not right yet, so the reference stands in for them here" in text


def test_judging_leaves_the_kernel_as_it_was_and_checks_can_be_read(session):
    assert session["left as they were"] == ("False\n", False)
    assert session["source"][0].startswith("@stage(reread='Stage 1, \"By hand\"')")


def test_hints_come_one_at_a_time(session):
    text, _ = session["hint"]
    assert re.findall(r"hint (\d) of 3, lab-3 stage 1", text) == ["1", "2", "3", "3"]
    assert "hint takes the number of a stage, 1 to 6" in text


def test_an_error_of_the_learners_own_keeps_its_traceback(session):
    for title, last in [
        ("own", "NotImplementedError: later"),
        ("typo", "name 'contus' is not defined"),
    ]:
        text, is_error = session[title]
        assert is_error and "Traceback" in text and text.endswith(last)


def test_calling_a_check_wrongly_or_a_solution_is_told_in_words(session):
    assert session["asked wrongly"] == ("call it as check_stage1(pair_counts)", True)
    assert "your code calls solution_merge: write it yourself" in session["cheat"][0]


def carried(book):
    """The files in a notebook's pack."""
    text = book.cells[2].source.partition('hint = unpack("""')[2].partition('"""')[0]
    return json.loads(zlib.decompress(base64.b64decode(text)))


@pytest.mark.parametrize("lab", LABS, ids=name)
def test_two_builds_are_equal_and_begin_alike(lab):
    one, other = notebooks.book(lab), notebooks.book(lab)
    assert nbformat.writes(one) == nbformat.writes(other)
    card, how, checks, *_ = one.cells
    assert card.source.startswith(f"# Lab {lab.number} · {lab.title}")
    assert how.source.startswith("**How to use this notebook.**")
    assert checks.metadata.jupyter.source_hidden and checks.metadata.cellView == "form"
    assert one.metadata.title == f"Lab {lab.number} · {lab.title}"
    assert len({cell.id for cell in one.cells}) == len(one.cells)


@pytest.mark.parametrize("lab", LABS, ids=name)
def test_a_pack_holds_its_own_lab_and_what_its_checks_import(lab):
    files = carried(notebooks.book(lab))
    others = [name for name in files if "lab_" in name and lab.stem not in name]
    assert others == []
    ways_in = {"live", "judge", "diagnose", "crash", "notebook", "workbench", "stub"}
    assert {f"checks/runner/{way}.py" for way in ways_in} <= set(files)
    for apart in ("sandbox", "watch", "command", "kernel"):
        assert f"checks/runner/{apart}.py" not in files


@pytest.mark.parametrize("lab", LABS, ids=name)
def test_what_travels_is_python_that_older_versions_read(lab):
    for path, text in carried(notebooks.book(lab)).items():
        if path.endswith(".py"):
            ast.parse(text, path, feature_version=(3, 10))


def test_what_was_written_in_the_lab_stays_at_home():
    done = written(LAB, list(JUDGES[LAB.id].owner))
    done = Lab(LAB.path, done.text.replace("\n# check_stage", "\ncheck_stage"))
    assert [c.source for c in notebooks.book(done).cells[3:]] == [
        c.source for c in notebooks.book(LAB).cells[3:]
    ]


def test_a_notebook_that_somebody_worked_in_is_kept(tmp_path):
    notebooks.write(LAB, tmp_path)
    path = tmp_path / f"{LAB.stem}.ipynb"
    fresh = path.read_bytes()
    assert "kept" not in notebooks.write(LAB, tmp_path)
    book = nbformat.reads(fresh.decode(), 4)
    book.cells[4].execution_count = 1
    nbformat.write(book, path)
    assert f"kept       {tmp_path}" in notebooks.write(LAB, tmp_path)
    assert path.read_bytes() == fresh
    assert (tmp_path / f"{LAB.stem}.kept-1.ipynb").exists()


def test_a_lab_that_does_not_parse_is_named_and_the_others_are_built(tmp_path, monkeypatch, capsys):
    broken = tmp_path / "labs" / "lab_9_broken.py"
    broken.parent.mkdir()
    broken.write_text("# %%\ndef f(:\n", encoding="utf-8")
    monkeypatch.setattr(notebooks, "discover", lambda: [str(broken), LAB.path])
    monkeypatch.setattr(notebooks, "find", str)
    assert notebooks.main(["--to", str(tmp_path)]) == 2
    told = capsys.readouterr()
    assert told.err.startswith("labs/lab_9_broken.py:2:7: error: the file does not parse")
    assert told.out.startswith(f"{tmp_path / LAB.stem}.ipynb (")
    assert [path.name for path in tmp_path.glob("*.ipynb")] == [f"{LAB.stem}.ipynb"]


@pytest.mark.parametrize(
    ("origin", "page"),
    [
        ("https://example.org/her/labs.git", "https://example.org/her/labs"),
        ("https://her:token@example.org/her/labs", "https://example.org/her/labs"),
        ("git@example.org:her/labs.git", "https://example.org/her/labs"),
        ("ssh://git@example.org:22/her/labs.git", "https://example.org/her/labs"),
        ("/srv/git/labs.git", ""),
        ("../labs", ""),
        ("C:\\labs", ""),
        ("", ""),
    ],
)
def test_the_repository_is_linked_only_where_git_knows_its_page(origin, page):
    assert remote.on_the_web(origin) == page
