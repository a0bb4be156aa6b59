"""Slow and independent: what the checks of lab 5 compare with. No learner's code, no solution."""

from __future__ import annotations

import math

import numpy as np


def cosine_rows(texts, vocab, idf):
    """Unit rows of tf * idf for texts whose words are parted by single spaces."""
    rows = []
    for text in texts:
        row = [0.0] * len(vocab)
        for word in text.split():
            if word in vocab:
                row[vocab[word]] += idf[vocab[word]]
        length = math.sqrt(sum(x * x for x in row))
        rows.append([x / length if length else 0.0 for x in row])
    return np.array(rows)


def principal(matrix, k):
    """Right singular vectors (k, V) and values, by eigenvectors of the (V, V) Gram matrix."""
    values, vectors = np.linalg.eigh(matrix.T @ matrix)
    order = np.argsort(values)[::-1][:k]
    return vectors[:, order].T, np.sqrt(np.maximum(values[order], 0.0))


def bm25_score(docs, query, k1, b):
    """One document at a time, the formula as printed."""
    mean = sum(len(doc) for doc in docs) / len(docs)
    scores = []
    for doc in docs:
        total = 0.0
        for word in query:
            df = sum(word in other for other in docs)
            tf = sum(word == other for other in doc)
            idf = math.log(1 + (len(docs) - df + 0.5) / (df + 0.5))
            total += idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * len(doc) / mean))
        scores.append(total)
    return scores


def resampled_sums(values):
    """P(sum = s), s = 0, 1, ..., of n draws with replacement from n whole numbers: exact.

    The sum of n independent draws has the n-fold convolution of one draw's distribution.
    """
    one = np.bincount(values) / len(values)
    law = np.array([1.0])
    for _ in values:
        law = np.convolve(law, one)
    return law
