"""The checks of lab 7, stages 1 to 3: clustering."""

from __future__ import annotations

import numpy as np

from checks import expect
from checks.expect import stage
from checks.lab_7_kmeans_ann import oracles
from checks.lab_7_kmeans_ann.code_stages import check_stage4
from checks.lab_7_kmeans_ann.index_stages import check_stage5, check_stage6

__all__ = [
    "check_stage1",
    "check_stage2",
    "check_stage3",
    "check_stage4",
    "check_stage5",
    "check_stage6",
]

FAR = 'Stage 1, "Exact far from the origin"'

# from the first three of these rows: six updates; the second changes labels and no cluster's size
SLOW = ((17, 7), (0, 4), (9, 10), (2, 9), (11, 0), (18, 18), (13, 0), (17, 19), (7, 10), (6, 5),
        (11, 17), (19, 19))  # fmt: skip


def whole(case, got):
    """Labels and codes are whole numbers, in an integer type."""
    kind = np.asarray(got).dtype
    expect.true(case, kind.kind in "iu", f"{kind} values", "an integer type")


def scatter(seed):
    """N = 23 rows, K = 5 centres, d = 3; centre 3 is too far away to get a row."""
    rng = np.random.default_rng(seed)
    x = rng.normal(2.0, 3.0, (23, 3))
    centres = rng.normal(2.0, 3.0, (5, 3))
    centres[3] = [90.0, -80.0, 70.0]
    return x, centres


def check_squared_distances(squared_distances):
    """By hand, a lopsided case, and rows near 1e8."""
    # (0,0) and (3,1): 9 + 1; (0,0) and (-1,2): 1 + 4; (1,5) and (3,1): 4 + 16; ...
    x, centres = np.array([[0.0, 0.0], [1.0, 5.0], [3.0, 1.0]]), np.array([[3.0, 1.0], [-1.0, 2.0]])
    kept = x.copy(), centres.copy()
    got = squared_distances(x, centres)
    expect.close("three rows, two centres", got, [[10.0, 5.0], [20.0, 13.0], [0.0, 17.0]])
    expect.unchanged("the caller's rows and centres", kept, (x, centres))
    x, centres = scatter(1)
    want = oracles.slow_squared_distances(x, centres)
    expect.close("23 rows, 5 centres", squared_distances(x, centres), want)
    # Multiples of 1/4 near 1e8 are exact in float64, and so are their differences.
    grid = np.random.default_rng(2).integers(-8, 9, (19, 2)) / 4.0
    far = np.asarray(squared_distances(1e8 + grid, 1e8 + grid[:4]))
    want = oracles.slow_squared_distances(grid, grid[:4])
    below = "a negative squared distance" if far.min() < 0 else "none"
    expect.true("rows near 1e8: below 0", far.min() >= 0, below, "none", reread=FAR)
    near = np.allclose(far, want, rtol=1e-9, atol=1e-9)
    wrong = "distances that are off by more than a rounding error"
    expect.true("rows near 1e8", near, wrong, "the distances of the same rows at 0", reread=FAR)


