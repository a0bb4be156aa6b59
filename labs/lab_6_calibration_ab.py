# %% [markdown]
# # Lab 6 · Calibration + A/B testing
#
# **You build** two instruments that tell whether a number can be believed. For a classifier:
# the reliability diagram, the expected calibration error, Platt scaling by gradient descent,
# isotonic regression. For an experiment: the z-test, a simulator that shows what peeking does
# to its false positives over 1,000 runs, CUPED, and a boundary under which peeking is allowed.
# **Concepts**: calibration, testing discipline.
# **Pairs with**: Prob/stats ch13 · Course ch12. **Time**: 3 to 4 hours.
#
# **Legend.** `N` predictions, `M` bins that are not empty, `p` (N,) predicted probability that
# the outcome is 1, `y` (N,) outcome, `z` (N,) *logit*: the model's raw score, before the sigmoid
# $\sigma(z) = 1/(1+e^{-z})$. `n` users in one arm of an experiment, `K` looks at its result,
# $\alpha$ the false-positive rate promised, $\rho$ a correlation.
#
# **The rule.** Read the stage, write the function, run its check. When it fails, re-read
# the explanation, not the solution. Compare with the solution only after a real attempt,
# then write yours again from memory the next day. Never read the solutions first:
# recognition feels like knowledge; only recall is.

# %%
import math
from statistics import NormalDist

import matplotlib.pyplot as plt
import numpy as np

from checks.lab_6_calibration_ab import (
    check_stage1,
    check_stage2,
    check_stage3,
    check_stage4,
    check_stage5,
    check_stage6,
    check_stage7,
)

Z_95 = 1.959963984540054  # |z| above this has p < .05, two-sided
N_BINS = 10
LOOKS = [1, 2, 3, 4, 5, 10, 20, 50, 100]
PUBLISHED = [0.0500, 0.0831, 0.1073, 0.1262, 0.1417, 0.1934, 0.2479, 0.3205, 0.3736]


def overconfident(rng, n):
    """A model whose logits are 2.5 times too large: (logits, true chance, outcome), each (n,)."""
    z = rng.normal(0, 2.5, n)
    chance = 1 / (1 + np.exp(-(0.4 * z - 0.3)))
    return z, chance, (rng.random(n) < chance).astype(int)


def kinked(rng, n):
    """A model that is right below z of 0 and far too sure above it: the same three arrays."""
    z = rng.normal(0, 2.5, n)
    chance = 1 / (1 + np.exp(-np.where(z < 0, z, 0.15 * z)))
    return z, chance, (rng.random(n) < chance).astype(int)


def experiment(rng, rho, n=400, effect=1.0):
    """A treatment that adds `effect` minutes: (y, x before, x after, treatment), each (n,)."""
    x = rng.normal(20, 5, n)
    treatment = rng.permutation(n) < n // 2
    y = 10 + rho * (x - 20) + 5 * np.sqrt(1 - rho**2) * rng.normal(size=n) + effect * treatment
    return y, x, x + effect * treatment, treatment


# %% [markdown]
# ## Stage 1 · Reliability: does 80 % mean 80 %?
#
# A fraud model says .8 and a person acts on it: of all the payments that got .8, eight in ten
# had better be fraud. Accuracy does not see this and neither does AUC: halve every logit, and
# the ranking stays while every probability changes. The reliability diagram does. Sort the
# predictions into `n_bins` bins of equal width on [0, 1], and in each compare what the model
# said (*confidence*, the mean of `p`) with what happened (*frequency*, the share of `y` that
# is 1). The expected calibration error is the gap of a bin, averaged over *predictions*:
#
# $$\mathrm{ECE} = \sum_{k} \frac{n_k}{N}\,\bigl|\,\mathrm{frequency}_k -
# \mathrm{confidence}_k\,\bigr|$$
#
# Its unit is probability: an ECE of .15 says that a prediction is off by 15 points on average.
# Confidence is the mean of `p` in the bin, not the middle of the bin; and `p` is the probability
# of class 1, so the axis runs from 0 to 1 (papers on image classifiers bin the probability of
# the *winning* class instead, and compare it with accuracy).
#
# ### By hand
# Six predictions in four bins. A bin without predictions has no mean, so it is left out.
#
# | bin | p | y | confidence | frequency | count | count × gap |
# |---|---|---|---|---|---|---|
# | 0 to .25 | .1, .2 | 0, 1 | .15 | .5 | 2 | .7 |
# | .25 to .5 | .4 | 1 | .4 | 1 | 1 | .6 |
# | .5 to .75 | | | | | 0 | |
# | .75 to 1 | .8, .9, 1 | 1, 0, 1 | .9 | .667 | 3 | .7 |
#
# ECE = (.7 + .6 + .7) / 6 = **.333**. Without the weights it would be .394.

