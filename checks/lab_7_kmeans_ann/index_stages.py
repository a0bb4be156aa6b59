"""The checks of lab 7, stages 5 and 6: an index is judged by laws, whatever its layout."""

from __future__ import annotations

import numpy as np

from checks import expect
from checks.expect import stage
from checks.lab_7_kmeans_ann import oracles
from checks.lab_7_kmeans_ann.oracles import BY_TIE, LINE, TIED, distinct_ids, id_list, slow_nearest

CENTRE = 'Stage 5, "Centre first"'


def cloud(seed):
    """N = 130 rows in d = 6, of different lengths, away from the origin, and 7 queries."""
    rng = np.random.default_rng(seed)
    x = 30.0 + rng.normal(size=(130, 6)) * rng.uniform(0.3, 3.0, (130, 1))
    return x, 30.0 + rng.normal(size=(7, 6))


def check_sides(build_index, candidates):
    """Any plane through the mean, 4, parts rows 0, 1, 2, 3 from row 14: eight builds of each."""
    rng = np.random.default_rng(1)
    near, far = {0, 1, 2, 3}, {4}
    for n_tables, level in ((1, 1000.0), (3, 1000.0), (2, 4.0)):
        x = LINE.copy()
        x[:, 1] = level
        for at, want in ((3.4, near), (5.0, far)):
            case = f"rows 0, 1, 2, 3, 14 (other feature {level:g}), tables: {n_tables}, query {at}"
            wrong, kept = None, x.copy()
            for _ in range(8):
                index = build_index(x, 1, n_tables, rng)
                expect.instance(f"{case}: the index", index, dict)
                expect.unchanged(f"{case}: the caller's rows", kept, x)
                q = np.array([at, level])
                got = distinct_ids(case, candidates(index, q))
                expect.unchanged(f"{case}: the caller's query", [at, level], q.tolist())
                wrong = sorted(got) if got != want and wrong is None else wrong
            expect.true(case, wrong is None, wrong, f"{sorted(want)}", reread=CENTRE)


def check_two(build_index, candidates):
    """A second index of other rows answers for itself, and leaves the first as it was."""
    rng, q = np.random.default_rng(10), np.array([3.4, 1000.0])
    first = build_index(LINE.copy(), 1, 2, rng)
    before = distinct_ids("the first index", candidates(first, q))
    second = build_index(LINE[::-1].copy(), 1, 2, rng)
    case = "a second index, of rows 14, 3, 2, 1, 0, query 3.4"
    other = sorted(distinct_ids(case, candidates(second, q)))
    expect.equal(case, other, [1, 2, 3, 4])
    again = sorted(distinct_ids("the first index", candidates(first, q)))
    case = "the first index (rows 0, 1, 2, 3, 14) again, query 3.4"
    expect.equal(case, again, sorted(before))


def check_angle(build_index, candidates):
    """45 degrees, in rows that spread ten times as far along one feature as along the other.

    400 indexes of one bit: 75 % keep the two together, give or take 14 %.
    """
    rng = np.random.default_rng(13)
    x = np.array([[10.0, 0.0], [1.0, 1.0], [-10.0, 0.0], [-1.0, -1.0]])
    q = np.array([0.0, 1.0])
    built = [build_index(x.copy(), 1, 1, rng) for _ in range(400)]
    case = "1 bit, 400 indexes: a row at 45 degrees from the query is a candidate"
    got = sum(1 in distinct_ids(case, candidates(index, q)) for index in built) / 400
    # features divided by their spread: 5.7 degrees, so .97
    oracles.share(case, got, 400, 0.75, (0, 0.5, 0.97, 1), "of the time")


def found_share(case, look, rungs, expected, z=2.8):
    """The share of rows at 90 degrees that `look(x, q, seed)` sees, over five indexes.

    Exactly binomial (see `oracles.axes`): 5 * 399 draws, margin .063.
    """
    x = oracles.axes(400)
    seen = [look(x, 2.0 * x[0], seed) & set(range(1, 400)) for seed in range(5)]
    got = sum(map(len, seen)) / (5 * 399)
    oracles.share(case, got, 5 * 399, expected, rungs, "of the rows at 90 degrees", z)


