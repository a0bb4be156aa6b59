"""Read a lab: a percent-format file, parsed and never imported.

Everything that the faces need without running anything is here: the stages and
their lines, the definitions, the variables that cells make, and which stage a
line belongs to. Imports nothing heavy; a parse of 800 lines takes about 3 ms.
"""

from __future__ import annotations

import _ast as ast
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

PyCF_ONLY_AST = 0x400
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HEADING = "# ## Stage "
DIVIDER = "# # Solutions"
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class NotUsable(Exception):
    """Cannot be done as asked (exit status 2): one line for the editor, then what to do."""

    def __init__(self, message: str, next_step: str, where: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message, self.next_step, self.where, self.code = message, next_step, where, code

    def __str__(self) -> str:
        head = f"{self.where}: error: {self.message}" if self.where else f"error: {self.message}"
        tail = f" [{self.code}]" if self.code else ""
        return f"{head}{tail}\n  next       {self.next_step}"


class Definition:
    """A name that the file defines at top level: `def`, `class`, import or assignment."""

    __slots__ = ("column", "end", "line", "name", "node")

    def __init__(self, name: str, node: Any) -> None:
        self.name, self.node = name, node
        decorators = getattr(node, "decorator_list", [])
        self.line = min([node.lineno, *(d.lineno for d in decorators)])
        self.end = node.end_lineno
        offset = {ast.FunctionDef: 5, ast.AsyncFunctionDef: 11, ast.ClassDef: 7}
        self.column = node.col_offset + offset.get(type(node), 1)

    @property
    def name_line(self) -> int:
        """The line that holds the name itself, below any decorator (1-based)."""
        return self.node.lineno


class Stage:
    """One stage of a lab: its number, title and the lines that it spans (1-based)."""

    __slots__ = ("end", "line", "number", "title")

    def __init__(self, number: int, title: str, line: int, end: int) -> None:
        self.number, self.title, self.line, self.end = number, title, line, end


class Lab:
    """A lab file, read. `text` may stand in for what is on the disk."""

    def __init__(self, path: str, text: str | None = None) -> None:
        self.path = os.path.abspath(path)
        self.stem = os.path.basename(path).removesuffix(".py")
        self.number = int(self.stem.split("_")[1])
        self.id = f"lab-{self.number}"
        self.relative = f"labs/{os.path.basename(path)}"
        self.text = _source(self.path, self.relative, self.id) if text is None else text
        self.lines = self.text.split("\n")
        self.tree = self._parse()
        self.stages: dict[int, Stage] = {}
        self.divider = len(self.lines) + 1
        self._read_headings()
        self.definitions: dict[str, list[Definition]] = {}
        self.cell_names: dict[str, int] = {}
        self._read_statements()

    def _parse(self) -> Any:
        try:
            return compile(self.text, self.path, "exec", PyCF_ONLY_AST, dont_inherit=True)
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
                if number.isdigit():
                    title = title.lstrip("·:-* ").strip()
                    self.stages[int(number)] = Stage(int(number), title, at, after - 1)

    def _read_statements(self) -> None:
        for node in self.tree.body:
            for name, kept in bindings(node):
                if kept:
                    self.definitions.setdefault(name, []).append(Definition(name, node))
                else:
                    self.cell_names.setdefault(name, node.lineno)

    @property
    def title(self) -> str:
        """The lab's first heading, without its number."""
        return _title(self.lines) or self.stem

    def definition(self, name: str) -> Definition | None:
        """The newest definition of a name: the last in the file, as in a kernel."""
        return self.definitions[name][-1] if name in self.definitions else None

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
        return Lab(self.path, "\n".join(lines))

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
                    other.definitions[bound] = [Definition(bound, node)]
        return other


def bindings(node: Any) -> Iterator[tuple[str, bool]]:
    """(name, whether a check keeps it) for what a top-level statement binds.

    Kept: definitions, imports, UPPER_CASE constants and lambdas. Not kept: the
    variables that a cell makes (lower case), which only a kernel has.
    """
    if isinstance(node, DEFINITIONS):
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
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, (ast.Tuple, ast.List)):
        for item in target.elts:
            yield from _names(item)
    elif isinstance(target, ast.Starred):
        yield from _names(target.value)


