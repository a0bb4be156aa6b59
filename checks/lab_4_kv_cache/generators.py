"""What the checks of stages 1 to 4 share: the models, and how a generator is judged."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from checks import expect
from checks.lab_4_kv_cache.oracles import (
    random_past,
    slow_greedy,
    slow_logits,
    snapshot,
    tied_model,
    tiny_model,
)

# The arguments of tiny_model: seed, n_heads, n_kv_heads, d_head, n_layers, V. The models are
# two layers deep (one layer hides a wrong mask in prefill: its keys come from the embeddings
# alone), with V = 17 and a context of 13, unless it says otherwise.
GROUPED = (1, 6, 3, 4)  # two query heads a key head, D = 24
OWN_KEYS = (2, 4, 4, 5)  # H = G, D = 20
ONE_KEY = (3, 4, 1, 7)  # G = 1, D = 28
DEEP = (4, 2, 1, 3, 3)  # three layers, D = 6
MANY_IDS = (5, 2, 1, 4, 2, 300)  # V is more than a byte holds
TEXT = (3, 11, 3, 16, 0, 7, 12)  # one id twice: only its position tells the two apart
SIZES = {"n_heads", "n_kv_heads", "context", "layers"}  # what a model holds beside arrays
OTHERS = (
    (OWN_KEYS, "4 query heads, 4 key heads"),
    (ONE_KEY, "one key head"),
    (DEEP, "three layers"),
)

wanted = functools.cache(lambda shape, ids: slow_logits(tiny_model(*shape), ids))
wanted_text = functools.cache(lambda shape, *ask: slow_greedy(tiny_model(*shape), *ask))
wanted_after = functools.cache(
    lambda shape, length, ids: slow_logits(
        tiny_model(*shape), ids, random_past(5, tiny_model(*shape), length)
    )
)


def unchanged_model(before: dict[str, np.ndarray], model: dict) -> None:
    """The caller's model holds what it held."""
    after = snapshot(model)
    own = {name for name in before if " of layer " not in name}
    expect.unchanged("the names in the model", sorted(own | SIZES), sorted(model))
    expect.unchanged("the names of the model's arrays", sorted(before), sorted(after))
    for name, array in before.items():
        expect.unchanged(f"the model's {name}", array, after.get(name))


def two(case: str, got: Any, what: str) -> tuple[Any, Any]:
    """Both parts of a result that is promised as a pair."""
    pair = hasattr(got, "__len__") and len(got) == 2
    expect.true(case, pair, got, f"a pair, {what}")
    return (got[0], got[1]) if pair else (None, None)


def fits(case: str, asked: str, function: Any, *arguments: Any) -> Any:
    """What a call gives that lies just within the limit; a ValueError is one too early."""
    try:
        return function(*arguments)
    except ValueError:
        expect.true(case, False, "ValueError", asked)
        return None


def judge_generator(generate: Any, reread: str, edges: str) -> None:
    """What naive and cached generation promise alike: ids, logits, ties, edges, errors."""
    prompt = np.array([3, 11, 3, 16, 0])
    want_ids, want_logits = wanted_text(GROUPED, (3, 11, 3, 16, 0), 7)
    ids, logits = two("n = 1", generate(tiny_model(*GROUPED), prompt, 1), "ids and logits")
    expect.shape("a prompt of 5, n = 1: ids", ids, (6,))
    expect.shape("a prompt of 5, n = 1: logits", logits, (1, 17))
    expect.close("a prompt of 5, n = 1: which logits", logits, want_logits[:1], reread=reread)
    expect.equal("a prompt of 5, n = 1: which ids", ids, want_ids[:6], reread=reread)
    ids, logits = two("n = 2", generate(tiny_model(*GROUPED), prompt, 2), "ids and logits")
    expect.close("a prompt of 5, n = 2: which logits", logits, want_logits[:2], reread=reread)
    expect.equal("a prompt of 5, n = 2: which ids", ids, want_ids[:7], reread=reread)
    got = generate(tiny_model(*GROUPED), prompt, 7)
    ids, logits = two("a prompt of 5, n = 7", got, "ids and logits")
    expect.shape("a prompt of 5, n = 7: ids", ids, (12,))
    expect.unchanged("the caller's prompt", np.array([3, 11, 3, 16, 0]), prompt)
    integers = np.asarray(ids).dtype.kind in "iu"
    expect.true("the ids are whole numbers", integers, ids, "ints, as an embedding needs them")
    expect.shape("a prompt of 5, n = 7: logits", logits, (7, 17))
    expect.equal("a prompt of 5, n = 7: which ids", ids, want_ids, reread=reread)
    expect.close("a prompt of 5, n = 7: which logits", logits, want_logits, reread=reread)
    ids, logits = two("n = 0", generate(tiny_model(*GROUPED), prompt, 0), "ids and logits")
    expect.equal("n = 0: the prompt", ids, [3, 11, 3, 16, 0], reread=edges)
    expect.shape("n = 0: logits", logits, (0, 17), reread=edges)
    for shape, words in OTHERS:
        ids, logits = two(words, generate(tiny_model(*shape), np.array([8]), 4), "ids and logits")
        want_ids, want_logits = wanted_text(shape, (8,), 4)
        expect.equal(f"a prompt of one id, {words}: which ids", ids, want_ids, reread=reread)
        expect.close(f"a prompt of one id, {words}: logits", logits, want_logits, reread=reread)
    ids, _ = two("ties", generate(tied_model(), np.array([2, 7]), 3), "ids and logits")
    expect.equal("ids 4 and 9 tie at every step", ids, [2, 7, 4, 4, 4], reread=edges)
    ids, _ = two("nearly", generate(tied_model(2e-9), np.array([2, 7]), 3), "ids and logits")
    expect.equal("id 9 leads id 4 by 2e-9", ids, [2, 7, 9, 9, 9], reread=edges)
    got = generate(tiny_model(*MANY_IDS), np.array([280, 3, 299]), 4)
    ids, logits = two("300 in the vocabulary", got, "ids and logits")
    want_ids, want_logits = wanted_text(MANY_IDS, (280, 3, 299), 4)
    expect.equal("300 in the vocabulary: ids", ids, want_ids)
    expect.close("300 in the vocabulary: logits", logits, want_logits)
    whole = np.array([1, 5, 9, 2, 8, 11, 0, 4, 16])
    case = "9 + 4 tokens in a context of 13"
    got = fits(case, "no error: they just fit", generate, tiny_model(*GROUPED), whole, 4)
    ids, logits = two(case, got, "ids and logits")
    want_ids, want_logits = wanted_text(GROUPED, tuple(whole.tolist()), 4)
    expect.equal(f"{case}: ids", ids, want_ids, reread=edges)
    expect.close(f"{case}: logits", logits, want_logits, reread=edges)
    # the last token would need no position, and is counted all the same
    too_long = (tiny_model(*GROUPED), whole, 5)
    expect.raises("9 + 5 tokens in a context of 13", ValueError, generate, *too_long, reread=edges)
    far = (tiny_model(*GROUPED), whole, 9)
    expect.raises("9 + 9 tokens in a context of 13", ValueError, generate, *far, reread=edges)
