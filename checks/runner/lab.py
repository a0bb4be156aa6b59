"""Read a lab: a percent-format file, parsed and never imported.

Everything that the faces need without running anything is here: the stages and
their lines, the definitions, the variables that cells make, and which stage a
line belongs to. Imports nothing heavy; a parse of 800 lines takes about 5 ms,
and what did not change since the last time is not parsed again (`cells`).
"""

from __future__ import annotations

import os

from checks.runner import places
from checks.runner.places import ROOT, NotUsable, as_number, discover, find, progress_folder

__all__ = ["ROOT", "Definition", "Lab", "NotUsable", "Stage", "bindings", "discover", "find",
           "progress_folder", "title_of"]  # fmt: skip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

PyCF_ONLY_AST = 0x400
HEADING = "# ## Stage "
DIVIDER = "# # Solutions"
SEALED = ".sealed"  # a lab whose text cannot be read at a glance: checks/lab_x/lab_x.sealed


class Definition:
    """A name that the file defines at top level: `def`, `class`, import or assignment.

    line, end  the lines of the whole statement, decorators included (1-based)
    name_line  the line that holds the name itself, below any decorator
    column     where the name stands in that line (1-based)
    """

    __slots__ = ("_facts", "_node", "column", "end", "lab", "line", "name", "name_line", "offset")

    def __init__(self, name: str, node: Any, lab: Lab) -> None:
        self.name, self._node, self.lab = name, node, lab
        self._facts: tuple | None = None
        decorators = getattr(node, "decorator_list", [])
        self.line = min([node.lineno, *(d.lineno for d in decorators)])
        self.end, self.name_line, self.offset = node.end_lineno, node.lineno, node.col_offset
        offset = {"FunctionDef": 5, "AsyncFunctionDef": 11, "ClassDef": 7}
        self.column = node.col_offset + offset.get(type(node).__name__, 1)

    def pack(self) -> tuple:
        """The definition as plain data, with what was found out about it."""
        place = self.line, self.end, self.name_line, self.column, self.offset
        return (*place, self.facts)

    @classmethod
    def unpack(cls, name: str, lab: Lab, packed: tuple) -> Definition:
        """The inverse of `pack`: the statement is parsed only if somebody asks for its node."""
        found: Definition = object.__new__(cls)
        found.name, found._node, found.lab = name, None, lab
        found.line, found.end, found.name_line, found.column, found.offset, found._facts = packed
        return found

    @property
    def facts(self) -> tuple:
        """(is a stub, what is wrong with its signature, global names it loads, its code)."""
        if self._facts is None:
            from checks.runner import facts

            self._facts = facts.of(self)
        return self._facts

    @property
    def is_stub(self) -> bool:
        """Whether it is still to be written."""
        return self.facts[0]

    @property
    def problem(self) -> str:
        """Why it cannot be called by the contract of its solution; nothing where it can."""
        return self.facts[1]

    @property
    def node(self) -> Any:
        """The statement's syntax tree, with the line numbers of the file."""
        if self._node is None:
            text = "\n" * (self.line - 1) + self.lab.source(self)
            tree: Any = compile(text, self.lab.path, "exec", PyCF_ONLY_AST, dont_inherit=True)
            here = self.name_line, self.offset
            (self._node,) = (n for n in tree.body if (n.lineno, n.col_offset) == here)
        return self._node


class Stage:
    """One stage of a lab: its number, title and the lines that it spans (1-based)."""

    __slots__ = ("end", "line", "number", "title")

    def __init__(self, number: int, title: str, line: int, end: int) -> None:
        self.number, self.title, self.line, self.end = number, title, line, end


