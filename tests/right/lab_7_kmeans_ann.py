# Right, but unusual: every cell is an answer to one stage, and each must pass.

# %% Stage 1: loops and lists
def squared_distances(x, centres):
    return [[sum((float(a) - float(b)) ** 2 for a, b in zip(row, c)) for c in centres] for row in x]

def assign(x, centres):
    return [min(range(len(centres)), key=row.__getitem__) for row in squared_distances(x, centres)]

def update(x, labels, centres):
    out = []
    for j, c in enumerate(centres):
        mine = [row for row, label in zip(x, labels) if label == j]
        out.append([sum(column) / len(mine) for column in zip(*mine)] if mine else list(c))
    return np.array(out)

def inertia(x, centres, labels):
    return sum(sum((row - centres[j]) ** 2) for row, j in zip(x, labels))

def kmeans(x, centres, max_iter):
    history, labels = [], assign(x, centres)
    while len(history) < max_iter:
        centres = update(x, labels, centres)
        labels = assign(x, centres)
        history.append(inertia(x, centres, labels))
    return [centres, labels, history]

# %% Stage 1: the expansion about the mean of the rows, clipped
def squared_distances(x, centres):
    origin = x.mean(axis=0)
    a, b = x - origin, centres - origin
    return np.maximum((a * a).sum(1)[:, None] - 2 * a @ b.T + (b * b).sum(1), 0)

# %% Stage 1: einsum, one centre at a time
def squared_distances(x, centres):
    out = np.empty((len(x), len(centres)))
    for j, c in enumerate(centres):
        out[:, j] = np.einsum("nd,nd->n", x - c, x - c)
    return out

# %% Stage 1: norms; the nearest by a root
def squared_distances(x, centres):
    return np.linalg.norm(x[:, None, :] - centres[None, :, :], axis=2) ** 2

def assign(points, c):
    return np.argmin(np.linalg.norm(points[:, None] - c[None], axis=-1), axis=-1).astype(np.int32)

# %% Stage 1: a one-hot matrix, the inertia as a 0-d array
def update(x, labels, centres):
    hot = np.eye(len(centres))[labels]
    count = hot.sum(axis=0)[:, None]
    return np.where(count > 0, hot.T @ x / np.maximum(count, 1), centres)

def inertia(x, centres, labels):
    return np.asarray(np.square(np.linalg.norm(x - centres[labels], axis=1)).sum())

# %% Stage 1: add.at, and a loop that stops when no centre moves
def update(x, labels, centres):
    total, count = np.zeros_like(centres), np.zeros(len(centres))
    np.add.at(total, labels, x)
    np.add.at(count, labels, 1)
    out = np.array(centres)
    out[count > 0] = total[count > 0] / count[count > 0, None]
    return out

def kmeans(x, centres, max_iter, tol=0.0):
    history = np.empty(0)
    for _ in range(max_iter):
        new = update(x, assign(x, centres), centres)
        moved = np.abs(new - centres).max()
        centres = new
        history = np.append(history, inertia(x, centres, assign(x, centres)))
        if moved <= tol:
            break
    return centres, assign(x, centres), history

# %% Stage 1: bincount; stops when the inertia no longer falls
def update(x, labels, centres):
    n = np.bincount(labels, minlength=len(centres))
    cols = [np.bincount(labels, weights=col, minlength=len(centres)) for col in x.T]
    with np.errstate(all="ignore"):
        new = np.stack(cols, axis=1) / n[:, None]
    new[n == 0] = centres[n == 0]
    return new

def kmeans(x, centres, max_iter):
    history = []
    labels = assign(x, centres)
    for step in range(max_iter):
        centres = update(x, labels, centres)
        labels = assign(x, centres)
        history.append(inertia(x, centres, labels))
        if step and history[-2] - history[-1] < 1e-9:
            break
    return centres, labels, np.array(history)

# %% Stage 1: sorted by label, reduceat; a recursion over the updates
def update(x, labels, centres):
    order = np.argsort(labels, kind="stable")
    ids, starts, counts = np.unique(np.asarray(labels)[order], return_index=True, return_counts=True)
    out = np.array(centres, dtype=float)
    out[ids] = np.add.reduceat(x[order], starts, axis=0) / counts[:, None]
    return out

def kmeans(x, centres, max_iter):
    def go(c, labels, left, history):
        if not left:
            return c, labels, history
        c = update(x, labels, c)
        new = assign(x, c)
        history = (*history, inertia(x, c, new))
        return (c, new, history) if (new == labels).all() else go(c, new, left - 1, history)
    return go(np.array(centres), assign(x, centres), max_iter, ())

# %% Stage 1: squares about the first centre, a running best, labels in one byte
def squared_distances(x, centres):
    a, b = x - centres[0], centres - centres[0]
    return ((a**2).sum(1, keepdims=True) + (b**2).sum(1) - 2 * np.einsum("nd,kd->nk", a, b)).clip(0)

def assign(x, centres):
    out, best = np.zeros(len(x), dtype=np.uint8), np.full(len(x), np.inf)
    for j, c in enumerate(centres):
        d = ((x - c) ** 2).sum(1)
        out[d < best] = j
        best = np.minimum(best, d)
    return out

# %% Stage 1: stops once np.allclose sees no centre move
def kmeans(x, centres, max_iter):
    history = []
    for _ in range(max_iter):
        moved = update(x, assign(x, centres), centres)
        still, centres = np.allclose(moved, centres), moved
        labels = assign(x, centres)
        history.append(inertia(x, centres, labels))
        if still:
            break
    return centres, labels, history

