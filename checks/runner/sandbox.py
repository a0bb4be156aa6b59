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

from checks.runner.lab import Lab, NotUsable
from checks.runner.verdict import CRASHED, TIMEOUT, Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

MEMORY = 4 << 30  # bytes that a check may take on top of what is imported
LOADING = 120.0  # seconds for imports, before any stage starts
DIAGNOSING = 20.0
GRACE = 2.0  # the parent steps in this much later than the child's own watchdog
SLICE = 86400.0 if sys.platform.startswith("linux") else 0.25  # seconds between looks at memory
PRINTED = 4000  # characters of a learner's own output that are kept
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


# In the child ---------------------------------------------------------------


def work(job: Job, events: int) -> None:
    """Judge the job's stages one after another and write each verdict to `events`."""
    import faulthandler

    me = os.getpid()

    def emit(*event: Any) -> None:
        if os.getpid() == me:  # a learner's own fork must not speak for us
            data = marshal.dumps(event)
            _write(events, len(data).to_bytes(4, "little") + data)

    def started(number: int, seconds: float, what: str = "start") -> None:
        emit(what, number, seconds)
        faulthandler.dump_traceback_later(seconds, exit=True, file=events)

    faulthandler.enable(file=events)
    try:
        from checks.runner import pins

        pins.apply()
        from checks.runner.judge import Judge

        judge = Judge(job.lab, job.reference, job.assumed, started)
        _limit_memory()
        for number in job.numbers:
            verdict = judge.judge(number)
            _flush()
            emit("verdict", verdict.as_dict())
            if number in judge.failures and job.diagnosing:
                started(number, DIAGNOSING, "diagnosing")
                verdict.diagnosis = judge.diagnose(number)
                emit("diagnosis", number, verdict.diagnosis)
            faulthandler.cancel_dump_traceback_later()
        emit("end")
    except NotUsable as no:
        emit("unusable", no.message, no.next_step, no.where, no.code)
    except BaseException:
        import traceback

        emit("internal", traceback.format_exc())


