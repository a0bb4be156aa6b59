# Right, but unusual: every cell is an answer to one stage, and each must pass.

# %% Stage 1: a bare parameter, divided by hand
class Tower(nn.Module):
    def __init__(self, n_ids, d):
        super().__init__()
        self.rows = nn.Parameter(torch.randn(n_ids, d) * 0.1)

    def forward(self, ids):
        rows = self.rows[ids]
        return rows / (rows.pow(2).sum(-1, keepdim=True).sqrt() + 1e-8)

# %% Stage 1: TFRS style, a spare row for unknown ids and a dense layer on top
class Tower(nn.Module):
    def __init__(self, n_ids, d):
        super().__init__()
        self.table = nn.Embedding(n_ids + 1, d)
        with torch.no_grad():
            self.table.weight.normal_(0.0, 0.1)
        self.dense = nn.Sequential(nn.Linear(d, 64), nn.ReLU(), nn.Linear(64, d))

    def forward(self, ids):
        return F.normalize(self.dense(self.table(ids + 1)), p=2, dim=-1)

# %% Stage 1: one-hot times a linear layer without bias
class Tower(nn.Module):
    def __init__(self, n, dim):
        super().__init__()
        self.n = n
        self.linear = nn.Linear(n, dim, bias=False)
        nn.init.trunc_normal_(self.linear.weight, std=0.1)

    def forward(self, x):
        out = self.linear(F.one_hot(x, self.n).float())
        return out / out.norm(dim=1, keepdim=True).clamp_min(1e-12)

# %% Stage 1: float64, an embedding bag, dropout and a projection with a table of another width
class Tower(nn.Module):
    def __init__(self, n_ids, d, width=24):
        super().__init__()
        self.bag = nn.EmbeddingBag(n_ids, width, mode="sum", dtype=torch.float64)
        self.bag.weight.data = torch.normal(0.0, 0.1, (n_ids, width), dtype=torch.float64)
        self.drop = nn.Dropout(0.1)
        self.out = nn.Linear(width, d, dtype=torch.float64)

    def forward(self, ids):
        x = self.out(self.drop(self.bag(ids.unsqueeze(1))))
        return x / torch.linalg.vector_norm(x, dim=1, keepdim=True)

# %% Stage 1: a list of rows, cosine by rsqrt
class Tower(torch.nn.Module):
    def __init__(self, n_ids, d):
        super(Tower, self).__init__()
        rows = np.random.default_rng().normal(scale=0.1, size=(n_ids, d))
        self.rows = nn.ParameterList(torch.tensor(row, dtype=torch.float32) for row in rows)

    def forward(self, ids):
        rows = torch.stack([self.rows[i] for i in ids.tolist()])
        return rows * torch.rsqrt((rows * rows).sum(dim=1)).unsqueeze(1)

# %% Stage 1: from_pretrained, thawed, a layer norm on top
class Tower(nn.Module):
    def __init__(self, n_ids, d):
        super().__init__()
        self.table = nn.Embedding.from_pretrained(torch.empty(n_ids, d).normal_(std=0.1), freeze=False)
        self.gain = nn.Parameter(torch.full((d,), 0.5))

    def forward(self, ids):
        rows = F.embedding(ids, self.table.weight) * (1 + self.gain)
        return torch.einsum("bd,b->bd", rows, 1 / rows.norm(dim=1))

# %% Stage 1: the table on its side, every row scaled before any is taken
class Tower(nn.Module):
    def __init__(self, n_ids, d):
        super().__init__()
        self.columns = nn.Parameter(0.1 * torch.randn(d, n_ids))

    def forward(self, ids):
        return (self.columns / self.columns.norm(dim=0)).T[ids]

# %% Stage 2: log-softmax and the diagonal
def in_batch_loss(u, v, temperature):
    scores = torch.matmul(u, v.transpose(0, 1)) / temperature
    return -torch.diagonal(F.log_softmax(scores, dim=1)).mean()

# %% Stage 2: logsumexp minus the positive, einsum
def in_batch_loss(users, items, tau):
    s = torch.einsum("id,jd->ij", users, items).div(tau)
    return (torch.logsumexp(s, 1) - (users * items).sum(1) / tau).mean()

# %% Stage 2: TFRS style, one-hot labels, a sum divided by the batch
def in_batch_loss(u, v, temperature):
    scores = torch.mm(u, v.t())
    scores = scores / temperature
    labels = torch.eye(scores.shape[0], dtype=scores.dtype)
    return nn.CrossEntropyLoss(reduction="sum")(scores, labels) / scores.shape[0]

# %% Stage 2: the textbook, exponentials and a quotient
def in_batch_loss(u, v, temperature):
    e = torch.exp(u @ v.T / temperature)
    return -torch.log(torch.diag(e) / e.sum(dim=1)).mean()

