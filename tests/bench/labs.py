"""How long each lab takes as solved, in a real kernel, and all of its checks in a terminal."""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench import pairs, process
from tests.bench.process import PYTHON, ROOT, Broken
from tests.bench.workspace import Workspace

PROMISE = 60.0  # seconds for a whole lab as solved, on two cores
LIMIT = 240.0
RUNS, QUICK = 3, 1  # of a lab's checks; the lab itself runs once, or twice


def in_a_kernel(number: int, folder: Path, env: dict) -> float:
    """Seconds of one lab as solved: kernel start, all its cells, its training and its pictures."""
    command = [PYTHON, "-m", "checks.runner.kernel", str(number), str(folder / "pictures")]
    done = process.run(command, ROOT, env, LIMIT)
    if done.status or " as solved: " not in done.last:
        raise Broken(done.last)
    return float(done.last.partition(" as solved: ")[2].partition(" s,")[0])


def all_checks(number: int, space: Workspace) -> float:
    """Seconds of `python -m checks N` on a solved lab."""
    done = process.run([PYTHON, "-m", "checks", str(number)], space.folder, space.env)
    stages = len(space.labs[number].stages)
    if done.status or f"{stages} of {stages} done" not in done.text:
        raise Broken(done.last)
    return done.seconds


def measure(number: int, space: Workspace, quick: bool) -> dict:
    """The row of one lab."""
    lab = space.labs[number]
    row = {"name": lab.id, "title": lab.title, "who": "ours", "stages": len(lab.stages)}
    try:
        kernel = [in_a_kernel(number, space.folder, space.env) for _ in range(1 if quick else 2)]
        all_checks(number, space)  # bytecode and the file cache are warm from here on
        checks = [all_checks(number, space) for _ in range(QUICK if quick else RUNS)]
    except Broken as why:
        return {**row, "why": str(why)}
    low, middle, high = pairs.quartiles(checks)
    row |= {"seconds": statistics.median(kernel), "checks_seconds": middle}
    row |= {"checks_low": low, "checks_high": high}
    if row["seconds"] > PROMISE:
        row["why"] = f"{row['seconds']:.0f} s as solved, where {PROMISE:g} s are promised"
    return row


def run(quick: bool, told: Callable[[dict], None]) -> list[dict]:
    """A row for each shipped lab."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        space = Workspace(Path(name).resolve())
        for number in sorted(space.labs):
            if os.path.exists(ROOT / space.labs[number].relative):
                rows.append(measure(number, space, quick))
                told(rows[-1])
    return rows
