"""The learner's own code raised: where, in which call, and what that usually means."""

from __future__ import annotations

import _ast as ast

from checks import values
from checks.runner import stub

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, TracebackType
    from typing import Any

    from checks.runner.lab import Lab

FRAMES_SHOWN = 4


class Seen:
    """What a crash looks like to the learner."""

    def __init__(self, message: str, line: int, column: int, rows: list, is_stub: bool) -> None:
        self.message, self.line, self.column = message, line, column
        self.rows: list[tuple[str, str]] = rows
        self.stub = is_stub


def _frames(lab: Lab, trace: TracebackType | None) -> list[tuple[int, int, str]]:
    """(line, column, function) of each frame in the lab file, outermost first."""
    found = []
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename == lab.path:
            found.append((trace.tb_lineno, _column(code, trace.tb_lasti), code.co_name))
        trace = trace.tb_next
    return found


def _column(code: CodeType, instruction: int) -> int:
    for at, position in enumerate(code.co_positions()):
        if at == instruction // 2:
            return (position[2] or 0) + 1
    return 1


def explain(lab: Lab, error: BaseException, last_call: tuple[str, tuple, dict] | None) -> Seen:
    """The innermost line of the learner's that was reached, and how it came there."""
    frames = _frames(lab, error.__traceback__)
    line, column, _ = frames[-1] if frames else (1, 1, "")
    is_stub = isinstance(error, NotImplementedError) and str(error).startswith("stage ")
    rows = []
    shown = values.call(*last_call) if last_call else ""
    if shown:
        rows.append(("call", shown))
    for at, _, function in frames[-FRAMES_SHOWN:]:
        rows.append((f"in {function}", f"line {at}: {lab.lines[at - 1].strip()[:70]}"))
    if not frames and last_call:
        found = lab.definition(last_call[0])
        line, column = (found.name_line, found.column) if found else (line, column)
    return Seen(_words(lab, error), line, column, rows, is_stub)


def _words(lab: Lab, error: BaseException) -> str:
    name, text = type(error).__name__, " ".join(str(error).split())
    if isinstance(error, NameError):
        missing = getattr(error, "name", None) or ""
        if missing in lab.cell_names:
            return (
                f"uses {missing}, a variable made in a cell (line {lab.cell_names[missing]}), "
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
        return "RecursionError: the function calls itself without reaching an end"
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    return f"{name}: {text}"[:200] if text else name


def signature_problem(mine: Any, theirs: Any) -> str:
    """Why a definition cannot be called by its contract, or nothing where it can."""
    if isinstance(theirs, ast.ClassDef):
        if not isinstance(mine, ast.ClassDef):
            return "is a class in the contract: keep `class`"
        have = {part.name: part for part in stub.methods(mine)}
        bases = bool(mine.bases)
        for part in stub.methods(theirs):
            if part.name.startswith("_") and part.name != "__init__":
                continue
            if part.name not in have:
                if bases or part.name == "__init__":
                    continue  # inherited, or a dataclass
                return f"has no method {part.name}, which the contract names"
            problem = signature_problem(have[part.name], part)
            if problem:
                return f"has a method {part.name} that {problem}"
        return ""
    if isinstance(mine, ast.Assign) and isinstance(mine.value, ast.Lambda):
        mine = mine.value
    if isinstance(mine, ast.AsyncFunctionDef):
        return "is an `async def`: a check calls it as a plain function"
    if not isinstance(mine, (ast.FunctionDef, ast.Lambda)) or mine.args.vararg:
        return ""
    count = len(_positional(theirs.args))
    have_count = len(_positional(mine.args))
    needed = have_count - len(mine.args.defaults)
    asked = count - len(theirs.args.defaults)
    keyword_only = [a.arg for a, d in zip(mine.args.kwonlyargs, mine.args.kw_defaults) if d is None]
    if have_count < count or needed > asked or keyword_only:
        wanted = ", ".join(a.arg for a in _positional(theirs.args))
        have_names = ", ".join([a.arg for a in _positional(mine.args)] + keyword_only)
        return f"takes ({have_names}); its contract is ({wanted})"
    return ""


def _positional(args: Any) -> list:
    return [*args.posonlyargs, *args.args]
