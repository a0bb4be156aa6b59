"""A lab in a notebook that was downloaded alone: no saved file, no command line, no journal.

The verdict speaks of cells, `hint(3)` shows the hints of stage 3, and a cell that needs a
function which is still to write says so in one line and lets the cells below it run. Nothing
is written to the disk: what was shown is remembered for as long as the kernel runs.
"""

from __future__ import annotations

import sys

from checks.runner import hints, live, report
from checks.runner.lab import Lab, NotUsable, bindings
from checks.runner.verdict import TIMEOUT, Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class InCells(report.Words):
    """Places are stages, and the next step is to run a cell."""

    def first(self, verdict: Verdict) -> str:
        """The stage and the case."""
        return f"stage {verdict.stage} is not right yet: {verdict.message}"

    def place(self, lab: Lab, number: int) -> str:
        """The stage by its title."""
        return f"stage {number}, {lab.stages[number].title}"

    def mend(self, verdict: Verdict, lab: Lab) -> str:
        """What to do where something is wrong."""
        what = "find the loop that does not end" if verdict.state == TIMEOUT else "fix it"
        return f"{what}, run its cell and this one again, or ask for a hint: hint({verdict.stage})"


class Notebook(live.Home):
    """One lab and its hints, from texts in memory."""

    words = InCells()

    def __init__(self, file: str, text: str, hints_text: str) -> None:
        self.only = Lab(file, text)
        self.hints = hints.parse(hints_text)
        self.shown: dict[int, int] = {}

    def lab(self, stem: str) -> Lab:
        """The lab of this notebook."""
        return self.only

    def notes(self, judge: live.LiveJudge, number: int) -> list[str]:
        """There is no saved file that could hold something else."""
        return []

    def remember(self, lab: Lab, verdict: Verdict) -> None:
        """A notebook keeps its own outputs."""

    def hint(self, stage: int) -> None:
        """Show the next of three hints for a stage: `hint(2)`. None of them is the solution."""
        lab = self.only
        if stage not in lab.stages:
            print(f"hint takes the number of a stage, 1 to {max(lab.stages)}: hint(1)")
            return
        try:
            print(hints.pick(lab, self.hints, stage, self.shown.get(stage, 0)))
        except NotUsable as no:
            print(no)
        self.shown[stage] = self.shown.get(stage, 0) + 1


class Waiting:
    """Cells that need a function which is still to write, and what they would have made.

    IPython asks `shown` how an exception is to be shown, and tells `ended` of the cell's end:
    where the exception is taken back there, the front end goes on with the next cell.
    """

    KINDS = (NotImplementedError, NameError, live.StillToWrite)

    def __init__(self, shell: Any, owner: dict[str, int]) -> None:
        self.shell, self.owner = shell, owner
        self.made: dict[str, str] = {}  # variable -> the function that its cell waits for
        self.met: tuple[BaseException, str] | None = None  # in the cell that runs
        self.others, self.show_others = shell.custom_exceptions, getattr(shell, "CustomTB", None)
        shell.set_custom_exc((*self.KINDS, *self.others), self.shown)
        shell.events.register("post_run_cell", self.ended)

    def shown(
        self, shell: Any, kind: type, error: BaseException, trace: Any, tb_offset: Any = None
    ) -> None:
        """Show one line where a cell waits for the learner, and what IPython shows elsewhere."""
        name, sentence = self.explain(error)
        if sentence:
            self.met = error, name
            pyplot = sys.modules.get("matplotlib.pyplot")
            if pyplot is not None:
                pyplot.close("all")  # a picture that was begun is none
            print(sentence)
        elif isinstance(error, self.others) and self.show_others is not None:
            self.show_others(kind, error, trace, tb_offset)
        else:
            shell.showtraceback(
                (kind, error, trace), tb_offset=tb_offset, running_compiled_code=True
            )

    def explain(self, error: BaseException) -> tuple[str, str]:
        """(the function that is waited for, the sentence that says so), or nothing twice."""
        if isinstance(error, live.StillToWrite):
            return "", str(error)
        if isinstance(error, NotImplementedError):
            label = str(error).rpartition(": ")[2]
            name = label.partition(".")[0]
            if str(error) == f"stage {self.owner.get(name)}: {label}" and self._is_stub(name):
                return name, f"This cell needs {self._stage(name)}, which is still to write."
        if isinstance(error, NameError):
            missing = getattr(error, "name", None) or ""
            name = self.made.get(missing, "")
            if name and not self._is_in_a_function(error):
                stage = self._stage(name)
                if self._is_stub(name):
                    tail = f", which an earlier cell makes once {stage} is written."
                else:
                    tail = f": run the earlier cell of {stage} that makes it, then this one."
                return name, f"This cell needs {missing}{tail}"
        return "", ""

    def ended(self, result: Any) -> None:
        """After each cell: one that waits is no error, and what it would have made waits too."""
        met, self.met = self.met, None
        if met is None or result.error_in_exec is not met[0]:
            return
        result.error_in_exec = None
        if met[1]:
            for name in self._makes(result.info.raw_cell):
                self.made[name] = met[1]

    def _makes(self, cell: str) -> list[str]:
        try:
            tree: Any = compile(self.shell.transform_cell(cell), "cell", "exec", 0x400)
        except (SyntaxError, ValueError):
            return []
        return [name for node in tree.body for name, _ in bindings(node)]

    def _stage(self, name: str) -> str:
        return f"stage {self.owner[name]} ({name})"

    def _is_stub(self, name: str) -> bool:
        return live.is_stub(self.shell.user_ns.get(name))

    def _is_in_a_function(self, error: BaseException) -> bool:
        """Whether one of the learner's functions misses the name, which is a mistake in it."""
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        return trace is not None and trace.tb_frame.f_code.co_name in self.owner


def begin(file: str, text: str, hints_text: str) -> Callable[[int], None]:
    """Make this kernel the lab's home; returns `hint`."""
    here = Notebook(file, text, hints_text)
    live.home = here
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is not None:
        Waiting(shell, stages_of(here.only))
    return here.hint


def stages_of(lab: Lab) -> dict[str, int]:
    """The stage of each function that the learner writes, by the lab's headings alone."""
    found = {}
    for name, every in lab.definitions.items():
        for stage in lab.stages.values():
            if f"solution_{name}" in lab.definitions and stage.line <= every[0].line <= stage.end:
                found[name] = stage.number
    return found