class Lab:
    """A lab file, read.

    text   stands in for what is on the disk
    key    the lab whose solutions count; else the sealed one, where there is one, or this file
    later  the caller calls `remember` when a verdict no longer waits for it
    """

    def __init__(
        self, path: str, text: str | None = None, key: Lab | None = None, later: bool = False
    ) -> None:
        self.path = os.path.abspath(path)
        self._key = key
        self.stem = places.stem_of(path).removesuffix(SEALED)
        self.number = places.number_of(path)
        self.id = f"lab-{self.number}"
        self.relative = f"labs/{os.path.basename(path)}"
        self.text = _source(self.path, self.relative, self.id) if text is None else text
        self.lines = self.text.split("\n")
        self.stages: dict[int, Stage] = {}
        self.divider = len(self.lines) + 1
        self._read_headings()
        self.definitions: dict[str, list[Definition]] = {}
        self.cell_names: dict[str, int] = {}
        self.cells: list[tuple] = []  # what is kept of each cell for the next time
        self.is_new = False  # whether some of it was not known before
        if text is not None or not self._read_cells():
            tree = self._parse()
            if text is None:
                self._compile(tree)
            self._read_statements(tree)
        if not later:
            self.remember()

    def _parse(self) -> Any:
        return self._compile(self.text, PyCF_ONLY_AST)

    def _compile(self, source: Any, flags: int = 0) -> Any:
        """Compile text or a tree; what only the second step finds (`return` in no function) too."""
        try:
            return compile(source, self.path, "exec", flags, dont_inherit=True)
        except SyntaxError as error:
            line, column = error.lineno or 1, error.offset or 1
            problem = f"the file does not parse: {error.msg}"
        except (ValueError, RecursionError, MemoryError) as error:
            line, column, problem = 1, 1, f"the file does not parse: {error}"
        raise NotUsable(
            problem,
            f"fix line {line}, save, and run again; no stage can be judged before that",
            f"{self.relative}:{line}:{max(column, 1)}",
            self.id,
        )

    def verify(self) -> None:
        """Refuse what no file may hold, also where the text was given: `return` in no function."""
        self._compile(self._parse())

    def _read_headings(self) -> None:
        heads: list[tuple[int, str]] = []
        for at, line in enumerate(self.lines, 1):
            if line.startswith(("# ## ", DIVIDER)):
                heads.append((at, line.rstrip()))
        for (at, line), (after, _) in zip(heads, [*heads[1:], (len(self.lines) + 1, "")]):
            if line.startswith(DIVIDER):
                self.divider = min(self.divider, at)
            if line.startswith(HEADING):
                number, _, title = line.removeprefix(HEADING).partition(" ")
                n = as_number(number)
                if n >= 0:
                    title = title.lstrip("·:-* ").strip()
                    self.stages[n] = Stage(n, title, at, after - 1)

    def _read_statements(self, tree: Any) -> None:
        for node in tree.body:
            for name, kept in bindings(node):
                if kept:
                    self.definitions.setdefault(name, []).append(Definition(name, node, self))
                else:
                    self.cell_names.setdefault(name, node.lineno)

    def _read_cells(self) -> bool:
        from checks.runner import cells

        return cells.read(self)

    def remember(self) -> None:
        """Keep what was found out about every definition for the next time; 3 ms, once a save."""
        if self.is_new:
            from checks.runner import cells

            self.is_new = False
            cells.keep(self)

    @property
    def key(self) -> Lab:
        """The lab that the `solution_*` are taken from, and what they reach: contract, reference.

        This very file, unless somebody else's is judged, or it was handed out without them.
        """
        if self._key is None:
            sealed = sealed_path(self.stem)
            self._key = Lab(sealed) if self.path != sealed and os.path.exists(sealed) else self
        return self._key

    @property
    def title(self) -> str:
        """The lab's first heading, without its number."""
        return title_of(self.lines) or self.stem

    def definition(self, name: str) -> Definition | None:
        """The newest definition of a name: the last in the file, as in a kernel."""
        return self.definitions[name][-1] if name in self.definitions else None

    @property
    def imports(self) -> set[str]:
        """The top-level modules that the file's import statements name."""
        found: set[str] = set()
        for every in self.definitions.values():
            newest = every[-1]
            line = self.lines[newest.name_line - 1].encode()[newest.offset :]
            if line.startswith((b"import ", b"from ")):  # no other statement need be parsed
                node = newest.node
                for alias in node.names:
                    found.add((getattr(node, "module", None) or alias.name).partition(".")[0])
        return found

    def source(self, definition: Definition) -> str:
        """The definition's own lines, decorators included."""
        return "\n".join(self.lines[definition.line - 1 : definition.end])

    def where(self, line: int, column: int = 1) -> str:
        """`labs/lab_3_bpe.py:120:1`, as an editor wants it."""
        return f"{self.relative}:{line}:{column}"

    def splice(self, name: str, source: str) -> Lab:
        """The same lab with the newest definition of `name` replaced by `source`."""
        found = self.definition(name)
        assert found is not None, f"{self.relative} defines no {name}"
        lines = [*self.lines[: found.line - 1], *source.split("\n"), *self.lines[found.end :]]
        return Lab(self.path, "\n".join(lines), None if self._key is self else self._key)

    def patched(self, name: str, source: str) -> Lab:
        """As `splice`, for running only: just `source` is parsed, and the text stays as it was."""
        found = self.definition(name)
        assert found is not None, f"{self.relative} defines no {name}"
        text = "\n" * (found.line - 1) + source
        tree: Any = compile(text, self.path, "exec", PyCF_ONLY_AST, dont_inherit=True)
        other: Lab = object.__new__(Lab)
        other.__dict__.update(self.__dict__)
        other.definitions = dict(self.definitions)
        for node in tree.body:
            for bound, kept in bindings(node):
                if kept:
                    other.definitions[bound] = [Definition(bound, node, other)]
        return other


