"""The watcher, as a real process in the copy of the workspace."""

import sys

import pytest

from checks.runner import watch
from checks.runner.verdict import FAILED, Verdict
from tests.workshop import solved
from tests.workspace import LAB

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no fork and no Unix sockets")
WRONG = LAB.splice("merge", "def merge(ids, pair, new_id):\n    return [new_id]")


def test_a_save_judges_the_stage_that_changed_and_no_other(watching):
    said = watching().save(WRONG, "stage 2")
    assert said.startswith("saved labs/lab_3_bpe.py\n")
    assert "error: stage 2: " in said and "stage 1" not in said


def test_a_problem_stays_at_its_function_until_it_is_right(watching):
    watcher = watching()
    watcher.save(WRONG, "stage 2")
    moved = type(WRONG)(WRONG.path, WRONG.text.replace("PAPER =", "# a line more\nPAPER =", 1))
    line = WRONG.definition("merge").name_line + 1
    said = watcher.save(moved, "no function of a stage changed")
    assert f"{LAB.relative}:{line}:5: error: stage 2: " in said
    right = LAB.splice("merge", solved(LAB).source(solved(LAB).definition("merge")))
    assert "error" not in watcher.save(right, "stage 2 passed")


def test_a_file_that_is_seen_empty_while_it_is_saved_forgets_nothing(tmp_path):
    file = tmp_path / LAB.relative
    file.parent.mkdir()
    watched = watch.Watched(str(file))
    for text, wanted in [(LAB.text, []), (WRONG.text, [2]), ("", []), (WRONG.text, [])]:
        file.write_text(text, encoding="utf-8")
        lab, changed = watched.look()
        assert changed == wanted
        if wanted:
            where = {"line": 185, "functions": ["merge"]}
            watched.standing[2] = Verdict(lab.id, 2, FAILED, lab.relative, **where)
    for text in ("", LAB.text.replace("PAPER =", "# a line more\nPAPER =", 1)):
        file.write_text(text, encoding="utf-8")
        lab, changed = watched.look()
    assert changed == [2]
    assert watched.standing[2].line == 186


def test_a_file_that_does_not_parse_is_said_at_its_line(watching):
    broken = WRONG.text.replace("return [new_id]", "return [new_id", 1)
    said = watching().save(broken, "does not parse")
    line = WRONG.definition("merge").name_line + 1
    assert f"{LAB.relative}:{line}:12: error: the file does not parse: " in said


def test_polling_is_said_and_works(watching):
    watcher = watching(WATCHFILES_FORCE_POLLING="1")
    assert "events do not arrive" in watcher.said()
    assert "error: stage 2" in watcher.save(WRONG, "stage 2")
    assert "no function" in watcher.save(WRONG.text + "# again", "saved")  # in the same second
    assert "stage 2" in watcher.save(LAB, "stage 2")


def test_run_stage_asks_the_watcher_and_falls_back_to_a_cold_run(home, watching):
    watcher = watching()
    watcher.save(WRONG, "stage 2")
    warm = home.checks("3", "2")
    watcher.process.kill()
    watcher.process.wait(10)
    socket = home.progress / "watch.sock"
    assert socket.exists()
    cold = home.checks("3", "2")  # its socket is still there, and nobody answers
    assert warm.status == cold.status == 1
    assert warm.out == cold.out and "error: stage 2" in cold.out
    assert home.checks("3", "9").status == 2
    socket.unlink()


def test_a_verdict_does_not_wait_for_what_only_other_stages_import(monkeypatch):
    """Lab 2 uses PyTorch, its first stage does not: it is imported when the verdict is out."""
    heard = []
    monkeypatch.setattr(watch, "say", heard.append)
    watcher = watch.Watcher()
    monkeypatch.setattr(watcher, "_import", lambda name: heard.append(f"import {name}"))
    (path,) = (path for path in watcher.watched if "lab_2_" in path)
    watcher.watched[path].sources[1] = {}  # as if the stage's functions had been others
    watcher.saved(path)
    assert heard[0] == "saved labs/lab_2_transformer.py" and "stage 1" in heard[1]
    assert heard[2].startswith("watching labs/ (")
    assert heard[3:] == ["import numpy", "import torch"]
