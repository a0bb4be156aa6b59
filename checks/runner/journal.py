"""Verdicts over time: an append-only file of JSON lines that the learner may commit.

A record is one line, written by one call to the system in append mode, so two writers never
mix and a writer that is killed leaves at most one bad line. Reading skips what does not parse.
The line is put together by hand: on the path of a stage check `json` is not imported.
"""

from __future__ import annotations

import os
import time

from checks.runner.lab import progress_folder as folder
from checks.runner.verdict import TODO, Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from checks.runner.lab import Lab

FIELDS = ("at", "lab", "stage", "event")
BINARY = getattr(os, "O_BINARY", 0)  # or Windows would end each line with two bytes


class Record:
    """One line of the journal.

    event    a state of a verdict, or `hint`, `reset`, `restore`, `recall`, `compare`, `give-up`
    source   a digest of the functions as they were, so that equal attempts can be told
    """

    __slots__ = ("at", "event", "lab", "source", "stage")

    def __init__(self, at: float, lab: str, stage: int, event: str, source: str = "") -> None:
        self.at, self.lab, self.stage, self.event, self.source = at, lab, stage, event, source


def path() -> str:
    """The journal's file."""
    return os.path.join(folder(), "journal.jsonl")


def digest(lab: Lab, functions: list[str]) -> str:
    """A short digest of the learner's functions as they stand in the file."""
    from importlib.util import source_hash

    text = "\n".join(lab.source(d) for name in functions if (d := lab.definition(name)))
    return source_hash(text.encode("utf-8", "surrogatepass")).hex()


def write(lab: str, stage: int, event: str, source: str = "") -> None:
    """Append one record; where that cannot be done, say so once and go on."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    line = (
        f'{{"at": "{at}", "lab": "{lab}", "stage": {stage}, "event": "{event}", '
        f'"source": "{source}"}}\n'
    ).encode()
    try:
        os.makedirs(folder(), exist_ok=True)
        file = os.open(path(), os.O_RDWR | os.O_APPEND | os.O_CREAT | BINARY, 0o644)
        try:
            size = os.fstat(file).st_size
            if size:  # a line that somebody was killed in must not swallow this one
                os.lseek(file, size - 1, os.SEEK_SET)
                if os.read(file, 1) != b"\n":
                    line = b"\n" + line
            os.write(file, line)
        finally:
            os.close(file)
    except OSError as error:
        import sys

        print(f"the journal was not written: {error.strerror} ({path()})", file=sys.stderr)


def note(lab: Lab, verdict: Verdict) -> None:
    """Record a verdict on the learner's own file. A first `todo` is no news."""
    if verdict.reference or (verdict.state == TODO and not os.path.exists(path())):
        return
    write(verdict.lab, verdict.stage, verdict.state, digest(lab, verdict.functions))


def read() -> list[Record]:
    """Every record that can be read, in the order of time."""
    import json
    from calendar import timegm

    try:
        with open(path(), "rb") as file:
            lines = file.read().split(b"\n")
    except OSError:
        return []
    found = []
    for line in lines:
        try:
            row = json.loads(line)
            at = timegm(time.strptime(row["at"], "%Y-%m-%dT%H:%M:%SZ"))
            found.append(
                Record(at, str(row["lab"]), int(row["stage"]), str(row["event"]), row["source"])
            )
        except (ValueError, KeyError, TypeError, RecursionError):
            continue  # half written, or edited: it loses itself and nothing else
    return sorted(found, key=lambda record: record.at)
