"""`nox -s canary`: what the newest versions would do to these labs, before they are in the lock.

A scratch environment in .cache/canary gets the newest version of every package that pyproject
names, for this Python; the reference solutions and the quick gates then run in it. Where PyTorch's
index of CPU builds cannot be reached, the pinned PyTorch is used, and the report says so. It never
blocks: the exit status is 0 whatever is found. The report goes to dist/canary.md as well.
"""

from __future__ import annotations

import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from checks.runner import pins
from tests.lock import LOCK, ROOT, names

HOME = ROOT / ".cache" / "canary"
BIN = HOME / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
LIMIT = 3600.0  # seconds for any one command
GATES = "test_each_shipped or test_each_solution or test_solutions or test_diagnosis"


def run(*command: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command at the root; what it printed is kept, errors included."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        env={**os.environ, **pins.pins(), **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        timeout=LIMIT,
    )


def pip(*words: str | Path) -> bool:
    """Whether pip could do this in the scratch environment; its complaint is printed."""
    quiet = ["--quiet", "--disable-pip-version-check", "--timeout", "20", "--retries", "1"]
    done = run(PYTHON, "-m", "pip", words[0], *quiet, *words[1:])
    if done.returncode:
        print("\n".join(done.stdout.strip().splitlines()[-3:]), flush=True)
    return not done.returncode


def torch_index() -> str:
    """PyTorch's index of CPU builds, as the lock names it."""
    found = re.search(r"^--extra-index-url (\S+)", LOCK.read_text(encoding="utf-8"), flags=re.M)
    assert found, "the lock names no index of PyTorch's"
    return found[1]


def build() -> list[str]:
    """Make the environment anew; sentences on what could not be had in its newest version."""
    shutil.rmtree(HOME, ignore_errors=True)
    venv.create(HOME, with_pip=True)
    notes = []
    wanted = [name for name in names() if name != "torch"]
    print(f"installing the newest of {len(wanted)} packages ...", flush=True)
    if not pip("install", "--upgrade", *wanted):
        for name in wanted:  # which of them does not go with the others
            if not pip("install", "--upgrade", name):
                notes.append(f"{name} could not be installed: the pinned one is used.")
    index = torch_index()  # isolated: another index, set for this machine, may have other builds
    only = ("--isolated", "--no-deps", "--index-url", index)
    if not pip("install", "--upgrade", *only, "torch"):
        notes.append(f"No newer PyTorch from {index}: the pinned one is used.")
    # last on the path: it holds the pinned version of whatever is missing so far
    site = next((HOME / "lib").glob("python*/site-packages"), HOME / "Lib" / "site-packages")
    pinned = sysconfig.get_path("purelib")
    (site / "canary_pinned.pth").write_text(f"{pinned}\n", encoding="utf-8")
    return notes


def pinned_versions() -> dict[str, str]:
    """The versions in the lock, by package."""
    found = re.findall(r"^([\w.-]+)==([^\s;]+)", LOCK.read_text(encoding="utf-8"), flags=re.M)
    return {name.lower().replace("_", "-"): version for name, version in found[::-1]}


def newest_versions() -> dict[str, str]:
    """The versions that the scratch environment imports, by package."""
    script = (
        "import importlib.metadata as m, json\n"
        "found = {}\n"
        "for d in m.distributions():\n"
        "    found.setdefault(d.metadata['Name'].lower().replace('_', '-'), d.version)\n"
        "print(json.dumps(found))\n"
    )
    return json.loads(run(PYTHON, "-c", script).stdout.splitlines()[-1])


def changes() -> list[str]:
    """A table of the packages whose version is another one, in Markdown."""
    old, new = pinned_versions(), newest_versions()
    rows = [
        f"| {name} | {version} | {new[name]} |"
        for name, version in sorted(old.items())
        if name in new and new[name] != version
    ]
    same = sum(new.get(name) == version for name, version in old.items())
    rows = rows or ["| none | | |"]
    return ["| package | pinned | newest |", "|---|---|---|", *rows, "", f"{same} are the same."]


def tried() -> list[str]:
    """What the reference solutions and the quick gates say, in Markdown."""
    env = {"ML_MINI_LABS_ENV": "system", "ML_MINI_LABS_PROGRESS": str(HOME / "progress")}
    lines = []
    for title, words in (
        ("Reference solutions", ["checks", "all", "--reference"]),
        ("Quick gates", ["pytest", "-q", "-n", "2", "tests/test_gates.py", "-k", GATES]),
    ):
        print(f"{title.lower()} ...", flush=True)
        try:
            done = run(PYTHON, "-m", *words, **env)
            status, said = done.returncode, done.stdout.strip().splitlines()
        except subprocess.TimeoutExpired:
            status, said = 1, [f"still running after {LIMIT:g} s"]
        verdict = "pass" if status == 0 else "FAIL"
        lines += ["", f"## {title}: {verdict}", ""]
        wrong = [row for row in said if "error:" in row or row.startswith(("FAILED", "ERROR"))]
        warned = sorted({row.strip() for row in said if "Warning:" in row})
        lines += ["```", *(wrong or said[-3:])[:40], *warned[:10], "```"]
    return lines


def main() -> int:
    """Build, compare, try, report; always 0."""
    notes = build()
    day, python = datetime.date.today().isoformat(), sys.version.split()[0]
    lines = [f"# Canary, {day}, Python {python}", "", *changes(), "", *notes, *tried()]
    report = "\n".join(lines) + "\n"
    print(report)
    folder = ROOT / "dist"
    folder.mkdir(exist_ok=True)
    (folder / "canary.md").write_text(report, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