def check_helpers(assign, update, inertia):
    """Ties, empty clusters, labels that are not the nearest."""
    x = np.array([[0.0], [2.0], [10.0], [14.0], [6.0]])
    got = assign(x[:4], np.array([[0.0], [2.0]]))
    expect.equal("rows 0, 2, 10, 14, centres 0 and 2: labels", got, [0, 1, 1, 1])
    whole("the type of labels", got)
    # 6 is 4 away from both 2 and 10, and 5 away from 1
    centres = np.array([[1.0], [2.0], [10.0]])
    expect.equal("row 6, centres 1, 2, 10", assign(x[4:], centres), [1])
    x, centres = scatter(3)
    want = oracles.slow_squared_distances(x, centres)
    nearest = [min(range(5), key=row.__getitem__) for row in want.tolist()]
    expect.equal("labels of 23 rows", assign(x, centres), nearest)
    got = assign(x / 1000, centres / 1000)
    expect.equal("labels of the same 23 rows, a thousandth the size", got, nearest)

    at = np.arange(200.0)[:, None]
    expect.equal("200 rows, each of them a centre: labels", assign(at, at), list(range(200)))
    far = [[1e8], [1e8 + 1], [1e8 + 2.75]]  # exact, and so are their differences
    got = assign(np.array(far), np.array([[1e8 + 2], [1e8 + 0.25]]))
    expect.equal("rows near 1e8: labels", got, [1, 1, 0], reread=FAR)
    x = np.array([[1.0, 0.0], [3.0, 8.0], [5.0, 1.0], [6.0, 2.0], [9.0, 4.0]])
    labels, centres = np.array([2, 0, 0, 2, 2]), np.array([[0.0, 1.0], [-7.0, 5.5], [2.0, 3.0]])
    kept = x.copy(), labels.copy(), centres.copy()
    # centre 0: rows 1 and 2; centre 1: none; centre 2: rows 0, 3, 4, means 16/3 and 2
    want = [[4.0, 4.5], [-7.0, 5.5], [16 / 3, 2.0]]
    expect.close("5 rows, centre 1 has none: update", update(x, labels, centres), want)
    expect.unchanged("update: the caller's arrays", kept, (x, labels, centres))
    check_update_rests(update)
    # squares: row 0: 1 + 9, row 1: 9 + 49, row 2: 25 + 0, row 3: 16 + 1, row 4: 49 + 1
    got = inertia(x, centres, labels)
    expect.close("5 rows, labels that are not the nearest: inertia", got, 160.0)
    expect.unchanged("inertia: the caller's arrays", kept, (x, labels, centres))


def check_update_rests(update):
    """Rows that are all 0 are rows; centres that do not move come back in a new array."""
    x, labels = np.array([[0.0, 0.0], [4.0, 2.0], [0.0, 0.0]]), np.array([1, 0, 1])
    got = update(x, labels, np.array([[1.0, 1.0], [3.0, 5.0]]))
    expect.close("two rows of zeros with a centre of their own: update", got, [[4, 2], [0, 0]])
    centres = np.array([[2.0], [7.0]])
    got = update(np.array([[1.0], [3.0]]), np.array([0, 0]), centres)
    case = "centres that do not move: update"
    expect.close(case, got, [[2.0], [7.0]])
    shared = np.shares_memory(np.asarray(got), centres)
    expect.true(case, not shared, "the caller's array itself", "a new array")


def check_run(case, kmeans, x, start, max_iter, reread=None):
    """A run of k-means beside the slow one; extra updates after convergence are allowed."""
    kept = x.copy(), start.copy()
    got = kmeans(x, start, max_iter)
    three = isinstance(got, (tuple, list)) and len(got) == 3
    expect.true(f"{case}: what comes back", three, got, "centres, labels, history", reread=reread)
    centres, labels, history = got
    history = [float(entry) for entry in history]
    states = oracles.slow_lloyd(*kept, max_iter)
    totals = [total for *_, total in states]
    last = states[-1][0]
    settled = next(at for at, (c, *_) in enumerate(states, 1) if np.array_equal(c, last))
    few, many = len(history) < settled, len(history) > max_iter
    expect.close(f"{case}: centres", centres, last, reread=reread)
    expect.equal(f"{case}: labels", labels, states[-1][1], reread=reread)
    count = "more entries than updates" if many else "fewer entries than updates"
    expect.true(f"{case}: length of history", not (few or many), count, "one entry an update")
    expect.close(f"{case}: history", history, totals[: len(history)], reread=reread)
    expect.unchanged(f"{case}: the caller's rows and centres", kept, (x, start))


@stage(reread='Stage 1, "By hand"')
def check_stage1(squared_distances, assign, update, inertia, kmeans):
    """Each helper by hand and lopsided; k-means cut short, run out, and with an empty cluster."""
    check_squared_distances(squared_distances)
    check_helpers(assign, update, inertia)
    x, start = np.array([[0.0], [2.0], [10.0], [14.0]]), np.array([[0.0], [2.0]])
    check_run("k-means of 0, 2, 10, 14, one update", kmeans, x, start, 1)
    check_run("k-means of 0, 2, 10, 14, 9 updates at most", kmeans, x, start, 9)
    check_run("k-means of 0, 2, 10, 14, one centre", kmeans, x, start[:1], 5)
    x, start = scatter(4)
    check_run("k-means of 23 rows, two updates", kmeans, x, start, 2)
    x, start = np.array(SLOW, dtype=float), np.array([*SLOW[:3], [90, 90]], dtype=float)
    check_run("k-means of 12 rows, a centre without rows", kmeans, x, start, 40)
    # updates move centres by 3e-5 to 2e-4, and lower the inertia by 2e-8 or more
    check_run("k-means of the same rows, 3e-5 the size", kmeans, 3e-5 * x, 3e-5 * start, 40)
    # each update halves the distance of the cut from the middle; the last lowers the inertia
    # by 7 parts in 10^5
    line, start = np.arange(401.0)[:, None], np.array([[0.0], [1.0]])
    check_run("k-means of rows 0 to 400, from 0 and 1", kmeans, line, start, 20)


