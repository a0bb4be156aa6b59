# %% [markdown]
# # Lab 2 · Transformer block from scratch
#
# **You build** scaled dot-product attention in NumPy, the causal mask with a test that
# catches a leak, the multi-head reshape, a pre-LN block (LayerNorm, residual stream, MLP),
# then a character language model in PyTorch, and rotary positions as a stretch.
# **Concepts**: attention, masking, residual stream.
# **Pairs with**: Transformers internals · DL course. **Time**: 3 to 4 hours.
#
# **Legend.** `B` batch, `T` tokens (`Tq` queries, `Tk` keys), `D` or `d` the width of the
# residual stream, `H` heads, `d_head` the width of one head (`D = H · d_head`), `dv` the
# width of a value, `V` characters in the vocabulary. A *logit* is a score before softmax;
# a *row* of weights is what one query gives to all keys. Shapes stand at line end.
#
# **The rule.** Read the stage, write the function, run its check. When it fails, re-read
# the explanation, not the solution. Compare with the solution only after a real attempt,
# then write yours again from memory the next day. Never read the solutions first:
# recognition feels like knowledge; only recall is.

# %%
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from checks.lab_2_transformer import (
    check_stage1,
    check_stage2,
    check_stage3,
    check_stage4,
    check_stage5,
    check_stage6,
)

WORDS = ["the", "robot", "sees", "itself"]      # the four tokens of stages 1 and 2

# %% [markdown]
# ## Stage 1 · Attention: a soft dictionary
#
# A dictionary returns the value whose key equals the query. Attention returns a weighted
# mean of *all* values, with more weight where the key is more like the query:
#
# $$\mathrm{out} = W V, \qquad
#   W = \mathrm{softmax}\!\left(\frac{Q K^\top}{\sqrt{d}}\right), \qquad
#   \mathrm{softmax}(z)_j = \frac{e^{z_j}}{\sum_i e^{z_i}}$$
#
# Each row of $W$ belongs to one query, is positive and sums to 1. The matrix has
# $T_q \times T_k$ entries, whence the cost of long contexts: at 4,096 tokens, 32 heads and
# 2 bytes an entry, one layer's weights take 1 GiB. FlashAttention exists to never store them.
#
# ### By hand
# $Q = K = 0$: all logits are 0, all weights equal, the output is the plain mean of the
# visible values. So with $V = [1, 2, 3, 4]$ and each token seeing itself and what came
# before, the output is the running mean $[1, 1.5, 2, 2.5]$.
# Now $d = 4$, $q = (1,1,1,1)$, keys $0$ and $\frac{\ln 3}{2} q$: the dot products are $0$
# and $2 \ln 3$, divided by $\sqrt 4$ they are $0$ and $\ln 3$, so the weights are
# $\frac14$ and $\frac34$. Values $0$ and $8$ give $6$.
#
# ### Why the square root
# If the entries of $q$ and $k$ have mean 0 and variance 1, their dot product is a sum of
# $d$ terms of variance 1: its standard deviation is $\sqrt d$. At $d = 64$ that is 8, and a
# softmax over logits with a spread of 8 puts nearly everything on one key, where its
# gradient vanishes. Dividing by $\sqrt d$ brings the spread back to 1. Dividing by $d$
# overshoots: the weights are nearly uniform.
#
# ### Large logits
# $e^{1000}$ is infinite in float64. Softmax does not change when a constant is subtracted
# from a row, so subtract that row's own maximum: the largest exponent is then $e^0$. One
# maximum for the whole array will not do: a row 2,000 below it becomes 0/0.
#
# ### The mask
# `True` means that the query may look at the key. A hidden key must get a logit of minus
# infinity (or a number as low as that) *before* the softmax: a logit of 0 still has weight
# $e^0 = 1$. Zeroing weights afterwards works only if the row is divided by its new sum. A
# query that may look at nothing gets zeros, not NaN.

# %%
for d in (4, 64, 1024):
    rng = np.random.default_rng(0)
    q_rows, k_rows = rng.normal(size=(2, 2000, d))                  # (2000, d) each
    print(f"d = {d:4}: sd of q·k is {(q_rows * k_rows).sum(axis=1).std():5.2f}, "
          f"the square root of d is {math.sqrt(d):5.2f}")


# %%
def softmax(x, axis=-1):
    """Positive weights that sum to 1 along `axis`.

    x        float array with at least one axis; logits of any size, and rows whose
             maxima lie thousands apart
    axis     int, the axis along which the weights sum to 1
    returns  float64 array of the shape of x; x is not changed

    >>> softmax(np.array([0.0, np.log(3.0)]))
    array([0.25, 0.75])
    """
    # TODO(you): stage 1, about 2 lines.
    raise NotImplementedError("stage 1: softmax")


