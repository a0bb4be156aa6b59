"""Lab 7 against what nobody in the project wrote, the odds of its checks, and its figures."""

import functools
import itertools

import numpy as np
import pytest
from scipy import stats
from sklearn.cluster import KMeans

from checks.lab_7_kmeans_ann import oracles, stages
from checks.lab_7_kmeans_ann.stages import BEST_OF_3, OPTIMA, REACHED, STREET
from checks.runner import report, sandbox
from checks.runner.judge import Judge
from checks.runner.lab import Lab, find
from checks.runner.verdict import CRASHED, FAILED, PASSED
from tests.workshop import solved

LAB = Lab(find("7"))
ONE_IN_A_MILLION = 1e-6


@functools.cache
def reference():
    """The solutions, and what the lab gives, by name."""
    judge = Judge(LAB, reference=True)
    names = [f"solution_{name}" for name in judge.owner]
    space = judge.solutions.build([*names, "clumps", "corpus", "true_neighbours", "OUTLIERS"])
    return {name.removeprefix("solution_"): value for name, value in space.items()}


def lab(name):
    return reference()[name]


def judged(answers, number):
    """The verdict on one stage with some functions replaced."""
    changed = solved(LAB)
    for name, source in answers.items():
        changed = changed.splice(name, source)
    (verdict,) = sandbox.run(sandbox.Job(changed, [number]))
    return verdict, report.text(verdict, changed)


# Oracles that nobody in the project wrote


@pytest.mark.parametrize("seed", range(6))
def test_kmeans_agrees_with_scikit_learn_from_the_same_centres(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(211, 4)) + 5.0 * rng.integers(3, size=(211, 1))
    start = lab("kmeans_plus_plus")(x, 6, rng)
    centres, labels, history = lab("kmeans")(x, start, 300)
    theirs = KMeans(6, init=start, n_init=1, max_iter=300, tol=0, algorithm="lloyd").fit(x)
    np.testing.assert_allclose(centres, theirs.cluster_centers_, atol=1e-9)
    np.testing.assert_array_equal(labels, theirs.labels_)
    assert history[-1] == pytest.approx(theirs.inertia_, abs=1e-9 * theirs.inertia_)


def test_inertia_never_rises():
    rng = np.random.default_rng(0)
    for _ in range(20):
        x = rng.normal(size=(90, 3))
        *_, history = lab("kmeans")(x, x[:7], 60)
        assert (np.diff(history) <= 1e-9).all()


def test_the_slow_loops_agree_with_scikit_learn_too():
    x, start = stages.scatter(5)
    start = start[[0, 1, 2, 4]]  # scikit-learn moves an empty cluster, this lab does not
    centres, labels, total = oracles.slow_lloyd(x, start, 40)[-1]
    theirs = KMeans(4, init=start, n_init=1, max_iter=40, tol=0, algorithm="lloyd").fit(x)
    np.testing.assert_allclose(centres, theirs.cluster_centers_, atol=1e-9)
    np.testing.assert_array_equal(labels, theirs.labels_)
    assert total == pytest.approx(theirs.inertia_)


def test_brute_force_neighbours_agree_with_faiss():
    faiss = pytest.importorskip("faiss")
    docs, queries = (rows.astype(np.float32) for rows in lab("corpus")(np.random.default_rng(1)))
    index = faiss.IndexFlatL2(docs.shape[1])
    index.add(docs)
    _, theirs = index.search(queries, 10)
    mine = lab("true_neighbours")(docs.astype(float), queries.astype(float))
    assert np.mean([len(set(a) & set(b)) for a, b in zip(mine, theirs)]) > 9.99


def test_one_bit_codes_partition_rows_as_faiss_does():
    """faiss.IndexLSH without rotation and thresholds takes the sign of each coordinate."""
    faiss = pytest.importorskip("faiss")
    x = np.random.default_rng(2).normal(size=(300, 8)).astype(np.float32)
    index = faiss.IndexLSH(8, 8, False, False)
    index.train(x)
    theirs = index.sa_encode(x)[:, 0]
    codes = lab("lsh_codes")(x.astype(float), np.eye(8))
    np.testing.assert_array_equal(codes[:, None] == codes, theirs[:, None] == theirs)


