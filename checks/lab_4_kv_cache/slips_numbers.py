"""Slips of stages 5 and 6: counting rows and bytes, and the smaller caches."""

from checks.expect import Slip

COUNTS = [
    Slip(
        "kv_rows",
        "n * (n - 1) // 2",
        "n * (n + 1) // 2",
        "when the token generated last is fed to the model, too",
    ),
    Slip(
        "kv_rows",
        "n * prompt_len + n * (n - 1) // 2",
        "n * (n - 1) // 2",
        "when the prompt is not read again at each step of the naive way",
    ),
    Slip(
        "kv_rows",
        "n * prompt_len + n * (n - 1) // 2",
        "n * prompt_len",
        "when the naive way reads the prompt again, but no new token",
    ),
    Slip(
        "kv_rows",
        "n * prompt_len + n * (n - 1) // 2",
        "n * (prompt_len + n)",
        "when every naive step is taken to be as long as the last",
    ),
    Slip(
        "kv_rows",
        "n * prompt_len + n * (n - 1) // 2",
        "prompt_len + n * (n - 1) // 2",
        "when the prompt is counted once in the naive way",
    ),
    Slip(
        "kv_rows",
        "n * prompt_len + n * (n - 1) // 2",
        "n * prompt_len + n * (n - 1)",
        "when the half is forgotten in n(n-1)/2",
    ),
    Slip(
        "kv_rows",
        "n * prompt_len + n * (n - 1) // 2",
        "(prompt_len + n) * (prompt_len + n - 1) // 2",
        "when the prompt is read token by token in the naive way",
    ),
    Slip(
        "kv_rows",
        "n * prompt_len + n * (n - 1) // 2",
        "(n * prompt_len + n * (n - 1)) // 2",
        "when the whole sum is halved, the prompt's share too",
    ),
    Slip(
        "kv_rows",
        "prompt_len + n - 1",
        "prompt_len + n",
        "when the cached way feeds the last new token, which nobody reads",
    ),
    Slip("kv_rows", "prompt_len + n - 1", "n", "when the cached way is counted without its prompt"),
    Slip(
        "kv_rows",
        "prompt_len + n - 1",
        "prompt_len * n",
        "when the cached way reads the prompt at every step",
    ),
    Slip(
        "kv_rows",
        "n * prompt_len + n * (n - 1) // 2, prompt_len + n - 1",
        "prompt_len + n - 1, n * prompt_len + n * (n - 1) // 2",
        "when the cached count comes first",
    ),
    Slip(
        "cache_bytes",
        "2 * n_layers",
        "n_layers",
        "when only K or only V is counted, without the factor 2",
    ),
    Slip("cache_bytes", "2 * n_layers *", "2 *", "when one layer is counted, not all"),
    Slip("cache_bytes", " * n_kv_heads", "", "when one key head is counted, not all"),
    Slip("cache_bytes", " * d_head", "", "when a key is counted as one number, not as d_head"),
    Slip("cache_bytes", " * itemsize", "", "when numbers are counted, not bytes"),
    Slip("cache_bytes", "* itemsize", "* itemsize // 8", "when itemsize is taken for bits"),
    Slip(
        "cache_bytes",
        "length * d_head",
        "length * d_head * n_kv_heads",
        "when the heads are counted twice, once in d_head",
    ),
    Slip(
        "cache_bytes", "* itemsize", "* itemsize / 2**20", "when the result is in MiB, not in bytes"
    ),
    Slip("cache_bytes", "2 * n_layers", "3 * n_layers", "when Q is counted beside K and V"),
    Slip(
        "cache_bytes",
        "* length *",
        "* length * length *",
        "when a square of scores is counted, not a row for each token",
    ),
]

GROUPED = [
    Slip(
        "grouped_attention",
        "/ np.sqrt(d_head)",
        "* 1.0",
        "when the scores are not divided by sqrt(d_head)",
    ),
    Slip(
        "grouped_attention",
        "np.sqrt(d_head)",
        "np.sqrt(d_head * n_heads)",
        "when the scores are divided by the root of the whole width",
    ),
    Slip(
        "grouped_attention",
        "n_keys - n_queries, dtype",
        "0, dtype",
        "when the mask is aligned at the top left",
    ),
    Slip(
        "grouped_attention",
        "np.where(visible, scores, -np.inf)",
        "scores",
        "when no mask is applied",
    ),
    Slip(
        "grouped_attention",
        "n_keys - n_queries, dtype",
        "n_keys - n_queries - 1, dtype",
        "when the mask hides a token from itself",
    ),
    Slip(
        "grouped_attention",
        "n_keys - n_queries, dtype",
        "n_keys - n_queries + 1, dtype",
        "when the mask lets a query see one key too many",
    ),
    Slip(
        "grouped_attention",
        "softmax(np.where(visible, scores, -np.inf))",
        "softmax(np.where(visible, scores, 0.0))",
        "when hidden scores become 0, which softmax does not make 0",
    ),
    Slip(
        "grouped_attention",
        "softmax(np.where(visible, scores, -np.inf))",
        "softmax(scores) * visible",
        "when the mask comes after softmax and the weights no longer sum to 1",
    ),
    Slip(
        "grouped_attention",
        None,
        """
def solution_grouped_attention(q, k, v):
    group = len(q) // len(k)
    if len(q) % len(k):
        raise ValueError("not divisible")
    k, v = np.tile(k, (group, 1, 1)), np.tile(v, (group, 1, 1))
    scores = q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1])
    visible = np.tri(q.shape[1], k.shape[1], k.shape[1] - q.shape[1], dtype=bool)
    return softmax(np.where(visible, scores, -np.inf)) @ v
""",
        "when query heads take the key heads in turn (0 1 2 0 1 2), not in blocks",
    ),
    Slip(
        "grouped_attention",
        None,
        """
def solution_grouped_attention(q, k, v):
    group = len(q) // len(k)
    visible = np.tri(q.shape[1], k.shape[1], k.shape[1] - q.shape[1], dtype=bool)
    heads = [min(h // group, len(k) - 1) for h in range(len(q))]
    scores = q @ k[heads].swapaxes(1, 2) / np.sqrt(q.shape[-1])
    return softmax(np.where(visible, scores, -np.inf)) @ v[heads]
""",
        "when key heads that do not divide the query heads are not refused",
    ),
]

