"""Grading a class: what is found, how it is judged, what comes out, and what survives."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from checks.classroom import gradebook, notebook, points, pool, state, submissions, worker
from checks.runner import judge, sandbox
from checks.runner.lab import NotUsable
from tests import handins, kinds
from tests.class_of_300 import heeds_interrupts
from tests.workshop import LABS, ROOT, solved

LAB = next(lab for lab in LABS if lab.number == 3)
STEMS = {lab.number: lab.stem for lab in LABS}


def grade(*words, cwd=ROOT):
    command = [sys.executable, "-m", "checks", "grade", *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, encoding="utf-8")


def table(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def put(folder, *places, text=""):
    for place in places:
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


# A class of a dozen: what is known of each comes out, and nothing is left running.

DOZEN = [
    kinds.right, kinds.slip, kinds.half_done, kinds.broken, kinds.crlf,
    kinds.renamed, kinds.own_checks, kinds.wrong_solutions, kinds.notebook,
    kinds.empty_folder, kinds.leaves_the_process, kinds.removes_its_folder,
    *([kinds.kills_its_judge, kinds.leaves_processes] if kinds.LINUX else []),
]  # fmt: skip


@pytest.fixture(scope="module")
def dozen(tmp_path_factory):
    home = tmp_path_factory.mktemp("class")
    known = handins.make(home / "handed-in", DOZEN, numbers=(3, 8))
    done = grade(home / "handed-in", "--out", home / "out", "--workers", 2)
    assert done.returncode == 0, done.stderr
    return home, known, done


def test_every_verdict_on_a_class_is_the_known_one(dozen):
    home, known, _ = dozen
    lines = (home / "out" / "stages.jsonl").read_text(encoding="utf-8").splitlines()
    notes = {row["submission"]: row["notes"] for row in table(home / "out" / "summary.csv")}
    assert handins.wrong_verdicts(known, [json.loads(line) for line in lines], notes) == []


def test_nothing_that_a_hand_in_started_is_left(dozen):
    assert handins.strays() == []


def test_a_table_has_a_row_a_stage_and_the_summary_one_a_submission(dozen):
    home, known, done = dozen
    rows, sums = table(home / "out" / "stages.csv"), table(home / "out" / "summary.csv")
    assert list(rows[0]) == list(gradebook.COLUMNS)
    assert [row["submission"] for row in sums] == sorted(known)
    for one in sums:
        mine = [row for row in rows if row["submission"] == one["submission"]]
        assert float(one["total"]) == sum(float(row["points"]) for row in mine)
        assert float(one["total"]) == sum(float(one[f"lab-{n}"]) for n in (3, 8))
        assert float(one["of"]) == len(mine) == len(LAB.stages) * 2
        shown = next(s for s in done.stdout.splitlines() if s.startswith(one["submission"]))
        assert f" {one['total']}/{one['of']} " in shown


def test_the_xml_has_a_suite_a_submission_and_a_failure_is_the_whole_verdict(dozen):
    home, known, _ = dozen
    top = ElementTree.parse(home / "out" / "junit.xml").getroot()
    assert [suite.get("name") for suite in top] == sorted(known)
    for suite in top:
        cases = suite.findall("testcase")
        assert len(cases) == int(suite.get("tests"))
        for kind, count in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert len(suite.findall(f"testcase/{kind}")) == int(suite.get(count))
    renamed = next(suite for suite in top if "renamed" in suite.get("name"))
    (failure,) = renamed.findall("testcase/failure")
    assert "error: stage" in failure.text and "\n  re-read" in failure.text


def test_a_second_run_judges_nothing_and_writes_the_same_tables(dozen):
    home, _, _ = dozen
    before = [(home / "out" / name).read_bytes() for name in ("stages.csv", "summary.csv")]
    done = grade(home / "handed-in", "--out", home / "out")
    assert "to judge" not in done.stdout and "did not change" in done.stdout
    assert before == [(home / "out" / n).read_bytes() for n in ("stages.csv", "summary.csv")]


def test_other_points_are_given_without_judging_again(dozen, tmp_path):
    home, _, _ = dozen
    scheme = put(tmp_path, "points.toml", text="[lab-3]\ndefault = 2\n6 = 0.5\n") / "points.toml"
    done = grade(home / "handed-in", "--out", home / "out", "--points", scheme)
    assert done.returncode == 0 and "to judge" not in done.stdout
    right = table(home / "out" / "summary.csv")[0]
    assert (right["lab-3"], right["of"]) == ("10.5", "16.5")


def test_a_changed_hand_in_is_judged_anew_and_no_other(tmp_path):
    put(tmp_path / "all", "kim/lab_3_bpe.py", text=LAB.text)
    put(tmp_path / "all", "lee/lab_3_bpe.py", text=solved(LAB).text)
    assert "2 to judge" in grade(tmp_path / "all", "--out", tmp_path / "out").stdout
    put(tmp_path / "all", "kim/lab_3_bpe.py", text=solved(LAB).text + "# mine\n")
    done = grade(tmp_path / "all", "--out", tmp_path / "out")
    assert "1 to judge" in done.stdout and "1 files were judged before" in done.stdout
    assert [row["total"] for row in table(tmp_path / "out" / "summary.csv")] == ["6", "6"]


# What is found in folders.


@pytest.mark.parametrize(
    ("folder", "places", "names"),
    [
        ("kim", ["lab_3_bpe.py"], ["kim"]),
        ("kim", ["labs/lab_3_bpe.py", "checks/x.py"], ["kim"]),
        ("all", ["kim/lab_3_bpe.py", "lee/labs/lab_4_kv_cache.py"], ["kim", "lee"]),
        ("all", ["kim/lab_3_bpe.ipynb", "lee/notes.txt"], ["kim", "lee"]),
        ("all", ["kim/lab_3_bpe_final (1).py", ".git/lab_3_bpe.py"], ["kim"]),
        ("hw1-submissions", ["hw1-kim/lab_3_bpe.py", "hw1-lee/lab_3_bpe.py"], ["kim", "lee"]),
        ("hw1", ["hw1-kim/lab_3_bpe.py"], ["hw1-kim"]),
        ("submitted", ["kim/lab-3/lab_3_bpe.py", "kim/lab-4/lab_4_kv_cache.py"], ["kim"]),
        ("submitted", ["kim/ps1/lab_3_bpe.py", "lee/ps1/lab_3_bpe.py"], ["kim", "lee"]),
        ("course", ["submitted/kim/ps1/lab_3_bpe.py", "submitted/lee/ps1/lab_3_bpe.py",
                    "source/ps1/lab_3_bpe.py"], ["kim", "lee"]),
        ("kim", ["lab-3/lab_3_bpe.py", "lab-4/lab_4_kv_cache.py"], ["kim"]),
        ("all", ["a/kim/lab_3_bpe.py", "a/lee/notes.txt", "b/mo/lab_3_bpe.py"],
         ["a/kim", "a/lee", "b/mo"]),
        ("all", ["kim_1_2_lab_3_bpe-1.py", "lee_1_2_lab_3_bpe.py"], ["kim_1_2", "lee_1_2"]),
    ],
)  # fmt: skip
def test_each_layout_gives_its_submissions(tmp_path, folder, places, names):
    put(tmp_path / folder, *places)
    found = submissions.collect([str(tmp_path / folder)], STEMS)
    assert [one.name for one in found] == names
    held = {one.name for one in found if one.files}
    assert held == {n for n in names if n not in ("lee", "a/lee") or "notes.txt" not in str(places)}


def test_equal_names_from_two_folders_are_told_apart(tmp_path):
    put(tmp_path, "a/kim/lab_3_bpe.py", "b/kim/lab_3_bpe.py")
    found = submissions.collect([str(tmp_path / "a"), str(tmp_path / "b")], STEMS)
    assert [one.name for one in found] == ["a/kim", "b/kim"]


def test_of_several_files_for_a_lab_the_shipped_name_counts_and_the_rest_is_named(tmp_path):
    put(tmp_path / "kim", "lab_3_old.py", "lab_3_bpe.ipynb", "lab_3_bpe.py", "labs/lab_3_bpe.py")
    (one,) = submissions.collect([str(tmp_path / "kim")], STEMS)
    assert one.files == {3: str(tmp_path / "kim" / "labs" / "lab_3_bpe.py")}
    (note,) = one.notes
    assert note.startswith(f"{Path('labs/lab_3_bpe.py')} is judged, not lab_3_bpe.py,")
    assert "lab_3_bpe.ipynb" in note and "lab_3_old.py" in note


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(put(tmp_path, "kim/lab_4_kv_cache.py") / "kim" / "lab_3_bpe.py")
    (one,) = submissions.collect([str(tmp_path / "kim")], STEMS)
    assert list(one.files) == [4] and "lab_3_bpe.py: is no file" in one.notes


# Apart from the rest.


def outcome(text, spawn=False, way=pool.BARE):
    slot = pool.Slot(way, [], spawn)
    try:
        return slot.judge(pool.Order("", LAB, "py", "lab_3_bpe.py", text.encode))
    finally:
        slot.close()
        assert not os.path.exists(slot.work)


def states(found):
    return {n: told["verdict"]["state"] for n, told in sorted(found["stages"].items())}


def test_where_no_fork_is_possible_a_hand_in_is_judged_in_fresh_processes():
    wrong = solved(LAB).splice("merge", "def merge(ids, pair, new_id):\n    return list(ids)")
    found = states(outcome(wrong.text, spawn=True))
    assert found == {n: "failed" if n == 2 else "passed" for n in LAB.stages}


@pytest.mark.skipif(not kinds.LINUX, reason="kills its parent")
def test_a_hand_in_that_kills_its_judge_loses_that_stage_alone():
    body = "import os, shutil\nshutil.rmtree(os.environ['HOME'])\nos.kill(os.getppid(), 9)"
    lab = solved(LAB)
    source = lab.source(lab.definition("decode")).split("\n")
    source[1:1] = [f"    {line}" for line in body.split("\n")]
    found = outcome(lab.splice("decode", "\n".join(source)).text)
    assert states(found) == {n: "crashed" if n == 4 else "passed" for n in LAB.stages}
    assert "ended the process that judges it" in found["stages"][4]["said"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="leaves a process by fork")
@pytest.mark.parametrize("start", [sandbox.fork, sandbox.spawn])
def test_a_process_left_behind_with_the_pipes_open_blocks_nobody(monkeypatch, start):
    monkeypatch.setattr(judge.load_checks(LAB)[1], "seconds", 0.5)
    body = "    import os, time\n    if os.fork() == 0: time.sleep(40)\n    os._exit(3)"
    lab = LAB.splice("pair_counts", f"def pair_counts(ids):\n{body}")
    (verdict,) = sandbox.run(sandbox.Job(lab, [1]), start=start)
    assert verdict.state in ("timeout", "crashed")


@pytest.mark.skipif(not handins.LINUX, reason="kills its parent")
def test_without_namespaces_a_class_survives_as_well(tmp_path):
    some = [kinds.kills_its_judge, kinds.leaves_processes, kinds.right, kinds.removes_its_folder]
    known = handins.make(tmp_path / "all", some, numbers=(3,))
    done = grade(tmp_path / "all", "--out", tmp_path / "out", "--bare")
    assert done.returncode == 0 and "kept apart by: process groups" in done.stdout
    lines = (tmp_path / "out" / "stages.jsonl").read_text(encoding="utf-8").splitlines()
    notes = {row["submission"]: row["notes"] for row in table(tmp_path / "out" / "summary.csv")}
    assert handins.wrong_verdicts(known, [json.loads(line) for line in lines], notes) == []
    assert handins.strays() == []


def test_a_silent_worker_is_given_up_and_the_stage_runs_out_of_time(monkeypatch):
    monkeypatch.setattr(pool, "SILENCE", 4.0)
    lab = solved(LAB).splice("train_fast", "def train_fast(text, n_merges):\n    while True: pass")
    found = outcome(lab.text)
    assert states(found) == {n: "timeout" if n == 6 else "passed" for n in LAB.stages}


def test_what_reaches_out_of_a_lab_is_named():
    text = (
        LAB.text + "\nimport os, socket, numpy as np\nfrom checks.runner import judge\nopen('x')\n"
    )
    assert worker.unusual(text, LAB) == ["checks.runner", "open()", "os", "socket"]
    assert worker.unusual(LAB.text, LAB) == []


# Notebooks.


def test_a_line_of_a_notebook_is_told_as_cell_and_line():
    import nbformat

    cells = [nbformat.v4.new_markdown_cell("# Lab 3"), nbformat.v4.new_code_cell("x = 1\ny = 2"),
             nbformat.v4.new_code_cell("for for\n1")]  # fmt: skip
    book = notebook.Notebook(nbformat.writes(nbformat.v4.new_notebook(cells=cells)).encode(), "n")
    line = book.lines.index("y = 2") + 1
    assert book.place(line) == (2, 2)
    assert book.notes == ["cell 3 does not parse (its line 1) and was left out"]
    assert "# for for" in book.lines


# What has been judged.


def test_a_half_written_line_loses_itself_and_nothing_else(tmp_path):
    path = str(tmp_path / "state.jsonl")
    first = state.State(path)
    first.end("a", {"stages": {1: "one"}})
    with open(path, "ab") as file:
        file.write(b'{"digest": "b", "outc')
    state.State(path).end("c", {"stages": {}})
    assert set(state.State(path).outcomes) == {"a", "c"}
    assert state.State(path).outcomes["a"] == {"stages": {1: "one"}}


def test_a_file_that_the_grading_died_on_twice_is_left_alone(tmp_path):
    path = str(tmp_path / "state.jsonl")
    for _ in range(2):
        assert not state.State(path).kills("a")
        state.State(path).begin("a")
    assert state.State(path).kills("a")
    state.State(path).stop("a")
    assert not state.State(path).kills("a")


@pytest.mark.skipif(os.name != "posix", reason="Ctrl+C as a signal")
def test_ctrl_c_keeps_what_was_judged_and_leaves_nothing_running(tmp_path):
    loop = solved(LAB).splice("decode", "def decode(ids, vocab):\n    while True: pass").text
    for name, text in {"a": solved(LAB).text, "b": loop}.items():
        put(tmp_path / "all", f"{name}/lab_3_bpe.py", text=text)
    command = [sys.executable, "-m", "checks", "grade", str(tmp_path / "all"),
               "--out", str(tmp_path / "out"), "--workers", "1"]  # fmt: skip
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True,
                               preexec_fn=heeds_interrupts)  # fmt: skip
    path = tmp_path / "out" / "state.jsonl"
    while not path.exists() or path.read_text(encoding="utf-8").count("\n") < 3:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130 and "interrupted: 1 of 2 are kept" in said
    found = state.State(str(path))
    assert len(found.outcomes) == 1 and sorted(found.begun.values()) == [0, 1]


# Points, tables, and what is asked for wrongly.


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[lab-3]\n1 = 2\n9 = 1\n", ":3: error: lab-3 has no stage `9`"),
        ("default = 1\n[lab-33]\n1 = 2\n", ":2: error: `lab-33` is no lab"),
        ("[lab-3]\n1 = 'two'\n", ":2: error: `1 = two`: points are a number"),
        ("default = -1\n", ":1: error: `default = -1`"),
        ("[lab-3]\n1 = nan\n", ":2: error: `1 = nan`"),
        ("[lab-3]\n1 = true\n", ":2: error: `1 = True`"),
        ("lab-3 = 4\n", ":1: error: `lab-3` is no table"),
        ("[lab-3\n", "is no TOML"),
    ],
)
def test_a_scheme_of_points_that_names_nothing_is_refused_with_its_line(tmp_path, text, words):
    path = put(tmp_path, "points.toml", text=text) / "points.toml"
    with pytest.raises(NotUsable) as no:
        points.load(str(path), LABS)
    assert words in str(no.value) and "\n  next" in str(no.value)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "there is no folder nowhere"),
        (["README.md"], "README.md is a file"),
        (["docs"], "no lab file in docs"),
        ([".", "--lab", "77"], "there is no lab 77"),
        ([".", "--points", "nowhere.toml"], "nowhere.toml: error: cannot be read"),
        ([".", "--workers", "0"], "at least one judges"),
        ([], "FOLDER"),
    ],
)
def test_what_cannot_be_graded_exits_with_two(words, said):
    done = grade(*words)
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr


def test_a_cell_is_one_line_that_no_spreadsheet_runs():
    assert gradebook.cell("=HYPERLINK(1)") == "'=HYPERLINK(1)"
    assert gradebook.cell("a\n  b <x at 0x7f12ab34cd56>") == "a b <x at 0x...>"


def test_control_characters_of_a_hand_in_leave_the_xml_well_formed():
    row = gradebook.Row("kim\x00\ud800", LAB, 1, "failed", 1)
    row.message = row.text = "\x1b[31mred\x08 \ufffe <&>"
    (suite,) = ElementTree.fromstring(gradebook.junit([[row]]))
    assert suite.get("name") == "kim??" and "<&>" in suite[0][0].text


def test_grading_leaves_the_journal_alone(dozen, tmp_path):
    assert not (tmp_path / "progress").exists()
