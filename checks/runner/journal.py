"""Verdicts over time: an append-only file of JSON lines that the learner may commit.

A record is one line, written by one call to the system in append mode, so two writers never
mix and a writer that is killed leaves at most one bad line. Reading skips what does not parse.
The line is put together by hand: on the path of a stage check `json` is not imported.
"""

from __future__ import annotations

import os
import time

from checks.runner.places import KIND, REGULAR, is_regular
from checks.runner.places import progress_folder as folder
from checks.runner.verdict import TODO, Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from checks.runner.lab import Lab

BINARY = getattr(os, "O_BINARY", 0)  # or Windows would end each line with two bytes
NO_WAIT = getattr(os, "O_NONBLOCK", 0)  # a pipe in its place is no reason to wait for a reader

_said: set[str] = set()  # the journals that could not be written, each said once


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
        mode = os.O_RDWR | os.O_APPEND | os.O_CREAT | BINARY | NO_WAIT
        file = os.open(path(), mode, 0o644)
        try:
            found = os.fstat(file)
            if found.st_mode & KIND != REGULAR:
                raise OSError(0, "it is no regular file")
            if found.st_size:  # a line that somebody was killed in must not swallow this one
                os.lseek(file, found.st_size - 1, os.SEEK_SET)
                if os.read(file, 1) != b"\n":
                    line = b"\n" + line
            while line:  # a disk that fills up takes a part; the rest then says so
                line = line[os.write(file, line) :]
        finally:
            os.close(file)
    except OSError as error:
        from checks.runner import terminal

        if path() not in _said:
            _said.add(path())
            terminal.complain(
                f"the journal was not written: {error.strerror} ({path()})\n"
                "  next       make it a file that can be written; progress is not counted till then"
            )


def note(lab: Lab, verdict: Verdict) -> None:
    """Record a verdict on the learner's own file. A first `todo` is no news."""
    if verdict.reference or (verdict.state == TODO and not os.path.exists(path())):
        return
    write(verdict.lab, verdict.stage, verdict.state, digest(lab, verdict.functions))


def read() -> list[Record]:
    """Every record that can be read, in the order of time."""
    import json

    if not is_regular(path()):  # a pipe would wait, a device never end
        return []
    try:
        with open(path(), "rb") as file:
            lines = file.read().split(b"\n")
    except OSError:
        return []
    found = []
    for line in lines:
        if not line.startswith(b"{"):
            continue
        try:
            found.append(_record(json.loads(line)))
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            continue  # half written, or edited: it loses itself and nothing else
    return sorted(found, key=lambda record: record.at)


def _record(row: dict) -> Record:
    """A record from its fields; raises where one is not what `write` writes."""
    from calendar import timegm

    at, stage, source = row["at"], row["stage"], row["source"]
    if len(at) != 20 or at[10] + at[19] != "TZ" or type(stage) is not int:
        raise ValueError("no record")
    parts = at[:4], at[5:7], at[8:10], at[11:13], at[14:16], at[17:19]
    seconds = timegm(tuple(map(int, parts)))  # ten times as fast as strptime
    return Record(seconds, str(row["lab"]), stage, str(row["event"]), str(source))
