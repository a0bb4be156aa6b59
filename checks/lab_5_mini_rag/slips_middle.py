"""Slips of stages 3 to 5: singular directions, fusion, chunks."""

from checks.expect import Slip

MIDDLE = [
    Slip(
        "fit_svd",
        None,
        """
def solution_fit_svd(matrix, k):
    return np.linalg.svd(matrix, full_matrices=False)[0][:, :k].T
""",
        "when U is taken, whose vectors are made of documents",
    ),
    Slip(
        "fit_svd",
        "directions[:k]",
        "directions[:, :k].T",
        "when columns of Vh are taken for its rows",
    ),
    Slip("fit_svd", "directions[:k]", "directions[:k].T", "when the components come as columns"),
    Slip(
        "fit_svd", "directions[:k]", "directions[-k:]", "when the smallest singular values are kept"
    ),
    Slip(
        "fit_svd",
        "directions[:k]",
        "directions[::-1][-k:]",
        "when the k largest come, the smallest of them first",
    ),
    Slip(
        "fit_svd",
        "full_matrices=False",
        "full_matrices=True",
        "when rows beyond min(k, N, V) are returned, which explain nothing",
    ),
    Slip(
        "fit_svd",
        "np.linalg.svd(matrix,",
        "np.linalg.svd(matrix - matrix.mean(axis=0),",
        "when the mean row is subtracted first, which makes it a PCA",
    ),
    Slip(
        "fit_svd",
        None,
        """
def solution_fit_svd(matrix, k):
    _, values, directions = np.linalg.svd(matrix, full_matrices=False)
    return values[:k, None] * directions[:k]
""",
        "when the rows are multiplied by their singular values",
    ),
    Slip(
        "fit_svd",
        None,
        """
def solution_fit_svd(matrix, k):
    values, vectors = np.linalg.eigh(matrix.T @ matrix)
    return vectors.T[: min(k, *matrix.shape)]
""",
        "when eigh's order is taken as it comes, the smallest first",
    ),
    Slip(
        "fit_svd",
        None,
        """
def solution_fit_svd(matrix, k):
    values, vectors = np.linalg.eigh(matrix.T @ matrix)
    return vectors[np.argsort(-values)][: min(k, *matrix.shape)]
""",
        "when the rows of eigh's matrix are taken, whose vectors are columns",
    ),
    Slip(
        "fit_svd", "directions[:k]", "directions[1 : k + 1]", "when the first direction is dropped"
    ),
    Slip(
        "fit_svd",
        None,
        """
def solution_fit_svd(matrix, k):
    values, vectors = np.linalg.eig(matrix.T @ matrix)
    return vectors.T[: min(k, *matrix.shape)]
""",
        "when the eigenvectors come in the order of np.linalg.eig, which is none",
    ),
    Slip(
        "fit_svd",
        None,
        """
def solution_fit_svd(matrix, k):
    _, values, directions = np.linalg.svd(matrix, full_matrices=False)
    return directions[values > 1e-9][:k]
""",
        "when directions with a singular value of 0 are left out, so that rows are missing",
    ),
    Slip(
        "project",
        "return coordinates / np.where(lengths > 0, lengths, 1)",
        "return coordinates",
        "when the projections are not scaled to length 1",
    ),
    Slip(
        "project",
        "np.where(lengths > 0, lengths, 1)",
        "lengths",
        "when a row of zeros is divided by its length 0",
    ),
    Slip("project", "axis=1", "axis=0", "when columns are scaled to length 1, not rows"),
    Slip(
        "project",
        "np.linalg.norm(coordinates, axis=1, keepdims=True)",
        "np.linalg.norm(matrix, axis=1, keepdims=True)",
        "when a row is scaled by its length before the projection",
    ),
    Slip(
        "project",
        "np.linalg.norm(coordinates, axis=1, keepdims=True)",
        "np.abs(coordinates).sum(axis=1, keepdims=True)",
        "when a row is scaled by the sum of its absolute values",
    ),
    Slip(
        "project",
        "coordinates = matrix @ components.T ",
        "coordinates = (matrix - matrix.mean(axis=0)) @ components.T ",
        "when the mean of the rows is subtracted before the projection",
    ),
    Slip(
        "project",
        "coordinates = matrix @ components.T ",
        "coordinates = np.abs(matrix @ components.T) ",
        "when negative coordinates lose their sign",
    ),
    Slip(
        "project",
        "coordinates = matrix @ components.T ",
        "coordinates = matrix @ components.T @ components ",
        "when the projection is carried back into the space of words",
    ),
    Slip("rrf", "enumerate(ranking, 1)", "enumerate(ranking)", "when places count from 0"),
    Slip("rrf", "enumerate(ranking, 1)", "enumerate(ranking, 2)", "when places count from 2"),
    Slip("rrf", "1 / (k + place)", "1 / place", "when k is left out"),
    Slip("rrf", "1 / (k + place)", "1 / (60 + place)", "when k is 60 whatever the caller says"),
    Slip("rrf", "1 / (k + place)", "1 / k + place", "when the place is added after the division"),
    Slip("rrf", "1 / (k + place)", "k + place", "when places are added, not their reciprocals"),
    Slip(
        "rrf",
        "scores[doc] += 1 / (k + place)",
        "scores[doc] = 1 / (k + place)",
        "when the last ranking overwrites the others",
    ),
    Slip(
        "rrf",
        "scores[doc] += 1 / (k + place)",
        "scores[doc] = max(scores[doc], 1 / (k + place))",
        "when an id keeps its best ranking, not the sum over them",
    ),
    Slip("rrf", "(-item[1], item[0])", "(item[1], item[0])", "when the worst score comes first"),
    Slip(
        "rrf",
        "key=lambda item: (-item[1], item[0])",
        "key=lambda item: -item[1]",
        "when ties stay in the order in which ids came up",
    ),
    Slip("rrf", "(-item[1], item[0])", "(-item[1], -item[0])", "when ties go to the higher id"),
    Slip(
        "rrf",
        "sorted(scores.items(), key=lambda item: (-item[1], item[0]))",
        "sorted(scores, key=lambda doc: (-scores[doc], doc))",
        "when the ids are returned without their scores",
    ),
    Slip("rrf", "(-item[1], item[0])", "item[0]", "when the result is in the order of the ids"),
    Slip(
        "rrf",
        None,
        """
def solution_rrf(rankings, k=60):
    scores = Counter()
    for ranking in rankings:
        for place, doc in enumerate(ranking, 1):
            scores[doc] += 1 / (k + place) / len(rankings)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
""",
        "when the sum is divided by the number of rankings",
    ),
    Slip(
        "rrf",
        None,
        """
def solution_rrf(rankings, k=60):
    ids = sorted({doc for ranking in rankings for doc in ranking})
    places = [{doc: place for place, doc in enumerate(r, 1)} for r in rankings]
    scores = [(d, sum(1 / (k + p.get(d, len(p) + 1)) for p in places)) for d in ids]
    return sorted(scores, key=lambda item: (-item[1], item[0]))
""",
        "when an id that a ranking does not hold counts as its last one",
    ),
    Slip(
        "rrf",
        None,
        """
def solution_rrf(rankings, k=60):
    common = set.intersection(*map(set, rankings)) if rankings else set()
    scores = {d: sum(1 / (k + r.index(d) + 1) for r in rankings) for d in common}
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
""",
        "when only ids that stand in every ranking are kept",
    ),
    Slip("chunk", "size - overlap)", "size)", "when the step is the size and nothing overlaps"),
    Slip(
        "chunk",
        "size - overlap)",
        "max(overlap, 1))",
        "when the step is the overlap, not size minus overlap",
    ),
    Slip(
        "chunk",
        "end = max(len(tokens) - overlap, 1)",
        "end = len(tokens)",
        "when a last chunk repeats nothing but the overlap",
    ),
    Slip(
        "chunk",
        "end = max(len(tokens) - overlap, 1)",
        "end = max(len(tokens) - size + 1, 1)",
        "when a short tail is thrown away",
    ),
    Slip(
        "chunk",
        "end = max(len(tokens) - overlap, 1)",
        "end = len(tokens) - overlap",
        "when a text no longer than the overlap has no chunk",
    ),
    Slip(
        "chunk",
        "end = max(len(tokens) - overlap, 1)",
        "end = len(tokens) - size + 1",
        "when only full chunks are kept, so a short text has none",
    ),
    Slip("chunk", " if tokens]", "]", "when no tokens give one empty chunk"),
    Slip(
        "chunk",
        None,
        """
def solution_chunk(tokens, size, overlap):
    if overlap > size:
        raise ValueError
    end = max(len(tokens) - overlap, 1)
    return [tokens[at : at + size] for at in range(0, end, max(size - overlap, 1)) if tokens]
""",
        "when an overlap as large as the size is let through",
    ),
    Slip(
        "chunk",
        None,
        """
def solution_chunk(tokens, size, overlap):
    overlap = min(overlap, size - 1)
    end = max(len(tokens) - overlap, 1)
    return [tokens[at : at + size] for at in range(0, end, size - overlap) if tokens]
""",
        "when a bad overlap is made smaller in place of an error",
    ),
    Slip(
        "chunk",
        None,
        """
def solution_chunk(tokens, size, overlap):
    if len(tokens) <= size:
        return [tokens] if tokens else []
    if overlap >= size:
        raise ValueError
    return [tokens[at : at + size] for at in range(0, len(tokens) - overlap, size - overlap)]
""",
        "when a short text is returned before the overlap is looked at",
    ),
    Slip(
        "chunk",
        None,
        """
def solution_chunk(tokens, size, overlap):
    if overlap >= size:
        raise ValueError
    end, out = max(len(tokens) - overlap, 1), []
    for at in range(0, end, size - overlap):
        if tokens and tokens[at : at + size] not in out:
            out.append(tokens[at : at + size])
    return out
""",
        "when a chunk is left out because its words came up before",
    ),
    Slip(
        "chunk",
        "at : at + size]",
        "at : at + size - overlap]",
        "when a chunk loses its overlap at the end",
    ),
    Slip(
        "chunk",
        "at : at + size]",
        "at : at + size + overlap]",
        "when the overlap is added to the size",
    ),
    Slip(
        "chunk",
        "at : at + size]",
        "max(0, min(at, len(tokens) - size)) : at + size]",
        "when the last chunk is moved back until it is full",
    ),
    Slip(
        "chunk",
        "[tokens[at : at + size] for",
        '[" ".join(tokens[at : at + size]) for',
        "when a chunk is joined to a text",
    ),
    Slip(
        "best_chunk_scores",
        "np.full(n_docs, -np.inf)",
        "np.zeros(n_docs)",
        "when the maximum starts at 0, so that a negative score is lost",
    ),
    Slip(
        "best_chunk_scores",
        None,
        """
def solution_best_chunk_scores(chunk_scores, parents, n_docs):
    best = np.zeros(n_docs)
    for score, doc in zip(chunk_scores, parents):
        if not best[doc] or score > best[doc]:
            best[doc] = score
    return best
""",
        "when a best score of exactly 0 is taken for none",
    ),
    Slip(
        "best_chunk_scores",
        "np.where(np.isneginf(best), 0.0, best)",
        "best",
        "when a document without chunks scores minus infinity",
    ),
    Slip(
        "best_chunk_scores",
        "np.maximum.at(best, parents, chunk_scores)",
        "best[parents] = np.maximum(best[parents], chunk_scores)",
        "when the last chunk of a document wins (fancy assignment keeps the last)",
    ),
    Slip(
        "best_chunk_scores",
        None,
        """
def solution_best_chunk_scores(chunk_scores, parents, n_docs):
    own = [chunk_scores[parents == doc] for doc in range(n_docs)]
    return np.array([part.mean() if len(part) else 0.0 for part in own])
""",
        "when a document scores as the mean of its chunks",
    ),
    Slip(
        "best_chunk_scores",
        None,
        """
def solution_best_chunk_scores(chunk_scores, parents, n_docs):
    return np.bincount(parents, weights=chunk_scores, minlength=n_docs)
""",
        "when a document scores as the sum of its chunks",
    ),
    Slip(
        "best_chunk_scores",
        None,
        """
def solution_best_chunk_scores(chunk_scores, parents, n_docs):
    own = [chunk_scores[parents == doc] for doc in range(n_docs)]
    return np.array([part[0] if len(part) else 0.0 for part in own])
""",
        "when a document scores as its first chunk",
    ),
    Slip(
        "best_chunk_scores",
        None,
        """
def solution_best_chunk_scores(chunk_scores, parents, n_docs):
    own = [chunk_scores[parents == doc] for doc in sorted(set(parents.tolist()))]
    return np.array([part.max() for part in own])
""",
        "when documents without chunks have no entry",
    ),
    Slip(
        "best_chunk_scores",
        None,
        """
def solution_best_chunk_scores(chunk_scores, parents, n_docs):
    own = [chunk_scores[parents == doc] for doc in range(n_docs)]
    return np.array([part[np.abs(part).argmax()] if len(part) else 0.0 for part in own])
""",
        "when the largest score without its sign wins",
    ),
]
