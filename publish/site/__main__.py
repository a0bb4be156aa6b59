"""`python -m publish.site [--to FOLDER] [--colab BRANCH] [--base PATH]`: build the front page."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from checks.runner import pins

pins.apply()

from publish.site.build import DIST, Site  # noqa: E402  the pins come before NumPy
from publish.site.repository import here  # noqa: E402


def main(words: list[str]) -> int:
    """Build the site; exit status 0, or 1 where a lab does not run as solved."""
    parser = argparse.ArgumentParser(prog="python -m publish.site", description=__doc__)
    parser.add_argument("--to", type=Path, default=DIST / "site", help="the folder to write")
    parser.add_argument(
        "--colab", default="", metavar="BRANCH", help="the branch on GitHub with the notebooks"
    )
    parser.add_argument(
        "--base", default="", metavar="PATH", help="where the site is served, for its 404 page"
    )
    given = parser.parse_args(words)
    begin = time.perf_counter()
    pages = Site(given.to, here(given.colab), base=given.base).build()
    size = sum(file.stat().st_size for file in given.to.iterdir())
    seconds = time.perf_counter() - begin
    print(f"{len(pages)} pages, {size / 1e6:.1f} MB, {seconds:.0f} s: {given.to / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
