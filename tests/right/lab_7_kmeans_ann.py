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

# %% Stage 3: the inertia recomputed, sorted runs, its own generators
def elbow(points, numbers, rng, restarts=5):
    def one(k, child):
        centres, *_ = kmeans(points, kmeans_plus_plus(points, k, child), 200)
        return squared_distances(points, centres).min(axis=1).sum()
    return np.fromiter((sorted(one(int(k), c) for c in rng.spawn(restarts))[0] for k in numbers), float)

# %% Stage 4: unit rows, one plane at a time, the highest bit first, on a plane counts as above
def random_planes(n_bits, d, rng):
    planes = np.array([rng.normal(size=d) for _ in range(n_bits)])
    return planes / np.linalg.norm(planes, axis=1, keepdims=True)

def lsh_codes(x, planes):
    codes = np.zeros(len(x), dtype=np.int64)
    for plane in planes:
        codes = 2 * codes + (x @ plane >= 0)
    return codes

# %% Stage 4: Box and Muller, Python integers in a list
def random_planes(n_bits, d, rng):
    u, v = 1 - rng.random((n_bits, d)), rng.random((n_bits, d))
    return np.sqrt(-2 * np.log(u)) * np.cos(2 * np.pi * v)

def lsh_codes(x, planes):
    return [sum(1 << i for i, p in enumerate(planes) if float(np.dot(p, r)) < 0) for r in x]

# %% Stage 4: float32 planes, other lengths, shifts and or
def random_planes(n_bits, d, rng):
    return (rng.standard_normal((n_bits, d)) * rng.uniform(0.5, 9, (n_bits, 1))).astype(np.float32)

def lsh_codes(x, planes):
    bits = (x @ planes.T > 0).astype(np.int64)
    return np.bitwise_or.reduce(bits << np.arange(bits.shape[1], dtype=np.int64), axis=1)

# %% Stage 4: multivariate normal, signs times powers
def random_planes(n_bits, d, rng):
    return rng.multivariate_normal(np.zeros(d), np.eye(d), size=n_bits)

def lsh_codes(x, planes):
    signs = np.where(np.einsum("nd,bd->nb", x, planes) > 0, 1, -1).astype(np.int64)
    return (signs * 2 ** np.arange(len(planes), dtype=np.int64)).sum(axis=1)

# %% Stage 4: packed bytes, viewed as int64
def lsh_codes(x, planes):
    bits = np.zeros((len(x), 64), dtype=np.uint8)
    bits[:, : len(planes)] = x @ planes.T > 0
    return np.packbits(bits, axis=1, bitorder="little").view("<i8")[:, 0].astype(np.int64)

# %% Stage 4: text in base 2
def lsh_codes(x, planes):
    return np.array([int("".join("01"[int(s)] for s in row), 2) for row in x @ planes.T > 0])

# %% Stage 5: dicts of lists, sets, a ranking by sorted
def build_index(x, n_bits, n_tables, rng):
    mu = np.mean(x, axis=0)
    tables = []
    for _ in range(n_tables):
        planes, buckets = random_planes(n_bits, x.shape[1], rng), {}
        for i, code in enumerate(lsh_codes(x - mu, planes)):
            buckets.setdefault(int(code), []).append(i)
        tables.append((planes, buckets))
    return dict(mu=mu, tables=tables, rows=x.copy())

def candidates(index, q):
    ids = set()
    for planes, buckets in index["tables"]:
        ids |= set(buckets.get(int(lsh_codes((q - index["mu"]).reshape(1, -1), planes)[0]), []))
    return ids

def query_index(index, q, k):
    ids = candidates(index, q)
    return sorted(ids, key=lambda i: (float(np.sum((index["rows"][i] - q) ** 2)), i))[:k]

# %% Stage 5: one matrix of planes, a matrix of codes, no buckets
def build_index(x, n_bits, n_tables, rng):
    mean = x.mean(axis=0)
    planes = random_planes(n_bits * n_tables, x.shape[1], rng).reshape(n_tables, n_bits, -1)
    codes = np.stack([lsh_codes(x - mean, p) for p in planes])
    return {"mean": mean, "planes": planes, "codes": codes, "x": x}

def candidates(index, q):
    mine = np.array([lsh_codes((q - index["mean"])[None], p)[0] for p in index["planes"]])
    return np.flatnonzero((index["codes"] == mine[:, None]).any(axis=0))

def query_index(index, q, k):
    ids = candidates(index, q)
    near = np.linalg.norm(index["x"][ids] - q, axis=1)
    return ids[np.lexsort((ids, near))][:k]

# %% Stage 5: tuples of bits as keys, unit planes, an OrderedDict, largest id first
def build_index(x, n_bits, n_tables, rng):
    from collections import OrderedDict
    centre = x.sum(axis=0) / len(x)
    index = OrderedDict(centre=centre, data=np.array(x), parts=[])
    for _ in range(n_tables):
        planes = rng.normal(size=(n_bits, x.shape[1]))
        planes /= np.linalg.norm(planes, axis=1)[:, None]
        part = {}
        for i, row in enumerate(x):
            part.setdefault(tuple(planes @ (row - centre) > 0), []).append(i)
        index["parts"].append((planes, part))
    return index

