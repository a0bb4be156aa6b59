"""What can be told of a lab by its lines alone, even where it does not parse."""

from __future__ import annotations

import os

from checks.runner.lab import DIVIDER, HEADING, sealed_path, title_of
from checks.runner.places import NotUsable, as_number, is_regular, number_of, stem_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from checks.runner.lab import Lab


def _lines(path: str) -> list[str]:
    """The lines of a file that may be anything; none where it cannot be read."""
    try:
        with open(path if is_regular(path) else os.devnull, "rb") as file:
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def name_and_title(path: str) -> tuple[str, str, str]:
    """(`lab-3`, `BPE tokenizer`, `labs/lab_3_bpe.py`) of a file that may not parse."""
    file = os.path.basename(path)
    return f"lab-{number_of(path)}", title_of(_lines(path)) or file, f"labs/{file}"


def outline(path: str) -> list[tuple[int, int, list[str]]]:
    """(stage, line, functions) of a file that may not parse: by headings and `def` lines.

    `line` is that of the stage's first function, or of its heading.
    """
    lines = _lines(path)
    return _outline(lines, _solutions(lines) or _solutions(_sealed(path)))


def no_stages(lab: Lab | None) -> NotUsable:
    """What is said of a file in which nothing can be judged."""
    where, code = (lab.where(1), lab.id) if lab else ("", "")
    return NotUsable(
        "the file has no stages", f"a stage begins with a line `{HEADING}1 ...`", where, code
    )


def stage_in(lab: Lab, number: int) -> tuple[int, list[str]]:
    """(line, functions) of one stage of a lab; (1, []) where it is not there."""
    found = _outline(lab.lines, _solutions(lab.key.lines))
    return next(((line, names) for n, line, names in found if n == number), (1, []))


def _outline(lines: list[str], solved: set[str]) -> list[tuple[int, int, list[str]]]:
    found: list[tuple[int, int, list[str]]] = []
    for at, line in enumerate(lines, 1):
        number = as_number(line.removeprefix(HEADING).partition(" ")[0])
        if line.startswith(HEADING) and number >= 0:
            found.append((number, at, []))
        elif line.startswith(DIVIDER):
            break
        elif found and f"solution_{defined(line)}" in solved:
            stage, first, names = found[-1]
            found[-1] = (stage, first if names else at, [*names, defined(line)])
    return found


def _solutions(lines: list[str]) -> set[str]:
    return {name for line in lines if (name := defined(line)).startswith("solution_")}


def _sealed(path: str) -> list[str]:
    """The lines of the sealed copy of a lab that was handed out without solutions."""
    sealed = sealed_path(stem_of(path))
    if not os.path.exists(sealed):
        return []
    from checks.runner.lab import Lab

    return Lab(sealed).lines


def defined(line: str) -> str:
    """The name that a `def` or `class` line at the left margin defines, or nothing."""
    for word in ("def ", "class "):
        if line.startswith(word):
            return line.removeprefix(word).partition("(")[0].partition(":")[0].strip()
    return ""
