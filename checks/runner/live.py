"""A check called from a notebook cell: the same verdict as everywhere, without a traceback.

What is judged is what the kernel holds, the newest definitions, wherever their cells are. All
that differs from one place where cells run to another is asked of `home`.
"""

from __future__ import annotations

import sys
import time

from checks import expect
from checks.expect import CheckFailed, Spied, StageCheck
from checks.runner import lab as labs
from checks.runner import report
from checks.runner.guard import Guard
from checks.runner.judge import Judge
from checks.runner.lab import Lab, NotUsable
from checks.runner.verdict import FAILED, PASSED, TIMEOUT, TODO, Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType
    from typing import Any

    from checks.runner.crash import Seen


class StillToWrite(CheckFailed):
    """A check was called on a function that is still its stub."""


class Home:
    """Where cells run: beside the saved file, with a command line and a journal.

    A notebook that was downloaded alone has none of the three, and brings a home of its own.
    """

    words = report.IN_A_FILE

    def lab(self, stem: str) -> Lab:
        """The lab whose checks are called, read."""
        return Lab(labs.find(stem))

    def notes(self, judge: LiveJudge, number: int) -> list[str]:
        """Whole sentences worth knowing about what is judged here."""
        return stale(judge.lab, {name: judge.space[name] for name in judge.own(number)})

    def remember(self, lab: Lab, verdict: Verdict) -> None:
        """Write the verdict down; one on something that the file does not hold is no progress."""
        from checks.runner import journal

        if not verdict.notes:
            journal.note(lab, verdict)


home = Home()


def run(check: StageCheck, functions: dict[str, Any]) -> None:
    """Judge the live functions; prints a pass, raises `CheckFailed` with the whole verdict."""
    try:
        lab = home.lab(check.__module__.split(".")[1])
        judge = LiveJudge(lab, functions)
    except NotUsable as no:
        check.run(functions)
        print(f"stage {check.number} passed: {expect.names(check.parameters)}\n{no}")
        return
    verdict = judge.judge(check.number)
    if verdict.state == TODO:
        raise _told(StillToWrite, _still_to_write(judge, verdict))
    left, verdict.notes = verdict.notes, home.notes(judge, check.number)
    if verdict.is_wrong:
        for verdict.diagnosis, verdict.so_far in judge.diagnose(check.number):
            pass
    home.remember(lab, verdict)
    verdict.notes = [*left, *verdict.notes]
    text = report.text(verdict, lab, home.words)
    if verdict.is_wrong:
        raise _told(CheckFailed, text)
    print(text)


def _told(kind: type[CheckFailed], text: str) -> CheckFailed:
    """An exception that shows as `text`."""
    raised = kind(text, "", "")
    raised.message = text
    return raised


def _still_to_write(judge: LiveJudge, verdict: Verdict) -> str:
    one = len(judge.unwritten(verdict.functions)) == 1
    are = "is" if one else "are"
    said = verdict.message.replace(" still to write", f" {are} still to write", 1)
    step = "Write it, run its cell" if one else "Write them, run their cells"
    return f"stage {verdict.stage}: {said}. {step}, then this one."


