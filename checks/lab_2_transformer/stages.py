"""The checks of lab 2. NumPy here; what stage 5 needs of PyTorch is in `charlm`."""

from __future__ import annotations

import math

import numpy as np

from checks import expect
from checks.expect import stage
from checks.lab_2_transformer import oracles
from checks.lab_2_transformer.oracles import wave

LN2, LN3, LN5 = math.log(2), math.log(3), math.log(5)


@stage(reread='Stage 1, "By hand"')
def check_stage1(softmax, attention):
    """Softmax by hand, along each axis, far out; then attention from uniform weights to masks."""
    # exp turns 0 and ln 3 into 1 and 3, of a sum of 4
    expect.close("softmax of [0, ln 3]", softmax(np.array([0.0, LN3])), [1 / 4, 3 / 4])
    rows = np.array([[0.0, LN2, LN5], [LN5, LN2, 0.0]])  # 1, 2, 5 of a sum of 8, and reversed
    shares = np.array([[1, 2, 5], [5, 2, 1]]) / 8
    expect.close("softmax of two rows, last axis", softmax(rows.copy()), shares)
    expect.close("softmax of two columns, axis 0", softmax(rows.T.copy(), 0), shares.T)
    x = wave(2, 3, 4, scale=3)
    middle = np.stack([[oracles.slow_softmax(c) for c in part.T] for part in x]).swapaxes(1, 2)
    expect.close("softmax of shape (2, 3, 4), axis 1", softmax(x, 1), middle)
    expect.unchanged("the caller's logits", wave(2, 3, 4, scale=3), x)
    far = np.array([[1000.0, 1000.0 + LN3], [-1000.0, -1000.0 + LN3]])
    expect.close(
        "softmax of a row at 1000 and a row at -1000",
        softmax(far),
        [[1 / 4, 3 / 4], [1 / 4, 3 / 4]],
        reread='Stage 1, "Large logits"',
    )
    # e^1000 overflows where the minimum is subtracted, e^1500 where the mean is
    for gap in (1000.0, 3000.0):
        case = f"softmax of [0, {gap:.0f}]"
        got = softmax(np.array([0.0, gap]))
        expect.close(case, got, [0.0, 1.0], reread='Stage 1, "Large logits"')
    _uniform_and_scaled(attention)
    _masked(attention)


def _pair(case, got, reread=None):
    """(out, weights) of a call that must return both."""
    both = isinstance(got, (tuple, list)) and len(got) == 2
    shown = None if got is None else type(got).__name__ if both else got
    if not expect.true(f"{case}: what is returned", both, shown, "(out, weights)", reread=reread):
        return None, None
    return got


def _compare(case, got, expected, reread=None):
    """Weights before the output, which is wrong wherever they are."""
    out, weights = _pair(case, got, reread)
    expect.shape(f"{case}: weights", weights, expected[1].shape, reread=reread)
    expect.shape(f"{case}: output", out, expected[0].shape, reread=reread)
    expect.close(f"{case}: weights", weights, expected[1], reread=reread)
    expect.close(f"{case}: output", out, expected[0], reread=reread)


def _uniform_and_scaled(attention):
    """No mask: equal weights, the scale by hand, other shapes, logits that are large."""
    values = np.array([[1.0], [2.0], [3.0], [4.0]])
    got = attention(np.zeros((2, 3)), np.zeros((4, 3)), values)
    _compare(
        "Q = K = 0, two queries, four keys", got, (np.full((2, 1), 2.5), np.full((2, 4), 0.25))
    )
    # d = 4: q·k is 0 and 4 · ln 3 / 2 = 2 ln 3, over the root of 4 it is ln 3: 1 to 3
    keys = np.array([[0.0] * 4, [LN3 / 2] * 4, [0.0] * 4])
    got = attention(np.ones((1, 4)), keys, np.array([[0.0, 5.0], [10.0, 5.0], [0.0, 5.0]]))
    _compare(
        "d = 4, logits 0, ln 3 and 0 by hand",
        got,
        (np.array([[6.0, 5.0]]), np.array([[0.2, 0.6, 0.2]])),
        'Stage 1, "Why the square root"',
    )
    for lead in [(), (3,), (2, 3)]:
        q, k, v = wave(*lead, 4, 6, scale=2), wave(*lead, 5, 6, start=9), wave(*lead, 5, 7, start=4)
        case, mine = f"leading axes {lead}, Tq=4, Tk=5, d=6, dv=7", [a.copy() for a in (q, k, v)]
        _compare(case, attention(*mine), oracles.slow_attention(q, k, v))
        for name, before, after in zip("qkv", (q, k, v), mine):
            expect.unchanged(f"the caller's {name}", before, after)
    # d = 1: the logits are the keys, and for the second query their opposites
    q, k, v = np.array([[1.0], [-1.0]]), np.array([[1000.0], [1001.0], [998.0]]), wave(3, 2)
    got = attention(q, k, v)
    _compare("logits of 1000", got, oracles.slow_attention(q, k, v), 'Stage 1, "Large logits"')


