"""Slow oracles and fixtures of lab 1, in plain Python where a loop says it best."""

from __future__ import annotations

import math

import numpy as np


def wave(*shape, scale=1.0):
    """Numbers without a pattern that a transpose or a shift would keep; no generator needed."""
    at = np.arange(1, math.prod(shape) + 1)
    return (scale * np.sin(0.37 * at * at + at)).reshape(shape)


def slow_loss(logits):
    """Mean of -ln softmax at the diagonal, one user at a time."""
    total = 0.0
    for i, row in enumerate(logits):
        total += math.log(sum(math.exp(s) for s in row)) - row[i]
    return total / len(logits)


def slow_logits(u, v, temperature):
    """Every user against every item."""
    return [[sum(a * b for a, b in zip(p, q)) / temperature for q in v] for p in u]


def slow_gradients(u, v, temperature):
    """dL/du and dL/dv by the textbook: (softmax - identity) / (B tau), times the other side."""
    logits = slow_logits(u, v, temperature)
    pull = []
    for i, row in enumerate(logits):
        weights = [math.exp(s) for s in row]
        scale = len(u) * temperature
        pull.append([(w / sum(weights) - (i == j)) / scale for j, w in enumerate(weights)])
    by_user = np.array(pull)  # (B, B)
    return by_user @ np.array(v), by_user.T @ np.array(u)


def slow_recall(scores, relevant, k):
    """Item by item: how many others stand before it?"""
    shares = []
    for row, own in zip(scores, relevant):
        if own:
            before = {
                i: sum(s > row[i] or (s == row[i] and j < i) for j, s in enumerate(row))
                for i in own
            }
            shares.append(sum(place < k for place in before.values()) / len(own))
    return sum(shares) / len(shares) if shares else 0.0


def slow_mask(logits, item_ids):
    """Row-wise softmax over the columns that may be seen."""
    rows = []
    for i, row in enumerate(logits):
        seen = [j == i or item_ids[j] != item_ids[i] for j in range(len(row))]
        weights = [math.exp(s) if ok else 0.0 for s, ok in zip(row, seen)]
        rows.append([w / sum(weights) for w in weights])
    return np.array(rows)


def groups(codes):
    """Which rows share a code: for each row the first row with its code."""
    first: dict = {}
    return [first.setdefault(code, at) for at, code in enumerate(codes)]


def unit(x):
    """Rows of length 1."""
    x = np.asarray(x, dtype=float)
    return x / np.sqrt((x * x).sum(axis=-1, keepdims=True))
