"""Whether a verdict hangs on luck: answers judged under other seeds than the checks' own.

A check that draws, or lets the learner's function draw, does so from a seed that it fixes; a right
answer that draws in another order meets, in effect, another seed. So in the children that are
forked here seed s becomes (s, k), in NumPy's generators and in PyTorch's: `np.random.default_rng`
and `torch.manual_seed` are the one seam. What a check computes from a seed (its random fixtures)
moves along; what it wrote by hand stays.
"""

from __future__ import annotations

import contextlib
import mmap
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from checks.runner import sandbox
from checks.runner.lab import Lab
from checks.runner.verdict import PASSED, TODO, Verdict
from tests.mutants import quick
from tests.workshop import JUDGES, SLIPS, answers, name, solved, with_answer, with_slip

SOLUTION, SLOW, ANSWER, SLIP = 100, 20, 5, 3  # seeds for each; SLOW: a check that trains
PRIME = 1_000_003
_here = threading.local()  # a child forked by a thread inherits what that thread set


@contextlib.contextmanager
def seam() -> Iterator[None]:
    """While this is open, `judged` moves the seeds of the children that it starts."""
    torch: Any = sys.modules.get("torch")
    default_rng, manual_seed = np.random.default_rng, torch and torch.manual_seed

    def moved_rng(seed: Any = None) -> np.random.Generator:
        k = _note()
        if k and isinstance(seed, int | list | tuple | np.integer | np.ndarray):
            seed = [*np.atleast_1d(seed), k]
        return default_rng(seed)

    def moved_seed(seed: int) -> Any:
        return manual_seed(seed + PRIME * _note())

    np.random.default_rng = moved_rng  # type: ignore[assignment]
    if torch:
        torch.manual_seed = moved_seed
    try:
        yield
    finally:
        np.random.default_rng = default_rng
        if torch:
            torch.manual_seed = manual_seed


def _note() -> int:
    """Tell the parent that somebody draws; by how much seeds are moved here."""
    drawn = getattr(_here, "drawn", None)
    if drawn is not None:
        drawn[0] = 1
    return getattr(_here, "k", 0)


def judged(lab: Lab, number: int, k: int) -> tuple[Verdict, bool]:
    """The verdict under seeds moved by k, and whether anything was drawn."""
    with mmap.mmap(-1, 1) as drawn:  # shared with the child
        _here.k, _here.drawn = k, drawn
        try:
            return quick(lab, number), drawn[0] == 1
        finally:
            _here.k, _here.drawn = 0, None


def sweep(lab: Lab, number: int) -> dict[str, Any]:
    """What one stage says under moved seeds; `seeds` is 0 where nothing is drawn.

    seeds, passed       how many seeds the solution met, under how many it passed
    answers, accepted   the same of the unusual right answers, 5 seeds each
    slipped, refused    and of the slips, 3 seeds each, which must be rejected
    luck                one line for each verdict that was another one
    """
    found: dict[str, Any] = dict.fromkeys(
        ("seeds", "passed", "answers", "accepted", "slipped", "refused"), 0
    )
    found["luck"] = []
    if not sandbox.CAN_FORK:
        return found  # a fresh Python knows no seam
    with seam():
        if not judged(solved(lab), number, 0)[1]:
            return found
        check, owner = JUDGES[lab.id].checks[number], JUDGES[lab.id].owner
        count = SLOW if check.seconds > 20 else SOLUTION
        tried = [("the solution", solved(lab), k) for k in range(1, count + 1)]
        right = [(one[1], with_answer(lab, one)) for one in answers(lab) if one[0] == number]
        asked = [(title, other, k) for title, other in right for k in range(1, ANSWER + 1)]
        wrong = [slip for at, slip in SLIPS if at is lab and owner[slip.function] == number]
        slipped = [(name(s), with_slip(lab, s), k) for s in wrong for k in range(1, SLIP + 1)]
        verdicts = [judged(put, number, k)[0] for _, put, k in tried + asked + slipped]
    n, m = len(tried), len(tried) + len(asked)
    passed = [verdict.state == PASSED for verdict in verdicts]
    refused = [verdict.state not in (PASSED, TODO) for verdict in verdicts[m:]]
    for (what, _, k), verdict in zip((tried + asked + slipped), verdicts):
        if (verdict.state == PASSED) == (what in {name(slip) for slip in wrong}):
            found["luck"].append(f"{what}, seed {k}: {verdict.state}, {verdict.message}")
    return found | {
        "seeds": n, "passed": sum(passed[:n]), "answers": len(asked),
        "accepted": sum(passed[n:m]), "slipped": len(slipped), "refused": sum(refused),
    }  # fmt: skip


def main(words: list[str]) -> int:
    """Sweep the labs named, or all; `3-5` is stage 5 of lab 3."""
    from tests.workshop import LABS

    total = 0
    for lab in LABS:
        for number in lab.stages:
            if words and not {str(lab.number), f"{lab.number}-{number}"} & set(words):
                continue
            found = sweep(lab, number)
            total += len(found["luck"])
            print(f"{lab.id}, stage {number}: {found['passed']} of {found['seeds']} seeds, "
                  f"{found['accepted']} of {found['answers']} right answers, "
                  f"{found['refused']} of {found['slipped']} slips", flush=True)  # fmt: skip
            for line in found["luck"]:
                print(f"  {line}", flush=True)
    return 1 if total else 0


if __name__ == "__main__":
    import tests.conftest  # noqa: F401  the pins, and a warm parent

    sys.exit(main(sys.argv[1:]))
