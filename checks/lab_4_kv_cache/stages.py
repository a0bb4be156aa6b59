"""The checks of lab 4: logits against a slow decoder, rows through w_k counted."""

from __future__ import annotations

from typing import Any

import numpy as np

from checks import expect
from checks.expect import stage
from checks.lab_4_kv_cache.generators import (
    DEEP,
    GROUPED,
    ONE_KEY,
    OTHERS,
    OWN_KEYS,
    TEXT,
    fits,
    judge_generator,
    two,
    unchanged_model,
    wanted,
    wanted_after,
    wanted_text,
)
from checks.lab_4_kv_cache.oracles import random_past, slow_logits, snapshot, tiny_model
from checks.lab_4_kv_cache.rows import Ledger, watch
from checks.lab_4_kv_cache.smaller import check_stage6

__all__ = [
    "check_stage1",
    "check_stage2",
    "check_stage3",
    "check_stage4",
    "check_stage5",
    "check_stage6",
]


@stage(reread='Stage 1, "By hand"')
def check_stage1(forward):
    """Blocks that add nothing, the running mean, causality, then three head layouts."""
    model, before = tiny_model(*GROUPED), snapshot(tiny_model(*GROUPED))
    ids = np.array(TEXT)
    got = forward(model, ids)
    expect.shape("7 ids, 17 in the vocabulary: the logits", got, (7, 17))
    unchanged_model(before, model)
    expect.unchanged("the caller's ids", np.array(TEXT), ids)
    bare = tiny_model(*GROUPED)
    for layer in bare["layers"]:
        layer["w_out"][:] = layer["w_down"][:] = 0.0
    expect.close(
        "a single id, w_out and w_down are 0: no block adds anything",
        forward(bare, np.array([5])),
        slow_logits(bare, (5,)),
        reread='Stage 1, "The whole of it"',
    )
    expect.close(
        "w_out and w_down are 0: embeddings, last norm and unembedding alone",
        forward(bare, ids),
        slow_logits(bare, TEXT),
        reread='Stage 1, "The whole of it"',
    )
    alone = forward(tiny_model(*OWN_KEYS), np.array([5]))
    expect.close("a single id", alone, wanted(OWN_KEYS, (5,)), reread='Stage 1, "The whole of it"')
    even = tiny_model(*OWN_KEYS, 1)  # one layer, q = 0: softmax over the visible is uniform
    even["layers"][0]["w_q"][:] = 0.0
    mean = slow_logits(even, TEXT)
    expect.close("w_q is 0: the running mean of the values", forward(even, ids), mean)
    later = np.array([*TEXT[:-1], 9])
    expect.close(
        "the last of 7 ids exchanged: the six rows before it",
        forward(tiny_model(*GROUPED), later)[:-1],
        np.asarray(got)[:-1],
    )
    head = 'Stage 1, "Which key head?"'
    expect.close("4 query heads, 4 key heads", forward(tiny_model(*OWN_KEYS), ids),
                 wanted(OWN_KEYS, TEXT), reread=head)  # fmt: skip
    expect.close("6 query heads, 3 key heads", got, wanted(GROUPED, TEXT), reread=head)
    expect.close("4 query heads, 1 key head", forward(tiny_model(*ONE_KEY), ids),
                 wanted(ONE_KEY, TEXT), reread=head)  # fmt: skip
    expect.close("three layers", forward(tiny_model(*DEEP), ids), wanted(DEEP, TEXT),
                 reread='Stage 1, "The whole of it"')  # fmt: skip
    full = tuple(range(2, 15))
    expect.close("as many ids as the context holds", forward(tiny_model(*GROUPED), np.array(full)),
                 wanted(GROUPED, full))  # fmt: skip
    again = forward(model, later)[-1]
    expect.close("the model of the first call, another text of 7 ids: the last row", again,
                 wanted(GROUPED, tuple(later.tolist()))[-1])  # fmt: skip


@stage(reread='Stage 2, "By hand"')
def check_stage2(generate_naive):
    """Greedy ids and the logits behind each, n = 0, ties, the context filled and overfilled."""
    judge_generator(generate_naive, 'Stage 2, "By hand"', 'Stage 2, "The edges"')
    model, before = tiny_model(*GROUPED), snapshot(tiny_model(*GROUPED))
    generate_naive(model, np.array([6, 2]), 3)
    unchanged_model(before, model)


