"""Words, streams and terminals of any kind: the exit status is right and no traceback is seen."""

import os
import sys

import pytest

from checks.runner import terminal
from tests.workspace import LAB, body, only

posix = pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell and its streams")
CHECKS = f'"{sys.executable}" -m checks'
LINE = LAB.definition("pair_counts").name_line
ASKED = [
    (("9",), "there is no lab called 9"),
    (("lab_33.py",), "there is no lab called lab_33.py"),
    (("labs/lab_33.py", "140"), "there is no lab called labs/lab_33.py"),
    (("",), "there is no lab called ''"),
    (("²",), "there is no lab called ²"),
    (("\udcff",), "there is no lab called ?"),
    (("3", "9"), "lab-3 has no stage 9"),
    (("3", "x"), "x is no stage and no line"),
    (("3", ""), "'' is no stage and no line"),
    (("3", "²"), "² is no stage and no line"),
    (("3", "9" * 5000), "9999 is no stage and no line"),
    (("3", "1", "2"), "too many words: 2"),
    (("3", "-1"), "no such option: -1"),
    (("--no",), "no such option: --no"),
    (("labs/lab_3_bpe.py", "1"), "line 1 belongs to no stage"),
    (("labs/lab_3_bpe.py", "0"), "labs/lab_3_bpe.py:1:1: error: line 0 belongs to no stage"),
    (("labs/lab_3_bpe.py:99999",), "line 99999 belongs to no stage"),
    (("noxfile.py", "3"), "noxfile.py is no lab of this workspace"),
    (("labs/orders.toml", "3"), "labs/orders.toml is no lab of this workspace"),
    (("hint",), "hint is for one stage"),
    (("hint", "3"), "hint is for one stage"),
    (("compare", "3", "9"), "lab-3 has no stage 9"),
    (("reset", "9", "1"), "there is no lab called 9"),
    (("restore", "3", "1"), "no attempt at stage 1 of lab-3 was kept"),
    (("recall",), "nothing is due for recall today"),
    (("recall", "3"), "too many words: 3"),
    (("watch", "3"), "too many words: 3"),
    (("--track", "interview", "3", "x"), "x is no stage"),
]


@pytest.mark.parametrize(("words", "said"), ASKED)
def test_what_cannot_be_done_as_asked_exits_with_two_and_the_next_command(home, words, said):
    done = home.checks(*words)
    assert done.status == 2 and done.out == "", done
    assert said in done.err and done.err.count("error: ") == 1, done
    assert "\n  next       " in done.err and not home.journal.exists()


@posix
@pytest.mark.parametrize(
    ("command", "status", "words"),
    [
        (f"{CHECKS} 3 1 | head -1", 1, "error: stage 1"),
        (f"{CHECKS} 3 1 | true", 1, ""),
        (f"{CHECKS} 3 | head -1", 1, "error: stage 1"),
        (f"{CHECKS} | head -1", 0, "foundations"),
        (f"{CHECKS} --help | true", 0, ""),
        (f"{CHECKS} --svg | head -1", 0, "<svg"),
        (f"{CHECKS} hint 3 1 | true", 0, ""),
        (f"{CHECKS} compare 3 1 --give-up | head -1", 0, "yours"),
        (f"{CHECKS} 3 1 >&-", 1, ""),
        (f"{CHECKS} 3 1 2>&-", 1, "error: stage 1"),
        (f"{CHECKS} 3 1 <&-", 1, "error: stage 1"),
        (f"{CHECKS} 3 1 <&- >&- 2>&-", 1, ""),
        (f"{CHECKS} 9 1 2>&-", 2, ""),
        (f"{CHECKS} 9 1 2>/dev/full", 2, ""),
        (f"{CHECKS} 3 1 >/dev/full", 2, "cannot go on: No space left on device"),
        (f"{CHECKS} >/dev/full", 2, "cannot go on: No space left on device"),
        (f"{CHECKS} 3 1 >/dev/full 2>/dev/full", 2, ""),
    ],
)
def test_streams_that_are_closed_full_or_not_read_change_no_status(home, command, status, words):
    home.put(only("return {}"))
    done = home.run("bash", "-c", f"{command}\nexit ${{PIPESTATUS[0]}}")
    assert done.status == status and words in done.said, done
    if words == "":
        assert done.said == "", done
    if " 3 1 " in command and "hint" not in command and "give-up" not in command:
        events = home.journal.read_text().count('"event": "failed"')
        assert events == 1  # what nobody could read was judged all the same


