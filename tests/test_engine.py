"""What learners meet seldom: a check in a script, tables, editors' programs, other machines."""

import builtins
import json
import marshal
import os
import sys
import sysconfig
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import checks
from checks import expect, values
from checks.expect import CheckFailed, Slip, stage
from checks.runner import ask, command, judge, lab, pins, places, progress, recall, strays
from checks.runner.lab import Lab, NotUsable
from tests.workshop import LABS, solved

LAB = next(lab for lab in LABS if lab.number == 3)
posix = pytest.mark.skipif(os.name != "posix", reason="Unix sockets and shell scripts")


@pytest.fixture
def diary(tmp_path, monkeypatch):
    """A folder of one's own for journal, attempts, comparisons and the watcher's socket."""
    monkeypatch.setenv("ML_MINI_LABS_PROGRESS", str(tmp_path / "p"))
    return tmp_path / "p"


@pytest.fixture
def elsewhere(tmp_path, monkeypatch, diary):
    """Lab 3 in a file of its own, and nothing else to be found: `elsewhere(text)` writes it."""
    path = tmp_path / "labs" / "lab_3_bpe.py"
    path.parent.mkdir()
    for module in (lab, places):
        monkeypatch.setattr(module, "discover", lambda root="": [str(path)])

    def write(text):
        path.write_text(text, encoding="utf-8")
        return Lab(str(path)) if "def (" not in text else path

    return write


@pytest.fixture
def code(tmp_path, monkeypatch):
    """A program `code`, as VS Code's terminal has it: `code()` is what it was called with."""
    program, said = tmp_path / "bin" / "code", tmp_path / "said"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> "{said}"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    monkeypatch.setenv("VSCODE_IPC_HOOK_CLI", "/a/socket")
    return lambda: said.read_text().splitlines() if said.exists() else []


# A check that is called by hand, in a script.


@stage(reread='Stage 9, "By hand"')
def check_stage9(double):
    expect.equal("three", double(3), 6)


