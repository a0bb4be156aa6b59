"""Lab 4 against PyTorch, its counter of rows against every way to write a product."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from checks.expect import CheckFailed
from checks.lab_4_kv_cache import count_rows, oracles, stages
from checks.lab_4_kv_cache.rows import Ledger, Watched, watch
from checks.runner.workbench import Workbench
from tests.workshop import JUDGES, LABS

LAB = next(lab for lab in LABS if lab.number == 4)
SPACE = Workbench(LAB).build(
    ["make_model", "solution_grouped_attention", "solution_WindowCache", "solution_bytes_saved"]
    + [f"solution_{name}" for name in JUDGES[LAB.id].owner]
)
SHAPES = [(1, 6, 3, 4), (2, 4, 4, 5), (3, 4, 1, 7)]


def solution(name):
    return SPACE[f"solution_{name}"]


def torch_logits(model, ids):
    """The decoder in PyTorch's own parts."""
    t = {k: torch.from_numpy(v) for k, v in model.items() if isinstance(v, np.ndarray)}
    d = t["ln_gain"].shape
    x = t["token_embedding"][list(ids)] + t["position_embedding"][: len(ids)]
    for layer in model["layers"]:
        p = {k: torch.from_numpy(v) for k, v in layer.items()}
        y = F.layer_norm(x, d, p["ln1_gain"], p["ln1_bias"])
        q, k, v = (
            (y @ p[w]).unflatten(1, (model[n], -1)).transpose(0, 1)
            for w, n in (("w_q", "n_heads"), ("w_k", "n_kv_heads"), ("w_v", "n_kv_heads"))
        )
        mixed = F.scaled_dot_product_attention(
            q[None], k[None], v[None], is_causal=True, enable_gqa=True
        )[0]
        x = x + mixed.transpose(0, 1).flatten(1) @ p["w_out"]
        y = F.layer_norm(x, d, p["ln2_gain"], p["ln2_bias"])
        x = x + F.gelu(y @ p["w_up"]) @ p["w_down"]
    return (F.layer_norm(x, d, t["ln_gain"], t["ln_bias"]) @ t["unembedding"]).numpy()


@pytest.mark.parametrize("shape", SHAPES)
def test_slow_decoder_and_solution_are_pytorchs(shape):
    model, ids = oracles.tiny_model(*shape), stages.TEXT
    want = torch_logits(model, ids)
    assert np.abs(oracles.slow_logits(model, ids) - want).max() < 1e-12
    assert np.abs(solution("forward")(model, np.array(ids)) - want).max() < 1e-12


def test_the_labs_own_model_has_the_fixtures_keys_and_shapes():
    made = SPACE["make_model"](np.random.default_rng(0), 17, 24, 6, 2, 13, 3)
    fixture = oracles.tiny_model(*SHAPES[0])
    assert made.keys() == fixture.keys()
    shapes = [{k: v.shape for k, v in oracles.arrays(m).items()} for m in (made, fixture)]
    assert shapes[0] == shapes[1]
    assert SPACE["make_model"](np.random.default_rng(0), 17, 24, 6, 2, 13)["n_kv_heads"] == 6


@pytest.mark.parametrize("shape", SHAPES)
def test_the_fixtures_texts_vary_and_their_choices_are_clear(shape):
    """No near tie: the largest logit leads by far more than rounding, and ids change."""
    for prompt, n in (((3, 11, 3, 16, 0), 7), ((8,), 4)):
        ids, logits = oracles.slow_greedy(oracles.tiny_model(*shape), prompt, n)
        best = np.sort(logits, axis=1)
        assert (best[:, -1] - best[:, -2]).min() > 1e-6
        assert len(set(ids[len(prompt) :])) > 1


def test_grouped_attention_is_pytorchs():
    rng = np.random.default_rng(3)
    q, k, v = (rng.normal(size=(n, 5, 4)) for n in (6, 3, 3))
    want = F.scaled_dot_product_attention(
        *(torch.from_numpy(a)[None] for a in (q, k, v)), is_causal=True, enable_gqa=True
    )[0].numpy()
    assert np.abs(solution("grouped_attention")(q, k, v) - want).max() < 1e-12


@pytest.mark.parametrize("seed", range(5))
def test_cached_and_naive_agree_to_far_less_than_the_tolerance(seed):
    rng = np.random.default_rng(seed)
    model = SPACE["make_model"](rng, 32, 64, 8, 2, 64)
    prompt = rng.integers(0, 32, 8)
    naive, cached = (solution(f"generate_{way}")(model, prompt, 40) for way in ("naive", "cached"))
    assert np.array_equal(naive[0], cached[0])
    assert np.abs(naive[1] - cached[1]).max() < 1e-13


