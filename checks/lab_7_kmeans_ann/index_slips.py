"""Wrong on purpose, stages 5 and 6: the index and its probes."""

from checks.expect import Slip

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
        "build_index",
        "solution_random_planes(n_bits, x.shape[1], rng) for",
        "solution_random_planes(min(n_bits, 8), x.shape[1], rng) for",
        "when a table never has more than eight bits",
    ),
    Slip(
        "build_index",
        "solution_random_planes(n_bits, x.shape[1], rng) for",
        "solution_random_planes(n_bits, x.shape[1], rng) / (x.std(axis=0) + 1e-12) for",
        "when every feature is divided by its spread, which changes the angles",
    ),
    Slip(
        "build_index",
        "    mean = x.mean(axis=0)",
        "    mean = x.mean(axis=0); x -= mean",
        "when the caller's rows are centred in place",
    ),
    Slip(
        "build_index",
        None,
        """
def solution_build_index(x, n_bits, n_tables, rng, index={}):
    mean = x.mean(axis=0)
    planes = [solution_random_planes(n_bits, x.shape[1], rng) for _ in range(n_tables)]
    tables = [{} for _ in planes]
    for normals, table in zip(planes, tables):
        for i, code in enumerate(solution_lsh_codes(x - mean, normals)):
            table[int(code)] = np.append(table.get(int(code), np.array([], dtype=int)), i)
    index.update(x=x, mean=mean, planes=planes, tables=tables)
    return index
""",
        "when one dict is filled by every call, so that a new index overwrites the last",
    ),
    Slip(
        "candidates",
        "    nothing =",
        "    q -= index[\"mean\"]; q = q + index[\"mean\"]\n    nothing =",
        "when the caller's query is centred in place",
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
    Slip(
        "query_index",
        "solution_squared_distances(index[\"x\"][ids], q[None])[:, 0]",
        "(index[\"x\"][ids] ** 2).sum(axis=1) - 2 * index[\"x\"][ids] @ q",
        "when the square is expanded, which loses small distances far from the origin",
    ),
    Slip(
        "query_index",
        "np.argsort(far, kind=\"stable\")",
        "np.argsort(far.astype(np.float32), kind=\"stable\")",
        "when distances are float32 or rounded, so that different ones become equal",
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
        "[: n_probes - 1]",
        "[: max(0, n_probes - 2)]",
        "when one bucket too few is read",
    ),
    Slip(
        "multiprobe",
        None,
        """
def solution_multiprobe(index, q, k, n_probes):
    centred, nothing, found = q - index["mean"], np.array([], dtype=np.int64), []
    for normals, table in zip(index["planes"], index["tables"]):
        (own,) = solution_lsh_codes(centred[None], normals)
        margins, bits = np.abs(normals @ centred), range(len(normals))
        flips = [(margins[i], 1 << i) for i in bits]
        flips += [(margins[i] + margins[j], 1 << i | 1 << j) for i in bits for j in range(i)]
        for flip in [0, *(flip for _, flip in sorted(flips)[: n_probes - 1])]:
            found.append(table.get(int(own) ^ flip, nothing))
    ids = np.unique(np.concatenate(found))
    far = solution_squared_distances(index["x"][ids], q[None])[:, 0]
    return ids[np.argsort(far, kind="stable")[:k]]
""",
        "when two bits are flipped where the sum of their margins is small",
    ),
    Slip(
        "multiprobe",
        None,
        """
def solution_multiprobe(index, q, k, n_probes):
    centred, found = q - index["mean"], [np.array([], dtype=np.int64)]
    for normals, table in zip(index["planes"], index["tables"]):
        (own,) = solution_lsh_codes(centred[None], normals)
        order = np.argsort(np.abs(normals @ centred))
        codes = [int(own), *(int(own) ^ (1 << int(i)) for i in order)]
        found += [table[code] for code in codes if code in table][:n_probes]
    ids = np.unique(np.concatenate(found))
    far = solution_squared_distances(index["x"][ids], q[None])[:, 0]
    return ids[np.argsort(far, kind="stable")[:k]]
""",
        "when an empty bucket does not count, and another is read in its place",
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
    Slip(
        "multiprobe",
        "ids = np.unique(np.concatenate(found))",
        "ids = np.array(list(dict.fromkeys(np.concatenate(found).tolist())), dtype=int)",
        "when equally near rows stay in the order in which the probes found them",
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

INDEX_SLIPS = [*INDEX_STAGE_SLIPS, *PROBE_SLIPS]
