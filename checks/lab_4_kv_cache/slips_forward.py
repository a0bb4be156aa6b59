"""Slips of stages 1 and 2: the forward pass, and generation without a cache."""

from checks.expect import Slip

FORWARD = [
    Slip(
        "forward", "np.tri(n, dtype=bool)", "np.ones((n, n), dtype=bool)", "when no mask is applied"
    ),
    Slip(
        "forward",
        "np.tri(n, dtype=bool)",
        "np.tri(n, k=-1, dtype=bool) | (np.arange(n) == 0)",
        "when a token may not look at itself",
    ),
    Slip(
        "forward",
        "np.tri(n, dtype=bool)",
        "np.tri(n, k=1, dtype=bool)",
        "when each token sees the next one too",
    ),
    Slip(
        "forward", "np.tri(n, dtype=bool)", "np.tri(n, dtype=bool).T", "when the mask is transposed"
    ),
    Slip(
        "forward", "for each in (k, v))", "for each in (v, k))", "when keys and values are swapped"
    ),
    Slip(
        "forward",
        "np.repeat(each, n_heads // n_kv_heads, axis=0)",
        "np.tile(each, (n_heads // n_kv_heads, 1, 1))",
        "when key heads are tiled (0 1 0 1) where they are repeated (0 0 1 1)",
    ),
    Slip("forward", ' + model["position_embedding"][:n]', "", "when positions are left out"),
    Slip(
        "forward",
        'model["position_embedding"][:n]',
        'model["position_embedding"][1 : n + 1]',
        "when positions begin at 1",
    ),
    Slip(
        "forward",
        'h = layer_norm(x, layer["ln1_gain"], layer["ln1_bias"])',
        "h = x",
        "when the first layer norm of a block is left out",
    ),
    Slip(
        "forward",
        'x = x + attend(q, k, v, visible) @ layer["w_out"]',
        'x = attend(q, k, v, visible) @ layer["w_out"]',
        "when the residual around attention is left out",
    ),
    Slip(
        "forward",
        "x = x + mlp(layer, x)",
        "x = mlp(layer, x)",
        "when the residual around the MLP is left out",
    ),
    Slip("forward", "x = x + mlp(layer, x)", "pass", "when the MLP is left out"),
    Slip(
        "forward",
        'attend(q, k, v, visible) @ layer["w_out"]',
        "attend(q, k, v, visible)",
        "when w_out is left out",
    ),
    Slip(
        "forward",
        'layer_norm(x, model["ln_gain"], model["ln_bias"]) @ model',
        "x @ model",
        "when the last layer norm is left out",
    ),
    Slip(
        "forward",
        '@ model["unembedding"]',
        '@ model["token_embedding"].T',
        "when the embedding is used to unembed, as if they were tied",
    ),
    Slip(
        "generate_naive",
        'if len(prompt) + n > model["context"]:',
        'if len(prompt) + n >= model["context"]:',
        "when a context that is exactly full is refused",
    ),
    Slip(
        "generate_naive",
        'if len(prompt) + n > model["context"]:',
        "if False:",
        "when nobody asks whether prompt and new tokens fit",
    ),
    Slip(
        "generate_naive",
        'if len(prompt) + n > model["context"]:',
        'if len(prompt) + n > model["context"] + 1:',
        "when one token too many is let in",
    ),
    Slip(
        "generate_naive",
        "solution_forward(model, ids)[-1]",
        "solution_forward(model, ids)[0]",
        "when the first row of the logits chooses the token",
    ),
    Slip(
        "generate_naive",
        "solution_forward(model, ids)[-1]",
        "solution_forward(model, ids[-1:])[-1]",
        "when only the last token is fed back",
    ),
    Slip(
        "generate_naive",
        "solution_forward(model, ids)[-1]",
        "solution_forward(model, list(prompt))[-1]",
        "when the prompt alone is fed in at each step",
    ),
    Slip(
        "generate_naive",
        "rows[step].argmax()",
        "rows[step].argmin()",
        "when the smallest logit wins",
    ),
    Slip(
        "generate_naive",
        "rows[step].argmax()",
        "len(rows[step]) - 1 - rows[step][::-1].argmax()",
        "when ties go to the higher id",
    ),
    Slip(
        "generate_naive",
        "return np.array(ids), rows",
        "return np.array(ids[len(prompt) :]), rows",
        "when the prompt is left out of the ids",
    ),
    Slip(
        "generate_naive",
        "return np.array(ids), rows",
        "return np.array(ids), solution_forward(model, ids)",
        "when a row is returned for every token, not for the generated ones",
    ),
    Slip(
        "generate_naive",
        "rows[step] = solution_forward(model, ids)[-1]",
        "rows[step] = softmax(solution_forward(model, ids)[-1])",
        "when probabilities are returned, not logits",
    ),
    Slip(
        "generate_naive",
        None,
        """
def solution_generate_naive(model, prompt, n):
    if len(prompt) + n > model["context"]:
        raise ValueError("too long")
    ids, rows = prompt, np.zeros((n, model["unembedding"].shape[1]))
    for step in range(n):
        rows[step] = forward(model, ids)[-1]
        if isinstance(ids, list):
            ids.append(int(rows[step].argmax()))
        else:
            ids = np.append(ids, rows[step].argmax())
    return np.array(ids), rows
""",
        "when new tokens are appended to the caller's own list",
    ),
]
