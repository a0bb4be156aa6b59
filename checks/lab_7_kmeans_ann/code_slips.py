"""Wrong on purpose, stage 4: planes and codes."""

from checks.expect import Slip

CODE_SLIPS = [
    Slip(
        "random_planes",
        "rng.standard_normal((n_bits, d))",
        "rng.random((n_bits, d))",
        "when all coordinates are positive, so that the planes face one way",
    ),
    Slip(
        "random_planes",
        "rng.standard_normal((n_bits, d))",
        "rng.uniform(-1, 1, (n_bits, d))",
        "when coordinates are uniform in (-1, 1), so that the corners of the cube come too often",
    ),
    Slip(
        "random_planes",
        "rng.standard_normal((n_bits, d))",
        "rng.choice([-1.0, 1.0], (n_bits, d))",
        "when coordinates are +1 or -1: only 2^d directions",
    ),
    Slip("random_planes", "(n_bits, d)", "(d, n_bits)", "when a plane is a column, not a row"),
    Slip(
        "random_planes",
        "rng.standard_normal((n_bits, d))",
        "rng.normal(1.0, 1.0, (n_bits, d))",
        "when the coordinates do not have the mean 0",
    ),
    Slip(
        "random_planes",
        "rng.standard_normal((n_bits, d))",
        "np.random.default_rng(0).standard_normal((n_bits, d))",
        "when every call starts a generator from the same seed",
    ),
    Slip(
        "random_planes",
        "rng.standard_normal((n_bits, d))",
        "np.random.standard_normal((n_bits, d))",
        "when another generator is used in place of rng: NumPy's global one, or one of your own",
    ),
    Slip(
        "random_planes",
        "rng.standard_normal((n_bits, d))",
        "np.repeat(rng.standard_normal((1, d)), n_bits, axis=0)",
        "when one plane is drawn and repeated",
    ),
    Slip(
        "random_planes",
        "rng.standard_normal((n_bits, d))",
        "np.eye(d)[rng.integers(d, size=n_bits)]",
        "when the planes are the axes of the space",
    ),
    Slip(
        "lsh_codes",
        "bits @ (1 << np.arange(len(planes)))",
        "(bits @ 2.0 ** np.arange(len(planes))).astype(np.int64)",
        "when the bits are summed in float64, which holds 53 of them",
    ),
    Slip(
        "random_planes",
        "rng.standard_normal((n_bits, d))",
        "np.concatenate([p := rng.standard_normal((-(-n_bits // 2), d)), -p])[:n_bits]",
        "when every plane comes twice, once with the opposite sign",
    ),
    Slip(
        "random_planes",
        None,
        """
def solution_random_planes(n_bits, d, rng):
    blocks = [np.linalg.qr(rng.standard_normal((d, d)))[0] for _ in range(-(-n_bits // d))]
    return np.concatenate(blocks)[:n_bits]
""",
        "when the planes are made orthogonal, and are no longer independent",
    ),
    Slip(
        "lsh_codes",
        "x @ planes.T > 0",
        "x.astype(np.float32) @ planes.T.astype(np.float32) > 0",
        "when float32, or less, decides on which side a row lies",
    ),
    Slip(
        "lsh_codes",
        "x @ planes.T > 0",
        "x @ planes[:8].T > 0; planes = planes[:8]",
        "when only the first eight planes count, or the first byte of the packed bits",
    ),
    Slip(
        "lsh_codes",
        "bits @ (1 << np.arange(len(planes)))",
        "np.array([hash(tuple(row)) % 2**16 for row in bits.tolist()])",
        "when a hash, or small weights, pack the bits, so that different sides share a code",
    ),
    Slip(
        "lsh_codes",
        "bits @ (1 << np.arange(len(planes)))",
        "(bits @ (1 << np.arange(len(planes)))).astype(np.int32).astype(np.int64)",
        "when the bits are packed into 32, and int64 comes too late",
    ),
    Slip(
        "lsh_codes",
        "bits @ (1 << np.arange(len(planes)))",
        "(bits @ (1 << np.arange(len(planes)))).astype(np.int32)",
        "when codes are int32, which holds 31 bits",
    ),
    Slip(
        "lsh_codes",
        "bits @ (1 << np.arange(len(planes)))",
        "np.array([int(''.join(map(str, row))) for row in bits.astype(int).tolist()])",
        "when bits become decimal digits: int64 holds 18 of them",
    ),
    Slip("lsh_codes", "1 << np.arange", "np.arange", "when bit i weighs i, not 2 to the i"),
    Slip(
        "lsh_codes",
        "bits @ (1 << np.arange(len(planes)))",
        "bits.sum(axis=1)",
        "when the bits are counted, so that it is lost which planes they are of",
    ),
    Slip(
        "lsh_codes",
        "bits @ (1 << np.arange(len(planes)))",
        "np.unique(bits @ (1 << np.arange(len(planes))), return_inverse=True)[1].ravel()",
        "when codes are numbered within a call, so that two calls do not agree",
    ),
    Slip(
        "lsh_codes",
        "x @ planes.T > 0",
        "x @ planes.T > (x @ planes.T).mean(axis=0)",
        "when the bit is cut at the mean of the rows of this call, not at 0",
    ),
    Slip(
        "lsh_codes",
        "x @ planes.T > 0",
        "np.abs(x @ planes.T) > 1",
        "when the distance from the plane is cut, not its side",
    ),
    Slip("lsh_codes", "x @ planes.T", "x @ planes[:-1].T", "when the last plane is left out"),
    Slip(
        "lsh_codes",
        "return bits @ (1 << np.arange(len(planes)))",
        "return bits.astype(np.int64)",
        "when the bits come back one by one, not packed into one integer",
    ),
]
