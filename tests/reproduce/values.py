"""What a lab's cells made, as digests that tell any bit and as numbers that can be compared."""

from __future__ import annotations

import contextlib
import hashlib
import math
import types
from collections import deque
from typing import Any

import numpy as np

SKIPPED = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type)


class Unknown(Exception):
    """A value of a kind that is neither data nor made of data, as a figure is."""


def described(value: Any) -> tuple[str, bytes]:
    """(digest of every bit, all numbers in it as float64 bytes) of one value; raises Unknown."""
    numbers: list[np.ndarray] = []
    digest = _digest(value, numbers, 0)
    flat = np.concatenate(numbers) if numbers else np.empty(0)
    return digest.hex(), flat.tobytes()


def of_space(space: dict[str, Any]) -> dict[str, tuple[str, bytes]]:
    """`described` of each global that holds data; functions, modules and figures are left out."""
    found = {}
    for name, value in space.items():
        if not name.startswith("__") and not isinstance(value, SKIPPED):
            try:
                found[name] = described(value)
            except Unknown:
                continue
    return found


def _joined(kind: str, parts: list[bytes]) -> bytes:
    whole = hashlib.sha256(kind.encode())
    for part in parts:
        whole.update(part)
    return whole.digest()


def _digest(value: Any, numbers: list[np.ndarray], depth: int) -> bytes:
    if depth > 40:
        raise Unknown("nested too deeply, or in a circle")

    def inside(items: Any) -> list[bytes]:
        return [_digest(item, numbers, depth + 1) for item in items]

    if isinstance(value, bool | int | float | complex | str | bytes | None):
        if isinstance(value, int | float):
            with contextlib.suppress(OverflowError):  # an int beyond float64 has its digest
                numbers.append(np.array([float(value)]))
        return _joined(type(value).__name__, [repr(value).encode("utf-8", "surrogatepass")])
    if hasattr(value, "detach") and hasattr(value, "cpu"):
        return _joined("tensor", inside([value.detach().cpu().numpy()]))
    if isinstance(value, np.ndarray | np.generic):
        return _array(np.asarray(value), numbers, inside)
    if isinstance(value, np.random.Generator):  # how much was drawn is a result too
        return _joined("rng", inside([value.bit_generator.state]))
    if isinstance(value, dict):
        pairs = sorted(((repr(key), item) for key, item in value.items()), key=lambda pair: pair[0])
        keys = [key.encode("utf-8", "surrogatepass") for key, _ in pairs]
        return _joined("dict", [*keys, *inside(item for _, item in pairs)])
    if isinstance(value, set | frozenset):
        return _joined("set", inside(sorted(value, key=repr)))
    if isinstance(value, list | tuple | deque | range):
        return _joined("list", inside(value))
    if hasattr(value, "state_dict"):
        return _joined("module", inside([dict(value.state_dict())]))
    if type(value).__module__ == "__main__" and hasattr(value, "__dict__"):
        return _joined(type(value).__name__, inside([vars(value)]))
    raise Unknown(type(value).__name__)


def _array(array: np.ndarray, numbers: list[np.ndarray], inside: Any) -> bytes:
    head = f"{array.dtype.str} {array.shape}".encode()
    if array.dtype.hasobject:
        return _joined("array", [head, *inside(array.ravel().tolist())])
    if array.dtype.kind in "biuf":
        numbers.append(array.astype(np.float64).ravel())
    elif array.dtype.kind == "c":
        numbers.append(np.ascontiguousarray(array).view(array.real.dtype).ravel())
    return _joined("array", [head, np.ascontiguousarray(array).tobytes()])


def difference(mine: bytes, theirs: bytes) -> float:
    """The largest difference of two runs of numbers, absolute up to 1 and relative beyond.

    Infinite where their count differs, or where one is finite and the other is not.
    """
    a, b = np.frombuffer(mine), np.frombuffer(theirs)
    if a.shape != b.shape:
        return math.inf
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    if same.all():
        return 0.0
    a, b = a[~same], b[~same]
    with np.errstate(all="ignore"):
        far = np.abs(a - b) / np.maximum(1.0, np.abs(b))
    return math.inf if np.isnan(far).any() else float(far.max())
