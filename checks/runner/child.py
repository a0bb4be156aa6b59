"""A child process for a learner's code: by fork where that is safe, else a fresh Python.

The child judges and writes events (marshal, with their length in front) to one pipe; what
the learner's code prints goes to another. A watchdog thread in C writes down in which line
the child was when its time ran out.
"""

from __future__ import annotations

import gc
import marshal
import os
import sys

from checks.runner.lab import NotUsable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from checks.runner.sandbox import Job

MEMORY = 4 << 30  # bytes that a check may take on top of what is imported
DIAGNOSING = 20.0
PRINTED = 4000  # characters of a learner's own output that are kept


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
        _watch(seconds, events)

    faulthandler.enable(file=events)
    try:
        gc.enable()
        if "numpy" in job.lab.text or "torch" in job.lab.text:
            from checks.runner import pins

            pins.apply()
        from checks.runner.judge import Judge

        judge = Judge(job.lab, job.reference, job.assumed, started)
        _limit_memory()
        for number in job.numbers:
            verdict = judge.judge(number)
            flush()
            emit("verdict", verdict.as_dict())
            if number in judge.failures and job.diagnosing:
                started(number, DIAGNOSING, "diagnosing")
                for meanings, so_far in judge.diagnose(number):
                    emit("diagnosis", number, meanings, so_far)
        emit("end")
    except NotUsable as no:
        emit("unusable", no.message, no.next_step, no.where, no.code)
    except BaseException:
        import traceback

        emit("internal", traceback.format_exc())


def _watch(seconds: float, events: int) -> None:
    """After `seconds`, write down where every thread is and end the process.

    By a timer signal, whose handler in C works in an endless loop too; where there is none
    by a watchdog thread, which costs a millisecond more.
    """
    import faulthandler

    if os.name != "posix":
        faulthandler.dump_traceback_later(seconds, exit=True, file=events)
        return
    import _signal

    faulthandler.register(_signal.SIGALRM, file=events, chain=True)
    _signal.setitimer(_signal.ITIMER_REAL, seconds)


def _write(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def flush() -> None:
    """Hand on what is still buffered; a learner may have closed a stream."""
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

    with open("/proc/self/statm", "rb") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    cap = used + MEMORY if hard == resource.RLIM_INFINITY else min(used + MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_AS, (cap, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


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


def too_large(child: Child) -> bool:
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
    flush()
    gc.freeze()  # collecting in the child must not write to, and so copy, what both share
    pid = os.fork()
    if pid:
        gc.unfreeze()
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
        flush()
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
    try:
        popen.stdin.write(job.pack())
        popen.stdin.close()
    except OSError:
        pass  # it ended before it read: its pipes tell the rest
    kind = Child if os.name == "posix" else _threaded()
    return kind(popen.pid, popen.stdout.fileno(), popen.stderr.fileno(), popen)


HANDED, TO_LEAVE = 0.05, 2.0  # seconds: for a reading thread, for a child to end by itself


def _threaded() -> type[Child]:
    """`Child` where pipes cannot be selected on: a thread reads each of them."""
    import queue
    import subprocess
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
                try:
                    data = os.read(fd, 1 << 16)
                except OSError:  # closed while a process that outlived the child holds it
                    data = b""
                self.queue.put((fd, data))

        def read(self, seconds: float) -> bool:
            try:  # what is in the pipe already needs a moment to come through its thread
                fd, data = self.queue.get(timeout=max(seconds, HANDED))
            except queue.Empty:
                return False
            if not data:
                self.open.remove(fd)
            elif fd == self.events or len(self.buffers[fd]) < 2 * PRINTED:
                self.buffers[fd] += data
            return True

        def end(self) -> int:
            """As `Child.end`; -9 where we had to kill it, for which Windows has no status."""
            assert self.popen is not None
            try:
                status = self.popen.wait(0 if self.open else TO_LEAVE)
            except subprocess.TimeoutExpired:
                super().end()
                return -9
            super().end()
            return status

    return ThreadedChild
