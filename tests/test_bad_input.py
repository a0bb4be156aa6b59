"""Bad input gets one clear message at the learner's line, and the right state."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from checks.lab_3_bpe import stages
from checks.runner import report, sandbox
from checks.runner.lab import Lab, NotUsable, find
from checks.runner.verdict import CRASHED, FAILED, PASSED, TIMEOUT

ROOT = Path(__file__).parent.parent
HEAD = "def pair_counts(ids):\n"
RIGHT = "    return dict(Counter(zip(ids, ids[1:])))"


def judge(source, number=1, start=None):
    lab = Lab(find("3")).splice("pair_counts", source)
    (verdict,) = sandbox.run(sandbox.Job(lab, [number]), start=start)
    return verdict, report.text(verdict, lab)


@pytest.mark.parametrize(
    ("source", "state", "words"),
    [
        (HEAD + "    raise SystemExit(0)", CRASHED, "ends the program"),
        (HEAD + "    input()", CRASHED, "input()"),
        (HEAD + "    import os\n    os._exit(0)", CRASHED, "ended the process"),
        (HEAD + "    import os\n    os.kill(os.getpid(), 9)", CRASHED, "signal 9"),
        (HEAD + "    return [0] * (30 << 27)", CRASHED, "memory"),
        (HEAD + "    return pair_counts(ids)", CRASHED, "RecursionError"),
        (HEAD + "    return merges", CRASHED, "a variable made in a cell"),
        (HEAD + "    return Counter(zip(ids, ids[1:]", None, "does not parse"),
        (HEAD + "    pass", FAILED, "is a return missing?"),
        ("def count_pairs(ids):\n" + RIGHT, FAILED, "was it renamed to count_pairs?"),
        ("def pair_counts():\n    return {}", FAILED, "its contract is (ids)"),
        ("pair_counts = 7", FAILED, "no function called pair_counts"),
        ("async " + HEAD + RIGHT, FAILED, "async def"),
        (HEAD + "    yield 1", FAILED, "a dict"),
    ],
)
def test_each_kind_of_bad_function_has_its_own_words(source, state, words):
    try:
        verdict, text = judge(source)
    except NotUsable as no:
        assert state is None
        assert words in str(no) and "labs/lab_3_bpe.py:" in str(no)
        return
    assert verdict.state == state, text
    assert words in text


def test_an_endless_loop_is_stopped_and_its_line_named(monkeypatch):
    monkeypatch.setattr(stages.check_stage1, "seconds", 0.5)
    verdict, text = judge(HEAD + "    while True:\n        pass", start=sandbox.fork)
    assert verdict.state == TIMEOUT
    assert f"in line {verdict.line}" in text
    assert verdict.line > 57


@pytest.mark.parametrize("start", [sandbox.fork, sandbox.spawn])
def test_both_kinds_of_child_give_the_same_verdict(start):
    verdict, _ = judge(HEAD + RIGHT, start=start)
    assert verdict.state == PASSED
    wrong, text = judge(HEAD + "    return set(zip(ids, ids[1:]))", start=start)
    assert wrong.state == FAILED, text


def test_a_million_printed_lines_are_cut():
    body = HEAD + "    print('x\\n' * 100000)\n" + RIGHT
    verdict, text = judge(body)
    assert verdict.state == PASSED
    assert len(text) < 2000


def test_a_lambda_counts_as_the_function():
    assert judge("pair_counts = lambda ids: Counter(zip(ids, ids[1:]))")[0].state == PASSED


def test_a_wrong_stage_one_does_not_block_stage_three():
    lab = Lab(find("3")).splice("pair_counts", HEAD + "    return {}")
    lab = lab.splice("train", lab.source(lab.definition("solution_train")).replace("solution_", ""))
    (verdict,) = sandbox.run(sandbox.Job(lab, [3]))
    assert verdict.state == PASSED
    assert verdict.carried == [1, 2]


def test_crlf_a_space_and_an_accent_in_the_path(tmp_path):
    home = tmp_path / "mes é labs"
    home.mkdir()
    for part in ("checks", "labs"):
        shutil.copytree(ROOT / part, home / part)
    file = home / "labs" / "lab_3_bpe.py"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    before = file.read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "checks", "3", "--reference"], cwd=home, capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    "words", [["9"], ["3", "9"], ["3", "x"], ["--no"], ["labs/lab_3_bpe.py", "1"]]
)
def test_what_cannot_be_done_as_asked_exits_with_two(words):
    done = subprocess.run([sys.executable, "-m", "checks", *words], cwd=ROOT, capture_output=True)
    assert done.returncode == 2
    assert b"next" in done.stderr


def test_hints_come_one_at_a_time_and_stay_after_the_third(tmp_path):
    for part in ("checks", "labs"):
        shutil.copytree(ROOT / part, tmp_path / part)
    shown = []
    for _ in range(4):
        command = [sys.executable, "-m", "checks", "hint", "3", "2"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        shown.append(done.stdout)
    assert len(set(shown[:3])) == 3
    assert shown[3] == shown[2]