# %%
def attention(q, k, v, mask=None):
    """For each query the mean of the values, weighted by softmax(q kᵀ / √d).

    q        (..., Tq, d)   float64, queries
    k        (..., Tk, d)   float64, keys
    v        (..., Tk, dv)  float64, one value for each key
    mask     bool array of one axis or more that broadcasts to (..., Tq, Tk); True: this
             query may look at this key. None: every query looks at every key
    returns  (out, weights): float64, (..., Tq, dv) and (..., Tq, Tk)

    q, k and v have the same leading axes: none, one or several. Logits of visible keys
    may have any size. A query that the mask leaves no key has weights 0 and output 0.
    No argument is changed.
    """
    # TODO(you): stage 1, about 7 lines.
    raise NotImplementedError("stage 1: attention")


# %%
# Done? Uncomment, run, read what it says.
# check_stage1(softmax, attention)

# %% [markdown]
# **The 4-token walkthrough.** First $Q = K = 0$, with the values and the answer of "By hand";
# then four tokens with queries and keys of their own. Every shape on the way is printed.

# %%
def walkthrough(title, q, k, v, mask):
    """Print every shape of one call of attention; returns the weights."""
    scores = q @ k.T / math.sqrt(q.shape[-1])
    out, weights = attention(q, k, v, mask)
    print(title)
    for label, array in [("q", q), ("k", k), ("v", v), ("q kᵀ / √d", scores), ("mask", mask),
                         ("weights", weights), ("out", out)]:
        print(f"  {label:10} {array.shape}")
    print(f"  out = {np.round(out, 2).tolist()}")
    return weights


# Predict first: in the right picture, which word draws most of the last word's weight?
sees_earlier = np.tri(4, dtype=bool)                                        # (4, 4)
flat = walkthrough("Q = K = 0", np.zeros((4, 3)), np.zeros((4, 3)),
                   np.array([[1.0], [2.0], [3.0], [4.0]]), sees_earlier)
meaning = np.array([[0.2, 0, 0], [0, 2, 1], [1, 0, 2], [0, 2, 0.5]])        # (4, 3)
real = walkthrough("four words", meaning, meaning, meaning, sees_earlier)

fig, panels = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
for panel, weights, title in zip(panels, (flat, real), ("Q = K = 0", "four words")):
    picture = panel.imshow(weights, vmin=0, vmax=1, cmap="Blues")
    for i, j in np.ndindex(4, 4):
        panel.text(j, i, f"{weights[i, j]:.2f}", ha="center", va="center",
                   color="white" if weights[i, j] > 0.5 else "black")
    panel.set(title=title, xlabel="key: who is looked at", ylabel="query: who looks",
              xticks=range(4), xticklabels=WORDS, yticks=range(4), yticklabels=WORDS)
fig.colorbar(picture, ax=panels, label="weight (each row sums to 1)")
plt.show()

# %% [markdown]
# ## Stage 2 · The causal mask, and a test that catches a leak
#
# A language model predicts token $t+1$ from tokens $0..t$. Thanks to the mask one pass over
# $T$ tokens trains $T$ predictions at once; without it, position $t$ would read the answer
# off position $t+1$, the training loss would look splendid, and generation would be
# nonsense. With queries $0..T_q-1$ and keys $0..T_k-1$:
#
# $$\text{key } j \text{ is visible to query } i \iff j \le i + (T_k - T_q)$$
#
# The offset matters when there are fewer queries than keys: with a key-value cache the one
# new query is the *last* token, and sees all keys. So the mask is aligned at its lower
# right corner. (PyTorch's `is_causal=True` aligns at the upper left; FlashAttention
# changed from one to the other in version 2.1. Ask which, wherever shapes differ.)
#
# ### By hand
# `1` is visible:
# ```
# (3, 3)      (2, 4)       (4, 2)
# 1 0 0       1 1 1 0      0 0
# 1 1 0       1 1 1 1      0 0
# 1 1 1                    1 0
#                          1 1
# ```
# In (4, 2) the first two queries stand before every key and see nothing.
#
# ### The leak test
# Do not stare at the mask: *perturb*. Change the keys and values from position $t$ on. Every
# query before $t$ must give the same output, to the last digit. If query $i$ moves, it
# looked at the future. The check does this for each $t$ and names the position.

# %%
i, j = np.indices((2, 4))                                           # (2, 4) each
print("i + n_keys - n_queries:", (i + 4 - 2)[:, 0], "is the last key that each query sees")
print(f"of 1024 x 1024 pairs, {1024 * 1025 // 2 / 1024**2:.3f} are visible")


