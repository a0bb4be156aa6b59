"""One lab, one stage -> a verdict. Runs in the child process, beside the learner's code."""

from __future__ import annotations

import importlib
import time

from checks import expect
from checks.expect import CheckFailed, Spied, StageCheck, Trace
from checks.runner.guard import Guard
from checks.runner.lab import Lab, NotUsable
from checks.runner.verdict import CRASHED, FAILED, PASSED, TODO, Verdict
from checks.runner.workbench import Workbench

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from checks.runner.crash import Seen


def load_checks(lab: Lab) -> dict[int, StageCheck]:
    """The check functions of a lab by stage, from `checks.<stem>.stages`."""
    try:
        module = importlib.import_module(f"checks.{lab.stem}.stages")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("checks"):
            raise NotUsable(
                f"{lab.relative} has no checks",
                f"write checks/{lab.stem}/stages.py",
                f"{lab.relative}:1:1",
                lab.id,
            ) from None
        raise NotUsable(
            f"{error.name} is not installed for this Python",
            f"set up the pinned environment: python3 noxfile.py -s {lab.id}",
            f"{lab.relative}:1:1",
            lab.id,
        ) from None
    except Exception as error:
        raise not_loaded(f"checks/{lab.stem}/stages.py", error, lab) from None
    found = [c for c in vars(module).values() if isinstance(c, StageCheck)]
    return {check.number: check for check in sorted(found, key=lambda c: c.number)}


def not_loaded(file: str, error: Exception, lab: Lab) -> NotUsable:
    """What is said where checks or slips do not load: whoever writes a lab reads this."""
    line = getattr(error, "lineno", None) or 1
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.replace("\\", "/").endswith(file):
            line = trace.tb_lineno
        trace = trace.tb_next
    return NotUsable(
        f"{file} does not load: {type(error).__name__}: {error}",
        f"mend it, or bring it back: git checkout {file}",
        f"{file}:{line}:1",
        lab.id,
    )


