"""The grammar in which a check says no.

A check calls the learner's function and then states what it expects, one
sentence at a time::

    got = merge([7, 7, 7], (7, 7), 256)
    expect.equal("three equal ids, one pair to merge", got, [256, 7])

The first fault raises `CheckFailed`, which carries the case in a learner's
words, what came, what was expected, and where to read again. Nothing here
imports NumPy: a stage in pure Python never pays for it.
"""

from __future__ import annotations

import functools
import sys

from checks import values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

DEFAULT_SECONDS = 20.0


class CheckFailed(AssertionError):
    """A check said no.

    case      the input in a learner's words, without a full stop
    got       what the learner's function gave, as text
    expected  what the contract asks for, as text
    reread    where in the lab it is explained: 'Stage 2, "By hand"'
    """

    def __init__(self, case: str, got: str, expected: str, reread: str = "") -> None:
        super().__init__(case)
        self.case, self.got, self.expected, self.reread = case, got, expected, reread
        self.message = ""  # the whole verdict as text, where somebody has written one

    def __str__(self) -> str:
        if self.message:
            return self.message
        rows = [self.case, f"  got        {self.got}", f"  expected   {self.expected}"]
        if self.reread:
            rows.append(f"  re-read    {self.reread}")
        return "\n".join(rows)

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of a traceback: the message, and nothing else."""
        return str(self).splitlines()


class Misused(TypeError):
    """A check was called with other functions than it asks for."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows: the learner called it, so there is nothing to trace."""
        return [str(self)]


class Differs(BaseException):
    """Raised out of a check that is being followed, where it leaves the recorded path."""


class Trace:
    """What a check looked at, in order: (case, ok, what came if wrong, called, free).

    called is the function that was called last; None for a method of a learner's class.
    free says that right answers differ there, so that only `ok` tells mistakes apart.

    keep_going  go on after a fault, so that later cases can tell two slips apart
    follow      entries of another run; raise `Differs` at the first that is not alike
    """

    def __init__(self, keep_going: bool = False, follow: list[tuple] | None = None) -> None:
        self.entries: list[tuple] = []
        self.keep_going = keep_going
        self.follow = follow

    def add(self, case: str, ok: bool, got: Any, free: bool = False) -> None:
        """One look; raises `Differs` where it leaves the path to follow."""
        called = Spied.last[0] if Spied.last else None
        entry = (case, ok, None if ok else values.freeze(got), called, free)
        if self.follow is not None:
            here = len(self.entries)
            if here >= len(self.follow) or not values.alike(entry, self.follow[here]):
                raise Differs
        self.entries.append(entry)

    def raised(self, error: BaseException) -> None:
        """The last entry of a check in which the learner's code, or what became of it, crashed."""
        called = Spied.last[0] if Spied.last else None
        self.entries.append(("raised", False, type(error).__name__, called, False))


_trace: Trace | None = None
_stage: StageCheck | None = None


def _look(
    case: str,
    ok: bool,
    got: Any,
    words: Callable[[], tuple[str, str]],
    reread: str | None,
    free: bool = False,
) -> bool:
    """Record one look; raise `CheckFailed` where it is wrong. Returns `ok`.

    words   what came and what was expected, as text; asked for only where somebody reads it
    """
    if _trace is not None:
        _trace.add(case, ok, got, free)
        if _trace.keep_going:
            return ok
    if not ok:
        where = reread if reread is not None else (_stage.reread if _stage else "")
        unread = _trace is not None and _trace.follow is not None
        shown, expected = ("", "") if unread else words()
        raise CheckFailed(case, shown, expected, where)
    return ok


def equal(case: str, got: Any, expected: Any, *, reread: str | None = None) -> bool:
    """Exactly equal: ints, strings, bytes, lists, dicts, or arrays of them.

    A list may come as any sequence of the same items, a dict as any mapping; use
    `instance` first where the contract names the type.
    """
    ok = values.equal(got, expected)
    return _look(case, ok, got, lambda: values.contrast(got, expected), reread)


def close(
    case: str, got: Any, expected: Any, tol: float = 1e-9, *, reread: str | None = None
) -> bool:
    """The same shape, and every number within `tol` (absolute, and relative to expected).

    Shapes are compared first and never broadcast; NaN is close to NaN only.
    """
    want_shape = values.shape(expected)
    got_shape = values.shape(got)
    if got_shape != want_shape:
        return _look_at_shape(case, got, got_shape, want_shape, ("shape", got_shape), reread)
    ok = values.close(got, expected, tol)
    return _look(case, ok, got, lambda: values.contrast(got, expected, tol), reread)


def shape(case: str, got: Any, expected: tuple, *, reread: str | None = None) -> bool:
    """An array of that shape; `()` asks for a single number."""
    came = values.shape(got)
    return _look_at_shape(case, got, came, expected, came, reread)


def _look_at_shape(
    case: str, got: Any, came: tuple | None, expected: tuple | None, entry: Any, reread: str | None
) -> bool:
    def words() -> tuple[str, str]:
        return values.kind(got, came), f"shape {expected}" if expected else "a single number"

    return _look(case, came == expected, entry, words, reread)


