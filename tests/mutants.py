"""Wrong answers that nobody thought of: each solution with one small change in its syntax tree.

`python -m tests.mutants 3 [STAGE]` judges them all and prints those that a check lets pass.
A mutant that does the same as the solution is no wrong answer; it is listed, with the reason,
in tests/equivalent/<lab>.txt: a line as this command prints it, then an indented reason.
The mutation tools for packages change files and run test suites; here the unit is one
function, judged in place of the learner's, so the operators are applied to it directly.
"""

from __future__ import annotations

import ast
import copy
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from checks.runner import sandbox, stub
from checks.runner.lab import Lab, find
from checks.runner.verdict import PASSED, TODO
from tests.workshop import JUDGES, LABS, judged, solved

SLOWER = 8  # a mutant that needs so many times what the solution needs, and a second, never ends
EQUIVALENT = Path(__file__).parent / "equivalent"

BINARY: dict[type, list[type]] = {
    ast.Add: [ast.Sub],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Div, ast.Add],
    ast.Div: [ast.Mult],
    ast.FloorDiv: [ast.Mult],
    ast.Mod: [ast.FloorDiv],
    ast.Pow: [ast.Mult],
    ast.LShift: [ast.RShift],
    ast.RShift: [ast.LShift],
    ast.BitOr: [ast.BitAnd, ast.BitXor],
    ast.BitAnd: [ast.BitOr],
    ast.BitXor: [ast.BitOr],
}
COMPARE: dict[type, list[type]] = {
    ast.Lt: [ast.LtE, ast.Gt],
    ast.LtE: [ast.Lt, ast.GtE],
    ast.Gt: [ast.GtE, ast.Lt],
    ast.GtE: [ast.Gt, ast.LtE],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
}
CALLS = {
    "min": "max", "max": "min", "sum": "mean", "mean": "sum", "argmax": "argmin",
    "argmin": "argmax", "maximum": "minimum", "minimum": "maximum", "any": "all", "all": "any",
    "zeros": "ones", "ones": "zeros", "tril": "triu", "triu": "tril", "var": "std", "std": "var",
    "median": "mean", "cumsum": "cumprod", "exp": "expm1", "log": "log2", "floor": "ceil",
    "append": "extend", "left": "right", "sin": "cos", "cos": "sin", "argsort": "sort",
    "zeros_like": "ones_like", "ones_like": "zeros_like",
}  # fmt: skip


def _constant(node: ast.Constant) -> Iterator[ast.expr]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield ast.Constant(value + 1)
        yield ast.Constant(value - 1)
    elif isinstance(value, float):
        yield ast.Constant(value * 1.1 if value else 0.1)
        yield ast.Constant(value + 1)
    elif isinstance(value, str) and value in CALLS:
        yield ast.Constant(CALLS[value])


def _expressions(node: ast.AST) -> Iterator[Any]:
    """What may stand in the place of an expression."""
    if isinstance(node, ast.Constant):
        yield from _constant(node)
    elif isinstance(node, ast.BinOp):
        for other in BINARY.get(type(node.op), []):
            yield ast.BinOp(node.left, other(), node.right)
        yield node.left
        yield node.right
    elif isinstance(node, ast.UnaryOp) and not isinstance(node.operand, ast.Constant):
        yield node.operand
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        yield from node.values
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        for other in COMPARE.get(type(node.ops[0]), []):
            yield ast.Compare(node.left, [other()], node.comparators)
    elif isinstance(node, ast.IfExp):
        yield node.body
        yield node.orelse
    elif isinstance(node, ast.Attribute) and node.attr in CALLS:
        yield ast.Attribute(node.value, CALLS[node.attr], node.ctx)
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield node.value
    elif isinstance(node, ast.Name) and node.id in CALLS and isinstance(node.ctx, ast.Load):
        yield ast.Name(CALLS[node.id], node.ctx)
    elif isinstance(node, ast.Call):
        yield from _calls(node)
    elif isinstance(node, ast.Slice):
        yield from _slices(node)
    elif isinstance(node, ast.comprehension) and node.ifs:
        yield ast.comprehension(node.target, node.iter, [], node.is_async)


def _calls(node: ast.Call) -> Iterator[ast.expr]:
    for at in range(len(node.keywords)):  # every keyword left out once
        yield ast.Call(node.func, node.args, node.keywords[:at] + node.keywords[at + 1 :])
    if len(node.args) == 2:
        yield ast.Call(node.func, node.args[::-1], node.keywords)
    if len(node.args) == 1 and not node.keywords:
        yield node.args[0]
    if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Call | ast.BinOp):
        yield node.func.value


