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

# %% Stage 4: a bytearray
def decode(ids, vocab):
    out = bytearray()
    for i in ids:
        out += vocab[i]
    return str(bytes(out), 'utf-8', 'replace')

# %% Stage 5: one pass per merge, in rank order
def encode(text, merges):
    ids = list(text.encode())
    for r, p in enumerate(merges):
        ids = merge(ids, p, 256 + r)
    return ids

# %% Stage 5: the first merge that is present
def encode(text, merges):
    ids = list(text.encode())
    while True:
        here = set(zip(ids, ids[1:]))
        r = next((r for r, p in enumerate(merges) if p in here), None)
        if r is None:
            return ids
        ids = merge(ids, merges[r], 256 + r)

# %% Stage 6: recounts every word, slow
def train_fast(text, n_merges):
    words = [list(w.encode()) for w in re.findall(r' ?\S+|\s+', text)]
    out = []
    for new in range(256, 256 + n_merges):
        c = Counter()
        for w in words:
            c.update(zip(w, w[1:]))
        if not c or max(c.values()) < 2:
            break
        out.append(max(c, key=c.get))
        words = [merge(w, out[-1], new) for w in words]
    return out

# %% Stage 4: the vocabulary by addition to a list, decoding with a loop
def build_vocab(merges):
    tokens = [bytes((b,)) for b in range(256)]
    for a, b in merges:
        tokens.append(tokens[a] + tokens[b])
    return dict(enumerate(tokens))


def decode(ids, vocab):
    text = b""
    for i in ids:
        text = text + vocab[i]
    return text.decode(errors="replace")

# %% Stage 4: each token spelled out by recursion
def build_vocab(merges):
    def spell(i):
        return bytes([i]) if i < 256 else spell(merges[i - 256][0]) + spell(merges[i - 256][1])
    return {i: spell(i) for i in range(256 + len(merges))}

# %% Stage 5: pairs keyed by the id they make, one position at a time
def encode(text, merges):
    ids = [*text.encode("utf-8")]
    made = {tuple(p): 256 + r for r, p in enumerate(merges)}
    while True:
        best = min((made.get((a, b), 1 << 40) for a, b in zip(ids, ids[1:])), default=1 << 40)
        if best == 1 << 40:
            return ids
        at = next(i for i in range(len(ids) - 1) if made.get((ids[i], ids[i + 1])) == best)
        ids[at : at + 2] = [best]


def compression_ratio(text, merges):
    return len(bytes(text, "utf-8")) / float(len(encode(text, merges)))

# %% Stage 6: a Counter of words as tuples, rebuilt at each step
def train_fast(text, n_merges):
    vocab = Counter(tuple(w.encode()) for w in re.findall(r" ?\S+|\s+", text))
    merges = []
    for rank in range(n_merges):
        pairs = Counter()
        for word, n in vocab.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += n
        if not pairs:
            break
        best, count = pairs.most_common(1)[0]
        if count < 2:
            break
        merges.append(best)
        vocab = Counter({tuple(merge(list(w), best, 256 + rank)): n for w, n in vocab.items()})
    return merges

# %% Stage 6: a heap with stale entries
def train_fast(text, n_merges):
    import heapq
    words = [[list(w.encode()), n] for w, n in Counter(re.findall(r" ?\S+|\s+", text)).items()]
    count, where = defaultdict(int), defaultdict(set)
    for k, (ids, n) in enumerate(words):
        for p in zip(ids, ids[1:]):
            count[p] += n
            where[p].add(k)
    heap = [(-n, p) for p, n in count.items()]
    heapq.heapify(heap)
    merges = []
    while heap and len(merges) < n_merges:
        n, p = heapq.heappop(heap)
        if -n != count[p]:
            continue
        if -n < 2:
            break
        changed = set()
        for k in list(where[p]):
            ids, times = words[k]
            for q in zip(ids, ids[1:]):
                count[q] -= times
                changed.add(q)
            words[k][0] = ids = merge(ids, p, 256 + len(merges))
            for q in zip(ids, ids[1:]):
                count[q] += times
                where[q].add(k)
                changed.add(q)
        merges.append(p)
        for q in changed:
            if count[q] > 0:
                heapq.heappush(heap, (-count[q], q))
    return merges
