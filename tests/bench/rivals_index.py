"""Nearest neighbours: the indexes of labs 1 and 7 against faiss, each with its recall@10.

An approximate index is quick in exchange for recall, so no time stands here without one. Queries
come one at a time on both sides, as a service gets them, each a call from Python.
"""

from __future__ import annotations

from typing import Any

from tests.bench.rivals import Rival, solutions

DIMS, TOPICS, QUERIES, TOP = 32, 200, 50, 10
SIZES = (5_000, 20_000, 80_000)
BITS, TABLES, PROBES = 8, 8, 4
FEWER = 3  # tables of the multi-probe index: it looks into four buckets in each


def corpus(size: int, unit: bool = False) -> dict:
    """Embeddings in 200 topics as lab 7 makes them, `QUERIES` queries, and their true neighbours.

    unit  rows of length 1, as lab 1 has them
    """
    import faiss
    import numpy as np

    rng = np.random.default_rng(7)
    topics = 0.3 + rng.standard_normal((TOPICS, DIMS))
    x, queries = (
        topics[rng.integers(TOPICS, size=n)] + rng.normal(0.0, 0.5, (n, DIMS))
        for n in (size, QUERIES)
    )
    if unit:
        x, queries = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (x, queries))
    far = [((x - q) ** 2).sum(axis=1) for q in queries]
    exact = [np.argsort(d, kind="stable")[:TOP].tolist() for d in far]
    flat = faiss.IndexFlatIP(DIMS) if unit else faiss.IndexFlatL2(DIMS)
    flat.add(x.astype(np.float32))
    return {
        "x": x, "queries": queries, "exact": exact, "flat": flat, "rng": rng,
        "x32": x.astype(np.float32), "queries32": queries.astype(np.float32)[:, None],
    }  # fmt: skip


def recall(data: dict, found: list) -> float:
    """The share of the true ten neighbours that were found, over all queries."""
    hits = sum(len(set(ids) & set(true)) for ids, true in zip(found, data["exact"]))
    return hits / (TOP * QUERIES)


def search(index: Any, data: dict) -> list[list[int]]:
    """The ten ids of each query, one call a query."""
    return [index.search(query, TOP)[1][0].tolist() for query in data["queries32"]]


def both(data: dict, ours: list, theirs: list) -> str:
    """The recall of both; what ours found of the true ten stands in their true order."""
    ours = [list(map(int, ids)) for ids in ours]
    for ids, true in zip(ours, data["exact"]):
        place = [true.index(i) for i in ids if i in true]
        assert place == sorted(place), f"{ids} is not in the order of {true}"
        assert len(set(ids)) == len(ids), f"an id twice in {ids}"
    mine, other = recall(data, ours), recall(data, theirs)
    assert mine > 0.3, f"recall@10 of ours is {mine:.2f}"
    return f"recall@10 {mine:.2f} and {other:.2f}"


def recalls(data: dict, ours: list, theirs: list) -> tuple[str, str]:
    """The recall of both, for the picture."""
    each = (recall(data, [list(map(int, ids)) for ids in found]) for found in (ours, theirs))
    return tuple(f"recall {value:.2f}" for value in each)


def exactly(data: dict, ours: list, theirs: list) -> str:
    """As `both`, where the peer must find all."""
    assert recall(data, theirs) > 0.999, f"the flat index finds {recall(data, theirs):.3f}"
    return both(data, ours, theirs)


def lab_7(size: int) -> dict:
    """The corpus, and lab 7's index on it."""
    import numpy as np

    data = corpus(size)
    own = solutions(7, "build_index")
    data["index"] = own.build_index(data["x"], BITS, TABLES, np.random.default_rng(0))
    return data


def lab_7_query(data: dict) -> list:
    """The ten ids of each query by lab 7's index."""
    own = solutions(7, "query_index")
    return [own.query_index(data["index"], q, TOP) for q in data["queries"]]


def lab_7_hamming(size: int) -> dict:
    """As `lab_7`, and faiss's LSH with as many bits in all, around the same mean."""
    import faiss

    data = lab_7(size)
    mean = data["x32"].mean(axis=0)
    data["queries32"] = data["queries32"] - mean
    data["lsh"] = faiss.IndexLSH(DIMS, BITS * TABLES, True, False)
    data["lsh"].add(data["x32"] - mean)
    return data