# %%
gaps = np.array([0.35, 0.60, 0.9 - 2 / 3])
counts = np.array([2, 1, 3])
print(f"ECE, weighted by predictions: {np.sum(counts * gaps) / 6:.3f}")
print(f"mean gap of the three bins:   {gaps.mean():.3f}")


# %%
def reliability(p, y, n_bins):
    """What was said and what happened, bin by bin.

    p        (N,) float in [0, 1], N >= 1: the predicted probability that y is 1
    y        (N,) int, 0 or 1
    n_bins   int >= 1: bins of equal width that cover [0, 1], both ends included
    returns  (confidence, frequency, count), each (M,), the lowest bin first: mean of p,
             mean of y and number of predictions in each of the M bins that are not empty

    Every prediction is in one bin: p = 0 in the first, p = 1 in the last. To which side an
    inner edge belongs is up to you. p and y are not changed.

    >>> reliability(np.array([0.1, 0.3, 0.9]), np.array([0, 1, 1]), 2)
    (array([0.2, 0.9]), array([0.5, 1. ]), array([2, 1]))
    """
    # TODO(you): stage 1, about 6 lines.
    raise NotImplementedError("stage 1: reliability")


# %%
def expected_calibration_error(p, y, n_bins):
    """The gap between frequency and confidence, averaged over the predictions.

    p, y, n_bins  as in `reliability`
    returns       float in [0, 1], a probability

    >>> round(expected_calibration_error(np.array([0.1, 0.3, 0.9]), np.array([0, 1, 1]), 2), 4)
    0.2333
    """
    # TODO(you): stage 1, about 2 lines.
    raise NotImplementedError("stage 1: expected_calibration_error")


# %%
# Done? Uncomment, run, read what it says.
# check_stage1(reliability, expected_calibration_error)

# %%
# Predict first: a model that knows the true chance of every event is perfectly calibrated.
# Is its ECE on 200 predictions 0? And how does it fall with N?
rng = np.random.default_rng(6)
z, chance, y = overconfident(rng, 4000)
confidence, frequency, count = reliability(1 / (1 + np.exp(-z)), y, N_BINS)
error = expected_calibration_error(1 / (1 + np.exp(-z)), y, N_BINS)
sizes = [100, 200, 500, 1000, 2000, 4000, 8000]
floor = []
for size in sizes:
    worlds = [overconfident(rng, size) for _ in range(60)]
    floor.append(np.mean([expected_calibration_error(p, hit, N_BINS) for _, p, hit in worlds]))
print(f"overconfident model: ECE {error:.3f}; perfect model: {floor[1]:.3f} at 200, "
      f"{floor[5]:.4f} at 4,000")

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2))
left.plot([0, 1], [0, 1], color="grey", ls=":", label="calibrated")
left.plot(confidence, frequency, color="C0")
left.scatter(confidence, frequency, s=np.array(count) / 4, label="a bin, area: its predictions")
left.set(xlabel="confidence: mean predicted probability", ylabel="frequency: share that came true",
         title=f"overconfident model, ECE {error:.3f}")
left.legend()
right.loglog(sizes, floor, marker="o", label="perfect model, mean of 60 draws")
right.loglog(sizes, floor[0] * np.sqrt(sizes[0] / np.array(sizes)), ls=":", label="falls as 1/√N")
right.axhline(error, color="C3", ls="--", label="the overconfident model")
right.set(xlabel="predictions N", ylabel="ECE (probability)", title="the floor: chance alone")
right.legend(loc="lower left")
plt.show()

# %% [markdown]
# ## Stage 2 · Platt scaling: two numbers repair a model
#
# The model ranks well and its probabilities are too sure. Leave the network alone and fit two
# numbers on held-out logits: $p' = \sigma(a z + b)$. A slope $a$ below 1 takes confidence back
# (its inverse is the *temperature*), $b$ moves the base rate. Both come from gradient descent
# on the mean log-loss, from $(a, b) = (1, 0)$, which is "change nothing":
#
# $$\frac{\partial L}{\partial a} = \frac1N\sum_i (p'_i - y_i)\,z_i \qquad
# \frac{\partial L}{\partial b} = \frac1N\sum_i (p'_i - y_i)$$
#
# The *mean*: with the sum, the step grows with N and the same `lr` runs away. The loss is convex,
# so there is one optimum, and at the optimum both sums are 0: the calibrated probabilities add
# up to the number of positives.
#
# A sigmoid written as `1 / (1 + np.exp(-t))` overflows at t = -1000, and `np.where` between
# two forms computes both. One identity has no such corner: $\sigma(t) = \frac12 +
# \frac12\tanh\frac t2$.
#
# ### By hand
# Nine predictions share two logits. At z = 2 three of four came true, so the best fit has
# $\sigma(2a+b) = \frac34$, that is $2a + b = \ln 3$. At z = -1 one of five: $-a + b = -\ln 4$.
# Subtract: $a = \frac13 \ln 12$ = **.828**, $b = a - \ln 4$ = **-.558**. Two more predictions,
# z = 1000 with y = 1 and z = -1000 with y = 0, are certain and right: they change nothing.

