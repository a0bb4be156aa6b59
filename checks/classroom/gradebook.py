"""The tables: a row a stage and a row a submission as CSV, JUnit XML, JSON lines, and a screen."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from typing import Any
from xml.etree import ElementTree

from checks.classroom.points import Points, number
from checks.classroom.submissions import Submission
from checks.runner.lab import Lab, NotUsable
from checks.runner.verdict import PASSED, TODO, WRONG

MISSING, UNUSABLE = "missing", "unusable"
COLUMNS = ("submission", "lab", "stage", "title", "state", "points", "of", "message", "diagnosis",
           "file", "line")  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run, not show
ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Row:
    """One stage of one submission, with its points."""

    def __init__(self, submission: str, lab: Lab, stage: int, state: str, worth: float) -> None:
        self.submission, self.lab, self.stage, self.state, self.of = (
            submission, lab, stage, state, worth,
        )  # fmt: skip
        self.points = worth if state == PASSED else 0.0
        self.message, self.text, self.file = "", "", ""
        self.diagnosis: list[str] = []
        self.verdict: dict[str, Any] = {}
        self.line, self.seconds = 0, 0.0

    def cells(self) -> list[str]:
        """The row for a table."""
        title = self.lab.stages[self.stage].title
        lead = "so far, this is" if self.verdict.get("so_far") else "this is"
        diagnosis = "; or ".join(f"{lead} what you get {meaning}" for meaning in self.diagnosis)
        found = [self.submission, self.lab.id, str(self.stage), title, self.state,
                 number(self.points), number(self.of), self.message, diagnosis,
                 self.file, str(self.line or "")]  # fmt: skip
        return [cell(text) for text in found]


def cell(text: str) -> str:
    """Text for a spreadsheet: one line, nothing that it would run, no memory addresses."""
    text = " ".join(ADDRESS.sub("0x...", text).split())
    text = text.encode("utf-8", "backslashreplace").decode()
    return f"'{text}" if text.startswith(FORMULA) else text


def rows(
    submission: Submission, labs: list[Lab], outcomes: dict[int, dict[str, Any]], points: Points
) -> list[Row]:
    """The rows of a submission, a lab's stages in order. `outcomes` are by lab number."""
    found = []
    for lab in labs:
        outcome = outcomes.get(lab.number)
        for stage in lab.stages:
            row = Row(submission.name, lab, stage, MISSING, points.of(lab.id, stage))
            if outcome is None:
                row.message = f"no file for {lab.id}"
            else:
                row.file = os.path.basename(submission.files[lab.number])
                _fill(row, outcome)
            found.append(row)
    return found


def _fill(row: Row, outcome: dict[str, Any]) -> None:
    told = outcome["stages"].get(row.stage)
    if told is None:
        problem = outcome["unusable"] or {"message": "was not judged", "line": 1}
        row.state, row.message, row.line = UNUSABLE, problem["message"], problem["line"]
        row.text = f"{row.file}:{row.line}: {row.message}"
        return
    verdict = told["verdict"]
    row.state, row.message, row.text = verdict["state"], told["said"], told["text"]
    row.points = row.of if row.state == PASSED else 0.0
    row.diagnosis, row.seconds, row.verdict = verdict["diagnosis"], verdict["seconds"], verdict
    row.line = 0 if row.state == PASSED else told["line"]
    if told["cell"]:
        row.file += f", cell {told['cell']}"
        if row.state != PASSED:
            row.text = f"in the notebook: cell {told['cell']}, line {told['line']}\n{row.text}"


def stages_csv(every: list[list[Row]]) -> str:
    """A row a submission and stage."""
    return _csv([COLUMNS, *(row.cells() for found in every for row in found)])


def summary_csv(every: list[list[Row]], labs: list[Lab], notes: list[list[str]]) -> str:
    """A row a submission: points a lab, their total, what is not right, and notes."""
    table = [["submission", *(lab.id for lab in labs), "total", "of", "not right", "notes"]]
    for found, said in zip(every, notes):
        sums = [number(sum(r.points for r in found if r.lab is lab)) for lab in labs]
        total, of = sum(r.points for r in found), sum(r.of for r in found)
        cells = [found[0].submission, *sums, number(total), number(of), wrong(found, labs)]
        table.append([cell(text) for text in [*cells, "; ".join(said)]])
    return _csv(table)


