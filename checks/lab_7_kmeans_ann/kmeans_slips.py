"""Wrong on purpose, stage 1: the helpers of k-means and the loop."""

from checks.expect import Slip

HELPER_SLIPS = [
    Slip(
        "squared_distances",
        "((x[:, None] - centres) ** 2).sum(axis=2)",
        "(x**2).sum(axis=1)[:, None] - 2 * x @ centres.T + (centres**2).sum(axis=1)",
        "when the square is expanded and not kept from falling below 0",
    ),
    Slip(
        "squared_distances",
        "((x[:, None] - centres) ** 2).sum(axis=2)",
        "np.maximum((x**2).sum(axis=1)[:, None] - 2 * x @ centres.T + (centres**2).sum(axis=1), 0)",
        "when the square is expanded far from the origin, where clipping hides the lost digits",
    ),
    Slip(
        "squared_distances",
        "((x[:, None] - centres) ** 2).sum(axis=2)",
        "np.sqrt(((x[:, None] - centres) ** 2).sum(axis=2))",
        "when the square root is taken: distances, not squared distances",
    ),
    Slip(
        "squared_distances",
        "(x[:, None] - centres) ** 2",
        "np.abs(x[:, None] - centres)",
        "when absolute differences are added, not squares",
    ),
    Slip(
        "squared_distances",
        ".sum(axis=2)",
        ".mean(axis=2)",
        "when features are averaged, not added",
    ),
    Slip(
        "squared_distances",
        "x[:, None] - centres",
        "centres[:, None] - x",
        "when rows and centres change places: (K, N)",
    ),
    Slip(
        "squared_distances",
        ".sum(axis=2)",
        ".max(axis=2)",
        "when only the largest difference counts",
    ),
    Slip("assign", "argmin", "argmax", "when each row takes the farthest centre"),
    Slip("assign", "axis=1", "axis=0", "when each centre takes its nearest row (axis 0)"),
    Slip(
        "assign",
        "solution_squared_distances(x, centres).argmin(axis=1)",
        "len(centres) - 1 - solution_squared_distances(x, centres)[:, ::-1].argmin(axis=1)",
        "when the last of equally near centres is taken, not the first",
    ),
    Slip("assign", "argmin(axis=1)", "min(axis=1)", "when the distance comes back, not the index"),
    Slip(
        "assign",
        "argmin(axis=1)",
        "argmin(axis=1).astype(float)",
        "when labels are floats, which cannot index",
    ),
    Slip(
        "assign",
        None,
        """
def solution_assign(x, centres):
    return (-2 * x @ centres.T).argmin(axis=1)
""",
        "when the largest dot product is taken for the nearest centre",
    ),
    Slip(
        "update",
        "np.unique(labels)",
        "range(len(centres))",
        "when the mean of no rows is taken: 0/0 is NaN",
    ),
    Slip(
        "update", "centres.copy()", "np.zeros_like(centres)", "when a centre without rows goes to 0"
    ),
    Slip("update", "centres.copy()", "centres", "when the caller's centres are moved in place"),
    Slip("update", ".mean(axis=0)", ".sum(axis=0)", "when a centre is the sum of its rows"),
    Slip(
        "update",
        ".mean(axis=0)",
        ".sum(axis=0) / len(x)",
        "when the sum is divided by the number of all rows",
    ),
    Slip("update", ".mean(axis=0)", ".mean()", "when all features are averaged to one number"),
    Slip(
        "update",
        "x[labels == j].mean(axis=0)",
        "np.median(x[labels == j], axis=0)",
        "when a centre moves to the median",
    ),
    Slip(
        "update",
        "x[labels == j].mean(axis=0)",
        "(centres[j] + x[labels == j].sum(axis=0)) / (1 + (labels == j).sum())",
        "when the old centre is averaged in as one more row",
    ),
    Slip(
        "update",
        "return moved",
        "moved[np.setdiff1d(np.arange(len(centres)), labels)] = x[0]; return moved",
        "when a centre without rows is put on a row of x",
    ),
    Slip(
        "update",
        "centres.copy()",
        "np.tile(x.mean(axis=0), (len(centres), 1))",
        "when a centre without rows goes to the mean of all rows",
    ),
    Slip(
        "update",
        None,
        """
def solution_update(x, labels, centres):
    return np.array([x[labels == j].mean(axis=0) for j in np.unique(labels)])
""",
        "when a centre without rows is dropped",
    ),
    Slip(
        "inertia",
        "((x - centres[labels]) ** 2).sum()",
        "((x - centres[labels]) ** 2).sum(axis=1).mean()",
        "when the inertia is a mean over rows, not a sum",
    ),
    Slip(
        "inertia",
        "((x - centres[labels]) ** 2).sum()",
        "np.sqrt(((x - centres[labels]) ** 2).sum(axis=1)).sum()",
        "when distances are added, not their squares",
    ),
    Slip(
        "inertia",
        "((x - centres[labels]) ** 2).sum()",
        "np.linalg.norm(x - centres[labels])",
        "when the root of the sum is taken",
    ),
    Slip(
        "inertia",
        "((x - centres[labels]) ** 2).sum()",
        "solution_squared_distances(x, centres).min(axis=1).sum()",
        "when the nearest centre is counted, whatever the labels say",
    ),
    Slip(
        "inertia",
        "((x - centres[labels]) ** 2).sum()",
        "solution_squared_distances(x, centres).sum()",
        "when every row is counted at every centre",
    ),
]

