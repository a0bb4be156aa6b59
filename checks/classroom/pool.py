"""Workers side by side, each as far apart from this process as the system allows.

A worker that its hand-in killed is replaced; the stage it died in is blamed and the rest is
judged by the new one. Whatever a hand-in does, `Slot.judge` comes back with an outcome.
"""

from __future__ import annotations

import base64
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from typing import Any

from checks.classroom import worker
from checks.runner import pins
from checks.runner.lab import ROOT, Lab
from checks.runner.verdict import CRASHED, TIMEOUT, Verdict

SILENCE = 300.0  # seconds without an event after which a worker is given up
KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "SYSTEMROOT", "WINDIR", "COMSPEC", "PATHEXT",
        "ML_MINI_LABS_ENV", *pins.THREADS, *pins.AVX2)  # fmt: skip
Outcome = dict[str, Any]
LOCK = threading.RLock()  # between starting a worker and stopping all

BARE = "process groups"
WAYS = {
    "read-only files, no network, its own processes (bubblewrap)": [
        "bwrap", "--unshare-all", "--as-pid-1", "--die-with-parent", "--ro-bind", "/", "/",
        "--dev", "/dev", "--proc", "/proc", "--bind", "{work}", "{work}", "--chdir", "{work}",
    ],
    "no network, its own processes (unshare)": [
        "unshare", "--user", "--map-current-user", "--net", "--ipc", "--pid", "--mount-proc",
        "--fork", "--kill-child",
    ],
    BARE: [],
}  # fmt: skip


def best_way() -> str:
    """The strongest of WAYS that works here; tried, because a container may forbid it."""
    for way in WAYS:
        with tempfile.TemporaryDirectory() as work:
            command = [*_prefix(way, work), sys.executable, "-c", "pass"]
            try:
                tried = subprocess.run(command, capture_output=True, timeout=60)
            except (OSError, subprocess.TimeoutExpired):
                continue
            if tried.returncode == 0:
                return way
    return BARE


def _prefix(way: str, work: str) -> list[str]:
    return [part.format(work=work) for part in WAYS[way]]


class Order:
    """One file to judge: the lab's key, the kind of file, its name, and how to get its bytes."""

    def __init__(
        self, digest: str, key: Lab, kind: str, name: str, load: Callable[[], bytes]
    ) -> None:
        self.digest, self.key, self.kind, self.name, self.load = digest, key, kind, name, load

    def message(self, data: bytes, numbers: list[int], assumed: dict[int, Any]) -> bytes:
        """The order for a worker, as one line."""
        fields = {
            "stem": self.key.stem,
            "kind": self.kind,
            "name": self.name,
            "data": base64.b64encode(data).decode(),
            "numbers": numbers,
            "assumed": assumed,
        }
        return json.dumps(fields).encode() + b"\n"


