"""What the cells of a lab print and draw when it is solved, from a real kernel, and kept.

A run takes 4 to 22 s a lab on a quiet machine, so its result is kept in `.cache/site`, under a
digest of all that it depends on: the lab, its checks, the environment's lock and this code.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from PIL import Image

from checks.runner import kernel
from checks.runner.lab import ROOT, Lab
from publish.site import paper

CACHE = Path(ROOT, ".cache", "site")
SETUP = "from publish.site import paper\n\npaper.install()"
CLOCK = "import time\n\nprint(time.process_time())"
SECONDS = 300  # for one cell, on a machine that is busy
CARD_WIDTH = 720  # pixels: two for each CSS pixel of a card


@dataclass
class Picture:
    """One image in all its sizes, largest first: (width, height, WebP) on light and dark paper."""

    light: list[tuple[int, int, bytes]]
    dark: list[tuple[int, int, bytes]]


@dataclass
class Figure:
    """What a cell draws: the whole, its panels as cards, and the words that stand in it."""

    whole: Picture
    cards: list[Picture]
    words: list[dict[str, Any]]


@dataclass
class Output:
    """What one cell prints and draws."""

    printed: str = ""
    figures: list[Figure] = field(default_factory=list)


@dataclass
class Run:
    """A whole lab as solved: what each cell gives, and the seconds that all of it took.

    `seconds` are those of the processor, imports, checks and pictures included, so that waiting
    for other work on the machine does not count. 0 where nothing was run.
    """

    outputs: list[Output]
    seconds: float = 0.0


def run(lab: Lab) -> Run:
    """The lab as solved; from the cache where nothing changed since."""
    place = CACHE / f"{lab.stem}-{digest(lab)}.json"
    if not place.exists():
        fresh = in_kernel(lab)
        CACHE.mkdir(parents=True, exist_ok=True)
        for old in CACHE.glob(f"{lab.stem}-*"):
            old.unlink()
        temporary = place.with_suffix(f".{os.getpid()}")
        temporary.write_text(json.dumps(fresh), encoding="utf-8")
        temporary.replace(place)
    return unpack(json.loads(place.read_text(encoding="utf-8")))


def digest(lab: Lab) -> str:
    """Changes whenever the result of a run may change."""
    found = hashlib.sha256(lab.text.encode())
    files = [Path(ROOT, "requirements.lock"), Path(__file__), Path(paper.__file__)]
    for file in [*files, *sorted(Path(ROOT, "checks", lab.stem).glob("*.py"))]:
        found.update(file.read_bytes())
    return found.hexdigest()[:16]


def in_kernel(lab: Lab) -> dict[str, Any]:
    """Run the lab as solved; plain data, with the pictures as WebP in base 64."""
    book = jupytext.reads(kernel.as_solved(lab), fmt="py:percent")
    book.cells.insert(0, nbformat.v4.new_code_cell(SETUP))
    book.cells.append(nbformat.v4.new_code_cell(CLOCK))
    kernel.run(book, seconds=SECONDS)
    _, *cells, clock = book.cells
    seconds = round(float(kernel.printed(clock)), 1)
    return {"seconds": seconds, "outputs": [output(cell) for cell in cells]}


def output(cell: Any) -> dict[str, Any]:
    """What a cell gave, as plain data."""
    bundles = [
        out["data"][paper.MIME]
        for out in cell.get("outputs", [])
        if paper.MIME in out.get("data", {})
    ]
    figures = [
        {
            "whole": {kind: sizes(one[kind]) for kind in ("light", "dark")},
            "cards": [
                {kind: sizes(card[kind], CARD_WIDTH) for kind in ("light", "dark")}
                for card in one["cards"]
            ],
            "words": one["words"],
        }
        for one in bundles
    ]
    return {"printed": kernel.printed(cell), "figures": figures}


def sizes(png: str, most: int = 0) -> list[list[Any]]:
    """A PNG as WebP, whole (or `most` pixels wide) and half as wide."""
    whole = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGBA")
    widths = [min(most, whole.width)] if most else [whole.width, whole.width // 2]
    found: list[list[Any]] = []
    for width in widths:
        height = round(whole.height * width / whole.width)
        image = whole.resize((width, height), Image.Resampling.LANCZOS)
        out = io.BytesIO()
        image.quantize(256).save(out, "webp", lossless=True, quality=75, method=4)
        found.append([width, height, base64.b64encode(out.getvalue()).decode("ascii")])
    return found


def unpack(plain: dict[str, Any]) -> Run:
    """The inverse of what `in_kernel` returns."""
    return Run(
        [
            Output(
                one["printed"],
                [
                    Figure(
                        picture(figure["whole"]),
                        [picture(card) for card in figure["cards"]],
                        figure["words"],
                    )
                    for figure in one["figures"]
                ],
            )
            for one in plain["outputs"]
        ],
        plain["seconds"],
    )


def picture(plain: dict[str, list[list[Any]]]) -> Picture:
    """A picture of plain data."""
    light, dark = (
        [(width, height, base64.b64decode(data)) for width, height, data in plain[kind]]
        for kind in ("light", "dark")
    )
    return Picture(light, dark)
