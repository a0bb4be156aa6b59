"""How long one verdict takes: ours cold and warm, against bare Python, pytest and the graders.

Every contender judges the same function by the same three assertions (`three.py`), is shown
a wrong answer first and must reject it, and is then run in turn with bare Python.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from tests.bench import pairs, peers, process, three
from tests.bench.process import PYTHON, Broken, Done, beside_python
from tests.bench.three import Task
from tests.bench.workspace import Watcher, Workspace

BUDGET, QUICK = 8.0, 1.5  # seconds of pairs for each contender
# A stage of a lab as it is shipped, beside the three assertions: (lab, its function, a mistake).
REAL = {
    "pure Python": (3, "pair_counts", ("zip(ids, ids[1:])", "zip(ids[1:], ids)")),
    "NumPy": (2, "softmax", ("grown.sum(axis=axis, keepdims=True)", "grown.sum()")),
    "PyTorch": (1, "Tower", ("F.normalize(self.table(ids), dim=1)", "self.table(ids)")),
}


@dataclass
class Contender:
    """Somebody who judges: by a command, or by a watcher that is running.

    who       bare, ours or peer
    includes  what the clock holds, for the report
    judge     shown a right or a wrong answer: (whether it passed it, seconds)
    """

    name: str
    who: str
    includes: str
    judge: Callable[[bool], tuple[bool, float]]
    row: dict = field(default_factory=dict)


def by_command(
    write: Callable[[bool], list[str]], says: Callable[[Done], bool], cwd: Path, env: dict
) -> Callable[[bool], tuple[bool, float]]:
    """Judge by a command; `write` prepares the files, off the clock, and tells the command."""

    def judge(right: bool) -> tuple[bool, float]:
        done = process.run(write(right), cwd, env)
        return says(done), done.seconds

    return judge


def by_status(done: Done) -> bool:
    """Passed with status 0, rejected with status 1; anything else is no verdict."""
    if done.status not in (0, 1):
        raise Broken(done.last)
    return done.status == 0


def by_words(passed: str, rejected: str) -> Callable[[Done], bool]:
    """By what is printed, for programs whose exit status is 0 whatever they found."""

    def says(done: Done) -> bool:
        if (passed in done.text) == (rejected in done.text):
            raise Broken(done.last)
        return passed in done.text

    return says


def bare(task: Task, folder: Path, env: dict) -> Contender:
    """A script with the function and the three assertions: the least that a verdict can cost."""

    def write(right: bool) -> list[str]:
        path = folder / "script.py"
        path.write_text(three.script(task, right), encoding="utf-8")
        return [PYTHON, path.name]

    return Contender(
        "bare Python, a script", "bare", "interpreter, three asserts; a bare traceback",
        by_command(write, by_status, folder, env),
    )  # fmt: skip


def the_peers(task: Task, folder: Path, env: dict, absent: str) -> Iterator[Contender]:
    """pytest for every task; the notebook tools for the first, since a kernel costs the same."""

    def tests(right: bool) -> list[str]:
        (folder / "test_three.py").write_text(three.pytest_file(task, right), encoding="utf-8")
        return [PYTHON, "-m", "pytest", "-q", "test_three.py"]

    lean = {**env, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    what = "interpreter, collection, three tests, report"

    def fewer(right: bool) -> list[str]:
        return [*tests(right), "-p", "no:cacheprovider"]

    yield Contender("pytest", "peer", what, by_command(tests, by_status, folder, env))
    yield Contender("pytest, no plugins", "peer", what, by_command(fewer, by_status, folder, lean))
    if task is not three.PURE:
        return

    def book(name: str, graded: bool, right: bool) -> str:
        nbformat.write(three.notebook(task, right, graded), folder / name)
        return name

    def executed(right: bool) -> list[str]:
        return [beside_python("jupyter-execute"), book("plain.ipynb", False, right)]

    yield Contender(
        "jupyter execute (nbclient)", "peer", "interpreter, a fresh kernel, two cells",
        by_command(executed, by_status, folder, env),
    )  # fmt: skip

    def jupytext(right: bool) -> list[str]:
        text = f"# %%\n{task.source(right)}\n# %%\n" + "\n".join(task.asserts) + "\n"
        (folder / "percent.py").write_text(text, encoding="utf-8")
        return [peers.program("jupytext"), "--to", "notebook", "--execute", "--set-kernel",
                "python3", "percent.py"]  # fmt: skip

    def nbgrader(right: bool) -> list[str]:
        return [peers.program("nbgrader"), "validate", book("graded.ipynb", True, right)]

    def otter(right: bool) -> list[str]:
        (folder / "tests").mkdir(exist_ok=True)
        (folder / "tests" / "q1.py").write_text(three.ok_file(task), encoding="utf-8")
        (folder / "answer.py").write_text(task.source(right), encoding="utf-8")
        return [peers.program("otter"), "check", "answer.py", "-q", "q1", "-t", "tests"]

    for name, includes, write, says in (
        ("jupytext --execute", "interpreter, conversion, a fresh kernel", jupytext, by_status),
        ("nbgrader validate", "interpreter, a fresh kernel, two cells, report", nbgrader,
         by_words("Success! Your notebook passes", "VALIDATION FAILED")),
        ("otter check", "interpreter, a fresh kernel, three doctests, report", otter,
         by_words("All tests passed!", "Test case failed")),
    ):  # fmt: skip
        judge = refuse(absent) if absent else by_command(write, says, folder, env)
        yield Contender(name, "peer", includes, judge)


def refuse(why: str) -> Callable[[bool], tuple[bool, float]]:
    """The judge of a contender that is not there."""

    def judge(right: bool) -> tuple[bool, float]:
        raise Broken(why)

    return judge


def slip_of(number: int, task: Task) -> tuple[str, tuple[str, str]]:
    """(function, mistake) of a lab: of the task's own, or of the real one beside it."""
    if number == task.number:
        return task.name, task.slip[:2]
    return REAL[task.kind][1], REAL[task.kind][2]


