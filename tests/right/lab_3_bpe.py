# Right, but unusual: every cell is an answer to one stage, and each must pass.

# %% Stage 1: pairwise, a Counter
def pair_counts(ids):
    from itertools import pairwise
    return Counter(pairwise(ids))

# %% Stage 1: a defaultdict, by index
def pair_counts(ids):
    out = defaultdict(int)
    for i in range(1, len(ids)):
        out[ids[i - 1], ids[i]] += 1
    return out

# %% Stage 1: counting each pair again, slow
def pair_counts(ids):
    pairs = [(a, b) for a, b in zip(ids, ids[1:])]
    return {p: pairs.count(p) for p in pairs}

# %% Stage 1: a dict with get, tuples built by hand
def pair_counts(ids):
    counts, before = {}, None
    for n in ids:
        if before is not None:
            counts[(before, n)] = counts.get((before, n), 0) + 1
        before = n
    return counts

# %% Stage 1: sorted runs, grouped
def pair_counts(sequence):
    from itertools import groupby
    pairs = sorted((sequence[k], sequence[k + 1]) for k in range(len(sequence) - 1))
    return {pair: len(list(run)) for pair, run in groupby(pairs)}

# %% Stage 1: recursion by halves, a pair named in a NamedTuple
def pair_counts(ids, start=0, stop=None):
    from typing import NamedTuple
    Pair = NamedTuple("Pair", [("left", int), ("right", int)])
    stop = len(ids) if stop is None else stop
    if stop - start < 2:
        return {}
    if stop - start == 2:
        return {Pair(ids[start], ids[start + 1]): 1}
    middle = (start + stop) // 2
    total = pair_counts(ids, start, middle + 1)
    for pair, n in pair_counts(ids, middle, stop).items():
        total[pair] = total.get(pair, 0) + n
    return total

# %% Stage 1: the loop that most tutorials have, with an optional dict to add to
def pair_counts(ids, counts=None):
    counts = {} if counts is None else counts
    for pair in zip(ids, ids[1:]):
        counts[pair] = counts.get(pair, 0) + 1
    return counts

# %% Stage 2: look back at what was written
def merge(ids, pair, new_id):
    out = []
    for i in ids:
        out.append(i)
        if len(out) > 1 and (out[-2], out[-1]) == tuple(pair):
            out[-2:] = [new_id]
    return out

# %% Stage 2: recursion
def merge(ids, pair, new_id):
    if len(ids) < 2:
        return list(ids)
    if (ids[0], ids[1]) == pair:
        return [new_id] + merge(ids[2:], pair, new_id)
    return [ids[0]] + merge(ids[1:], pair, new_id)

# %% Stage 2: other parameter names, an iterator that skips
def merge(a, b, c):
    it, out = iter(range(len(a))), []
    for i in it:
        hit = i + 1 < len(a) and (a[i], a[i + 1]) == b
        out.append(c if hit else a[i])
        if hit:
            next(it)
    return out

# %% Stage 2: the loop that most tutorials have
def merge(ids, pair, idx):
    newids = []
    i = 0
    while i < len(ids):
        if i < len(ids) - 1 and ids[i] == pair[0] and ids[i + 1] == pair[1]:
            newids.append(idx)
            i += 2
        else:
            newids.append(ids[i])
            i += 1
    return newids

# %% Stage 2: a copy that shrinks where the pair stands
def merge(ids, pair, new_id):
    out, at = list(ids), 0
    while at < len(out) - 1:
        if out[at] == pair[0] and out[at + 1] == pair[1]:
            out[at : at + 2] = [new_id]
        at += 1
    return out

# %% Stage 2: characters of a private string, and str.replace
def merge(ids, pair, new_id):
    text = "".join(map(chr, ids)).replace(chr(pair[0]) + chr(pair[1]), chr(new_id))
    return [ord(letter) for letter in text]

# %% Stage 2: a generator with one id held back
def merge(ids, pair, new_id):
    def walk():
        held = None
        for n in ids:
            if held is None:
                held = n
            elif (held, n) == pair:
                yield new_id
                held = None
            else:
                yield held
                held = n
        if held is not None:
            yield held
    return list(walk())

