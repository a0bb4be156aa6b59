"""What has been judged already: a file of JSON lines that an interruption cannot spoil.

A record is one line. It is keyed by a digest of everything that a verdict depends on: the file
that was handed in, the checks, the engine, the reference. Points are not among them: they are
given when the tables are written.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from typing import Any

from checks.runner.lab import ROOT, Lab

GIVEN_UP = 2  # times that a file was being judged when the grading itself was killed


def rules(key: Lab) -> str:
    """A digest of all that judges this lab: engine, checks, reference and pinned packages."""
    found = hashlib.sha256(f"{key.text}\n{sys.version}\n{sys.platform}".encode())
    for folder, inner, names in os.walk(os.path.join(ROOT, "checks")):
        inner[:] = sorted(
            n for n in inner if n != "__pycache__" and (not n.startswith("lab_") or n == key.stem)
        )
        for name in sorted(names):
            if not name.startswith("."):
                _add(found, os.path.join(folder, name))
    _add(found, os.path.join(ROOT, "requirements.lock"))
    return found.hexdigest()


def _add(found: Any, path: str) -> None:
    with open(path, "rb") as file:
        found.update(os.path.relpath(path, ROOT).encode() + b"\0" + file.read())


def digest(rule: str, kind: str, data: bytes) -> str:
    """The key of one hand-in under these rules."""
    return hashlib.sha256(f"{rule} {kind}\n".encode() + data).hexdigest()


class State:
    """Outcomes by digest, in a file that is only appended to."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.outcomes: dict[str, dict[str, Any]] = {}
        self.begun: dict[str, int] = {}
        for line in self._lines():
            try:
                record = json.loads(line)
                key = str(record["digest"])
                if "outcome" in record:
                    outcome = record["outcome"]
                    outcome["stages"] = {int(n): told for n, told in outcome["stages"].items()}
                    self.outcomes[key] = outcome
                else:
                    self.begun[key] = self.begun.get(key, 0) + int(record["begun"])
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                continue  # half written: it loses itself and nothing else

    def _lines(self) -> list[bytes]:
        try:
            with open(self.path, "rb") as file:
                return file.read().split(b"\n")
        except OSError:
            return []

    def begin(self, key: str) -> None:
        """A worker has this file now."""
        self._append({"digest": key, "begun": 1})

    def stop(self, key: str) -> None:
        """It was taken from the worker again, and is not to blame."""
        self._append({"digest": key, "begun": -1})

    def end(self, key: str, outcome: dict[str, Any]) -> None:
        """It was judged."""
        self.outcomes[key] = outcome
        self._append({"digest": key, "outcome": outcome})

    def kills(self, key: str) -> bool:
        """Whether this file was being judged each time that the grading was killed."""
        return key not in self.outcomes and self.begun.get(key, 0) >= GIVEN_UP

    def _append(self, record: dict[str, Any]) -> None:
        line = json.dumps(record, sort_keys=True).encode() + b"\n"
        file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            size = os.fstat(file).st_size
            if size:  # a line that somebody was killed in must not swallow this one
                os.lseek(file, size - 1, os.SEEK_SET)
                if os.read(file, 1) != b"\n":
                    line = b"\n" + line
            os.write(file, line)
        finally:
            os.close(file)