def cold(task: Task, space: Workspace) -> Iterator[Contender]:
    """`python -m checks N 1` where no watcher runs."""

    def write(number: int, save: bool, python: str = PYTHON) -> Callable[[bool], list[str]]:
        name, slip = slip_of(number, task)
        path = Path(space.labs[number].path)
        last: list[bool] = []

        def prepare(right: bool) -> list[str]:
            if save or last != [right]:
                space.write(path, space.saved(number, name, None if right else slip))
                last[:] = [right]
            return [python, "-m", "checks", str(number), "1"]

        return prepare

    def contender(name: str, number: int, save: bool = True, **more: str) -> Contender:
        judge = by_command(write(number, save, **more), our_status, space.folder, space.env)
        includes = (
            "interpreter, " + ("lab parsed, " if save else "") + "a child, the check, journal"
        )
        return Contender(name, "ours", includes, judge)

    real = REAL[task.kind][0]
    yield contender("ours, cold, after a save", task.number)
    yield contender(f"ours, cold, lab {real} stage 1 as shipped", real)
    if task is not three.PURE:
        return
    yield contender("ours, cold, asked again", task.number, save=False)
    if (space.folder / ".venv").exists() and sys.prefix != sys.base_prefix:
        python = sys._base_executable  # what `python3` is where the environment was made
        yield contender("ours, cold, begun by another Python", task.number, python=python)
    wrong = contender("ours, cold, a mistake named", task.number)
    judged = wrong.judge
    wrong.includes += ", the mistake found by running it"

    def named(right: bool) -> tuple[bool, float]:
        passed, seconds = judged(not right)
        return not passed, seconds

    wrong.judge = named
    yield wrong


def our_status(done: Done) -> bool:
    """Ours: by status, and a rejection must name the mistake that was made."""
    passed = by_status(done)
    if passed != (" passed" in done.text):
        raise Broken(done.last)
    if not passed and "this is    what you get " not in done.text:
        raise Broken(f"rejected, and the mistake is not named: {done.last}")
    return passed


def warm(task: Task, space: Workspace, watcher: Watcher) -> Iterator[Contender]:
    """With a watcher that has judged before: from the write on disk, and by asking it."""
    real = REAL[task.kind][0]
    for number in (task.number, real):
        name, slip = slip_of(number, task)
        path = Path(space.labs[number].path)

        def saved(right: bool, number=number, name=name, slip=slip, path=path):
            return watcher.save(path, space.saved(number, name, None if right else slip))

        label = "" if number == task.number else f", lab {number} stage 1 as shipped"
        yield Contender(
            f"ours, watching{label}", "ours", "from the write on disk to the verdict", saved
        )

    if os.name != "posix":
        return  # a watcher listens on a Unix socket

    def asked(right: bool) -> list[str]:
        name, slip = slip_of(task.number, task)
        if last != [right]:
            path = Path(space.labs[task.number].path)
            watcher.save(path, space.saved(task.number, name, None if right else slip))
            last[:] = [right]
        if not watcher.socket.exists():
            raise Broken("the watcher does not listen: the path of its socket is too long")
        return [PYTHON, "-m", "checks", str(task.number), "1"]

    last: list[bool] = []
    yield Contender(
        "ours, asking the watcher", "ours", "interpreter, question and answer over a socket",
        by_command(asked, our_status, space.folder, space.env),
    )  # fmt: skip


def measure(contender: Contender, base: Contender, budget: float) -> dict:
    """The contender's row: what it takes, and how many times a bare script that is.

    It is shown the wrong answer first, then the right one, off the clock.
    """
    row = {"name": contender.name, "who": contender.who, "includes": contender.includes}
    try:
        if contender.judge(False)[0]:
            raise Broken("passes the wrong answer")
        if not contender.judge(True)[0]:
            raise Broken("rejects the right answer")
        a, b = pairs.alternate(
            lambda: base.judge(True)[1], lambda: contender.judge(True)[1], budget
        )
    except (Broken, OSError) as why:
        return {**row, "why": str(why)}
    row |= {"seconds": statistics.median(b), "bare_seconds": statistics.median(a)}
    return {**row, **pairs.ratio(a, b)}


def of_task(
    task: Task, space: Workspace, absent: str, budget: float, told: Callable[[dict], None]
) -> list[dict]:
    """All rows of one task; the bare script comes first."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        base = bare(task, folder, space.env)

        def add(contender: Contender) -> None:
            rows.append({"task": task.kind, **measure(contender, base, budget)})
            told(rows[-1])

        add(base)
        for contender in cold(task, space):
            add(contender)
        try:
            with Watcher(space) as watcher:
                for contender in warm(task, space, watcher):
                    add(contender)
        except Broken as why:
            add(Contender("ours, watching", "ours", "", refuse(str(why))))
        for contender in the_peers(task, folder, space.env, absent):
            add(contender)
    return rows


def run(quick: bool, told: Callable[[dict], None]) -> list[dict]:
    """Every row of every task; `told` hears each as it is measured."""
    absent = peers.missing()
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        space = Workspace(Path(name).resolve())
        budget = QUICK if quick else BUDGET
        return [row for task in three.TASKS for row in of_task(task, space, absent, budget, told)]