@pytest.mark.parametrize(("P", "n"), [(8, 128), (1, 1), (3, 4), (5, 17)])
def test_rows_counted_are_those_of_the_formulas(P, n):
    model = SPACE["make_model"](np.random.default_rng(0), 32, 8, 4, 2, 136, n_kv_heads=2)
    ways = zip(("naive", "cached"), solution("kv_rows")(P, n))
    for way, rows in ways:
        counted = count_rows(solution(f"generate_{way}"), model, np.arange(P) % 32, n)
        assert counted == [rows, rows]


def test_the_published_figures_of_the_prose():
    assert solution("kv_rows")(8, 128) == (9152, 135)
    assert solution("cache_bytes")(32, 32, 4096, 128, 2) == 2 * 2**30
    weights = 6.74e9 * 2
    assert f"{weights / 2**30:.1f}" == "12.6"
    assert int((24 * 2**30 - weights) / (2 * 2**30)) == 5
    # multiplications a token and layer: 2 T D in attention, 12 D^2 in the weights
    assert 6 * 4096 == 24_576
    full = solution("cache_bytes")(32, 32, 32768, 128, 2)
    saved = solution("bytes_saved")(32, 32, 8, 32768, 4096, 128, 2)
    assert [part / 2**30 for part in (full, *saved)] == [16, 12, 14, 15.5]
    # 40 steps after a prompt of 8: 1,100 rows, 47 of them new
    assert solution("kv_rows")(8, 40) == (1100, 47)


def test_slopes_of_the_counted_rows():
    lengths = [64, 128, 240]
    rows = np.array([solution("kv_rows")(8, n) for n in lengths])
    naive, cached = (np.polyfit(np.log(lengths), np.log(rows[:, i]), 1)[0] for i in (0, 1))
    assert 1.8 < naive < 2.0 and 0.9 < cached < 1.0


T, D, G, DH = 5, 12, 3, 2
PRODUCTS = {
    "x @ w": lambda x, w: x @ w,
    "np.matmul": np.matmul,
    "np.matmul into out": lambda x, w: np.matmul(x, w, out=np.empty((T, G * DH))),
    "np.dot": np.dot,
    "x.dot(w)": lambda x, w: x.dot(w),
    "w.T.dot(x.T)": lambda x, w: w.T.dot(x.T),
    "w.T @ x.T": lambda x, w: w.T @ x.T,
    "x plain": lambda x, w: np.array(x) @ w,
    "w plain": lambda x, w: x @ np.array(w),
    "np.dot, w plain": lambda x, w: np.dot(x, np.asarray(w)),
    "np.tensordot": lambda x, w: np.tensordot(x, w, axes=1),
    "np.tensordot with axes": lambda x, w: np.tensordot(w, x, axes=([0], [1])),
    "np.inner": lambda x, w: np.inner(x, w.T),
    "np.einsum": lambda x, w: np.einsum("td,dk->tk", x, w),
    "np.einsum, implicit": lambda x, w: np.einsum("td,dk", x, w),
    "np.einsum, ellipsis": lambda x, w: np.einsum("...d,dk->...k", x[None], w),
    "np.einsum, optimised": lambda x, w: np.einsum("td,dk->tk", x, w, optimize=True),
    "np.einsum by heads": lambda x, w: np.einsum("td,dge->gte", x, w.reshape(D, G, DH)),
    "np.linalg.multi_dot": lambda x, w: np.linalg.multi_dot([x, w]),
    "a batch axis": lambda x, w: x[None] @ w,
    "a batch axis, matmul of stacks": lambda x, w: np.matmul(x[None], w[None]),
    "heads as a batch": lambda x, w: x @ w.reshape(D, G, DH).transpose(1, 0, 2),
    "head by head": lambda x, w: [x @ w[:, h * DH : (h + 1) * DH] for h in range(G)],
    "np.split": lambda x, w: [x @ part for part in np.split(w, G, axis=1)],
    "row by row": lambda x, w: [row @ w for row in x],
    "np.vecmat": lambda x, w: [np.vecmat(row, w) for row in x],
    "np.matvec": lambda x, w: [np.matvec(w.T, row) for row in x],
    "column by column": lambda x, w: [x @ w[:, c] for c in range(G * DH)],
    "broadcast and sum": lambda x, w: (x[:, :, None] * w[None]).sum(axis=1),
    "fused by concatenate": lambda x, w: x @ np.concatenate([2 + w, w, w - 3], axis=1),
    "fused by hstack": lambda x, w: x @ np.hstack([w, w * 1.5]),
    "fused by block": lambda x, w: x @ np.block([[w * 2, w]]),
    "fused by c_": lambda x, w: x @ np.c_[w * 2, w],
    "fused into a buffer": lambda x, w: x @ fused_buffer(w),
    "fused by stack": lambda x, w: x @ np.stack([w, w * 2]),
    "fused, sliced again": lambda x, w: x @ np.hstack([w * 2, w])[:, G * DH :],
    "scaled by a number beside it": lambda x, w: (x @ w, w * 0.5),
    "in place": lambda x, w: np.add(np.zeros((T, G * DH)), x @ w, out=np.zeros((T, G * DH))),
}


