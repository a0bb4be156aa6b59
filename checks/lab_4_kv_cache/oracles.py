"""What the checks of lab 4 compare with: a model of their own, and a slow decoder.

The decoder visits one token, one head and one earlier token after the other: no mask, no
batch of rows, nothing reshaped. It imports nothing of the lab.
"""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np

Past = list[tuple[np.ndarray, np.ndarray]]  # (K, V) of each layer, each (G, t, d_head)


def tiny_model(
    seed: int,
    n_heads: int = 6,
    n_kv_heads: int = 3,
    d_head: int = 4,
    n_layers: int = 2,
    vocab: int = 17,
    context: int = 13,
) -> dict[str, Any]:
    """A model in which no array is zero, one or symmetric, so that each of them counts."""
    rng, d = np.random.default_rng(seed), n_heads * d_head

    def normal(*shape: int, scale: float = 1.0, centre: float = 0.0) -> np.ndarray:
        return rng.normal(centre, scale, shape)

    def layer() -> dict[str, np.ndarray]:
        d_kv, wide = n_kv_heads * d_head, 4 * d
        return {
            "ln1_gain": normal(d, scale=0.2, centre=1.0),
            "ln1_bias": normal(d, scale=0.2),
            "w_q": normal(d, d, scale=1.5 * d**-0.5),
            "w_k": normal(d, d_kv, scale=1.5 * d**-0.5),
            "w_v": normal(d, d_kv, scale=d**-0.5),
            "w_out": normal(d, d, scale=d**-0.5),
            "ln2_gain": normal(d, scale=0.2, centre=1.0),
            "ln2_bias": normal(d, scale=0.2),
            "w_up": normal(d, wide, scale=d**-0.5),
            "w_down": normal(wide, d, scale=wide**-0.5),
        }

    return {
        "n_heads": n_heads,
        "n_kv_heads": n_kv_heads,
        "context": context,
        "token_embedding": normal(vocab, d),
        "position_embedding": normal(context, d),
        "layers": [layer() for _ in range(n_layers)],
        "ln_gain": normal(d, scale=0.2, centre=1.0),
        "ln_bias": normal(d, scale=0.2),
        "unembedding": normal(d, vocab, scale=d**-0.5),
    }


def random_past(seed: int, model: dict, length: int) -> Past:
    """Keys and values that no text has: only who reads the cache can know them."""
    rng, d_head = np.random.default_rng(seed), head_size(model)
    shape = (model["n_kv_heads"], length, d_head)
    return [(rng.normal(size=shape), rng.normal(size=shape)) for _ in model["layers"]]


def head_size(model: dict) -> int:
    """d_head."""
    return model["token_embedding"].shape[1] // model["n_heads"]


def _norm(row: np.ndarray, gain: np.ndarray, bias: np.ndarray) -> np.ndarray:
    mean = math.fsum(row.tolist()) / len(row)
    variance = math.fsum(((row - mean) ** 2).tolist()) / len(row)
    return (row - mean) / math.sqrt(variance + 1e-5) * gain + bias


def _gelu(row: np.ndarray) -> np.ndarray:
    return np.array([x * (1 + math.erf(x / math.sqrt(2))) / 2 for x in row.tolist()])


def attend(query: np.ndarray, keys: Any, values: Any) -> np.ndarray:
    """One query (d_head,) over the keys and values, t of (d_head,), that it may see."""
    scores = [float(query @ key) / math.sqrt(len(query)) for key in keys]
    top = max(scores)
    weights = [math.exp(score - top) for score in scores]
    mixed = np.zeros(len(query))
    for weight, value in zip(weights, values):
        mixed = mixed + weight / sum(weights) * value
    return mixed


class SlowDecoder:
    """Reads one token at a time; `past` is what stands before the first."""

    def __init__(self, model: dict, past: Past | None = None) -> None:
        past = past or random_past(0, model, 0)
        self.model, self.position = model, past[0][0].shape[1]
        self.held = [[(list(k), list(v)) for k, v in zip(*layer)] for layer in past]

    def read(self, token: int) -> np.ndarray:
        """(V,): the logits after this token."""
        model, d_head = self.model, head_size(self.model)
        group = model["n_heads"] // model["n_kv_heads"]
        x = model["token_embedding"][token] + model["position_embedding"][self.position]
        self.position += 1
        for layer, heads in zip(model["layers"], self.held):
            normed = _norm(x, layer["ln1_gain"], layer["ln1_bias"])
            q, k, v = (normed @ layer[name] for name in ("w_q", "w_k", "w_v"))
            for g, (keys, values) in enumerate(heads):
                keys.append(k[g * d_head : (g + 1) * d_head])
                values.append(v[g * d_head : (g + 1) * d_head])
            mixed = [
                attend(q[h * d_head : (h + 1) * d_head], *heads[h // group])
                for h in range(model["n_heads"])
            ]
            x = x + np.concatenate(mixed) @ layer["w_out"]
            normed = _norm(x, layer["ln2_gain"], layer["ln2_bias"])
            x = x + _gelu(normed @ layer["w_up"]) @ layer["w_down"]
        return _norm(x, model["ln_gain"], model["ln_bias"]) @ model["unembedding"]


def slow_logits(model: dict, ids: Any, past: Past | None = None) -> np.ndarray:
    """(T, V): the logits of `ids`, which follow the positions in `past`."""
    decoder = SlowDecoder(model, past)
    return np.array([decoder.read(int(token)) for token in ids])


def slow_greedy(model: dict, prompt: list[int], n: int) -> tuple[list[int], np.ndarray]:
    """(ids, logits (n, V)) of greedy decoding; ties to the lower id."""
    decoder, ids, logits = SlowDecoder(model), list(prompt), []
    for token in prompt:
        last = decoder.read(token)
    for _ in range(n):
        logits.append(last)
        best = max(last.tolist())
        ids.append(last.tolist().index(best))
        last = decoder.read(ids[-1]) if len(logits) < n else last
    return ids, np.array(logits)


def tied_model(lead: float = 0.0) -> dict[str, Any]:
    """The ids 4 and 9 have the same largest logit, exactly, whatever is read; or 9 leads.

    The last norm has gain 0 and bias (1, 0, 0, ...), so the logits are the first row of the
    unembedding, and every other summand is 0.
    """
    model = tiny_model(8)
    model["ln_gain"][:] = 0.0
    model["ln_bias"][:] = 0.0
    model["ln_bias"][0] = 1.0
    model["unembedding"][0] = -1.0
    model["unembedding"][0, [4, 9]] = 2.0, 2.0 + lead
    return model


def arrays(model: dict) -> dict[str, np.ndarray]:
    """Every array of a model, by a name that a learner knows."""
    found = {key: value for key, value in model.items() if isinstance(value, np.ndarray)}
    for at, layer in enumerate(model["layers"]):
        found |= {f"{key} of layer {at}": value for key, value in layer.items()}
    return found


def snapshot(model: dict) -> dict[str, np.ndarray]:
    """What `arrays` gives, copied."""
    return copy.deepcopy(arrays(model))
