# %% [markdown]
# # Lab 4 · KV cache
#
# **You build** a two-layer decoder in NumPy, greedy generation that recomputes everything,
# then the same generation with a key-value cache: identical logits, a count of the work
# that it saves, the bytes that it costs.
# **Concepts**: why inference needs the cache, by measuring it.
# **Pairs with**: Course ch17 · LLM inference. **Time**: 2 to 3 hours.
#
# **Legend.** $T$ tokens, $P$ of them the prompt, $n$ generated; $V$ vocabulary, $D$ model
# width, $H$ query heads, $G$ key heads ($G$ divides $H$), $d = D/H$ width of a head, $L$ layers.
#
# **The rule.** Read the stage, write the function, run its check. When it fails, re-read
# the explanation, not the solution. Compare with the solution only after a real attempt,
# then write yours again from memory the next day. Never read the solutions first:
# recognition feels like knowledge; only recall is.

# %%
import math
import time

import matplotlib.pyplot as plt
import numpy as np

from checks.lab_4_kv_cache import (
    check_stage1,
    check_stage2,
    check_stage3,
    check_stage4,
    check_stage5,
    check_stage6,
)

VOCAB, D, N_HEADS, N_LAYERS, CONTEXT = 50, 64, 4, 2, 320

# %% [markdown]
# ## Given: the parts of a block
#
# You built these in lab 2. `make_model` draws random weights: an untrained model generates
# nonsense, and that is enough, for the cache must reproduce the nonsense to the last digit.
# The embedding and the unembedding are untied, or greedy decoding of an untrained model
# repeats one token for ever and hides every mistake.


