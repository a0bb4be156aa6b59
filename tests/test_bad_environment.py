"""`.venv` half made, another Python, no nox on the PATH: which Python runs, and what is said."""

import ast
import hashlib
import subprocess
import sys

import pytest

from checks import environment
from tests.workspace import body

posix = pytest.mark.skipif(sys.platform == "win32", reason="scripts and links of POSIX")
BEFORE_THE_QUESTION = (
    "checks/__init__.py",
    "checks/__main__.py",
    "checks/environment.py",
    "noxfile.py",
)
AS_OTHER = """
import runpy, sys
sys.version_info, sys.version = {version}, "{name} (main)"
sys.argv = {argv}
sys.path.insert(0, "")
runpy.{run}, run_name="__main__")
"""


def as_python(home, name, argv, run):
    """Run a file or a module as if this were another Python."""
    version = (*map(int, name.split(".")), "final", 0)
    script = AS_OTHER.format(version=version, name=name, argv=argv, run=run)
    return home.run(sys.executable, "-c", script, env={"ML_MINI_LABS_ENV": ""})


@pytest.mark.parametrize("name", ["3.6.15", "3.8.18", "3.9.6", "3.10.12"])
@pytest.mark.parametrize(
    ("argv", "run"),
    [(["checks", "3", "1"], "run_module('checks'"), (["noxfile.py"], "run_path('noxfile.py'")],
    ids=["checks", "noxfile"],
)
def test_an_older_python_is_told_which_one_is_needed(home, name, argv, run):
    done = as_python(home, name, argv, run)
    assert done.status == 2 and done.out == "", done
    assert f"error: these labs need Python 3.11, and this is {name}\n" in done.err, done
    assert "next       open the dev container, or let uv bring it" in done.err, done


@pytest.mark.parametrize("name", ["3.12.1", "3.13.0"])
def test_a_newer_python_makes_no_environment(home, name):
    done = as_python(home, name, ["noxfile.py", "-s", "lab-3"], "run_path('noxfile.py'")
    assert done.status == 2 and f"pinned to Python 3.11, and this is {name}" in done.err, done
    assert not (home.home / ".venv").exists()


@pytest.mark.parametrize("file", BEFORE_THE_QUESTION)
def test_what_runs_before_that_is_read_by_any_python_3(home, file):
    text = (home.home / file).read_text(encoding="utf-8")
    ast.parse(text, feature_version=(3, 6))
    assert "from __future__ import annotations" not in text  # 3.7 and newer


@pytest.fixture
def venv(home):
    """An environment in the copy, current by its stamp; what is its interpreter, tests decide."""
    folder = home.home / ".venv"
    (folder / "bin").mkdir(parents=True)
    lock = (home.home / "requirements.lock").read_bytes()
    (folder / "lock.sha256").write_text(hashlib.sha256(lock).hexdigest())
    yield folder
    import shutil

    shutil.rmtree(folder)


