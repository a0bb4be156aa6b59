"""A built page as the tests read it: its tags in order, its text, its lines of code."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

VOID = {"meta", "link", "img", "source", "br", "hr", "input", "base", "mspace"}


class Page(HTMLParser):
    """One HTML file: `tags` as (name, attributes), `ids`, `text` and `headings` (level, words)."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.ids: list[str] = []
        self.headings: list[tuple[int, str]] = []
        self.text, self.prose = "", ""  # all of it; and what stands in no block of code
        self.open: list[str] = []
        self.feed(file.read_text(encoding="utf-8"))
        self.close()
        assert self.open == [], f"{file.name} leaves open: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag, with its attributes."""
        found = {name: value or "" for name, value in attrs}
        self.tags.append((tag, found))
        if "id" in found:
            self.ids.append(found["id"])
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
            self.headings.append((int(tag[1]), ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag that closes itself, as MathML has them."""
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        """The end of the tag that was opened last."""
        assert self.open and self.open[-1] == tag, f"{self.file.name}: </{tag}> in {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        """Text."""
        if self.open and self.open[-1] not in ("style", "script"):
            self.text += data
            self.prose += "" if "pre" in self.open else data
        if (
            self.headings
            and self.open
            and any(tag[:1] == "h" and tag[1:].isdigit() for tag in self.open)
        ):
            level, said = self.headings[-1]
            self.headings[-1] = (level, said + data)

    def all(self, name: str) -> list[dict[str, str]]:
        """The attributes of every tag of this name."""
        return [attributes for tag, attributes in self.tags if tag == name]

    def link(self, words: str) -> list[str]:
        """Where the links lead whose address holds `words`."""
        return [a["href"] for a in self.all("a") if words in a.get("href", "")]
