"""Whether a learner's code changed what judges it: the check's grammar, builtins, NumPy, PyTorch.

A function that replaces `np.argsort`, say, changes the answers of the check's own oracle, and of
every stage that is judged after it. It is told which name it replaced; all is put back.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

WATCHED = ("builtins", "math", "checks.expect", "checks.values", "numpy", "numpy.linalg", "torch",
           "torch.nn.functional")  # fmt: skip
OURS = {"checks.expect": ("_trace", "_stage")}  # what a check itself sets while it runs


class Guard:
    """What the watched modules held before a check ran."""

    def __init__(self, more: tuple[str, ...] = ()) -> None:
        self.before: dict[str, dict[str, Any]] = {}
        for name in (*WATCHED, *more):
            module = sys.modules.get(name)
            if module is not None:
                self.before[name] = dict(vars(module))

    def restore(self) -> str:
        """`numpy.argsort` where a name was replaced or deleted, after putting it back; else ''."""
        changed = ""
        for name, held in self.before.items():
            now = vars(sys.modules[name])
            for key, value in held.items():
                if now.get(key, self) is not value and key not in OURS.get(name, ()):
                    if key.startswith("_") or _is_torchs_own(name, now.get(key)):
                        continue  # a module's own caches
                    changed = changed or f"{name}.{key}"
                    now[key] = value
        return changed


def _is_torchs_own(name: str, value: Any) -> bool:
    """PyTorch wraps some of its own functions when a part of it is first used."""
    return name.startswith("torch") and str(getattr(value, "__module__", "")).startswith("torch")
