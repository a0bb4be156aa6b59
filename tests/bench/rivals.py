"""A solution beside the library that a practitioner would use: the same job, three sizes.

A `Rival` makes its data, does the job in both ways, and looks at whether both came out alike; only
then is anything timed. One rival runs in one process, so that it can be ended when it hangs, and
both sides of it in the same process, so that they share interpreter, pins and cache.

`python -m tests.bench.rivals NAME SECONDS` prints its row as JSON.
"""

from __future__ import annotations

import functools
import importlib
import json
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from checks.runner.lab import Lab, find
from checks.runner.workbench import Workbench
from tests.bench import pairs

PEER = "now the peer:"  # a process that ends after this line was ended by the peer
MODULES = ("tests.bench.rivals_text", "tests.bench.rivals_arrays", "tests.bench.rivals_index")


@dataclass(frozen=True)
class Rival:
    """One job, ours and the library's.

    unit     what a size counts
    sizes    three of them, growing by the same factor
    make     size -> data, off the clock
    ours     data -> result
    theirs   data -> result
    agree    (data, our result, their result) -> a sentence; AssertionError where they differ
    marks    (data, our result, their result) -> a word on each, to stand by its line
    note     what else a reader must know to read the ratio
    peers    True where the library stands in `.cache/bench`
    """

    name: str
    lab: int
    job: str
    peer: str
    unit: str
    sizes: Sequence[int]
    make: Callable[[int], Any]
    ours: Callable[[Any], Any]
    theirs: Callable[[Any], Any]
    agree: Callable[[Any, Any, Any], str]
    note: str = ""
    peers: bool = False
    needs: tuple[str, ...] = ()
    marks: Callable[[Any, Any, Any], tuple[str, str]] = lambda data, ours, theirs: ("", "")


@functools.cache
def solutions(number: int, *names: str) -> SimpleNamespace:
    """The named definitions of a lab, `solution_` left out; only what they reach is run."""
    lab = Lab(find(str(number)))
    there = {n: f"solution_{n}" if f"solution_{n}" in lab.definitions else n for n in names}
    space = Workbench(lab).build(there.values())
    return SimpleNamespace(**{name: space[its] for name, its in there.items()})


def every() -> list[Rival]:
    """All rivals, in the order of the labs. No library is imported by this."""
    found = [rival for module in MODULES for rival in importlib.import_module(module).RIVALS]
    return sorted(found, key=lambda rival: rival.lab)


def one_thread() -> None:
    """One thread for libraries that do not read OMP_NUM_THREADS when they are imported."""
    for name in ("torch", "faiss"):
        module = sys.modules.get(name)
        if module is not None:
            setter = "set_num_threads" if name == "torch" else "omp_set_num_threads"
            getattr(module, setter)(1)


def at_size(rival: Rival, size: int, budget: float) -> dict:
    """Agreement first, then the pairs, at one size."""
    data = rival.make(size)
    print(f"{PEER} {rival.peer} at {size}", flush=True)
    its = rival.theirs(data)
    print(f"ours at {size}", flush=True)
    own = rival.ours(data)
    said, marks = rival.agree(data, own, its), rival.marks(data, own, its)
    one_thread()
    theirs, ours = pairs.alternate(
        pairs.clock(lambda: rival.theirs(data)), pairs.clock(lambda: rival.ours(data)), budget
    )
    return {
        "size": size,
        "ours": statistics.median(ours),
        "peer": statistics.median(theirs),
        **pairs.ratio(theirs, ours),
        "agreement": said,
        "marks": marks,
    }


def measure(rival: Rival, budget: float) -> dict:
    """The rival's row: a point for each size, and how both grow."""
    row = {"name": rival.name, "lab": rival.lab, "who": "ours", "job": rival.job}
    row |= {"peer": rival.peer, "unit": rival.unit, "note": rival.note}
    for need in rival.needs:
        try:
            importlib.import_module(need)
        except ImportError as error:
            return {**row, "who": "peer", "why": f"{need} cannot be imported: {error}"}
    one_thread()
    points = [at_size(rival, size, budget) for size in rival.sizes]
    sizes = [point["size"] for point in points]
    return {
        **row,
        "points": points,
        "slope_ours": pairs.slope(sizes, [point["ours"] for point in points]),
        "slope_peer": pairs.slope(sizes, [point["peer"] for point in points]),
    }


def main(name: str, budget: str) -> int:
    """Measure one rival; its row is the last line that is printed."""
    (rival,) = (one for one in every() if one.name == name)
    try:
        row = measure(rival, float(budget))
    except AssertionError as differs:
        row = {"name": name, "lab": rival.lab, "who": "ours", "job": rival.job}
        row |= {"peer": rival.peer, "why": f"does not agree: {differs}"}
    print(json.dumps(row))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