# %%
def causal_mask(n_queries, n_keys):
    """Which key each query may look at: itself and the past, aligned at the lower right.

    n_queries, n_keys  int >= 1
    returns            (n_queries, n_keys) bool; True: key j is visible to query i, which
                       is so where j <= i + n_keys - n_queries

    With more queries than keys the first n_queries - n_keys rows are all False.
    """
    # TODO(you): stage 2, about 1 line.
    raise NotImplementedError("stage 2: causal_mask")


# %%
# Done? Uncomment, run, read what it says.
# check_stage2(causal_mask, attention)

# %%
# Predict first: perturb one token; which cells of row and column can be other than zero?
rng = np.random.default_rng(2)
q, k, v = rng.normal(size=(3, 8, 4))                                # (T, d) each
masks = {"causal mask": causal_mask(8, 8), "no mask": None}
fig, panels = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
for panel, (title, mask) in zip(panels, masks.items()):
    moved = np.zeros((8, 8))                                        # (output row, token)
    for t in range(8):
        k2, v2 = k.copy(), v.copy()
        k2[t] += 1
        v2[t] += 1
        change = attention(q, k2, v2, mask)[0] - attention(q, k, v, mask)[0]
        moved[:, t] = np.abs(change).max(axis=1)
    leaks = [t for t in range(8) if moved[:t, t].any()]
    print(f"{title}: tokens that reach an earlier output: {leaks}")
    picture = panel.imshow(moved, cmap="Reds", vmin=0, vmax=1)
    panel.set(title=title, xlabel="token that was changed", ylabel="output row",
              xticks=range(8), yticks=range(8))
fig.colorbar(picture, ax=panels, label="largest change of the output")
plt.show()

# %% [markdown]
# ## Stage 3 · Many heads are one reshape
#
# One softmax per token is one question per token. `H` heads ask `H` questions side by side,
# each in its own slice of `d_head = D / H` columns, for the same arithmetic: $H$ matrices
# of $T \times T$ from $d_\text{head}$ columns cost what one from $D$ columns costs.
#
# ### By hand
# One token, $D = 6$, two heads: `[a b c d e f]` becomes head 0 `[a b c]`, head 1 `[d e f]`.
# Two tokens, flat in memory: `a b c d e f  A B C D E F`. Head 0 must hold
# `[[a b c], [A B C]]`, one row per token.
#
# ### Reshape, then transpose
# `x.reshape(B, H, T, d_head)` has the right shape and the wrong content: head 0 would be
# `[[a b c], [d e f]]`, token 0 twice. It also leaks, as rows then mix tokens. Cut the last
# axis first, `(B, T, H, d_head)`, and *swap* the two middle axes. Merging goes back the
# same way: swap first, then join.

# %%
two_tokens = np.array([list("abcdef"), list("ABCDEF")])             # (T, D) = (2, 6)
print("cut the last axis:", two_tokens.reshape(2, 2, 3).tolist())
print("shape only       :", two_tokens.reshape(1, 2, 2, 3)[0, 0].tolist(), "is no head")


# %%
def split_heads(x, n_heads):
    """Cut the columns of each token into heads.

    x        (B, T, D) array, contiguous in memory or not
    n_heads  int >= 1
    returns  (B, H, T, d_head) with H = n_heads, d_head = D / H; head h owns the columns
             h * d_head to (h + 1) * d_head - 1 of x

    Raises ValueError if D is not divisible by n_heads. x is not changed.
    """
    # TODO(you): stage 3, about 4 lines.
    raise NotImplementedError("stage 3: split_heads")


# %%
def merge_heads(x):
    """The inverse of split_heads.

    x        (B, H, T, d_head) array, contiguous in memory or not
    returns  (B, T, D) with D = H * d_head; x is not changed
    """
    # TODO(you): stage 3, about 2 lines.
    raise NotImplementedError("stage 3: merge_heads")


# %%
# Done? Uncomment, run, read what it says.
# check_stage3(split_heads, merge_heads)

# %%
# Predict first: each token is one colour. How many colours does head 0 have on the right?
tokens = np.repeat(np.arange(6.0), 12).reshape(1, 6, 12)            # (B, T, D), x[0, t] is t
heads = {"split_heads: rows are tokens": split_heads(tokens, 3)[0, 0],
         "reshape alone: tokens are torn": tokens.reshape(1, 3, 6, 4)[0, 0]}
fig, panels = plt.subplots(1, 2, figsize=(8, 4), layout="constrained")
for panel, (title, head) in zip(panels, heads.items()):
    picture = panel.imshow(head, cmap="viridis", vmin=0, vmax=5, aspect="auto")
    panel.set(title=title, xlabel="column of head 0", ylabel="row of head 0", xticks=range(4))