def fused_buffer(w):
    """A buffer that the learner fills: no longer a watched array, but the same numbers."""
    buffer = np.zeros((D, 3 * G * DH))
    buffer[:, G * DH : 2 * G * DH] = w
    return buffer


@pytest.mark.parametrize("product", PRODUCTS)
def test_every_way_to_write_the_product_counts_its_rows(product):
    rng = np.random.default_rng(5)
    weights = [rng.normal(size=(D, G * DH)) for _ in range(2)]
    x = rng.normal(size=(T, D))
    with Ledger(weights) as ledger:
        PRODUCTS[product](watch(x), watch(weights[1]))
    assert np.allclose(ledger.rows, [0, T]), ledger.rows


def test_watched_arrays_give_the_same_numbers_and_stay_watched():
    rng = np.random.default_rng(6)
    a, b = rng.normal(size=(4, 3)), rng.normal(size=(3, 4))
    wa, wb = watch(a), watch(b)
    for f in (
        lambda p, q: p @ q,
        lambda p, q: np.exp(p - p.max(axis=1, keepdims=True)) / p.sum(),
        lambda p, q: np.where(p > 0, p, -1.0),
        lambda p, q: np.concatenate([p, q.T]),
        lambda p, q: np.einsum("ij,jk->ik", p, q),
        lambda p, q: np.add.outer(p[0], q[0]),
    ):
        assert np.array_equal(np.asarray(f(wa, wb)), f(a, b))
        assert isinstance(f(wa, wb), Watched)
    total = wa.copy()
    total += b.T
    assert isinstance(total, Watched) and np.array_equal(np.asarray(total), a + b.T)
    assert isinstance(wa.sum(), float) and math.isclose(wa.sum(), a.sum())


def plain(model):
    """What somebody makes who copies all weights into arrays of his own."""
    if isinstance(model, dict):
        return {k: plain(v) for k, v in model.items()}
    if isinstance(model, list):
        return [plain(v) for v in model]
    return np.array(model) if isinstance(model, np.ndarray) else model


def hidden_naive(model, prompt, n):
    """Recomputes everything, where the counter cannot see it."""
    return solution("generate_naive")(plain(model), prompt, n)


def hidden_fresh_caches(model, prompt, n):
    """A fresh cache for each token, where the counter cannot see it."""
    model, ids = plain(model), np.array(prompt)
    if len(ids) + n > model["context"]:
        raise ValueError
    logits, n_layers = np.zeros((n, model["unembedding"].shape[1])), len(model["layers"])
    for step in range(n):
        cache = CACHE(n_layers, model["n_kv_heads"], len(ids), oracles.head_size(model))
        logits[step] = solution("prefill")(model, ids, cache)
        ids = np.append(ids, logits[step].argmax())
    return ids, logits


def hidden_cached(model, prompt, n):
    """Right, where the counter cannot see it."""
    return solution("generate_cached")(plain(model), prompt, n)


CACHE = SPACE["solution_KVCache"]


@pytest.mark.parametrize("generate", [hidden_naive, hidden_fresh_caches])
def test_work_hidden_from_the_counter_is_still_found(generate):
    with pytest.raises(CheckFailed) as no:
        stages.check_stage4(solution("prefill"), generate, CACHE)
    assert "rows through w_k" in str(no.value)


def test_a_right_answer_hidden_from_the_counter_passes(capsys):
    append = CACHE.append
    stages.check_stage4(solution("prefill"), hidden_cached, CACHE)
    assert CACHE.append is append


def test_a_window_of_the_whole_text_is_the_full_cache():
    model = oracles.tiny_model(*SHAPES[0])
    cache = solution("WindowCache")(2, 3, 7, 4)
    for token, want in zip(stages.TEXT, oracles.slow_logits(model, stages.TEXT)):
        assert np.abs(solution("decode_step")(model, token, cache) - want).max() < 1e-12
