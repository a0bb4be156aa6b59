"""The same function and the same three assertions, in every form in which somebody may judge it.

A `Task` is one function, one mistake in it, and three cases. From it are written: a script, a
pytest file, a notebook, nbgrader's notebook, otter's test file, and a lab of this project with
its check. Nothing differs between them but the form; the tests hold that.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import nbformat

KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


@dataclass(frozen=True)
class Task:
    """A function to judge, by three cases.

    number   the number of the lab that holds it; no shipped lab has it
    imports  import lines, or nothing
    right    the function as it should be
    slip     (text in it, what a mistake writes there, what that gives)
    cases    (words, call, expected) three times
    holds    how an assertion compares: a template of `call` and `expected`
    expects  the word of `checks.expect` that compares so
    """

    number: int
    kind: str
    name: str
    imports: str
    right: str
    slip: tuple[str, str, str]
    cases: tuple[tuple[str, str, str], ...]
    holds: str
    expects: str

    def source(self, right: bool) -> str:
        """The function, right or with the mistake in it."""
        old, new, _ = self.slip
        assert self.right.count(old) == 1
        return self.right if right else self.right.replace(old, new)

    @property
    def asserts(self) -> list[str]:
        """The three assertions, one a line."""
        return [
            "assert " + self.holds.format(call=call, expected=expected)
            for _, call, expected in self.cases
        ]

    @property
    def stem(self) -> str:
        """The lab's file name, without its ending."""
        return f"lab_{self.number}_{self.name}"


PURE = Task(
    number=91,
    kind="pure Python",
    name="pair_counts",
    imports="",
    right='''\
def pair_counts(ids):
    """How often each pair of neighbours occurs. list of int in, dict out."""
    counts = {}
    for pair in zip(ids, ids[1:]):
        counts[pair] = counts.get(pair, 0) + 1
    return counts
''',
    slip=("zip(ids, ids[1:])", "zip(ids[1:], ids)", "when the right neighbour is put first"),
    cases=(
        ("five ids", "pair_counts([5, 6, 5, 6, 7])", "{(5, 6): 2, (6, 5): 1, (6, 7): 1}"),
        ("four equal ids", "pair_counts([9, 9, 9, 9])", "{(9, 9): 3}"),
        ("no ids", "pair_counts([])", "{}"),
    ),
    holds="{call} == {expected}",
    expects="equal",
)
NUMPY = Task(
    number=92,
    kind="NumPy",
    name="softmax",
    imports="import numpy as np",
    right='''\
def softmax(x):
    """Each row as probabilities. (N, V) float in and out."""
    grown = np.exp(x - x.max(axis=1, keepdims=True))
    return grown / grown.sum(axis=1, keepdims=True)
''',
    slip=("grown.sum(axis=1", "grown.sum(axis=0", "when columns add up to 1, not rows"),
    cases=(
        ("two equal logits", "softmax(np.zeros((1, 2)))", "np.array([[0.5, 0.5]])"),
        (
            "logits ln 1, ln 3",  # 1 / 4 and 3 / 4
            "softmax(np.log([[1.0, 3.0]]))",
            "np.array([[0.25, 0.75]])",
        ),
        ("a logit of 1000", "softmax(np.array([[0.0, 1000.0]]))", "np.array([[0.0, 1.0]])"),
    ),
    holds="np.allclose({call}, {expected}, rtol=1e-9, atol=1e-9)",
    expects="close",
)
TORCH = Task(
    number=93,
    kind="PyTorch",
    name="unit_rows",
    imports="import torch",
    right='''\
def unit_rows(x):
    """Each row with length 1. (N, d) float tensor in and out."""
    return x / x.norm(dim=1, keepdim=True)
''',
    slip=("x.norm(dim=1", "x.norm(dim=0", "when columns get length 1, not rows"),
    cases=(
        (
            "a row 3, 4",  # its length is 5
            "unit_rows(torch.tensor([[3.0, 4.0]], dtype=torch.float64))",
            "torch.tensor([[0.6, 0.8]], dtype=torch.float64)",
        ),
        (
            "a unit row",
            "unit_rows(torch.tensor([[0.0, 1.0]], dtype=torch.float64))",
            "torch.tensor([[0.0, 1.0]], dtype=torch.float64)",
        ),
        (
            "two rows",
            "unit_rows(torch.tensor([[0.0, -2.0], [5.0, 0.0]], dtype=torch.float64))",
            "torch.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=torch.float64)",
        ),
    ),
    holds="torch.allclose({call}, {expected}, rtol=1e-9, atol=1e-9)",
    expects="close",
)
TASKS = (PURE, NUMPY, TORCH)