def bindings(node: Any) -> Iterator[tuple[str, bool]]:
    """(name, whether a check keeps it) for what a top-level statement binds.

    Kept: definitions, imports, UPPER_CASE constants and lambdas. Not kept: the
    variables that a cell makes (lower case), which only a kernel has.
    """
    import _ast as ast

    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name, True
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        for alias in node.names:
            yield (alias.asname or alias.name.partition(".")[0]), True
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            for name in _names(target):
                yield name, isinstance(node.value, ast.Lambda) or name.upper() == name != "_"
    elif isinstance(node, (ast.If, ast.Try)):
        parts = [*node.body, *node.orelse]
        for handler in getattr(node, "handlers", []):
            parts += handler.body
        for part in parts:
            yield from bindings(part)
    elif isinstance(node, (ast.For, ast.AugAssign)):
        for name in _names(node.target):
            yield name, False
        for part in getattr(node, "body", []):
            for name, _ in bindings(part):
                yield name, False
    elif isinstance(node, ast.With):
        for item in node.items:
            for name in _names(item.optional_vars):
                yield name, False
        for part in node.body:
            for name, _ in bindings(part):
                yield name, False


def _names(target: Any) -> Iterator[str]:
    import _ast as ast

    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, (ast.Tuple, ast.List)):
        for item in target.elts:
            yield from _names(item)
    elif isinstance(target, ast.Starred):
        yield from _names(target.value)


def _source(path: str, relative: str, code: str) -> str:
    """A lab's text, of a file or of a sealed copy."""
    if not path.endswith(SEALED):
        return places.source(path, relative, code)
    from checks.runner import seal

    return seal.opened(path)


def sealed_path(stem: str) -> str:
    """Where the sealed copy of a lab is, if it was handed out without its solutions."""
    return os.path.join(ROOT, "checks", stem, stem + SEALED)


def title_of(lines: list[str]) -> str:
    """The first heading of a lab, without its number; nothing where there is none."""
    for line in lines:
        if line.startswith("# # "):
            return line[4:].rpartition(" · ")[2].strip()
    return ""
