"""A lab as the site shows it: its card, its cells as shipped, and what each cell is for.

All words come from the lab's own file, so a new lab needs no change here. Solutions are left
out twice: nothing below the divider is read, and a function that was written in this clone is
shown as the stub again.
"""

from __future__ import annotations

import importlib
import os
import re
import tomllib
from dataclasses import dataclass, field
from typing import Any

import jupytext

from checks.runner import stub
from checks.runner.judge import Judge
from checks.runner.lab import DIVIDER, ROOT, Lab

LABEL = re.compile(r"\*\*([^*]+?)\.?\*\*:?\s*")
TODO = "# TODO(you)"
CHECK = re.compile(r"^# check_stage\d", flags=re.M)
QUESTION = re.compile(r"^# (Predict first: (?:.*\n# )*?.*\?)", flags=re.M)
STAGE = re.compile(r"^## Stage (\d+)", flags=re.M)


@dataclass
class Cell:
    """One cell above the solutions.

    kind      "text", "given", "yours" (a stub), "check", "explore" (asks for a prediction)
    stage     the stage that it stands in, 0 before the first
    question  what is to be predicted, without the words "Predict first"
    """

    kind: str
    source: str
    stage: int = 0
    question: str = ""


@dataclass
class Page:
    """One lab.

    card    the labels of its first cell and what they say, in Markdown: `You build`, `Time`, ...
    notes   the paragraphs that follow, such as `Legend` and `The rule`
    slips   how many known mistakes its checks can name, by stage
    shown   the picture on the front page: the last of this stage, and of its panels this one
    """

    lab: Lab
    card: dict[str, str]
    notes: dict[str, str]
    cells: list[Cell]
    slips: dict[int, int]
    shown: dict[str, int] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The page's file name."""
        return f"{self.lab.id}.html"

    @property
    def notebook(self) -> str:
        """The name of the lab as a notebook."""
        return f"{self.lab.stem}.ipynb"

    @property
    def mistakes(self) -> int:
        """How many known mistakes its checks can name."""
        return sum(self.slips.values())


def read(path: str) -> Page:
    """The lab at `path`."""
    lab = Lab(path)
    judge = Judge(lab)
    text = shipped(lab, judge)
    first, *rest = jupytext.reads(text, fmt="py:percent").cells
    card, notes = paragraphs(first.source)
    return Page(
        lab,
        card,
        notes,
        cells(rest),
        known_mistakes(lab, judge),
        orders().get("pictures", {}).get(str(lab.number), {}),
    )


def shipped(lab: Lab, judge: Judge) -> str:
    """The lab's text above the solutions, every stage function a stub, every check a comment."""
    lines = lab.lines[: lab.divider - 1]
    places = []
    for name, number in judge.owner.items():
        found = lab.definition(name)
        if found is not None and found.end < lab.divider:
            places.append((found.line, found.end, stub.generate(lab, found, number)))
    for line, end, source in sorted(places, reverse=True):
        lines[line - 1 : end] = source.split("\n")
    while lines and lines[-1].startswith("# %%"):  # the marker of the divider's cell
        lines.pop()
    return re.sub(r"^(check_stage\d)", r"# \1", "\n".join(lines), flags=re.M)


def paragraphs(markdown: str) -> tuple[dict[str, str], dict[str, str]]:
    """The card of a first cell, and its other paragraphs by their bold first words."""
    card: dict[str, str] = {}
    notes: dict[str, str] = {}
    for paragraph in re.split(r"\n\s*\n", markdown):
        if paragraph.startswith("# "):
            _, _, paragraph = paragraph.partition("\n")
        parts = LABEL.split(paragraph.strip())
        if len(parts) < 3 or parts[0]:
            continue
        if not card:
            pairs = zip(parts[1::2], parts[2::2])
            card = {label: said.strip().rstrip(".") for label, said in pairs}
        else:
            notes[parts[1]] = paragraph.strip().split("**", 2)[2].strip()
    return card, notes


def cells(found: list) -> list[Cell]:
    """The notebook cells, each with its kind and its stage."""
    kept: list[Cell] = []
    stage = 0
    for cell in found:
        if cell.cell_type == "markdown":
            if cell.source.startswith(DIVIDER[2:]):
                break
            heading = STAGE.search(cell.source)
            if heading:
                stage = int(heading[1])
            elif cell.source.startswith("# "):
                stage = 0
        kept.append(Cell(kind(cell), cell.source, stage, question(cell.source)))
    return kept


def kind(cell: object) -> str:
    """What a notebook cell is for."""
    source = getattr(cell, "source", "")
    if getattr(cell, "cell_type", "") == "markdown":
        return "text"
    if TODO in source:
        return "yours"
    if CHECK.search(source):
        return "check"
    return "explore" if question(source) else "given"


def question(source: str) -> str:
    """The question that a cell asks before it runs, as one line; nothing where it asks none."""
    found = QUESTION.search(source)
    if not found:
        return ""
    asked = " ".join(found[1].replace("\n# ", " ").split())
    return asked.removeprefix("Predict first:").strip()


def known_mistakes(lab: Lab, judge: Judge) -> dict[int, int]:
    """How many slips each stage has."""
    try:
        slips = importlib.import_module(f"checks.{lab.stem}.slips").SLIPS
    except ModuleNotFoundError:
        return {}
    counts = dict.fromkeys(lab.stages, 0)
    for slip in slips:
        counts[judge.owner[slip.function]] += 1
    return counts


def orders() -> dict[str, Any]:
    """labs/orders.toml; its `pictures` say which picture stands for a lab."""
    with open(os.path.join(ROOT, "labs", "orders.toml"), "rb") as file:
        return tomllib.load(file)