# %% Stage 2: Python's own generator, seeded by rng
def kmeans_plus_plus(x, k, rng):
    import random
    if k > len(x):
        raise ValueError
    own = random.Random(int(rng.integers(2**62)))
    rows = [own.randrange(len(x))]
    while len(rows) < k:
        w = squared_distances(x, x[rows]).min(1).tolist()
        rows.append(own.choices(range(len(x)), weights=w)[0] if sum(w) else own.randrange(len(x)))
    return x[rows]

# %% Stage 2: a recursion
def kmeans_plus_plus(x, k, rng):
    if k > len(x):
        raise ValueError
    if k == 1:
        return x[rng.integers(len(x))][None]
    head = kmeans_plus_plus(x, k - 1, rng)
    w = squared_distances(x, head).min(axis=1)
    return np.vstack([head, x[rng.choice(len(x), p=w / w.sum()) if w.any() else 0]])

# %% Stage 2: a running minimum and the cumulative sum
def kmeans_plus_plus(x, k, rng):
    n = len(x)
    if n < k:
        raise ValueError("k > N")
    out = [x[int(rng.random() * n)]]
    d2 = np.full(n, np.inf)
    for _ in range(k - 1):
        d2 = np.minimum(d2, ((x - out[-1]) ** 2).sum(1))
        cum = np.cumsum(d2)
        i = np.searchsorted(cum, rng.random() * cum[-1], side="right")
        out.append(x[min(i, n - 1)])
    return np.vstack(out)

# %% Stage 2: a race of exponential clocks
def kmeans_plus_plus(x, k, rng):
    if k > x.shape[0]:
        raise ValueError
    centres = x[[rng.choice(len(x))]]
    for _ in range(1, k):
        rate = np.min([((x - c) ** 2).sum(axis=1) for c in centres], axis=0)
        rate = rate if rate.any() else np.ones(len(x))
        with np.errstate(divide="ignore"):
            clock = rng.exponential(size=len(x)) / rate
        centres = np.concatenate([centres, x[[int(clock.argmin())]]])
    return centres

# %% Stage 2: multinomial, a permutation for the first
def kmeans_plus_plus(x, k, rng):
    if not k <= len(x):
        raise ValueError(k)
    picked = [rng.permutation(len(x))[0]]
    for _ in range(k - 1):
        w = squared_distances(x, x[picked]).min(axis=1)
        w = np.ones(len(x)) if w.max() == 0 else w
        picked.append(int(rng.multinomial(1, w / w.sum()).argmax()))
    return x[np.array(picked)]

# %% Stage 2: Gumbel noise on the log
def kmeans_plus_plus(x, k, rng):
    if k > len(x):
        raise ValueError("too many")
    chosen = [int(rng.integers(0, len(x)))]
    for _ in range(k - 1):
        d2 = squared_distances(x, x[chosen]).min(axis=1)
        with np.errstate(divide="ignore"):
            chosen.append(int(np.argmax(np.log(d2) + rng.gumbel(size=len(x)))))
    return [list(x[i]) for i in chosen]

# %% Stage 2: rejection
def kmeans_plus_plus(x, k, rng):
    if k > len(x):
        raise ValueError("k")
    c = [rng.choice(x)]
    while len(c) < k:
        d2 = np.array([min(((r - o) ** 2).sum() for o in c) for r in x])
        if not d2.max():
            c.append(x[-1])
            continue
        while True:
            i = rng.integers(len(x))
            if rng.uniform(0, d2.max()) < d2[i]:
                c.append(x[i])
                break
    return np.array(c)

# %% Stage 3: loops and a list
def elbow(x, ks, rng, restarts=5):
    out = []
    for k in ks:
        best = float("inf")
        for _ in range(restarts):
            centres, labels, _ = kmeans(x, kmeans_plus_plus(x, k, rng), 300)
            best = min(best, inertia(x, centres, labels))
        out.append(best)
    return out

# %% Stage 3: the restarts outside, a table of runs
def elbow(x, ks, rng, restarts=5):
    runs = [[kmeans(x, kmeans_plus_plus(x, k, rng), 100)[2][-1] for k in ks] for _ in range(restarts)]
    return np.min(runs, axis=0)

# %% Stage 3: the first k of one longer draw
def elbow(x, ks, rng, restarts=5):
    best = np.full(len(ks), np.inf)
    for _ in range(restarts):
        start = kmeans_plus_plus(x, max(ks), rng)
        for at, k in enumerate(ks):
            best[at] = min(best[at], kmeans(x, start[:k], 1000)[2][-1])
    return best

# %% Stage 3: a seed for each run, drawn first; a tuple
def elbow(x, ks, rng, restarts=5):
    def end(k, seed):
        return kmeans(x, kmeans_plus_plus(x, k, np.random.default_rng(seed)), 100)[2][-1]
    seeds = rng.integers(2**31, size=(len(ks), restarts))
    return tuple(min(end(k, seed) for seed in row) for k, row in zip(ks, seeds))

# %% Stage 3: a loop of its own, until the labels settle
def elbow(x, ks, rng, restarts=5):
    out = np.full(len(ks), np.inf)
    for _ in range(restarts):
        for at, k in enumerate(ks):
            centres, before = kmeans_plus_plus(x, k, rng), None
            while not np.array_equal(before, labels := assign(x, centres)):
                centres, before = update(x, labels, centres), labels
            out[at] = min(out[at], inertia(x, centres, labels))
    return out

# %% Stage 3: the inertia recomputed, sorted runs, its own generators
def elbow(points, numbers, rng, restarts=5):
    def one(k, child):
        centres, *_ = kmeans(points, kmeans_plus_plus(points, k, child), 200)
        return squared_distances(points, centres).min(axis=1).sum()
    return np.fromiter((sorted(one(int(k), c) for c in rng.spawn(restarts))[0] for k in numbers), float)
