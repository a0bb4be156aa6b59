"""Three hints a stage, from a nudge to pseudo-code, shown one at a time."""

from __future__ import annotations

import os

from checks.runner import journal
from checks.runner import lab as labs
from checks.runner.lab import Lab, NotUsable
from checks.runner.places import as_number


def parse(text: str) -> dict[int, list[str]]:
    """The hints of a lab by stage, from the text of its `hints.md`."""
    found: dict[int, list[str]] = {}
    stage = -1
    for line in text.split("\n"):
        if line.startswith("# Stage "):
            stage = as_number(line.removeprefix("# Stage ").strip())
            found[stage] = []
        elif line.startswith("- "):
            found.setdefault(stage, []).append(line[2:].strip())
    return found


def read(stem: str) -> dict[int, list[str]]:
    """The hints of a lab by stage, from `checks/<stem>/hints.md`."""
    relative = f"checks/{stem}/hints.md"
    try:
        with open(os.path.join(labs.ROOT, *relative.split("/")), encoding="utf-8") as file:
            return parse(file.read())
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", "") or "it is not UTF-8"
        raise NotUsable(
            f"{relative} cannot be read: {why}", f"bring it back: git checkout {relative}"
        ) from None


def pick(lab: Lab, every: dict[int, list[str]], number: int, seen: int) -> str:
    """The hint of a stage that follows the `seen` ones shown; after the third, the third again."""
    if not every.get(number):
        raise NotUsable(f"{lab.id} has no hints for stage {number}", f"read stage {number} again")
    at = min(seen, len(every[number]) - 1)
    head = f"hint {at + 1} of {len(every[number])}, {lab.id} stage {number}"
    return f"{head}\n  {every[number][at]}"


def following(lab: Lab, number: int) -> str:
    """The first hint of a stage that the journal does not know as shown."""
    seen = sum(
        record.event == "hint" and (record.lab, record.stage) == (lab.id, number)
        for record in journal.read()
    )
    shown = pick(lab, read(lab.stem), number, seen)
    journal.write(lab.id, number, "hint")
    return shown
