"""`python -m checks handout FOLDER`: a copy of the workspace whose labs have no solutions.

The checks of the copy take the reference from a sealed file beside them, so every verdict, the
diagnosis and the hints work there as here; only `compare` has nothing to show. What is sealed is
not secret: see docs/instructors.md. A folder that is there already is never written into.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil

from checks.runner import attempts, outline, seal
from checks.runner.lab import DIVIDER, ROOT, Lab, NotUsable, discover, sealed_path

# What a student's copy holds, by name: what is not listed stays here. tests/ holds right answers.
PARTS = (".devcontainer", ".dockerignore", ".gitattributes", ".gitignore", ".vscode", "LICENSE",
         "conftest.py", "docs/squiggle.png", "noxfile.py", "pyproject.toml",
         "requirements.lock")  # fmt: skip
NOT_FOR_STUDENTS = ("classroom",)  # in checks/
CELL = "# %%"
TEACHES = "| `python3 -m checks grade"  # a row of README.md
# Sentences of README.md that are not true of a copy; a space may be a line's end.
FOR_STUDENTS = (
    (r"runs\sthe\stests\sof\sthe\sproject\sitself\.", "judges every lab here."),
    (r"\sFor\sJupyter\sor\sColab\b[^`]+`[^`]+`\.", ""),
    (r"\sFor\san\sinterview\s[^.]+\.", ""),
    (r"Eight\shands-on\slabs", "Hands-on labs"),
)


def parser() -> argparse.ArgumentParser:
    """The command's own options."""
    found = argparse.ArgumentParser(
        prog="python -m checks handout",
        description="Write a copy of the workspace whose labs have no solutions.",
    )
    found.add_argument("folder", metavar="FOLDER", help="a folder that is not there yet")
    found.add_argument("--lab", nargs="+", type=int, metavar="N", help="only these labs")
    return found


def main(arguments: list[str]) -> int:
    """Write the copy; returns the exit status."""
    asked = parser().parse_args(arguments)
    labs = [Lab(path) for path in discover()]
    have = [lab.number for lab in labs]
    for number in asked.lab or []:
        if number not in have:
            raise NotUsable(f"there is no lab {number}", f"name one of {', '.join(map(str, have))}")
    labs = [lab for lab in labs if not asked.lab or lab.number in asked.lab]
    if os.path.lexists(asked.folder):
        raise NotUsable(f"{asked.folder} is there already", "name a folder that is not there yet")
    write(labs, asked.folder)
    print(
        f"{asked.folder}: {', '.join(lab.id for lab in labs)} without solutions\n"
        f"  next       git init -b main {asked.folder}, commit, push, and mark it as a template"
    )
    return 0


def write(labs: list[Lab], folder: str) -> None:
    """Write the copy with these labs."""
    texts = {lab.stem: (unsolved(lab), lab.key.text) for lab in labs}  # before anything is written
    ignored = shutil.ignore_patterns("__pycache__", "lab_*", *NOT_FOR_STUDENTS)
    shutil.copytree(os.path.join(ROOT, "checks"), os.path.join(folder, "checks"), ignore=ignored)
    for part in PARTS:
        source, target = os.path.join(ROOT, part), os.path.join(folder, part)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if os.path.isdir(source):
            shutil.copytree(source, target)
        elif os.path.exists(source):
            shutil.copyfile(source, target)
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        text = readme(file.read(), [f"{stem}.py" for stem in texts], labs[0].id)
    with open(os.path.join(folder, "README.md"), "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    os.makedirs(os.path.join(folder, "labs"))
    shutil.copy(os.path.join(ROOT, "labs", "orders.toml"), os.path.join(folder, "labs"))
    for stem, (text, key) in texts.items():
        path = os.path.relpath(sealed_path(stem), ROOT)
        ignored = shutil.ignore_patterns("__pycache__")
        own = os.path.dirname(path)
        shutil.copytree(os.path.join(ROOT, own), os.path.join(folder, own), ignore=ignored)
        with open(os.path.join(folder, path), "wb") as file:
            file.write(seal.sealed(key))
        with open(os.path.join(folder, "labs", f"{stem}.py"), "wb") as file:
            file.write(text.encode("utf-8"))


def readme(text: str, files: list[str], first: str) -> str:
    """The README for students: their labs, the commands that they have, nothing to publish."""
    lines = []
    for line in text.split("\n"):
        listed = re.search(r"\(labs/(lab_\w+\.py)\)", line)
        if not (listed and listed[1] not in files) and not line.startswith(TEACHES):
            lines.append(line)
    text = "\n".join(lines)
    for old, new in FOR_STUDENTS:
        text = re.sub(old, new, text)
    return text.replace("-s lab-3", f"-s {first}")


def unsolved(lab: Lab) -> str:
    """The lab as it is handed out: every stage a stub, and nothing from its solutions on."""
    lab = attempts.unsolved(lab)
    lines = lab.lines
    at = lab.divider - 1
    if at < len(lines) and lines[at].startswith(DIVIDER):
        while at and not lines[at].startswith(CELL):
            at -= 1
        lines = lines[:at]
    left = [line for line in lines if outline.defined(line).startswith("solution_")]
    if left:
        raise NotUsable(
            f"{lab.relative} has solutions above its heading `{DIVIDER}`: {left[0]}",
            f"bring the file back: git checkout -- {lab.relative}",
        )
    return "\n".join(lines).rstrip("\n") + "\n"
