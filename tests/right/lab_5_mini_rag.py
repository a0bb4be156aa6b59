# Right, but unusual: every cell is an answer to one stage, and each must pass.

# %% Stage 1: tokenize with a lookaround, a list of rows, columns in order of appearance
def tokenize(text):
    return [m.group() for m in re.finditer(r"(?:[a-z0-9]|(?<=[a-z0-9])-(?=[a-z0-9]))+", text.lower())]


def fit_tfidf(docs):
    import math
    vocab = {}
    for doc in docs:
        for word in tokenize(doc):
            vocab.setdefault(word, len(vocab))
    df = [sum(word in tokenize(doc) for doc in docs) for word in vocab]
    idf = [math.log((1 + len(docs)) / (1 + n)) + 1 for n in df]
    return vocab, idf, transform(docs, vocab, idf)


def transform(texts, vocab, idf):
    rows = []
    for text in texts:
        counts = Counter(tokenize(text))
        row = [counts[word] * idf[column] for word, column in sorted(vocab.items(), key=lambda p: p[1])]
        length = sum(x * x for x in row) ** 0.5
        rows.append([x / length for x in row] if length else row)
    return rows

# %% Stage 1: character by character
def tokenize(text):
    words, word = [], ""
    text = text.lower() + " "
    for i, sign in enumerate(text):
        inner = sign == "-" and word and word[-1] != "-" and text[i + 1].isalnum()
        if (sign.isascii() and sign.isalnum()) or inner:
            word += sign
        elif word:
            words.append(word)
            word = ""
    return words

# %% Stage 1: np.unique, np.add.at, epsilon beside the norm
def transform(texts, vocab, idf):
    out = np.zeros((len(texts), len(vocab)))
    for i, t in enumerate(texts):
        cols = [vocab[w] for w in tokenize(t) if w in vocab]
        np.add.at(out[i], cols, 1.0)
    out = out * np.asarray(idf)[None, :]
    return out / (np.sqrt(np.einsum("ij,ij->i", out, out))[:, None] + 1e-9)

# %% Stage 1: matrix of counts first, df from it, tuple of other names
def fit_tfidf(texts):
    bags = [Counter(tokenize(t)) for t in texts]
    words = list({w for bag in bags for w in bag})
    tf = np.array([[bag[w] for w in words] for bag in bags], float)
    df = (tf > 0).sum(0)
    weight = np.log1p(len(texts)) - np.log1p(df) + 1
    m = tf * weight
    m /= np.maximum(np.linalg.norm(m, axis=1, keepdims=True), 1e-12)
    return [{w: np.int64(i) for i, w in enumerate(words)}, weight, m]

# %% Stage 1: split at all that cannot stand in a word, then str.strip of hyphens
def tokenize(s):
    parts = re.split("[^a-zA-Z0-9-]+|--+", s.casefold())
    return [part.strip("-") for part in parts if part.strip("-")]

# %% Stage 2: sorted with a key, a tuple of ints
def rank(scores):
    return tuple(sorted(range(len(scores)), key=lambda i: (-scores[i], i)))

# %% Stage 2: lexsort
def rank(s):
    return np.lexsort((np.arange(len(s)), -np.asarray(s)))

# %% Stage 2: reversed twice
def rank(scores):
    n = len(scores)
    return n - 1 - np.argsort(scores[::-1], kind="mergesort")[::-1]

# %% Stage 2: NumPy means, in place of sums
def recall_at_k(rankings, relevant, k):
    return np.mean([np.isin(list(key), ranking[:k]).mean() for ranking, key in zip(rankings, relevant)])


def mean_reciprocal_rank(rankings, relevant):
    out = np.zeros(len(rankings))
    for q, (r, key) in enumerate(zip(rankings, relevant)):
        where = np.flatnonzero([d in key for d in r])
        if where.size:
            out[q] = 1.0 / (where[0] + 1)
    return out.mean()

# %% Stage 2: counting by hand, index()
def mean_reciprocal_rank(rankings, relevant):
    import statistics
    return statistics.fmean(
        max((1 / (r.index(d) + 1) for d in key if d in r), default=0) for r, key in zip(rankings, relevant)
    )

# %% Stage 2: recall by a double loop, as a 0-d array
def recall_at_k(rankings, relevant, k):
    total = 0
    for r, key in zip(rankings, relevant):
        n = 0
        for doc in list(r)[:k]:
            n += doc in key
        total = total + n / len(key)
    return np.array(total / len(rankings))