def test_a_check_in_a_script_prints_a_line_or_raises_the_verdict(capsys, monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    check_stage9(lambda x: 2 * x)
    assert capsys.readouterr().out == "stage 9 passed: double\n"
    with pytest.raises(CheckFailed) as no:
        check_stage9(lambda x: x * x)
    rows = str(no.value).splitlines()
    assert rows == ["three", "  got        9", "  expected   6", '  re-read    Stage 9, "By hand"']


def test_a_promised_error_is_told_from_another_and_from_none():
    def wrong():
        raise KeyError("gone")

    assert expect.raises("an empty list", KeyError, wrong)
    with pytest.raises(CheckFailed) as other:
        expect.raises("an empty list", ValueError, wrong)
    assert (other.value.got, other.value.expected) == ("KeyError: 'gone'", "ValueError")
    with pytest.raises(CheckFailed) as none:
        expect.raises("an empty list", ValueError, lambda: 7)
    assert none.value.got == "no error, but 7"


def test_a_slip_reads_as_what_it_means():
    assert repr(Slip("merge", "a", "b", "when b is a")) == "Slip(merge: when b is a)"


# Comparing and showing.


def test_what_came_in_place_of_an_array_is_named():
    ragged = [[1, 2], [3]]
    assert values.shape(ragged) is None and values.shape([]) == (0,)
    assert values.kind(None, None) == "None (is a return missing?)"
    assert values.kind(ragged, None) == "list: [[1, 2], [3]]"
    assert values.kind([[1, 2]], (1, 2)) == "shape (1, 2)"
    assert values.kind(2.5, ()) == "a single number, 2.5"


def test_long_lists_are_cut_and_counted():
    shown = values.show(list(range(1000)))
    assert shown.startswith("[0, 1, 2") and shown.endswith("...] (1000 items)")
    assert values.show(tuple(range(1000))).endswith("...) (1000 items)")
    assert values.show(0.1 + 0.2) == "0.3"


def test_dicts_are_contrasted_by_the_first_entry_that_differs():
    many = {k: k for k in range(40)}
    less, other, more = {**many}, {**many, 7: 8}, {**many, 99: 1}
    del less[3]
    assert values.contrast(less, many) == ("no entry for 3", "3: 3")
    assert values.contrast(other, many) == ("7: 8", "7: 7")
    assert values.contrast(more, many) == ("99: 1", "no entry for 99")
    assert values.contrast(None, many)[0] == "None (is a return missing?)"


def test_arrays_without_numbers_are_close_to_nothing():
    text = np.array(["a", "b"])
    assert not values.close(text, np.array([1.0, 2.0]), 1e-9)
    assert not values.close(np.array([None, 2]), np.array([1.0, 2.0]), 1e-9)


@pytest.mark.parametrize(
    ("a", "b", "is_alike"),
    [
        (np.ones(2), np.ones(2) + 1e-9, True), (np.ones(2), np.ones(3), False),
        (np.arange(2), np.arange(2), True), (np.arange(2), np.array([0, 2]), False),
        (1.0, 1.0 + 1e-9, True), (1.0, "1.0", False), (float("nan"), float("nan"), True),
        ((1, 2.0), (1, 2.0), True), ((1, 2), (1, 2, 3), False), ("a", "a", True),
    ],
)  # fmt: skip
def test_what_two_functions_gave_is_alike_up_to_rounding(a, b, is_alike):
    assert values.alike(values.freeze(a), values.freeze(b)) is is_alike


# Labs whose checks are not there, or do not load.


@pytest.mark.parametrize(
    ("stem", "source", "said"),
    [
        ("lab_70_none", None, "lab_70_none.py:1:1: error: labs/lab_70_none.py has no checks"),
        ("lab_71_needs", "import nobody_has", "nobody_has is not installed for this Python"),
        ("lab_72_bad", "\n\n1 / 0", "stages.py:3:1: error: checks/lab_72_bad/stages.py does not"),
        ("lab_73_bad", "\nif:", "stages.py:2:1: error: checks/lab_73_bad/stages.py does not"),
    ],
)
def test_checks_that_do_not_load_are_said_with_their_line(
    tmp_path, monkeypatch, stem, source, said
):
    folder = tmp_path / "checks"
    monkeypatch.setattr(checks, "__path__", [*checks.__path__, str(folder)])
    if source is not None:
        (folder / stem).mkdir(parents=True)
        (folder / stem / "__init__.py").write_text("")
        (folder / stem / "stages.py").write_text(source)
    file = tmp_path / f"{stem}.py"
    file.write_text("# # Lab\n# ## Stage 1 · One\n# # Solutions\n")
    with pytest.raises(NotUsable) as no:
        judge.load_checks(Lab(str(file)))
    assert said in str(no.value)


def test_a_stage_without_a_check_and_a_solution_that_is_gone_are_said():
    extra = Lab(LAB.path, LAB.text.replace("# # Solutions", "# ## Stage 7 · More\n\n# # Solutions"))
    with pytest.raises(NotUsable, match="stage 7 of lab-3 has no check"):
        judge.Judge(extra).own(7)


# The ways in.


def test_one_lab_that_does_not_parse_does_not_keep_the_others_from_a_verdict(elsewhere, capsys):
    elsewhere(LAB.text.replace("def merge(", "def ("))
    assert command.main(["all"]) == 2
    assert "does not parse" in capsys.readouterr().out
    elsewhere(solved(LAB).text)
    assert command.main(["all"]) == 0
    assert "lab-3: 6 of 6 done" in capsys.readouterr().out


def test_the_table_for_a_job_summary_has_a_row_a_stage(elsewhere, capsys):
    wrong = solved(LAB).text.replace("if ids[at : at + 2] == ", "if ids[at : at + 2] != ")
    elsewhere(wrong)
    command.main(["all", "--markdown"])
    head, _, columns, line, *rows = capsys.readouterr().out.splitlines()
    assert head.startswith("### lab-3 · ") and columns.count("|") == line.count("|") == 5
    assert [row.count("|") - row.count("\\|") for row in rows if row] == [5] * 6


def test_verdicts_come_as_json_and_in_this_very_process_for_a_debugger(elsewhere, capsys):
    elsewhere(solved(LAB).text)
    assert command.main(["3", "1", "--json", "--debug"]) == 0
    (row,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (row["lab"], row["stage"], row["state"]) == ("lab-3", 1, "passed")


def test_a_line_of_a_solution_belongs_to_the_stage_of_its_stub(elsewhere):
    there = elsewhere(LAB.text)
    line = there.definition("solution_merge").line
    assert command.stage_at(there, line + 1) == 2
    with pytest.raises(NotUsable, match="put the cursor into a stage"):
        command.stage_at(there, 1)


@posix
def test_a_watcher_answers_one_question_after_another(diary, capsys, elsewhere):
    elsewhere(solved(LAB).text)
    heated = []
    server = ask.serve(threading.Lock(), heated.append)
    try:
        assert ask.ask(["3", "1"]) == 0
        assert "stage 1 passed: pair_counts" in capsys.readouterr().out
        assert [one.id for one in heated] == ["lab-3"]
        assert ask.ask(["3", "9"]) is None  # whoever asked judges by itself, and says what is wrong
        assert ask.serve(threading.Lock(), heated.append).listener is None  # one at a time
    finally:
        server.close()
    assert not os.path.exists(server.place) and ask.ask(["3", "1"]) is None


@posix
def test_a_watcher_takes_the_place_of_one_that_was_killed(diary):
    diary.mkdir()
    (diary / "watch.sock").write_bytes(b"left behind")
    server = ask.serve(threading.Lock(), lambda lab: None)
    assert server.listener is not None
    server.close()
    server.close()  # and whoever took the file away already is no trouble


# The editor in whose terminal a command runs.


@posix
def test_a_recall_opens_its_stage_and_says_what_is_next(elsewhere, code, monkeypatch):
    stub = LAB.source(LAB.definition("merge")).partition("    # TODO")[0]
    body = LAB.source(LAB.definition("solution_merge")).split("\n", 1)[1]
    elsewhere(LAB.splice("merge", f"{stub}{body}").text)
    with pytest.raises(NotUsable) as no:
        recall.start()
    assert "pass a stage first" in str(no.value)
    command.main(["3", "2"])
    with pytest.raises(NotUsable) as no:
        recall.start()
    assert "the next one is lab-3, stage 2, in 24 hours" in str(no.value)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3 * 86400)
    said = recall.start()
    assert said.startswith("lab-3, recall 1. stage 2 is the stub again: merge")
    assert code()[:2] == ["--reuse-window", "--goto"]
    assert code()[2].rpartition("/")[2].startswith("lab_3_bpe.py:")
    assert "stage 2 is being recalled" in recall.start()


@posix
def test_a_comparison_opens_both_versions_side_by_side(elsewhere, code, capsys, diary):
    elsewhere(solved(LAB).text)
    assert command.main(["compare", "3", "2", "--diff"]) == 0
    assert "calls of the check: yours" in capsys.readouterr().out
    *_, yours, reference = code()
    assert code()[:2] == ["--reuse-window", "--diff"]
    for path in (yours, reference):
        assert "def merge(" in Path(path).read_text(encoding="utf-8")


# Other machines.


def test_without_avx2_only_threads_are_pinned(monkeypatch, tmp_path):
    def cpu(flags):
        file = tmp_path / "cpuinfo"
        file.write_bytes(f"processor : 0\nflags : {flags}\n".encode())
        monkeypatch.setattr(builtins, "open", lambda *_: real(file, "rb"))
        found = pins.has_avx2()
        monkeypatch.setattr(builtins, "open", real)
        return found

    real = open
    assert cpu("fpu avx avx2") and not cpu("fpu avx avx2_of_another_kind")
    monkeypatch.setattr(pins, "has_avx2", lambda: False)
    assert pins.pins() == pins.THREADS
    for name in (*pins.THREADS, *pins.AVX2):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MKL_NUM_THREADS", "7")
    pins.apply()
    assert os.environ["OMP_NUM_THREADS"] == "1" and os.environ["MKL_NUM_THREADS"] == "7"
    assert "OPENBLAS_CORETYPE" not in os.environ


def test_the_pins_install_themselves_beside_the_packages(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path / name))
    pins.install()
    line = (tmp_path / "purelib" / "ml_mini_labs.pth").read_text(encoding="ascii")
    copy = tmp_path / "purelib" / "ml_mini_labs_pins.py"
    assert copy.read_bytes() == Path(pins.__file__).read_bytes()
    assert line == "import ml_mini_labs_pins; ml_mini_labs_pins.apply()\n"
    assert capsys.readouterr().out.startswith("pinned ")


def test_off_linux_nobody_is_adopted_or_ended(monkeypatch):
    monkeypatch.setattr(strays, "IS_LINUX", False)
    assert not strays.adopt() and strays.children() == set() and strays.end() == 0


def test_whoever_has_gone_already_is_neither_killed_nor_waited_for():
    gone = os.posix_spawn("/bin/true", ["true"], os.environ) if os.name == "posix" else 0
    if gone:
        os.waitpid(gone, 0)
        strays._kill(gone)
        strays._reap(gone)
        assert not strays._is_running(gone)


def test_a_journal_of_another_kind_is_no_progress(diary):
    diary.mkdir()
    (diary / "journal.jsonl").write_bytes(marshal.dumps({"no": "json"}) + b"\n[1, 2]\n")
    found, _ = progress.survey(time.time())
    assert all(not lab.done for lab in found.values())
