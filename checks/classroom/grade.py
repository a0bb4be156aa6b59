"""`python -m checks grade FOLDER ...`: judge many hand-ins with the checks of this checkout.

Of a hand-in nothing but its lab files is read; checks, reference and stage titles are this
checkout's own. Exit status: 0 when the grading worked, 2 when nothing could be graded, 130 when
it was interrupted: run it again, and what was judged is not judged anew.
"""

from __future__ import annotations

import argparse
import functools
import gc
import os
import signal
import sys
import time
from typing import Any

from checks.classroom import gradebook, pool, submissions
from checks.classroom import points as marks
from checks.classroom.state import State, digest, rules
from checks.runner.lab import Lab, NotUsable, discover
from checks.runner.verdict import PASSED

MODULES = ("numpy", "torch")  # loaded once a worker, where a lab imports them


def parser() -> argparse.ArgumentParser:
    """The command's own options."""
    found = argparse.ArgumentParser(
        prog="python -m checks grade",
        description="Judge many hand-ins with the checks and the reference of this checkout.",
        epilog="A hand-in is a folder with lab_N_*.py or .ipynb files, at its top or under labs/; "
        "FOLDER is one of them or holds them. Run it again after an interruption: only what is "
        "new or changed is judged.",
    )
    found.add_argument("folder", nargs="+", metavar="FOLDER", help="hand-ins, or folders of them")
    found.add_argument("--lab", nargs="+", type=int, metavar="N", help="only these labs")
    found.add_argument("--points", metavar="FILE", help="a TOML file; without it a stage is 1")
    found.add_argument("--out", default="dist/grades", metavar="FOLDER", help="default dist/grades")
    found.add_argument("--workers", type=int, metavar="N", help="side by side; default: one a core")
    found.add_argument("--bare", action="store_true", help="no namespaces, where they misbehave")
    return found


def main(arguments: list[str]) -> int:
    """Grade; returns the exit status."""
    asked = parser().parse_args(arguments)
    gc.enable()
    if os.name == "posix":  # a job that is cancelled stops as by Ctrl+C
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    labs = _labs(asked.lab)
    points = marks.load(asked.points, _labs(None)) if asked.points else marks.Points()
    if asked.workers is not None and asked.workers < 1:
        raise NotUsable(f"--workers {asked.workers}: at least one judges", "leave it out")
    stems = {lab.number: lab.stem for lab in _labs(None)}
    found = submissions.collect(asked.folder, stems)
    if not asked.lab:
        labs = [lab for lab in labs if any(lab.number in one.files for one in found)]
    files = sum(lab.number in one.files for one in found for lab in labs)
    if not files:
        raise NotUsable(
            f"nobody handed in {', '.join(lab.id for lab in labs)}",
            "leave --lab out, or correct it",
        )
    print(f"{len(found)} submissions, {files} files for {', '.join(lab.id for lab in labs)}")
    try:
        os.makedirs(asked.out, exist_ok=True)
    except OSError as error:
        raise NotUsable(f"{asked.out}: {error.strerror}", "name another folder: --out") from None
    grading = Grading(found, labs, State(os.path.join(asked.out, "state.jsonl")))
    try:
        grading.judge(asked.workers or cores(), asked.bare)
    except KeyboardInterrupt:
        grading.stopped()
        return 130
    return write(grading, points, asked.out)


def _labs(numbers: list[int] | None) -> list[Lab]:
    every = [Lab(path) for path in discover()]
    have = [lab.number for lab in every]
    for number in numbers or []:
        if number not in have:
            raise NotUsable(f"there is no lab {number}", f"name one of {', '.join(map(str, have))}")
    return [lab for lab in every if not numbers or lab.number in numbers]


