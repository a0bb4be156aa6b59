"""`python -m checks`: see `python -m checks --help`. Any Python may start it; .venv's runs it."""

import gc
import os
import sys


def hop() -> None:
    """Go on in the pinned environment, where there is one and this is another Python."""
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    venv = os.path.join(root, ".venv")
    if (
        os.path.normcase(sys.prefix) == os.path.normcase(venv)
        or os.environ.get("ML_MINI_LABS_ENV") == "system"
        or "--debug" in sys.argv
        or not os.path.exists(os.path.join(venv, "lock.sha256"))  # absent, or half made
        or os.path.realpath(sys.prefix) == os.path.realpath(venv)
    ):
        return
    parts = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    command = [os.path.join(venv, *parts), "-m", "checks", *sys.argv[1:]]
    environ = dict(os.environ, ML_MINI_LABS_ENV="system")
    if os.name != "nt":
        os.execve(command[0], command, environ)
    import subprocess  # Windows: a process that execs seems to have ended to its caller

    raise SystemExit(subprocess.call(command, env=environ))


hop()
gc.disable()  # a short run: collecting while a lab is parsed costs more than it frees

from checks.runner import command  # noqa: E402

status = command.main(sys.argv[1:])
sys.stdout.flush()
sys.stderr.flush()
os._exit(status)  # nothing is left to clean up, and the interpreter's own exit costs 2 ms
