"""The checks of lab 7, stages 1 to 4: clustering, and codes of random hyperplanes."""

from __future__ import annotations

import numpy as np

from checks import expect
from checks.expect import stage
from checks.lab_7_kmeans_ann import oracles
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

    x = np.array([[1.0, 0.0], [3.0, 8.0], [5.0, 1.0], [6.0, 2.0], [9.0, 4.0]])
    labels, centres = np.array([2, 0, 0, 2, 2]), np.array([[0.0, 1.0], [-7.0, 5.5], [2.0, 3.0]])
    kept = x.copy(), labels.copy(), centres.copy()
    # centre 0: rows 1 and 2; centre 1: none; centre 2: rows 0, 3, 4, means 16/3 and 2
    want = [[4.0, 4.5], [-7.0, 5.5], [16 / 3, 2.0]]
    expect.close("5 rows, centre 1 has none: update", update(x, labels, centres), want)
    expect.unchanged("update: the caller's arrays", kept, (x, labels, centres))
    # squares: row 0: 1 + 9, row 1: 9 + 49, row 2: 25 + 0, row 3: 16 + 1, row 4: 49 + 1
    got = inertia(x, centres, labels)
    expect.close("5 rows, labels that are not the nearest: inertia", got, 160.0)
    expect.unchanged("inertia: the caller's arrays", kept, (x, labels, centres))


def check_run(case, kmeans, x, start, max_iter, reread=None):
    """A run of k-means beside the slow one; extra updates after convergence are allowed."""
    kept = x.copy(), start.copy()
    got = kmeans(x, start, max_iter)
    three = isinstance(got, (tuple, list)) and len(got) == 3
    expect.true(f"{case}: what comes back", three, got, "centres, labels, history", reread=reread)
    centres, labels, history = got
    history = [float(entry) for entry in history]
    states = oracles.slow_lloyd(x, start, max_iter)
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
    x, start = scatter(4)
    check_run("k-means of 23 rows, two updates", kmeans, x, start, 2)
    x, start = scatter(5)
    check_run("k-means of 23 rows, a centre without rows", kmeans, x, start, 40)


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
    equal = np.full((6, 3), 2.5)
    expect.equal("six equal rows, k = 4", kmeans_plus_plus(equal, 4, np.random.default_rng(3)),
                 np.full((4, 3), 2.5))  # fmt: skip
    two = np.array([[1.0], [1.0], [4.0], [1.0]])
    got = np.asarray(kmeans_plus_plus(two, 3, np.random.default_rng(4)))
    expect.shape("rows 1, 1, 4, 1, k = 3", got, (3, 1))
    expect.equal("rows 1, 1, 4, 1, k = 3: the values", sorted({*got.ravel().tolist()}), [1.0, 4.0])
    expect.raises(
        "k = 12 of 11 rows", ValueError, kmeans_plus_plus, x, 12, np.random.default_rng(5)
    )
    check_first_draw(kmeans_plus_plus)
    check_third_draw(kmeans_plus_plus)
    check_second_draw(kmeans_plus_plus)


def check_first_draw(kmeans_plus_plus):
    """Four rows, one of them far away: each comes first in a quarter of 300 draws.

    z = 3: four shares, each wrong once in 3 * 10^7 runs.
    """
    rng, x = np.random.default_rng(6), np.array([[0.0], [1.0], [3.0], [1000.0]])
    drawn = [same_rows("k = 1", kmeans_plus_plus(x, 1, rng), x, 1)[0] for _ in range(300)]
    shares = [drawn.count(row) / 300 for row in range(4)]
    worst = max(range(4), key=lambda row: abs(shares[row] - 0.25))
    case = "rows 0, 1, 3, 1000: the first centre, 300 times"
    oracles.share(case, shares[worst], 300, 0.25, (0, 0.5, 1), f"of the draws are row {worst}", 3)


