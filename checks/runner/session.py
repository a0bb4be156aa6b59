"""Judge and remember: what every face calls for the learner's own file."""

from __future__ import annotations

from checks.runner import sandbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from checks.runner.verdict import Verdict


def judge(
    job: sandbox.Job,
    said: Callable[[Verdict], None] = lambda verdict: None,
    begin: Callable[[sandbox.Job], sandbox.Child] | None = None,
    here: bool = False,
) -> list[Verdict]:
    """The verdicts on a job's stages, each told and written into the journal as it comes.

    here   in this process, under a debugger: no limits, and nothing is written down
    """
    if here:
        return sandbox.run_here(job, said)

    def told(verdict: Verdict) -> None:
        try:
            said(verdict)
        finally:  # a terminal that cannot be written to loses no record
            from checks.runner import journal  # while the next stage is judged

            journal.note(job.lab, verdict)

    return sandbox.run(job, told, begin)
