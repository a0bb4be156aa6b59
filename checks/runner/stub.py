"""The stub is derivable: signature and docstring stay, the body is two lines.

So a stage can be reset from the lab file alone, and a test proves that each
shipped stub is exactly the text that `generate` writes.
"""

from __future__ import annotations

import _ast as ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from checks.runner.lab import Definition, Lab

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def statements(node: Any) -> list:
    """The statements after the docstring."""
    return node.body[1:] if has_docstring(node) else node.body


def has_docstring(node: Any) -> bool:
    """Whether a function or a class begins with its docstring."""
    first = node.body[0]
    return (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    )


def signature(node: Any, hidden: bool = False) -> list[tuple[str, list[str]]]:
    """(name, parameters) of a function, or of the methods that a class shows to its user.

    hidden   count a class's private methods too
    """
    return [
        (part.name.removeprefix("solution_"), [arg.arg for arg in _positional(part.args)])
        for part in methods(node)
        if part is node or hidden or not part.name.startswith("_") or part.name == "__init__"
    ]


def methods(node: Any) -> list:
    """The functions that a class defines, or the function itself."""
    if isinstance(node, ast.ClassDef):
        return [part for part in node.body if isinstance(part, FUNCTIONS)]
    return [node] if isinstance(node, FUNCTIONS) else []


def raises_stub(node: Any) -> bool:
    """Whether a statement is `raise NotImplementedError("stage ...")`."""
    if not isinstance(node, ast.Raise) or not isinstance(node.exc, ast.Call):
        return False
    call = node.exc
    return (
        isinstance(call.func, ast.Name)
        and call.func.id == "NotImplementedError"
        and len(call.args) == 1
        and isinstance(call.args[0], ast.Constant)
        and str(call.args[0].value).startswith("stage ")
    )


def is_stub(node: Any) -> bool:
    """Whether a function, or every method of a class, is still to be written."""
    parts = methods(node)
    return bool(parts) and all(
        len(statements(part)) == 1 and raises_stub(statements(part)[0]) for part in parts
    )


def generate(lab: Lab, definition: Definition, stage: int) -> str:
    """The stub of `definition`: its own signature and docstring, and the two lines.

    The number of lines announced is that of the reference solution.
    """
    solution = lab.key.definition(f"solution_{definition.name}")
    assert solution is not None, f"{lab.relative} has no solution_{definition.name}"
    counts = {part.name: line_count(lab.key, part) for part in methods(solution.node)}
    lines: list[str] = []
    at = definition.line
    for part in methods(definition.node):
        body = statements(part)
        start = body[0].lineno if body else part.end_lineno + 1
        if body and lab.lines[start - 1].encode()[: body[0].col_offset].strip():
            head = lab.lines[start - 1].encode()[: body[0].col_offset].decode()
            lines += [*lab.lines[at - 1 : start - 1], head.rstrip()]  # `def f(x): return x`
        else:
            start = _comments_above(lab, start)
            lines += lab.lines[at - 1 : start - 1]
        is_class = part is not definition.node
        label = f"{definition.name}.{part.name}" if is_class else part.name
        count = counts.get(part.name if is_class else f"solution_{part.name}", 0)
        indent = _indent(lab, part)
        lines += [
            f"{indent}# TODO(you): stage {stage}, about {count} line{'s' if count != 1 else ''}.",
            f'{indent}raise NotImplementedError("stage {stage}: {label}")',
        ]
        at = part.end_lineno + 1
    lines += lab.lines[at - 1 : definition.end]
    return "\n".join(lines)


def _indent(lab: Lab, part: Any) -> str:
    """What the body of a function is indented by: tabs where the learner's docstring is."""
    first = lab.lines[part.body[0].lineno - 1]
    blank = first[: len(first) - len(first.lstrip())]
    return blank if len(blank) > part.col_offset else " " * (part.col_offset + 4)


def _comments_above(lab: Lab, line: int) -> int:
    """The first of the comment and blank lines that stand directly above a body."""
    while line > 1 and (not lab.lines[line - 2].strip() or lab.lines[line - 2].lstrip()[0] == "#"):
        line -= 1
    return line


def line_count(lab: Lab, node: Any) -> int:
    """Lines of code in a body: no docstring, no blank line, no comment line."""
    body = statements(node)
    rows = lab.lines[body[0].lineno - 1 : node.end_lineno]
    return sum(1 for row in rows if row.strip() and not row.lstrip().startswith("#"))


def solved(lab: Lab, functions: list[str]) -> str:
    """The lab's text with every stub replaced by its reference solution."""
    lines = list(lab.lines)
    found = []
    for name in functions:
        mine, theirs = lab.definition(name), lab.key.definition(f"solution_{name}")
        if mine is not None and theirs is not None:
            found.append((mine.line, mine.end, as_learner(lab.key.source(theirs))))
    for line, end, source in sorted(found, reverse=True):
        lines[line - 1 : end] = source.split("\n")
    return "\n".join(lines)


def as_learner(source: str) -> str:
    """A solution under the learner's own names."""
    return source.replace("solution_", "")


def signature_problem(mine: Any, theirs: Any) -> str:
    """Why a definition cannot be called by its contract, or nothing where it can."""
    if isinstance(theirs, ast.ClassDef):
        if not isinstance(mine, ast.ClassDef):
            return "is a class in the contract: keep `class`"
        have = {part.name: part for part in methods(mine)}
        bases = bool(mine.bases)
        for part in methods(theirs):
            if part.name.startswith("_") and part.name != "__init__":
                continue
            if part.name not in have:
                if bases or part.name == "__init__":
                    continue  # inherited, or a dataclass
                return f"has no method {part.name}, which the contract names"
            problem = signature_problem(have[part.name], part)
            if problem:
                return f"has a method {part.name} that {problem}"
        return ""
    if isinstance(mine, ast.Assign) and isinstance(mine.value, ast.Lambda):
        mine = mine.value
    if isinstance(mine, ast.AsyncFunctionDef):
        return "is an `async def`: a check calls it as a plain function"
    if not isinstance(mine, (ast.FunctionDef, ast.Lambda)) or mine.args.vararg:
        return ""
    count = len(_positional(theirs.args))
    have_count = len(_positional(mine.args))
    needed = have_count - len(mine.args.defaults)
    asked = count - len(theirs.args.defaults)
    keyword_only = [a.arg for a, d in zip(mine.args.kwonlyargs, mine.args.kw_defaults) if d is None]
    if have_count < count or needed > asked or keyword_only:
        wanted = ", ".join(a.arg for a in _positional(theirs.args))
        have_names = ", ".join([a.arg for a in _positional(mine.args)] + keyword_only)
        return f"takes ({have_names}); its contract is ({wanted})"
    return ""


def _positional(args: Any) -> list:
    return [*args.posonlyargs, *args.args]
