"""Wrong on purpose, stage 4: the norm, GELU and the block."""

from checks.expect import Slip

NORM = "centred / np.sqrt(variance + eps) * gain + bias"
VARIANCE = "(centred**2).mean(axis=-1, keepdims=True)"
MEAN = "x - x.mean(axis=-1, keepdims=True)"
GELU = "x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2"
ATTEND = 'x = x + solution_merge_heads(heads) @ p["w_out"] + p["b_out"]'
READ1 = 'read = solution_layer_norm(x, p["ln1_gain"], p["ln1_bias"])'
READ2 = 'read = solution_layer_norm(x, p["ln2_gain"], p["ln2_bias"])'
HIDDEN = 'solution_gelu(read @ p["w_up"] + p["b_up"])'
WRITE = 'x + hidden @ p["w_down"] + p["b_down"]'

SLIPS = [
    Slip(
        "layer_norm",
        VARIANCE,
        "(centred**2).sum(axis=-1, keepdims=True) / (x.shape[-1] - 1)",
        "when the variance is divided by D - 1, not by D",
    ),
    Slip(
        "layer_norm",
        NORM,
        "centred / (np.sqrt(variance) + eps) * gain + bias",
        "when eps is added to the root, not to the variance",
    ),
    Slip(
        "layer_norm",
        NORM,
        "centred / np.sqrt(variance) * gain + bias",
        "when eps is forgotten",
    ),
    Slip(
        "layer_norm",
        NORM,
        "centred / np.sqrt(variance + 1e-5) * gain + bias",
        "when eps is always 1e-5, whatever was asked for",
    ),
    Slip(
        "layer_norm",
        NORM,
        "centred / np.sqrt(variance + eps**2) * gain + bias",
        "when the square of eps is added to the variance",
    ),
    Slip(
        "layer_norm",
        NORM,
        "centred / (variance + eps) * gain + bias",
        "when the variance divides, not its root",
    ),
    Slip(
        "layer_norm", NORM, "centred / np.sqrt(variance + eps) * gain", "when the bias is left out"
    ),
    Slip(
        "layer_norm", NORM, "centred / np.sqrt(variance + eps) + bias", "when the gain is left out"
    ),
    Slip(
        "layer_norm",
        NORM,
        "(centred / np.sqrt(variance + eps) + bias) * gain",
        "when the bias is added before the gain",
    ),
    Slip(
        "layer_norm",
        NORM,
        "x / np.sqrt(variance + eps) * gain + bias",
        "when the mean is not subtracted",
    ),
    Slip(
        "layer_norm",
        VARIANCE,
        "(x**2).mean(axis=-1, keepdims=True)",
        "when x is squared for the variance before its mean is subtracted (RMSNorm)",
    ),
    Slip(
        "layer_norm", VARIANCE, "(centred**2).mean()", "when one variance is taken over all tokens"
    ),
    Slip(
        "layer_norm",
        None,
        """
def solution_layer_norm(x, gain, bias, eps=1e-5):
    return (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps) * gain + bias
""",
        "when each column is normalised over the batch (BatchNorm), not each token",
    ),
    Slip(
        "layer_norm",
        None,
        """
def solution_layer_norm(x, gain, bias, eps=1e-5):
    x -= x.mean(axis=-1, keepdims=True)
    return x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + eps) * gain + bias
""",
        "when the mean is subtracted from the caller's own array",
    ),
    Slip(
        "gelu",
        GELU,
        "x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))",
        "when the tanh approximation is taken for the exact function",
    ),
    Slip(
        "gelu",
        GELU,
        "x / (1 + np.exp(-1.702 * x))",
        "when the sigmoid approximation x σ(1.702 x) is taken",
    ),
    Slip(
        "gelu",
        None,
        """
def solution_gelu(x):
    t = 1 / (1 + 0.3275911 * np.abs(x) / math.sqrt(2))
    powers = [0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429]
    tail = sum(a * t ** (n + 1) for n, a in enumerate(powers)) * np.exp(-(x**2) / 2)
    return x * (1 + np.sign(x) * (1 - tail)) / 2
""",
        "when erf is a formula that is right to seven digits only",
    ),
    Slip("gelu", GELU, "x / (1 + np.exp(-x))", "when SiLU, x σ(x), is taken for GELU"),
    Slip("gelu", GELU, "np.maximum(x, 0)", "when ReLU is taken for GELU"),
    Slip(
        "gelu",
        GELU,
        "x * (1 + np.vectorize(math.erf)(x)) / 2",
        "when x is not divided by the root of 2 inside erf",
    ),
    Slip(
        "gelu",
        GELU,
        "(1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2",
        "when Φ(x) is not multiplied by x",
    ),
    Slip(
        "gelu",
        GELU,
        "x * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))",
        "when the half is left out",
    ),
    Slip(
        "gelu",
        GELU,
        "x * np.vectorize(math.erf)(x / math.sqrt(2))",
        "when erf is taken for Φ, without 1 + and without the half",
    ),
    Slip(
        "transformer_block",
        ATTEND,
        'x = solution_merge_heads(heads) @ p["w_out"] + p["b_out"]',
        "when attention replaces the stream and is not added to it",
    ),
    Slip(
        "transformer_block",
        WRITE,
        'hidden @ p["w_down"] + p["b_down"]',
        "when the MLP replaces the stream and is not added to it",
    ),
    Slip(
        "transformer_block",
        "solution_attention(q, k, v, solution_causal_mask(T, T))",
        "solution_attention(q, k, v)",
        "when attention has no causal mask",
    ),
    Slip(
        "transformer_block",
        "solution_causal_mask(T, T)",
        "np.tri(T, T, 1, dtype=bool)",
        "when each token also sees the one after it",
    ),
    Slip(
        "transformer_block",
        "solution_attention(q, k, v,",
        "solution_attention(q / math.sqrt(q.shape[-1]), k, v,",
        "when scores are divided by the root of d_head twice, in attention and before",
    ),
    Slip(
        "transformer_block",
        "solution_attention(q, k, v,",
        "solution_attention(q * math.sqrt(1 / n_heads), k, v,",
        "when scores are divided by the root of D, not of d_head",
    ),
    Slip(
        "transformer_block",
        "q, k, v = [",
        "k, q, v = [",
        "when keys and queries are exchanged in w_qkv",
    ),
    Slip("transformer_block", "q, k, v = [", "v, k, q = [", "when w_qkv is read as v, k, q"),
    Slip(
        "transformer_block",
        "x = x + solution_merge_heads(heads)",
        "x = read + solution_merge_heads(heads)",
        "when attention is added to the normalised stream, not to the stream",
    ),
    Slip(
        "transformer_block",
        WRITE,
        'read + hidden @ p["w_down"] + p["b_down"]',
        "when the MLP is added to the normalised stream, not to the stream",
    ),
    Slip(
        "transformer_block",
        READ2,
        READ2.replace("ln2", "ln1"),
        "when the first norm's gain and bias are used twice",
    ),
    Slip("transformer_block", READ2, "read = x", "when the MLP reads the stream without a norm"),
    Slip("transformer_block", READ1, "read = x", "when attention reads the stream without a norm"),
    Slip(
        "transformer_block",
        READ2,
        "",
        "when the MLP reads what attention read, before attention is added",
    ),
    Slip(
        "transformer_block",
        "solution_merge_heads(heads)",
        "heads.reshape(x.shape)",
        "when the heads are joined without swapping back first",
    ),
    Slip(
        "transformer_block",
        "[solution_split_heads(part, n_heads) for part in parts]",
        "[part.reshape(len(x), n_heads, T, -1) for part in parts]",
        "when the heads are cut by reshape alone, which mixes tokens",
    ),
    Slip(
        "transformer_block",
        "[solution_split_heads(part, n_heads) for part in parts]",
        "[solution_split_heads(part, 1) for part in parts]",
        "when all columns make one head, whatever n_heads says",
    ),
    Slip(
        "transformer_block",
        HIDDEN,
        'np.maximum(read @ p["w_up"] + p["b_up"], 0)',
        "when the MLP uses ReLU in place of GELU",
    ),
    Slip(
        "transformer_block",
        HIDDEN,
        'read @ p["w_up"] + p["b_up"]',
        "when the MLP has no GELU between its layers",
    ),
    Slip("transformer_block", HIDDEN, 'solution_gelu(read @ p["w_up"])', "when b_up is left out"),
    Slip("transformer_block", ' + p["b_out"]', "", "when b_out is left out"),
    Slip("transformer_block", ' + p["b_down"]', "", "when b_down is left out"),
    Slip(
        "transformer_block",
        "solution_causal_mask(T, T)",
        "solution_causal_mask(T, T).T",
        "when the mask is the wrong way round and hides the past",
    ),
    Slip(
        "transformer_block",
        "solution_causal_mask(T, T)",
        "np.tri(T, k=-1, dtype=bool)",
        "when the mask hides each token from itself",
    ),
    Slip(
        "transformer_block",
        ATTEND + "\n    " + READ2,
        READ2 + "\n    " + ATTEND,
        "when the MLP reads the stream from before attention (a parallel block)",
    ),
    Slip(
        "transformer_block",
        'read @ p["w_qkv"] + p["b_qkv"]',
        'read @ p["w_qkv"]',
        "when b_qkv is left out",
    ),
    Slip(
        "transformer_block",
        ATTEND,
        "x = x + solution_merge_heads(heads)",
        "when w_out and b_out are left out",
    ),
    Slip(
        "transformer_block",
        None,
        """
def solution_transformer_block(x, params, n_heads):
    p, T = params, x.shape[1]
    parts = np.split(x @ p["w_qkv"] + p["b_qkv"], 3, axis=-1)
    q, k, v = [split_heads(part, n_heads) for part in parts]
    heads, _ = attention(q, k, v, causal_mask(T, T))
    x = layer_norm(x + merge_heads(heads) @ p["w_out"] + p["b_out"], p["ln1_gain"], p["ln1_bias"])
    hidden = gelu(x @ p["w_up"] + p["b_up"])
    return layer_norm(x + hidden @ p["w_down"] + p["b_down"], p["ln2_gain"], p["ln2_bias"])
""",
        "when the norm stands after each addition (post-LN)",
    ),
    Slip(
        "transformer_block",
        None,
        """
def solution_transformer_block(x, params, n_heads):
    p, T, width = params, x.shape[1], x.shape[-1] // n_heads
    read = layer_norm(x, p["ln1_gain"], p["ln1_bias"])
    parts = (read @ p["w_qkv"] + p["b_qkv"]).reshape(len(x), T, n_heads, 3, width)
    q, k, v = parts.transpose(3, 0, 2, 1, 4)
    heads, _ = attention(q, k, v, causal_mask(T, T))
    x = x + merge_heads(heads) @ p["w_out"] + p["b_out"]
    read = layer_norm(x, p["ln2_gain"], p["ln2_bias"])
    return x + gelu(read @ p["w_up"] + p["b_up"]) @ p["w_down"] + p["b_down"]
""",
        "when w_qkv is cut into heads first, and each head into q, k and v",
    ),
    Slip(
        "transformer_block",
        None,
        """
def solution_transformer_block(x, params, n_heads):
    p, T = params, x.shape[1]
    read = layer_norm(x, p["ln1_gain"], p["ln1_bias"])
    parts = np.split(read @ p["w_qkv"] + p["b_qkv"], 3, axis=-1)
    q, k, v = [split_heads(part, n_heads) for part in parts]
    heads, _ = attention(q, k, v, causal_mask(T, T))
    x += merge_heads(heads) @ p["w_out"] + p["b_out"]
    read = layer_norm(x, p["ln2_gain"], p["ln2_bias"])
    x += gelu(read @ p["w_up"] + p["b_up"]) @ p["w_down"] + p["b_down"]
    return x
""",
        "when += writes into the caller's own x",
    ),
]