def _source(path: str, relative: str, code: str) -> str:
    """The file's text with LF line ends; the file itself is never written."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise NotUsable(
            f"cannot be read: {error.strerror}",
            "check the file's name and its rights",
            relative,
            code,
        ) from None
    try:
        text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise NotUsable(
            f"the file is not UTF-8: byte 0x{data[error.start]:02x}",
            "save it again with the encoding UTF-8",
            f"{relative}:{line}:1",
            code,
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def name_and_title(path: str) -> tuple[str, str, str]:
    """(`lab-3`, `BPE tokenizer`, `labs/lab_3_bpe.py`) of a file that may not parse."""
    file = os.path.basename(path)
    with open(path, "rb") as source:
        head = source.read(4096).decode("utf-8", "replace").splitlines()
    return f"lab-{file.split('_')[1]}", _title(head) or file, f"labs/{file}"


def _title(lines: list[str]) -> str:
    for line in lines:
        if line.startswith("# # "):
            return line[4:].rpartition(" · ")[2].strip()
    return ""


def outline(path: str) -> list[tuple[int, int, list[str]]]:
    """(stage, line, functions) of a file that may not parse: by headings and `def` lines.

    `line` is that of the stage's first function, or of its heading.
    """
    with open(path, "rb") as file:
        lines = file.read().decode("utf-8", "replace").splitlines()
    solved = {name for line in lines if (name := defined(line)).startswith("solution_")}
    found: list[tuple[int, int, list[str]]] = []
    for at, line in enumerate(lines, 1):
        number, _, _ = line.removeprefix(HEADING).partition(" ")
        if line.startswith(HEADING) and number.isdigit():
            found.append((int(number), at, []))
        elif line.startswith(DIVIDER):
            break
        elif found and f"solution_{defined(line)}" in solved:
            stage, first, names = found[-1]
            found[-1] = (stage, first if names else at, [*names, defined(line)])
    return found


def defined(line: str) -> str:
    """The name that a `def` or `class` line at the left margin defines, or nothing."""
    for word in ("def ", "class "):
        if line.startswith(word):
            return line.removeprefix(word).partition("(")[0].partition(":")[0].strip()
    return ""


def is_cell_marker(line: str) -> bool:
    """Whether the Jupyter extension starts a cell here (its regex, for `# %%`)."""
    return line.startswith("#") and line[1:].lstrip().startswith("%%")


def is_markdown_marker(line: str) -> bool:
    """Whether that cell is a markdown cell."""
    return is_cell_marker(line) and line[1:].lstrip()[2:].lstrip().startswith("[markdown]")


def discover(root: str = ROOT) -> list[str]:
    """The paths of all labs, by number."""
    folder = os.path.join(root, "labs")
    found = []
    for name in os.listdir(folder) if os.path.isdir(folder) else []:
        parts = name.split("_")
        if name.endswith(".py") and parts[0] == "lab" and len(parts) > 2 and parts[1].isdigit():
            found.append((int(parts[1]), os.path.join(folder, name)))
    return [path for _, path in sorted(found)]


def find(word: str, root: str = ROOT) -> str:
    """The path of the lab called `3`, `lab-3`, `lab_3_bpe` or by its file."""
    name = os.path.basename(word.replace("\\", "/")).removesuffix(".py")
    bare = name.lower().removeprefix("lab").lstrip("-_ ")
    number = bare.partition("_")[0]
    paths = discover(root)
    for path in paths:
        stem = os.path.basename(path).removesuffix(".py")
        if stem == name or (number.isdigit() and bare == number and f"_{number}_" in stem):
            return path
    have = ", ".join(os.path.basename(p).split("_")[1] for p in paths) or "none"
    raise NotUsable(f"there is no lab called {word}", f"name one of the labs: {have}")
