"""Verdicts on save: a resident parent with NumPy loaded, a fresh fork for every verdict.

The parent never runs a learner's code, and never imports a check, so that nothing leaks from
one verdict to the next. Each save judges the stages whose functions changed; what was wrong
before and did not change is said again, at the lines where it stands now, since an editor
drops all problems of the last round when a new one begins.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time

from checks.runner import lab as labs
from checks.runner import outline, pins, report, sandbox, session, terminal
from checks.runner.lab import Lab, NotUsable, discover
from checks.runner.verdict import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

STEP, DEBOUNCE = 5, 40  # ms: how long a burst of events may go on, and at most
PROBE = 1.0  # seconds in which a file's event must arrive, or the folder is polled
READY = 200  # ms without an event after which the watch is known to have begun
POLL = 300  # ms between looks, where events do not arrive


class Watched:
    """One lab, as it was when it was last saved: its functions, and the standing verdicts."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.sources: dict[int, dict[str, str]] = {}
        self.lines: dict[str, int] = {}
        self.standing: dict[int, Verdict] = {}
        self.imports: set[str] = set()
        self.open: set[int] = set()  # stages that changed, whose verdict is still to come
        self.stamp: tuple[int, ...] = ()

    def is_older(self) -> bool:
        """Whether the file was written since the last look."""
        now = _stamp(self.path)
        return bool(now) and now != self.stamp

    def look(self) -> tuple[Lab, list[int]]:
        """The lab as it is now, and the stages whose functions are not what they were."""
        self.stamp = _stamp(self.path)
        lab = Lab(self.path, later=True)
        sources: dict[int, dict[str, str]] = {}
        for number, _, functions in outline.outline(self.path):
            found = [lab.definition(name) for name in functions]
            sources[number] = {d.name: lab.source(d) for d in found if d}
        changed = [
            n
            for n in sources
            if sources[n] != self.sources.get(n) and (n in self.sources or _is_written(lab, n))
        ]
        self.open = {n for n in self.open if n in sources} | set(changed)
        self._move(lab)
        self.imports = {"numpy", "torch"} & lab.imports
        self.sources |= sources  # a file that is half written may have lost its stages
        return lab, sorted(self.open)

    def _move(self, lab: Lab) -> None:
        """Standing verdicts follow their function to its new lines."""
        lines = {name: found[-1].name_line for name, found in lab.definitions.items()}
        for verdict in self.standing.values():
            for name in verdict.functions[:1]:
                if name in lines and name in self.lines:
                    verdict.line += lines[name] - self.lines[name]
        self.lines |= lines