def _write(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass


def _limit_memory() -> None:
    """Cap the address space where the system can; elsewhere the parent watches."""
    if not sys.platform.startswith("linux"):
        return
    import resource

    with open("/proc/self/statm", encoding="ascii") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    cap = used + MEMORY if hard == resource.RLIM_INFINITY else min(used + MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_AS, (cap, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


# In the parent --------------------------------------------------------------


class Child:
    """One running child: its two pipes, and how to end it."""

    def __init__(self, pid: int, events: int, printed: int, popen: Any = None) -> None:
        self.pid, self.events, self.printed, self.popen = pid, events, printed, popen
        self.buffers = {events: b"", printed: b""}
        self.open = [events, printed]

    def end(self) -> int:
        """Kill the child and whatever it started; its exit status, negative for a signal."""
        if self.popen is not None:
            _kill_tree(self.popen)
            status = self.popen.wait()
            self.popen.stdout.close()
            self.popen.stderr.close()
            return status
        _, status = os.waitpid(self.pid, 0) if not self.open else (0, None)
        try:
            os.killpg(self.pid, 9)
        except (ProcessLookupError, PermissionError):
            pass
        if status is None:
            _, status = os.waitpid(self.pid, 0)
        os.close(self.events)
        os.close(self.printed)
        return os.waitstatus_to_exitcode(status)

    def read(self, seconds: float) -> bool:
        """Wait for output; False where none came in time. Fills `buffers`."""
        import select

        ready, _, _ = select.select(self.open, [], [], max(seconds, 0))
        for fd in ready:
            data = os.read(fd, 1 << 16)
            if not data:
                self.open.remove(fd)
            elif fd == self.events or len(self.buffers[fd]) < 2 * PRINTED:
                self.buffers[fd] += data
        return bool(ready)


def _too_large(child: Child) -> bool:
    """Whether a child without an address-space limit has taken more than it may."""
    if sys.platform.startswith("linux"):
        return False
    import psutil

    try:
        return psutil.Process(child.pid).memory_info().rss > MEMORY
    except psutil.Error:
        return False


def _kill_tree(popen: Any) -> None:
    if os.name == "posix":
        try:
            os.killpg(popen.pid, 9)
        except (ProcessLookupError, PermissionError):
            pass
        return
    import psutil

    try:
        for process in psutil.Process(popen.pid).children(recursive=True):
            process.kill()
    except psutil.NoSuchProcess:
        pass
    popen.kill()


def fork(job: Job) -> Child:
    """A child by fork: it has the lab parsed already, and costs under a millisecond."""
    event_out, event_in = os.pipe()
    printed_out, printed_in = os.pipe()
    _flush()
    pid = os.fork()
    if pid:
        os.close(event_in)
        os.close(printed_in)
        return Child(pid, event_out, printed_out)
    try:
        os.setsid()
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(printed_in, 1)
        os.dup2(printed_in, 2)
        work(job, event_in)
    finally:
        _flush()
        os._exit(0)


def spawn(job: Job) -> Child:
    """A child in a fresh Python, for systems that cannot fork."""
    import subprocess

    from checks.runner.lab import ROOT

    popen = subprocess.Popen(
        [sys.executable, "-m", "checks.runner.sandbox"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=os.name == "posix",
        env={**os.environ, "PYTHONPATH": ROOT, "PYTHONUTF8": "1"},
    )
    assert popen.stdin and popen.stdout and popen.stderr
    popen.stdin.write(job.pack())
    popen.stdin.close()
    kind = Child if os.name == "posix" else _threaded()
    return kind(popen.pid, popen.stdout.fileno(), popen.stderr.fileno(), popen)


def _threaded() -> type[Child]:
    """`Child` where pipes cannot be selected on: a thread reads each of them."""
    import queue
    import threading

    class ThreadedChild(Child):
        def __init__(self, pid: int, events: int, printed: int, popen: Any = None) -> None:
            super().__init__(pid, events, printed, popen)
            self.queue: queue.Queue[tuple[int, bytes]] = queue.Queue()
            for fd in (events, printed):
                threading.Thread(target=self._pump, args=(fd,), daemon=True).start()

        def _pump(self, fd: int) -> None:
            data = b"start"
            while data:
                data = os.read(fd, 1 << 16)
                self.queue.put((fd, data))

        def read(self, seconds: float) -> bool:
            try:
                fd, data = self.queue.get(timeout=max(seconds, 0.0))
            except queue.Empty:
                return False
            if not data:
                self.open.remove(fd)
            elif fd == self.events or len(self.buffers[fd]) < 2 * PRINTED:
                self.buffers[fd] += data
            return True

    return ThreadedChild


def _frames(child: Child) -> Iterator[tuple]:
    """The events that have arrived whole; text that is no event stays in the buffer."""
    while True:
        data = child.buffers[child.events]
        size = int.from_bytes(data[:4], "little")
        if len(data) < 4 or size > 1 << 24 or len(data) < 4 + size:
            return
        child.buffers[child.events] = data[4 + size :]
        yield marshal.loads(data[4 : 4 + size])


def run(
    job: Job,
    said: Callable[[Verdict], None] = lambda verdict: None,
    start: Callable[[Job], Child] | None = None,
) -> list[Verdict]:
    """Judge the job's stages in child processes; `said` hears each verdict as it comes.

    A stage that runs out of time, or takes its process down, gets its verdict here,
    and the rest goes on in a new child.
    """
    start = start or (fork if CAN_FORK else spawn)
    found: dict[int, Verdict] = {}
    wanted = list(job.numbers)
    while wanted:
        job.numbers = wanted
        lost = _one_child(job, start(job), found, said)
        wanted = [n for n in wanted if n not in found]
        if lost is None:
            break
        job.assumed[lost.stage] = lost
        if lost.stage in wanted:
            found[lost.stage] = lost
            said(lost)
            wanted.remove(lost.stage)
    return list(found.values())


def run_here(job: Job, said: Callable[[Verdict], None]) -> list[Verdict]:
    """Judge in this process, under a debugger: breakpoints work, and no limit applies."""
    from checks.runner import pins
    from checks.runner.judge import Judge

    pins.apply()
    judge = Judge(job.lab, job.reference, job.assumed)
    verdicts = []
    for number in job.numbers:
        verdict = judge.judge(number)
        verdict.diagnosis = judge.diagnose(number)
        said(verdict)
        verdicts.append(verdict)
    return verdicts


def _one_child(
    job: Job, child: Child, found: dict[int, Verdict], said: Callable[[Verdict], None]
) -> Verdict | None:
    """Read one child to its end; the verdict on the stage that it was lost in, if any."""
    stage, seconds, doing, ended = 0, LOADING, "loading", False
    deadline = time.monotonic() + LOADING
    pending: Verdict | None = None
    try:
        while child.open and not ended:
            came = child.read(min(deadline - time.monotonic(), SLICE))
            if not came and (time.monotonic() >= deadline or _too_large(child)):
                break
            for kind, *rest in _frames(child):
                if kind in ("start", "diagnosing"):
                    doing, (stage, seconds) = kind, rest
                    deadline = time.monotonic() + seconds + GRACE
                elif kind == "verdict":
                    if pending is not None:
                        _tell(pending, found, said)
                    pending = Verdict.from_dict(rest[0])
                    pending.printed = _printed(child)
                    job.assumed[pending.stage] = pending
                elif kind == "diagnosis" and pending is not None:
                    pending.diagnosis = rest[1]
                elif kind == "unusable":
                    raise NotUsable(*rest)
                elif kind == "internal":
                    raise RuntimeError(f"the engine failed:\n{rest[0]}")
                ended = kind == "end"
    finally:
        over = time.monotonic() >= deadline
        if ended:
            child.open = []
        status = child.end()
    if pending is not None:
        _tell(pending, found, said)
    if ended or doing == "diagnosing":
        return None if ended else pending
    return _lost(job.lab, stage, seconds, over, child, status)


def _tell(verdict: Verdict, found: dict[int, Verdict], said: Callable[[Verdict], None]) -> None:
    if verdict.stage not in found:
        found[verdict.stage] = verdict
        said(verdict)


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
    timeout = over or dump.startswith("Timeout")
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
    _flush()
    os._exit(0)


if __name__ == "__main__":
    main()
