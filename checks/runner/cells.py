"""Read a lab cell by cell, and keep what was found out about each: a save changes one or two.

A cell that parses alone means the same in its place, since no statement reaches into the next
one. Where one does (an `else` after a marker, a string with a marker in it) the cell does not
parse alone; then, and where a line may change how all others are compiled, the file is read as
a whole.
"""

from __future__ import annotations

import marshal
import os
import sys

from checks.runner.lab import Definition, PyCF_ONLY_AST, bindings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from checks.runner.lab import Lab

MARKER = "# %%"
BEYOND = ("__future__", "\nglobal ")  # what counts in other cells too
CANNOT = (SyntaxError, ValueError, RecursionError, MemoryError)


def split(lines: list[str]) -> list[tuple[int, str]]:
    """(first line, text) of each cell; what stands above the first marker is one as well."""
    starts = [0, *(at for at, line in enumerate(lines) if at and line.startswith(MARKER))]
    ends = [*starts[1:], len(lines)]
    return [(start + 1, "\n".join(lines[start:end])) for start, end in zip(starts, ends)]


def read(lab: Lab) -> bool:
    """Fill the lab's definitions and cell names; False where it must be read as a whole."""
    if any(word in lab.text for word in BEYOND):
        return False
    known = _kept(lab)
    cells: list[tuple[int, str, list]] = []
    fresh: set[str] = set()  # names whose definition is not the one that was kept
    is_new = False
    try:
        for line, text in split(lab.lines):
            then, bound = known.get(text, (0, None))
            if bound is None:
                bound = _parsed(lab, line, text)
                fresh.update(name for name, *_ in bound)
                is_new = True
            elif then != line and bound:
                bound = [_moved(one, line - then) for one in bound]
                is_new = True
            cells.append((line, text, bound))
    except CANNOT:
        return False  # whoever reads the whole says what is wrong with it, if anything is
    for text in known.keys() - {text for _, text, _ in cells}:
        fresh.update(name for name, *_ in known[text][1])
        is_new = True
    lab.is_new = is_new
    lab.cells = [(line, text, _filled(lab, bound, fresh)) for line, text, bound in cells]
    return True


def _parsed(lab: Lab, line: int, text: str) -> list[tuple]:
    """(name, line, packed definition or None) of what a cell binds; compiled, to be sure of it."""
    tree: Any = compile(
        "\n" * (line - 1) + text, lab.path, "exec", PyCF_ONLY_AST, dont_inherit=True
    )
    compile(tree, lab.path, "exec", dont_inherit=True)
    return [
        (name, node.lineno, Definition(name, node, lab) if kept else None)
        for node in tree.body
        for name, kept in bindings(node)
    ]


def _moved(bound: tuple, by: int) -> tuple:
    """A binding, some lines further down: its place is known; its code has lines."""
    name, line, packed = bound
    if packed is not None:
        start, end, name_line, column, offset, _ = packed
        packed = (start + by, end + by, name_line + by, column, offset, None)
    return name, line + by, packed


def _filled(lab: Lab, bound: list[tuple], fresh: set[str]) -> list[tuple]:
    """Enter a cell's bindings into the lab. What is judged by a solution that changed is new."""
    entered = []
    for name, line, what in bound:
        if what is None:
            lab.cell_names.setdefault(name, line)
        else:
            if not isinstance(what, Definition):
                if f"solution_{name}" in fresh:
                    what = (*what[:-1], None)
                what = Definition.unpack(name, lab, what)
            lab.definitions.setdefault(name, []).append(what)
        entered.append((name, line, what))
    return entered


def _place(lab: Lab) -> tuple[str, bytes]:
    """Where the cells are kept, and the first bytes of that file: compiled code holds the path."""
    from importlib.util import source_hash

    folder, file = os.path.split(lab.path)
    place = os.path.join(folder, "__pycache__", f"{file}.{sys.hexversion:x}.cells")
    return place, source_hash(lab.path.encode("utf-8", "replace"))


def _kept(lab: Lab) -> dict[str, tuple[int, list[tuple]]]:
    """Text of a cell -> (first line, what it binds), from the last time; empty where unknown."""
    try:
        place, head = _place(lab)
        with open(place, "rb") as file:
            return marshal.loads(file.read()) if file.read(len(head)) == head else {}
    except (OSError, ValueError, EOFError, TypeError):
        return {}


def keep(lab: Lab) -> None:
    """Write down what the cells bind, with all that can be found out about it."""
    try:
        kept = {
            text: (line, [(name, at, what and what.pack()) for name, at, what in bound])
            for line, text, bound in lab.cells
        }
        place, head = _place(lab)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        temporary = f"{place}.{os.getpid()}"
        with open(temporary, "wb") as file:
            file.write(head + marshal.dumps(kept))
        os.replace(temporary, place)
    except (OSError, ValueError, SyntaxError):
        return  # a folder that cannot be written, a constant of no plain type: parse again
