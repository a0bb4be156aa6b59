"""`python -m tests.bench [verdicts] [labs] [libraries] [--quick]`; results go to dist/."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import signal
import sys
import time
from pathlib import Path

from checks.runner import pins
from tests import bench
from tests.bench import labs, libraries, peers, plots, tables, verdicts
from tests.bench.process import ROOT

PARTS = {"verdicts": verdicts.run, "labs": labs.run, "libraries": libraries.run}
DIST = ROOT / "dist"


def machine() -> dict:
    """What the figures were taken on."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].partition(":")[2].strip() if names else cpu
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "pins": pins.pins(),
    }


def load() -> str:
    """How busy the machine was in the last minute, where it tells."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def now() -> str:
    """The date and the minute, UTC."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")


def measure(name: str, quick: bool) -> dict:
    """One part: its rows, when they were taken, and how busy the machine was before it."""
    print(f"\n{name}", flush=True)
    part = {"date": now(), "quick": quick, "load": load()}
    begin = time.monotonic()
    rows = PARTS[name](quick, lambda row: print(tables.line(name, row), flush=True))
    return {**part, "seconds": time.monotonic() - begin, "rows": rows}


def earlier(here: dict) -> dict:
    """The parts of the last result, if it was taken on such a machine."""
    try:
        last = json.loads((DIST / "bench.json").read_text(encoding="utf-8"))
        return last["parts"] if last["machine"] == here else {}
    except (OSError, ValueError, KeyError):
        return {}


def write(result: dict, dist: Path = DIST) -> None:
    """`bench.json`, `bench.md` and a picture for each part, below `dist`."""
    (dist / "bench").mkdir(parents=True, exist_ok=True)
    text = json.dumps(result, indent=1, ensure_ascii=False)
    (dist / "bench.json").write_text(f"{text}\n", encoding="utf-8")
    document = tables.document(result, bench.__doc__)
    (dist / "bench.md").write_text(document, encoding="utf-8")
    for name, part in result["parts"].items():
        getattr(plots, name)(part["rows"], dist / "bench" / f"{name}.png")


def broken(parts: dict) -> list[dict]:
    """The rows of ours that could not be measured, or broke a promise."""
    rows = [row for part in parts.values() for row in part["rows"]]
    return [row for row in rows if "why" in row and row["who"] != "peer"]


def main(arguments: list[str]) -> int:
    """Measure the parts that are named, or all; exit status 1 where a row of ours is broken."""
    parser = argparse.ArgumentParser(prog="nox -s bench --")
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="fewer pairs: a look, no result")
    asked = parser.parse_args(arguments)
    unknown = [name for name in asked.parts if name not in PARTS]
    if unknown:
        parser.error(f"no part is called {unknown[0]}: name one of {', '.join(PARTS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what runs is ended, too
    here = machine()
    fresh = {name: measure(name, asked.quick) for name in PARTS if name in (asked.parts or PARTS)}
    kept = {**earlier(here), **fresh}
    result = {"date": now(), "machine": here, "versions": peers.versions()}
    result["parts"] = {name: kept[name] for name in PARTS if name in kept}
    write(result)
    print(f"\n{DIST / 'bench.md'}, bench.json, and pictures in {DIST / 'bench'}")
    wrong = broken(fresh)
    for row in wrong:
        print(f"broken: {row['name']}: {row['why']}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
