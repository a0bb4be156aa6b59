# %% [markdown]
# # Lab 1 · Two-tower retrieval
#
# **You build** two encoders that meet in a dot product: towers with unit rows, the in-batch
# sampled softmax with its temperature, the logQ correction, recall@10 against a popularity
# baseline, an LSH index timed against brute force, and the mask for accidental hits.
# **Concepts**: retrieval, in-batch negatives, sampling bias, approximate nearest neighbours.
# **Pairs with**: Course ch14 · ML algorithms coding. **Time**: 3 to 4 hours.
#
# **Legend.** `B` pairs in a batch, `d` numbers in an embedding, `U` users, `I` items,
# `N` items in an index. $\tau$ temperature. $p(i|u)$ the chance that user $u$ picks item $i$;
# $q_j$ the chance that item $j$ stands in a training pair, whoever the user is.
# `b` bits in a code, `k` items in an answer.
#
# **The rule.** Read the stage, write the function, run its check. When it fails, re-read
# the explanation, not the solution. Compare with the solution only after a real attempt,
# then write yours again from memory the next day. Never read the solutions first:
# recognition feels like knowledge; only recall is.

# %%
import time

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from checks.lab_1_two_tower import (
    check_stage1,
    check_stage2,
    check_stage3,
    check_stage4,
    check_stage5,
    check_stage6,
)

torch.set_num_threads(1)  # matrices this small are slower on two threads than on one

N_USERS, N_ITEMS, N_CLUSTERS, N_FEATURES = 1000, 500, 20, 16
D, TEMPERATURE, BATCH, STEPS, RATE = 32, 0.1, 256, 600, 3e-3


# %%
# The world: users and items are directions around 20 tastes, and items differ in popularity.
def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def around(centres, n, rng):
    """n unit rows, each near one of the centres."""
    noise = rng.normal(size=(n, centres.shape[1])) / np.sqrt(centres.shape[1])
    return unit(centres[rng.integers(len(centres), size=n)] + 0.5 * noise)


def pick(chances, n, rng):
    """For each row of chances (U, I), n item ids drawn with them: (U, n)."""
    return np.stack([rng.choice(len(row), size=n, p=row) for row in chances])


def make_world(seed, strength=8.0, zipf=1.0):
    """p(i|u) ~ popularity x taste; taste alone; logs drawn from both."""
    rng = np.random.default_rng(seed)
    centres = unit(rng.normal(size=(N_CLUSTERS, N_FEATURES)))
    users, items = around(centres, N_USERS, rng), around(centres, N_ITEMS, rng)
    popular = 1.0 / (1.0 + rng.permutation(N_ITEMS)) ** zipf               # (I,)
    taste = np.exp(strength * users @ items.T)                             # (U, I)
    chances = popular * taste
    chances, taste = (x / x.sum(axis=1, keepdims=True) for x in (chances, taste))
    train = pick(chances, 20, rng)
    log = torch.from_numpy(np.stack([np.repeat(np.arange(N_USERS), 20), train.ravel()]))
    return {
        "centres": centres, "features": items, "chances": chances, "log": log,
        "logged": [set(row) for row in pick(chances, 5, rng).tolist()],
        "taste_only": [set(row) for row in pick(taste, 5, rng).tolist()],
    }


WORLD = make_world(0)
print(f"{WORLD['log'].shape[1]:,} training pairs (user, item), {N_USERS} users, {N_ITEMS} items")

# %% [markdown]
# ## Stage 1 · A tower
#
# A shop with ten million items has some 10 ms to choose a few hundred of them. A network
# that reads user and item *together* would have to run ten million times. Two towers that
# never see each other turn the question into geometry: every item is encoded once, overnight,
# and a request is one user vector and a search for its nearest item vectors.
#
# The smallest tower is a table with one row for each id, and its rows are scaled to length 1:
#
# $$\mathrm{tower}(id) = \frac{w_{id}}{\lVert w_{id}\rVert}, \qquad
#   u \cdot v = \cos\angle(u, v) \in [-1, 1]$$
#
# Without the scaling an item could raise its score for *everybody* by growing longer; that
# is popularity hiding in the geometry, and an index by angle would not find it.
#
# ### By hand
# A row (0.3, 0.4) has length 0.5 and becomes (0.6, 0.8). Scaling is per row: each id for itself,
# never a column and never the batch as a whole. A batch of one id is a batch: shape (1, d).
#
# ### Where rows start
# An Adam step moves a coordinate by at most about the learning rate, 0.003, however large the
# gradient. Only the direction of a row counts, so what matters is that step beside the row's
# length: 5.7 if it starts at N(0, 1), since $\sqrt{32} = 5.7$, and 0.57 if it starts at N(0, 0.1²).
# The long row turns ten times as slowly. `nn.Embedding` starts at N(0, 1); in this lab that one
# default takes recall@10 after 600 steps from 0.50 to 0.17 (stage 4 measures recall).