def instance(
    case: str, got: Any, kind: type | tuple[type, ...], *, reread: str | None = None
) -> bool:
    """An object of the type that the contract names."""
    kinds = kind if isinstance(kind, tuple) else (kind,)
    name = type(got).__name__

    def words() -> tuple[str, str]:
        shown = "None (is a return missing?)" if got is None else f"{name}: {values.show(got)}"
        return shown, f"a {' or '.join(k.__name__ for k in kinds)}"

    return _look(case, isinstance(got, kinds), name, words, reread)


def true(
    case: str,
    ok: Any,
    got: Any,
    expected: str,
    *,
    reread: str | None = None,
    free: bool = False,
) -> bool:
    """Any other law: `ok` says whether it holds, `got` is what came, `expected` is prose.

    free   what comes depends on a choice that is the learner's, such as how ties fall
    """
    return _look(case, bool(ok), got, lambda: (values.show(got), expected), reread, free)


def unchanged(case: str, before: Any, after: Any, *, reread: str | None = None) -> bool:
    """The caller's own list or array still holds what it held before the call."""

    def words() -> tuple[str, str]:
        shown, wanted = values.contrast(after, before)
        return f"the caller's own data became {shown}", f"still {wanted}: work on a copy"

    return _look(case, values.equal(after, before), after, words, reread)


def raises(
    case: str,
    error: type[BaseException],
    function: Callable,
    *args: Any,
    reread: str | None = None,
) -> bool:
    """Calling `function(*args)` raises `error`, as the docstring promises."""
    try:
        came = function(*args)
    except error:
        return _look(case, True, None, lambda: ("", ""), reread)
    except Exception as other:
        name, said = type(other).__name__, str(other)
        return _look(case, False, name, lambda: (f"{name}: {said}", error.__name__), reread)

    def words() -> tuple[str, str]:
        return f"no error, but {values.show(came)}", error.__name__

    return _look(case, False, came, words, reread)


class Spied:
    """A learner's function with the last call remembered, so that a message can show it."""

    last: tuple[str, tuple, dict] | None = None

    def __init__(self, name: str, function: Callable) -> None:
        self._name, self._function = name, function
        functools.update_wrapper(self, function, updated=())

    def __call__(self, *args: Any, **named: Any) -> Any:
        Spied.last = (self._name, args, named)
        return self._function(*args, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._function, name)


class StageCheck:
    """`check_stageN`: judges the functions it is given, in the order of its parameters.

    Called by hand or from a cell it prints a line when all is right and raises
    `CheckFailed` when not. The parameter names are the manifest: the engine
    fetches `lab.NAME`, or `lab.solution_NAME`, for each.
    """

    def __init__(self, check: Callable, reread: str, seconds: float) -> None:
        functools.update_wrapper(self, check)
        self.check = check
        self.reread = reread
        self.seconds = seconds
        self.number = int(check.__name__.removeprefix("check_stage"))
        code = check.__code__
        self.parameters: tuple[str, ...] = code.co_varnames[: code.co_argcount]

    @property
    def _call(self) -> str:
        return f"{self.check.__name__}({', '.join(self.parameters)})"

    def run(self, functions: Mapping[str, Any], trace: Trace | None = None) -> None:
        """Judge `functions` (by parameter name); raises what the check or the code raises."""
        global _trace, _stage
        Spied.last = None
        spied = [
            function if isinstance(function, type) else Spied(name, function)
            for name, function in ((name, functions[name]) for name in self.parameters)
        ]
        before = _trace, _stage
        _trace, _stage = trace, self
        try:
            self.check(*spied)
        finally:
            _trace, _stage = before

    def __call__(self, *functions: Any, **named: Any) -> None:
        bound = dict(zip(self.parameters, functions)) | named
        if len(functions) > len(self.parameters) or set(bound) != set(self.parameters):
            raise Misused(f"call it as {self._call}")
        for name, given in bound.items():
            if not callable(given):
                kind = type(given).__name__
                raise Misused(f"{name} is a {kind}: give the function itself, {self._call}")
        if "IPython" in sys.modules:  # in a cell: the whole verdict, with its diagnosis
            from checks.runner import live

            live.run(self, bound)
            return
        self.run(bound)
        print(f"stage {self.number} passed: {', '.join(self.parameters)}")


def stage(*, reread: str, seconds: float = DEFAULT_SECONDS) -> Callable[[Callable], StageCheck]:
    """Mark a function as the check of a stage.

    reread   the part of the lab that explains it, e.g. 'Stage 2, "By hand"'
    seconds  wall-clock limit for one run of the check
    """

    def mark(check: Callable) -> StageCheck:
        return StageCheck(check, reread, seconds)

    return mark


class Slip:
    """One wrong answer that people really write, as a patch of the reference solution.

    function  whose solution is patched
    old, new  the text that stands once in the solution, and what replaces it;
              with old=None, `new` is the whole wrong definition
    meaning   completes the sentence 'this is what you get ...'
    twin      a key shared by slips that no check can tell apart, with the reason
              in a comment beside them
    """

    __slots__ = ("function", "meaning", "new", "old", "twin")

    def __init__(
        self, function: str, old: str | None, new: str, meaning: str, twin: str = ""
    ) -> None:
        self.function, self.old, self.new = function, old, new
        self.meaning, self.twin = meaning, twin

    def __repr__(self) -> str:
        return f"Slip({self.function}: {self.meaning})"


def names(functions: Iterable[str]) -> str:
    """`merge`, `merge and train`, `merge, train and encode`."""
    *head, last = list(functions)
    return f"{', '.join(head)} and {last}" if head else last
