"""Wrong on purpose: what people write in stages 1 to 3 of lab 8; the rest in slips_*."""

from checks.expect import Slip
from checks.lab_8_on_call.slips_late import LATE
from checks.lab_8_on_call.slips_residual import RESIDUAL
from checks.lab_8_on_call.slips_runs import RUNS
from checks.lab_8_on_call.slips_story import STORY

SLIPS = [
    Slip(
        "deseasonalize",
        "np.median(x[t % period : t : period])",
        "np.median(x[t % period :: period])",
        "when the median sees later days too",
    ),
    Slip(
        "deseasonalize",
        None,
        """
def solution_deseasonalize(x, period=24):
    residual = np.full(len(x), np.nan)
    for t in range(len(x)):
        residual[t] = x[t] - np.median(x[t % period :: period])
    return residual
""",
        "when all days are used, so that even the first has a baseline",
    ),
    Slip(
        "deseasonalize",
        "x[t % period : t : period]",
        "x[t % period : t + 1 : period]",
        "when the day itself stands in its own baseline",
    ),
    Slip("deseasonalize", "np.median(", "np.mean(", "when the mean is taken, not the median"),
    Slip(
        "deseasonalize",
        "np.median(x[t % period : t : period])",
        "x[t - period]",
        "when only yesterday is the baseline",
    ),
    Slip(
        "deseasonalize",
        "x[t % period : t : period]",
        "x[:t]",
        "when all earlier hours are the baseline, whatever the hour of the day",
    ),
    Slip(
        "deseasonalize",
        "x[t % period : t : period]",
        "x[t - period : t]",
        "when the last 24 hours are the baseline, not one hour of each day",
    ),
    Slip(
        "deseasonalize",
        "x[t] - np.median(x[t % period : t : period])",
        "np.median(x[t % period : t : period]) - x[t]",
        "when the metric is subtracted from its baseline",
    ),
    Slip(
        "deseasonalize",
        "x[t] - np.median(x[t % period : t : period])",
        "x[t] / np.median(x[t % period : t : period]) - 1",
        "when the relative change is given, not the difference",
    ),
    Slip(
        "deseasonalize",
        "x[t] - np.median(x[t % period : t : period])",
        "np.median(x[t % period : t : period])",
        "when the baseline itself is returned",
    ),
    Slip(
        "deseasonalize",
        "np.full(len(x), np.nan)",
        "np.zeros(len(x))",
        "when the first day is 0 where there is no baseline yet",
    ),
    Slip(
        "deseasonalize",
        "np.full(len(x), np.nan)",
        "x.copy()",
        "when the first day is left as it is where there is no baseline yet",
    ),
    Slip(
        "deseasonalize",
        "residual = np.full(len(x), np.nan)",
        "residual, period = np.full(len(x), np.nan), 24",
        "when the period is always 24",
    ),
    Slip(
        "deseasonalize",
        None,
        """
def solution_deseasonalize(x, period=24):
    for t in range(len(x) - 1, -1, -1):
        x[t] = x[t] - np.median(x[t % period : t : period]) if t >= period else np.nan
    return x
""",
        "when the caller's array is overwritten",
    ),
    Slip(
        "rolling_z",
        "x[t - window : t]",
        "x[t - window + 1 : t + 1]",
        "when the point stands in its own window",
    ),
    Slip("rolling_z", "before.std()", "before.std(ddof=1)", "when the sd divides by w - 1"),
    Slip("rolling_z", "before.std()", "before.var()", "when the variance is taken for the sd"),
    Slip(
        "rolling_z",
        "before = x[t - window : t]",
        "before = x[t - window + 1 : t]",
        "when the window is one hour too short",
    ),
    Slip(
        "rolling_z",
        "before = x[t - window : t]",
        "before = x[max(0, t - window - 1) : t]",
        "when the window is one hour too long",
    ),
    Slip(
        "rolling_z",
        "before = x[t - window : t]",
        "before = x[:t]",
        "when the window grows and never forgets",
    ),
    Slip(
        "rolling_z",
        "flat = before.min() == before.max()",
        "flat = before.std() == 0",
        "when a flat window is asked for by sd == 0, which rounding defeats",
    ),
    Slip(
        "rolling_z",
        "flat = before.min() == before.max()",
        "flat = False",
        "when a flat window is divided by its sd of 0",
    ),
    Slip(
        "rolling_z",
        "0.0 if flat",
        "np.nan if flat",
        "when a flat window gives NaN, not 0",
    ),
    Slip(
        "rolling_z",
        "flat = before.min() == before.max()",
        "flat = before.std() < 1e-3",
        "when every sd below a fixed 0.001 counts as flat",
    ),
    Slip(
        "rolling_z",
        "flat = before.min() == before.max()",
        "flat = np.isclose(before.std(), 0)",
        "when a small spread counts as flat: by isclose or allclose, a limit of your own, or rounding",
    ),
    Slip(
        "rolling_z",
        "0.0 if flat else (x[t] - before.mean()) / before.std()",
        "(x[t] - before.mean()) / (before.std() + 1e-6)",
        "when a small number is added to the sd in place of looking for a flat window",
    ),
    Slip(
        "rolling_z",
        "np.full(len(x), np.nan)",
        "np.zeros(len(x))",
        "when the first hours are 0 where the window is not full yet",
    ),
    Slip(
        "rolling_z",
        "(x[t] - before.mean()) / before.std()",
        "(x[t] - np.nanmean(before)) / np.nanstd(before)",
        "when a NaN in the window is left out of mean and sd",
    ),
    Slip(
        "rolling_z",
        "(x[t] - before.mean())",
        "abs(x[t] - before.mean())",
        "when the sign is lost",
    ),
    Slip(
        "rolling_z",
        "(x[t] - before.mean())",
        "(x[t] - np.median(before))",
        "when the median stands where the mean is asked for",
    ),
    Slip(
        "rolling_z",
        None,
        """
def solution_rolling_z(x, window):
    z = np.full(len(x), np.nan)
    z[window:] = ((x - np.nanmean(x)) / np.nanstd(x))[window:]
    return z
""",
        "when mean and sd are those of the whole record",
    ),
    Slip("find_incidents", "np.abs(z)", "z", "when drops are ignored"),
    Slip("find_incidents", "> threshold", ">= threshold", "when exactly the threshold alarms"),
    Slip(
        "find_incidents",
        "[(start, end)",
        "[(start, end - 1)",
        "when end is the last bad hour, not the hour after it",
    ),
    Slip(
        "find_incidents",
        "[(start, end)",
        "[(start, end - start)",
        "when a run is given as start and length",
    ),
    Slip(
        "find_incidents",
        "append=False)",
        "append=alarm[-1])",
        "when a run that is still open at the end is lost",
    ),
    Slip(
        "find_incidents",
        "np.diff(alarm, prepend=False, append=False)).tolist()",
        "np.diff(alarm, prepend=alarm[0], append=False)).tolist()",
        "when a run that begins in the first hour is not seen to begin",
    ),
    Slip("find_incidents", ">= min_run", "> min_run", "when a run must be longer than min_run"),
    Slip("find_incidents", " if end - start >= min_run", "", "when min_run is not looked at"),
    Slip(
        "find_incidents",
        "np.abs(z) > threshold",
        "~(np.abs(z) <= threshold)",
        "when NaN counts as an alarm",
    ),
    Slip(
        "find_incidents",
        "    alarm = np.abs(z) > threshold",
        "    z[np.isnan(z)] = 0\n    alarm = np.abs(z) > threshold",
        "when NaN is replaced in the caller's array",
    ),
    Slip(
        "find_incidents",
        "> threshold",
        "> (threshold or 4)",
        "when a threshold of 0 is taken for none",
    ),
    Slip(
        "find_incidents",
        "alarm = np.abs(z) > threshold",
        "z = z[~np.isnan(z)]; alarm = np.abs(z) > threshold",
        "when NaN is dropped, so that the hours after it move forward",
    ),
    Slip(
        "find_incidents",
        None,
        """
def solution_find_incidents(z, threshold, min_run):
    runs = []
    for sign in (1, -1):
        alarm = sign * z > threshold
        edges = np.flatnonzero(np.diff(alarm, prepend=False, append=False)).tolist()
        runs += [(a, b) for a, b in zip(edges[::2], edges[1::2]) if b - a >= min_run]
    return sorted(runs)
""",
        "when a run ends where the sign changes",
    ),
    Slip(
        "find_incidents",
        None,
        """
def solution_find_incidents(z, threshold, min_run):
    runs = []
    for t in np.flatnonzero(np.abs(z) > threshold).tolist():
        if runs and t <= runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], t + 1)
        else:
            runs.append((t, t + 1))
    return [(a, b) for a, b in runs if b - a >= min_run]
""",
        "when two runs with one quiet hour between them become one",
    ),
    Slip(
        "find_incidents",
        None,
        """
def solution_find_incidents(z, threshold, min_run):
    alarm = np.abs(z) > threshold
    return [(t, t + min_run) for t in range(len(z) - min_run + 1) if alarm[t : t + min_run].all()]
""",
        "when each hour of a run begins a run of its own",
    ),
    Slip(
        "find_incidents",
        None,
        """
def solution_find_incidents(z, threshold, min_run):
    runs, begin = [], None
    for t, loud in enumerate((np.abs(z) > threshold).tolist()):
        if loud and begin is None:
            begin = t
        if not loud and begin is not None:
            runs += [(begin, t)] if t - begin >= min_run else []
            begin = None
    return runs if begin is None else [*runs, (begin, len(z))]
""",
        "when a run that is open at the end counts, however short",
    ),
    *LATE,
    *RESIDUAL,
    *RUNS,
    *STORY,
]
