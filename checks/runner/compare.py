"""Yours and the reference side by side, with the time and memory of both on the same calls.

Only after the stage passed, after three attempts that were judged, or with --give-up, which the
journal remembers: a solution that is read too early feels like knowledge and is none.
"""

from __future__ import annotations

import contextlib
import copy
import difflib
import os
import shutil
import subprocess
import time

from checks.expect import CheckFailed, Spied
from checks.runner import (
    attempts,
    journal,
    progress,
    sandbox,
    session,
    strays,
    stub,
    terminal,
)  # fmt: skip
from checks.runner.judge import Judge
from checks.runner.lab import NotUsable
from checks.runner.verdict import PASSED
from checks.runner.work import flush

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from checks.runner.lab import Lab

ATTEMPTS = 3
ROUNDS = 5
Calls = list[tuple[tuple, dict]]


def compare(lab: Lab, number: int, give_up: bool = False, diff: bool = False) -> str:
    """The comparison as text; with `diff` also as a diff in the editor."""
    if lab.key is not lab:
        raise NotUsable(
            f"{lab.relative} was handed out without solutions: there is nothing to compare with",
            "ask whoever teaches with it",
            lab.where(lab.stages[number].line),
            lab.id,
        )
    mine = attempts.definitions(lab, number)
    past = progress.history(journal.read()).get((lab.id, number), progress.StageHistory())
    (verdict,) = session.judge(sandbox.Job(lab, [number]))
    if give_up:
        journal.write(lab.id, number, "give-up")
    elif verdict.state != PASSED and not past.has_passed and len(past.attempts) < ATTEMPTS:
        left = ATTEMPTS - len(past.attempts)
        raise NotUsable(
            f"stage {number} has not passed yet: the reference opens after that, "
            f"or after {left} more attempts that a check has seen",
            f"re-read stage {number}, ask for a hint (python -m checks hint {lab.number} {number}),"
            " or give up: --give-up",
            lab.where(mine[0].name_line),
            lab.id,
        )
    journal.write(lab.id, number, "compare")
    yours = "\n\n".join(_code(lab, d.name) for d in mine)
    reference = "\n\n".join(_code(lab, f"solution_{d.name}") for d in mine)
    rows = side_by_side(yours, stub.as_learner(reference))
    if verdict.state == PASSED:
        with quiet():
            rows += ["", *measured(lab, number, verdict.carried)]
    if diff:
        try:
            _open(lab, number, yours, reference)
        except OSError as error:
            rows += ["", f"no diff was opened: {error.strerror} ({error.filename})"]
    return "\n".join(rows)


def _code(lab: Lab, name: str) -> str:
    """A definition without its docstring: the contract is the same on both sides."""
    found = lab.definition(name)
    assert found is not None, f"{lab.relative} has no {name}"
    skip: set[int] = set()
    for part in stub.methods(found.node):
        first = part.body[0]
        if len(part.body) > 1 and first not in stub.statements(part):
            skip |= set(range(first.lineno, first.end_lineno + 1))
    numbers = range(found.line, found.end + 1)
    return "\n".join(lab.lines[n - 1] for n in numbers if n not in skip)