# The odds that the checks state


def test_the_shares_of_the_simplex_are_those_that_the_check_states():
    x = oracles.simplex()
    d2 = oracles.slow_squared_distances(x, x)
    np.testing.assert_allclose(d2[:17, 17], 32.0)
    np.testing.assert_allclose(d2[0, 1:17], 2.0)
    for power, share in ((1, 0.5), (0.5, 0.2), (2, 16 / 17), (0, 1 / 17)):
        p = np.where(d2[0] > 0, d2[0], 0.0) ** power * (d2[0] > 0)
        assert p[17] / p.sum() == pytest.approx(share)
    half = oracles.margin(360)  # the first centre is row 17 in about 22 of 400 draws
    assert stats.binom.cdf(np.floor(360 * (0.5 - half)), 360, 0.5) < ONE_IN_A_MILLION / 4
    assert stats.binom.sf(360 * (0.5 - half), 360, 0.2) < 1e-9  # D in place of D squared
    assert stats.binom.sf(360 * (0.5 - half), 360, 1 / 17) < 1e-30  # uniform
    assert stats.binom.cdf(360 * (0.5 + half), 360, 0.75) < 1e-4  # the better of two draws


def test_the_margin_is_safe_for_every_share():
    for n in (300, 1995, 20_000):
        for p in (0.1, 0.25, 0.5, 0.578):
            low, high = n * (p - oracles.margin(n)), n * (p + oracles.margin(n))
            outside = stats.binom.cdf(np.ceil(low) - 1, n, p) + stats.binom.sf(np.floor(high), n, p)
            assert outside < 3.2e-7


def reached(rows, optima):
    """The share of each local optimum with k = 3: every triple of rows through the loops."""
    shares, d2 = dict.fromkeys(optima, 0.0), oracles.slow_squared_distances(rows, rows)
    for triple in itertools.permutations(range(8), 3):
        p, near = 1 / 8, d2[:, triple[0]]
        for row in triple[1:]:
            p *= near[row] / near.sum()
            near = np.minimum(near, d2[:, row])
        end = oracles.slow_lloyd(rows, rows[list(triple)], 8)[-1][2]
        shares[stages.name(end, optima)] += p
    assert sum(shares.values()) == pytest.approx(1)
    return shares


def outside(n, p, z):
    """How often a share of n draws is further from p than the check allows."""
    low, high = n * (p - oracles.margin(n, z)), n * (p + oracles.margin(n, z))
    return stats.binom.cdf(np.ceil(low) - 1, n, p) + stats.binom.sf(np.floor(high), n, p)


def test_the_shares_of_stage_3_are_exact():
    assert reached(STREET, OPTIMA)["18.27"] == pytest.approx(REACHED, abs=5e-5)
    assert OPTIMA["18.27"] == BEST_OF_3
    assert outside(240, REACHED, 2.5) < ONE_IN_A_MILLION
    high = 240 * (REACHED + oracles.margin(240, 2.5))
    assert stats.binom.cdf(high, 240, 1 - (1 - REACHED) ** 2) < 2e-3  # one run too many
    assert stats.binom.cdf(high, 240, 1 - (1 - REACHED) ** 5) < 1e-30  # always five
    twice = 1 - (1 - REACHED) ** 2
    assert outside(240, twice, 2.5) < ONE_IN_A_MILLION / 10
    low = 240 * (twice - oracles.margin(240, 2.5))
    assert stats.binom.sf(low, 240, REACHED) < 5e-3  # one run too few
    assert REACHED**60 + (1 - REACHED) ** 60 < 1e-17


