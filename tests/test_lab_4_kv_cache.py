"""Lab 4 against PyTorch, and the figures that its text states."""

import numpy as np
import pytest
import torch

from checks.lab_4_kv_cache import oracles
from checks.runner.workbench import Workbench
from tests.workshop import LABS

LAB = next(lab for lab in LABS if lab.number == 4)
SPACE = Workbench(LAB).build(
    [f"solution_{name}" for name in ("forward", "generate_naive", "generate_cached", "kv_rows",
                                     "cache_bytes", "grouped_attention", "prefill", "KVCache")]
    + ["make_model"]
)  # fmt: skip


def torch_forward(net, ids):
    """The decoder from PyTorch's own attention, norm and GELU."""
    functional = torch.nn.functional
    t = {k: torch.tensor(v) for k, v in net.items() if isinstance(v, np.ndarray)}
    x = t["token_embedding"][list(ids)] + t["position_embedding"][: len(ids)]
    width = x.shape[1]
    for layer in net["layers"]:
        p = {k: torch.tensor(v) for k, v in layer.items()}
        h = functional.layer_norm(x, (width,), p["ln1_gain"], p["ln1_bias"], 1e-5)
        q, k, v = (
            (h @ p[w]).reshape(len(ids), heads, -1).swapaxes(0, 1)[None]
            for w, heads in (("w_q", net["n_heads"]), ("w_k", net["n_kv_heads"]),
                             ("w_v", net["n_kv_heads"]))
        )  # fmt: skip
        out = functional.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        x = x + out[0].swapaxes(0, 1).reshape(len(ids), width) @ p["w_out"]
        h = functional.layer_norm(x, (width,), p["ln2_gain"], p["ln2_bias"], 1e-5)
        x = x + functional.gelu(h @ p["w_up"]) @ p["w_down"]
    out = functional.layer_norm(x, (width,), t["ln_gain"], t["ln_bias"], 1e-5)
    return (out @ t["unembedding"]).numpy()


@pytest.mark.parametrize("kind", oracles.SHAPES)
def test_the_slow_decoder_and_the_solution_agree_with_pytorch(kind):
    net = oracles.model(kind)
    ids = np.random.default_rng(3).integers(0, len(net["token_embedding"]), net["context"])
    wanted = torch_forward(net, ids)
    assert np.abs(oracles.slow_forward(net, ids) - wanted).max() < 1e-11
    assert np.abs(SPACE["solution_forward"](net, ids) - wanted).max() < 1e-11


@pytest.mark.parametrize("n_kv_heads", [1, 2, 4])
def test_cached_and_naive_logits_agree_at_length(n_kv_heads):
    rng = np.random.default_rng(n_kv_heads)
    net = SPACE["make_model"](rng, 31, 16, 4, 2, 80, n_kv_heads)
    ids, logits = SPACE["solution_generate_naive"](net, [1, 2, 3], 60)
    cached_ids, cached = SPACE["solution_generate_cached"](net, [1, 2, 3], 60)
    assert ids.tolist() == cached_ids.tolist()
    assert np.abs(cached - logits).max() < 1e-12
    assert len(set(ids.tolist())) > 5  # untied: the text does not repeat one token for ever


def test_the_rows_are_those_of_the_formula():
    net = oracles.model("shared")
    for name, at in (("generate_naive", 0), ("generate_cached", 1)):
        spied, counts, positions = oracles.counted(net)
        SPACE[f"solution_{name}"](spied, [1, 2, 3], 5)
        wanted = SPACE["solution_kv_rows"](3, 5)[at]
        assert [round(count[0]) for count in counts] == [wanted, wanted]
        assert positions[0] == wanted


def test_every_way_of_multiplying_is_counted_once():
    weights = np.arange(12.0).reshape(3, 4)
    x = np.ones((5, 3))
    spy = weights.view(oracles.Counted)
    ways = [
        lambda w: x @ w, lambda w: np.dot(x, w), lambda w: np.einsum("td,de->te", x, w),
        lambda w: (w.T @ x.T).T, lambda w: np.tensordot(x, w, 1),
        lambda w: np.array([r @ w for r in x]),
        lambda w: np.hstack([x @ w[:, :2], x @ w[:, 2:]]),
        lambda w: (x @ np.concatenate([w, w], axis=1))[:, :4],
    ]  # fmt: skip
    for way in ways:
        spy.rows, spy.full = [0.0], (3, 4)
        assert np.array_equal(way(spy), x @ weights)
        assert spy.rows[0] == 5


def test_the_published_figures():
    assert SPACE["solution_kv_rows"](8, 128) == (9152, 135)
    assert SPACE["solution_cache_bytes"](32, 32, 4096, 128, 2) == 2 * 2**30
    assert SPACE["solution_cache_bytes"](32, 32, 1, 128, 2) == 2**19