def _masked(attention):
    """Masks of every shape, a query that sees nothing, logits far below zero, the caller's data."""
    reread = 'Stage 1, "The mask"'
    values = np.array([[1.0], [2.0], [3.0], [4.0]])
    # token i sees i + 1 tokens with equal weight: 1, (1+2)/2, (1+2+3)/3, (1+2+3+4)/4
    seen = np.tri(4, dtype=bool)
    got = attention(np.zeros((4, 3)), np.zeros((4, 3)), values, seen)
    weights = np.tri(4) / np.array([[1], [2], [3], [4]])
    running = np.array([[1.0], [1.5], [2.0], [2.5]])
    _compare("Q = K = 0, each sees itself and before", got, (running, weights), reread)
    q, k, v = wave(2, 3, 4, 6, scale=2), wave(2, 3, 5, 6, start=9), wave(2, 3, 5, 7, start=4)
    keys = np.array([True, False, True, True, False])
    grid = np.array([[1, 0, 1, 0, 0], [0, 1, 0, 0, 1], [1, 1, 0, 1, 1], [0, 0, 0, 1, 0]]) > 0
    batch = np.array([keys, ~keys]).reshape(2, 1, 1, 5)
    full = wave(2, 3, 4, 5, start=3) > -0.5
    full[..., 2] = True  # a row that sees nothing is a case of its own
    for mask in (grid, keys, batch, full):
        expected = oracles.slow_attention(q, k, v, mask)
        got = attention(q.copy(), k.copy(), v.copy(), mask.copy())
        _compare(f"a mask of shape {mask.shape}", got, expected, reread)
    blind = grid.copy()
    blind[1] = False
    one = np.array([[True], [False], [True], [True]])
    for case, mask in [
        ("query 1 may look at nothing", blind),
        ("a mask of shape (4, 1)", one),
        ("no query may look at anything", np.zeros((4, 5), bool)),
    ]:
        expected = oracles.slow_attention(q, k, v, mask)
        mine = [a.copy() for a in (q, k, v, mask)]
        _compare(case, attention(*mine), expected, reread)
        for name, before, after in zip(("q", "k", "v", "mask"), (q, k, v, mask), mine):
            expect.unchanged(f"the caller's {name}", before, after, reread=reread)
    q1, high = np.ones((1, 1)), np.array([[1000.0], [1001.0], [998.0]])
    hidden = np.array([[True, True, False]])
    expected = oracles.slow_attention(q1, high, v[0, 0, :3], hidden)
    got = attention(q1.copy(), high, v[0, 0, :3].copy(), hidden.copy())
    _compare("visible logits of 1000 and a hidden one", got, expected, reread)
    # the hidden key's logit is the lowest: whoever hides it after a softmax sees no overflow
    low = np.array([[-3e6], [-3e6 - 1], [-3e6 - 2]])
    expected = oracles.slow_attention(q1, low, v[0, 0, :3], hidden)
    got = attention(q1.copy(), low, v[0, 0, :3].copy(), hidden)
    _compare("visible logits of minus three million", got, expected, reread)


