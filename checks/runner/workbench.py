"""Build the namespace in which a stage is judged: only what its functions reach.

Definitions are compiled under the lab's real path, so tracebacks, breakpoints and
squiggles land in the learner's file. Cells that train and plot never run here.
"""

from __future__ import annotations

import _ast as ast
import sys
import types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from checks.runner.lab import Definition, Lab

FUTURE_ANNOTATIONS = 0x1000000  # __future__.annotations.compiler_flag


def loads(definition: Definition, path: str, flags: int) -> tuple[Any, set[str]]:
    """The compiled definition, and the global names that it loads."""
    module = ast.Module(body=[definition.node], type_ignores=[])
    code = compile(module, path, "exec", flags, dont_inherit=True)
    spoken: set[str] = set()
    stack: list[Any] = [definition.node]
    while stack:
        node = stack.pop()
        if node.__class__ is ast.Name:
            spoken.add(node.id)
            continue
        for field in node._fields:
            value = getattr(node, field, None)
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


class Workbench:
    """A lab's definitions, compiled on demand; one for the learner, one for the reference.

    given     name -> object that stands in for the file's own definition
    compiled  another bench on nearly the same file, whose compiled definitions are taken over
    """

    def __init__(
        self,
        lab: Lab,
        given: dict[str, Any] | None = None,
        compiled: Workbench | None = None,
    ) -> None:
        self.lab = lab
        self.given = given or {}
        self.module = types.ModuleType(lab.stem)
        self.module.__file__ = lab.path
        self.flags = FUTURE_ANNOTATIONS if _has_future_annotations(lab) else 0
        self._compiled: dict[Any, tuple[Any, set[str]]] = compiled._compiled if compiled else {}
        self._done: set[str] = set()

    def reach(self, names: Iterable[str]) -> list[Definition]:
        """The definitions that `names` need, themselves included, in the file's order."""
        found: dict[tuple[int, int], Definition] = {}
        seen: set[str] = set()
        todo = list(names)
        while todo:
            name = todo.pop()
            definition = self.lab.definition(name)
            if name in seen or name in self.given or definition is None:
                continue
            seen.add(name)
            found[definition.line, definition.offset] = definition
            for loaded in self._loads(definition):
                if loaded not in seen:
                    todo.append(loaded)
        return [found[place] for place in sorted(found)]

    def reached_names(self, names: Iterable[str]) -> set[str]:
        """Every global name that the definitions behind `names` load."""
        found: set[str] = set()
        for definition in self.reach(names):
            found |= self._loads(definition)
        return found

    def _loads(self, definition: Definition) -> set[str]:
        if definition.node not in self._compiled:
            self._compiled[definition.node] = loads(definition, self.lab.path, self.flags)
        return self._compiled[definition.node][1]

    def code(self, definition: Definition) -> Any:
        """The compiled definition, as a module's code that would define it."""
        self._loads(definition)
        return self._compiled[definition.node][0]

    def build(self, names: Iterable[str]) -> dict[str, Any]:
        """A namespace that holds `names` and all they reach; definitions run once each."""
        space = self.module.__dict__
        sys.modules[self.lab.stem] = self.module  # dataclasses and pickle look it up
        space.update(self.given)
        for definition in self.reach(names):
            if definition.name not in self._done:
                self._done.add(definition.name)
                exec(self._compiled[definition.node][0], space)
        return space


def _has_future_annotations(lab: Lab) -> bool:
    return any(
        isinstance(found.node, ast.ImportFrom) and found.node.module == "__future__"
        for found in lab.definitions.get("annotations", [])
    )


def patched(source: str, name: str, old: str | None, new: str) -> str:
    """A solution with one slip in it; fails loudly where the text is not there once."""
    if old is None:
        return new.strip("\n")
    count = source.count(old)
    if count != 1:
        raise LookupError(f"the slip's text stands {count} times in solution_{name}: {old!r}")
    return source.replace(old, new)
