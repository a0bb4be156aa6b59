"""Wrong on purpose, stage 6: the rotation."""

from checks.expect import Slip

PAIR = "np.stack([a * cos - b * sin, a * sin + b * cos], axis=-1).reshape(x.shape)"
SPEEDS = "10_000.0 ** (-np.arange(0, d_head, 2) / d_head)"
ANGLES = "positions[:, None] * speeds"

SLIPS = [
    Slip(
        "rope",
        ANGLES,
        "np.arange(x.shape[-2])[:, None] * speeds",
        "when rows are counted from 0 and `positions` is ignored",
    ),
    Slip("rope", ANGLES, "(positions[:, None] + 1) * speeds", "when positions are counted from 1"),
    Slip(
        "rope",
        ANGLES,
        "positions[:, None] ** 2 * speeds",
        "when the angle grows as the square of the position",
    ),
    Slip(
        "rope",
        ANGLES,
        "(positions[:, None] * speeds).astype(np.float32)",
        "when the angles are float32",
    ),
    Slip(
        "rope",
        SPEEDS,
        "10_000.0 ** (np.arange(0, d_head, 2) / d_head)",
        "when the exponent has the wrong sign, and each pair turns faster than the one before",
    ),
    Slip("rope", SPEEDS, "np.ones(d_head // 2)", "when all pairs turn at one speed"),
    Slip(
        "rope",
        PAIR,
        "np.stack([a * cos + b * sin, a * sin + b * cos], axis=-1).reshape(x.shape)",
        "when both sines have the same sign, which is no rotation",
    ),
    Slip(
        "rope",
        PAIR,
        "np.stack([a * cos, b * sin], axis=-1).reshape(x.shape)",
        "when columns are scaled by cosine and sine, and nothing is turned",
    ),
    Slip(
        "rope",
        PAIR,
        "np.stack([a * sin - b * cos, a * cos + b * sin], axis=-1).reshape(x.shape)",
        "when sine and cosine are exchanged",
    ),
    Slip(
        "rope",
        PAIR,
        "np.stack([a * cos - b * sin, b * cos], axis=-1).reshape(x.shape)",
        "when the second column of a pair is not given its sine term",
    ),
    Slip(
        "rope",
        PAIR,
        "np.concatenate([a * cos - b * sin, a * sin + b * cos], axis=-1)",
        "when pairs of neighbours are written back as two halves",
    ),
    Slip(
        "rope",
        PAIR,
        "x + np.stack([sin, cos], axis=-1).reshape(x.shape[-2:])",
        "when sines and cosines are added, as in sinusoidal positions",
    ),
    Slip(
        "rope",
        None,
        """
def solution_rope(x, positions):
    d_head = x.shape[-1]
    speeds = 10_000.0 ** (-np.arange(0, d_head, 2) / d_head)
    angles = np.tile(positions[:, None] * speeds, 2)
    turned = np.stack([-x[..., 1::2], x[..., 0::2]], axis=-1).reshape(x.shape)
    return x * np.cos(angles) + turned * np.sin(angles)
""",
        "when neighbours are paired and the angles laid out for halves",
    ),
    Slip(
        "rope",
        None,
        """
def solution_rope(x, positions):
    d_head = x.shape[-1]
    angles = positions[:, None] * 10_000.0 ** (-np.arange(0, d_head, 2) / d_head)
    a, b = x[..., 0::2].copy(), x[..., 1::2].copy()
    x[..., 0::2] = a * np.cos(angles) - b * np.sin(angles)
    x[..., 1::2] = a * np.sin(angles) + b * np.cos(angles)
    return x
""",
        "when the caller's own x is turned in place",
    ),
    Slip(
        "rope",
        None,
        """
def solution_rope(x, positions):
    d_head = x.shape[-1]
    angles = positions[:, None] * 10_000.0 ** (-np.arange(0, d_head, 2) / d_head)
    out = x.copy()
    out[..., 0::2] = x[..., 0::2] * np.cos(angles) - x[..., 1::2] * np.sin(angles)
    out[..., 1::2] = out[..., 0::2] * np.sin(angles) + x[..., 1::2] * np.cos(angles)
    return out
""",
        "when the second column of a pair is computed from the first one, already turned",
    ),
    Slip(
        "rope",
        ANGLES,
        "positions[:, None] % 4096 * speeds",
        "when positions begin again at the end of a table of 4,096",
    ),
    Slip(
        "rope",
        ANGLES,
        "np.minimum(positions[:, None], 4095) * speeds",
        "when all positions beyond a table of 4,096 are turned alike",
    ),
]
