"""The peers that the pinned environment does not hold: `.cache/bench`, a venv of their own.

`peers.txt` pins them, and all that they need, with hashes. Where they cannot be installed, the
rows that need them say why, and the rest is measured.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.bench.process import ROOT

PINS = Path(__file__).with_name("peers.txt")
VENV = ROOT / ".cache" / "bench"
STAMP = VENV / "peers.sha256"
NAMES = ("nbgrader", "otter-grader", "jupytext", "nbclient", "ipykernel", "tokenizers")
HERE = ("numpy", "torch", "scikit-learn", "faiss-cpu", "rank-bm25", "pytest")
HERE += ("nbclient", "ipykernel", "watchfiles")
FOLDER, SUFFIX = ("Scripts", ".exe") if os.name == "nt" else ("bin", "")


def program(name: str) -> str:
    """The path of a program of the peers' environment."""
    return str(VENV / FOLDER / f"{name}{SUFFIX}")


def _digest() -> str:
    return hashlib.sha256(PINS.read_bytes()).hexdigest()


def missing() -> str:
    """Make the environment where it is absent or older than its pins; why that failed, or ''."""
    if STAMP.exists() and STAMP.read_text(encoding="ascii") == _digest():
        return ""
    print(f"installing the peers of {PINS.name} into .cache/bench (once, a minute) ...", flush=True)
    shutil.rmtree(VENV, ignore_errors=True)
    environ = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    install = ["-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--require-hashes"]
    for command in (
        [sys.executable, "-m", "venv", str(VENV)],
        [program("python"), *install, "--timeout", "20", "--retries", "1", "-r", str(PINS)],
    ):
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=900, env=environ, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"not installed: {error}"
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines()
            return f"not installed: {lines[-1][:160] if lines else command}"
    STAMP.write_text(_digest(), encoding="ascii")
    return ""


def versions() -> dict[str, str]:
    """The version of each peer, and of what the pinned environment measures with."""
    found = _versions(sys.executable, HERE)
    theirs = _versions(program("python"), NAMES) if STAMP.exists() else {}
    # nbclient and ipykernel stand in both environments, perhaps in different versions
    return {**found, **{f"{n} (.cache/bench)" if n in found else n: v for n, v in theirs.items()}}


def _versions(python: str, names: tuple[str, ...]) -> dict[str, str]:
    ask = (
        "import importlib.metadata as m, json, sys\n"
        "found = {d.name.lower(): d.version for d in m.distributions()}\n"
        "print(json.dumps({n: found.get(n, 'absent') for n in sys.argv[1:]}))"
    )
    done = subprocess.run(
        [python, "-c", ask, *names], capture_output=True, text=True, timeout=60, check=True
    )
    return json.loads(done.stdout)
