"""Wrong on purpose: what people write in lab 7, and what each of them gives."""

from checks.expect import Slip
from checks.lab_7_kmeans_ann.code_slips import CODE_SLIPS
from checks.lab_7_kmeans_ann.index_slips import INDEX_SLIPS
from checks.lab_7_kmeans_ann.kmeans_slips import HELPER_SLIPS, KMEANS_SLIPS
from checks.lab_7_kmeans_ann.probe_slips import PROBE_SLIPS
from checks.lab_7_kmeans_ann.run_slips import RUN_SLIPS

START_SLIPS = [
    Slip(
        "kmeans_plus_plus",
        ".min(axis=1)",
        ".min(axis=1) ** 0.5",
        "when rows are drawn by D, not by D squared",
    ),
    Slip(
        "kmeans_plus_plus",
        ".min(axis=1)",
        ".min(axis=1) ** 2",
        "when squared distances are squared once more",
    ),
    Slip(
        "kmeans_plus_plus",
        "p=cost / total if total > 0 else None",
        "p=(cost > 0) / (cost > 0).sum() if total > 0 else None",
        "when rows are drawn uniformly from those that are not centres yet",
    ),
    Slip(
        "kmeans_plus_plus",
        None,
        """
def solution_kmeans_plus_plus(x, k, rng):
    if k > len(x):
        raise ValueError
    return x[rng.integers(len(x), size=k)]
""",
        "when all centres are drawn uniformly, and one row may come twice",
    ),
    Slip(
        "kmeans_plus_plus",
        "solution_squared_distances(x, x[chosen])",
        "solution_squared_distances(x, x[chosen[-1:]])",
        "when the last centre counts, not the nearest",
    ),
    Slip(
        "kmeans_plus_plus",
        ".min(axis=1)",
        ".sum(axis=1)",
        "when the distances to all centres are added or averaged, not the nearest taken",
    ),
    Slip(
        "kmeans_plus_plus",
        ".min(axis=1)",
        ".max(axis=1)",
        "when the farthest centre counts, not the nearest",
    ),
    Slip(
        "kmeans_plus_plus",
        "solution_squared_distances(x, x[chosen])",
        "solution_squared_distances(x, x[chosen[:1]])",
        "when the first centre counts, not the nearest",
    ),
    Slip(
        "kmeans_plus_plus",
        ".min(axis=1)",
        ".min(axis=1) + 1e-9",
        "when a constant is added to D squared, so that a centre can come again",
    ),
    Slip(
        "kmeans_plus_plus",
        "rng.choice(len(x), p=cost / total if total > 0 else None)",
        "int(cost.argmax())",
        "when the farthest row is always taken",
    ),
    Slip(
        "kmeans_plus_plus",
        None,
        """
def solution_kmeans_plus_plus(x, k, rng):
    if k > len(x):
        raise ValueError
    chosen = [rng.integers(len(x))]
    while len(chosen) < k:
        cost = solution_squared_distances(x, x[chosen]).min(axis=1)
        p = cost / cost.sum() if cost.sum() > 0 else None
        tries = rng.choice(len(x), 2, p=p)
        left = [solution_squared_distances(x, x[[*chosen, i]]).min(axis=1).sum() for i in tries]
        chosen.append(tries[int(np.argmin(left))])
    return x[chosen]
""",
        "when the better of two draws is kept (greedy k-means++): one draw a centre was asked",
    ),
    Slip(
        "kmeans_plus_plus",
        " if total > 0 else None",
        "",
        "when equal rows make every probability 0/0",
    ),
    Slip(
        "kmeans_plus_plus",
        "if k > len(x):",
        "if k >= len(x):",
        "when k = N is refused",
    ),
    Slip(
        "kmeans_plus_plus",
        None,
        """
def solution_kmeans_plus_plus(x, k, rng):
    chosen = [rng.integers(len(x))]
    while len(chosen) < k:
        cost = solution_squared_distances(x, x[chosen]).min(axis=1)
        total = cost.sum()
        chosen.append(rng.choice(len(x), p=cost / total if total > 0 else None))
    return x[chosen]
""",
        "when more centres than rows are not refused",
    ),
    Slip(
        "kmeans_plus_plus",
        "[rng.integers(len(x))]",
        "[0]",
        "when the first centre is always row 0",
    ),
    Slip(
        "kmeans_plus_plus",
        "[rng.integers(len(x))]",
        "[rng.integers(len(x) - 1)]",
        "when the last row can never be the first centre",
    ),
    Slip(
        "kmeans_plus_plus",
        "[rng.integers(len(x))]",
        "[rng.integers(k)]",
        "when the first centre is one of the first k rows, not of all",
    ),
    Slip(
        "kmeans_plus_plus",
        "return x[chosen]",
        "return x[np.sort(chosen)]",
        "when the centres come in the order of the rows, not in that of the draws",
    ),
    Slip(
        "kmeans_plus_plus",
        "    if k > len(x):",
        "    x = np.unique(x, axis=0)\n    if k > len(x):",
        "when equal rows are counted once",
    ),
    Slip(
        "kmeans_plus_plus",
        "chosen = [rng.integers(len(x))]",
        "rng = np.random.default_rng(); chosen = [rng.integers(len(x))]",
        "when another generator is used in place of rng: one of your own, or NumPy's global one",
    ),
    Slip(
        "kmeans_plus_plus",
        "chosen = [rng.integers(len(x))]",
        "rng = np.random.default_rng(0); chosen = [rng.integers(len(x))]",
        "when every call starts a generator from the same seed",
    ),
    Slip(
        "kmeans_plus_plus",
        "return x[chosen]",
        "return np.array(chosen)",
        "when the indices come back, not the rows",
    ),
    Slip(
        "kmeans_plus_plus",
        "while len(chosen) < k:",
        "while len(chosen) <= k:",
        "when one centre too many is drawn",
    ),
]