def _slices(node: ast.Slice) -> Iterator[ast.Slice]:
    for field in ("lower", "upper", "step"):
        if getattr(node, field) is not None:
            other = copy.copy(node)
            setattr(other, field, None)
            yield other


def _statements(node: ast.stmt) -> Iterator[Any]:
    """What may stand in the place of a statement."""
    if isinstance(node, ast.Assign | ast.AugAssign | ast.Expr | ast.Break | ast.Continue):
        yield ast.Pass()
    if isinstance(node, ast.AugAssign):
        for other in BINARY.get(type(node.op), []):
            yield ast.AugAssign(node.target, other(), node.value)
        yield ast.Assign([node.target], node.value)
    elif isinstance(node, ast.If | ast.While):
        for truth in [True, False] if isinstance(node, ast.If) else [False]:
            yield type(node)(ast.Constant(truth), node.body, node.orelse)
        yield type(node)(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)


def _places(root: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST, ast.stmt]]:
    """(parent, field, index, node, the statement that it is in) of every node in bodies."""

    def walk(parent: ast.AST, inside: Any) -> Iterator[Any]:
        for field, value in ast.iter_fields(parent):
            if field in ("args", "decorator_list", "returns") and isinstance(
                parent, ast.FunctionDef
            ):
                continue  # the signature is the contract
            for at, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if isinstance(node, ast.AST):
                    here = node if isinstance(node, ast.stmt) else inside
                    yield parent, field, at, node, here
                    yield from walk(node, here)

    yield from walk(root, None)


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """(description, source) of every mutant of one definition, each once."""
    root = ast.parse(source).body[0]
    seen = {ast.unparse(root)}
    for parent, field, at, node, inside in _places(root):
        if inside is None:  # the bases of a class are its contract
            continue
        options = _statements(node) if isinstance(node, ast.stmt) else _expressions(node)
        before = ast.unparse(inside).splitlines()[0]
        for other in options:
            _put(parent, field, at, other)
            text = ast.unparse(ast.fix_missing_locations(root))
            shown = inside if inside is not node else other
            after = ast.unparse(shown).splitlines()[0]
            _put(parent, field, at, node)
            if text not in seen:
                seen.add(text)
                yield f"{before}  ->  {after}", text


def _put(parent: ast.AST, field: str, at: int | None, node: ast.AST) -> None:
    if at is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[at] = node


def of_stage(lab: Lab, number: int) -> list[tuple[str, Lab]]:
    """(key, the solved lab with this mutant) of every mutant in a stage."""
    found = []
    for function in JUDGES[lab.id].own(number):
        source = stub.as_learner(lab.source(lab.definition(f"solution_{function}")))
        for what, text in mutants(source):
            found.append((f"{function}: {what}", solved(lab).splice(function, text)))
    return found


def equivalents(lab: Lab) -> dict[str, str]:
    """The mutants of a lab that do the same as the solution, and why."""
    path = EQUIVALENT / f"{lab.stem}.txt"
    found: dict[str, str] = {}
    key = ""
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        if line.startswith(" ") and key:
            found[key] = f"{found[key]} {line.strip()}".strip()
        elif line.strip():
            key = line.rstrip()
            found[key] = ""
    return found


def survivors(lab: Lab, number: int) -> tuple[int, list[str]]:
    """How many mutants were tried, and the keys of those that the check lets pass."""
    check = JUDGES[lab.id].checks[number]
    check.seconds = min(check.seconds, 1 + SLOWER * judged(solved(lab), number).seconds)
    every = of_stage(lab, number)

    def state(mutant: tuple[str, Lab]) -> str:
        job = sandbox.Job(mutant[1], [number])
        job.diagnosing = False
        return sandbox.run(job)[0].state

    with ThreadPoolExecutor(2) as pool:
        states = list(pool.map(state, every))
    return len(every), [key for (key, _), got in zip(every, states) if got in (PASSED, TODO)]


def main(word: str, stage: str = "") -> int:
    """Print every survivor of a lab that is not listed as equivalent; how many there are."""
    lab = next(lab for lab in LABS if lab.path == find(word))
    known, total = equivalents(lab), 0
    for number in [int(stage)] if stage else lab.stages:
        tried, alive = survivors(lab, number)
        fresh = [key for key in alive if key not in known]
        equal = len(alive) - len(fresh)
        print(
            f"stage {number}: {tried} mutants, {len(fresh)} alive, {equal} equivalent", flush=True
        )
        for key in fresh:
            print(f"  {key}")
        total += len(fresh)
    return total


if __name__ == "__main__":
    import tests.conftest  # noqa: F401  the pins, and a warm parent

    sys.exit(1 if main(*sys.argv[1:]) else 0)
