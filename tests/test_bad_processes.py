"""Functions that end, copy, starve or outlive the process that they run in."""

import os
import signal
import subprocess
import sys
import time
import uuid

import pytest

from checks.runner import sandbox
from checks.runner.verdict import CRASHED, FAILED, PASSED, TIMEOUT
from tests.workshop import solved
from tests.workspace import LAB, MARK, body, only, running

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and forks")
OWN = "closed, or wrote into, a file that it did not open"
WRITES = "for fd in range(3, 32):", "    try: os.write(fd, {data})", "    except OSError: pass"
FRAME = r"len(d).to_bytes(4, 'little') + d"
ENDED = [
    ("os._exit(0)", only("import os", "os._exit(0)"), "ended the process (exit status 0)"),
    ("os._exit(3)", only("import os", "os._exit(3)"), "ended the process (exit status 3)"),
    ("SIGKILL", only("import os", "os.kill(os.getpid(), 9)"), "ended by signal 9"),
    ("SIGTERM", only("import os", "os.kill(os.getpid(), 15)"), "ended by signal 15"),
    ("SIGHUP", only("import os", "os.kill(os.getpid(), 1)"), "ended by signal 1"),
    ("its group", only("import os", "os.killpg(0, 9)"), "ended by signal 9"),
    ("abort", only("import os", "os.abort()  # here"), "ended by signal 6"),
    ("a null pointer", only("import ctypes", "ctypes.string_at(0)  # here"), "ended by signal 11"),
    ("exec", only("import os", "os.execv('/bin/true', ['true'])"), "ended the process"),
    ("closed files", body("import os", "os.closerange(3, 256)"), OWN),
    ("junk", body("import os", *WRITES).replace("{data}", r"b'\xff' * 99"), OWN),
    (
        "an event that is none",
        body("import os, marshal", "d = marshal.dumps(7)", *WRITES).replace("{data}", FRAME),
        OWN,
    ),
    ("4 GB", only("return [0] * (30 << 27)  # here"), "more memory than a check may have (4 GB)"),
    ("5 GB of bytes", only("return bytearray(5 << 30)  # here"), "more memory than a check may"),
]
LEAVES = "note       your code left"
OUTLIVES = [
    ("a fork", ("import os, time", "if os.fork() == 0:", "    time.sleep(99)")),
    (
        "a fork that ignores SIGTERM",
        ("import os, signal, time", "if os.fork() == 0:",
         "    signal.signal(15, signal.SIG_IGN)", "    time.sleep(99)"),
    ),
    (
        "a fork in a session of its own",
        ("import os, time", "if os.fork() == 0:", "    os.setsid()", "    time.sleep(99)"),
    ),
    (
        "a daemon",
        ("import os, time", "if os.fork() == 0:", "    os.setsid()", "    if os.fork() == 0:",
         "        time.sleep(99)", "    os._exit(0)", "os.wait()"),
    ),
    (
        "a program",
        ("from subprocess import DEVNULL, Popen",
         "Popen(['sleep', '99'], start_new_session=True, stdout=DEVNULL, stderr=DEVNULL)"),
    ),
    ("a fork that goes on with the check", ("import os", "first = not SEEN", "SEEN.append(1)",
                                            "if first: os.fork()")),
    (
        "a thread",
        ("import threading, time", "threading.Thread(target=time.sleep, args=(99,)).start()"),
    ),
    (
        "a thread that spins and prints",
        ("import threading", "def spin():", "    while True: print('spam')",
         "if threading.active_count() == 1: threading.Thread(target=spin).start()"),
    ),
]  # fmt: skip
ENDLESS = [
    ("a loop", only("while True:  # here", "    pass")),
    ("a loop in C", only("return sum(iter(int, 1))  # here")),
    ("a loop that catches all", only("while True:", "    try:", "        while True: pass  # here",
                                     "    except BaseException: pass")),
    ("a sleep", only("import time", "time.sleep(99)  # here")),
    ("a thread that is waited for", only("import threading, time",
                                         "t = threading.Thread(target=time.sleep, args=(99,))",
                                         "t.start()", "t.join()  # here")),
    ("a program that is waited for", only("import subprocess as s",
                                          "s.run(['sleep', '99'])  # here")),
    ("a pipe that nobody writes to", only("import os", "r, w = os.pipe()",
                                          "os.read(r, 1)  # here")),
    ("prints", only("while True: print('x' * 50)  # here")),
    ("no alarm", only("import signal", "signal.signal(signal.SIGALRM, signal.SIG_IGN)",
                      "while True: pass  # here")),
]  # fmt: skip


def names(rows):
    return [row[0] for row in rows]


def marked(home):
    """The number of the line in lab 3 that is marked."""
    lines = home.file.read_text(encoding="utf-8").split("\n")
    return next((at for at, line in enumerate(lines, 1) if line.endswith("# here")), 0)


@pytest.mark.parametrize(("source", "words"), [row[1:] for row in ENDED], ids=names(ENDED))
def test_whoever_ends_its_process_is_told_so_and_the_others_are_judged(home, source, words):
    home.save(solved(LAB))
    home.put(source)
    done = home.checks("3", "1")
    assert done.status == 1 and done.err == "", done
    first, *rest = done.out.splitlines()
    line = marked(home) or LAB.definition("pair_counts").name_line
    assert first.startswith(f"{LAB.relative}:{line}:"), done
    assert words in first and rest[-1].startswith("  next  "), done
    assert '"event": "crashed"' in home.journal.read_text()


