"""Further slips of all stages: norms without parameters, spoilt models, fixed sizes, dtypes."""

from checks.expect import Slip

LN_1 = 'layer_norm(x, layer["ln1_gain"], layer["ln1_bias"])'
LN_LAST = 'layer_norm(x, model["ln_gain"], model["ln_bias"])'

DECODER = [
    Slip("forward", LN_1, "layer_norm(x, 1, 0)", "when the norm of attention has no gain and no bias"),
    Slip("forward", LN_1, LN_1.replace("ln1", "ln2"), "when attention takes the norm of the MLP, ln2, in place of ln1"),
    Slip("forward", LN_LAST, "layer_norm(x, 1, 0)", "when the last norm has no gain and no bias"),
    Slip("forward", "        x = x + feed_forward(x, layer)\n", "", "when the MLP is left out"),
    Slip("forward", ' @ layer["w_out"]', "", "when the heads are not mixed by w_out"),
    Slip("forward", "x = x + merge_heads", "x = normed + merge_heads", "when attention is added to the normed stream"),
    Slip("forward", 'in model["layers"]', 'in model["layers"][:2]', "when two layers are run, however many there are"),
    Slip("forward", '    group = model["n_heads"]', '    model["mask"] = hidden\n    group = model["n_heads"]', "when the mask is kept in the caller's model"),
    Slip("forward", "-np.inf", "-10.0", "when hidden scores are lowered by 10 only, and keep some weight"),
    Slip("forward", "    hidden = np", "    x = x.astype(np.float32)\n    hidden = np", "when the stream is rounded to float32"),
    Slip("forward", f'return {LN_LAST} @ model["unembedding"]', f'return softmax({LN_LAST} @ model["unembedding"])', "when probabilities are returned where logits are asked for"),
    Slip("forward", "k, v = k.repeat", "k, v = v, k; k, v = k.repeat", "when keys and values are exchanged"),
    Slip("generate_naive", "logits[step].argmax()", "logits[step].astype(np.float32).argmax()", "when the largest logit is looked for in float32, where near ones tie"),
    Slip("generate_naive", "np.array(prompt)", "np.array(prompt, dtype=np.uint8)", "when ids are kept in 8 bits, which end at 255"),
    Slip("generate_naive", "return ids, logits", "return ids, logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))", "when log-probabilities are returned where logits are asked for"),
    Slip("generate_naive", "solution_forward(model, ids)[-1]", "solution_forward(model, np.append(ids, np.zeros(n - step, int)))[-1]", "when the room for new tokens is read, too, as if it were text"),
    Slip("generate_naive", "        raise ValueError(", "        raise IndexError(", "when another error than ValueError tells that the context is full"),
]  # fmt: skip

