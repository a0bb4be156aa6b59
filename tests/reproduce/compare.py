"""Two runs of one lab, side by side: what is equal, what is not, and what was promised."""

from __future__ import annotations

import itertools
from typing import Any

from tests.reproduce import values
from tests.reproduce.settings import Setting

HEAD = (
    "| lab | setting | verdicts | printed | pictures | values | largest difference | seconds |\n"
    "|---|---|---|---|---|---|---|---|"
)


def differing(mine: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    """The names of the values that one run has and the other has not, or has otherwise."""
    names = sorted({*mine, *theirs})
    return [n for n in names if n not in mine or n not in theirs or mine[n][0] != theirs[n][0]]


def first_difference(mine: str, theirs: str) -> str:
    """The first printed line that is not the same, as both runs have it; "" where all are."""
    for a, b in itertools.zip_longest(mine.splitlines(), theirs.splitlines()):
        if a != b:
            return f"{a!r} where the pins give {b!r}"
    return ""


def row(lab: Any, setting: Setting, result: dict[str, Any], base: dict[str, Any]) -> dict:
    """What one run of a lab says beside the run under the pins."""
    other = differing(result["values"], base["values"])
    both = [name for name in other if name in result["values"] and name in base["values"]]
    far = [values.difference(result["values"][n][1], base["values"][n][1]) for n in both]
    return {
        "lab": lab.id,
        "setting": setting.name,
        "in effect": result["in effect"],
        "exact": setting.exact,
        "torch": "torch" in lab.imports,
        "elsewhere": setting.is_elsewhere,
        "errs": setting.errs,
        "stages": len(lab.stages),
        "passed": sum(said.endswith(" passed") for said in result["verdicts"]),
        "verdicts": result["verdicts"] == base["verdicts"],
        "printed": first_difference(result["printed"], base["printed"]),
        "lines": len(result["printed"].splitlines()),
        "pictures": sum(a == b for a, b in zip(result["pictures"], base["pictures"])),
        "shown": max(len(result["pictures"]), len(base["pictures"])),
        "values": len({*result["values"], *base["values"]}) - len(other),
        "of": len({*result["values"], *base["values"]}),
        "differing": other,
        "difference": max(far, default=0.0),
        "error": result["error"],
        "seconds": round(result["seconds"], 1),
    }


def lost(lab: Any, setting: Setting, why: str) -> dict:
    """The row of a run that gave no result."""
    found = {"lab": lab.id, "setting": setting.name, "errs": setting.errs}
    return {**found, "error": why, "seconds": 0.0}


def broken(row: dict) -> list[str]:
    """Which promises a row breaks, as sentences.

    Everywhere: every check passes, and every printed figure is the same. Under the pins besides:
    every value and every picture is the same, bit for bit; with PyTorch on this CPU only. Under
    an emulator that errs nothing is promised.
    """
    if row["errs"]:
        return []
    if row["error"]:
        return [f"the run ended: {row['error']}"]
    found = []
    if row["passed"] < row["stages"] or not row["verdicts"]:
        found.append(f"{row['passed']} of {row['stages']} checks passed")
    if row["printed"]:
        found.append(f"printed {row['printed']}")
    if row["exact"] and not (row["torch"] and row["elsewhere"]):
        if row["differing"]:
            names = ", ".join(row["differing"][:5])
            found.append(f"not the same bits: {names} ({row['difference']:.1e})")
        if row["pictures"] < row["shown"]:
            found.append(f"{row['shown'] - row['pictures']} pictures are not the same")
    return found


def line(row: dict) -> str:
    """A row in Markdown."""
    name = row["setting"] + (", whose argsort errs" if row["errs"] else "")
    if row["error"]:
        return f"| {row['lab']} | {name} | {row['error']} | | | | | {row['seconds']} |"
    return (
        f"| {row['lab']} | {name} | {row['passed']} of {row['stages']} "
        f"| {'differs' if row['printed'] else 'equal'} "
        f"| {row['pictures']} of {row['shown']} | {row['values']} of {row['of']} "
        f"| {row['difference']:.0e} | {row['seconds']} |"
    )