class Watcher:
    """Watches labs/ and answers Run Stage, one verdict at a time."""

    def __init__(self) -> None:
        paths = discover() or [labs.find("all")]  # refuses where there are none
        self.watched = {path: Watched(path) for path in paths}
        self.lock = threading.Lock()
        self.warm: set[str] = set()
        for watched in self.watched.values():
            try:
                watched.look()[0].remember()
                watched.open.clear()
            except NotUsable:
                continue  # said when it is saved

    def start_warm(self) -> None:
        """NumPy at once; PyTorch waits until a lab that uses it is saved or asked for."""
        if any("numpy" in watched.imports for watched in self.watched.values()):
            self._import("numpy")

    def heat(self, lab: Lab) -> None:
        """Import what the lab's checks will need, once, in the parent that all verdicts fork."""
        for name in sorted({"numpy", "torch"} & lab.imports):
            self._import(name)

    def _import(self, name: str) -> None:
        if name in self.warm or not sandbox.CAN_FORK:
            return
        self.warm.add(name)
        pins.apply()
        try:
            module = __import__(name)
        except ModuleNotFoundError:
            raise NotUsable(
                f"{name} is not installed for this Python",
                "set up the pinned environment: python3 noxfile.py -s lab-3",
            ) from None
        if name == "numpy":
            module.random.default_rng(0)  # a lazy submodule: 17 ms in every fork
        else:
            module.set_num_threads(1)  # a fork of a parent with threads may hang

    def saved(self, path: str) -> None:
        """A lab was written: judge what changed, and say again what still stands."""
        while not self._judged(path):  # whoever saves again wants the newest answer, and now
            pass

    def _judged(self, path: str) -> bool:
        """One round of it; False where the file was written again before there was an answer."""
        with self.lock:
            watched = self.watched.setdefault(path, Watched(path))
            say(f"saved labs/{os.path.basename(path)}")
            begin, is_newest, lab = time.perf_counter(), True, None
            try:
                lab, changed = watched.look()
                self._judge(watched, lab, changed)
                if not changed:
                    is_empty = not lab.stages
                    say("the file is empty" if is_empty else "no function of a stage changed")
                lab.remember()
            except NotUsable as no:
                say(str(no))
            except sandbox.Stale:
                say("saved again: what follows is the newest")
                is_newest = False
            say(f"watching labs/ ({1e3 * (time.perf_counter() - begin):.0f} ms)")
            if lab is not None and is_newest:
                self._heat_for_the_next(lab)
        return is_newest

    def _heat_for_the_next(self, lab: Lab) -> None:
        """After the verdict: a stage without PyTorch, in a lab with it, does not wait for it."""
        try:
            self.heat(lab)
        except NotUsable:
            return  # the verdict has said it, if the stage needs it

    def _judge(self, watched: Watched, lab: Lab, changed: list[int]) -> None:
        for number in changed:
            watched.standing.pop(number, None)
        for verdict in watched.standing.values():
            say(report.problem(verdict))

        def told(verdict: Verdict) -> None:
            watched.open.discard(verdict.stage)
            if verdict.is_wrong:
                watched.standing[verdict.stage] = verdict
            say(report.text(verdict, lab))

        if changed:
            job = sandbox.Job(lab, changed)
            job.is_stale = watched.is_older
            session.judge(job, told)

    def changes(self) -> Iterator[list[str]]:
        """The labs that were written, as they come; never returns."""
        import watchfiles

        folder = os.path.join(labs.ROOT, "labs")
        if not events_arrive(folder):
            say(f"events do not arrive in {folder}: looking every {POLL / 1000:g} s instead")
            yield from self._looks(folder)
        begun = False
        for batch in watchfiles.watch(
            folder,
            watch_filter=lambda _, path: bool(self.known(path)),
            step=STEP,
            debounce=DEBOUNCE,
            rust_timeout=READY,
            yield_on_timeout=True,
        ):
            _must_be_there(folder)
            if not begun:  # said only now, when no save can be missed any more
                begun = True
                self._begins()
                yield [path for path, watched in self.watched.items() if watched.is_older()]
            came = {self.known(path) for _, path in batch} - {""}
            yield sorted(path for path in came if _comes(path) or path in self.watched)

    def _looks(self, folder: str) -> Iterator[list[str]]:
        """The same without events. Not watchfiles' own polling: it compares whole seconds, and
        misses the second of two saves in one."""
        self._begins()
        while True:
            _must_be_there(folder)
            for path in discover():
                self.watched.setdefault(path, Watched(path))
            yield sorted(path for path, watched in self.watched.items() if watched.is_older())
            time.sleep(POLL / 1000)

    @staticmethod
    def _begins() -> None:
        say(f"watching labs/ (process {os.getpid()}, Ctrl+C ends it)")

    def known(self, path: str) -> str:
        """The lab that an event names, or nothing. By its name alone: macOS reports the folder
        behind a symbolic link, and Windows may write its drive in the other case."""
        here = os.path.join(labs.ROOT, "labs", os.path.basename(path))
        return here if here in self.watched or here in discover() else ""


def _must_be_there(folder: str) -> None:
    if not os.path.isdir(folder):
        raise NotUsable(f"{folder} is gone", "bring it back: git checkout labs")


def _stamp(path: str) -> tuple[int, ...]:
    """What is not the same after a file was written or replaced; empty where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return ()  # whoever reads it says why
    return found.st_mtime_ns, found.st_size, found.st_ino


def _comes(path: str) -> bool:
    """Whether a file is there, or about to be: some editors delete and write anew."""
    for _ in range(5):
        if os.path.exists(path):
            return True
        time.sleep(0.01)
    return False


def _is_written(lab: Lab, number: int) -> bool:
    return number in lab.stages and report.is_written(lab, number)


def events_arrive(folder: str) -> bool:
    """Whether the system reports a write in `folder`; on some bind mounts it does not."""
    import watchfiles

    if os.environ.get("WATCHFILES_FORCE_POLLING"):
        return False
    seen, ready = threading.Event(), threading.Event()

    def listen() -> None:
        for _ in watchfiles.watch(
            folder, watch_filter=None, step=10, debounce=50, stop_event=seen,
            rust_timeout=100, yield_on_timeout=True,
        ):  # fmt: skip
            if ready.is_set():
                if _:
                    seen.set()
            else:
                ready.set()

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    ready.wait(PROBE)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".probe-", suffix=".tmp") as file:
        file.write(b"x")
        file.flush()
        arrived = seen.wait(PROBE)
    seen.set()
    return arrived


def say(text: str) -> None:
    """A line for the person and for the editor's matcher, at once."""
    print(text, flush=True)


def main() -> int:
    """`python -m checks watch`."""
    from checks.runner import ask

    watcher = Watcher()
    watcher.start_warm()
    server = ask.serve(watcher.lock, watcher.heat)
    try:
        for batch in watcher.changes():
            for path in batch:
                watcher.saved(path)
    except KeyboardInterrupt as stop:
        return 128 + stop.args[0] if stop.args else 0  # Ctrl+C is how one ends it
    except BrokenPipeError:  # nobody reads it any more
        terminal.silence(1)
        return 0
    finally:
        server.close()
    return 2
