"""Wrong on purpose, stages 1 and 2: softmax, attention, the mask."""

from checks.expect import Slip

MAXIMUM = "np.exp(x - x.max(axis=axis, keepdims=True))"
SHARE = "grown / grown.sum(axis=axis, keepdims=True)"
FILL = "solution_softmax(np.where(mask, scores, -1e9))"
SCALE = "/ math.sqrt(q.shape[-1])"
EMPTY = "weights = np.where(mask, weights, 0.0)"
TRI = "np.tri(n_queries, n_keys, n_keys - n_queries, dtype=bool)"

SLIPS = [
    Slip(
        "softmax",
        MAXIMUM,
        "np.exp(x)",
        "when nothing is subtracted before exp, which then overflows",
    ),
    Slip("softmax", MAXIMUM, "np.exp(x - x.max())", "when one maximum is subtracted from all rows"),
    Slip(
        "softmax",
        MAXIMUM,
        "np.exp(x - x.min(axis=axis, keepdims=True))",
        "when the minimum is subtracted, not the maximum",
    ),
    Slip(
        "softmax",
        MAXIMUM,
        "np.exp(x - x.mean(axis=axis, keepdims=True))",
        "when the mean is subtracted, not the maximum",
    ),
    Slip(
        "softmax",
        MAXIMUM,
        "np.exp(x.max(axis=axis, keepdims=True) - x)",
        "when the sign of the logits is turned round",
    ),
    Slip(
        "softmax",
        MAXIMUM,
        "np.exp2(x - x.max(axis=axis, keepdims=True))",
        "when powers of 2 are taken for powers of e",
    ),
    Slip("softmax", SHARE, "grown / grown.sum()", "when the whole array sums to 1, not each row"),
    Slip("softmax", SHARE, "grown", "when the division by the sum is forgotten"),
    Slip(
        "softmax",
        SHARE,
        "grown / grown.sum(axis=axis)",
        "when the sum or the maximum loses its axis (keepdims)",
    ),
    Slip(
        "softmax",
        None,
        """
def solution_softmax(x, axis=-1):
    grown = np.exp(x - x.max(axis=-1, keepdims=True))
    return grown / grown.sum(axis=-1, keepdims=True)
""",
        "when `axis` is ignored and the last one is taken",
    ),
    Slip(
        "softmax",
        None,
        """
def solution_softmax(x, axis=-1):
    x -= x.max(axis=axis, keepdims=True)
    np.exp(x, out=x)
    x /= x.sum(axis=axis, keepdims=True)
    return x
""",
        "when the caller's array is changed in place",
    ),
    Slip("attention", SCALE, "", "when the scores are not divided by the root of d"),
    Slip("attention", SCALE, "/ q.shape[-1]", "when the scores are divided by d, not by its root"),
    Slip(
        "attention",
        SCALE,
        "* math.sqrt(q.shape[-1])",
        "when the scores are multiplied by the root of d",
    ),
    Slip(
        "attention",
        SCALE,
        "/ math.sqrt(k.shape[-2])",
        "when the scores are divided by the root of the number of keys",
    ),
    Slip(
        "attention",
        SCALE,
        "/ math.sqrt(v.shape[-1])",
        "when the scores are divided by the root of dv, the width of a value",
    ),
    Slip(
        "attention", "k.swapaxes(-1, -2)", "k.T", "when k.T turns round all axes, not the last two"
    ),
    Slip(
        "attention",
        "weights = solution_softmax(scores)",
        "weights = solution_softmax(scores, -2)",
        "when the weights of a key sum to 1, not those of a query",
    ),
    Slip(
        "attention",
        "return weights @ v, weights",
        "return weights, weights @ v",
        "when the weights come first and the output second",
    ),
    Slip(
        "attention",
        "return weights @ v, weights",
        "return weights @ v, scores",
        "when the scores are returned in place of the weights",
    ),
    Slip(
        "attention",
        FILL,
        "solution_softmax(np.where(mask, -1e9, scores))",
        "when the mask is read the wrong way round: True hides",
    ),
    Slip(
        "attention",
        FILL,
        "solution_softmax(scores)",
        "when weights are zeroed after the softmax and not divided by their new sum",
    ),
    Slip(
        "attention",
        FILL,
        "solution_softmax(np.where(mask, scores, 0.0))",
        "when hidden logits become 0 and are zeroed after the softmax",
    ),
    Slip(
        "attention",
        FILL,
        "solution_softmax(np.where(mask, scores, -1e4))",
        "when hidden logits get a fill that visible ones can fall below",
    ),
    Slip(
        "attention",
        None,
        """
def solution_attention(q, k, v, mask=None):
    scores = q @ k.swapaxes(-1, -2) / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores * mask
    weights = softmax(scores)
    return weights @ v, weights
""",
        "when hidden logits become 0, which softmax turns into a weight",
    ),
    Slip(
        "attention",
        "scores = q @",
        "q /= math.sqrt(q.shape[-1]); scores = math.sqrt(q.shape[-1]) * q @",
        "when the caller's own q is scaled in place",
    ),
    Slip(
        "attention",
        "    if mask is None:",
        "    if mask is None or not np.any(mask):",
        "when a mask that hides every key is taken for no mask",
    ),
    Slip("attention", EMPTY, "pass", "when a query that may look at nothing gets equal weights"),
    Slip(
        "attention",
        None,
        """
def solution_attention(q, k, v, mask=None):
    scores = q @ k.swapaxes(-1, -2) / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = np.where(mask, scores, -np.inf)
    with np.errstate(invalid="ignore"):
        weights = softmax(scores)
    return weights @ v, weights
""",
        "when a query that may look at nothing gets NaN",
    ),
    Slip(
        "attention",
        None,
        """
def solution_attention(q, k, v, mask=None):
    scores = q @ k.swapaxes(-1, -2) / math.sqrt(q.shape[-1])
    if mask is not None:
        scores[~mask] = -1e9
    weights = softmax(scores)
    return weights @ v, weights
""",
        "when scores[~mask] asks for a mask of the shape of the scores, and does not broadcast",
    ),
    Slip(
        "attention",
        None,
        """
def solution_attention(q, k, v, mask=None):
    scores = q @ k.swapaxes(-1, -2)
    scores /= math.sqrt(q.shape[-1])
    return softmax(scores) @ v, softmax(scores)
""",
        "when the mask is never used",
    ),
    Slip(
        "attention",
        None,
        """
def solution_attention(q, k, v, mask=None):
    scores = q @ k.swapaxes(-1, -2) / math.sqrt(q.shape[-1])
    if mask is not None:
        grown = np.exp(scores) * mask
        weights = grown / np.maximum(grown.sum(axis=-1, keepdims=True), 1e-300)
    else:
        weights = softmax(scores)
    return weights @ v, weights
""",
        "when exp is taken under the mask with nothing subtracted first",
    ),
    Slip(
        "causal_mask",
        TRI,
        "np.tri(n_queries, n_keys, n_keys - n_queries + 1, dtype=bool)",
        "when each query also sees the key after its own",
    ),
    Slip(
        "causal_mask",
        TRI,
        "np.tri(n_queries, n_keys, n_keys - n_queries - 1, dtype=bool)",
        "when a query does not see its own key",
    ),
    Slip(
        "causal_mask",
        TRI,
        "~np.tri(n_queries, n_keys, n_keys - n_queries, dtype=bool)",
        "when True means hidden",
    ),
    Slip(
        "causal_mask",
        TRI,
        "np.tri(n_keys, n_queries, n_queries - n_keys, dtype=bool).T",
        "when each query sees itself and the future: rows and columns are swapped",
    ),
    Slip(
        "causal_mask",
        TRI,
        "np.tri(n_queries, n_keys, dtype=bool)",
        "when the mask is aligned at the upper left corner",
    ),
    Slip(
        "causal_mask",
        TRI,
        "np.tri(n_queries, n_keys, n_queries - n_keys, dtype=bool)",
        "when the offset n_keys - n_queries has the wrong sign",
    ),
    Slip(
        "causal_mask",
        TRI,
        "np.tri(n_queries, n_keys, max(0, n_keys - n_queries), dtype=bool)",
        "when the offset is cut off at 0, so that spare queries see keys",
    ),
    Slip(
        "causal_mask",
        TRI,
        "np.tri(n_queries, n_keys, abs(n_keys - n_queries), dtype=bool)",
        "when the offset is taken without its sign",
    ),
    Slip(
        "causal_mask",
        TRI,
        "np.ones((n_queries, n_keys), dtype=bool)",
        "when every query sees every key",
    ),
    Slip(
        "causal_mask",
        TRI,
        "np.eye(n_queries, n_keys, n_keys - n_queries, dtype=bool)",
        "when a query sees its own key only, and nothing before",
    ),
    Slip(
        "causal_mask",
        TRI,
        "np.tri(n_keys, n_keys, dtype=bool)[:n_queries]",
        "when the first rows of a square mask are taken, not the last",
    ),
    Slip(
        "causal_mask",
        TRI,
        "np.tri(n_keys, dtype=bool)",
        "when the mask is square, as wide and as high as the keys",
    ),
    Slip(
        "causal_mask",
        "n_keys - n_queries, dtype=bool)",
        "n_keys - n_queries)",
        "when the mask holds the numbers 1.0 and 0.0, not True and False",
    ),
    Slip(
        "causal_mask",
        "dtype=bool)",
        "dtype=int)",
        "when the mask holds the whole numbers 1 and 0, not True and False",
    ),
    Slip(
        "causal_mask",
        TRI,
        "np.where(np.tri(n_queries, n_keys, n_keys - n_queries), 0.0, -np.inf)",
        "when the mask holds what is added to the scores, 0 and minus infinity",
    ),
]