fig.colorbar(picture, ax=panels, label="token that the number came from")
plt.show()

# %% [markdown]
# ## Stage 4 · The block: LayerNorm, residual stream, MLP
#
# A block does not replace its input, it *adds* to it. The stream $x$ runs straight through
# all layers; attention and MLP each read a normalised copy and write a correction:
#
# $$x \leftarrow x + \mathrm{attn}(\mathrm{LN}_1(x)), \qquad
#   x \leftarrow x + W_\text{down}\,\mathrm{gelu}(W_\text{up}\,\mathrm{LN}_2(x))$$
#
# This is *pre-LN*: the norm sits on the branch, never on the stream, so that a gradient has
# an unbroken way down. Post-LN, $\mathrm{LN}(x + \mathrm{attn}(x))$, is the paper of 2017,
# and needs a learning-rate warm-up to train at all when it is deep.
#
# $$\mathrm{LN}(x) = \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} \cdot \text{gain} + \text{bias}$$
#
# $$\mathrm{gelu}(x) = x\,\Phi(x) = \frac{x}{2}\Bigl(1 + \mathrm{erf}\frac{x}{\sqrt 2}\Bigr)$$
#
# ### By hand
# LN of $[1, 3]$ with gain 1, bias 0 and $\epsilon = 0$: $\mu = 2$, $\sigma^2 = 1$ (divide by
# $D$, not by $D - 1$), so $[-1, 1]$. With $[1, 3] / 1000$ and $\epsilon = 10^{-5}$ the
# variance is $10^{-6}$, and $\epsilon$ rules: $\pm 10^{-3} / \sqrt{1.1 \cdot 10^{-5}} =
# \pm .3015$. Outside the root, $\epsilon$ would give $\pm .9901$.
# $\mathrm{gelu}(1) = \Phi(1) = .841345$ and $\mathrm{gelu}(-1) = -.158655$; the tanh formula
# of GPT-2 is another function, up to $4.7 \cdot 10^{-4}$ away. NumPy has no erf, but
# `math.erf` takes one number and `np.vectorize` lifts it to arrays.
#
# ### The leak test again
# The block's attention wears the causal mask of stage 2. So change token $t$ of the input:
# no row before $t$ may move. Heads that are cut or joined by reshape alone mix rows, and
# the same test catches them.
#
# ### The parameters
# | key | shape | | key | shape |
# |---|---|---|---|---|
# | `ln1_gain`, `ln1_bias` | (D,) | | `ln2_gain`, `ln2_bias` | (D,) |
# | `w_qkv`, `b_qkv` | (D, 3D), (3D,) | | `w_up`, `b_up` | (D, 4D), (4D,) |
# | `w_out`, `b_out` | (D, D), (D,) | | `w_down`, `b_down` | (4D, D), (D,) |
#
# Rows are tokens, so a layer is `x @ w + b`. The columns of `w_qkv` are all of q, then all
# of k, then all of v; each is then cut into heads. In all $12 d^2 + 13 d$ numbers: at
# $d = 768$ that is 7.09 million, and twelve such blocks are 85 of GPT-2's 124 million.

# %%
def make_params(rng, d):
    """Random parameters of one block, a dict as in the table above."""
    shapes = {"ln1_gain": (d,), "ln1_bias": (d,), "w_qkv": (d, 3 * d), "b_qkv": (3 * d,),
              "w_out": (d, d), "b_out": (d,), "ln2_gain": (d,), "ln2_bias": (d,),
              "w_up": (d, 4 * d), "b_up": (4 * d,), "w_down": (4 * d, d), "b_down": (d,)}
    params = {name: rng.normal(size=shape) / math.sqrt(shape[0]) if name[0] == "w"
              else np.zeros(shape) for name, shape in shapes.items()}
    return params | {"ln1_gain": np.ones(d), "ln2_gain": np.ones(d)}


# %%
block = make_params(np.random.default_rng(0), 768)
print("parameters of one block:", sum(part.size for part in block.values()))
print("12 d² + 13 d           :", 12 * 768**2 + 13 * 768)


# %%
def layer_norm(x, gain, bias, eps=1e-5):
    """Each token to mean 0 and variance 1 over its columns, then gain and bias.

    x           (..., D) float64
    gain, bias  (D,) float64
    eps         float >= 0, added to the variance, inside the root
    returns     (..., D) float64; the variance divides by D; no argument is changed
    """
    # TODO(you): stage 4, about 3 lines.
    raise NotImplementedError("stage 4: layer_norm")