@stage(reread='Stage 5, "By hand"')
def check_stage5(build_index, candidates, query_index):
    """The mean, the union of tables with planes of their own, true distances, nothing found.

    Odds: a right answer fails less than once in 10^6 runs.
    """
    check_sides(build_index, candidates)
    check_two(build_index, candidates)
    check_ranking_by_hand(build_index, query_index)
    x, queries = cloud(2)
    kept = x.copy(), queries.copy()
    rng = np.random.default_rng(3)
    index = build_index(x, 4, 3, rng)
    expect.unchanged("the caller's rows", kept[0], x)
    for at, q in enumerate([*queries, x[17], x[99]]):
        case = f"130 rows, 4 bits, 3 tables, query {at}"
        mine = distinct_ids(case, candidates(index, q))
        want = slow_nearest(x, mine, q, 9)
        got = id_list(case, query_index(index, q, 9))
        expect.equal(f"{case}: the 9 nearest of its candidates", got, want)
        got = id_list(case, query_index(index, q, 500))
        expect.equal(f"{case}, k = 500", got, slow_nearest(x, mine, q, 500))
    expect.equal("a query equal to row 17", id_list("row 17", query_index(index, x[17], 1)), [17])
    expect.unchanged("the caller's rows and queries", kept, (x, queries))
    check_seed(build_index, candidates)
    # 1194 rows at 90 degrees from the query: one shares its 40 bits once in 3 * 10^8 runs
    flat, up = np.zeros((1194, 200)), np.zeros(200)
    flat[:, :199] = np.tile(oracles.axes(199), (3, 1))
    up[199] = 5.0
    index = build_index(flat, 40, 3, np.random.default_rng(4))
    case = "a query whose buckets are empty"
    expect.equal(case, sorted(distinct_ids(case, candidates(index, up))), [])
    expect.equal(f"{case}: query_index", id_list(case, query_index(index, up, 3)), [])

    def look(rows, q, seed):
        index = build_index(rows, 2, 3, np.random.default_rng(seed))
        return distinct_ids("800 rows", candidates(index, q))

    # 1 - (1 - 1/4)^3 = .578; planes shared, or one table read: 1/4; all three must agree: 1/64
    case = "2 bits, 3 tables: rows at 90 degrees that are candidates, 1 - (1 - p^2)^3"
    rungs = (0, 1 / 64, 0.125, 0.25, 0.33, 0.44, 0.68, 0.875, 1)
    found_share(case, look, rungs, 1 - 0.75**3)
    check_angle(build_index, candidates)


def check_ranking_by_hand(build_index, query_index):
    """Rows 0, 1, 2, 3 are the candidates of a query on their side of the mean."""
    x = LINE.copy()
    x[:, 1] = 1e8  # where squares are 1e16, and numbers of their size 2 apart
    index = build_index(x, 1, 2, np.random.default_rng(5))
    for at, k, want in (
        (3.4, 2, [3, 2]),
        (3.4, 9, [3, 2, 1, 0]),
        (5.0, 2, [4]),
        (1.0, 1, [1]),  # an exact match
        (1.0, 4, [1, 0, 2, 3]),  # 0 and 2 are equally near
        (2.000000001, 4, [2, 3, 1, 0]),  # 3 is nearer than 1
    ):
        case = f"rows 0, 1, 2, 3, 14 (other feature 1e8), query {at}, k = {k}"
        q = np.array([at, 1e8])
        got = id_list(case, query_index(index, q, k))
        expect.unchanged(f"{case}: the caller's query", [at, 1e8], q.tolist())
        expect.equal(case, got, want)
    index = build_index(TIED.copy(), 1, 2, np.random.default_rng(6))
    got = id_list("40 rows, many equally near", query_index(index, np.array([2.0, 8.0]), 33))
    expect.equal("40 rows, many equally near, k = 33", got, BY_TIE[:33])