# %%
rows = 0.1 * np.random.default_rng(0).normal(size=(4, D))                  # (4, d)
print("lengths before:", np.linalg.norm(rows, axis=1).round(2))
print("lengths after: ", np.linalg.norm(unit(rows), axis=1).round(2))


# %%
class Tower(nn.Module):
    """An encoder: ids in, unit rows out. Two towers share nothing, not even their start."""

    def __init__(self, n_ids, d):
        """Make the parameters.

        n_ids    int, the ids are 0..n_ids - 1
        d        int, numbers in an embedding

        The embedding table starts at N(0, 0.1**2), independently for every tower; layers on
        top of it, if you like some, start as you wish. Call super().__init__() first.
        """
        # TODO(you): stage 1, about 3 lines.
        raise NotImplementedError("stage 1: Tower.__init__")

    def forward(self, ids):
        """The embedding of each id.

        ids      (B,) long tensor, B >= 1, an id may occur several times; not changed
        returns  (B, d) float tensor, every row of length 1, row b from ids[b] alone

        Every parameter receives a gradient through the result, the scaling included; none of
        them is sparse, for Adam.
        """
        # TODO(you): stage 1, about 1 line.
        raise NotImplementedError("stage 1: Tower.forward")


# %%
# Done? Uncomment, run, read what it says.
# check_stage1(Tower)

# %%
# Predict first: both towers chase the same targets. How far has each turned after 200 steps?
targets = torch.from_numpy(unit(np.random.default_rng(1).normal(size=(300, D)))).float()
everyone = torch.arange(300)
for factor, label in [(1, "rows start at N(0, 0.1²)"), (10, "rows start at N(0, 1)")]:
    torch.manual_seed(0)
    tower, path = Tower(300, D), []
    with torch.no_grad():
        for parameter in tower.parameters():
            parameter *= factor
    adam = torch.optim.Adam(tower.parameters(), lr=RATE, fused=True)
    for _ in range(400):
        cosine = (tower(everyone) * targets).sum(dim=1).mean()             # ()
        adam.zero_grad()
        (-cosine).backward()
        adam.step()
        path.append(cosine.item())
    plt.plot(path, label=label)
plt.xlabel("Adam steps (learning rate 0.003)")
plt.ylabel("mean cosine to the target")
plt.legend()
plt.show()

# %% [markdown]
# ## Stage 2 · In-batch softmax
#
# The training log holds only what users took. A softmax over all $I$ items would supply the
# rest, at $I$ rows a step. The batch already holds $B$ encoded items, so let the other users'
# items be the negatives: one product $U V^\top$ gives $B$ positives and $B(B-1)$ negatives.
#
# $$s_{ij} = \frac{u_i \cdot v_j}{\tau}, \qquad
#   L = \frac{1}{B}\sum_{i=1}^{B} -\ln\frac{e^{s_{ii}}}{\sum_{j=1}^{B} e^{s_{ij}}}$$
#
# Row $i$ is a user and the softmax runs over the items $j$: which of these $B$ items did
# this user take? The unit is the nat.
#
# ### By hand
# All embeddings zero: every item is equally likely, $L = \ln B$; a batch of 256 starts at 5.55.
# Two users, two items, $u = v = I_2$: $L = \ln(1 + e^{-1/\tau})$, which is 0.31326 at $\tau = 1$
# and 0.12693 at $\tau = 0.5$.
#
# ### Why a temperature
# Cosines end at 1. At $\tau = 1$ and $B = 256$ even perfect embeddings, positives at 1 and
# negatives at 0, cost $\ln(1 + 255/e) = 4.55$ of 5.55 nats: softmax cannot become sure. At
# $\tau = 0.1$ the same embeddings cost 0.012. Dividing by $\tau$ is what makes unit rows trainable.

# %%
print("zero embeddings, B 256:", round(float(np.log(256)), 3))
print("identity, tau 1 and 0.5:", np.log1p(np.exp([-1.0, -2.0])).round(5))
print("perfect, tau 1 and 0.1: ", np.log1p(255 * np.exp([-1.0, -10.0])).round(3))


# %%
def in_batch_loss(u, v, temperature):
    """Mean surprise at each user's own item, with the batch's other items as negatives.

    u            (B, d) float tensor, row i is the user of pair i
    v            (B, d) float tensor, row i is the item of pair i
    temperature  float > 0, the products are divided by it
    returns      () tensor in nats; backward() reaches u and v

    The rows are used as they come: a tower has already made them unit rows.
    """
    # TODO(you): stage 2, about 2 lines.
    raise NotImplementedError("stage 2: in_batch_loss")