ELBOW_SLIPS = [
    Slip(
        "elbow",
        "min(run(k) for _ in range(restarts))",
        "np.mean([run(k) for _ in range(restarts)])",
        "when the restarts are averaged, not the best kept",
    ),
    Slip(
        "elbow",
        "min(run(k) for _ in range(restarts))",
        "max(run(k) for _ in range(restarts))",
        "when the worst of the restarts is kept",
    ),
    Slip(
        "elbow",
        "min(run(k) for _ in range(restarts))",
        "[run(k) for _ in range(restarts)][-1]",
        "when one run a k decides: the last restart overwrites the others, or there is only one",
    ),
    Slip(
        "elbow",
        "range(restarts)",
        "range(restarts + 1)",
        "when there is one run more than `restarts`",
    ),
    Slip(
        "elbow",
        "range(restarts)",
        "range(max(1, restarts - 1))",
        "when there is one run less than `restarts`",
    ),
    Slip(
        "elbow", "range(restarts)", "range(5)", "when there are five runs, whatever `restarts` says"
    ),
    Slip("elbow", "for k in ks", "for k in sorted(ks)", "when the ks are sorted first"),
    Slip("elbow", "for k in ks", "for k in sorted(ks)[::-1]", "when the largest k comes first"),
    Slip(
        "elbow",
        "np.array([min(run(k) for _ in range(restarts)) for k in ks])",
        "np.minimum.accumulate([min(run(k) for _ in range(restarts)) for k in ks])",
        "when the best inertia is carried over from one k to the next",
    ),
    Slip(
        "elbow",
        "solution_kmeans_plus_plus(x, k, rng)",
        "x[rng.choice(len(x), k, replace=False)]",
        "when a run starts from random rows, not from k-means++",
    ),
    Slip(
        "elbow",
        "solution_kmeans(x, solution_kmeans_plus_plus(x, k, rng), 100)[2][-1]",
        "solution_kmeans(x, solution_kmeans_plus_plus(x, k, rng), 100)[2][-1] / len(x)",
        "when the inertia is divided by the number of rows",
    ),
    Slip(
        "elbow",
        "np.array([min(run(k) for _ in range(restarts)) for k in ks])",
        "np.log(np.maximum(1e-300, [min(run(k) for _ in range(restarts)) for k in ks]))",
        "when the logarithm is returned: it belongs on the axis of the plot",
    ),
    Slip(
        "elbow",
        "def run(k):\n",
        "def run(k):\n        rng = np.random.default_rng(0)\n",
        "when every restart begins from the same seed, so that all are one run",
    ),
    Slip(
        "elbow",
        "    def run(k):\n",
        "    rng = np.random.default_rng(0)\n\n    def run(k):\n",
        "when every call starts a generator from the same seed",
    ),
    Slip(
        "elbow",
        "    def run(k):\n",
        "    rng = np.random.default_rng()\n\n    def run(k):\n",
        "when another generator is used in place of rng: one of your own, or NumPy's global one",
    ),
    Slip(
        "elbow",
        "solution_kmeans_plus_plus(x, k, rng)",
        "x[:k]",
        "when every run starts from the first k rows",
    ),
    Slip(
        "elbow",
        None,
        """
def solution_elbow(x, ks, rng, restarts=5):
    def run(k):
        starts = [solution_kmeans_plus_plus(x, k, rng) for _ in range(restarts)]
        cost = [solution_squared_distances(x, start).min(axis=1).sum() for start in starts]
        return solution_kmeans(x, starts[int(np.argmin(cost))], 100)[2][-1]

    return np.array([run(k) for k in ks])
""",
        "when the best start is kept, not the best end: only one run is made",
    ),
    Slip(
        "elbow",
        "for k in ks]",
        "for k in range(1, max(ks) + 1)]",
        "when every k up to the largest is computed, not the ks asked for",
    ),
    Slip(
        "elbow",
        "solution_kmeans(x, solution_kmeans_plus_plus(x, k, rng), 100)[2][-1]",
        "solution_inertia(x, c := solution_kmeans_plus_plus(x, k, rng), solution_assign(x, c))",
        "when the inertia of the start is taken, before any update",
    ),
    Slip(
        "elbow",
        "[2][-1]",
        "[2][0]",
        "when a run is one update long: its first inertia is taken, or it gets `restarts` updates",
    ),
    Slip("elbow", "100)[2]", "2)[2]", "when a run is cut off before it has converged"),
    Slip("elbow", "100)[2]", "10)[2]", "when a run gets too few updates to converge from far away"),
]

SLIPS = [
    *HELPER_SLIPS,
    *KMEANS_SLIPS,
    *START_SLIPS,
    *ELBOW_SLIPS,
    *CODE_SLIPS,
    *INDEX_SLIPS,
    *RUN_SLIPS,
    *PROBE_SLIPS,
]
