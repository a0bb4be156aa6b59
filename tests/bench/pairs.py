"""Two things timed side by side, and what follows from it: the ratio, its spread, the growth.

A busy machine changes by the second, so no time is compared with one that was taken minutes
earlier: A and B run in turn, each pair gives one ratio, and the median over the pairs is told
with its quartiles.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Sequence

LEAST, MOST = 3, 25  # pairs: a median needs three, and after 25 it moves no more


def alternate(
    first: Callable[[], float],
    second: Callable[[], float],
    budget: float,
    least: int = LEAST,
    most: int = MOST,
) -> tuple[list[float], list[float]]:
    """Run A B A B ... and return the seconds of each, pair by pair.

    first, second  run once and return the seconds that count
    budget         seconds of wall time after which no further pair begins
    least, most    pairs: at least so many whatever they take, and at most
    """
    a: list[float] = []
    b: list[float] = []
    end = time.monotonic() + budget
    while len(a) < least or (len(a) < most and time.monotonic() < end):
        a.append(first())
        b.append(second())
    return a, b


def ratio(first: Sequence[float], second: Sequence[float]) -> dict[str, float]:
    """How many times the second takes of the first: median over the pairs, and the quartiles.

    Raises ValueError for lists of different length, or empty ones: there is no pair in them.
    """
    if len(first) != len(second) or not first:
        raise ValueError(f"no pairs in {len(first)} and {len(second)} runs")
    each = [b / a for a, b in zip(first, second)]
    low, middle, high = quartiles(each)
    return {"ratio": middle, "low": low, "high": high, "pairs": len(each)}


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """The lower quartile, the median and the upper one; of a single value, itself."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def slope(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """The exponent p of seconds ~ size^p: least squares on the logarithms of both.

    Raises ValueError where there are fewer than two different sizes.
    """
    x, y = [math.log(size) for size in sizes], [math.log(second) for second in seconds]
    if len(set(x)) < 2 or len(x) != len(y):
        raise ValueError(f"no slope through {len(set(x))} sizes and {len(y)} times")
    return statistics.linear_regression(x, y).slope


def clock(work: Callable[[], object], shortest: float = 0.02) -> Callable[[], float]:
    """`work` as something to alternate: seconds a call, over enough calls to be measured.

    shortest  seconds; what takes less is called several times in a row, since a clock's own
              jitter and the first, cold call would be a good part of it
    """
    begin = time.perf_counter()
    work()
    once = max(time.perf_counter() - begin, 1e-7)
    calls = max(1, math.ceil(shortest / once))

    def run() -> float:
        begin = time.perf_counter()
        for _ in range(calls):
            work()
        return (time.perf_counter() - begin) / calls

    return run