# %%
def softmax(x):
    """Softmax over the last axis; -inf becomes exactly 0."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def layer_norm(x, gain, bias):
    """Rows of x (..., D) with mean 0 and variance 1, then gain and bias; eps is in the root."""
    centred = x - x.mean(axis=-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5) * gain + bias


def gelu(x):
    """x times the normal distribution function of x, exactly."""
    erf = np.frompyfunc(math.erf, 1, 1)
    return 0.5 * x * (1.0 + erf(x / math.sqrt(2.0)).astype(float))


def mlp(layer, x):
    """The second half of a block, before its residual: (T, D) -> (T, D)."""
    return gelu(layer_norm(x, layer["ln2_gain"], layer["ln2_bias"]) @ layer["w_up"]) @ layer["w_down"]


def split_heads(x, n_heads):
    """(T, n_heads * d) -> (n_heads, T, d); head h owns columns h*d to (h+1)*d - 1."""
    return x.reshape(len(x), n_heads, -1).swapaxes(0, 1)


def attend(q, k, v, visible):
    """Attention with as many key heads as query heads, heads side by side again.

    q        (H, Tq, d)
    k, v     (H, Tk, d)
    visible  (Tq, Tk) bool, True where a query may look; at least one in each row
    returns  (Tq, H * d)
    """
    scores = q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1])                # (H, Tq, Tk)
    out = softmax(np.where(visible, scores, -np.inf)) @ v               # (H, Tq, d)
    return out.swapaxes(0, 1).reshape(q.shape[1], -1)


def make_model(rng, vocab, d, n_heads, n_layers, context, n_kv_heads=None):
    """A decoder with random weights, as a dict; all arrays float64.

    Keys: n_heads, n_kv_heads, context, token_embedding (V, D), position_embedding
    (context, D), layers (a list of dicts), ln_gain, ln_bias (D,), unembedding (D, V).
    A layer: ln1_gain, ln1_bias (D,), w_q (D, D), w_k and w_v (D, n_kv_heads * d_head),
    w_out (D, D), ln2_gain, ln2_bias (D,), w_up (D, 4D), w_down (4D, D).
    """
    n_kv_heads = n_kv_heads or n_heads
    narrow = n_kv_heads * (d // n_heads)

    def weights(rows, columns):
        return rng.normal(0, rows**-0.5, (rows, columns))

    layers = [
        {
            "ln1_gain": np.ones(d), "ln1_bias": np.zeros(d),
            "w_q": weights(d, d), "w_k": weights(d, narrow), "w_v": weights(d, narrow),
            "w_out": weights(d, d), "ln2_gain": np.ones(d), "ln2_bias": np.zeros(d),
            "w_up": weights(d, 4 * d), "w_down": weights(4 * d, d),
        }
        for _ in range(n_layers)
    ]
    return {
        "n_heads": n_heads, "n_kv_heads": n_kv_heads, "context": context, "layers": layers,
        "token_embedding": rng.normal(0, 1, (vocab, d)),
        "position_embedding": rng.normal(0, 1, (context, d)),
        "ln_gain": np.ones(d), "ln_bias": np.zeros(d), "unembedding": weights(d, vocab),
    }

# %% [markdown]
# ## Stage 1 · The forward pass
#
# A pre-norm decoder: every layer adds attention to the residual stream, then an MLP.
#
# $$x \leftarrow x + \mathrm{attn}(\mathrm{ln}_1 x)\,W_{out} \qquad x \leftarrow x + \mathrm{mlp}(\mathrm{ln}_2 x)$$
#
# Position $t$ sees the positions $0 \dots t$ and no later one. That *causality* is what makes
# a cache possible: what a token's keys and values are never depends on what comes after it.
#
# ### Fewer key heads than query heads
# With $H=4$ query heads and $G=2$ key heads, query heads 0 and 1 read key head 0, query heads
# 2 and 3 read key head 1: head $h$ reads head $h \div (H/G)$, rounded down. `np.repeat` along
# the head axis does that; `np.tile` would hand out 0 1 0 1.
#
# ### By hand
# Token ids `[7, 7, 7]`: without positions all three rows of logits would be equal. The
# position embedding is added once, before the first layer: row $t$ of it to token $t$.

# %%
print("heads read:", [h // (4 // 2) for h in range(4)], "and not", [h % 2 for h in range(4)])
print(np.tri(3, dtype=bool).astype(int))


# %%
def forward(model, ids):
    """Logits of the next token after every position.

    model    a dict as `make_model` writes it; n_kv_heads may be smaller than n_heads
    ids      (T,) ints, 1 <= T <= context; a list or an array
    returns  (T, V) float64; row t depends on ids[0..t] only

    Query head h reads key head h // (n_heads // n_kv_heads). The last layer is followed
    by `layer_norm` with ln_gain and ln_bias, then the unembedding. Nothing is changed.
    """
    # TODO(you): stage 1, about 13 lines.
    raise NotImplementedError("stage 1: forward")


# %%
# Done? Uncomment, run, read what it says.
# check_stage1(forward)

# %%
# Predict first: token 10 is exchanged. Which rows of the logits move, and which stay?
model = make_model(np.random.default_rng(0), VOCAB, D, N_HEADS, N_LAYERS, CONTEXT)
ids = np.random.default_rng(1).integers(0, VOCAB, 24)
other = ids.copy()
other[10] = (other[10] + 1) % VOCAB
moved = np.abs(forward(model, ids) - forward(model, other)).max(axis=1)
plt.bar(range(24), moved)
plt.axvline(10, ls=":", color="tab:red", label="the token that was exchanged")
plt.xlabel("position (tokens)")
plt.ylabel("largest change of a logit")
plt.legend()
plt.show()

# %% [markdown]
# ## Stage 2 · Generation that recomputes everything
#
# Greedy decoding: run the model on what is there, append the token with the largest logit in
# the *last* row, run it again on all of it. Correct, and wasteful: the second run computes
# again what the first one knew.
#
# ### By hand
# A prompt of 3 tokens, 2 to generate: the model runs on 3 tokens, then on 4, and returns 5
# ids and 2 rows of logits. The last token that was generated is never fed back.
#
# ### When the context is full
# The model has `context` position embeddings, no more. Prompt and new tokens together must
# fit, or the function raises ValueError before it computes anything.

# %%
print("rows computed for P = 3, n = 2:", sum(range(3, 3 + 2)))


# %%
def generate_naive(model, prompt, n):
    """Greedy generation without a cache: the whole sequence goes through the model each time.

    prompt   (P,) ints, P >= 1; it is not changed
    n        int >= 0, how many tokens to generate
    returns  (ids, logits): ids (P + n,) ints, the prompt first; logits (n, V), the row from
             which each new token was chosen, shape (0, V) for n = 0

    The largest logit wins, ties go to the lower id. Raises ValueError if P + n > context.
    """
    # TODO(you): stage 2, about 8 lines.
    raise NotImplementedError("stage 2: generate_naive")


# %%
# Done? Uncomment, run, read what it says.
# check_stage2(generate_naive)

# %%
# Predict first: when n doubles from 40 to 80, by what factor does the time grow?
prompt = [3, 1, 4, 1, 5, 9, 2, 6]
generate_naive(model, prompt, 2)                                       # warm up
lengths, seconds = [10, 20, 40, 80, 160], []
for n in lengths:
    begin = time.perf_counter()
    generate_naive(model, prompt, n)
    seconds.append(time.perf_counter() - begin)
plt.plot(lengths, np.array(seconds) / np.array(lengths) * 1e3, marker="o")
plt.xlabel("generated tokens n")
plt.ylabel("time per token (ms)")
plt.ylim(bottom=0)
plt.show()

# %% [markdown]
# ## Stage 3 · The cache, and one step with it
#
# A new token needs its own query, and the keys and values of *all* tokens. Those of the old
# tokens have not changed, so they are kept: per layer, per key head, a row for every token.
#
# ### By hand
# A cache of 2 layers, 2 key heads, room for 5 tokens, $d = 3$. Append $k$ and $v$ of shape
# (2, 4, 3) to layer 0: back come (2, 4, 3). Append one more token to layer 0: back come
# (2, 5, 3), the old rows first. `length` is still 0, for layer 1 holds nothing: it counts the
# tokens that *every* layer holds. A sixth token does not fit: ValueError.
#
# ### Where am I?
# The new token stands at position `cache.length`, counted *before* this step, and gets that
# position's embedding. Position 0 again and again is the classic mistake: the tokens still
# look plausible, the logits are wrong. Read the position once, at the start: the first layer's
# append must not move it for the second. No mask is needed here: all that the cache holds is
# the past.

# %%
room = np.zeros((2, 2, 5, 3))                                          # (L, G, room, d)
print("one buffer for keys:", room.shape, "what 4 tokens of layer 0 look like:", room[0, :, :4].shape)


# %%
class KVCache:
    """Keys and values of the tokens so far, layer by layer.

    length   int attribute: tokens that every layer holds, 0 at the start
    """

    def __init__(self, n_layers, n_kv_heads, max_len, d_head):
        """Room for exactly max_len tokens in each layer."""
        # TODO(you): stage 3, about 4 lines.
        raise NotImplementedError("stage 3: KVCache.__init__")

    def append(self, layer, k, v):
        """Add t >= 1 tokens to a layer; everything that the layer holds then.

        layer    int, 0 <= layer < n_layers
        k, v     (n_kv_heads, t, d_head)
        returns  (K, V), each (n_kv_heads, tokens so far, d_head), oldest token first

        Raises ValueError if they do not fit. Layers may be filled in any order.
        """
        # TODO(you): stage 3, about 8 lines.
        raise NotImplementedError("stage 3: KVCache.append")


# %%
def decode_step(model, token, cache):
    """The logits after one more token; the cache grows by it.

    token    int, the token at position cache.length
    cache    a KVCache with room for it
    returns  (V,) float64, equal to the last row of `forward` on all tokens so far
    """
    # TODO(you): stage 3, about 13 lines.
    raise NotImplementedError("stage 3: decode_step")


# %%
# Done? Uncomment, run, read what it says.
# check_stage3(KVCache, decode_step)

# %%
# Predict first: how far apart are the logits of step 20 with and without the cache?
cache = KVCache(N_LAYERS, N_HEADS, CONTEXT, D // N_HEADS)
stepwise = np.array([decode_step(model, token, cache) for token in ids])
gap = np.abs(stepwise - forward(model, ids)).max(axis=1)
plt.semilogy(range(len(ids)), np.maximum(gap, 1e-18), marker="o")
plt.axhline(1e-9, ls=":", color="tab:red", label="what the check allows")
plt.xlabel("position (tokens)")
plt.ylabel("largest difference of a logit")
plt.legend()
plt.show()

# %% [markdown]
# ## Stage 4 · Prefill, and generation that uses the cache
#
# The prompt need not go in token by token: one pass over all its rows fills the cache, a
# matrix product in place of many. This is *prefill*, and what follows is *decode*; a serving
# system schedules the two apart, since prefill is limited by arithmetic and decode by memory.
#
# ### By hand
# The cache holds 3 tokens, a chunk of 2 comes in. Its first token is at position 3 and may
# look at the keys 0 to 3, its second at 0 to 4. The mask has 2 rows and 5 columns:
#
# `1 1 1 1 0`
# `1 1 1 1 1`
#
# Query $i$ of the chunk sees key $j$ where $j \le i + 3$: aligned to the lower right. Aligned
# to the upper left it would hide the past from the chunk, and only from the second chunk on.
#
# ### How much work
# Prefill puts $P$ rows through the layers, each further token one row, and the last token
# that was generated is never fed back: $P + n - 1$ rows in all.

# %%
print(np.tri(2, 5, k=3, dtype=bool).astype(int))


# %%
def prefill(model, prompt, cache):
    """Put a chunk of tokens through the model at once; the cache grows by all of them.

    prompt   (t,) ints, t >= 1, at the positions cache.length, cache.length + 1, ...
    cache    a KVCache, empty or holding earlier chunks
    returns  (V,) float64, the logits after the chunk's last token
    """
    # TODO(you): stage 4, about 14 lines.
    raise NotImplementedError("stage 4: prefill")


# %%
def generate_cached(model, prompt, n):
    """As `generate_naive`, with the same ids, logits (within 1e-9) and errors, but cached.

    Each layer projects P + n - 1 rows in all for n >= 1.
    """
    # TODO(you): stage 4, about 14 lines.
    raise NotImplementedError("stage 4: generate_cached")


# %%
# Done? Uncomment, run, read what it says.
# check_stage4(prefill, generate_cached, KVCache)

# %%
# Predict first: where the naive curve rises with n, what does the cached one do?
cached_seconds = []
generate_cached(model, prompt, 2)
for n in lengths:
    begin = time.perf_counter()
    generate_cached(model, prompt, n)
    cached_seconds.append(time.perf_counter() - begin)
plt.plot(lengths, np.array(seconds) / np.array(lengths) * 1e3, marker="o", label="naive")
plt.plot(lengths, np.array(cached_seconds) / np.array(lengths) * 1e3, marker="s", label="cached")
plt.xlabel("generated tokens n")
plt.ylabel("time per token (ms)")
plt.ylim(bottom=0)
plt.legend()
plt.show()

# %% [markdown]
# ## Stage 5 · Count the work, count the bytes
#
# Seconds depend on the machine; the rows that go through a layer's projections do not.
#
# $$\text{naive: } \sum_{i=0}^{n-1} (P+i) = nP + \frac{n(n-1)}{2} \qquad \text{cached: } P + n - 1$$
#
# ### By hand
# $P = 8$, $n = 128$: naive $1024 + 8128 = 9152$ rows, cached $135$. That is 68 times less, and
# the factor grows with $n$.
#
# ### What it costs
# Keys *and* values, every layer, every key head, every token: $2 \cdot L \cdot G \cdot T \cdot d
# \cdot$ bytes per number. Llama-2-7B has 32 layers, 32 key heads and $d = 128$, so one sequence
# of 4,096 tokens in fp16 (2 bytes) holds $2 \cdot 32 \cdot 32 \cdot 4096 \cdot 128 \cdot 2 =
# 2{,}147{,}483{,}648$ bytes: 2.0 GiB, half a mebibyte for each token, beside 13 GB of weights.
# Six such sequences weigh as much as the model: it is the cache that limits the batch.

# %%
print(f"Llama-2-7B, 4,096 tokens, fp16: {2 * 32 * 32 * 4096 * 128 * 2 / 2**30:.1f} GiB")


# %%
def kv_rows(prompt_len, n):
    """Rows that go through w_k of one layer while n >= 1 tokens are generated.

    returns  (naive, cached), two ints
    """
    # TODO(you): stage 5, about 1 line.
    raise NotImplementedError("stage 5: kv_rows")


# %%
def cache_bytes(n_layers, n_kv_heads, length, d_head, itemsize):
    """Bytes of the keys and values of `length` tokens; itemsize bytes a number. An int."""
    # TODO(you): stage 5, about 1 line.
    raise NotImplementedError("stage 5: cache_bytes")


# %%
# Done? Uncomment, run, read what it says.
# check_stage5(kv_rows, cache_bytes)

# %%
# Predict first: on log-log axes, which slope has n squared, and which has n?
rows = np.array([kv_rows(len(prompt), n) for n in lengths])            # (5, 2)
figure, (work, clock) = plt.subplots(1, 2, figsize=(10, 4))
for at, name in enumerate(("naive", "cached")):
    slope = np.polyfit(np.log(lengths[2:]), np.log(rows[2:, at]), 1)[0]
    work.loglog(lengths, rows[:, at], marker="o", label=f"{name}, slope {slope:.1f}")
    spent = np.array((seconds, cached_seconds)[at])
    slope = np.polyfit(np.log(lengths[2:]), np.log(spent[2:]), 1)[0]
    clock.loglog(lengths, spent, marker="o", label=f"{name}, slope {slope:.1f}")
work.set_ylabel("rows through a layer (exact)")
clock.set_ylabel("time (s, on this machine)")
for axes in (work, clock):
    axes.set_xlabel("generated tokens n")
    axes.legend()
plt.tight_layout()
plt.show()

# %%
# The formula against the real arrays: everything that the cache object holds.
cache = KVCache(N_LAYERS, N_HEADS, 100, D // N_HEADS)
for token in range(100):
    decode_step(model, token % VOCAB, cache)


def array_bytes(thing):
    """Bytes of all arrays in an object, its lists, tuples and dicts."""
    if isinstance(thing, np.ndarray):
        return thing.nbytes
    if isinstance(thing, dict):
        thing = thing.values()
    elif hasattr(thing, "__dict__"):
        thing = vars(thing).values()
    elif not isinstance(thing, (list, tuple)):
        return 0
    return sum(array_bytes(part) for part in thing)


print("formula :", cache_bytes(N_LAYERS, N_HEADS, 100, D // N_HEADS, 8), "bytes")
print("measured:", array_bytes(cache), "bytes")

# %% [markdown]
# ## Stage 6 · Smaller caches (stretch)
#
# Two ways in which production models shrink it. *Grouped-query attention* keeps fewer key
# heads: Llama-2-70B has 64 query heads and 8 key heads, an eighth of the bytes. A *sliding
# window* keeps the last $W$ tokens: Mistral-7B has $W = 4096$, and its cache stops growing.
#
# ### Grouped heads without copies
# `np.repeat` writes every key head $H/G$ times, which gives back the memory traffic that GQA
# saves. Reshape the queries to (G, H/G, Tq, d): each group multiplies the one key head that it
# shares, and nothing is copied.
#
# ### The window
# A window of 3: after five one-token appends `append` returns tokens 2, 3, 4, oldest first,
# and `length` is 5, since positions go on counting. A chunk of $t$ tokens returns what its
# queries may need: the kept past and the whole chunk. It is cut to the last $W$ for the next.

# %%
for name, key_heads, kept in (("full", 32, 32768), ("8 key heads", 8, 32768), ("window", 32, 4096)):
    print(f"{name:12} {2 * 32 * key_heads * kept * 128 * 2 / 2**30:5.1f} GiB at 32,768 tokens")


# %%
def grouped_attention(q, k, v, visible):
    """Attention in which n_heads // n_kv_heads query heads share a key head.

    q        (H, Tq, d)
    k, v     (G, Tk, d), G divides H; query head h reads key head h // (H // G)
    visible  (Tq, Tk) bool, True where a query may look; at least one in each row
    returns  (H, Tq, d), scores scaled by 1 / sqrt(d)
    """
    # TODO(you): stage 6, about 5 lines.
    raise NotImplementedError("stage 6: grouped_attention")


# %%
class WindowCache:
    """A KV cache that forgets: each layer keeps its last `window` tokens.

    length   int attribute: tokens that every layer has *seen*, kept or not
    """

    def __init__(self, n_layers, n_kv_heads, window, d_head):
        """window >= 1 tokens are kept in each layer."""
        # TODO(you): stage 6, about 5 lines.
        raise NotImplementedError("stage 6: WindowCache.__init__")

    def append(self, layer, k, v):
        """Add t >= 1 tokens to a layer.

        k, v     (n_kv_heads, t, d_head)
        returns  (K, V), each (n_kv_heads, m, d_head), oldest first: at most window - 1 kept
                 tokens and then the new ones, so that the first new token sees its window
        """
        # TODO(you): stage 6, about 8 lines.
        raise NotImplementedError("stage 6: WindowCache.append")


# %%
# Done? Uncomment, run, read what it says.
# check_stage6(grouped_attention, WindowCache)

# %%
# Predict first: at which length does a 7B model's window of 4,096 beat 8 of 32 key heads?
tokens = np.arange(1, 33) * 1024
curves = {
    "32 key heads": (32, tokens),
    "8 key heads": (8, tokens),
    "window of 4,096": (32, np.minimum(tokens, 4096)),
    "8 key heads and window": (8, np.minimum(tokens, 4096)),
}
for name, (key_heads, kept) in curves.items():
    gib = np.array([cache_bytes(32, key_heads, int(t), 128, 2) for t in kept]) / 2**30
    plt.plot(tokens, gib, label=name)
plt.xlabel("tokens so far")
plt.ylabel("cache of one sequence (GiB, fp16)")
plt.legend()
plt.show()
small = WindowCache(1, 2, 3, 4)
drawn = np.random.default_rng(0).normal(size=(5, 2, 1, 4))
print([small.append(0, one, one)[0].shape[1] for one in drawn], "tokens returned,", small.length, "seen")

# %% [markdown]
# # What this toy leaves out
# - Batches of sequences of different lengths, and the paged memory that lets them grow without
#   reserving room (vLLM's PagedAttention keeps blocks of 16 tokens).
# - Rotary positions, which are applied to the keys before they are cached.
# - Quantised caches (8 or 4 bits), shared prefixes, speculative decoding, tensor parallelism.
# - Fused kernels: here the scores are written to memory, in FlashAttention they never are.

# %% [markdown]
# # Interview questions that you can answer now
# - Why are keys and values cached, and queries not? (A query is used once, by its own token.)
# - What does the cache of Llama-2-7B weigh at 4,096 tokens in fp16? (2 GiB, .5 MiB a token.)
# - Why is prefill limited by arithmetic and decode by memory bandwidth? (A decode step reads
#   every weight and the whole cache for one row of work.)
# - You see fluent but wrong text after the first chunk of a chunked prefill. Where do you look?
#   (The mask's alignment, and the position offset.)
# - What does GQA with 8 of 32 key heads save, and what does it cost? (Three quarters of the
#   cache and of its traffic, for a small loss of quality.)
# - Generating 128 tokens after a prompt of 8: how many rows with and without a cache? (135, 9,152.)

# %% [markdown]
# # Solutions
# No peeking: write yours first, then compare, then write it again tomorrow.


# %%
def solution_forward(model, ids):
    n_heads, n_kv_heads = model["n_heads"], model["n_kv_heads"]
    n = len(ids)
    x = model["token_embedding"][np.asarray(ids)] + model["position_embedding"][:n]    # (T, D)
    visible = np.tri(n, dtype=bool)                                                    # (T, T)
    for layer in model["layers"]:
        h = layer_norm(x, layer["ln1_gain"], layer["ln1_bias"])
        q = split_heads(h @ layer["w_q"], n_heads)                                     # (H, T, d)
        k = split_heads(h @ layer["w_k"], n_kv_heads)                                  # (G, T, d)
        v = split_heads(h @ layer["w_v"], n_kv_heads)
        k, v = (np.repeat(each, n_heads // n_kv_heads, axis=0) for each in (k, v))     # (H, T, d)
        x = x + attend(q, k, v, visible) @ layer["w_out"]
        x = x + mlp(layer, x)
    return layer_norm(x, model["ln_gain"], model["ln_bias"]) @ model["unembedding"]    # (T, V)


# %%
def solution_generate_naive(model, prompt, n):
    if len(prompt) + n > model["context"]:
        raise ValueError(f"{len(prompt)} + {n} tokens do not fit into {model['context']}")
    ids = [int(token) for token in prompt]
    rows = np.zeros((n, model["unembedding"].shape[1]))
    for step in range(n):
        rows[step] = solution_forward(model, ids)[-1]
        ids.append(int(rows[step].argmax()))
    return np.array(ids), rows


# %%
class solution_KVCache:
    def __init__(self, n_layers, n_kv_heads, max_len, d_head):
        self.keys = np.zeros((n_layers, n_kv_heads, max_len, d_head))
        self.values = np.zeros((n_layers, n_kv_heads, max_len, d_head))
        self.filled = [0] * n_layers
        self.length = 0

    def append(self, layer, k, v):
        start, end = self.filled[layer], self.filled[layer] + k.shape[1]
        if end > self.keys.shape[2]:
            raise ValueError(f"{end} tokens do not fit into {self.keys.shape[2]}")
        self.keys[layer, :, start:end] = k
        self.values[layer, :, start:end] = v
        self.filled[layer] = end
        self.length = min(self.filled)
        return self.keys[layer, :, :end], self.values[layer, :, :end]


# %%
def solution_decode_step(model, token, cache):
    n_heads, n_kv_heads = model["n_heads"], model["n_kv_heads"]
    at = cache.length
    x = model["token_embedding"][[token]] + model["position_embedding"][[at]]          # (1, D)
    for number, layer in enumerate(model["layers"]):
        h = layer_norm(x, layer["ln1_gain"], layer["ln1_bias"])
        q = split_heads(h @ layer["w_q"], n_heads)                                     # (H, 1, d)
        k = split_heads(h @ layer["w_k"], n_kv_heads)                                  # (G, 1, d)
        v = split_heads(h @ layer["w_v"], n_kv_heads)
        k, v = cache.append(number, k, v)                                              # (G, at+1, d)
        k, v = (np.repeat(each, n_heads // n_kv_heads, axis=0) for each in (k, v))
        x = x + attend(q, k, v, np.ones((1, at + 1), dtype=bool)) @ layer["w_out"]
        x = x + mlp(layer, x)
    return (layer_norm(x, model["ln_gain"], model["ln_bias"]) @ model["unembedding"])[0]


# %%
def solution_prefill(model, prompt, cache):
    n_heads, n_kv_heads = model["n_heads"], model["n_kv_heads"]
    start, end = cache.length, cache.length + len(prompt)
    x = model["token_embedding"][np.asarray(prompt)] + model["position_embedding"][start:end]
    visible = np.tri(len(prompt), end, k=start, dtype=bool)                            # (t, end)
    for number, layer in enumerate(model["layers"]):
        h = layer_norm(x, layer["ln1_gain"], layer["ln1_bias"])
        q = split_heads(h @ layer["w_q"], n_heads)
        k = split_heads(h @ layer["w_k"], n_kv_heads)
        v = split_heads(h @ layer["w_v"], n_kv_heads)
        k, v = cache.append(number, k, v)                                              # (G, end, d)
        k, v = (np.repeat(each, n_heads // n_kv_heads, axis=0) for each in (k, v))
        x = x + attend(q, k, v, visible) @ layer["w_out"]
        x = x + mlp(layer, x)
    return layer_norm(x[-1], model["ln_gain"], model["ln_bias"]) @ model["unembedding"]


# %%
def solution_generate_cached(model, prompt, n):
    if len(prompt) + n > model["context"]:
        raise ValueError(f"{len(prompt)} + {n} tokens do not fit into {model['context']}")
    ids = [int(token) for token in prompt]
    rows = np.zeros((n, model["unembedding"].shape[1]))
    first = model["layers"][0]["w_k"]
    d_head = first.shape[1] // model["n_kv_heads"]
    cache = solution_KVCache(len(model["layers"]), model["n_kv_heads"], len(ids) + n, d_head)
    for step in range(n):
        if step == 0:
            rows[step] = solution_prefill(model, ids, cache)
        else:
            rows[step] = solution_decode_step(model, ids[-1], cache)
        ids.append(int(rows[step].argmax()))
    return np.array(ids), rows


# %%
def solution_kv_rows(prompt_len, n):
    return n * prompt_len + n * (n - 1) // 2, prompt_len + n - 1


# %%
def solution_cache_bytes(n_layers, n_kv_heads, length, d_head, itemsize):
    return 2 * n_layers * n_kv_heads * length * d_head * itemsize


# %%
def solution_grouped_attention(q, k, v, visible):
    n_heads, n_queries, d_head = q.shape
    grouped = q.reshape(len(k), -1, n_queries, d_head)                                 # (G, H/G, Tq, d)
    scores = grouped @ k[:, None].swapaxes(-1, -2) / np.sqrt(d_head)                   # (G, H/G, Tq, Tk)
    weights = softmax(np.where(visible, scores, -np.inf))
    return (weights @ v[:, None]).reshape(n_heads, n_queries, d_head)


# %%
class solution_WindowCache:
    def __init__(self, n_layers, n_kv_heads, window, d_head):
        empty = np.zeros((n_kv_heads, 0, d_head))
        self.window = window
        self.kept = [(empty, empty)] * n_layers
        self.seen = [0] * n_layers
        self.length = 0

    def append(self, layer, k, v):
        keys, values = self.kept[layer]
        start = max(0, keys.shape[1] - (self.window - 1))
        keys = np.concatenate([keys[:, start:], k], axis=1)
        values = np.concatenate([values[:, start:], v], axis=1)
        self.kept[layer] = keys[:, -self.window :], values[:, -self.window :]
        self.seen[layer] += k.shape[1]
        self.length = min(self.seen)
        return keys, values
