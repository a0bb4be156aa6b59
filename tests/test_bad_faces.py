"""The same kinds of bad input at the other faces: pytest, nox, the watcher, a cell."""

import os
import re
import shutil
import subprocess
import sys

import nbformat
import pytest

from checks.runner import kernel
from tests.workshop import solved
from tests.workspace import HEAD, LAB, RIGHT, STUB, Workspace, body, only, with_stage_1

posix = pytest.mark.skipif(sys.platform == "win32", reason="no fork and no Unix sockets")
FILE, LINE = LAB.relative, LAB.definition("pair_counts").name_line
OPEN = with_stage_1(only("return ("))
DAEMON = ("import os, time", "if os.fork() == 0:", "    os.setsid()", "    if os.fork() == 0:",
          "        time.sleep(99)", "    os._exit(0)", "os.wait()")  # fmt: skip
NODES = [
    (with_stage_1(only("while True: pass")), 1, "still running after 0.5 s, in line 151"),
    (OPEN, 1, f"{FILE}:151:12: error: the file does not parse: '(' was never closed"),
    (with_stage_1(only("raise SystemExit(0)")), 1, "ends the program"),
    (with_stage_1(only("import os", "os.abort()")), 1, "ended by signal 6, in line 152"),
    (with_stage_1(only("import os", "os.closerange(3, 99)", "return {}")), 1, "did not open"),
    (with_stage_1(body(*DAEMON)), 0, "lab-3: 1 of 1 done"),
    (with_stage_1(body("print('x' * 10**6)")), 0, "1 passed"),
    (LAB.text.encode("utf-16"), 1, f"{FILE}:1:1: error: the file is not UTF-8"),
    (b"", 1, "error: the file has no stages"),
]


QUICK = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "-p no:cacheprovider"}


@posix
@pytest.mark.parametrize(("text", "status", "words"), NODES)
def test_a_node_shows_the_verdict_alone(home, text, status, words):
    home.file.write_bytes(text.encode() if isinstance(text, str) else text)
    command = sys.executable, "-m", "pytest", "-q", FILE, "-k", "pair_counts"
    with home.limit(0.5 if "0.5 s" in words else 20):
        done = home.run(*command, env=QUICK)
    assert (done.status != 0) == (status != 0) and words in done.out, done
    assert "checks/runner" not in done.out and "INTERNALERROR" not in done.said, done


@posix
@pytest.mark.parametrize(
    ("source", "words"),
    [
        (only("while True: pass"), "still running after 0.5 s"),
        (only("return ("), "the file does not parse"),
    ],
    ids=["an endless loop", "a syntax error"],
)
def test_a_session_fails_with_the_verdict_in_it(home, source, words):
    home.put(source)
    with home.limit(0.5):
        done = home.run(sys.executable, "-m", "nox", "-s", "lab-3", env=QUICK)
    assert done.status == 1 and words in done.said, done
    assert "Session lab-3 failed." in done.err, done
    asked = home.run(sys.executable, "-m", "nox", "-s", "lab-3", "--", "9")
    assert asked.status == 1, asked
    assert "lab-3 has no stage 9" in asked.said or "does not parse" in asked.said


@posix
def test_the_watcher_gives_up_an_endless_loop_when_it_is_saved_again(home, watching):
    watcher = watching()
    home.file.write_text(with_stage_1(only("open('begun', 'w').close()", "while True: pass")))
    begun = home.home / "begun"
    while not begun.exists():
        pass
    begun.unlink()
    said = watcher.save(with_stage_1(body()), "stage 1 passed")
    assert "saved again: what follows is the newest" in said, said
    events = [row.split('"event": ')[1][:8] for row in home.journal.read_text().splitlines()]
    assert events == ['"passed"']


@posix
def test_the_watcher_stops_an_endless_loop_that_stays(home, watching):
    watcher = watching()
    with home.limit(0.5):
        said = watcher.save(with_stage_1(only("while True: pass")), "still running")
    assert f"{FILE}:151:1: error: stage 1: still running after 0.5 s, in line 151" in said
    assert "stage 1 passed" in watcher.save(with_stage_1(body()), "stage 1")


