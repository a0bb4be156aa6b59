"""Runs every rival of `rivals.py` in a process of its own, and collects the rows."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench import peers, process, rivals
from tests.bench.process import PYTHON, ROOT, Broken

BUDGET, QUICK = 3.0, 0.3  # seconds of pairs for each size
LIMIT = 150.0


def measure(rival: rivals.Rival, env: dict, absent: str, budget: float) -> dict:
    """The row of one rival, or why there is none."""
    row = {"name": rival.name, "lab": rival.lab, "who": "ours", "job": rival.job}
    row["peer"] = rival.peer
    if rival.peers and absent:
        return {**row, "who": "peer", "why": absent}
    python = peers.program("python") if rival.peers else PYTHON
    command = [python, "-m", "tests.bench.rivals", rival.name, str(budget)]
    try:
        done = process.run(command, ROOT, env, LIMIT)
        if done.status:
            raise Broken(done.last, done.text)
        return json.loads(done.text.strip().splitlines()[-1])
    except Broken as why:
        return {**row, "who": whose(why.text), "why": str(why)}
    except (OSError, ValueError) as why:
        return {**row, "why": str(why)}


def whose(text: str) -> str:
    """Whom a process was running when it ended, by the last mark that it printed."""
    marks = [line for line in text.splitlines() if line.startswith((rivals.PEER, "ours at "))]
    return "peer" if marks and marks[-1].startswith(rivals.PEER) else "ours"


def run(quick: bool, told: Callable[[dict], None]) -> list[dict]:
    """A row for each rival, in the order of the labs."""
    absent = peers.missing()
    rows = []
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        env = process.environment(Path(name))
        for rival in rivals.every():
            rows.append(measure(rival, env, absent, QUICK if quick else BUDGET))
            told(rows[-1])
    return rows