# %%
slope = math.log(12) / 3
print(f"a {slope:.3f}, b {slope - math.log(4):.3f}")
print("sigmoid at -1000, 0, 1000:", 0.5 + 0.5 * np.tanh(np.array([-1000, 0, 1000]) / 2))


# %%
def fit_platt(logits, y, lr, steps):
    """Slope and offset that calibrate logits, by gradient descent on the mean log-loss.

    logits   (N,) float, any size: z of 1000 or -1000 neither overflows nor warns
    y        (N,) int, 0 or 1, as it is: no smoothing, no penalty on a or b
    lr       float > 0, the step along the gradient of the *mean* log-loss
    steps    int, enough to converge from (1, 0) at this lr
    returns  (a, b): sigmoid(a * z + b) has the smallest mean log-loss

    The result counts, not the path. logits and y are not changed.

    >>> fit_platt(np.array([2.0, 2, 2, 2, -1, -1, -1, -1, -1]),
    ...           np.array([1, 1, 1, 0, 0, 0, 1, 0, 0]), lr=1.0, steps=400)
    (0.8283, -0.5580)        # to four digits
    """
    # TODO(you): stage 2, about 7 lines.
    raise NotImplementedError("stage 2: fit_platt")


# %%
# Done? Uncomment, run, read what it says.
# check_stage2(fit_platt)

# %%
# Predict first: one of these two models bends in a way that no sigmoid can. Which bins of it
# will two numbers fail to repair?
figure, panels = plt.subplots(1, 2, figsize=(11, 4.2), sharey=True)
for panel, world in zip(panels, (overconfident, kinked)):
    rng = np.random.default_rng(6)
    z, _, y = world(rng, 4000)                                  # fitted on these
    z_new, _, y_new = world(rng, 4000)                          # judged on those
    a, b = fit_platt(z, y, lr=0.3, steps=500)
    panel.plot([0, 1], [0, 1], color="grey", ls=":")
    for name, logit in {"raw": z_new, "Platt": a * z_new + b}.items():
        p = 1 / (1 + np.exp(-logit))
        confidence, frequency, _ = reliability(p, y_new, N_BINS)
        error = expected_calibration_error(p, y_new, N_BINS)
        panel.plot(confidence, frequency, marker="o", label=f"{name}, ECE {error:.3f}")
    panel.set(title=f"{world.__name__}: a {a:.2f}, b {b:.2f}", xlabel="confidence (probability)")
    panel.legend()
panels[0].set_ylabel("frequency (share that came true)")
plt.show()

# %% [markdown]
# ## Stage 3 · Isotonic regression: any shape, as long as it rises
#
# Where a sigmoid has the wrong shape, ask for less: the calibrated value may be anything, as
# long as a higher score never gets a lower one. Among all such fits, the one with the smallest
# squared error comes from *pool adjacent violators*: walk through the data in the order of x;
# where a value is below the one before it, replace both by their common mean; the new block may
# be below *its* left neighbour, so look back again until nothing is. Blocks carry their
# weights: a block of two pooled with a third value is a mean of three.
#
# Predictions with the same score must get the same answer, so equal x are pooled first, to
# their mean with their number as weight.
#
# ### By hand
# `5 6 1` in the order of x: 6 and 1 violate, and pool to 3.5. Now 5 is above 3.5: pool again,
# with weights, to (5 + 2·3.5)/3 = **4** for all three. One pass without looking back stops at
# `5 3.5 3.5`, which falls; without weights the end would be 4.25. And `4` and `1`, both at
# x = 2, are one block of 2.5 with weight 2 before the walk begins.

# %%
print("weighted:", (1 * 5 + 2 * 3.5) / 3, " unweighted:", (5 + 3.5) / 2)


# %%
def isotonic(x, y):
    """The non-decreasing fit of y on x with the smallest squared error.

    x        (N,) float, N >= 1, in any order
    y        (N,) float or int, any real numbers
    returns  (N,) float, the fitted value of each input in the *input's* order

    Equal x get one value: they are pooled first, weighted by their number. x and y are
    not changed.

    >>> isotonic(np.array([3.0, 1.0, 2.0]), np.array([1, 5, 6]))
    array([4., 4., 4.])
    """
    # TODO(you): stage 3, about 11 lines.
    raise NotImplementedError("stage 3: isotonic")


# %%
# Done? Uncomment, run, read what it says.
# check_stage3(isotonic)