def probing(size: int) -> dict:
    """A smaller index of lab 7, and an IVF index that probes until it finds as many."""
    import faiss
    import numpy as np

    data = corpus(size)
    own = solutions(7, "build_index")
    data["index"] = own.build_index(data["x"], BITS, FEWER, np.random.default_rng(0))
    data["quantizer"] = faiss.IndexFlatL2(DIMS)
    ivf = faiss.IndexIVFFlat(data["quantizer"], DIMS, round(size**0.5))
    ivf.train(data["x32"])
    ivf.add(data["x32"])
    want = recall(data, [list(ids) for ids in lab_7_probe(data)])
    while recall(data, search(ivf, data)) < want:
        ivf.nprobe += 1
    data["ivf"] = ivf
    return data


def lab_7_probe(data: dict) -> list:
    """The ten ids of each query, four buckets a table."""
    own = solutions(7, "multiprobe")
    return [own.multiprobe(data["index"], q, TOP, PROBES) for q in data["queries"]]


def at_equal_recall(data: dict, ours: list, theirs: list) -> str:
    """As `both`, and the peer finds no less."""
    ours = [list(map(int, ids)) for ids in ours]
    assert recall(data, theirs) >= recall(data, ours), "the peer finds less"
    ivf = data["ivf"]
    return f"{both(data, ours, theirs)}, {ivf.nprobe} of {ivf.nlist} lists probed"


def building(data: dict) -> Any:
    """An IVF index, trained and filled."""
    import faiss

    x = data["x32"]
    index = faiss.IndexIVFFlat(faiss.IndexFlatL2(DIMS), DIMS, round(len(x) ** 0.5))
    index.train(x)
    index.add(x)
    return index


def both_built(data: dict, ours: dict, theirs: Any) -> str:
    """Both hold every row: each row of a sample is found as its own nearest neighbour."""
    own = solutions(7, "query_index")
    assert theirs.ntotal == len(data["x"])
    for row in range(0, len(data["x"]), len(data["x"]) // 20):
        assert own.query_index(ours, data["x"][row], 1)[0] == row
        assert theirs.search(data["x32"][row : row + 1], 1)[1][0, 0] == row
    return "each row of a sample is found in both as its own nearest"


def lab_1(size: int) -> dict:
    """Unit rows, and tables of buckets as lab 1 builds them."""
    import numpy as np

    data, rng = corpus(size, unit=True), np.random.default_rng(0)
    own = solutions(1, "hash_codes")
    data["tables"] = []
    for _ in range(TABLES):
        planes = rng.standard_normal((BITS, DIMS))
        codes = own.hash_codes(data["x"], planes)
        buckets = {int(code): np.flatnonzero(codes == code) for code in np.unique(codes)}
        data["tables"].append((planes, buckets))
    return data


def lab_1_search(data: dict) -> list:
    """The ten ids of each query by lab 1's search."""
    own = solutions(1, "lsh_search")
    return [own.lsh_search(q, data["x"], data["tables"], TOP) for q in data["queries"]]


RIVALS = [
    Rival(
        "lsh-by-angle", 1, f"{QUERIES} queries, LSH, {BITS} bits in {TABLES} tables",
        "faiss IndexFlatIP", "items", SIZES, lab_1, lab_1_search,
        lambda data: search(data["flat"], data), exactly,
        note="the flat index reads every row and finds all", needs=("faiss",),
        marks=recalls,
    ),
    Rival(
        "lsh-index", 7, f"{QUERIES} queries, LSH, {BITS} bits in {TABLES} tables",
        "faiss IndexFlatL2", "rows", SIZES, lab_7, lab_7_query,
        lambda data: search(data["flat"], data), exactly,
        note="the flat index reads every row and finds all", needs=("faiss",),
        marks=recalls,
    ),
    Rival(
        "lsh-bits", 7, f"{QUERIES} queries, LSH, {BITS} bits in {TABLES} tables",
        "faiss IndexLSH", "rows", SIZES, lab_7_hamming, lab_7_query,
        lambda data: search(data["lsh"], data), both,
        note=f"IndexLSH ranks all rows by the Hamming distance of {BITS * TABLES} bits and does "
        "not look at them again", needs=("faiss",),
        marks=recalls,
    ),
    Rival(
        "multi-probe", 7, f"{QUERIES} queries, {PROBES} buckets in {FEWER} tables (stretch)",
        "faiss IndexIVFFlat", "rows", SIZES, probing, lab_7_probe,
        lambda data: search(data["ivf"], data), at_equal_recall,
        note="at equal recall: IVF probes the fewest lists that find as many", needs=("faiss",),
        marks=recalls,
    ),
    Rival(
        "index-build", 7, f"building an index, {BITS} bits in {TABLES} tables",
        "faiss IndexIVFFlat", "rows", SIZES, corpus,
        lambda data: solutions(7, "build_index").build_index(
            data["x"], BITS, TABLES, data["rng"]
        ),
        building, both_built, note="IVF runs k-means for its lists", needs=("faiss",),
    ),
]  # fmt: skip
