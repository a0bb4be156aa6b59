"""A process that judges hand-ins, one after another: orders on stdin, events on stdout, as JSON.

The learner's code runs in a child of it (`runner.sandbox`). After each order everything that the
code started is ended, and the folder that it worked in is emptied.
"""

from __future__ import annotations

import ast
import base64
import json
import os
import shutil
import sys
import traceback
from typing import Any

from checks.classroom.notebook import Notebook
from checks.runner import child, pins, places, report, sandbox
from checks.runner import lab as labs
from checks.runner.lab import Lab, NotUsable
from checks.runner.verdict import Verdict

FILE_SIZE = 256 << 20  # bytes that one file of a learner's code may have
PROCESSES = 1024  # on top of those that the user runs
HEADROOM = 1 << 30  # bytes of address space of the worker itself, on top of a check's
BUILTINS = {"open", "exec", "eval", "compile", "__import__", "globals", "input"}
HARMLESS = {
    "abc", "bisect", "cmath", "collections", "copy", "dataclasses", "decimal", "enum", "fractions",
    "functools", "heapq", "itertools", "math", "matplotlib", "numpy", "operator", "random", "re",
    "statistics", "string", "time", "torch", "typing", "warnings", "checks", "__future__",
}  # fmt: skip


class Worker:
    """work   a folder of its own
    alone  this is process 1 of a namespace of its own: all other processes are the learner's
    spawn  start children as fresh processes, where a fork would do
    """

    def __init__(self, work: str, alone: bool, spawn: bool) -> None:
        self.work, self.alone = work, alone and os.getpid() == 1
        self.spawn = spawn or not sandbox.CAN_FORK
        self.keys: dict[str, Lab] = {}
        self.folder = ""

    def key(self, stem: str) -> Lab:
        """The instructor's own lab."""
        if stem not in self.keys:
            self.keys[stem] = Lab(os.path.join(labs.ROOT, "labs", f"{stem}.py")).key
        return self.keys[stem]

    def judge(self, order: dict[str, Any]) -> None:
        """Judge one file; events: read, stage (one for each), done, or unusable."""
        self.folder = os.path.join(self.work, "cwd")
        os.makedirs(self.folder, exist_ok=True)
        os.chdir(self.folder)
        try:
            self._judge(order)
        except NotUsable as no:
            self.say("unusable", message=no.message, next=no.next_step, where=no.where)
        except Exception:
            self.say("failed", reason=traceback.format_exc())
        finally:
            os.chdir(self.work)
            self.end_leftovers()
            empty(self.folder)

    def _judge(self, order: dict[str, Any]) -> None:
        key, book = self.key(order["stem"]), None
        data = base64.b64decode(order["data"])
        if order["kind"] == "ipynb":
            book = Notebook(data, order["name"])
            text = book.text
        else:
            text = places.decoded(data, order["name"], key.id)
        path = os.path.join(self.folder, f"{order['stem']}.py")
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)  # for whoever looks at the source, e.g. torch.jit
        lab = Lab(path, text, key)
        lab.verify()
        self.say("read", unusual=unusual(text, key), notes=book.notes if book else [])
        job = sandbox.Job(lab, order["numbers"])
        job.assumed = {int(n): Verdict.from_dict(v) for n, v in order["assumed"].items()}

        def said(verdict: Verdict) -> None:
            cell, line = book.place(verdict.line) if book else (0, verdict.line)
            self.say("stage", verdict=verdict.as_dict(), text=report.text(verdict, lab),
                     cell=cell, line=line, said=sentence(verdict))  # fmt: skip

        sandbox.run(job, said, self.start)

    def start(self, job: sandbox.Job) -> child.Child:
        """A child in the learner's folder, which an earlier stage may have removed."""
        os.makedirs(self.folder, exist_ok=True)
        os.chdir(self.folder)
        return child.spawn(job, self.folder) if self.spawn else child.fork(job)

    def say(self, event: str, **fields: Any) -> None:
        """One line for the grader; the name of the temporary folder is nobody's business."""
        text = json.dumps({"event": event, **fields})
        text = text.replace(json.dumps(self.folder)[1:-1], ".")
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def end_leftovers(self) -> None:
        """End every process that the learner's code left behind."""
        if self.alone:
            try:
                os.kill(-1, 9)  # all but process 1, which this is
            except ProcessLookupError:
                pass
        else:
            end_descendants()
            if not sys.platform.startswith("linux"):  # where orphans are adopted by others
                end_marked(self.work)
        while os.name == "posix":
            try:
                if os.waitpid(-1, 0 if self.alone else os.WNOHANG)[0] == 0:
                    return
            except ChildProcessError:
                return


