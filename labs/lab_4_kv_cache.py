# %% [markdown]
# # Lab 4 · KV cache
#
# **You build** a small decoder in NumPy, generation that recomputes everything at each
# token, then generation with a KV cache: the same logits, counted and timed, and the bytes
# that the cache costs.
# **Concepts**: why inference needs the cache, shown by measuring it; prefill and decode;
# grouped-query attention; a sliding window.
# **Pairs with**: Course ch17 · LLM inference. **Time**: 3 to 4 hours.
#
# **Legend.** `T` tokens, `P` tokens of the prompt, `n` tokens to generate, `V` vocabulary,
# `D` model width, `H` query heads (`n_heads`), `G` key/value heads (`n_kv_heads`, a divisor
# of H), `d_head` $= D/H$. Keys and values have the shape (G, T, d_head). A *row* is the
# vector of one token. There is no batch axis: one sequence at a time.
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
    count_rows,
)

# %% [markdown]
# ## Given: the parts that lab 2 built
#
# A pre-LN decoder as a plain dict of arrays. The unembedding is not tied to the token
# embedding: an untrained tied model tends to repeat one token for ever, and identical
# tokens would prove nothing.
#
# `feed_forward` is given because it is no business of a cache: it treats each row alone,
# and a row that was computed once is never asked for again. Only attention looks back.


