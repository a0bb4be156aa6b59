# Right, but unusual: every cell is an answer to one stage, and each must pass.

# %% Stage 1: einsum throughout, the key heads as an axis of the queries
def forward(model, ids):
    H, G = model["n_heads"], model["n_kv_heads"]
    T, D = len(ids), model["token_embedding"].shape[1]
    x = np.take(model["token_embedding"], ids, axis=0) + model["position_embedding"][np.arange(T)]
    for p in model["layers"]:
        y = layer_norm(x, p["ln1_gain"], p["ln1_bias"])
        q = np.einsum("td,de->te", y, p["w_q"]).reshape(T, G, H // G, D // H)
        k = np.einsum("td,de->te", y, p["w_k"]).reshape(T, G, D // H)
        v = np.einsum("td,de->te", y, p["w_v"]).reshape(T, G, D // H)
        s = np.einsum("tgrd,sgd->grts", q, k) * (D // H) ** -0.5
        s = np.where(np.tri(T, dtype=bool), s, -1e30)
        x = x + np.einsum("grts,sgd->tgrd", softmax(s), v).reshape(T, D) @ p["w_out"]
        x = x + feed_forward(x, p)
    return layer_norm(x, model["ln_gain"], model["ln_bias"]) @ model["unembedding"]

# %% Stage 1: loops over heads and rows, slices in place of a mask
def forward(model, ids):
    H, G = model["n_heads"], model["n_kv_heads"]
    dh = model["token_embedding"].shape[1] // H
    x = np.array([model["token_embedding"][i] + model["position_embedding"][t]
                  for t, i in enumerate(ids)])
    for p in model["layers"]:
        y = layer_norm(x, p["ln1_gain"], p["ln1_bias"])
        out = np.zeros_like(x)
        for h in range(H):
            g = h // (H // G)
            q = y.dot(p["w_q"][:, h * dh:(h + 1) * dh])
            k = y.dot(p["w_k"][:, g * dh:(g + 1) * dh])
            v = y.dot(p["w_v"][:, g * dh:(g + 1) * dh])
            for t in range(len(ids)):
                w = softmax(k[: t + 1] @ q[t] / math.sqrt(dh))
                out[t, h * dh:(h + 1) * dh] = w @ v[: t + 1]
        x += out @ p["w_out"]
        x += feed_forward(x, p)
    return layer_norm(x, model["ln_gain"], model["ln_bias"]) @ model["unembedding"]

# %% Stage 1: a batch axis, one product for q, k and v, soft mask of -1e9, a list out
def forward(model, idx):
    C = model["token_embedding"].shape[1]
    nh, nk = model["n_heads"], model["n_kv_heads"]
    hs = C // nh
    x = (model["token_embedding"][idx] + model["position_embedding"][: len(idx)])[None]
    B, T, _ = x.shape
    for blk in model["layers"]:
        w = np.hstack([blk["w_q"], blk["w_k"], blk["w_v"]])
        qkv = layer_norm(x, blk["ln1_gain"], blk["ln1_bias"]) @ w
        q, k, v = np.split(qkv, [C, C + nk * hs], axis=-1)
        q = q.reshape(B, T, nh, hs).transpose(0, 2, 1, 3)
        k = np.repeat(k.reshape(B, T, nk, hs).transpose(0, 2, 1, 3), nh // nk, axis=1)
        v = np.repeat(v.reshape(B, T, nk, hs).transpose(0, 2, 1, 3), nh // nk, axis=1)
        att = q @ k.transpose(0, 1, 3, 2) / hs**0.5 + np.triu(np.ones((T, T)), 1) * -1e9
        y = (softmax(att) @ v).transpose(0, 2, 1, 3).reshape(B, T, C)
        x = x + y @ blk["w_out"]
        h = layer_norm(x, blk["ln2_gain"], blk["ln2_bias"])
        x = x + gelu(h @ blk["w_up"]) @ blk["w_down"]
    return (layer_norm(x, model["ln_gain"], model["ln_bias"]) @ model["unembedding"])[0].tolist()

# %% Stage 1: column vectors, everything transposed
def forward(model, ids):
    H, G = model["n_heads"], model["n_kv_heads"]
    X = model["token_embedding"].T[:, ids] + model["position_embedding"].T[:, : len(ids)]
    D, T = X.shape
    for p in model["layers"]:
        Y = layer_norm(X.T, p["ln1_gain"], p["ln1_bias"]).T
        Q = (p["w_q"].T @ Y).reshape(H, D // H, T)
        K = (p["w_k"].T @ Y).reshape(G, D // H, T)[np.arange(H) // (H // G)]
        V = (p["w_v"].T @ Y).reshape(G, D // H, T)[np.arange(H) // (H // G)]
        S = np.exp(np.matmul(K.transpose(0, 2, 1), Q) / np.sqrt(D / H)) * np.triu(np.ones((T, T)))
        S = S / S.sum(axis=1, keepdims=True)
        X = X + p["w_out"].T @ np.matmul(V, S).reshape(D, T)
        X = X + feed_forward(X.T, p).T
    return layer_norm(X.T, model["ln_gain"], model["ln_bias"]) @ model["unembedding"]

# %% Stage 1: one row after the other, a running list of keys
def forward(m, tokens):
    seen = [([], []) for _ in m["layers"]]
    rows = []
    for t, tok in enumerate(tokens):
        x = m["token_embedding"][tok] + m["position_embedding"][t]
        for p, (ks, vs) in zip(m["layers"], seen):
            y = layer_norm(x, p["ln1_gain"], p["ln1_bias"])
            q = (y @ p["w_q"]).reshape(m["n_kv_heads"], m["n_heads"] // m["n_kv_heads"], -1)
            ks.append((y @ p["w_k"]).reshape(m["n_kv_heads"], -1))
            vs.append((y @ p["w_v"]).reshape(m["n_kv_heads"], -1))
            s = np.einsum("grd,tgd->grt", q, np.stack(ks)) / np.sqrt(q.shape[-1])
            x = x + np.einsum("grt,tgd->grd", softmax(s), np.stack(vs)).ravel() @ p["w_out"]
            x = x + feed_forward(x, p)
        rows.append(layer_norm(x, m["ln_gain"], m["ln_bias"]) @ m["unembedding"])
    return np.vstack(rows)

# %% Stage 2: lists, and a list of lists for the logits of n > 0
def generate_naive(model, prompt, n):
    out, rows = [int(i) for i in prompt], []
    if n > model["context"] - len(out):
        raise ValueError("too long")
    while len(rows) < n:
        row = [float(v) for v in forward(model, np.array(out))[-1]]
        rows.append(row)
        out.append(row.index(max(row)))
    return out, rows or np.zeros((0, model["unembedding"].shape[1]))

# %% Stage 2: recursion
def generate_naive(model, prompt, n):
    if len(prompt) + n > model["context"]:
        raise ValueError
    if n == 0:
        return prompt, np.empty((0, model["unembedding"].shape[1]))
    last = forward(model, prompt)[-1:]
    ids, rest = generate_naive(model, np.concatenate([prompt, last.argmax(axis=-1)]), n - 1)
    return ids, np.concatenate([last, rest])

# %% Stage 2: only ids first, then all logits from one pass
def generate_naive(model, prompt, n):
    P = len(prompt)
    if P + n > model["context"]:
        raise ValueError("the context is too short")
    ids = np.zeros(P + n, dtype=np.int32)
    ids[:P] = prompt
    for t in range(P, P + n):
        ids[t] = np.argmax(forward(model, ids[:t])[t - 1])
    V = model["unembedding"].shape[1]
    return ids, forward(model, ids)[P - 1 : P + n - 1] if n else np.zeros((0, V))

# %% Stage 2: padded to the context, since no row sees what follows; a list of two
def generate_naive(model, prompt, n):
    buffer = np.zeros(model["context"], dtype=int)
    if buffer[len(prompt):].size < n:
        raise ValueError("no room")
    buffer[: len(prompt)] = prompt
    keep = np.zeros((0, model["unembedding"].shape[1]))
    for end in range(len(prompt), len(prompt) + n):
        row = forward(model, buffer)[end - 1]
        buffer[end] = np.flatnonzero(row == row.max())[0]
        keep = np.r_[keep, row[None]]
    return [buffer[: len(prompt) + n], keep]

# %% Stage 2: the error comes when the next token does not fit any more
def generate_naive(model, prompt, n):
    ids, logits = list(prompt), []
    for _ in range(n):
        if len(ids) == model["context"]:
            raise ValueError("context full")
        logits.append(forward(model, ids)[-1])
        ids.append(int(np.argmax(logits[-1])))
    return np.array(ids), np.array(logits).reshape(n, model["unembedding"].shape[1])

# %% Stage 3: concatenation, None at first, length in the last layer
class KVCache:
    def __init__(self, n_layers, n_kv_heads, max_len, d_head):
        self.k, self.v = [None] * n_layers, [None] * n_layers
        self.max_len, self.length = max_len, 0

    def append(self, layer, k, v):
        if self.k[layer] is not None:
            k = np.concatenate((self.k[layer], k), axis=1)
            v = np.concatenate((self.v[layer], v), axis=1)
        if k.shape[1] > self.max_len:
            raise ValueError("cache full")
        self.k[layer], self.v[layer] = k, v
        if layer == len(self.k) - 1:
            self.length = k.shape[1]
        return k, v


def decode_step(model, token, cache):
    H, G, pos = model["n_heads"], model["n_kv_heads"], cache.length
    x = model["token_embedding"][token] + model["position_embedding"][pos]
    for i, p in enumerate(model["layers"]):
        y = layer_norm(x, p["ln1_gain"], p["ln1_bias"])
        K, V = cache.append(i, y.dot(p["w_k"]).reshape(G, 1, -1), y.dot(p["w_v"]).reshape(G, 1, -1))
        q = y.dot(p["w_q"]).reshape(G, H // G, -1)
        w = softmax(q @ K.transpose(0, 2, 1) / np.sqrt(q.shape[-1]))
        x = x + (w @ V).ravel() @ p["w_out"]
        x = x + feed_forward(x, p)
    return layer_norm(x, model["ln_gain"], model["ln_bias"]) @ model["unembedding"]

# %% Stage 3: lists of rows, length a property, arrays on the way out
class KVCache:
    def __init__(self, n_layers, n_kv_heads, max_len, d_head):
        self.rows = [[] for _ in range(n_layers)]
        self.room = max_len

    @property
    def length(self):
        return min(len(rows) for rows in self.rows)

    def append(self, layer, k, v):
        for i in range(k.shape[1]):
            if len(self.rows[layer]) == self.room:
                raise ValueError("no room for another position")
            self.rows[layer].append((k[:, i].copy(), v[:, i].copy()))
        return tuple(np.stack(part, axis=1) for part in zip(*self.rows[layer]))

# %% Stage 3: one array for everything, position last, one length for all layers
class KVCache:
    def __init__(self, n_layers, n_kv_heads, max_len, d_head):
        self.store = np.full((n_layers, 2, n_kv_heads, d_head, max_len), np.nan)
        self.length = 0

    def append(self, layer, k, v):
        end = self.length + k.shape[1]
        if end > self.store.shape[-1]:
            raise ValueError("full")
        self.store[layer, 0, ..., self.length:end] = np.swapaxes(k, 1, 2)
        self.store[layer, 1, ..., self.length:end] = np.swapaxes(v, 1, 2)
        out = np.swapaxes(self.store[layer, ..., :end], -1, -2)
        if layer + 1 == len(self.store):
            self.length = end
        return out

# %% Stage 3: a dataclass of dicts, nested lists out, an extra optional parameter
from dataclasses import dataclass


@dataclass
class KVCache:
    n_layers: int
    n_kv_heads: int
    max_len: int
    d_head: int
    dtype: type = float

    def __post_init__(self):
        self.held = {(i, n): [[] for _ in range(self.n_kv_heads)]
                     for i in range(self.n_layers) for n in "kv"}

    @property
    def length(self):
        return min(len(self.held[i, "v"][0]) for i in range(self.n_layers))

    def append(self, layer, k, v):
        if len(self.held[layer, "k"][0]) + len(k[0]) > self.max_len:
            raise ValueError(f"more than {self.max_len} positions")
        for g in range(self.n_kv_heads):
            self.held[layer, "k"][g] += k[g].tolist()
            self.held[layer, "v"][g] += v[g].tolist()
        return self.held[layer, "k"], self.held[layer, "v"]


def decode_step(model, token, cache):
    group = model["n_heads"] // model["n_kv_heads"]
    x = (model["token_embedding"][token] + model["position_embedding"][cache.length])[None, None]
    for i, p in enumerate(model["layers"]):
        y = layer_norm(x, p["ln1_gain"], p["ln1_bias"])[0]
        w = np.concatenate([p["w_q"], p["w_k"], p["w_v"]], axis=1)
        parts = np.split(np.matmul(y, w), np.cumsum([len(p["w_q"]), p["w_k"].shape[1]]), axis=1)
        q, k, v = (split_heads(a, n) for a, n in zip(parts, [len(p["w_q"]) // cache.d_head] + 2 * [cache.n_kv_heads]))
        K, V = map(np.array, cache.append(i, k, v))
        heads = [softmax(K[h // group] @ q[h, 0] / cache.d_head**0.5) @ V[h // group]
                 for h in range(model["n_heads"])]
        x = x + np.concatenate(heads) @ p["w_out"]
        x = x + feed_forward(x, p)
    return (layer_norm(x, model["ln_gain"], model["ln_bias"]) @ model["unembedding"]).squeeze()

# %% Stage 3: grows by doubling
class KVCache:
    def __init__(self, layers, heads, limit, width):
        self.buffers = [[np.empty((heads, 1, width))] * 2 for _ in range(layers)]
        self.counts = np.zeros(layers, dtype=int)
        self.limit = limit
        self.length = 0

    def append(self, layer, k, v):
        a = self.counts[layer]
        b = a + k.shape[1]
        if b > self.limit:
            raise ValueError
        grown = []
        for old, new in zip(self.buffers[layer], (k, v)):
            size = old.shape[1]
            while size < b:
                size *= 2
            wide = np.empty((old.shape[0], size, old.shape[2]))
            wide[:, :a] = old[:, :a]
            wide[:, a:b] = new
            grown.append(wide)
        self.buffers[layer], self.counts[layer] = grown, b
        self.length = self.counts.min()
        return [wide[:, :b] for wide in grown]
