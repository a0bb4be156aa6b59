"""One shared environment for all sessions: `.venv`, made from the hashed lock on demand.

Standard library only: it runs before anything is installed, and under any Python 3 says which
one is needed. Inside the container (ML_MINI_LABS_ENV=system) the interpreter that is there is
used as it is.
"""

import hashlib
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
LOCK = os.path.join(ROOT, "requirements.lock")
STAMP = os.path.join(VENV, "lock.sha256")
# One line in a `.pth` file. An editable install would do it by an import hook, whose own imports
# cost every start of Python as much as the interpreter's start itself.
ON_PATH = """
import sys, sysconfig
with open(sysconfig.get_path("purelib") + "/ml_mini_labs_root.pth", "w", encoding="ascii") as file:
    file.write(f"import sys; sys.path.append({sys.argv[1]!a})\\n")
"""
OTHER = "open the dev container, or let uv bring it: uv run --no-project --python 3.11 noxfile.py"


def is_system() -> bool:
    """Whether the interpreter that runs is the pinned environment already."""
    return os.environ.get("ML_MINI_LABS_ENV") == "system"


def python() -> str:
    """The interpreter of the pinned environment."""
    if is_system():
        return sys.executable
    folder, name = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    return os.path.join(VENV, folder, name)


def stop(message: str, next_step: str) -> SystemExit:
    """Say what is wrong and what to do; raise what comes back (exit status 2)."""
    print(f"error: {message}\n  next       {next_step}", file=sys.stderr)
    return SystemExit(2)


def refuse_other_pythons() -> None:
    """End here under a Python that cannot run the labs at all."""
    if sys.version_info < (3, 11):  # noqa: UP036 (the sentence is for those who run an older one)
        raise stop(f"these labs need Python 3.11, and this is {_version()}", OTHER)


def _version() -> str:
    return sys.version.split()[0]


def _digest() -> str:
    with open(LOCK, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def _is_current() -> bool:
    try:
        with open(STAMP, encoding="ascii") as file:
            return file.read() == _digest() and os.path.exists(python())
    except (OSError, UnicodeDecodeError):
        return False


def ensure() -> str:
    """Make `.venv` where it is missing, half made or older than the lock; its interpreter."""
    if is_system() or _is_current():
        return python()
    if sys.version_info[:2] != (3, 11):
        raise stop(f"these labs are pinned to Python 3.11, and this is {_version()}", OTHER)
    print("setting up .venv from requirements.lock (once, a few minutes) ...", flush=True)
    if os.path.islink(VENV):
        os.unlink(VENV)  # what it leads to is somebody else's
    shutil.rmtree(VENV, ignore_errors=True)
    if subprocess.run([sys.executable, "-m", "venv", VENV], check=False).returncode:
        raise stop("Python's venv is missing", "on Debian: sudo apt-get install python3-venv")
    pip = [python(), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    quick = ["--timeout", "20", "--retries", "1"]
    pins = os.path.join(ROOT, "checks", "runner", "pins.py")
    for command in (
        [*pip, *quick, "--require-hashes", "-r", LOCK],
        [python(), "-c", ON_PATH, ROOT],
        [python(), pins],
    ):
        if subprocess.run(command, check=False).returncode:
            raise stop("setting up .venv failed: see the message above", "mend it, then run again")
    subprocess.run([python(), "-m", "compileall", "-q", os.path.join(ROOT, "checks")], check=False)
    with open(STAMP, "w", encoding="ascii") as file:
        file.write(_digest())
    return python()


def put_on_path(interpreter: str, root: str) -> None:
    """Let the environment of `interpreter` import what lies in `root`, wherever it is started."""
    subprocess.run([interpreter, "-c", ON_PATH, root], check=True)


def run_nox(arguments: "list[str]") -> int:
    """Run nox from the pinned environment with these arguments; its exit status."""
    refuse_other_pythons()
    command = [ensure(), "-m", "nox", "-f", os.path.join(ROOT, "noxfile.py"), *arguments]
    environ = {**os.environ, "PYTHONUTF8": "1"}  # what Windows would read and write otherwise
    return subprocess.run(command, cwd=ROOT, check=False, env=environ).returncode