# %% Stage 2: one user at a time
def in_batch_loss(u, v, temperature):
    total = 0.0
    for i in range(len(u)):
        s = (v @ u[i]) / temperature
        total = total + torch.log(torch.exp(s - s.max()).sum()) + s.max() - s[i]
    return total / len(u)

# %% Stage 2: margins to the positive, float64 inside
def in_batch_loss(u, v, temperature):
    s = (u / temperature).double() @ v.double().T
    return torch.log1p((torch.exp(s - s.diag()[:, None]) * (1 - torch.eye(len(s)))).sum(1)).mean()

# %% Stage 3: maximum and an explicit row
def logq_correct(logits, q):
    return logits - torch.log(torch.maximum(q, torch.tensor(1e-6))).unsqueeze(0)

# %% Stage 3: column by column
def logq_correct(logits, q):
    out = logits.clone()
    for j in range(len(q)):
        out[:, j] = logits[:, j] - np.log(max(float(q[j]), 1e-6))
    return out

# %% Stage 3: plus the logarithm of the reciprocal
def logq_correct(s, prob):
    return s + torch.log(1.0 / torch.clip(prob, 1e-6, 1.0)).expand_as(s)

# %% Stage 3: where, and float64 in between
def logq_correct(logits, q):
    p = torch.where(q > 1e-6, q, torch.full_like(q, 1e-6)).double()
    return (logits.T - p.log()[:, None]).T.float()

# %% Stage 3: a product with ones
def logq_correct(logits, q):
    return logits - torch.outer(torch.ones(len(q)), torch.log(F.relu(q - 1e-6) + 1e-6))

# %% Stage 4: a loop with sorted and a key
def recall_at_k(scores, relevant, k):
    total, users = 0.0, 0
    for row, own in zip(scores, relevant):
        if not own:
            continue
        order = sorted(range(len(row)), key=lambda i: (-row[i], i))
        total += sum(1 for i in order[:k] if i in own) / len(own)
        users += 1
    return total / users if users else 0.0


def popularity(train_items, n_items):
    counts = [0] * n_items
    for i in train_items:
        counts[i] += 1
    return counts

# %% Stage 4: lexsort and a mask of hits
def recall_at_k(scores, relevant, k):
    scores = np.asarray(scores, dtype=np.float64)
    ids = np.broadcast_to(np.arange(scores.shape[1]), scores.shape)
    top = np.lexsort((ids, -scores), axis=1)[:, : min(k, scores.shape[1])]
    mine = np.zeros(scores.shape, dtype=bool)
    for user, own in enumerate(relevant):
        mine[user, sorted(own)] = True
    has = mine.any(axis=1)
    if not has.any():
        return 0.0
    hits = np.take_along_axis(mine, top, axis=1).sum(axis=1)
    return np.mean(hits[has] / mine.sum(axis=1)[has])


def popularity(train_items, n_items):
    counts = np.zeros(n_items)
    np.add.at(counts, train_items, 1)
    return counts

# %% Stage 4: reversed twice for the ties, a histogram
def recall_at_k(scores, relevant, k):
    n = scores.shape[1]
    best = (n - 1 - np.argsort(scores[:, ::-1], axis=1, kind="mergesort"))[:, ::-1][:, :k]
    shares = [np.isin(list(own), row).mean() for own, row in zip(relevant, best) if len(own) > 0]
    return np.float64(sum(shares) / len(shares)) if shares else 0


def popularity(train_items, n_items):
    return np.histogram(train_items, bins=np.arange(n_items + 1) - 0.5)[0].astype(np.float32)

# %% Stage 4: a Counter, and ranks of the relevant items only
def recall_at_k(scores, relevant, k):
    shares = []
    for u in range(len(relevant)):
        place = np.empty(scores.shape[1], dtype=int)
        place[np.argsort(-scores[u], kind="stable")] = np.arange(scores.shape[1])
        if relevant[u]:
            shares.append(np.mean(place[list(relevant[u])] < k))
    return float(np.average(shares)) if len(shares) else 0.0


def popularity(train_items, n_items):
    from collections import Counter
    seen = Counter(np.asarray(train_items).tolist())
    return np.array([seen[i] for i in range(n_items)])

# %% Stage 5: first plane in the highest bit, strings of bits, a set of candidates
def hash_codes(x, planes):
    bits = np.einsum("nd,bd->nb", x, planes) >= 0
    return np.array([int("".join("1" if b else "0" for b in row), 2) for row in bits], dtype=np.int64)


