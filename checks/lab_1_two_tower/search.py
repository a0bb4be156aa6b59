"""What stage 5 is judged by: codes compared by who shares one, searches against a loop."""

from __future__ import annotations

import numpy as np

from checks import expect
from checks.lab_1_two_tower import oracles
from checks.lab_1_two_tower.oracles import unit, wave


def codes_of(hash_codes, case, x, planes):
    """The learner's codes, as a list of ints that a dict can hold."""
    got = hash_codes(x, planes)
    expect.shape(case, got, (len(x),))
    codes = np.asarray(got)
    expect.true(f"{case}: dtype", codes.dtype.kind in "iu", codes.dtype, "int64")
    return [int(code) for code in codes]


def check_codes(hash_codes):
    """Quadrants by hand, one plane, the row alone, sixty planes, every row its own bits."""
    shares = "for each row, the first row with its code"
    # the quadrants: rows 0 and 1 share one, rows 2 and 5 another, 3 and 4 are alone
    x = np.array([[3, 1], [0.2, 5], [-3, 1], [-2, -4], [4, -1], [-1, 6]], dtype=float)
    case = "planes (1, 0) and (0, 1), six points"
    got = codes_of(hash_codes, case, x.copy(), np.eye(2))
    expect.equal(f"{case}: {shares}", oracles.groups(got), [0, 0, 2, 3, 4, 2])
    got = codes_of(hash_codes, "one plane, (0, 1)", x.copy(), np.eye(2)[1:])
    expect.equal(f"one plane, (0, 1): {shares}", oracles.groups(got), [0, 0, 0, 3, 3, 0])
    x, planes = wave(40, 3), wave(5, 3)
    case = "40 rows, 5 planes"
    kept, cut = x.copy(), planes.copy()
    got = codes_of(hash_codes, case, kept, cut)
    sides = [tuple(sum(a * b for a, b in zip(row, p)) > 0 for p in planes) for row in x]
    expect.equal(f"{case}: {shares}", oracles.groups(got), oracles.groups(sides))
    expect.unchanged("the caller's x", x, kept)
    expect.unchanged("the caller's planes", planes, cut)
    alone = [codes_of(hash_codes, "a row alone", x[i : i + 1], planes.copy())[0] for i in range(9)]
    expect.equal(f"{case}: the first rows hashed alone", alone, got[:9])
    got = codes_of(hash_codes, f"{case}, rows 7 times as long", 7 * x, planes.copy())
    want = codes_of(hash_codes, case, x.copy(), planes.copy())
    expect.equal(f"{case}: codes of rows 7 times as long", got, want)
    # all signs that eleven numbers may have: 2048 codes
    signs = (np.arange(2048)[:, None] >> np.arange(11)) % 2 * 2.0 - 1
    got = codes_of(hash_codes, "11 planes, 2048 rows", signs, np.eye(11))
    expect.equal("11 planes, one row for each choice of sides: codes", len(set(got)), 2048)
    # row i lies on the other side of plane i and of no other: 61 codes
    flipped = np.vstack([np.ones(60), np.ones((60, 60)) - 2 * np.eye(60)])
    got = codes_of(hash_codes, "60 planes, 61 rows", flipped, np.eye(60))
    expect.equal("60 planes, 61 rows that differ in one bit each: codes", len(set(got)), 61)


def tables_of(hash_codes, x, every_planes):
    """Tables as the contract has them, filled by the learner's own codes."""
    tables = []
    for planes in every_planes:
        buckets: dict = {}
        for at, code in enumerate(codes_of(hash_codes, "rows of a table", x.copy(), planes.copy())):
            buckets.setdefault(code, []).append(at)
        tables.append((planes.copy(), {c: np.array(ids) for c, ids in buckets.items()}))
    return tables


def slow_search(query, x, every_planes, k):
    """Share all sides of one table's planes with the query, then the exact order."""
    found = set()
    for planes in every_planes:
        side = [float(p @ query) > 0 for p in planes]
        found |= {i for i, row in enumerate(x) if [float(p @ row) > 0 for p in planes] == side}
    return sorted(found, key=lambda i: -float(x[i] @ query))[:k]


def ids_of(case, got):
    """The ids as ints, whatever holds them."""
    size = getattr(got, "shape", None)
    if not isinstance(got, (list, tuple)) and (size is None or len(size) != 1):
        expect.instance(case, got, (np.ndarray, list))
    single = all(np.ndim(i) == 0 for i in got)
    if not expect.true(case, single, got, "ids, one number each"):
        return []
    return [int(i) for i in got]


def copied(tables):
    """Tables of their own, to compare with after a search."""
    return [(planes.copy(), {c: ids.copy() for c, ids in b.items()}) for planes, b in tables]


def same_tables(before, after):
    """The caller's planes and buckets are as they were."""
    same = len(before) == len(after) and all(
        np.array_equal(planes, its_planes)
        and buckets.keys() == its.keys()
        and all(np.array_equal(buckets[code], its[code]) for code in buckets)
        for (planes, buckets), (its_planes, its) in zip(before, after)
    )
    got = "other planes or buckets"
    expect.true("the caller's tables", same, got, "as they were: work on a copy")


def check_empty(hash_codes, lsh_search, x, search):
    """Buckets that are not there: in one table, in all of them."""
    upper = x[x[:, 1] > 0]  # nobody below the horizon
    quadrants, wide = np.eye(2), np.array([[0.9, 0.1], [1.0, 0.3]])
    query = unit(np.array([0.6, -0.8]))
    tables = tables_of(hash_codes, upper, [quadrants])
    got = ids_of("no item has the query's code", lsh_search(query.copy(), upper.copy(), tables, 3))
    expect.equal("no item has the query's code: ids", got, [], reread=search)
    for planes in ([quadrants, wide], [wide, quadrants]):
        tables = tables_of(hash_codes, upper, planes)
        before = copied(tables)
        case = "one of two tables has no such code"
        got = ids_of(case, lsh_search(query.copy(), upper.copy(), tables, 3))
        expect.equal(f"{case}: ids", got, slow_search(query, upper, planes, 3), reread=search)
        same_tables(before, tables)


def check_many(hash_codes, lsh_search, search):
    """Ninety items, three tables of four planes, several queries."""
    x, every_planes = unit(wave(90, 5)), list(wave(7, 4, 5)[4:])
    tables = tables_of(hash_codes, x, every_planes)
    before = copied(tables)
    for at in (2, 31, 77):
        query, kept = unit(x[at] + 0.3 * x[at - 1]), x.copy()
        case = f"90 items, three tables, query {at}"
        asked = query.copy()
        got = ids_of(case, lsh_search(asked, kept, tables, 6))
        expect.equal(case, got, slow_search(query, x, every_planes, 6), reread=search)
        expect.unchanged("the caller's query", query, asked)
        expect.unchanged("the caller's x", x, kept)
        same_tables(before, tables)
