"""The strength card: what the checks catch, per stage, re-made by `nox -s strength`.

For each stage: slips rejected and diagnosed as themselves, unusual right answers accepted,
generated mutants of the solution killed. A mutant that survives and is not listed as equivalent
counts against the stage; below 95 % the session fails, and so it does for any slip or answer.

`nox -s strength -- 3 4` looks at two labs only. The card goes to dist/strength.{json,md}.
"""

from __future__ import annotations

import json
import sys
import time

from checks.runner.lab import Lab
from checks.runner.verdict import PASSED, TODO
from tests import mutants
from tests.workshop import JUDGES, LABS, ROOT, SLIPS, answers, judged, slip_verdict

TARGET = 0.95
HEAD = "| stage | slips | as itself | right answers | mutants killed | equivalent | seconds |"


def measure(lab: Lab, number: int) -> dict:
    """One row of the card."""
    begin = time.perf_counter()
    owner = JUDGES[lab.id].owner
    mine = [slip for at, slip in SLIPS if at is lab and owner[slip.function] == number]
    verdicts = [(slip, slip_verdict(lab, slip)) for slip in mine]
    right = [answered for stage, _, answered in answers(lab) if stage == number]
    known = mutants.equivalents(lab)
    tried, alive = mutants.survivors(lab, number)
    fresh = [key for key in alive if key not in known]
    equal = len(alive) - len(fresh)
    return {
        "lab": lab.id,
        "stage": number,
        "title": lab.stages[number].title,
        "slips": len(mine),
        "rejected": sum(v.state not in (PASSED, TODO) for _, v in verdicts),
        "diagnosed": sum(slip.meaning in v.diagnosis for slip, v in verdicts),
        "right": len(right),
        "accepted": sum(judged(answered, number).state == PASSED for answered in right),
        "mutants": tried - equal,
        "killed": tried - equal - len(fresh),
        "equivalent": equal,
        "alive": fresh,
        "seconds": round(time.perf_counter() - begin, 1),
    }


def line(row: dict) -> str:
    """The row in Markdown."""
    share = row["killed"] / max(row["mutants"], 1)
    return (
        f"| {row['lab']}, {row['stage']} · {row['title']} | {row['rejected']} of {row['slips']} "
        f"| {row['diagnosed']} | {row['accepted']} of {row['right']} "
        f"| {row['killed']} of {row['mutants']} ({share:.0%}) | {row['equivalent']} "
        f"| {row['seconds']} |"
    )


def is_weak(row: dict) -> bool:
    """Whether a row misses a target."""
    return (
        row["rejected"] < row["slips"]
        or row["diagnosed"] < row["slips"]
        or row["accepted"] < row["right"]
        or row["killed"] < TARGET * row["mutants"]
    )


def main(words: list[str]) -> int:
    """Measure the labs named, or all; exit status 1 where a target is missed."""
    rows = []
    print(f"{HEAD}\n|{'---|' * 7}")
    for lab in LABS:
        if not words or str(lab.number) in words:
            for number in lab.stages:
                rows.append(measure(lab, number))
                print(line(rows[-1]), flush=True)
                for key in rows[-1]["alive"]:
                    print(f"    alive: {key}")
    weak = [row for row in rows if is_weak(row)]
    for row in weak:
        print(f"below its target: {row['lab']}, stage {row['stage']}")
    folder = ROOT / "dist"
    folder.mkdir(exist_ok=True)
    (folder / "strength.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
    table = "\n".join([HEAD, f"|{'---|' * 7}", *map(line, rows)])
    (folder / "strength.md").write_text(f"{table}\n", encoding="utf-8")
    return 1 if weak else 0


if __name__ == "__main__":
    import tests.conftest  # noqa: F401  the pins, and a warm parent

    sys.exit(main(sys.argv[1:]))
