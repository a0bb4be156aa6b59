"""One small change in the syntax tree of a definition: the operators behind `tests.mutants`.

Each stands for a mistake that people make: the other operator, the other axis, a bound that is
off by one, arguments in the wrong order, a call or a keyword left out, one name for another that
was bound together with it. The signature stays: it is the contract.
"""

from __future__ import annotations

import ast
import copy
import itertools
from collections.abc import Iterator
from typing import Any

BINARY: dict[type, list[type]] = {
    ast.Add: [ast.Sub],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Div, ast.Add],
    ast.Div: [ast.Mult, ast.FloorDiv],
    ast.FloorDiv: [ast.Mult, ast.Div],
    ast.Mod: [ast.FloorDiv],
    ast.Pow: [ast.Mult],
    ast.LShift: [ast.RShift],
    ast.RShift: [ast.LShift],
    ast.BitOr: [ast.BitAnd, ast.BitXor],
    ast.BitAnd: [ast.BitOr],
    ast.BitXor: [ast.BitOr],
}
ORDERED = ast.Sub | ast.Div | ast.FloorDiv | ast.Mod | ast.Pow | ast.MatMult | ast.LShift
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
    "zeros_like": "ones_like", "ones_like": "zeros_like", "sqrt": "square", "repeat": "tile",
    "tile": "repeat", "hstack": "vstack", "vstack": "hstack", "percentile": "quantile",
    "quantile": "percentile", "lower": "upper", "replace": "ignore", "erf": "erfc", "erfc": "erf",
    "standard_normal": "random", "random": "standard_normal", "softmax": "log_softmax",
    "ptp": "max",
}  # fmt: skip
MODULES = {"np", "torch", "math", "re", "F", "nn", "plt", "random", "time"}
AXES = {"axis", "dim"}
CHANGING = {  # methods that change what they are called on; a generator is changed by a draw
    "append", "extend", "insert", "add", "pop", "update", "sort", "fill",
    "integers", "choice", "standard_normal", "normal", "random", "binomial",
}  # fmt: skip
LEAVING = ast.Return | ast.Raise | ast.Break | ast.Continue
QUANTIFIERS = "+*?"


class Scope:
    """What a definition says about its names: which were bound together, which keys it reads."""

    def __init__(self, root: ast.AST) -> None:
        self.together: dict[str, list[str]] = {}
        self.keys: list[str] = []
        for node in ast.walk(root):
            if isinstance(node, ast.FunctionDef):
                self._bind([arg.arg for arg in node.args.args if arg.arg != "self"])
            elif isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Store):
                self._bind([part.id for part in node.elts if isinstance(part, ast.Name)])
            elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
                key = node.slice.value
                if isinstance(key, str) and key not in self.keys:
                    self.keys.append(key)

    def _bind(self, names: list[str]) -> None:
        for name in names:
            if name != "_":
                known = self.together.setdefault(name, [])
                known += [other for other in names if other not in (name, "_", *known)]

    def others(self, node: ast.Name) -> list[str]:
        """The names that one may confuse with this one."""
        return self.together.get(node.id, []) if isinstance(node.ctx, ast.Load) else []


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


def expressions(node: ast.AST, scope: Scope) -> Iterator[Any]:
    """What may stand in the place of an expression."""
    if isinstance(node, ast.Constant):
        yield from _constant(node)
    elif isinstance(node, ast.BinOp):
        for other in BINARY.get(type(node.op), []):
            yield ast.BinOp(node.left, other(), node.right)
        yield node.left
        yield node.right
        if isinstance(node.op, ORDERED):
            yield ast.BinOp(node.right, node.op, node.left)
    elif isinstance(node, ast.UnaryOp) and not isinstance(node.operand, ast.Constant):
        yield node.operand
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        yield from node.values
    elif isinstance(node, ast.Compare):
        for at, op in enumerate(node.ops):
            for other in COMPARE.get(type(op), []):
                ops = [*node.ops[:at], other(), *node.ops[at + 1 :]]
                yield ast.Compare(node.left, ops, node.comparators)
    elif isinstance(node, ast.IfExp):
        yield node.body
        yield node.orelse
    elif isinstance(node, ast.Attribute | ast.Name):
        yield from _names(node, scope)
    elif isinstance(node, ast.Call):
        yield from _calls(node)
    elif isinstance(node, ast.Slice):
        yield from _slices(node)
    elif isinstance(node, ast.Subscript):
        yield from _subscripts(node, scope)
    elif isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Load) and len(node.elts) == 2:
        yield ast.Tuple(node.elts[::-1], node.ctx)
    elif isinstance(node, ast.comprehension):
        if node.ifs:
            yield ast.comprehension(node.target, node.iter, [], node.is_async)
        for other in _shortened(node.iter):
            yield ast.comprehension(node.target, other, node.ifs, node.is_async)