# %%
def make_model(rng, vocab, d, n_heads, n_layers, context, n_kv_heads=None):
    """A decoder with random weights: n_heads, n_kv_heads, context, and these arrays.

    token_embedding (V, D), position_embedding (context, D); `layers`, a list of dicts with
    ln1_gain, ln1_bias (D,), w_q (D, D), w_k and w_v (D, G * d_head), w_out (D, D),
    ln2_gain, ln2_bias (D,), w_up (D, 4D), w_down (4D, D); ln_gain, ln_bias (D,),
    unembedding (D, V). Without n_kv_heads every query head has a key head of its own.
    """
    n_kv_heads = n_kv_heads or n_heads
    d_kv = n_kv_heads * (d // n_heads)

    def weight(rows, columns):
        return rng.normal(0.0, rows**-0.5, (rows, columns))

    layers = [
        {
            "ln1_gain": np.ones(d), "ln1_bias": np.zeros(d),
            "w_q": weight(d, d), "w_k": weight(d, d_kv), "w_v": weight(d, d_kv),
            "w_out": weight(d, d),
            "ln2_gain": np.ones(d), "ln2_bias": np.zeros(d),
            "w_up": weight(d, 4 * d), "w_down": weight(4 * d, d),
        }
        for _ in range(n_layers)
    ]
    return {
        "n_heads": n_heads, "n_kv_heads": n_kv_heads, "context": context,
        "token_embedding": rng.normal(0.0, 1.0, (vocab, d)),
        "position_embedding": rng.normal(0.0, 1.0, (context, d)),
        "layers": layers,
        "ln_gain": np.ones(d), "ln_bias": np.zeros(d),
        "unembedding": weight(d, vocab),
    }


def layer_norm(x, gain, bias, eps=1e-5):
    """Each row of x (..., D) to mean 0 and variance 1, then gain and bias."""
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = (centred**2).mean(axis=-1, keepdims=True)
    return centred / np.sqrt(variance + eps) * gain + bias


def softmax(x, axis=-1):
    """Weights that sum to 1 along `axis`; a score of -inf becomes exactly 0."""
    weights = np.exp(x - x.max(axis=axis, keepdims=True))
    return weights / weights.sum(axis=axis, keepdims=True)


ERF = np.vectorize(math.erf, otypes=[float])


def gelu(x):
    """x times the probability that a standard normal lies below it (exact)."""
    return x * 0.5 * (1 + ERF(x / math.sqrt(2)))


def feed_forward(x, layer):
    """What the second half of a block adds to x (T, D): each row for itself."""
    normed = layer_norm(x, layer["ln2_gain"], layer["ln2_bias"])
    return gelu(normed @ layer["w_up"]) @ layer["w_down"]


def split_heads(x, n):
    """(T, n * d_head) -> (n, T, d_head); head i owns the i-th block of columns."""
    return x.reshape(x.shape[0], n, -1).swapaxes(0, 1)


def merge_heads(x):
    """(n, T, d_head) -> (T, n * d_head), the inverse of split_heads."""
    return x.swapaxes(0, 1).reshape(x.shape[1], -1)


# %%
MODEL = make_model(np.random.default_rng(0), 32, 64, n_heads=8, n_layers=2, context=256)
NARROW = make_model(np.random.default_rng(0), 32, 16, n_heads=8, n_layers=2, context=256)
PROMPT = np.array([3, 14, 15, 9, 26, 5, 30, 8])                 # (P,), P is 8
print("w_k of one layer:", MODEL["layers"][0]["w_k"].shape, "for 8 heads of 8 columns")

# %% [markdown]
# ## Stage 1 · The decoder
#
# ### The whole of it
# $$x = E_{ids} + P_{0..T-1}, \qquad
# x \leftarrow x + A(x)\,W_{out}, \quad x \leftarrow x + \mathrm{MLP}(x), \qquad
# \text{logits} = \mathrm{LN}(x)\,U$$
#
# A block reads the normed stream, $q, k, v = \mathrm{LN}(x)\,W_q,\ \mathrm{LN}(x)\,W_k,\
# \mathrm{LN}(x)\,W_v$, and each query head mixes the values of the tokens up to its own:
#
# $$A_i = \sum_{j \le i} \mathrm{softmax}_j\!\left(\frac{q_i \cdot k_j}{\sqrt{d_{head}}}
# \right) v_j$$
#
# The condition $j \le i$ carries this whole lab. Row $i$ never sees a later token, so a
# later token cannot change it, nor the key and the value made from it: what was computed
# once stays true.
#
# ### By hand
# With $W_q = 0$ every score is 0 and softmax is uniform over the visible tokens: the row
# of token $i$ becomes the running mean of $v_0 \ldots v_i$. Four tokens, weights
# $1;\ \frac12, \frac12;\ \frac13, \frac13, \frac13;\ \frac14 \ldots$, however wide the model.
#
# ### Which key head?
# Llama-2-70B has 64 query heads and 8 key heads: eight neighbours share one. Query head
# $h$ reads key head $h \,//\, (H / G)$. With H = 6 and G = 3 that is 0 0 1 1 2 2, not
# 0 1 2 0 1 2. With G = H it is $h$ itself.

# %%
hidden = np.triu(np.full((4, 4), -np.inf), k=1)                 # (4, 4), -inf above the diagonal
print(softmax(np.zeros((4, 4)) + hidden).round(3))
print("key head of each of 6 query heads, 3 key heads:", [h // (6 // 3) for h in range(6)])


# %%
def forward(model, ids):
    """The logits at every position, computed from scratch.

    model    dict as `make_model` gives it; n_kv_heads may be smaller than n_heads, and then
             query head h reads key head h // (n_heads // n_kv_heads)
    ids      (T,) int array, 1 <= T <= context, each id below V
    returns  (T, V) float64; row i sees the ids 0..i only

    Scores are scaled by 1 / sqrt(d_head). Norm, softmax and GELU are the given ones (eps
    1e-5 inside the root, GELU exact). Neither the model nor `ids` is changed.
    """
    # TODO(you): stage 1, about 14 lines.
    raise NotImplementedError("stage 1: forward")


# %%
# Done? Uncomment, run, read what it says.
# check_stage1(forward)

# %%
# Predict first: the token at position 20 of 32 is exchanged. Which rows of logits move?
before = np.random.default_rng(1).integers(0, 32, 32)           # (T,)
after = before.copy()
after[20] = (before[20] + 1) % 32
moved = np.abs(forward(MODEL, after) - forward(MODEL, before)).max(axis=1)  # (T,)
plt.stem(moved)
plt.axvline(20, ls=":", color="gray", label="the exchanged token")
plt.xlabel("position (tokens)")
plt.ylabel("largest change of a logit")
plt.legend()
plt.show()
print("rows 0 to 19 moved by", moved[:20].max())

# %% [markdown]
# ## Stage 2 · Generation that recomputes everything
#
# Greedy decoding takes the id with the largest logit of the last row, appends it, and asks
# again. The direct way runs the whole sequence through the model for each new token, and
# throws away every row of logits except the last.
#
# ### By hand
# A prompt of P = 3 and n = 4 new tokens: the model reads 3, then 4, then 5, then 6 rows,
# 18 in all. In general
#
# $$\sum_{i=0}^{n-1} (P + i) = nP + \frac{n(n-1)}{2}$$
#
# rows pass through every weight matrix of every layer. The token generated last is never
# read. At P = 8 and n = 128 that is 9,152 rows for a text of 136 tokens.
#
# ### The edges
# The context is the table of learned positions: a text of P + n tokens must fit. The last
# token would need no position, since it is not read, but a caller who asks for more than
# the context is told so before a later turn of the same chat fails.

# %%
print("rows read for P = 3, n = 4:", [3 + i for i in range(4)], "sum", sum(3 + i for i in range(4)))
print("ties:", np.argmax([0.5, 2.0, 2.0]), "is the lower of the ids 1 and 2")


# %%
def generate_naive(model, prompt, n):
    """Greedy generation; for each token `forward` runs on all the ids so far.

    prompt   (P,) int array, P >= 1
    n        int >= 0, tokens to generate
    returns  (ids, logits): ids (P + n,) ints, the prompt and then the new tokens;
             logits (n, V), row i the logits from which token P + i was taken

    The id with the largest logit is taken, a tie goes to the lower id. n = 0 gives the
    prompt and logits of shape (0, V). P + n > context raises ValueError; P + n equal to the
    context is fine. `prompt` is not changed.
    """
    # TODO(you): stage 2, about 7 lines.
    raise NotImplementedError("stage 2: generate_naive")


# %%
# Done? Uncomment, run, read what it says.
# check_stage2(generate_naive)

# %%
# Predict first: of all rows that go through w_k in 40 steps, which share had been there before?
steps = np.arange(1, 41)
totals = np.array([count_rows(generate_naive, NARROW, PROMPT, n)[0] for n in range(41)])
per_step = np.diff(totals)                                       # rows at each step, counted
fresh = np.where(steps == 1, len(PROMPT), 1)                     # the prompt, then one a step
plt.bar(steps, per_step, width=1.0, color="lightgray", label="computed before")
plt.bar(steps, fresh, width=1.0, color="tab:blue", label="new")
plt.xlabel("generated token")
plt.ylabel("rows through w_k in a layer")
plt.legend(loc="upper left")
plt.show()
print(f"{totals[-1]} rows, {1 - fresh.sum() / totals[-1]:.0%} of them computed before")

# %% [markdown]
# ## Stage 3 · The cache, and one step with it
#
# To make the next token, attention needs the query of the *new* row only, but the keys and
# values of *all* rows. Those of earlier rows cannot change (stage 1), so each layer keeps
# them. Queries are not kept: nobody asks an old question again.
#
# One step: embed the one token at its position, and in every layer project one row, append
# its k and v, and let its query look at all keys so far. No mask is needed: everything in
# the cache lies in the past.
#
# ### By hand
# A cache of 2 layers, 3 tokens appended to layer 0 only: K of layer 0 is (G, 3, d_head),
# and `length` is 0, because layer 1 holds nothing yet. After layer 1: 3. It counts tokens,
# not calls.
#
# ### Where am I?
# The row of a token is its embedding plus the embedding of its *position*. The input of a
# step is one token long, so the position cannot be read off it; it is the number of tokens
# that the cache holds: `cache.length`, read before this token was appended. A step that
# starts again at position 0 gives fluent text, slowly going wrong, and no error at all.

# %%
buffer = np.zeros(3)                                             # room for three positions
buffer[3:4] = np.ones(1)                                         # the fourth: no error, and lost
print("a full buffer, written past its end:", buffer)


# %%
class KVCache:
    """The keys and values of all layers, in the order in which they were appended.

    `length`, an attribute: how many tokens every layer holds, 0 at first. While a token has
    reached some layers only it does not count. A pass through the model appends to layer 0,
    then 1, and so on. Two caches share nothing.
    """

    def __init__(self, n_layers, n_kv_heads, max_len, d_head):
        """An empty cache for exactly max_len positions in each layer."""
        # TODO(you): stage 3, about 4 lines.
        raise NotImplementedError("stage 3: KVCache.__init__")

    def append(self, layer, k, v):
        """Add t >= 1 positions to one layer; the layer's keys and values so far.

        layer    int, from 0
        k, v     (n_kv_heads, t, d_head) float64, not changed
        returns  (K, V), each (n_kv_heads, positions so far, d_head), the new ones last

        Raises ValueError where the layer would hold more than max_len positions.
        """
        # TODO(you): stage 3, about 8 lines.
        raise NotImplementedError("stage 3: KVCache.append")


# %%
def decode_step(model, token, cache):
    """The logits after one more token, whose predecessors are in the cache.

    token    int, the id at position cache.length
    cache    a KVCache of this model's sizes; empty at the start of a text
    returns  (V,) float64, as the last row of `forward` on the whole text

    Only the new row goes through the layers; what is known of earlier tokens comes from the
    cache. Afterwards the cache holds this token too. The model is not changed.
    """
    # TODO(you): stage 3, about 14 lines.
    raise NotImplementedError("stage 3: decode_step")


# %%
# Done? Uncomment, run, read what it says.
# check_stage3(KVCache, decode_step)

# %%
# Predict first: are the logits of the two ways equal to the last bit?
text = np.random.default_rng(2).integers(0, 32, 64)              # (T,)
cache = KVCache(n_layers=2, n_kv_heads=8, max_len=64, d_head=8)
stepwise = np.array([decode_step(MODEL, int(token), cache) for token in text])  # (T, V)
gap = np.abs(stepwise - forward(MODEL, text)).max(axis=1)        # (T,)
plt.semilogy(np.maximum(gap, 1e-17), ".")
plt.axhline(1e-9, ls=":", color="tab:red", label="what the checks allow, 1e-9")
plt.axhline(2.0**-52, ls=":", color="gray", label="float64 epsilon, 2.2e-16")
plt.xlabel("position (tokens)")
plt.ylabel("largest difference of a logit")
plt.legend()
plt.show()
print(f"equal: {gap.max() == 0}, within 1e-12: {gap.max() < 1e-12}. A product of one row adds up")
print("in another order than a product of all rows, and rounding depends on the order.")

# %% [markdown]
# ## Stage 4 · Prefill, and generation with the cache
#
# The tokens of the prompt are all known at once, so they go through the layers together:
# one pass of P rows fills the cache (*prefill*, which keeps the arithmetic units busy),
# then one row a token (*decode*, which mostly waits for memory). The first token of an
# answer costs a prefill, each further one a step: that is why a chat pauses, then flows.
#
# A long prompt is fed in *chunks*, so that one user's prefill does not hold up the steps of
# all others. Then the second chunk finds a cache that is not empty.
#
# ### Masking a chunk
# A cache of 3 tokens and a chunk of 2: row $i$ of the chunk stands at position $3 + i$ and
# may see the keys $j \le 3 + i$. Lower-right aligned:
#
# $$\begin{matrix} 1&1&1&1&0\\ 1&1&1&1&1 \end{matrix} \qquad\text{not}\qquad
# \begin{matrix} 1&0&0&0&0\\ 1&1&0&0&0 \end{matrix}$$
#
# The second is what a causal mask cut off at the top left gives. On an empty cache the two
# are the same, so only the second chunk can tell them apart.
#
# ### By hand
# P = 5 and n = 6: prefill reads 5 rows and gives the first new token, then 5 steps of one
# row give the other five: 10 rows a layer, $P + n - 1$. The naive way reads 45. The last
# new token is not fed to the model: nobody would read its logits.
#
# ### The same edges
# A caller may swap one generator for the other at any time, so `generate_cached` keeps
# every promise of stage 2: a tie goes to the lower id; n = 0 gives the prompt and logits of
# shape (0, V); P + n tokens may fill the context, and one more raises ValueError, although
# the last token is never read and would need no room.

# %%
print("a chunk of 2 after 3 tokens sees:")
print((np.arange(5) <= 3 + np.arange(2)[:, None]).astype(int))  # (2, 5)


# %%
def prefill(model, prompt, cache):
    """Feed a prompt, or the next chunk of one, through the model into the cache.

    prompt   (P,) int array, P >= 1; its first id stands at position cache.length
    cache    a KVCache of this model's sizes, empty or holding the chunks before
    returns  (V,) float64, the logits after the last id

    Afterwards the cache holds P tokens more. `prompt` and the model are not changed.
    """
    # TODO(you): stage 4, about 16 lines.
    raise NotImplementedError("stage 4: prefill")


# %%
def generate_cached(model, prompt, n):
    """Greedy generation in which each token goes through the layers once.

    Arguments, result, ties and errors are those of `generate_naive`; logits are equal
    within 1e-9. For n >= 1 exactly P + n - 1 rows pass through w_k in each layer.
    """
    # TODO(you): stage 4, about 14 lines.
    raise NotImplementedError("stage 4: generate_cached")


# %%
# Done? Uncomment, run, read what it says.
# check_stage4(prefill, generate_cached, KVCache)


# %%
# Predict first: 240 rows go through w_k whatever the chunk. Does the time care? It falls while
# the fixed cost of a pass is shared by more rows. Where it rises again, large chunks compute
# scores only to mask them: in one piece that is half of 240 x 240.
def prefill_ms(chunk):
    prompt = np.arange(240) % 32                                 # (P,)
    fresh_cache = KVCache(2, 8, 240, 8)
    begin = time.perf_counter()
    for start in range(0, 240, chunk):
        prefill(MODEL, prompt[start : start + chunk], fresh_cache)
    return 1000 * (time.perf_counter() - begin)


chunks = [1, 2, 4, 8, 16, 40, 80, 240]
plt.plot(chunks, [min(prefill_ms(chunk) for _ in range(7)) for chunk in chunks], marker="o")
plt.xscale("log")
plt.xticks(chunks, chunks)
plt.minorticks_off()
plt.xlabel("chunk (tokens)")
plt.ylabel("prefill of 240 tokens (ms)")
plt.ylim(bottom=0)
plt.show()

# %% [markdown]
# ## Stage 5 · What it saves, and what it costs
#
# Time is saved by the square: all n steps together read $nP + n(n-1)/2$ rows without a
# cache and $P + n - 1$ with one. Time itself depends on the machine; the row counts do not,
# so they are the proof and the clock is the illustration. (Attention still compares each
# new query with every key, so the cached way has a $T^2$ term too. It is small: per layer
# and token about $2\,T\,D$ multiplications, against $12\,D^2$ in the weights; the two
# are equal at T = 6 D, which for Llama-2-7B is 24,576 tokens.)
#
# It is paid for in memory, for every sequence that is being served:
#
# $$\text{bytes} = 2 \cdot \text{layers} \cdot G \cdot T \cdot d_{head} \cdot
# \text{itemsize}$$
#
# The 2 stands for K and V.
#
# ### By hand
# P = 8 and n = 128: $128 \cdot 8 + 128 \cdot 127 / 2 = 9152$ rows against $8 + 127 = 135$.
#
# ### A real model
# Llama-2-7B, by its published shape: 32 layers, 32 heads (each with keys of its own), width
# 4,096, so d_head = 128; context 4,096; fp16, 2 bytes a number. One token costs
# $2 \cdot 32 \cdot 32 \cdot 128 \cdot 2$ = 524,288 bytes, half a MiB. A full context costs
# 2.0 GiB. The weights (6.74 billion at 2 bytes) take 12.6 GiB, so on a card of 24 GiB
# about five such users fit beside them. The cache, not the weights, sets the batch size.

# %%
per_token = 2 * 32 * 32 * 128 * 2
print(f"Llama-2-7B: {per_token:,} bytes a token, {per_token * 4096 / 2**30:.1f} GiB at 4,096")


# %%
def kv_rows(prompt_len, n):
    """Rows that pass through w_k of one layer while n >= 1 tokens are generated.

    prompt_len  int >= 1
    n           int >= 1
    returns     (naive, cached), two ints
    """
    # TODO(you): stage 5, about 1 line.
    raise NotImplementedError("stage 5: kv_rows")


# %%
def cache_bytes(n_layers, n_kv_heads, length, d_head, itemsize):
    """Bytes of the keys and values of `length` tokens in all layers.

    itemsize  int, bytes a number: 2 for fp16, 8 for float64
    returns   int
    """
    # TODO(you): stage 5, about 1 line.
    raise NotImplementedError("stage 5: cache_bytes")


# %%
# Done? Uncomment, run, read what it says.
# check_stage5(kv_rows, cache_bytes)

# %%
# Computed, then measured on the arrays that the cache really hands out.
cache = KVCache(n_layers=2, n_kv_heads=8, max_len=256, d_head=8)
for length in (64, 128, 256):
    chunk = np.zeros((8, length - cache.length, 8))              # (G, t, d_head)
    arrays = [array for layer in range(2) for array in cache.append(layer, chunk, chunk)]
    measured = sum(array.nbytes for array in arrays)
    print(f"{length:4} tokens: computed {cache_bytes(2, 8, length, 8, 8):,} bytes, "
          f"measured {measured:,}")


# %%
# Predict first: four lines on a log-log plot. Which slopes? (Rows are counted on the narrow
# model, which is quicker: the width changes no count.)
def seconds(generate, n):
    begin = time.perf_counter()
    generate(MODEL, PROMPT, n)
    return time.perf_counter() - begin


def slope(values):
    return np.polyfit(np.log(lengths[-3:]), np.log(values[-3:]), 1)[0]  # of the last three


lengths = [16, 32, 64, 128, 240]
_, left = plt.subplots(figsize=(7, 5))
right = left.twinx()
# How often each is run; the run that was least disturbed counts.
ways = {"naive": (generate_naive, 1), "cached": (generate_cached, 15)}
for column, (name, (generate, repeats)) in enumerate(ways.items()):
    times = np.min([[seconds(generate, n) for n in lengths] for _ in range(repeats)], axis=0)
    rows = [count_rows(generate, NARROW, PROMPT, n)[0] for n in lengths]
    print(f"{name:7} rows {rows}, by formula {[kv_rows(8, n)[column] for n in lengths]}")
    print(f"{name:7} seconds {[float(f'{t:.2g}') for t in times]}")
    left.loglog(lengths, times, f"C{column}o-", label=f"{name}, time: slope {slope(times):.1f}")
    right.loglog(lengths, rows, f"C{column}s:", label=f"{name}, rows: slope {slope(rows):.1f}")
left.set_xticks(lengths, lengths)
left.minorticks_off()
left.set_xlabel("generated tokens n (prompt of 8)")
left.set_ylabel("time (s), solid")
right.set_ylabel("rows through w_k in a layer, dotted")
left.legend(handles=left.get_lines() + right.get_lines(), loc="upper left")
plt.show()

# %% [markdown]
# ## Stage 6 · A smaller cache (stretch)
#
# Three factors of the byte formula can shrink: heads, positions, and the size of a number.
# *Grouped-query attention* (GQA) keeps fewer key heads. A *sliding window* keeps the last
# W positions only. Mistral-7B does both.
#
# ### No copies
# Repeating K and V up to H heads is right, and it writes out, at every step, the very bytes
# that GQA was to save. Instead give the queries an axis more: (G, H/G, Tq, d_head) against
# (G, 1, Tk, d_head), and let broadcasting do the sharing.
#
# ### The window
# A window of W positions holds the token itself and the W − 1 before it. The tokens that
# fall out are gone for good, but they still count: the next *position* goes on rising.
# With $L$ layers information still travels up to $L\,(W-1)$ tokens back, one window a layer.
#
# ### By hand
# Mistral-7B: 32 layers, 32 query heads, 8 key heads, d_head 128, W = 4,096, context 32,768,
# fp16. All heads and all positions: 16 GiB. Grouping leaves a quarter and saves 12 GiB, the
# window leaves an eighth and saves 14 GiB. Both leave 1/32, half a GiB, and save 15.5: not
# the sum, since neither can save a byte that the other has already saved.

# %%
ring = np.arange(10)[-4:]                                        # W is 4, ten tokens seen
print("positions held:", ring, "and the next token stands at position", 10)
print("six queries in three groups:", np.arange(6).reshape(3, 2).tolist())


# %%
def grouped_attention(q, k, v):
    """Causal attention in which H // G neighbouring query heads share a key head.

    q        (H, Tq, d_head)
    k, v     (G, Tk, d_head), Tk >= Tq; the queries belong to the last Tq positions, so
             query i sees the keys j <= i + Tk - Tq
    returns  (H, Tq, d_head); query head h reads key head h // (H // G)

    Scores are scaled by 1 / sqrt(d_head). Raises ValueError unless G divides H. The
    arguments are not changed.
    """
    # TODO(you): stage 6, about 8 lines.
    raise NotImplementedError("stage 6: grouped_attention")


# %%
class WindowCache:
    """The keys and values of the last `window` positions of all layers.

    `length`, an attribute: how many tokens every layer has *seen*, those included that fell
    out, so that `decode_step` finds its position there. A pass appends to layer 0, then 1,
    and so on. Memory does not grow with the text.
    """

    def __init__(self, n_layers, n_kv_heads, window, d_head):
        """An empty cache; window >= 1."""
        # TODO(you): stage 6, about 4 lines.
        raise NotImplementedError("stage 6: WindowCache.__init__")

    def append(self, layer, k, v):
        """Add t >= 1 positions to one layer; what the layer holds now.

        k, v     (n_kv_heads, t, d_head) float64; t may be larger than the window
        returns  (K, V), each (n_kv_heads, min(seen, window), d_head), oldest first
        """
        # TODO(you): stage 6, about 5 lines.
        raise NotImplementedError("stage 6: WindowCache.append")


# %%
def bytes_saved(n_layers, n_heads, n_kv_heads, length, window, d_head, itemsize):
    """What grouping, the window, and both together save of a full cache.

    A full cache keeps n_heads key heads and all `length` positions; a window keeps the last
    `window` of them, or all where the text is shorter.

    returns  (by_grouping, by_window, by_both), ints, in bytes
    """
    # TODO(you): stage 6, about 6 lines.
    raise NotImplementedError("stage 6: bytes_saved")


# %%
# Done? Uncomment, run, read what it says.
# check_stage6(grouped_attention, WindowCache, bytes_saved)

# %%
# Predict first: where does each line bend, and how far apart do they run?
tokens = 2 ** np.arange(8, 18)
full = np.array([cache_bytes(32, 32, int(t), 128, 2) for t in tokens])
saved = np.array([bytes_saved(32, 32, 8, int(t), 4096, 128, 2) for t in tokens])  # (., 3)
plt.loglog(tokens, full / 2**30, label="32 key heads, every position")
for name, column in {"8 key heads": 0, "window of 4,096": 1, "both (Mistral-7B)": 2}.items():
    plt.loglog(tokens, (full - saved[:, column]) / 2**30, label=name)
plt.axhline(13.5, ls=":", color="gray", label="the weights, 7.24 billion in fp16")
plt.xlabel("text (tokens)")
plt.ylabel("cache (GiB)")
plt.legend()
plt.show()

# %%
# Predict first: with a window of 16, at which position do the logits begin to differ?
full_cache, window_cache = KVCache(2, 8, 64, 8), WindowCache(2, 8, 16, 8)
everything = np.array([decode_step(MODEL, int(token), full_cache) for token in text])
windowed = np.array([decode_step(MODEL, int(token), window_cache) for token in text])
plt.stem(np.abs(everything - windowed).max(axis=1))
plt.axvline(16, ls=":", color="gray", label="the first row that misses a token")
plt.xlabel("position (tokens)")
plt.ylabel("largest difference of a logit")
plt.legend(loc="upper left")
plt.show()

# %% [markdown]
# # What this toy leaves out
# - **Batches of ragged length.** A server decodes hundreds of sequences at once; their caches
#   live in fixed pages with a page table each (PagedAttention), since one buffer of maximal
#   length per user wastes most of the memory.
# - **Sharing.** A common system prompt is prefilled once and its pages are used by all.
# - **Rotary positions.** They are applied to q and k, so keys go into the cache rotated, and a
#   window must not rotate them again.
# - **Fewer bytes a number.** Caches in 8 or 4 bits; a low-rank cache (multi-head latent
#   attention) stores one short vector for all heads.
# - **Speculative decoding.** A small model guesses several tokens, the large one checks them
#   in one pass: a chunk of stage 4, and the cache is cut back where a guess was wrong.
# - **Attention that never writes the scores out** (FlashAttention); sampling; training.
#
# # Interview questions that you can answer now
# - Why are K and V cached, and Q not? Why does causal masking make the cache exact?
# - Prefill and decode: which is bound by arithmetic, which by memory bandwidth, and why?
# - How many bytes does a token cost in Llama-2-7B? How many users fit on a card of 24 GiB?
# - Generation without a cache costs how many rows for a prompt of P and n tokens? With one?
# - A cached model gives slightly different logits. Which differences are rounding, and which
#   are a bug? Which three bugs would you look for first?
# - What does GQA save, and what does it leave as it is? What does a sliding window lose?
# - Why does a second chunk need a mask that is aligned at the lower right?

# %% [markdown]
# # Solutions
# No peeking: write yours first, then compare, then write it again tomorrow.


# %%
def solution_forward(model, ids):
    x = model["token_embedding"][ids] + model["position_embedding"][: len(ids)]  # (T, D)
    hidden = np.triu(np.full((len(ids), len(ids)), -np.inf), k=1)  # (T, T)
    group = model["n_heads"] // model["n_kv_heads"]
    for layer in model["layers"]:
        normed = layer_norm(x, layer["ln1_gain"], layer["ln1_bias"])
        q = split_heads(normed @ layer["w_q"], model["n_heads"])  # (H, T, d_head)
        k = split_heads(normed @ layer["w_k"], model["n_kv_heads"])  # (G, T, d_head)
        v = split_heads(normed @ layer["w_v"], model["n_kv_heads"])  # (G, T, d_head)
        k, v = k.repeat(group, axis=0), v.repeat(group, axis=0)  # (H, T, d_head)
        scores = q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1]) + hidden  # (H, T, T)
        mixed = softmax(scores) @ v  # (H, T, d_head)
        x = x + merge_heads(mixed) @ layer["w_out"]
        x = x + feed_forward(x, layer)
    return layer_norm(x, model["ln_gain"], model["ln_bias"]) @ model["unembedding"]


# %%
def solution_generate_naive(model, prompt, n):
    if len(prompt) + n > model["context"]:
        raise ValueError(f"{len(prompt)} + {n} tokens exceed the context, {model['context']}")
    ids, logits = np.array(prompt), np.empty((n, model["unembedding"].shape[1]))
    for step in range(n):
        logits[step] = solution_forward(model, ids)[-1]
        ids = np.append(ids, logits[step].argmax())
    return ids, logits


# %%
class solution_KVCache:
    def __init__(self, n_layers, n_kv_heads, max_len, d_head):
        self.keys = np.zeros((n_layers, n_kv_heads, max_len, d_head))
        self.values = np.zeros((n_layers, n_kv_heads, max_len, d_head))
        self.held = [0] * n_layers
        self.length = 0

    def append(self, layer, k, v):
        start, end = self.held[layer], self.held[layer] + k.shape[1]
        if end > self.keys.shape[2]:
            raise ValueError(f"{end} positions in a cache for {self.keys.shape[2]}")
        self.keys[layer, :, start:end] = k
        self.values[layer, :, start:end] = v
        self.held[layer] = end
        self.length = min(self.held)
        return self.keys[layer, :, :end], self.values[layer, :, :end]


# %%
def solution_decode_step(model, token, cache):
    x = model["token_embedding"][token] + model["position_embedding"][cache.length]  # (D,)
    x = x[None]  # (1, D)
    group = model["n_heads"] // model["n_kv_heads"]
    for index, layer in enumerate(model["layers"]):
        normed = layer_norm(x, layer["ln1_gain"], layer["ln1_bias"])
        q = split_heads(normed @ layer["w_q"], model["n_heads"])  # (H, 1, d_head)
        k = split_heads(normed @ layer["w_k"], model["n_kv_heads"])  # (G, 1, d_head)
        v = split_heads(normed @ layer["w_v"], model["n_kv_heads"])
        k, v = cache.append(index, k, v)  # (G, length + 1, d_head)
        k, v = k.repeat(group, axis=0), v.repeat(group, axis=0)  # (H, length + 1, d_head)
        scores = q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1])  # (H, 1, length + 1)
        x = x + merge_heads(softmax(scores) @ v) @ layer["w_out"]
        x = x + feed_forward(x, layer)
    return (layer_norm(x, model["ln_gain"], model["ln_bias"]) @ model["unembedding"])[0]


