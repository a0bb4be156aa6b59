"""Bad input gets one clear message at the learner's line, and the right state."""

import os
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
        (HEAD + "    return None", FAILED, "is a return missing?"),
        (HEAD + "    return 7", FAILED, "a dict"),
        (HEAD + "    return float('nan')", FAILED, "nan"),
        (HEAD + "    return {(5, 6): float('nan')}", FAILED, "nan"),
        (HEAD + "    return {'5, 6': 2}", FAILED, "expected"),
        (HEAD + "    return lambda: 1", FAILED, "a dict"),
        (HEAD + "    return print", FAILED, "a dict"),
        (HEAD + "    return NotImplemented", FAILED, "a dict"),
        (HEAD + "    exit()", CRASHED, "ends the program"),
        (HEAD + "    quit(0)", CRASHED, "ends the program"),
        (HEAD + "    import sys\n    sys.exit()", CRASHED, "ends the program"),
        (HEAD + "    raise KeyboardInterrupt", CRASHED, "interrupted"),
        (HEAD + "    raise Exception", CRASHED, "Exception"),
        (HEAD + "    raise ValueError('é' * 5000)", CRASHED, "ValueError"),
        (HEAD + "    raise BaseException('x')", CRASHED, "BaseException"),
        (HEAD + "    raise NotImplementedError('later')", CRASHED, "NotImplementedError: later"),
        (HEAD + "    return 1 / 0", CRASHED, "ZeroDivisionError"),
        (HEAD + "    return ids.shape", CRASHED, "AttributeError"),
        (HEAD + "    return idz", CRASHED, "NameError"),
        (HEAD + "    import nowhere", CRASHED, "ModuleNotFoundError"),
        (HEAD + "    assert not ids", CRASHED, "AssertionError"),
        (HEAD + "    return open('/no/such/file')", CRASHED, "FileNotFoundError"),
        (
            HEAD + "    import signal, os\n    os.kill(os.getpid(), signal.SIGTERM)",
            CRASHED,
            "signal 15",
        ),
        (HEAD + "    import os\n    os.abort()", CRASHED, "signal 6"),
        (HEAD + "    import ctypes\n    ctypes.string_at(0)", CRASHED, "signal 11"),
        (HEAD + "    import os\n    os._exit(3)", CRASHED, "exit status 3"),
        (
            HEAD + "    ids.append(1)\n    return solution_pair_counts(ids)",
            FAILED,
            "write it yourself",
        ),
        (HEAD + "    ids[:] = []\n    return {}", FAILED, "expected"),
        (HEAD + "    ids.clear()\n    return dict(Counter(zip(ids, ids[1:])))", FAILED, "expected"),
        (
            HEAD + "    import builtins\n    builtins.dict = list\n" + RIGHT,
            CRASHED,
            "replaces builtins.dict",
        ),
        (
            HEAD + "    from checks import expect\n    expect.equal = print\n    return {}",
            CRASHED,
            "replaces checks.expect.equal",
        ),
        (
            HEAD
            + "    from checks import values\n    values.equal = lambda *a: True\n    return {}",
            CRASHED,
            "replaces checks.values.equal",
        ),
        (
            HEAD
            + "    from checks.lab_3_bpe import stages\n    stages.slow_pair_counts = pair_counts\n"
            "    return {(5, 6): 2, (6, 5): 1, (6, 7): 1}",
            CRASHED,
            "slow_pair_counts",
        ),
        ("class pair_counts(dict):\n    pass", CRASHED, "TypeError"),
        ("def pair_counts(*ids):\n    return {}", FAILED, "expected"),
        ("def pair_counts(ids, *, depth):\n    return {}", FAILED, "its contract is (ids)"),
        ("def pair_counts(ids, depth):\n    return {}", FAILED, "its contract is (ids)"),
        ("pair_counts = None", FAILED, "no function called pair_counts"),
        ("@undefined\n" + HEAD + RIGHT, CRASHED, "NameError"),
        (HEAD + "\treturn 1\n        return 2", None, "does not parse"),
        (HEAD + "  return 1\n    return 2", None, "does not parse"),
        (HEAD + "    return '", None, "does not parse"),
        (HEAD + "return 1", None, "does not parse"),
        ("def pair_counts(ids)\n    return 1", None, "does not parse"),
        (HEAD + "    return \u201cquoted\u201d", None, "does not parse"),
        (HEAD + "    print 'two'", None, "does not parse"),
        (HEAD + "    x = 08", None, "does not parse"),
        (HEAD + "    return 1\x00", None, "does not parse"),
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