def check_seed(build_index, candidates):
    """The same seed, the same candidates; one rng twice, two indexes."""
    x, queries = cloud(6)

    def look(rng):
        index = build_index(x, 5, 2, rng)
        return [sorted(distinct_ids("130 rows, 5 bits", candidates(index, q))) for q in queries]

    rng = np.random.default_rng(7)
    first, second = look(rng), look(rng)
    same = look(np.random.default_rng(7)) == first
    expect.true("the same seed again", same, "other candidates", "the same: use rng")
    case = "two indexes from one rng"
    expect.true(case, first != second, "the same candidates", "other planes: use rng as given")


@stage(reread='Stage 6, "By hand"')
def check_stage6(multiprobe, build_index, candidates, query_index):
    """Sides of a line, one probe, every probe, the plane next to the query, the number of buckets.

    Odds: a right answer fails less than once in 10^6 runs.
    """
    side = 'Stage 6, "One plane, two sides"'
    index = build_index(LINE.copy(), 1, 2, np.random.default_rng(1))
    for at, k, probes, want in (
        (3.4, 9, 1, [3, 2, 1, 0]),
        (3.4, 9, 2, [3, 2, 1, 0, 4]),
        (5.0, 9, 2, [3, 2, 1, 0, 4]),  # 2, 3, 4, 5 and 9 away
        (5.0, 2, 2, [3, 2]),
        (1.0, 4, 2, [1, 0, 2, 3]),
    ):
        case = f"rows 0, 1, 2, 3, 14, 1 bit, query {at}, k = {k}, probes: {probes}"
        got = id_list(case, multiprobe(index, np.array([at, 1000.0]), k, probes))
        expect.equal(case, got, want, reread=side)
    index = build_index(TIED.copy(), 1, 2, np.random.default_rng(2))
    got = id_list("40 rows, many equally near", multiprobe(index, np.array([2.0, 8.0]), 33, 2))
    expect.equal("40 rows, many equally near, k = 33", got, BY_TIE[:33])
    check_tie(multiprobe, build_index)
    x, queries = cloud(2)
    kept = x.copy(), queries.copy()
    index = build_index(x, 5, 3, np.random.default_rng(3))
    for at, q in enumerate(queries):
        case = f"130 rows, 5 bits, 3 tables, query {at}, one probe"
        want = id_list(case, query_index(index, q, 8))
        expect.equal(case, id_list(case, multiprobe(index, q, 8, 1)), want)
        check_order(f"130 rows, 5 bits, 3 tables, query {at}", multiprobe, index, kept[0], q)
        expect.unchanged(f"{case}: the query", kept[1][at], q)
    expect.unchanged("the caller's rows and queries", kept, (x, queries))
    check_antipode(multiprobe, build_index, candidates)
    check_every_flip(multiprobe, build_index, candidates)
    check_closest_plane(multiprobe, build_index, candidates, 9, 1)
    check_closest_plane(multiprobe, build_index, candidates, 5, 2)
    check_buckets(multiprobe, build_index)


def check_tie(multiprobe, build_index):
    """Rows on both sides of the mean in turn, equally far from it: in the order of their ids."""
    x = np.array([[1.0 - 2.0 * (i % 2), 8.0] for i in range(12)])
    index = build_index(x, 1, 2, np.random.default_rng(15))
    for k in (12, 5):
        case = f"rows 1 and -1 in turn, query 0, 2 probes, k = {k}"
        got = id_list(case, multiprobe(index, np.array([0.0, 8.0]), k, 2))
        expect.equal(case, got, list(range(k)))


def check_order(case, multiprobe, index, x, q):
    """Nearest first, cut at k, and more probes never lose a row."""
    before: set = set()
    for probes in (1, 2, 4, 6):
        here = f"{case}, {probes} probes"
        ids = id_list(here, multiprobe(index, q, 500, probes))
        expect.true(f"{here}: each id once", len(set(ids)) == len(ids), "an id twice", "each once")
        expect.equal(f"{here}: nearest first", ids, slow_nearest(x, set(ids), q, 500))
        lost = not before <= set(ids)
        expect.true(f"{here}: rows seen before", not lost, "some are lost", "all are kept")
        expect.equal(f"{here}, k = 3", id_list(here, multiprobe(index, q, 3, probes)), ids[:3])
        before = set(ids)