def side_by_side(yours: str, reference: str) -> list[str]:
    """Two columns, as wide as the terminal; a bar where the lines differ."""
    half = max(38, (shutil.get_terminal_size((120, 24)).columns - 3) // 2)
    left, right = yours.split("\n"), reference.split("\n")
    rows = [f"{'yours':<{half}}   reference", f"{'-' * half}   {'-' * half}"]
    for kind, a, b, c, d in difflib.SequenceMatcher(None, left, right).get_opcodes():
        for at in range(max(b - a, d - c)):
            mine = left[a + at] if a + at < b else ""
            theirs = right[c + at] if c + at < d else ""
            bar = " " if kind == "equal" else "|"
            for cut in range(0, max(len(mine), len(theirs), 1), half):  # a long line goes on below
                pair = mine[cut : cut + half], theirs[cut : cut + half]
                rows.append(f"{pair[0]:<{half}} {bar} {pair[1]}".rstrip())
    return rows


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """What the learner's code prints goes nowhere here, and what it starts ends."""
    flush()
    kept = [os.dup(1), os.dup(2)]
    spared = strays.children() if strays.adopt() else None
    terminal.silence(1)
    terminal.silence(2)
    try:
        yield
    finally:
        flush()
        for number, fd in enumerate(kept, 1):
            os.dup2(fd, number)
            os.close(fd)
        if spared is not None:
            strays.end(spared)
            strays.adopt(False)


def measured(lab: Lab, number: int, carried: list[int]) -> list[str]:
    """Time and peak memory of both on the calls that the check makes.

    carried   stages that are not right yet: the reference stands in for them, as in the verdict
    """
    from checks.runner import pins

    pins.apply()
    judge = Judge(lab)
    functions = judge.reference_functions(number)
    theirs = {name: functions[name] for name in judge.own(number)}
    from checks.runner.workbench import Workbench

    others = [n for n, at in judge.owner.items() if at in carried]
    built = judge.solutions.build(f"solution_{n}" for n in others)
    space = Workbench(lab, {n: built[f"solution_{n}"] for n in others}).build(theirs)
    rows = []
    for name, reference in theirs.items():
        if isinstance(reference, type):
            continue  # a class is called in too many ways to be timed on its own
        calls = calls_of(judge, number, name, functions)
        if not calls:
            continue
        times = [_seconds(f, calls) for f in (space[name], reference)]
        peaks = [_peak(f, calls) for f in (space[name], reference)]
        many = f"{len(calls)} calls" if len(calls) > 1 else "1 call"
        rows.append(
            f"{name}, {many} of the check: "
            f"yours {_time(times[0])} and {peaks[0] / 1e3:.1f} kB, "
            f"reference {_time(times[1])} and {peaks[1] / 1e3:.1f} kB"
        )
    return rows


def _time(seconds: float) -> str:
    return f"{1e6 * seconds:.0f} µs" if seconds < 1e-3 else f"{1e3 * seconds:.1f} ms"


def calls_of(judge: Judge, number: int, name: str, functions: dict[str, Any]) -> Calls:
    """The arguments of every call that the check makes to one function, copied."""
    calls: Calls = []

    def record(*args: Any, **named: Any) -> Any:
        calls.append(copy.deepcopy((args, named)))
        return functions[name](*args, **named)

    try:
        judge.checks[number].run({**functions, name: record})
    except (CheckFailed, Exception):
        Spied.last = None
    return calls


def _seconds(function: Callable, calls: Calls) -> float:
    """The fastest of a few rounds over all calls, each on fresh arguments."""
    best = float("inf")
    for _ in range(ROUNDS):
        fresh = copy.deepcopy(calls)
        begin = time.perf_counter()
        for args, named in fresh:
            _call(function, args, named)
        best = min(best, time.perf_counter() - begin)
    return best


def _peak(function: Callable, calls: Calls) -> int:
    """The largest memory that one call allocates, in bytes."""
    import tracemalloc

    worst = 0
    for args, named in copy.deepcopy(calls):
        tracemalloc.start()
        _call(function, args, named)
        worst = max(worst, tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    return worst


def _call(function: Callable, args: tuple, named: dict) -> None:
    try:
        function(*args, **named)
    except Exception:  # a promised error is part of the contract, and of the time
        return


def _open(lab: Lab, number: int, yours: str, reference: str) -> None:
    """A diff in the editor whose terminal this is, where there is one."""
    folder = os.path.join(journal.folder(), "compare")
    os.makedirs(folder, exist_ok=True)
    paths = []
    for name, text in (("yours", yours), ("reference", stub.as_learner(reference))):
        path = os.path.join(folder, f"{lab.id}-stage-{number}-{name}.py")
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(text + "\n")
        paths.append(path)
    code = shutil.which("code") or shutil.which("code-server")
    in_editor = "VSCODE_IPC_HOOK_CLI" in os.environ or os.environ.get("TERM_PROGRAM") == "vscode"
    if code and in_editor:
        command = [code, "--reuse-window", "--diff", *paths]
        subprocess.run(command, check=False, capture_output=True)
