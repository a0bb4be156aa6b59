# Right, but unusual: every cell is an answer to one stage, and each must pass.

# %% Stage 1: digitize on the inner edges, Python lists out
def reliability(p, y, n_bins):
    which = np.digitize(p, np.linspace(0, 1, n_bins + 1)[1:-1])
    said, came, many = [], [], []
    for k in np.unique(which):
        said.append(p[which == k].mean())
        came.append(y[which == k].mean())
        many.append(int((which == k).sum()))
    return said, came, many

# %% Stage 1: bins open below, the first one closed
def reliability(probabilities, labels, bins):
    edges = np.linspace(0.0, 1.0, bins + 1)
    rows = []
    for low, high in zip(edges[:-1], edges[1:]):
        inside = (probabilities > low) & (probabilities <= high)
        if low == 0.0:
            inside |= probabilities == 0.0
        if inside.sum() > 0:
            rows.append((probabilities[inside].mean(), labels[inside].mean(), inside.sum()))
    return np.array(rows).T


def expected_calibration_error(probabilities, labels, bins):
    said, came, many = reliability(probabilities, labels, bins)
    return float(many @ np.abs(said - came) / many.sum())

# %% Stage 1: np.histogram with weights, counts as floats
def reliability(p, y, n_bins, eps=0.0):
    n, _ = np.histogram(p, n_bins, (0, 1))
    s, _ = np.histogram(p, n_bins, (0, 1), weights=p)
    h, _ = np.histogram(p, n_bins, (0, 1), weights=y.astype(float))
    ok = n != 0
    return s[ok] / n[ok], h[ok] / n[ok], n[ok].astype(float)

# %% Stage 1: the ECE without reliability: the sums of y - p, bin by bin
def expected_calibration_error(p, y, n_bins):
    total = 0.0
    for k in range(n_bins):
        inside = np.clip(np.floor(p * n_bins), 0, n_bins - 1) == k
        total += abs(np.sum(y[inside] - p[inside]))
    return total / p.size

# %% Stage 1: a dict of lists, one prediction at a time
def reliability(p, y, n_bins):
    from collections import defaultdict
    bins = defaultdict(list)
    for a, b in zip(p.tolist(), y.tolist()):
        bins[min(int(a * n_bins), n_bins - 1)].append((a, b))
    rows = [np.mean(bins[k], axis=0) for k in sorted(bins)]
    return [r[0] for r in rows], [r[1] for r in rows], [len(bins[k]) for k in sorted(bins)]

# %% Stage 2: one vector of parameters, a design matrix, an array out
def fit_platt(logits, y, lr, steps):
    X = np.column_stack([logits, np.ones(len(logits))])
    w = np.array([1.0, 0.0])
    for _ in range(steps):
        w = w - lr * X.T @ (0.5 * (1 + np.tanh(X @ w / 2)) - y) / len(y)
    return w

# %% Stage 2: a sigmoid in two masked halves
def fit_platt(logits, y, lr, steps):
    def sigmoid(t):
        out = np.empty_like(t)
        up = t >= 0
        out[up] = 1 / (1 + np.exp(-t[up]))
        out[~up] = np.exp(t[~up]) / (1 + np.exp(t[~up]))
        return out
    a, b = 1.0, 0.0
    for step in range(steps):
        gap = sigmoid(a * np.asarray(logits, float) + b) - y
        a, b = a - lr * (gap * logits).mean(), b - lr * gap.mean()
    return [a, b]

# %% Stage 2: b moves with the new a; the argument of exp is clipped
def fit_platt(z, t, eta, n):
    a, b = 1.0, 0.0
    for _ in range(n):
        a -= eta * np.mean((1 / (1 + np.exp(-np.clip(a * z + b, -500, 500))) - t) * z)
        b -= eta * np.mean(1 / (1 + np.exp(-np.clip(a * z + b, -500, 500))) - t)
    return a, b