def lsh_search(query, x, tables, k):
    candidates = set()
    for planes, buckets in tables:
        code = hash_codes(query.reshape(1, -1), planes)[0]
        if code in buckets:
            candidates.update(buckets[code].tolist())
    return sorted(candidates, key=lambda i: -float(np.dot(x[i], query)))[:k]

# %% Stage 5: Horner's rule, Euclidean distance, argpartition
def hash_codes(x, planes):
    code = np.zeros(len(x), dtype=np.int64)
    for plane in planes:
        code = code * 2 + (x.dot(plane) < 0)
    return code


def lsh_search(query, x, tables, k):
    mine = np.zeros(len(x), dtype=bool)
    for planes, buckets in tables:
        for code, ids in buckets.items():
            if code == hash_codes(query[np.newaxis], planes).item():
                mine[ids] = True
    ids = np.nonzero(mine)[0]
    distance = ((x[ids] - query) ** 2).sum(axis=1)
    near = np.argpartition(distance, k - 1)[:k] if len(ids) > k else np.arange(len(ids))
    return ids[near[np.argsort(distance[near])]]

# %% Stage 5: shifts and a list of Python ints, unsigned at heart
def hash_codes(x, planes):
    return [sum(int(s > 0) << j for j, s in enumerate(planes @ row)) for row in x]


def lsh_search(query, x, tables, k):
    import heapq
    ids = {int(i) for planes, buckets in tables
           for i in buckets.get(hash_codes([query], planes)[0], ())}
    return np.array([i for _, i in heapq.nlargest(k, ((x[i] @ query, i) for i in ids))], dtype=np.int64)

# %% Stage 5: packbits into eight bytes, scores for all and minus infinity for the rest
def hash_codes(x, planes):
    bits = np.zeros((len(x), 64), dtype=np.uint8)
    bits[:, 64 - len(planes):] = (x @ planes.T) > 0
    return np.packbits(bits, axis=1).view(">i8").ravel().astype(np.int64)


def lsh_search(query, x, tables, k):
    scores = np.full(len(x), -np.inf)
    for planes, buckets in tables:
        ids = buckets.get(hash_codes(query[None, :], planes).item(), [])
        if len(ids):
            scores[ids] = x[ids] @ query
    order = np.argsort(-scores)[:k]
    return [i for i in order if np.isfinite(scores[i])]

# %% Stage 5: signed powers, where a bit is plus or minus
def hash_codes(x, planes):
    signs = np.sign(x @ planes.T).astype(np.int64)
    return (signs * 2 ** np.arange(planes.shape[0], dtype=np.int64)).sum(axis=1)

# %% Stage 5: a random number for each side, a dict of scores
def hash_codes(x, planes):
    numbers = np.random.default_rng(0).integers(1, 2**62, len(planes))
    return np.bitwise_xor.reduce(np.where(x @ planes.T > 0, numbers, 0), axis=1)


def lsh_search(query, x, tables, k):
    score = {}
    for planes, buckets in tables:
        ids = buckets.get(int(hash_codes(query[None], planes)[0]))
        if ids is not None:
            score.update(zip(ids.tolist(), (x[ids] @ query).tolist()))
    return sorted(score, key=score.get, reverse=True)[:k]

# %% Stage 6: a finite fill, an index
def mask_accidental_hits(logits, item_ids):
    out = logits.clone()
    hits = item_ids.unsqueeze(0) == item_ids.unsqueeze(1)
    hits.fill_diagonal_(False)
    out[hits] = torch.finfo(logits.dtype).min
    return out

# %% Stage 6: a penalty that is subtracted, TFRS style
def mask_accidental_hits(logits, item_ids):
    labels = torch.eye(logits.shape[0])
    duplicate = (item_ids.view(-1, 1) == item_ids.view(1, -1)).float()
    return logits - (duplicate - labels) * 1e9

# %% Stage 6: two loops
def mask_accidental_hits(logits, item_ids):
    rows = []
    ids = item_ids.tolist()
    for i in range(len(ids)):
        rows.append(torch.stack([
            logits[i, j] if i == j or ids[i] != ids[j] else logits.new_tensor(-1e4)
            for j in range(len(ids))
        ]))
    return torch.stack(rows)

# %% Stage 6: where, keeping what differs or lies on the diagonal
def mask_accidental_hits(logits, item_ids):
    at = torch.arange(len(item_ids))
    keep = torch.ne(item_ids[None], item_ids[:, None]) | (at[None] == at[:, None])
    return torch.where(keep, logits, torch.tensor(-torch.inf))

# %% Stage 6: the positive put back, float64
def mask_accidental_hits(logits, item_ids):
    same = (item_ids[:, None] - item_ids[None, :]) == 0
    masked = logits.double().masked_fill(same, -1e30)
    return torch.diagonal_scatter(masked, logits.double().diagonal())
