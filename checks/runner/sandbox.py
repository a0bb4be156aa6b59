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
from os import _exit

from checks.runner import strays
from checks.runner.child import Child, fork, spawn, too_large
from checks.runner.lab import Lab, NotUsable
from checks.runner.verdict import CRASHED, TIMEOUT, Verdict
from checks.runner.work import BROKEN, OVER, PRINTED, flush, work

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOADING = 120.0  # seconds for imports, before any stage starts
PATIENCE = 0.5  # seconds after which the parent asks a child whose time is over where it is
ALARMS = (14, 24)  # SIGALRM and SIGXCPU, by which a child may end whose time is over
STALE = 0.1  # seconds between looks whether the verdict is still wanted
LOOKS = 64  # reads of a pipe whose writer may never stop
GRACE = 2.0  # the parent ends it this much later than its own watch should have
SLICE = 86400.0 if sys.platform.startswith("linux") else 0.25  # seconds between looks at memory
KINDS = ("start", "verdict", "diagnosing", "diagnosis", "unusable", "internal", "end")
CAN_FORK = hasattr(os, "fork") and sys.platform != "darwin"  # macOS: Accelerate dislikes fork


class Stale(Exception):
    """Nobody wants the verdict any more: the file was saved again."""


class Job:
    """What a child is asked to do; plain data, so that it can cross into a fresh process."""

    def __init__(self, lab: Lab, numbers: list[int], reference: bool = False) -> None:
        self.lab, self.numbers, self.reference = lab, numbers, reference
        self.assumed: dict[int, Verdict] = {}
        self.diagnosing = True
        self.is_stale: Callable[[], bool] | None = None  # asked now and then, while a child works

    def pack(self) -> bytes:
        """The job as bytes."""
        assumed = {n: v.as_dict() for n, v in self.assumed.items()}
        key = self.lab.key
        theirs = None if key is self.lab else (key.path, key.text)
        mine = self.lab.path, self.lab.text, theirs
        return marshal.dumps([mine, self.numbers, self.reference, self.diagnosing, assumed])

    @classmethod
    def unpack(cls, data: bytes) -> Job:
        """The inverse of `pack`."""
        (path, text, key), numbers, reference, diagnosing, assumed = marshal.loads(data)
        job = cls(Lab(path, text, key and Lab(*key)), numbers, reference)
        job.diagnosing = diagnosing
        job.assumed = {n: Verdict.from_dict(fields) for n, fields in assumed.items()}
        return job


def _frames(child: Child) -> Iterator[tuple]:
    """The events that have arrived whole; what is no event stays in the buffer."""
    while True:
        data = child.buffers[child.events]
        size = int.from_bytes(data[:4], "little")
        if len(data) < 4 or size > 1 << 24 or len(data) < 4 + size:
            return
        try:
            event = marshal.loads(data[4 : 4 + size])
        except (ValueError, EOFError, TypeError):
            return
        if not isinstance(event, tuple) or not event or event[0] not in KINDS:
            return
        child.buffers[child.events] = data[4 + size :]
        yield event


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
            if not reader.found:
                break
            continue
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
        self.slice = STALE if job.is_stale else SLICE
        self.deadline, self.has_asked = time.monotonic() + LOADING, False

    def read(self) -> Verdict | None:
        """Read to the end; the verdict on the stage that the child was lost in, if any."""
        child = self.child
        try:
            while child.open and self.doing != "end" and not self._is_late():
                came = child.read(min(self.deadline - time.monotonic(), self.slice))
                self._take()
                if not came and self.job.is_stale and self.job.is_stale():
                    raise Stale
                if not came and (child.is_over or too_large(child)):
                    self._drain()
                    break
        finally:
            if self.doing == "end":
                child.open = []
            status = child.end()
            child.open = []  # its pipes are closed: what is in the buffers is all
        lost = self.pending if self.doing == "diagnosing" else None
        self._tell()
        if self.doing in ("end", "diagnosing"):
            return lost
        over = self.has_asked or status in (OVER, *(-number for number in ALARMS))
        return _lost(self.job.lab, self.stage, self.seconds, over, child, status)

    def _is_late(self) -> bool:
        """Whether the child has had its time, and time to say where it is when asked."""
        if time.monotonic() < self.deadline:
            return False
        if self.has_asked:
            return True
        self.child.ask()
        self.has_asked, self.deadline = True, time.monotonic() + GRACE - PATIENCE
        return False

    def _take(self) -> None:
        for kind, *rest in _frames(self.child):
            self._event(kind, rest)

    def _drain(self) -> None:
        """What the child wrote before it ended; whoever else holds its pipes is not waited for."""
        for _ in range(LOOKS):
            if not self.child.open or not self.child.read(0):
                break
        self._take()

    def _event(self, kind: str, rest: list) -> None:
        if kind in ("start", "diagnosing"):
            self.stage, self.seconds = rest
            self.deadline = time.monotonic() + self.seconds + PATIENCE
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
            self._tell()
            raise NotUsable(*rest)
        elif kind == "internal":
            self._tell()
            raise _failed(self.job.lab, rest[0])
        self.doing = kind

    def _tell(self) -> None:
        verdict, self.pending = self.pending, None
        if verdict is not None and verdict.stage not in self.found:
            self.found[verdict.stage] = verdict
            self.said(verdict)


