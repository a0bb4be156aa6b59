"""Slow, independent answers for the checks of lab 6, and how a sampled share is compared."""

from __future__ import annotations

import math

import numpy as np


class Measured(float):
    """A sampled number: shown as it came, compared to the nearest .04.

    Two people who make one mistake draw in another order, and get .64 and .63: to the
    nearest .04 they agree, so that the diagnosis still finds the mistake. The steps
    .02, .06, .10 lie away from the shares 1/32, 1/16, 1/8 of the checks.
    """

    exact: float

    def __new__(cls, value: float) -> Measured:
        self = super().__new__(cls, round(float(value) * 25) / 25)
        self.exact = float(value)
        return self

    def __format__(self, spec: str) -> str:
        return format(self.exact, spec)


def slow_bins(p, y, n_bins):
    """One bin after the other, one prediction after the other."""
    confidence, frequency, count = [], [], []
    for k in range(n_bins):
        inside = [
            i
            for i, value in enumerate(p)
            if k / n_bins <= value < (k + 1) / n_bins or (k == n_bins - 1 and value == 1)
        ]
        if inside:
            confidence.append(math.fsum(p[i] for i in inside) / len(inside))
            frequency.append(sum(int(y[i]) for i in inside) / len(inside))
            count.append(len(inside))
    return confidence, frequency, count


def slow_ece(p, y, n_bins):
    """The sum of count times gap, over the number of predictions."""
    bins = zip(*slow_bins(p, y, n_bins))
    return math.fsum(n * abs(f - c) for c, f, n in bins) / len(p)


def newton_platt(z, y):
    """The same optimum by Newton's method: second derivatives in place of a step size."""
    a, b = 0.0, 0.0
    for _ in range(30):
        p = [1 / (1 + math.exp(-(a * t + b))) for t in z]
        da = sum((q - hit) * t for q, hit, t in zip(p, y, z))
        db = sum(q - hit for q, hit in zip(p, y))
        aa = sum(q * (1 - q) * t * t for q, t in zip(p, z))
        ab = sum(q * (1 - q) * t for q, t in zip(p, z))
        bb = sum(q * (1 - q) for q in p)
        det = aa * bb - ab * ab
        a, b = a - (bb * da - ab * db) / det, b - (aa * db - ab * da) / det
    return a, b


def minmax_isotonic(x, y):
    """The min-max theorem: at v, the max over l <= v of the min over r >= v of mean y in [l, r]."""
    values = sorted(set(x))
    sums = [math.fsum(b for a, b in zip(x, y) if a == v) for v in values]
    counts = [sum(1 for a in x if a == v) for v in values]

    def mean(left: int, right: int) -> float:
        return math.fsum(sums[left : right + 1]) / sum(counts[left : right + 1])

    at = range(len(values))
    table = [[mean(left, right) if left <= right else 0.0 for right in at] for left in at]
    fit = {v: max(min(table[left][i:]) for left in range(i + 1)) for i, v in enumerate(values)}
    return [fit[v] for v in x]


def slope(y, x):
    """cov(y, x) / var(x), in two loops."""
    mean_x, mean_y = math.fsum(x) / len(x), math.fsum(y) / len(y)
    shared = math.fsum((b - mean_y) * (a - mean_x) for a, b in zip(x, y))
    return shared / math.fsum((a - mean_x) ** 2 for a in x)


def thetas(y, x, treatment):
    """The slope over both arms first, then within control and within treatment."""
    arms = [[i for i, t in enumerate(treatment) if bool(t) == arm] for arm in (False, True)]
    return [slope(y, x), *(slope([y[i] for i in arm], [x[i] for i in arm]) for arm in arms)]


def slow_cuped(y, x, treatment, theta):
    """(effect, standard error) for a given theta, user by user."""
    mean_x = math.fsum(x) / len(x)
    means, variances = [], []
    for arm in (False, True):
        kept = [b - theta * (a - mean_x) for a, b, t in zip(x, y, treatment) if bool(t) == arm]
        mean = math.fsum(kept) / len(kept)
        means.append(mean)
        variances.append(math.fsum((v - mean) ** 2 for v in kept) / (len(kept) - 1) / len(kept))
    return means[1] - means[0], math.sqrt(sum(variances))


def generator(seed: int) -> np.random.Generator:
    """A fresh generator for each call of a learner's function."""
    return np.random.default_rng(seed)
