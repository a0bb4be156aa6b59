"""The benchmark's own parts: pairs, ratios, slopes, tables, files, and the three assertions."""

import ast
import json
import math
import os
import subprocess
import sys
import time

import psutil
import pytest

from checks.runner.lab import Lab
from checks.runner.verdict import FAILED, PASSED
from tests import bench
from tests.bench import __main__ as command
from tests.bench import libraries, pairs, plots, process, rivals, tables, three, verdicts
from tests.bench.process import Broken
from tests.workshop import judged

VERDICT = {
    "task": "pure Python", "name": "ours, watching", "who": "ours", "includes": "all",
    "seconds": 0.025, "ratio": 0.5, "low": 0.4, "high": 0.6, "pairs": 5,
}  # fmt: skip
LAB = {
    "name": "lab-3", "title": "BPE tokenizer", "who": "ours", "stages": 6, "seconds": 9.0,
    "checks_seconds": 0.2, "checks_low": 0.2, "checks_high": 0.3,
}  # fmt: skip
POINT = {"ratio": 2.0, "low": 1.9, "high": 2.1, "pairs": 3, "agreement": "same", "marks": ("", "")}
RIVAL = {
    "name": "bm25", "lab": 5, "who": "ours", "job": "BM25", "peer": "rank-bm25",
    "unit": "documents", "note": "", "slope_ours": 1.0, "slope_peer": 0.9,
    "points": [{"size": n, "ours": n / 50, "peer": n / 100, **POINT} for n in (100, 200)],
}  # fmt: skip
GONE = {"name": "otter check", "who": "peer", "task": "pure Python", "why": "not installed: no pip"}


def result(**rows):
    parts = {
        name: {"date": "2026-01-01", "quick": False, "load": "0.1", "seconds": 9.0, "rows": its}
        for name, its in rows.items()
    }
    machine = {"cpu": "a CPU", "cores": 2, "system": "Linux", "python": "3.11"}
    return {"date": "2026-01-01", "machine": machine, "versions": {"pytest": "9"}, "parts": parts}


def test_two_contenders_take_turns_and_stop_at_the_most_pairs():
    order = []

    def run(name, seconds):
        return lambda: order.append(name) or seconds

    found = pairs.alternate(run("a", 1.0), run("b", 2.0), budget=60, least=2, most=4)
    assert "".join(order) == "abababab"
    assert found == ([1.0] * 4, [2.0] * 4)


def test_without_time_the_least_pairs_are_run():
    a, b = pairs.alternate(lambda: 1.0, lambda: 1.0, budget=0, least=3, most=9)
    assert len(a) == len(b) == 3


def test_a_ratio_is_the_median_over_pairs_and_no_quotient_of_medians():
    # 2, 4, 3: the median is 3; the medians 10 and 20 would give 2
    found = pairs.ratio([10.0, 5.0, 100.0], [20.0, 20.0, 300.0])
    assert found == {"ratio": 3.0, "low": 2.5, "high": 3.5, "pairs": 3}
    assert pairs.ratio([2.0], [1.0])["ratio"] == 0.5


@pytest.mark.parametrize(("a", "b"), [([], []), ([1.0], [1.0, 2.0])])
def test_no_ratio_without_pairs(a, b):
    with pytest.raises(ValueError, match="no pairs"):
        pairs.ratio(a, b)


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 2.0])
def test_a_slope_is_the_power_of_the_growth(power):
    sizes = [10, 100, 400]
    assert pairs.slope(sizes, [3e-6 * n**power for n in sizes]) == pytest.approx(power, abs=1e-12)


def test_no_slope_through_one_size():
    with pytest.raises(ValueError, match="no slope"):
        pairs.slope([5, 5], [1.0, 2.0])


