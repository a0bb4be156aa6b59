# Right, but unusual: every cell is an answer to one stage, and each must pass.

# %% Stage 1: masked scores of minus infinity, NaN mended afterwards
def softmax(x, axis=-1):
    z = np.exp(x - np.amax(x, axis=axis, keepdims=True))
    return z / np.sum(z, axis=axis, keepdims=True)


def attention(q, k, v, mask=None):
    att = (q @ np.swapaxes(k, -2, -1)) * (1.0 / math.sqrt(k.shape[-1]))
    if mask is not None:
        att = np.where(np.broadcast_to(mask, att.shape), att, float("-inf"))
    with np.errstate(all="ignore"):
        att = softmax(att, axis=-1)
    att = np.nan_to_num(att)
    return att @ v, att

# %% Stage 1: softmax, then mask, then renormalise
def softmax(logits, dim=-1):
    moved = np.moveaxis(logits, dim, -1)
    top = moved.max(-1)[..., None]
    e = np.exp(moved - top)
    return np.moveaxis(e / e.sum(-1)[..., None], -1, dim)


def attention(queries, keys, values, visible=None):
    w = softmax(np.einsum("...qd,...kd->...qk", queries, keys) / queries.shape[-1] ** 0.5)
    if visible is not None:
        w = w * visible
        total = w.sum(-1, keepdims=True)
        w = np.divide(w, total, out=np.zeros_like(w), where=total > 0)
    return np.einsum("...qk,...kv->...qv", w, values), w

# %% Stage 1: an added mask of -1e9, a list as the pair
def attention(q, k, v, mask=None):
    d_k = q.shape[-1]
    scores = np.matmul(q, np.moveaxis(k, -1, -2)) / np.sqrt(d_k)
    if mask is not None:
        scores = scores + (1 - mask.astype(float)) * -1e9
    p_attn = softmax(scores)
    if mask is not None:
        p_attn *= np.any(mask, axis=-1, keepdims=True)
    return [np.matmul(p_attn, v), p_attn]

# %% Stage 1: one query at a time, logsumexp, an extra parameter
def softmax(x, axis=-1, temperature=1.0):
    x = x / temperature
    top = x.max(axis=axis, keepdims=True)
    return np.exp(x - top - np.log(np.exp(x - top).sum(axis=axis, keepdims=True)))


def attention(q, k, v, mask=None):
    lead, tq, tk = q.shape[:-2], q.shape[-2], k.shape[-2]
    seen = np.ones((*lead, tq, tk), bool) if mask is None else np.broadcast_to(mask, (*lead, tq, tk))
    w = np.zeros((*lead, tq, tk))
    out = np.zeros((*lead, tq, v.shape[-1]))
    for at in np.ndindex(*lead):
        for i in range(tq):
            keep = np.flatnonzero(seen[at][i])
            if len(keep):
                w[at][i, keep] = softmax(k[at][keep] @ q[at][i] / math.sqrt(len(q[at][i])))
                out[at][i] = w[at][i, keep] @ v[at][keep]
    return out, w

# %% Stage 1: q scaled first, a masked array's fill, nested lists out
def attention(q, k, v, mask=None):
    if mask is None:
        mask = np.ones(k.shape[-2], dtype=bool)
    s = (q / np.sqrt(q.shape[-1])) @ k.swapaxes(-1, -2)
    m = np.broadcast_to(mask, s.shape)
    top = np.max(s, axis=-1, keepdims=True, where=m, initial=-1e300)
    e = np.zeros_like(s)
    np.exp(s - top, out=e, where=m)
    total = e.sum(-1, keepdims=True)
    w = e / np.where(total == 0, 1, total)
    return (w @ v).tolist(), w.tolist()

# %% Stage 2: two ranges compared
def causal_mask(n_queries, n_keys):
    return np.arange(n_keys)[None, :] <= np.arange(n_queries)[:, None] + (n_keys - n_queries)

# %% Stage 2: tril of ones, nanoGPT's way
def causal_mask(Tq, Tk):
    return np.tril(np.ones((Tq, Tk)), k=Tk - Tq).astype(np.bool_)

# %% Stage 2: nested lists
def causal_mask(n_queries, n_keys):
    return [[j <= i + n_keys - n_queries for j in range(n_keys)] for i in range(n_queries)]

# %% Stage 2: the last rows of a square mask, padded above
def causal_mask(n_queries, n_keys):
    n = max(n_queries, n_keys)
    square = ~np.triu(np.ones((n, n), dtype=bool), 1)
    return square[n - n_queries :, n - n_keys :]

# %% Stage 2: fromfunction
def causal_mask(a, b):
    return np.fromfunction(lambda i, j: j - i <= b - a, (a, b))

# %% Stage 3: einsum letters and numpy's own error
def split_heads(x, n_heads):
    if x.shape[-1] % n_heads != 0:
        raise ValueError
    parts = x.reshape(x.shape[0], x.shape[1], n_heads, -1)
    return np.einsum("bthd->bhtd", parts)


def merge_heads(x):
    return np.einsum("bhtd->bthd", x).reshape(x.shape[0], x.shape[2], -1)

# %% Stage 3: np.split, which raises by itself, and concatenate
def split_heads(x, n_heads):
    return np.stack(np.split(x, n_heads, axis=-1), axis=1)


def merge_heads(x):
    return np.concatenate([x[:, h] for h in range(x.shape[1])], axis=-1)