# %% Stage 2: marks first, then builds
def merge(ids, pair, new_id):
    left, right = pair
    dead = [False] * len(ids)
    for i in range(len(ids) - 1):
        if not dead[i] and ids[i] == left and ids[i + 1] == right:
            dead[i + 1] = True
    return [new_id if i + 1 < len(ids) and dead[i + 1] else ids[i]
            for i in range(len(ids)) if not dead[i]]

# %% Stage 3: Counter in place of pair_counts, ties by sorting
def train(data, n_merges):
    ids, out = list(data), []
    while len(out) < n_merges:
        c = Counter(zip(ids, ids[1:]))
        if not c or max(c.values()) < 2:
            return out
        p = max(sorted(c), key=lambda q: c[q])
        ids = merge(ids, p, 256 + len(out))
        out.append(p)
    return out

# %% Stage 3: ties to the larger pair
def train(data, n_merges):
    ids, out = list(data), []
    for new in range(256, 256 + n_merges):
        best = pair_counts(ids).items()
        best = [(n, p) for p, n in best if n > 1]
        if not best:
            break
        out.append(max(best)[1])
        ids = merge(ids, out[-1], new)
    return out

# %% Stage 3: recursion
def train(data, n_merges):
    def step(ids, left, new):
        c = pair_counts(ids)
        if not left or not c or max(c.values()) == 1:
            return []
        p = min(c, key=lambda q: (-c[q], q))
        return [p, *step(merge(ids, p, new), left - 1, new + 1)]
    return step(list(data), n_merges, 256)

# %% Stage 3: the loop that most tutorials have, stopped early
def train(data, num_merges):
    ids = list(data)
    merges = {}
    for i in range(num_merges):
        stats = pair_counts(ids)
        if not stats:
            break
        pair = max(stats, key=stats.get)
        if stats[pair] == 1:
            break
        merges[pair] = 256 + i
        ids = merge(ids, pair, 256 + i)
    return list(merges)

# %% Stage 3: ties to the pair of the longest, then smallest bytes
def train(data, n_merges):
    ids, merges = list(data), []
    token = {i: bytes([i]) for i in range(256)}
    while len(merges) < n_merges:
        counts = {p: n for p, n in pair_counts(ids).items() if n >= 2}
        if not counts:
            break
        pair = min(counts, key=lambda p: (-counts[p], -len(token[p[0]] + token[p[1]]), token[p[0]], token[p[1]]))
        new = 256 + len(merges)
        token[new] = token[pair[0]] + token[pair[1]]
        ids = merge(ids, pair, new)
        merges.append(pair)
    return merges

# %% Stage 3: counts mended as the merge goes, no helper at all
def train(data, n_merges):
    ids, merges = list(data), []
    for new in range(256, 256 + n_merges):
        counts = {}
        for i in range(len(ids) - 1):
            counts[ids[i], ids[i + 1]] = counts.get((ids[i], ids[i + 1]), 0) + 1
        best, most = None, 1
        for pair, n in counts.items():
            if n > most:
                best, most = pair, n
        if best is None:
            return merges
        merges.append(best)
        out, i = [], 0
        while i < len(ids):
            hit = ids[i : i + 2] == list(best)
            out.append(new if hit else ids[i])
            i += 1 + hit
        ids = out
    return merges

# %% Stage 3: tuples in a set, whose hash no seed touches; a tuple subclass comes back
def train(data, n_merges):
    from collections import namedtuple
    Merge = namedtuple("Merge", "left right")
    ids, merges = [int(b) for b in data], []
    for k in range(n_merges):
        neighbours = list(zip(ids, ids[1:]))
        pairs = set(neighbours)
        pair = max(pairs, key=neighbours.count, default=None)
        if pair is None or neighbours.count(pair) < 2:
            break
        ids = merge(ids, pair, 256 + k)
        merges.append(Merge(*pair))
    return merges