# %%
def solution_prefill(model, prompt, cache):
    start, end = cache.length, cache.length + len(prompt)
    x = model["token_embedding"][prompt] + model["position_embedding"][start:end]  # (P, D)
    visible = np.arange(end) <= np.arange(start, end)[:, None]  # (P, end), lower-right
    group = model["n_heads"] // model["n_kv_heads"]
    for index, layer in enumerate(model["layers"]):
        normed = layer_norm(x, layer["ln1_gain"], layer["ln1_bias"])
        q = split_heads(normed @ layer["w_q"], model["n_heads"])  # (H, P, d_head)
        k = split_heads(normed @ layer["w_k"], model["n_kv_heads"])  # (G, P, d_head)
        v = split_heads(normed @ layer["w_v"], model["n_kv_heads"])
        k, v = cache.append(index, k, v)  # (G, end, d_head)
        k, v = k.repeat(group, axis=0), v.repeat(group, axis=0)  # (H, end, d_head)
        scores = q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1])  # (H, P, end)
        weights = softmax(np.where(visible, scores, -np.inf))
        x = x + merge_heads(weights @ v) @ layer["w_out"]
        x = x + feed_forward(x, layer)
    return layer_norm(x[-1], model["ln_gain"], model["ln_bias"]) @ model["unembedding"]


