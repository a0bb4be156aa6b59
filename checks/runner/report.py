"""Verdicts as text, as problem lines for an editor, as JSON and as a summary."""

from __future__ import annotations

from checks.runner.verdict import PASSED, TIMEOUT, TODO, WRONG, Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from checks.runner.lab import Lab

PROBLEM_CHARS = 200
PRINTED_LINES = 8
CONTROLS = {n: f"\\x{n:02x}" for n in (*range(9), *range(10, 32), *range(127, 160))}


def row(label: str, text: str) -> str:
    """One labelled line of a message."""
    return f"  {label:<10} {visible(text)}"


def visible(text: str) -> str:
    """A line whose control characters are shown and not obeyed: `\\x1b[31m` colours nothing."""
    return text if text.isprintable() else text.translate(CONTROLS)


def problem(verdict: Verdict) -> str:
    """The first line: file:line:column: severity: message [code]. It stands alone."""
    severity = "error" if verdict.state in WRONG else "info"
    text = verdict.message
    shown = dict(verdict.rows)
    if verdict.diagnosis:
        text += f": {diagnosed(verdict)}"
    elif "got" in shown:
        text += f": got {shown['got']}, expected {shown['expected']}"
    if len(text) > PROBLEM_CHARS:
        text = verdict.message[:PROBLEM_CHARS]
    who = "reference of stage" if verdict.reference else "stage"
    head = f"{verdict.where}: {severity}: {who} {verdict.stage}: "
    return f"{head}{visible(text)} [{verdict.code}]"


def diagnosed(verdict: Verdict) -> str:
    """`this is what you get when ..., or when ...`."""
    lead = "so far, this is" if verdict.so_far else "this is"
    return f"{lead} what you get {', or '.join(verdict.diagnosis)}"


def place(lab: Lab, number: int) -> str:
    """`stage 3, labs/lab_3_bpe.py:210`, the line of the stage's first function."""
    return f"stage {number}, {lab.relative}:{first_line(lab, number)}"


def first_line(lab: Lab, number: int) -> int:
    """The line of the first definition in a stage's region that has a solution."""
    stage = lab.stages[number]
    lines = [
        found[-1].name_line
        for name, found in lab.definitions.items()
        if f"solution_{name}" in lab.key.definitions and stage.line <= found[-1].line <= stage.end
    ]
    return min(lines, default=stage.line)


def is_written(lab: Lab, number: int) -> bool:
    """Whether any function in a stage's region is more than its stub."""
    stage = lab.stages[number]
    return any(
        not found[-1].is_stub
        for name, found in lab.definitions.items()
        if f"solution_{name}" in lab.key.definitions and stage.line <= found[-1].line <= stage.end
    )


class Words:
    """How a verdict names a place and the next step: by file and line, and as a command.

    Where there is no saved file and no command line, another set of words stands in for this.
    """

    def first(self, verdict: Verdict) -> str:
        """What is the matter, in the first line."""
        return problem(verdict)

    def place(self, lab: Lab, number: int) -> str:
        """Where a stage is."""
        return place(lab, number)

    def write(self, verdict: Verdict) -> str:
        """What to do where a function is still to write."""
        return f"write it at line {verdict.line}, then run the stage again"

    def mend(self, verdict: Verdict, lab: Lab) -> str:
        """What to do where something is wrong."""
        again = "find the loop that does not end at" if verdict.state == TIMEOUT else "fix"
        hint = f"or ask for a hint: python -m checks hint {lab.number} {verdict.stage}"
        return f"{again} line {verdict.line} and run the stage again, {hint}"


IN_A_FILE = Words()


def text(verdict: Verdict, lab: Lab, words: Words = IN_A_FILE) -> str:
    """The whole verdict for a person: one line where it passed, else what to do next."""
    if verdict.state == PASSED:
        return "\n".join([_passed(verdict, lab, words), *_extras(verdict)])
    lines = [words.first(verdict)]
    if verdict.state in WRONG:
        lines += [row(label, value) for label, value in verdict.rows]
        first = "so far" if verdict.so_far else "this is"
        for at, meaning in enumerate(verdict.diagnosis):
            lines.append(row("or" if at else first, f"what you get {meaning}"))
        if verdict.diagnosis and verdict.so_far:
            lines.append(row("", "(later cases differ from that: there is more to find)"))
    lines += _extras(verdict)
    if verdict.reread:
        lines.append(row("re-read", verdict.reread))
    step = words.write(verdict) if verdict.state == TODO else words.mend(verdict, lab)
    lines.append(row("next", step))
    return "\n".join(lines)


def _passed(verdict: Verdict, lab: Lab, words: Words) -> str:
    if verdict.reference:
        return f"reference of stage {verdict.stage} passed ({verdict.seconds:.2f} s)"
    later = [n for n in lab.stages if n > verdict.stage]
    tail = f" Next: {words.place(lab, min(later))}" if later else " That was the last stage."
    return f"stage {verdict.stage} passed: {', '.join(verdict.functions)}.{tail}"


def _extras(verdict: Verdict) -> list[str]:
    lines = []
    if verdict.carried:
        numbers = ", ".join(str(n) for n in verdict.carried)
        if len(verdict.carried) == 1:
            said = f"stage {numbers} is not right yet, so the reference stands in for it here"
        else:
            said = f"stages {numbers} are not right yet, so the reference stands in for them here"
        lines.append(row("carried", said))
    lines += [row("note", note) for note in verdict.notes]
    if verdict.printed.strip():
        shown = verdict.printed.strip("\n").split("\n")
        cut = [] if len(shown) <= PRINTED_LINES else [f"... ({len(shown)} lines or more)"]
        for at, line in enumerate([*shown[:PRINTED_LINES], *cut]):
            lines.append(row("printed" if at == 0 else "", line[:160]))
    return lines


def summary(lab: Lab, verdicts: list[Verdict]) -> str:
    """`2 of 6 done, next: stage 3, labs/lab_3_bpe.py:210`."""
    done = sum(v.state == PASSED for v in verdicts)
    open_stages = [v.stage for v in verdicts if v.state != PASSED]
    tail = f", next: {place(lab, open_stages[0])}" if open_stages else ": all stages pass"
    return f"{done} of {len(verdicts)} done{tail}"


def json_line(verdict: Verdict) -> str:
    """One JSON object: all that the verdict holds."""
    import json

    fields = verdict.as_dict()
    lead = "so far, this is" if verdict.so_far else "this is"
    fields["diagnosis"] = [f"{lead} what you get {meaning}" for meaning in verdict.diagnosis]
    fields["rows"] = [list(pair) for pair in verdict.rows]
    fields["seconds"] = round(verdict.seconds, 4)
    return json.dumps(fields)


def markdown(lab: Lab, verdicts: list[Verdict]) -> str:
    """A table of the lab's stages, for a job summary."""
    rows = [
        f"### {lab.id} · {lab.title}",
        "",
        "| stage | verdict | seconds | |",
        "|---|---|---|---|",
    ]
    for verdict in verdicts:
        title = f"{verdict.stage} · {lab.stages[verdict.stage].title}"
        said = problem(verdict).partition(": stage ")[2] if verdict.state in WRONG else ""
        cell = said.replace("|", "\\|")
        rows.append(f"| {title} | {verdict.state} | {verdict.seconds:.2f} | {cell} |")
    return "\n".join([*rows, ""])
