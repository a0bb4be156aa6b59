"""The checks of lab 4. The oracle is a decoder in loops; the work is counted, never timed."""

from __future__ import annotations

import numpy as np

from checks import expect
from checks.expect import stage
from checks.lab_4_kv_cache.oracles import (
    counted,
    model,
    slow_forward,
    slow_generate,
)

FIRST, SECOND, THIRD = [5, 0, 9, 3, 5], [12, 4, 4, 1, 10, 7, 2], [6, 2, 0, 3]


def keep(net):
    """The model's arrays, to be compared after the learner's function ran."""
    return [np.array(net["token_embedding"]), np.array(net["layers"][1]["w_k"])]


def same(case, before, net):
    """The caller's model still holds what it held."""
    expect.unchanged(f"{case}: the embedding", before[0], np.asarray(net["token_embedding"]))
    expect.unchanged(f"{case}: w_k of layer 1", before[1], np.asarray(net["layers"][1]["w_k"]))


@stage(reread='Stage 1, "By hand"')
def check_stage1(forward):
    """Shape, one token, equal tokens, three ways of sharing heads, causality, the caller's data."""
    net = model("shared")  # T = 5, V = 11, D = 12, H = 6, G = 3: no axis can hide as another
    got = forward(net, np.array(FIRST))
    expect.shape("5 tokens, 11 in the vocabulary", got, (5, 11))
    # one token sees itself alone: no mask and no scale of the scores can matter
    expect.close("one token", forward(net, [9]), slow_forward(net, [9]))
    equal = model("equal")
    expect.close("5 query heads, 5 key heads", forward(equal, THIRD), slow_forward(equal, THIRD))
    ids = [7, 7, 7]
    expect.close("[7, 7, 7], told apart by position", forward(net, ids), slow_forward(net, ids))
    heads = 'Stage 1, "Fewer key heads than query heads"'
    expect.close(
        "6 query heads share 3 key heads",
        forward(net, FIRST),
        slow_forward(net, FIRST),
        reread=heads,
    )
    one = model("single")
    expect.close(
        "4 query heads share 1 key head",
        forward(one, SECOND),
        slow_forward(one, SECOND),
        reread=heads,
    )
    # a token that is exchanged moves no earlier row
    other = [*SECOND[:4], 8, *SECOND[5:]]
    gap = np.abs(np.asarray(forward(one, other)) - np.asarray(forward(one, SECOND))).max(axis=1)
    leaks = [t for t in range(4) if gap[t] > 1e-9]
    expect.true("token 4 exchanged: earlier rows", not leaks, f"rows {leaks} moved", "no row moves")
    before, mine = keep(net), list(FIRST)
    forward(net, mine)
    expect.unchanged("the caller's ids", FIRST, mine)
    same("forward", before, net)


def generated(case, got, wanted, prompt, n):
    """A pair of ids and logits, held against the oracle's; logits first tell more than ids."""
    expect.instance(f"{case}: what is returned", got, (tuple, list))
    expect.true(f"{case}: what is returned", len(got) == 2, f"{len(got)} things", "(ids, logits)")
    ids, logits = got
    expect.shape(f"{case}: ids", ids, (len(prompt) + n,))
    expect.close(f"{case}: logits", logits, wanted[1])
    expect.equal(f"{case}: ids", [int(i) for i in ids], wanted[0])


def tied(net):
    """(the same model with the same logits for every input, the lower of its two best tokens).

    With gain 0 the last norm gives its bias, here (1, 0, 0, ...), so that the logits are the
    first row of the unembedding to the last bit, however the products are computed.
    """
    rows = np.zeros(net["unembedding"].shape)
    rows[0, [3, 7]] = 2.0
    first = np.eye(len(rows))[0]
    return {**net, "ln_gain": np.zeros(len(rows)), "ln_bias": first, "unembedding": rows}, 3


