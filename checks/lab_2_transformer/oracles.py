"""What the NumPy stages of lab 2 are compared with: slow loops, and numbers to feed them."""

from __future__ import annotations

import math

import numpy as np


def wave(*shape, start=1, scale=1.0):
    """Numbers without a pattern, symmetry or ties; no random generator has to be loaded."""
    at = np.arange(start, start + math.prod(shape), dtype=float)
    return scale * np.cos(at * at * 0.37).reshape(shape)


def slow_softmax(row):
    """Of one list of logits: subtract the largest, exponentiate, divide."""
    top = max(row)
    grown = [math.exp(z - top) for z in row]
    return [g / sum(grown) for g in grown]


def slow_attention(q, k, v, mask=None):
    """One query at a time; the softmax sees the visible keys only."""
    lead, n_q, n_k = q.shape[:-2], q.shape[-2], k.shape[-2]
    seen = np.broadcast_to(True if mask is None else mask, (*lead, n_q, n_k))
    weights, out = np.zeros((*lead, n_q, n_k)), np.zeros((*lead, n_q, v.shape[-1]))
    for at in np.ndindex(*lead, n_q):
        visible = [j for j in range(n_k) if seen[at][j]]
        if not visible:
            continue
        logits = [
            sum(a * b for a, b in zip(q[at], k[at[:-1]][j])) / math.sqrt(q.shape[-1])
            for j in visible
        ]
        for j, weight in zip(visible, slow_softmax(logits)):
            weights[at][j] = weight
            out[at] += weight * v[at[:-1]][j]
    return out, weights


def slow_mask(n_queries, n_keys):
    """The sentence of the contract, one pair at a time."""
    rows = [[j <= i + n_keys - n_queries for j in range(n_keys)] for i in range(n_queries)]
    return np.array(rows)


def slow_split(x, n_heads):
    """Every number to its head, one at a time."""
    B, T, D = x.shape
    width = D // n_heads
    heads = np.empty((B, n_heads, T, width), x.dtype)
    for b, t, column in np.ndindex(B, T, D):
        heads[b, column // width, t, column % width] = x[b, t, column]
    return heads


def slow_layer_norm(x, gain, bias, eps=1e-5):
    """One token at a time, one number at a time."""
    out = np.empty(x.shape)
    for at in np.ndindex(x.shape[:-1]):
        row = [float(n) for n in x[at]]
        mean = sum(row) / len(row)
        variance = sum((n - mean) ** 2 for n in row) / len(row)
        for i, n in enumerate(row):
            out[at][i] = (n - mean) / math.sqrt(variance + eps) * gain[i] + bias[i]
    return out


def slow_gelu(x):
    """x times the normal distribution function, by the complementary error function."""
    out = np.empty(x.shape)
    for at in np.ndindex(x.shape):
        out[at] = x[at] * math.erfc(-x[at] / math.sqrt(2)) / 2
    return out


def block_params(d):
    """Parameters of one block, all of them far from 0 and 1, so that none can be forgotten."""
    shapes = {
        "ln1_gain": (d,), "ln1_bias": (d,), "w_qkv": (d, 3 * d), "b_qkv": (3 * d,),
        "w_out": (d, d), "b_out": (d,), "ln2_gain": (d,), "ln2_bias": (d,),
        "w_up": (d, 4 * d), "b_up": (4 * d,), "w_down": (4 * d, d), "b_down": (d,),
    }  # fmt: skip
    return {
        name: wave(*shape, start=17 * i + 3, scale=0.6)
        for i, (name, shape) in enumerate(shapes.items())
    }


def slow_block(x, params, n_heads, eps=1e-5):
    """A pre-LN block, one token and one head at a time; each query meets the past only."""
    p, out = params, np.array(x)
    width = x.shape[-1] // n_heads
    for b in range(x.shape[0]):
        read = slow_layer_norm(x[b], p["ln1_gain"], p["ln1_bias"], eps)
        rows = [row @ p["w_qkv"] + p["b_qkv"] for row in read]
        for t in range(x.shape[1]):
            joined: list[float] = []
            for h in range(n_heads):
                q, k, v = (
                    slice(part * x.shape[-1] + h * width, part * x.shape[-1] + (h + 1) * width)
                    for part in range(3)
                )
                seen = range(t + 1)
                logits = [float(rows[t][q] @ rows[j][k]) / math.sqrt(width) for j in seen]
                joined += list(sum(w * rows[j][v] for j, w in zip(seen, slow_softmax(logits))))
            out[b, t] += np.array(joined) @ p["w_out"] + p["b_out"]
        read = slow_layer_norm(out[b], p["ln2_gain"], p["ln2_bias"], eps)
        for t in range(x.shape[1]):
            out[b, t] += slow_gelu(read[t] @ p["w_up"] + p["b_up"]) @ p["w_down"] + p["b_down"]
    return out


def moved(before, after, axis, tol=1e-9):
    """Where along `axis` the two differ; NaN differs from everything."""
    apart = ~(np.abs(np.asarray(after) - np.asarray(before)) <= tol)
    axis %= apart.ndim
    others = tuple(a for a in range(apart.ndim) if a != axis)
    return [int(i) for i in np.flatnonzero(apart.any(axis=others))]