@posix
def test_the_watcher_waits_out_typing_and_half_a_file(home, watching):
    watcher = watching()
    assert f"{FILE}:151:12: error: the file does not parse" in watcher.save(OPEN, "parse")
    assert "stage 1 passed" in watcher.save(with_stage_1(body()), "stage 1")
    whole = with_stage_1(only("return {}"))
    for part in ("", whole[: len(whole) // 4]):
        said = watcher.save(part, "watching")
        assert ":0:" not in said and "Traceback" not in said, said
    said = watcher.save(whole, "stage 1")
    assert f"{FILE}:{LINE}:5: error: stage 1: pairs of [5, 6, 5, 6, 7]: got {{}}" in said, said


@posix
def test_the_watcher_reads_any_line_ends_and_says_other_encodings(home, watching):
    watcher = watching()
    wrong = with_stage_1(only("return {}"))
    said = watcher.save(wrong.replace("\n", "\r\n"), "stage 1")
    assert f"{FILE}:{LINE}:5: error: stage 1: " in said
    assert "no function of a stage changed" in watcher.save(wrong, "changed")
    assert "the file is not UTF-8: byte 0xff" in watcher.save(wrong.encode("utf-16"), "UTF-8")
    said = watcher.save(b"\xef\xbb\xbf" + wrong.encode(), "changed")
    assert f"{FILE}:{LINE}:5: error: stage 1: " in said  # it still stands


@posix
def test_the_watcher_survives_a_lab_that_goes_away_and_comes_back(home, watching):
    watcher = watching()
    home.file.unlink()
    assert "cannot be read: No such file" in watcher.hear("cannot be read")
    assert "stage 1 passed" in watcher.save(with_stage_1(body()), "stage 1")
    (home.labs / "lab_3_bpe_old.py").write_text("def (")  # a copy is no lab
    (home.labs / "lab_9_new.py").write_text(LAB.text, encoding="utf-8")
    said = watcher.hear("lab_9")
    assert "no function of a stage changed" in said and "old" not in said, said
    said = watcher.save(with_stage_1(only("return 7")), "stage 1")
    assert "got int: 7" in said


@posix
def test_the_watcher_leaves_no_process_and_no_zombie(home, watching):
    import psutil

    watcher = watching()
    said = watcher.save(with_stage_1(body(*DAEMON)), "stage 1")
    assert re.search(r"your code left \d\d? processes running, which the check ended", said), said
    said = watcher.save(with_stage_1(only("import os", "os.killpg(0, 9)")), "stage 1")
    assert "ended by signal 9" in said
    assert psutil.Process(watcher.process.pid).children(recursive=True) == []


@posix
def test_the_watcher_ends_where_there_is_nothing_to_watch(home, watching):
    watcher = watching()
    aside = home.home / "aside"
    home.labs.rename(aside)
    try:
        assert watcher.process.wait(60) == 2
    finally:
        aside.rename(home.labs)
    assert f"error: {home.labs} is gone\n  next       bring it back" in watcher.said()


@posix
def test_the_watcher_works_where_no_socket_can_be(home, watching):
    home.progress.write_text("mine")
    watcher = watching()
    said = watcher.save(with_stage_1(body()), "stage 1")
    assert "stage 1 passed" in said and "the journal was not written" in said
    assert home.checks("3", "1").status == 0


@posix
def test_a_watcher_that_nobody_reads_ends(home):
    command = f'"{sys.executable}" -m checks watch | head -2'
    shell = subprocess.Popen(["bash", "-c", command], cwd=home.home, env=home.environ(),
                             stdout=subprocess.PIPE)  # fmt: skip
    socket = home.progress / "watch.sock"
    while not socket.exists():
        pass
    while shell.poll() is None:
        home.put(body(f"# {os.urandom(4).hex()}"))
        try:
            shell.wait(0.2)
        except subprocess.TimeoutExpired:
            continue
    assert b"saved labs/lab_3_bpe.py" in shell.stdout.read()
    assert not socket.exists()


@pytest.fixture(scope="module")
def cells():
    """One kernel for all cells: (outputs as text) of each, in a workspace of its own."""
    ansi = re.compile(r"\x1b\[[0-9;]*m")

    def run(*sources):
        begin = "from collections import Counter\nfrom checks.lab_3_bpe import check_stage1"
        book = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in (begin, *sources)]
        )
        kernel.run(book, seconds=120, allow_errors=True)
        return [
            ansi.sub("", "\n".join("\n".join(out.get("traceback", [out.get("text", "")]))
                                   for out in cell.outputs))
            for cell in book.cells[1:]
        ]  # fmt: skip

    return run


