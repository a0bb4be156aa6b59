"""Comparing and showing what a learner's function returned.

NumPy and PyTorch are looked up in `sys.modules`: where nobody imported them there
is no array to compare. All numbers are compared without broadcasting.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

SHOWN_ITEMS = 12
SHOWN_CHARS = 76


def _array_type(value: Any) -> bool:
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    return (numpy is not None and isinstance(value, (numpy.ndarray, numpy.generic))) or (
        torch is not None and isinstance(value, torch.Tensor)
    )


def plain(value: Any) -> Any:
    """A tensor as an array; anything else as it is."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return value.detach().cpu().numpy()
    return value


def shape(value: Any) -> tuple | None:
    """The shape of an array or of nested lists; None for what is not an array."""
    if _array_type(value):
        return tuple(int(n) for n in value.shape)
    if isinstance(value, (bool, int, float, complex)):
        return ()
    if isinstance(value, (list, tuple)):
        inner = {shape(item) for item in value}
        if len(inner) > 1 or None in inner:
            return None
        deeper = inner.pop() if inner else ()
        return (len(value), *(deeper or ()))
    return None


def kind(value: Any, its_shape: tuple | None) -> str:
    """What somebody sent in place of the array that was asked for."""
    if value is None:
        return "None (is a return missing?)"
    if its_shape is None:
        return f"{type(value).__name__}: {show(value)}"
    return f"shape {its_shape}" if its_shape else f"a single number, {show(value)}"


def equal(got: Any, expected: Any) -> bool:
    """Exact equality; sequences item by item whatever their type, never by broadcasting."""
    got, expected = plain(got), plain(expected)
    if _array_type(got) or _array_type(expected):
        if shape(got) != shape(expected):
            return False
        numpy = sys.modules["numpy"]
        return bool(numpy.array_equal(numpy.asarray(got), numpy.asarray(expected)))
    if isinstance(expected, (list, tuple)):
        return (
            isinstance(got, (list, tuple))
            and len(got) == len(expected)
            and all(equal(g, e) for g, e in zip(got, expected))
        )
    if isinstance(expected, (int, float)) and not isinstance(got, (int, float)):
        return False
    return bool(got == expected)


def numbers(value: Any) -> Iterator[tuple[tuple, float]]:
    """(index, number) of every entry of an array or of nested lists."""
    value = plain(value)
    if _array_type(value):
        yield from sys.modules["numpy"].ndenumerate(value)
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            for index, number in numbers(item):
                yield (i, *index), number
    else:
        yield (), value


def _near(got: Any, expected: Any, tol: float) -> bool:
    if expected != expected:  # NaN
        return bool(got != got)
    # inf - inf is NaN: equal infinities are near by the first clause only
    return bool(got == expected or abs(got - expected) <= tol * max(1.0, abs(expected)))