def script(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@posix
def test_the_command_goes_on_in_the_environment_that_is_there(home, venv):
    script(venv / "bin" / "python", 'echo "$ML_MINI_LABS_ENV" "$@"; exit 7')
    done = home.checks("3", "1", env={"ML_MINI_LABS_ENV": ""})
    assert (done.status, done.out) == (7, "system -m checks 3 1\n")
    assert home.checks("9", env={"ML_MINI_LABS_ENV": "system"}).status == 2  # and stays where it is
    nox = home.run(sys.executable, "noxfile.py", "-l", env={"ML_MINI_LABS_ENV": ""})
    assert nox.status == 7 and nox.out.startswith(" -m nox -f "), nox


@posix
def test_an_environment_without_a_stamp_is_half_made_and_not_used(home, venv):
    script(venv / "bin" / "python", "exit 7")
    (venv / "lock.sha256").unlink()
    home.put(body())
    assert home.checks("3", "1", env={"ML_MINI_LABS_ENV": ""}).status == 0


@posix
@pytest.mark.parametrize("kind", ["gone", "a dangling link", "no program", "not to be run"])
def test_an_interpreter_that_does_not_start_is_said(home, venv, kind):
    python = venv / "bin" / "python"
    if kind == "a dangling link":
        python.symlink_to("/usr/lib/no-such-python")
    elif kind != "gone":
        python.write_text("no program")
        python.chmod(0o755 if kind == "no program" else 0o644)
    done = home.checks("3", "1", env={"ML_MINI_LABS_ENV": ""})
    assert done.status == 2 and f"{python} does not start: " in done.err, done
    assert "next       delete .venv, then make it again: python3 noxfile.py -s lab-3" in done.err


@pytest.fixture
def making(tmp_path, monkeypatch):
    """`environment.ensure` in a folder of its own; commands are noted, and fail where asked."""
    for name, path in (("VENV", ".venv"), ("LOCK", "lock"), ("STAMP", ".venv/lock.sha256")):
        monkeypatch.setattr(environment, name, str(tmp_path / path))
    monkeypatch.setenv("ML_MINI_LABS_ENV", "")
    (tmp_path / "lock").write_text("torch==1\n")
    ran, fails = [], []

    def run(command, **options):
        ran.append(command)
        if "venv" in command:
            (tmp_path / ".venv" / "bin").mkdir(parents=True, exist_ok=True)
            (tmp_path / ".venv" / "bin" / "python").write_text("")
        return subprocess.CompletedProcess(command, any(word in fails for word in command))

    monkeypatch.setattr(environment.subprocess, "run", run)
    return tmp_path, ran, fails


def test_an_environment_is_made_once_and_again_when_the_lock_changes(making):
    folder, ran, _ = making
    assert environment.ensure() == str(folder / ".venv" / "bin" / "python")
    assert [word for command in ran for word in command if word in ("venv", "-r", "-c")] \
        == ["venv", "-r", "-c"]  # fmt: skip
    made = len(ran)
    environment.ensure()
    assert len(ran) == made
    (folder / "lock").write_text("torch==2\n")
    environment.ensure()
    (folder / ".venv" / "bin" / "python").unlink()
    environment.ensure()
    (folder / ".venv" / "lock.sha256").write_bytes(b"\xff")
    environment.ensure()
    assert len(ran) == 4 * made


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("venv", "missing\n  next       on Debian: sudo apt-get install python3-venv"),
        ("-r", "setting up .venv failed: see the message above"),
        ("-c", "setting up .venv failed: see the message above"),
    ],
)  # fmt: skip
def test_an_environment_that_cannot_be_made_is_said_and_tried_again(making, capsys, step, words):
    folder, _, fails = making
    fails.append(step)
    for _ in range(2):
        with pytest.raises(SystemExit) as stopped:
            environment.ensure()
        assert stopped.value.code == 2 and words in capsys.readouterr().err
    assert not (folder / ".venv" / "lock.sha256").exists()
    fails.clear()
    environment.ensure()
    assert (folder / ".venv" / "lock.sha256").exists()


@posix
def test_an_environment_behind_a_link_is_left_alone(making):
    folder, *_ = making
    theirs = folder / "theirs"
    theirs.mkdir()
    (theirs / "kept").write_text("")
    (folder / ".venv").symlink_to(theirs)
    environment.ensure()
    assert (theirs / "kept").exists() and not (folder / ".venv").is_symlink()


@posix
def test_nox_is_not_needed_on_the_path(home, tmp_path):
    home.put(body())
    command = sys.executable, str(home.home / "noxfile.py")
    done = home.run(*command, "-s", "lab-3", "--", "1", env={"PATH": ""}, cwd=tmp_path)
    assert done.status == 0 and "stage 1 passed: pair_counts" in done.out, done
    listed = home.run(*command, "-l", env={"PATH": ""}, cwd=tmp_path)
    assert listed.status == 0 and "lab-3 -> BPE tokenizer: " in listed.out, listed
    missing = home.run(*command, "-s", "lab-99", env={"PATH": ""}, cwd=tmp_path)
    assert missing.status != 0 and "lab-99" in missing.err, missing
