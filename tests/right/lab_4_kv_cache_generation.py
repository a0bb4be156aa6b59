# Right, but unusual: every cell is an answer to one stage, and each must pass.

# %% Stage 4: prefill as a loop of steps
def prefill(model, prompt, cache):
    for token in prompt:
        logits = decode_step(model, token, cache)
    return logits


def generate_cached(model, prompt, n):
    P, (D, V) = len(prompt), model["unembedding"].shape
    if P + n > model["context"]:
        raise ValueError("context")
    ids, logits = list(map(int, prompt)), np.zeros((n, V))
    if not n:
        return ids, logits
    cache = KVCache(len(model["layers"]), model["n_kv_heads"], P + n - 1, D // model["n_heads"])
    row = prefill(model, prompt, cache)
    for i in range(n):
        logits[i] = row
        ids.append(int(row.argmax()))
        if i + 1 < n:
            row = decode_step(model, ids[-1], cache)
    return ids, logits

# %% Stage 4: fused weights, one product for q, k and v, a mask by np.tri
def prefill(model, prompt, cache):
    P, old = len(prompt), cache.length
    H, G = model["n_heads"], model["n_kv_heads"]
    x = model["token_embedding"][prompt] + model["position_embedding"][old : old + P]
    D = x.shape[1]
    dh = D // H
    for i, p in enumerate(model["layers"]):
        w = np.concatenate([p["w_k"], p["w_v"], p["w_q"]], axis=1)
        kvq = layer_norm(x, p["ln1_gain"], p["ln1_bias"]) @ w
        k, v = (kvq[:, a : a + G * dh].reshape(P, G, dh).transpose(1, 0, 2) for a in (0, G * dh))
        q = kvq[:, 2 * G * dh :].reshape(P, G, H // G, dh).transpose(1, 2, 0, 3)
        K, V = cache.append(i, k, v)
        s = q @ K[:, None].swapaxes(2, 3) / np.sqrt(dh)
        s = np.where(np.tri(P, old + P, old) > 0, s, -np.inf)
        x = x + (softmax(s) @ V[:, None]).transpose(2, 0, 1, 3).reshape(P, D) @ p["w_out"]
        x = x + feed_forward(x, p)
    return (layer_norm(x, model["ln_gain"], model["ln_bias"]) @ model["unembedding"])[-1]


def generate_cached(model, prompt, n):
    if len(prompt) + n > model["context"]:
        raise ValueError("context")
    V = model["unembedding"].shape[1]
    cache = KVCache(len(model["layers"]), model["n_kv_heads"], model["context"],
                    model["token_embedding"].shape[1] // model["n_heads"])
    ids, rows, feed = np.asarray(prompt), [], np.asarray(prompt)
    for _ in range(n):
        rows.append(prefill(model, feed, cache))
        feed = np.array([np.argmax(rows[-1])])
        ids = np.concatenate([ids, feed])
    return ids, np.array(rows).reshape(-1, V)

# %% Stage 4: weights copied to plain arrays first, products by dot, tensordot, einsum
def prefill(model, prompt, cache):
    start, n_heads, groups = cache.length, model["n_heads"], model["n_kv_heads"]
    x = np.array(model["token_embedding"])[prompt]
    x = x + np.array(model["position_embedding"])[start : start + len(prompt)]
    for at, given in enumerate(model["layers"]):
        p = {name: np.array(part) for name, part in given.items()}
        y = layer_norm(x, p["ln1_gain"], p["ln1_bias"])
        q = np.tensordot(y, p["w_q"], axes=1).reshape(len(y), n_heads, -1)
        k = y.dot(p["w_k"]).reshape(len(y), groups, -1)
        v = np.einsum("ij,jk", y, p["w_v"]).reshape(len(y), groups, -1)
        K, V = cache.append(at, k.transpose(1, 0, 2), v.transpose(1, 0, 2))
        out = np.zeros_like(q)
        for i in range(len(y)):
            for h in range(n_heads):
                g = h * groups // n_heads
                s = K[g, : start + i + 1] @ q[i, h] / np.sqrt(q.shape[2])
                out[i, h] = softmax(s) @ V[g, : start + i + 1]
        x = x + out.reshape(len(y), -1) @ p["w_out"]
        x = x + feed_forward(x, p)
    return layer_norm(x, model["ln_gain"], model["ln_bias"])[-1] @ model["unembedding"]


def generate_cached(model, prompt, n):
    if len(prompt) + n > model["context"]:
        raise ValueError("context")
    plain = {**model, "layers": [{k: np.array(v) for k, v in p.items()} for p in model["layers"]]}
    for name in ("token_embedding", "position_embedding", "ln_gain", "ln_bias", "unembedding"):
        plain[name] = np.array(model[name])
    cache = KVCache(len(plain["layers"]), plain["n_kv_heads"], plain["context"],
                    len(plain["unembedding"]) // plain["n_heads"])
    ids, logits = prompt, np.zeros((0, plain["unembedding"].shape[1]))
    for i in range(n):
        row = prefill(plain, prompt, cache) if i == 0 else decode_step(plain, ids[-1], cache)
        logits = np.append(logits, [row], axis=0)
        ids = np.append(ids, np.argmax(row))
    return ids, logits

# %% Stage 4: per-head slices of w_k, batched products, a generator of logits
def prefill(model, prompt, cache):
    a, H, G = cache.length, model["n_heads"], model["n_kv_heads"]
    b = a + len(prompt)
    x = model["token_embedding"][prompt] + model["position_embedding"][np.arange(a, b)]
    D = x.shape[-1]
    for i, p in enumerate(model["layers"]):
        y = layer_norm(x, p["ln1_gain"], p["ln1_bias"])
        heads = lambda w, n: np.stack(np.split(w, n, axis=1))           # (n, D, d_head)
        q, k, v = y @ heads(p["w_q"], H), y @ heads(p["w_k"], G), np.matmul(y, heads(p["w_v"], G))
        K, V = cache.append(i, k, v)
        K, V = (np.repeat(part, H // G, 0) for part in (K, V))
        bias = np.zeros((b - a, b))
        bias[np.arange(b)[None, :] > np.arange(a, b)[:, None]] = -np.inf
        x = x + np.concatenate(list(softmax(q @ np.transpose(K, (0, 2, 1)) * (H / D) ** 0.5 + bias) @ V), 1) @ p["w_out"]
        x = x + feed_forward(x, p)
    return np.dot(layer_norm(x, model["ln_gain"], model["ln_bias"]), model["unembedding"])[-1]


def generate_cached(model, prompt, n):
    P = len(prompt)
    if P + n > model["context"]:
        raise ValueError("context")
    ids = np.concatenate([prompt, np.zeros(n, dtype=int)])

    def rows():
        cache = KVCache(len(model["layers"]), model["n_kv_heads"], P + n,
                        model["unembedding"].shape[0] // model["n_heads"])
        for t in range(P, P + n):
            row = prefill(model, prompt, cache) if t == P else decode_step(model, int(ids[t - 1]), cache)
            ids[t] = row.argmax()
            yield row
    out = list(rows())
    return ids, np.stack(out) if out else np.zeros((0, model["unembedding"].shape[1]))

# %% Stage 4: weights fused once per text, no KVCache in generation
def prefill(model, prompt, cache):
    half = len(prompt) // 2
    for part in (prompt[:half], prompt[half:]):
        if len(part):
            logits = _chunk(model, part, cache.length, cache.append)
    return logits


def _chunk(model, part, start, append, fused=None):
    G, x = model["n_kv_heads"], model["token_embedding"][part]
    x = x + model["position_embedding"][start : start + len(part)]
    for i, p in enumerate(model["layers"]):
        w = fused[i] if fused else np.block([[p["w_k"], p["w_v"]]])
        y = layer_norm(x, p["ln1_gain"], p["ln1_bias"])
        k, v = np.moveaxis((y @ w).reshape(len(part), 2, G, -1), 0, 2)
        K, V = append(i, k, v)
        q = split_heads(y @ p["w_q"], model["n_heads"])
        mask = np.tri(len(part), K.shape[1], start, dtype=bool)
        K, V = (np.repeat(a, len(q) // G, axis=0) for a in (K, V))
        s = np.where(mask, q @ K.swapaxes(1, 2) / q.shape[2] ** 0.5, -np.inf)
        x = x + merge_heads(softmax(s) @ V) @ p["w_out"]
        x = x + feed_forward(x, p)
    return layer_norm(x[-1], model["ln_gain"], model["ln_bias"]) @ model["unembedding"]


def generate_cached(model, prompt, n):
    if len(prompt) + n > model["context"]:
        raise ValueError("context")
    held = {}

    def append(i, *new):
        held[i] = [np.concatenate(p, 1) for p in zip(held[i], new)] if i in held else new
        return held[i]

    fused = [np.c_[p["w_k"], p["w_v"]] for p in model["layers"]]
    ids, start, rows = list(prompt), 0, np.zeros((n, model["unembedding"].shape[1]))
    for i in range(n):
        rows[i] = _chunk(model, np.array(ids[start:]), start, append, fused)
        start = len(ids)
        ids.append(int(np.argmax(rows[i])))
    return ids, rows

# %% Stage 5: sums by loop, floats, a list
def kv_rows(prompt_len, n):
    return [sum(range(prompt_len, prompt_len + n)), prompt_len + len(range(1, n))]


def cache_bytes(n_layers, n_kv_heads, length, d_head, itemsize):
    return math.prod([n_layers, n_kv_heads, length, d_head, itemsize, 2])

# %% Stage 5: measured on an array that takes no room
def kv_rows(P, n):
    naive = 0
    for step in range(n):
        naive += P + step
    return naive, P + (n - 1)


def cache_bytes(n_layers, n_kv_heads, length, d_head, itemsize):
    one = np.broadcast_to(np.zeros((), dtype=f"V{itemsize}"), (n_layers, n_kv_heads, length, d_head))
    return one.nbytes * 2

# %% Stage 5: NumPy integers and the Gauss sum of last and first
def kv_rows(prompt_len, n):
    return np.array([n * (2 * prompt_len + n - 1) / 2, prompt_len + n - 1])


def cache_bytes(n_layers, n_kv_heads, length, d_head, itemsize):
    per_token = np.int64(2) * n_kv_heads * d_head * itemsize * n_layers
    return per_token * length

# %% Stage 6: repeated keys, a mask of -1e30, a view over what is kept
def grouped_attention(q, k, v):
    H, Tq, dh = q.shape
    if H % k.shape[0] != 0:
        raise ValueError("groups")
    k, v = np.repeat(k, H // len(k), axis=0), np.repeat(v, H // len(v), axis=0)
    s = np.einsum("hid,hjd->hij", q, k) / math.sqrt(dh)
    Tk = k.shape[1]
    s = s + np.triu(np.full((Tq, Tk), -1e30), k=Tk - Tq + 1)
    return np.einsum("hij,hjd->hid", softmax(s), v)

# %% Stage 6: a list per head, a deque per layer
from collections import Counter, deque


def grouped_attention(q, k, v):
    if len(q) % len(k):
        raise ValueError("G must divide H")
    share, back = len(q) // len(k), k.shape[1] - q.shape[1]
    return [[(softmax(k[h // share, : i + back + 1] @ row / len(row) ** 0.5)
              @ v[h // share, : i + back + 1]).tolist()
             for i, row in enumerate(head)] for h, head in enumerate(q)]


class WindowCache:
    def __init__(self, n_layers, n_kv_heads, window, d_head):
        self.layers = [deque(maxlen=window) for _ in range(n_layers)]
        self.seen = Counter({i: 0 for i in range(n_layers)})

    @property
    def length(self):
        return min(self.seen.values())

    def append(self, layer, k, v):
        for i in range(k.shape[1]):
            self.layers[layer].append((k[:, i], v[:, i]))
        self.seen[layer] += k.shape[1]
        return [np.stack(part, axis=1) for part in zip(*self.layers[layer])]

# %% Stage 6: a ring buffer, unrolled on the way out
class WindowCache:
    def __init__(self, n_layers, n_kv_heads, window, d_head):
        self.ring = np.zeros((n_layers, 2, n_kv_heads, window, d_head))
        self.seen = [0] * n_layers
        self.length = 0

    def append(self, layer, k, v):
        window = self.ring.shape[3]
        for i in range(k.shape[1]):
            at = self.seen[layer] % window
            self.ring[layer, 0, :, at], self.ring[layer, 1, :, at] = k[:, i], v[:, i]
            self.seen[layer] += 1
        if layer == len(self.seen) - 1:
            self.length = self.seen[layer]
        first = max(0, self.seen[layer] - window)
        order = np.arange(first, self.seen[layer]) % window
        return self.ring[layer][:, :, order]

# %% Stage 6: bytes by counting what falls away
def bytes_saved(n_layers, n_heads, n_kv_heads, length, window, d_head, itemsize):
    token_head = 2 * n_layers * d_head * itemsize
    gone_heads, gone_tokens = n_heads - n_kv_heads, max(0, length - window)
    a, b = token_head * gone_heads * length, token_head * gone_tokens * n_heads
    return [a, b, a + b - token_head * gone_heads * gone_tokens]

# %% Stage 6: shares of the whole, floats that are whole numbers
def bytes_saved(n_layers, n_heads, n_kv_heads, length, window, d_head, itemsize):
    full = 2.0 * n_layers * n_heads * length * d_head * itemsize
    kept = [n_kv_heads / n_heads, min(1.0, window / length)]
    return tuple(round(full * (1 - share)) for share in (*kept, kept[0] * kept[1]))
