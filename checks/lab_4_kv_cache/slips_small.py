"""Slips of stages 5 and 6: counting rows and bytes, grouped heads, the window."""

from checks.expect import Slip

SMALL = [
    Slip(
        "kv_rows",
        "n * (n - 1) // 2",
        "n * (n + 1) // 2",
        "when the naive sum runs to P + n, one step too far",
    ),
    Slip(
        "kv_rows",
        "n * prompt_len + n * (n - 1) // 2",
        "n * prompt_len",
        "when the naive way is thought to rerun the prompt alone",
    ),
    Slip(
        "kv_rows",
        "n * prompt_len + n * (n - 1) // 2",
        "n * (n - 1) // 2",
        "when the prompt is forgotten in the naive sum",
    ),
    Slip(
        "kv_rows",
        "n * prompt_len + n * (n - 1) // 2",
        "(prompt_len + n) ** 2",
        "when T squared, the size of the score matrix, is taken for the rows",
    ),
    Slip(
        "kv_rows",
        "prompt_len + n - 1",
        "prompt_len + n",
        "when the last token is fed back, which nobody needs",
    ),
    Slip("kv_rows", "prompt_len + n - 1", "n", "when the prefill is forgotten in the cached count"),
    Slip(
        "kv_rows",
        "n * prompt_len + n * (n - 1) // 2, prompt_len + n - 1",
        "prompt_len + n - 1, n * prompt_len + n * (n - 1) // 2",
        "when the two counts are swapped",
    ),
    Slip(
        "cache_bytes",
        "2 * n_layers",
        "n_layers",
        "when the factor 2 for keys and values is missing",
    ),
    Slip("cache_bytes", " * itemsize", "", "when numbers are counted, not bytes"),
    Slip("cache_bytes", " * itemsize", " * itemsize * 8", "when bits are counted, not bytes"),
    Slip("cache_bytes", "2 * n_layers * ", "2 * ", "when one layer is counted"),
    Slip("cache_bytes", " * n_kv_heads", "", "when one head is counted"),
    Slip(
        "grouped_attention",
        "q.reshape(len(k), -1, n_queries, d_head)",
        "q.reshape(-1, len(k), n_queries, d_head).swapaxes(0, 1)",
        "when head h reads key head h modulo G",
    ),
    Slip(
        "grouped_attention",
        "np.sqrt(d_head)",
        "d_head",
        "when scores are divided by d, not by its root",
    ),
    Slip("grouped_attention", " / np.sqrt(d_head)", "", "when the scores are not scaled"),
    Slip(
        "grouped_attention",
        "np.sqrt(d_head)",
        "np.sqrt(d_head * n_heads // len(k))",
        "when the scale takes the width of a group for that of a head",
    ),
    Slip(
        "grouped_attention",
        "np.where(visible, scores, -np.inf)",
        "scores",
        "when the mask is not applied",
    ),
    Slip(
        "grouped_attention",
        "np.where(visible, scores, -np.inf)",
        "np.where(visible, scores, 0.0)",
        "when hidden scores become 0, which still gets weight",
    ),
    Slip(
        "grouped_attention",
        "weights @ v[:, None]",
        "weights @ v[:1, None]",
        "when every group reads the values of key head 0",
    ),
    Slip(
        "grouped_attention",
        "grouped @ k[:, None].swapaxes(-1, -2)",
        "grouped @ k[:1, None].swapaxes(-1, -2)",
        "when every group reads the keys of key head 0",
    ),
    Slip(
        "WindowCache",
        "keys.shape[1] - (self.window - 1)",
        "keys.shape[1] - self.window",
        "when the window's tokens are kept beside the new one, so that it sees one too many",
    ),
    Slip(
        "WindowCache",
        "self.length = min(self.seen)",
        "self.length = min(e[0].shape[1] for e in self.kept)",
        "when the length counts what is kept, so that positions stand still",
    ),
    Slip(
        "WindowCache",
        "self.length = min(self.seen)",
        "self.length = max(self.seen)",
        "when the length is that of the fullest layer",
    ),
    Slip(
        "WindowCache",
        "keys[:, start:], k]",
        "keys[:, : self.window - 1], k]",
        "when the oldest tokens are kept and the newest dropped",
    ),
    Slip(
        "WindowCache",
        "return keys, values",
        "return self.kept[layer]",
        "when a chunk is cut to the window before its own queries have looked",
    ),
    Slip(
        "WindowCache",
        "self.seen[layer] += k.shape[1]",
        "self.seen[layer] += 1",
        "when every append counts as one token",
    ),
    Slip(
        "WindowCache",
        "return keys, values",
        "return values, keys",
        "when keys and values come back swapped",
    ),
]
