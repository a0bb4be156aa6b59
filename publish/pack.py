"""The cell that carries a lab's checks: the engine, the checks and the lab's own text, packed.

Which modules that takes is found by following imports from the ways in, so a module that the
checks begin to use is in the next notebook without anybody listing it.
"""

from __future__ import annotations

import base64
import json
import textwrap
import zlib
from modulefinder import ModuleFinder
from pathlib import Path

from checks.runner.lab import ROOT, Lab

WIDTH = 4000  # VS Code cannot open a notebook with a cell folded, so the lines are few and long
CELL = '''\
# @title The checks of this lab. Run this cell once; there is nothing to read in it.
def unpack(pack):
    """The checks as they stand in the repository, text by file name; returns `hint`."""
    import base64, json, zlib

    files, inside = json.loads(zlib.decompress(base64.b64decode(pack))), {}
    exec(files["publish/inside.py"], inside)
    return inside["begin"](files)


hint = unpack("""
PACK
""")
del unpack'''
FOLDED = {
    "jupyter": {"source_hidden": True},  # JupyterLab
    "cellView": "form",  # Colab
    "tags": ["hide-input"],  # Jupyter Book, nbconvert
}


def modules(stem: str) -> dict[str, str]:
    """The text of every module that a notebook of the lab may import, by path from the root."""
    finder = ModuleFinder(path=[ROOT])  # so the standard library and NumPy are not looked into
    for way_in in (f"checks.{stem}.stages", f"checks.{stem}.slips", "checks.runner.notebook"):
        finder.import_hook(way_in)
    found = [getattr(module, "__file__", None) for module in finder.modules.values()]
    return {_name(Path(file)): _text(Path(file)) for file in found if file}


def files(lab: Lab) -> dict[str, str]:
    """All that a notebook of `lab` carries, text by path from the root."""
    hints = Path(ROOT, "checks", lab.stem, "hints.md")
    return {
        **modules(lab.stem),
        "publish/inside.py": _text(Path(__file__).with_name("inside.py")),
        lab.relative: lab.text,
        f"checks/{lab.stem}/hints.md": _text(hints) if hints.exists() else "",
    }


def cell(lab: Lab) -> str:
    """The source of the cell; the same bytes for the same files."""
    data = json.dumps(files(lab), ensure_ascii=False, sort_keys=True).encode()
    text = base64.b64encode(zlib.compress(data, 9)).decode()
    return CELL.replace("PACK", "\n".join(textwrap.wrap(text, WIDTH)))


def _name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")
