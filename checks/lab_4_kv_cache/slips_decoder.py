"""Slips of stages 1 and 2: the decoder, and naive generation."""

from checks.expect import Slip

OPENING = 'model["token_embedding"][ids] + model["position_embedding"][: len(ids)]'
TOO_LONG = """    if len(prompt) + n > model["context"]:
        raise ValueError(f"{len(prompt)} + {n} tokens exceed the context, {model['context']}")
"""
MLP = """\
up = layer_norm(x, layer["ln{1}_gain"], layer["ln{2}_bias"]) @ layer["w_up"]
        x = x + {0} @ layer["w_down"]"""
STEP = """        logits[step] = solution_forward(model, ids)[-1]
        ids = np.append(ids, logits[step].argmax())
"""

FORWARD = [
    Slip(
        "forward", " / np.sqrt(q.shape[-1])", "", "when the scores are not divided by sqrt(d_head)"
    ),
    Slip(
        "forward",
        "np.sqrt(q.shape[-1])",
        "q.shape[-1]",
        "when the scores are divided by d_head, not by its root",
    ),
    Slip(
        "forward",
        "np.sqrt(q.shape[-1])",
        "np.sqrt(x.shape[-1])",
        "when the scores are divided by sqrt(D), the width of all heads together",
    ),
    Slip("forward", " + hidden", "", "when no mask is applied and a row sees later tokens"),
    Slip(
        "forward",
        "q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1]) + hidden",
        "np.where(hidden < 0, 0.0, q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1]))",
        "when hidden scores become 0, which softmax does not make 0",
    ),
    Slip(
        "forward",
        """ + hidden  # (H, T, T)
        mixed = softmax(scores) @ v""",
        """
        mixed = (softmax(scores) * (hidden == 0)) @ v""",
        "when weights are hidden after softmax, so that a row no longer adds up to 1",
    ),
    Slip("forward", "k=1)", "k=2)", "when the mask lets a row see one token too many"),
    Slip(
        "forward",
        "np.triu(np.full((len(ids), len(ids)), -np.inf), k=1)",
        "np.tril(np.full((len(ids), len(ids)), -np.inf), k=-1)",
        "when the mask is the wrong way round and hides the past",
    ),
    Slip(
        "forward",
        "np.triu(np.full((len(ids), len(ids)), -np.inf), k=1)",
        "np.triu(np.full((len(ids), len(ids)), -np.inf), k=0)",
        "when the mask hides a token from itself, and the first row sees nothing",
    ),
    Slip(
        "forward",
        "k.repeat(group, axis=0), v.repeat(group, axis=0)",
        "np.tile(k, (group, 1, 1)), np.tile(v, (group, 1, 1))",
        "when the key and value heads are repeated in turn (0 1 2 0 1 2), not in blocks",
    ),
    Slip(
        "forward",
        "k, v = k.repeat(group, axis=0)",
        "k, v = np.tile(k, (group, 1, 1))",
        "when the key heads alone are repeated in turn (0 1 2 0 1 2), not in blocks",
    ),
    Slip(
        "forward",
        "v.repeat(group, axis=0)",
        "np.tile(v, (group, 1, 1))",
        "when the value heads alone are repeated in turn (0 1 2 0 1 2), not in blocks",
    ),
    Slip("forward", "softmax(scores)", "scores", "when softmax is left out"),
    Slip(
        "forward",
        "x = x + feed_forward(x, layer)",
        MLP.format("np.maximum(0, up)", 2, 2),
        "when ReLU stands in the place of GELU",
    ),
    Slip(
        "forward",
        "x = x + feed_forward(x, layer)",
        MLP.format("0.5 * up * (1 + np.tanh((2 / np.pi) ** 0.5 * (up + 0.044715 * up**3)))", 2, 2),
        "when GELU is the tanh approximation, not the exact form",
    ),
    Slip(
        "forward",
        "x = x + feed_forward(x, layer)",
        MLP.format("gelu(up)", 1, 1),
        "when the MLP takes the norm of attention, ln1, in place of ln2",
    ),
    Slip(
        "forward",
        "x = x + feed_forward(x, layer)",
        'x = x + gelu(x @ layer["w_up"]) @ layer["w_down"]',
        "when the MLP reads the stream without its norm",
    ),
    Slip(
        "forward",
        ' + model["position_embedding"][: len(ids)]',
        "",
        "when the positions are not added",
    ),
    Slip("forward", "[: len(ids)]", "[0]", "when every token gets the embedding of position 0"),
    Slip("forward", "[: len(ids)]", "[1 : len(ids) + 1]", "when positions are counted from 1"),
    Slip(
        "forward",
        'layer_norm(x, layer["ln1_gain"], layer["ln1_bias"])',
        "x",
        "when attention reads the stream without its norm",
    ),
    Slip(
        "forward",
        'layer_norm(x, model["ln_gain"], model["ln_bias"]) @',
        "x @",
        "when the last norm is left out",
    ),
    Slip(
        "forward",
        "x = x + merge_heads(mixed)",
        "x = merge_heads(mixed)",
        "when attention replaces the stream in place of adding to it",
    ),
    Slip(
        "forward",
        "x = x + feed_forward(x, layer)",
        "x = feed_forward(x, layer)",
        "when the MLP replaces the stream in place of adding to it",
    ),
    Slip(
        "forward",
        "merge_heads(mixed)",
        "mixed.reshape(len(ids), -1)",
        "when the heads are merged without moving the token axis to the front",
    ),
    Slip(
        "forward",
        'split_heads(normed @ layer["w_q"], model["n_heads"])',
        '(normed @ layer["w_q"]).reshape(model["n_heads"], len(ids), -1)',
        "when the queries are split by reshape alone, which mixes tokens and heads",
    ),
    Slip(
        "forward",
        "softmax(scores)",
        "softmax(scores, axis=1)",
        "when softmax runs over the queries, not over the keys",
    ),
    Slip(
        "forward",
        'normed @ layer["w_k"]',
        'normed @ layer["w_v"]',
        "when the keys are made with w_v",
    ),
    Slip(
        "forward",
        'normed @ layer["w_v"]',
        'normed @ layer["w_k"]',
        "when the values are made with w_k",
    ),
    Slip(
        "forward",
        'in model["layers"]',
        'in model["layers"][:1]',
        "when only the first layer is run",
    ),
    Slip(
        "forward",
        'in model["layers"]',
        'in [model["layers"][0]] * len(model["layers"])',
        "when every layer uses the weights of the first",
    ),
    Slip(
        "forward",
        "feed_forward(x, layer)",
        'feed_forward(layer_norm(x, layer["ln2_gain"], layer["ln2_bias"]), layer)',
        "when the MLP's input is normed twice: feed_forward norms it already",
    ),
    Slip(
        "forward",
        """["w_out"]
        x = x + feed_forward""",
        """["w_out"] + feed_forward""",
        "when the MLP reads the stream from before attention",
    ),
    Slip(
        "forward",
        "x = x + feed_forward(x, layer)",
        "x = x + feed_forward(normed, layer)",
        "when the MLP reads the normed stream from before attention",
    ),
    Slip(
        "forward",
        'model["unembedding"]',
        'model["token_embedding"].T',
        "when the token embedding is used to unembed, although they are not tied",
    ),
    Slip(
        "forward",
        f"x = {OPENING}",
        'x = model["position_embedding"][: len(ids)]; x += model["token_embedding"][ids]',
        "when += writes into the model's own table of positions",
    ),
    Slip(
        "forward",
        "return layer_norm(x,",
        "return layer_norm(x[-1],",
        "when only the last row is returned",
    ),
]

