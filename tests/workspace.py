"""A copy of the workspace to be bad in, and what must hold after every command run in it.

One copy serves all tests of a process: `clean` puts it back. Every command is the real one, and
after it the lab files are the same bytes, no record of the journal is lost, no temporary file is
left, and no process is left running.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from checks.runner.lab import Lab
from tests.workshop import LABS, ROOT

PARTS = ("checks", "labs", "conftest.py", "noxfile.py", "pyproject.toml", "requirements.lock")
LAB = next(lab for lab in LABS if lab.number == 3)
STUB = LAB.source(LAB.definition("pair_counts"))
HEAD = STUB.partition("    # TODO")[0]  # the contract of stage 1: `def`, docstring
RIGHT = "    return dict(Counter(zip(ids, ids[1:])))\n"
MARK = "ML_MINI_LABS_TEST"  # marks every process that a command starts, however far it runs


def body(*lines: str) -> str:
    """Stage 1 with these lines before the right answer."""
    return HEAD + "".join(f"    {line}\n" for line in lines) + RIGHT


def only(*lines: str) -> str:
    """Stage 1 with these lines and nothing else."""
    return HEAD + "".join(f"    {line}\n" for line in lines)


def with_stage_1(source: str) -> str:
    """Lab 3 with this in place of the stub of stage 1, whether it parses or not."""
    assert LAB.text.count(STUB) == 1
    return LAB.text.replace(STUB, source.rstrip("\n"))


class Done:
    """What a command said, and its exit status."""

    def __init__(self, status: int, out: bytes, err: bytes) -> None:
        self.status = status
        self.out, self.err = out.decode("utf-8", "replace"), err.decode("utf-8", "replace")
        self.said = self.out + self.err

    def __repr__(self) -> str:
        return f"exit status {self.status}\n{self.out}--- stderr\n{self.err}"


class Workspace:
    """The copy: its folders, and how to run a command in it."""

    def __init__(self, home: Path) -> None:
        home.mkdir(exist_ok=True)
        self.home, self.labs, self.progress = home, home / "labs", home / ".progress"
        self.temporary = home.parent / "temporary"
        self.file = home / LAB.relative
        self.journal = self.progress / "journal.jsonl"
        self.stages = home / "checks" / LAB.stem / "stages.py"
        for part in PARTS:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            copy(ROOT / part, home / part)
        self.shipped = {path.name: path.read_bytes() for path in self.labs.glob("*.*")}
        self.temporary.mkdir()

    def clean(self) -> Workspace:
        """The labs as shipped, and nothing that a command or a test left."""
        self.labs.mkdir(exist_ok=True)
        self.labs.chmod(0o755)
        for path in (self.progress, *self.labs.iterdir()):
            if path.name != "__pycache__" and (path.name not in self.shipped or not _is_file(path)):
                _remove(path)
        for name, data in self.shipped.items():
            path = self.labs / name
            if path.exists():
                path.chmod(0o644)  # before it is read: only root needs no right
            if not path.exists() or path.read_bytes() != data:
                path.write_bytes(data)
        return self

    def put(self, source: str) -> None:
        """Save lab 3 with this as its stage 1."""
        self.file.write_text(with_stage_1(source), encoding="utf-8", newline="\n")

    def save(self, lab: Lab) -> None:
        """Save a lab as it is."""
        (self.home / lab.relative).write_text(lab.text, encoding="utf-8", newline="\n")

    @contextlib.contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """Give stage 1 less time."""
        text = self.stages.read_text(encoding="utf-8")
        marked = text.replace("By hand\"'", f"By hand\"', seconds={seconds}", 1)
        assert marked != text
        self.stages.write_text(marked, encoding="utf-8")
        try:
            yield
        finally:
            self.stages.write_text(text, encoding="utf-8")

    def environ(self, **more: str) -> dict[str, str]:
        """The environment of a command: the pinned one, with a place for its temporary files."""
        dropped = ("ML_MINI_LABS_PROGRESS", "PYTHONPATH")
        mine = {name: value for name, value in os.environ.items() if name not in dropped}
        return mine | {"TMPDIR": str(self.temporary), "ML_MINI_LABS_ENV": "system"} | more

    def checks(self, *words: str, **options) -> Done:
        """`python -m checks WORDS`."""
        return self.run(sys.executable, "-m", "checks", *words, **options)

    def run(
        self, *command: str, env: dict[str, str] | None = None, cwd: Path | None = None,
        changes: bool = False, litter: bool = False, seconds: float = 120, **options,
    ) -> Done:  # fmt: skip
        """Run a command to its end, then look at what it left.

        changes   it is meant to write the lab file
        litter    the learner's own code leaves temporary files
        """
        before, records = self._labs(), self._records()
        mark = uuid.uuid4().hex
        done = subprocess.run(
            command, cwd=cwd or self.home, env=self.environ(**(env or {}), **{MARK: mark}),
            stdout=options.pop("stdout", subprocess.PIPE), stderr=subprocess.PIPE,
            timeout=seconds, **options,
        )  # fmt: skip
        shown = Done(done.returncode, done.stdout or b"", done.stderr)
        assert running(mark) == [], shown
        assert not re.search("^Traceback", shown.said, flags=re.M), shown
        if not changes:
            assert self._labs() == before, shown
        assert self._records()[: len(records)] == records, shown
        if not litter:
            assert list(self.temporary.iterdir()) == [], shown
        for left in list(self.temporary.iterdir()):
            _remove(left)
        return shown

    def _labs(self) -> dict[str, bytes | str]:
        found: dict[str, bytes | str] = {}
        for path in self.labs.iterdir() if self.labs.is_dir() else []:
            if path.name != "__pycache__":
                found[path.name] = _read(path) if path.is_file() else "no file"
        return found

    def _records(self) -> bytes:
        return self.journal.read_bytes() if self.journal.is_file() else b""


def _read(path: Path) -> bytes:
    """The bytes of a file that may have been made unreadable; its mode stays."""
    mode = path.stat().st_mode
    path.chmod(mode | 0o400)
    try:
        return path.read_bytes()
    finally:
        path.chmod(mode)


class Watching:
    """A watcher that runs in the copy, and what it has said so far."""

    def __init__(self, home: Workspace, **environ: str) -> None:
        self.home, self.file, self.log = home, home.file, home.home / "watch.log"
        self.mark = uuid.uuid4().hex
        self.environ = home.environ(**environ, **{MARK: self.mark})
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "checks", "watch"],
                cwd=home.home, env=self.environ, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self.heard = 0
        self.hear("watching labs/ (process")

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def hear(self, words: str, seconds: float = 60) -> str:
        """What is said from here on, up to the end of the round that holds `words`."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            new = self.said()[self.heard :]
            if words in new and re.search(r"^watching labs/ .*\n\Z", new, flags=re.M):
                self.heard += len(new)
                return new
            time.sleep(0.01)
        raise AssertionError(f"{words!r} was not said:\n{self.said()}")

    def save(self, text: Lab | str | bytes, words: str) -> str:
        """Replace the lab file at once; what the watcher says of it, to the end of its round."""
        data = text.text if isinstance(text, Lab) else text
        new = self.home.home / "new"
        new.write_bytes(data.encode() if isinstance(data, str) else data)
        new.replace(self.file)
        return self.hear(words)

    def end(self) -> None:
        """End it as a closed terminal does; nothing is left of it."""
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(60)
        self.log.unlink()
        assert running(self.mark) == []
        assert not (self.home.progress / "watch.sock").exists()


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        path.chmod(0o755)
        shutil.rmtree(path)
    elif path.is_symlink() or path.exists():
        path.unlink()


def running(mark: str) -> list[str]:
    """What still runs of the processes that carry this mark; they may take a moment to end."""
    for _ in range(100):
        left = [pid for pid in _processes() if mark.encode() in _read(f"/proc/{pid}/environ")]
        if not left:
            break
        time.sleep(0.01)
    return [_read(f"/proc/{pid}/cmdline").decode() for pid in left]


def _processes() -> list[str]:
    names = os.listdir("/proc") if os.path.isdir("/proc") else []
    return [name for name in names if name.isdigit()]


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""