def close(got: Any, expected: Any, tol: float) -> bool:
    """Every number within tol * max(1, |expected|); shapes are equal already."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and (_array_type(got) or _array_type(expected)):
        g, e = numpy.asarray(plain(got)), numpy.asarray(plain(expected))
        try:
            with numpy.errstate(all="ignore"):
                bound = tol * numpy.maximum(1.0, numpy.abs(e))
                near = (g == e) | (numpy.abs(g - e) <= bound) | ((g != g) & (e != e))
        except TypeError:  # an array of objects or of text
            return False
        return bool(near.all())
    return all(_near(g, e, tol) for (_, g), (_, e) in zip(numbers(got), numbers(expected)))


def show(value: Any, limit: int = SHOWN_CHARS) -> str:
    """A value in one line, cut where it is long; arrays with four decimals."""
    value = plain(value)
    if _array_type(value):
        numpy = sys.modules["numpy"]
        if value.size > SHOWN_ITEMS:
            return f"{value.dtype} array of shape {tuple(value.shape)}"
        text = numpy.array2string(numpy.asarray(value), precision=4, max_line_width=10**6)
        return " ".join(text.split())
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, (list, tuple)) and len(value) > SHOWN_ITEMS:
        head = ", ".join(show(v) for v in value[: SHOWN_ITEMS - 4])
        left, right = "[]" if isinstance(value, list) else "()"
        text = f"{left}{head}, ...{right} ({len(value)} items)"
    else:
        text = _represented(value)
    return text if len(text) <= limit else f"{text[: limit - 4]} ..."


def _represented(value: Any) -> str:
    """The repr in one line; of a container of large arrays only their corners, which is faster."""
    try:
        if not _is_bulky(value):
            return " ".join(repr(value).split())
        with sys.modules["numpy"].printoptions(threshold=0, edgeitems=2, precision=4):
            return " ".join(repr(value).split())
    except Exception as error:
        return f"a {type(value).__name__} whose repr raises {type(error).__name__}"


def _is_bulky(value: Any) -> bool:
    """A container whose arrays have more entries than are ever shown."""
    return "numpy" in sys.modules and not _array_type(value) and _elements(value) > SHOWN_CHARS


def _elements(value: Any, depth: int = 4) -> int:
    """How many entries the arrays in a container have."""
    if isinstance(value, sys.modules["numpy"].ndarray):
        return int(value.size)
    if not depth or not isinstance(value, (dict, list, tuple)):
        return 0
    items = value.values() if isinstance(value, dict) else value
    return sum(_elements(item, depth - 1) for item in items)


def call(name: str, args: tuple, named: dict) -> str:
    """`merge([1, 2], (1, 2), 256)`, or nothing where that would be long."""
    if any(map(_is_bulky, [*args, *named.values()])):
        return ""
    parts = [show(a, 200) for a in args] + [f"{k}={show(v, 200)}" for k, v in named.items()]
    text = f"{name}({', '.join(parts)})"
    return text if len(text) <= SHOWN_CHARS else ""


def contrast(got: Any, expected: Any, tol: float = 0.0) -> tuple[str, str]:
    """Both values as text: whole where they are short, else where they differ first or most."""
    if got is None:
        return "None (is a return missing?)", show(expected)
    if isinstance(got, dict) and isinstance(expected, dict):
        return _contrast_dicts(got, expected)
    if isinstance(got, (list, tuple)) and isinstance(expected, (list, tuple)):
        for i, (g, e) in enumerate(zip(got, expected)):
            same = equal(g, e) if tol == 0 else _same_number(g, e, tol)
            if not same and max(len(got), len(expected)) > SHOWN_ITEMS:
                return f"{show(g)} at [{i}]", f"{show(e)} at [{i}]"
    sizes = shape(got), shape(expected)
    if sizes[0] == sizes[1] and sizes[0] is not None and _count(sizes[0]) > SHOWN_ITEMS:
        return _contrast_arrays(got, expected)
    return show(got), show(expected)


def _same_number(got: Any, expected: Any, tol: float) -> bool:
    return shape(got) == shape(expected) and close(got, expected, tol)


def _count(its_shape: tuple) -> int:
    total = 1
    for n in its_shape:
        total *= n
    return total


def _contrast_dicts(got: dict, expected: dict) -> tuple[str, str]:
    if len(got) <= 4 and len(expected) <= 4:
        return show(dict(got)), show(expected)
    for key in expected:
        if key not in got:
            return f"no entry for {show(key)}", f"{show(key)}: {show(expected[key])}"
        if not equal(got[key], expected[key]):
            return f"{show(key)}: {show(got[key])}", f"{show(key)}: {show(expected[key])}"
    for key in got:
        if key not in expected:
            return f"{show(key)}: {show(got[key])}", f"no entry for {show(key)}"
    return show(dict(got)), show(expected)


def _contrast_arrays(got: Any, expected: Any) -> tuple[str, str]:
    worst, index, pair = -1.0, (), (got, expected)
    for (i, g), (_, e) in zip(numbers(got), numbers(expected)):
        if g == e or (g != g and e != e):
            continue
        gap = _gap(g, e)
        if gap > worst:
            worst, index, pair = gap, i, (g, e)
    where = f" at {[int(n) for n in index]}, where they differ most" if index else ""
    return f"{_digits(pair[0])}{where}", _digits(pair[1])


def _gap(a: Any, b: Any) -> float:
    """How far two entries are apart: infinite for a NaN, 1 where they are no numbers."""
    try:
        gap = abs(complex(a) - complex(b))
    except (TypeError, ValueError):
        return 1.0
    return float("inf") if gap != gap else gap


def _digits(value: Any) -> str:
    """A number with ten digits, so that one can see where two of them part."""
    return f"{float(value):.10g}" if shape(value) == () and _is_real(value) else show(value)


def _is_real(value: Any) -> bool:
    return not isinstance(value, complex) and getattr(value, "dtype", float) not in (bool, complex)


def freeze(value: Any) -> Any:
    """A copy that later calls cannot change, made of numbers, text, tuples and arrays."""
    value = plain(value)
    if _array_type(value):
        return sys.modules["numpy"].array(value, copy=True)
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        return value
    if isinstance(value, dict):
        rows = sorted(value.items(), key=lambda row: repr(row[0]))
        return ("dict", *((freeze(k), freeze(v)) for k, v in rows))
    if isinstance(value, (list, tuple)):
        return tuple(freeze(v) for v in value)
    if isinstance(value, (set, frozenset)):
        return ("set", *sorted(map(repr, value)))
    return type(value).__name__


def alike(a: Any, b: Any) -> bool:
    """Whether two frozen values are the same up to rounding (1e-6, float32's reach)."""
    if _array_type(a) or _array_type(b):
        if shape(a) != shape(b):
            return False
        numpy = sys.modules["numpy"]
        a, b = numpy.asarray(a), numpy.asarray(b)
        if a.dtype.kind in "fc" or b.dtype.kind in "fc":
            return bool(numpy.allclose(a, b, rtol=1e-6, atol=1e-9, equal_nan=True))
        return bool(numpy.array_equal(a, b))
    if isinstance(a, float) or isinstance(b, float):
        if not isinstance(a, (int, float)) or not isinstance(b, (int, float)):
            return False
        return a == b or (a != a and b != b) or abs(a - b) <= 1e-9 + 1e-6 * abs(b)
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(alike(x, y) for x, y in zip(a, b))
    return type(a) is type(b) and bool(a == b)
