"""`python -m checks`: the one command behind every face. Arguments in, exit status out.

0 passed, 1 not right (or, by name, not written), 2 not usable as asked.
"""

from __future__ import annotations

import os
import sys

from checks.runner import lab as labs
from checks.runner import sandbox, session
from checks.runner.lab import Lab, NotUsable
from checks.runner.verdict import TODO, WRONG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from checks.runner.verdict import Verdict

USAGE = """\
python -m checks                          all labs: what is done, what comes next
python -m checks 3                        judge lab 3 (also: lab-3, lab_3_bpe)
python -m checks 3 2                      judge stage 2 of lab 3
python -m checks labs/lab_3_bpe.py 120    judge the stage under line 120 (also FILE:120)
python -m checks all                      judge all labs
python -m checks hint 3 2                 the next hint of three; never the solution

  --strict      a stage that is still to write counts as not right
  --reference   judge the solutions in place of your functions
  --json        one JSON object a stage
  --debug       judge in this process, for breakpoints: no time limit
  --help        this page"""

FLAGS = ("--strict", "--reference", "--json", "--debug", "--help", "-h")


def main(arguments: list[str]) -> int:
    """Run the command; returns the exit status."""
    flags = {a for a in arguments if a.startswith("-")}
    words = [a for a in arguments if not a.startswith("-")]
    try:
        if sys.version_info[:2] < (3, 11):  # noqa: UP036 (the sentence is for those who run an older one)
            raise NotUsable(
                f"these labs need Python 3.11, and this is {sys.version.split()[0]}",
                "open the dev container, or: uv run --no-project --python 3.11 noxfile.py -s lab-3",
            )
        if flags & {"--help", "-h"}:
            print(USAGE)
            return 0
        unknown = flags.difference(FLAGS)
        if unknown:
            raise NotUsable(f"no such option: {min(unknown)}", "python -m checks --help")
        return _dispatch(words, flags)
    except NotUsable as no:
        sys.stdout.flush()
        print(no, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _dispatch(words: list[str], flags: set[str]) -> int:
    if not words:
        return _table()
    if words[0] == "hint":
        from checks.runner import hints

        lab, numbers, _ = _asked(words[1:] or ["hint"])
        if not numbers:
            raise NotUsable("a hint belongs to a stage", f"python -m checks hint {lab.number} 1")
        print(hints.following(lab, numbers[0]))
        return 0
    if words == ["all"]:
        return _all(flags)
    lab, numbers, by_name = _asked(words)
    return _judge(lab, numbers or sorted(lab.stages), flags, by_name)


def _all(flags: set[str]) -> int:
    """Judge all labs; one that does not parse does not keep the others from it."""
    worst = 0
    for path in labs.discover():
        try:
            lab = Lab(path)
            status = _judge(lab, sorted(lab.stages), flags, False)
        except NotUsable as no:
            print(no, flush=True)
            status = 2
        worst = max(worst, status)
    return worst


def _asked(words: list[str]) -> tuple[Lab, list[int], bool]:
    """The lab and the stages that the words ask for; no stages means the whole lab."""
    word, rest = words[0], words[1:]
    is_file = word.endswith(".py") or ".py:" in word or "/" in word or "\\" in word
    if is_file and ".py:" in word:
        word, _, line = word.partition(".py:")
        word, rest = f"{word}.py", [line.partition(":")[0], *rest]
    lab = Lab(labs.find(word))
    if not lab.stages:
        raise NotUsable(
            "the file has no stages",
            f"a stage begins with a line `{labs.HEADING}1 ...`",
            f"{lab.relative}:1:1",
            lab.id,
        )
    if not rest:
        return lab, [], False
    if len(rest) > 1:
        raise NotUsable(f"too many words: {' '.join(rest[1:])}", "python -m checks --help")
    if not rest[0].removeprefix("stage-").isdigit():
        raise NotUsable(f"{rest[0]} is no stage and no line", "python -m checks --help")
    number = int(rest[0].removeprefix("stage-"))
    if is_file:
        return lab, [stage_at(lab, number)], True
    if number not in lab.stages:
        raise NotUsable(
            f"{lab.id} has no stage {number}",
            f"name one of its stages: {', '.join(map(str, lab.stages))}",
        )
    return lab, [number], True


def stage_at(lab: Lab, line: int) -> int:
    """The stage that a line belongs to; a line of a solution belongs to its stage."""
    for stage in lab.stages.values():
        if stage.line <= line <= stage.end:
            return stage.number
    for name, found in lab.definitions.items():
        if name.startswith("solution_") and found[-1].line <= line <= found[-1].end:
            mine = lab.definition(name.removeprefix("solution_"))
            if mine is not None and mine.line < found[-1].line:
                return stage_at(lab, mine.line)
    places = ", ".join(f"{n} (line {s.line})" for n, s in lab.stages.items())
    raise NotUsable(
        f"line {line} belongs to no stage",
        f"put the cursor into a stage: {places}",
        lab.where(line),
        lab.id,
    )


def _judge(lab: Lab, numbers: list[int], flags: set[str], by_name: bool) -> int:
    as_json = "--json" in flags

    def begin(job: sandbox.Job) -> sandbox.Child:
        child = sandbox.begin(job)
        from checks.runner import report  # noqa: F401  while the child works

        return child

    def say(verdict: Verdict) -> None:
        if as_json:
            import json

            print(json.dumps(_public(verdict), ensure_ascii=False), flush=True)
        elif by_name or verdict.state != TODO:
            from checks.runner import report

            print(report.text(verdict, lab), flush=True)

    job = sandbox.Job(lab, numbers, "--reference" in flags)
    verdicts = session.judge(job, say, begin, here="--debug" in flags)
    if not by_name and not as_json and not job.reference:
        from checks.runner import report

        print(f"{lab.id}: {report.summary(lab, verdicts)}")
    bad = [v for v in verdicts if v.state in WRONG]
    todo = [v for v in verdicts if v.state == TODO]
    return 1 if bad or (todo and (by_name or "--strict" in flags)) else 0


def _public(verdict: Verdict) -> dict:
    fields = verdict.as_dict()
    fields["diagnosis"] = [f"this is what you get {meaning}" for meaning in verdict.diagnosis]
    fields["rows"] = [list(pair) for pair in verdict.rows]
    fields["seconds"] = round(verdict.seconds, 4)
    return fields


def _table() -> int:
    """All labs: how many stages are written, and where to go on. Judges nothing."""
    from checks.runner import report

    for path in labs.discover():
        try:
            lab = Lab(path)
        except NotUsable as no:
            print(no)
            continue
        todo = [n for n in lab.stages if not report.is_written(lab, n)]
        written = len(lab.stages) - len(todo)
        after = (
            f"next: {report.place(lab, todo[0])}"
            if todo
            else f"judge it: python -m checks {lab.number}"
        )
        print(f"{lab.id}  {lab.title:<32} {written} of {len(lab.stages)} written, {after}")
    print(
        f"\n{USAGE.splitlines()[1]}"
        if labs.discover()
        else f"no labs in {os.path.join(labs.ROOT, 'labs')}"
    )
    return 0
