"""How strong the checks are, where it was measured: the figures of `nox -s strength`.

`dist/strength.json` is a list of rows, one a stage, or an object with `rows` beside what is
known of the measurement (`date`, `machine`, ...). Without the file nothing is claimed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NUMBERS = ("slips", "rejected", "diagnosed", "right", "accepted", "mutants", "killed", "equivalent")


@dataclass
class Card:
    """The figures: `rows` by lab, `total` over all of them, when and where it was measured."""

    labs: dict[str, list[dict[str, Any]]]
    total: dict[str, int]
    date: str
    machine: str
    problems: list[str]

    @property
    def killed(self) -> str:
        """The share of mutants killed, rounded down: 99.96 % is not 100 %."""
        return f"{self.total['killed'] * 1000 // max(self.total['mutants'], 1) / 10} %"


def read(file: Path) -> Card | None:
    """The card in `file`; None where there is none, or one without a row."""
    if not file.exists():
        return None
    found = json.loads(file.read_text(encoding="utf-8"))
    rows = found.get("rows", []) if isinstance(found, dict) else found
    if not rows:
        return None
    labs: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        labs.setdefault(row["lab"], []).append(row)
    total = {name: sum(row[name] for row in rows) for name in NUMBERS}
    for name in ("seeds", "passed"):  # each right answer again, with other random numbers
        total[name] = sum(row.get("sweep", {}).get(name, 0) for row in rows)
    about = found if isinstance(found, dict) else {}
    return Card(
        labs,
        total,
        str(about.get("date", ""))[:10],
        str(about.get("machine", "")),
        list(about.get("problems", [])),
    )