SOLVED = HEAD + RIGHT


@pytest.mark.parametrize(
    "body",
    [
        "    import os\n    if os.fork() == 0:\n        os._exit(0)\n",
        "    import threading\n    threading.Thread(target=print, daemon=True).start()\n",
        "    import sys\n    sys.stdout.close()\n",
        "    import os\n    os.close(1)\n",
        "    print('\\udcff')\n",
        "    import sys\n    sys.setrecursionlimit(60)\n",
        "    import gc\n    gc.disable()\n",
        "    import os\n    os.chdir('/')\n",
        "    import warnings\n    warnings.warn('careful')\n",
        "    import random\n    random.seed(0)\n",
        "    global SEEN\n    SEEN = 1\n",
    ],
)
def test_what_a_right_function_does_beside_its_work_does_not_matter(body):
    verdict, text = judge(HEAD + body + RIGHT)
    assert verdict.state in (PASSED, CRASHED), text
    if not any(word in body for word in ("close", "udcff", "recursion")):
        assert verdict.state == PASSED, text


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda text: text.replace("# # Solutions", "# # End"), ""),
        (lambda text: text.replace("# # Solutions", ""), ""),
        (lambda text: text.replace("def solution_pair_counts", "def solution_gone"), "solution_"),
        (lambda text: text.replace("# ## Stage 1 ", "# ## Part 1 "), ""),
        (lambda text: text + "\nwhile True: pass\n", ""),
        (lambda text: text + "\nraise SystemExit\n", ""),
        (lambda text: "import nowhere\n" + text, ""),
    ],
)
def test_a_lab_file_that_was_edited_around_the_stage(tmp_path, edit, words):
    for part in ("checks", "labs"):
        shutil.copytree(ROOT / part, tmp_path / part)
    file = tmp_path / "labs" / "lab_3_bpe.py"
    file.write_text(edit(Lab(find("3")).splice("pair_counts", SOLVED).text), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "checks", "3", "1"], cwd=tmp_path, capture_output=True, text=True
    )
    assert "Traceback" not in done.stdout + done.stderr
    assert done.returncode in (0, 2) and words in done.stderr
    if done.returncode == 2:
        assert "next" in done.stderr


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"\xff\xfe", "not UTF-8"), (b"x = '\xe9'\n", "not UTF-8"), (b"", "no stages"),
     (b"x = 1\n", "no stages"), (b"return 1\n", "outside function"), (b"def (:\n", "does not parse"), (b"((((" * 300, "does not parse")],
)  # fmt: skip
def test_a_file_that_is_no_lab_is_said_with_its_line(tmp_path, data, words):
    for part in ("checks", "labs"):
        shutil.copytree(ROOT / part, tmp_path / part)
    (tmp_path / "labs" / "lab_3_bpe.py").write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-m", "checks", "3", "1"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 2 and words in done.stderr
    assert "labs/lab_3_bpe.py:" in done.stderr and "next" in done.stderr


def test_an_endless_loop_is_stopped_and_its_line_named(monkeypatch):
    monkeypatch.setattr(stages.check_stage1, "seconds", 0.5)
    verdict, text = judge(HEAD + "    while True:\n        pass", start=sandbox.fork)
    assert verdict.state == TIMEOUT
    assert f"in line {verdict.line}" in text
    assert verdict.line > 57


@pytest.mark.skipif(not hasattr(os, "fork"), reason="leaves a process by fork")
@pytest.mark.parametrize("start", [sandbox.fork, sandbox.spawn])
def test_a_process_left_behind_with_the_pipes_open_blocks_nobody(monkeypatch, start):
    monkeypatch.setattr(stages.check_stage1, "seconds", 0.5)
    body = HEAD + "    import os, time\n    if os.fork() == 0: time.sleep(40)\n    os._exit(3)"
    verdict, text = judge(body, start=start)
    assert verdict.state in (TIMEOUT, CRASHED), text


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
