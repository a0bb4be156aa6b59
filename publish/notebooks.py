"""Labs as notebooks that work alone: `python -m publish.notebooks [LAB ...] [--to FOLDER]`.

One file a lab, for Jupyter, VS Code and Colab. It needs what the lab imports and nothing else:
the checks, their diagnosis and the hints travel in one cell.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from checks.expect import names
from checks.runner import attempts
from checks.runner.lab import ROOT, Lab, NotUsable, discover, find
from publish import pack, remote

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
    },
}
HOW = """\
**How to use this notebook.** Run each cell with Shift+Enter. The first one carries the checks and
holds nothing to read. In each stage write the function, run its cell, then uncomment the check
below it and run that: where something is wrong, it says which mistake it is. `hint(1)` in a cell of
your own shows the next of three hints for stage 1. A cell that needs a function which you have not
written yet says so, and the cells after it still run.

The file works alone{needs}. {workspace} judges your function at every save, measures it against
the reference, and has you write it again from memory the next day."""
NEEDS = ", with {}, which Colab has; elsewhere `%pip install {}` in a cell brings what is missing"


def needs(lab: Lab) -> list[str]:
    """The packages that the lab's imports name, beside the standard library and its checks."""
    return sorted(lab.imports - sys.stdlib_module_names - {"checks"})


def book(lab: Lab) -> NotebookNode:
    """The notebook of a lab, unsolved; equal labs give equal notebooks, ids included."""
    lab = attempts.unsolved(lab)
    made = jupytext.reads(lab.text, fmt="py:percent")
    made.metadata = nbformat.from_dict({**METADATA, "title": f"Lab {lab.number} · {lab.title}"})
    made.nbformat, made.nbformat_minor = 4, 5
    seen: dict[str, int] = {}
    for cell in made.cells:
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:8]
        seen[digest] = seen.get(digest, 0) + 1
        cell.id = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
        if cell.cell_type == "markdown" and cell.source.startswith("# Solutions"):
            cell.metadata["jp-MarkdownHeadingCollapsed"] = True
    made.cells[1:1] = [
        nbformat.v4.new_markdown_cell(how(lab), id="how-to"),
        nbformat.v4.new_code_cell(pack.cell(lab), id="checks", metadata=pack.FOLDED),
    ]
    nbformat.validate(made)
    return made


def how(lab: Lab) -> str:
    """How to use the notebook, in a few lines."""
    packages = needs(lab)
    told = NEEDS.format(names(packages), " ".join(packages)) if packages else ""
    page = remote.address()
    workspace = "The workspace for VS Code"
    return HOW.format(needs=told, workspace=f"[{workspace}]({page})" if page else workspace)


def write(lab: Lab, folder: Path) -> str:
    """Write the notebook of a lab into a folder; the line that says so."""
    path = folder / f"{lab.stem}.ipynb"
    text = nbformat.writes(book(lab)) + "\n"
    kept = keep(path)
    folder.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half")
    half.write_text(text, encoding="utf-8", newline="\n")
    os.replace(half, path)
    line = f"{path} ({len(text.encode()) / 1000:.0f} kB)"
    return f"{line}\n  kept       {kept}, in which somebody had worked" if kept else line


def keep(path: Path) -> Path | None:
    """Move a notebook aside that somebody has run cells of; its new path, or nothing."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        if not any(cell.get("execution_count") or cell.get("outputs") for cell in cells):
            return None
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError):
        pass  # no notebook of ours
    taken = 1
    while (aside := path.with_stem(f"{path.stem}.kept-{taken}")).exists():
        taken += 1
    os.replace(path, aside)
    return aside


def main(arguments: list[str]) -> int:
    """Write the notebooks; 2 where one could not be made, and the others are."""
    parser = argparse.ArgumentParser(prog="python -m publish.notebooks", description=__doc__)
    parser.add_argument("labs", nargs="*", metavar="LAB", help="3, lab-3 or lab_3_bpe; else all")
    parser.add_argument("--to", type=Path, default=Path(ROOT, "dist"), metavar="FOLDER")
    asked = parser.parse_args(arguments)
    status = 0
    for word in asked.labs or discover():
        try:
            print(write(Lab(find(word)), asked.to), flush=True)
        except NotUsable as no:
            print(no, file=sys.stderr, flush=True)
            status = 2
        except OSError as error:
            print(f"{error.filename}: error: cannot be written: {error.strerror}", file=sys.stderr)
            status = 2
    return status


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
