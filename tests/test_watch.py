"""The watcher, as a real process on a copy of the workspace."""

import os
import shutil
import subprocess
import sys
import time

import pytest

from checks.runner import watch
from checks.runner.verdict import FAILED, Verdict
from tests.workshop import LABS, ROOT, solved

LAB = next(lab for lab in LABS if lab.number == 3)
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no fork and no Unix sockets")


class Watching:
    """A watcher, and what it has said so far."""

    def __init__(self, folder, **environ):
        self.folder, self.log = folder, folder / "watch.log"
        self.file = folder / LAB.relative
        environ = {**os.environ, "ML_MINI_LABS_PROGRESS": str(folder / ".progress"), **environ}
        self.environ = environ
        self.process = subprocess.Popen(
            [sys.executable, "-m", "checks", "watch"],
            cwd=folder, env=environ, stdout=self.log.open("w"), stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.wait(
            "\nwatching labs/ (process" if environ.get("WATCHFILES_FORCE_POLLING") else "watch"
        )

    def said(self):
        return self.log.read_text(encoding="utf-8")

    def wait(self, words, seconds=15):
        end = time.monotonic() + seconds
        while words not in self.said() and time.monotonic() < end:
            time.sleep(0.01)
        return self.said()

    def save(self, lab, words):
        """Write the lab file; what the watcher says, up to `words`."""
        before = len(self.said())
        self.file.write_text(lab.text, encoding="utf-8")
        end = time.monotonic() + 15
        while time.monotonic() < end:
            said = self.said()[before:]
            if words in said and said.rstrip().endswith(" ms)"):
                return said
            time.sleep(0.01)
        raise AssertionError(f"{words!r} was not said:\n{self.said()}")

    def ask(self, *words):
        command = [sys.executable, "-m", "checks", *words]
        return subprocess.run(
            command, cwd=self.folder, env=self.environ, capture_output=True, text=True
        )


@pytest.fixture
def watching(tmp_path):
    for part in ("checks", "labs"):
        shutil.copytree(ROOT / part, tmp_path / part)
    begun = []

    def start(**environ):
        begun.append(Watching(tmp_path, **environ))
        return begun[-1]

    yield start
    for one in begun:
        one.process.terminate()
        one.process.wait(10)


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
    watcher = watching()
    watcher.file.write_text(broken, encoding="utf-8")
    assert "the file does not parse" in watcher.wait("does not parse")


def test_polling_is_said_and_works(watching):
    watcher = watching(WATCHFILES_FORCE_POLLING="1")
    assert "events do not arrive" in watcher.said()
    assert "error: stage 2" in watcher.save(WRONG, "stage 2")


def test_run_stage_asks_the_watcher_and_falls_back_to_a_cold_run(watching):
    watcher = watching()
    watcher.save(WRONG, "stage 2")
    warm = watcher.ask("3", "2")
    watcher.process.kill()
    watcher.process.wait(10)
    cold = watcher.ask("3", "2")  # its socket is still there, and nobody answers
    assert warm.returncode == cold.returncode == 1
    assert warm.stdout == cold.stdout and "error: stage 2" in cold.stdout
    assert watcher.ask("3", "9").returncode == 2