def end_descendants() -> None:
    """Kill the tree below this process until nothing is left of it."""
    import psutil

    for _ in range(100):  # one that forks faster than it is killed is stopped first
        family = psutil.Process().children(recursive=True)
        family = [p for p in family if _status(p) != psutil.STATUS_ZOMBIE]
        if not family:
            return
        for action in ("suspend", "kill"):
            for process in family:
                try:
                    getattr(process, action)()
                except psutil.Error:
                    pass


def end_marked(home: str) -> None:
    """Kill the processes, but for this one, that a worker with this folder as its home began."""
    import psutil

    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get("HOME") == home:
                process.kill()
        except (psutil.Error, OSError):
            pass


def _status(process: Any) -> str:
    import psutil

    try:
        return process.status()
    except psutil.Error:
        return psutil.STATUS_ZOMBIE


def empty(folder: str) -> None:
    """Remove what a learner's code left, also where it took away its own rights."""
    for _ in range(2):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.lexists(folder):
            return
        for path, _, _ in os.walk(folder):
            try:
                os.chmod(path, 0o700)
            except OSError:
                pass


def sentence(verdict: Verdict) -> str:
    """The verdict's message in one line, with got and expected."""
    rows = dict(verdict.rows)
    text = verdict.message if verdict.message != "passed" else ""
    return f"{text}: got {rows['got']}, expected {rows['expected']}" if "got" in rows else text


def unusual(text: str, key: Lab) -> list[str]:
    """What the file uses and the shipped lab does not: modules and builtins that reach out."""
    return sorted(_uses(text) - _uses(key.text) - HARMLESS)


def _uses(text: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or ".").partition(".")[0])
            if node.module and node.module.startswith("checks.runner"):
                found.add("checks.runner")
        elif isinstance(node, ast.Name) and node.id in BUILTINS:
            found.add(f"{node.id}()")
    return found


def limit(room: int) -> None:
    """What every process below this one is held to, as far as the system can."""
    if os.name != "posix":
        return
    import resource

    def lower(kind: int, value: int) -> None:
        _, hard = resource.getrlimit(kind)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))

    lower(resource.RLIMIT_CORE, 0)
    lower(resource.RLIMIT_FSIZE, FILE_SIZE)
    if sys.platform.startswith("linux"):
        lower(resource.RLIMIT_NPROC, PROCESSES + _processes())
        lower(resource.RLIMIT_AS, room)
        try:
            with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
                file.write("500")  # when memory runs out, these go before the grader
        except OSError:
            pass


def _processes() -> int:
    import psutil

    count = 0
    for process in psutil.process_iter():
        try:
            count += process.num_threads() if process.uids().real == os.getuid() else 0
        except psutil.Error:
            pass
    return count


def adopt() -> None:
    """Have orphans below this process become its children (Linux), so that they can be ended."""
    if sys.platform.startswith("linux"):
        import ctypes

        subreaper = 36  # PR_SET_CHILD_SUBREAPER
        ctypes.CDLL(None).prctl(subreaper, 1, 0, 0, 0)


def main(work: str, modules: list[str], alone: bool, spawn: bool) -> None:
    """Serve orders until stdin ends. `modules` are imported once, for all children by fork."""
    pins.apply()
    adopt()
    worker = Worker(work, alone, spawn)
    if not worker.spawn:
        for name in modules:
            module = __import__(name)
            if name == "numpy":
                module.random.default_rng(0)  # a lazy submodule that every fork would pay for
            elif name == "torch":
                module.set_num_threads(1)  # a fork of a parent with threads may hang
    import psutil

    limit(psutil.Process().memory_info().vms + child.MEMORY + HEADROOM)
    for line in sys.stdin:
        worker.judge(json.loads(line))
        worker.say("done")


if __name__ == "__main__":
    _, folder, names, *options = sys.argv
    main(folder, [n for n in names.split(",") if n], "alone" in options, "spawn" in options)
