# Right, but unusual: every cell is an answer to one stage, and each must pass.

# %% Stage 1: q, k and v in one product, attention written out with einsum
def forward(model, ids):
    H, G = model["n_heads"], model["n_kv_heads"]
    x = model["token_embedding"][list(ids)] + model["position_embedding"][np.arange(len(ids))]
    T, width = x.shape
    d = width // H
    for p in model["layers"]:
        h = layer_norm(x, p["ln1_gain"], p["ln1_bias"])
        qkv = h @ np.concatenate([p["w_q"], p["w_k"], p["w_v"]], axis=1)
        q, k, v = np.split(qkv, [width, width + G * d], axis=1)
        q = q.reshape(T, G, H // G, d)
        k, v = k.reshape(T, G, d), v.reshape(T, G, d)
        s = np.einsum("tgrd,sgd->grts", q, k) / d**0.5
        s = np.where(np.tril(np.ones((T, T))) > 0, s, -1e9)
        o = np.einsum("grts,sgd->tgrd", softmax(s), v).reshape(T, width)
        x = x + o @ p["w_out"]
        x = x + mlp(p, x)
    return layer_norm(x, model["ln_gain"], model["ln_bias"]) @ model["unembedding"]

# %% Stage 1: one head at a time, a list of rows out
def forward(model, ids):
    H, G = model["n_heads"], model["n_kv_heads"]
    x = np.stack([model["token_embedding"][i] for i in ids])
    x = x + model["position_embedding"][: len(x)]
    mask = np.triu(np.full((len(x), len(x)), -np.inf), 1)
    for p in model["layers"]:
        h = layer_norm(x, p["ln1_gain"], p["ln1_bias"])
        heads = []
        d = x.shape[1] // H
        for a in range(H):
            g = a // (H // G)
            q = h @ p["w_q"][:, a * d : (a + 1) * d]
            k = h @ p["w_k"][:, g * d : (g + 1) * d]
            v = h @ p["w_v"][:, g * d : (g + 1) * d]
            heads.append(softmax(q @ k.T / math.sqrt(d) + mask) @ v)
        x = x + np.hstack(heads) @ p["w_out"]
        x = x + mlp(p, x)
    out = layer_norm(x, model["ln_gain"], model["ln_bias"]) @ model["unembedding"]
    return [row for row in out]

# %% Stage 1: the growing prefix of each position, quadratic and right
def forward(model, ids):
    def last(n):
        H, share = model["n_heads"], model["n_heads"] // model["n_kv_heads"]
        x = model["token_embedding"][np.array(ids[:n])] + model["position_embedding"][:n]
        for p in model["layers"]:
            h = layer_norm(x, p["ln1_gain"], p["ln1_bias"])
            q = split_heads(h @ p["w_q"], H)
            k, v = (split_heads(h @ p[w], model["n_kv_heads"])[np.arange(H) // share] for w in ("w_k", "w_v"))
            x = x + attend(q, k, v, np.tri(n, dtype=bool)) @ p["w_out"]
            x = x + mlp(p, x)
        return layer_norm(x[-1], model["ln_gain"], model["ln_bias"]) @ model["unembedding"]
    return np.array([last(n + 1) for n in range(len(ids))])

# %% Stage 2: recursion, ids as a list
def generate_naive(model, prompt, n):
    if len(prompt) + n > model["context"]:
        raise ValueError
    if n == 0:
        return list(prompt), np.empty((0, model["unembedding"].shape[1]))
    row = forward(model, prompt)[-1]
    ids, rows = generate_naive(model, [*prompt, np.argmax(row)], n - 1)
    return ids, np.vstack([row, rows])

# %% Stage 2: a buffer for the ids, an assertion style of its own
def generate_naive(model, prompt, n):
    p = len(prompt)
    ids = np.empty(p + n, dtype=np.int64)
    ids[:p] = prompt
    if ids.size > model["context"]:
        raise ValueError("context exceeded")
    logits = []
    for t in range(p, p + n):
        logits.append(forward(model, ids[:t])[t - 1])
        ids[t] = int(np.flatnonzero(logits[-1] == logits[-1].max())[0])
    return ids, np.array(logits).reshape(n, -1) if n else np.zeros((0, model["unembedding"].shape[1]))

# %% Stage 2: a generator of steps, tuple out
def generate_naive(model, prompt, n):
    room = model["context"] - len(prompt)
    if n > room:
        raise ValueError(f"only {room} places left")
    def steps(ids):
        for _ in range(n):
            row = forward(model, np.array(ids))[len(ids) - 1]
            ids = ids + [int(max(range(len(row)), key=lambda i: (row[i], -i)))]
            yield row, ids
    done = list(steps(list(map(int, prompt))))
    if not done:
        return tuple(prompt), np.zeros((0, len(model["unembedding"][0])))
    return tuple(done[-1][1]), np.stack([row for row, _ in done])

# %% Stage 3: a cache by concatenation
class KVCache:
    def __init__(self, n_layers, n_kv_heads, max_len, d_head):
        self.k = [np.zeros((n_kv_heads, 0, d_head)) for _ in range(n_layers)]
        self.v = [np.zeros((n_kv_heads, 0, d_head)) for _ in range(n_layers)]
        self.max_len = max_len
        self.length = 0

    def append(self, layer, k, v):
        if self.k[layer].shape[1] + k.shape[1] > self.max_len:
            raise ValueError("full")
        self.k[layer] = np.concatenate([self.k[layer], k], 1)
        self.v[layer] = np.concatenate([self.v[layer], v], 1)
        self.length = min(each.shape[1] for each in self.k)
        return self.k[layer], self.v[layer]

# %% Stage 3: lists of tokens, length as a property
class KVCache:
    def __init__(self, n_layers, n_kv_heads, max_len, d_head):
        self.tokens = [[] for _ in range(n_layers)]
        self.max_len = max_len

    @property
    def length(self):
        return min(len(each) for each in self.tokens)

    def append(self, layer, k, v):
        new = [(k[:, t].copy(), v[:, t].copy()) for t in range(k.shape[1])]
        if len(self.tokens[layer]) + len(new) > self.max_len:
            raise ValueError("no room")
        self.tokens[layer] += new
        keys, values = zip(*self.tokens[layer])
        return np.stack(keys, axis=1), np.stack(values, axis=1)

# %% Stage 3: a step on a vector, not on a matrix of one row
def decode_step(model, token, cache):
    H, G = model["n_heads"], model["n_kv_heads"]
    x = model["token_embedding"][token] + model["position_embedding"][cache.length]
    d = len(x) // H
    for i, p in enumerate(model["layers"]):
        h = layer_norm(x, p["ln1_gain"], p["ln1_bias"])
        q = (h @ p["w_q"]).reshape(H, d)
        k, v = cache.append(i, (h @ p["w_k"]).reshape(G, 1, d), (h @ p["w_v"]).reshape(G, 1, d))
        out = []
        for a in range(H):
            w = softmax(k[a // (H // G)] @ q[a] / d**0.5)
            out.append(w @ v[a // (H // G)])
        x = x + np.concatenate(out) @ p["w_out"]
        x = x + mlp(p, x[None])[0]
    return layer_norm(x, model["ln_gain"], model["ln_bias"]) @ model["unembedding"]

# %% Stage 4: prefill one token at a time
def prefill(model, prompt, cache):
    for token in prompt:
        logits = decode_step(model, token, cache)
    return logits

# %% Stage 4: generation with einsum and dot, the cache as large as the context
def generate_cached(model, prompt, n):
    room = model["context"]
    if room < len(prompt) + n:
        raise ValueError("too long for the context")
    d = len(model["unembedding"]) // model["n_heads"]
    cache = KVCache(len(model["layers"]), model["n_kv_heads"], room, d)
    ids, out = list(prompt), []
    row = None
    while len(out) < n:
        row = prefill(model, ids, cache) if row is None else decode_step(model, ids[-1], cache)
        out.append(row)
        ids.append(int(np.argmax(row)))
    return ids, np.array(out) if out else np.zeros((0, model["unembedding"].shape[1]))

# %% Stage 4: a loop over the prompt's tokens and the new ones, in one
def generate_cached(model, prompt, n):
    total = len(prompt) + n
    if total > model["context"]:
        raise ValueError(total)
    shape = model["unembedding"].shape
    if not n:
        return np.array(prompt), np.zeros((0, shape[1]))
    cache = KVCache(len(model["layers"]), model["n_kv_heads"], total, shape[0] // model["n_heads"])
    ids, logits = [int(t) for t in prompt], []
    for at in range(total - 1):
        row = decode_step(model, ids[at], cache)
        if at >= len(prompt) - 1:
            logits.append(row)
            ids.append(int(row.argmax()))
    return np.array(ids), np.array(logits)

# %% Stage 5: sums over the steps
def kv_rows(prompt_len, n):
    return [sum(prompt_len + i for i in range(n)), len(range(prompt_len)) + sum(1 for _ in range(n - 1))]

# %% Stage 5: NumPy integers
def kv_rows(prompt_len, n):
    steps = np.arange(prompt_len, prompt_len + n)
    return steps.sum(), steps[-1]

# %% Stage 5: the bytes of real arrays' shapes
def cache_bytes(n_layers, n_kv_heads, length, d_head, itemsize):
    return math.prod([n_layers, n_kv_heads, length, d_head]) * itemsize + math.prod((itemsize, n_layers, n_kv_heads, length, d_head))

# %% Stage 6: heads repeated after all
def grouped_attention(q, k, v, visible):
    share = len(q) // len(k)
    k, v = np.repeat(k, share, 0), np.repeat(v, share, 0)
    s = np.einsum("htd,hsd->hts", q, k) / q.shape[-1] ** 0.5
    s[:, ~visible] = -np.inf
    return np.einsum("hts,hsd->htd", softmax(s), v)

# %% Stage 6: one head at a time
def grouped_attention(q, k, v, visible):
    out = np.empty(q.shape)
    for h in range(q.shape[0]):
        g = h * k.shape[0] // q.shape[0]
        out[h] = softmax((q[h] @ k[g].T) / math.sqrt(q.shape[2]) + np.where(visible, 0, -1e30)) @ v[g]
    return out

# %% Stage 6: a window of lists, everything kept and cut on the way out
class WindowCache:
    def __init__(self, n_layers, n_kv_heads, window, d_head):
        self.all = [([], []) for _ in range(n_layers)]
        self.w, self.length = window, 0

    def append(self, layer, k, v):
        n = k.shape[1]
        for store, new in zip(self.all[layer], (k, v)):
            store.extend(new[:, t] for t in range(n))
        self.length = min(len(a) for a, _ in self.all)
        out = [np.stack(store[-(self.w - 1 + n) :], axis=1) for store in self.all[layer]]
        return out[0], out[1]
