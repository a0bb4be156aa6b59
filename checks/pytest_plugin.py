"""A pytest node per stage, at the line of the learner's own function.

`pytest labs/` lists and judges them; `-k merge`, `-x` and `--junitxml` work as everywhere. A
stage that is still to write is skipped, and with --strict-stages it fails. Collecting reads the
lab files and imports neither NumPy nor PyTorch; a lab that does not parse fails its own nodes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checks.runner import report, sandbox, session
from checks.runner.lab import Lab, NotUsable, discover
from checks.runner.outline import no_stages, outline
from checks.runner.verdict import TODO, Verdict

FILES: pytest.StashKey[dict[Path, LabFile]] = pytest.StashKey()


class StageFailed(Exception):
    """A stage is not right; its text is the whole verdict."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--strict-stages`: what is still to write fails."""
    group = parser.getgroup("labs")
    group.addoption(
        "--strict-stages", action="store_true", help="a stage that is still to write fails"
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> LabFile | None:
    """Lab files are collected by their name; one that is named itself comes by the next hook."""
    if _is_lab(file_path) and not parent.session.isinitpath(file_path):
        return LabFile.from_parent(parent, path=file_path)
    return None


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> LabFile | None:
    """A lab is no module of tests: it is read, and never imported."""
    return LabFile.from_parent(parent, path=module_path) if _is_lab(module_path) else None


def _is_lab(path: Path) -> bool:
    return path.suffix == ".py" and str(path) in discover(str(path.parent.parent))


class LabFile(pytest.File):
    """One lab: its stages, and the verdicts that earlier nodes have found."""

    def collect(self) -> Iterator[StageItem]:
        """A node per stage, found by its heading, so that a broken file keeps its nodes."""
        self.verdicts: dict[int, Verdict] = {}
        self.lab: Lab | None = None
        self.problem: NotUsable | None = None
        try:
            self.lab = Lab(str(self.path))
        except NotUsable as no:
            self.problem = no
        stages = outline(str(self.path))
        if not stages:
            raise self.CollectError(str(self.problem or no_stages(self.lab)))
        for number, line, functions in stages:
            name = "-".join([f"stage-{number}", *functions])
            yield StageItem.from_parent(self, name=name, number=number, line=line)


class StageItem(pytest.Item):
    """One stage of a lab."""

    def __init__(self, number: int, line: int, **rest: Any) -> None:
        super().__init__(**rest)
        self.number, self.line = number, line

    def runtest(self) -> None:
        """Judge the stage; a child process holds the learner's code."""
        lab_file = self.parent
        assert isinstance(lab_file, LabFile)
        if lab_file.problem or lab_file.lab is None:
            raise StageFailed(str(lab_file.problem))
        job = sandbox.Job(lab_file.lab, [self.number])
        job.assumed = dict(lab_file.verdicts)
        try:
            (verdict,) = session.judge(job, here=_debugged())
        except NotUsable as no:
            raise StageFailed(str(no)) from None
        lab_file.verdicts |= job.assumed
        lab_file.verdicts[self.number] = verdict
        text = report.text(verdict, lab_file.lab)
        if verdict.is_wrong:
            raise StageFailed(text)
        if verdict.state == TODO:
            if self.config.getoption("--strict-stages"):
                raise StageFailed(text)
            raise pytest.skip.Exception(verdict.message, _use_item_location=True)
        print(text)

    def repr_failure(self, excinfo: pytest.ExceptionInfo, style: Any = None) -> Any:
        """The verdict alone: a traceback of the engine teaches nobody."""
        if isinstance(excinfo.value, StageFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[os.PathLike[str], int, str]:
        """The learner's own function: file, line from 0, name."""
        return self.path, self.line - 1, self.name


def _debugged() -> bool:
    """Whether somebody steps through: breakpoints need the stage in this process."""
    return "debugpy" in sys.modules or "pydevd" in sys.modules


def pytest_collection_finish(session: pytest.Session) -> None:
    """Remember the labs whose stages will run, for the summary."""
    parents = [item.parent for item in session.items if isinstance(item, StageItem)]
    session.config.stash[FILES] = {p.path: p for p in parents if isinstance(p, LabFile)}


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """`lab-3: 2 of 6 done, next: stage 3, labs/lab_3_bpe.py:210` for each lab that ran."""
    for lab_file in config.stash.get(FILES, {}).values():
        if lab_file.lab is not None and lab_file.verdicts:
            verdicts = [lab_file.verdicts[n] for n in sorted(lab_file.verdicts)]
            line = report.summary(lab_file.lab, verdicts)
            terminalreporter.write_line(f"{lab_file.lab.id}: {line}")
