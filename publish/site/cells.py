"""The cells of a lab as HTML, with what they print and the pictures that they draw."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

from publish.site import labs, solved, text
from publish.site.text import Prose

HEADING = re.compile(r"^#(?=\s)", flags=re.M)


@dataclass
class Shown:
    """One cell of a page; `contents` are its entries in the table of contents."""

    kind: str
    html: str
    printed: str = ""
    figures: list[dict[str, Any]] = field(default_factory=list)
    contents: list[dict[str, str]] = field(default_factory=list)
    mistakes: int = 0

    @property
    def lines(self) -> int:
        """How many lines it has."""
        return self.html.count("\n") + 1


class Drawn:
    """Writes the pictures of a lab; `shown` is the one for its card, or nothing."""

    def __init__(self, page: labs.Page, run: solved.Run, to: Path) -> None:
        self.page, self.to = page, to
        self.shown: dict[str, Any] | None = None
        stage, self.panel = page.shown.get("stage"), page.shown.get("panel", 1)
        drawing = [at for at, out in enumerate(run.outputs) if out.figures]
        if stage:
            drawing = [at for at in drawing if self.stage(at) == stage][-1:]
        self.chosen = drawing[0] if drawing else -1
        self.count = 0

    def stage(self, at: int) -> int:
        """The stage of the cell at a place in the run, whose first cell is the card."""
        return self.page.cells[at - 1].stage if 0 < at <= len(self.page.cells) else 0

    def figures(self, at: int, output: solved.Output, prose: Prose) -> list[dict[str, Any]]:
        """The figures of a cell, written; the last of the chosen cell is the card's, too."""
        found = []
        for figure in output.figures:
            self.count += 1
            stem = f"{self.page.lab.id}-{self.count}"
            found.append({"picture": self.write(stem, figure.whole), "alt": described(figure)})
        if at == self.chosen:
            panel = min(self.panel, len(figure.cards))
            question = self.page.cells[at - 1].question
            self.shown = {
                "picture": self.write(f"{self.page.lab.id}-card", figure.cards[panel - 1]),
                "alt": described(figure, panel),
                "question": prose.inline(question) if question else "",
            }
        return found

    def write(self, stem: str, picture: solved.Picture) -> dict[str, list[dict[str, Any]]]:
        """Write a picture in all sizes; their names and sizes, largest first."""
        found: dict[str, list[dict[str, Any]]] = {}
        for paper, sizes in (("light", picture.light), ("dark", picture.dark)):
            for width, height, data in sizes:
                name = f"{stem}-{paper}-{width}.webp"
                (self.to / name).write_bytes(data)
                found.setdefault(paper, []).append({"file": name, "width": width, "height": height})
        return found


def cells(page: labs.Page, run: solved.Run, drawn: Drawn, prose: Prose) -> list[Shown]:
    """Every cell above the solutions, the card left out."""
    shown = []
    for at, cell in enumerate(page.cells, 1):
        output = run.outputs[at] if at < len(run.outputs) else solved.Output()
        if cell.kind == "text":
            shown.append(prose_cell(page, cell, prose))
        else:
            printed = "" if cell.kind == "check" else output.printed.strip("\n")
            figures = drawn.figures(at, output, prose)
            shown.append(Shown(cell.kind, text.code(cell.source.strip("\n")), printed, figures))
    return shown


def prose_cell(page: labs.Page, cell: labs.Cell, prose: Prose) -> Shown:
    """A Markdown cell; a lab's further `#` headings are `##` under the page's title."""
    source = HEADING.sub("##", cell.source)
    is_new = bool(labs.STAGE.search(source))
    prose.prefix = ""
    html = prose.html(source) if not is_new else stage_html(cell, source, prose)
    contents = [
        {"anchor": anchor, "title": unescape(re.sub(r"<[^>]*>", "", title))}
        for anchor, title in re.findall(r'<h2 id="([^"]*)">(.*?)</h2>', html)
    ]
    return Shown(
        "text", html, contents=contents, mistakes=page.slips.get(cell.stage, 0) if is_new else 0
    )


def stage_html(cell: labs.Cell, source: str, prose: Prose) -> str:
    """A stage's explanation: its heading is `stage-4`, its parts are `stage-4-by-hand`."""
    prose.prefix = f"stage {cell.stage}"
    html = prose.html(source)
    prose.prefix = ""
    return re.sub(r'<h2 id="[^"]*"', f'<h2 id="stage-{cell.stage}"', html, count=1)


def described(figure: solved.Figure, panel: int = 0) -> str:
    """What stands in a figure, in words: titles, axes and legends; `panel` names one, from 1."""
    scales = [words["y"] or words["x"] for words in figure.words if words["scale"]]
    plain = [words for words in figure.words if not words["scale"]]
    if panel and len(figure.cards) > 1:
        plain, scales = [plain[panel - 1]], []
    said = [sentence for words in plain if (sentence := one_panel(words))]
    if scales:
        said.append(f"Colour: {', '.join(scales)}.")
    head = "Plot." if len(plain) == 1 else f"Plot in {len(plain)} panels."
    return " ".join([head, *said])


def one_panel(words: dict[str, Any]) -> str:
    """One sentence on a panel, or two."""
    axes = " over ".join(filter(None, [words["y"], words["x"]]))
    said = ": ".join(filter(None, [words["title"], axes]))
    legend = f" Legend: {'; '.join(words['legend'])}." if words["legend"] else ""
    return f"{said}.{legend}" if said else legend.strip()
