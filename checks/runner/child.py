"""A child process for a learner's code: by fork where that is safe, else a fresh Python.

The child judges and writes events (marshal, with their length in front) to one pipe; what
the learner's code prints goes to another. Whatever it starts ends with it.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from os import _exit, getpid

from checks.runner import strays
from checks.runner.work import BROKEN, MEMORY, PRINTED, flush, work

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from checks.runner.sandbox import Job

LEAVING = 2.0  # seconds that a child which has said all has to end by itself
EVENTS = 1 << 25  # bytes of events that wait to be read: a learner's code may write there too


class Child:
    """One running child: its two pipes, and how to end it."""

    spared: set[int] | None = None  # children that we had before, where orphans come to us

    def __init__(self, pid: int, events: int, printed: int, popen: Any = None) -> None:
        self.pid, self.events, self.printed, self.popen = pid, events, printed, popen
        self.buffers = {events: b"", printed: b""}
        self.open = [events, printed]
        self.handle = _handle(pid)  # becomes readable when the child ends; -1 where there is none

    @property
    def is_over(self) -> bool:
        """Whether the child itself has ended, whoever else may still hold its pipes."""
        if self.popen is not None:
            return self.popen.poll() is not None
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def end(self) -> int:
        """Kill the child and whatever it started; its exit status, negative for a signal."""
        try:
            return self._end()
        finally:
            self.open = []
            if self.spared is not None:
                strays.end(self.spared)
                strays.adopt(False)

    def _end(self) -> int:
        if not self.open:  # it has said all: let it leave by itself
            limit = time.monotonic() + LEAVING
            while not self.is_over and time.monotonic() < limit:
                self._wait(0.01)
        if self.handle >= 0:
            os.close(self.handle)
        if self.popen is not None:
            _kill_tree(self.popen)
            status = self.popen.wait()
            self.popen.stdout.close()
            self.popen.stderr.close()
            self.open = []
            return status
        try:
            os.killpg(self.pid, 9)
        except (ProcessLookupError, PermissionError):
            pass
        _, status = os.waitpid(self.pid, 0)
        os.close(self.events)
        os.close(self.printed)
        self.open = []  # a process that the learner's code left may hold the other end still
        return os.waitstatus_to_exitcode(status)

    def _wait(self, seconds: float) -> None:
        import select

        if self.handle >= 0:
            select.select([self.handle], [], [], seconds)
        else:
            time.sleep(seconds)

    def ask(self) -> None:
        """Have it write down where it is, and end: its own watch came to nothing."""
        if os.name == "posix":
            import _signal

            try:
                os.kill(self.pid, _signal.SIGXCPU)
            except ProcessLookupError:
                pass

    def read(self, seconds: float) -> bool:
        """Wait for output; False where none came in time. Fills `buffers`."""
        import select

        watched = [*self.open, self.handle] if self.handle >= 0 and seconds > 0 else self.open
        ready, _, _ = select.select(watched, [], [], max(seconds, 0))
        came = [fd for fd in ready if fd != self.handle]
        for fd in came:
            data = os.read(fd, 1 << 16)
            if not data:
                self.open.remove(fd)
            elif len(self.buffers[fd]) < (EVENTS if fd == self.events else 2 * PRINTED):
                self.buffers[fd] += data
        return bool(came)


def _handle(pid: int) -> int:
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):  # not Linux, or an old one
        return -1


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
    freezing = not gc.get_freeze_count()  # else somebody did, and knows what stays
    if freezing:
        gc.freeze()  # collecting in the child must not write to, and so copy, what both share
    spared = strays.children() if strays.adopt() else None
    me = getpid()
    pid = os.fork()
    if pid:
        if freezing:
            gc.unfreeze()
        os.close(event_in)
        os.close(printed_in)
        child = Child(pid, event_out, printed_out)
        child.spared = spared
        return child
    status = BROKEN
    try:
        os.setsid()
        strays.die_with(me)
        _default_signals()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(printed_in, 1)
        os.dup2(printed_in, 2)
        work(job, event_in)
        flush()
        status = 0
    finally:
        _exit(status)


def _default_signals() -> None:
    """Signals that end this process end it, whatever the parent does about them."""
    import _signal

    for number in (_signal.SIGTERM, _signal.SIGHUP):
        _signal.signal(number, _signal.SIG_DFL)


def spawn(job: Job, folder: str = "") -> Child:
    """A child in a fresh Python, for systems that cannot fork, in `folder` or at the root.

    Nothing is imported from there: what a learner's code leaves behind judges nobody.
    """
    import subprocess

    from checks.runner.lab import ROOT

    popen = subprocess.Popen(
        [sys.executable, "-P", "-m", "checks.runner.sandbox"],
        cwd=folder or ROOT,
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
            elif len(self.buffers[fd]) < (EVENTS if fd == self.events else 2 * PRINTED):
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
