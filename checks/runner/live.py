"""A check called from a notebook cell: the verdict as text, without a traceback."""

from __future__ import annotations

from checks.expect import CheckFailed, StageCheck, Trace
from checks.runner import lab as labs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def run(check: StageCheck, functions: dict[str, Any]) -> None:
    """Judge the live functions; a failure says which slip gives the same, where one does."""
    trace = Trace()
    try:
        check.run(functions, trace)
    except CheckFailed as no:
        text = [str(no)]
        stem = check.__module__.split(".")[1]
        from checks.runner.judge import Judge

        judge = Judge(labs.Lab(labs.find(stem)))
        from checks.runner.diagnose import diagnose

        for slip in diagnose(judge, check.number, functions, trace):
            text.append(f"  this is    what you get {slip.meaning}")
        text.append(
            f"  next       change the function, run its cell again, then this one "
            f"(hints: checks/{stem}/hints.md)"
        )
        no.message = "\n".join(text)
        raise no from None
    print(f"stage {check.number} passed: {', '.join(check.parameters)}")