def candidates(index, q):
    found = []
    for planes, part in index["parts"]:
        found += part.get(tuple(planes @ (q - index["centre"]) > 0), [])
    return sorted(set(found), reverse=True)

def query_index(index, q, k):
    pairs = sorted((((index["data"][i] - q) ** 2).sum(), i) for i in candidates(index, q))
    return np.array([i for _, i in pairs[:k]], dtype=np.int32)

# %% Stage 5: sorted codes and searchsorted, children of the rng
def build_index(x, n_bits, n_tables, rng):
    mean, tables = x.mean(0), []
    for child in rng.spawn(n_tables):
        planes = random_planes(n_bits, x.shape[1], child)
        codes = np.asarray(lsh_codes(x - mean, planes))
        order = codes.argsort(kind="stable")
        tables.append((planes, codes[order], order))
    return {0: x, 1: mean, 2: tables}

def candidates(index, q):
    hit = np.zeros(len(index[0]), dtype=bool)
    for planes, codes, order in index[2]:
        code = lsh_codes(q[None] - index[1], planes)
        a, b = np.searchsorted(codes, code[0], "left"), np.searchsorted(codes, code[0], "right")
        hit[order[a:b]] = True
    return np.nonzero(hit)[0]

def query_index(index, q, k):
    ids = candidates(index, q)
    d = squared_distances(index[0], q[None])[:, 0]
    return [int(i) for i in ids[np.argsort(d[ids], kind="stable")]][:k]

# %% Stage 5: closures in the dict
def build_index(x, n_bits, n_tables, rng):
    mean = x.mean(axis=0)
    planes = [random_planes(n_bits, len(mean), rng) for _ in range(n_tables)]
    codes = [lsh_codes(x - mean, p) for p in planes]

    def look(q):
        same = [c == lsh_codes((q - mean)[None], p) for c, p in zip(codes, planes)]
        return np.flatnonzero(np.logical_or.reduce(same))

    return {"look": look, "far": lambda ids, q: ((x[ids] - q) ** 2).sum(1)}

def candidates(index, q):
    return index["look"](q)

def query_index(index, q, k):
    ids = index["look"](q)
    return ids[index["far"](ids, q).argsort(kind="stable")[:k]]

# %% Stage 6: raw projections as margins, sets, sorted
def multiprobe(index, q, k, n_probes):
    ids = set()
    for planes, table in zip(index["planes"], index["tables"]):
        p = planes @ (q - index["mean"])
        own = int(lsh_codes((q - index["mean"])[None], planes)[0])
        flips = sorted(range(len(p)), key=lambda i: abs(p[i]))[: n_probes - 1]
        for code in [own] + [own ^ (1 << i) for i in flips]:
            ids |= set(np.asarray(table.get(code, [])).tolist())
    far = {i: ((index["x"][i] - q) ** 2).sum() for i in ids}
    return sorted(ids, key=lambda i: (far[i], i))[:k]

# %% Stage 6: reflect the query in the plane, and hash it again
def multiprobe(index, q, k, n_probes):
    c, found = q - index["mean"], []
    for planes, table in zip(index["planes"], index["tables"]):
        bits = planes @ c > 0
        margin = np.abs(planes @ c) / np.sqrt((planes**2).sum(1))
        rows = np.repeat(bits[None], n_probes, axis=0)
        for probe, bit in enumerate(np.argsort(margin)[: n_probes - 1], 1):
            rows[probe, bit] ^= True
        for row in rows:
            code = sum(1 << i for i, b in enumerate(row) if b)
            found.extend(table.get(code, ()))
    ids = np.array(sorted(set(map(int, found))), dtype=int)
    d = np.linalg.norm(index["x"][ids] - q, axis=1)
    return ids[np.argsort(d, kind="stable")][:k].tolist()

# %% Stage 6: codes of all rows, Hamming distance by XOR
def multiprobe(index, q, k, n_probes):
    x, c = index["x"], q - index["mean"]
    hit = np.zeros(len(x), dtype=bool)
    for planes in index["planes"]:
        codes, (own,) = lsh_codes(x - index["mean"], planes), lsh_codes(c[None], planes)
        order = np.abs(planes @ c).argsort()[: n_probes - 1]
        allowed = {0, *(1 << int(i) for i in order)}
        hit |= np.array([int(d) in allowed for d in codes ^ own])
    ids = hit.nonzero()[0]
    return ids[squared_distances(x[ids], q[None]).ravel().argsort(kind="stable")[:k]]

# %% Stage 6: a loop over probes outside the loop over tables
def multiprobe(index, q, k, n_probes=2, ordered=True):
    c = q - index["mean"]
    rank = [np.argsort(np.abs(p @ c) / np.linalg.norm(p, axis=1)) for p in index["planes"]]
    best = {}
    for probe in range(n_probes):
        for planes, table, nearest in zip(index["planes"], index["tables"], rank):
            code = int(lsh_codes(c[None], planes)[0])
            if probe:
                code ^= 1 << int(nearest[probe - 1])
            for i in table.get(code, []):
                best[int(i)] = float(((index["x"][i] - q) ** 2).sum())
    return [i for _, i in sorted((d, i) for i, d in best.items())][:k]
