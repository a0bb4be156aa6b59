"""Slips of stages 3 and 4: a step with the cache, prefill, cached generation."""

from checks.expect import Slip

TOO_LONG = """    if total > model["context"]:
        raise ValueError(f"{len(prompt)} + {n} tokens exceed the context, {model['context']}")
"""
FIRST = """        if step == 0:
            logits[step] = solution_prefill(model, prompt, cache)
        else:
            logits[step] = solution_decode_step(model, ids[-1], cache)
"""

STEP = [
    Slip(
        "decode_step",
        "feed_forward(x, layer)",
        'feed_forward(layer_norm(x, layer["ln2_gain"], layer["ln2_bias"]), layer)',
        "when the MLP's input is normed twice: feed_forward norms it already",
    ),
    Slip("decode_step", "[cache.length]", "[0]", "when every token stands at position 0"),
    Slip(
        "decode_step", "[cache.length]", "[cache.length + 1]", "when the position is one too high"
    ),
    Slip(
        "decode_step",
        "[cache.length]",
        "[cache.length - 1]",
        "when the position is that of the token before",
    ),
    Slip(
        "decode_step",
        ' + model["position_embedding"][cache.length]',
        "",
        "when the position is not added",
    ),
    Slip(
        "decode_step",
        "k, v = cache.append(index, k, v)",
        "cache.append(index, k, v)",
        "when the new token attends to itself only",
    ),
    Slip(
        "decode_step",
        "cache.append(index, k, v)",
        "cache.append(0, k, v)",
        "when every layer appends to layer 0",
    ),
    Slip(
        "decode_step",
        "cache.append(index, k, v)",
        "cache.append(index, v, k)",
        "when k and v are appended the wrong way round",
    ),
    Slip(
        "decode_step",
        "cache.append(index, k, v)",
        "(part[:, :-1] if part.shape[1] > 1 else part for part in cache.append(index, k, v))",
        "when the new token does not attend to itself",
    ),
    Slip(
        "decode_step",
        " / np.sqrt(q.shape[-1])",
        "",
        "when the scores are not divided by sqrt(d_head)",
    ),
    Slip(
        "decode_step",
        "np.sqrt(q.shape[-1])",
        "np.sqrt(x.shape[-1])",
        "when the scores are divided by sqrt(D), the width of all heads together",
    ),
    Slip(
        "decode_step",
        "k.repeat(group, axis=0), v.repeat(group, axis=0)",
        "np.tile(k, (group, 1, 1)), np.tile(v, (group, 1, 1))",
        "when the key and value heads are repeated in turn (0 1 2 0 1 2), not in blocks",
    ),
    Slip(
        "decode_step",
        'layer_norm(x, layer["ln1_gain"], layer["ln1_bias"])',
        "x",
        "when attention reads the row without its norm",
    ),
    Slip(
        "decode_step",
        '(layer_norm(x, model["ln_gain"], model["ln_bias"])',
        "(x",
        "when the last norm is left out",
    ),
    Slip(
        "decode_step",
        '@ model["unembedding"])[0]',
        '@ model["unembedding"])',
        "when the logits keep an axis for the one token, (1, V)",
    ),
    Slip(
        "decode_step",
        "scores = q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1])",
        "scores = np.tril(q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1])); scores[scores == 0] = -np.inf",
        "when a causal mask of one row hides all but the first key",
    ),
    Slip(
        "decode_step",
        None,
        """
def solution_decode_step(model, token, cache):
    cache.ids = [*getattr(cache, "ids", []), token]
    empty = np.zeros((model["n_kv_heads"], 1, model["token_embedding"].shape[1] // model["n_heads"]))
    for index in range(len(model["layers"])):
        cache.append(index, empty, empty)
    return solution_forward(model, np.array(cache.ids))[-1]
""",
        "when the ids are remembered and everything is computed again",
    ),
]

