"""Slips of stages 3 to 6: the cache, decoding with it, counting, and smaller caches."""

from checks.expect import Slip
from checks.lab_4_kv_cache.slips_small import SMALL

CACHE = [
    Slip(
        "KVCache",
        "self.length = min(self.filled)",
        "self.length += k.shape[1]",
        "when the length advances once per layer",
    ),
    Slip(
        "KVCache",
        "self.length = min(self.filled)",
        "self.length = max(self.filled)",
        "when the length is that of the fullest layer",
    ),
    Slip(
        "KVCache",
        "self.length = min(self.filled)",
        "self.length = self.filled[0]",
        "when the length is that of layer 0",
    ),
    Slip(
        "KVCache",
        "self.filled[layer] = end",
        "self.filled = [end] * len(self.filled)",
        "when all layers share one fill count",
    ),
    Slip(
        "KVCache",
        "return self.keys[layer, :, :end], self.values[layer, :, :end]",
        "return self.keys[layer], self.values[layer]",
        "when the empty rest of the buffer is handed out, so that padding is attended",
    ),
    Slip(
        "KVCache",
        "return self.keys[layer, :, :end], self.values[layer, :, :end]",
        "return self.keys[layer, :, start:end], self.values[layer, :, start:end]",
        "when only the new tokens are handed out",
    ),
    Slip(
        "KVCache",
        "return self.keys[layer, :, :end], self.values[layer, :, :end]",
        "return self.values[layer, :, :end], self.keys[layer, :, :end]",
        "when keys and values come back swapped",
    ),
    Slip(
        "KVCache",
        "self.values[layer, :, start:end] = v",
        "self.values[layer, :, start:end] = k",
        "when the keys are stored as values too",
    ),
    Slip(
        "KVCache",
        "if end > self.keys.shape[2]:",
        "if end >= self.keys.shape[2]:",
        "when the last place of the buffer is never used",
    ),
    Slip(
        "KVCache",
        "self.filled[layer] = end",
        "self.filled[layer] = start + 1",
        "when every append counts as one token",
    ),
    Slip(
        "KVCache",
        "self.keys = np.zeros((n_layers, n_kv_heads, max_len, d_head))",
        "self.keys = np.array([np.zeros((n_kv_heads, max_len, d_head))] * n_layers)[[0]].repeat(1, 0) + np.zeros((1, 1, 1, 1)); self.keys = np.broadcast_to(self.keys, (n_layers, *self.keys.shape[1:])); self.keys.flags.writeable = True",
        "when all layers share one buffer for keys",
    ),
    Slip("decode_step", "at = cache.length", "at = 0", "when every new token gets position 0"),
    Slip(
        "decode_step",
        "at = cache.length",
        "at = cache.length + 1",
        "when the position is counted after the step, not before it",
    ),
    Slip(
        "decode_step",
        'model["token_embedding"][[token]] + model["position_embedding"][[at]]',
        'model["token_embedding"][[token]]',
        "when the new token gets no position",
    ),
    Slip(
        "decode_step",
        "k, v = cache.append(number, k, v)",
        "k, v = cache.append(0, k, v)",
        "when every layer appends to layer 0",
    ),
    Slip(
        "decode_step",
        "k, v = cache.append(number, k, v)",
        "cache.append(number, k, v)",
        "when the step attends to its own token alone",
    ),
    Slip(
        "decode_step",
        "np.repeat(each, n_heads // n_kv_heads, axis=0)",
        "np.tile(each, (n_heads // n_kv_heads, 1, 1))",
        "when key heads are tiled (0 1 0 1) where they are repeated (0 0 1 1)",
    ),
    Slip(
        "decode_step",
        "x = x + mlp(layer, x)",
        "x = mlp(layer, x)",
        "when the residual around the MLP is left out",
    ),
    Slip(
        "decode_step",
        'layer_norm(x, model["ln_gain"], model["ln_bias"]) @ model',
        "x @ model",
        "when the last layer norm is left out",
    ),
    Slip(
        "prefill",
        "np.tri(len(prompt), end, k=start, dtype=bool)",
        "np.tri(len(prompt), end, dtype=bool)",
        "when the mask of a later chunk is aligned to the upper left",
    ),
    Slip(
        "prefill",
        "np.tri(len(prompt), end, k=start, dtype=bool)",
        "np.ones((len(prompt), end), dtype=bool)",
        "when the tokens of a chunk see their own future",
    ),
    Slip(
        "prefill",
        "np.tri(len(prompt), end, k=start, dtype=bool)",
        "np.tri(len(prompt), end, k=start - 1, dtype=bool) | (np.arange(end) == 0)",
        "when a token of the chunk may not look at itself",
    ),
    Slip(
        "prefill",
        '["position_embedding"][start:end]',
        '["position_embedding"][: len(prompt)]',
        "when positions start again at 0 in each chunk",
    ),
    Slip(
        "prefill",
        "k, v = cache.append(number, k, v)",
        "cache.append(number, k, v); k, v = (np.concatenate([np.zeros((len(e), start, e.shape[2])), e], axis=1) for e in (k, v))",
        "when the chunk attends to zeros in place of what the cache holds",
    ),
    Slip(
        "prefill",
        'return layer_norm(x[-1], model["ln_gain"]',
        'return layer_norm(x[0], model["ln_gain"]',
        "when the logits after the chunk's first token are returned",
    ),
    Slip(
        "prefill",
        'return layer_norm(x[-1], model["ln_gain"]',
        'return layer_norm(x, model["ln_gain"]',
        "when the logits of every position are returned",
    ),
    Slip(
        "prefill",
        "k, v = cache.append(number, k, v)",
        "k, v = cache.append(0, k, v)",
        "when every layer appends to layer 0",
    ),
    Slip(
        "generate_cached",
        "rows[step] = solution_decode_step(model, ids[-1], cache)",
        "rows[step] = solution_decode_step(model, ids[0], cache)",
        "when the first token is fed back at each step",
    ),
    Slip(
        "generate_cached",
        'if len(prompt) + n > model["context"]:',
        "if False:",
        "when nobody asks whether prompt and new tokens fit",
    ),
    Slip(
        "generate_cached",
        'if len(prompt) + n > model["context"]:',
        'if len(prompt) + n >= model["context"]:',
        "when a context that is exactly full is refused",
    ),
    Slip(
        "generate_cached",
        "rows[step].argmax()",
        "len(rows[step]) - 1 - rows[step][::-1].argmax()",
        "when ties go to the higher id",
    ),
    Slip(
        "generate_cached",
        "return np.array(ids), rows",
        "return np.array(ids[len(prompt) :]), rows",
        "when the prompt is left out of the ids",
    ),
    Slip(
        "generate_cached",
        None,
        """
def solution_generate_cached(model, prompt, n):
    return generate_naive(model, prompt, n)
""",
        "when everything is recomputed and nothing is cached",
        twin="recompute",  # the rows are the same ones, and rows are all that a check can count
    ),
    Slip(
        "generate_cached",
        "rows[step] = solution_decode_step(model, ids[-1], cache)",
        "rows[step] = solution_prefill(model, ids, solution_KVCache(len(model['layers']), model['n_kv_heads'], len(ids), d_head))",
        "when each step prefills a new cache with all tokens",
        twin="recompute",
    ),
    *SMALL,
]