# %% Stage 3: slices written into an empty array
def split_heads(x, n_heads):
    B, T, D = x.shape
    hs, rest = divmod(D, n_heads)
    if rest:
        raise ValueError("n_embd % n_head")
    out = np.empty((B, n_heads, T, hs), dtype=x.dtype)
    for h in range(n_heads):
        out[:, h] = x[:, :, h * hs : (h + 1) * hs]
    return out


def merge_heads(x):
    B, H, T, hs = x.shape
    out = np.empty((B, T, H * hs))
    for h in range(H):
        out[..., h * hs : (h + 1) * hs] = x[:, h]
    return out

# %% Stage 3: rollaxis and nested lists out
def split_heads(x, n_heads):
    b, t, d = x.shape
    if d / n_heads != d // n_heads:
        raise ValueError("no")
    return np.rollaxis(x.reshape((b, t, n_heads, d // n_heads)), 2, 1).tolist()


def merge_heads(x):
    x = np.asarray(x)
    return [[[float(n) for head in x[b, :, t] for n in head] for t in range(x.shape[2])]
            for b in range(len(x))]

# %% Stage 4: mean and var of NumPy, erfc, three products for q, k and v
def layer_norm(x, gain, bias, eps=1e-5):
    mu, var = x.mean(-1, keepdims=True), np.var(x, axis=-1, keepdims=True)
    return gain * ((x - mu) * (var + eps) ** -0.5) + bias


def gelu(x):
    flat = [0.5 * z * math.erfc(-z / 2**0.5) for z in np.ravel(x)]
    return np.array(flat).reshape(np.shape(x))


def transformer_block(x, params, n_heads):
    D = x.shape[-1]
    a = layer_norm(x, params["ln1_gain"], params["ln1_bias"])
    w, b = params["w_qkv"], params["b_qkv"]
    q, k, v = ((a @ w[:, i * D : (i + 1) * D] + b[i * D : (i + 1) * D]) for i in range(3))
    y = np.zeros_like(x)
    hs = D // n_heads
    for h in range(n_heads):
        c = slice(h * hs, (h + 1) * hs)
        s = q[..., c] @ k[..., c].transpose(0, 2, 1) / hs**0.5
        s = np.where(np.tril(np.ones(s.shape[-2:])) == 0, -np.inf, s)
        s = np.exp(s - s.max(-1, keepdims=True))
        y[..., c] = s / s.sum(-1, keepdims=True) @ v[..., c]
    h = x + (y @ params["w_out"] + params["b_out"])
    m = layer_norm(h, params["ln2_gain"], params["ln2_bias"])
    return h + (gelu(m @ params["w_up"] + params["b_up"]) @ params["w_down"] + params["b_down"])

# %% Stage 4: a norm through einsum, gelu by the positive half
def layer_norm(x, g, b, epsilon=1e-5):
    n = x.shape[-1]
    c = x - np.einsum("...i->...", x)[..., None] / n
    return c / np.sqrt(np.einsum("...i,...i->...", c, c)[..., None] / n + epsilon) * g + b


def gelu(x):
    half = np.vectorize(math.erf, otypes=[float])(np.abs(x) / np.sqrt(2)) / 2
    return x * np.where(x < 0, 0.5 - half, 0.5 + half)

# %% Stage 4: token by token with a growing list of keys, as generation does it
def transformer_block(x, params, n_heads):
    p = {name: np.array(part) for name, part in params.items()}
    out = np.empty(x.shape)
    for b in range(x.shape[0]):
        ks, vs = [], []
        for t in range(x.shape[1]):
            row = layer_norm(x[b, t], p["ln1_gain"], p["ln1_bias"])
            q, k, v = (row @ p["w_qkv"] + p["b_qkv"]).reshape(3, n_heads, -1)
            ks.append(k)
            vs.append(v)
            s = np.einsum("hd,jhd->hj", q, np.array(ks)) / math.sqrt(q.shape[-1])
            w = softmax(s)
            y = np.einsum("hj,jhd->hd", w, np.array(vs)).ravel()
            h = x[b, t] + y @ p["w_out"] + p["b_out"]
            m = layer_norm(h, p["ln2_gain"], p["ln2_bias"])
            out[b, t] = h + gelu(m @ p["w_up"] + p["b_up"]) @ p["w_down"] + p["b_down"]
    return out

# %% Stage 4: gelu and norm as a lambda's work, the block by the functions of stages 1 to 3
def layer_norm(x, gain, bias, eps=1e-5):
    rows = x.reshape(-1, x.shape[-1])
    done = [(r - r.mean()) / math.sqrt(r.var() + eps) * gain + bias for r in rows]
    return np.array(done).reshape(x.shape)


def transformer_block(x, params, n_heads):
    def linear(h, name):
        return np.einsum("btd,de->bte", h, params["w_" + name]) + params["b_" + name]

    def norm(h, name):
        return layer_norm(h, params[name + "_gain"], params[name + "_bias"])

    q, k, v = np.array_split(linear(norm(x, "ln1"), "qkv"), 3, -1)
    y, _ = attention(*(split_heads(z, n_heads) for z in (q, k, v)), causal_mask(*x.shape[1:2] * 2))
    x = x + linear(merge_heads(y), "out")
    return x + linear(gelu(linear(norm(x, "ln2"), "up")), "down")