WINDOW = [
    Slip(
        "WindowCache",
        "-self.window :]",
        "-self.window + 1 :]",
        "when the window holds the W - 1 tokens before and not the token itself",
    ),
    Slip(
        "WindowCache",
        "-self.window :]",
        "-self.window - 1 :]",
        "when the window holds W tokens besides the newest",
    ),
    Slip(
        "WindowCache",
        "-self.window :]",
        ": self.window]",
        "when the first W positions are kept, not the last",
    ),
    Slip(
        "WindowCache",
        "[(empty, empty)] * n_layers",
        "[(empty, empty)] * n_kv_heads",
        "when there is a place for each key head, not for each layer",
    ),
    Slip("WindowCache", "[:, -self.window :]", "", "when nothing is forgotten"),
    Slip(
        "WindowCache",
        "self.length = min(self.seen)",
        "self.length = min(min(self.seen), self.window)",
        "when length is what is held, so that positions stand still",
    ),
    Slip(
        "WindowCache",
        "self.length = min(self.seen)",
        "self.length += k.shape[1]",
        "when length grows once a layer, not once a token",
    ),
    Slip(
        "WindowCache",
        "self.seen[layer] += k.shape[1]",
        "self.seen[layer] += 1",
        "when length counts calls, not tokens",
    ),
    Slip(
        "WindowCache",
        "self.length = min(self.seen)",
        "self.length = max(self.seen)",
        "when a token counts before it has reached every layer",
    ),
    Slip(
        "WindowCache",
        None,
        """
class solution_WindowCache:
    def __init__(self, n_layers, n_kv_heads, window, d_head):
        self.ring = np.zeros((2, n_layers, n_kv_heads, window, d_head))
        self.seen, self.window, self.length = [0] * n_layers, window, 0

    def append(self, layer, k, v):
        for i in range(k.shape[1]):
            at = self.seen[layer] % self.window
            self.ring[0, layer, :, at], self.ring[1, layer, :, at] = k[:, i], v[:, i]
            self.seen[layer] += 1
        self.length = min(self.seen)
        held = min(self.seen[layer], self.window)
        return self.ring[0, layer, :, :held], self.ring[1, layer, :, :held]
""",
        "when the ring buffer is handed out as it lies, not oldest first",
    ),
    Slip(
        "WindowCache",
        None,
        """
class solution_WindowCache:
    def __init__(self, n_layers, n_kv_heads, window, d_head):
        empty = np.zeros((n_kv_heads, 0, d_head))
        self.held = [(empty, empty)] * n_layers
        self.seen, self.window, self.length = [0] * n_layers, window, 0

    def append(self, layer, k, v):
        K, V = self.held[layer]
        self.held[layer] = np.concatenate([K, k], axis=1), np.concatenate([V, v], axis=1)
        self.seen[layer] += k.shape[1]
        self.length = min(self.seen)
        K, V = self.held[layer]
        return K[:, -self.window :], V[:, -self.window :]
""",
        "when everything is kept and only the answer is cut to the window",
    ),
]

SAVED = [
    Slip(
        "bytes_saved",
        "return full - grouped, full - windowed, full - both",
        "return grouped, windowed, both",
        "when the bytes that are left are returned, not those saved",
    ),
    Slip(
        "bytes_saved",
        "full - both",
        "2 * full - grouped - windowed",
        "when the two savings are added up, although they overlap",
    ),
    Slip(
        "bytes_saved",
        "min(length, window)",
        "window",
        "when a text shorter than the window is charged for the whole window",
    ),
    Slip(
        "bytes_saved",
        "return full - grouped, full - windowed, full - both",
        "return full - windowed, full - grouped, full - both",
        "when the window's saving comes first",
    ),
    Slip(
        "bytes_saved",
        "full = solution_cache_bytes(n_layers, n_heads, length",
        "full = solution_cache_bytes(n_layers, n_kv_heads, length",
        "when the full cache is taken with the key heads, as if grouped already",
    ),
    Slip(
        "bytes_saved",
        "windowed = solution_cache_bytes(n_layers, n_heads",
        "windowed = solution_cache_bytes(n_layers, n_kv_heads",
        "when the window is charged for the grouped heads only",
    ),
    Slip(
        "bytes_saved",
        "min(length, window)",
        "max(length, window)",
        "when the longer of text and window is kept",
    ),
    Slip(
        "bytes_saved",
        "return full - grouped, full - windowed, full - both",
        "return grouped - full, windowed - full, both - full",
        "when what is saved comes out negative",
    ),
]

NUMBERS = [*COUNTS, *GROUPED, *WINDOW, *SAVED]