def same_rows(case, got, x, k):
    """Which row of x each centre is; a fault where one is no row of x."""
    expect.shape(f"{case}: shape", got, (k, x.shape[1]))
    found = [np.flatnonzero((x == centre).all(axis=1)) for centre in np.asarray(got)]
    known = all(len(rows) for rows in found)
    expect.true(f"{case}: rows of x", known, "a centre that is no row of x", "rows of x")
    return [int(rows[0]) for rows in found]


@stage(reread='Stage 2, "By hand"')
def check_stage2(kmeans_plus_plus):
    """Rows of x, every row where k = N, equal rows, then the shares of the draws.

    Odds: a right answer fails less than once in 10^6 runs (Hoeffding, summed over the shares).
    """
    x = np.random.default_rng(1).normal(5.0, 2.0, (11, 2))
    kept = x.copy()
    got = kmeans_plus_plus(x, 11, np.random.default_rng(2))
    rows = same_rows("11 centres of 11 rows", got, x, 11)
    repeat = "a row twice" if len(set(rows)) < 11 else "each once"
    expect.true("11 centres of 11 rows", repeat == "each once", repeat, "each row once")
    expect.unchanged("the caller's rows", kept, x)
    again = kmeans_plus_plus(x, 11, np.random.default_rng(2))
    expect.true(
        "the same seed again", np.array_equal(got, again), "other rows", "the same rows: use rng"
    )
    small = 1e-5 * x
    rows = same_rows("k = 11", kmeans_plus_plus(small, 11, np.random.default_rng(2)), small, 11)
    repeat = "a row twice" if len(set(rows)) < 11 else "each once"
    case = "11 centres of the same rows, a hundred-thousandth the size"
    expect.true(case, repeat == "each once", repeat, "each row once")
    check_equal_rows(kmeans_plus_plus)
    expect.raises(
        "k = 12 of 11 rows", ValueError, kmeans_plus_plus, x, 12, np.random.default_rng(5)
    )
    check_first_draw(kmeans_plus_plus, 1)
    check_first_draw(kmeans_plus_plus, 2)
    check_third_draw(kmeans_plus_plus)
    check_second_draw(kmeans_plus_plus)


def check_equal_rows(kmeans_plus_plus):
    """Seven equal rows and another count as eight rows, and may be asked for six centres."""
    rng, eight = np.random.default_rng(4), np.ones((8, 1))
    eight[2] = 4.0
    drawn = [float(np.asarray(kmeans_plus_plus(eight, 1, rng)).ravel()[0]) for _ in range(300)]
    case = "rows 1 (seven times) and 4, k = 1, 300 times"
    oracles.share(case, drawn.count(4.0) / 300, 300, 1 / 8, (0, 0.5, 1), "of the draws are 4", 3)
    equal = np.full((6, 3), 2.5)
    expect.equal("six equal rows, k = 4", kmeans_plus_plus(equal, 4, np.random.default_rng(3)),
                 np.full((4, 3), 2.5))  # fmt: skip
    case = "rows 1 (seven times) and 4, k = 6"
    got = np.asarray(kmeans_plus_plus(eight, 6, rng))
    expect.shape(case, got, (6, 1))
    expect.equal(f"{case}: the values", sorted({*got.ravel().tolist()}), [1.0, 4.0])


