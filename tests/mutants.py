"""Wrong answers that nobody thought of: each solution with one small change in its syntax tree.

`python -m tests.mutants 3 [STAGE]` judges them all and prints those that a check lets pass.
A mutant that does the same as the solution is no wrong answer; it is listed, with the reason,
in tests/equivalent/<lab>.txt: a line as this command prints it, then an indented reason.
The mutation tools for packages change files and run test suites; here the unit is one
function, judged in place of the learner's, so `tests.operators` is applied to it directly.
"""

from __future__ import annotations

import sys
from pathlib import Path

from checks.runner import sandbox, stub
from checks.runner.lab import Lab, find
from checks.runner.verdict import PASSED, TODO, Verdict
from tests import operators
from tests.workshop import JUDGES, LABS, judged, solved

SLOWER = 8  # a mutant that needs so many times what the solution needs, and a second, never ends
EQUIVALENT = Path(__file__).parent / "equivalent"


def quick(lab: Lab, number: int) -> Verdict:
    """The verdict without a diagnosis, every other stage being taken as passed."""
    job = sandbox.Job(lab, [number])
    job.diagnosing = False
    others = (other for other in lab.stages if other != number)
    job.assumed = {other: Verdict(lab.id, other, PASSED, lab.relative) for other in others}
    return sandbox.run(job)[0]


def of_stage(lab: Lab, number: int) -> list[tuple[str, str, str]]:
    """(key, function, source) of every mutant in a stage."""
    found = []
    for function in JUDGES[lab.id].own(number):
        source = stub.as_learner(lab.source(lab.definition(f"solution_{function}")))
        for what, text in operators.mutants(source):
            found.append((f"{function}: {what}", function, text))
    return found


def with_mutant(lab: Lab, function: str, source: str) -> Lab:
    """The solved lab with this definition; only that is parsed where a child is forked."""
    put = Lab.patched if sandbox.CAN_FORK else Lab.splice
    return put(solved(lab), function, source)


def equivalents(lab: Lab) -> dict[str, str]:
    """The mutants of a lab that do the same as the solution, and why."""
    path = EQUIVALENT / f"{lab.stem}.txt"
    found: dict[str, str] = {}
    key = ""
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        if line.startswith(" ") and key:
            found[key] = f"{found[key]} {line.strip()}".strip()
        elif line.strip():
            key = line.rstrip()
            found[key] = ""
    return found


def bad_entries(lab: Lab) -> list[str]:
    """What is listed as equivalent and is no mutant of the solution any more, or has no reason."""
    keys = {key for number in lab.stages for key, *_ in of_stage(lab, number)}
    return [key for key, why in equivalents(lab).items() if key not in keys or not why]


def survivors(lab: Lab, number: int) -> tuple[list[str], list[str]]:
    """The keys of all mutants of a stage, and of those that its check lets pass."""
    check = JUDGES[lab.id].checks[number]
    every, limit = of_stage(lab, number), check.seconds
    check.seconds = min(limit, 1 + SLOWER * judged(solved(lab), number).seconds)
    try:
        states = [quick(with_mutant(lab, *one[1:]), number).state for one in every]
    finally:
        check.seconds = limit
    keys = [key for key, *_ in every]
    return keys, [key for key, got in zip(keys, states) if got in (PASSED, TODO)]


def main(word: str, stage: str = "") -> int:
    """Print every survivor of a lab that is not listed as equivalent; how many there are."""
    lab = next(lab for lab in LABS if lab.path == find(word))
    known, total = equivalents(lab), 0
    for number in [int(stage)] if stage else lab.stages:
        keys, alive = survivors(lab, number)
        fresh = [key for key in alive if key not in known]
        equal = len(alive) - len(fresh)
        print(f"stage {number}: {len(keys)} mutants, {len(fresh)} alive, {equal} equivalent")
        for key in fresh:
            print(f"  {key}")
        for key in known:
            if key in keys and key not in alive:
                print(f"  listed as equivalent, and killed: {key}")
        sys.stdout.flush()
        total += len(fresh)
    for key in bad_entries(lab):
        print(f"listed, and no mutant of the solution (or without a reason): {key}")
        total += 1
    return total


if __name__ == "__main__":
    import tests.conftest  # noqa: F401  the pins, and a warm parent

    sys.exit(1 if main(*sys.argv[1:]) else 0)
