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

# %% Stage 5: hour by hour, floats, keywords
def postmortem(residuals, requests, changes, cause, onset, symptom, paged):
    def sd_from_normal(metric, t):
        normal = residuals[metric][onset - 48 : onset]
        return float((residuals[metric][t] - np.mean(normal)) / np.std(normal))

    def out(t):
        return abs(sd_from_normal(symptom, t)) > 4

    felt = onset
    while not out(felt) or not out(felt + 1):
        felt += 1
    end = felt + 1
    while out(end) or out(end + 1):
        end += 1
    trigger = max((c for c in changes if c.hour <= onset), key=lambda c: c.hour)
    table = {"trigger": (trigger.hour, cause), "root cause": (onset, cause), "symptom": (felt, symptom),
             "detection": (paged, cause), "mitigation": (end, symptom)}
    events = []
    for kind, (hour, metric) in table.items():
        hit = 0.0
        for t in range(felt, hour):
            hit += float(requests[t])
        words = f'"{trigger.what}" went out' if kind == "trigger" else f"{kind}: {metric} at hour {hour}"
        events.append(Event(hour=hour, kind=kind, metric=metric, sigmas=sd_from_normal(metric, hour),
                            elapsed=float(hour - onset), requests_hit=hit, evidence=words))
    return sorted(events, key=lambda e: e.hour)

# %% Stage 5: cumulative requests, convolution, ranks for ties
def postmortem(res, req, log, cause, onset, symptom, paged):
    z = {m: (res[m] - res[m][onset - 48 : onset].mean()) / res[m][onset - 48 : onset].std()
         for m in (cause, symptom)}
    loud = (np.abs(z[symptom]) > 4).astype(int)
    two = loud[:-1] + loud[1:]
    felt = onset + int(np.argmax(two[onset:] == 2))
    over = felt + 1 + int(np.argmax(two[felt + 1 :] == 0))
    before = [c for c in log if not c.hour > onset]
    served = np.concatenate([[0], np.cumsum(req)])
    rows = [(before[-1].hour, 0, "trigger", cause, f"Change: {before[-1].what}."),
            (onset, 1, "root cause", cause, f"{cause} moved."),
            (felt, 2, "symptom", symptom, f"{symptom} moved as well."),
            (paged, 3, "detection", cause, f"Pager on {cause}."),
            (over, 4, "mitigation", symptom, f"{symptom} is well again.")]
    rows.sort()
    return tuple(Event(np.int64(h), k, m, z[m][h], np.int64(h - onset),
                       max(0.0, served[h] - served[felt]), text) for h, _, k, m, text in rows)

# %% Stage 5: insertion in time order, an Event with a field more
def postmortem(residuals, requests, changes, cause, onset, symptom, paged):
    from dataclasses import dataclass

    @dataclass
    class Line:
        hour: int
        kind: str
        metric: str
        sigmas: float
        elapsed: int
        requests_hit: float
        evidence: str
        note: str = ""

    spread = {m: np.asarray(residuals[m])[onset - 48 : onset] for m in (symptom, cause)}

    def level(m, t):
        return (residuals[m][t] - spread[m].mean()) / spread[m].std()

    state = "waiting"
    for t in range(onset, len(requests) - 1):
        pair = [abs(level(symptom, s)) > 4 for s in (t, t + 1)]
        if state == "waiting" and all(pair):
            state, felt = "felt", t
        elif state == "felt" and not any(pair):
            over = t
            break
    what = next(c for c in reversed(changes) if c.hour <= onset)
    told = [("trigger", what.hour, cause, what.what + " (" + cause + ")"), ("root cause", onset, cause, cause),
            ("symptom", felt, symptom, symptom), ("detection", paged, cause, "page: " + cause),
            ("mitigation", over, symptom, "back to normal: " + symptom)]
    out = []
    for kind, hour, metric, words in told:
        line = Line(hour, kind, metric, level(metric, hour), hour - onset,
                    sum(requests[felt:hour]), words)
        at = sum(other.hour <= hour for other in out)
        out.insert(at, line)
    return out

# %% Stage 6: both sums in an array
def cusum(z, slack=0.5, limit=5.0):
    sums, out = np.zeros(2), []
    for t in np.flatnonzero(~np.isnan(z)):
        sums = np.maximum(0, sums + np.array([1, -1]) * z[t] - slack)
        if (sums > limit).any():
            out.append(t)
            sums = np.zeros(2)
    return np.array(out)

# %% Stage 6: the sum as a walk over its lowest point
def cusum(values, k=0.5, h=5.0):
    alarms = []
    walks, lows = [0.0, 0.0], [0.0, 0.0]
    for t, v in enumerate(values):
        if v != v:
            continue
        fired = False
        for i, s in enumerate((v, -v)):
            walks[i] += s - k
            lows[i] = min(lows[i], walks[i])
            fired = fired or walks[i] - lows[i] > h
        if fired:
            alarms.append(t)
            walks, lows = [0.0, 0.0], [0.0, 0.0]
    return alarms

# %% Stage 6: search for the next alarm from each restart
def cusum(z, slack=0.5, limit=5.0):
    def next_alarm(begin):
        up = down = 0.0
        for t in range(begin, len(z)):
            if not np.isnan(z[t]):
                up, down = max(up + z[t] - slack, 0.0), max(down - z[t] - slack, 0.0)
                if up > limit or down > limit:
                    return t
        return None

    hours, t = [], next_alarm(0)
    while t is not None:
        hours.append(t)
        t = next_alarm(t + 1)
    return hours

# %% Stage 6: NaN counts as the slack-free hour, two generators
def cusum(z, slack=0.5, limit=5.0):
    z = np.asarray(z, dtype=float)
    up = down = 0.0
    hours = []
    for hour in range(z.size):
        if np.isfinite(z[hour]):
            up = np.clip(up + z[hour] - slack, 0, None)
            down = np.clip(down - z[hour] - slack, 0, None)
            if not (up <= limit and down <= limit):
                hours += [hour]
                up, down = 0.0, 0.0
    return hours