# %%
# Done? Uncomment, run, read what it says.
# check_stage2(in_batch_loss)

# %%
# Predict first: which end of the axis makes perfect rows look untrained, and which end punishes
# random rows hardest?
temperatures = np.geomspace(0.02, 2, 40)
perfect = torch.eye(BATCH)                                                 # (B, B)
noise = np.random.default_rng(2).normal(size=(2, BATCH, D))
random_u, random_v = torch.from_numpy(unit(noise)).float()                 # (B, d) each
plt.plot(temperatures, [in_batch_loss(perfect, perfect, t) for t in temperatures],
         label="perfect: own item at 1, others at 0")
plt.plot(temperatures, [in_batch_loss(random_u, random_v, t) for t in temperatures],
         label="random unit rows")
plt.axhline(np.log(BATCH), ls=":", color="grey", label="one guess in 256, ln 256")
plt.xscale("log")
plt.ylim(0, 16)
plt.xlabel("temperature")
plt.ylabel("loss (nats)")
plt.legend()
plt.show()

# %% [markdown]
# ## Stage 3 · The logQ correction
#
# In-batch negatives are not drawn fairly: item $j$ is a negative as often as it is somebody's
# positive, with probability $q_j$. A bestseller is pushed away in almost every batch for having
# been bought. At the optimum the model learns a ratio instead of a probability:
#
# $$s_{ui} = \ln p(i|u) - \ln q_i + c_u \qquad\text{(uncorrected)}$$
#
# Subtract $\ln q_j$ from the logits in training and the learned score becomes $\ln p(i|u) + c_u$.
#
# $$s'_{ij} = \frac{u_i \cdot v_j}{\tau} - \ln q_j$$
#
# ### By hand
# Zero logits, items with $q = (0.5, 0.25)$: subtracting $\ln q_j$ gives the *columns* 0.693 and
# 1.386, in both rows alike. As weights that is 2 and 4. Row 0 finds its own item with 2/6, row 1
# with 4/6. The popular item weighs half as much as a negative, so it is pushed away half as hard.
#
# ### Three silent mistakes
# - Along the rows, $-\ln q_i$ adds one constant to a whole row. Softmax ignores it: no error,
#   no change, no correction.
# - With the wrong sign popular items are punished twice. TensorFlow Recommenders shipped that
#   once (issue 219, fixed in 220). Zero logits at $B = 2$ do not show it: the mean loss is the
#   same either way, $-\frac12(\ln\frac13 + \ln\frac23) = 0.752$.
# - Before the temperature, $\tau = 0.1$ makes the correction ten times too large.
#
# ### The floor
# An estimate of $q$ may be 0 for an item that the count has not seen yet. So $q$ is clipped at
# $10^{-6}$, which bounds the correction by $-\ln 10^{-6} = 13.8$. (Yi et al., 2019)

# %%
q_two = np.array([0.5, 0.25])
weights = np.exp(-np.log(q_two)) * np.ones((2, 1))                         # (B, B)
print("softmax of the corrected zero logits:")
print((weights / weights.sum(axis=1, keepdims=True)).round(3))
print("a wrong sign, same mean loss:", -np.log([1 / 3, 2 / 3]).mean().round(3))


# %%
def logq_correct(logits, q):
    """Take the popularity of the negatives out of the logits.

    logits   (B, B) float tensor, already divided by the temperature; row user, column item
    q        (B,)   float tensor, 0 <= q <= 1, the sampling probability of item j of the batch
    returns  (B, B) float tensor, ln q_j subtracted from column j, the positive's column
             included; q counts as 1e-6 where it is smaller

    `logits` and `q` are not changed; backward() reaches `logits`.
    """
    # TODO(you): stage 3, about 1 line.
    raise NotImplementedError("stage 3: logq_correct")


# %%
# Done? Uncomment, run, read what it says.
# check_stage3(logq_correct)

# %%
# Predict first: free scores, no towers, 3 users and 40 items. Which dots lie on the diagonal?
EYE = torch.eye(BATCH)  # with v = I and a temperature of 1, u v^T is u: logits go in as they are

