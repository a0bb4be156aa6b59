"""More slips of stages 3 to 5: singular directions, fusion, chunks."""

from checks.expect import Slip

SORTED = "return sorted(scores.items(), key=lambda item: (-item[1], item[0]))"

FUSED = [
    Slip(
        "fit_svd",
        "svd(matrix, full",
        "svd(matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-300), full",
        "when rows are scaled to length 1 first",
    ),
    Slip(
        "fit_svd",
        "svd(matrix, full",
        "svd(matrix - matrix.mean(axis=1, keepdims=True), full",
        "when each row loses its own mean first",
    ),
    Slip(
        "fit_svd",
        "directions[:k]",
        "np.abs(directions[:k])",
        "when the components lose their signs",
    ),
    Slip(
        "fit_svd",
        "directions[:k]",
        "directions[:, :k]",
        "when the first k columns are cut out, not the first k rows",
    ),
    Slip("fit_svd", "directions[:k]", "directions[: k - 1]", "when one direction too few is kept"),
    Slip(
        "project",
        "np.where(lengths > 0, lengths, 1)",
        "np.where(matrix.any(axis=1, keepdims=True), lengths, 1)",
        "when only a row of zeros is looked for, not a row that projects to zero",
    ),
    Slip(
        "project",
        "coordinates / np.where(lengths > 0, lengths, 1)",
        "coordinates / (np.linalg.norm(coordinates) or 1)",
        "when all rows together are scaled to length 1",
    ),
    Slip(
        "project",
        "coordinates / np.where(lengths > 0, lengths, 1)",
        "coordinates / np.where(lengths > 0, lengths, 1) ** 2",
        "when a row is divided by the square of its length",
    ),
    Slip(
        "project",
        "np.where(lengths > 0, lengths, 1)",
        "np.maximum(lengths, 1)",
        "when rows shorter than 1 are left as they are",
    ),
    Slip(
        "project",
        "return coordinates / np.where(lengths > 0, lengths, 1)",
        "return (coordinates / np.where(lengths > 0, lengths, 1)).T",
        "when rows come as columns",
    ),
    Slip(
        "project",
        "return coordinates / np.where(lengths > 0, lengths, 1)",
        "return (coordinates / np.where(lengths > 0, lengths, 1))[coordinates.any(axis=1)]",
        "when rows of zeros are left out",
    ),
    Slip(
        "rrf",
        "def solution_rrf(rankings, k=60):\n    scores = Counter()",
        "def solution_rrf(rankings, k=60, scores=Counter()):",
        "when a default argument keeps the scores of the call before",
    ),
    Slip("rrf", "1 / (k + place)", "1 / (k * place)", "when the place multiplies k"),
    Slip(
        "rrf",
        "1 / (k + place)",
        "(len(ranking) - place + 1)",
        "when places are counted as points from the end (Borda)",
    ),
    Slip(
        "rrf",
        SORTED,
        "return dict(sorted(scores.items(), key=lambda item: (-item[1], item[0])))",
        "when a dict comes back, not a list",
    ),
    Slip(
        "rrf",
        SORTED,
        "return [(s, d) for d, s in sorted(scores.items(), key=lambda item: (-item[1], item[0]))]",
        "when the score stands before the id",
    ),
    Slip(
        "rrf",
        SORTED,
        "return sorted(scores.items(), key=lambda item: (-round(item[1], 4), item[0]))",
        "when scores that are close count as a tie",
    ),
    Slip(
        "rrf",
        SORTED,
        "scores = {d: scores[d] for d in range(max(scores, default=-1) + 1)}; return sorted(scores.items(), key=lambda item: (-item[1], item[0]))",
        "when ids that no ranking holds come with a score of 0",
    ),
    Slip(
        "rrf",
        SORTED,
        "scores = {d: s / sum(d in r for r in rankings) for d, s in scores.items()}; return sorted(scores.items(), key=lambda item: (-item[1], item[0]))",
        "when the sum is divided by the number of rankings that hold the id",
    ),
    Slip(
        "rrf",
        "enumerate(ranking, 1)",
        "enumerate(ranking, 1 + sum(map(len, rankings[: rankings.index(ranking)])))",
        "when places go on counting from one ranking to the next",
    ),
    Slip(
        "rrf",
        None,
        """
def solution_rrf(rankings, k=60):
    scores = Counter()
    for ranking in rankings:
        place = 0
        while ranking:
            place += 1
            scores[ranking.pop(0)] += 1 / (k + place)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
""",
        "when the caller's rankings are emptied",
    ),
    Slip(
        "chunk",
        None,
        """
def solution_chunk(tokens, size, overlap):
    if overlap >= size:
        raise ValueError("overlap")
    end, step = max(len(tokens) - overlap, 1), size - overlap
    chunks = [tokens[at : at + size] for at in range(0, end, step) if tokens]
    if len(chunks) > 1 and len(chunks[-1]) < size:
        chunks[-2:] = [chunks[-2] + chunks[-1][overlap:]]
    return chunks
""",
        "when a short tail is joined to the chunk before it",
    ),
    Slip(
        "chunk",
        "tokens[at : at + size] for",
        "(tokens[at : at + size] + [''] * size)[:size] for",
        "when a short tail is filled up",
    ),
    Slip(
        "chunk",
        "tokens[at : at + size]",
        "tokens[at : at + size + 1]",
        "when chunks are one token too long",
    ),
    Slip(
        "chunk",
        "size - overlap) if",
        "size - overlap + 1) if",
        "when the step is one token too long",
    ),
    Slip(
        "chunk",
        "raise ValueError(",
        "raise IndexError(",
        "when another error than ValueError is raised",
    ),
    Slip(
        "best_chunk_scores",
        "np.maximum.at",
        "np.minimum.at",
        "when the smallest score is looked for",
    ),
    Slip(
        "best_chunk_scores",
        "    best = np.full(n_docs, -np.inf)",
        "    n_docs = max(parents) + 1\n    best = np.full(n_docs, -np.inf)",
        "when documents after the last one with a chunk are missing",
    ),
    Slip(
        "best_chunk_scores",
        "np.where(np.isneginf(best), 0.0, best)",
        "np.where(np.isneginf(best), np.nan, best)",
        "when a document without chunks scores NaN",
    ),
    Slip(
        "best_chunk_scores",
        None,
        """
def solution_best_chunk_scores(chunk_scores, parents, n_docs):
    best = np.full(n_docs, -1.0)
    np.maximum.at(best, parents, chunk_scores)
    return np.where(best == -1.0, 0.0, best)
""",
        "when -1 stands for no chunk yet, so that lower scores are lost",
    ),
    Slip(
        "best_chunk_scores",
        None,
        """
def solution_best_chunk_scores(chunk_scores, parents, n_docs):
    docs, first = np.unique(parents, return_index=True)
    best = np.zeros(n_docs)
    best[docs] = [chunk_scores[a:b].max() for a, b in zip(first, [*first[1:], len(parents)]) if b > a]
    return best
""",
        "when parents are taken to be sorted",
    ),
    Slip(
        "best_chunk_scores",
        "    best = np.full(",
        "    order = np.argsort(chunk_scores); chunk_scores.sort(); parents = parents[order]\n    best = np.full(",
        "when the caller's scores are sorted",
    ),
    Slip(
        "best_chunk_scores",
        "np.where(np.isneginf(best), 0.0, best)",
        "np.where(np.isneginf(best), 0.0, best).astype(int, copy=False)",
        "when scores are cut to whole numbers",
    ),
]
