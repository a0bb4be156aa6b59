"""Labs as solved, with a slip or with an unusual answer: what the gates judge."""

from __future__ import annotations

import ast
import functools
import importlib.util
import json
import re
from pathlib import Path
from typing import Any

from checks.expect import Slip
from checks.runner import sandbox, stub, workbench
from checks.runner.judge import Judge
from checks.runner.lab import Lab, discover
from checks.runner.verdict import Verdict

ROOT = Path(__file__).parent.parent
LABS = [Lab(path) for path in discover()]
JUDGES = {lab.id: Judge(lab) for lab in LABS}
STAGES = [(lab, number) for lab in LABS for number in lab.stages]


def _slips(lab: Lab) -> list[Slip]:
    """The slips of a lab; none where it has none yet, which a gate says better than an import."""
    stem = f"checks.{lab.stem}.slips"
    found = importlib.util.find_spec(stem)
    return importlib.import_module(stem).SLIPS if found else []


SLIPS = [(lab, slip) for lab in LABS for slip in _slips(lab)]


def name(value: object) -> str:
    """The id of a test's parameter."""
    if isinstance(value, Lab):
        return value.id
    return f"{value.function}-{value.meaning}" if isinstance(value, Slip) else str(value)


def settings(path: str) -> Any:
    """A JSON file with comments, as VS Code reads it."""
    text = (ROOT / path).read_text(encoding="utf-8")
    return json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.M))


@functools.cache
def solved(lab: Lab) -> Lab:
    """The lab in which the learner wrote what the reference writes."""
    return Lab(lab.path, stub.solved(lab, list(JUDGES[lab.id].owner)))


@functools.lru_cache(4)  # a lab is some megabytes, and every fork pays for what its parent holds
def with_slip(lab: Lab, slip: Slip) -> Lab:
    """The solved lab in which the learner made this mistake."""
    source = lab.source(lab.definition(f"solution_{slip.function}"))
    wrong = stub.as_learner(workbench.patched(source, slip.function, slip.old, slip.new))
    return solved(lab).splice(slip.function, wrong)


def written(lab: Lab, functions: list[str]) -> Lab:
    """The lab as a learner fills it in: signature and docstring stay, the body is a solution's."""
    for function in functions:
        mine, theirs = lab.definition(function), lab.definition(f"solution_{function}")
        bodies = {}
        for part in stub.methods(theirs.node):
            first = stub.statements(part)[0]
            rows = lab.lines[first.lineno - 1 : part.end_lineno]
            bodies[part.name.removeprefix("solution_")] = stub.as_learner("\n".join(rows))
        source = lab.source(mine)
        for part in stub.methods(mine.node):
            rows = lab.lines[stub.statements(part)[0].lineno - 2 : part.end_lineno]
            assert source.count("\n".join(rows)) == 1
            source = source.replace("\n".join(rows), bodies[part.name])
        lab = lab.splice(function, source)
    return lab


def judged(lab: Lab, number: int) -> Verdict:
    """The verdict on one stage, in a child process as a learner gets it."""
    (verdict,) = sandbox.run(sandbox.Job(lab, [number]))
    return verdict


def slip_verdict(lab: Lab, slip: Slip) -> Verdict:
    """The verdict on a slip."""
    return judged(with_slip(lab, slip), JUDGES[lab.id].owner[slip.function])


# Stage, title, source of each function; "" where the first one's source defines it, too.
Answer = tuple[int, str, dict[str, str]]


@functools.cache
def answers(lab: Lab) -> list[Answer]:
    """The cells of tests/right for a lab.

    A lab's answers stand in one file of its name, or in several that begin with it.
    """
    folder = ROOT / "tests" / "right"
    paths = [folder / f"{lab.stem}.py", *sorted(folder.glob(f"{lab.stem}_*.py"))]
    texts = [path.read_text(encoding="utf-8") for path in paths if path.exists()]
    found = []
    for cell in [cell for text in texts for cell in text.split("\n# %% Stage ")[1:]]:
        title, _, source = cell.partition("\n")
        number, _, title = title.partition(": ")
        owner = JUDGES[lab.id].owner
        defined = [getattr(node, "name", "") for node in ast.parse(source).body]
        first, *others = [name for name in defined if name in owner]
        assert {owner[n] for n in (first, *others)} == {int(number)}, title
        sources = {**dict.fromkeys(others, ""), first: source.strip("\n")}
        found.append((int(number), title, sources))
    return found


def with_answer(lab: Lab, answer: Answer) -> Lab:
    """The solved lab in which the learner wrote this answer."""
    lab = solved(lab)
    for function, source in answer[2].items():
        lab = lab.splice(function, source)
    return lab
