"""Sessions: `nox -s lab-3` judges a lab, `nox` runs the tests, `nox -l` lists all.

On a machine with nothing but Python 3.11: `python3 noxfile.py -s lab-3` sets up
the pinned environment in .venv first.
"""

import sys

from checks import environment

if __name__ == "__main__":
    raise SystemExit(environment.run_nox(sys.argv[1:]))

import nox

from checks.runner import pins
from checks.runner.lab import Lab, discover

nox.options.sessions = ["tests"]
nox.options.default_venv_backend = "none"


def run(session: nox.Session, *command: str) -> None:
    """Run the pinned interpreter with the numeric pins set."""
    session.run(environment.ensure(), *command, env=pins.pins(), external=True)


def lab_session(lab: Lab) -> None:
    """Register `lab-N`; a factory, so that each session keeps its own lab."""

    def judge(session: nox.Session) -> None:
        if session.posargs and session.posargs[0].isdigit():
            run(session, "-m", "checks", lab.id, *session.posargs)
            return
        run(session, "-m", "checks", lab.id, "--reference")
        run(session, "-m", "checks", lab.id, *session.posargs)

    judge.__doc__ = f"Lab {lab.number}: {lab.title}. The reference, then your stages."
    nox.session(name=lab.id)(judge)


for path in discover():
    lab_session(Lab(path))


@nox.session
def tests(session: nox.Session) -> None:
    """The maintainers' gates, formatting, lint and types."""
    run(session, "-m", "ruff", "check", "checks", "noxfile.py", "tests")
    run(session, "-m", "mypy")
    run(session, "-m", "pytest", "-q", *session.posargs)
