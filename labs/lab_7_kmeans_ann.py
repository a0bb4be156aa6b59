# %% [markdown]
# # Lab 7 · K-means + ANN index
#
# **You build** k-means from named helpers, the k-means++ start, the elbow curve, then an
# index of random hyperplanes (LSH) that finds neighbours without looking at every row, and
# the curve of what that costs in recall. Stretch: multi-probe, which trades tables for looks.
# **Concepts**: clustering, approximate nearest-neighbour (ANN) search.
# **Pairs with**: ML theory (k-means) · Course ch14 (ANN). **Time**: 3 to 4 hours.
#
# **Legend.** `x (N, d)` N rows of d features. `centres (K, d)`. `labels (N,)` the centre of
# each row. *Inertia*: the sum of squared distances from each row to its own centre, in
# squared units of x. `planes (n_bits, d)` one normal vector a bit. `q (d,)` a query. *Bucket*:
# the rows that share a code. *Candidates*: the rows of the buckets that a query looks into.
# `ids` positions of rows in x. $\theta$ the angle between two vectors, in radians.
#
# **The rule.** Read the stage, write the function, run its check. When it fails, re-read
# the explanation, not the solution. Compare with the solution only after a real attempt,
# then write yours again from memory the next day. Never read the solutions first:
# recognition feels like knowledge; only recall is.

# %%
import time

import matplotlib.pyplot as plt
import numpy as np

from checks.lab_7_kmeans_ann import (
    check_stage1,
    check_stage2,
    check_stage3,
    check_stage4,
    check_stage5,
    check_stage6,
)

N_CLUMPS = 8
GRID = np.array([(7.0 * i, 7.0 * j) for i in range(4) for j in range(2)])          # (8, 2)
RING = np.pi / 3 * np.arange(6) + 0.3                     # directions of six outliers
OUTLIERS = GRID.mean(axis=0) + 17.0 * np.stack([np.cos(RING), np.sin(RING)], axis=1)   # (6, 2)
N_DOCS, N_QUERIES, DIMS, TOPICS, TOP = 20_000, 200, 32, 200, 10


def clumps(rng):
    """50 rows around each of the eight points of GRID: (400, 2)."""
    return (GRID[:, None] + rng.normal(0.0, 0.7, (N_CLUMPS, 50, 2))).reshape(-1, 2)


def corpus(rng):
    """Embeddings in 200 topics, away from the origin: docs (N_DOCS, d), queries (N_QUERIES, d)."""
    topics = 0.3 + rng.standard_normal((TOPICS, DIMS))
    docs = topics[rng.integers(TOPICS, size=N_DOCS)]
    queries = topics[rng.integers(TOPICS, size=N_QUERIES)]
    return [rows + rng.normal(0.0, 0.5, rows.shape) for rows in (docs, queries)]


def true_neighbours(docs, queries):
    """The TOP nearest rows of each query by brute force, in no order: (N_QUERIES, TOP)."""
    return np.array([np.argpartition(((docs - q) ** 2).sum(axis=1), TOP)[:TOP]
                     for q in queries])


# %% [markdown]
# ## Stage 1 · K-means, one helper at a time
#
# K-means looks for K centres that make the inertia small:
#
# $$\sum_{i=1}^{N} \min_j \lVert x_i - c_j\rVert^2$$
#
# Lloyd's algorithm repeats two steps, and neither can raise that sum. *Assign*: each row takes
# its nearest centre. *Update*: each centre moves to the mean of its rows, because the mean is
# the point with the smallest sum of squared distances. There are finitely many ways to label N
# rows, so it stops; at a local optimum, which need not be a good one (stage 2).
#
# ### By hand
# Rows 0, 2, 10, 14 on a line, centres 0 and 2. The last three rows are nearest to 2, so the
# first update gives the centres 0 and 26/3. Now 2 is nearer to 0: the labels become 0 0 1 1 and
# the inertia $0 + 4 + 1.78 + 28.44 = 34.22$. The second update gives 1 and 12, inertia
# $1 + 1 + 4 + 4 = 10$, and no label changes any more. A labelling is stale as soon as the
# centres move: with the labels from before the update the first sum would be 74.67.
#
# ### Exact far from the origin
# $\lVert x\rVert^2 - 2x\cdot c + \lVert c\rVert^2$ costs one matrix product, and it subtracts
# numbers that are much larger than their difference. Near $10^8$ the squares are $10^{16}$,
# where neighbouring float64 numbers are 2 apart: distances of order 1 are lost, and some come
# out negative. Subtract first, square afterwards (or move the origin to the data first).