# %%
# Predict first: isotonic regression is scored on the data that it was fitted on, and on new
# data. By how much do the two ECEs differ?
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2))
for at, world in enumerate((overconfident, kinked)):
    rng, errors = np.random.default_rng(6), []
    for _ in range(10):
        z, _, y = world(rng, 1000)                              # fitted on these
        z_new, chance, y_new = world(rng, 4000)                 # judged on those
        order, fitted = np.argsort(z), isotonic(z, y)
        a, b = fit_platt(z, y, lr=0.3, steps=500)
        judged = {
            "raw": (1 / (1 + np.exp(-z_new)), y_new),
            "Platt, held out": (1 / (1 + np.exp(-(a * z_new + b))), y_new),
            "isotonic, held out": (np.interp(z_new, z[order], np.array(fitted)[order]), y_new),
            "isotonic, own training data": (np.array(fitted), y),
            "the true chance: the floor": (chance, y_new),
        }
        errors.append([expected_calibration_error(p, hit, N_BINS) for p, hit in judged.values()])
    bars = right.barh(np.arange(5) + 0.4 * at, np.mean(errors, axis=0), 0.38, label=world.__name__)
    right.bar_label(bars, fmt="%.3f", padding=2)
left.step(z[order], np.array(fitted)[order], where="mid", label="isotonic")
left.plot(z[order], 1 / (1 + np.exp(-(a * z[order] + b))), label="Platt")
left.plot(np.sort(z_new), np.sort(chance), color="black", ls=":", label="true chance")
left.set(xlabel="logit z", ylabel="probability of y = 1", title="kinked: what each can follow")
left.legend()
right.set_yticks(np.arange(5) + 0.2, list(judged))
right.invert_yaxis()
right.set(xlabel="ECE (probability), mean of 10 draws", xlim=(0, 0.175),
          title="fitted on 1,000, judged on 4,000")
right.legend(loc="lower right")
figure.tight_layout()
plt.show()

# %% [markdown]
# The training bar is empty, and not by luck: each block's fitted value *is* its share of
# positives, so within every bin confidence equals frequency exactly, and the ECE is 0 whatever
# the data. A calibrator scored on its own training data proves nothing. On held-out data two
# numbers beat a free shape where the sigmoid is right (.020 against .029), and lose where it is
# not (.066 against .028). Neither can beat the floor, which is chance.

# %% [markdown]
# ## Stage 4 · The z-test: could chance have done this?
#
# From models to experiments. Two arms, A and B, show a checkout page to $n_A$ and $n_B$ users;
# some convert. If the page made no difference, both arms would share one rate; the best
# estimate of it is the *pooled* one, all conversions over all users. Under it, the difference of
# the two observed rates has the standard error
#
# $$s = \sqrt{\hat p\,(1-\hat p)\left(\tfrac1{n_A}+\tfrac1{n_B}\right)},\qquad
# z = \frac{\hat p_B-\hat p_A}{s},\qquad
# p\text{-value} = 2\,\bigl(1-\Phi(|z|)\bigr) = \mathrm{erfc}\bigl(|z|/\sqrt2\bigr)$$
#
# Two-sided, because B might be worse. The p-value answers one question: how often would two
# *equal* arms look at least this different? It is not the probability that A equals B.
#
# ### By hand
# 100 of 1,000 against 130 of 1,000. Pooled rate 230/2,000 = .115; s = √(.115 · .885 · 2/1,000) =
# .01427; z = .03/.01427 = 2.103; p = **.0355**. If nobody converted, or everybody did, the
# data has no variance and shows no difference: p is 1.

# %%
standard_error = math.sqrt(0.115 * 0.885 * (1 / 1000 + 1 / 1000))
print(f"s {standard_error:.5f}, z {0.03 / standard_error:.3f}")
for size in (1, Z_95, 3):
    print(f"chance of |z| above {size:.2f}: {math.erfc(size / math.sqrt(2)):.4f}")


# %%
def z_test(conversions_a, n_a, conversions_b, n_b):
    """Two-sided p-value of the pooled z-test for two conversion rates.

    conversions_a, conversions_b  int, 0 <= conversions <= n of that arm
    n_a, n_b                      int >= 1, users in each arm; they may differ
    returns                       float in [0, 1], exact to 1e-9; no continuity correction

    No variance (nothing or everything converted, in both arms): 1.

    >>> round(z_test(100, 1000, 130, 1000), 6)
    0.035488
    """
    # TODO(you): stage 4, about 6 lines.
    raise NotImplementedError("stage 4: z_test")


# %%
# Done? Uncomment, run, read what it says.
# check_stage4(z_test)

# %%
# Predict first: what shape has the histogram of the p-value when A and B are the same page?
rng = np.random.default_rng(7)
bins = np.linspace(0, 1, 21)
for rate_b, name in ((0.10, "A/A: both 10 %"), (0.12, "A/B: 10 % against 12 %")):
    pairs = rng.binomial(2000, [0.10, rate_b], size=(3000, 2)).tolist()
    p_values = [z_test(a, 2000, b, 2000) for a, b in pairs]
    below = np.mean(np.array(p_values) < 0.05)
    plt.hist(p_values, bins, histtype="step", lw=2, label=f"{name}, {below:.1%} below .05")
plt.axhline(150, color="grey", ls=":", label="uniform: 150 in each bin")
plt.yscale("log")
plt.xlabel("p-value")
plt.ylabel("experiments, of 3,000")
plt.legend()
plt.show()

