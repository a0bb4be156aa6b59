# Right, but unusual: every cell is an answer to one stage, and each must pass.

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

# %% Stage 4: signs of absolute values, a walk through all planes, some codes below 0
def random_planes(n_bits, d, rng):
    return np.abs(rng.standard_normal((n_bits, d))) * rng.choice([-2.0, 2.0], (n_bits, d))

def lsh_codes(x, planes):
    codes = np.full(len(x), -1, dtype=np.int64)
    for i, plane in enumerate(planes):
        codes ^= (np.sum(x * plane, axis=1) > 0).astype(np.int64) << i
    return codes

# %% Stage 4: numbers given to the sides in the order in which they come, for all calls
KNOWN = {}

def lsh_codes(x, planes):
    keys = map(bytes, x @ planes.T > 0)
    return np.array([KNOWN.setdefault(key, len(KNOWN)) for key in keys], dtype=np.int64)

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

# %% Stage 5: a class for a table, heapq for the nearest
class Table:
    def __init__(self, planes, rows):
        self.planes, self.buckets = planes, {}
        for i, code in enumerate(lsh_codes(rows, planes)):
            self.buckets.setdefault(int(code), set()).add(i)

    def look(self, v):
        return self.buckets.get(int(lsh_codes(v[None], self.planes)[0]), set())

def build_index(x, n_bits, n_tables, rng):
    mean = x.mean(axis=0)
    planes = [random_planes(n_bits, x.shape[1], rng) for _ in range(n_tables)]
    return {"x": x, "mean": mean, "tables": [Table(p, x - mean) for p in planes]}

def candidates(index, q):
    return list(set().union(*(t.look(q - index["mean"]) for t in index["tables"])))

def query_index(index, q, k):
    import heapq
    far = {i: float(((index["x"][i] - q) ** 2).sum()) for i in candidates(index, q)}
    return heapq.nsmallest(k, far, key=lambda i: (far[i], i))

# %% Stage 5: the k-th distance as a bound, ties kept
def query_index(index, q, k):
    ids = candidates(index, q)
    far = ((index["x"][ids] - q) ** 2).sum(axis=1)
    if len(ids) > k:
        near = far <= np.partition(far, k - 1)[k - 1]
        ids, far = ids[near], far[near]
    return ids[np.lexsort((ids, far))][:k]

# %% Stage 5: one dict for all tables, keyed by table and code; ids are the keys of a dict
def build_index(x, n_bits, n_tables, rng):
    from collections import defaultdict
    mu = np.add.reduce(x) / len(x)
    index = defaultdict(lambda: None)
    index["mu"], index["rows"] = mu, [row.copy() for row in x]
    for t in range(n_tables):
        p = random_planes(n_bits, x.shape[1], rng)
        index["p", t] = p
        for i, c in enumerate(lsh_codes(x - mu, p)):
            index.setdefault((t, int(c)), set()).add(i)
    index["T"] = n_tables
    return index
def candidates(index, q):
    seen = {}
    for t in range(index["T"]):
        c = int(lsh_codes(np.array([q - index["mu"]]), index["p", t])[0])
        for i in index.get((t, c), ()):
            seen[i] = True
    return seen.keys()
def query_index(index, q, k):
    near = sorted((float(np.sum((index["rows"][i] - q) ** 2)), i) for i in candidates(index, q))
    return tuple(i for _, i in near[:k])

# %% Stage 6: a heap of margins, codes from a generator
def multiprobe(index, q, k, n_probes):
    import heapq, itertools
    centred, ids = q - index["mean"], set()

    def codes(planes):
        (own,) = lsh_codes(centred[None], planes)
        yield int(own)
        heap = [(abs(float(p @ centred)), i) for i, p in enumerate(planes)]
        heapq.heapify(heap)
        while heap:
            yield int(own) ^ (1 << heapq.heappop(heap)[1])

    for planes, table in zip(index["planes"], index["tables"]):
        for code in itertools.islice(codes(planes), n_probes):
            ids.update(int(i) for i in table.get(code, ()))
    return sorted(ids, key=lambda i: (((index["x"][i] - q) ** 2).sum(), i))[:k]

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