def test_the_best_start_of_the_trap_is_not_the_best_end():
    shares = reached(stages.TRAP, stages.TRAP_OPTIMA)
    assert shares["13.82"] == pytest.approx(stages.TRAP_REACHED, abs=5e-5)
    assert 10 * (1 - stages.TRAP_REACHED) ** 25 < ONE_IN_A_MILLION / 10
    d2 = oracles.slow_squared_distances(stages.TRAP, stages.TRAP)
    starts = sorted(itertools.combinations(range(8), 3), key=lambda t: d2[:, t].min(axis=1).sum())
    for triple in starts[:3]:
        end = oracles.slow_lloyd(stages.TRAP, stages.TRAP[list(triple)], 8)[-1][2]
        assert stages.name(end, stages.TRAP_OPTIMA) == "15.41"


def test_runs_on_a_line_rest_where_the_check_says_and_need_more_than_ten_or_twenty_updates():
    rng, line, rest = np.random.default_rng(0), np.arange(601.0)[:, None], oracles.at_rest(601)
    needed, like_the_end = [], []
    for _ in range(100):
        start = lab("kmeans_plus_plus")(line, 4, rng)
        history = lab("kmeans")(line, start, 1000)[2]
        assert min(abs(history[-1] - inertia) for inertia in rest) < 1e-6
        needed.append(len(history))
        like_the_end += [min(abs(each - i) for i in rest) < 1e-4 for each in history[:-2]]
    assert np.mean(like_the_end) < 0.1  # where a row is equally near two centres, and then moves
    assert max(needed) < 40 and np.mean(np.array(needed) > 10) > 0.5
    assert np.mean(np.array(needed) > 20) > 0.35  # eight runs: 20 updates pass once in 30


@pytest.mark.parametrize("stage", [2, 3, 4, 5, 6])
def test_a_right_answer_passes_under_many_seeds(stage, monkeypatch):
    """Every generator that the check makes is seeded anew; the fixtures change with them."""
    check = getattr(stages, f"check_stage{stage}")
    functions = {name: lab(name) for name in check.parameters}
    make = np.random.default_rng
    for shift in range(1, 9):
        monkeypatch.setattr(np.random, "default_rng", lambda seed, by=1000 * shift: make(seed + by))
        check.run(functions)


@pytest.mark.parametrize("seed", range(8))
def test_d_and_uniform_draws_are_rejected_under_every_seed(seed, monkeypatch):
    def draws(power):
        def start(x, k, rng):
            rows = [rng.integers(len(x))]
            while len(rows) < k:
                d2 = oracles.slow_squared_distances(x, x[rows]).min(axis=1)
                p = np.where(d2 > 0, np.maximum(d2, 1e-300) ** power, 0.0)
                rows.append(rng.choice(len(x), p=p / p.sum()))
            return x[rows]

        return start

    make = np.random.default_rng
    monkeypatch.setattr(np.random, "default_rng", lambda s: make(s + 77 * seed))
    for power in (0.5, 0.0):
        with pytest.raises(AssertionError):
            stages.check_second_draw(draws(power))


# What the prose says


def test_the_starts_end_as_the_lab_says():
    """Random rows reach the optimum in about 18 %, D 41 %, D squared 66 to 75 %, farthest 100 %."""
    rng = np.random.default_rng(0)
    x = lab("clumps")(rng)
    spoilt = np.concatenate([x, lab("OUTLIERS")])

    def by_power(rows, power):
        chosen = [rng.integers(len(rows))]
        cost = np.full(len(rows), np.inf)
        while len(chosen) < 8:
            cost = np.minimum(cost, ((rows - rows[chosen[-1]]) ** 2).sum(axis=1))
            p = cost**power * (cost > 0)
            chosen.append(cost.argmax() if power > 9 else rng.choice(len(rows), p=p / p.sum()))
        return rows[chosen]

    def ends(rows, power, runs=100):
        return np.array(
            [lab("kmeans")(rows, by_power(rows, power), 100)[2][-1] for _ in range(runs)]
        )

    plain = {power: ends(x, power) for power in (0, 0.5, 1, 99)}
    best = min(each.min() for each in plain.values())
    reached = {power: (each < 1.001 * best).mean() for power, each in plain.items()}
    assert reached[0] < 0.32 < reached[1] < 0.92
    assert reached[0] < reached[0.5] < reached[1]
    assert reached[99] == 1.0
    dirty = {power: ends(spoilt, power) for power in (1, 99)}
    floor = min(each.min() for each in dirty.values())
    assert dirty[99].mean() > 3 * floor
    assert dirty[1].mean() < 2.3 * floor


