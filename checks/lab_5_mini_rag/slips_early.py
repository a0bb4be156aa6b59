"""Slips of stages 1 and 2: vectors and metrics."""

from checks.expect import Slip

EARLY = [
    Slip("tokenize", "[a-z0-9]+(?:-[a-z0-9]+)*", "[a-z0-9]+", "when a code is split at its hyphen"),
    Slip(
        "tokenize", "[a-z0-9]+(?:-[a-z0-9]+)*", "[a-z]+(?:-[a-z]+)*", "when digits are thrown away"
    ),
    Slip(
        "tokenize",
        "[a-z0-9]+(?:-[a-z0-9]+)*",
        "[a-z0-9-]+",
        "when a hyphen belongs to a word although it stands at its edge",
    ),
    Slip(
        "tokenize",
        "[a-z0-9]+(?:-[a-z0-9]+)*",
        "[a-z0-9]+(?:-[a-z0-9]+)?",
        "when a word may have one inner hyphen and no more",
    ),
    Slip(
        "tokenize",
        "[a-z0-9]+(?:-[a-z0-9]+)*",
        "[a-z0-9][a-z0-9-]*[a-z0-9]",
        "when a word of one letter is lost",
    ),
    Slip("tokenize", "text.lower()", "text", "when the text is not put into lower case"),
    Slip(
        "tokenize",
        're.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*", text.lower())',
        "text.lower().split()",
        "when the text is split at white space and signs stay on the words",
    ),
    Slip(
        "tokenize",
        're.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*", text.lower())',
        'sorted(set(re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*", text.lower())))',
        "when each word is kept once, in alphabetical order",
    ),
    Slip(
        "tokenize",
        "[a-z0-9]+(?:-[a-z0-9]+)*",
        "\\w+(?:-\\w+)+|[a-z]+",
        "when digits survive only beside a hyphen",
    ),
    Slip(
        "fit_tfidf",
        "set(solution_tokenize(doc))",
        "solution_tokenize(doc)",
        "when df counts occurrences, not documents",
    ),
    Slip(
        "fit_tfidf",
        "np.log((1 + len(docs)) / (1 + counts)) + 1",
        "np.log(len(docs) / counts)",
        "when the idf is the textbook ln(N / df)",
    ),
    Slip(
        "fit_tfidf",
        "np.log((1 + len(docs)) / (1 + counts)) + 1",
        "np.log((1 + len(docs)) / (1 + counts))",
        "when the + 1 after the logarithm is missing",
    ),
    Slip(
        "fit_tfidf",
        "np.log((1 + len(docs)) / (1 + counts)) + 1",
        "np.log(len(docs) / counts) + 1",
        "when N and df are not smoothed by 1",
    ),
    Slip(
        "fit_tfidf",
        "np.log((1 + len(docs)) / (1 + counts)) + 1",
        "np.log(len(docs) / (1 + counts)) + 1",
        "when df is smoothed by 1 and N is not",
    ),
    Slip("fit_tfidf", "np.log(", "np.log2(", "when the logarithm is to base 2"),
    Slip("fit_tfidf", "np.log(", "np.log10(", "when the logarithm is to base 10"),
    Slip(
        "fit_tfidf",
        "(1 + len(docs))",
        "(1 + sum(bool(doc) for doc in docs))",
        "when an empty document does not count in N",
    ),
    Slip(
        "fit_tfidf",
        "(1 + len(docs))",
        "(1 + len(vocab))",
        "when N is the number of words, not of documents",
    ),
    Slip(
        "fit_tfidf",
        "for word in set(solution_tokenize(doc))",
        "for word in set(doc.split())",
        "when fit_tfidf splits at white space and does not use tokenize",
    ),
    Slip(
        "fit_tfidf",
        "enumerate(sorted(df))",
        "enumerate(sorted(df), 1)",
        "when the first column is 1",
    ),
    Slip(
        "fit_tfidf",
        "counts = np.array([df[word] for word in vocab])",
        "counts = np.array([sum(w in doc.lower() for doc in docs) for w in vocab])",
        "when df counts documents that hold the letters, also inside a longer word",
    ),
    Slip(
        "transform",
        "tf[row, vocab[word]] += 1",
        "tf[row, vocab[word]] = 1",
        "when a word counts once a text, however often it stands there",
    ),
    Slip(
        "transform",
        "weights = tf * idf",
        "weights = tf",
        "when the counts are not weighed with idf",
    ),
    Slip(
        "transform",
        "weights = tf * idf",
        "weights = tf * np.square(idf)",
        "when idf is multiplied in twice",
    ),
    Slip(
        "transform",
        "weights = tf * idf",
        "weights = np.log1p(tf) * idf",
        "when tf is put through a logarithm",
    ),
    Slip(
        "transform",
        "np.linalg.norm(weights, axis=1, keepdims=True)",
        "weights.sum(axis=1, keepdims=True)",
        "when a row is scaled to sum 1, not to length 1",
    ),
    Slip(
        "transform",
        "return weights / np.where(lengths > 0, lengths, 1)",
        "return weights",
        "when the rows are not scaled to length 1",
    ),
    Slip(
        "transform",
        "np.where(lengths > 0, lengths, 1)",
        "lengths",
        "when a row of zeros is divided by its length 0",
    ),
    Slip(
        "transform",
        "np.linalg.norm(weights, axis=1, keepdims=True)",
        "np.linalg.norm(weights)",
        "when all rows together are scaled to length 1",
    ),
    Slip("transform", "axis=1", "axis=0", "when columns are scaled to length 1, not rows"),
    Slip(
        "transform",
        None,
        """
def solution_transform(texts, vocab, idf):
    tf = np.zeros((len(texts), len(vocab)))
    for row, text in enumerate(texts):
        for word in solution_tokenize(text):
            tf[row, vocab.get(word, -1)] += 1
    weights = tf * idf
    lengths = np.linalg.norm(weights, axis=1, keepdims=True)
    return weights / np.where(lengths > 0, lengths, 1)
""",
        "when an unknown word is counted in the last column",
    ),
    Slip(
        "transform",
        None,
        """
def solution_transform(texts, vocab, idf):
    tf = np.zeros((len(texts), len(vocab)))
    for row, text in enumerate(texts):
        for word in solution_tokenize(text):
            tf[row, vocab[word]] += 1
    weights = tf * idf
    lengths = np.linalg.norm(weights, axis=1, keepdims=True)
    return weights / np.where(lengths > 0, lengths, 1)
""",
        "when an unknown word raises KeyError",
    ),
    Slip(
        "transform",
        None,
        """
def solution_transform(texts, vocab, idf):
    tf = np.zeros((len(texts), len(vocab)))
    for row, text in enumerate(texts):
        for word in solution_tokenize(text):
            if word in vocab:
                tf[row, vocab[word]] += 1
    own = np.count_nonzero(tf, axis=0)
    weights = tf * (np.log((1 + len(texts)) / (1 + own)) + 1)
    lengths = np.linalg.norm(weights, axis=1, keepdims=True)
    return weights / np.where(lengths > 0, lengths, 1)
""",
        "when idf is fitted again on the texts that come in",
    ),
    Slip(
        "transform",
        "for word in solution_tokenize(text)",
        "for word in text.split()",
        "when transform splits at white space and does not use tokenize",
    ),
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
    Slip("recall_at_k", "/ len(key)", "/ k", "when hits are divided by k, which is precision"),
    Slip(
        "recall_at_k",
        "/ len(key)",
        "/ min(k, len(key))",
        "when hits are divided by the smaller of k and the key",
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
        None,
        """
def solution_mean_reciprocal_rank(rankings, relevant):
    total = 0.0
    for ranking, key in zip(rankings, relevant):
        total += sum(1 / place for place, doc in enumerate(ranking, 1) if doc in key)
    return total / len(rankings)
""",
        "when every hit adds its 1 / place, not the first one only",
    ),
    Slip(
        "mean_reciprocal_rank",
        None,
        """
def solution_mean_reciprocal_rank(rankings, relevant):
    total = 0.0
    for ranking, key in zip(rankings, relevant):
        hits = [1 / place for place, doc in enumerate(ranking, 1) if doc in key]
        total += sum(hits) / max(1, len(hits))
    return total / len(rankings)
""",
        "when 1 / place is averaged over the hits of a query",
    ),
    Slip(
        "mean_reciprocal_rank",
        None,
        """
def solution_mean_reciprocal_rank(rankings, relevant):
    total = 0.0
    for ranking, key in zip(rankings, relevant):
        hits = [1 / place for place, doc in enumerate(ranking, 1) if doc in key]
        total += min(hits, default=0.0)
    return total / len(rankings)
""",
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
]