def _printed(child: Child) -> str:
    """What the learner's code printed since the last verdict, cut."""
    for _ in range(LOOKS):  # somebody may print without end
        if child.printed not in child.open or not child.read(0):
            break
    text = child.buffers[child.printed].decode("utf-8", "replace")
    child.buffers[child.printed] = b""
    return text if len(text) <= PRINTED else f"{text[:PRINTED]} ..."


def _failed(lab: Lab, trace: str) -> NotUsable:
    """What is said where the engine itself is at fault: enough to report it."""
    rows = trace.rstrip().splitlines()
    indented = "\n".join(f"  {row}" for row in rows)
    return NotUsable(
        f"the engine failed: {rows[-1]}",
        f"this is a defect of the labs, not of your code; report it with these lines:\n{indented}",
        f"{lab.relative}:1:1",
        lab.id,
    )


def _lost(lab: Lab, stage: int, seconds: float, over: bool, child: Child, status: int) -> Verdict:
    """The verdict on a stage whose process is gone: out of time, killed, or left by itself."""
    from checks.runner import outline

    dump = child.buffers[child.events].decode("utf-8", "replace")
    if not stage:
        raise NotUsable(
            "the checks could not be loaded",
            f"run `python -m checks.{lab.stem}.stages` to see why",
            f"{lab.relative}:1:1",
            lab.id,
        )
    line = _line_in(dump, lab)
    timeout = over or dump.startswith("Timeout")
    message = f"still running after {seconds:g} s" if timeout else _ended(status, dump)
    if line:
        message += f", in line {line}: {lab.lines[line - 1].strip()[:50]}"
    first, functions = outline.stage_in(lab, stage)
    return Verdict(
        lab.id,
        stage,
        TIMEOUT if timeout else CRASHED,
        lab.relative,
        message=message,
        line=line or first,
        column=1,
        functions=functions,
        seconds=seconds if timeout else 0.0,
        reread=f"Stage {stage}",
        printed=_printed(child),
    )


def _ended(status: int, dump: str) -> str:
    """Why a process that ran a stage is gone, in words."""
    is_dump = not dump or '  File "' in dump or "Fatal Python error" in dump
    if not sys.platform.startswith("linux") and status == -9:
        return "your code needs more memory than a check may have (4 GB)"
    if status == BROKEN or not is_dump:
        return "your code closed, or wrote into, a file that it did not open: the check's own"
    if status < 0 or "Fatal Python error" in dump:
        return f"the process was ended by signal {-status}"
    return f"your code ended the process (exit status {status}): return a value instead"


def _line_in(dump: str, lab: Lab) -> int:
    """The innermost line of the lab file in a dump of the interpreter's stacks; 0 for none."""
    for row in dump.splitlines():
        head, _, tail = row.partition('", line ')
        if head.endswith(f"{lab.stem}.py") and tail:
            return int(tail.split()[0])
    return 0


def main() -> None:
    """The child's entry in a fresh Python: the job on stdin, events out, printed on stderr."""
    strays.die_with(os.getppid())
    job = Job.unpack(sys.stdin.buffer.read())
    events = os.dup(1)
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    try:
        work(job, events)
        flush()
    except BaseException:
        _exit(BROKEN)
    _exit(0)


if __name__ == "__main__":
    main()
