"""A class made up of every kind of hand-in, each with what is known of its verdicts."""

from __future__ import annotations

import os
from pathlib import Path

from tests.desk import MARK, MISSING, Desk, Known
from tests.kinds import COMMON, KINDS, LINUX, LINUX_ONLY, ODD, Kind
from tests.workshop import LABS

NUMBERS = (3, 4, 5, 6, 7, 8, 1)  # lab 2 trains for ten seconds a hand-in: it is one in fifty


def make(folder: Path, kinds: list[Kind], numbers: tuple[int, ...] = NUMBERS) -> dict[str, Known]:
    """Write a class into a folder, a hand-in a kind; what is known of each."""
    labs = {lab.number: lab for lab in LABS}
    known = {}
    for at, kind in enumerate(kinds):
        lab = labs[2] if at % 50 == 49 and 2 in labs else labs[numbers[at % len(numbers)]]
        name = f"{at:03}-{kind.__name__}"
        (folder / name).mkdir(parents=True)
        known[name] = kind(Desk(folder / name, lab, at))
    return known


def of(count: int) -> list[Kind]:
    """`count` kinds: every one at least once, as far as that goes, the common ones most often."""
    rest = [*ODD, *(LINUX_ONLY if LINUX else [])]
    found = [*KINDS]
    while len(found) < count:
        found += [*COMMON, *COMMON, rest[len(found) % len(rest)]]
    return found[:count]


def wrong_verdicts(known: dict[str, Known], rows: list[dict], notes: dict[str, str]) -> list[str]:
    """Where the rows of a grading are not what is known; nothing where all is right."""
    found, seen = [], set()
    for row in rows:
        lab, stage, expected = row["lab"], row["stage"], known[row["submission"]]
        states = expected.states.get(lab, {}).get(stage, MISSING)
        words = expected.words.get((lab, stage), "")
        said = " ".join([row["message"], *row["diagnosis"]])
        seen.add((row["submission"], lab, stage))
        if (
            row["state"] not in states
            or words not in said
            or row["points"] != (row["of"] if row["state"] == "passed" else 0)
        ):
            found.append(f"{row['submission']} {lab} stage {stage}: {row['state']}, {said[:150]!r}"
                         f"; known: {'/'.join(sorted(states))} {words!r}")  # fmt: skip
    for name, one in known.items():
        if one.notes not in notes.get(name, ""):
            found.append(f"{name}: noted {notes.get(name)!r}; known: {one.notes!r}")
        for lab, stages in one.states.items():
            found += [f"{name} {lab} stage {n}: no row" for n in stages
                      if (name, lab, n) not in seen]  # fmt: skip
    return found


def strays() -> list[int]:
    """The processes that a hand-in left behind."""
    import psutil

    found = []
    for process in psutil.process_iter(["pid", "cmdline"]):
        if process.info["cmdline"] and process.info["cmdline"][-1] == MARK:
            found.append(process.info["pid"])
    return [pid for pid in found if pid != os.getpid()]