# %%
a, b = 1e8 + 0.5, 1e8                                     # half a unit apart
print("square after subtracting:", (a - b) ** 2)
print("expanded:                ", a * a - 2 * a * b + b * b)
print("inertia of 0, 2 | 10, 14:", 1 + 1 + 4 + 4)


# %%
def squared_distances(x, centres):
    """The squared Euclidean distance from each row to each centre.

    x        (N, d) float64
    centres  (K, d) float64
    returns  (N, K) float64, never below 0

    Rounding stays at the scale of the distances wherever the data lie: rows that are 1
    apart near 1e8 come out 1 apart.
    """
    # TODO(you): stage 1, about 1 line.
    raise NotImplementedError("stage 1: squared_distances")


# %%
def assign(x, centres):
    """The index of the nearest centre of each row; of equally near ones, the lowest.

    x        (N, d) float64
    centres  (K, d) float64
    returns  (N,) int, 0 <= label < K
    """
    # TODO(you): stage 1, about 1 line.
    raise NotImplementedError("stage 1: assign")


# %%
def update(x, labels, centres):
    """Each centre moved to the mean of its rows.

    x        (N, d) float64
    labels   (N,) int, 0 <= label < K; any labels, not only the nearest
    centres  (K, d) float64, where the centres stand now
    returns  (K, d) float64, a new array; a centre without rows stays where it stands
    """
    # TODO(you): stage 1, about 4 lines.
    raise NotImplementedError("stage 1: update")


# %%
def inertia(x, centres, labels):
    """The sum over all rows of the squared distance to the row's own centre.

    x        (N, d) float64
    centres  (K, d) float64
    labels   (N,) int, 0 <= label < K; any labels, not only the nearest
    returns  float >= 0, in squared units of x: a sum, not a mean
    """
    # TODO(you): stage 1, about 1 line.
    raise NotImplementedError("stage 1: inertia")


# %%
def kmeans(x, centres, max_iter):
    """Lloyd's algorithm from the given centres: assign, then update and assign in turn.

    x         (N, d) float64
    centres   (K, d) float64, the start; not changed
    max_iter  int >= 1, the largest number of updates
    returns   (centres, labels, history)
              centres (K, d) after the last update
              labels  (N,) int, by `assign` to the centres returned
              history one float an update: the inertia of the updated centres, each row
              counted at the centre that is nearest now, so history[-1] belongs to the
              centres and labels returned

    It may stop as soon as an update changes no label, or make all max_iter updates.

    >>> kmeans(np.array([[0.0], [2.0], [10.0], [14.0]]), np.array([[0.0], [2.0]]), 2)[2]
    [34.22222222222222, 10.0]
    """
    # TODO(you): stage 1, about 8 lines.
    raise NotImplementedError("stage 1: kmeans")


# %%
# Done? Uncomment, run, read what it says.
# check_stage1(squared_distances, assign, update, inertia, kmeans)

# %%
# Predict first: from eight rows of one clump, does each clump get its own centre in the end?
rows = clumps(np.random.default_rng(1))
found, labels, history = kmeans(rows, rows[:N_CLUMPS], 50)
best = inertia(rows, GRID, assign(rows, GRID))
print(f"{len(history)} updates, inertia {history[-1]:.0f}; with a centre in each clump {best:.0f}")
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6))
left.scatter(*rows.T, c=labels, cmap="tab10", s=8)
left.scatter(*found.T, marker="x", c="black", s=70, label="centres at the end")
left.set(xlabel="feature 0 (units of x)", ylabel="feature 1 (units of x)")
left.legend(loc="upper center", bbox_to_anchor=(0.5, 1.18))
right.plot(range(1, len(history) + 1), history, marker="o", label="k-means")
right.axhline(best, ls=":", c="black", label="one centre a clump")
right.set(xlabel="updates", ylabel="inertia (squared units)", yscale="log")
right.legend()
plt.show()

