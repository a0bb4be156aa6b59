"""Text: BPE training (lab 3), TF-IDF and BM25 (lab 5)."""

from __future__ import annotations

import itertools
import json
import math
import random
import re
from collections import Counter
from typing import Any

from tests.bench.rivals import Rival, solutions

MERGES, FEW = 256, 64
WORDS = r" ?\S+|\s+"  # how lab 3 cuts a text into words
TERMS = r"[a-z0-9]+(?:-[a-z0-9]+)*"  # what lab 5 counts as a word
QUERIES = 20


def text_of(size: int) -> str:
    """`size` bytes by lab 3's author."""
    return solutions(3, "story").story(random.Random(3), size)


def sentences_of(size: int) -> tuple[str, list[str]]:
    """The text whole, for ours, and in sentences that begin with their blank, for an iterator."""
    text = text_of(size)
    return text, re.findall(r".+?(?:\.(?= )|$)", text)


def recount(data: bytes, n_merges: int) -> list[tuple[int, int]]:
    """BPE as the textbook has it: count every pair anew, merge the most frequent, n times."""
    ids, merges = list(data), []
    for new_id in range(256, 256 + n_merges):
        counts: dict[tuple[int, int], int] = {}
        for pair in itertools.pairwise(ids):
            counts[pair] = counts.get(pair, 0) + 1
        best = max(counts, key=lambda pair: counts[pair])
        out, at = [], 0
        while at < len(ids):
            if at + 1 < len(ids) and ids[at] == best[0] and ids[at + 1] == best[1]:
                out.append(new_id)
                at += 2
            else:
                out.append(ids[at])
                at += 1
        ids = out
        merges.append(best)
    return merges


def same_merges(text: str, ours: list, theirs: list) -> str:
    """Both recounts break ties by first occurrence, so every merge is the same."""
    assert ours == theirs, f"merge {first_difference(ours, theirs)} differs"
    return f"all {len(ours)} merges are the same"


def first_difference(a: list, b: list) -> int:
    """The first position at which two lists differ."""
    return next((at for at, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))