# %% Stage 3: eigenvectors of the Gram matrix
def fit_svd(matrix, k):
    values, vectors = np.linalg.eigh(matrix.T @ matrix)
    return vectors[:, ::-1][:, : min(k, *matrix.shape)].T

# %% Stage 3: by way of U, every sign turned, as lists
def fit_svd(matrix, k):
    u = np.linalg.svd(matrix, full_matrices=False)[0]
    directions, _ = np.linalg.qr((u.T @ matrix).T)
    return (-directions.T[:k]).tolist()

# %% Stage 3: the SVD of the transpose
def fit_svd(x, n_components):
    return np.linalg.svd(np.transpose(x), full_matrices=False)[0].T[:n_components]

# %% Stage 3: power iteration with deflation
def fit_svd(matrix, k):
    rest, rows = np.array(matrix, float), []
    for i in range(min(k, *matrix.shape)):
        v = np.random.default_rng(i).normal(size=matrix.shape[1])
        for _ in range(400):
            v = rest.T @ (rest @ v)
            if not v.any():  # nothing is left to explain: any direction will do
                v = np.random.default_rng(i + 99).normal(size=matrix.shape[1])
            for r in rows + rows:
                v -= r * (r @ v)
            v /= np.linalg.norm(v)
        rows.append(v)
        rest = rest - np.outer(rest @ v, v)
    return np.array(rows)

# %% Stage 3: a loop over rows, lists
def project(matrix, components):
    out = []
    for row in matrix:
        z = [float(sum(a * b for a, b in zip(row, axis))) for axis in components]
        n = sum(x * x for x in z) ** 0.5
        out.append([x / n if n > 0 else 0.0 for x in z])
    return out

# %% Stage 3: divide where it is allowed
def project(matrix, components):
    z = np.einsum("nv,kv->nk", matrix, components)
    n = np.linalg.norm(z, axis=-1, keepdims=True)
    return np.divide(z, n, out=np.zeros_like(z), where=n > 0)

# %% Stage 3: nan_to_num
def project(matrix, components):
    z = matrix.dot(components.T)
    with np.errstate(all="ignore"):
        return np.nan_to_num(z / np.sqrt((z**2).sum(1))[:, None])

# %% Stage 4: sort twice, by a stable sort
def rrf(rankings, k=60):
    total = {}
    for r in rankings:
        for i in range(len(r)):
            total[r[i]] = total.get(r[i], 0) + 1 / (k + i + 1)
    out = sorted(total.items())
    out.sort(key=lambda p: p[1], reverse=True)
    return out

# %% Stage 4: id by id, with index()
def rrf(lists, k=60):
    ids = set().union(*lists) if lists else set()
    score = {i: sum(1.0 / (k + l.index(i) + 1) for l in lists if i in l) for i in ids}
    return [(i, score[i]) for i in sorted(ids, key=lambda i: (-score[i], i))]

# %% Stage 4: NumPy scores, a heap
def rrf(rankings, k=60):
    import heapq
    score = {}
    for r in rankings:
        for place, doc in zip(range(1, 1 + len(r)), r):
            score[doc] = score.get(doc, np.float64(0)) + np.reciprocal(float(k + place))
    heap = [(-s, d) for d, s in score.items()]
    heapq.heapify(heap)
    return [(d, -s) for s, d in (heapq.heappop(heap) for _ in range(len(heap)))]

# %% Stage 4: lists in place of tuples
def rrf(rankings, k=60):
    pairs = [(doc, 1 / (k + at)) for r in rankings for at, doc in enumerate(r, start=1)]
    docs = sorted({doc for doc, _ in pairs})
    sums = [[doc, sum(s for d, s in pairs if d == doc)] for doc in docs]
    return sorted(sums, key=lambda p: -p[1])

# %% Stage 5: a while loop with a break
def chunk(tokens, size, overlap):
    if not overlap < size:
        raise ValueError("overlap")
    out, at = [], 0
    while at < len(tokens):
        out.append(list(tokens[at:at + size]))
        if at + size >= len(tokens):
            break
        at += size - overlap
    return out

# %% Stage 5: number of chunks by division
def chunk(tokens, size, overlap):
    import math
    if overlap >= size:
        raise ValueError
    if len(tokens) == 0:
        return []
    n = 1 + max(0, math.ceil((len(tokens) - size) / (size - overlap)))
    return [tuple(tokens[i * (size - overlap):][:size]) for i in range(n)]

