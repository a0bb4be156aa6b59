"""What a child process does: judge, write verdicts to one pipe, what is printed to another.

It ends by itself when its time is over, and says in which line it was.
"""

from __future__ import annotations

import _thread
import gc
import io
import marshal
import os
import sys
from os import _exit, getpid, write  # bound now: a learner's code may replace them

from checks.runner import strays
from checks.runner.lab import NotUsable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from checks.runner.sandbox import Job

MEMORY = 4 << 30  # bytes that a check may take on top of what is imported
DIAGNOSING = 20.0
PRINTED = 4000  # characters of a learner's own output that are kept
BROKEN, OVER = 70, 124  # exit statuses: it could not tell how it went; its time was over


class Printed(io.TextIOWrapper):
    """A standard stream that hands on what a stage prints first, and drops the rest quickly."""

    left = 0

    def write(self, text: str) -> int:
        """As `TextIOWrapper.write`, while the stage has something left."""
        if Printed.left > 0:
            Printed.left -= len(text)
            return super().write(text)
        return len(text)


def open_streams() -> None:
    """Streams for one stage's own output, in UTF-8 whatever the terminal is."""
    Printed.left = 2 * PRINTED
    for name, number in (("stdout", 1), ("stderr", 2)):
        raw = io.BufferedWriter(io.FileIO(number, "w", closefd=False))
        setattr(sys, name, Printed(raw, "utf-8", "replace", line_buffering=True))


def work(job: Job, events: int) -> None:
    """Judge the job's stages one after another and write each verdict to `events`."""
    import faulthandler

    me = getpid()

    def emit(*event: Any) -> None:
        if getpid() == me:  # a learner's own fork must not speak for us
            data = marshal.dumps(event)
            _write(events, len(data).to_bytes(4, "little") + data)

    def started(number: int, seconds: float, what: str = "start") -> None:
        emit(what, number, seconds)
        _watch(seconds, events)

    faulthandler.enable(file=events)
    try:
        _judge(job, emit, started)
    except NotUsable as no:
        emit("unusable", no.message, no.next_step, no.where, no.code)
    except Exception:
        import traceback

        emit("internal", traceback.format_exc())


def _judge(job: Job, emit: Callable[..., None], started: Callable[..., None]) -> None:
    gc.enable()
    if "numpy" in job.lab.text or "torch" in job.lab.text:
        from checks.runner import pins

        pins.apply()
    from checks.runner.judge import Judge

    judge = Judge(job.lab, job.reference, job.assumed, started)
    _limit_memory()
    strays.adopt()
    threads, me = _thread._count(), getpid()
    for number in job.numbers:
        open_streams()
        verdict = judge.judge(number)
        if getpid() != me:
            _exit(0)  # a fork of the learner's that came back with the answer: one is enough
        verdict.notes += _left_behind(threads)
        flush()
        emit("verdict", verdict.as_dict())
        if number in judge.failures and job.diagnosing:
            seconds = max(DIAGNOSING, judge.checks[number].seconds)  # it runs the check often
            started(number, seconds, "diagnosing")
            for meanings, so_far in judge.diagnose(number):
                emit("diagnosis", number, meanings, so_far)
        if _thread._count() > threads:
            break  # it would slow down what comes next: that goes to a fresh process
    emit("end")


def _left_behind(threads: int) -> list[str]:
    """What a stage's code left running, in a sentence each; the processes are ended."""
    notes = []
    many = strays.end()
    if many:
        what = "a process" if many == 1 else f"{many} processes"
        notes.append(f"your code left {what} running, which the check ended")
    many = _thread._count() - threads
    if many > 0:
        what = "a thread" if many == 1 else f"{many} threads"
        notes.append(f"your code left {what} running when it returned: join what you start")
    return notes


def _watch(seconds: float, events: int) -> None:
    """After `seconds`, write down in which line the child is, and end it.

    A timer signal, whose handler runs between two steps of Python code. Where no such step comes
    (a loop in C) the parent asks a moment later by SIGXCPU: faulthandler answers that in C, which
    may fail where a frame is half made. Without signals a watchdog thread does it.
    """
    import faulthandler

    if os.name != "posix":
        faulthandler.dump_traceback_later(seconds, exit=True, file=events)
        return
    import _signal

    def over(number: int, frame: Any) -> None:
        try:
            rows = []
            while frame is not None:
                rows.append(f'  File "{frame.f_code.co_filename}", line {frame.f_lineno} in it\n')
                frame = frame.f_back
            _write(events, "".join(rows).encode("utf-8", "replace"))
            flush()
        finally:
            _exit(OVER)

    _signal.signal(_signal.SIGALRM, over)
    faulthandler.register(_signal.SIGXCPU, file=events, chain=True)
    _signal.setitimer(_signal.ITIMER_REAL, seconds)


def _write(fd: int, data: bytes) -> None:
    while data:
        data = data[write(fd, data) :]


def flush() -> None:
    """Hand on what is still buffered; a learner may have closed a stream."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # it may be anything: the learner's own class, or nothing
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
