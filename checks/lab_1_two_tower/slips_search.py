"""Wrong on purpose, stages 4 and 5: recall and its baseline, the index."""

from checks.expect import Slip

SHARE = "len(own & set(row)) / len(own)"

RECALL = [
    Slip(
        "recall_at_k",
        SHARE,
        "float(bool(own & set(row)))",
        "when a user with any hit counts as 1: the hit rate, not recall",
    ),
    Slip(
        "recall_at_k",
        SHARE,
        "len(own & set(row)) / k",
        "when hits are divided by k: that is precision@k",
    ),
    Slip(
        "recall_at_k",
        SHARE,
        "len(own & set(row)) / min(len(own), k)",
        "when hits are divided by the smaller of k and the number of relevant items",
    ),
    Slip("recall_at_k", "argsort(-scores", "argsort(scores", "when the k worst scores are taken"),
    Slip(
        "recall_at_k",
        'np.argsort(-scores, axis=1, kind="stable")',
        'np.argsort(scores, axis=1, kind="stable")[:, ::-1]',
        "when ties go to the higher id, as a reversed ascending order has them",
    ),
    Slip(
        "recall_at_k",
        ', kind="stable")',
        ")",
        "when the sort is not stable, so that ties come in any order",
    ),
    Slip(
        "recall_at_k",
        "argsort(-scores",
        "argsort(-scores.astype(np.float32)",
        "when scores that are close count as equal",
    ),
    Slip("recall_at_k", "[:, :k]", "[:, : k - 1]", "when only k - 1 items are taken"),
    Slip("recall_at_k", "[:, :k]", "[:, : k + 1]", "when k + 1 items are taken"),
    Slip("recall_at_k", "[:, :k]", "[:, k - 1 : k]", "when only the item at place k is looked at"),
    Slip(
        "recall_at_k",
        "float(np.mean(found)) if found else 0.0",
        "float(np.sum(found)) / len(relevant)",
        "when users without a relevant item count as 0",
    ),
    Slip(
        "recall_at_k",
        "float(np.mean(found)) if found else 0.0",
        "float(np.mean(found))",
        "when the mean of no users is NaN, not 0.0",
    ),
    Slip(
        "recall_at_k",
        None,
        """
def solution_recall_at_k(scores, relevant, k):
    top = np.argsort(-scores, axis=1, kind="stable")[:, :k].tolist()
    hits = sum(len(own & set(row)) for own, row in zip(relevant, top))
    return hits / max(1, sum(len(own) for own in relevant))
""",
        "when hits are pooled over users, so that heavy users decide",
    ),
    Slip(
        "recall_at_k",
        None,
        """
def solution_recall_at_k(scores, relevant, k):
    top = np.argsort(-scores, axis=1, kind="stable")[:, :k].tolist()
    shares = [len(own & set(row)) / len(own) if own else 1.0 for own, row in zip(relevant, top)]
    return float(np.mean(shares)) if any(relevant) else 0.0
""",
        "when users without a relevant item count as 1",
    ),
    Slip(
        "popularity", ", minlength=n_items", "", "when the counts end at the largest id that occurs"
    ),
    Slip(
        "popularity",
        "np.bincount(train_items, minlength=n_items)",
        "np.bincount(train_items, minlength=n_items) / len(train_items)",
        "when the counts are divided by their sum",
    ),
    Slip(
        "popularity",
        "np.bincount(train_items, minlength=n_items)",
        "np.unique(train_items, return_counts=True)[1]",
        "when items that never occur are left out",
    ),
    Slip(
        "popularity",
        None,
        """
def solution_popularity(train_items, n_items):
    counts = np.zeros(n_items)
    counts[train_items] += 1
    return counts
""",
        "when an id that occurs again adds nothing, as with counts[items] += 1",
    ),
]
CODES = "(x @ planes.T > 0) @ (1 << np.arange(len(planes)))"
POWERS = "(1 << np.arange(len(planes)))"