# %% [markdown]
# ## Stage 5 · Peeking: twenty looks, one chance in four
#
# A dashboard shows the p-value every morning, and the experiment is stopped when it says
# .04. Each look alone is wrong in 5 % of A/A tests; the rule "stop at the first significant
# look" is wrong whenever *any* look is. The looks are not independent, since each contains
# all the data before it, so the tempting formula $1-.95^K$ is wrong too (it is too
# high). The true figures come from a random walk, and have been in print since 1969
# (Armitage, McPherson and Rowe; many users in each look):
#
# | looks | 1 | 2 | 3 | 4 | 5 | 10 | 20 | 50 | 100 |
# |---|---|---|---|---|---|---|---|---|---|
# | false positives, % | 5.00 | 8.31 | 10.73 | 12.62 | 14.17 | 19.34 | 24.79 | 32.05 | 37.36 |
#
# You simulate it: A/A tests, in which every significant result is false. At each look
# `users_per_look` *new* users join each arm, and the test sees *all* users so far. A run goes on
# to its last look, so that the honest reading, one test at the end, is counted beside the other.
#
# ### By hand
# One user an arm a look, rate ½, three looks. At look 1 no difference is significant (1 against
# 0 of 1 has z = 1.41). At look 2, 2 against 0 of 2 has z = 2, p = .0455: chance 2/16 = .125. At
# look 3 only 3 against 0 is (z = 2.45): chance 2/64 = .03125, and it passed through 2 against 0.
# So any look: **.125**; last look: **.03125**. Four times as many "discoveries", and none is real.
# With users drawn afresh for each look, look 2 would again be 1 against 1, and nothing would
# ever be significant.

# %%
tempting = 1 - 0.95 ** np.array(LOOKS)
for looks in (5, 20, 100):
    at = LOOKS.index(looks)
    print(f"{looks:3} looks: published {PUBLISHED[at]:.4f}, 1 - .95^K {tempting[at]:.4f}")


# %%
def peeking_rates(n_runs, n_looks, users_per_look, rate, rng):
    """Shares of A/A tests that are called significant: at any look, and at the last.

    n_runs          int >= 1, A/A tests to simulate
    n_looks         int >= 1, looks in each; every run goes on to its last look
    users_per_look  int >= 1, users who join *each* arm before each look
    rate            float in [0, 1], the conversion rate of both arms
    rng             np.random.Generator, the only source of chance: the same state of it
                    gives the same answer, another state another one
    returns         (any_look, final_look), two floats in [0, 1], shares of the n_runs
                    with p < .05 (`z_test`) at one look or more, and at the last look

    A look tests all users since the run began. No variance is not significant.
    `rng.binomial(n, rate, size)` draws the conversions of n users at once.
    """
    # TODO(you): stage 5, about 7 lines.
    raise NotImplementedError("stage 5: peeking_rates")


# %%
# Done? Uncomment, run, read what it says.
# check_stage5(peeking_rates)

# %%
# Predict first: 100 looks in place of 10. Is the share of false alarms ten times as high, twice,
# or the same?
rng = np.random.default_rng(6)
rates = np.array([peeking_rates(1000, looks, 200, 0.3, rng) for looks in LOOKS])     # (9, 2)
bars = 2 * np.sqrt(np.array(PUBLISHED) * (1 - np.array(PUBLISHED)) / 1000)
for looks, (any_look, final_look), published, bar in zip(LOOKS, rates, PUBLISHED, bars):
    print(f"{looks:3} looks: any {any_look:.3f}, published {published:.3f} ± {bar:.3f}, "
          f"last {final_look:.3f}")
plt.plot(LOOKS, tempting, color="C3", ls="--", label="1 - .95^K, as if looks were independent")
plt.fill_between(LOOKS, PUBLISHED - bars, PUBLISHED + bars, color="C0", alpha=0.25,
                 label="± 2 standard errors of 1,000 runs")
plt.plot(LOOKS, PUBLISHED, color="C0", label="published, 1969")
plt.plot(LOOKS, rates[:, 0], "o", color="black", label="yours: significant at any look")
plt.plot(LOOKS, rates[:, 1], "s", color="C2", label="yours: significant at the last look")
plt.axhline(0.05, color="grey", ls=":")
plt.xscale("log")
plt.xticks(LOOKS, LOOKS)
plt.minorticks_off()
plt.xlabel("looks K")
plt.ylabel("false positives (share of A/A tests)")
plt.legend()
plt.show()