def test_short_work_is_repeated_and_told_a_call():
    calls = []
    once = pairs.clock(lambda: calls.append(1), shortest=0.001)
    before = len(calls)
    seconds = once()
    assert len(calls) - before > 1
    assert seconds * (len(calls) - before) < 1  # a call's share, and not that of all


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(4e-6, "4.0 µs"), (6.4e-4, "640 µs"), (0.031, "31 ms"), (0.9996, "1.0 s"), (2.44, "2.4 s"),
     (123.4, "123 s")],
)  # fmt: skip
def test_durations_are_told_in_the_unit_that_suits(seconds, said):
    assert tables.duration(seconds) == said


@pytest.mark.parametrize(
    ("value", "said"), [(0.052, "0.05"), (1.234, "1.23"), (9.999, "10.0"), (123.4, "123")]
)
def test_ratios_have_two_or_three_digits(value, said):
    assert tables.times(value) == said


def test_tables_have_as_many_cells_as_their_head_and_say_why_a_row_is_missing():
    lost = {**RIVAL, "who": "peer", "why": "faiss cannot be imported"}
    del lost["points"]
    for text in (
        tables.verdicts([VERDICT, GONE]), tables.labs([LAB, {**LAB, "why": "too slow"}]),
        tables.libraries([RIVAL, lost]),
    ):  # fmt: skip
        rows = [line for line in text.splitlines() if line.startswith("|")]
        assert len(rows) == 4 and len({row.count("|") for row in rows}) == 1
    assert "not installed: no pip" in tables.verdicts([VERDICT, GONE])
    assert tables.line("verdicts", GONE).endswith("not installed: no pip")
    assert "25 ms" in tables.line("verdicts", VERDICT)


def test_json_tables_and_pictures_are_written(tmp_path):
    found = result(verdicts=[VERDICT, GONE], labs=[LAB], libraries=[RIVAL])
    command.write(found, tmp_path)
    assert json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))["parts"]
    text = (tmp_path / "bench.md").read_text(encoding="utf-8")
    assert "a CPU, 2 cores" in text and "pytest 9" in text and bench.__doc__.strip() in text
    for part in command.PARTS:
        assert f"(bench/{part}.png)" in text
        assert (tmp_path / "bench" / f"{part}.png").read_bytes().startswith(b"\x89PNG")


def test_pictures_of_rows_that_all_failed_are_left_out(tmp_path):
    for part in command.PARTS:
        getattr(plots, part)([GONE], tmp_path / "x.png")
    assert not list(tmp_path.iterdir())


def test_a_broken_row_of_ours_fails_the_session_and_one_of_a_peer_does_not():
    slow = {**LAB, "why": "61 s as solved, where 60 s are promised"}
    parts = result(verdicts=[VERDICT, GONE], labs=[LAB, slow])["parts"]
    assert command.broken(parts) == [slow]


def test_an_unknown_part_is_said_with_those_that_there_are(capsys):
    with pytest.raises(SystemExit) as stop:
        command.main(["verdict"])
    assert stop.value.code == 2
    assert "name one of verdicts, labs, libraries" in capsys.readouterr().err


def test_a_process_is_ended_with_what_it_started_in_a_session_of_its_own(tmp_path):
    child = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    script = f"""
import subprocess, sys
subprocess.Popen([sys.executable, "-c", {child!r}], start_new_session=True).wait()
"""
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())
    process.end(parent)
    assert parent.returncode is not None
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_run_that_takes_too_long_is_ended_and_said(tmp_path):
    before = psutil.Process().children(recursive=True)
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with pytest.raises(Broken, match=r"still running after 0\.2 s"):
        process.run(command, tmp_path, process.environment(tmp_path), limit=0.2)
    assert psutil.Process().children(recursive=True) == before


def test_contenders_see_the_pins_and_no_stray_variable(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    env = process.environment(tmp_path)
    assert "PYTHONDONTWRITEBYTECODE" not in env
    assert env["OMP_NUM_THREADS"] == env["RAYON_NUM_THREADS"] == "1"
    assert env["ML_MINI_LABS_PROGRESS"].startswith(str(tmp_path))


def spoken(source):
    """(function source, asserted expressions) of a script, whatever stands around them."""
    tree = ast.parse(source)
    functions = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name[:5] != "test_"]
    asserts = [ast.unparse(n.test) for n in ast.walk(tree) if isinstance(n, ast.Assert)]
    return [ast.unparse(n) for n in functions], asserts