def chunk_of(seed: int, t: int, heads: int = 3, d_head: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """k and v of t positions, all entries different."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(heads, t, d_head)), rng.normal(size=(heads, t, d_head))


def judge_cache(KVCache: Any) -> None:
    """Appending in turn, length, exactly max_len positions, nothing shared."""
    cache, other = KVCache(2, 3, 7, 4), KVCache(2, 3, 7, 4)
    expect.equal("length of an empty cache", cache.length, 0)
    k0, v0 = chunk_of(1, 5)
    keep = k0.copy(), v0.copy()
    K, V = two("append returns", cache.append(0, k0, v0), "(K, V)")
    expect.close("5 positions in layer 0: K", K, keep[0])
    expect.close("5 positions in layer 0: V", V, keep[1])
    expect.unchanged("the caller's k", keep[0], k0)
    expect.unchanged("the caller's v", keep[1], v0)
    expect.equal("length after 5 positions in layer 0 of 2", cache.length, 0)
    k1, v1 = chunk_of(2, 5)
    K, V = two("append returns", cache.append(1, k1, v1), "(K, V)")
    expect.close("5 positions in layer 1: K", K, k1)
    expect.close("5 positions in layer 1: V", V, v1)
    expect.equal("length after 5 positions in both layers", cache.length, 5)
    expect.equal("length of a second cache, still empty", other.length, 0)
    (a, b), (c, d) = chunk_of(3, 1), chunk_of(4, 1)
    K, V = two("append returns", cache.append(0, a, b), "(K, V)")
    expect.close("a sixth position in layer 0: K", K, np.concatenate([k0, a], axis=1))
    expect.close("a sixth position in layer 0: V", V, np.concatenate([v0, b], axis=1))
    expect.equal("length with 6 and 5 positions held", cache.length, 5)
    K, V = two("append returns", cache.append(1, c, d), "(K, V)")
    expect.close("a sixth position in layer 1: K", K, np.concatenate([k1, c], axis=1))
    expect.close("a sixth position in layer 1: V", V, np.concatenate([v1, d], axis=1))
    expect.equal("length with 6 positions in both layers", cache.length, 6)
    K, _ = two("append returns", other.append(0, a, b), "(K, V)")
    expect.close("a second cache, one position: K", K, a)
    for layer, pair in enumerate(((b, a), (d, c))):
        case = f"max_len 7, the seventh position of layer {layer}"
        seventh = fits(case, "no error: it just fits", cache.append, layer, *pair)
        K, V = two("append returns", seventh, "(K, V)")
        whole = np.concatenate([(k0, k1)[layer], (a, c)[layer], pair[0]], axis=1)
        expect.close(f"{case}, after the second cache took one: K", K, whole)
    expect.equal("max_len 7, seven positions held: length", cache.length, 7)
    expect.raises("max_len 7, an eighth position", ValueError, cache.append, 0, a, b)
    narrow = KVCache(1, 2, 4, 6)
    narrow.append(0, *chunk_of(6, 3, 2, 6))
    two_more = (0, *chunk_of(7, 2, 2, 6))
    expect.raises("max_len 4, three held, two more", ValueError, narrow.append, *two_more)
    at_once = (0, *chunk_of(8, 5, 2, 6))
    expect.raises("max_len 4, five at once", ValueError, KVCache(1, 2, 4, 6).append, *at_once)
    deep = KVCache(5, 1, 2, 3)  # more layers than positions, heads or columns
    for layer in range(5):
        k, v = chunk_of(9 + layer, 1, 1, 3)
        K, V = two("append returns", deep.append(layer, k, v), "(K, V)")
        expect.close(f"five layers, max_len 2, layer {layer}: K", K, k)
        expect.close(f"five layers, max_len 2, layer {layer}: V", V, v)


def filled(KVCache: Any, model: dict, length: int, room: int) -> Any:
    """A cache that holds keys and values of no text at all."""
    past = random_past(5, model, length)
    G, _, d_head = past[0][0].shape
    cache = KVCache(len(past), G, length + room, d_head)
    for layer, (k, v) in enumerate(past):
        cache.append(layer, k, v)
    return cache


@stage(reread='Stage 3, "By hand"')
def check_stage3(KVCache, decode_step):
    """The cache by itself, a text one token at a time, and a cache that was filled by hand."""
    judge_cache(KVCache)
    where = 'Stage 3, "Where am I?"'
    model, before = tiny_model(*GROUPED), snapshot(tiny_model(*GROUPED))
    cache = KVCache(2, 3, 9, 4)
    for at, token in enumerate(TEXT[:5]):
        got = decode_step(model, token, cache)
        expect.shape(f"token {at} of a text: the logits", got, (17,))
        expect.close(f"token {at} of a text: which logits", got, wanted(GROUPED, TEXT)[at],
                     reread=where)  # fmt: skip
        expect.equal(f"cache.length after token {at}", cache.length, at + 1, reread=where)
    unchanged_model(before, model)
    # keys and values that no text gives: whoever computes them again cannot know them
    cache = filled(KVCache, model, length=5, room=2)
    for at, token in enumerate((12, 7)):
        expect.close(f"5 positions put into the cache by hand: step {at + 1}",
                     decode_step(model, token, cache), wanted_after(GROUPED, 5, (12, 7))[at],
                     reread=where)  # fmt: skip
    for shape, words in OTHERS:
        cache = KVCache(len(tiny_model(*shape)["layers"]), shape[2], 3, shape[3])
        for at, token in enumerate(TEXT[:3]):
            expect.close(f"{words}: token {at}", decode_step(tiny_model(*shape), token, cache),
                         wanted(shape, TEXT)[at], reread=where)  # fmt: skip


def judge_prefill(prefill: Any, KVCache: Any) -> None:
    """A prompt at once, in chunks, after a cache filled by hand; what the cache holds then."""
    mask = 'Stage 4, "Masking a chunk"'
    model, before = tiny_model(*GROUPED), snapshot(tiny_model(*GROUPED))
    prompt, cache = np.array(TEXT), KVCache(2, 3, 7, 4)
    got = prefill(model, prompt, cache)
    expect.shape("a prompt of 7: the logits after its last id", got, (17,))
    expect.close("a prompt of 7 at once", got, wanted(GROUPED, TEXT)[6], reread=mask)
    expect.equal("cache.length after a prompt of 7", cache.length, 7)
    expect.unchanged("the caller's prompt", np.array(TEXT), prompt)
    unchanged_model(before, model)
    got = prefill(model, np.array([5]), KVCache(2, 3, 1, 4))
    expect.close("a prompt of one id", got, wanted(GROUPED, (5,))[0], reread=mask)
    for sizes in ((4, 3), (1, 6), (2, 1, 4)):
        cache, start = KVCache(2, 3, 8, 4), 0
        for size in sizes:
            got = prefill(model, prompt[start : start + size], cache)
            start += size
            case = f"a prompt of 7 in chunks of {sizes}: after {start} ids"
            expect.close(case, got, wanted(GROUPED, TEXT)[start - 1], reread=mask)
        expect.equal(f"chunks of {sizes}: cache.length", cache.length, 7)
    cache = filled(KVCache, model, length=5, room=6)
    for start, size in ((0, 3), (3, 2)):
        got = prefill(model, prompt[start : start + size], cache)
        case = f"5 positions put into the cache by hand: {start + size} ids after them"
        want = wanted_after(GROUPED, 5, TEXT)[start + size - 1]
        expect.close(case, got, want, reread=mask)
    for shape, words in OTHERS:
        cache = KVCache(len(tiny_model(*shape)["layers"]), shape[2], 7, shape[3])
        prefill(tiny_model(*shape), prompt[:2], cache)
        got = prefill(tiny_model(*shape), prompt[2:], cache)
        expect.close(f"{words}: chunks of (2, 5)", got, wanted(shape, TEXT)[6], reread=mask)


def rows_seen(generate: Any, KVCache: Any, model: dict, prompt: Any, n: int) -> list[int]:
    """Rows through w_k in each layer of a run.

    The ledger counts the products that it sees. Somebody who multiplies in a way that it
    cannot see (a loop over numbers, copies as plain arrays) is judged by the rows that the
    run appends to its cache instead; these can only be fewer where nothing is cached.
    """
    appended = [0] * len(model["layers"])
    own = "append" in vars(KVCache)
    append = KVCache.append

    def counted(self: Any, layer: int, k: Any, v: Any) -> Any:
        appended[layer] += np.shape(k)[1]
        return append(self, layer, k, v)

    KVCache.append = counted
    try:
        with Ledger([layer["w_k"] for layer in model["layers"]]) as ledger:
            generate(watch(model), prompt, n)
    finally:
        if own:
            KVCache.append = append
        else:
            del KVCache.append
    least = len(prompt) + n - 1
    products = [round(float(rows)) for rows in ledger.rows]
    return [p if p >= least else a for p, a in zip(products, appended)]


@stage(reread='Stage 4, "By hand"')
def check_stage4(prefill, generate_cached, KVCache):
    """Prefill whole and in chunks; cached generation as the naive one, and its rows counted."""
    judge_prefill(prefill, KVCache)
    judge_generator(generate_cached, 'Stage 4, "By hand"', 'Stage 4, "The same edges"')
    for shape, prompt_len, n in ((GROUPED, 5, 6), (OWN_KEYS, 1, 3), (GROUPED, 3, 1)):
        prompt = np.array(TEXT[:prompt_len])
        rows = rows_seen(generate_cached, KVCache, tiny_model(*shape), prompt, n)
        each = prompt_len + n - 1
        expect.true(
            f"rows through w_k in each layer, P = {prompt_len}, n = {n}",
            rows == [each, each],
            rows,
            f"[{each}, {each}], each token once and the last one not at all",
        )
    model, before = tiny_model(*GROUPED), snapshot(tiny_model(*GROUPED))
    ids, logits = two("called again", generate_cached(model, np.array([8]), 4), "ids and logits")
    want_ids, want_logits = wanted_text(GROUPED, (8,), 4)
    expect.equal("another text after the first: ids", ids, want_ids)
    expect.close("another text after the first: logits", logits, want_logits)
    unchanged_model(before, model)


@stage(reread='Stage 5, "By hand"')
def check_stage5(kv_rows, cache_bytes):
    """Sums added up one by one, the published figures, one size changed at a time."""
    expect.equal("P = 8, n = 128: (naive, cached)", kv_rows(8, 128), (9152, 135))
    # one new token is one pass over the prompt, cached or not
    expect.equal("P = 5, n = 1: (naive, cached)", kv_rows(5, 1), (5, 5))
    expect.equal("P = 1, n = 1: (naive, cached)", kv_rows(1, 1), (1, 1))
    # 7 rows, then 8; cached 7, then 1
    expect.equal("P = 7, n = 2: (naive, cached)", kv_rows(7, 2), (15, 8))
    for P, n in ((3, 4), (1, 9), (20, 7), (4, 301)):
        naive = sum(P + step for step in range(n))
        case = f"P = {P}, n = {n}: (naive, cached)"
        expect.equal(case, kv_rows(P, n), (naive, P + n - 1))
    # 9 * 300000001 + 36: more than 31 bits hold
    far = kv_rows(300_000_001, 9)
    expect.equal("P = 300,000,001, n = 9: (naive, cached)", far, (2_700_000_045, 300_000_009))
    where = 'Stage 5, "A real model"'
    # 2 * 32 * 32 * 4096 * 128 * 2 = 2 GiB
    llama = cache_bytes(32, 32, 4096, 128, 2)
    expect.equal("Llama-2-7B, 4,096 tokens in fp16", llama, 2_147_483_648, reread=where)
    expect.equal("one number in K, one in V, 1 byte each", cache_bytes(1, 1, 1, 1, 1), 2,
                 reread=where)  # fmt: skip
    # 2 * 2 * 3 * 5 * 7 * 8 = 3360, and then one size after the other
    sizes = [2, 3, 5, 7, 8]
    names = ("layers", "key heads", "tokens", "numbers a head", "bytes a number")
    expect.equal("2 layers, 3 key heads, 5 tokens, d_head 7, float64", cache_bytes(*sizes), 3360,
                 reread=where)  # fmt: skip
    for at, name in enumerate(names):
        more = [size * (11 if i == at else 1) for i, size in enumerate(sizes)]
        expect.equal(f"eleven times the {name}", cache_bytes(*more), 36960, reread=where)
    # 2 * 3 * 5 * 1000003 * 7 * 11, no power of two in it but one
    odd = cache_bytes(3, 5, 1_000_003, 7, 11)
    expect.equal("3 layers, 5 key heads, 1,000,003 tokens, d_head 7, 11 bytes", odd, 2_310_006_930,
                 reread=where)  # fmt: skip
    expect.equal("no tokens yet", cache_bytes(2, 3, 0, 7, 8), 0, reread=where)
