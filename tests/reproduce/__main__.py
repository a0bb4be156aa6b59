"""`nox -s reproduce`: every lab under every setting that this machine allows, beside the pins.

`-- 4 7` some labs, `-- --quick` two labs and few settings, `-- --emulated` other CPUs by
qemu-user and valgrind, `-- --in "docker run --rm -v .:/lab -w /lab IMAGE python"` in a container
as it comes. The table goes to dist/reproduce.{json,md}; exit status 1 where a promise is broken.
"""

from __future__ import annotations

import argparse
import json
import marshal
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from checks.runner.lab import ROOT, Lab, discover
from tests.reproduce import compare, settings
from tests.reproduce.settings import MARK, Setting

LIMIT = 3600.0  # seconds for one lab under one setting, a minute's work on an idle machine
QUICK = (5, 6)  # the labs that take a few seconds
WORKERS = 2


def start(word: str, setting: Setting, limit: float = LIMIT) -> dict[str, Any] | str:
    """What `tests.reproduce.child` gives under a setting, or in a few words why nothing."""
    at_home = [] if setting.variables is None else [sys.executable]
    wanted = json.dumps(setting.variables)
    command = [*setting.prefix, *at_home, "-m", "tests.reproduce.child", word, wanted]
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=setting.environment(), capture_output=True, timeout=limit
        )
    except subprocess.TimeoutExpired:
        return f"still running after {limit:g} s"
    _, mark, data = done.stdout.partition(MARK)
    if not mark:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        why = f"signal {-done.returncode}" if done.returncode < 0 else f"exit {done.returncode}"
        return f"{why}: {said[-1]}" if said else why
    return marshal.loads(data)


def possible(wanted: list[Setting], labs: list[Lab]) -> list[Setting]:
    """The settings whose probe comes through; the others are named, with what happened."""
    found = []
    probe = "torch" if any("torch" in lab.imports for lab in labs) else "numpy"
    for setting in wanted:
        result = start(probe, setting)
        if isinstance(result, str) or result["error"]:
            why = result if isinstance(result, str) else result["error"]
            print(f"left out on this machine: {setting.name} ({why})")
            continue
        setting.errs = bool(result["printed"])
        print(
            f"{setting.name}: {result['in effect']}; {result['printed']}".rstrip("; \n"), flush=True
        )
        found.append(setting)
    return found


def measure(labs: list[Lab], wanted: list[Setting]) -> list[dict]:
    """A row for each lab and setting; single threads two at a time, two threads alone."""
    rows: list[dict] = []

    def run(lab: Lab, setting: Setting) -> dict[str, Any] | str:
        return start(lab.id, setting)

    def add(lab: Lab, setting: Setting, result: dict[str, Any] | str) -> None:
        if isinstance(result, str):
            rows.append(compare.lost(lab, setting, result))
        else:
            rows.append(compare.row(lab, setting, result, bases[lab.id]))
        print(compare.line(rows[-1]), flush=True)
        for problem in compare.broken(rows[-1]):
            print(f"    broken: {problem}", flush=True)

    print(compare.HEAD)
    bases: dict[str, dict[str, Any]] = {}
    with ThreadPoolExecutor(WORKERS) as pool:
        for lab, result in zip(labs, pool.map(run, labs, [settings.base()] * len(labs))):
            if isinstance(result, dict):
                bases[lab.id] = result
            add(lab, settings.base(), result)
        there = [lab for lab in labs if lab.id in bases]
        one = [(lab, s) for s in wanted if s.threads == 1 for lab in there]
        for pair, result in zip(one, pool.map(run, *zip(*one)) if one else []):
            add(*pair, result)
    for setting in wanted:
        if setting.threads > 1:
            for lab in there:
                add(lab, setting, run(lab, setting))
    return rows


def write(rows: list[dict], seconds: float) -> None:
    """The table to dist/reproduce.json and .md."""
    folder = Path(ROOT, "dist")
    folder.mkdir(exist_ok=True)
    whole = {"seconds": round(seconds), "rows": rows}
    (folder / "reproduce.json").write_text(json.dumps(whole, indent=1), encoding="utf-8")
    problems = [
        f"- {row['lab']}, {row['setting']}: {problem}"
        for row in rows
        for problem in compare.broken(row)
    ]
    lines = [compare.HEAD, *map(compare.line, rows), "", *(problems or ["No promise is broken."])]
    (folder / "reproduce.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main(words: list[str]) -> int:
    """Compare, print, write; exit status 1 where a promise is broken."""
    parser = argparse.ArgumentParser(prog="nox -s reproduce --", description=__doc__)
    parser.add_argument("labs", nargs="*", type=int, help="numbers of labs; none: all")
    parser.add_argument("--quick", action="store_true", help="two labs, few settings")
    parser.add_argument(
        "--emulated", action="store_true", help="other CPUs, by qemu-user and valgrind"
    )
    parser.add_argument("--in", dest="there", metavar="COMMAND", help="starts a container's Python")
    asked = parser.parse_args(words)
    begin = time.perf_counter()
    few = QUICK if asked.quick else QUICK[:1] if asked.emulated else ()
    every = [Lab(path) for path in discover()]
    numbers = asked.labs or few or [lab.number for lab in every]
    unknown = sorted({*numbers} - {lab.number for lab in every})
    if unknown:
        parser.error(f"there is no lab {unknown[0]}")
    labs = [lab for lab in every if lab.number in numbers]
    if asked.emulated:
        wanted = possible(settings.emulated(), labs)
        if not wanted:
            parser.error("no emulator; on Debian: sudo apt-get install qemu-user valgrind")
    elif asked.there:
        prefix = tuple(shlex.split(asked.there))
        wanted = [Setting("the container", None, prefix=prefix, exact=True)]
    else:
        wanted = possible(settings.native(asked.quick), labs)
    rows = measure(labs, wanted)
    seconds = time.perf_counter() - begin
    write(rows, seconds)
    count = sum(bool(compare.broken(row)) for row in rows)
    print(f"{len(rows)} runs in {seconds:.0f} s, {count} with a broken promise")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
