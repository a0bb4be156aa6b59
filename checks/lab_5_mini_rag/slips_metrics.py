"""Slips of stage 2: ranking and its metrics."""

from checks.expect import Slip

FIRST = "1 / next(hits, np.inf)"

METRICS = [
    Slip("rank", "-scores", "scores", "when the worst score comes first"),
    Slip(
        "rank",
        'np.argsort(-scores, kind="stable")',
        "np.argsort(scores)[::-1]",
        "when an ascending order is reversed, so that ties go to the higher id",
    ),
    Slip(
        "rank", ', kind="stable"', "", "when the sort is not stable and shuffles many equal scores"
    ),
    Slip(
        "rank",
        'np.argsort(-scores, kind="stable")',
        '[i for i in np.argsort(-scores, kind="stable") if scores[i] > 0]',
        "when ids with a score of zero or less are left out",
    ),
    Slip(
        "rank",
        'np.argsort(-scores, kind="stable")',
        'np.argsort(-np.abs(scores), kind="stable")',
        "when the sign of a score is ignored",
    ),
    Slip(
        "rank",
        'np.argsort(-scores, kind="stable")',
        'np.argsort(np.argsort(-scores, kind="stable"))',
        "when each id's place is returned, not the ids in order",
    ),
    Slip(
        "rank",
        'np.argsort(-scores, kind="stable")',
        "np.sort(scores)[::-1]",
        "when the sorted scores are returned, not the ids",
    ),
    Slip(
        "rank",
        'np.argsort(-scores, kind="stable")',
        'np.argsort(-scores, kind="stable") + 1',
        "when ids count from 1",
    ),
    Slip(
        "rank",
        "-scores",
        "-np.round(scores, 6)",
        "when scores that are close count as equal",
    ),
    Slip("recall_at_k", "/ len(key)", "/ k", "when hits are divided by k, which is precision"),
    Slip(
        "recall_at_k",
        "/ len(key)",
        "/ min(k, len(key))",
        "when hits are divided by the smaller of k and the key",
    ),
    Slip(
        "recall_at_k",
        "/ len(key)",
        "/ max(1, min(len(ranking), len(key)))",
        "when hits are divided by the length of a ranking that is shorter than the key",
    ),
    Slip(
        "recall_at_k",
        "len(key & set(ranking[:k])) / len(key)",
        "float(bool(key & set(ranking[:k])))",
        "when one hit counts as the whole key",
    ),
    Slip("recall_at_k", "ranking[:k]", "ranking[: k + 1]", "when the place k + 1 is looked at too"),
    Slip("recall_at_k", "ranking[:k]", "ranking[: k - 1]", "when the place k is left out"),
    Slip(
        "recall_at_k", "ranking[:k]", "ranking[-k:]", "when the last k are looked at, not the first"
    ),
    Slip(
        "recall_at_k",
        "ranking[:k]",
        "ranking",
        "when the whole ranking is looked at, whatever k is",
    ),
    Slip(
        "recall_at_k",
        None,
        """
def solution_recall_at_k(rankings, relevant, k):
    hits = sum(len(key & set(r[:k])) for r, key in zip(rankings, relevant))
    return hits / sum(map(len, relevant))
""",
        "when all hits are pooled, so that a query with a large key weighs more",
    ),
    Slip(
        "recall_at_k",
        "sum(shares) / len(shares)",
        "sum(shares) / max(1, len([s for s in shares if s]))",
        "when queries without a hit are left out of the average",
    ),
    Slip(
        "mean_reciprocal_rank",
        "total / len(rankings)",
        "total / max(1, sum(bool(key & set(r)) for r, key in zip(rankings, relevant)))",
        "when only queries with a hit are averaged",
    ),
    Slip(
        "mean_reciprocal_rank",
        "enumerate(ranking, 1)",
        "enumerate(ranking, 2)",
        "when places are counted one too high",
    ),
    Slip(
        "mean_reciprocal_rank",
        FIRST,
        "sum(1 / place for place in hits)",
        "when every hit adds its 1 / place, not the first one only",
    ),
    Slip(
        "mean_reciprocal_rank",
        FIRST,
        "np.mean([1 / place for place in hits] or [0.0])",
        "when 1 / place is averaged over the hits of a query",
    ),
    Slip(
        "mean_reciprocal_rank",
        FIRST,
        "1 / max(hits, default=np.inf)",
        "when the last hit of a ranking counts, not the first",
    ),
    Slip(
        "mean_reciprocal_rank",
        None,
        """
def solution_mean_reciprocal_rank(rankings, relevant):
    places = []
    for ranking, key in zip(rankings, relevant):
        hits = [place for place, doc in enumerate(ranking, 1) if doc in key]
        places.append(min(hits, default=np.inf))
    return 1 / np.mean(places)
""",
        "when the mean place is inverted, not each place",
    ),
    Slip(
        "mean_reciprocal_rank",
        FIRST,
        "1 / next((ranking.index(doc) + 1 for doc in key if doc in ranking), np.inf)",
        "when the first id of the key that is found counts, not the first place",
    ),
    Slip(
        "mean_reciprocal_rank",
        "np.inf",
        "len(ranking) + 1",
        "when a miss counts as a hit just below the ranking",
    ),
    Slip(
        "mean_reciprocal_rank",
        "if doc in key",
        "if doc == min(key)",
        "when one id of the key is looked for and the others are not",
    ),
    Slip(
        "rank",
        'return np.argsort(-scores, kind="stable")',
        'return np.argsort(-scores, kind="stable")[:10]',
        "when only ten ids are returned",
    ),
    Slip(
        "rank",
        'return np.argsort(-scores, kind="stable")',
        'scores *= -1; return np.argsort(scores, kind="stable")',
        "when the caller's scores are turned over",
    ),
    Slip(
        "rank",
        'return np.argsort(-scores, kind="stable")',
        "return [scores.tolist().index(s) for s in sorted(scores.tolist(), reverse=True)]",
        "when an id is looked up by its score, so that ties give one id twice",
    ),
    Slip(
        "recall_at_k",
        "return sum(shares) / len(shares)",
        "return sum(shares)",
        "when the shares are added, not averaged",
    ),
    Slip(
        "recall_at_k",
        "return sum(shares) / len(shares)",
        "return sum(shares) / max(1, sum(map(bool, rankings)))",
        "when queries with an empty ranking are left out of the average",
    ),
    Slip(
        "recall_at_k",
        "len(key & set(ranking[:k])) / len(key)",
        "(key <= set(ranking[:k]))",
        "when only a key that is found whole counts",
    ),
    Slip(
        "recall_at_k",
        "len(key & set(ranking[:k])) / len(key)",
        "(min(key) in ranking[:k])",
        "when one id of the key is looked for and the others are not",
    ),
    Slip(
        "recall_at_k",
        "len(key & set(ranking[:k])) / len(key)",
        "len(key & set(ranking[:k])) / len(key | set(ranking[:k]))",
        "when hits are divided by key and ranking together",
    ),
    Slip(
        "mean_reciprocal_rank",
        "total += 1 / next(hits, np.inf)",
        "total += 1 // next(hits, np.inf)",
        "when // cuts 1 / place to a whole number",
    ),
    Slip(
        "mean_reciprocal_rank",
        "return total / len(rankings)",
        "return total / max(1, sum(map(bool, rankings)))",
        "when queries with an empty ranking are left out of the average",
    ),
    Slip(
        "mean_reciprocal_rank",
        "doc in key",
        "doc == max(key)",
        "when only the highest id of the key is looked for",
    ),
    Slip(
        "mean_reciprocal_rank",
        "enumerate(ranking, 1)",
        "enumerate(ranking[:10], 1)",
        "when places after the tenth are not looked at",
    ),
    Slip(
        "mean_reciprocal_rank",
        "1 / next(hits, np.inf)",
        "1 / next(hits, np.inf) / len(key)",
        "when 1 / place is divided by the size of the key",
    ),
    Slip(
        "mean_reciprocal_rank",
        "total += 1 / next(hits, np.inf)",
        "at = next(hits, 1) - 1; total += 1 / (at + 1) if at else 0",
        "when a hit at the first place is taken for a miss, as index 0 is false",
    ),
]