@stage(reread='Stage 2, "By hand"')
def check_stage2(causal_mask, attention):
    """Shape and type, the leak test at every position, then each pair of small sizes."""
    got = causal_mask(5, 5)
    expect.shape("the mask of 5 queries, 5 keys", got, (5, 5))
    kind = np.asarray(got).dtype
    expect.true("the mask of 5 queries, 5 keys: its type", kind.kind == "b", str(kind), "bool")
    _leaks(causal_mask, attention, 5, 5)
    expect.equal("the mask of 3 queries, 3 keys", causal_mask(3, 3), oracles.slow_mask(3, 3))
    _leaks(causal_mask, attention, 3, 6)
    _leaks(causal_mask, attention, 6, 4)
    for n_queries in range(1, 6):
        for n_keys in range(1, 6):
            case = f"the mask of {n_queries} queries, {n_keys} keys"
            expect.equal(
                case,
                np.asarray(causal_mask(n_queries, n_keys)),
                oracles.slow_mask(n_queries, n_keys),
            )
    case = "the mask of 33 queries, 70 keys"
    expect.equal(case, np.asarray(causal_mask(33, 70)), oracles.slow_mask(33, 70))


def _leaks(causal_mask, attention, n_queries, n_keys):
    """Change keys and values from each position on: what could not see them must not move."""
    reread = 'Stage 2, "The leak test"'
    size = f"{n_queries} queries, {n_keys} keys"
    mask = causal_mask(n_queries, n_keys)
    if not expect.shape(f"the mask of {size}", mask, (n_queries, n_keys), reread=reread):
        return
    mask = np.asarray(mask)
    q, k, v = wave(n_queries, 3), wave(n_keys, 3, start=5), wave(n_keys, 2, start=8)
    before = attention(q.copy(), k.copy(), v.copy(), mask)[0]
    for t in range(1, n_keys):
        changed_k, changed_v = k.copy(), v.copy()
        changed_k[t:] += 2
        changed_v[t:] += 7
        after = attention(q.copy(), changed_k, changed_v, mask)[0]
        blind = max(0, t - (n_keys - n_queries))  # so many queries see nothing from t on
        leaked = [i for i in oracles.moved(before, after, 0) if i < blind]
        expect.true(
            f"leak test, {size}: position {t} and later changed, earlier queries moved",
            not leaked,
            leaked,
            "[], as none of them may look there",
            reread=reread,
        )


@stage(reread='Stage 3, "Reshape, then transpose"')
def check_stage3(split_heads, merge_heads):
    """By hand, every number in its place, the way back, the promised error, memory layout."""
    # two tokens of six columns, two heads: columns 0-2 and 3-5
    x = np.arange(12.0).reshape(1, 2, 6)
    hand = np.array([[[[0, 1, 2], [6, 7, 8]], [[3, 4, 5], [9, 10, 11]]]], float)
    expect.shape("split: 2 tokens, 6 columns, 2 heads", split_heads(x, 2), (1, 2, 2, 3))
    expect.equal("split: 2 tokens, 6 columns, 2 heads", split_heads(x, 2), hand)
    x = wave(2, 5, 12)
    for n_heads in (3, 1, 12):
        case = f"split: (B, T, D) = (2, 5, 12), {n_heads} heads"
        expected = oracles.slow_split(x, n_heads)
        got = split_heads(x, n_heads)
        expect.shape(case, got, expected.shape)
        expect.equal(case, got, expected)
    expect.unchanged("the caller's x after split", wave(2, 5, 12), x)
    turned = wave(2, 12, 5).swapaxes(1, 2)  # (2, 5, 12), not contiguous
    expected = oracles.slow_split(turned, 4)
    expect.equal("split: x is not contiguous in memory", split_heads(turned, 4), expected)
    for B, T, D, n_heads in [(2, 3, 10, 3), (4, 3, 10, 4), (3, 4, 6, 9)]:
        case = f"split: (B, T, D) = ({B}, {T}, {D}) into {n_heads} heads"
        expect.raises(case, ValueError, split_heads, wave(B, T, D), n_heads)
    for n_heads in (2, 3, 1, 12):
        heads = oracles.slow_split(x, n_heads)
        case = f"merge: (B, H, T, d_head) = {heads.shape}"
        got = merge_heads(heads.copy())
        expect.shape(case, got, x.shape)
        expect.equal(case, got, x)
    expected = wave(1, 4, 10)
    case = "merge: (B, H, T, d_head) = (1, 5, 4, 2)"
    got = merge_heads(oracles.slow_split(expected, 5))
    expect.shape(case, got, (1, 4, 10))
    expect.equal(case, got, expected)
    heads = wave(2, 3, 5, 4)
    merge_heads(heads)
    expect.unchanged("the caller's heads after merge", wave(2, 3, 5, 4), heads)
    turned = oracles.slow_split(x, 3).transpose(3, 0, 1, 2).copy().transpose(1, 2, 3, 0)
    expect.equal("merge: heads are not contiguous in memory", merge_heads(turned), x)
    expect.equal("merge undoes split", merge_heads(split_heads(x.copy(), 6)), x)


