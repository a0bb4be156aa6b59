"""Sessions: `nox -s lab-3` judges a lab, `nox` runs the tests, `nox -l` lists all.

On a machine with nothing but Python 3.11: `python3 noxfile.py -s lab-3` sets up
the pinned environment in .venv first.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # nox itself may live elsewhere

from checks import environment

if __name__ == "__main__":
    raise SystemExit(environment.run_nox(sys.argv[1:]))

import nox

from checks.runner import pins
from checks.runner.lab import discover
from checks.runner.outline import name_and_title

nox.options.sessions = ["tests"]
nox.options.default_venv_backend = "none"


def run(session: nox.Session, *command: str, **env: str) -> None:
    """Run the pinned interpreter with the numeric pins set."""
    session.run(environment.ensure(), *command, env={**pins.pins(), **env}, external=True)


def lab_session(word: str, title: str, file: str) -> None:
    """Register `lab-N`; a factory, so that each session keeps its own lab."""

    def judge(session: nox.Session) -> None:
        if session.posargs and session.posargs[0].isdigit():
            run(session, "-m", "checks", word, *session.posargs)
            return
        run(session, "-m", "checks", word, "--reference")
        options = ["--strict-stages" if arg == "--strict" else arg for arg in session.posargs]
        run(
            session,
            "-m",
            "pytest",
            "-q",
            "-rfE",
            file,
            *options,
            PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",
        )

    judge.__doc__ = f"{title}: the reference is judged, then your stages (-- 2: one stage)."
    nox.session(name=word)(judge)


for path in discover():
    lab_session(*name_and_title(path))


@nox.session
def tests(session: nox.Session) -> None:
    """The maintainers' gates, formatting, lint and types."""
    for words in (("format", "--check"), ("check",)):
        run(
            session, "-m", "ruff", *words, "checks", "publish", "tests", "conftest.py", "noxfile.py"
        )
    run(session, "-m", "mypy")
    run(session, "-m", "pytest", "-q", "-n", "auto", *session.posargs)


@nox.session
def vscode(session: nox.Session) -> None:
    """A real VS Code without a screen (-- --picture: renew the picture of the README)."""
    run(session, "-m", "pytest", "-q", "tests/editor/test_editor.py", *session.posargs)


@nox.session
def strength(session: nox.Session) -> None:
    """Slips, right answers and generated mutants of every stage: what the checks catch."""
    run(session, "-m", "tests.strength", *session.posargs)


@nox.session
def lock(session: nox.Session) -> None:
    """Write requirements.lock anew from the names in pyproject.toml, with hashes."""
    run(session, "-m", "tests.lock", *session.posargs)
