"""The paths that Linux does not take by itself: macOS has no safe fork, Windows none at all.

What differs between the systems is decided in a few places, by `os.name`, `sys.platform` and
`sandbox.CAN_FORK`. Here they are set to what the other systems say, one test a decision. What
only the systems themselves can show is left to CI, which judges a lab on macOS and Windows.
"""

import contextlib
import os
import subprocess
import sys

import psutil  # noqa: F401  it asks for the system when it is first imported
import pytest

from checks import environment
from checks.runner import ask, child, command, sandbox, watch
from checks.runner.lab import Lab, NotUsable, find
from checks.runner.verdict import CRASHED, FAILED, PASSED, TIMEOUT
from tests.workshop import ROOT, settings

HEAD = "def pair_counts(ids):\n"
CHILD = """
import os
from checks.lab_3_bpe import stages
from checks.runner import sandbox

os.name, stages.check_stage1.seconds = {name!r}, {seconds}
sandbox.main()
"""


class System:
    """What a system says of itself, and the time limit of stage 1 in its children."""

    def __init__(self, name, os_name, platform):
        self.name, self.os_name, self.platform, self.seconds = name, os_name, platform, 20


@pytest.fixture(params=["macOS", "Windows"])
def system(request, monkeypatch):
    """A system on which a child is a fresh process; on Windows a thread reads each pipe."""
    words_of = {"macOS": ("posix", "darwin"), "Windows": ("nt", "win32")}
    here = System(request.param, *words_of[request.param])
    begin = subprocess.Popen

    def popen(words, **options):
        if words[-2:] == ["-m", "checks.runner.sandbox"]:
            words = [words[0], "-c", CHILD.format(name=here.os_name, seconds=here.seconds)]
        return begin(words, **options)

    monkeypatch.setattr(subprocess, "Popen", popen)
    monkeypatch.setattr(sandbox, "CAN_FORK", False)
    return here


@contextlib.contextmanager
def named(os_name):
    """Only while the engine runs: pytest itself makes paths by `os.name`."""
    before, os.name = os.name, os_name
    try:
        yield
    finally:
        os.name = before


def judged(system, body):
    lab = Lab(find("3")).splice("pair_counts", HEAD + body)
    with named(system.os_name):
        (verdict,) = sandbox.run(sandbox.Job(lab, [1]))
    return verdict


def test_a_fresh_process_passes_a_right_stage_and_keeps_what_it_printed(system):
    verdict = judged(
        system, "    print('so many:', len(ids))\n    return Counter(zip(ids, ids[1:]))"
    )
    assert verdict.state == PASSED
    assert verdict.printed.startswith("so many: ")


def test_a_fresh_process_finds_the_slip_of_a_wrong_stage(system):
    verdict = judged(system, "    return Counter(zip(ids[1:], ids))")
    assert verdict.state == FAILED
    assert verdict.diagnosis == ["when the right neighbour is put first"]


def test_a_fresh_process_that_ends_itself_is_told_from_one_that_was_killed(system):
    verdict = judged(system, "    import os\n    os._exit(3)")
    assert verdict.state == CRASHED
    assert "exit status 3" in verdict.message


def test_an_endless_loop_in_a_fresh_process_is_stopped_at_its_line(system):
    system.seconds = 0.5
    verdict = judged(system, "    while True:\n        ids = list(ids)")
    assert verdict.state == TIMEOUT
    assert f"still running after 0.5 s, in line {verdict.line}: " in verdict.message


def test_too_much_memory_is_said_where_the_parent_watches_it(system, monkeypatch):
    monkeypatch.setattr(sys, "platform", system.platform)
    monkeypatch.setattr(sandbox, "SLICE", 0.05)
    monkeypatch.setattr(child, "MEMORY", 300 << 20)
    verdict = judged(
        system, "    held = bytearray(b'x') * (600 << 20)\n    while held:\n        pass"
    )
    assert verdict.state == CRASHED
    assert "needs more memory" in verdict.message


def test_a_fresh_process_that_does_not_start_is_said_and_no_traceback(system, monkeypatch):
    begin = subprocess.Popen
    monkeypatch.setattr(
        subprocess, "Popen", lambda words, **options: begin([words[0], "-c", "1 / 0"], **options)
    )
    with pytest.raises(NotUsable, match="could not be loaded"):
        judged(system, "    return {}")


def test_without_unix_sockets_nobody_listens_and_nobody_asks(monkeypatch, tmp_path):
    monkeypatch.setenv("ML_MINI_LABS_PROGRESS", str(tmp_path))
    with named("nt"):
        server = ask.serve(None, None)
        answer = ask.ask(["3", "1"])
        server.close()
    assert answer is None
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("folder", ["/private/somewhere/labs", "C:\\elsewhere\\labs"])
def test_a_save_is_known_by_its_name_however_the_system_spells_the_folder(folder, monkeypatch):
    here = str(ROOT / "labs" / "lab_3_bpe.py")
    if "\\" in folder:
        import ntpath

        monkeypatch.setattr(watch.os.path, "basename", ntpath.basename)
    separator = "\\" if "\\" in folder else "/"
    watcher = watch.Watcher()
    assert watcher.known(f"{folder}{separator}lab_3_bpe.py") == here
    assert watcher.known(f"{folder}{separator}notes.py") == ""


@pytest.mark.parametrize("word", ["labs\\lab_3_bpe.py", "C:\\mine\\labs\\lab_3_bpe.py"])
def test_a_path_with_backslashes_names_its_lab_and_stage(word):
    line = Lab(find("3")).definition("merge").name_line
    for words in ([word, str(line)], [f"{word}:{line}"]):
        lab, numbers, by_name = command._asked(words)
        assert (lab.number, numbers, by_name) == (3, [2], True)


def test_the_command_goes_on_in_the_environment_of_windows(workspace):
    scripts = workspace / ".venv" / "Scripts"
    scripts.mkdir(parents=True)
    (workspace / ".venv" / "lock.sha256").write_text("")
    python = scripts / "python.exe"
    python.write_text(f'#!/bin/sh\necho windows\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    script = (
        "import os, runpy, sys; os.name = 'nt'; sys.argv = ['checks', '3', '2'];"
        "runpy.run_module('checks', run_name='__main__')"
    )
    environ = {k: v for k, v in os.environ.items() if k != "ML_MINI_LABS_ENV"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=workspace, env=environ, capture_output=True, text=True
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("windows\nlabs/lab_3_bpe.py:")


def test_the_environment_is_looked_for_where_each_system_puts_it(monkeypatch):
    monkeypatch.delenv("ML_MINI_LABS_ENV", raising=False)
    assert environment.python().endswith(os.path.join(".venv", "bin", "python"))
    with named("nt"):
        python = environment.python()
    assert python.endswith(os.path.join(".venv", "Scripts", "python.exe"))


def test_every_task_calls_python_by_the_name_that_windows_gives_it():
    for task in settings(".vscode/tasks.json")["tasks"]:
        assert (task["command"], task["windows"]) == ("python3", {"command": "python"})
