"""Arrays: attention (labs 2 and 4), the KV cache (lab 4), isotonic (lab 6), k-means (lab 7)."""

from __future__ import annotations

from typing import Any

from tests.bench.rivals import Rival, solutions

HEADS, KEY_HEADS, D_HEAD = 8, 2, 32
CLUSTERS, DIMS, UPDATES = 16, 8, 20
NEAR = 1e-5  # float32


def heads_of(size: int, n_kv_heads: int = HEADS) -> dict:
    """Queries, keys and values (H, T, d_head), float32, as arrays and as tensors."""
    import numpy as np
    import torch

    rng = np.random.default_rng(2)
    heads = (HEADS, n_kv_heads, n_kv_heads)
    arrays = [rng.standard_normal((n, size, D_HEAD), dtype=np.float32) for n in heads]
    return {"arrays": arrays, "tensors": [torch.from_numpy(x)[None] for x in arrays]}


def attention(data: dict) -> Any:
    """Lab 2's attention, its causal mask included."""
    own = solutions(2, "attention", "causal_mask")
    size = data["arrays"][0].shape[1]
    return own.attention(*data["arrays"], own.causal_mask(size, size))[0]


def fused(data: dict) -> Any:
    """PyTorch's scaled_dot_product_attention."""
    import torch
    import torch.nn.functional as F

    with torch.no_grad():
        return F.scaled_dot_product_attention(*data["tensors"], is_causal=True)


def fused_groups(data: dict) -> Any:
    """The same with grouped queries: several query heads read one key head."""
    import torch
    import torch.nn.functional as F

    with torch.no_grad():
        return F.scaled_dot_product_attention(*data["tensors"], is_causal=True, enable_gqa=True)


def same_heads(data: dict, ours: Any, theirs: Any) -> str:
    """Every number to 1e-5, in float32."""
    import numpy as np

    far = float(np.abs(ours - theirs[0].numpy()).max())
    assert far < NEAR, f"outputs differ by {far:.1e}"
    return f"outputs are the same (to {far:.0e})"


def model_of(size: int) -> tuple[dict, Any, int]:
    """Lab 4's own model and prompt, and the tokens to generate."""
    own = solutions(4, "MODEL", "PROMPT")
    return own.MODEL, own.PROMPT, size


def same_tokens(data: tuple, ours: Any, theirs: Any) -> str:
    """The same tokens, and logits to 1e-9."""
    import numpy as np

    assert np.array_equal(ours[0], theirs[0]), "the tokens differ"
    far = float(np.abs(ours[1] - theirs[1]).max())
    assert far < 1e-9, f"logits differ by {far:.1e}"
    return f"the same tokens, logits to {far:.0e}"


def scores_of(size: int) -> tuple[Any, Any]:
    """A miscalibrated score and its 0/1 outcome."""
    import numpy as np

    rng = np.random.default_rng(6)
    x = rng.random(size)
    return x, (rng.random(size) < x**2).astype(float)


def isotonic(data: tuple) -> Any:
    """scikit-learn's IsotonicRegression."""
    from sklearn.isotonic import IsotonicRegression

    return IsotonicRegression().fit_transform(*data)


def same_fit(data: tuple, ours: Any, theirs: Any) -> str:
    """Every fitted value to 1e-9."""
    import numpy as np

    far = float(np.abs(ours - theirs).max())
    assert far < 1e-9, f"fits differ by {far:.1e}"
    return f"fitted values are the same (to {far:.0e})"


def points_of(size: int) -> tuple[Any, Any]:
    """Points without clusters, so that no run converges early, and its first rows as centres."""
    import numpy as np

    x = np.random.default_rng(7).random((size, DIMS))
    return x, x[:CLUSTERS]


def lloyd(data: tuple) -> Any:
    """scikit-learn's KMeans from the same centres: one start, Lloyd, no early stop."""
    from sklearn.cluster import KMeans

    x, centres = data
    model = KMeans(CLUSTERS, init=centres, n_init=1, algorithm="lloyd", max_iter=UPDATES, tol=0)
    return model.fit(x)


def same_clusters(data: tuple, ours: Any, theirs: Any) -> str:
    """The centres, labels and inertia after the same number of updates."""
    import numpy as np

    centres, labels, history = ours
    assert len(history) == theirs.n_iter_, f"{len(history)} updates and {theirs.n_iter_}"
    far = float(np.abs(centres - theirs.cluster_centers_).max())
    assert far < 1e-9, f"centres differ by {far:.1e}"
    assert np.array_equal(labels, theirs.labels_), "labels differ"
    return f"centres (to {far:.0e}) and labels are the same after {len(history)} updates"


RIVALS = [
    Rival(
        "attention", 2, f"causal attention, {HEADS} heads of {D_HEAD}, float32", "PyTorch SDPA",
        "tokens", (64, 256, 1_024), heads_of, attention, fused, same_heads,
        note="SDPA never writes the T x T weights down; ours returns them", needs=("torch",),
    ),
    Rival(
        "kv-cache", 4, "generation with the KV cache", "the same model, naive",
        "tokens generated", (8, 32, 128), model_of,
        lambda data: solutions(4, "generate_cached").generate_cached(*data),
        lambda data: solutions(4, "generate_naive").generate_naive(*data), same_tokens,
        note="no library's model is the same; both sides are lab 4's solutions, d = 64, 2 layers",
    ),
    Rival(
        "grouped-attention", 4, f"grouped-query attention, {HEADS} heads on {KEY_HEADS} (stretch)",
        "PyTorch SDPA", "tokens", (64, 256, 1_024), lambda size: heads_of(size, KEY_HEADS),
        lambda data: solutions(4, "grouped_attention").grouped_attention(*data["arrays"]),
        fused_groups, same_heads, needs=("torch",),
    ),
    Rival(
        "isotonic", 6, "isotonic regression", "scikit-learn", "scores", (1_000, 8_000, 64_000),
        scores_of, lambda data: solutions(6, "isotonic").isotonic(*data), isotonic, same_fit,
        note="the same algorithm, in Python here, in Cython there", needs=("sklearn",),
    ),
    Rival(
        "k-means", 7, f"k-means, {CLUSTERS} centres, {DIMS} dims, {UPDATES} updates",
        "scikit-learn", "points", (2_000, 8_000, 32_000), points_of,
        lambda data: solutions(7, "kmeans").kmeans(*data, UPDATES), lloyd, same_clusters,
        note="from the same centres; n_init=1, lloyd, tol=0, the same max_iter", needs=("sklearn",),
    ),
]  # fmt: skip
