"""What a stage is worth: 1, unless a TOML file says otherwise.

default = 1

[lab-3]
default = 2     # each stage of lab 3
6 = 0           # its stretch stage
"""

from __future__ import annotations

import math
import tomllib
from typing import Any

from checks.runner.lab import Lab, NotUsable

EXAMPLE = "for example\n             [lab-3]\n             2 = 1.5"


class Points:
    """Points by lab and stage."""

    def __init__(self, scheme: dict[str, Any] | None = None) -> None:
        self.scheme = scheme or {}

    def of(self, lab: str, stage: int) -> float:
        """What a stage is worth, e.g. `of("lab-3", 2)`."""
        table = self.scheme.get(lab, {})
        worth = table.get(str(stage), table.get("default", self.scheme.get("default", 1)))
        return float(worth)


def number(value: float) -> str:
    """`3`, `1.5`: points as they are written in a table."""
    return f"{round(value, 6):.10g}"


def load(path: str, labs: list[Lab]) -> Points:
    """The scheme in a TOML file; refuses what names no lab, stage or number, with its line."""
    try:
        with open(path, "rb") as file:
            text = file.read().decode("utf-8-sig")
        scheme = tomllib.loads(text)
    except OSError as error:
        raise NotUsable(f"cannot be read: {error.strerror}", "check its name", path) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise NotUsable(f"is no TOML: {error}", f"correct it, {EXAMPLE}", path) from None
    stages = {lab.id: lab.stages for lab in labs}
    for key, value in scheme.items():
        if key == "default":
            _worth(path, text, "", key, value)
        elif key not in stages:
            names = ", ".join(stages)
            problem = f"`{key}` is no lab of this checkout"
            _refuse(path, text, key, key, problem, f"name one of these, or default: {names}")
        elif not isinstance(value, dict):
            _refuse(path, text, "", key, f"`{key}` is no table", f"name its stages, {EXAMPLE}")
        else:
            for stage, worth in value.items():
                if stage != "default" and (not stage.isdecimal() or int(stage) not in stages[key]):
                    numbers = ", ".join(map(str, stages[key]))
                    problem = f"{key} has no stage `{stage}`"
                    _refuse(path, text, key, stage, problem, f"its stages: {numbers}, or default")
                _worth(path, text, key, stage, worth)
    return Points(scheme)


def _worth(path: str, text: str, table: str, key: str, value: Any) -> None:
    fits = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not fits or not math.isfinite(value) or value < 0:
        problem = f"`{key} = {value}`: points are a number of 0 or more"
        _refuse(path, text, table, key, problem, "write a number, e.g. 1.5")


def _refuse(path: str, text: str, table: str, key: str, problem: str, following: str) -> None:
    raise NotUsable(problem, following, f"{path}:{_line(text, table, key)}")


def _line(text: str, table: str, key: str) -> int:
    """The line of a key in its table, or of the table; 1 where it is written in another way."""
    rows = [row.strip() for row in text.splitlines()]
    begin = next((at for at, row in enumerate(rows, 1) if table and row.startswith("[") and
                  table in row), 0)  # fmt: skip
    for at in range(begin + 1, len(rows) + 1):
        if rows[at - 1].strip("\"'").startswith(key) and "=" in rows[at - 1]:
            return at
    return begin or 1