class LiveJudge(Judge):
    """Judges the functions of a kernel.

    space    the kernel's namespace, from which earlier stages' functions are taken
    """

    def __init__(self, lab: Lab, functions: dict[str, Any]) -> None:
        super().__init__(lab)
        self.kernel = next((found for f in functions.values() if (found := _globals(f))), {})
        self.space = {**self.kernel, **functions}

    def _judge(self, number: int) -> Verdict:
        begin = time.perf_counter()
        own = self.own(number)
        left = [name for name in own if is_stub(self.space.get(name))]
        if own and left == own:
            return self.verdict(number, TODO, message=f"{expect.names(own)} still to write")
        reached = self._reached(own)
        for name in sorted(reached):
            if name.startswith("solution_"):
                told = f"your code calls {name}: write it yourself, then compare"
                return self.verdict(number, FAILED, message=told)
        guard = Guard((self.checks[number].check.__module__,))
        verdict = self._run(number, self._functions(number, []), [], begin, guard)
        if verdict.state in (PASSED, TIMEOUT):
            return verdict
        carried = self._not_right(number, reached)
        if not carried:
            return verdict
        self.failures.pop(number, None)
        names = [name for name, at in self.owner.items() if at in carried]
        before = {name: self.kernel[name] for name in names if name in self.kernel}
        self.kernel.update(self._references(set(names)))
        try:
            return self._run(number, self._functions(number, names), carried, begin, guard)
        finally:
            for name in names:
                self.kernel.pop(name, None)
            self.kernel.update(before)

    def _functions(self, number: int, carried: list[str]) -> dict[str, Any]:
        """What the check asks for: the kernel's; the reference for what is carried or missing."""
        asked = self.checks[number].parameters
        stand_in = {n for n in asked if n in self.owner and (n in carried or n not in self.space)}
        references = self._references(stand_in)
        return {name: references.get(name, self.space.get(name)) for name in asked}

    def _not_right(self, number: int, reached: set[str]) -> list[int]:
        """The other stages that this one uses: later, not in the kernel, or not `passed`."""
        needed = reached | set(self.checks[number].parameters)
        others = sorted({self.owner[n] for n in needed if n in self.owner} - {number})
        missing = {m for m in others if not set(self.own(m)) <= set(self.space)}
        return [m for m in others if m > number or m in missing or self.judge(m).state != PASSED]

    def _reached(self, names: list[str]) -> set[str]:
        """Every global name that the kernel's functions behind `names` load."""
        found: set[str] = set()
        todo = list(names)
        while todo:
            for code in _codes(self.space.get(todo.pop())).values():
                new = set(_loads(code)) - found
                found |= new
                todo += [name for name in new if _globals(self.space.get(name)) is self.kernel]
        return found

    def _crashed(self, number: int, error: BaseException, *rest: Any) -> Verdict:
        verdict = super()._crashed(number, error, *rest)
        if isinstance(error, KeyboardInterrupt):
            verdict.state, verdict.message = TIMEOUT, "still running when it was interrupted"
        return verdict

    def _notes(self, own: list[str]) -> list[str]:
        return []  # what the file holds twice, the kernel holds once

    def seen(self, error: BaseException) -> Seen:
        """What a crash looks like to the learner: lines are those of the cell."""
        from checks.runner import crash

        return crash.explain(self.lab, error, Spied.last, self.kernel)

    def unwritten(self, own: list[str]) -> list[str]:
        """Those of a stage's functions that are still stubs."""
        return [name for name in own if is_stub(self.space.get(name))]

    def diagnose(self, number: int) -> Iterator[tuple[list[str], bool]]:
        """As for a file; nothing, or no more, where somebody ran out of patience."""
        try:
            if self.verdicts[number].state != TIMEOUT:
                yield from super().diagnose(number)
        except KeyboardInterrupt:
            return


def is_stub(function: Any) -> bool:
    """Whether all that a function does, or each method of a class, is to say that it is a stub."""
    codes = _codes(function).values()
    return bool(codes) and all(
        code.co_code in STUBS and str(code.co_consts[-1]).startswith("stage ") for code in codes
    )


def _globals(function: Any) -> dict[str, Any] | None:
    """The kernel's namespace, in which a function or a class was defined; no module's."""
    while hasattr(function, "__wrapped__"):  # behind functools.cache
        function = function.__wrapped__
    if isinstance(function, type):
        space = getattr(sys.modules.get(function.__module__), "__dict__", None)
    else:
        space = getattr(function, "__globals__", None)
    return space if space is not None and space.get("__spec__") is None else None


def _loads(code: CodeType) -> Iterator[str]:
    """Every name that the code, or a function inside it, may load."""
    yield from code.co_names
    for const in code.co_consts:
        if hasattr(const, "co_code"):
            yield from _loads(const)


def stale(lab: Lab, functions: dict[str, Any]) -> list[str]:
    """A sentence where a live function is not the one in the saved file."""
    other = []
    for name, function in functions.items():
        found = lab.definition(name)
        if found is None or found.is_stub:
            other.append(name)
            continue
        live = _codes(function)
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


def _stubs() -> set[bytes]:
    """The bytecode of a function that is a stub, with a docstring and without."""
    says = "    raise NotImplementedError('stage 1: f')\n"
    module = compile(f"def f():\n{says}def g():\n    'text'\n{says}", "", "exec", dont_inherit=True)
    return {code.co_code for code in _consts(module)}


STUBS = _stubs()
