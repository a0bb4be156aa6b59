"""The strength card: what the checks catch, per stage, re-made by `nox -s strength`.

For each stage: slips rejected and diagnosed as themselves, unusual right answers accepted,
generated mutants of the solution killed, and the same verdicts under other seeds wherever a check
draws. The session fails for any slip or answer that is judged wrongly, under any seed; where less
than 95 % of a stage's mutants are killed, those not counted that are listed as equivalent with a
reason; and for an entry of such a list that is no mutant of the solution any more.

`nox -s strength -- 3 4` looks at two labs only. The card goes to dist/strength.{json,md}.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from checks.runner.lab import Lab
from checks.runner.verdict import PASSED, TODO
from tests import mutants, seeds
from tests.workshop import JUDGES, LABS, ROOT, SLIPS, answers, judged, slip_verdict, with_answer

TARGET = 0.95
COLUMNS = (
    "stage", "slips", "as itself", "right answers", "mutants killed", "equivalent", "seeds",
    "seconds",
)  # fmt: skip
HEAD = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"


def measure(lab: Lab, number: int) -> dict:
    """One row of the card."""
    begin = time.perf_counter()
    owner = JUDGES[lab.id].owner
    mine = [slip for at, slip in SLIPS if at is lab and owner[slip.function] == number]
    verdicts = [slip_verdict(lab, slip) for slip in mine]
    right = [with_answer(lab, answer) for answer in answers(lab) if answer[0] == number]
    accepted = [judged(answered, number).state == PASSED for answered in right]
    keys, alive = mutants.survivors(lab, number)
    known = mutants.equivalents(lab)
    fresh = [key for key in alive if key not in known]
    equal = len(alive) - len(fresh)
    return {
        "lab": lab.id,
        "stage": number,
        "title": lab.stages[number].title,
        "slips": len(mine),
        "rejected": sum(v.state not in (PASSED, TODO) for v in verdicts),
        "diagnosed": sum(s.meaning in v.diagnosis for s, v in zip(mine, verdicts)),
        "right": len(right),
        "accepted": sum(accepted),
        "mutants": len(keys) - equal,
        "killed": len(keys) - equal - len(fresh),
        "equivalent": equal,
        "alive": fresh,
        "sweep": seeds.sweep(lab, number),
        "seconds": round(time.perf_counter() - begin, 1),
    }


def _measured(one: tuple[str, int]) -> dict:
    return measure(next(lab for lab in LABS if lab.id == one[0]), one[1])


def rows_of(every: Iterable[Lab]) -> Iterator[dict]:
    """The rows of these labs, in order; as many stages at a time as there are cores.

    Each in a process of its own, since what a child leaves behind is found by its parent: two
    at a time in one process would end each other's.
    """
    wanted = [(lab.id, number) for lab in every for number in lab.stages]
    with ProcessPoolExecutor(os.cpu_count(), initializer=_warm) as pool:
        yield from pool.map(_measured, wanted)


def _warm() -> None:
    import tests.conftest  # noqa: F401  the pins, and NumPy and PyTorch loaded before each fork


def line(row: dict) -> str:
    """The row in Markdown."""
    share, sweep = row["killed"] / max(row["mutants"], 1), row["sweep"]
    swept = f"{sweep['passed']} of {sweep['seeds']}" if sweep["seeds"] else "nothing drawn"
    return (
        f"| {row['lab']}, {row['stage']} · {row['title']} | {row['rejected']} of {row['slips']} "
        f"| {row['diagnosed']} | {row['accepted']} of {row['right']} "
        f"| {row['killed']} of {row['mutants']} ({share:.1%}) | {row['equivalent']} "
        f"| {swept} | {row['seconds']} |"
    )


def weaknesses(row: dict) -> list[str]:
    """The targets that a row misses, as sentences."""
    found = []
    for have, want, what in (
        ("rejected", "slips", "slips rejected"),
        ("diagnosed", "slips", "slips diagnosed as themselves"),
        ("accepted", "right", "right answers accepted"),
    ):
        if row[have] < row[want]:
            found.append(f"{row[have]} of {row[want]} {what}")
    if row["killed"] < TARGET * row["mutants"]:
        found.append(f"{row['killed']} of {row['mutants']} mutants killed")
    return [*found, *row["sweep"]["luck"]]


def total(rows: list[dict]) -> str:
    """All rows in one sentence."""

    def sums(name: str) -> int:
        return sum(row[name] if name in row else row["sweep"][name] for row in rows)

    return (
        f"{len(rows)} stages: {sums('rejected')} of {sums('slips')} slips rejected, "
        f"{sums('diagnosed')} diagnosed as themselves; {sums('accepted')} of {sums('right')} right "
        f"answers accepted; {sums('killed')} of {sums('mutants')} mutants killed, "
        f"{sums('equivalent')} more are equivalent; "
        f"{sums('passed')} of {sums('seeds')} seeds passed; {sums('seconds'):.0f} s"
    )


def machine() -> str:
    """The machine in a few words: processor, cores, system, Python."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        for row in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if row.startswith("model name"):
                model = row.partition(":")[2].strip()
                break
    python = platform.python_version()
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {python}"


def write(rows: list[dict], problems: list[str]) -> None:
    """The card as JSON, for the pages that show it, and as Markdown."""
    folder = ROOT / "dist"
    folder.mkdir(exist_ok=True)
    day = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    whole = {"date": day, "machine": machine(), "problems": problems, "rows": rows}
    (folder / "strength.json").write_text(json.dumps(whole, indent=1), encoding="utf-8")
    said = [HEAD, *map(line, rows), "", f"{total(rows)}.", "", f"{day}, {machine()}.", *problems]
    (folder / "strength.md").write_text("\n".join(said) + "\n", encoding="utf-8")


def main(words: list[str]) -> int:
    """Measure the labs named, or all; exit status 1 where a target is missed."""
    unknown = set(words) - {str(lab.number) for lab in LABS}
    if unknown:
        print(f"there is no lab {min(unknown)}: name labs by their numbers, as in -- 3 4")
        return 2
    rows: list[dict] = []
    problems: list[str] = []
    asked = [lab for lab in LABS if not words or str(lab.number) in words]
    for lab in asked:
        for key in mutants.bad_entries(lab):
            problems.append(f"{lab.stem}.txt lists what is no mutant, or gives no reason: {key}")
    print(HEAD)
    for row in rows_of(asked):
        rows.append(row)
        print(line(row), flush=True)
        for key in row["alive"]:
            print(f"    alive: {key}")
        problems += [f"{row['lab']}, stage {row['stage']}: {why}" for why in weaknesses(row)]
    write(rows, problems)
    print(f"\n{total(rows)}")
    for problem in problems:
        print(f"below its target: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    _warm()
    sys.exit(main(sys.argv[1:]))