@pytest.mark.parametrize("task", three.TASKS, ids=lambda task: task.kind)
@pytest.mark.parametrize("right", [True, False])
def test_every_form_holds_the_same_function_and_the_same_three_assertions(task, right):
    want = spoken(f"{task.source(right)}\n" + "\n".join(task.asserts))
    assert len(want[1]) == 3
    book = three.notebook(task, right, graded=True)
    graded = book.cells[1].metadata["nbgrader"]
    assert graded["grade"] and graded["locked"] and graded["points"] == 3
    space: dict = {}
    exec(three.ok_file(task), space)
    cases = [case["code"].removeprefix(">>> ") for case in space["test"]["suites"][0]["cases"]]
    assert spoken(three.script(task, right)) == want
    assert spoken(three.pytest_file(task, right)) == want
    assert spoken("\n".join(cell.source for cell in book.cells)) == want
    assert spoken(task.source(right) + "".join(cases)) == want


@pytest.fixture(scope="module")
def added(tmp_path_factory):
    """A workspace with the three labs, whose checks this process can import."""
    home = tmp_path_factory.mktemp("three")
    (home / "checks").mkdir()
    (home / "labs").mkdir()
    paths = {task.kind: three.add_lab(task, home) for task in three.TASKS}
    import checks

    checks.__path__.append(str(home / "checks"))
    yield paths
    checks.__path__.remove(str(home / "checks"))
    for task in three.TASKS:
        for name in (f"checks.{task.stem}", f"checks.{task.stem}.stages"):
            sys.modules.pop(name, None)


@pytest.mark.parametrize("task", three.TASKS, ids=lambda task: task.kind)
def test_our_three_assertions_pass_the_function_and_name_the_mistake(added, task):
    path = added[task.kind]
    assert judged(Lab(str(path), three.lab(task, True)), 1).state == PASSED
    verdict = judged(Lab(str(path), three.lab(task, False)), 1)
    assert verdict.state == FAILED
    assert verdict.diagnosis == [task.slip[2]]


@pytest.mark.parametrize("task", three.TASKS, ids=lambda task: task.kind)
def test_our_check_looks_at_the_three_cases_of_the_assertions(added, task):
    tree = ast.parse(
        (added[task.kind].parent.parent / "checks" / task.stem / "stages.py").read_text()
    )
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and len(n.args) == 3]
    assert [tuple(ast.unparse(arg) for arg in call.args[1:]) for call in calls] == [
        tuple(ast.unparse(ast.parse(part, mode="eval")) for part in case[1:]) for case in task.cases
    ]


@pytest.mark.parametrize("task", three.TASKS, ids=lambda task: task.kind)
def test_the_three_assertions_as_a_script_reject_the_wrong_function(task):
    exec(three.script(task, True), {})
    with pytest.raises(AssertionError):
        exec(three.script(task, False), {})


def test_bare_python_and_pytest_reject_by_their_status(tmp_path):
    env = process.environment(tmp_path)
    base = verdicts.bare(three.PURE, tmp_path, env)
    peers = {one.name: one for one in verdicts.the_peers(three.PURE, tmp_path, env, "no pip")}
    for contender in (base, peers["pytest, no plugins"]):
        assert [contender.judge(right)[0] for right in (False, True)] == [False, True]
    row = verdicts.measure(peers["otter check"], base, budget=0)
    assert row["why"] == "no pip" and row["who"] == "peer"


