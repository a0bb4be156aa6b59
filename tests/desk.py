"""Where a made-up hand-in is written, and what is known of its verdicts."""

from __future__ import annotations

import random
import sys
from pathlib import Path

from checks.runner.lab import Lab
from tests.workshop import JUDGES, solved

PASSED, TODO, FAILED, CRASHED, TIMEOUT = ({s} for s in ("passed", "todo", "failed", "crashed",
                                                        "timeout"))  # fmt: skip
MISSING, UNUSABLE = {"missing"}, {"unusable"}
WRONG = FAILED | CRASHED | TIMEOUT
LINUX = sys.platform.startswith("linux")
MARK = "86399"  # seconds that a stray process sleeps: by that it is found again


class Known:
    """What is known of one hand-in: states by lab and stage, words by lab and stage, notes."""

    def __init__(self) -> None:
        self.states: dict[str, dict[int, set[str]]] = {}
        self.words: dict[tuple[str, int], str] = {}
        self.notes = ""

    def all(self, lab: Lab, states: set[str], words: str = "") -> Known:
        """Every stage of a lab comes out like this."""
        self.states[lab.id] = dict.fromkeys(lab.stages, states)
        self.words |= {(lab.id, n): words for n in lab.stages}
        return self

    def but(self, lab: Lab, stage: int, states: set[str], words: str = "") -> Known:
        """But for one stage."""
        self.states[lab.id][stage] = states
        self.words[lab.id, stage] = words
        return self

    def noted(self, words: str) -> Known:
        """And a person is told."""
        self.notes = words
        return self


class Desk:
    """Where one hand-in is written: its folder, its lab, and what is drawn for it."""

    def __init__(self, folder: Path, lab: Lab, number: int) -> None:
        self.folder, self.lab, self.number = folder, lab, number
        self.rng = random.Random(number)

    def write(self, text: str, place: str = "", encoding: str = "utf-8") -> Path:
        """Write the lab's file, unlike any other by its last line."""
        path = self.folder / (place or f"labs/{self.lab.stem}.py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"{text}\n# hand-in {self.number}\n".encode(encoding))
        return path

    def known(self, states: set[str] = PASSED, words: str = "") -> Known:
        """All stages alike."""
        return Known().all(self.lab, states, words)

    def function(self) -> tuple[str, int]:
        """A plain function of the lab, and its stage."""
        owner = JUDGES[self.lab.id].owner
        plain = [n for n in owner if type(solved(self.lab).definition(n).node).__name__
                 == "FunctionDef"]  # fmt: skip
        name = self.rng.choice(sorted(plain))
        return name, owner[name]

    def doing(self, code: str) -> tuple[str, int]:
        """The solved lab in which one function does something else first; and its stage."""
        name, stage = self.function()
        lab = solved(self.lab)
        found = lab.definition(name)
        at = found.node.body[0].lineno - found.line
        rows = lab.source(found).split("\n")
        rows[at:at] = [f"    {line}" for line in code.split("\n")]
        return lab.splice(name, "\n".join(rows)).text, stage
