"""More slips of lab 7, stages 1 to 4: helpers, runs, starts, codes."""

from checks.expect import Slip

RUN_SLIPS = [
    Slip(
        "squared_distances",
        "((x[:, None] - centres) ** 2).sum(axis=2)",
        "(x[:, None] - centres).sum(axis=2) ** 2",
        "when differences are added first and squared afterwards",
    ),
    Slip(
        "squared_distances",
        "((x[:, None] - centres) ** 2)",
        "((x.astype(np.float32)[:, None] - centres.astype(np.float32)) ** 2)",
        "when differences are taken in float32",
    ),
    Slip("assign", "argmin(axis=1)", "argmin(axis=1) + 1", "when labels count from 1"),
    Slip(
        "assign",
        "argmin(axis=1)",
        "argmin(axis=1).astype(np.int8)",
        "when labels are kept in an int8, which ends at 127",
    ),
    Slip(
        "assign",
        "return solution_squared_distances(x, centres).argmin(axis=1)",
        "return np.abs(x[:, None] - centres).sum(axis=2).argmin(axis=1)",
        "when the sum of absolute differences says which centre is nearest",
    ),
    Slip(
        "assign",
        "return solution_squared_distances(x, centres).argmin(axis=1)",
        "return ((centres**2).sum(axis=1) - 2 * x @ centres.T).argmin(axis=1)",
        "when the expanded square says which centre is nearest, which it cannot far from 0",
    ),
    Slip(
        "assign",
        "centres).argmin",
        "centres).round(3).argmin",
        "when distances are rounded, so that different ones become equal",
    ),
    Slip(
        "update",
        "    moved = centres.copy()",
        "    labels = solution_assign(x, centres)\n    moved = centres.copy()",
        "when the nearest centre is looked for again, whatever the labels say",
    ),
    Slip(
        "update",
        "np.unique(labels):",
        "[j for j in np.unique(labels) if (labels == j).sum() > 1]:",
        "when a centre with one row stays where it is",
    ),
    Slip(
        "update",
        "np.unique(labels):",
        "range(labels.max()):",
        "when the centre with the highest label stays where it is",
    ),
    Slip(
        "update",
        "np.unique(labels):",
        "[j for j in np.unique(labels) if x[labels == j].any()]:",
        "when rows that are all 0 are taken for no rows",
    ),
    Slip(
        "update",
        "    return moved",
        "    return centres if np.array_equal(moved, centres) else moved",
        "when the caller's array comes back where no centre moves",
    ),
    Slip(
        "update",
        "np.unique(labels):\n        moved[j]",
        "np.unique(labels):\n        moved[np.unique(labels).tolist().index(j)]",
        "when centres close up where one has no rows",
    ),
    Slip("inertia", ".sum()", ".mean()", "when the inertia is a mean over all numbers, not a sum"),
    Slip(
        "inertia",
        "float(((x - centres[labels]) ** 2).sum())",
        "((x - centres[labels]) ** 2).sum(axis=1)",
        "when one number a row comes back, not their sum",
    ),
    Slip(
        "inertia",
        "    return float",
        "    centres = solution_update(x, labels, centres)\n    return float",
        "when rows are measured from the mean of their cluster, not from the centre given",
    ),
    Slip("kmeans", "range(max_iter)", "range(100)", "when max_iter is not looked at"),
    Slip(
        "kmeans",
        None,
        """
def solution_kmeans(x, centres, max_iter):
    labels, history = solution_assign(x, centres), []
    for _ in range(max_iter):
        old, centres = centres, solution_update(x, labels, centres)
        before, labels = labels, solution_assign(x, centres)
        history.append(solution_inertia(x, centres, labels))
        if np.array_equal(labels, before):
            break
    return old, labels, history
""",
        "when the centres of before the last update are returned",
    ),
    Slip(
        "kmeans",
        "    return centres,",
        "    centres = solution_update(x, labels, centres)\n    return centres,",
        "when the centres move once more at the end, away from labels and history",
    ),
    Slip(
        "kmeans",
        "return centres, labels, history",
        "return centres, labels, history[::-1]",
        "when the history runs backwards",
    ),
    Slip(
        "kmeans",
        None,
        """
def solution_kmeans(x, centres, max_iter):
    labels, history = solution_assign(x, centres), []
    for _ in range(max_iter):
        history.append(solution_inertia(x, centres, labels))
        centres = solution_update(x, labels, centres)
        before, labels = labels, solution_assign(x, centres)
        if np.array_equal(labels, before):
            break
    return centres, labels, history
""",
        "when the history holds the inertia before each update, not after it",
    ),
    Slip(
        "kmeans",
        "np.array_equal(labels, before)",
        "np.mean(labels != before) < 0.05",
        "when it stops once few labels change, not none",
    ),
    Slip(
        "kmeans_plus_plus",
        "chosen = [rng.integers(len(x))]",
        "chosen = [((x - x.mean(axis=0)) ** 2).sum(axis=1).argmin()]",
        "when the first centre is the row next to the mean",
    ),
    Slip(
        "kmeans_plus_plus",
        "chosen = [rng.integers(len(x))]",
        "chosen = [rng.integers(min(1, len(x) - 1), len(x))]",
        "when row 0 can never be the first centre",
    ),
    Slip(
        "kmeans_plus_plus",
        '        raise ValueError(f"{k} centres asked of {len(x)} rows")',
        "        k = len(x)",
        "when fewer centres come back where k is larger than N",
    ),
    Slip(
        "kmeans_plus_plus",
        "raise ValueError",
        "raise IndexError",
        "when another error than ValueError is raised",
    ),
    Slip(
        "kmeans_plus_plus",
        "while len(chosen) < k:",
        "while len(chosen) < k - 1:",
        "when one centre too few is drawn",
    ),
    Slip(
        "kmeans_plus_plus",
        "chosen = [rng.integers(len(x))]",
        "rng.shuffle(x); chosen = [0]",
        "when the caller's rows are shuffled",
    ),
    Slip(
        "kmeans_plus_plus",
        "        chosen.append(rng",
        "        if total == 0:\n            break\n        chosen.append(rng",
        "when fewer centres come back where rows are equal",
    ),
    Slip(
        "elbow",
        "min(run(k) for _ in range(restarts))",
        "min([run(k) for _ in range(restarts)][-2:])",
        "when only the last two runs are compared",
    ),
    Slip(
        "elbow",
        "return np.array([min(run(k) for _ in range(restarts)) for k in ks])",
        "return np.sqrt([min(run(k) for _ in range(restarts)) for k in ks])",
        "when the root of the inertia is returned",
    ),
    Slip(
        "elbow",
        "return np.array([min(run(k) for _ in range(restarts)) for k in ks])",
        "return {k: min(run(k) for _ in range(restarts)) for k in ks}",
        "when a dict comes back, not an array",
    ),
    Slip(
        "elbow",
        "return np.array([min(run(k) for _ in range(restarts)) for k in ks])",
        "curve = np.array([min(run(k) for _ in range(restarts)) for k in ks]); return curve / curve[0]",
        "when the curve is divided by its first value",
    ),
    Slip(
        "lsh_codes",
        "bits @ (1 << np.arange(len(planes)))",
        "bits @ (2.0 ** np.arange(len(planes)))",
        "when codes are floats",
    ),
    Slip(
        "lsh_codes",
        "x @ planes.T > 0",
        "x @ planes.T > np.median(x @ planes.T, axis=0)",
        "when the bit is cut at the median of the rows of this call, not at 0",
    ),
    Slip(
        "lsh_codes",
        "bits @ (1 << np.arange(len(planes)))",
        "np.array([''.join('01'[b] for b in row.astype(int)) for row in bits])",
        "when codes are texts of 0 and 1",
    ),
    Slip(
        "lsh_codes",
        "bits @ (1 << np.arange(len(planes)))",
        "bits.sum(axis=1) % 2",
        "when only it counts whether the number of ones is odd",
    ),
]