class Slot:
    """A place for one worker at a time, with a folder of its own."""

    def __init__(self, way: str, modules: list[str], spawn: bool = False) -> None:
        self.way, self.modules, self.spawn = way, modules, spawn
        self.work = os.path.realpath(tempfile.mkdtemp(prefix="ml-mini-labs-"))
        self.process: subprocess.Popen | None = None
        self.closed, self.silent = False, False

    def _start(self) -> subprocess.Popen:
        os.makedirs(self.work, mode=0o700, exist_ok=True)  # a hand-in may have removed it
        environ = {**pins.pins(), **{n: os.environ[n] for n in KEPT if n in os.environ}}
        environ |= {"PYTHONPATH": ROOT, "PYTHONUTF8": "1", "PYTHONHASHSEED": "0",
                    "HOME": self.work, "TMPDIR": self.work, "TEMP": self.work,
                    "TMP": self.work}  # fmt: skip
        options = [*(["alone"] if self.way != BARE else []), *(["spawn"] if self.spawn else [])]
        arguments = ["-P", "-m", "checks.classroom.worker", self.work, ",".join(self.modules)]
        return subprocess.Popen(
            [*_prefix(self.way, self.work), sys.executable, *arguments, *options],
            cwd=self.work,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=os.name == "posix",  # Ctrl+C is for the grader
            env=environ,
        )

    def judge(self, order: Order) -> Outcome:
        """The outcome of an order: verdicts by stage, or why the file is not usable."""
        outcome: Outcome = {"stages": {}, "unusual": [], "notes": [], "unusable": None}
        outcome["read"] = alone = False
        try:
            data = order.load()
        except OSError as error:
            outcome["unusable"] = {"message": f"cannot be read: {error.strerror}", "line": 1}
            return outcome
        while not self.closed:
            left = [n for n in order.key.stages if n not in outcome["stages"]]
            if not left or outcome["unusable"]:
                return outcome
            asked = left[:1] if alone else left
            assumed = {n: told["verdict"] for n, told in outcome["stages"].items()}
            lost = self._run(order.message(data, asked, assumed), outcome)
            if self.closed:
                break
            if lost is None and not alone:
                return outcome
            if lost is not None and not outcome["read"]:
                outcome["unusable"] = {"message": f"the file {lost}", "line": 1}
            elif lost is not None and not alone:
                alone = True  # stages in one order: nobody knows which of them it was
            elif asked[0] not in outcome["stages"]:
                outcome["stages"][asked[0]] = self._blamed(order.key, asked[0], lost or "vanished")
        raise Closed

    def _run(self, message: bytes, outcome: Outcome) -> str | None:
        """Have a worker judge; None where it came to the end, else what became of it."""
        self.silent, failed = False, None
        with LOCK:
            if self.closed:
                raise Closed
            self.process = process = self.process or self._start()
        try:
            assert process.stdin
            process.stdin.write(message)
            process.stdin.flush()
        except OSError:
            pass  # it is gone already; reading says so
        for event in self._events(process):
            kind = event.pop("event", "")
            if kind == "done":
                return failed
            if kind == "read":
                outcome |= {"read": True, "unusual": event["unusual"], "notes": event["notes"]}
            elif kind == "stage":
                outcome["stages"][event["verdict"]["stage"]] = event
            elif kind == "unusable":
                line = event["where"].rpartition(":")[0].rpartition(":")[2]
                outcome["unusable"] = {
                    "message": event["message"],
                    "line": int(line) if line.isdecimal() else 1,
                }
            elif kind == "failed":
                failed = f"the judge failed: {event['reason'].strip().splitlines()[-1]}"
        self.end()
        for pipe in (process.stdin, process.stdout):
            try:
                pipe.close()  # type: ignore[union-attr]
            except OSError:
                pass
        if self.silent:
            return f"gave no sign for {SILENCE:g} s"
        return f"ended the process that judges it (exit status {process.returncode})"

    def _events(self, process: subprocess.Popen) -> Iterator[dict[str, Any]]:
        """What a worker says, until it says no more."""
        assert process.stdout
        while True:
            watchdog = threading.Timer(SILENCE, self._give_up, [process])
            watchdog.daemon = True
            watchdog.start()
            try:
                line = process.stdout.readline(1 << 26)
            finally:
                watchdog.cancel()
            try:
                event = json.loads(line)
            except ValueError:
                return  # the end, or half a line: it is gone
            yield event

    def _give_up(self, process: subprocess.Popen) -> None:
        self.silent = True
        kill(process)

    def _blamed(self, key: Lab, stage: int, lost: str) -> dict[str, Any]:
        state = TIMEOUT if self.silent else CRASHED
        message = f"your code {lost}" if not lost.startswith("the judge") else lost
        verdict = Verdict(key.id, stage, state, key.relative, message=message)
        return {"verdict": verdict.as_dict(), "text": message, "said": message, "cell": 0,
                "line": 0}  # fmt: skip

    def end(self) -> None:
        """End the worker and whatever is below it, or was before it died."""
        with LOCK:
            process, self.process = self.process, None
            if process is None:
                return
            kill(process)
            process.wait()
            if self.way == BARE:
                worker.end_marked(self.work)

    def close(self) -> None:
        """End the worker, and remove its folder."""
        self.closed = True
        self.end()
        worker.empty(self.work)
        shutil.rmtree(self.work, ignore_errors=True)


class Closed(Exception):
    """The grading was stopped while a file was being judged."""


def kill(process: subprocess.Popen) -> None:
    """Kill a worker with all below it; in a namespace the kernel does the rest."""
    import psutil

    try:
        family = [*psutil.Process(process.pid).children(recursive=True)]
    except psutil.Error:
        family = []
    process.kill()
    for other in family:
        try:
            other.kill()
        except psutil.Error:
            pass


def each(
    orders: list[Order], slots: list[Slot], told: Callable[[Order, Outcome | None], None]
) -> None:
    """Judge all orders; `told` hears, in this thread, of each begin (None) and each outcome."""
    waiting: queue.SimpleQueue[Order | None] = queue.SimpleQueue()
    answers: queue.SimpleQueue[tuple[Order, Outcome | None] | BaseException] = queue.SimpleQueue()
    for order in [*orders, *[None] * len(slots)]:
        waiting.put(order)

    def serve(slot: Slot) -> None:
        try:
            while (order := waiting.get()) is not None:
                answers.put((order, None))
                answers.put((order, slot.judge(order)))
        except Closed:
            pass
        except BaseException as error:
            answers.put(error)

    threads = [threading.Thread(target=serve, args=[slot], daemon=True) for slot in slots]
    for thread in threads:
        thread.start()
    try:
        left = len(orders)
        while left:
            answer = answers.get()
            if isinstance(answer, BaseException):
                raise answer
            told(*answer)
            left -= answer[1] is not None
    finally:
        for slot in slots:
            slot.close()
        for thread in threads:
            thread.join(timeout=10)