def cores() -> int:
    """How many workers fit this machine: one a core that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Grading:
    """Which file of whom has which digest, and what is known of it."""

    def __init__(self, found: list[submissions.Submission], labs: list[Lab], state: State) -> None:
        self.found, self.labs, self.state = found, labs, state
        self.digests: dict[tuple[str, int], str] = {}
        self.orders: dict[str, pool.Order] = {}
        self.unread: dict[tuple[str, int], str] = {}
        self.running: set[str] = set()
        self.done, self.begin = 0, time.monotonic()
        for lab in labs:
            rule = rules(lab.key)
            for one in found:
                if lab.number in one.files:
                    self._order(one, lab, rule)

    def _order(self, one: submissions.Submission, lab: Lab, rule: str) -> None:
        path = one.files[lab.number]
        try:
            data = submissions.read(path)
        except OSError as error:
            self.unread[one.name, lab.number] = f"cannot be read: {error.strerror}"
            return
        kind = path.rpartition(".")[2].lower()
        key = digest(rule, kind, data)
        self.digests[one.name, lab.number] = key
        if key not in self.state.outcomes and not self.state.kills(key):
            load = functools.partial(submissions.read, path)
            self.orders[key] = pool.Order(key, lab.key, kind, os.path.basename(path), load)

    def judge(self, workers: int, bare: bool) -> None:
        """Judge what is not known yet; the state grows by every outcome."""
        known = len(self.digests) - sum(key in self.orders for key in self.digests.values())
        if known:
            print(f"{known} files were judged before and did not change")
        orders = list(self.orders.values())
        if not orders:
            return
        way = pool.BARE if bare else pool.best_way()
        workers = min(workers, len(orders))
        print(f"{len(orders)} to judge, {workers} side by side, kept apart by: {way}", flush=True)
        named = {
            name
            for lab in self.labs
            for every in lab.definitions.values()
            for name in _imports(every[-1])
        }
        modules = [name for name in MODULES if name in named]
        slots = [pool.Slot(way, modules) for _ in range(workers)]
        pool.each(orders, slots, self._told)
        if sys.stderr.isatty():
            print("\r" + " " * 60 + "\r", end="", file=sys.stderr)

    def _told(self, order: pool.Order, outcome: pool.Outcome | None) -> None:
        if outcome is None:
            self.running.add(order.digest)
            self.state.begin(order.digest)
            return
        self.running.discard(order.digest)
        self.state.end(order.digest, outcome)
        self.done += 1
        count = len(self.orders)
        seconds = time.monotonic() - self.begin
        left = seconds / self.done * (count - self.done)
        rest = f"{left / 60:.0f} min" if left > 90 else f"{left:.0f} s"
        text = f"{self.done} of {count} judged, about {rest} left"
        if sys.stderr.isatty():
            print(f"\r{text:<60}", end="", file=sys.stderr, flush=True)
        elif self.done % max(1, count // 10) == 0:
            print(text, file=sys.stderr, flush=True)

    def stopped(self) -> None:
        """Interrupted: what was being judged is not to blame."""
        for key in self.running:
            self.state.stop(key)
        print(f"\ninterrupted: {self.done} of {len(self.orders)} are kept in {self.state.path}; "
              "run the same command again", file=sys.stderr)  # fmt: skip

    def outcomes(self, one: submissions.Submission) -> dict[int, dict[str, Any]]:
        """What is known of a submission, by lab number."""
        found = {}
        for lab in self.labs:
            key = self.digests.get((one.name, lab.number))
            problem = self.unread.get((one.name, lab.number))
            if key is not None and self.state.kills(key):
                problem = f"the grading was killed {self.state.begun[key]} times while it judged it"
            if problem:
                found[lab.number] = {
                    "stages": {}, "unusual": [], "notes": [],
                    "unusable": {"message": problem, "line": 1},
                }  # fmt: skip
            elif key is not None:
                found[lab.number] = self.state.outcomes[key]
        return found

    def notes(self, one: submissions.Submission) -> list[str]:
        """What a person should know of a submission, beside its points."""
        found = list(one.notes)
        for number, outcome in self.outcomes(one).items():
            found += [f"lab-{number}: {note}" for note in outcome["notes"]]
            if outcome["unusable"]:
                found.append(f"lab-{number}: {outcome['unusable']['message']}")
            if outcome["unusual"]:
                found.append(f"lab-{number} also uses {', '.join(outcome['unusual'])}")
        return found


def _imports(definition: Any) -> list[str]:
    node = definition.node
    return [alias.name.partition(".")[0] for alias in getattr(node, "names", [])]


def write(grading: Grading, points: marks.Points, out: str) -> int:
    """Write all tables and show the last one."""
    labs, found = grading.labs, grading.found
    every = [gradebook.rows(one, labs, grading.outcomes(one), points) for one in found]
    notes = [grading.notes(one) for one in found]
    for name, data in {
        "stages.csv": gradebook.stages_csv(every).encode(),
        "summary.csv": gradebook.summary_csv(every, labs, notes).encode(),
        "stages.jsonl": gradebook.json_lines(every).encode(),
        "junit.xml": gradebook.junit(every),
    }.items():
        gradebook.write(out, name, data)
    print(gradebook.screen(every, labs))
    for one, said in zip(found, notes):
        if said:
            print(f"note  {one.name}: {'; '.join(said)}")
    passed = sum(row.state == PASSED for rows in every for row in rows)
    total = sum(len(rows) for rows in every)
    print(f"{passed} of {total} stages passed; tables in {out}: summary.csv, stages.csv, "
          "junit.xml, stages.jsonl")  # fmt: skip
    return 0