# %%
def solution_generate_cached(model, prompt, n):
    total, (d, vocab) = len(prompt) + n, model["unembedding"].shape
    if total > model["context"]:
        raise ValueError(f"{len(prompt)} + {n} tokens exceed the context, {model['context']}")
    cache = solution_KVCache(
        len(model["layers"]), model["n_kv_heads"], total, d // model["n_heads"]
    )
    ids, logits = np.array(prompt), np.empty((n, vocab))
    for step in range(n):
        if step == 0:
            logits[step] = solution_prefill(model, prompt, cache)
        else:
            logits[step] = solution_decode_step(model, ids[-1], cache)
        ids = np.append(ids, logits[step].argmax())
    return ids, logits


# %%
def solution_kv_rows(prompt_len, n):
    return n * prompt_len + n * (n - 1) // 2, prompt_len + n - 1


# %%
def solution_cache_bytes(n_layers, n_kv_heads, length, d_head, itemsize):
    return 2 * n_layers * n_kv_heads * length * d_head * itemsize


# %%
def solution_grouped_attention(q, k, v):
    (n_heads, n_queries, d_head), (n_kv_heads, n_keys, _) = q.shape, k.shape
    if n_heads % n_kv_heads:
        raise ValueError(f"{n_kv_heads} key heads do not divide {n_heads} query heads")
    grouped = q.reshape(n_kv_heads, -1, n_queries, d_head)  # (G, H/G, Tq, d_head)
    scores = grouped @ k[:, None].swapaxes(2, 3) / np.sqrt(d_head)  # (G, H/G, Tq, Tk)
    visible = np.tri(n_queries, n_keys, n_keys - n_queries, dtype=bool)
    weights = softmax(np.where(visible, scores, -np.inf))
    return (weights @ v[:, None]).reshape(q.shape)


# %%
class solution_WindowCache:
    def __init__(self, n_layers, n_kv_heads, window, d_head):
        empty = np.zeros((n_kv_heads, 0, d_head))
        self.held = [(empty, empty)] * n_layers
        self.seen = [0] * n_layers
        self.window, self.length = window, 0

    def append(self, layer, k, v):
        pairs = zip(self.held[layer], (k, v))
        self.held[layer] = tuple(np.concatenate(p, axis=1)[:, -self.window :] for p in pairs)
        self.seen[layer] += k.shape[1]
        self.length = min(self.seen)
        return self.held[layer]


# %%
def solution_bytes_saved(n_layers, n_heads, n_kv_heads, length, window, d_head, itemsize):
    kept = min(length, window)
    full = solution_cache_bytes(n_layers, n_heads, length, d_head, itemsize)
    grouped = solution_cache_bytes(n_layers, n_kv_heads, length, d_head, itemsize)
    windowed = solution_cache_bytes(n_layers, n_heads, kept, d_head, itemsize)
    both = solution_cache_bytes(n_layers, n_kv_heads, kept, d_head, itemsize)
    return full - grouped, full - windowed, full - both
