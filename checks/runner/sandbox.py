"""A child process with a time limit and a memory limit, in which stages are judged.

The parent stays small: it forks (elsewhere: starts a fresh Python), reads verdicts
from a pipe, and ends the whole process group when it is done. A child that runs
out of time says itself, from a watchdog thread in C, in which line it was.
"""

from __future__ import annotations

import marshal
import os
import sys
import time

from checks.runner.child import PRINTED, Child, flush, fork, spawn, too_large, work
from checks.runner.lab import Lab, NotUsable
from checks.runner.verdict import CRASHED, TIMEOUT, Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOADING = 120.0  # seconds for imports, before any stage starts
ALARM = 14  # SIGALRM, by which a child ends whose time is out
GRACE = 2.0  # the parent steps in this much later than the child's own watchdog
SLICE = 86400.0 if sys.platform.startswith("linux") else 0.25  # seconds between looks at memory
CAN_FORK = hasattr(os, "fork") and sys.platform != "darwin"  # macOS: Accelerate dislikes fork


class Job:
    """What a child is asked to do; plain data, so that it can cross into a fresh process."""

    def __init__(self, lab: Lab, numbers: list[int], reference: bool = False) -> None:
        self.lab, self.numbers, self.reference = lab, numbers, reference
        self.assumed: dict[int, Verdict] = {}
        self.diagnosing = True

    def pack(self) -> bytes:
        """The job as bytes."""
        assumed = {n: v.as_dict() for n, v in self.assumed.items()}
        return marshal.dumps(
            [self.lab.path, self.lab.text, self.numbers, self.reference, self.diagnosing, assumed]
        )

    @classmethod
    def unpack(cls, data: bytes) -> Job:
        """The inverse of `pack`."""
        path, text, numbers, reference, diagnosing, assumed = marshal.loads(data)
        job = cls(Lab(path, text), numbers, reference)
        job.diagnosing = diagnosing
        job.assumed = {n: Verdict.from_dict(fields) for n, fields in assumed.items()}
        return job


def _frames(child: Child) -> Iterator[tuple]:
    """The events that have arrived whole; text that is no event stays in the buffer."""
    while True:
        data = child.buffers[child.events]
        size = int.from_bytes(data[:4], "little")
        if len(data) < 4 or size > 1 << 24 or len(data) < 4 + size:
            return
        child.buffers[child.events] = data[4 + size :]
        yield marshal.loads(data[4 : 4 + size])


def begin(job: Job) -> Child:
    """Start a child in the way that suits this system."""
    return fork(job) if CAN_FORK else spawn(job)


def run(
    job: Job,
    said: Callable[[Verdict], None] = lambda verdict: None,
    start: Callable[[Job], Child] | None = None,
) -> list[Verdict]:
    """Judge the job's stages in child processes; `said` hears each verdict as it comes.

    A stage that runs out of time, or takes its process down, gets its verdict here,
    and the rest goes on in a new child.
    """
    start = start or begin
    found: dict[int, Verdict] = {}
    wanted = list(job.numbers)
    while wanted:
        job.numbers = wanted
        reader = Reader(job, start(job), said)
        lost = reader.read()
        found.update(reader.found)
        wanted = [n for n in wanted if n not in found]
        if lost is None:
            break
        job.assumed[lost.stage] = lost
        if lost.stage in wanted:
            found[lost.stage] = lost
            said(lost)
            wanted.remove(lost.stage)
    return list(found.values())


def run_here(job: Job, said: Callable[[Verdict], None] = lambda verdict: None) -> list[Verdict]:
    """Judge in this process, under a debugger: breakpoints work, and no limit applies."""
    from checks.runner import pins
    from checks.runner.judge import Judge

    pins.apply()
    judge = Judge(job.lab, job.reference, job.assumed)
    verdicts = []
    for number in job.numbers:
        verdict = judge.judge(number)
        for verdict.diagnosis, verdict.so_far in judge.diagnose(number):
            pass
        said(verdict)
        verdicts.append(verdict)
    return verdicts


