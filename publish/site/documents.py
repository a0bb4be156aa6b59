"""Markdown files of the repository, and of its measurements, as pages of the site."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from html import unescape
from pathlib import Path

from PIL import Image

from checks.runner.lab import ROOT, discover
from publish.site.repository import Repository
from publish.site.text import Prose

DOCS = Path(ROOT, "docs")


@dataclass
class Document:
    """A page that stands in the navigation as `short`; without `html` it has its own template."""

    address: str
    short: str
    title: str = ""
    html: str = ""


class Writer:
    """Renders documents; the pictures that they show are copied beside the pages."""

    def __init__(self, to: Path, repository: Repository) -> None:
        self.to, self.repository = to, repository

    def page(self, address: str, short: str, file: Path) -> Document:
        """The Markdown in `file` as a page."""
        prose = Prose(self.followed, lambda source: self.picture(file.parent / source))
        html = prose.html(file.read_text(encoding="utf-8"))
        title = re.search(r"<h1[^>]*>(.*?)</h1>", html)
        plain = unescape(re.sub(r"<[^>]*>", "", title[1])) if title else short
        return Document(address, short, plain, html)

    def picture(self, file: Path) -> dict[str, str]:
        """The attributes of an image that lies in `file`, copied."""
        name = f"{file.parent.name}-{file.name}"
        shutil.copy(file, self.to / name)
        with Image.open(file) as image:
            width, height = image.size
        return {"src": name, "width": str(width), "height": str(height), "loading": "lazy"}

    def followed(self, link: str) -> str:
        """Where a link of a file in docs/ leads from the site; nothing where it leads nowhere."""
        path, hash_, anchor = link.partition("#")
        if "://" in link or link.startswith("mailto:") or not path:
            return link
        target = Path(os.path.normpath(DOCS / path))
        inside = {Path(lab): f"lab-{Path(lab).name.split('_')[1]}.html" for lab in discover()}
        inside[DOCS / "instructors.md"] = f"instructors.html{hash_}{anchor}"
        if target in inside:
            return inside[target]
        address = ""
        if target.is_relative_to(ROOT):
            address = self.repository.file(target.relative_to(ROOT).as_posix())
        return address + hash_ + anchor if address else ""