# %% [markdown]
# ## Stage 2 · K-means++: a start that is worth having
#
# Lloyd only walks downhill, so the start decides where it ends. K-means++ draws the first
# centre uniformly from the rows, and each later one with probability
#
# $$p_i = \frac{D_i^2}{\sum_j D_j^2},$$
#
# where $D_i$ is the distance of row i to the nearest centre so far. Why the square? Because
# $D_i^2$ is what row i adds to the inertia now: rows are drawn by what they cost. For that rule
# Arthur and Vassilvitskii (2007) prove an expected inertia of at most $8(\ln K + 2)$ times the
# optimum, before Lloyd makes a single step.
#
# ### By hand
# Rows 0, 1, 3, first centre 0: $D^2 = 0, 1, 9$, so row 3 comes next in 90 % of the draws. With
# D in place of $D^2$ it would be 75 %, uniformly 33 %. After row 3, the row 1 has $D^2 = 1$ (to
# the centre 0), not 4: the *nearest* centre counts, not the last one.
#
# ### Draw, do not maximise
# Always taking the farthest row looks even better, and is, until the data hold outliers: an
# outlier is by definition far away. A draw meets the one outlier seldom and the many rows of
# an unserved cluster often. The plot below measures both worlds.

# %%
cost = np.array([0.0, 1.0, 3.0]) ** 2
print("D squared:", cost / cost.sum(), " D:", np.sqrt(cost) / np.sqrt(cost).sum())


# %%
def kmeans_plus_plus(x, k, rng):
    """K rows of x as starting centres, by D-squared sampling.

    x        (N, d) float64
    k        int >= 1
    rng      np.random.Generator; all randomness comes from it
    returns  (k, d) float64, rows of x in the order in which they were drawn

    The first is drawn uniformly; each later one is one draw with probability proportional to
    the squared distance to the nearest centre so far. Where that is 0 for every row (all rows
    equal, or fewer different rows than k), any row will do. Raises ValueError if k > N.
    """
    # TODO(you): stage 2, about 8 lines.
    raise NotImplementedError("stage 2: kmeans_plus_plus")


# %%
# Done? Uncomment, run, read what it says.
# check_stage2(kmeans_plus_plus)

# %%
# Predict first: which start wins without outliers, and which one loses most with six of them?
def random_rows(x, k, rng):
    return x[rng.choice(len(x), k, replace=False)]


def farthest_rows(x, k, rng):
    start = [x[rng.integers(len(x))]]
    while len(start) < k:
        start.append(x[squared_distances(x, np.array(start)).min(axis=1).argmax()])
    return np.array(start)


rng = np.random.default_rng(2)
starts = {"random rows": random_rows, "k-means++": kmeans_plus_plus, "farthest row": farthest_rows}
clean = clumps(rng)
spoilt = np.concatenate([clean, OUTLIERS])
ends = {
    name: [[kmeans(x, start(x, N_CLUMPS, rng), 100)[2][-1] for _ in range(200)]
           for x in (clean, spoilt)]
    for name, start in starts.items()
}
floor = [min(min(runs[at]) for runs in ends.values()) for at in (0, 1)]
fig, axes = plt.subplots(1, 2, figsize=(10, 3.6))
for name, (plain, with_outliers) in ends.items():
    reached = 100 * np.mean(np.array(plain) < 1.001 * floor[0])
    ratio = np.mean(with_outliers) / floor[1]
    axes[0].bar(name, reached)
    axes[1].bar(name, ratio)
    print(f"{name:13} optimum reached {reached:3.0f} %; with outliers {ratio:.2f} x the best")
axes[0].set(ylabel="runs that reach the optimum (%)", title="eight clumps")
axes[1].set(ylabel="mean inertia / best found", title="the same and six outliers")
axes[1].axhline(1, ls=":", c="black")
plt.show()