rng = np.random.default_rng(3)
p_small = rng.gamma(0.6, size=(3, 40)) / (1 + np.arange(40)) + 0.002
p_small /= p_small.sum(axis=1, keepdims=True)                              # (3, 40)
q_small = torch.from_numpy(p_small.mean(axis=0)).float()                   # (40,)
for corrected in (False, True):
    scores = torch.zeros(3, 40, requires_grad=True)
    adam = torch.optim.Adam([scores], lr=0.05, fused=True)
    for _ in range(400):
        users = rng.integers(3, size=BATCH)
        items = torch.from_numpy(
            (rng.random((BATCH, 1)) > p_small.cumsum(axis=1)[users]).sum(axis=1).clip(max=39)
        )
        logits = scores[users][:, items]                                   # (B, B)
        logits = logq_correct(logits, q_small[items]) if corrected else logits
        adam.zero_grad()
        in_batch_loss(logits, EYE, 1.0).backward()
        adam.step()
    learned = scores.detach().numpy() - scores.detach().numpy().mean(axis=1, keepdims=True)
    truth = np.log(p_small) - np.log(p_small).mean(axis=1, keepdims=True)
    plt.plot(truth.ravel(), learned.ravel(), "o", alpha=0.6,
             label="corrected" if corrected else "uncorrected")
    correlation = np.corrcoef(truth.ravel(), learned.ravel())[0, 1]
    print("corrected:  " if corrected else "uncorrected:",
          f"correlation of the learned score with ln p {correlation:.2f}")
plt.axline((0, 0), slope=1, ls=":", color="grey")
plt.xlabel("ln p(i|u), mean of the user taken out (nats)")
plt.ylabel("learned score (nats)")
plt.legend()
plt.show()

# %% [markdown]
# ## Stage 4 · Recall@10, and something to beat
#
# A retriever hands a few hundred candidates to a ranker, so the question is not what stands
# first but what was found at all: of the items that a user went on to take, which fraction
# stands among the `k` best scores?
#
# $$\mathrm{recall@}k = \frac{1}{|A|}\sum_{u \in A}
#   \frac{|\,\mathrm{top}_k(u) \cap \mathrm{relevant}(u)\,|}{|\,\mathrm{relevant}(u)\,|},
#   \qquad A = \{u : \mathrm{relevant}(u) \neq \emptyset\}$$
#
# It is a fraction per user, then a mean over users. "Anything found at all" is the hit rate,
# a larger and more flattering number; a sum over all users would let heavy users decide.
#
# ### By hand
# Scores (0.1, 0.9, 0.4, 0.7): the best two are items 1 and 3. Relevant {0, 2, 3}: recall@2 is
# 1/3 (hit rate: 1). A second user with relevant {} is left out of the mean, not counted as 0.
#
# ### The baseline
# Popularity: count the training items and give everybody the same ten. It takes no user into
# account, and in a week with a new model to show it is embarrassing how often it wins.
#
# ### Two test sets
# *Logged draws* come from $p(i|u)$, popularity times taste: what users took, the only thing
# that a production log can hold. *Taste-only draws* take popularity out; a simulation can do
# that, production needs a randomized experiment. Keep both in view: they disagree below.

# %%
ranked = np.argsort([-0.1, -0.9, -0.4, -0.7])
print("items, best first:", ranked, " recall@2 of {0, 2, 3}:", len({0, 2, 3} & {*ranked[:2]}) / 3)


# %%
def recall_at_k(scores, relevant, k):
    """The fraction of a user's relevant items among the k best, averaged over users.

    scores    (U, I) float array, larger is better; ties go to the lower item id
    relevant  list of U sets of item ids; users with an empty set are left out of the mean
    k         int >= 1, may exceed I
    returns   float in [0, 1]; 0.0 if no user has a relevant item
    """
    # TODO(you): stage 4, about 3 lines.
    raise NotImplementedError("stage 4: recall_at_k")


# %%
def popularity(train_items, n_items):
    """How often each item occurs in training.

    train_items  (N,) int array, item ids, in any order
    n_items      int, larger than every id
    returns      (n_items,) counts, 0 for an item that never occurs
    """
    # TODO(you): stage 4, about 1 line.
    raise NotImplementedError("stage 4: popularity")


# %%
# Done? Uncomment, run, read what it says.
# check_stage4(recall_at_k, popularity)


# %%
# The training loop, given. `adjust` sees (logits, items) of each batch before the loss does.
def fit(user_tower, item_tower, log, adjust):
    """Train both towers in place on log (2, N), pairs of user and item."""
    rng = np.random.default_rng(0)
    weights = [*user_tower.parameters(), *item_tower.parameters()]
    adam = torch.optim.Adam(weights, lr=RATE, fused=True)
    for _ in range(STEPS):
        users, items = log[:, rng.integers(log.shape[1], size=BATCH)]      # (B,) each
        logits = user_tower(users) @ item_tower(items).T / TEMPERATURE     # (B, B)
        adam.zero_grad()
        in_batch_loss(adjust(logits, items), torch.eye(BATCH), 1.0).backward()
        adam.step()