# %% [markdown]
# ## Stage 6 · CUPED: subtract what you knew before
#
# Minutes watched differ between users far more than any change of a page moves them, and most
# of the difference was there last week. *Controlled experiments using pre-experiment data*
# (Deng and others, 2013) subtracts the part of y that a covariate x from *before* the experiment
# explains:
#
# $$y' = y - \theta\,(x - \bar x),\qquad \theta = \frac{\mathrm{cov}(y, x)}{\mathrm{var}(x)},\qquad
# \frac{\mathrm{var}(y')}{\mathrm{var}(y)} = 1-\rho^2$$
#
# One $\theta$ and one $\bar x$, over both arms. The effect is the difference of the arms' means
# of y', its standard error is $\sqrt{s_T^2/n_T + s_C^2/n_C}$ with each arm's own variance of
# *y'* (ddof=1). With ρ = .7 the variance is halved: the same certainty from half the users.
#
# ### By hand
# Control: x = 1, 3 and y = 2, 6. Treatment: x = 2, 4 and y = 5, 9 (minutes). Raw effect 7 - 4 = 3,
# with standard error √(8/2 + 8/2) = 2.83. Over all four x̄ = 2.5, ȳ = 5.5, and θ = 11/5 = **2.2**.
# Adjusted: 5.3, 4.9 against 6.1, 5.7: effect **.8**, standard error √(.08/2 + .08/2) = **.283**,
# a tenth. Most of the raw effect was there before: the treated users had the larger x.
#
# ### Four ways to get it wrong
# - **Another θ in each arm, not centred** on the common mean: the arms are moved by different
#   amounts, $\theta_T\bar x$ and $\theta_C\bar x$. A 95 % interval then covers the truth in 36 % of
#   experiments (ρ = .7, 400 users, x about 20 ± 5).
# - **Centring within each arm**: the effect is the raw one again, but its standard error is the
#   small one: 84 % in place of 95 %.
# - **The standard error of raw y**: 99.5 %. Nothing false is claimed, and nothing is gained.
# - **A covariate measured after treatment**: it contains the effect, and subtracts it. No code
#   can see this one; the picture below does.
#
# A θ taken from one arm alone is *not* among them: any constant will do for an
# unbiased effect, and the slope of one arm is as good a guess as that of both.

# %%
minutes_before, minutes = np.array([1, 2, 3, 4]), np.array([2, 5, 6, 9])
before, after = minutes_before - 2.5, minutes - 5.5
print(f"theta {before @ after} / {before @ before} = {before @ after / (before @ before):.1f}")
print(f"variance left if rho is .7: {1 - 0.7**2:.2f}")


# %%
def cuped(y, x, treatment):
    """The effect of treatment on y, with what x explains taken out.

    y          (N,) float, the outcome, at least two users in each arm
    x          (N,) float, a covariate from before the experiment
    treatment  (N,) 0/1 or bool, 1 or True for a treated user; in any order
    returns    (effect, standard_error, theta), three floats

    theta           cov(y, x) / var(x) over both arms (the slope within one arm alone is
                    accepted too); 0 where x is constant, and mind that rounding leaves
                    np.full(11, 0.3) a variance of 3e-33, not 0
    effect          mean of y - theta * (x - mean of all x), treated minus control
    standard_error  of that difference; each arm with its own variance, ddof=1

    Nothing is changed in place.

    >>> cuped(np.array([2.0, 5, 6, 9]), np.array([1.0, 2, 3, 4]), np.array([0, 1, 0, 1]))
    (0.8, 0.2828, 2.2)       # to four digits
    """
    # TODO(you): stage 6, about 8 lines.
    raise NotImplementedError("stage 6: cuped")


# %%
# Done? Uncomment, run, read what it says.
# check_stage6(cuped)

# %%
# Predict first: the treatment adds one minute. What does CUPED report if x was measured after it?
rng = np.random.default_rng(6)
rhos, left_over = np.linspace(0, 0.95, 12), []
for rho in rhos:
    runs = [experiment(rng, rho) for _ in range(20)]
    raw = [y[t].var(ddof=1) / t.sum() + y[~t].var(ddof=1) / (~t).sum() for y, _, _, t in runs]
    left_over.append([cuped(y, x, t)[1] ** 2 / r for (y, x, _, t), r in zip(runs, raw)])
runs = [experiment(rng, 0.7) for _ in range(1000)]
told = {
    "x from before": np.array([cuped(y, x, t)[:2] for y, x, _, t in runs]),         # (1000, 2)
    "x from after": np.array([cuped(y, late, t)[:2] for y, _, late, t in runs]),
}

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2))
left.plot(rhos, 1 - rhos**2, color="grey", ls=":", label="1 - ρ²")
left.plot(rhos, left_over, ".", color="C0", alpha=0.3)
left.plot(rhos, np.mean(left_over, axis=1), "o", color="C0", label="yours, mean of 20 experiments")
left.set(xlabel="correlation ρ of y with x", ylabel="variance with CUPED / variance without")
left.legend()
for name, found in told.items():
    covered = np.mean(np.abs(found[:, 0] - 1.0) < Z_95 * found[:, 1])
    print(f"{name}: mean effect {found[:, 0].mean():.2f}, 95 % interval covers {covered:.1%}")
    right.hist(found[:, 0], 30, alpha=0.6, label=f"{name}: covers {covered:.0%}")
