"""Three hints a stage, from a nudge to pseudo-code, shown one at a time."""

from __future__ import annotations

import os

from checks.runner import journal
from checks.runner import lab as labs
from checks.runner.lab import Lab, NotUsable
from checks.runner.places import as_number


def read(stem: str) -> dict[int, list[str]]:
    """The hints of a lab by stage, from `checks/<stem>/hints.md`."""
    relative = f"checks/{stem}/hints.md"
    try:
        with open(os.path.join(labs.ROOT, *relative.split("/")), encoding="utf-8") as file:
            lines = file.read().split("\n")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", "") or "it is not UTF-8"
        raise NotUsable(
            f"{relative} cannot be read: {why}", f"bring it back: git checkout {relative}"
        ) from None
    found: dict[int, list[str]] = {}
    stage = -1
    for line in lines:
        if line.startswith("# Stage "):
            stage = as_number(line.removeprefix("# Stage ").strip())
            found[stage] = []
        elif line.startswith("- "):
            found.setdefault(stage, []).append(line[2:].strip())
    return found


def following(lab: Lab, number: int) -> str:
    """The first hint of a stage that was not shown yet; after the third, the third again."""
    every = read(lab.stem).get(number, [])
    if not every:
        raise NotUsable(f"{lab.id} has no hints for stage {number}", f"read stage {number} again")
    seen = sum(
        record.event == "hint" and (record.lab, record.stage) == (lab.id, number)
        for record in journal.read()
    )
    at = min(seen, len(every) - 1)
    journal.write(lab.id, number, "hint")
    return f"hint {at + 1} of {len(every)}, {lab.id} stage {number}\n  {every[at]}"