CACHE = [
    Slip("KVCache", "return self.keys[layer, :, :end], self.values[layer, :, :end]", "return self.keys[layer, :, :start], self.values[layer, :, :start]", "when what was held before the append is handed out"),
    Slip("KVCache", "        self.held[layer] = end", "        self.held[layer] = end\n        k[:] = 0", "when the caller's keys are cleared"),
    Slip("KVCache", "raise ValueError(", "raise IndexError(", "when another error than ValueError tells that the cache is full"),
    Slip("KVCache", None, """
class solution_KVCache:
    def __init__(self, n_layers, n_kv_heads, max_len, d_head):
        self.keys = np.zeros((n_layers, n_kv_heads, max_len, d_head))
        self.values = np.zeros((n_layers, n_kv_heads, max_len, d_head))
        self.held = [0] * n_layers

    def length(self):
        return min(self.held)

    def append(self, layer, k, v):
        start, end = self.held[layer], self.held[layer] + k.shape[1]
        if end > self.keys.shape[2]:
            raise ValueError(f"{end} positions in a cache for {self.keys.shape[2]}")
        self.keys[layer, :, start:end] = k
        self.values[layer, :, start:end] = v
        self.held[layer] = end
        return self.keys[layer, :, :end], self.values[layer, :, :end]
""", "when length is a method, not an attribute"),
    Slip("decode_step", 'x = model["token_embedding"][token] + model["position_embedding"][cache.length]', 'x = model["token_embedding"][token]; x += model["position_embedding"][cache.length]', "when += writes into the model's own table of tokens"),
    Slip("decode_step", 'x = model["token_embedding"][token] + model["position_embedding"][cache.length]', 'x = model["position_embedding"][cache.length]; x += model["token_embedding"][token]', "when += writes into the model's own table of positions"),
    Slip("decode_step", "k, v = cache.append(index, k, v)", "cache.append(index, k, v); k, v = cache.append(index, k, v)", "when the token is appended twice"),
    Slip("decode_step", 'enumerate(model["layers"])', 'enumerate(model["layers"][:2])', "when two layers are run, however many there are"),
    Slip("decode_step", "x = x + feed_forward(x, layer)", "x = feed_forward(x, layer)", "when the MLP replaces the stream in place of adding to it"),
    Slip("decode_step", ' @ layer["w_out"]', "", "when the heads are not mixed by w_out"),
    Slip("decode_step", "softmax(scores)", "softmax(scores, axis=0)", "when softmax runs over the heads, not over the keys"),
    Slip("decode_step", "return (", "return softmax(", "when probabilities are returned where logits are asked for"),
    Slip("prefill", 'x = model["token_embedding"][prompt] + model["position_embedding"][start:end]', 'x = model["position_embedding"][start:end]; x += model["token_embedding"][prompt]', "when += writes into the model's own table of positions"),
    Slip("prefill", "np.sqrt(q.shape[-1])", "np.sqrt(x.shape[-1])", "when the scores are divided by sqrt(D), the width of all heads together"),
    Slip("prefill", "layer_norm(x[-1]", "layer_norm(x[-1:]", "when the logits keep an axis for the one token, (1, V)"),
    Slip("prefill", "softmax(np.where(visible, scores, -np.inf))", "softmax(np.where(visible, scores, -np.inf), axis=1)", "when softmax runs over the queries, not over the keys"),
    Slip("prefill", "np.arange(end) <= np.arange(start, end)[:, None]", "np.arange(end) <= np.where(start, end, np.arange(start, end))[:, None]", "when only the first chunk is masked"),
    Slip("prefill", 'enumerate(model["layers"])', 'enumerate(model["layers"][:2])', "when two layers are run, however many there are"),
    Slip("generate_cached", 'len(model["layers"]), model', "2, model", "when the cache has two layers, however many the model has"),
    Slip("generate_cached", "total, d //", "n, d //", "when the cache has room for the new tokens only"),
    Slip("generate_cached", "total, d //", "len(prompt), d //", "when the cache has room for the prompt only"),
    Slip("generate_cached", "np.array(prompt)", "np.array(prompt, dtype=np.uint8)", "when ids are kept in 8 bits, which end at 255"),
    Slip("generate_cached", "np.array(prompt)", "np.array(prompt, dtype=float)", "when the ids come out as floats"),
    Slip("generate_cached", "for step in range(n):", "for step in range(max(n, 1)):\n        if n == 0: return np.append(ids, solution_prefill(model, prompt, solution_KVCache(len(model['layers']), model['n_kv_heads'], total, d // model['n_heads'])).argmax()), logits", "when n = 0 generates a token all the same"),
    Slip("generate_cached", "return ids, logits", "return ids, softmax(logits)", "when probabilities are returned where logits are asked for"),
]  # fmt: skip

