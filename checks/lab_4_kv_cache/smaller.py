"""The check of the stretch stage: grouped queries, a window, and the bytes they save."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np

from checks import expect
from checks.expect import stage
from checks.lab_4_kv_cache.oracles import attend


def slow_grouped(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> np.ndarray:
    """One head, one query after the other; each over a slice of the keys."""
    group, behind = len(q) // len(k), k.shape[1] - q.shape[1]
    out = np.empty(q.shape)
    for h, head in enumerate(q):
        for i, query in enumerate(head):
            seen = slice(0, i + behind + 1)
            out[h, i] = attend(query, k[h // group, seen], v[h // group, seen])
    return out


def tensors(n_heads: int, n_kv_heads: int, n_queries: int, n_keys: int, d_head: int) -> list:
    """q, k, v, all entries different."""
    rng = np.random.default_rng(17)
    shapes = [(n_heads, n_queries, d_head)] + 2 * [(n_kv_heads, n_keys, d_head)]
    return [1.5 * rng.normal(size=shape) for shape in shapes]


def judge_attention(grouped_attention: Any) -> None:
    """Hand value, one query, causality, a chunk, every grouping, the promised error."""
    head = 'Stage 6, "No copies"'
    # q = 0: uniform weights, so row i is the running mean of 0, 2, 4 (and of 10, 12, 14)
    v = np.array([[[0.0], [2.0], [4.0]], [[10.0], [12.0], [14.0]]])
    got = grouped_attention(np.zeros((4, 3, 1)), np.ones((2, 3, 1)), v)
    low, high = [[0.0], [1.0], [2.0]], [[10.0], [11.0], [12.0]]
    expect.close("q is 0, 4 query heads, 2 key heads", got, [low, low, high, high], reread=head)
    for sizes in ((6, 3, 5, 5, 4), (6, 3, 1, 5, 4), (6, 3, 2, 5, 4), (6, 2, 3, 4, 7),
                  (4, 4, 3, 5, 2), (4, 1, 3, 5, 2), (6, 3, 1, 1, 4)):  # fmt: skip
        H, G, Tq, Tk, d_head = sizes
        arguments = tensors(*sizes)
        before = [a.copy() for a in arguments]
        got = grouped_attention(*arguments)
        case = f"H = {H}, G = {G}, {Tq} queries, {Tk} keys, d_head {d_head}"
        expect.close(case, got, slow_grouped(*before), reread=head)
        for name, old, new in zip("qkv", before, arguments):
            expect.unchanged(f"the caller's {name}", old, new)
    uneven = tensors(6, 4, 3, 3, 5)
    expect.raises("6 query heads, 4 key heads", ValueError, grouped_attention, *uneven, reread=head)
    uneven = tensors(2, 4, 3, 3, 5)
    expect.raises("2 query heads, 4 key heads", ValueError, grouped_attention, *uneven, reread=head)
    uneven = tensors(4, 3, 1, 3, 5)
    expect.raises("4 query heads, 3 key heads", ValueError, grouped_attention, *uneven, reread=head)


def judge_window(WindowCache: Any) -> None:
    """A window of 4: below it, past it, chunks around it, two layers, two caches, memory."""
    where = 'Stage 6, "The window"'
    rng = np.random.default_rng(23)
    cache, other = WindowCache(2, 3, 4, 5), WindowCache(2, 3, 4, 5)
    expect.equal("a window of 4, nothing seen: length", cache.length, 0, reread=where)
    texts = rng.normal(size=(2, 2, 3, 16, 5))  # layer, k or v, G, positions, d_head
    seen = 0
    for t in (1, 2, 1, 1, 1, 3, 6, 1):
        for layer in (0, 1):
            k, v = texts[layer, :, :, seen : seen + t]
            got = cache.append(layer, k.copy(), v.copy())
            start, end = max(0, seen + t - 4), seen + t
            case = f"a window of 4, {t} more after {seen}, layer {layer}"
            expect.true(case, hasattr(got, "__len__") and len(got) == 2, got, "a pair, (K, V)")
            for name, part, text in zip("KV", got, texts[layer]):
                expect.close(f"{case}: {name}", part, text[:, start:end], reread=where)
            done = seen if layer == 0 else end
            expect.equal(f"{case}: length", cache.length, done, reread=where)
        seen += t
    expect.equal("a second cache, nothing seen: length", other.length, 0, reread=where)
    k, v = texts[0, :, :, :1]
    expect.close("a second cache: K", other.append(0, k, v)[0], k, reread=where)
    narrow = WindowCache(1, 3, 1, 5)
    for at in range(3):
        _, V = narrow.append(0, *texts[0, :, :, at : at + 1])
    expect.close("a window of 1 holds the token itself: V", V, texts[0, 1, :, 2:3], reread=where)
    deep = WindowCache(6, 3, 2, 5)  # more layers than heads, positions or columns
    for layer in range(6):
        k, v = texts[0, :, :, layer : layer + 1]
        K, _ = deep.append(layer, k.copy(), v.copy())
        expect.close(f"six layers, a window of 2, layer {layer}: K", K, k, reread=where)
    grown = growth(WindowCache)
    expect.true(
        "memory from token 64 to token 320, a window of 4",
        grown < 64 * 1024,  # what nobody forgets is 256 tokens of 1 KiB
        f"{grown // 1024} KiB more",
        "no more than before: what fell out is freed",
        reread=where,
    )


def growth(WindowCache: Any) -> int:
    """Bytes that a cache of window 4 takes on between its 64th and its 320th token."""
    running = tracemalloc.is_tracing()
    if not running:
        tracemalloc.start()
    try:
        cache, sizes = WindowCache(1, 2, 4, 32), []
        for token in range(320):
            cache.append(0, np.full((2, 1, 32), token + 0.5), np.full((2, 1, 32), token - 0.5))
            if token in (63, 319):
                sizes.append(tracemalloc.get_traced_memory()[0])
        return max(0, sizes[1] - sizes[0]) // 1024 * 1024
    finally:
        if not running:
            tracemalloc.stop()


def judge_bytes(bytes_saved: Any) -> None:
    """Mistral-7B, a text shorter than the window, nothing to group, sizes all different."""
    hand = 'Stage 6, "By hand"'
    # 16 GiB in full; a quarter, an eighth and 1/32 of it are left
    got = bytes_saved(32, 32, 8, 32768, 4096, 128, 2)
    gib = 2**30
    want = (12 * gib, 14 * gib, 31 * gib // 2)
    expect.equal("Mistral-7B, 32,768 tokens in fp16", got, want, reread=hand)
    # full 2*3*6*10*5*8 = 14400; 2 of 6 heads 4800; 7 of 10 positions 10080; both 3360
    got = bytes_saved(3, 6, 2, 10, 7, 5, 8)
    case = "3 layers, 6 heads, 2 key heads, 10 tokens, window 7, d_head 5"
    expect.equal(case, got, (9600, 4320, 11040), reread=hand)
    # 2*3*6*4*5*8 = 5760 in full, 1920 with 2 of 6 heads
    short = bytes_saved(3, 6, 2, 4, 7, 5, 8)
    expect.equal("4 tokens in a window of 7", short, (3840, 0, 3840), reread=hand)
    same = bytes_saved(3, 6, 6, 10, 7, 5, 8)
    expect.equal("as many key heads as heads", same, (0, 4320, 4320), reread=hand)
    exact = bytes_saved(3, 6, 2, 7, 7, 5, 8)
    expect.equal("7 tokens in a window of 7", exact, (6720, 0, 6720), reread=hand)


@stage(reread='Stage 6, "By hand"')
def check_stage6(grouped_attention, WindowCache, bytes_saved):
    """Grouped attention, the window cache, and the bytes that each of them saves."""
    judge_bytes(bytes_saved)
    judge_attention(grouped_attention)
    judge_window(WindowCache)
