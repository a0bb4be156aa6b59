"""What is done, what comes next and what is due for recall, from the journal and the labs.

A stage is done when its newest verdict is `passed` and it is still written. Recall is spaced:
1, 3, 7 and 21 days after each success. One that needed help, or was not right again within a
day, starts over at 1 day.
"""

from __future__ import annotations

import os
import time

from checks.runner import journal, report
from checks.runner import lab as labs
from checks.runner.lab import Lab, NotUsable
from checks.runner.places import number_of
from checks.runner.verdict import CRASHED, FAILED, PASSED, TIMEOUT, TODO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from checks.runner.journal import Record

DAY = 86400.0
GAPS = (1, 3, 7, 21)  # days until the next recall, by how often it went well in a row
HELP = ("hint", "compare", "restore", "give-up")
VERDICTS = (PASSED, TODO, FAILED, CRASHED, TIMEOUT)


class StageHistory:
    """What the journal says of one stage.

    state    the newest verdict, or nothing
    level    recalls that went well in a row; due at `due` (seconds since 1970), 0 for never
    recall   since when it is being recalled, 0 for not at all
    """

    def __init__(self) -> None:
        self.state = ""
        self.has_passed = False
        self.level, self.due, self.recall = 0, 0.0, 0.0
        self.helped = False
        self.attempts: set[str] = set()  # digests of functions that were judged and not right

    def add(self, record: Record) -> None:
        """Take in the next record, in the order of time."""
        if record.event == "recall":
            self.recall, self.helped, self.attempts = record.at, False, set()
            self.has_passed = False
        elif record.event in HELP:
            self.helped = True
        elif record.event in VERDICTS:
            self.state = record.event
            if record.event == PASSED:
                self._passed(record.at)
            elif record.event != TODO:
                self.attempts.add(record.source)

    def _passed(self, at: float) -> None:
        if self.recall:
            went_well = not self.helped and at - self.recall <= DAY
            self.level = min(self.level + 1, len(GAPS) - 1) if went_well else 0
            self.due, self.recall = at + GAPS[self.level] * DAY, 0.0
        elif not self.due:
            self.due = at + GAPS[0] * DAY
        self.has_passed, self.attempts = True, set()


def history(records: list[Record]) -> dict[tuple[str, int], StageHistory]:
    """(lab, stage) -> what happened."""
    found: dict[tuple[str, int], StageHistory] = {}
    for record in records:
        found.setdefault((record.lab, record.stage), StageHistory()).add(record)
    return found


class LabProgress:
    """One lab, as it stands: its stages, which are done, the next one, what is due."""

    def __init__(self, lab: Lab, past: dict[tuple[str, int], StageHistory], now: float) -> None:
        self.lab = lab
        self.past = {n: past.get((lab.id, n), StageHistory()) for n in lab.stages}
        self.written = {n for n in lab.stages if report.is_written(lab, n)}
        self.done = [n for n, h in self.past.items() if h.state == PASSED and n in self.written]
        self.due = [n for n in self.done if 0 < self.past[n].due <= now]
        self.recalling = [n for n, h in self.past.items() if h.recall]
        self.next = next((n for n in lab.stages if n not in self.done), 0)


def tracks(interview: bool = False) -> list[tuple[str, list[int]]]:
    """(name, lab numbers) of the suggested orders, from labs/orders.toml."""
    import tomllib

    try:
        with open(os.path.join(labs.ROOT, "labs", "orders.toml"), "rb") as file:
            orders = tomllib.load(file)
        found: list[tuple[str, list[int]]] = [(k, list(v)) for k, v in orders["tracks"].items()]
        first = orders["interview"]["first"]
    except OSError as error:
        raise _no_orders(error.strerror or str(error)) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _no_orders(f"{type(error).__name__}: {error}") from None
    have = [number_of(path) for path in labs.discover()]
    if interview:
        rest = [n for _, track in found for n in track if n not in first]
        found = [("interview", [*first, *rest])]
    known = {n for _, track in found for n in track}
    found.append(("more", [n for n in have if n not in known]))
    kept = [(name, [n for n in track if n in have]) for name, track in found]
    return [(name, track) for name, track in kept if track]