def check_antipode(multiprobe, build_index, candidates):
    """Two bits, three probes: all codes but the opposite one, which the mirrored query has."""
    x, queries = cloud(8)
    index = build_index(x, 2, 1, np.random.default_rng(9))
    for q in queries:
        opposite = distinct_ids("the mirrored query", candidates(index, 2 * x.mean(axis=0) - q))
        got = set(id_list("three probes", multiprobe(index, q, 500, 3)))
        case = "1 table, 2 bits, 3 probes: the rows of three of the four buckets"
        missing, extra = set(range(130)) - opposite - got, got & opposite
        shown = "rows of the opposite bucket" if extra else "rows are missing"
        expect.true(case, not (missing or extra), shown, "all but those with both bits flipped")


def check_every_flip(multiprobe, build_index, candidates):
    """Three bits, four probes: the own bucket and all one bit away, whatever the margins are.

    So two queries of one bucket see the same rows.
    """
    x, _ = cloud(16)
    index = build_index(x, 3, 1, np.random.default_rng(17))
    seen: dict = {}
    for q in x[:40]:
        own = frozenset(distinct_ids("130 rows, 3 bits", candidates(index, q)))
        got = frozenset(id_list("four probes", multiprobe(index, q, 500, 4)))
        seen.setdefault(own, set()).add(got)
    same = all(len(sets) == 1 for sets in seen.values())
    case = "1 table, 3 bits, 4 probes, two queries of one bucket"
    wanted = "the same rows: the own bucket and the three that differ in one bit"
    expect.true(case, same, "other rows for one than for the other", wanted)


def edge(look, inside, outside):
    """Two points a hair apart, the first in the cell of `inside` and the second beyond its edge."""
    own = look(inside)
    for _ in range(34):
        middle = (inside + outside) / 2
        if look(middle) == own:
            inside = middle
        else:
            outside = middle
    return inside, outside


def check_closest_plane(multiprobe, build_index, candidates, n_bits, n_tables):
    """A query a hair from one plane: its second probe is the bucket on that plane's other side.

    The plane is found from outside, by bisecting between two rows until their candidates part.
    With 9 bits most buckets are empty, the one beyond the plane too.
    """
    x, _ = cloud(11)
    index = build_index(x, n_bits, n_tables, np.random.default_rng(12))

    def look(q):
        return distinct_ids(f"130 rows, {n_bits} bits", candidates(index, q))

    fault, seen = None, []
    for a in range(12):
        for b in (20, 40, 60):  # some row whose candidates differ
            if look(x[a]) != look(x[b]):
                break
        else:
            continue
        here, beyond = edge(look, x[a], x[b])
        got = set(id_list("two probes", multiprobe(index, here, 500, 2)))
        must = look(here) | look(beyond)
        seen.append(len(got))
        if fault is None and not must <= got:
            fault = "rows beyond that plane are missing"
        elif fault is None and n_tables == 1 and got != must:
            fault = "rows of other buckets"
    case = f"tables: {n_tables}, {n_bits} bits, 2 probes, a query that all but touches one plane"
    expect.true(case, fault is None, fault, "the bucket beyond that plane is read")
    # never reached by itself: how many rows were seen tells two mistakes apart
    expect.true(f"{case}: rows seen", fault is None, seen, "those of two buckets a table")


def check_buckets(multiprobe, build_index):
    """4 bits, 2 tables, 3 probes: rows at 90 degrees are seen with 1 - (1 - 3/16)^2 = .340."""

    def look(rows, q, seed):
        index = build_index(rows, 4, 2, np.random.default_rng(seed))
        return set(id_list("800 rows", multiprobe(index, q, 900, 3)))

    case = "4 bits, 2 tables, 3 probes in each: rows at 90 degrees that are seen"
    rungs = (0, 0.12, 0.18, 0.234, 0.4375, 0.53, 1)
    found_share(case, look, rungs, 1 - (13 / 16) ** 2)
