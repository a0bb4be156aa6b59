"""The check of lab 7, stage 4: random planes, and codes of the sides of rows."""

from __future__ import annotations

import numpy as np

from checks import expect
from checks.expect import stage
from checks.lab_7_kmeans_ann import oracles


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


def check_signs(random_planes):
    """Half of all planes pass between (1, 0) and (0, 1): their coordinates differ in sign."""
    planes = np.asarray(random_planes(20_000, 2, np.random.default_rng(9)))
    expect.shape("20000 planes in 2 dimensions", planes, (20_000, 2))
    got = float((planes.prod(axis=1) > 0).mean())
    case = "20000 planes in 2 dimensions: both coordinates above 0, or both below"
    # U(0, 1): all; normal about 1: .84^2 + .16^2 = .73; axes: none
    oracles.share(case, got, 20_000, 0.5, (0, 0.25, 0.73, 1), "of the planes", 3)


def check_independence(random_planes):
    """Two planes of one call, and planes that are drawn one a call."""
    rng = np.random.default_rng(14)
    pairs = np.array([random_planes(2, 3, rng) for _ in range(400)], dtype=float)
    expect.shape("2 planes in 3 dimensions, 400 times", pairs, (400, 2, 3))
    a, b = pairs[:, 0], pairs[:, 1]
    cosine = (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    got = float((np.abs(cosine) < 0.5).mean())  # the cosine is uniform in (-1, 1)
    case = "2 planes in 3 dimensions, 400 times: their normals 60 to 120 degrees apart"
    oracles.share(case, got, 400, 0.5, (0, 1), "of the pairs", 3)
    alone = np.array([random_planes(1, 2, rng)[0] for _ in range(600)], dtype=float)
    turn = np.radians([20.0, 70.0])
    above = alone @ np.stack([np.cos(turn), np.sin(turn)]) > 0  # (600, 2)
    got = float((above[:, 0] != above[:, 1]).mean())
    case = "one plane in 2 dimensions, 600 times: those between 20 and 70 degrees"
    oracles.share(case, got, 600, 50 / 180, (0, 0.5, 1), "of the planes", 3)


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

    Odds: 25 shares with z = 3, each wrong once in 3 * 10^7 runs of a right answer.
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
    check_signs(random_planes)
    turn = np.radians(np.arange(0, 180, 15.0))  # pairs 45 degrees apart, in twelve directions
    circle = np.stack([turn, turn + np.pi / 4], axis=1).ravel()
    check_isotropy(random_planes, 2, np.stack([np.cos(circle), np.sin(circle)], axis=1))
    pairs = np.random.default_rng(2).normal(size=(20, 3))
    pairs /= np.linalg.norm(pairs, axis=1, keepdims=True)
    check_isotropy(random_planes, 3, pairs)
    check_independence(random_planes)
    check_codes(lsh_codes)


def check_codes(lsh_codes):
    """Quarters of the plane by hand, 6 bits, one bit of sixty, rows alone."""
    one = 'Stage 4, "One integer"'
    # sides of the planes by hand: +++ ++- -++ --- --- +--; only rows 3 and 4 agree
    planes = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 1.5]])
    x = np.array([[2.0, 3.0], [3.0, 1.0], [-1.0, 2.0], [-1.0, -2.0], [-2.0, -3.0], [2.0, -1.0]])
    kept, sides = (x.copy(), planes.copy()), (x @ planes.T > 0).tolist()
    codes = lsh_codes(x, planes)
    partition("6 rows, 3 planes", codes, sides)
    expect.unchanged("the caller's rows and planes", kept, (x, planes))
    kind = np.asarray(codes).dtype
    expect.true("the type of the codes", kind == np.int64, str(kind), "int64", reread=one)
    x = np.array([[1.0, 1e-9 - 1.0], [1.0, -1.0 - 1e-9], [2.0, 3.0]])
    codes = lsh_codes(x, np.ones((1, 2)))
    partition("rows 2e-9 apart, a plane between them", codes, [True, False, True])
    rng = np.random.default_rng(3)
    x, planes = rng.normal(1.0, 2.0, (37, 4)), rng.normal(size=(5, 4))
    codes = lsh_codes(x, planes)
    partition("37 rows, 5 planes", codes, (x @ planes.T > 0).tolist())
    alone = [np.asarray(lsh_codes(row[None], planes))[0] for row in x]
    expect.equal("the same rows one at a time", alone, np.asarray(codes).tolist())
    # every row of +1 and -1 has its own side of some plane
    x = 2.0 * (np.arange(2**13)[:, None] >> np.arange(13) & 1) - 1
    distinct("13 planes, all 8192 combinations of sides", lsh_codes(x, np.eye(13)), 2**13)
    # axes: row 0 is on the positive side of all, row i + 1 of all but plane i
    for n in (31, 53, 60):
        x = np.concatenate([np.ones((1, n)), np.ones((n, n)) - 2 * np.eye(n)])
        case = f"{n} planes, {n + 1} rows that differ in one side or two"
        distinct(case, lsh_codes(x, np.eye(n)), n + 1)


def distinct(case, codes, want):
    """As many codes as rows, in int64."""
    one = 'Stage 4, "One integer"'
    expect.shape(case, codes, (want,))
    codes = np.asarray(codes)
    expect.true(f"{case}: the type", codes.dtype == np.int64, str(codes.dtype), "int64", reread=one)
    different = len(set(codes.tolist()))
    shared = "rows that share a code"
    expect.true(case, different == want, shared, f"{want} codes", reread=one)