def _no_orders(why: str) -> NotUsable:
    return NotUsable(
        f"labs/orders.toml cannot be read: {why}",
        "mend it, or bring it back: git checkout labs/orders.toml",
    )


def survey(now: float) -> tuple[dict[int, LabProgress], list[NotUsable]]:
    """Every lab that can be read, by number; and why the others cannot."""
    past = history(journal.read())
    found, broken = {}, []
    for path in labs.discover() or [labs.find("all")]:
        try:
            lab = Lab(path)
        except NotUsable as no:
            broken.append(no)
        else:
            found[lab.number] = LabProgress(lab, past, now)
    return found, broken


def table(interview: bool = False) -> str:
    """All labs in the suggested orders, as text."""
    now = time.time()
    found, broken = survey(now)
    rows: list[str] = []
    for name, numbers in tracks(interview):
        rows.append(name)
        rows += [_row(found[n]) for n in numbers if n in found]
    rows += [str(no) for no in broken]
    due = [(p.lab, n) for p in found.values() for n in p.due]
    done = sum(len(p.done) for p in found.values())
    total = sum(len(p.past) for p in found.values())
    rows += ["", f"{done} of {total} stages done"]
    if due:
        many = f"{len(due)} stages are" if len(due) > 1 else "1 stage is"
        rows.append(f"{many} due: write again from memory, python -m checks recall")
    rows.append("judge a stage: python -m checks 3 1; everything else: python -m checks --help")
    return "\n".join(rows)


def _row(progress: LabProgress) -> str:
    lab = progress.lab
    marks = "".join(
        "●" if n in progress.done else "○" if n in progress.written else "·" for n in lab.stages
    )
    row = f"  {lab.id}  {lab.title:<40.40} {marks:<8} {len(progress.done)} of {len(lab.stages)}"
    parts = [f"next: {report.place(lab, progress.next)}"] if progress.next else ["complete"]
    if progress.due:
        parts.append(f"due: {', '.join(f'stage {n}' for n in progress.due)}")
    return f"{row}  {', '.join(parts)}"


WIDTH, LINE, CELL = 720, 34, 22  # pixels of the picture: its width, a row's height, a stage's box
COLOURS = {"done": "#2f855a", "written": "#d69e2e", "open": "#a0aec0"}


def svg() -> str:
    """The same as a picture, for the README of one's own fork; readable on light and dark."""
    found, _ = survey(time.time())
    rows: list[str] = []
    y = 10
    for name, numbers in tracks():
        rows.append(f'<text x="12" y="{y + 18}" class="track">{name}</text>')
        y += LINE
        for n in numbers:
            if n in found:
                rows += _svg_row(found[n], y)
                y += LINE
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y + 10}" '
        f'viewBox="0 0 {WIDTH} {y + 10}" role="img" aria-label="Progress in the labs">'
        "<style>text{font:14px system-ui,sans-serif;fill:#718096}"
        ".track{font-weight:600}.count{text-anchor:end}</style>"
    )
    text = "\n".join([head, *rows, "</svg>"])
    return text.encode("ascii", "xmlcharrefreplace").decode()  # whatever the terminal's encoding


def _svg_row(progress: LabProgress, y: int) -> list[str]:
    from xml.sax.saxutils import escape

    lab = progress.lab
    rows = [f'<text x="28" y="{y + 17}">{lab.number} · {escape(lab.title)}</text>']
    for at, n in enumerate(lab.stages):
        kind = "done" if n in progress.done else "written" if n in progress.written else "open"
        fill = COLOURS[kind] if kind != "open" else "none"
        rows.append(
            f'<rect x="{400 + at * (CELL + 6)}" y="{y}" width="{CELL}" height="{CELL}" rx="4" '
            f'fill="{fill}" stroke="{COLOURS[kind]}"><title>stage {n}: {kind}</title></rect>'
        )
    count = f"{len(progress.done)} of {len(lab.stages)}"
    return [*rows, f'<text x="{WIDTH - 12}" y="{y + 17}" class="count">{count}</text>']