# %% Stage 5: recursion
def chunk(tokens, size, overlap):
    if overlap >= size:
        raise ValueError("the overlap must be smaller than the size")
    if len(tokens) <= size:
        return [tokens] if tokens else []
    return [tokens[:size]] + chunk(tokens[size - overlap:], size, overlap)

# %% Stage 5: a dict of lists
def best_chunk_scores(chunk_scores, parents, n_docs):
    of = {}
    for s, p in zip(chunk_scores, parents):
        of.setdefault(int(p), []).append(float(s))
    return [max(of[d]) if d in of else 0 for d in range(n_docs)]

# %% Stage 5: sorting, then assignment: the last one wins, and it is the best
def best_chunk_scores(chunk_scores, parents, n_docs):
    out = np.zeros(n_docs)
    order = np.argsort(chunk_scores)
    out[parents[order]] = chunk_scores[order]
    return out

# %% Stage 5: masks
def best_chunk_scores(scores, docs, n):
    return np.array([np.max(scores[docs == d], initial=-np.inf) if (docs == d).any() else 0.0 for d in range(n)])

# %% Stage 6: term frequencies as a matrix
def bm25(tokenized_docs, query_tokens, k1=1.5, b=0.75):
    words = sorted(set(query_tokens))
    tf = np.array([[doc.count(w) for w in words] for doc in tokenized_docs], float).reshape(len(tokenized_docs), len(words))
    times = np.array([query_tokens.count(w) for w in words], float)
    df = (tf > 0).sum(axis=0)
    idf = np.log((len(tokenized_docs) + 1) / (df + 0.5))
    length = np.array([[len(doc)] for doc in tokenized_docs], float)
    part = tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / length.mean()))
    return part @ (idf * times)

# %% Stage 6: a Counter a document, a list of floats
def bm25(docs, query, k1=1.5, b=0.75):
    import math
    bags, mean = [Counter(d) for d in docs], sum(map(len, docs)) / len(docs)
    def idf(w):
        df = sum(w in bag for bag in bags)
        return math.log1p((len(docs) - df + 0.5) / (df + 0.5))
    return [
        sum(idf(w) * bag[w] * (k1 + 1) / (bag[w] + k1 * (1 - b + b * len(d) / mean)) for w in query if bag[w])
        for bag, d in zip(bags, docs)
    ]

# %% Stage 6: integer indices, quantile, a NumPy array back
def bootstrap_interval(values, rng, n_resamples=2000):
    v = np.array(values, dtype=float)
    return np.quantile(v[rng.integers(len(v), size=(n_resamples, len(v)))].mean(1), (0.025, 0.975))

# %% Stage 6: one resample at a time, sorted, no interpolation
def bootstrap_interval(values, rng, n_resamples=2000):
    means = sorted(float(np.mean(rng.choice(values, len(values), replace=True))) for _ in range(n_resamples))
    return means[int(0.025 * n_resamples)], means[min(n_resamples - 1, int(0.975 * n_resamples))]

# %% Stage 6: multinomial counts
def bootstrap_interval(values, rng, n_resamples=2000):
    n = len(values)
    counts = rng.multinomial(n, [1 / n] * n, size=n_resamples)
    means = counts @ np.asarray(values, float) / n
    return float(np.percentile(means, 2.5)), float(np.percentile(means, 97.5))

# %% Stage 6: a child of rng, one resample at a time
def bootstrap_interval(values, rng, n_resamples=2000):
    v = np.asarray(values, float)
    (child,) = rng.spawn(1)
    means = [v[child.integers(len(v), size=len(v))].mean() for _ in range(n_resamples)]
    return np.percentile(means, 2.5), np.percentile(means, 97.5)

# %% Stage 6: a child of rng for each slice
def slice_report(values, slices, rng, n_resamples=2000):
    groups = {}
    for value, name in zip(values, slices):
        groups.setdefault(name, []).append(value)
    children = zip(sorted(groups), rng.spawn(len(groups)))
    return {
        name: (sum(groups[name]) / len(groups[name]), *bootstrap_interval(groups[name], child, n_resamples))
        for name, child in children
    }

# %% Stage 6: groups by np.unique, lists back
def slice_report(values, slices, rng, n_resamples=2000):
    values, slices = np.asarray(values), np.asarray(slices)
    out = {}
    for name in np.unique(slices):
        part = values[slices == name]
        out[name] = [part.mean(), *bootstrap_interval(part, rng, n_resamples)]
    return out
