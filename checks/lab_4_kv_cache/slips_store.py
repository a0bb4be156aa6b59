"""Slips of stage 3: the cache itself."""

from checks.expect import Slip

FULL = """        if end > self.keys.shape[2]:
            raise ValueError(f"{end} positions in a cache for {self.keys.shape[2]}")
"""
HANDED_OUT = "return self.keys[layer, :, :end], self.values[layer, :, :end]"

STORE = [
    Slip(
        "KVCache",
        HANDED_OUT,
        "return self.keys[layer], self.values[layer]",
        "when the whole buffer is handed out, with its zeros at the end",
    ),
    Slip(
        "KVCache",
        HANDED_OUT,
        "return self.keys[layer, :, start:end], self.values[layer, :, start:end]",
        "when only the new positions are handed out",
    ),
    Slip(
        "KVCache",
        HANDED_OUT,
        "return self.values[layer, :, :end], self.keys[layer, :, :end]",
        "when V comes before K",
    ),
    Slip(
        "KVCache",
        "self.values[layer, :, start:end] = v",
        "self.values[layer, :, start:end] = k",
        "when the keys are stored as values, too",
    ),
    Slip(
        "KVCache",
        "self.values = np.zeros((n_layers, n_kv_heads, max_len, d_head))",
        "self.values = self.keys",
        "when keys and values are written into the same buffer",
    ),
    Slip(
        "KVCache",
        "self.keys = np.zeros((n_layers, n_kv_heads, max_len, d_head))",
        "self.keys = np.zeros((n_layers, n_kv_heads, max_len, d_head), np.float32)",
        "when a buffer of float32 rounds what is put into it",
    ),
    Slip(
        "KVCache",
        "self.keys = np.zeros((n_layers,",
        "self.keys = np.zeros((max_len,",
        "when the buffer of the keys has a layer for each position, not for each layer",
    ),
    Slip("KVCache", HANDED_OUT, "", "when append stores and returns nothing"),
    Slip(
        "KVCache",
        FULL,
        "",
        "when the end of the buffer is not checked: a row written past it vanishes",
    ),
    Slip("KVCache", "if end >", "if end >=", "when the last of the max_len positions is refused"),
    Slip(
        "KVCache",
        None,
        """
class solution_KVCache:
    def __init__(self, n_layers, n_kv_heads, max_len, d_head):
        empty = np.zeros((n_kv_heads, 0, d_head))
        self.held = [(empty, empty) for _ in range(n_layers)]
        self.max_len, self.length = max_len, 0

    def append(self, layer, k, v):
        K, V = self.held[layer]
        if K.shape[1] >= self.max_len:
            raise ValueError("full")
        K, V = np.concatenate([K, k], axis=1), np.concatenate([V, v], axis=1)
        self.held[layer] = K, V
        self.length = min(K.shape[1] for K, _ in self.held)
        return K, V
""",
        "when fullness is checked without the new positions, of which there may be several",
    ),
    Slip(
        "KVCache",
        "self.length = min(self.held)",
        "self.length += k.shape[1]",
        "when length grows once a layer, not once a token",
    ),
    Slip(
        "KVCache",
        "self.length = min(self.held)",
        "self.length = max(self.held)",
        "when a token counts before it has reached every layer",
    ),
    Slip(
        "KVCache",
        "self.held[layer] = end",
        "self.held[layer] += 1",
        "when an append counts as one position, however many it brings",
    ),
    Slip(
        "KVCache",
        "self.held[layer] = end",
        "self.held = [end] * len(self.held)",
        "when all layers share one write position",
    ),
    Slip("KVCache", "self.length = min(self.held)", "pass", "when length stays 0"),
    Slip(
        "KVCache",
        None,
        """
class solution_KVCache:
    def __init__(self, n_layers, n_kv_heads, max_len, d_head):
        self.max_len, self.length = max_len, 0
        self.k = [[]] * n_layers
        self.v = [[]] * n_layers
        self.held = [0] * n_layers

    def append(self, layer, k, v):
        self.held[layer] += k.shape[1]
        if self.held[layer] > self.max_len:
            raise ValueError("full")
        self.k[layer].append(k)
        self.v[layer].append(v)
        self.length = min(self.held)
        return np.concatenate(self.k[layer], axis=1), np.concatenate(self.v[layer], axis=1)
""",
        "when all layers share one buffer, as [[]] * n_layers makes them",
    ),
    Slip(
        "KVCache",
        None,
        """
class solution_KVCache:
    keys, values, held, length = {}, {}, {}, 0

    def __init__(self, n_layers, n_kv_heads, max_len, d_head):
        self.n_layers, self.max_len = n_layers, max_len

    def append(self, layer, k, v):
        K = np.concatenate([self.keys.get(layer, k[:, :0]), k], axis=1)
        V = np.concatenate([self.values.get(layer, v[:, :0]), v], axis=1)
        if K.shape[1] > self.max_len:
            raise ValueError("full")
        self.keys[layer], self.values[layer] = K, V
        self.length = min(self.keys[i].shape[1] if i in self.keys else 0 for i in range(self.n_layers))
        return K, V
""",
        "when two caches share their arrays, as attributes of the class",
    ),
    Slip(
        "KVCache",
        None,
        """
class solution_KVCache:
    def __init__(self, n_layers, n_kv_heads, max_len, d_head):
        empty = np.zeros((n_kv_heads, 0, d_head))
        self.held = [(empty, empty) for _ in range(n_layers)]
        self.max_len, self.length = max_len, 0

    def append(self, layer, k, v):
        K, V = self.held[layer]
        K, V = np.concatenate([k, K], axis=1), np.concatenate([v, V], axis=1)
        if K.shape[1] > self.max_len:
            raise ValueError("full")
        self.held[layer] = K, V
        self.length = min(K.shape[1] for K, _ in self.held)
        return K, V
""",
        "when new positions are put in front of the old ones",
    ),
    Slip(
        "KVCache",
        None,
        """
class solution_KVCache:
    def __init__(self, n_layers, n_kv_heads, max_len, d_head):
        self.keys = [np.zeros((n_kv_heads, max_len, d_head))] * n_layers
        self.values = [np.zeros((n_kv_heads, max_len, d_head))] * n_layers
        self.held = [0] * n_layers
        self.length = 0

    def append(self, layer, k, v):
        start, end = self.held[layer], self.held[layer] + k.shape[1]
        if end > self.keys[layer].shape[1]:
            raise ValueError("full")
        self.keys[layer][:, start:end] = k
        self.values[layer][:, start:end] = v
        self.held[layer] = end
        self.length = min(self.held)
        return self.keys[layer][:, :end], self.values[layer][:, :end]
""",
        "when all layers share one array, as [np.zeros(...)] * n_layers makes them",
    ),
    Slip(
        "KVCache",
        None,
        """
class solution_KVCache:
    def __init__(self, n_layers, n_kv_heads, max_len, d_head, buffers={}):
        sizes = n_layers, n_kv_heads, max_len, d_head
        self.keys, self.values = buffers.setdefault(sizes, (np.zeros(sizes), np.zeros(sizes)))
        self.held = [0] * n_layers
        self.length = 0

    def append(self, layer, k, v):
        start, end = self.held[layer], self.held[layer] + k.shape[1]
        if end > self.keys.shape[2]:
            raise ValueError("full")
        self.keys[layer, :, start:end] = k
        self.values[layer, :, start:end] = v
        self.held[layer] = end
        self.length = min(self.held)
        return self.keys[layer, :, :end], self.values[layer, :, :end]
""",
        "when two caches of the same sizes write into the same buffer",
    ),
]
