"""Write it again from memory: pick what is due, put its stub back, open it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time

from checks.runner import attempts, progress, report
from checks.runner.lab import NotUsable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from checks.runner.lab import Lab


def start() -> str:
    """Begin the recall that has been due longest; what to say."""
    now = time.time()
    found, _ = progress.survey(now)
    begun = [(p.past[n].recall, p.lab, n) for p in found.values() for n in p.recalling]
    if begun:
        _, lab, number = min(begun, key=lambda entry: entry[0])
        show(lab, number)
        return (
            f"{lab.id}, stage {number} is being recalled: {report.place(lab, number)}\n"
            f"  next       write it from memory, then: python -m checks {lab.number} {number}"
        )
    due = [(p.past[n].due, p.lab, n) for p in found.values() for n in p.due]
    if not due:
        raise NotUsable("nothing is due for recall today", _later(found, now))
    _, lab, number = min(due, key=lambda entry: entry[0])
    said = attempts.reset(lab, number, event="recall")
    show(lab, number)
    level = found[lab.number].past[number].level
    gap = progress.GAPS[min(level + 1, len(progress.GAPS) - 1)]
    return (
        f"{lab.id}, recall {level + 1}. {said}\n"
        f"  rule       without a hint and within a day, it comes back in {gap} days; else tomorrow"
    )


def _later(found: dict[int, progress.LabProgress], now: float) -> str:
    coming = [(p.past[n].due, p.lab, n) for p in found.values() for n in p.done if p.past[n].due]
    if not coming:
        return "pass a stage first; it is due a day later"
    at, lab, number = min(coming, key=lambda entry: entry[0])
    hours = max(1, round((at - now) / 3600))
    when = f"{hours} hours" if hours < 48 else f"{round(hours / 24)} days"
    return f"the next one is {lab.id}, stage {number}, in {when}"


def show(lab: Lab, number: int) -> None:
    """Open the stage in the editor whose terminal this is, where there is one."""
    code = shutil.which("code") or shutil.which("code-server")
    if code and os.environ.get("VSCODE_IPC_HOOK_CLI"):
        place = f"{lab.path}:{report.first_line(lab, number)}"
        subprocess.run([code, "--reuse-window", "--goto", place], check=False, capture_output=True)