class Reader:
    """Follows one child to its end: which stage it is in, until when, and what it found."""

    def __init__(self, job: Job, child: Child, said: Callable[[Verdict], None]) -> None:
        self.job, self.child, self.said = job, child, said
        self.found: dict[int, Verdict] = {}
        self.pending: Verdict | None = None  # judged, and perhaps still to be diagnosed
        self.stage, self.seconds, self.doing = 0, LOADING, "loading"
        self.deadline = time.monotonic() + LOADING

    def read(self) -> Verdict | None:
        """Read to the end; the verdict on the stage that the child was lost in, if any."""
        child = self.child
        try:
            while child.open and self.doing != "end":
                came = child.read(min(self.deadline - time.monotonic(), SLICE))
                if not came and (time.monotonic() >= self.deadline or too_large(child)):
                    break
                for kind, *rest in _frames(child):
                    self._event(kind, rest)
        finally:
            over = time.monotonic() >= self.deadline
            if self.doing == "end":
                child.open = []
            status = child.end()
            child.open = []  # its pipes are closed: what is in the buffers is all
        lost = self.pending if self.doing == "diagnosing" else None
        self._tell()
        if self.doing in ("end", "diagnosing"):
            return lost
        return _lost(self.job.lab, self.stage, self.seconds, over, child, status)

    def _event(self, kind: str, rest: list) -> None:
        if kind in ("start", "diagnosing"):
            self.stage, self.seconds = rest
            self.deadline = time.monotonic() + self.seconds + GRACE
        elif kind == "verdict":
            self._tell()
            self.pending = Verdict.from_dict(rest[0])
            self.pending.printed = _printed(self.child)
            self.job.assumed[self.pending.stage] = self.pending
            return
        elif kind == "diagnosis" and self.pending is not None:
            _, self.pending.diagnosis, self.pending.so_far = rest
            return  # still diagnosing: the later cases may say more
        elif kind == "unusable":
            raise NotUsable(*rest)
        elif kind == "internal":
            raise RuntimeError(f"the engine failed:\n{rest[0]}")
        self.doing = kind

    def _tell(self) -> None:
        verdict, self.pending = self.pending, None
        if verdict is not None and verdict.stage not in self.found:
            self.found[verdict.stage] = verdict
            self.said(verdict)


def _printed(child: Child) -> str:
    """What the learner's code printed since the last verdict, cut."""
    while child.printed in child.open and child.read(0):
        pass
    text = child.buffers[child.printed].decode("utf-8", "replace")
    child.buffers[child.printed] = b""
    return text if len(text) <= PRINTED else f"{text[:PRINTED]} ..."


def _lost(lab: Lab, stage: int, seconds: float, over: bool, child: Child, status: int) -> Verdict:
    """The verdict on a stage whose process is gone: out of time, killed, or left by itself."""
    dump = child.buffers[child.events].decode("utf-8", "replace")
    if not stage:
        raise NotUsable(
            "the checks could not be loaded",
            f"run `python -m checks.{lab.stem}`",
            lab.relative,
            lab.id,
        )
    line = _line_in(dump, lab)
    timeout = over or status == -ALARM or dump.startswith("Timeout")
    if timeout:
        message = f"still running after {seconds:g} s"
    elif not sys.platform.startswith("linux") and status == -9:
        message = "your code needs more memory than a check may have (4 GB)"
    elif status < 0 or "Fatal Python error" in dump:
        message = f"the process was ended by signal {-status}"
    else:
        message = f"your code ended the process (exit status {status}): return a value instead"
    if line:
        message += f", in line {line}: {lab.lines[line - 1].strip()[:50]}"
    heading = lab.stages.get(stage)
    at = line or (heading.line if heading else 1)
    return Verdict(
        lab.id,
        stage,
        TIMEOUT if timeout else CRASHED,
        lab.relative,
        message=message,
        line=at,
        column=1,
        seconds=seconds if timeout else 0.0,
        reread=f"Stage {stage}",
        printed=_printed(child),
    )


def _line_in(dump: str, lab: Lab) -> int:
    """The innermost line of the lab file in a dump of the interpreter's stacks; 0 for none."""
    for row in dump.splitlines():
        head, _, tail = row.partition('", line ')
        if head.endswith(f"{lab.stem}.py") and tail:
            return int(tail.split()[0])
    return 0


def main() -> None:
    """The child's entry in a fresh Python: the job on stdin, events out, printed on stderr."""
    job = Job.unpack(sys.stdin.buffer.read())
    events = os.dup(1)
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    work(job, events)
    flush()
    os._exit(0)


if __name__ == "__main__":
    main()