# %% Stage 2: a Python loop over the data
def fit_platt(logits, y, lr, steps):
    a, b = 1.0, 0.0
    data = list(zip(map(float, logits), map(int, y)))
    for _ in range(steps):
        ga = gb = 0.0
        for z, hit in data:
            t = a * z + b
            p = 1 / (1 + math.exp(-t)) if t > 0 else math.exp(t) / (1 + math.exp(t))
            ga += (p - hit) * z
            gb += p - hit
        a -= lr * ga / len(data)
        b -= lr * gb / len(data)
    return a, b

# %% Stage 2: momentum, and logaddexp for the sigmoid
def fit_platt(logits, y, lr, steps):
    w, v = np.array([1.0, 0.0]), np.zeros(2)
    for _ in range(steps):
        t = w[0] * logits + w[1]
        error = np.exp(-np.logaddexp(0, -t)) - y
        v = 0.5 * v - lr * np.array([np.mean(error * logits), np.mean(error)])
        w = w + v
    return float(w[0]), float(w[1])

# %% Stage 2: plain exponential, its warning silenced where it is harmless
def fit_platt(logits, y, lr, steps):
    a, b = 1.0, 0.0
    with np.errstate(over="ignore"):
        for _ in range(steps):
            p = 1 / (1 + np.exp(-(a * logits + b)))
            a, b = a - lr * np.mean((p - y) * logits), b - lr * np.mean(p - y)
    return a, b

# %% Stage 3: the min-max formula
def isotonic(x, y):
    v = np.unique(x)
    s = np.array([np.sum(y[x == u]) for u in v], dtype=float)
    n = np.array([np.sum(x == u) for u in v], dtype=float)
    fit = [max(min(s[i:k + 1].sum() / n[i:k + 1].sum() for k in range(j, len(v)))
               for i in range(j + 1)) for j in range(len(v))]
    return np.array(fit)[np.searchsorted(v, x)]

# %% Stage 3: the slope of the greatest convex minorant
def isotonic(x, y):
    values, inverse, n = np.unique(x, return_inverse=True, return_counts=True)
    total = np.bincount(inverse, weights=np.asarray(y, float))
    px, py = np.r_[0, np.cumsum(n)], np.r_[0, np.cumsum(total)]
    hull = [0]
    for i in range(1, len(px)):
        while len(hull) > 1 and ((py[hull[-1]] - py[hull[-2]]) * (px[i] - px[hull[-1]])
                                 >= (py[i] - py[hull[-1]]) * (px[hull[-1]] - px[hull[-2]])):
            hull.pop()
        hull.append(i)
    fit = np.concatenate([np.full(b - a, (py[b] - py[a]) / (px[b] - px[a]))
                          for a, b in zip(hull, hull[1:])])
    return fit[inverse]

# %% Stage 3: repeated passes over blocks until nothing falls, equal blocks merged too, a list out
def isotonic(x, y):
    groups = {}
    for a, b in zip(x.tolist(), y.tolist()):
        groups.setdefault(a, []).append(b)
    blocks = [[[k], groups[k]] for k in sorted(groups)]
    moved = True
    while moved:
        moved = False
        for i in range(len(blocks) - 1):
            left, right = blocks[i][1], blocks[i + 1][1]
            if sum(left) / len(left) >= sum(right) / len(right):
                blocks[i] = [blocks[i][0] + blocks[i + 1][0], left + right]
                del blocks[i + 1]
                moved = True
                break
    fit = {k: sum(v) / len(v) for keys, v in blocks for k in keys}
    return [fit[a] for a in x.tolist()]

# %% Stage 3: sorted by x with the larger y first, so that ties pool by themselves
def isotonic(x, y):
    order = np.lexsort((-np.asarray(y, float), x))
    stack = []
    for v in np.asarray(y, float)[order]:
        stack.append([v, 1])
        while len(stack) > 1 and stack[-2][0] / stack[-2][1] >= stack[-1][0] / stack[-1][1]:
            s, n = stack.pop()
            stack[-1][0] += s
            stack[-1][1] += n
    flat = np.concatenate([[s / n] * n for s, n in stack])
    out = np.empty(len(x))
    out[order] = flat
    return out