def check_first_draw(kmeans_plus_plus, k):
    """Four rows, one of them far away: each comes first in a quarter of 300 draws, for any k.

    z = 3: four shares, each wrong once in 3 * 10^7 runs; a row is never drawn once in 10^36.
    """
    rng, x = np.random.default_rng(6), np.array([[0.0], [1.0], [3.0], [1000.0]])
    drawn = [same_rows(f"k = {k}", kmeans_plus_plus(x, k, rng), x, k)[0] for _ in range(300)]
    case = f"rows 0, 1, 3, 1000, k = {k}: the first centre, 300 times"
    never = [f"{x[row, 0]:g}" for row in range(4) if row not in drawn]
    expect.true(case, not never, f"never {', '.join(never)}", "each row in a quarter of the draws")
    shares = [drawn.count(row) / 300 for row in range(4)]
    worst = max(range(4), key=lambda row: abs(shares[row] - 0.25))
    oracles.share(case, shares[worst], 300, 0.25, (0, 0.5, 1), f"of the draws are row {worst}", 3)


def check_third_draw(kmeans_plus_plus):
    """Three clumps 1e-5 wide: the third centre is in the third clump in all but 10^-7 of runs."""
    rng = np.random.default_rng(7)
    x = oracles.tight_clumps(rng)
    drawn = [same_rows("k = 3", kmeans_plus_plus(x, 3, rng), x, 3) for _ in range(300)]
    apart = [[row // 4 for row in rows] for rows in drawn if rows[0] // 4 != rows[1] // 4]
    for at, name in ((0, "first"), (1, "second")):
        expect.true(
            f"three tight clumps: the third centre, not in the clump of the {name}",
            all(clumps[2] != clumps[at] for clumps in apart),
            f"it is, next to the {name} centre",
            "in the clump without a centre: the nearest centre counts",
        )
    # never reached by itself: how often it is right tells mistakes apart
    right = sum(clumps[2] not in clumps[:2] for clumps in apart) / max(1, len(apart))
    rungs = (0, 1 / 3, 0.5, 0.6, 1)
    what = "of the third centres are in the clump without one"
    oracles.share("three tight clumps", right, 300, 1, rungs, what)


def check_second_draw(kmeans_plus_plus):
    """One far row beside 17: half of the second draws by D squared, 20 % by D, 6 % uniformly.

    With 380 draws the margin is 14 %. D gives 20 % with a standard deviation of 2.1 %, so it is
    rejected but for 10^-13 of all runs; uniform draws and the best of two draws (75 %) as well.
    """
    rng, x = np.random.default_rng(8), oracles.simplex()
    drawn = [same_rows("k = 2", kmeans_plus_plus(x, 2, rng), x, 2) for _ in range(400)]
    second = [rows[1] for rows in drawn if rows[0] != 17]
    got = second.count(17) / max(1, len(second))
    case = "one far row (D squared 32) and 16 near rows (D squared 2): the second centre"
    rungs = (0, 1 / 17, 0.2, 0.75, 0.94, 1)
    oracles.share(case, got, max(1, len(second)), 0.5, rungs, "of the draws take the far row")


# Eight rows on a line, out of order. All 336 triples of starting rows, each with its D squared
# probability, go through Lloyd in tests/test_lab_7_kmeans_ann.py: .4930 of the runs reach 18.2725.
STREET = np.array([[11.4], [1.5], [17.1], [7.1], [12.5], [2.5], [15.4], [10.1]])
BEST_OF_3, REACHED = 18.2725, 0.4930
OPTIMA = {"18.27": 18.2725, "21.05": 21.0466666667, "22.17": 22.1716666667, "25.54": 25.54}

# Eight more: .5467 of the runs reach 13.817, the others 15.413. The triples of rows with the
# smallest inertia before any update all lead to 15.413.
TRAP = np.array([[5.8], [6.1], [4.7], [13.6], [6.2], [18.5], [6.4], [1.8]])
TRAP_REACHED = 0.5467
TRAP_OPTIMA = {"13.82": 13.817, "15.41": 15.4133333333}


def name(end, optima=OPTIMA):
    """The local optimum that an inertia belongs to, or nothing."""
    return next((known for known, value in optima.items() if abs(value - end) < 1e-6), "")


def worst(ends):
    """What ten calls gave, in words that do not depend on the draws."""
    found = {name(end, TRAP_OPTIMA) for end in ends}
    if found == {"15.41"}:
        return "15.41, the worse local optimum, every time"
    return (
        "local optima, not always the best" if "" not in found else "the inertia of no single run"
    )


def one(elbow, x, k, rng, restarts=1):
    """The only number that elbow gives for one k."""
    return float(np.asarray(elbow(x.copy(), [k], rng, restarts)).ravel()[0])


@stage(reread='Stage 3, "By hand"')
def check_stage3(elbow):
    """k = 1 and k = N are known, runs converge, restarts count, the best is kept, rng is used.

    Odds: a right answer fails less than once in 10^6 runs.
    """
    x = STREET.copy()
    rng = np.random.default_rng(1)
    spread = float(((STREET - STREET.mean()) ** 2).sum())
    got = elbow(x, [8, 1], rng, 2)
    expect.close("8 rows, k = 8 and then k = 1", got, [0.0, spread])
    expect.unchanged("the caller's rows", STREET, x)
    expect.close("8 rows, k = 1 and then k = 8", elbow(x, [1, 8], rng, 1), [spread, 0.0])
    check_converged(elbow, rng)
    # 25 runs all miss the optimum once in .4533^-25 = 3.9e8 calls; two do in a fifth of them
    orders = np.random.default_rng(2)
    ends = [one(elbow, TRAP[orders.permutation(8)], 3, rng, 25) for _ in range(16)]
    case = "8 rows, k = 3, the best of 25 runs, 16 times, the rows in another order each time"
    best = all(name(end, TRAP_OPTIMA) == "13.82" for end in ends)
    expect.true(case, best, worst(ends), "13.82 every time")
    check_shares(elbow)


def check_converged(elbow, rng):
    """Rows on a line, where the cuts move slowly and come to rest only between equal stretches."""
    # Rows 0 .. 62, k = 2: Lloyd halves the distance of the cut from the middle with each update,
    # until 31 rows stand on one side and 32 on the other: 31 (31^2 - 1)/12 + 32 (32^2 - 1)/12
    line = np.arange(63.0)[:, None]
    for _ in range(5):
        got = elbow(line, [2], rng, 1)
        expect.close("rows 0 to 62, k = 2: the same end from every start", got, [5208.0])
    # k = 4: an update takes a seventh off that distance; four runs of ten need more than twenty
    rest = oracles.at_rest(601)
    ends = [one(elbow, np.arange(601.0)[:, None], 4, rng) for _ in range(8)]
    expect.true(
        "rows 0 to 600, k = 4, one run",
        all(min(abs(end - inertia) for inertia in rest) < 1e-4 for end in ends),
        "an inertia that the next update would still lower",
        "that of a run which has converged",
    )


def check_shares(elbow):
    """How often one run, and two, reach the optimum; what the same seed and other seeds give.

    Binomial(240, .4930): outside 81..156 with probability 8e-7 (tests sum it).
    """
    rng = np.random.default_rng(3)
    ends = [name(one(elbow, STREET, 3, rng)) for _ in range(240)]
    what = "of the calls reach the optimum"
    rungs = (0, 0.12, 0.74, 0.97, 1)
    got = ends.count("18.27") / 240
    oracles.share("8 rows, k = 3, one run, 240 times", got, 240, REACHED, rungs, what, z=2.5)
    pairs = [name(one(elbow, STREET, 3, rng, 2)) for _ in range(240)].count("18.27") / 240
    twice = 1 - (1 - REACHED) ** 2
    others = (0, 0.24, 0.49, 0.87, 0.97, 1)
    oracles.share("8 rows, k = 3, two runs, 240 times", pairs, 240, twice, others, what, z=2.5)
    rng = np.random.default_rng(3)
    again = [name(one(elbow, STREET, 3, rng)) for _ in range(60)]
    expect.true("the same seed again", again == ends[:60], "other ends", "the same: use rng")
    # three of rows 3, 4, 5, 7 lead elsewhere; .507^60 and .493^60 are no odds
    turn = np.random.default_rng(4).permutation
    orders = [np.concatenate([turn([3, 4, 5, 7]), turn([0, 1, 2, 6])]) for _ in range(60)]
    found = [name(one(elbow, STREET[order], 3, rng)) == "18.27" for order in orders]
    case = "8 rows in 60 other orders, k = 3, one run"
    expect.true(case, any(found), "never the optimum", "the optimum at times, and at times not")
    expect.true(case, not all(found), "the optimum always", "the optimum at times, and not always")