@stage(reread='Stage 4, "By hand"')
def check_stage4(layer_norm, gelu, transformer_block):
    """LayerNorm and GELU by hand and at their edges; the block branch by branch, then whole."""
    _norm(layer_norm)
    # the normal distribution function at 1 is .841344746
    expect.close("gelu of [-1, 0, 1]", gelu(np.array([-1.0, 0, 1])), [-0.158655254, 0, 0.841344746])
    x = wave(2, 3, 5, scale=4)
    expect.close("gelu of shape (2, 3, 5)", gelu(x), oracles.slow_gelu(x))
    expect.unchanged("the caller's x after gelu", wave(2, 3, 5, scale=4), x)
    expect.close("gelu of [-30, 30]", gelu(np.array([-30.0, 30.0])), [0.0, 30.0])
    _block(transformer_block)


def _norm(layer_norm):
    """Each mistake of LayerNorm is loud somewhere: a large eps, small inputs, odd gains."""
    one, none = np.ones(2), np.zeros(2)
    # mean 2, variance 1
    got = layer_norm(np.array([[1.0, 3.0]]), one, none, 0.0)
    expect.close("layer_norm of [1, 3], eps 0", got, [[-1.0, 1.0]])
    # deviation 2 over the root of 4 + 12
    got = layer_norm(np.array([[0.0, 4.0]]), one, none, 12.0)
    expect.close("layer_norm of [0, 4], eps 12", got, [[-0.5, 0.5]])
    got = layer_norm(np.array([[0.001, 0.003]]), one, none)
    # deviation 1e-3, variance 1e-6, plus 1e-5
    edge = 1e-3 / math.sqrt(1.1e-5)
    expect.close("layer_norm of [.001, .003], default eps", got, [[-edge, edge]])
    gain, bias = np.array([2.0, 3.0]), np.array([10.0, 20.0])
    got = layer_norm(np.array([[1.0, 3.0]]), gain, bias, 0.0)
    expect.close("layer_norm of [1, 3], gain [2, 3], bias [10, 20]", got, [[8.0, 23.0]])
    x, gain, bias = wave(2, 3, 5, scale=3), wave(5, start=7), wave(5, start=20)
    expected = oracles.slow_layer_norm(x, gain, bias)
    mine = x.copy(), gain.copy(), bias.copy()
    expect.close("layer_norm of shape (2, 3, 5)", layer_norm(*mine), expected)
    for name, before, after in zip(("x", "gain", "bias"), (x, gain, bias), mine):
        expect.unchanged(f"the caller's {name} after layer_norm", before, after)
    got = layer_norm(np.full((1, 5), 4.0), gain.copy(), bias.copy())
    expect.close("layer_norm of equal numbers is the bias", got, bias[None])
    got = layer_norm(x[0, 0].copy(), gain.copy(), bias.copy())
    expect.close("layer_norm of one token, shape (5,)", got, expected[0, 0])


def _block(transformer_block):
    """B=2, T=5, D=12, H=3. One branch at a time, so that a message can name it."""
    reread = 'Stage 4, "The parameters"'
    x, params = wave(2, 5, 12, scale=2), oracles.block_params(12)
    no_attention = {"w_out": np.zeros((12, 12)), "b_out": np.zeros(12)}
    no_mlp = {"w_down": np.zeros((48, 12)), "b_down": np.zeros(12)}

    def run(x, params, n_heads=3):
        """One call with a copy of everything, so that no call can spoil the next."""
        fed = {name: part.copy() for name, part in params.items()}
        return transformer_block(x.copy(), fed, n_heads)

    before = run(x, params)
    if not expect.shape("a block on shape (2, 5, 12)", before, (2, 5, 12), reread=reread):
        return
    for name, fed in [
        ("a block that writes nothing returns x", {**params, **no_attention, **no_mlp}),
        ("a block whose attention writes nothing", {**params, **no_attention}),
    ]:
        got = run(x, fed)
        expect.close(name, got, oracles.slow_block(x, fed, 3), reread=reread)
    for t in range(1, 5):
        changed = x.copy()
        changed[:, t] += wave(12, start=t)
        after = run(changed, params)
        leaked = [i for i in oracles.moved(before, after, 1) if i < t]
        case = f"leak test of the block: token {t} changed, earlier tokens moved"
        expect.true(case, not leaked, leaked, "[]", reread='Stage 4, "The leak test again"')
    fed = {**params, **no_mlp}
    got = run(x, fed)
    expect.close(
        "a block whose MLP writes nothing", got, oracles.slow_block(x, fed, 3), reread=reread
    )
    expect.close("a whole block", before, oracles.slow_block(x, params, 3), reread=reread)
    small = x[:1, :4] / 1000  # where eps = 1e-5 is larger than the variance
    got = run(small, params, 2)
    expected = oracles.slow_block(small, params, 2)
    expect.close("a block on small numbers, two heads", got, expected, reread=reread)
    mine, fed = x.copy(), {name: part.copy() for name, part in params.items()}
    transformer_block(mine, fed, 3)
    expect.unchanged("the caller's x after a block", x, mine, reread=reread)
    expect.unchanged("the names in the caller's params", [*params], [*fed], reread=reread)
    for name, part in params.items():
        expect.unchanged(f"the caller's {name}", part, fed.get(name), reread=reread)