# %% Stage 3: from right to left
def isotonic(x, y):
    u, inv = np.unique(np.asarray(x), return_inverse=True)
    w = np.bincount(inv).astype(float)
    m = np.bincount(inv, weights=y) / w
    todo = []
    for mean, weight in zip(m[::-1], w[::-1]):
        n = 1
        while todo and todo[-1][0] < mean:
            b, c, k = todo.pop()
            mean, weight, n = (mean * weight + b * c) / (weight + c), weight + c, n + k
        todo.append((mean, weight, n))
    return np.array([b for b, _, k in todo[::-1] for _ in range(k)])[inv]

# %% Stage 4: the normal distribution of the standard library
def z_test(conversions_a, n_a, conversions_b, n_b):
    total, users = conversions_a + conversions_b, n_a + n_b
    if total in (0, users):
        return 1
    rate = total / users
    z = (conversions_a / n_a - conversions_b / n_b) / (rate * (1 - rate) * users / n_a / n_b) ** 0.5
    return 2 * NormalDist().cdf(-abs(z))

# %% Stage 4: chi-squared of the two-by-two table, one degree of freedom
def z_test(a, n_a, b, n_b):
    table = np.array([[a, n_a - a], [b, n_b - b]], dtype=float)
    expected = table.sum(1, keepdims=True) * table.sum(0) / table.sum()
    if (expected == 0).any():
        return np.float64(1)
    chi2 = ((table - expected) ** 2 / expected).sum()
    return np.array(math.erfc(math.sqrt(chi2 / 2)))

# %% Stage 4: 1 - erf
def z_test(conversions_a, n_a, conversions_b, n_b):
    p = (conversions_a + conversions_b) / (n_a + n_b)
    se = np.sqrt(p * (1 - p) * (1 / n_a + 1 / n_b))
    if se < 1e-12:
        return 1.0
    return 1 - math.erf(abs(conversions_b / n_b - conversions_a / n_a) / se / 2**0.5)

# %% Stage 4: NaN turned into 1
def z_test(conversions_a, n_a, conversions_b, n_b):
    pool = np.float64(conversions_a + conversions_b) / (n_a + n_b)
    with np.errstate(all="ignore"):
        z = (conversions_b / n_b - conversions_a / n_a) / np.sqrt(pool * (1 - pool) / n_a + pool * (1 - pool) / n_b)
    return 1.0 if np.isnan(z) else 2 * (1 - NormalDist().cdf(abs(z)))

# %% Stage 4: exact fractions until the root
def z_test(conversions_a, n_a, conversions_b, n_b):
    from fractions import Fraction
    pool = Fraction(int(conversions_a) + int(conversions_b), n_a + n_b)
    variance = pool * (1 - pool) * (Fraction(1, n_a) + Fraction(1, n_b))
    gap = Fraction(conversions_b, n_b) - Fraction(conversions_a, n_a)
    return math.erfc(math.sqrt(gap**2 / variance / 2)) if variance else 1.0

# %% Stage 5: run by run, look by look, with z_test
def peeking_rates(n_runs, n_looks, users_per_look, rate, rng):
    some = last = 0
    for _ in range(n_runs):
        a = b = n = 0
        hits = []
        for _ in range(n_looks):
            a += rng.binomial(users_per_look, rate)
            b += rng.binomial(users_per_look, rate)
            n += users_per_look
            hits.append(z_test(a, n, b, n) < 0.05)
        some += any(hits)
        last += hits[-1]
    return some / n_runs, last / n_runs

# %% Stage 5: every user drawn, the sums taken at the looks
def peeking_rates(n_runs, n_looks, users_per_look, rate, rng):
    flags = np.zeros((n_runs, n_looks), bool)
    n = users_per_look * np.arange(1, n_looks + 1)
    for run in range(n_runs):
        seen = rng.random((2, n_looks * users_per_look)) < rate
        a, b = seen.cumsum(axis=1)[:, n - 1] / n
        pool = (a + b) / 2
        spread = np.sqrt(2 * pool * (1 - pool) / n)
        z = np.divide(a - b, spread, out=np.zeros(n_looks), where=spread > 0)
        flags[run] = np.abs(z) > 1.96
    return flags.any(1).mean(), flags[:, -1].mean()

