"""More slips of lab 7, stages 5 and 6: what an index holds, and what a probe reads."""

from checks.expect import Slip

FAR = 'far = solution_squared_distances(index["x"][ids], q[None])[:, 0]'
ANSWER = 'return ids[np.argsort(far, kind="stable")[:k]]'

PROBE_SLIPS = [
    Slip(
        "build_index",
        "solution_lsh_codes(x - mean, normals)",
        "solution_lsh_codes(x, normals)",
        "when the rows are not centred, although the query is",
    ),
    Slip(
        "build_index",
        "mean = x.mean(axis=0)",
        "mean = (x.min(axis=0) + x.max(axis=0)) / 2",
        "when the rows are centred on the middle between the extremes, not on their mean",
    ),
    Slip(
        "build_index",
        'return {"x": x,',
        'return {"x": x - mean,',
        "when the rows are kept centred, and compared with a query that is not",
    ),
    Slip(
        "build_index",
        "solution_random_planes(n_bits,",
        "solution_random_planes(max(1, n_bits - 1),",
        "when a table has one bit too few",
    ),
    Slip(
        "build_index",
        "x.shape[1], rng) for",
        "x.shape[1], np.random.default_rng()) for",
        "when the planes come from a generator of your own, not from rng",
    ),
    Slip(
        "build_index",
        None,
        """
def solution_build_index(x, n_bits, n_tables, rng):
    mean, table = x.mean(axis=0), {}
    planes = [solution_random_planes(n_bits, x.shape[1], rng) for _ in range(n_tables)]
    for normals in planes:
        for row, code in enumerate(solution_lsh_codes(x - mean, normals).tolist()):
            table.setdefault(code, []).append(row)
    both = {code: np.unique(rows) for code, rows in table.items()}
    return {"x": x, "mean": mean, "planes": planes, "tables": [both] * n_tables}
""",
        "when all tables file their rows in one dict, where codes of different planes mix",
    ),
    Slip(
        "candidates",
        None,
        """
def solution_candidates(index, q):
    return np.arange(len(index["x"]))
""",
        "when every row is a candidate",
    ),
    Slip(
        "candidates",
        None,
        """
def solution_candidates(index, q):
    found = set()
    for normals, table in zip(index["planes"], index["tables"]):
        (own,) = solution_lsh_codes((q - index["mean"])[None], normals)
        for code, ids in table.items():
            if bin(code ^ int(own)).count("1") <= 1:
                found.update(ids.tolist())
    return np.array(sorted(found), dtype=np.int64)
""",
        "when buckets one bit away are read too",
    ),
    Slip(
        "query_index",
        FAR,
        'far = np.abs(index["x"][ids] - q).sum(axis=1)',
        "when candidates are ranked by the sum of absolute differences",
    ),
    Slip(
        "query_index",
        FAR,
        'far = np.abs(index["x"][ids] - q).max(axis=1)',
        "when candidates are ranked by their largest difference",
    ),
    Slip(
        "query_index",
        ANSWER,
        "return ids[np.argsort(far)[:k]]",
        "when an unstable sort shuffles rows that are equally near",
    ),
    Slip(
        "query_index",
        ANSWER,
        'return ids[np.argsort(far, kind="stable")[:k]][::-1]',
        "when the nearest are returned in reverse, nearest last",
    ),
    Slip(
        "query_index",
        ANSWER,
        'order = np.argsort(far, kind="stable"); return ids[order[far[order] > 0][:k]]',
        "when a row equal to the query is left out",
    ),
    Slip(
        "query_index",
        ANSWER,
        'return ids[np.argsort(far, kind="stable")[: k + 1]]',
        "when one row too many is returned",
    ),
    Slip(
        "query_index",
        "ids = solution_candidates(index, q)",
        "ids = solution_candidates(index, q)[:k]",
        "when k candidates are taken before they are ranked",
    ),
    Slip(
        "query_index",
        "ids = solution_candidates(index, q)",
        'ids = solution_candidates(index, q)\n    ids = ids if len(ids) >= k else np.arange(len(index["x"]))',
        "when too few candidates are replaced by all rows",
    ),
    Slip(
        "query_index",
        ANSWER,
        'return ids[np.argsort(far, kind="stable")[:k]] if len(ids) else None',
        "when None comes back where there are no candidates",
    ),
    Slip(
        "multiprobe",
        "solution_lsh_codes(centred[None], normals)",
        "solution_lsh_codes(q[None], normals)",
        "when the code is that of the query before centring",
    ),
    Slip(
        "multiprobe",
        "np.argsort(margins)[: n_probes - 1]",
        "np.argsort(margins)[:0]",
        "when only the query's own bucket is read",
    ),
    Slip(
        "multiprobe",
        "np.argsort(margins)[: n_probes - 1]",
        "np.argsort(margins)",
        "when all buckets one bit away are read, whatever n_probes says",
    ),
    Slip(
        "multiprobe",
        'zip(index["planes"], index["tables"]):',
        'zip(index["planes"][:1], index["tables"][:1]):',
        "when only the first table is read",
    ),
    Slip(
        "multiprobe",
        FAR,
        'far = -(index["x"][ids] @ q)',
        "when rows are ranked by dot product, not by distance",
    ),
    Slip(
        "multiprobe",
        FAR,
        'far = ((index["x"][ids] - centred) ** 2).sum(axis=1)',
        "when the centred query is compared with rows that are not",
    ),
    Slip(
        "multiprobe",
        "centred, nothing, found = q - ",
        'q -= index["mean"]; centred, nothing, found = q + 0 * ',
        "when the caller's query is centred in place",
    ),
    Slip(
        "multiprobe",
        "found.append(table.get(int(code), nothing))",
        "found.append(table.get(int(code), nothing)[:k])",
        "when only k rows of a bucket are read",
    ),
    Slip(
        "multiprobe",
        "found.append(table.get(int(code), nothing))",
        "found.append(table.get(int(code), nothing) if sum(map(len, found)) < k else nothing)",
        "when no more buckets are read once k rows are found",
    ),
    Slip(
        "multiprobe",
        "found.append(table.get(int(code), nothing))",
        "found.append(table[int(code)])",
        "when a bucket that does not exist raises KeyError",
    ),
    Slip(
        "multiprobe",
        ANSWER,
        'return ids[np.argsort(far, kind="stable")[:k]][::-1]',
        "when the nearest are returned in reverse, nearest last",
    ),
    Slip(
        "multiprobe",
        ANSWER,
        'order = np.argsort(far, kind="stable"); return ids[order[far[order] > 0][:k]]',
        "when a row equal to the query is left out",
    ),
    Slip(
        "multiprobe",
        ANSWER,
        "return ids[np.lexsort((-ids, far))[:k]]",
        "when of equally near rows the higher id comes first",
    ),
]
