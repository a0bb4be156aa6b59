"""`python -m checks`: the one command behind every face. Arguments in, exit status out.

0 passed, 1 not right (or, by name, not written), 2 not usable as asked.
"""

from __future__ import annotations

import os

from checks.runner import lab as labs
from checks.runner import sandbox, session, terminal
from checks.runner.lab import Lab, NotUsable
from checks.runner.places import as_number
from checks.runner.terminal import say
from checks.runner.verdict import TODO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from checks.runner.verdict import Verdict

USAGE = """\
python -m checks                          all labs: what is done, next, due for recall
python -m checks 3                        judge lab 3 (also: lab-3, lab_3_bpe, all)
python -m checks 3 2                      judge stage 2 of lab 3
python -m checks labs/lab_3_bpe.py 120    judge the stage under line 120 (also FILE:120)
python -m checks watch                    judge a stage whenever its function is saved

python -m checks hint 3 2                 the next hint of three; never the solution
python -m checks compare 3 2              yours and the reference, once the stage passed
python -m checks reset 3 2                put the stub back; your attempt is kept
python -m checks restore 3 2              bring the newest attempt back
python -m checks recall                   write again from memory what is due today

python -m checks grade FOLDER ...         judge a class: a table of points (--help: options)
python -m checks handout FOLDER           a copy of the labs without their solutions

  --strict      a stage that is still to write counts as not right
  --reference   judge the solutions in place of your functions
  --json        one JSON object a stage
  --markdown    a table of labs and stages
  --debug       judge in this process, for breakpoints: no time limit
  --diff        compare: also open a diff in the editor
  --give-up     compare: show the reference before the stage passed
  --interview   the labs in the order for an interview (also: --track interview)
  --svg         the progress as a picture, for a README
  --task        for an editor: exit status 0 whatever the verdict, which the problem lines tell
  --help        this page"""

FLAGS = {
    "--strict", "--reference", "--json", "--markdown", "--debug", "--diff", "--give-up",
    "--interview", "--svg", "--help", "-h",
}  # fmt: skip
BY_STAGE = ("hint", "compare", "reset", "restore")
CLASSROOM = ("grade", "handout")  # sub-commands with options of their own
ALONE = ("recall", "watch")


def main(arguments: list[str]) -> int:
    """Run the command; returns the exit status.

    VS Code calls a process that ends within half a second with another status than 0 one that
    "failed to launch". A verdict is there sooner, so a task asks for 0 (`--task`); that
    something is wrong it learns from the problem lines.
    """
    status = _main([a for a in arguments if a != "--task"])
    return 0 if "--task" in arguments else status


def _main(arguments: list[str]) -> int:
    if arguments[:2] == ["--track", "interview"]:
        arguments = ["--interview", *arguments[2:]]
    flags = {a for a in arguments if a.startswith("-")}
    words = [a for a in arguments if not a.startswith("-")]
    try:
        if arguments and arguments[0] in CLASSROOM:
            status = _classroom(arguments[0], arguments[1:])
            terminal.flush()  # it prints as it goes, and the process ends without a last flush
            return status
        if flags & {"--help", "-h"}:
            say(USAGE)
            return 0
        unknown = flags - FLAGS
        if unknown:
            raise NotUsable(f"no such option: {min(unknown)}", "python -m checks --help")
        return _dispatch(words, flags)
    except NotUsable as no:
        terminal.complain(str(no))
        return 2
    except KeyboardInterrupt as stop:
        terminal.complain("interrupted")
        return 128 + (stop.args[0] if stop.args else 2)
    except OSError as error:  # the last resort: a disk that is full, a stream that is closed
        name = f" ({error.filename})" if error.filename else ""
        terminal.complain(
            f"error: cannot go on: {error.strerror or error}{name}\n"
            "  next       free some space or mend what it names, then ask again"
        )
        return 2


def _dispatch(words: list[str], flags: set[str]) -> int:
    if not words:
        from checks.runner import progress

        say(progress.svg() if "--svg" in flags else progress.table("--interview" in flags))
        return 0
    if words[0] in BY_STAGE:
        return _on_stage(words[0], words[1:], flags)
    if words[0] in ALONE and words[1:]:
        raise NotUsable(f"too many words: {' '.join(words[1:])}", f"python -m checks {words[0]}")
    if words == ["recall"]:
        from checks.runner import recall

        say(recall.start())
        return 0
    if words == ["watch"]:
        from checks.runner import watch

        return watch.main()
    socket = os.path.join(labs.progress_folder(), "watch.sock")
    if not flags and os.path.exists(socket):  # a plain verdict: the watcher gives it faster
        from checks.runner import ask

        answer = ask.ask(words)
        if answer is not None:
            return answer
    return _verdicts(words, flags, say)


