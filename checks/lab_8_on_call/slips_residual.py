"""Wrong on purpose: more of what people write in stages 1 and 2 of lab 8."""

from checks.expect import Slip

RESIDUAL = [
    Slip(
        "deseasonalize",
        None,
        """
def solution_deseasonalize(x, period=24):
    kept, residual = x.copy(), np.full(len(x), np.nan)
    for t in range(period, len(x)):
        earlier = x[t % period : t : period]
        earlier.sort()
        residual[t] = kept[t] - np.median(earlier)
    return residual
""",
        "when a slice of the caller's array is sorted, which sorts the array itself",
    ),
    Slip(
        "deseasonalize",
        "np.median(x[t % period : t : period])",
        "sorted(x[t % period : t : period])[len(x[t % period : t : period]) // 2]",
        "when the upper of the two middle days is taken, not their mean",
    ),
    Slip(
        "deseasonalize",
        "np.median(x[t % period : t : period])",
        "sorted(x[t % period : t : period])[(len(x[t % period : t : period]) - 1) // 2]",
        "when the lower of the two middle days is taken, not their mean",
    ),
    Slip(
        "deseasonalize",
        "x[t % period : t : period]",
        "x[t % period : t : period][-7:]",
        "when only the last seven days are the baseline",
    ),
    Slip(
        "deseasonalize",
        "x[t] - np.median(",
        "x[t] / np.median(",
        "when the metric is divided by its baseline",
    ),
    Slip(
        "deseasonalize",
        "x[t] - np.median(x[t % period : t : period])",
        "abs(x[t] - np.median(x[t % period : t : period]))",
        "when the sign of the residual is lost",
    ),
    Slip(
        "deseasonalize",
        "residual = np.full(len(x), np.nan)",
        "residual = x = x.copy()",
        "when residuals are written over the metric, so that later medians are those of residuals",
    ),
    Slip(
        "deseasonalize",
        "    return residual",
        "    return residual[: len(x) // period * period]",
        "when the hours after the last whole day are dropped",
    ),
    Slip(
        "deseasonalize",
        "range(period, len(x))",
        "range(period, len(x) // period * period)",
        "when the hours after the last whole day have no residual",
    ),
    Slip(
        "deseasonalize",
        "x[t % period : t : period]",
        "x[t - period : 0 : -period]",
        "when a backward slice stops before hour 0, which is left out of its baseline",
    ),
    Slip(
        "deseasonalize",
        "range(period, len(x))",
        "range(period + 1, len(x))",
        "when the first hour of the second day has no residual",
    ),
    Slip(
        "deseasonalize",
        "np.full(len(x), np.nan)",
        "np.full(len(x), np.nan, dtype=np.float32)",
        "when residuals are kept in float32, which has 7 digits",
    ),
    Slip(
        "rolling_z",
        "x[t - window : t]",
        "x[t - window : t + 1]",
        "when the point stands at the end of its window, as one hour more",
    ),
    Slip(
        "rolling_z",
        "x[t - window : t]",
        "x[t - window - 1 : t - 1] if t > window else x[:t]",
        "when the hour before the point is left out of its window",
    ),
    Slip(
        "rolling_z",
        "range(window, len(x))",
        "range(window, len(x) - 1)",
        "when the last hour has no z",
    ),
    Slip(
        "rolling_z",
        "range(window, len(x))",
        "range(window + 1, len(x))",
        "when the hour after the first full window has no z",
    ),
    Slip(
        "rolling_z",
        "flat = before.min() == before.max()",
        "flat = (x[t - window : t + 1] == x[t]).all()",
        "when a window counts as flat only if the point equals it too",
    ),
    Slip(
        "rolling_z",
        "flat = before.min() == before.max()",
        "flat = before[0] == before[-1]",
        "when a window counts as flat as soon as its first and last value are equal",
    ),
    Slip(
        "rolling_z",
        "0.0 if flat",
        "(0.0 if x[t] == before[0] else np.inf) if flat",
        "when a point that leaves a flat window is infinitely far away, not 0",
    ),
    Slip(
        "rolling_z",
        "0.0 if flat",
        "x[t] * 0 if flat",
        "when NaN after a flat window gives NaN: there the entry is 0, whatever x[t] is",
    ),
    Slip(
        "rolling_z",
        "0.0 if flat",
        "0.0 if flat or np.isnan(before).any()",
        "when a window that holds a NaN gives 0, not NaN",
    ),
    Slip(
        "rolling_z",
        "z = np.full(",
        "x[np.isnan(x)] = 0; z = np.full(",
        "when NaN is replaced in the caller's array",
    ),
    Slip(
        "rolling_z",
        None,
        """
def solution_rolling_z(x, window):
    z, total = np.full(len(x), np.nan), np.cumsum(np.r_[0.0, x])
    for t in range(window, len(x)):
        before, mean = x[t - window : t], (total[t] - total[t - window]) / window
        flat = before.min() == before.max()
        z[t] = 0.0 if flat else (x[t] - mean) / before.std()
    return z
""",
        "when a running sum carries one NaN into every later window",
    ),
    *(
        Slip(
            "rolling_z",
            "0.0 if flat else (x[t] - before.mean()) / before.std()",
            f"(x[t] - before.mean()) / (before.std() + {small})",
            "when a small number is added to the sd in place of looking for a flat window",
        )
        for small in ("1e-8", "1e-9", "1e-12")
    ),
]