# %%
def gelu(x):
    """x Φ(x) with the exact normal distribution function, to 1e-9.

    x        float64 array of any shape, at least one axis
    returns  float64 array of the same shape; x is not changed
    """
    # TODO(you): stage 4, about 1 line.
    raise NotImplementedError("stage 4: gelu")


# %%
def transformer_block(x, params, n_heads):
    """One pre-LN decoder block: causal attention, then the MLP, each added to the stream.

    x        (B, T, D) float64
    params   dict of the twelve arrays in "The parameters"
    n_heads  int that divides D
    returns  (B, T, D) float64; x and params are not changed

    Scores are divided by the root of d_head; both norms use eps = 1e-5; the MLP reads the
    stream to which attention has been added.
    """
    # TODO(you): stage 4, about 9 lines.
    raise NotImplementedError("stage 4: transformer_block")


# %%
# Done? Uncomment, run, read what it says.
# check_stage4(layer_norm, gelu, transformer_block)

# %%
# Predict first: each block adds a correction. Does the stream grow like depth, like its
# square root, or exponentially?
rng = np.random.default_rng(4)
stream = rng.normal(size=(2, 12, 64))                               # (B, T, D)
sizes = [stream.std()]
for _ in range(36):
    stream = transformer_block(stream, make_params(rng, 64), 4)
    sizes.append(stream.std())
depth = np.arange(37)
slope = (sizes[-1] ** 2 - 1) / depth[-1]
plt.plot(depth, sizes, marker=".", label="residual stream")
plt.plot(depth, np.sqrt(1 + slope * depth), ls=":",
         label=f"square root of 1 + {slope:.2f} depth: the variances add up")
plt.xlabel("blocks passed")
plt.ylabel("standard deviation of the stream")
plt.legend()
plt.show()

# %% [markdown]
# ## Stage 5 · A character language model in PyTorch
#
# The same block, a token embedding and a position embedding below it, a linear layer to
# `V` logits above it, and autograd to train it. Attention without positions sees a *set*
# of earlier tokens; the position embedding tells it their order.
#
# ### By hand
# The text is made by a grammar, so that we know how well anybody can predict it: sentences
# `DET [ADJ] NOUN VERB DET [ADJ] NOUN.`, with 4 determiners, 8 adjectives (each there half
# of the time), 10 nouns and 8 verbs, all equally likely. One sentence carries
# $2 \ln 4 + 2(\ln 2 + \frac12 \ln 8) + 2 \ln 10 + \ln 8 = 12.92$ nats and has 29.925
# characters on average: **.432 nats per character** is the entropy, and no honest model gets
# below it in the long run. A model that knows nothing pays $\ln 26 = 3.258$.
#
# ### Two tests, not one
# The validation loss should end between the floor .432 and .75. *Below* the floor means a
# leak: with a mask that is off by one, 250 steps reach .05. But the loss alone misses leaks:
# a run of 90 steps without any mask stops at .64 on its way down to .05, which looks like an
# honest model. So perturb: change the character at position $t$, and no row before $t$ may move.
#
# ### The loss
# $T + 1$ ids hold $T$ questions: ids $0..T-1$ go in, ids $1..T$ are the answers, and the loss
# is the mean of $-\ln p(\text{answer})$ over all $B \cdot T$ of them, in nats. The model never
# sees the last id, so $T$ may be its whole context.
#
# ### Sampling
# Feed the last `context` ids, turn the *last* row of logits into probabilities, draw one id
# with `rng`, append, repeat. Make the logits float64 before the softmax: `rng.choice` takes
# float64 probabilities only if they sum to 1 within $1.5 \cdot 10^{-8}$, and float32 ones,
# converted late, do not.

# %%
DETS = ["the", "a", "one", "my"]
ADJS = ["small", "old", "quiet", "red", "brave", "hungry", "tall", "lazy"]
NOUNS = ["cat", "robot", "sailor", "poet", "horse", "owl", "baker", "child", "lion", "king"]
VERBS = ["sees", "follows", "finds", "paints", "helps", "hears", "draws", "fears"]


def grammar_text(rng, n_sentences):
    """Sentences `DET [ADJ] NOUN VERB DET [ADJ] NOUN. `, each choice uniform."""

    def noun_phrase():
        adjective = [rng.choice(ADJS)] if rng.random() < 0.5 else []
        return [rng.choice(DETS), *adjective, rng.choice(NOUNS)]

    sentences = [[*noun_phrase(), rng.choice(VERBS), *noun_phrase()] for _ in range(n_sentences)]
    return "".join(" ".join(sentence) + ". " for sentence in sentences)