@pytest.mark.parametrize(
    ("env", "accent", "box"),
    [
        ({"PYTHONIOENCODING": "ascii"}, "? -> ?", "o-----"),
        ({"PYTHONIOENCODING": "latin-1"}, "\ufffd -> \ufffd", "o"),
        ({"PYTHONIOENCODING": "cp1252"}, "\ufffd -> \ufffd", "o"),
        ({"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, "? -> ?", "o-----"),
        ({"LC_ALL": "C"}, "é → é", "○·····"),
        ({"TERM": "dumb", "NO_COLOR": "1"}, "é → é", "○·····"),
        ({"FORCE_COLOR": "1", "PYTHONDEVMODE": "1"}, "é → é", "○·····"),
    ],
    ids=str,
)
def test_a_terminal_without_utf_8_is_written_to_in_its_own_letters(home, env, accent, box):
    home.put(only("print('é → é')", "raise ValueError('é → é')"))
    done = home.checks("3", "1", env=env)
    assert done.status == 1 and f"ValueError: {accent} [" in done.out, done
    assert f"printed    {accent}" in done.out and "\x1b" not in done.out, done
    table = home.checks(env=env)
    assert table.status == 0 and box in table.out, table
    assert home.checks("--svg", env=env).out.isascii()
    fields = home.checks("3", "1", "--json", env=env)
    assert "\\u00e9 \\u2192 \\u00e9" in fields.out, fields


def test_an_error_that_is_none_of_encoding_passes_the_handler():
    with pytest.raises(UnicodeDecodeError):
        terminal.plain(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"))


@pytest.mark.parametrize(
    "words", [("3", "1"), ("labs/lab_3_bpe.py", str(LINE)), (f"{LAB.relative}:{LINE}:5",)]
)
def test_the_command_works_from_any_folder(home, tmp_path, words):
    home.put(body())
    done = home.checks(*words, cwd=tmp_path, env={"PYTHONPATH": str(home.home)})
    assert done.status == 0 and done.out.startswith("stage 1 passed"), done


@posix
def test_the_command_works_where_the_folder_is_gone(home, tmp_path):
    home.put(body())
    gone = tmp_path / "gone"
    gone.mkdir()
    command = f'rmdir "{gone}"; {CHECKS} 3 1'
    done = home.run("bash", "-c", command, cwd=gone, env={"PYTHONPATH": str(home.home)})
    assert done.status == 0 and done.out.startswith("stage 1 passed"), done


@posix
def test_a_comparison_prints_nothing_that_the_function_prints(home):
    home.put(body("print('noise')", "import os, subprocess", "os.write(2, b'noise')",
                  "subprocess.Popen(['sleep', '99'], start_new_session=True)"))  # fmt: skip
    done = home.checks("compare", "3", "1")
    assert done.status == 0 and "calls of the check: yours" in done.out, done
    assert "noise" not in done.out.partition("calls of the check")[2] and done.err == "", done


def test_hints_come_one_at_a_time_and_stay_after_the_third(home):
    shown = [home.checks("hint", "3", "2") for _ in range(4)]
    assert {done.status for done in shown} == {0}
    assert len({done.out for done in shown[:3]}) == 3
    assert shown[3].out == shown[2].out


def test_the_streams_are_made_ready_where_python_has_none(monkeypatch, capfd):
    monkeypatch.setattr(sys, "stdout", None)
    terminal.ready()
    terminal.say("into nothing")
    assert capfd.readouterr().out == ""
    assert os.fstat(0)