GENERATE = [
    Slip(
        "generate_naive",
        "    for step in range(n):",
        "    logits[:] = 0.0\n    for step in range(n - 1):",
        "when one token too few is generated",
    ),
    Slip(
        "generate_naive",
        "(model, ids)[-1]",
        "(model, ids)[0]",
        "when the logits of the first row are taken, not of the last",
    ),
    Slip(
        "generate_naive",
        "(model, ids)[-1]",
        "(model, ids)[len(prompt) - 1]",
        "when the last row of the prompt is read at every step",
        twin="stuck",  # a causal row does not depend on what is fed after it
    ),
    Slip(
        "generate_naive",
        "(model, ids)[-1]",
        "(model, ids[-1:])[-1]",
        "when the model sees the newest token alone",
    ),
    Slip(
        "generate_naive",
        "(model, ids)[-1]",
        "(model, prompt)[-1]",
        "when new tokens are never fed back",
        twin="stuck",
    ),
    Slip(
        "generate_naive",
        "logits[step].argmax()",
        "logits[step].argmin()",
        "when the smallest logit is taken",
    ),
    Slip(
        "generate_naive",
        "logits[step].argmax()",
        "len(logits[step]) - 1 - logits[step][::-1].argmax()",
        "when a tie goes to the higher id",
    ),
    Slip(
        "generate_naive",
        "solution_forward(model, ids)[-1]",
        "softmax(solution_forward(model, ids)[-1])",
        "when probabilities are returned where logits are asked for",
    ),
    Slip(
        "generate_naive",
        "return ids, logits",
        "return ids[len(prompt):], logits",
        "when the prompt is missing from the ids",
    ),
    Slip(
        "generate_naive",
        "return ids, logits",
        "return ids, solution_forward(model, ids)",
        "when the logits of every position are returned, those of the prompt too",
    ),
    Slip(
        "generate_naive",
        "return ids, logits",
        "return ids, solution_forward(model, ids)[-n:]",
        "when the last n rows are returned, which stand one token too late",
    ),
    Slip(
        "generate_naive",
        "return ids, logits",
        "return ids",
        "when the ids are returned without the logits",
    ),
    Slip(
        "generate_naive",
        "return ids, logits",
        "return logits, ids",
        "when the logits come before the ids",
    ),
    Slip(
        "generate_naive",
        "return ids, logits",
        "return ids, np.array(list(logits))",
        "when an empty list becomes the logits of n = 0, shape (0,)",
    ),
    Slip(
        "generate_naive",
        TOO_LONG,
        "",
        "when a text longer than the context is not refused",
        twin="long",
    ),  # one token too many is not read, and with two the table of positions raises
    Slip(
        "generate_naive",
        "> model",
        ">= model",
        "when a text that exactly fills the context is refused",
    ),
    Slip(
        "generate_naive",
        "len(prompt) + n >",
        "len(prompt) + n - 1 >",
        "when the last token is not counted, since it is never read",
        twin="long",
    ),
    Slip(
        "generate_naive",
        TOO_LONG,
        '    prompt, n = prompt[: model["context"]], min(n, model["context"] - len(prompt))\n',
        "when the answer is cut short at the context in place of an error",
    ),
    Slip(
        "generate_naive",
        "(model, ids)[-1]",
        "(model, ids[-(model['context'] - n):])[-1]",
        "when the text is cropped to its last part, as if the context had to hold n more",
    ),
    Slip(
        "generate_naive",
        "return ids, logits",
        "return ids * 1.0, logits",
        "when the ids come out as floats",
    ),
    Slip(
        "generate_naive",
        "np.append(ids, logits[step].argmax())",
        "ids + [logits[step].argmax()]",
        "when ids + [new] is written: that appends to a list, and adds to an array",
    ),
    Slip(
        "generate_naive",
        STEP,
        STEP.replace("        ids", "        if step < n - 1:\n            ids"),
        "when the last new token is computed and not appended",
    ),
]

DECODER = [*FORWARD, *GENERATE]