@pytest.mark.parametrize("lines", [row[1] for row in OUTLIVES], ids=names(OUTLIVES))
def test_what_outlives_a_right_answer_is_ended_and_said(home, lines):
    home.put("SEEN = []\n\n\n" + body(*lines))
    done = home.checks("3", "1")
    assert done.status == 0 and done.out.startswith("stage 1 passed"), done
    if "SEEN.append(1)" not in lines:
        assert LEAVES in done.out, done


@pytest.mark.parametrize("source", [row[1] for row in ENDLESS], ids=names(ENDLESS))
def test_what_never_ends_is_stopped_at_its_line(home, source):
    home.put(source)
    with home.limit(0.5):
        done = home.checks("3", "1")
    assert done.status == 1, done
    place = f"{LAB.relative}:{marked(home)}:1: error: stage 1: still running after 0.5 s, in line"
    if "SIG_IGN" in source or "BaseException" not in source:
        assert done.out.startswith(place), done
    assert "still running after 0.5 s" in done.out, done
    assert f"find the loop that does not end at line {marked(home)}" in done.out, done


def test_a_million_lines_are_read_and_cut(home):
    home.put("SEEN = []\n\n\n" + body("if not SEEN:", "    SEEN.append(1)",
                                      "    for i in range(10**6): print(i)"))  # fmt: skip
    done = home.checks("3", "1")
    assert done.status == 0 and "printed    0\n" in done.out, done
    assert "lines or more)" in done.out and len(done.out) < 1000, done


def test_a_line_of_ten_megabytes_is_cut(home):
    home.put(body("print('x' * 10_000_000)"))
    done = home.checks("3", "1")
    assert done.status == 0 and len(done.out) < 1000, done


def test_what_was_printed_before_the_time_was_over_is_shown(home):
    home.put(only("print('so far')", "while True: pass"))
    with home.limit(0.5):
        assert "printed    so far" in home.checks("3", "1").out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_command_that_is_ended_takes_its_child_with_it(home, number):
    home.put(only("open('begun', 'w').close()", "while True: pass"))
    mark = uuid.uuid4().hex
    command = subprocess.Popen(
        [sys.executable, "-m", "checks", "3", "1"], cwd=home.home,
        env=home.environ(**{MARK: mark}), stderr=subprocess.PIPE,
    )  # fmt: skip
    begun = home.home / "begun"
    while not begun.exists():
        time.sleep(0.01)
    begun.unlink()
    command.send_signal(number)
    _, err = command.communicate(timeout=60)
    assert running(mark) == []
    if number == signal.SIGKILL:
        assert command.returncode == -9
    else:
        assert command.returncode == 128 + number and err == b"interrupted\n"
    assert not home.journal.exists()


def test_one_bad_stage_does_not_keep_the_others_from_their_verdicts(home):
    lab = solved(LAB).splice(
        "merge", "def merge(ids, pair, new_id):\n    import os\n    os.abort()"
    )
    home.save(lab)
    done = home.checks("3")
    assert done.status == 1, done
    assert "error: stage 2: the process was ended by signal 6" in done.out, done
    assert "lab-3: 5 of 6 done, next: stage 2" in done.out, done
    assert home.journal.read_text().count('"event": "passed"') == 5


def test_threads_that_spin_are_not_there_when_the_next_stage_is_judged():
    source = "def pair_counts(ids):\n    import threading, time\n" \
        "    threading.Thread(target=time.sleep, args=(99,)).start()\n" \
        "    return dict(Counter(zip(ids, ids[1:])))"  # fmt: skip
    lab = solved(LAB).splice("pair_counts", source)
    merge = "def merge(ids, pair, new_id):\n    import threading\n" \
        "    assert threading.active_count() == 1\n" + solved(LAB).source(
            solved(LAB).definition("merge")).split("\n", 1)[1]  # fmt: skip
    first, second = sandbox.run(sandbox.Job(lab.splice("merge", merge), [1, 2]))
    assert (first.state, second.state) == (PASSED, PASSED)
    assert first.notes and not second.notes


@pytest.mark.parametrize("start", [sandbox.fork, sandbox.spawn])
def test_both_kinds_of_child_give_the_same_verdicts(start):
    for source, state in (
        ("def pair_counts(ids):\n    return Counter(zip(ids, ids[1:]))", PASSED),
        ("def pair_counts(ids):\n    return set(zip(ids, ids[1:]))", FAILED),
        ("def pair_counts(ids):\n    import os\n    os._exit(3)", CRASHED),
        ("def pair_counts(ids):\n    import os\n    os.closerange(3, 99)\n    return {}", CRASHED),
    ):
        (verdict,) = sandbox.run(sandbox.Job(LAB.splice("pair_counts", source), [1]), start=start)
        assert verdict.state == state, verdict.message


def test_no_child_is_left_to_a_process_that_judged():
    lab = LAB.splice("pair_counts", "def pair_counts(ids):\n    while True: pass")
    from checks.lab_3_bpe import stages

    before, stages.check_stage1.seconds = stages.check_stage1.seconds, 0.3
    try:
        (verdict,) = sandbox.run(sandbox.Job(lab, [1]))
    finally:
        stages.check_stage1.seconds = before
    assert verdict.state == TIMEOUT
    with pytest.raises(ChildProcessError):
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)


def test_a_stage_is_judged_on_the_reference_where_an_earlier_one_is_wrong():
    lab = LAB.splice("pair_counts", "def pair_counts(ids):\n    return {}")
    lab = lab.splice("train", lab.source(lab.definition("solution_train")).replace("solution_", ""))
    (verdict,) = sandbox.run(sandbox.Job(lab, [3]))
    assert verdict.state == PASSED
    assert verdict.carried == [1, 2]
