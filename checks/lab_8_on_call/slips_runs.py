"""Wrong on purpose: more of what people write in stages 3 and 4 of lab 8."""

from checks.expect import Slip

RUNS = [
    Slip("find_incidents", "np.abs(z)", "-z", "when rises are ignored"),
    Slip(
        "find_incidents",
        None,
        """
def solution_find_incidents(z, threshold, min_run):
    runs, begin = [], None
    for t, value in enumerate([*z, 0.0]):
        if np.isnan(value):
            continue
        loud = t < len(z) and abs(value) > threshold
        if loud and begin is None:
            begin = t
        if not loud and begin is not None:
            runs += [(begin, t)] if t - begin >= min_run else []
            begin = None
    return runs
""",
        "when a run goes on across NaN",
    ),
    Slip(
        "find_incidents",
        "if end - start >= min_run]",
        "if end - start >= min_run][:1]",
        "when only the first run is returned",
    ),
    Slip("find_incidents", "> threshold", "> 4", "when the threshold is always 4"),
    Slip(
        "find_incidents",
        "end - start >= min_run",
        "end - start + 1 >= min_run",
        "when a run that is one hour too short counts",
    ),
    Slip(
        "find_incidents",
        None,
        """
def solution_find_incidents(z, threshold, min_run):
    runs, begin = [], None
    for t, loud in enumerate([*(np.abs(z) > threshold).tolist(), False]):
        if loud and begin is None:
            begin = t
        elif not loud and begin:
            runs += [(begin, t)] if t - begin >= min_run else []
            begin = None
    return runs
""",
        "when a start at hour 0 is taken for no start, as 0 is false",
    ),
    Slip(
        "find_incidents",
        None,
        """
def solution_find_incidents(z, threshold, min_run):
    alarm = np.abs(z) > threshold
    edges = np.flatnonzero(np.diff(alarm, prepend=False, append=False)).tolist()
    pairs = [(a, b) for a, b in zip(edges[::2], edges[1::2]) if b - a >= min_run]
    return [t for a, b in pairs for t in range(a, b)]
""",
        "when the hours are listed, not the runs",
    ),
    Slip(
        "find_incidents",
        "[(start, end) for",
        "[(start, min(end, len(z) - 1)) for",
        "when a run that is open at the end loses its last hour",
    ),
    Slip(
        "find_incidents",
        "[(start, end) for",
        "[(start + 1, end + 1) for",
        "when every run comes one hour late, as from a padded difference",
    ),
    Slip(
        "find_incidents",
        "alarm = np.abs(z) > threshold",
        "alarm = np.abs(z, out=z) > threshold",
        "when the caller's z loses its signs",
    ),
    Slip(
        "find_incidents",
        None,
        """
def solution_find_incidents(z, threshold, min_run):
    runs, n = [], 0
    for t, loud in enumerate((np.abs(z) > threshold).tolist()):
        n = n + 1 if loud else 0
        if n == min_run:
            runs.append((t - min_run + 1, t + 1))
    return runs
""",
        "when a run ends as soon as it is long enough",
    ),
    Slip(
        "localize",
        "z[start:end], 3.5, 2)",
        "np.nan_to_num(z[start:end], nan=9.0), 3.5, 2)",
        "when NaN counts as a bad hour",
    ),
    Slip(
        "localize",
        None,
        """
def solution_localize(z_by_metric, start, end):
    onsets = {}
    for metric, z in z_by_metric.items():
        bad = np.abs(z[start:end]) > 3.5
        onsets[metric] = start + int(np.argmax(bad[:-1] & bad[1:]))
    first = min(onsets, key=onsets.get)
    return first, onsets[first] // 24
""",
        "when a metric without an onset counts from the window's start: argmax of nothing is 0",
    ),
    Slip(
        "localize",
        "first = min(onsets, key=onsets.get)",
        "first = max(z_by_metric, key=lambda m: np.nansum(np.abs(z_by_metric[m][start:end])));"
        " onsets = {first: min(onsets.values())}",
        "when the metric with the largest sum of |z| is blamed",
    ),
    Slip(
        "localize",
        "first = min(onsets, key=onsets.get)",
        "first = max(onsets, key=lambda m: abs(z_by_metric[m][onsets[m]]))",
        "when of the metrics with an onset the one that begins largest is blamed",
    ),
    Slip(
        "localize",
        None,
        """
def solution_localize(z_by_metric, start, end):
    onsets = {}
    for metric, z in z_by_metric.items():
        runs = [solution_find_incidents(np.maximum(s * z[start:end], 0), 3.5, 2) for s in (1, -1)]
        if any(runs):
            onsets[metric] = start + min(run[0][0] for run in runs if run)
    first = min(onsets, key=onsets.get)
    return first, onsets[first] // 24
""",
        "when two bad hours with different signs are no onset",
    ),
    Slip(
        "localize",
        "runs = solution_find_incidents(z[start:end], 3.5, 2)",
        "size = np.abs(z[start:end]); "
        "bad = np.flatnonzero((size[:-1] + size[1:]) / 2 > 3.5).tolist(); runs = [bad] if bad else []",
        "when the mean of two hours must be above 3.5, not each of them",
    ),
    Slip(
        "localize",
        "onsets[first] // 24",
        "round(onsets[first] / 24)",
        "when the day is rounded to the nearest, not cut off",
    ),
    Slip(
        "localize",
        "onsets[first] // 24",
        "onsets[first] / 24",
        "when the day comes with its fraction",
    ),
    Slip(
        "localize",
        "first, onsets[first] // 24",
        "onsets[first] // 24, first",
        "when day and metric change places",
    ),
    Slip(
        "localize",
        "z[start:end]",
        "z[start : end - 1]",
        "when the last hour of the window is not looked at",
    ),
    Slip(
        "localize",
        "runs = solution_find_incidents(z[start:end], 3.5, 2)",
        "runs = [(a + 1, b) for a, b in solution_find_incidents(z[start + 1 : end], 3.5, 2)]",
        "when the first hour of the window is not looked at",
    ),
    Slip(
        "localize",
        "first = min(onsets, key=onsets.get)",
        "first = list(onsets)[-1]",
        "when the last metric of the dict that has an onset is blamed",
    ),
]
