"""Which slip gives exactly what the learner got: verified, never guessed.

Each slip is a patch of a reference solution. It runs through the same check; one
that passes the same cases, and fails in the same one with the same result (or
crashes the same way at the same place), is the diagnosis. Where several do, the
later cases tell them apart; those that are still tied are all named. Where later cases
of that function differ from what is named, the diagnosis holds so far only: another mistake
can look the same once.
"""

from __future__ import annotations

import importlib

from checks.expect import CheckFailed, Differs, Slip, Trace
from checks.runner import workbench
from checks.runner.workbench import Workbench

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from checks.runner.judge import Judge


LONG = 60.0  # seconds allowed to a check, from which on it is not run again for a single slip


def slips_of(judge: Judge, number: int) -> list[Slip]:
    """The slips in the functions of one stage."""
    try:
        module = importlib.import_module(f"checks.{judge.lab.stem}.slips")
    except Exception as error:
        from checks.runner.judge import not_loaded

        raise not_loaded(f"checks/{judge.lab.stem}/slips.py", error, judge.lab) from None
    return [slip for slip in module.SLIPS if judge.owner.get(slip.function) == number]


def slipped(judge: Judge, number: int, slip: Slip) -> dict[str, Any]:
    """The reference functions of a stage, one of them with the slip in it."""
    name = f"solution_{slip.function}"
    key = judge.lab.key
    solution = key.definition(name)
    assert solution is not None, f"{key.relative} has no {name}"
    source = workbench.patched(key.source(solution), slip.function, slip.old, slip.new)
    if slip.old is None:  # a whole wrong definition, written under the learner's names
        for function in judge.owner:
            source = _rename(source, function)
    bench = Workbench(key.patched(name, source))
    names = {n: f"solution_{n}" if n in judge.owner else n for n in judge.checks[number].parameters}
    space = bench.build(names.values())
    return {name: space[there] for name, there in names.items()}


def _rename(source: str, name: str) -> str:
    """`merge(` -> `solution_merge(`, as a whole word and not as an attribute or method."""
    out: list[str] = []
    at = 0
    while True:
        found = source.find(name, at)
        if found < 0:
            return "".join([*out, source[at:]])
        before, after = source[found - 1 : found], source[found + len(name) : found + len(name) + 1]
        whole = not (before.isalnum() or before in ("_", ".", '"', "'")) and not (
            after.isalnum() or after in ("_", '"', "'")
        )
        out.append(source[at:found] + ("solution_" if whole else "") + name)
        at = found + len(name)


def trace_of(
    judge: Judge,
    number: int,
    functions: dict[str, Any],
    keep_going: bool = False,
    follow: list[tuple] | None = None,
) -> list[tuple] | None:
    """What the check sees of `functions`; None where it leaves the path to follow."""
    trace = Trace(keep_going, follow)
    try:
        judge.checks[number].run(functions, trace)
    except Differs:
        return None
    except CheckFailed:
        pass
    except (Exception, SystemExit) as error:
        trace.raised(error)
    if follow is not None and not _same(trace.entries, follow):
        return None
    return trace.entries


def _same(a: list[tuple], b: list[tuple]) -> bool:
    from checks import values

    return len(a) == len(b) and all(values.alike(x, y) for x, y in zip(a, b))


def diagnose(
    judge: Judge, number: int, functions: dict[str, Any], trace: Trace
) -> Iterator[tuple[list[Slip], bool]]:
    """The slips whose result is that of `functions`, and whether that holds so far only.

    Yields what is known up to the first fault, then, where that is anything, what the later
    cases make of it. The last one counts; the first is there if no time is left for the second.
    """
    tied = []
    for slip in slips_of(judge, number):
        try:
            wrong = slipped(judge, number, slip)
        except Exception:
            continue  # the learner changed a solution; the gates watch over the shipped ones
        if trace_of(judge, number, wrong, follow=trace.entries) is not None:
            tied.append((slip, wrong))
    is_long = judge.checks[number].seconds > LONG
    alone = len(tied) == 1 and is_long  # no long check is run again for one slip
    yield [slip for slip, _ in tied], not alone
    if not tied or alone:
        return
    mine = trace_of(judge, number, functions, keep_going=True) or []
    called = trace.entries[-1][3]
    scored = []
    for slip, wrong in tied:
        theirs = trace_of(judge, number, wrong, keep_going=True) or []
        scored.append((_agreement(mine, theirs), slip, _agree_on(called, mine, theirs)))
    best = [entry for entry in scored if entry[0] == max(score for score, *_ in scored)]
    yield [slip for _, slip, _ in best], not all(whole for *_, whole in best)


def _agreement(mine: list[tuple], theirs: list[tuple]) -> int:
    """How many looks agree before the first that does not; all alike counts one more."""
    from checks import values

    for at, (a, b) in enumerate(zip(mine, theirs)):
        if not values.alike(a, b):
            return at
    return min(len(mine), len(theirs)) + (len(mine) == len(theirs))


def _agree_on(called: str | None, mine: list[tuple], theirs: list[tuple]) -> bool:
    """Whether the looks at one function agree, as far as nothing crashed.

    Another function may have a mistake of its own.
    """
    from checks import values

    looks = [
        [entry for entry in entries if entry[3] == called and entry[0] != "raised"]
        for entries in (mine, theirs)
    ]
    return all(a[1] == b[1] if a[4] and b[4] else values.alike(a, b) for a, b in zip(*looks))
