"""Wrong on purpose, stage 3: the heads."""

from checks.expect import Slip

CUT = "x.reshape(B, T, n_heads, D // n_heads).swapaxes(1, 2)"
JOIN = "x.swapaxes(1, 2).reshape(B, T, H * d_head)"

SLIPS = [
    Slip(
        "split_heads",
        CUT,
        "x.reshape(B, n_heads, T, D // n_heads)",
        "when the array is reshaped to the right shape and the tokens are torn",
    ),
    Slip(
        "split_heads",
        CUT,
        "x.reshape(B, T, n_heads, D // n_heads)",
        "when the axes of tokens and heads are not swapped",
    ),
    Slip(
        "split_heads",
        CUT,
        "x.reshape(B, T, D // n_heads, n_heads).transpose(0, 3, 1, 2)",
        "when a head takes every H-th column, not neighbours",
    ),
    Slip(
        "split_heads",
        CUT,
        "x.reshape(B, T, D // n_heads, n_heads).swapaxes(1, 2)",
        "when the number of heads and the width of a head are exchanged",
    ),
    Slip(
        "split_heads",
        CUT,
        "x.reshape(B, T, n_heads, D // n_heads).transpose(2, 0, 1, 3)",
        "when the heads come before the batch",
    ),
    Slip(
        "split_heads",
        CUT,
        "x.reshape(B, T, n_heads, D // n_heads).swapaxes(2, 3)",
        "when heads and columns are swapped, and the tokens stay in front",
    ),
    Slip(
        "split_heads",
        CUT,
        "x.reshape(B, T, n_heads, D // n_heads)[:, :, ::-1].swapaxes(1, 2)",
        "when the heads come in reverse order",
    ),
    Slip(
        "split_heads",
        "if D % n_heads:",
        "if T % n_heads:",
        "when the number of tokens is tested for divisibility, not the columns",
    ),
    Slip(
        "split_heads",
        "raise ValueError(",
        "raise AssertionError(",
        "when an assert stands in place of the promised ValueError",
    ),
    Slip(
        "split_heads",
        None,
        """
def solution_split_heads(x, n_heads):
    B, T, D = x.shape
    return x.reshape(-1, T, n_heads, D // n_heads).swapaxes(1, 2)
""",
        "when reshape(-1, ...) hides that the columns do not divide",
    ),
    Slip(
        "split_heads",
        None,
        """
def solution_split_heads(x, n_heads):
    width = x.shape[-1] // n_heads
    return np.stack([x[..., h * width : (h + 1) * width] for h in range(n_heads)], axis=1)
""",
        "when columns that are left over are dropped in silence",
    ),
    Slip(
        "split_heads",
        None,
        """
def solution_split_heads(x, n_heads):
    B, T, D = x.shape
    if D % n_heads:
        raise ValueError("not divisible")
    x.shape = B, T, n_heads, D // n_heads
    return x.swapaxes(1, 2)
""",
        "when the caller's array is given another shape in place",
    ),
    Slip(
        "merge_heads",
        JOIN,
        "x.reshape(B, T, H * d_head)",
        "when the heads are joined without swapping back first",
    ),
    Slip(
        "merge_heads",
        JOIN,
        "x.transpose(0, 2, 3, 1).reshape(B, T, H * d_head)",
        "when the columns of the heads are interleaved",
    ),
    Slip("merge_heads", JOIN, "x.swapaxes(1, 2)", "when the heads are swapped back and not joined"),
    Slip(
        "merge_heads", JOIN, "x.mean(axis=1)", "when the heads are averaged, not laid side by side"
    ),
    Slip(
        "merge_heads",
        JOIN,
        "x.swapaxes(1, 2)[:, :, ::-1].reshape(B, T, H * d_head)",
        "when the heads are joined in reverse order",
    ),
]