def _names(node: ast.Attribute | ast.Name, scope: Scope) -> Iterator[ast.expr]:
    if isinstance(node, ast.Attribute):
        if node.attr in CALLS:
            yield ast.Attribute(node.value, CALLS[node.attr], node.ctx)
        elif node.attr == "T":
            yield node.value
    elif isinstance(node.ctx, ast.Load):
        if node.id in CALLS:
            yield ast.Name(CALLS[node.id], node.ctx)
        for other in scope.others(node):
            yield ast.Name(other, node.ctx)


def _calls(node: ast.Call) -> Iterator[ast.expr]:
    keywords = node.keywords
    for at, keyword in enumerate(keywords):  # every keyword left out once
        before, after = keywords[:at], keywords[at + 1 :]
        yield ast.Call(node.func, node.args, before + after)
        if keyword.arg in AXES:
            for axis in (0, 1):  # -1 for the last one is a matter of style
                other = ast.keyword(keyword.arg, ast.Constant(axis))
                yield ast.Call(node.func, node.args, [*before, other, *after])
    for at in range(len(node.args) - 1):  # neighbours swapped
        swapped = [*node.args]
        swapped[at : at + 2] = swapped[at : at + 2][::-1]
        yield ast.Call(node.func, swapped, keywords)
    if len(node.args) == 1 and not keywords:
        yield node.args[0]
    if isinstance(node.func, ast.Attribute):
        base = node.func.value
        if isinstance(base, ast.Name) and base.id in MODULES:
            if base.id == "re" and node.args and isinstance(node.args[0], ast.Constant):
                for pattern in _patterns(node.args[0].value):
                    rest = [ast.Constant(pattern), *node.args[1:]]
                    yield ast.Call(node.func, rest, keywords)
        else:
            yield base
    called = (
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    )
    if called in ("range", "arange"):
        for at, bound in enumerate(node.args):
            for other in _off_by_one(bound):
                yield ast.Call(node.func, [*node.args[:at], other, *node.args[at + 1 :]], keywords)


def _patterns(pattern: Any) -> Iterator[str]:
    """A regular expression with one of its quantifiers left out."""
    for at, letter in enumerate(pattern if isinstance(pattern, str) else ""):
        if letter in QUANTIFIERS and at and pattern[at - 1] not in "(\\":
            yield pattern[:at] + pattern[at + 1 :]


def _off_by_one(bound: ast.expr) -> Iterator[ast.expr]:
    """A bound that is no constant, one more and one less; constants have their own operator."""
    if not isinstance(bound, ast.Constant):
        yield ast.BinOp(bound, ast.Add(), ast.Constant(1))
        yield ast.BinOp(bound, ast.Sub(), ast.Constant(1))


def _slices(node: ast.Slice) -> Iterator[ast.Slice]:
    for field in ("lower", "upper", "step"):
        bound = getattr(node, field)
        if bound is not None:
            for other in [None, *(_off_by_one(bound) if field != "step" else [])]:
                changed = copy.copy(node)
                setattr(changed, field, other)
                yield changed


def _subscripts(node: ast.Subscript, scope: Scope) -> Iterator[ast.expr]:
    inside = node.slice
    if isinstance(inside, ast.Name) and isinstance(node.ctx, ast.Load):
        for other in _off_by_one(inside):
            yield ast.Subscript(node.value, other, node.ctx)
    elif isinstance(inside, ast.Constant) and isinstance(inside.value, str):
        for key in scope.keys:  # `w_k` for `w_v`, `ln1_gain` for `ln2_gain`
            if key != inside.value and len(key) == len(inside.value):
                yield ast.Subscript(node.value, ast.Constant(key), node.ctx)


def _shortened(items: ast.expr) -> Iterator[ast.expr]:
    """A loop that misses the first item, or the last."""
    every = ast.Call(ast.Name("list", ast.Load()), [items], [])
    for lower, upper in ((ast.Constant(1), None), (None, ast.Constant(-1))):
        yield ast.Subscript(every, ast.Slice(lower, upper), ast.Load())


def statements(node: ast.stmt) -> Iterator[Any]:
    """What may stand in the place of a statement."""
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp):
        (target, *more), value = node.targets, node.value
        if not more and ast.unparse(target) == ast.unparse(value.left):
            yield ast.AugAssign(target, value.op, value.right)  # in place: whose array is it?
    simple = ast.Assign | ast.AugAssign | ast.Expr | ast.Break | ast.Continue | ast.Raise
    if isinstance(node, simple):
        yield ast.Pass()
    if isinstance(node, ast.Break):
        yield ast.Continue()
    elif isinstance(node, ast.Continue):
        yield ast.Break()
    elif isinstance(node, ast.AugAssign):
        for other in BINARY.get(type(node.op), []):
            yield ast.AugAssign(node.target, other(), node.value)
        yield ast.Assign([node.target], node.value)
    elif isinstance(node, ast.For):
        for items in _shortened(node.iter):
            yield ast.For(node.target, items, node.body, node.orelse)
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
                    if isinstance(parent, ast.Raise | ast.JoinedStr):
                        continue  # words for people are free
                    here = node if isinstance(node, ast.stmt) else inside
                    yield parent, field, at, node, here
                    yield from walk(node, here)

    yield from walk(root, None)


