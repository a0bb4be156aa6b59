"""The learner's own code raised: where, in which call, and what that usually means."""

from __future__ import annotations

from checks import values
from checks.expect import Spied

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, TracebackType
    from typing import Any

    from checks.runner.lab import Lab

    Frame = tuple[int, int, str, str]  # line and column in the lab file, function, how it is shown

FRAMES_SHOWN = 4
ROW = 70  # characters of a line of code


class Seen:
    """What a crash looks like to the learner."""

    def __init__(self, message: str, line: int, column: int, rows: list, is_stub: bool) -> None:
        self.message, self.line, self.column = message, line, column
        self.rows: list[tuple[str, str]] = rows
        self.stub = is_stub


def _in_file(lab: Lab, trace: TracebackType | None) -> Iterator[Frame]:
    """Each frame in the lab file, outermost first."""
    while trace is not None:
        code, at = trace.tb_frame.f_code, trace.tb_lineno
        if code.co_filename == lab.path:
            text = f"line {at}: {lab.lines[at - 1].strip()[:ROW]}"
            yield at, _column(code, trace.tb_lasti), code.co_name, text
        trace = trace.tb_next


def in_cells(space: dict[str, Any], trace: TracebackType | None) -> Iterator[Frame]:
    """Each frame of a function that a cell defined in the namespace `space`, outermost first.

    Its place in the lab file is not known: line 0.
    """
    import linecache

    while trace is not None:
        code, at = trace.tb_frame.f_code, trace.tb_lineno
        if trace.tb_frame.f_globals is space:
            source = linecache.getline(code.co_filename, at).strip()[:ROW]
            yield 0, 1, code.co_name, f"line {at} of its cell: {source}"
        trace = trace.tb_next


def _column(code: CodeType, instruction: int) -> int:
    positions = getattr(code, "co_positions", tuple)  # a notebook may run on Python 3.10
    for at, position in enumerate(positions()):
        if at == instruction // 2:
            return (position[2] or 0) + 1
    return 1


def explain(
    lab: Lab,
    error: BaseException,
    last_call: tuple[str, tuple, dict] | None,
    cells: dict[str, Any] | None = None,
) -> Seen:
    """The innermost line of the learner's that was reached, and how it came there.

    cells   the namespace of the kernel whose functions were run; without, they are the file's
    """
    trace = error.__traceback__
    frames = list(_in_file(lab, trace) if cells is None else in_cells(cells, trace))
    line, column, *_ = frames[-1] if frames else (0, 1)  # 0: nobody knows
    is_stub = isinstance(error, NotImplementedError) and _text(error).startswith("stage ")
    rows = []
    shown = values.call(*last_call) if last_call else ""
    if shown:
        rows.append(("call", shown))
    for _, _, function, text in frames[-FRAMES_SHOWN:]:
        rows.append((f"in {function}", text))
    if not frames and last_call:
        found = lab.definition(last_call[0])
        line, column = (found.name_line, found.column) if found else (line, column)
    return Seen(_words(lab, error, bool(frames), cells is None), line, column, rows, is_stub)


def _text(error: BaseException) -> str:
    """What an exception says, in one line; a learner's own class may fail at that."""
    try:
        return " ".join(str(error).split())
    except Exception as other:
        return f"(its text cannot be shown: {type(other).__name__})"


def _was_called(error: BaseException) -> bool:
    """Whether it was raised in calling the learner's function, and not by using its result."""
    trace, last = error.__traceback__, None
    while trace is not None:
        trace, last = trace.tb_next, trace
    return last is None or last.tb_frame.f_code is Spied.__call__.__code__


def _words(lab: Lab, error: BaseException, reached: bool, in_file: bool) -> str:
    name, text = type(error).__name__, _text(error)
    if isinstance(error, NameError):
        missing = getattr(error, "name", None) or ""
        if missing in lab.cell_names:
            line = f" (line {lab.cell_names[missing]})" if in_file else ""
            return (
                f"uses {missing}, a variable made in a cell{line}, "
                "which a check does not run: pass it in as an argument"
            )
    if isinstance(error, NotImplementedError) and text.startswith("stage "):
        return "the stub's last line is still there: delete the raise NotImplementedError"
    if isinstance(error, SystemExit):
        return "your code ends the program (sys.exit or exit): return a value instead"
    if isinstance(error, EOFError):
        return "your code reads from input(), and a check has nobody to answer"
    if isinstance(error, MemoryError):
        return "your code needs more memory than a check may have (4 GB)"
    if isinstance(error, RecursionError):
        if not reached:
            return "what it returned contains itself, or is nested too deeply to compare"
        return "RecursionError: the function calls itself without reaching an end"
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    shown = f"{name}: {text}"[:200] if text else name
    if reached or _was_called(error):
        return shown
    return f"the check could not use what your code gave: {shown}"