PREFILL = [
    Slip(
        "prefill",
        "feed_forward(x, layer)",
        'feed_forward(layer_norm(x, layer["ln2_gain"], layer["ln2_bias"]), layer)',
        "when the MLP's input is normed twice: feed_forward norms it already",
    ),
    Slip(
        "prefill",
        "np.arange(start, end)[:, None]",
        "np.arange(len(prompt))[:, None]",
        "when the mask is aligned at the top left, so that a second chunk sees too little",
    ),
    Slip(
        "prefill",
        "np.where(visible, scores, -np.inf)",
        "scores",
        "when no mask is applied and a row of the chunk sees later ones",
    ),
    Slip(
        "prefill",
        "np.arange(end) <= np.arange",
        "np.arange(end) < np.arange",
        "when the mask hides a token from itself",
    ),
    Slip(
        "prefill",
        "np.arange(start, end)[:, None]",
        "np.arange(start + 1, end + 1)[:, None]",
        "when a row of the chunk sees one token too many",
    ),
    Slip(
        "prefill",
        '["position_embedding"][start:end]',
        '["position_embedding"][: len(prompt)]',
        "when positions begin at 0 again in every chunk",
    ),
    Slip(
        "prefill",
        '["position_embedding"][start:end]',
        '["position_embedding"][start]',
        "when all tokens of a chunk get the position of its first",
    ),
    Slip(
        "prefill",
        "layer_norm(x[-1],",
        "layer_norm(x,",
        "when the logits of every row are returned, not of the last",
    ),
    Slip(
        "prefill",
        "layer_norm(x[-1],",
        "layer_norm(x[0],",
        "when the logits of the first row are returned",
    ),
    Slip(
        "prefill",
        "k, v = cache.append(index, k, v)",
        "cache.append(index, k, v); visible = np.tri(len(prompt), dtype=bool)",
        "when a chunk sees itself only, not what the cache held before",
    ),
    Slip(
        "prefill",
        "np.where(visible, scores, -np.inf)",
        "np.where(visible, scores, 0.0)",
        "when hidden scores become 0, which softmax does not make 0",
    ),
    Slip(
        "prefill",
        "cache.append(index, k, v)",
        "(part[:, -end:] for part in (np.concatenate([old, new], axis=1) for old, new in zip(cache.append(index, k[:, :1], v[:, :1]), (k[:, 1:], v[:, 1:]))))",
        "when only the first token of a chunk is kept in the cache",
    ),
    Slip(
        "prefill",
        "k.repeat(group, axis=0), v.repeat(group, axis=0)",
        "np.tile(k, (group, 1, 1)), np.tile(v, (group, 1, 1))",
        "when the key and value heads are repeated in turn (0 1 2 0 1 2), not in blocks",
    ),
    Slip(
        "prefill", " / np.sqrt(q.shape[-1])", "", "when the scores are not divided by sqrt(d_head)"
    ),
    Slip(
        "prefill",
        'layer_norm(x[-1], model["ln_gain"], model["ln_bias"])',
        "x[-1]",
        "when the last norm is left out",
    ),
]

CACHED_GENERATION = [
    Slip(
        "generate_cached",
        "    for step in range(n):",
        "    logits[:] = 0.0\n    for step in range(n - 1):",
        "when one token too few is generated",
    ),
    Slip(
        "generate_cached",
        None,
        """
def solution_generate_cached(model, prompt, n):
    d, vocab = model["unembedding"].shape
    if len(prompt) + n > model["context"]:
        raise ValueError
    cache = solution_KVCache(len(model["layers"]), model["n_kv_heads"], model["context"], d // model["n_heads"])
    ids, logits = np.array(prompt), np.empty((n, vocab))
    for step in range(n):
        logits[step] = solution_prefill(model, ids, cache)
        ids = np.append(ids, logits[step].argmax())
    return ids, logits
""",
        "when each step prefills the whole text into the cache that holds it already",
    ),
    Slip(
        "generate_cached",
        FIRST,
        "        logits[step] = solution_forward(model, ids)[-1]\n",
        "when every step runs the whole text again, without a cache or with a fresh one",
    ),
    Slip(
        "generate_cached",
        "solution_decode_step(model, ids[-1], cache)",
        "solution_decode_step(model, ids[-2], cache)",
        "when each step feeds the token before the newest",
    ),
    Slip(
        "generate_cached",
        "solution_prefill(model, prompt, cache)",
        "(solution_prefill(model, prompt, cache), solution_decode_step(model, ids[-1], cache))[1]",
        "when the last token of the prompt is fed twice, by prefill and by a step",
    ),
    Slip(
        "generate_cached",
        "solution_prefill(model, prompt, cache)",
        "solution_prefill(model, prompt[-1:], cache)",
        "when only the last token of the prompt is read",
    ),
    Slip(
        "generate_cached",
        "    return ids, logits",
        "    if n and total < model['context'] and total > len(prompt): solution_decode_step(model, ids[-1], solution_KVCache(len(model['layers']), model['n_kv_heads'], total, d // model['n_heads']))\n    return ids, logits",
        "when the last new token is fed as well, although nobody reads its logits",
    ),
    Slip("generate_cached", TOO_LONG, "", "when a text longer than the context is not refused"),
    Slip(
        "generate_cached",
        "if total >",
        "if total >=",
        "when a text that exactly fills the context is refused",
    ),
    Slip(
        "generate_cached",
        "if total >",
        "if total - 1 >",
        "when the last token is not counted, since it is never read",
    ),
    Slip(
        "generate_cached",
        "logits[step].argmax()",
        "len(logits[step]) - 1 - logits[step][::-1].argmax()",
        "when a tie goes to the higher id",
    ),
    Slip(
        "generate_cached",
        "return ids, logits",
        "return ids[len(prompt):], logits",
        "when the prompt is missing from the ids",
    ),
    Slip(
        "generate_cached",
        "return ids, logits",
        "return ids, np.array(list(logits))",
        "when an empty list becomes the logits of n = 0, shape (0,)",
    ),
]

CACHED = [*STEP, *PREFILL, *CACHED_GENERATION]
