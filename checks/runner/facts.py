"""What is found out about a definition once, and kept beside the lab while that is the same.

The syntax tree is needed here and nowhere on the path of a stage check whose lab did not change.
"""

from __future__ import annotations

import _ast as ast
import types

from checks.runner import stub

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from checks.runner.lab import Definition, Lab

FUTURE_ANNOTATIONS = 0x1000000  # __future__.annotations.compiler_flag


def of(definition: Definition) -> tuple[bool, str, list[str], Any]:
    """(is a stub, what is wrong with its signature, global names that it loads, its code)."""
    lab = definition.lab
    flags = FUTURE_ANNOTATIONS if _has_future_annotations(lab) else 0
    theirs = lab.key.definition(f"solution_{definition.name}")
    problem = stub.signature_problem(definition.node, theirs.node) if theirs else ""
    code, names = loads(definition.node, lab.path, flags)
    return stub.is_stub(definition.node), problem, sorted(names), code


def _has_future_annotations(lab: Lab) -> bool:
    return any(
        isinstance(found.node, ast.ImportFrom) and found.node.module == "__future__"
        for found in lab.definitions.get("annotations", [])
    )


def loads(node: Any, path: str, flags: int) -> tuple[Any, set[str]]:
    """The compiled definition, and the global names that it loads."""
    module = ast.Module(body=[node], type_ignores=[])
    code = compile(module, path, "exec", flags, dont_inherit=True)
    spoken: set[str] = set()
    stack: list[Any] = [node]
    while stack:
        part = stack.pop()
        if part.__class__ is ast.Name:
            spoken.add(part.id)
            continue
        for field in part._fields:
            value = getattr(part, field, None)
            if value.__class__ is list:
                stack += [item for item in value if isinstance(item, ast.AST)]
            elif isinstance(value, ast.AST):
                stack.append(value)
    compiled: set[str] = set()
    codes = [code]
    while codes:  # attributes and globals share co_names; a Name that is also there is a global
        one = codes.pop()
        compiled.update(one.co_names)
        codes += [const for const in one.co_consts if isinstance(const, types.CodeType)]
    return code, spoken & compiled