# %% [markdown]
# ## Stage 3 · The elbow, read on a log scale
#
# How many clusters? The inertia alone cannot say: it falls with every centre, down to 0 at one
# centre a row. The elbow method plots it against k and looks for the k after which it falls
# slowly. Each point should be the best of several starts, or a bad start makes a bump that
# looks like structure.
#
# ### By hand
# 64 rows 0, 1, ..., 63 hold no clusters at all. Cut into k equal stretches, their inertia is
# $64\,((64/k)^2 - 1)/12$: 21,840 for k=1, 5,456 for k=2, 1,360 for k=4. It falls to a quarter
# with each doubling, as $k^{-2}$; in d dimensions structureless data fall as $k^{-2/d}$.
# (K-means finds just these cuts: in one dimension equal stretches are where it comes to rest.)
#
# ### The trap
# On a linear axis such a power law bends sharply near k=3, whatever the data: everybody sees an
# elbow where there is none. With both axes logarithmic it is a straight line of slope $-2/d$,
# and a real cluster count stands out: the curve is steeper than that line *before* the true k,
# and follows it or is flatter after. Read the ratio of neighbours, not the difference.

# %%
for k in (1, 2, 4, 8):
    pieces = np.arange(64.0).reshape(k, -1)               # (k, 64 / k)
    print(k, ((pieces - pieces.mean(axis=1, keepdims=True)) ** 2).sum())


# %%
def elbow(x, ks, rng, restarts=5):
    """The inertia for each number of clusters: the best of some runs.

    x         (N, d) float64
    ks        sequence of ints, 1 <= k <= N, in any order
    rng       np.random.Generator; all randomness comes from it
    restarts  int >= 1, the runs for each k
    returns   (len(ks),) float64, in the order of ks

    A run is `kmeans` from a fresh `kmeans_plus_plus` start until it has converged; 100 updates
    are enough here. For each k exactly `restarts` runs count, and the lowest inertia is kept.
    """
    # TODO(you): stage 3, about 3 lines.
    raise NotImplementedError("stage 3: elbow")


# %%
# Done? Uncomment, run, read what it says.
# check_stage3(elbow)

# %%
# Predict first: at which k would you put the elbow of each curve on the left?
rng = np.random.default_rng(3)
ks = np.arange(1, 17)
square = rng.uniform(0.0, 25.0, (400, 2))
curves = {"eight clumps": elbow(clumps(rng), ks, rng), "no clusters": elbow(square, ks, rng)}
fig, (raw, log) = plt.subplots(1, 2, figsize=(10, 3.6))
for name, curve in curves.items():
    raw.plot(ks, curve, marker="o", label=name)
    log.plot(ks, curve, marker="o", label=name)
    drops = dict(zip(ks[1:].tolist(), (curve[:-1] / curve[1:]).round(1).tolist()))
    print(f"{name:13} inertia(k-1) / inertia(k): {drops}")
log.plot(ks, curves["no clusters"][0] / ks, ls=":", c="black", label="slope -1, no structure")
raw.set(xlabel="k (clusters)", ylabel="inertia (squared units)", title="raw: the trap")
log.set(xlabel="k (clusters)", ylabel="inertia (squared units)", title="both axes logarithmic",
        xscale="log", yscale="log")
for axis in (raw, log):
    axis.set_xticks([1, 2, 4, 8, 16], ["1", "2", "4", "8", "16"])
    axis.axvline(N_CLUMPS, lw=0.5, c="grey")
    axis.legend()
plt.show()

# %% [markdown]
# ## Stage 4 · Random hyperplanes: an angle becomes a bit
#
# Draw a plane through the origin. Each vector lies on one side or the other, and that is a bit.
# Two vectors get different bits if the plane passes between them. For a plane whose direction
# is uniform that happens for the share $\theta/\pi$ of all planes (Goemans and Williamson 1995,
# Charikar 2002), so
#
# $$P(\text{same bit}) = 1 - \frac{\theta}{\pi}.$$
#
# Uniform direction means: independent standard normal coordinates. Coordinates from U(0, 1)
# give planes that all face the same way, and coordinates from U(-1, 1) prefer the corners of
# the cube.
#
# ### By hand
# At 60 degrees, $\theta = \pi/3$, two vectors share a bit with probability 2/3, and a code of 8
# bits with $(2/3)^8 = .039$. At 90 degrees it is 1/2 and $1/256 = .0039$, at 10 degrees .63.
# Eight bits tell near from far; one bit hardly does.
#
# ### One integer
# n bits pack into one integer, $\sum_i \text{bit}_i 2^i$, which a dict can look up. Float64 has
# 53 bits for the sum and int32 has 31, so beyond that different codes become equal: pack in int64.