@stage(reread='Stage 2, "By hand"')
def check_stage2(generate_naive):
    """No token, one token, several; ties, a full context, one too many, the caller's prompt."""
    net = model("shared")  # context 9
    full = 'Stage 2, "When the context is full"'
    got = generate_naive(net, list(FIRST), 0)
    expect.true("n = 0: what is returned", len(got) == 2, f"{len(got)} things", "(ids, logits)")
    expect.equal("n = 0: ids", [int(i) for i in got[0]], FIRST)
    expect.shape("n = 0: logits", np.asarray(got[1]), (0, 11))
    for n in (1, 3):
        mine = list(FIRST)
        got = generate_naive(net, mine, n)
        expect.unchanged("the caller's list", FIRST, mine)
        generated(f"5 tokens and {n}", got, slow_generate(net, FIRST, n), FIRST, n)
    one = model("single")
    short = np.array([8])
    generated("1 token and 6", generate_naive(one, short, 6), slow_generate(one, [8], 6), [8], 6)
    expect.unchanged("the caller's prompt", np.array([8]), short)
    twins, low = tied(net)
    ids = generate_naive(twins, FIRST[:2], 1)[0]
    expect.equal("two tokens with the same logit", int(ids[-1]), low)
    wanted = slow_generate(net, FIRST, 4)
    got = generate_naive(net, list(FIRST), 4)
    generated("5 tokens and 4 fill a context of 9", got, wanted, FIRST, 4)
    expect.raises(
        "5 tokens and 5 in a context of 9",
        ValueError,
        generate_naive,
        net,
        list(FIRST),
        5,
        reread=full,
    )
    for case, prompt, n in (("5 tokens and 6", FIRST, 6), ("11 tokens and 0", [1] * 11, 0)):
        where = f"{case} in a context of 9"
        expect.raises(where, ValueError, generate_naive, net, list(prompt), n, reread=full)