# %%
nats = 2 * np.log(4) + 2 * (np.log(2) + np.log(8) / 2) + 2 * np.log(10) + np.log(8)
sample_text = grammar_text(np.random.default_rng(0), 2000)
print(sample_text[:90])
print(f"{nats:.2f} nats a sentence, {len(sample_text) / 2000:.2f} characters on average, "
      f"{nats / 29.925:.3f} nats per character")


# %%
class CharLM(nn.Module):
    """A causal language model over characters.

    Built from `n_layers` pre-LN blocks as in stage 4, each with parameters of its own. The
    details (biases, initial values, kind of positions) are yours; what is checked is this:

    - row t of the logits depends on every one of ids 0..t and on no later id, and on no
      other sequence of the batch
    - the order of the ids counts, with one layer too
    - all parameters are registered and take part in `forward`
    - a layer *adds* to the residual stream: one whose parameters are all 0 changes nothing
    - training and evaluation give the same logits: leave dropout out, as 250 steps are too
      few to overfit
    """

    def __init__(self, vocab, d, n_heads, n_layers, context):
        """Sizes, all int >= 1; n_heads divides d, and d / n_heads is even.

        vocab    number of different ids
        d        width of the residual stream
        context  largest T; keep it as self.context, sample needs it
        """
        # TODO(you): stage 5, about 7 lines.
        raise NotImplementedError("stage 5: CharLM.__init__")

    def forward(self, ids):
        """Logits (not probabilities) of the next id after each position.

        ids      (B, T) long, 1 <= T <= context
        returns  (B, T, V) float32; the rows of a prefix are those of the longer sequence
        """
        # TODO(you): stage 5, about 8 lines.
        raise NotImplementedError("stage 5: CharLM.forward")


# %%
def next_char_loss(model, ids):
    """Mean surprise at the next character, in nats.

    model    maps (B, T) long to logits (B, T, V)
    ids      (B, T + 1) long; the model is fed T of them, and T may be its whole context
    returns  () tensor that gradients flow through
    """
    # TODO(you): stage 5, about 2 lines.
    raise NotImplementedError("stage 5: next_char_loss")


# %%
def sample(model, prompt, n, rng):
    """The prompt and n more ids, each drawn from the model's probabilities.

    model    a CharLM; it is fed the last `context` ids, fewer only while there are fewer
    prompt   list of int, at least one, of any length; it is not changed
    n        int >= 0
    rng      np.random.Generator, the only source of chance: the same seed, the same text
    returns  list of len(prompt) + n ints
    """
    # TODO(you): stage 5, about 8 lines.
    raise NotImplementedError("stage 5: sample")


# %%
# Done? Uncomment, run, read what it says (it trains a model: some 4 seconds).
# check_stage5(CharLM, next_char_loss, sample)

# %%
# Predict first: how many steps until the loss is under 1 nat, and what is learned by then?
torch.set_num_threads(1)                        # two threads are slower for a model this small
torch.manual_seed(0)
rng = np.random.default_rng(0)
text = grammar_text(rng, 3000)
chars = sorted(set(text))
ids = torch.tensor([chars.index(c) for c in text])
model = CharLM(vocab=len(chars), d=64, n_heads=4, n_layers=2, context=32)
optimizer = torch.optim.Adam(model.parameters())
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=6e-3, total_steps=250)
losses = []
for step in range(250):
    if step in (0, 25, 100):
        written = sample(model, [chars.index("t")], 60, np.random.default_rng(1))
        print(f"{step:3} steps: {''.join(chars[i] for i in written)}")
    starts = torch.from_numpy(rng.integers(0, len(ids) - 33, size=16))      # (B,)
    loss = next_char_loss(model, ids[starts[:, None] + torch.arange(33)])   # (B, T + 1)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    schedule.step()
    losses.append(loss.item())
written = sample(model, [chars.index("t")], 60, np.random.default_rng(1))
print(f"250 steps: {''.join(chars[i] for i in written)}")

share = np.unique([*text], return_counts=True)[1] / len(text)
plt.plot(losses, label="training loss")
plt.axhline(np.log(len(chars)), ls=":", color="gray", label="knows nothing, ln 26")
plt.axhline(-(share * np.log(share)).sum(), ls="-.", color="gray", label="letter frequencies only")
plt.axhline(nats / 29.925, ls="--", color="black", label="entropy of the grammar, .432")
plt.xlabel("steps")
plt.ylabel("loss (nats per character)")
plt.ylim(0, 3.5)
plt.legend()
plt.show()