def script(task: Task, right: bool) -> str:
    """The function, then the three assertions: what bare Python runs."""
    return "\n".join([task.imports, "", "", task.source(right), "", *task.asserts, ""]).lstrip("\n")


def pytest_file(task: Task, right: bool) -> str:
    """A pytest file: the function, and one test a case, as pytest is written."""
    tests = [
        f"\n\ndef test_{at}():\n    {assertion}\n" for at, assertion in enumerate(task.asserts, 1)
    ]
    return "".join([f"{task.imports}\n\n\n" if task.imports else "", task.source(right), *tests])


def notebook(task: Task, right: bool, graded: bool = False) -> nbformat.NotebookNode:
    """A notebook of two cells: the function, and the three assertions.

    graded  with nbgrader's metadata, as its own editor writes it: a cell that the student fills
            in, and a locked cell with three points
    """
    cells = [
        nbformat.v4.new_code_cell(f"{task.imports}\n\n{task.source(right)}".strip("\n")),
        nbformat.v4.new_code_cell("\n".join(task.asserts)),
    ]
    if graded:
        common = {"schema_version": 3, "cell_type": "code", "task": False}
        cells[0].metadata["nbgrader"] = {
            **common, "grade_id": task.name, "grade": False, "solution": True, "locked": False,
        }  # fmt: skip
        cells[1].metadata["nbgrader"] = {
            **common, "grade_id": f"test_{task.name}", "grade": True, "solution": False,
            "locked": True, "points": 3,
        }  # fmt: skip
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNEL})


def ok_file(task: Task) -> str:
    """Otter's test file in its OK format: three cases of one question, none hidden."""
    cases = [
        {"code": f">>> {assertion}\n", "hidden": False, "locked": False}
        for assertion in task.asserts
    ]
    suite = {"cases": cases, "scored": True, "setup": "", "teardown": "", "type": "doctest"}
    return f"OK_FORMAT = True\n\ntest = {{'name': 'q1', 'points': 3, 'suites': [{suite!r}]}}\n"


def lab(task: Task, right: bool) -> str:
    """A lab of one stage, in which the learner has written the function."""
    solution = task.right.replace(f"def {task.name}", f"def solution_{task.name}")
    return f"""\
# %% [markdown]
# # Lab {task.number} · {task.name}

# %%
{task.imports}
from checks.{task.stem} import check_stage1

# %% [markdown]
# ## Stage 1 · {task.name}
# ### By hand
# Three cases.


# %%
{task.source(right)}

# %%
# Done? Uncomment, run, read what it says.
# check_stage1({task.name})

# %% [markdown]
# # Solutions


# %%
{solution}"""


def add_lab(task: Task, workspace: Path) -> Path:
    """Add the task's lab, its check of three cases and its slip to a workspace; the lab's path."""
    folder = workspace / "checks" / task.stem
    folder.mkdir()
    cases = [
        f"    expect.{task.expects}({words!r}, {call}, {expected})"
        for words, call, expected in task.cases
    ]
    stages = [
        f'"""The check of lab {task.number}."""\n', task.imports,
        "from checks import expect\nfrom checks.expect import stage\n\n",
        f"@stage(reread='Stage 1, \"By hand\"')\ndef check_stage1({task.name}):",
        '    """Three cases."""', *cases, "",
    ]  # fmt: skip
    init = f"from checks.{task.stem}.stages import check_stage1\n\n__all__ = ['check_stage1']\n"
    slips = f"from checks.expect import Slip\n\nSLIPS = [Slip({task.name!r}, *{task.slip!r})]\n"
    (folder / "stages.py").write_text("\n".join(stages), encoding="utf-8")
    (folder / "__init__.py").write_text(init, encoding="utf-8")
    (folder / "slips.py").write_text(slips, encoding="utf-8")
    path = workspace / "labs" / f"{task.stem}.py"
    path.write_text(lab(task, True), encoding="utf-8")
    return path