def blocks(seed, n_heads, n_tokens, d_head):
    """Keys and values to append."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(2, n_heads, n_tokens, d_head))


@stage(reread='Stage 3, "By hand"')
def check_stage3(KVCache, decode_step):
    """The cache on its own: order, layers, length, room. Then steps against the slow decoder."""
    cache = KVCache(2, 3, 5, 4)
    expect.equal("an empty cache: length", int(cache.length), 0)
    (k, v), (k1, v1), (k2, v2) = blocks(0, 3, 4, 4), blocks(1, 3, 1, 4), blocks(2, 3, 2, 4)
    keys, values = cache.append(0, np.array(k), np.array(v))
    expect.close("4 tokens into layer 0: keys", keys, k)
    expect.close("4 tokens into layer 0: values", values, v)
    expect.equal("layer 1 is empty: length", int(cache.length), 0)
    keys, values = cache.append(1, np.array(k2), np.array(v2))
    expect.close("2 tokens into layer 1: keys", keys, k2)
    expect.close("2 tokens into layer 1: values", values, v2)
    expect.equal("4 tokens and 2: length", int(cache.length), 2)
    keys, values = cache.append(0, np.array(k1), np.array(v1))
    expect.close("one more into layer 0: keys", keys, np.concatenate([k, k1], axis=1))
    expect.close("one more into layer 0: values", values, np.concatenate([v, v1], axis=1))
    expect.raises("a sixth token in room for 5", ValueError, cache.append, 0, k1, v1)
    keys, _ = cache.append(1, np.array(k1), np.array(v1))
    expect.close("layer 1 goes on: keys", keys, np.concatenate([k2, k1], axis=1))
    expect.equal("5 tokens and 3: length", int(cache.length), 3)
    other = KVCache(2, 3, 5, 4)
    expect.equal("another cache: length", int(other.length), 0)
    other.append(1, np.array(k2), np.array(v2))
    expect.equal("2 tokens into layer 1 alone: length", int(other.length), 0)
    where = 'Stage 3, "Where am I?"'
    for kind, ids in (("shared", FIRST), ("single", SECOND)):
        net = model(kind)
        n_heads, width = net["n_kv_heads"], len(net["unembedding"]) // net["n_heads"]
        cache, before = KVCache(len(net["layers"]), n_heads, len(ids), width), keep(net)
        wanted = slow_forward(net, ids)
        for t, token in enumerate(ids):
            got = decode_step(net, token, cache)
            case = f"{kind} heads, token {t}"
            expect.shape(f"{case}: logits", got, wanted[t].shape)
            expect.close(f"{case}: logits", got, wanted[t], reread=where)
            expect.equal(f"{case}: length after it", int(cache.length), t + 1, reread=where)
        expect.raises(f"{kind} heads, no room left", ValueError, decode_step, net, 1, cache)
        same("decode_step", before, net)


def empty(KVCache, net, room):
    """A cache that fits a model."""
    d_head = len(net["unembedding"]) // net["n_heads"]
    return KVCache(len(net["layers"]), net["n_kv_heads"], room, d_head)


@stage(reread='Stage 4, "By hand"')
def check_stage4(prefill, generate_cached, KVCache):
    """A prompt at once and in chunks, generation like the naive one, and the rows it takes."""
    net, one = model("shared"), model("single")
    cache = empty(KVCache, net, 9)
    got = prefill(net, np.array(FIRST), cache)
    expect.shape("a prompt of 5: logits", got, (11,))
    expect.close("a prompt of 5: logits", got, slow_forward(net, FIRST)[-1])
    expect.equal("a prompt of 5: length", int(cache.length), 5)
    cache = empty(KVCache, net, 1)
    expect.close("a prompt of 1: logits", prefill(net, [9], cache), slow_forward(net, [9])[-1])
    cache, wanted = empty(KVCache, one, 7), slow_forward(one, SECOND)
    expect.close("chunk of 3: logits", prefill(one, SECOND[:3], cache), wanted[2])
    expect.close("then a chunk of 2: logits", prefill(one, SECOND[3:5], cache), wanted[4])
    expect.equal("chunks of 3 and 2: length", int(cache.length), 5)
    expect.close("then a chunk of 2 more: logits", prefill(one, SECOND[5:], cache), wanted[6])
    expect.raises("an eighth token in room for 7", ValueError, prefill, one, [1], cache)
    work = 'Stage 4, "How much work"'
    got = generate_cached(net, list(FIRST), 0)
    expect.true("n = 0: what is returned", len(got) == 2, f"{len(got)} things", "(ids, logits)")
    expect.equal("n = 0: ids", [int(i) for i in got[0]], FIRST)
    expect.shape("n = 0: logits", np.asarray(got[1]), (0, 11))
    for case, kind, prompt, n in (
        ("5 tokens and 1", net, FIRST, 1),
        ("5 tokens and 4", net, FIRST, 4),
        ("1 token and 6", one, [8], 6),
    ):
        mine = np.array(prompt)
        generated(case, generate_cached(kind, mine, n), slow_generate(kind, prompt, n), prompt, n)
        expect.unchanged(f"{case}: the caller's prompt", np.array(prompt), mine)
    expect.raises(
        "5 tokens and 5 in a context of 9", ValueError, generate_cached, net, list(FIRST), 5
    )
    twins, low = tied(net)
    tie = generate_cached(twins, FIRST[:2], 1)[0]
    expect.equal("two tokens with the same logit", int(tie[-1]), low)
    # 2 tokens of prompt and 6 generated: 2 + 6 - 1 = 7 rows, where the naive way needs 27
    spied, counts, positions = counted(net)
    generate_cached(spied, FIRST[:2], 6)
    for number, count in enumerate(counts):
        rows = round(count[0])
        case = f"2 tokens and 6: rows through w_k of layer {number}"
        expect.true(case, rows <= 7, rows, "at most 7, P + n - 1", reread=work)
    if not any(count[0] for count in counts):  # a product that is not seen: count positions
        case = "2 tokens and 6: rows that enter the model"
        expect.true(case, positions[0] != 27, positions[0], "7, P + n - 1", reread=work)


@stage(reread='Stage 5, "By hand"')
def check_stage5(kv_rows, cache_bytes):
    """Hand values, the published 7B figure, every factor on its own."""
    got = kv_rows(3, 2)
    expect.instance("kv_rows returns", got, (tuple, list))
    expect.equal("P = 3, n = 2", list(got), [7, 4])  # 3 + 4 rows; 3 + 1
    expect.equal("P = 8, n = 128", list(kv_rows(8, 128)), [9152, 135])
    expect.equal("P = 5, n = 1: prefill alone", list(kv_rows(5, 1)), [5, 5])
    expect.equal("P = 1, n = 4", list(kv_rows(1, 4)), [10, 4])  # 1 + 2 + 3 + 4; 1 + 3
    # 2 for K and V, times 3 * 2 * 5 * 7 numbers of 8 bytes
    costs = 'Stage 5, "What it costs"'
    expect.equal("3 layers, 2 heads, 5 tokens, d 7, 8 bytes", cache_bytes(3, 2, 5, 7, 8), 3360)
    expect.equal(
        "Llama-2-7B, 4,096 tokens, fp16", cache_bytes(32, 32, 4096, 128, 2), 2**31, reread=costs
    )
    expect.equal("an empty cache", cache_bytes(3, 2, 0, 7, 8), 0)
    expect.equal("one layer, one head, one token", cache_bytes(1, 1, 1, 11, 4), 88)


def slow_grouped(q, k, v, visible):
    """Grouped attention, one head and one query at a time."""
    n_heads, n_queries, d = q.shape
    out = np.zeros((n_heads, n_queries, v.shape[-1]))
    for h in range(n_heads):
        g = h // (n_heads // len(k))
        for t in range(n_queries):
            seen = np.flatnonzero(visible[t])
            scores = np.array([q[h, t] @ k[g, s] / d**0.5 for s in seen])
            weights = np.exp(scores - scores.max())
            out[h, t] = sum(w * v[g, s] for w, s in zip(weights / weights.sum(), seen))
    return out


@stage(reread='Stage 6, "Grouped heads without copies"')
def check_stage6(grouped_attention, WindowCache):
    """Three ways of sharing, a mask that is no triangle; the window's order, length and edge."""
    rng = np.random.default_rng(6)
    for n_heads, shared, t, s, d in ((6, 2, 3, 4, 5), (4, 4, 2, 3, 7), (3, 1, 4, 5, 2)):
        q = 2 * rng.normal(size=(n_heads, t, d))
        k, v = 2 * rng.normal(size=(shared, s, d)), rng.normal(size=(shared, s, d))
        visible = np.tri(t, s, k=s - t, dtype=bool)
        visible[0, 1] = False
        case = f"{n_heads} query heads on {shared} key heads"
        mine = [np.array(each) for each in (q, k, v, visible)]
        got = grouped_attention(*mine)
        expect.close(case, got, slow_grouped(q, k, v, visible))
        expect.unchanged(f"{case}: the caller's queries", q, mine[0])
        expect.unchanged(f"{case}: the caller's keys", k, mine[1])
    everything = np.ones((1, 2), dtype=bool)
    # both keys equal: the weights are 1/2 each, whatever the query
    flat = grouped_attention(
        np.ones((2, 1, 3)), np.ones((1, 2, 3)), np.eye(3)[None, :2], everything
    )
    expect.close("two equal keys", flat, np.full((2, 1, 3), [0.5, 0.5, 0.0]))
    window(WindowCache)