def _csv(table: list[Any]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(table)
    return text.getvalue()


def wrong(found: list[Row], labs: list[Lab]) -> str:
    """`lab-3: 2, 4 timeout | missing: lab-4, lab-5`: what did not get its points."""
    parts = []
    whole: dict[str, list[str]] = {}
    for lab in labs:
        mine = [row for row in found if row.lab is lab]
        states = {row.state for row in mine}
        if len(states) == 1 and states & {MISSING, UNUSABLE, TODO}:
            whole.setdefault(mine[0].state, []).append(lab.id)
            continue
        open_ = [row for row in mine if row.state != PASSED]
        if open_:
            texts = [f"{r.stage}{'' if r.state == 'failed' else f' {r.state}'}" for r in open_]
            parts.append(f"{lab.id}: {', '.join(texts)}")
    parts += [f"{state}: {', '.join(names)}" for state, names in whole.items()]
    return " | ".join(parts)


def json_lines(every: list[list[Row]]) -> str:
    """One object a row: the table's columns, the seconds, and the whole verdict."""
    lines = []
    for found in every:
        for row in found:
            fields: dict[str, Any] = dict(zip(COLUMNS, row.cells()))
            fields |= {"stage": row.stage, "points": row.points, "of": row.of, "line": row.line}
            fields |= {"diagnosis": row.diagnosis, "seconds": round(row.seconds, 4)}
            lines.append(json.dumps({**fields, "verdict": row.verdict}, ensure_ascii=True))
    return "".join(f"{line}\n" for line in lines)


def junit(every: list[list[Row]]) -> bytes:
    """A test suite a submission, a test case a stage; a failure's text is the whole verdict."""
    top = ElementTree.Element("testsuites", name="ml-mini-labs")
    _count(top, [row for found in every for row in found])
    for found in every:
        suite = ElementTree.SubElement(top, "testsuite", name=_xml(found[0].submission))
        _count(suite, found)
        for row in found:
            title = row.lab.stages[row.stage].title
            case = ElementTree.SubElement(
                suite,
                "testcase",
                classname=_xml(f"{found[0].submission}.{row.lab.id}"),
                name=_xml(f"stage {row.stage} · {title}"),
                time=f"{row.seconds:.3f}",
            )
            if row.state == PASSED:
                continue
            kind = "failure" if row.state in WRONG else "skipped"
            kind = "error" if row.state == UNUSABLE else kind
            said = ElementTree.SubElement(case, kind, message=_xml(cell(row.message)))
            if kind != "skipped":
                said.set("type", row.state)
                said.text = _xml(ADDRESS.sub("0x...", row.text))
    ElementTree.indent(top)
    return ElementTree.tostring(top, encoding="utf-8", xml_declaration=True) + b"\n"


def _count(element: ElementTree.Element, found: list[Row]) -> None:
    element.set("tests", str(len(found)))
    element.set("failures", str(sum(row.state in WRONG for row in found)))
    element.set("errors", str(sum(row.state == UNUSABLE for row in found)))
    element.set("skipped", str(sum(row.state in (TODO, MISSING) for row in found)))
    element.set("time", f"{sum(row.seconds for row in found):.3f}")


def _xml(text: str) -> str:
    return NOT_XML.sub("?", text)


def screen(every: list[list[Row]], labs: list[Lab]) -> str:
    """The final table: submission, points, what is not right."""
    lines = []
    width = max([len(found[0].submission) for found in every] + [10])
    points = [
        f"{number(sum(r.points for r in found))}/{number(sum(r.of for r in found))}"
        for found in every
    ]
    side = max(len(text) for text in [*points, "points"])
    lines.append(f"{'submission':<{width}}  {'points':>{side}}  not right")
    for found, text in zip(every, points):
        said = wrong(found, labs) or "-"
        lines.append(f"{found[0].submission:<{width}}  {text:>{side}}  {said}")
    return "\n".join(lines)


def write(folder: str, name: str, data: bytes) -> None:
    """Write a file whole or not at all: a reader sees the old one until the new one is there."""
    path = os.path.join(folder, name)
    temporary = f"{path}.{os.getpid()}"
    try:
        with open(temporary, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except OSError as error:
        raise NotUsable(
            f"{path} cannot be written: {error.strerror}",
            "close the program that holds it open, then run the same command: nothing is lost",
        ) from None
