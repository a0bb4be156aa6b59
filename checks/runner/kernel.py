"""A whole lab, as solved, in a real Jupyter kernel; with its pictures and its printed lines.

`python -m checks.runner.kernel 3 FOLDER` writes the pictures there and prints what the cells print.
"""

from __future__ import annotations

import base64
import os
import sys
import tempfile
import time
from pathlib import Path

import jupytext
import nbclient
from nbformat import NotebookNode

from checks.runner import stub
from checks.runner.judge import Judge
from checks.runner.lab import ROOT, Lab, find

KERNEL = {"name": "python3", "display_name": "Python", "language": "python"}


def as_solved(lab: Lab) -> str:
    """The lab's text with every stub solved and every check uncommented."""
    text = stub.solved(lab, list(Judge(lab).owner))
    return text.replace("\n# check_stage", "\ncheck_stage")


def execute(text: str, seconds: int = 120) -> NotebookNode:
    """The percent-format `text` as a notebook, run top to bottom at the workspace root."""
    book = jupytext.reads(text, fmt="py:percent")
    run(book, seconds=seconds)
    return book


def run(
    book: NotebookNode,
    seconds: int = 120,
    allow_errors: bool = False,
    folder: str = ROOT,
    kernel: str = "python3",
) -> None:
    """Run a notebook in a fresh kernel in `folder`.

    kernel   the name of its kernelspec

    Over Unix sockets where there are any: a container without a network may have no loopback.
    """
    os.environ.pop("MPLBACKEND", None)  # inherited, it would make the kernel show no pictures
    book.metadata["kernelspec"] = {**KERNEL, "name": kernel}
    client = nbclient.NotebookClient(
        book,
        timeout=seconds,
        allow_errors=allow_errors,
        resources={"metadata": {"path": folder}},
    )
    client.km = client.create_kernel_manager()
    with tempfile.TemporaryDirectory() as sockets:
        if os.name == "posix":
            client.km.transport, client.km.ip = "ipc", os.path.join(sockets, "kernel")
        client.execute()


def pictures(book: NotebookNode) -> list[bytes]:
    """Every picture that the cells show, in order, as PNG."""
    return [
        base64.b64decode(out["data"]["image/png"])
        for cell in book.cells
        for out in cell.get("outputs", [])
        if "image/png" in out.get("data", {})
    ]


def printed(cell: NotebookNode) -> str:
    """What a cell printed."""
    return "".join(out.get("text", "") for out in cell.get("outputs", []))


def main(word: str, folder: str) -> None:
    """Run lab `word` as solved; pictures go to `folder`, printed lines to the screen."""
    lab = Lab(find(word))
    begin = time.perf_counter()
    book = execute(as_solved(lab))
    for cell in book.cells:
        if printed(cell):
            print(printed(cell).rstrip(), end="\n\n")
    Path(folder).mkdir(parents=True, exist_ok=True)
    for at, picture in enumerate(pictures(book), 1):
        Path(folder, f"{lab.stem}_{at}.png").write_bytes(picture)
    print(f"{lab.id} as solved: {time.perf_counter() - begin:.1f} s, pictures in {folder}")


if __name__ == "__main__":
    main(*sys.argv[1:])
