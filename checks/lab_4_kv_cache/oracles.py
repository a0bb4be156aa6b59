"""Models, a slow decoder and a counter of rows, for the checks of lab 4."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

SHAPES = {  # vocab, d, n_heads, n_layers, context, n_kv_heads
    "shared": (11, 12, 6, 2, 9, 3),
    "single": (13, 8, 4, 3, 10, 1),
    "equal": (7, 10, 5, 2, 8, 5),
}


def model(kind: str = "shared", seed: int = 4) -> dict[str, Any]:
    """A small untied decoder; every gain and bias is drawn too, so that none can be left out."""
    vocab, d, n_heads, n_layers, context, n_kv_heads = SHAPES[kind]
    rng = np.random.default_rng(seed)
    narrow = n_kv_heads * (d // n_heads)

    def draw(*shape: int) -> np.ndarray:
        return rng.normal(0, shape[0] ** -0.5, shape)

    def gain() -> np.ndarray:
        return rng.uniform(0.5, 1.5, d)

    def bias() -> np.ndarray:
        return rng.normal(0, 0.3, d)

    layers = []
    for _ in range(n_layers):
        layers.append(
            {
                "ln1_gain": gain(), "ln1_bias": bias(), "w_q": 2 * draw(d, d),
                "w_k": 2 * draw(d, narrow), "w_v": draw(d, narrow), "w_out": draw(d, d),
                "ln2_gain": gain(), "ln2_bias": bias(), "w_up": draw(d, 4 * d),
                "w_down": draw(4 * d, d),
            }
        )  # fmt: skip
    return {
        "n_heads": n_heads, "n_kv_heads": n_kv_heads, "context": context, "layers": layers,
        "token_embedding": rng.normal(0, 1, (vocab, d)),
        "position_embedding": rng.normal(0, 1, (context, d)),
        "ln_gain": gain(), "ln_bias": bias(), "unembedding": draw(d, vocab),
    }  # fmt: skip


def _norm(row: np.ndarray, gain: np.ndarray, bias: np.ndarray) -> np.ndarray:
    mean = sum(row) / len(row)
    variance = sum((value - mean) ** 2 for value in row) / len(row)
    return np.array([(v - mean) / math.sqrt(variance + 1e-5) for v in row]) * gain + bias


def _gelu(row: np.ndarray) -> np.ndarray:
    return np.array([v * 0.5 * (1 + math.erf(v / math.sqrt(2))) for v in row])


def slow_forward(net: dict[str, Any], ids: Any) -> np.ndarray:
    """The oracle: one position, one head at a time, and sums over the keys that it may see."""
    n_heads, share = net["n_heads"], net["n_heads"] // net["n_kv_heads"]
    x = [net["token_embedding"][i] + net["position_embedding"][t] for t, i in enumerate(ids)]
    d = len(x[0]) // n_heads
    for layer in net["layers"]:
        normed = [_norm(row, layer["ln1_gain"], layer["ln1_bias"]) for row in x]
        q, k, v = ([row @ layer[name] for row in normed] for name in ("w_q", "w_k", "w_v"))
        for t in range(len(x)):
            heads = []
            for h in range(n_heads):
                mine, theirs = slice(h * d, h * d + d), slice(h // share * d, h // share * d + d)
                scores = [q[t][mine] @ k[s][theirs] / math.sqrt(d) for s in range(t + 1)]
                top = max(scores)
                weights = [math.exp(score - top) for score in scores]
                heads.append(sum(w * v[s][theirs] for s, w in enumerate(weights)) / sum(weights))
            x[t] = x[t] + np.concatenate(heads) @ layer["w_out"]
        for t in range(len(x)):
            up = _gelu(_norm(x[t], layer["ln2_gain"], layer["ln2_bias"]) @ layer["w_up"])
            x[t] = x[t] + up @ layer["w_down"]
    return np.array([_norm(row, net["ln_gain"], net["ln_bias"]) @ net["unembedding"] for row in x])


def slow_generate(net: dict[str, Any], prompt: Any, n: int) -> tuple[list[int], np.ndarray]:
    """Greedy generation with the slow decoder; the first of equal logits wins."""
    ids, rows = [int(token) for token in prompt], []
    for _ in range(n):
        rows.append(slow_forward(net, ids)[-1])
        best = max(rows[-1])
        ids.append(next(i for i, logit in enumerate(rows[-1]) if logit == best))
    return ids, np.array(rows).reshape(n, net["unembedding"].shape[1])


class Gathered(np.ndarray):
    """A table of embeddings that counts the rows that are read from it."""

    rows: list[int]

    def __getitem__(self, index: Any) -> Any:
        got = np.asarray(self)[index]
        self.rows[0] += np.size(got) // self.shape[1]
        return got


class Counted(np.ndarray):
    """A weight matrix that counts the rows that are multiplied with it.

    It sees `x @ w`, `np.matmul`, `np.dot`, `np.einsum`, `np.tensordot`, `w.T @ x.T`, slices
    for single heads and q, k, v side by side. What it cannot see it does not count, so a
    count may be too low and is never too high.
    """

    rows: list[float]
    full: tuple[int, int]

    def __array_finalize__(self, parent: Any) -> None:
        self.rows = getattr(parent, "rows", [0.0])
        self.full = getattr(parent, "full", (1, 1))

    def _count(self, result: Any) -> Any:
        if isinstance(result, np.ndarray) and result.ndim:
            inner, width = self.full
            mine = self.size / inner  # columns here: fewer in a head's slice, more when fused
            self.rows[0] += result.size / mine * min(1.0, mine / width)
        return np.asarray(result) if isinstance(result, np.ndarray) else result

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **named: Any) -> Any:
        plain = [np.asarray(each) for each in inputs]
        if named.get("out"):
            named["out"] = tuple(np.asarray(each) for each in named["out"])
        result = getattr(ufunc, method)(*plain, **named)
        return self._count(result) if ufunc is np.matmul else result

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function in (np.transpose, np.swapaxes, np.reshape):
            return super().__array_function__(function, types, args, kwargs)
        result = function(*_plain(args), **dict(zip(kwargs, _plain(tuple(kwargs.values())))))
        if function in (np.concatenate, np.hstack):  # q, k and v side by side
            fused = result.view(Counted)
            fused.rows, fused.full = self.rows, self.full
            return fused
        products = (np.dot, np.einsum, np.tensordot, np.inner)
        return self._count(result) if function in products else result

    def dot(self, other: Any, out: Any = None) -> Any:
        """`w.dot(x)`, which does not pass by the protocols."""
        return self._count(np.dot(np.asarray(self), np.asarray(other), out))


def _plain(values: Any) -> Any:
    """The same arguments with every counted array as a plain one."""
    if isinstance(values, np.ndarray):
        return np.asarray(values)
    if isinstance(values, (list, tuple)):
        return type(values)(_plain(value) for value in values)
    return values


def counted(net: dict[str, Any]) -> tuple[dict[str, Any], list[list[float]], list[int]]:
    """The same model, counted: (model, rows through w_k a layer, rows of positions read)."""
    layers, counts = [], []
    positions = np.array(net["position_embedding"]).view(Gathered)
    positions.rows = [0]
    for layer in net["layers"]:
        spy = np.array(layer["w_k"]).view(Counted)
        spy.rows, spy.full = [0.0], spy.shape
        counts.append(spy.rows)
        layers.append({**layer, "w_k": spy})
    return {**net, "layers": layers, "position_embedding": positions}, counts, positions.rows
