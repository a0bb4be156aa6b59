"""Commands with a time limit, in a clean environment, of which nothing is left afterwards."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from checks.runner import pins

ROOT = Path(__file__).parent.parent.parent
PYTHON = sys.executable
LIMIT = 120.0  # seconds that one run may take
# Variables of whoever starts the benchmark that would slow a Python down, or change what it runs.
STRANGE = ("PYTHON", "PYTEST", "COVERAGE", "COV_CORE", "JUPYTER", "IPYTHON", "MPL", "NOX")


def beside_python(name: str) -> str:
    """The path of a program that is installed with the interpreter that runs."""
    return str(Path(PYTHON).with_name(name + (".exe" if os.name == "nt" else "")))


class Broken(Exception):
    """A contender that cannot be measured, and why; `text` is what it had printed."""

    def __init__(self, why: str, text: str = "") -> None:
        super().__init__(why)
        self.text = text


@dataclass
class Done:
    """How a command ended: exit status, everything that it printed, and its wall seconds."""

    status: int
    text: str
    seconds: float

    @property
    def last(self) -> str:
        """The last line with a word in it, for a row that says why."""
        lines = [line.strip() for line in self.text.splitlines() if re.search(r"\w", line)]
        return lines[-1][:160] if lines else f"exit status {self.status}, and no word"


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of every contender: the pins, one thread, and no stray variables.

    home  a folder for the journal and for what Jupyter and Matplotlib keep between runs
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(STRANGE)}
    return {
        **kept,
        **pins.pins(),
        "RAYON_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONUTF8": "1",
        "ML_MINI_LABS_PROGRESS": str(home / "progress"),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "jupyter"),
        "JUPYTER_DATA_DIR": str(home / "jupyter-data"),
        **more,
    }


def run(command: list[str], cwd: Path, env: dict[str, str], limit: float = LIMIT) -> Done:
    """Run a command to its end; raises Broken where it takes longer than `limit` seconds.

    The clock stops when the process has ended. Whatever it started is ended with it: a Jupyter
    kernel has a session of its own, so the tree is walked, and no group is trusted.
    """
    begin = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    try:
        text, _ = process.communicate(timeout=limit)
        return Done(process.returncode, text, time.perf_counter() - begin)
    except subprocess.TimeoutExpired as late:
        text = (late.output or b"").decode("utf-8", "replace")
        raise Broken(f"still running after {limit:g} s", text) from None
    finally:
        if process.poll() is None:
            end(process)


def end(process: subprocess.Popen) -> None:
    """Kill a process and all that it started, and wait until they are gone."""
    try:
        tree = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        tree = []
    process.kill()
    for child in tree:
        try:
            child.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(tree, timeout=10)
    process.wait(10)
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