def check_third_draw(kmeans_plus_plus):
    """Three clumps 1e-5 wide: the third centre is in the third clump in all but 10^-9 of draws."""
    rng = np.random.default_rng(7)
    x = oracles.tight_clumps(rng)
    drawn = [same_rows("k = 3", kmeans_plus_plus(x, 3, rng), x, 3) for _ in range(30)]
    for at, name in ((0, "first"), (1, "second")):
        again = any(rows[2] // 4 == rows[at] // 4 for rows in drawn if rows[0] // 4 != rows[1] // 4)
        expect.true(
            f"three tight clumps: the third centre, not in the clump of the {name}",
            not again,
            f"it is, next to the {name} centre",
            "in the clump without a centre: the nearest centre counts",
        )


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


def name(end):
    """The local optimum that an inertia belongs to, or nothing."""
    return next((known for known, value in OPTIMA.items() if abs(value - end) < 1e-6), "")


def worst(ends):
    """What ten calls gave, in words that do not depend on the draws."""
    found = set(map(name, ends))
    if found == {"25.54"}:
        return "25.54, the worst local optimum, every time"
    return (
        "local optima, not always the best" if "" not in found else "the inertia of no single run"
    )


@stage(reread='Stage 3, "By hand"')
def check_stage3(elbow):
    """k = 1 and k = N are known, restarts count, the best is kept, k-means++ starts it.

    Odds: a right answer fails less than once in 10^6 runs.
    """
    kept = STREET.copy()
    x = STREET.copy()
    rng = np.random.default_rng(1)
    spread = float(((STREET - STREET.mean()) ** 2).sum())
    got = elbow(x, [8, 1], rng, 2)
    expect.close("8 rows, k = 8 and then k = 1", got, [0.0, spread])
    expect.unchanged("the caller's rows", kept, x)
    expect.close("8 rows, k = 1 alone", elbow(x, [1], rng, 1), [spread])
    # Rows 0 .. 62, k = 2: Lloyd halves the distance of the cut from the middle with each update,
    # until 31 rows stand on one side and 32 on the other: 31 (31^2 - 1)/12 + 32 (32^2 - 1)/12
    line = np.arange(63.0)[:, None]
    for _ in range(5):
        got = elbow(line, [2], rng, 1)
        expect.close("rows 0 to 62, k = 2: the same end from every start", got, [5208.0])
    # 24 runs all miss the optimum once in .507^-24 = 1.2e7 calls; ten calls: 8.4e-7
    ends = [float(np.asarray(elbow(x, [3], rng, 24)).ravel()[0]) for _ in range(10)]
    case = "8 rows, k = 3, the best of 24 runs, ten times"
    expect.true(
        case, all(end == "18.27" for end in map(name, ends)), worst(ends), "18.27 every time"
    )
    # Binomial(240, .4930): outside 81..156 with probability 8e-7 (tests sum it)
    runs = [np.asarray(elbow(x, [3], rng, 1)).ravel()[0] for _ in range(240)]
    got = float(np.mean(np.abs(np.array(runs) - BEST_OF_3) < 1e-6))
    rungs = (0, 0.12, 0.74, 0.97, 1)
    what = "of the calls reach the optimum"
    oracles.share("8 rows, k = 3, one run, 240 times", got, 240, REACHED, rungs, what, z=2.5)


def partition(case, codes, sides):
    """Rows share a code exactly where all their sides agree; a fault names the first pair."""
    expect.shape(case, codes, (len(sides),))
    codes, words = np.asarray(codes).tolist(), ("have different codes", "share a code")
    for a in range(len(sides)):
        for b in range(a):
            same, want = codes[a] == codes[b], sides[a] == sides[b]
            if same != want:
                got, expected = (f"rows {b} and {a} {words[here]}" for here in (same, want))
                expect.true(f"{case}: which rows share a code", False, got, expected)
                return
    expect.true(f"{case}: which rows share a code", True, "", "")


def check_isotropy(random_planes, d, pairs):
    """A plane parts two vectors with probability angle / pi, wherever the pair points."""
    rng = np.random.default_rng(10 + d)
    planes = random_planes(20_000, d, rng)
    expect.shape(f"20000 planes in {d} dimensions", planes, (20_000, d))
    sides = np.asarray(planes) @ pairs.T > 0  # (20000, 2 * pairs)
    parted = (sides[:, ::2] != sides[:, 1::2]).mean(axis=0)
    cosines = (pairs[::2] * pairs[1::2]).sum(axis=1)
    angles = np.arccos(cosines) / np.pi
    worst = int(np.abs(parted - angles).argmax())
    wanted = float(angles[worst])
    degrees = f"{180 * wanted:.0f} degrees"
    step = round(20 * float(parted[worst])) / 20  # coarse: one mistake has one message
    expect.true(
        f"20000 planes in {d} dimensions, two vectors {degrees} apart: planes between them",
        abs(parted[worst] - wanted) <= oracles.margin(20_000, 3.0),
        f"about {step:.2f} of the planes",
        f"{wanted:.3f} of the planes, give or take .021",
        free=True,
    )


@stage(reread='Stage 4, "By hand"')
def check_stage4(random_planes, lsh_codes):
    """Isotropic planes; codes that are equal exactly where all sides are, up to 60 bits.

    Odds: 22 shares with z = 3, each wrong once in 3 * 10^7 runs of a right answer.
    """
    rng = np.random.default_rng(1)
    first, second = random_planes(4, 3, rng), random_planes(4, 3, rng)
    expect.shape("4 planes in 3 dimensions", first, (4, 3))
    again = random_planes(4, 3, np.random.default_rng(1))
    same = np.array_equal(first, again)
    expect.true("the same seed again", same, "other planes", "the same planes: use rng")
    drawn = not np.array_equal(first, second)
    expect.true(
        "two calls with one rng", drawn, "the same planes", "other planes: use rng as given"
    )
    turn = np.radians(np.arange(0, 180, 15.0))  # pairs 45 degrees apart, in twelve directions
    circle = np.stack([turn, turn + np.pi / 4], axis=1).ravel()
    check_isotropy(random_planes, 2, np.stack([np.cos(circle), np.sin(circle)], axis=1))
    pairs = np.random.default_rng(2).normal(size=(20, 3))
    pairs /= np.linalg.norm(pairs, axis=1, keepdims=True)
    check_isotropy(random_planes, 3, pairs)
    check_codes(lsh_codes)


def check_codes(lsh_codes):
    """Quarters of the plane by hand, 6 bits, one bit of sixty, rows alone."""
    one = 'Stage 4, "One integer"'
    # sides of the planes by hand: +++ ++- -++ --- --- +--; only rows 3 and 4 agree
    planes = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 1.5]])
    x = np.array([[2.0, 3.0], [3.0, 1.0], [-1.0, 2.0], [-1.0, -2.0], [-2.0, -3.0], [2.0, -1.0]])
    kept = x.copy(), planes.copy()
    codes = lsh_codes(x, planes)
    partition("6 rows, 3 planes", codes, (x @ planes.T > 0).tolist())
    expect.unchanged("the caller's rows and planes", kept, (x, planes))
    kind = np.asarray(codes).dtype
    expect.true("the type of the codes", kind == np.int64, str(kind), "int64", reread=one)
    rng = np.random.default_rng(3)
    x, planes = rng.normal(1.0, 2.0, (37, 4)), rng.normal(size=(5, 4))
    codes = lsh_codes(x, planes)
    partition("37 rows, 5 planes", codes, (x @ planes.T > 0).tolist())
    alone = [np.asarray(lsh_codes(row[None], planes))[0] for row in x]
    expect.equal("the same rows one at a time", alone, np.asarray(codes).tolist())
    # 60 axes: row 0 is on the positive side of all, row i + 1 of all but plane i
    x = np.concatenate([np.ones((1, 60)), np.ones((60, 60)) - 2 * np.eye(60)])
    codes = np.asarray(lsh_codes(x, np.eye(60)))
    kind = codes.dtype
    expect.true("60 planes: the type", kind == np.int64, str(kind), "int64", reread=one)
    different = len(set(codes.tolist()))
    case = "60 planes, 61 rows that differ in one side or two"
    expect.true(case, different == 61, "rows that share a code", "61 codes", reread=one)