@stage(reread='Stage 5, "Two tests, not one"', seconds=120.0)
def check_stage5(CharLM, next_char_loss, sample):
    """Shapes, leaks, loss and sampling in a second; then training, and the loss it ends with."""
    from checks.lab_2_transformer import charlm  # PyTorch is loaded for this stage only

    charlm.check(CharLM, next_char_loss, sample)


@stage(reread='Stage 6, "The laws"')
def check_stage6(rope):
    """The laws of a rotation, whatever the pairing and the base."""
    x = wave(2, 3, 5, 8)
    positions = np.array([7, 0, 4, 11, 2])
    got = rope(x, positions)
    if not expect.shape("rope on shape (2, 3, 5, 8), positions [7 0 4 11 2]", got, (2, 3, 5, 8)):
        return
    got = np.asarray(got)

    def turned(x, *positions):
        return np.asarray(rope(x.copy(), np.array(positions)))

    expect.unchanged("the caller's x", wave(2, 3, 5, 8), x)
    expect.unchanged("the caller's positions", np.array([7, 0, 4, 11, 2]), positions)
    expect.close("all at position 0: nothing turns", turned(x, 0, 0, 0, 0, 0), x)
    expect.close("the row at position 0, among others", got[:, :, 1], x[:, :, 1])
    lengths = [np.linalg.norm(a, axis=-1) for a in (got, x)]
    expect.close("the length of each row stays", *lengths)

    def turning(m):
        """The matrix that a row is multiplied by at position m: what becomes of each unit row."""
        return turned(np.eye(8)[:, None], m)[:, 0]

    for row, m in enumerate([7, 0, 4, 11, 2]):
        case = f"row {row} of five stands at position {m}"
        expect.close(case, got[:, :, row], x[:, :, row] @ turning(m))
    expect.close("turning by 2, then by 3, is turning by 5", turning(2) @ turning(3), turning(5))
    # a pair that turns by θ has the eigenvalues cos θ ± i sin θ
    speeds = np.sort(np.abs(np.angle(np.linalg.eigvals(turning(1)))))[::2]
    expect.true(
        "d_head = 8, from position 0 to 1: angles of the four pairs",
        speeds[0] > 1e-9 and np.diff(speeds).min() > 1e-9,
        np.round(speeds, 9).tolist(),
        "four different angles, none of them 0",
    )
    expect.true(
        "d_head = 8, from position 0 to 1: angle of the fastest pair",
        speeds[-1] <= 1 + 1e-9,
        float(speeds[-1]),
        "1 radian at most",
        reread='Stage 6, "By hand"',
    )
    q, k = wave(1, 8, start=30), wave(1, 8, start=50)
    for far in (1000, 99_994, 100_000, 131_066):  # the second and last cross round numbers and 2^17
        scores = [(turned(q, 7 + s) * turned(k, 4 + s)).sum() for s in (0, far)]
        case = f"the score at positions (7, 4), and {far:,} further on"
        expect.close(case, scores[1], scores[0])
    flat = turned(wave(3, 2), 0, 1, 2)
    expect.close("rope on shape (3, 2) as on (1, 3, 2)", flat, turned(wave(1, 3, 2), 0, 1, 2)[0])
