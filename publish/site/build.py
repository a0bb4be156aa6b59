"""Put the site together: every page from the labs' own files, into one folder.

All links are relative and all files lie side by side, so the site works from the file system and
under any path of a server.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from checks.runner.lab import ROOT, Lab, discover
from checks.runner.progress import GAPS, tracks
from publish.site import cells, documents, labs, solved, strength
from publish.site.demo import Demo, demonstration
from publish.site.repository import Repository
from publish.site.text import Prose

HERE = Path(__file__).parent
DIST = Path(ROOT, "dist")
INSTRUCTORS = Path(ROOT, "docs", "instructors.md")
UNDER = 120  # seconds in which a lab must run for the front page to say "under two minutes"
WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass
class Site:
    """What all pages need.

    run       the lab as solved; a test may hand in another source of pictures
    notebooks where the notebooks lie that are offered for download
    """

    to: Path
    repository: Repository
    run: Callable[[Lab], solved.Run] = solved.run
    demo: Callable[[], Demo | None] = demonstration
    dist: Path = DIST
    instructors: Path = INSTRUCTORS
    base: str = ""

    def build(self) -> list[Path]:
        """Write the site; the pages written."""
        shutil.rmtree(self.to, ignore_errors=True)
        self.to.mkdir(parents=True)
        for name in ("style.css", "icon.svg"):
            shutil.copy(HERE / name, self.to / name)
        (self.to / ".nojekyll").write_text("", encoding="utf-8")
        card = strength.read(self.dist / "strength.json")
        written = documents.Writer(self.to, self.repository)
        self.extra = [documents.Document("checks.html", "Strength")] if card else []
        if (self.dist / "bench.json").exists() and (self.dist / "bench.md").exists():
            self.extra.append(written.page("speed.html", "Speed", self.dist / "bench.md"))
        if self.instructors.exists():
            self.extra.append(written.page("instructors.html", "Instructors", self.instructors))
        pages = {page.lab.number: self.lab_page(page) for page in map(labs.read, discover())}
        self.render("index.html", "index.html", card=card, **front(pages, self.demo()))
        in_order = [pages[number] for _, numbers in tracks() for number in numbers]
        for at, page in enumerate(in_order):
            before = in_order[at - 1] if at else None
            after = in_order[at + 1] if at + 1 < len(in_order) else None
            self.render(page["address"], "lab.html", page=page, before=before, after=after)
        for document in self.extra:
            if document.html:
                self.render(document.address, "document.html", document=document)
        if card:
            self.render("checks.html", "strength.html", card=card, labs=by_lab(card, pages))
        self.render("404.html", "404.html", base=self.base or self.repository.base)
        return sorted(self.to.glob("*.html"))

    def render(self, file: str, template: str, **context: Any) -> None:
        """Write one page."""
        loader = jinja2.FileSystemLoader(HERE / "templates")
        made = jinja2.Environment(
            loader=loader,
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )
        made.globals.update(repository=self.repository, extra=self.extra, number=in_words)
        shown = made.get_template(template).render(self_address=file, **context)
        (self.to / file).write_text(shown, encoding="utf-8")

    def lab_page(self, page: labs.Page) -> dict[str, Any]:
        """All that the templates show of a lab; its pictures and its notebook are written."""
        run = self.run(page.lab)
        prose = Prose()
        drawn = cells.Drawn(page, run, self.to)
        shown = cells.cells(page, run, drawn, prose)
        build = page.card.get("You build", "")
        inline = {label: prose.inline(said) for label, said in page.card.items()}
        source = self.dist / page.notebook
        if source.exists():
            shutil.copy(source, self.to / page.notebook)
        return {
            "lab": page.lab,
            "address": page.address,
            "build": inline.get("You build", ""),
            "plain_build": "You build " + " ".join(build.split()) + ".",
            "facts": [(k, Markup(v)) for k, v in inline.items()][1:],
            "rule": sentences(prose.inline(page.notes.get("The rule", ""))),
            "notes": [(k, prose.inline(v)) for k, v in page.notes.items() if k != "The rule"],
            "seconds": round(run.seconds),
            "mistakes": page.mistakes,
            "cells": shown,
            "contents": [part for cell in shown for part in cell.contents],
            "shown": drawn.shown,
            "track": track_of(page.lab.number),
            "download": page.notebook if source.exists() else "",
            "colab": self.repository.colab(page.notebook) if source.exists() else "",
            "codespaces": self.repository.codespaces,
            "source": self.repository.file(page.lab.relative),
        }


def front(pages: dict[int, dict[str, Any]], demo: Demo | None) -> dict[str, Any]:
    """What the front page shows beside the repository."""
    every = [pages[number] for _, numbers in tracks() for number in numbers]
    (_, interview), *_ = tracks(interview=True)
    first = interview[: interview_first()]
    return {
        "pages": every,
        "first": every[0],
        "tracks": [
            {"name": name, "pages": [pages[number] for number in numbers]}
            for name, numbers in tracks()
        ],
        "interview": [pages[number] for number in first],
        "stages": sum(len(page["lab"].stages) for page in every),
        "mistakes": sum(page["mistakes"] for page in every),
        "under": all(0 < page["seconds"] < UNDER for page in every),
        "rule": next((page["rule"] for page in every if page["rule"]), []),
        "gaps": in_a_row([str(days) for days in GAPS[1:]]),
        "demo": demo,
        "notebooks": any(page["download"] for page in every),
        "colab": any(page["colab"] for page in every),
    }


def interview_first() -> int:
    """How many labs labs/orders.toml puts first for an interview."""
    return len(labs.orders()["interview"]["first"])


def track_of(number: int) -> str:
    """The track that a lab stands in."""
    return next((name for name, numbers in tracks() if number in numbers), "")


def by_lab(card: strength.Card, pages: dict[int, dict[str, Any]]) -> list[dict[str, Any]]:
    """The strength card's rows, with the labs' titles."""
    titles = {page["lab"].id: page["lab"].title for page in pages.values()}
    return [
        {"title": f"Lab {lab.removeprefix('lab-')} · {titles.get(lab, lab)}", "rows": rows}
        for lab, rows in card.labs.items()
    ]


def sentences(html: str) -> list[str]:
    """The sentences of a paragraph, for a line each."""
    return re.split(r"(?<=\.)\s+(?=[A-Z])", html) if html else []


def in_words(number: int) -> str:
    """8 -> eight; digits above ten."""
    return WORDS[number] if number < len(WORDS) else str(number)


def in_a_row(words: list[str]) -> str:
    """`3, 7 and 21`."""
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