class Judge:
    """Judges the stages of one lab, each alone, and remembers its verdicts.

    reference  judge `solution_*` in place of the learner's functions
    assumed    verdicts already known from an earlier process (a stage that ran out of time)
    started    called with (stage, seconds) before a stage's code runs
    """

    def __init__(
        self,
        lab: Lab,
        reference: bool = False,
        assumed: dict[int, Verdict] | None = None,
        started: Callable[[int, float], None] = lambda stage, seconds: None,
    ) -> None:
        self.lab, self.reference, self.started = lab, reference, started
        self.checks = load_checks(lab)
        self.verdicts: dict[int, Verdict] = dict(assumed or {})
        self.failures: dict[int, tuple[dict[str, Any], Trace]] = {}  # what a diagnosis starts from
        self.solutions = Workbench(lab.key)
        self.owner: dict[str, int] = {}  # stage function -> the stage that introduces it
        for number, check in self.checks.items():
            for name in check.parameters:
                if lab.key.definition(f"solution_{name}") is not None:
                    self.owner.setdefault(name, number)

    def own(self, number: int) -> list[str]:
        """The functions that a stage asks the learner to write."""
        if number not in self.checks:
            stage = self.lab.stages.get(number)
            raise NotUsable(
                f"stage {number} of {self.lab.id} has no check",
                f"write check_stage{number} in checks/{self.lab.stem}/stages.py, "
                "or delete the heading",
                self.lab.where(stage.line if stage else 1),
                self.lab.id,
            )
        return [n for n in self.checks[number].parameters if self.owner.get(n) == number]

    def reference_functions(self, number: int) -> dict[str, Any]:
        """What the check's parameters name, from the solutions and from what the lab gives."""
        names = {n: f"solution_{n}" if n in self.owner else n for n in self._known(number)}
        space = self.solutions.build(names.values())
        return {name: space[there] for name, there in names.items()}

    def _known(self, number: int) -> list[str]:
        """The check's parameters; refuses where the file lost the solution of one."""
        parameters = self.checks[number].parameters
        for name in parameters:
            found = self.lab.key.definition(name)
            lost = found is None or found.is_stub or not self.own(number)
            if name not in self.owner and lost:
                raise NotUsable(
                    f"stage {number} needs solution_{name}, which this file no longer has",
                    f"bring the end of the file back: git show HEAD:{self.lab.relative}",
                    f"{self.lab.relative}:{len(self.lab.lines)}:1",
                    self.lab.id,
                )
        return list(parameters)

    def judge(self, number: int) -> Verdict:
        """The verdict on a stage; stages that it builds on are judged first."""
        if number not in self.verdicts:
            self.own(number)  # refuses a stage that has no check
            self.verdicts[number] = self._judge(number)
        return self.verdicts[number]

    def verdict(self, number: int, state: str, **fields: Any) -> Verdict:
        """A verdict on a stage, located at its first function unless `line` says otherwise."""
        functions = self.own(number)
        if "line" not in fields:
            found = self.lab.definition(functions[0]) if functions else None
            heading = self.lab.stages.get(number)
            fields["line"] = found.name_line if found else heading.line if heading else 1
            fields.setdefault("column", found.column if found else 1)
        fields.setdefault("reread", self.checks[number].reread)
        return Verdict(
            self.lab.id,
            number,
            state,
            self.lab.relative,
            functions=functions,
            reference=self.reference,
            **fields,
        )

    def _judge(self, number: int) -> Verdict:
        begin = time.perf_counter()
        check = self.checks[number]
        if self.reference:
            self.started(number, check.seconds)
            guard = Guard((check.check.__module__,))
            return self._run(number, self.reference_functions(number), [], begin, guard)
        own = self.own(number)
        found = [self.lab.definition(name) for name in own]
        if own and all(d is not None and d.is_stub for d in found):
            return self.verdict(
                number, TODO, message=f"{expect.names(own)} still to write", notes=self._notes(own)
            )
        refused = self._refuse(number, own)
        if refused is not None:
            return refused
        self._known(number)
        carried = self._carried(number, own)
        given = self._references({n for n, at in self.owner.items() if at in carried})
        if self.lab.key is not self.lab:  # what the lab itself gives to a check is not the file's
            named = [n for n in check.parameters if n not in self.owner]
            given |= {n: self.solutions.build([n])[n] for n in named}
        bench = Workbench(self.lab, given)
        self.started(number, check.seconds)
        guard = Guard((check.check.__module__,))
        try:
            space = bench.build(check.parameters)
            functions = {name: space[name] for name in check.parameters}
        except BaseException as error:
            guard.restore()
            return self._crashed(number, error, carried)
        return self._run(number, functions, carried, begin, guard)

    def _references(self, names: set[str]) -> dict[str, Any]:
        space = self.solutions.build([f"solution_{name}" for name in names])
        return {name: space[f"solution_{name}"] for name in names}

    def _carried(self, number: int, own: list[str]) -> list[int]:
        """The other stages that this one uses and whose own verdict is not `passed`."""
        bench = Workbench(self.lab)
        needed = bench.reached_names(own) | set(self.checks[number].parameters)
        others = sorted({self.owner[n] for n in needed if n in self.owner} - {number})
        return [m for m in others if m > number or self.judge(m).state != PASSED]

    def _refuse(self, number: int, own: list[str]) -> Verdict | None:
        """A missing function or a changed signature, said before anything runs."""
        for name in own:
            definition = self.lab.definition(name)
            if definition is None or definition.line > self.lab.divider:
                return self._missing(number, name)
            if definition.problem:
                return self.verdict(
                    number,
                    FAILED,
                    message=f"{name} {definition.problem}",
                    line=definition.name_line,
                    column=definition.column,
                    notes=self._notes(own),
                )
        others = {name: None for name, at in self.owner.items() if at != number}
        for name in sorted(Workbench(self.lab, others).reached_names(own)):
            if name.startswith("solution_"):
                return self.verdict(
                    number,
                    FAILED,
                    message=f"your code calls {name}: write it yourself, then compare",
                )
        return None

    def _missing(self, number: int, name: str) -> Verdict:
        from checks.runner import stub

        stage = self.lab.stages.get(number)
        line = stage.line if stage else 1
        message = f"there is no function called {name} in this file"
        known = set(self.owner) | {f"solution_{n}" for n in self.owner}
        near = [
            d
            for label, ds in self.lab.definitions.items()
            for d in ds
            if stage
            and stage.line <= d.line <= stage.end
            and label not in known
            and stub.methods(d.node)
        ]
        if near:
            line = near[0].name_line
            message += f"; was it renamed to {near[0].name}? The check asks for {name}"
        column = near[0].column if near else 1
        return self.verdict(number, FAILED, message=message, line=line, column=column)

    def _notes(self, own: list[str]) -> list[str]:
        notes = []
        for name in own:
            every = self.lab.definitions.get(name, [])
            if len(every) > 1:
                lines = expect.names(str(d.name_line) for d in every)
                which = "the stub in" if every[-1].is_stub else "the one in"
                notes.append(
                    f"{name} is defined {len(every)} times (lines {lines}); "
                    f"{which} line {every[-1].name_line} is the newest and counts"
                )
        return notes

    def _run(
        self,
        number: int,
        functions: dict[str, Any],
        carried: list[int],
        begin: float,
        guard: Guard,
    ) -> Verdict:
        check, trace = self.checks[number], Trace()
        problem: BaseException | None = None
        try:
            check.run(functions, trace)
        except BaseException as error:
            problem = error
        restored = guard.restore()  # first of all: what follows uses what it puts back
        verdict = self.outcome(number, problem, trace, restored, carried)
        verdict.seconds = time.perf_counter() - begin
        if verdict.state in (FAILED, CRASHED) and not self.reference:
            self.failures[number] = (functions, trace)
        return verdict

    def outcome(
        self,
        number: int,
        problem: BaseException | None,
        trace: Trace,
        restored: tuple[str, list[str]],
        carried: list[int],
    ) -> Verdict:
        """The verdict on a check that has run, and ended without or with an exception."""
        replaced, notes = restored
        if replaced:
            trace.entries.append(("replaced", False, replaced, None))  # like no slip
            verdict = self.verdict(
                number,
                CRASHED,
                message=f"your code replaces {replaced}, which the check uses too: "
                "leave it, and give your own function another name",
            )
        elif problem is None:
            verdict = self.verdict(number, PASSED, message="passed")
        elif isinstance(problem, CheckFailed):
            verdict = self.failed(number, problem)
        else:
            trace.raised(problem)
            verdict = self._crashed(number, problem, carried)
        verdict.carried = carried
        verdict.notes = [*verdict.notes, *notes, *self._notes(self.own(number))]
        return verdict

    def failed(self, number: int, no: CheckFailed) -> Verdict:
        """The verdict where a check said no, at the function that it called last."""
        from checks import values

        last = Spied.last
        own = self.own(number)
        at = last[0] if last and last[0] in own else own[0] if own else ""
        definition = self.lab.definition(f"solution_{at}" if self.reference else at)
        rows = [("got", no.got), ("expected", no.expected)]
        shown = values.call(*last) if last and last[0] == at else ""
        if shown:
            rows.insert(0, ("call", shown))
        return self.verdict(
            number,
            FAILED,
            message=no.case,
            rows=rows,
            reread=no.reread,
            line=definition.name_line if definition else 1,
            column=definition.column if definition else 1,
        )

    def _crashed(self, number: int, error: BaseException, carried: list[int]) -> Verdict:
        seen = self.seen(error)
        if seen.stub and not self.reference:
            own = self.own(number)
            left = self.unwritten(own)
            if left:
                written = [n for n in own if n not in left]
                done = f"; {expect.names(written)}: nothing wrong found so far" if written else ""
                first = self.lab.definition(left[0])
                where = {"line": first.name_line, "column": first.column} if first else {}
                message = f"{expect.names(left)} still to write{done}"
                return self.verdict(number, TODO, message=message, **where)
        where = {"line": seen.line, "column": seen.column} if seen.line else {}
        return self.verdict(
            number, CRASHED, message=seen.message, rows=seen.rows, carried=carried, **where
        )

    def seen(self, error: BaseException) -> Seen:
        """What a crash looks like to the learner."""
        from checks.runner import crash

        return crash.explain(self.lab, error, Spied.last)

    def unwritten(self, own: list[str]) -> list[str]:
        """Those of a stage's functions that are still stubs."""
        return [name for name in own if (d := self.lab.definition(name)) and d.is_stub]

    def diagnose(self, number: int) -> Iterator[tuple[list[str], bool]]:
        """The meanings of the slips that give exactly what the learner got, and whether that
        holds so far only; better known with each one that is yielded.
        """
        if number in self.failures:
            from checks.runner.diagnose import diagnose

            for slips, so_far in diagnose(self, number, *self.failures[number]):
                yield [slip.meaning for slip in slips], so_far
