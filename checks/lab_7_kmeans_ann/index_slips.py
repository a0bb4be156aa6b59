"""Wrong on purpose, stages 4 to 6: planes, codes, the index and its probes."""

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
        "when NumPy's global generator is used in place of rng",
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

INDEX_STAGE_SLIPS = [
    Slip(
        "build_index",
        "mean = x.mean(axis=0)",
        "mean = np.zeros(x.shape[1])",
        "when the rows are not centred, so that one bucket holds nearly everything",
    ),
    Slip(
        "build_index",
        "mean = x.mean(axis=0)",
        "mean = np.median(x, axis=0)",
        "when the rows are centred on their median, not their mean",
    ),
    Slip("build_index", "mean = x.mean(axis=0)", "mean = x.mean()",
         "when the mean of all numbers is subtracted, not the mean of each feature"),
    Slip(
        "build_index",
        "[solution_random_planes(n_bits, x.shape[1], rng) for _ in range(n_tables)]",
        "[solution_random_planes(n_bits, x.shape[1], rng)] * n_tables",
        "when all tables share their planes, or only one table is read",
        twin="one table",  # T equal tables are one table: no query can tell
    ),
    Slip(
        "build_index",
        "np.split(order, starts)",
        "[ids[-1:] for ids in np.split(order, starts)]",
        "when each row overwrites the last one in its bucket",
    ),
    Slip("build_index", "range(n_tables)", "range(max(1, n_tables - 1))",
         "when there is one table too few"),
    Slip(
        "build_index",
        "solution_random_planes(n_bits, x.shape[1], rng) for",
        "solution_random_planes(n_tables, x.shape[1], rng) for",
        "when a table has n_tables bits, not n_bits",
    ),
    Slip(
        "build_index",
        "solution_random_planes(n_bits, x.shape[1], rng) for",
        "rng.random((n_bits, x.shape[1])) for",
        "when the planes of the index have positive coordinates only",
    ),
    Slip(
        "build_index",
        "mean = x.mean(axis=0)",
        "mean = x.mean(axis=0); rng = np.random.default_rng(0)",
        "when every index starts a generator from the same seed",
    ),
    Slip(
        "candidates",
        "q - index[\"mean\"]",
        "q",
        "when the query is not centred, although the rows are",
    ),
    Slip(
        "candidates",
        "np.unique(np.concatenate(found))",
        "np.concatenate(found)",
        "when a row that two tables find comes twice",
    ),
    Slip(
        "candidates",
        "return np.unique(np.concatenate(found))",
        "return np.array([i for i in found[0] if all(i in ids for ids in found)], dtype=int)",
        "when a row must share the bucket in every table, not in one",
    ),
    Slip(
        "candidates",
        "np.unique(np.concatenate(found))",
        "np.unique(found[0])",
        "when only the first table is read",
        twin="one table",  # one table read is what shared planes give
    ),
    Slip(
        "candidates",
        "table.get(int(code), nothing)",
        "table.get(int(code), np.arange(len(index[\"x\"])))",
        "when an empty bucket falls back to every row",
    ),
    Slip(
        "candidates",
        "table.get(int(code), nothing)",
        "table[int(code)]",
        "when a bucket that does not exist raises KeyError",
    ),
    Slip("query_index", "[:k]", "[1 : k + 1]", "when the nearest is dropped as the query itself"),
    Slip(
        "query_index",
        "ids[np.argsort(far, kind=\"stable\")[:k]]",
        "np.argsort(far, kind=\"stable\")[:k]",
        "when places among the candidates come back, not ids of x",
    ),
    Slip(
        "query_index",
        "solution_squared_distances(index[\"x\"][ids], q[None])[:, 0]",
        "-(index[\"x\"][ids] @ q)",
        "when candidates are ranked by dot product, not by distance",
    ),
    Slip(
        "query_index",
        "solution_squared_distances(index[\"x\"][ids], q[None])[:, 0]",
        "(r := index[\"x\"][ids] - index[\"mean\"]) @ (index[\"mean\"] - q) / (r**2).sum(1) ** 0.5",
        "when candidates are ranked by angle, not by distance",
    ),
    Slip(
        "query_index",
        "np.argsort(far, kind=\"stable\")[:k]",
        "np.argsort(-far, kind=\"stable\")[:k]",
        "when the farthest come first",
    ),
    Slip(
        "query_index",
        "ids[np.argsort(far, kind=\"stable\")[:k]]",
        "np.sort(ids[np.argsort(far, kind=\"stable\")[:k]])",
        "when the ids are sorted, not the distances",
    ),
    Slip(
        "query_index",
        "np.argsort(far, kind=\"stable\")",
        "np.lexsort((-ids, far))",
        "when of equally near rows the higher id comes first",
    ),
    Slip("query_index", "[:k]", "", "when all candidates come back, not the first k"),
    Slip(
        "query_index",
        "ids = solution_candidates(index, q)",
        "ids = np.arange(len(index[\"x\"]))",
        "when every row is scored and the index is not used",
    ),
    Slip(
        "query_index",
        "return ids[np.argsort(far, kind=\"stable\")[:k]]",
        "return (ids[np.argsort(far, kind=\"stable\")].tolist() + [-1] * k)[:k]",
        "when missing answers are filled up with -1",
    ),
    Slip(
        "query_index",
        "index[\"x\"][ids], q[None]",
        "index[\"x\"][ids], (q - index[\"mean\"])[None]",
        "when the centred query is compared with rows that are not",
    ),
]  # fmt: skip