def _classroom(verb: str, arguments: list[str]) -> int:
    import importlib

    if not os.path.isdir(os.path.join(labs.ROOT, "checks", "classroom")):
        raise NotUsable(
            f"{verb} is for whoever teaches, and this copy was handed out to learners",
            f"run it in the complete repository: python -m checks {verb} --help",
        )
    return importlib.import_module(f"checks.classroom.{verb}").main(arguments)


def _on_stage(verb: str, words: list[str], flags: set[str]) -> int:
    if not words:
        raise NotUsable(f"{verb} is for one stage", f"python -m checks {verb} 3 1")
    lab, numbers, _ = _asked(words)
    if not numbers:
        raise NotUsable(f"{verb} is for one stage", f"python -m checks {verb} {lab.number} 1")
    if verb == "hint":
        from checks.runner import hints

        say(hints.following(lab, numbers[0]))
        return 0
    if verb == "compare":
        from checks.runner import compare

        say(compare.compare(lab, numbers[0], "--give-up" in flags, "--diff" in flags))
        return 0
    from checks.runner import attempts

    say({"reset": attempts.reset, "restore": attempts.restore}[verb](lab, numbers[0]))
    return 0


def _verdicts(words: list[str], flags: set[str], out: Callable[[str], None]) -> int:
    if words != ["all"]:
        lab, numbers, by_name = _asked(words)
        return _judge(lab, numbers or sorted(lab.stages), flags, by_name, out)
    worst = 0
    for path in labs.discover() or [labs.find("all")]:
        try:
            lab = Lab(path)
            status = _judge(lab, sorted(lab.stages), flags, False, out)
        except NotUsable as no:  # one that does not parse does not keep the others from it
            out(str(no))
            status = 2
        worst = max(worst, status)
    return worst


def answer(words: list[str], heat: Callable[[Lab], None]) -> tuple[int, str]:
    """A plain verdict for somebody else: exit status and text. `heat` sees the lab first."""
    said: list[str] = []
    if words != ["all"]:
        lab = _asked(words)[0]
        lab.remember()
        heat(lab)
    status = _verdicts(words, set(), said.append)
    return status, "".join(f"{text}\n" for text in said)


def _asked(words: list[str]) -> tuple[Lab, list[int], bool]:
    """The lab and the stages that the words ask for; no stages means the whole lab."""
    word, rest = words[0], words[1:]
    is_file = word.endswith(".py") or ".py:" in word or "/" in word or "\\" in word
    if is_file and ".py:" in word:
        word, _, line = word.partition(".py:")
        word, rest = f"{word}.py", [line.partition(":")[0], *rest]
    lab = Lab(labs.find(word), later=True)
    if not lab.stages:
        from checks.runner import outline

        raise outline.no_stages(lab)
    if not rest:
        return lab, [], False
    if len(rest) > 1:
        raise NotUsable(f"too many words: {' '.join(rest[1:])}", "python -m checks --help")
    number = as_number(rest[0].removeprefix("stage-"))
    if number < 0:
        shown = rest[0][:40] if rest[0].strip() else repr(rest[0])
        raise NotUsable(f"{shown} is no stage and no line", "python -m checks --help")
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
        lab.where(min(max(line, 1), len(lab.lines))),
        lab.id,
    )


def _judge(
    lab: Lab, numbers: list[int], flags: set[str], by_name: bool, out: Callable[[str], None]
) -> int:
    as_table = "--markdown" in flags

    def begin(job: sandbox.Job) -> sandbox.Child:
        child = sandbox.begin(job)
        from checks.runner import report  # noqa: F401  while the child works

        lab.remember()
        return child

    def told(verdict: Verdict) -> None:
        from checks.runner import report

        if "--json" in flags:
            out(report.json_line(verdict))
        elif not as_table and (by_name or verdict.state != TODO):
            out(report.text(verdict, lab))

    job = sandbox.Job(lab, numbers, "--reference" in flags)
    verdicts = session.judge(job, told, begin, here="--debug" in flags)
    if not by_name and "--json" not in flags:
        from checks.runner import report

        if as_table:
            out(report.markdown(lab, verdicts))
        elif not job.reference:
            out(f"{lab.id}: {report.summary(lab, verdicts)}")
    bad = any(v.is_wrong for v in verdicts)
    todo = any(v.state == TODO for v in verdicts)
    return 1 if bad or (todo and (by_name or "--strict" in flags)) else 0