def embed(tower, n):
    """The rows of ids 0..n - 1 as a NumPy array."""
    with torch.no_grad():
        return tower(torch.arange(n)).numpy()


def id_scores(world, adjust):
    """Scores (U, I), cosines over the temperature, of two fresh towers trained on the log."""
    torch.manual_seed(0)
    user_tower, item_tower = Tower(N_USERS, D), Tower(N_ITEMS, D)
    fit(user_tower, item_tower, world["log"], adjust)
    return embed(user_tower, N_USERS) @ embed(item_tower, N_ITEMS).T / TEMPERATURE


# %%
# Predict first: who wins on logged draws, corrected or uncorrected? And on taste-only draws?
counts = popularity(WORLD["log"][1].numpy(), N_ITEMS)                      # (I,)
q = torch.from_numpy(counts / counts.sum()).float()                        # (I,)
scores = {
    "popularity": np.tile(counts, (N_USERS, 1)),
    "wrong sign": id_scores(WORLD, lambda logits, items: logits + q[items].log()),
    "uncorrected": id_scores(WORLD, lambda logits, items: logits),
    "logQ": id_scores(WORLD, lambda logits, items: logq_correct(logits, q[items])),
    "oracle p(i|u)": WORLD["chances"],
}
logged = {name: recall_at_k(s, WORLD["logged"], 10) for name, s in scores.items()}
taste_only = {name: recall_at_k(s, WORLD["taste_only"], 10) for name, s in scores.items()}
for name in scores:
    print(f"{name:14} recall@10 logged {logged[name]:.3f}   taste only {taste_only[name]:.3f}")
assert logged["uncorrected"] > logged["popularity"] + 0.08
assert logged["logQ"] > logged["uncorrected"] + 0.05
assert taste_only["logQ"] < taste_only["uncorrected"]

place = np.arange(len(scores))
plt.bar(place - 0.2, logged.values(), 0.4, label="logged draws: popularity x taste")
plt.bar(place + 0.2, taste_only.values(), 0.4, label="taste-only draws")
plt.xticks(place, scores)
plt.ylabel("recall@10")
plt.legend()
plt.show()

# %% [markdown]
# Logged draws: the correction gains more than 0.1. Taste-only draws: the same correction *costs*
# recall. Neither is a bug. A corrected score is $\ln p(i|u)$, popularity included, and so are the
# logged draws. An uncorrected score is $\ln p(i|u) - \ln q_i$: how much more this user takes the
# item than people in general do, which is taste.
#
# **Which one does production measure?** Held-out logs are logged draws: offline recall rewards
# popularity, deserved (people like it) or inherited (the old system showed it), and cannot tell
# the two apart. So "logQ improved offline recall" is true, and is no evidence about taste.

# %% [markdown]
# ## Stage 5 · LSH: an index by angle
#
# Brute force scores all $N$ items for every request. Locality-sensitive hashing looks only at
# items that fell into the same bucket. A random plane through the origin gives one bit: on
# which side does a vector lie? Two vectors at the angle $\theta$ share that bit with probability
#
# $$P(\text{same bit}) = 1 - \frac{\theta}{\pi}, \qquad
#   P(\text{found}) = 1 - \bigl(1 - (1 - \theta/\pi)^b\bigr)^T$$
#
# $b$ bits make a bucket small, so that little is scored; $T$ tables with planes of their own give
# a missed neighbour another chance. The normals of the planes come from N(0, 1), which favours no
# direction. From U(0, 1) they would all point into one corner and hardly cut a thing.
#
# ### By hand
# Planes with normals (1, 0) and (0, 1): the codes are the four quadrants. (3, 1) and (0.2, 5)
# share one, (-3, 1) has another, and length does not matter. At $\theta = 60°$ a bit agrees with
# probability 2/3, eight bits with $(2/3)^8 = 0.039$, and one of eight tables with 0.27.
#
# ### Search
# Hash the query in every table, take the *union* of the buckets found, each id once, score those
# exactly, return the best `k`. A code that nobody has is no error: that table adds nothing.

# %%
agree = 1 - np.array([10, 30, 60, 90]) / 180
print("angle 10, 30, 60, 90 degrees")
print("one table, 8 bits: ", (agree**8).round(3))
print("eight tables:      ", (1 - (1 - agree**8) ** 8).round(3))