# %%
for degrees in (10, 60, 90):
    share = 1 - degrees / 180
    print(f"{degrees:3} degrees: same bit {share:.3f}, same code of 8 bits {share**8:.4f}")
print("float64 at 2**59 + 1:", int(2.0**59 + 1) - 2**59)


# %%
def random_planes(n_bits, d, rng):
    """Normal vectors of hyperplanes through the origin.

    n_bits   int >= 1, any number
    d        int >= 1
    rng      np.random.Generator; all randomness comes from it
    returns  (n_bits, d) float64, one plane a row: independent, each direction equally likely;
             lengths are free
    """
    # TODO(you): stage 4, about 1 line.
    raise NotImplementedError("stage 4: random_planes")


# %%
def lsh_codes(x, planes):
    """The code of each row: one bit a plane, for the side on which the row lies.

    x        (N, d) float64
    planes   (n_bits, d) float64, n_bits <= 60
    returns  (N,) int64; two rows have equal codes exactly if they lie on the same side of
             every plane, also when they come in different calls

    The order of the bits, and the bit of a row that lies on a plane, are up to you.
    """
    # TODO(you): stage 4, about 2 lines.
    raise NotImplementedError("stage 4: lsh_codes")


# %%
# Done? Uncomment, run, read what it says.
# check_stage4(random_planes, lsh_codes)

# %%
# Predict first: where does the 8-bit curve cross one half, in degrees?
rng = np.random.default_rng(4)
degrees = np.linspace(0, 180, 19)
fan = np.stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], axis=1)      # (19, 2)
tilted = fan @ np.linalg.qr(rng.standard_normal((DIMS, 2)))[0].T                       # (19, d)
for n_bits, colour in ((1, "C0"), (8, "C1")):
    draws = [lsh_codes(tilted, random_planes(n_bits, DIMS, rng)) for _ in range(2000)]
    same = np.mean([codes == codes[0] for codes in draws], axis=0)
    plt.plot(degrees, (1 - degrees / 180) ** n_bits, c=colour, label=rf"$(1-\theta/\pi)^{n_bits}$")
    plt.scatter(degrees, same, c=colour, label=f"measured, {n_bits} bit{'s' * (n_bits > 1)}")
skew = [lsh_codes(tilted + 0.3, rng.random((1, DIMS))) for _ in range(2000)]
plt.plot(degrees, np.mean([codes == codes[0] for codes in skew], axis=0), ls=":", c="grey",
         label="U(0, 1) planes, mostly positive data")
plt.xlabel("angle between the two vectors (degrees)")
plt.ylabel("share of draws with the same code")
plt.legend(loc="upper left", bbox_to_anchor=(1.02, 1))
plt.show()

# %% [markdown]
# ## Stage 5 · The index: tables, candidates, re-ranking
#
# A table files each row under its code. A query computes its own code and looks only into that
# bucket. One table misses a neighbour as soon as one plane passes between the two, so an index
# holds T tables, each with its own planes, and takes the union of T buckets. With p the
# probability of sharing one bit and b bits a table,
#
# $$P(\text{found}) = 1 - (1 - p^b)^T.$$
#
# More bits: smaller buckets and less found. More tables: more found, more memory, more work.
# The candidates are then ranked by their true distance, so a wrong candidate costs time and
# never correctness: LSH loses neighbours, it does not invent them.
#
# ### By hand
# A neighbour at 30 degrees has $p = 5/6$, so 8 bits keep it with $p^8 = .23$; four tables find it
# with $1 - (1 - .23)^4 = .65$, eight with .88. A stranger at 90 degrees gets .016 and .031.
# Tables that share their planes are the same table T times: .23, however many you build.
#
# ### Centre first
# The planes pass through the origin. Data away from it lie on one side of most planes, so one
# bucket holds nearly everything: recall 1.0, and nothing pruned. Subtract the mean of x from the
# rows *and* from the query. Rows 0, 1, 2, 3, 14 on a line have the mean 4: any plane through it
# parts {0, 1, 2, 3} from {14}, and a query at 3.4 must look at the first four.

# %%
for degrees in (30, 90):
    kept = (1 - degrees / 180) ** 8
    print(f"{degrees} degrees, 8 bits:", {T: round(1 - (1 - kept) ** T, 3) for T in (1, 4, 8)})