SIZES = [
    Slip("kv_rows", "n * (n - 1) // 2", "(n - 1) // 2 * n", "when n - 1 is halved first, and an odd one loses its half"),
    Slip("kv_rows", "n * (n - 1) // 2, prompt_len + n - 1", "n * (n + 1) // 2, prompt_len + n", "when both ways feed the token generated last"),
    Slip("kv_rows", "return n", "prompt_len = np.float32(prompt_len); return n", "when rows are counted in float32, which holds 24 bits"),
    Slip("cache_bytes", "2 * n_layers", "4 * n_layers", "when the factor 2 for K and V is put twice"),
    Slip("cache_bytes", "* itemsize", "* itemsize * 8", "when bits are counted, not bytes"),
    Slip("cache_bytes", "* itemsize", "* itemsize / 2**30", "when the result is in GiB, not in bytes"),
    Slip("cache_bytes", "2 * n_layers * n_kv_heads * length * d_head * itemsize", "int(np.prod(np.float32([2, n_layers, n_kv_heads, length, d_head, itemsize])))", "when bytes are counted in float32, which holds 24 bits"),
    Slip("grouped_attention", "    scores = grouped @ k[:, None].swapaxes(2, 3) / np.sqrt(d_head)", "    grouped /= np.sqrt(d_head)\n    scores = grouped @ k[:, None].swapaxes(2, 3)", "when the caller's queries are scaled in place, through a view"),
    Slip("grouped_attention", "np.sqrt(d_head)", "d_head", "when the scores are divided by d_head, not by its root"),
    Slip("grouped_attention", ".reshape(q.shape)", "", "when the heads stay grouped, on two axes"),
    Slip("grouped_attention", "softmax(np.where(visible, scores, -np.inf))", "softmax(np.where(visible, scores, -np.inf), axis=-2)", "when softmax runs over the queries, not over the keys"),
    Slip("grouped_attention", "raise ValueError(", "raise AssertionError(", "when another error than ValueError refuses the heads"),
    Slip("grouped_attention", "    if n_heads % n_kv_heads:", "    if n_kv_heads > n_heads: k, v, n_kv_heads = k[:n_heads], v[:n_heads], n_heads\n    if n_heads % n_kv_heads:", "when more key heads than query heads are not refused"),
    Slip("WindowCache", "return self.held[layer]", "return self.held[layer][::-1]", "when V comes before K"),
    Slip("WindowCache", "return self.held[layer]", "return tuple(part[:, ::-1] for part in self.held[layer])", "when the newest position comes first"),
    Slip("WindowCache", "self.seen[layer] += k.shape[1]", "self.seen[layer] += min(k.shape[1], self.window)", "when of a chunk longer than the window only what is held counts as seen"),
    Slip("WindowCache", "        self.seen[layer] +=", "        if self.seen[layer] + k.shape[1] > self.window: raise ValueError\n        self.seen[layer] +=", "when a full window is an error, as a full cache is"),
    Slip("WindowCache", "zeros((n_kv_heads, 0, d_head))", "zeros((n_kv_heads, window, d_head))", "when zeros stand in the places of positions that were not seen"),
    Slip("WindowCache", "-self.window :] for", "-self.window :].astype(np.float32) for", "when float32 rounds what is put into it"),
    Slip("bytes_saved", "return full - grouped, full - windowed, full - both", "return full - grouped, full - windowed, full - min(grouped, windowed)", "when the larger of the two savings is taken for both together"),
    Slip("bytes_saved", "return full - grouped, full - windowed, full - both", "return (full - grouped) // 2, (full - windowed) // 2, (full - both) // 2", "when only K or only V is counted, without the factor 2"),
    Slip("bytes_saved", "return full - grouped, full - windowed, full - both", "return 1 - grouped / full, 1 - windowed / full, 1 - both / full", "when shares are returned, not bytes"),
    Slip("bytes_saved", "full - windowed, full", "grouped - both, full", "when the window's saving is what it adds to grouping"),
    Slip("bytes_saved", "min(length, window)", "min(length, window - 1)", "when the window holds one position less"),
]  # fmt: skip

FURTHER = [*DECODER, *CACHE, *SIZES]