def _put(parent: ast.AST, field: str, at: int | None, node: ast.AST) -> None:
    if at is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[at] = node


def _rearranged(root: ast.AST) -> Iterator[tuple[str, list[ast.stmt], list[ast.stmt]]]:
    """(what, the list of statements, what stands in it) of every block in another order.

    Two neighbours swapped, where one depends on the other; a statement that slipped into the
    loop above it; the last statement of a loop that slipped out.
    """
    for node in ast.walk(root):
        for field in ("body", "orelse"):
            block = getattr(node, field, None)
            if not isinstance(block, list):
                continue
            for at, (one, two) in enumerate(itertools.pairwise(block)):
                if _depend(one, two):
                    swapped = [*block[:at], two, one, *block[at + 2 :]]
                    yield f"swapped: {_first(one)}  <->  {_first(two)}", block, swapped
                if isinstance(one, ast.For | ast.While):
                    fuller = copy.copy(one)
                    fuller.body = [*one.body, two]
                    rest = [*block[:at], fuller, *block[at + 2 :]]
                    yield f"indented: {_first(two)}", block, rest
            for at, one in enumerate(block):
                if isinstance(one, ast.For | ast.While) and len(one.body) > 1:
                    shorter = copy.copy(one)
                    shorter.body = one.body[:-1]
                    rest = [*block[:at], shorter, one.body[-1], *block[at + 1 :]]
                    yield f"dedented: {_first(one.body[-1])}", block, rest


def _depend(one: ast.stmt, two: ast.stmt) -> bool:
    """Whether the order of two statements can matter: one binds or changes what the other names."""
    run = [node for node in (one, two) if not isinstance(node, ast.FunctionDef)]
    leaves = any(isinstance(part, LEAVING) for node in run for part in ast.walk(node))
    (uses, changes), (others, theirs) = _names_in(one), _names_in(two)
    return bool(leaves or changes & others or theirs & uses)


def _names_in(root: ast.stmt) -> tuple[set[str], set[str]]:
    """All names in a statement, and those that it binds, stores into or calls a method of."""
    if isinstance(root, ast.FunctionDef):  # its body runs later
        return set(), {root.name}
    uses, changes = set(), set()
    for node in ast.walk(root):
        if isinstance(node, ast.Name | ast.Attribute):
            uses.add(_owner(node))
        base: Any = node if isinstance(getattr(node, "ctx", None), ast.Store) else None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            base = node.func.value if node.func.attr in CHANGING else None
        if isinstance(base, ast.Name | ast.Attribute | ast.Subscript):
            changes.add(_owner(base))
    return uses - {"", "self"}, changes - {"", "self"}


def _owner(node: ast.expr) -> str:
    """The name that an expression begins with; of `self` the attribute: `self.keys`."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        if isinstance(node.value, ast.Name) and node.value.id == "self":
            return f"self.{node.attr}" if isinstance(node, ast.Attribute) else "self"
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _first(node: ast.AST) -> str:
    """The first line of a statement."""
    return ast.unparse(node).splitlines()[0]


def _text(root: ast.AST) -> str:
    return ast.unparse(ast.fix_missing_locations(root))


def _changed(root: ast.AST) -> Iterator[tuple[str, str]]:
    """(description, source) of every change, whatever it comes to."""
    scope = Scope(root)
    for parent, field, at, node, inside in list(_places(root)):
        if inside is None:  # the bases of a class are its contract
            continue
        before = _first(inside)
        options = statements(node) if isinstance(node, ast.stmt) else expressions(node, scope)
        for other in options:
            _put(parent, field, at, other)
            text, after = _text(root), _first(other if inside is node else inside)
            _put(parent, field, at, node)
            yield f"{before}  ->  {after}", text
    for what, block, other in list(_rearranged(root)):
        kept = [*block]
        block[:] = other
        text = _text(root)
        block[:] = kept
        yield what, text


def _compiles(text: str) -> bool:
    """Whether Python takes it: a `break` that left its loop is no answer at all."""
    try:
        compile(text, "mutant", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """(description, source) of every mutant of one definition; each source and each name once."""
    root = ast.parse(source).body[0]
    seen, named = {ast.unparse(root)}, dict[str, int]()
    for name, text in _changed(root):
        if text not in seen and _compiles(text):
            seen.add(text)
            named[name] = named.get(name, 0) + 1  # the same line may stand twice
            yield name if named[name] == 1 else f"{name} ({named[name]})", text