def test_who_passes_a_wrong_answer_or_rejects_a_right_one_is_not_measured():
    base = verdicts.Contender("bare", "bare", "", lambda right: (right, 1.0))
    blind = verdicts.Contender("blind", "peer", "", lambda right: (True, 1.0))
    strict = verdicts.Contender("strict", "ours", "", lambda right: (False, 1.0))
    assert verdicts.measure(blind, base, 0)["why"] == "passes the wrong answer"
    assert verdicts.measure(strict, base, 0)["why"] == "rejects the right answer"
    fair = verdicts.Contender("fair", "peer", "", lambda right: (right, 3.0))
    assert verdicts.measure(fair, base, 0)["ratio"] == 3.0


def test_every_rival_has_three_sizes_that_grow_by_one_factor():
    names = [rival.name for rival in rivals.every()]
    assert len(names) == len(set(names)) >= 14
    for rival in rivals.every():
        small, middle, large = rival.sizes
        assert math.isclose(middle / small, large / middle)


SMALL = {"bpe-recount": 2_000, "tf-idf": 20, "bm25": 20, "kv-cache": 4, "isotonic": 60}
SMALL |= {"k-means": 2_000, "attention": 9, "grouped-attention": 9}


@pytest.mark.parametrize("name", SMALL)
def test_a_rival_agrees_with_ours_and_a_wrong_outcome_is_noticed(name):
    (rival,) = (one for one in rivals.every() if one.name == name)
    data = rival.make(SMALL[name])
    ours, theirs = rival.ours(data), rival.theirs(data)
    assert rival.agree(data, ours, theirs)
    other = rival.make(SMALL[name] * 3 // 2)
    with pytest.raises((AssertionError, ValueError)):
        rival.agree(data, rival.ours(other), theirs)


def test_an_index_is_told_with_its_recall_and_a_wrong_order_is_noticed():
    (rival,) = (one for one in rivals.every() if one.name == "lsh-index")
    data = rival.make(3_000)
    ours, theirs = rival.ours(data), rival.theirs(data)
    assert rival.agree(data, ours, theirs).startswith("recall@10 0.")
    with pytest.raises(AssertionError):
        rival.agree(data, [ids[::-1] for ids in ours], theirs)


def test_a_rival_measured_has_a_point_a_size_and_both_slopes():
    (rival,) = (one for one in rivals.every() if one.name == "bm25")
    small = rivals.Rival(**{**vars(rival), "sizes": (5, 10, 20)})
    row = rivals.measure(small, budget=0)
    assert [point["size"] for point in row["points"]] == [5, 10, 20]
    assert all(point["pairs"] == pairs.LEAST for point in row["points"])
    assert {"slope_ours", "slope_peer"} <= set(row)


def test_a_library_that_is_not_there_is_said_and_is_no_fault_of_ours():
    (rival,) = (one for one in rivals.every() if one.name == "bm25")
    row = rivals.measure(rivals.Rival(**{**vars(rival), "needs": ("no_such_library",)}), 0)
    assert row["who"] == "peer" and "no_such_library" in row["why"]
    assert command.broken(result(libraries=[row])["parts"]) == []


def test_a_process_that_is_lost_in_the_peer_is_the_peers_fault():
    assert libraries.whose(f"{rivals.PEER} faiss at 10\nSegmentation fault") == "peer"
    assert libraries.whose(f"{rivals.PEER} faiss at 10\nours at 10\nKilled") == "ours"
    assert libraries.whose("") == "ours"


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_an_interrupted_run_leaves_no_process(tmp_path):
    script = (
        "import pathlib, sys; from tests.bench import process\n"
        "here = pathlib.Path(sys.argv[1])\n"
        'child = \'import os, time; open("pid", "w").write(str(os.getpid())); time.sleep(60)\'\n'
        "process.run([sys.executable, '-c', child], here, process.environment(here))\n"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        cwd=process.ROOT, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    end = time.monotonic() + 30
    while time.monotonic() < end and not (tmp_path / "pid").exists():
        time.sleep(0.02)
    running.send_signal(2)
    running.wait(20)
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))
