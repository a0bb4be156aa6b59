"""Build the namespace in which a stage is judged: only what its functions reach.

Definitions are compiled under the lab's real path, so tracebacks, breakpoints and
squiggles land in the learner's file. Cells that train and plot never run here.
"""

from __future__ import annotations

import sys
import types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from checks.runner.lab import Definition, Lab


class Workbench:
    """A lab's definitions, run on demand; one for the learner, one for the reference.

    given   name -> object that stands in for the file's own definition
    """

    def __init__(self, lab: Lab, given: dict[str, Any] | None = None) -> None:
        self.lab = lab
        self.given = given or {}
        self.module = types.ModuleType(lab.stem)
        self.module.__file__ = lab.path
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
            for loaded in definition.facts[2]:
                if loaded not in seen:
                    todo.append(loaded)
        return [found[place] for place in sorted(found)]

    def reached_names(self, names: Iterable[str]) -> set[str]:
        """Every global name that the definitions behind `names` load."""
        found: set[str] = set()
        for definition in self.reach(names):
            found.update(definition.facts[2])
        return found

    def build(self, names: Iterable[str]) -> dict[str, Any]:
        """A namespace that holds `names` and all they reach; definitions run once each."""
        space = self.module.__dict__
        sys.modules[self.lab.stem] = self.module  # dataclasses and pickle look it up
        space.update(self.given)
        for definition in self.reach(names):
            if definition.name not in self._done:
                self._done.add(definition.name)
                exec(definition.facts[3], space)
        return space


def patched(source: str, name: str, old: str | None, new: str) -> str:
    """A solution with one slip in it; fails loudly where the text is not there once."""
    if old is None:
        return new.strip("\n")
    count = source.count(old)
    if count != 1:
        raise LookupError(f"the slip's text stands {count} times in solution_{name}: {old!r}")
    return source.replace(old, new)