# %% Stage 5: one look of all runs at a time, p-values by erfc, an array out
def peeking_rates(n_runs, n_looks, users_per_look, rate, rng):
    erfc = np.vectorize(math.erfc, otypes=[float])
    a, b = np.zeros(n_runs), np.zeros(n_runs)
    ever = np.zeros(n_runs, dtype=bool)
    for look in range(1, n_looks + 1):
        a += rng.binomial(users_per_look, rate, n_runs)
        b += rng.binomial(users_per_look, rate, n_runs)
        n = look * users_per_look
        pool = (a + b) / (2 * n)
        with np.errstate(all="ignore"):
            p = erfc(np.abs(a - b) / n / np.sqrt(pool * (1 - pool) * 2 / n) / math.sqrt(2))
        now = np.nan_to_num(p, nan=1.0) < 0.05
        ever |= now
    return np.array([ever.mean(), now.mean()])

# %% Stage 5: counts along the first axis, squared z against 3.8415
def peeking_rates(runs, looks, users, rate, rng):
    a = np.cumsum(rng.binomial(users, rate, (looks, runs)), axis=0)
    b = np.cumsum(rng.binomial(users, rate, (looks, runs)), axis=0)
    n = users * np.arange(1, looks + 1)[:, None]
    s = a + b
    hit = (a - b) ** 2 * 2 * n > 3.841458820694124 * s * (2 * n - s)
    return hit.any(axis=0).sum() / runs, hit[-1].sum() / runs

# %% Stage 5: a generator of its own for each run, spawned from the one given
def peeking_rates(n_runs, n_looks, users_per_look, rate, rng):
    seeds = rng.integers(0, 2**63, size=n_runs)
    out = []
    for seed in seeds:
        own = np.random.default_rng(seed)
        a = own.binomial(users_per_look, rate, n_looks).cumsum()
        b = own.binomial(users_per_look, rate, n_looks).cumsum()
        out.append([z_test(int(x), users_per_look * k, int(y), users_per_look * k) < 0.05
                    for k, (x, y) in enumerate(zip(a, b), 1)])
    return np.mean([any(r) for r in out]), np.mean([r[-1] for r in out])

# %% Stage 6: polyfit for the slope, users picked by index
def cuped(y, x, treatment):
    theta = 0.0 if np.allclose(x, x[0], rtol=1e-12, atol=0) else np.polyfit(x, y, 1)[0]
    z = y - theta * (x - x.mean())
    t, c = z[np.flatnonzero(treatment)], z[np.flatnonzero(np.logical_not(treatment))]
    return t.mean() - c.mean(), np.sqrt(t.var(ddof=1) / t.size + c.var(ddof=1) / c.size), theta

# %% Stage 6: not centred at all, which one theta forgives
def cuped(y, x, treatment):
    c = np.cov(y, x)
    theta = c[0, 1] / c[1, 1] if c[1, 1] > 1e-20 else 0
    arms = {arm: [b - theta * a for a, b, t in zip(x, y, treatment) if t == arm] for arm in (0, 1)}
    var = {arm: np.var(v, ddof=1) / len(v) for arm, v in arms.items()}
    return [np.mean(arms[1]) - np.mean(arms[0]), (var[0] + var[1]) ** 0.5, theta]

# %% Stage 6: the statistics module, lists only
def cuped(y, x, treatment):
    import statistics as st
    y, x, t = [float(v) for v in y], [float(v) for v in x], [bool(v) for v in treatment]
    theta = 0.0 if max(x) == min(x) else st.covariance(y, x) / st.variance(x)
    mean = st.fmean(x)
    one = [b - theta * (a - mean) for a, b, f in zip(x, y, t) if f]
    two = [b - theta * (a - mean) for a, b, f in zip(x, y, t) if not f]
    error = math.sqrt(st.variance(one) / len(one) + st.variance(two) / len(two))
    return st.fmean(one) - st.fmean(two), error, theta