# %%
def hash_codes(x, planes):
    """The code of each row: one bit for each plane, which side the row lies on.

    x        (N, d) float array
    planes   (b, d) float array, the normals, 1 <= b <= 60
    returns  (N,)   int64; two rows share a code only if they lie on the same side of every
             plane. A row's code depends on that row and the planes, on nothing else.

    The order of the bits is yours, and so is the bit of a row that lies exactly on a plane.
    """
    # TODO(you): stage 5, about 1 line.
    raise NotImplementedError("stage 5: hash_codes")


# %%
def lsh_search(query, x, tables, k):
    """The k best of the items that share a bucket with the query in at least one table.

    query    (d,)   float array, a unit row
    x        (N, d) float array, unit rows; the score of item i is x[i] @ query
    tables   list of (planes, buckets): planes (b, d), different in every table, and
             buckets a dict int -> int array of ids, as `hash_codes` sorts x by these planes;
             codes that no item has are not in the dict
    k        int >= 1
    returns  ids, best first, none twice; fewer than k if fewer were found, empty if none

    None of the arrays and dicts is changed.
    """
    # TODO(you): stage 5, about 7 lines.
    raise NotImplementedError("stage 5: lsh_search")


# %%
# Done? Uncomment, run, read what it says.
# check_stage5(hash_codes, lsh_search)


# %%
# Given: the index, and an item tower that reads features in place of ids. A table of ids knows
# only items that it was trained on; this one can embed an item that was added a minute ago.
def build_tables(x, n_bits, n_tables, rng):
    """Tables (planes, buckets) as `lsh_search` reads them."""
    tables = []
    for _ in range(n_tables):
        planes = rng.normal(size=(n_bits, x.shape[1]))                     # (b, d)
        codes = np.asarray(hash_codes(x, planes))                          # (N,)
        order = np.argsort(codes, kind="stable")
        found, starts = np.unique(codes[order], return_index=True)
        tables.append((planes, dict(zip(found.tolist(), np.split(order, starts[1:])))))
    return tables


class ContentTower(nn.Module):
    """Unit rows from item features: one linear layer."""

    def __init__(self, features, d):
        super().__init__()
        self.features = features
        self.layer = nn.Linear(features.shape[1], d)

    def forward(self, ids):
        return F.normalize(self.layer(self.features[ids]), dim=1)


torch.manual_seed(0)
user_tower = Tower(N_USERS, D)
item_tower = ContentTower(torch.from_numpy(WORLD["features"]).float(), D)
fit(user_tower, item_tower, WORLD["log"], lambda logits, items: logq_correct(logits, q[items]))
known = embed(user_tower, N_USERS) @ embed(item_tower, N_ITEMS).T
print(f"recall@10 by content, logged draws: {recall_at_k(known, WORLD['logged'], 10):.3f}")

# 50,000 new items that no log has seen
item_tower.features = torch.from_numpy(
    around(WORLD["centres"], 50_000, np.random.default_rng(5))
).float()
catalogue = embed(item_tower, 50_000)                                      # (N, d)
queries = embed(user_tower, N_USERS)[:100]                                 # (100, d)
print("new items embedded:", catalogue.shape)


# %%
# Predict first: 12 bits or 8 bits, which finds more for the same share of items scored?
def brute_force(query, x, k):
    scores = x @ query                                                     # (N,)
    best = np.argpartition(-scores, k)[:k]
    return best[np.argsort(-scores[best])]


def quality(x, tables):
    """(recall@10 against brute force, share of the items scored), means over the queries."""
    exact = [set(brute_force(query, x, 10).tolist()) for query in queries]
    found = [np.asarray(lsh_search(query, x, tables, len(x)), dtype=int) for query in queries]
    recall = np.mean([len(e & set(f[:10].tolist())) / 10 for e, f in zip(exact, found)])
    return recall, np.mean([len(f) for f in found]) / len(x)


items_20k = catalogue[:20_000]
curves = {}
for n_bits in (8, 12):
    tables = build_tables(items_20k, n_bits, 16, np.random.default_rng(6))
    curves[n_bits] = [quality(items_20k, tables[:n]) for n in (1, 2, 4, 8, 16)]
    found, scored = np.array(curves[n_bits]).T                             # (5,) each
    plt.plot(100 * scored, found, marker="o", label=f"{n_bits} bits; 1, 2, 4, 8, 16 tables")
    for n, (recall, share) in zip((1, 2, 4, 8, 16), curves[n_bits]):
        print(f"{n_bits:2} bits, {n:2} tables: recall@10 {recall:.2f}, {share:6.2%} scored")
recall, share = curves[12][-1]
assert recall > 0.35 and share < 0.03, (recall, share)
assert recall > 8 * share  # 16 tables of 12 bits against the same number of items at random
plt.xlabel("share of the 20,000 items scored (%)")
plt.ylabel("recall@10 against brute force")
plt.ylim(0, 1)
plt.legend()
plt.show()