# %%
def build_index(x, n_bits, n_tables, rng):
    """An LSH index of the rows of x, centred on their mean.

    x         (N, d) float64, N >= 1
    n_bits    int, 1..60, bits (planes) a table
    n_tables  int >= 1, each with planes of its own, by `random_planes`
    rng       np.random.Generator; all randomness comes from it
    returns   dict; its keys are yours to choose, only your `candidates`, `query_index` and
              `multiprobe` read it (the reference has x, mean, planes, tables)
    """
    # TODO(you): stage 5, about 9 lines.
    raise NotImplementedError("stage 5: build_index")


# %%
def candidates(index, q):
    """The rows that share the query's code in at least one table.

    index    dict, by your `build_index`
    q        (d,) float64, in the coordinates of x
    returns  ids, each once, in any order; none where every bucket is empty
    """
    # TODO(you): stage 5, about 6 lines.
    raise NotImplementedError("stage 5: candidates")


# %%
def query_index(index, q, k):
    """The k nearest of the candidates, nearest first, by Euclidean distance to q.

    index    dict, by your `build_index`
    q        (d,) float64, in the coordinates of x
    k        int >= 1
    returns  ids; fewer than k where there are fewer candidates, none where there are none

    A row equal to q is an answer like any other. Equally near: the lower id first.
    """
    # TODO(you): stage 5, about 3 lines.
    raise NotImplementedError("stage 5: query_index")


# %%
# Done? Uncomment, run, read what it says.
# check_stage5(build_index, candidates, query_index)

# %%
# Predict first: at 90 % recall, what share of the corpus is still scored?
rng = np.random.default_rng(5)
docs, queries = corpus(rng)
begin = time.perf_counter()
truth = true_neighbours(docs, queries)
brute_ms = 1000 * (time.perf_counter() - begin) / N_QUERIES
near = docs[truth] - docs.mean(axis=0)                                   # (N_QUERIES, TOP, d)
away = (queries - docs.mean(axis=0))[:, None]
cosine = (near * away).sum(-1) / np.linalg.norm(near, axis=-1) / np.linalg.norm(away, axis=-1)
p = 1 - np.arccos(cosine) / np.pi                                        # (N_QUERIES, TOP)


def recall(found):
    return np.mean([len(set(mine) & set(true)) / TOP for mine, true in zip(found, truth)])


fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4))
for n_bits, colour in ((6, "C0"), (8, "C1"), (10, "C2"), (12, "C3")):
    curve = []
    for n_tables in (1, 2, 4, 8, 16):
        index = build_index(docs, n_bits, n_tables, rng)
        scored = 100 * np.mean([len(candidates(index, q)) for q in queries]) / N_DOCS
        begin = time.perf_counter()
        found = [query_index(index, q, TOP) for q in queries]
        ms = 1000 * (time.perf_counter() - begin) / N_QUERIES
        theory = np.mean(1 - (1 - p**n_bits) ** n_tables)
        curve.append((scored, recall(found), ms, theory))
        if n_bits == 8:
            print(f"8 bits, {n_tables:2} tables: recall {curve[-1][1]:.2f} (theory {theory:.2f}), "
                  f"{scored:.1f} % scored, {ms:.2f} ms a query")
    scored, measured, ms, theory = zip(*curve)
    left.plot(scored, measured, marker="o", c=colour, label=f"{n_bits} bits")
    left.plot(scored, theory, ls=":", c=colour)
    right.plot(ms, measured, marker="o", c=colour, label=f"{n_bits} bits")
left.plot([], [], ls=":", c="black", label=r"$1-(1-p^b)^T$")
left.set(xlabel="corpus scored (%)", ylabel="recall@10", xscale="log",
         title="1, 2, 4, 8, 16 tables from left to right")
right.axvline(brute_ms, ls=":", c="black", label="brute force, recall 1")
right.set(xlabel="time (ms a query)", ylabel="recall@10", xscale="log")
left.legend()
right.legend()
plt.show()