def test_recall_and_cost_follow_the_formula():
    rng = np.random.default_rng(5)
    docs, queries = lab("corpus")(rng)
    truth = lab("true_neighbours")(docs, queries)
    near, away = docs[truth] - docs.mean(axis=0), (queries - docs.mean(axis=0))[:, None]
    cosine = (near * away).sum(-1) / np.linalg.norm(near, axis=-1) / np.linalg.norm(away, axis=-1)
    p = 1 - np.arccos(cosine) / np.pi
    for n_tables, recall, scored in ((1, 0.25, 0.007), (4, 0.70, 0.03), (8, 0.89, 0.054)):
        index = lab("build_index")(docs, 8, n_tables, rng)
        ids = [lab("candidates")(index, q) for q in queries]
        found = np.mean([np.isin(t, mine).mean() for t, mine in zip(truth, ids)])
        assert found == pytest.approx(recall, abs=0.08)
        assert found == pytest.approx(np.mean(1 - (1 - p**8) ** n_tables), abs=0.06)
        assert np.mean([len(mine) for mine in ids]) / len(docs) == pytest.approx(scored, rel=0.4)


# A layout of its own, all the way to the stretch stage

OWN = {
    "build_index": """
def build_index(x, n_bits, n_tables, rng):
    middle = x.mean(axis=0)
    normals = rng.normal(size=(n_tables, n_bits, x.shape[1]))
    table = {}
    for i, row in enumerate(x):
        for t, signs in enumerate(normals @ (row - middle) > 0):
            table.setdefault((t, signs.tobytes()), []).append(i)
    return {"middle": middle, "normals": normals, "table": table, "rows": x}
""",
    "candidates": """
def candidates(index, q):
    keys = enumerate(index["normals"] @ (q - index["middle"]) > 0)
    return {i for t, s in keys for i in index["table"].get((t, s.tobytes()), ())}
""",
    "query_index": """
def query_index(index, q, k):
    far = {i: ((index["rows"][i] - q) ** 2).sum() for i in sorted(candidates(index, q))}
    return sorted(far, key=far.get)[:k]
""",
    "multiprobe": """
def multiprobe(index, q, k, n_probes):
    seen = set()
    for t, heights in enumerate(index["normals"] @ (q - index["middle"])):
        for bit in [None, *np.argsort(np.abs(heights))[: n_probes - 1]]:
            signs = heights > 0
            if bit is not None:
                signs[bit] = not signs[bit]
            seen.update(index["table"].get((t, signs.tobytes()), ()))
    far = {i: ((index["rows"][i] - q) ** 2).sum() for i in sorted(seen)}
    return sorted(far, key=far.get)[:k]
""",
}


@pytest.mark.parametrize("number", [5, 6])
def test_an_index_with_a_layout_of_its_own_passes(number):
    verdict, text = judged(OWN, number)
    assert verdict.state == PASSED, text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("np.abs(heights)", "-np.abs(heights)"),
        ("np.abs(heights)", "heights"),
        ("[: n_probes - 1]", "[:n_probes]"),
        ("[None, *", "[*"),
        ("not signs[bit]", "True"),
        ('q - index["middle"]', "q"),
        ("    for t, heights", "    n_probes = -(-n_probes // 2)\n    for t, heights"),
        ("            signs = heights > 0", "            signs = signs if bit else heights > 0"),
        ("key=far.get", "key=None"),
    ],
)
def test_a_wrong_probe_on_a_layout_of_its_own_is_rejected(old, new):
    assert OWN["multiprobe"].count(old) == 1
    verdict, text = judged(OWN | {"multiprobe": OWN["multiprobe"].replace(old, new)}, 6)
    assert verdict.state in (FAILED, CRASHED), text
