# Right, but unusual: every cell is an answer to one stage, and each must pass.

# %% Stage 1: a loop over days, lists, the standard library's median
def deseasonalize(x, period=24):
    from statistics import median
    x = [float(v) for v in x]
    out = []
    for t, value in enumerate(x):
        same_hour = [x[s] for s in range(t) if (t - s) % period == 0]
        out.append(value - median(same_hour) if same_hour else float("nan"))
    return out

# %% Stage 1: padded to whole days, one median for each day
def deseasonalize(series, hours=24):
    T = len(series)
    n_days = -(-T // hours)
    grid = np.full(n_days * hours, np.nan)
    grid[:T] = series
    grid = grid.reshape(n_days, hours)
    base = np.full_like(grid, np.nan)
    for d in range(1, n_days):
        base[d] = np.median(grid[:d], axis=0)
    return (grid - base).ravel()[:T]

# %% Stage 1: nanmedian over a lower triangle
def deseasonalize(x, period=24):
    days = -(-len(x) // period)
    grid = np.pad(x, (0, days * period - len(x)), constant_values=np.nan).reshape(days, period)
    cube = np.where(np.tri(days, k=-1, dtype=bool)[:, :, None], grid[None], np.nan)
    rest = grid.copy()
    for d in range(days):
        rest[d] -= np.nanmedian(cube[d], axis=0) if d else np.nan
    return rest.reshape(-1)[: len(x)]

# %% Stage 1: one column for each hour, insertion into a sorted list
def deseasonalize(x, period=24):
    from bisect import insort
    seen = [[] for _ in range(period)]
    out = np.empty(len(x))
    for t, v in enumerate(x.tolist()):
        s = seen[t % period]
        n = len(s)
        out[t] = v - 0.5 * (s[n // 2] + s[(n - 1) // 2]) if n else np.nan
        insort(s, v)
    return out

# %% Stage 1: recursion over days
def deseasonalize(x, period=24):
    if len(x) <= period:
        return np.full(len(x), np.nan)
    last = (len(x) - 1) // period * period
    head = deseasonalize(x[:last], period)
    tail = [x[t] - np.percentile(x[t - last : last : period], 50) for t in range(last, len(x))]
    return np.concatenate([head, tail])

# %% Stage 1: a generator that keeps the past of each hour
def deseasonalize(x, period=24):
    from collections import defaultdict
    past = defaultdict(list)

    def rest():
        for t, value in enumerate(x):
            yield value - np.quantile(past[t % period], 0.5) if past[t % period] else np.nan
            past[t % period].append(value)

    return np.fromiter(rest(), float, len(x))

# %% Stage 2: mean and squares updated point by point, as Welford does
def rolling_z(x, window):
    def one(t):
        before = [float(v) for v in x[t - window : t]]
        if any(v != v for v in before):
            return float("nan")
        if min(before) == max(before):
            return 0.0
        mean = squares = 0.0
        for n, v in enumerate(before, 1):
            step = v - mean
            mean += step / n
            squares += step * (v - mean)
        return (float(x[t]) - mean) / (squares / window) ** 0.5

    return [float("nan") if t < window else one(t) for t in range(len(x))]

# %% Stage 2: all windows at once
def rolling_z(x, window):
    w = np.lib.stride_tricks.sliding_window_view(np.asarray(x, float), window)[:-1]
    flat = np.ptp(w, axis=1) == 0
    with np.errstate(all="ignore"):
        z = np.where(flat, 0.0, (x[window:] - w.mean(1)) / w.std(1))
    return np.concatenate([np.full(window, np.nan), z])

# %% Stage 2: plain Python, math only
def rolling_z(values, n):
    import math
    out = [math.nan] * n
    for t in range(n, len(values)):
        w = [float(v) for v in values[t - n : t]]
        if any(math.isnan(v) for v in w):
            out.append(math.nan)
        elif len(set(w)) == 1:
            out.append(0)
        else:
            m = sum(w) / n
            out.append((float(values[t]) - m) / math.sqrt(sum((v - m) ** 2 for v in w) / n))
    return out[: len(values)]

# %% Stage 2: a tiny sd, relative to the level, counts as flat
def rolling_z(x, window):
    z = np.full(np.shape(x), np.nan)
    for t in range(window, len(x)):
        past = x[t - window : t]
        mu, sd = np.average(past), np.sqrt(np.mean((past - np.average(past)) ** 2))
        if sd <= 1e-12 * max(1.0, abs(mu)):
            z[t] = 0
        else:
            z[t] = (x[t] - mu) / sd
    return z

# %% Stage 2: a deque, sums kept exactly
def rolling_z(x, window):
    import math
    from collections import deque
    past, out = deque(maxlen=window), []
    for v in x:
        if len(past) < window or np.isnan(sum(past)):
            out.append(np.nan)
        elif max(past) == min(past):
            out.append(0.0)
        else:
            m = math.fsum(past) / window
            out.append((v - m) / math.sqrt(math.fsum((p - m) ** 2 for p in past) / window))
        past.append(v)
    return np.array(out)

# %% Stage 2: differences to the first value of the window
def rolling_z(x, window):
    idx = np.arange(len(x) - window)[:, None] + np.arange(window)
    d = x[idx] - x[idx[:, :1]]
    mean = d.sum(1) / window
    var = (d * d).sum(1) / window - mean**2
    same = (d == 0).all(1)
    top = x[window:] - x[idx[:, 0]] - mean
    z = np.zeros(len(top))
    z[~same] = top[~same] / np.sqrt(var[~same])
    return np.hstack([np.full(window, np.nan), z])

# %% Stage 3: a state machine with a quiet hour at the end
def find_incidents(z, threshold, min_run):
    out, since = [], None
    for t, v in enumerate(list(z) + [0.0]):
        if t < len(z) and abs(v) > threshold:
            since = t if since is None else since
        elif since is not None:
            if t - since >= min_run:
                out.append((since, t))
            since = None
    return out

# %% Stage 3: the length of the run so far
def find_incidents(z, threshold, min_run):
    runs, length = (), 0
    for t in range(len(z) + 1):
        if t < len(z) and not (np.isnan(z[t]) or -threshold <= z[t] <= threshold):
            length += 1
        else:
            runs += ((t - length, t),) if length and length >= min_run else ()
            length = 0
    return runs

# %% Stage 3: groupby
def find_incidents(z, threshold, min_run):
    from itertools import groupby
    runs = []
    for loud, group in groupby(range(len(z)), key=lambda t: bool(z[t] > threshold or z[t] < -threshold)):
        hours = list(group)
        if loud and len(hours) >= min_run:
            runs.append((hours[0], hours[-1] + 1))
    return runs

# %% Stage 3: a string of bits and a regular expression
def find_incidents(scores, limit, shortest):
    import re
    bits = "".join("1" if abs(v) > limit else "0" for v in scores)
    return [m.span() for m in re.finditer("1{%d,}" % shortest, bits)]

# %% Stage 3: split at the gaps, NumPy integers, lists for tuples
def find_incidents(z, threshold, min_run):
    loud = np.flatnonzero(np.nan_to_num(np.abs(z), nan=0.0) > threshold)
    parts = np.split(loud, np.flatnonzero(np.diff(loud) > 1) + 1)
    return [[p[0], p[-1] + 1] for p in parts if len(p) and len(p) >= min_run]

# %% Stage 3: an array of rows
def find_incidents(z, threshold, min_run):
    mask = np.concatenate([[0], (np.abs(z) > threshold).astype(int), [0]])
    step = np.diff(mask)
    runs = np.column_stack([np.where(step == 1)[0], np.where(step == -1)[0]])
    return runs[runs[:, 1] - runs[:, 0] >= min_run]

# %% Stage 4: hour by hour over all metrics
def localize(z_by_metric, start, end):
    for t in range(start, end - 1):
        for metric, z in z_by_metric.items():
            if abs(z[t]) > 3.5 and abs(z[t + 1]) > 3.5:
                return metric, t // 24

# %% Stage 4: a NumPy string, a NumPy integer
def localize(z_by_metric, start, end):
    names = np.array(list(z_by_metric))
    bad = np.abs(np.stack(list(z_by_metric.values()))[:, start:end]) > 3.5
    twice = bad[:, :-1] & bad[:, 1:]
    first = np.where(twice.any(axis=1), twice.argmax(axis=1), 10**6)
    who = first.argmin()
    return names[who], (start + first[who]) // 24

# %% Stage 4: runs of the learner's own, sorted triples
def localize(scores, a, b):
    found = []
    for name in sorted(scores):
        runs = find_incidents(np.asarray(scores[name])[a:b], 3.5, 2)
        found += [(a + s, name) for s, _ in runs]
    hour, name = sorted(found)[0]
    return [name, int(hour / 24)]

# %% Stage 4: streaks of all metrics side by side, a named pair
def localize(z_by_metric, start, end):
    from collections import namedtuple
    First = namedtuple("First", "metric day")
    streak = dict.fromkeys(z_by_metric, 0)
    for t in range(start, end):
        for metric, z in z_by_metric.items():
            streak[metric] = streak[metric] + 1 if abs(z[t]) > 3.5 else 0
            if streak[metric] == 2:
                return First(metric, (t - 1) // 24)

# %% Stage 4: convolution
def localize(z_by_metric, start, end):
    best = (float("inf"), "")
    for m, z in z_by_metric.items():
        hot = (np.abs(z[start:end]) > 3.5).astype(float)
        pairs = np.convolve(hot, [1, 1], mode="valid")
        hits = np.where(pairs == 2)[0]
        if hits.size:
            best = min(best, (start + int(hits[0]), m))
    return best[1], divmod(best[0], 24)[0]
