"""Does a function give the same under any hash seed? Asked of fresh Pythons, each with its own.

Python hashes str and bytes anew in each run, so a set of words is walked in another
order tomorrow. Within one process nothing of that shows. So the function's code, and
that of the functions it calls, goes to a fresh Python for each seed. What cannot be
sent (a class in the lab, a closure) is not asked.
"""

from __future__ import annotations

import marshal
import os
import sys
import types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

CHILD = """
import builtins, collections, importlib, marshal, os, sys, types
parts, args = marshal.loads(sys.stdin.buffer.read())
answer = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
spaces = collections.defaultdict(lambda: {"__builtins__": builtins, "__name__": "lab"})
for space, name, kind, value in parts:
    if kind == "function":
        code, defaults, named, its_space = value
        made = types.FunctionType(code, spaces[its_space], name, defaults)
        made.__kwdefaults__ = named
    elif kind == "module":
        made = importlib.import_module(value)
    elif kind == "member":
        made = getattr(importlib.import_module(value[0]), value[1])
    elif kind == "pattern":
        made = importlib.import_module("re").compile(*value)
    else:
        made = value
    spaces[space][name] = made
merges = spaces[-1]["asked"](*args)
os.write(answer, marshal.dumps([list(pair) for pair in merges]))
"""


class Stays(Exception):
    """Something that the function needs cannot be sent to another process."""


def _names(code: types.CodeType) -> Iterator[str]:
    """Every global name that the code may load."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _part(value: Any) -> tuple[str, Any]:
    """(kind, what to send) of one global that the function uses."""
    home, label = getattr(value, "__module__", None), getattr(value, "__name__", "")
    known = bool(label) and getattr(sys.modules.get(home or ""), label, None) is value
    known = known and home != "__main__"  # a kernel has its own
    if isinstance(value, types.ModuleType):
        return "module", value.__name__
    if known and getattr(sys.modules[home], "__spec__", None) is not None:  # type: ignore[index]
        return "member", (home, label)  # of an imported module; a lab is never imported
    if isinstance(value, types.FunctionType):
        if value.__closure__:
            raise Stays
        space = id(value.__globals__)
        return "function", (value.__code__, value.__defaults__, value.__kwdefaults__, space)
    if type(value).__name__ == "Pattern":
        return "pattern", (value.pattern, value.flags)
    return "value", value


def packed(function: Any, args: tuple) -> bytes:
    """The function, all that it uses, and its arguments, as bytes; `Stays` where they cannot go."""
    parts: list[tuple[int, str, str, Any]] = []
    todo: list[tuple[int, str, Any]] = [(-1, "asked", function)]
    seen = set()
    while todo:
        space, name, value = todo.pop()
        if (space, name) in seen:
            continue
        seen.add((space, name))
        parts.append((space, name, *_part(value)))
        if parts[-1][2] == "function":
            around = value.__globals__
            todo += [(id(around), n, around[n]) for n in _names(value.__code__) if n in around]
    try:
        return marshal.dumps((parts, args))
    except ValueError:
        raise Stays from None


def _start(seed: str, data: bytes) -> tuple[int, int]:
    """A fresh Python under `seed`, given `data`: its process, and where it answers."""
    told_out, told_in = os.pipe()
    back_out, back_in = os.pipe()
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-S", "-c", CHILD],
        {**os.environ, "PYTHONHASHSEED": seed},
        file_actions=[
            (os.POSIX_SPAWN_DUP2, told_out, 0),
            (os.POSIX_SPAWN_DUP2, back_in, 1),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        ],
    )
    os.close(told_out)
    os.close(back_in)
    with open(told_in, "wb") as file:
        file.write(data)
    return pid, back_out


def answers(function: Any, args: tuple, seeds: tuple[str, ...] = ("1", "2")) -> list[list]:
    """What `function(*args)`, a list of pairs, is under each seed; empty where not to be had."""
    function = getattr(function, "_function", function)
    if not isinstance(function, types.FunctionType) or not hasattr(os, "posix_spawn"):
        return []
    try:
        data = packed(function, args)
        running = [_start(seed, data) for seed in seeds]
    except (Stays, OSError):
        return []
    found = []
    for pid, back in running:
        with open(back, "rb") as file:
            data = file.read()
        os.waitpid(pid, 0)
        if data:
            found.append([tuple(pair) for pair in marshal.loads(data)])
    return found