KMEANS_SLIPS = [
    Slip(
        "kmeans",
        "        history.append",
        "        if np.array_equal(labels, before):\n            break\n        history.append",
        "when the update that changes no label is left out of the history",
    ),
    Slip(
        "kmeans",
        None,
        """
def solution_kmeans(x, centres, max_iter):
    history = []
    for _ in range(max_iter):
        labels = solution_assign(x, centres)
        moved = solution_update(x, labels, centres)
        history.append(solution_inertia(x, moved, labels))
        stop, centres = np.array_equal(moved, centres), moved
        if stop:
            break
    return centres, labels, history
""",
        "when the labels of before the last update are returned",
    ),
    Slip(
        "kmeans",
        None,
        """
def solution_kmeans(x, centres, max_iter):
    history = []
    for _ in range(max_iter):
        labels = solution_assign(x, centres)
        moved = solution_update(x, labels, centres)
        history.append(solution_inertia(x, moved, labels))
        stop, centres = np.array_equal(moved, centres), moved
        if stop:
            break
    return centres, solution_assign(x, centres), history
""",
        "when the history counts each row at the centre that it had before the update",
    ),
    Slip(
        "kmeans",
        "solution_assign(x, centres), []",
        "solution_assign(x, centres), [solution_inertia(x, centres, solution_assign(x, centres))]",
        "when the history begins with the inertia of the start",
    ),
    Slip("kmeans", "range(max_iter)", "range(max_iter + 1)", "when one update too many is made"),
    Slip("kmeans", "range(max_iter)", "range(max_iter - 1)", "when one update too few is made"),
    Slip(
        "kmeans",
        "            break",
        "            return centres, labels, history[-1]",
        "when only the last inertia comes back, not the history",
    ),
    Slip(
        "kmeans",
        "before, labels = labels, solution_assign(x, centres)",
        "before, labels = solution_assign(x, centres), solution_assign(x, centres)",
        "when it stops after one update: labels compared with themselves, or one that stays is enough",
    ),
    Slip(
        "kmeans",
        "if np.array_equal(labels, before):",
        "if len(history) > 1 and history[-2] - history[-1] < 1e-4:",
        "when it stops at a fixed small change of the inertia, whatever its size",
    ),
    Slip(
        "kmeans",
        "if np.array_equal(labels, before):",
        "if len(history) > 1 and history[-2] - history[-1] < 1e-3 * history[-1]:",
        "when it stops at a small relative change of the inertia, before the labels settle",
    ),
    Slip(
        "kmeans",
        None,
        """
def solution_kmeans(x, centres, max_iter):
    history = []
    for _ in range(max_iter):
        moved = solution_update(x, solution_assign(x, centres), centres)
        small, centres = ((moved - centres) ** 2).sum() < 1e-4, moved
        labels = solution_assign(x, centres)
        history.append(solution_inertia(x, centres, labels))
        if small:
            break
    return centres, labels, history
""",
        "when it stops at a fixed small movement of the centres, whatever the unit",
    ),
    Slip(
        "kmeans",
        "if np.array_equal(labels, before):",
        "if np.array_equal(np.bincount(labels), np.bincount(before)):",
        "when it stops once no cluster changes its size, although rows still change places",
    ),
    Slip("kmeans", "return centres, labels, history", "return labels, centres, history",
         "when labels and centres come back in the wrong order"),
    Slip(
        "kmeans",
        "history.append(solution_inertia(x, centres, labels))",
        "history.append(solution_inertia(x, centres, labels) / len(x))",
        "when the history is divided by the number of rows",
    ),
    Slip(
        "kmeans",
        None,
        """
def solution_kmeans(x, centres, max_iter):
    labels, history = solution_assign(x, centres), []
    for _ in range(max_iter):
        for j in np.unique(labels):
            centres[j] = x[labels == j].mean(axis=0)
        labels = solution_assign(x, centres)
        history.append(solution_inertia(x, centres, labels))
    return centres, labels, history
""",
        "when the starting centres of the caller are moved",
    ),
]  # fmt: skip