# %%
# Predict first: at how many items does the index begin to pay for its own Python?
def microseconds(work, n):
    """Time of one of the n queries that `work` answers, the best of three runs."""
    def once():
        begin = time.perf_counter()
        work()
        return time.perf_counter() - begin
    return 1e6 * min(once() for _ in range(3)) / n


sizes = (1_000, 5_000, 20_000, 50_000)
times = {"brute force, one query at a time": [], "LSH, 12 bits, 8 tables": [],
         "brute force, 100 queries in one product": []}
for n in sizes:
    x = catalogue[:n]
    tables = build_tables(x, 12, 8, np.random.default_rng(6))
    both = torch.from_numpy(queries), torch.from_numpy(x)
    for row, work in zip(times.values(), (
        lambda: [brute_force(query, x, 10) for query in queries],
        lambda: [lsh_search(query, x, tables, 10) for query in queries],
        lambda: torch.topk(both[0] @ both[1].T, 10, dim=1),
    )):
        row.append(microseconds(work, len(queries)))
for name, row in times.items():
    print(f"{name:40}", " ".join(f"{t:7.0f}" for t in row), "µs a query")
    plt.loglog(sizes, row, marker="o", label=name)
plt.xlabel("items in the index")
plt.ylabel("time of one query (µs)")
plt.legend()
plt.show()

# %% [markdown]
# Read the picture honestly. At 1,000 items the index loses to one product of a matrix and a
# vector. At 20,000 it wins against queries that come one at a time, at the price of recall. And
# one *batched* product answers a hundred queries together and keeps recall 1.0: at this size it
# is the right choice wherever requests can wait for each other or a GPU holds the items. On the
# machine that these lines were written on the two met near 50,000 items.
#
# It stops being so where $N \cdot d$ no longer fits: at $10^8$ items of 32 floats one exact pass
# reads 12.8 GB, and a request that must be answered alone, in 10 ms, cannot share that pass
# with others. An index reads its share, here about one item in a hundred.

# %% [markdown]
# ## Stage 6 · Accidental hits (stretch)
#
# A batch of 256 pairs over 500 items holds bestsellers several times. If pairs 3 and 8 both
# hold item 17, then column 8 is a *negative* for user 3: the item that this user has just
# taken. Such an accidental hit pushes away what it should pull. In this lab 1.8 % of the
# negatives are hits, and masking them gains less than 0.01 of recall; with a larger batch or
# a steeper popularity it is more. What it always buys is a loss that says what you mean.
#
# ### By hand
# Items (17, 5, 17). Row 0 has its positive in column 0 and a hit in column 2; row 2 has its
# positive in column 2 and a hit in column 0; row 1 has none. With zero logits the softmax of
# row 0 goes from $(\frac13, \frac13, \frac13)$ to $(\frac12, \frac12, 0)$. The diagonal stays.
#
# ### The serving identity
# Write $s$ for the cosine. Uncorrected, $s/\tau$ learns $\ln p - \ln q$; corrected, $\ln p$. So a
# model trained *without* the correction and served with $s/\tau + \ln q$ ranks like one trained
# *with* it, and $s/\tau - \ln q$ makes a taste model of a corrected one. How much popularity to
# serve can be decided after training, item by item. To correct and add counts it twice.

# %%
batch_items = WORLD["log"][1][np.random.default_rng(0).integers(20_000, size=BATCH)]
repeats = (batch_items[:, None] == batch_items).sum() - BATCH
print(f"accidental hits in one batch: {repeats} of {BATCH * (BATCH - 1)} negatives")


# %%
def mask_accidental_hits(logits, item_ids):
    """Make every negative that is the row's own item invisible to the softmax.

    logits    (B, B) float tensor, row user, column item, the positive on the diagonal
    item_ids  (B,)   long tensor, the item of each pair
    returns   (B, B) float tensor; where column j holds the item of row i and j != i, a fill
              that softmax turns to 0, and elsewhere the logits as they were

    `logits` is not changed; backward() reaches it and gives finite numbers.
    """
    # TODO(you): stage 6, about 3 lines.
    raise NotImplementedError("stage 6: mask_accidental_hits")


# %%
# Done? Uncomment, run, read what it says.
# check_stage6(mask_accidental_hits)

