"""A copy of the workspace to measure in: labs as solved, three labs more, a watcher."""

from __future__ import annotations

import compileall
import itertools
import os
import queue
import shutil
import subprocess
import threading
import time
from pathlib import Path

from checks.runner import stub
from checks.runner.judge import Judge
from checks.runner.lab import Lab, discover
from tests.bench import process, three
from tests.bench.process import ROOT, Broken

WAIT = 60.0  # seconds for one word of the watcher: loading PyTorch takes a few


class Workspace:
    """`checks/` and `labs/` in a folder of their own, every lab solved, bytecode compiled.

    folder  an empty folder, which the caller removes
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = process.environment(folder)
        ignore = shutil.ignore_patterns("__pycache__")
        for part in ("checks", "labs"):
            shutil.copytree(ROOT / part, folder / part, ignore=ignore)
        self.labs: dict[int, Lab] = {}
        for path in discover():
            lab = Lab(path)
            solved = stub.solved(lab, list(Judge(lab).owner))
            self.write(folder / lab.relative, solved)
            self.labs[lab.number] = Lab(str(folder / lab.relative), solved)
        for task in three.TASKS:
            path = three.add_lab(task, folder)
            self.labs[task.number] = Lab(str(path), three.lab(task, True))
        compileall.compile_dir(folder / "checks", quiet=1)
        if os.name == "posix" and (ROOT / ".venv").exists():
            (folder / ".venv").symlink_to(ROOT / ".venv")
        self.turn = itertools.count(1)

    @staticmethod
    def write(path: Path, text: str) -> None:
        """Write a file as an editor does: in place, UTF-8, LF."""
        path.write_bytes(text.encode("utf-8"))

    def saved(self, number: int, function: str, slip: tuple[str, str] | None = None) -> str:
        """The text of a lab after one more edit of a function, a comment in its body.

        slip  (text in the function, what a mistake writes there): the wrong answer
        """
        lab = self.labs[number]
        found = lab.definition(function)
        assert found is not None, f"lab {number} has no {function}"
        body = lab.source(found)
        if slip is not None:
            assert body.count(slip[0]) == 1, f"{slip[0]!r} does not stand once in {function}"
            body = body.replace(*slip)
        lines = body.split("\n")
        lines.insert(-1, f"    # edit {next(self.turn)}")
        return "\n".join([*lab.lines[: found.line - 1], *lines, *lab.lines[found.end :]])


class Watcher:
    """`python -m checks watch` in a workspace; a context that ends it."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.lines: queue.Queue[tuple[float, str]] = queue.Queue()
        self.process: subprocess.Popen | None = None
        self.socket = workspace.folder / "progress" / "watch.sock"

    def __enter__(self) -> Watcher:
        self.process = subprocess.Popen(
            [process.PYTHON, "-m", "checks", "watch"],
            cwd=self.workspace.folder,
            env=self.workspace.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        threading.Thread(target=self._read, daemon=True).start()
        try:
            self.until("watching labs/ (process")
        except Broken:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            process.end(self.process)
            self.socket.unlink(missing_ok=True)  # or each cold run after it would knock first

    def _read(self) -> None:
        assert self.process is not None and self.process.stdout is not None
        try:
            for line in self.process.stdout:
                self.lines.put((time.perf_counter(), line))
        except ValueError:
            return  # closed while it was read: the watcher has ended

    def until(self, *words: str) -> tuple[float, str]:
        """The next line with one of the words in it, and when it came."""
        end = time.monotonic() + WAIT
        while (left := end - time.monotonic()) > 0:
            try:
                at, line = self.lines.get(timeout=left)
            except queue.Empty:
                break
            if any(word in line for word in words):
                return at, line
        raise Broken(f"the watcher did not say {' or '.join(words)} within {WAIT:g} s")

    def save(self, path: Path, text: str) -> tuple[bool, float]:
        """Write a lab: whether its stage passed, and the seconds from the write to the verdict."""
        begin = time.perf_counter()
        self.workspace.write(path, text)
        at, line = self.until(" passed", ": error: ")
        self.until(" ms)")
        return " passed" in line, at - begin
