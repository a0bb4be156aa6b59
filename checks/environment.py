"""One shared environment for all sessions: `.venv`, made from the hashed lock on demand.

Standard library only: it runs before anything is installed. Inside the container
(ML_MINI_LABS_ENV=system) the interpreter that is there is used as it is.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
LOCK = os.path.join(ROOT, "requirements.lock")
STAMP = os.path.join(VENV, "lock.sha256")


def is_system() -> bool:
    """Whether the interpreter that runs is the pinned environment already."""
    return os.environ.get("ML_MINI_LABS_ENV") == "system"


def python() -> str:
    """The interpreter of the pinned environment."""
    if is_system():
        return sys.executable
    folder, name = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    return os.path.join(VENV, folder, name)


def _digest() -> str:
    with open(LOCK, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def _is_current() -> bool:
    try:
        with open(STAMP, encoding="ascii") as file:
            return file.read() == _digest() and os.path.exists(python())
    except OSError:
        return False


def ensure() -> str:
    """Make `.venv` where it is missing, half made or older than the lock; its interpreter."""
    if is_system() or _is_current():
        return python()
    if sys.version_info[:2] != (3, 11):
        raise SystemExit(
            f"These labs are pinned to Python 3.11, and this is {sys.version.split()[0]}: open the "
            "dev container, or let uv bring 3.11: uv run --no-project --python 3.11 noxfile.py"
        )
    print("setting up .venv from requirements.lock (once, a few minutes) ...", flush=True)
    shutil.rmtree(VENV, ignore_errors=True)
    if subprocess.run([sys.executable, "-m", "venv", VENV], check=False).returncode:
        raise SystemExit("Python's venv is missing; on Debian: sudo apt-get install python3-venv")
    pip = [python(), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    quick = ["--timeout", "20", "--retries", "1"]
    if subprocess.run([*pip, *quick, "--require-hashes", "-r", LOCK], check=False).returncode:
        raise SystemExit("setting up .venv failed: see pip's message above, then run it again")
    put_on_path(python(), ROOT)
    pins = os.path.join(ROOT, "checks", "runner", "pins.py")
    subprocess.run([python(), pins], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([python(), "-m", "compileall", "-q", os.path.join(ROOT, "checks")], check=False)
    with open(STAMP, "w", encoding="ascii") as file:
        file.write(_digest())
    return python()


def put_on_path(interpreter: str, root: str) -> None:
    """Let the environment of `interpreter` import what lies in `root`, wherever it is started.

    By one line in a `.pth` file. An editable install would do it by an import hook, whose own
    imports cost every start of Python as much as the interpreter's start itself.
    """
    code = (
        "import os, sys, sysconfig\n"
        "place = os.path.join(sysconfig.get_path('purelib'), 'ml_mini_labs_root.pth')\n"
        "with open(place, 'w', encoding='ascii') as file:\n"
        "    file.write(f'import sys; sys.path.append({sys.argv[1]!a})\\n')\n"
    )
    subprocess.run([interpreter, "-c", code, root], check=True)


def run_nox(arguments: list[str]) -> int:
    """Run nox from the pinned environment with these arguments; its exit status."""
    command = [ensure(), "-m", "nox", "-f", os.path.join(ROOT, "noxfile.py"), *arguments]
    environ = {**os.environ, "PYTHONUTF8": "1"}  # what Windows would read and write otherwise
    return subprocess.run(command, cwd=ROOT, check=False, env=environ).returncode
