"""What can be told of a lab by its lines alone, even where it does not parse."""

from __future__ import annotations

import os

from checks.runner.lab import DIVIDER, HEADING, sealed_path, title_of


def name_and_title(path: str) -> tuple[str, str, str]:
    """(`lab-3`, `BPE tokenizer`, `labs/lab_3_bpe.py`) of a file that may not parse."""
    file = os.path.basename(path)
    with open(path, "rb") as source:
        head = source.read(4096).decode("utf-8", "replace").splitlines()
    return f"lab-{file.split('_')[1]}", title_of(head) or file, f"labs/{file}"


def outline(path: str) -> list[tuple[int, int, list[str]]]:
    """(stage, line, functions) of a file that may not parse: by headings and `def` lines.

    `line` is that of the stage's first function, or of its heading.
    """
    with open(path, "rb") as file:
        lines = file.read().decode("utf-8", "replace").splitlines()
    solved = _solutions(lines) or _solutions(_sealed(path))
    found: list[tuple[int, int, list[str]]] = []
    for at, line in enumerate(lines, 1):
        number, _, _ = line.removeprefix(HEADING).partition(" ")
        if line.startswith(HEADING) and number.isdigit():
            found.append((int(number), at, []))
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
    sealed = sealed_path(os.path.basename(path).removesuffix(".py"))
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
