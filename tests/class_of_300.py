"""A class of 300, judged: every verdict against what is known, twice, the second time interrupted.

`python -m tests.class_of_300 [COUNT]` makes the class, grades it, grades it again into another
folder with Ctrl+C and a kill on the way, and compares the tables byte by byte. It prints the
figures and exits with 1 where anything is not as known.
"""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests import handins
from tests.workshop import ROOT

TABLES = ("stages.csv", "summary.csv")


def heeds_interrupts() -> None:
    """Ctrl+C is meant: who started this in the background had it ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def grade(folder: Path, out: Path, *options: str) -> subprocess.Popen:
    """The command, started; what it says goes to a file beside `out`."""
    words = ["grade", str(folder), "--out", str(out), *options]
    with open(out.with_suffix(".said"), "ab") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "checks", *words],
            cwd=ROOT,
            stdout=said,
            stderr=said,
            preexec_fn=heeds_interrupts,
        )


def largest(process: subprocess.Popen) -> tuple[int, int]:
    """Wait for the grader; the most bytes that it held, and that all below it held together."""
    peaks = [0, 0]
    while process.poll() is None:
        try:
            family = psutil.Process(process.pid)
            sizes = [p.memory_info().rss for p in [family, *family.children(recursive=True)]]
            peaks = [max(peaks[0], sizes[0]), max(peaks[1], sum(sizes))]
        except psutil.Error:
            pass
        time.sleep(0.1)
    return peaks[0], peaks[1]


def outcome(out: Path) -> tuple[list[dict], dict[str, str]]:
    """The rows of a grading, and the notes by submission."""
    text = (out / "stages.jsonl").read_text(encoding="utf-8")
    with open(out / "summary.csv", encoding="utf-8", newline="") as file:
        notes = {row["submission"]: row["notes"] for row in csv.DictReader(file)}
    return [json.loads(line) for line in text.splitlines()], notes


def judged(out: Path) -> int:
    """How many outcomes the state holds by now."""
    path = out / "state.jsonl"
    return path.read_bytes().count(b'"outcome"') if path.exists() else 0


def interrupted(folder: Path, out: Path, half: int, options: list[str]) -> None:
    """Stop the grading once by Ctrl+C and once by a kill, and let the third one end."""
    for share, how in ((half // 2, signal.SIGINT), (half, signal.SIGKILL)):
        process = grade(folder, out, *options)
        while judged(out) < share and process.poll() is None:
            time.sleep(0.2)
        process.send_signal(how)
        process.wait()
        print(f"stopped by {how.name} after {judged(out)} (exit status {process.returncode})")
    with open(out / "state.jsonl", "ab") as file:
        file.write(b'{"digest": "half a li')
    process = grade(folder, out, *options)
    assert process.wait() == 0


def main(count: int, *options: str) -> int:
    """Grade a class of that many; the exit status."""
    with tempfile.TemporaryDirectory(prefix="class-") as home:
        folder, first, second = (Path(home, name) for name in ("class", "first", "second"))
        known = handins.make(folder, handins.of(count))
        begin = time.monotonic()
        process = grade(folder, first, *options)
        peaks = largest(process)
        seconds = time.monotonic() - begin
        print(first.with_suffix(".said").read_text(encoding="utf-8"))
        problems = [] if process.returncode == 0 else [f"exit status {process.returncode}"]
        rows, notes = outcome(first)
        problems += handins.wrong_verdicts(known, rows, notes)
        interrupted(folder, second, count // 2, list(options))
        for name in TABLES:
            before, after = ((out / name).read_bytes() for out in (first, second))
            if before != after:
                odd = [a for a, b in zip(before.split(b"\n"), after.split(b"\n")) if a != b]
                problems.append(f"{name} is another one after an interruption: {odd[:1]}")
        problems += [f"process {pid} is still running" for pid in handins.strays()]
    checked = sum(len(stages) for one in known.values() for stages in one.states.values())
    print("\n".join(problems))
    print(
        f"{count} hand-ins, {checked} verdicts known, {len(problems)} not as known\n"
        f"{seconds:.0f} s, {seconds / count:.2f} s a hand-in, "
        f"memory: grader {peaks[0] >> 20} MiB, all processes together {peaks[1] >> 20} MiB"
    )
    return bool(problems)


if __name__ == "__main__":
    number, *rest = [*sys.argv[1:], "300"] if not sys.argv[1:2] else sys.argv[1:]
    raise SystemExit(main(int(number), *rest))