# %%
# Predict first: ln q added to the uncorrected scores, then to the corrected ones. Which row
# of the table ends up where?
ln_q = np.log(np.maximum(counts / counts.sum(), 1e-6))                     # (I,)
served = {
    "uncorrected": scores["uncorrected"],
    "uncorrected + ln q": scores["uncorrected"] + ln_q,
    "corrected": scores["logQ"],
    "corrected - ln q": scores["logQ"] - ln_q,
    "corrected + ln q (twice)": scores["logQ"] + ln_q,
    "corrected, hits masked": id_scores(
        WORLD,
        # the clamp: `fit` multiplies by I, and -inf * 0 is NaN
        lambda logits, items: mask_accidental_hits(
            logq_correct(logits, q[items]), items
        ).clamp(min=-1e4),
    ),
}
for name, s in served.items():
    print(f"{name:26} recall@10 logged {recall_at_k(s, WORLD['logged'], 10):.3f}"
          f"   taste only {recall_at_k(s, WORLD['taste_only'], 10):.3f}")

figure, axes = plt.subplots(1, 2, figsize=(9, 4), sharex=True, sharey=True)
for axis, name in zip(axes, ("uncorrected", "uncorrected + ln q")):
    x, y = (served[key][:40] - served[key][:40].mean(axis=1, keepdims=True)
            for key in ("corrected", name))
    dots = axis.scatter(x, y, s=3, c=np.broadcast_to(ln_q, x.shape), cmap="viridis")
    axis.axline((0, 0), slope=1, ls=":", color="grey")
    axis.set_xlabel("corrected score, user's mean out (nats)")
    axis.set_ylabel(f"{name} (nats)")
figure.colorbar(dots, ax=axes, label="ln q of the item (nats)")
plt.show()

# %% [markdown]
# # What this toy leaves out
# - Towers that read histories, texts and prices; negatives from outside the batch, drawn
#   uniformly for the tail or mined for being hard; a queue of earlier batches.
# - $q$ from a stream: production estimates it by the steps between two occurrences of an item
#   (Yi et al., 2019), because nobody can count a log that does not end.
# - The users' own past: items already taken are filtered out before anybody measures recall.
# - Position and exposure bias: a log holds what was shown. $\ln q$ corrects the sampling of
#   negatives, not what users were never offered.
# - Graph and quantization indexes (HNSW, IVF-PQ), which beat plain LSH at equal recall.
#
# # Interview questions that you can answer now
# - Why may the two towers not look at each other, and what does a ranker do that they cannot?
# - What does an uncorrected in-batch softmax converge to? Derive it in two lines.
# - Your logQ change raises offline recall and lowers engagement in the A/B test. How can both
#   be true, and which measurement would tell?
# - A colleague adds $\ln q$ along the wrong axis. Which metric moves?
# - Recall@10 is 0.45 at 1.5 % of the items scored. Which do you turn first, bits or tables?
# - When is an approximate index the wrong answer?

# %% [markdown]
# # Solutions
# No peeking: write yours first, then compare, then write it again tomorrow.


# %%
class solution_Tower(nn.Module):
    def __init__(self, n_ids, d):
        super().__init__()
        self.table = nn.Embedding(n_ids, d)
        nn.init.normal_(self.table.weight, std=0.1)

    def forward(self, ids):
        return F.normalize(self.table(ids), dim=1)


# %%
def solution_in_batch_loss(u, v, temperature):
    logits = u @ v.T / temperature                                         # (B, B)
    return F.cross_entropy(logits, torch.arange(len(logits)))


# %%
def solution_logq_correct(logits, q):
    return logits - q.clamp(min=1e-6).log()                                # (B, B) - (B,)


# %%
def solution_recall_at_k(scores, relevant, k):
    top = np.argsort(-scores, axis=1, kind="stable")[:, :k]                # (U, k)
    found = [len(own & set(row)) / len(own) for own, row in zip(relevant, top.tolist()) if own]
    return float(np.mean(found)) if found else 0.0


# %%
def solution_popularity(train_items, n_items):
    return np.bincount(train_items, minlength=n_items)


# %%
def solution_hash_codes(x, planes):
    return (x @ planes.T > 0) @ (1 << np.arange(len(planes)))              # (N, b) @ (b,)


# %%
def solution_lsh_search(query, x, tables, k):
    found = [np.array([], dtype=int)]
    for planes, buckets in tables:
        code = int(solution_hash_codes(query[None], planes)[0])
        found.append(buckets.get(code, found[0]))
    ids = np.unique(np.concatenate(found))
    best_first = np.argsort(-(x[ids] @ query), kind="stable")
    return ids[best_first[:k]]


# %%
def solution_mask_accidental_hits(logits, item_ids):
    same = item_ids[:, None] == item_ids                                   # (B, B)
    own = torch.eye(len(item_ids), dtype=torch.bool)
    return logits.masked_fill(same & ~own, float("-inf"))
