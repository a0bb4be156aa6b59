"""Where the repository lives, and the addresses that follow from that; none is made up."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from urllib.parse import quote

from checks.runner.lab import ROOT
from publish import remote

GITHUB = "https://github.com/"


@dataclass(frozen=True)
class Repository:
    """What git knows of this clone.

    address    `https://github.com/OWNER/NAME`, or nothing where `origin` lies elsewhere
    commit     the first digits of the commit that the site is built from, or nothing
    date       its day, `2026-11-24`
    notebooks  the branch that holds the notebooks, for Colab; nothing where none does
    """

    address: str = ""
    commit: str = ""
    date: str = ""
    notebooks: str = ""

    @property
    def name(self) -> str:
        """`OWNER/NAME`."""
        return self.address.removeprefix(GITHUB)

    @property
    def codespaces(self) -> str:
        """Opens a new codespace on the default branch, or goes on in the last one."""
        return f"https://codespaces.new/{self.name}?quickstart=1" if self.address else ""

    def colab(self, notebook: str) -> str:
        """Opens a notebook in Colab, which reads it from the branch that holds it."""
        if not self.address or not self.notebooks:
            return ""
        place = f"{self.name}/blob/{quote(self.notebooks)}/{quote(notebook)}"
        return f"https://colab.research.google.com/github/{place}"

    def file(self, path: str) -> str:
        """A file or folder of the repository on the web, on the default branch."""
        return f"{self.address}/blob/HEAD/{quote(path)}" if self.address else ""

    @property
    def base(self) -> str:
        """The path at which GitHub Pages serves the site: `/NAME/`, or `/` for a user's own."""
        owner, _, name = self.name.partition("/")
        return "/" if name.lower() == f"{owner}.github.io".lower() else f"/{name}/" if name else ""


def here(notebooks: str = "") -> Repository:
    """This clone."""
    address = remote.address()
    found = git("log", "-1", "--format=%h %cs").split()
    commit, date = found if len(found) == 2 else ("", "")
    return Repository(address if is_github(address) else "", commit, date, notebooks)


def is_github(address: str) -> bool:
    """Whether this is `https://github.com/OWNER/NAME`."""
    return address.startswith(GITHUB) and address.removeprefix(GITHUB).count("/") == 1


def git(*words: str) -> str:
    """What git says, or nothing where there is no git or no repository."""
    try:
        done = subprocess.run(
            ["git", "-C", ROOT, *words], capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