HASH = [
    Slip(
        "hash_codes",
        CODES,
        "(x @ planes.T > 0).sum(axis=1)",
        "when the bits are counted: 011 and 110 become one code",
    ),
    Slip(
        "hash_codes",
        POWERS,
        "np.arange(1, len(planes) + 1)",
        "when bit j is worth j, not 2 to the j: bits 1 and 2 make the code of bit 3",
    ),
    Slip(
        "hash_codes",
        POWERS,
        "(2 * np.arange(len(planes)) + 1)",
        "when bit j is worth 2 j + 1, not 2 to the j",
    ),
    Slip(
        "hash_codes",
        CODES,
        "np.packbits(x @ planes.T > 0, axis=1)[:, 0].astype(np.int64)",
        "when packbits' first byte is taken: more than 8 planes are lost",
    ),
    Slip(
        "hash_codes",
        CODES,
        "np.packbits(x @ planes.T > 0, axis=1).sum(axis=1).astype(np.int64)",
        "when packbits' bytes are added up: with more than 8 planes codes meet",
    ),
    Slip(
        "hash_codes",
        CODES,
        CODES + " % 997",
        "when the code is taken modulo a number of buckets, so that other sides meet",
    ),
    Slip(
        "hash_codes",
        POWERS,
        "(1 << np.arange(len(planes))).astype(np.int32)",
        "when the code is an int32, which holds 31 bits",
    ),
    Slip(
        "hash_codes",
        POWERS,
        "2.0 ** np.arange(len(planes))",
        "when the codes are floats, not int64",
    ),
    Slip(
        "hash_codes",
        "x @ planes.T > 0",
        "x @ planes.T > (x @ planes.T).mean(axis=0)",
        "when planes move to the middle of the batch, so that a code depends on the others",
    ),
    Slip(
        "hash_codes",
        "x @ planes.T > 0",
        "x @ planes.T > 1",
        "when a row has to be more than 1 away from the plane",
    ),
    Slip(
        "hash_codes",
        "x @ planes.T > 0",
        "np.abs(x @ planes.T) > 0.5",
        "when the distance to the plane is taken, not the side",
    ),
    Slip(
        "hash_codes",
        CODES,
        "np.argmax(x @ planes.T, axis=1)",
        "when the code is the plane with the largest product",
    ),
    Slip(
        "hash_codes",
        CODES,
        "np.floor(x @ planes.T).astype(np.int64) @ (1 << np.arange(len(planes)))",
        "when products are rounded into cells, not cut at 0",
    ),
    Slip(
        "hash_codes",
        CODES,
        "np.unique(x @ planes.T > 0, axis=0, return_inverse=True)[1].ravel()",
        "when codes are numbered as they occur, so that a query alone is always number 0",
    ),
]

FOUND = "found.append(buckets.get(code, found[0]))"
UNION = "np.unique(np.concatenate(found))"