CELLS = [
    (only("pass"), "got None (is a return missing?), expected a dict"),
    (only("return 1 / 0"), "ZeroDivisionError: division by zero"),
    (only("return pair_counts(ids)"), "calls itself without reaching an end"),
    (only("x = {}", "x[1] = x", "return x"), "what it returned contains itself"),
    (only("raise SystemExit(0)"), "your code ends the program"),
    (only("raise KeyboardInterrupt"), "stage 1: still running when it was interrupted"),
    (only("ids.append(1)", "return dict(Counter(zip(ids, ids[1:])))"), "(7, 1): 1"),
    (body("import builtins", "builtins.sorted = print"), "your code replaces builtins.sorted"),
    (body("from checks import expect", "expect.equal = print"), "replaces checks.expect.equal"),
    (body("import os", "os.chdir('/')"), "your code changes the working folder"),
    (HEAD + RIGHT, "stage 1 passed: pair_counts"),
]


def test_a_cell_shows_the_verdict_whatever_the_function_does(cells):
    sources = [part for source, _ in CELLS for part in (source, "check_stage1(pair_counts)")]
    said = cells(*sources)[1::2]
    for (source, words), text in zip(CELLS, said, strict=True):
        assert words in text, f"{source}\n{text}"
        assert "Traceback" not in text and "File " not in text, text
        if "1 / 0" in source:
            assert "in pair_counts line 12 of its cell: return 1 / 0" in text


def test_a_check_that_is_called_wrongly_or_too_early_says_so(cells):
    said = cells(HEAD + RIGHT, "check_stage1()", "check_stage1(pair_counts, 7)",
                 "check_stage1(pair_counts([1, 2]))", "check_stage1(ids=pair_counts)",
                 STUB, "check_stage1(pair_counts)")  # fmt: skip
    for text in (said[1], said[2], said[4]):
        assert text == "call it as check_stage1(pair_counts)"
    given = "pair_counts is a dict: give the function itself, check_stage1(pair_counts)"
    assert said[3] == given
    assert said[6].startswith("stage 1: pair_counts is still to write. Write it, run its cell")


def test_a_cell_is_judged_while_the_saved_file_is_broken(cells, tmp_path):
    home = Workspace(tmp_path / "home")
    home.file.write_text(OPEN, encoding="utf-8")
    for module in ("checks", "labs"):
        assert (home.home / module).is_dir()
    at = f"import os, sys\nos.chdir({str(home.home)!r})\nsys.path.insert(0, os.getcwd())\n" \
        "for name in [n for n in sys.modules if n.startswith('checks')]: del sys.modules[name]\n" \
        "from checks.lab_3_bpe import check_stage1"  # fmt: skip
    said = cells(at, HEAD + RIGHT, "check_stage1(pair_counts)",
                 only("return 1 / 0"), "check_stage1(pair_counts)")  # fmt: skip
    for text in (said[2], said[4]):
        assert f"{FILE}:151:12: error: the file does not parse" in text, text
    assert "stage 1 passed: pair_counts" in said[2] and "ZeroDivisionError" in said[4]
    shutil.rmtree(home.home)


@posix
def test_numpy_that_was_changed_by_one_stage_is_whole_for_the_next(home):
    from tests.workshop import LABS

    seven = next(lab for lab in LABS if lab.number == 7)
    lab = solved(seven)
    for line, words in (
        ("np.argsort = np.argmax", "your code replaces numpy.argsort, which the check uses too"),
        ("np.seterr(all='raise')", "your code changes how NumPy treats errors (np.seterr)"),
        ("np.set_printoptions(precision=1)", "your code changes how NumPy prints"),
        ("np.random.seed(0)", "stage 1 passed"),
    ):
        found = lab.definition("squared_distances")
        head, first, rest = lab.source(found).partition("\n")
        home.save(lab.splice("squared_distances", f"{head}\n    {line}{first}{rest}"))
        done = home.checks("7")
        assert words in done.out, done
        assert done.status == ("replaces" in words), done
        assert f"lab-7: {5 if 'replaces' in words else 6} of 6 done" in done.out, done
