"""A check called from a notebook cell: the same verdict as everywhere, without a traceback.

What is judged is the newest definition in the kernel. Where that is not what the saved file
holds, the verdict says so: the commands and the editor's squiggles judge the file.
"""

from __future__ import annotations

from checks import expect
from checks.expect import CheckFailed, StageCheck, Trace
from checks.runner import journal, report
from checks.runner import lab as labs
from checks.runner.guard import Guard
from checks.runner.judge import Judge
from checks.runner.lab import Lab, NotUsable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any


def run(check: StageCheck, functions: dict[str, Any]) -> None:
    """Judge the live functions; prints a pass, raises `CheckFailed` with the whole verdict."""
    trace, guard = Trace(), Guard((check.check.__module__,))
    problem: BaseException | None = None
    try:
        check.run(functions, trace)
    except BaseException as error:
        problem = error
    restored = guard.restore()
    if isinstance(problem, NotImplementedError) and str(problem).startswith("stage "):
        raise _said(f"{problem} is still to write: fill in its cell, run it, then this one")
    try:
        lab = Lab(labs.find(check.__module__.split(".")[1]))
        judge = Judge(lab)
    except NotUsable as no:
        if restored[0] or problem is not None:
            what = f"your code replaces {restored[0]}" if restored[0] else _plain(problem)
            raise _said(f"stage {check.number}: {what}\n{no}") from None
        print(f"stage {check.number} passed: {expect.names(check.parameters)}\n{no}")
        return
    verdict = judge.outcome(check.number, problem, trace, restored, [])
    if verdict.is_wrong:
        judge.failures[check.number] = (functions, trace)
        verdict.diagnosis = judge.diagnose(check.number)
    stale = _stale(lab, judge, check.number, functions)
    verdict.notes = [*verdict.notes, *stale]
    if not stale and not isinstance(problem, KeyboardInterrupt):
        journal.note(lab, verdict)  # what the file does not hold is no progress
    if verdict.is_wrong:
        raise _said(report.text(verdict, lab))
    print(report.text(verdict, lab))


def _said(message: str) -> CheckFailed:
    """A verdict as an exception, which a cell shows as its text and nothing else."""
    problem = CheckFailed(message, "", "")
    problem.message = message
    problem.__suppress_context__ = True
    return problem


def _plain(problem: BaseException | None) -> str:
    return str(problem) if isinstance(problem, CheckFailed) else repr(problem)


def _stale(lab: Lab, judge: Judge, number: int, functions: dict[str, Any]) -> list[str]:
    """A sentence where a live function is not the one in the saved file."""
    other = []
    for name in judge.own(number):
        found = lab.definition(name)
        if found is None or found.is_stub:
            other.append(name)
            continue
        live = _codes(functions[name])
        saved = {code.co_name: code for code in _consts(found.facts[3])}
        if live and not all(n in saved and _same(code, saved[n]) for n, code in live.items()):
            other.append(name)
    if not other:
        return []
    return [
        f"the saved file holds another {expect.names(other)} than this kernel: "
        "save the file, or run the cell again"
    ]


def _codes(function: Any) -> dict[str, CodeType]:
    """The code of a function, or of the methods that a class defines itself."""
    if isinstance(function, type):
        parts = [getattr(part, "__func__", part) for part in vars(function).values()]
    else:
        parts = [function]
    return {part.__code__.co_name: part.__code__ for part in parts if hasattr(part, "__code__")}


def _consts(code: CodeType) -> list[CodeType]:
    """The code objects that stand directly in a module's code, or in that of its class."""
    inner = [const for const in code.co_consts if hasattr(const, "co_code")]
    nested = [c for one in inner for c in one.co_consts if hasattr(c, "co_code")]
    return [*nested, *inner]


def _same(a: CodeType, b: CodeType) -> bool:
    """Whether two pieces of code do the same; file and line numbers do not count."""
    if (a.co_code, a.co_names, a.co_varnames) != (b.co_code, b.co_names, b.co_varnames):
        return False
    if len(a.co_consts) != len(b.co_consts):
        return False
    return all(
        _same(x, y) if hasattr(x, "co_code") and hasattr(y, "co_code") else x == y
        for x, y in zip(a.co_consts, b.co_consts)
    )