SEARCH = [
    Slip(
        "lsh_search",
        "for planes, buckets in tables:",
        "for planes, buckets in tables[:1]:",
        "when only the first table is asked",
    ),
    Slip(
        "lsh_search",
        FOUND,
        "found = [np.array([], dtype=int), buckets.get(code, found[0])]",
        "when each table overwrites what the one before found",
    ),
    Slip(
        "lsh_search",
        "solution_hash_codes(query[None], planes)",
        "solution_hash_codes(query[None], tables[0][0])",
        "when every table is asked with the planes of the first",
    ),
    Slip(
        "lsh_search",
        UNION,
        "np.concatenate(found)",
        "when an id found in two tables comes back twice",
    ),
    Slip(
        "lsh_search",
        "ids = np.unique(np.concatenate(found))",
        "sets = [set(f.tolist()) for f in found[1:]]\n"
        "    ids = np.array(sorted(set.intersection(*sets)), dtype=int)",
        "when an id has to be found in every table",
    ),
    Slip("lsh_search", "-(x[ids] @ query)", "x[ids] @ query", "when the lowest scores come first"),
    Slip(
        "lsh_search",
        "ids[best_first[:k]]",
        "best_first[:k]",
        "when places among the candidates are returned, not ids",
    ),
    Slip(
        "lsh_search",
        "ids[best_first[:k]]",
        "x[ids[best_first[:k]]] @ query",
        "when scores are returned, not ids",
    ),
    Slip("lsh_search", "ids[best_first[:k]]", "ids[:k]", "when the candidates come unranked"),
    Slip(
        "lsh_search",
        "ids[best_first[:k]]",
        "ids[best_first]",
        "when all that was found is returned, not k",
    ),
    Slip(
        "lsh_search",
        UNION,
        "np.unique(np.concatenate(found))[:k]",
        "when k candidates are taken first and ranked then",
    ),
    Slip(
        "lsh_search", UNION, "np.arange(len(x))", "when all items are scored: that is brute force"
    ),
    Slip(
        "lsh_search",
        "buckets.get(code, found[0])",
        "buckets[code]",
        "when a code that no item has is looked up without a default",
    ),
    Slip(
        "lsh_search",
        None,
        """
def solution_lsh_search(query, x, tables, k):
    for planes, buckets in tables:
        code = int(solution_hash_codes(query[None], planes)[0])
        ids = buckets.get(code, np.array([], dtype=int))
        if len(ids):
            return ids[np.argsort(-(x[ids] @ query), kind="stable")[:k]]
    return np.array([], dtype=int)
""",
        "when the search ends at the first table that finds anything",
    ),
    Slip(
        "lsh_search",
        FOUND,
        FOUND
        + """
        if len(set(np.concatenate(found).tolist())) >= k:
            break""",
        "when the search ends as soon as k items are found",
    ),
    Slip(
        "lsh_search",
        "buckets.get(code, found[0])",
        "buckets.setdefault(code, found[0])",
        "when setdefault puts the missing code into the caller's buckets",
    ),
    Slip(
        "lsh_search",
        None,
        """
def solution_lsh_search(query, x, tables, k):
    found = []
    for planes, buckets in tables:
        code = int(solution_hash_codes(query[None], planes)[0])
        found += buckets.get(code, np.array([], dtype=int)).tolist()
    best_first = sorted(found, key=lambda i: -(x[i] @ query))
    return list(dict.fromkeys(best_first[:k]))
""",
        "when ids found twice are dropped only after the first k were taken",
    ),
    Slip(
        "lsh_search",
        None,
        """
def solution_lsh_search(query, x, tables, k):
    votes = np.zeros(len(x), dtype=int)
    for planes, buckets in tables:
        code = int(solution_hash_codes(query[None], planes)[0])
        votes[buckets.get(code, np.array([], dtype=int))] += 1
    ids = np.flatnonzero(votes)
    return ids[np.argsort(-votes[ids], kind="stable")[:k]]
""",
        "when candidates are ranked by the number of tables that found them",
    ),
    Slip(
        "lsh_search",
        None,
        """
def solution_lsh_search(query, x, tables, k):
    found = [np.array([], dtype=int)]
    for planes, buckets in tables:
        code = int(solution_hash_codes(query[None], planes)[0])
        found.append(buckets.get(code, found[0]))
    ids = np.unique(np.concatenate(found))
    if not len(ids):
        ids = np.arange(len(x))
    return ids[np.argsort(-(x[ids] @ query), kind="stable")[:k]]
""",
        "when a search that finds nothing falls back to all items",
    ),
    Slip(
        "lsh_search",
        None,
        """
def solution_lsh_search(query, x, tables, k):
    found = set()
    for planes, buckets in tables:
        code = int(solution_hash_codes(query[None], planes)[0])
        found.update(buckets.get(code, ()))
    ids = np.array(list(found))
    return ids[np.argsort(-(x[ids] @ query), kind="stable")[:k]]
""",
        "when an empty array of floats, np.array([]), is used as an index",
    ),
]