# %% [markdown]
# ## Stage 6 · Multi-probe: look next door (stretch)
#
# Tables cost memory: each holds every id once more. But a query that misses its neighbour
# usually misses it by one plane that passed close by. So look into the query's own bucket and
# also into those one bit away, beginning with the plane that the query nearly touches. The
# *margin* of a plane is the query's distance to it,
#
# $$m_i = \frac{|w_i\cdot(q - \bar x)|}{\lVert w_i\rVert},$$
#
# and the bucket across the smallest margin is the likeliest to hold what was missed (Lv et al.
# 2007). The other way to look next door is an inverted file (IVF): k-means on the rows, one list
# a centre, and a query reads the lists of its nearest centres; you have all the parts for it.
#
# ### By hand
# One table of 3 bits, margins .9, .1, .4, own code 101 (bit 2, bit 1, bit 0). Two probes read 101
# and 111: bit 1 is flipped. Three probes add 001 (bit 2, margin .4), not 011: each probe flips one
# bit of the query's *own* code. Four probes are the most: the own bucket and three flips.
#
# ### One plane, two sides
# Rows 0, 1, 2, 3, 14 on a line and one bit a table: the second probe reads the other side, so
# two probes see all five rows.

# %%
own, margins = 0b101, {0: 0.9, 1: 0.1, 2: 0.4}
flips = [own ^ (1 << bit) for bit in sorted(margins, key=margins.get)]
print([f"{code:03b}" for code in [own, *flips]])


# %%
def multiprobe(index, q, k, n_probes):
    """The k nearest of the rows in n_probes buckets of each table, nearest first.

    index     dict, by your `build_index`
    q         (d,) float64, in the coordinates of x
    k         int >= 1
    n_probes  int, 1 <= n_probes <= n_bits + 1, buckets read in *each* table: the query's own,
              then those whose code differs from it in one bit, smallest margin first
    returns   ids, each once; fewer than k where fewer rows were seen

    Distances and ties as in `query_index`; with n_probes=1 the two give the same ids. An empty
    bucket counts as read. A margin may also be |w . (q - mean)|, the plane's length left in.
    """
    # TODO(you): stage 6, about 10 lines.
    raise NotImplementedError("stage 6: multiprobe")


# %%
# Done? Uncomment, run, read what it says.
# check_stage6(multiprobe, build_index, candidates, query_index)

# %%
# Predict first: how many tables are worth as much recall as nine probes into one?
rng = np.random.default_rng(6)
lines = {"8 bits, 1 table, 1 to 9 probes": [(1, n) for n in (1, 2, 3, 5, 7, 9)],
         "8 bits, 2 tables, 1 to 9 probes": [(2, n) for n in (1, 2, 3, 5, 7, 9)],
         "8 bits, 1 to 16 tables, 1 probe": [(T, 1) for T in (1, 2, 4, 8, 16)]}
built = {T: build_index(docs, 8, T, rng) for T in (1, 2, 4, 8, 16)}
fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4))
for name, settings in lines.items():
    seen = [[multiprobe(built[T], q, N_DOCS, n) for q in queries] for T, n in settings]
    recalls = [recall([ids[:TOP] for ids in each]) for each in seen]
    left.plot([100 * np.mean([len(ids) for ids in each]) / N_DOCS for each in seen], recalls,
              marker="o", label=name)
    right.plot([T for T, _ in settings], recalls, marker="o", label=name)
    print(f"{name}: recall {recalls[0]:.2f} to {recalls[-1]:.2f}")
left.set(xlabel="corpus scored (%)", ylabel="recall@10", xscale="log")
right.set(xlabel="tables (0.16 MB of ids each)", ylabel="recall@10", xticks=[1, 2, 4, 8, 16])
left.legend()
plt.show()

# %% [markdown]
# # What this toy leaves out
# Minibatch k-means and triangle-inequality bounds (Elkan, Hamerly) for millions of rows; the
# silhouette and the gap statistic beside the elbow; product quantisation, which stores a vector
# in 8 to 64 bytes; graph indexes (HNSW), which lead most ANN benchmarks on recall per
# millisecond and pay in memory; deletes, filters, and rows that arrive after the build. Times
# here are those of Python: a brute-force matrix product over a batch of queries is hard to beat
# below a million rows.
#
# # Interview questions that you can answer now
# - Why does Lloyd's algorithm stop, and why not at the global optimum? What does k-means++ promise?
# - Why D squared, not D and not the farthest row? What does one outlier do to each?
# - Your elbow plot bends at k=3. Why is that no evidence, and what would be?
# - Derive $1-(1-p^b)^T$. Recall is .7 and must be .9: which knobs do you have, what does each cost?
# - An LSH index has recall 1.0 and is as slow as brute force. What do you look at first?
# - Why is approximate search wrong only by omission, and how do you measure that in production?