right.axvline(1.0, color="black", ls="--", label="true effect")
right.set(xlabel="effect reported (minutes)", ylabel="experiments, of 1,000", ylim=(0, 130))
right.legend(loc="upper left")
plt.show()

# %% [markdown]
# ## Stage 7 · Peeking done right: the Pocock boundary (stretch)
#
# Nobody will stop looking at a dashboard, so move the line. Pocock (1977) asks for one
# boundary $c$, the same at each of K planned looks, such that *any* look crosses it with
# probability α:
#
# $$\Pr\bigl(\max_{k \le K} |Z_k| > c\bigr) = \alpha,\qquad Z_k = \frac{S_k}{\sqrt k},\quad
# S_k = \xi_1 + \dots + \xi_k,\quad \xi_i \sim N(0, 1)$$
#
# The looks share their data, as in stage 5: $Z_k$ is a random walk, scaled so that each look is
# N(0, 1). So $c$ is the 1 - α quantile of the largest $|Z_k|$ of a run.
#
# ### By hand
# | looks | 1 | 2 | 3 | 5 | 10 | 20 |
# |---|---|---|---|---|---|---|
# | boundary, α = .05 | 1.960 | 2.178 | 2.289 | 2.413 | 2.555 | 2.672 |
#
# Bonferroni, α/K at each look, gives 2.576 at five: safe, and wider than it needs to be, since it
# does not know that looks overlap. Twenty looks cost little: 2.672 in place of 1.960 at
# the end. In simulation the quantile of 40,000 runs is within .01 or so of the table, and that of
# 1,000 runs within .06.

# %%
print("one look: ", round(NormalDist().inv_cdf(1 - 0.05 / 2), 3))
print("five, Bonferroni:", round(NormalDist().inv_cdf(1 - 0.05 / 5 / 2), 3), " Pocock: 2.413")


# %%
def pocock_boundary(n_looks, alpha=0.05, rng=None):
    """The |z| that any of `n_looks` equally spaced looks exceeds with probability alpha.

    n_looks  int >= 1
    alpha    float, the false-positive rate of all looks together, two-sided
    rng      np.random.Generator for a simulation: the same state of it gives the same
             answer; None: one of your own. Numerical integration needs none.
    returns  float, within .05 of the exact value (simulate at least 40,000 runs)
    """
    # TODO(you): stage 7, about 4 lines.
    raise NotImplementedError("stage 7: pocock_boundary")


# %%
# Done? Uncomment, run, read what it says.
# check_stage7(pocock_boundary)

# %%
# Predict first: B truly converts better. Which plan needs fewer users on average: one test at the
# end, or up to 20 looks with Pocock's boundary?
rng = np.random.default_rng(6)
n_looks, users = 20, 250
boundary = pocock_boundary(n_looks, 0.05, rng)
n = users * np.arange(1, n_looks + 1)
crossed = {}
for name, lift in (("A/A", 0.0), ("B 2.5 points better", 0.025)):
    fresh = [rng.binomial(users, rate, (2000, n_looks)) for rate in (0.20, 0.20 + lift)]
    a, b = np.cumsum(fresh, axis=2) / n                         # (2000, 20) each, rates so far
    size = np.abs(b - a) / np.sqrt((a + b) / 2 * (1 - (a + b) / 2) * 2 / n)
    for rule, line in (("peeking at 1.96", Z_95), (f"Pocock, {boundary:.2f}", boundary)):
        crossed[name, rule] = np.logical_or.accumulate(size > line, axis=1)     # by look k
    crossed[name, "one test at the end"] = (size > Z_95) & (n == n[-1])

figure, panels = plt.subplots(1, 2, figsize=(11, 4.2))
for (name, rule), stopped in crossed.items():
    used = n[0] * (n_looks - stopped[:, :-1].sum(axis=1)).mean()    # until it stops, or ends
    share = stopped[:, -1].mean()
    panel = panels[int(name != "A/A")]
    panel.step(n, stopped.mean(axis=0), where="post", marker=".", label=f"{rule}: {share:.1%}")
    print(f"{name:20} {rule:20} significant {share:.3f}, mean users an arm {used:.0f}")
panels[0].axhline(0.05, color="grey", ls=":")
panels[0].set(title="A/A: every stop is false", xlabel="users in each arm so far",
              ylabel="share of experiments stopped")
panels[1].set(title="B 2.5 points better: every stop is right", xlabel="users in each arm so far")
panels[0].legend(loc="upper left")
panels[0].set_ylim(-0.01, 0.36)
panels[1].legend(loc="upper left")
panels[1].set_ylim(-0.03, 1.4)
plt.show()

# %% [markdown]
# Both honest plans keep their 5 %. The single test finds the better page in 87 % of experiments
# and always needs 5,000 users an arm; Pocock finds it in 74 %, after 3,200 on average. Looking
# has a price, paid in power, and a return, paid in time. Peeking at 1.96 seems to win both, and
# pays with one false discovery in four.

