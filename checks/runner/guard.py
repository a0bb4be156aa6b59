"""Whether a learner's code changed what judges it, and what it left changed for all that follows.

A function that replaces `np.argsort`, say, changes the answers of the check's own oracle, and of
every stage that is judged after it: it is told which name it replaced. A setting of the whole
program (`np.seterr`, the working folder) is no mistake in the answer: it is named in a note.
Either is put back before anything else is judged.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

WATCHED = ("builtins", "sys", "os", "math", "collections", "itertools", "random", "checks.expect",
           "checks.values", "numpy", "numpy.linalg", "numpy.random", "torch", "torch.nn",
           "torch.nn.functional")  # fmt: skip
OURS = {  # what a check itself sets while it runs, and what everybody may set
    "checks.expect": ("_trace", "_stage"),
    "sys": ("stdin", "stdout", "stderr", "last_type", "last_value", "last_traceback", "path"),
}


class Guard:
    """What the watched modules and the settings held before a check ran."""

    def __init__(self, more: tuple[str, ...] = ()) -> None:
        self.modules = dict(sys.modules)
        self.before: dict[str, dict[str, Any]] = {}
        for name in (*WATCHED, *more):
            module = sys.modules.get(name)
            if module is not None:
                self.before[name] = dict(vars(module))
        self.streams = sys.stdout, sys.stderr
        self.trace = sys.gettrace(), sys.getprofile()
        self.settings = [(said, put, get()) for said, get, put in _settings()]

    def restore(self) -> tuple[str, list[str]]:
        """(`numpy.argsort` where a name was replaced, else ''; the settings that were changed).

        All of it is put back, names first: what follows here uses them.
        """
        changed = ""
        for name, held in self.before.items():
            module = self.modules[name]
            changed = changed or _put_names(name, vars(module), held)
            if sys.modules.get(name) is not module:
                changed = changed or f"sys.modules[{name!r}]"
                sys.modules.update(self.modules)
        if "pydevd" not in sys.modules and (sys.gettrace(), sys.getprofile()) != self.trace:
            sys.settrace(self.trace[0])
            sys.setprofile(self.trace[1])
        sys.stdout, sys.stderr = self.streams
        notes = [
            f"your code changes {said} for the whole program; the check put it back"
            for said, put, held in self.settings
            if put(held) and said
        ]
        return changed, notes


def _put_names(name: str, now: dict[str, Any], held: dict[str, Any]) -> str:
    """Put back what a module held; the first name that was replaced or deleted."""
    changed = ""
    for key, value in held.items():
        if now.get(key, now) is not value and key not in OURS.get(name, ()):
            if key.startswith("_") or _is_torchs_own(name, now.get(key)):
                continue  # a module's own caches
            changed = changed or f"{name}.{key}"
            now[key] = value
    return changed


def _is_torchs_own(name: str, value: Any) -> bool:
    """PyTorch wraps some of its own functions when a part of it is first used."""
    return name.startswith("torch") and str(getattr(value, "__module__", "")).startswith("torch")


def _settings() -> list[tuple[str, Callable[[], Any], Callable[[Any], bool]]]:
    """(what it is called, how to read it, how to put it back: says whether it was changed).

    What has no name changes when a library is first imported, and is put back in silence.
    """
    found: list[tuple[str, Callable[[], Any], Callable[[Any], bool]]] = [
        ("the working folder (os.chdir)", _folder, _put_folder),
        ("the environment (os.environ)", lambda: dict(os.environ), _put_environment),
        (
            "how deep calls may go (sys.setrecursionlimit)",
            sys.getrecursionlimit,
            _setter(sys.getrecursionlimit, sys.setrecursionlimit),
        ),
    ]
    warnings = sys.modules.get("warnings")
    numpy: Any = sys.modules.get("numpy")
    torch: Any = sys.modules.get("torch")
    if warnings is not None:
        found.append(("", lambda: list(warnings.filters), _put_filters))
    if hasattr(numpy, "set_printoptions"):
        found.append(("how NumPy treats errors (np.seterr)", numpy.geterr, _setter(
            numpy.geterr, lambda held: numpy.seterr(**held))))  # fmt: skip
        found.append(("how NumPy prints (np.set_printoptions)", numpy.get_printoptions, _setter(
            numpy.get_printoptions, lambda held: numpy.set_printoptions(**held))))  # fmt: skip
    if hasattr(torch, "set_default_dtype"):
        get, grad = torch.get_default_dtype, torch.is_grad_enabled
        found.append(("PyTorch's default type (torch.set_default_dtype)", get, _setter(
            get, torch.set_default_dtype)))  # fmt: skip
        found.append(("whether PyTorch tracks gradients (torch.set_grad_enabled)", grad, _setter(
            grad, torch._C._set_grad_enabled)))  # fmt: skip
    return found


def _setter(get: Callable[[], Any], put: Callable[[Any], Any]) -> Callable[[Any], bool]:
    def put_back(held: Any) -> bool:
        if get() == held:
            return False
        put(held)
        return True

    return put_back


def _folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was deleted
        return ""


def _put_folder(held: str) -> bool:
    if _folder() == held:
        return False
    try:
        os.chdir(held)
    except OSError:
        pass  # it is gone, and whoever made it makes it anew
    return True


def _put_environment(held: dict[str, str]) -> bool:
    if all(os.environ.get(name) == value for name, value in held.items()):
        return False
    os.environ.update(held)
    return True


def _put_filters(held: list) -> bool:
    warnings: Any = sys.modules["warnings"]
    if list(warnings.filters) == held:
        return False
    warnings.filters[:] = held
    warnings._filters_mutated()
    return True
