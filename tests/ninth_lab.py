"""A small lab as somebody adds it by CONTRIBUTING.md, begun and finished: what tests put in."""

from pathlib import Path

STEM, TITLE = "lab_9_doubling", "Doubling"
LAB = '''# %% [markdown]
# # Lab 9 · Doubling
# **You build** one function.

# %%
from checks.lab_9_doubling import check_stage1

# %% [markdown]
# ## Stage 1 · Twice as much
# ### By hand
# Twice 3 is 6.


# %%
def double(x):
    """Twice x. int in, int out."""
    # TODO(you): stage 1, about 1 line.
    raise NotImplementedError("stage 1: double")


# %%
# Done? Uncomment, run, read what it says.
# check_stage1(double)

# %%
# Predict first: is it a straight line?
import matplotlib.pyplot as plt
plt.plot([double(x) for x in range(4)])
plt.xlabel("x")
plt.ylabel("twice x")
plt.show()
print("four points")

# %% [markdown]
# # Solutions


# %%
def solution_double(x):
    return 2 * x
'''
CHECKS = '''"""The checks of lab 9."""

from checks.lab_9_doubling.stages import check_stage1

__all__ = ["check_stage1"]
'''
STAGES = '''"""What is judged in lab 9."""

from checks import expect
from checks.expect import stage


@stage(reread='Stage 1, "By hand"')
def check_stage1(double):
    """Values on both sides of nothing."""
    expect.equal("twice 3", double(3), 6)
    expect.equal("twice 5", double(5), 10)
    expect.equal("twice nothing", double(0), 0)
    expect.equal("twice what is owed", double(-4), -8)
'''
SLIPS = '''"""Wrong on purpose."""

from checks.expect import Slip

SLIPS = [
    Slip("double", "2 * x", "x * x", "when x is squared"),
    Slip("double", "2 * x", "x + 3", "when 3 is added"),
]
'''
MORE_SLIPS = """    Slip("double", "2 * x", "x", "when x comes back as it was"),
    Slip("double", "2 * x", "3 * x", "when x is tripled"),
    Slip("double", "2 * x", "2 * x + 1", "when one is added to it"),
    Slip("double", "2 * x", "x // 2", "when x is halved"),
    Slip("double", "2 * x", "-2 * x", "when the sign is turned"),
    Slip("double", "2 * x", "2 * abs(x)", "when the sign is lost"),
]
"""
HINTS = """# Stage 1
- How much is x and another x?
- One operator is enough.
- The result is x added to itself.
"""
RIGHT = """# Right, but unusual: every cell is an answer to one stage, and each must pass.

# %% Stage 1: by a sum
def double(x):
    return sum([x, x])

# %% Stage 1: by shifting bits
def double(x):
    return x << 1
"""
MORE_RIGHT = """
# %% Stage 1: NumPy's own integers
def double(x):
    import numpy as np
    return np.add(x, x)
"""


def begin(home: Path) -> None:
    """The three files of a lab that is not finished."""
    folder = home / "checks" / STEM
    folder.mkdir(parents=True)
    for path, text in (
        (home / "labs" / f"{STEM}.py", LAB),
        (folder / "__init__.py", CHECKS),
        (folder / "stages.py", STAGES),
        (folder / "slips.py", SLIPS),
    ):
        path.write_text(text, encoding="utf-8")


def finish(home: Path) -> None:
    """What its gates demand: six slips more, three hints, three right answers."""
    folder = home / "checks" / STEM
    text = SLIPS.removesuffix("]\n") + MORE_SLIPS
    (folder / "slips.py").write_text(text, encoding="utf-8")
    (folder / "hints.md").write_text(HINTS, encoding="utf-8")
    right = home / "tests" / "right" / f"{STEM}.py"
    right.write_text(RIGHT + MORE_RIGHT, encoding="utf-8")