# %% [markdown]
# # What this toy leaves out
# - Calibration: more than two classes, drift (a calibrator fitted in May is stale in June), and the
#   bias of binned ECE, for which there are corrected estimators and scores without bins (Brier).
# - Experiments: power and sample size before the start, many metrics at once, users who
#   influence one another, sample-ratio mismatch, ratio metrics whose unit is not the user
#   (delta method), and always-valid p-values, which allow looks that nobody planned.
#
# # Interview questions that you can answer now
# - A model has AUC .9 and its probabilities are useless. How is that possible, and what do you do?
# - What ECE does a perfect model have on 200 predictions, and why is it not 0?
# - Platt or isotonic: which with 300 labels, which with 300,000? On what data do you compare them?
# - The p-value was .04 on Tuesday and .06 on Friday. What is the false-positive rate of whoever
#   stops on Tuesday, and what would you have planned instead?
# - CUPED halves the variance. What correlation does that take, and which covariates are forbidden?

# %% [markdown]
# # Solutions
# No peeking: write yours first, then compare, then write it again tomorrow.


# %%
def solution_reliability(p, y, n_bins):
    which = np.minimum((p * n_bins).astype(int), n_bins - 1)
    count = np.bincount(which, minlength=n_bins)
    kept = count > 0
    confidence = np.bincount(which, weights=p, minlength=n_bins)[kept] / count[kept]
    frequency = np.bincount(which, weights=y, minlength=n_bins)[kept] / count[kept]
    return confidence, frequency, count[kept]


# %%
def solution_expected_calibration_error(p, y, n_bins):
    confidence, frequency, count = solution_reliability(p, y, n_bins)
    return float(np.average(np.abs(np.subtract(frequency, confidence)), weights=count))


# %%
def solution_fit_platt(logits, y, lr, steps):
    a, b = 1.0, 0.0
    for _ in range(steps):
        p = 0.5 + 0.5 * np.tanh((a * logits + b) / 2)           # the sigmoid, without overflow
        error = p - y
        a -= lr * np.mean(error * logits)
        b -= lr * np.mean(error)
    return float(a), float(b)


# %%
def solution_isotonic(x, y):
    _, which, weights = np.unique(x, return_inverse=True, return_counts=True)
    means = np.bincount(which, weights=y) / weights             # one value for each distinct x
    blocks = []                                                 # (mean, weight, distinct x in it)
    for mean, weight in zip(means, weights):
        size = 1
        while blocks and blocks[-1][0] > mean:
            left, left_weight, left_size = blocks.pop()
            mean = (left * left_weight + mean * weight) / (left_weight + weight)
            weight, size = weight + left_weight, size + left_size
        blocks.append((mean, weight, size))
    return np.repeat([block[0] for block in blocks], [block[2] for block in blocks])[which]


# %%
def solution_z_test(conversions_a, n_a, conversions_b, n_b):
    pooled = (conversions_a + conversions_b) / (n_a + n_b)
    variance = pooled * (1 - pooled) * (1 / n_a + 1 / n_b)
    if variance == 0:
        return 1.0
    z = (conversions_b / n_b - conversions_a / n_a) / math.sqrt(variance)
    return math.erfc(abs(z) / math.sqrt(2))


# %%
def solution_peeking_rates(n_runs, n_looks, users_per_look, rate, rng):
    fresh = rng.binomial(users_per_look, rate, size=(2, n_runs, n_looks))
    a, b = np.cumsum(fresh, axis=2)                             # (n_runs, n_looks) each
    n = users_per_look * np.arange(1, n_looks + 1)              # users so far, in each arm
    pooled = (a + b) / (2 * n)
    standard_error = np.sqrt(pooled * (1 - pooled) * 2 / n)
    significant = np.abs(b - a) / n > Z_95 * standard_error     # |z| > 1.96, without dividing by 0
    return float(significant.any(axis=1).mean()), float(significant[:, -1].mean())


# %%
def solution_cuped(y, x, treatment):
    treated = np.asarray(treatment) == 1
    constant = np.ptp(x) <= 1e-12 * np.max(np.abs(x))
    theta = 0.0 if constant else np.cov(y, x)[0, 1] / np.var(x, ddof=1)
    adjusted = y - theta * (x - np.mean(x))
    arms = adjusted[treated], adjusted[~treated]
    effect = np.mean(arms[0]) - np.mean(arms[1])
    variance = sum(np.var(arm, ddof=1) / len(arm) for arm in arms)
    return float(effect), float(np.sqrt(variance)), float(theta)


# %%
def solution_pocock_boundary(n_looks, alpha=0.05, rng=None):
    rng = np.random.default_rng() if rng is None else rng
    walk = np.cumsum(rng.standard_normal((40_000, n_looks)), axis=1)
    z = walk / np.sqrt(np.arange(1, n_looks + 1))               # each look is N(0, 1)
    return float(np.quantile(np.abs(z).max(axis=1), 1 - alpha))
