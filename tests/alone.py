"""A kernel as a learner has it who downloaded one file: an empty folder, and no repository.

The environment of the tests imports `checks` from here, through an editable install. So this
kernel takes the installed packages without the `.pth` files that make it do so.
"""

from __future__ import annotations

import json
import os
import sys
import sysconfig
from pathlib import Path

from nbformat import NotebookNode

from checks.runner import kernel
from checks.runner.pins import THREADS

START = """\
import sys
sys.path.append({packages!r})
from ipykernel import kernelapp
kernelapp.launch_new_instance()
"""


def install(home: Path) -> Path:
    """Put the kernelspec under `home`, and return an empty folder there to work in."""
    spec = home / "jupyter" / "kernels" / "alone"
    spec.mkdir(parents=True, exist_ok=True)
    start = START.format(packages=sysconfig.get_path("purelib"))
    # -I: no PYTHON* variables and no folder of the caller's; -S: no .pth file
    argv = [sys.executable, "-I", "-S", "-c", start, "-f", "{connection_file}"]
    fields = {"argv": argv, "display_name": "alone", "language": "python", "env": THREADS}
    (spec / "kernel.json").write_text(json.dumps(fields), encoding="utf-8")
    folder = home / "empty"
    folder.mkdir(exist_ok=True)
    return folder


def run(book: NotebookNode, home: Path, seconds: int = 300, allow_errors: bool = False) -> None:
    """Run a notebook in such a kernel; fails where it leaves a file behind."""
    folder = install(home)
    before = os.environ.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = str(home / "jupyter")
    try:
        kernel.run(book, seconds, allow_errors, folder=str(folder), kernel="alone")
    finally:
        os.environ.pop("JUPYTER_PATH")
        if before is not None:
            os.environ["JUPYTER_PATH"] = before
    assert list(folder.iterdir()) == []
