"""What lab 7 is judged against: slow loops, rows whose shares are known, and their odds."""

from __future__ import annotations

import math
from collections.abc import Set

import numpy as np

from checks import expect

# Rows on a line whose mean is 4; the second feature is far away and the same for all.
LINE = np.array([[0.0, 1000.0], [1.0, 1000.0], [2.0, 1000.0], [3.0, 1000.0], [14.0, 1000.0]])

# Rows 0 to 39 stand at 0, 1, 3, 4 in turn, row 40 at 740: the mean is 20. From 2, half of the
# forty are 1 away and half are 2.
TIED = np.array([[(0.0, 1.0, 3.0, 4.0)[i % 4], 8.0] for i in range(40)] + [[740.0, 8.0]])
BY_TIE = [i for i in range(40) if i % 4 in (1, 2)] + [i for i in range(40) if i % 4 in (0, 3)]


def slow_squared_distances(x, centres):
    """Every row, every centre, every feature."""
    return np.array(
        [
            [sum((a - b) ** 2 for a, b in zip(row, c)) for c in centres.tolist()]
            for row in x.tolist()
        ]
    )


def slow_lloyd(x, centres, n_updates):
    """(centres, labels, inertia) after each of exactly n_updates updates, by loops."""
    centres, states = [list(c) for c in centres.tolist()], []
    rows = x.tolist()

    def square(row, centre):
        return sum((a - b) ** 2 for a, b in zip(row, centre))

    def nearest(row):
        return min(range(len(centres)), key=lambda j: (square(row, centres[j]), j))

    labels = [nearest(row) for row in rows]
    for _ in range(n_updates):
        for j in range(len(centres)):
            mine = [row for row, label in zip(rows, labels) if label == j]
            if mine:
                centres[j] = [math.fsum(column) / len(mine) for column in zip(*mine)]
        labels = [nearest(row) for row in rows]
        total = math.fsum(square(row, centres[j]) for row, j in zip(rows, labels))
        states.append((np.array(centres), np.array(labels), total))
    return states


def slow_nearest(x, ids, q, k):
    """The k of `ids` nearest to q, nearest first, the lower id first where they tie."""
    by_distance = sorted((sum((x[i] - q) ** 2), i) for i in ids)
    return [int(i) for _, i in by_distance[:k]]


def simplex():
    """17 rows at squared distance 2 from each other, and row 17 at squared distance 32 from all.

    From any of the 17, D squared gives row 17 the share 32 / (32 + 16 * 2) = 1/2.
    """
    x = np.zeros((18, 19))
    x[range(17), range(17)] = 1.0
    x[17, 17] = math.sqrt(31.0)
    x[:, 18] = 5.0
    return x


def tight_clumps(rng):
    """Three clumps of 4 rows, 1e-5 wide and 1 apart: (12, 2); row i is in clump i // 4."""
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, math.sqrt(0.75)]])
    return (corners[:, None] + 1e-5 * rng.random((3, 4, 2))).reshape(-1, 2)


def at_rest(n):
    """The inertias at which Lloyd with four centres may rest on rows 0 .. n - 1.

    The cut between stretches of a and b rows rests where the middle between their means lies
    between two rows: |a - b| < 2, or = 2 where a row is equally near and stays.
    """
    sizes = [
        (a, a + p, a + p + q, n - 3 * a - 2 * p - q)
        for a in range(n // 4 - 4, n // 4 + 6)
        for p in range(-2, 3)
        for q in range(-2, 3)
    ]
    return {
        sum(s * (s * s - 1) for s in four) / 12 for four in sizes if abs(four[3] - four[2]) <= 2
    }


def axes(d):
    """e_1, ..., e_d and their opposites, of different lengths: (2d, d); the mean is 0.

    Any two of e_1 .. e_d are at 90 degrees. For planes of independent normal coordinates the
    bits of e_2 .. e_d are independent coins, whatever the bits of e_1.
    """
    x = np.diag(1.0 + np.arange(d) / d)
    return np.concatenate([x, -x])


def margin(n, z=2.8):
    """How far a share of n draws may be from its expectation.

    Hoeffding: it is further off in at most 2 exp(-2 z^2) = 3.1e-7 of all runs, for every n.
    """
    return z / math.sqrt(n)


def share(case, got, n, expected, rungs, what, z=2.8):
    """A share of n draws; a message shows the nearest of `rungs`, whatever the learner drew.

    The rungs are what known mistakes give, so that one mistake has one message.
    """
    nearest = min([*rungs, expected], key=lambda rung: abs(rung - got))
    expect.true(
        case,
        abs(got - expected) <= margin(n, z),
        f"about {100 * nearest:.0f} % {what}",
        f"{100 * expected:.0f} %, give or take {100 * margin(n, z):.0f}",
    )


def id_list(case, got, ordered=True):
    """The ids as a list of ints, or a fault where they are no flat sequence of whole numbers."""
    if isinstance(got, Set) and not ordered:  # the keys of a dict, too
        got = sorted(got)
    flat = isinstance(got, (list, tuple, range, np.ndarray)) and np.ndim(got) == 1
    whole = flat and (len(got) == 0 or np.asarray(got).dtype.kind in "iu")
    expect.true(case, whole, got, "a flat sequence of ids")
    return [int(i) for i in got] if whole else []


def distinct_ids(case, got):
    """The ids as a set; a fault where one comes twice."""
    ids = id_list(case, got, ordered=False)
    expect.true(f"{case}: each id once", len(set(ids)) == len(ids), "an id twice", "each once")
    return set(ids)
