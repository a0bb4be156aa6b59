"""What a downloaded notebook runs first: the engine and the checks, imported from its own pack.

This file is executed as it stands, from the pack, by the notebook's first cell. It may
therefore import nothing of the project until `begin` has made that possible.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.machinery import ModuleSpec
    from typing import Any


class Carried(importlib.abc.SourceLoader):
    """Imports modules from texts in memory; nothing is written, no bytecode either.

    files  text by path, e.g. `checks/expect.py`
    root   a path that does not exist, under which tracebacks show these files
    """

    def __init__(self, files: dict[str, str], root: str) -> None:
        self.files, self.root = files, root

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """The module called `name`, where the pack holds it."""
        if self._place(name) is None:
            return None
        return importlib.util.spec_from_file_location(name, self.get_filename(name), loader=self)

    def _place(self, name: str) -> str | None:
        places = (name.replace(".", "/") + end for end in ("/__init__.py", ".py"))
        return next((place for place in places if place in self.files), None)

    def get_filename(self, name: str) -> str:
        """The path under which a module is known."""
        place = self._place(name)
        if place is None:
            raise ImportError(f"the pack of this notebook holds no {name}", name=name)
        return os.path.join(self.root, *place.split("/"))

    def get_data(self, path: str | bytes) -> bytes:
        """The text of a file in the pack."""
        name = os.path.relpath(os.fsdecode(path), self.root).replace(os.sep, "/")
        if name not in self.files:
            raise FileNotFoundError(path)
        return self.files[name].encode()


def begin(files: dict[str, str]) -> Callable[[int], None]:
    """Make `checks` importable from the pack, in front of any other; returns `hint`.

    files  the modules, `labs/NAME.py` and `checks/NAME/hints.md`, text by path
    """
    for finder in sys.meta_path:
        if getattr(finder, "files", None) == files:  # the cell was run a second time
            return sys.modules["checks.runner.live"].home.hint
    for name in [name for name in sys.modules if name.partition(".")[0] == "checks"]:
        del sys.modules[name]  # somebody else's
    lab = next(name for name in files if name.startswith("labs/"))
    stem = lab.partition("/")[2].removesuffix(".py")
    sys.meta_path.insert(0, Carried(files, os.path.abspath(f"{stem}.ipynb")))  # type: ignore[arg-type]

    from checks.runner import notebook

    hint = notebook.begin(lab, files[lab], files[f"checks/{stem}/hints.md"])
    print("The checks of this lab are ready.")
    return hint