PROBE_SLIPS = [
    Slip(
        "multiprobe",
        "np.argsort(margins)",
        "np.argsort(-margins)",
        "when the largest margin is flipped first",
    ),
    Slip(
        "multiprobe",
        "np.abs(normals @ centred)",
        "(normals @ centred)",
        "when margins keep their sign, so that the farthest plane on one side comes first",
    ),
    Slip(
        "multiprobe",
        "np.abs(normals @ centred)",
        "np.abs(normals @ q)",
        "when the margins are those of the query before centring",
    ),
    Slip(
        "multiprobe",
        "[: n_probes - 1]",
        "[:n_probes]",
        "when the own bucket is not counted as a probe",
    ),
    Slip(
        "multiprobe",
        "[own, *(own ^ (1 << nearest))]",
        "own ^ (1 << nearest)",
        "when the query's own bucket is not read",
    ),
    Slip(
        "multiprobe",
        "[own, *(own ^ (1 << nearest))]",
        "[own, *(own ^ np.bitwise_xor.accumulate(1 << nearest))]",
        "when each flip starts from the last probe, not from the query's own code",
    ),
    Slip(
        "multiprobe",
        "own ^ (1 << nearest)",
        "own | (1 << nearest)",
        "when bits are set, not flipped: a bit that is 1 stays 1",
    ),
    Slip(
        "multiprobe",
        "own ^ (1 << nearest)",
        "own ^ nearest",
        "when the number of the plane is flipped in, not its bit",
    ),
    Slip(
        "multiprobe",
        "own ^ (1 << nearest)",
        "own ^ (1 << (len(normals) - 1 - nearest))",
        "when bits are counted from the other end than in the code",
    ),
    Slip(
        "multiprobe",
        "nearest = np.argsort(margins)[: n_probes - 1]",
        "nearest = np.arange(n_probes - 1)",
        "when the first bits are flipped, whatever their margins",
    ),
    Slip(
        "multiprobe",
        "    ids = np.unique(np.concatenate(found))",
        "        n_probes = 1\n    ids = np.unique(np.concatenate(found))",
        "when only the first table gets more than one probe",
    ),
    Slip(
        "multiprobe",
        "ids = np.unique(np.concatenate(found))",
        "ids = np.concatenate(found)",
        "when a row that two tables find comes twice",
    ),
    Slip(
        "multiprobe",
        'ids[np.argsort(far, kind="stable")[:k]]',
        "ids[:k]",
        "when the rows are not ranked by distance",
    ),
    Slip("multiprobe", "[:k]", "", "when all rows seen come back, not the first k"),
    Slip(
        "multiprobe",
        None,
        """
def solution_multiprobe(index, q, k, n_probes):
    centred, nothing, found, flips = q - index["mean"], np.array([], dtype=np.int64), [], []
    for normals, table in zip(index["planes"], index["tables"]):
        (own,) = solution_lsh_codes(centred[None], normals)
        found.append(table.get(int(own), nothing))
        margins = np.abs(normals @ centred) / np.linalg.norm(normals, axis=1)
        flips += [(m, table.get(int(own) ^ (1 << i), nothing)) for i, m in enumerate(margins)]
    flips.sort(key=lambda flip: flip[0])
    ids = np.unique(np.concatenate(found + [bucket for _, bucket in flips[: n_probes - 1]]))
    far = solution_squared_distances(index["x"][ids], q[None])[:, 0]
    return ids[np.argsort(far, kind="stable")[:k]]
""",
        "when the flips are shared by all tables, not made in each",
    ),
    Slip(
        "multiprobe",
        "np.abs(normals @ centred)",
        'np.abs(index["planes"][0] @ centred)',
        "when the margins of the first table are used for every table",
    ),
]

INDEX_SLIPS = [*CODE_SLIPS, *INDEX_STAGE_SLIPS, *PROBE_SLIPS]
