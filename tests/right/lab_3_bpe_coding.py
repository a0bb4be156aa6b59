# Right, but unusual: every cell is an answer to one stage, and each must pass.

# %% Stage 4: a bytearray
def decode(ids, vocab):
    out = bytearray()
    for i in ids:
        out += vocab[i]
    return str(bytes(out), 'utf-8', 'replace')

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

# %% Stage 4: defaultdict for the vocabulary, codecs to decode
def build_vocab(merges):
    tokens = defaultdict(bytes)
    for i in range(256 + len(merges)):
        tokens[i] = i.to_bytes(1, "big") if i < 256 else b"".join(tokens[p] for p in merges[i - 256])
    return tokens


def decode(ids, vocab):
    import codecs
    return codecs.decode(b"".join(map(vocab.get, ids)), "utf-8", "replace")

# %% Stage 4: the vocabulary by list, turned into a dict at the end
def build_vocab(merges):
    spelled = list(map(bytes, zip(range(256))))
    for left, right in merges:
        spelled += [spelled[left] + spelled[right]]
    return {number: token for number, token in enumerate(spelled)}

# %% Stage 4: an incremental decoder, token by token
def decode(ids, vocab):
    import codecs
    reader = codecs.getincrementaldecoder("utf-8")(errors="replace")
    return "".join(reader.decode(vocab[i]) for i in ids) + reader.decode(b"", final=True)

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

# %% Stage 5: the loop that most tutorials have
def encode(text, merges):
    order = {pair: i for i, pair in enumerate(merges)}
    ids = list(text.encode("utf-8"))
    while len(ids) >= 2:
        stats = pair_counts(ids)
        pair = min(stats, key=lambda p: order.get(p, float("inf")))
        if pair not in order:
            break
        ids = merge(ids, pair, 256 + order[pair])
    return ids

# %% Stage 5: a heap of ranks over a linked list
def encode(text, merges):
    import heapq
    ranks = {tuple(p): r for r, p in enumerate(merges)}
    ids = list(text.encode("utf-8"))
    after = list(range(1, len(ids) + 1))
    before = list(range(-1, len(ids) - 1))
    heap = [(ranks[p], i) for i, p in enumerate(zip(ids, ids[1:])) if p in ranks]
    heapq.heapify(heap)
    while heap:
        rank, i = heapq.heappop(heap)
        j = after[i] if ids[i] is not None else len(ids)
        if j >= len(ids) or ids[j] is None or ranks.get((ids[i], ids[j])) != rank:
            continue
        ids[i], ids[j] = 256 + rank, None
        after[i] = after[j]
        if after[i] < len(ids):
            before[after[i]] = i
            if (ids[i], ids[after[i]]) in ranks:
                heapq.heappush(heap, (ranks[ids[i], ids[after[i]]], i))
        if before[i] >= 0 and (ids[before[i]], ids[i]) in ranks:
            heapq.heappush(heap, (ranks[ids[before[i]], ids[i]], before[i]))
    return [n for n in ids if n is not None]


def compression_ratio(text, merges):
    from fractions import Fraction
    return Fraction(len(text.encode()), len(encode(text, merges))).__float__()

# %% Stage 5: recursion on the lowest rank
def encode(text, merges):
    def step(ids, rank):
        if rank == len(merges):
            return ids
        return step(merge(ids, merges[rank], 256 + rank), rank + 1)
    return step(list(bytes(text, "utf8")), 0)


def compression_ratio(text, merges):
    return sum(1 for _ in text.encode()) / len(encode(text, merges))

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

# %% Stage 6: one list of ids with walls between the words
def train_fast(text, n_merges):
    ids, merges = [], []
    for word in re.findall(r" ?\S+|\s+", text):
        ids += [*word.encode(), -1]
    for new in range(256, 256 + n_merges):
        counts = Counter(p for p in zip(ids, ids[1:]) if -1 not in p)
        pair, n = max(counts.items(), key=lambda item: (item[1], item[0]), default=(None, 0))
        if n < 2:
            break
        ids = merge(ids, pair, new)
        merges.append(pair)
    return merges

# %% Stage 6: every occurrence mended by itself, neighbours only
def train_fast(text, n_merges):
    found = Counter(re.findall(r" ?\S+|\s+", text))
    words = [(list(w.encode("utf-8")), n) for w, n in found.items()]
    counts, where = defaultdict(int), defaultdict(set)
    for k, (ids, n) in enumerate(words):
        for pair in zip(ids, ids[1:]):
            counts[pair] += n
            where[pair].add(k)
    merges = []
    while len(merges) < n_merges and counts:
        pair = max(counts, key=lambda p: (counts[p], -p[0], -p[1]))
        if counts[pair] < 2:
            break
        new = 256 + len(merges)
        merges.append(pair)
        for k in sorted(where.pop(pair)):
            ids, n = words[k]
            at = 0
            while at < len(ids) - 1:
                if (ids[at], ids[at + 1]) == pair:
                    if at > 0:
                        counts[ids[at - 1], ids[at]] -= n
                        counts[ids[at - 1], new] += n
                        where[ids[at - 1], new].add(k)
                    if at + 2 < len(ids):
                        counts[ids[at + 1], ids[at + 2]] -= n
                        counts[new, ids[at + 2]] += n
                        where[new, ids[at + 2]].add(k)
                    counts[pair] -= n
                    ids[at : at + 2] = [new]
                at += 1
        counts.pop(pair, None)
    return merges

# %% Stage 6: the words by hand, a compiled pattern of one's own
WORD = re.compile(r" \S+|\S+|\s+")


def train_fast(text, n_merges):
    words = {}
    for found in WORD.finditer(text):
        key = tuple(found.group().encode())
        words[key] = words.get(key, 0) + 1
    merges = []
    for rank in range(n_merges):
        counts = {}
        for word, times in words.items():
            for pair, n in pair_counts(list(word)).items():
                counts[pair] = counts.get(pair, 0) + n * times
        pair = min(counts, key=lambda p: (-counts[p], p), default=None)
        if pair is None or counts[pair] < 2:
            return merges
        merges.append(pair)
        words = {tuple(merge(list(w), pair, 256 + rank)): n for w, n in words.items()}
    return merges