# %% [markdown]
# ## Stage 6 · Rotary positions (stretch)
#
# A learned position embedding knows no position beyond its table, and says where a token
# stands, while language asks how far apart two tokens are. RoPE turns queries and keys
# instead, by an angle that is linear in the position $m$. The columns form pairs, and pair
# $p$ of $d_\text{head}/2$ turns at its own speed $\theta_p$:
#
# $$\begin{pmatrix} a' \\ b' \end{pmatrix} =
#   \begin{pmatrix} \cos \alpha & -\sin \alpha \\ \sin \alpha & \cos \alpha \end{pmatrix}
#   \begin{pmatrix} a \\ b \end{pmatrix}, \qquad \alpha = m\,\theta_p, \qquad
#   \theta_p = 10{,}000^{-2p/d_\text{head}}$$
#
# Turning both $q$ (by $m\theta$) and $k$ (by $n\theta$) leaves a score that depends on
# $m - n$ alone: only the angle *between* two vectors enters their dot product.
#
# ### By hand
# $d_\text{head} = 2$: one pair, $\theta_0 = 1$ radian a position. $(1, 0)$ at position 2
# becomes $(\cos 2, \sin 2) = (-.416, .909)$. At position 0 nothing turns. With
# $d_\text{head} = 8$ the speeds are 1, .1, .01, .001: fast pairs tell neighbours apart, the
# slowest needs 6,283 positions for one turn.
#
# ### The laws
# A rotation keeps every length; position 0 changes nothing; turning by $m$ and then by $n$
# is turning by $m + n$; a score is the same at positions (7, 4) and (100,007, 100,004). The last is
# exact to $10^{-9}$ only if the angles are float64: float32 has 24 bits, so an angle of
# $10^5$ radians is known to $.004$ only. The check asks for these laws and not for
# one pairing or base: neighbours (0,1), (2,3), ... with base 10,000 are ours, LLaMA's
# Hugging Face code pairs column $p$ with $p + d_\text{head}/2$, Llama 3 has base 500,000.

# %%
print("speeds:", 10_000.0 ** (-np.arange(0, 8, 2) / 8), "radians per position")
print("an angle of 100,000 in float32 is known to", np.spacing(np.float32(1e5)) / 2)


# %%
def rope(x, positions):
    """Turn each pair of columns by an angle that is linear in the position.

    x          (..., T, d_head) float64, d_head even
    positions  (T,) int array >= 0 in any order, up to 10**5 and beyond
    returns    (..., T, d_head) float64; row t is x's row t turned for positions[t]; x is
               not changed

    Every pair turns, each at its own speed, by 1 radian a position at most. Any pairing,
    base above 1 and sense of rotation pass; ours: columns (0, 1), (2, 3), ..., base 10,000.
    """
    # TODO(you): stage 6, about 6 lines.
    raise NotImplementedError("stage 6: rope")


# %%
# Done? Uncomment, run, read what it says.
# check_stage6(rope)

# %%
# Predict first: query and key are the same vector. Where is the score largest, and do the
# curves for a query at 100 and at 5,000 differ?
same = np.ones((1, 32))                                             # (T, d_head)
distance = np.arange(0, 65)
for m, style in ((100, "-"), (5000, "--")):
    key_rows = rope(np.ones((65, 32)), m - distance)                # (65, d_head)
    plt.plot(distance, key_rows @ rope(same, np.array([m]))[0] / 32, style,
             label=f"query at position {m:,}")
plt.xlabel("distance m - n (tokens)")
plt.ylabel("score of two equal vectors, 1 without rotation")
plt.legend()
plt.show()

# %% [markdown]
# # What this toy leaves out
# Dropout and weight decay; mixed precision; attention that never stores its weights
# (FlashAttention); grouped key-value heads and the KV cache, which is lab 4; RMSNorm and
# gated MLPs (SwiGLU), which most open models use in place of LayerNorm and GELU; a
# tokenizer, which is lab 3; initial weights of the residual branches scaled by one over the
# root of depth, which keeps the growth of stage 4 in check.
#
# # Interview questions that you can answer now
# - Why divide by the root of d_head, and what goes wrong without it, or with d_head?
# - How do you prove that a model does not see the future? Why is the loss no proof?
# - One query, 512 cached keys: which rows of the causal mask do you need?
# - What does `reshape(B, H, T, d_head)` do wrong, although all shapes fit?
# - Pre-LN or post-LN: what changes for the gradient, and for the size of the stream?
# - How many parameters has a block of width d, and what share of them is the MLP?
# - Why does a RoPE score depend on the distance only, and what breaks in low precision?

# %% [markdown]
# # Solutions
# No peeking: write yours first, then compare, then write it again tomorrow.


# %%
def solution_softmax(x, axis=-1):
    grown = np.exp(x - x.max(axis=axis, keepdims=True))
    return grown / grown.sum(axis=axis, keepdims=True)


