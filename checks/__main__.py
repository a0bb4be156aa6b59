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
    try:
        if os.name != "nt":
            os.execve(command[0], command, environ)
        import subprocess  # Windows: a process that execs seems to have ended to its caller

        status = subprocess.call(command, env=environ)
    except OSError as error:  # the Python that it was made from has gone
        print(
            f"error: {command[0]} does not start: {error.strerror}\n"
            "  next       delete .venv, then make it again: python3 noxfile.py -s lab-3",
            file=sys.stderr,
        )
        status = 2
    raise SystemExit(status)


hop()
if sys.version_info < (3, 11):  # noqa: UP036 (the sentence is for those who run an older one)
    from checks import environment

    environment.refuse_other_pythons()
gc.disable()  # a short run: collecting while a lab is parsed costs more than it frees

from checks.runner import command, terminal  # noqa: E402

terminal.ready()
terminal.end_by_exception()
status = command.main(sys.argv[1:])
os._exit(status)  # nothing is left to clean up, and the interpreter's own exit costs 2 ms