def hugging_face(data: tuple[str, list[str]]) -> Any:
    """The same job for `tokenizers`: bytes, lab 3's words, the same number of merges, from 2 on."""
    import tokenizers
    from tokenizers import models, pre_tokenizers, trainers

    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(tokenizers.Regex(WORDS), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])  # fmt: skip
    trainer = trainers.BpeTrainer(
        vocab_size=256 + MERGES,
        min_frequency=2,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(data[1], trainer)
    return tokenizer


def byte_of() -> dict[str, int]:
    """The byte behind each character of the byte-level alphabet: printable ones are themselves.

    The others, in order, are written from U+0100 on.
    """
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [byte for byte in range(256) if byte not in plain]
    return {chr(b): b for b in plain} | {chr(256 + n): b for n, b in enumerate(rest)}


def as_bytes(merges: list[tuple[int, int]]) -> list[tuple[bytes, bytes]]:
    """Merges of ids as merges of the bytes that the ids stand for."""
    vocab = {byte: bytes([byte]) for byte in range(256)}
    for new_id, (left, right) in enumerate(merges, 256):
        vocab[new_id] = vocab[left] + vocab[right]
    return [(vocab[left], vocab[right]) for left, right in merges]


def replay(text: str, merges: list[tuple[bytes, bytes]]) -> int:
    """Tokens of the text after the merges; asserts that each was a most frequent pair."""
    found = Counter(re.findall(WORDS, text))
    words = {word: [bytes([b]) for b in word.encode()] for word in found}
    for rank, pair in enumerate(merges):
        counts: Counter = Counter()
        for word, parts in words.items():
            for its in itertools.pairwise(parts):
                counts[its] += found[word]
        most = max(counts.values())
        assert counts[pair] == most, f"merge {rank}, {pair}: {counts[pair]} times, not {most}"
        for parts in words.values():
            at = 0
            while at + 1 < len(parts):
                if (parts[at], parts[at + 1]) == pair:
                    parts[at : at + 2] = [pair[0] + pair[1]]
                at += 1
    return sum(found[word] * len(parts) for word, parts in words.items())


def as_greedy(data: tuple[str, list[str]], ours: list, theirs: Any) -> str:
    """Both take a most frequent pair at each step; which of several is free in both."""
    text, sentences = data
    assert "".join(sentences) == text
    byte = byte_of()
    model = json.loads(theirs.to_str())["model"]
    pairs_of_text = [pair.split(" ") if isinstance(pair, str) else pair for pair in model["merges"]]
    peer = [tuple(bytes(byte[c] for c in half) for half in pair) for pair in pairs_of_text]
    own = as_bytes(ours)
    assert len(own) == len(peer), f"{len(own)} merges and {len(peer)}"
    mine, other = replay(text, own), replay(text, peer)
    assert abs(mine - other) <= 0.01 * mine, f"{mine} tokens and {other}"
    common = len(set(own) & set(peer))
    return (
        f"each of the {len(own)} merges of both is a most frequent pair; {common} in common, "
        f"the others are ties; {len(text.encode()) / mine:.3f} and "
        f"{len(text.encode()) / other:.3f} bytes a token"
    )


def notes_of(size: int) -> list[str]:
    """`size` documents of 100 words, drawn from lab 5's notes with their own frequencies."""
    words = " ".join(solutions(5, "DOCS").DOCS).split()
    rng = random.Random(5)
    return [" ".join(rng.choices(words, k=100)) for _ in range(size)]


def tfidf(notes: list[str]) -> Any:
    """scikit-learn's TfidfVectorizer with lab 5's words; its matrix stays sparse, as it is used."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(token_pattern=TERMS)
    return vectorizer, vectorizer.fit_transform(notes)


def same_matrix(notes: list[str], ours: Any, theirs: Any) -> str:
    """Vocabulary, idf and rows to 1e-12."""
    import numpy as np

    vectorizer, matrix = theirs
    assert ours[0] == vectorizer.vocabulary_, "the vocabularies differ"
    far = np.abs(ours[2] - matrix.toarray()).max()
    assert far < 1e-12, f"rows differ by {far:.1e}"
    return f"vocabulary and rows are the same (to {far:.0e})"


def bm25_data(size: int) -> tuple[list[list[str]], list[list[str]]]:
    """`size` tokenized documents, and 20 queries of four words."""
    docs = [re.findall(TERMS, note.lower()) for note in notes_of(size)]
    rng = random.Random(6)
    words = [word for doc in docs for word in doc]
    return docs, [rng.sample(words, 4) for _ in range(QUERIES)]


def rank_bm25(data: tuple) -> list:
    """rank-bm25's BM25Okapi, index and queries, with the idf of Lucene, which ours has too."""
    from rank_bm25 import BM25Okapi

    docs, queries = data
    index = BM25Okapi(docs, k1=1.5, b=0.75)
    df = Counter(word for doc in docs for word in set(doc))
    index.idf = {w: math.log(1 + (len(docs) - n + 0.5) / (n + 0.5)) for w, n in df.items()}
    return [index.get_scores(query) for query in queries]


def same_scores(data: tuple, ours: list, theirs: list) -> str:
    """Every score of every query to 1e-9."""
    import numpy as np

    far = np.abs(np.array(ours) - np.array(theirs)).max()
    assert far < 1e-9, f"scores differ by {far:.1e}"
    return f"{np.array(ours).size} scores are the same (to {far:.0e})"


RIVALS = [
    Rival(
        "bpe-recount", 3, f"BPE, {FEW} merges over bytes, counting anew", "a textbook recount",
        "bytes of text", (3_000, 9_000, 27_000), text_of,
        lambda text: solutions(3, "train").train(text.encode(), FEW),
        lambda text: recount(text.encode(), FEW), same_merges,
        note="the recount is pure Python too, in the manner of minbpe, written for this bench",
    ),
    Rival(
        "bpe-fast", 3, f"BPE, {MERGES} merges within words (stretch)", "tokenizers",
        "bytes of text", (50_000, 200_000, 800_000), sentences_of,
        lambda data: solutions(3, "train_fast").train_fast(data[0], MERGES), hugging_face,
        as_greedy,
        note="tokenizers is Rust; the text has few distinct words, so that cutting and counting "
        "words is most of the work",
        peers=True, needs=("tokenizers",),
    ),
    Rival(
        "tf-idf", 5, "TF-IDF of documents of 100 words", "scikit-learn",
        "documents", (100, 400, 1_600), notes_of,
        lambda notes: solutions(5, "fit_tfidf").fit_tfidf(notes), tfidf, same_matrix,
        note="ours writes a dense matrix, scikit-learn a sparse one", needs=("sklearn",),
    ),
    Rival(
        "bm25", 5, f"BM25, {QUERIES} queries of four words (stretch)", "rank-bm25",
        "documents", (100, 400, 1_600), bm25_data,
        lambda data: [solutions(5, "bm25").bm25(data[0], query) for query in data[1]],
        rank_bm25, same_scores,
        note="rank-bm25 counts all words once (included), ours the query's words each time",
        needs=("rank_bm25",),
    ),
]  # fmt: skip