# %% [markdown]
# # Solutions
# No peeking: write yours first, then compare, then write it again tomorrow.


# %%
def solution_squared_distances(x, centres):
    return ((x[:, None] - centres) ** 2).sum(axis=2)      # (N, K, d) -> (N, K)


# %%
def solution_assign(x, centres):
    return solution_squared_distances(x, centres).argmin(axis=1)


# %%
def solution_update(x, labels, centres):
    moved = centres.copy()
    for j in np.unique(labels):
        moved[j] = x[labels == j].mean(axis=0)
    return moved


# %%
def solution_inertia(x, centres, labels):
    return float(((x - centres[labels]) ** 2).sum())


# %%
def solution_kmeans(x, centres, max_iter):
    labels, history = solution_assign(x, centres), []
    for _ in range(max_iter):
        centres = solution_update(x, labels, centres)
        before, labels = labels, solution_assign(x, centres)
        history.append(solution_inertia(x, centres, labels))
        if np.array_equal(labels, before):
            break
    return centres, labels, history


# %%
def solution_kmeans_plus_plus(x, k, rng):
    if k > len(x):
        raise ValueError(f"{k} centres asked of {len(x)} rows")
    chosen = [rng.integers(len(x))]
    while len(chosen) < k:
        cost = solution_squared_distances(x, x[chosen]).min(axis=1)      # (N,)
        total = cost.sum()
        chosen.append(rng.choice(len(x), p=cost / total if total > 0 else None))
    return x[chosen]


# %%
def solution_elbow(x, ks, rng, restarts=5):
    def run(k):
        return solution_kmeans(x, solution_kmeans_plus_plus(x, k, rng), 100)[2][-1]

    return np.array([min(run(k) for _ in range(restarts)) for k in ks])


# %%
def solution_random_planes(n_bits, d, rng):
    return rng.standard_normal((n_bits, d))


# %%
def solution_lsh_codes(x, planes):
    bits = x @ planes.T > 0                               # (N, n_bits)
    return bits @ (1 << np.arange(len(planes)))


# %%
def solution_build_index(x, n_bits, n_tables, rng):
    mean = x.mean(axis=0)
    planes = [solution_random_planes(n_bits, x.shape[1], rng) for _ in range(n_tables)]
    tables = []
    for normals in planes:
        codes = solution_lsh_codes(x - mean, normals)     # (N,)
        order = np.argsort(codes)
        starts = np.flatnonzero(np.diff(codes[order])) + 1
        tables.append({int(codes[ids[0]]): ids for ids in np.split(order, starts)})
    return {"x": x, "mean": mean, "planes": planes, "tables": tables}


# %%
def solution_candidates(index, q):
    nothing = np.array([], dtype=np.int64)
    found = []
    for normals, table in zip(index["planes"], index["tables"]):
        (code,) = solution_lsh_codes((q - index["mean"])[None], normals)
        found.append(table.get(int(code), nothing))
    return np.unique(np.concatenate(found))


# %%
def solution_query_index(index, q, k):
    ids = solution_candidates(index, q)
    far = solution_squared_distances(index["x"][ids], q[None])[:, 0]
    return ids[np.argsort(far, kind="stable")[:k]]


# %%
def solution_multiprobe(index, q, k, n_probes):
    centred, nothing, found = q - index["mean"], np.array([], dtype=np.int64), []
    for normals, table in zip(index["planes"], index["tables"]):
        (own,) = solution_lsh_codes(centred[None], normals)
        margins = np.abs(normals @ centred) / np.linalg.norm(normals, axis=1)
        nearest = np.argsort(margins)[: n_probes - 1]
        for code in [own, *(own ^ (1 << nearest))]:
            found.append(table.get(int(code), nothing))
    ids = np.unique(np.concatenate(found))
    far = solution_squared_distances(index["x"][ids], q[None])[:, 0]
    return ids[np.argsort(far, kind="stable")[:k]]