# %%
def solution_attention(q, k, v, mask=None):
    scores = q @ k.swapaxes(-1, -2) / math.sqrt(q.shape[-1])        # (..., Tq, Tk)
    if mask is None:
        weights = solution_softmax(scores)
    else:
        weights = solution_softmax(np.where(mask, scores, -1e9))
        weights = np.where(mask, weights, 0.0)                      # rows that see no key
    return weights @ v, weights                                     # (..., Tq, dv), (..., Tq, Tk)


# %%
def solution_causal_mask(n_queries, n_keys):
    return np.tri(n_queries, n_keys, n_keys - n_queries, dtype=bool)


# %%
def solution_split_heads(x, n_heads):
    B, T, D = x.shape
    if D % n_heads:
        raise ValueError(f"{D} columns cannot be cut into {n_heads} heads")
    return x.reshape(B, T, n_heads, D // n_heads).swapaxes(1, 2)    # (B, H, T, d_head)


# %%
def solution_merge_heads(x):
    B, H, T, d_head = x.shape
    return x.swapaxes(1, 2).reshape(B, T, H * d_head)               # (B, T, D)


# %%
def solution_layer_norm(x, gain, bias, eps=1e-5):
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = (centred**2).mean(axis=-1, keepdims=True)
    return centred / np.sqrt(variance + eps) * gain + bias


# %%
def solution_gelu(x):
    return x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2


# %%
def solution_transformer_block(x, params, n_heads):
    p, T = params, x.shape[1]
    read = solution_layer_norm(x, p["ln1_gain"], p["ln1_bias"])     # (B, T, D)
    parts = np.split(read @ p["w_qkv"] + p["b_qkv"], 3, axis=-1)    # q, k, v: (B, T, D)
    q, k, v = [solution_split_heads(part, n_heads) for part in parts]
    heads, _ = solution_attention(q, k, v, solution_causal_mask(T, T))
    x = x + solution_merge_heads(heads) @ p["w_out"] + p["b_out"]
    read = solution_layer_norm(x, p["ln2_gain"], p["ln2_bias"])
    hidden = solution_gelu(read @ p["w_up"] + p["b_up"])            # (B, T, 4D)
    return x + hidden @ p["w_down"] + p["b_down"]


# %%
class solution_CharLM(nn.Module):
    def __init__(self, vocab, d, n_heads, n_layers, context):
        super().__init__()
        self.n_heads, self.context = n_heads, context
        self.token = nn.Embedding(vocab, d)
        self.position = nn.Embedding(context, d)
        self.blocks = nn.ModuleList(self._block(d) for _ in range(n_layers))
        self.norm = nn.LayerNorm(d)
        self.unembedding = nn.Linear(d, vocab)

    def _block(self, d):
        mlp = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d))
        return nn.ModuleDict({
            "ln1": nn.LayerNorm(d), "qkv": nn.Linear(d, 3 * d), "out": nn.Linear(d, d),
            "ln2": nn.LayerNorm(d), "mlp": mlp,
        })

    def forward(self, ids):
        x = self.token(ids) + self.position.weight[: ids.shape[1]]  # (B, T, D)
        for block in self.blocks:
            parts = block["qkv"](block["ln1"](x)).chunk(3, dim=-1)
            q, k, v = [part.unflatten(-1, (self.n_heads, -1)).transpose(1, 2) for part in parts]
            heads = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + block["out"](heads.transpose(1, 2).flatten(2))
            x = x + block["mlp"](block["ln2"](x))
        return self.unembedding(self.norm(x))                       # (B, T, V)


# %%
def solution_next_char_loss(model, ids):
    logits = model(ids[:, :-1])                                     # (B, T, V)
    return F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())


# %%
def solution_sample(model, prompt, n, rng):
    ids = list(prompt)
    for _ in range(n):
        window = torch.tensor([ids[-model.context :]])              # (1, T)
        with torch.no_grad():
            logits = model(window)[0, -1].double()                  # (V,)
        p = logits.softmax(dim=-1).numpy()
        ids.append(int(rng.choice(len(p), p=p)))
    return ids


# %%
def solution_rope(x, positions):
    d_head = x.shape[-1]
    speeds = 10_000.0 ** (-np.arange(0, d_head, 2) / d_head)        # (d_head / 2,)
    angles = positions[:, None] * speeds                            # (T, d_head / 2)
    cos, sin = np.cos(angles), np.sin(angles)
    a, b = x[..., 0::2], x[..., 1::2]
    return np.stack([a * cos - b * sin, a * sin + b * cos], axis=-1).reshape(x.shape)