# %% Stage 6: theta from the control arm alone
def cuped(y, x, treatment):
    control = np.asarray(treatment) == 0
    if np.ptp(x) < 1e-12:
        theta = 0.0
    else:
        theta = np.cov(y[control], x[control])[0, 1] / np.var(x[control], ddof=1)
    adjusted = y - theta * (x - x.mean())
    t, c = adjusted[~control], adjusted[control]
    return t.mean() - c.mean(), np.sqrt(t.var(ddof=1) / len(t) + c.var(ddof=1) / len(c)), theta

# %% Stage 6: differences first, then one correction of the effect
def cuped(y, x, treatment):
    t = np.asarray(treatment).astype(bool)
    dx, dy = x - x.mean(), y - y.mean()
    theta = dx @ dy / (dx @ dx) if dx @ dx > 1e-18 * len(x) else 0.0
    effect = (y[t].mean() - y[~t].mean()) - theta * (x[t].mean() - x[~t].mean())
    v = lambda m: (y[m].var(ddof=1) - 2 * theta * np.cov(y[m], x[m])[0, 1] + theta**2 * x[m].var(ddof=1)) / m.sum()
    return effect, np.sqrt(v(t) + v(~t)), theta

# %% Stage 7: numerical integration, no draws
def pocock_boundary(n_looks, alpha=0.05, rng=None):
    def survive(c):
        g = np.linspace(-c, c, 241)
        w = np.full(241, g[1] - g[0])
        w[[0, -1]] /= 2
        s, f = g, np.exp(-g**2 / 2) / np.sqrt(2 * np.pi)
        for k in range(2, n_looks + 1):
            step = np.exp(-(np.sqrt(k) * g[:, None] - s) ** 2 / 2) / np.sqrt(2 * np.pi)
            s, f = np.sqrt(k) * g, step @ (f * w * np.sqrt(k - 1))
        return np.sum(f * w) * np.sqrt(n_looks)
    low, high = 0.1, 5.0
    for _ in range(40):
        mid = (low + high) / 2
        low, high = (mid, high) if survive(mid) < 1 - alpha else (low, mid)
    return low

# %% Stage 7: bisection on the share of runs that cross
def pocock_boundary(n_looks, alpha=0.05, rng=None):
    rng = rng or np.random.default_rng(12)
    z = rng.normal(size=(60_000, n_looks)).cumsum(1) / np.arange(1, n_looks + 1) ** 0.5
    peak = np.abs(z).max(1)
    low, high = 0.0, 6.0
    while high - low > 1e-4:
        mid = (low + high) / 2
        if (peak > mid).mean() > alpha:
            low = mid
        else:
            high = mid
    return high

# %% Stage 7: look by look, one running maximum, the sorted peak
def pocock_boundary(n_looks, alpha=0.05, rng=None):
    rng = np.random.default_rng(rng)
    walk, peak = np.zeros(80_000), np.zeros(80_000)
    for k in range(1, n_looks + 1):
        walk += rng.standard_normal(80_000)
        peak = np.maximum(peak, np.abs(walk) / math.sqrt(k))
    return np.sort(peak)[int((1 - alpha) * 80_000)]

# %% Stage 7: two arms of normal data, one-sided quantile of z squared
def pocock_boundary(looks, level=0.05, generator=None):
    g = generator if generator is not None else np.random.default_rng(3)
    a = np.cumsum(g.normal(5, 2, (50_000, looks)), axis=1)
    b = np.cumsum(g.normal(5, 2, (50_000, looks)), axis=1)
    z2 = (a - b) ** 2 / (8 * np.arange(1, looks + 1))
    return float(np.sqrt(np.percentile(z2.max(axis=1), 100 * (1 - level))))

# %% Stage 7: every chunk of runs on its own, the quantiles averaged
def pocock_boundary(n_looks, alpha=0.05, rng=None):
    if rng is None:
        rng = np.random.default_rng()
    found = []
    for _ in range(20):
        z = np.array([rng.standard_normal(5000) for _ in range(n_looks)]).cumsum(axis=0)
        z /= np.sqrt(np.arange(1, n_looks + 1))[:, None]
        found.append(np.quantile(np.max(np.abs(z), axis=0), 1 - alpha))
    return np.mean(found)