def window(WindowCache):
    """Single tokens in a window of 3, layers apart; then chunks, one longer than the window."""
    where = 'Stage 6, "The window"'
    k, v = blocks(9, 2, 12, 4)
    cache = WindowCache(2, 2, 3, 4)
    expect.equal("an empty window: length", int(cache.length), 0, reread=where)
    for t in range(5):
        keys, values = cache.append(0, k[:, t : t + 1].copy(), v[:, t : t + 1].copy())
        first = max(0, t - 2)
        expect.close(f"window of 3, token {t}: keys", keys, k[:, first : t + 1], reread=where)
        expect.close(f"window of 3, token {t}: values", values, v[:, first : t + 1], reread=where)
        expect.equal("layer 1 is empty: length", int(cache.length), 0, reread=where)
    keys, _ = cache.append(1, k[:, 7:9].copy(), v[:, 7:9].copy())
    expect.close("layer 1 on its own: keys", keys, k[:, 7:9], reread=where)
    expect.equal("5 tokens and 2: length", int(cache.length), 2, reread=where)
    # a chunk of 2 after 5 single tokens: its first query needs tokens 3 and 4 beside itself
    keys, values = cache.append(0, k[:, 5:7].copy(), v[:, 5:7].copy())
    expect.close("then a chunk of 2: keys", keys, k[:, 3:7], reread=where)
    expect.close("then a chunk of 2: values", values, v[:, 3:7], reread=where)
    keys, _ = cache.append(0, k[:, 7:11].copy(), v[:, 7:11].copy())
    expect.close("then a chunk of 4, longer than the window: keys", keys, k[:, 5:11], reread=where)
    keys, values = cache.append(0, k[:, 11:].copy(), v[:, 11:].copy())
    expect.close("then a single token: keys", keys, k[:, 9:], reread=where)
    expect.close("then a single token: values", values, v[:, 9:], reread=where)
    single = WindowCache(1, 2, 1, 4)
    for t in range(3):
        keys, _ = single.append(0, k[:, t : t + 1].copy(), v[:, t : t + 1].copy())
        expect.close(f"window of 1, token {t}: keys", keys, k[:, t : t + 1], reread=where)
    expect.equal("window of 1: length", int(single.length), 3, reread=where)
