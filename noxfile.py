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
SPREAD = ("-n", "auto", "--dist", "worksteal")  # a worker that is done helps the others
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

if not os.path.isdir("tests"):  # a handout: what there is to judge are its labs
    nox.options.sessions = [name_and_title(path)[0] for path in discover()]


@nox.session
def tests(session: nox.Session) -> None:
    """The maintainers' gates, formatting, lint and types."""
    for words in (("format", "--check"), ("check",)):
        run(
            session, "-m", "ruff", *words, "checks", "publish", "tests", "conftest.py", "noxfile.py"
        )
    run(session, "-m", "mypy")
    run(session, "-m", "pytest", "-q", *SPREAD, "--durations=10", *session.posargs)


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


@nox.session
def grade(session: nox.Session) -> None:
    """Judge a class: -- FOLDER ... [--lab 3 4] [--points FILE] (docs/instructors.md)."""
    run(session, "-m", "checks", "grade", *session.posargs)


@nox.session
def handout(session: nox.Session) -> None:
    """A copy of the labs without their solutions, for a class: -- FOLDER [--lab 3 4]."""
    run(session, "-m", "checks", "handout", *session.posargs)


@nox.session(name="class")
def class_of_300(session: nox.Session) -> None:
    """300 made-up hand-ins judged, with interruptions: every verdict against what is known."""
    run(session, "-m", "tests.class_of_300", *session.posargs)


@nox.session
def notebooks(session: nox.Session) -> None:
    """Each lab as a notebook that works alone, for Jupyter, VS Code, Colab: dist/lab_N_*.ipynb."""
    run(session, "-m", "publish.notebooks", *session.posargs)


@nox.session
def jupyterlab(session: nox.Session) -> None:
    """A downloaded notebook in a real JupyterLab without a screen: run all, a diagnosis, a hint."""
    run(session, "-m", "pytest", "-q", "tests/editor/test_jupyterlab.py", *session.posargs)


def build_site(session: nox.Session, *options: str) -> None:
    """The notebooks and the site that offers them, into dist."""
    run(session, "-m", "publish.notebooks")
    run(session, "-m", "publish.site", *options)


@nox.session
def site(session: nox.Session) -> None:
    """The front page into dist/site: the labs as pages, their pictures, their notebooks."""
    build_site(session, *session.posargs)


@nox.session
def browser(session: nox.Session) -> None:
    """The front page in a real Chromium, its pages and links; its notebooks, each alone, whole."""
    build_site(session)
    files = ("tests/browser/test_browser.py", "tests/browser/test_whole_notebooks.py")
    run(session, "-m", "pytest", "-q", *files, *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Speed beside other people's tools (-- verdicts, labs or libraries; --quick)."""
    run(session, "-m", "tests.bench", *session.posargs)


@nox.session
def reproduce(session: nox.Session) -> None:
    """Every lab under every instruction set, thread count, hash seed and time zone."""
    run(session, "-m", "tests.reproduce", *session.posargs)


@nox.session
def canary(session: nox.Session) -> None:
    """The newest versions in a scratch environment: what they change; never fails."""
    run(session, "-m", "tests.canary", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Which lines of the engine no test reaches; fails below 95 %. The labs' own tests stay out."""
    labs_own = ("--ignore-glob=*/test_lab_*", "--ignore=tests/test_gates.py")
    tests = session.posargs or [*SPREAD, *labs_own]
    run(session, "-m", "coverage", "erase")
    run(session, "-m", "coverage", "run", "-m", "pytest", "-q", *tests)
    run(session, "-m", "coverage", "combine", "--quiet")
    run(session, "-m", "coverage", "report")
