# Right, but unusual: every cell is an answer to one stage, and each must pass.

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

# %% Stage 5: pairs of hours, looked up in a list; a namespace for an Event
def postmortem(residuals, requests, changes, cause, onset, symptom, paged):
    from types import SimpleNamespace
    normal = {m: residuals[m][onset - 48 : onset] for m in {cause, symptom}}

    def level(m, t):
        return (residuals[m][t] - np.mean(normal[m])) / np.sqrt(np.var(normal[m]))

    out = [abs(level(symptom, t)) > 4 for t in range(onset, len(requests))]
    pairs = list(zip(out, out[1:]))
    felt = pairs.index((True, True))
    over = pairs.index((False, False), felt + 1)
    trigger = max(c for c in changes if c.hour <= onset)
    rows = [(trigger.hour, cause, f"{trigger.what}; {cause}"), (onset, cause, f"{cause} left"),
            (onset + felt, symptom, f"{symptom} as well"), (paged, cause, f"page: {cause}"),
            (onset + over, symptom, f"{symptom} is well")]
    kinds = ["trigger", "root cause", "symptom", "detection", "mitigation"]
    events = []
    for kind, (hour, metric, text) in zip(kinds, rows):
        events.append(SimpleNamespace(kind=kind, hour=hour, metric=metric, evidence=text))
        events[-1].sigmas, events[-1].elapsed = level(metric, hour), hour - onset
        events[-1].requests_hit = sum(r for t, r in enumerate(requests) if onset + felt <= t < hour)
    return sorted(events, key=lambda e: (e.hour, kinds.index(e.kind)))

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

# %% Stage 6: accumulate, state and alarm in one tuple
def cusum(z, slack=0.5, limit=5.0):
    from itertools import accumulate

    def step(state, item):
        (up, down, _, _), (hour, value) = state, item
        if value != value:
            return up, down, False, hour
        up, down = max(0.0, up + value - slack), max(0.0, down - value - slack)
        fired = up > limit or down > limit
        return (0.0, 0.0, True, hour) if fired else (up, down, False, hour)

    states = accumulate(enumerate(z), step, initial=(0.0, 0.0, False, -1))
    return tuple(hour for *_, fired, hour in states if fired)

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
