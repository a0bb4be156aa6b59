"""The checks of lab 5. Fixtures are tiny texts, so that every number can be done by hand."""

from __future__ import annotations

import numpy as np

from checks import expect
from checks.expect import stage
from checks.lab_5_mini_rag import oracles
from checks.lab_5_mini_rag.stretch import drawn, exact_law, interval, reported, scored, within

# A row divided by (its length + 1e-8) is a unit row in practice: no mistake is that small.
UNIT = 1e-7


def columns(case, got, words, reread):
    """A vocabulary: these words, each with a column of its own; returns their columns."""
    expect.instance(case, got, dict, reread=reread)
    expect.equal(f"{case}: the words", sorted(map(str, got)), sorted(words), reread=reread)
    own = sorted(int(got[word]) for word in words if word in got)
    expect.equal(f"{case}: the columns in use", own, list(range(len(words))), reread=reread)
    return [int(got.get(word, 0)) for word in words]


def by_column(case, got, at, reread):
    """The last axis of an array in the order of `at`, where it is as long as it must be."""
    array = np.asarray(got)
    ok = array.ndim > 0 and array.dtype != object and array.shape[-1] == len(at)
    if expect.true(case, ok, got, f"{len(at)} columns, one a word", reread=reread):
        return array[..., at]
    return array


@stage(reread='Stage 1, "By hand"')
def check_stage1(tokenize, fit_tfidf, transform):
    """Tokens one sign at a time; two documents by hand; df, tf, N; new texts in an odd space."""
    tokens(tokenize)
    fitted(fit_tfidf)
    transformed(transform)


def tokens(tokenize):
    """Case, hyphens inside and outside, digits, one letter, repeats, nothing."""
    reread = 'Stage 1, "Tokens"'

    def case(text, expected, name=None):
        expect.equal(name or f"tokens of {text!r}", tokenize(text), expected, reread=reread)

    expect.instance("tokens of 'Oil it'", tokenize("Oil it"), (list, tuple), reread=reread)
    case("Oil it", ["oil", "it"])
    case("code E-4021", ["code", "e-4021"])
    case("moth-eaten, twenty-two-inch", ["moth-eaten", "twenty-two-inch"])
    case("part P2040 of 7", ["part", "p2040", "of", "7"])
    case("a b, a.", ["a", "b", "a"])
    case("don't (0.8)", ["don", "t", "0", "8"])
    case("hot - cold -4 well- known", ["hot", "cold", "4", "well", "known"])
    case("wait--what", ["wait", "what"])  # neither hyphen has a letter on both sides
    case("tag_7 café", ["tag", "7", "caf"])
    case("one\ntwo\tthree/four", ["one", "two", "three", "four"])
    case("", [], "tokens of an empty text")
    case(" ... -- !", [], "tokens of a text of signs only")


def fitted(fit_tfidf):
    """Two documents by hand; then a lopsided four, and signs, capitals, a text twice."""
    reread = 'Stage 1, "By hand"'
    docs = ["aa bb", "aa cc cc"]
    case = "'aa bb', 'aa cc cc'"
    vocab, idf, matrix = three(fit_tfidf(docs), case, reread)
    at = columns(f"{case}: vocab", vocab, ["aa", "bb", "cc"], reread)
    # df 2, 1, 1: ln(3/3) + 1 and twice ln(3/2) + 1
    idf = by_column(f"{case}: idf", idf, at, reread)
    expect.close(f"{case}: idf of aa, bb, cc", idf, [1, 1.405465108, 1.405465108], reread=reread)
    # (1, 1.405465, 0) / 1.724913 and (1, 0, 2.810930) / 2.983506
    matrix = by_column(f"{case}: matrix", matrix, at, reread)
    rows = [[0.5797386715, 0.8148024747, 0], [0.3351757425, 0, 0.9421556247]]
    expect.close(f"{case}: rows by aa, bb, cc", matrix, rows, UNIT, reread=reread)
    expect.unchanged("the caller's documents", ["aa bb", "aa cc cc"], docs, reread=reread)
    lopsided_docs(fit_tfidf, reread)
    # N = 4, df of gas 1 and of oil 2; the words stood in the documents before, too
    kept = ["Gas, GAS.", "oil", "- ... -", "oil"]
    case, docs = "'Gas, GAS.', 'oil', '- ... -', 'oil'", list(kept)
    vocab, idf, matrix = three(fit_tfidf(docs), case, reread)
    at = columns(f"{case}: vocab", vocab, ["gas", "oil"], reread)
    idf = by_column(f"{case}: idf", idf, at, reread)
    # ln(5/2) + 1, ln(5/3) + 1
    expect.close(f"{case}: idf of gas, oil", idf, [1.916290732, 1.510825624], reread=reread)
    matrix = by_column(f"{case}: matrix", matrix, at, reread)
    expect.close(f"{case}: rows by gas, oil", matrix, [[1, 0], [0, 1], [0, 0], [0, 1]], UNIT)
    matrix = three(fit_tfidf(["gas " * 256]), "gas 256 times", reread)[2]
    expect.close("one document, gas 256 times: matrix", matrix, [[1]], UNIT, reread=reread)
    expect.unchanged("the caller's documents", kept, docs, reread=reread)


def lopsided_docs(fit_tfidf, reread):
    """df against occurrences, a word inside another, an empty document, codes."""
    # N = 4; df: oil 3, x-1 2, gasket 1, gas 1: three times in one, and inside gasket
    words = ["oil", "x-1", "gasket", "gas"]
    wanted = np.log(5 / (1 + np.array([3, 2, 1, 1]))) + 1
    kept = ["oil x-1 oil", "gasket oil x-1", "", "gas gas oil gas"]
    rows = oracles.cosine_rows(kept, {word: i for i, word in enumerate(words)}, wanted)
    case, docs = "four documents, one empty", list(kept)
    vocab, idf, matrix = three(fit_tfidf(docs), case, reread)
    at = columns(f"{case}: vocab", vocab, words, reread)
    idf = by_column(f"{case}: idf", idf, at, reread)
    expect.close(f"{case}: idf of oil, x-1, gasket, gas", idf, wanted, reread=reread)
    matrix = by_column(f"{case}: matrix", matrix, at, reread)
    expect.close(f"{case}: rows by oil, x-1, gasket, gas", matrix, rows, UNIT, reread=reread)
    expect.unchanged("the caller's documents", kept, docs, reread=reread)


def three(got, case, reread):
    """(vocab, idf, matrix), or a message that says what came in their place."""
    ok = isinstance(got, (tuple, list)) and len(got) == 3
    expect.true(case, ok, got, "three things: vocab, idf, matrix", reread=reread)
    return got if ok else ({}, [], [])


def transformed(transform):
    """A space that no fit would give: columns out of order, idf not a function of df."""
    reread = 'Stage 1, "By hand"'
    vocab, idf = {"oil": 2, "x-1": 0, "gas": 1}, np.array([0.3, 0.4, 1.2])
    # x-1 once, gas once: (.3, .4, 0) / .5
    got = transform(["gas X-1"], vocab, idf)
    expect.close("x-1 weighs .3 and gas .4: 'gas X-1'", got, [[0.6, 0.8, 0]], UNIT, reread=reread)
    # gas three times: (0, 1.2, 1.2) / sqrt(2.88), beside a text with two words to leave out
    texts = ["gas oil gas gas", "New oil, new rope"]
    got = transform(texts, vocab, idf)
    rows = [[0, 0.5**0.5, 0.5**0.5], [0, 0, 1]]
    expect.close("a word thrice, and words unknown to vocab", got, rows, UNIT, reread=reread)
    got = transform(["rope", "", "x-1"], vocab, idf)
    expect.close("no known word, no word, one word", got, [[0] * 3, [0] * 3, [1, 0, 0]], UNIT)
    # 400 times .4 beside 1 times 1.2: more than a byte can count
    got = transform(["gas " * 400 + "oil"], vocab, idf)
    expect.close("a word 400 times", got, [[0, 160 / 25601.44**0.5, 1.2 / 25601.44**0.5]], UNIT)
    expect.unchanged("the caller's texts", ["gas oil gas gas", "New oil, new rope"], texts)
    expect.unchanged("the caller's vocab", {"oil": 2, "x-1": 0, "gas": 1}, vocab, reread=reread)
    expect.unchanged("the caller's idf", [0.3, 0.4, 1.2], idf.tolist(), reread=reread)


@stage(reread='Stage 2, "By hand"')
def check_stage2(rank, recall_at_k, mean_reciprocal_rank):
    """Order and ties; the two metrics by hand, on misses, short rankings and large keys."""
    ranked(rank)
    metrics(recall_at_k, mean_reciprocal_rank)


def metrics(recall_at_k, mean_reciprocal_rank):
    """Each call gets lists and sets of its own, and may not change them."""

    def case(name, rankings, keys, wanted, k=None):
        mine, own = [list(ranking) for ranking in rankings], [set(key) for key in keys]
        measure = mean_reciprocal_rank if k is None else recall_at_k
        got = measure(mine, own) if k is None else measure(mine, own, k)
        expect.close(f"{name}: {'MRR' if k is None else f'recall@{k}'}", got, wanted)
        expect.unchanged("the caller's rankings", rankings, mine)
        expect.unchanged("the caller's keys", list(map(sorted, keys)), list(map(sorted, own)))

    # share of {3, 9} in 4 1 3: one of two; share of {7} in 2 0: none
    hand = [[4, 1, 3], [2, 0]], [{3, 9}, {7}]
    name = "rankings 4 1 3 and 2 0, keys {3, 9} and {7}"
    case(name, *hand, 0.25, k=3)
    case(name, *hand, 0.0, k=2)
    case(name, *hand, 0.25, k=9)
    # keys of three (two of them in the first four), two (one of them anywhere), one, one
    wide = [[5, 8, 0, 6, 2], [1], [], [9, 0]], [{2, 5, 6}, {1, 7}, {4}, {0}]
    wide_name = "keys of 3, 2, 1 and 1 ids, rankings of 5, 1, 0 and 2"
    case(wide_name, *wide, (2 / 3 + 1 / 2 + 1) / 4, k=4)
    case(wide_name, *wide, (1 / 3 + 1 / 2) / 4, k=1)
    case(wide_name, *wide, (1 + 1 / 2 + 1) / 4, k=5)
    case(name, *hand, 1 / 6)
    # places 1 (of 1, 4, 5), 1, none and 2
    case(wide_name, *wide, (1 + 1 + 1 / 2) / 4)
    # the key's other id at place 4, none, none, at place 3, nowhere
    late = [[7, 3, 1, 9], [2, 8, 1, 3], [6, 5, 0], [4, 1, 2], [6, 9]]
    keys, wanted = [{3, 9}, {3}, {0}, {1, 2}, {3, 9}], (1 / 2 + 1 / 4 + 1 / 3 + 1 / 2 + 1 / 2) / 5
    case("first hits at places 2, 4, 3, 2 and 2", late, keys, wanted)
    # the only hit at place 12 of 15
    case("a hit at place 12 of 15", [list(range(15, 30))], [{26}], 1 / 12)
    case("a hit at place 12 of 15", [list(range(15, 30))], [{26}], 1, k=12)


def ranked(rank):
    """Best first, negative scores, ties among few and among many, the caller's array."""
    reread = 'Stage 2, "Ties"'

    def case(name, scores, expected):
        got = rank(np.array(scores))
        if expect.shape(name, got, (len(scores),), reread=reread):
            expect.equal(name, np.asarray(got).tolist(), expected, reread=reread)

    case("scores .2, .9, .1, .5", [0.2, 0.9, 0.1, 0.5], [1, 3, 0, 2])
    case("scores -2.5, .3, 0, -1.5", [-2.5, 0.3, 0.0, -1.5], [1, 2, 3, 0])
    case("scores .1, .7, .1, .7", [0.1, 0.7, 0.1, 0.7], [1, 3, 0, 2])
    case("two scores a hair apart", [0.3, 0.3 + 1e-12, 0.1], [1, 0, 2])  # close is no tie
    case("one score", [0.4], [0])
    # 300 scores with three values: an unstable sort shuffles them, a stable one cannot
    many = [(i * 7 % 3) / 4 for i in range(300)]
    by_value = [i for value in (2, 1, 0) for i in range(300) if i * 7 % 3 == value]
    case("300 scores with three different values", many, by_value)
    scores = np.array([0.2, 0.9, 0.1])
    rank(scores)
    expect.unchanged("the caller's scores", [0.2, 0.9, 0.1], scores.tolist(), reread=reread)


@stage(reread='Stage 3, "By hand"')
def check_stage3(fit_svd, project):
    """A diagonal by hand, the laws of an SVD on a lopsided matrix, both shapes, projections."""
    plain = np.array([[2.0, 0.0, 0.0], [0.0, 3.0, 0.0]])
    got = fit_svd(plain, 1)
    if expect.shape("rows (2,0,0), (0,3,0), k=1", got, (1, 3)):
        # 3 is the largest singular value, its direction is the second axis
        expect.close("rows (2,0,0), (0,3,0), k=1, up to sign", np.abs(got), [[0, 1, 0]])
    got = fit_svd(plain, 7)
    if expect.shape("rows (2,0,0), (0,3,0), k=7", got, (2, 3)):
        axes = [[0, 1, 0], [1, 0, 0]]
        expect.close("rows (2,0,0), (0,3,0), k=7, up to sign", np.abs(got), axes)
    tall = np.array([[2.0, 1.0], [0.0, 1.0], [1.0, 3.0]])
    expect.shape("a (3, 2) matrix, k=5", fit_svd(tall, 5), (2, 2))
    lopsided(fit_svd)
    # (0, 2, 0) three times: one direction explains all; the other is there, and anything
    got = fit_svd(np.array([[0.0, 2, 0], [0, 2, 0], [0, 2, 0]]), 2)
    if expect.shape("three equal rows (0,2,0), k=2", got, (2, 3)):
        got = np.asarray(got, dtype=float)
        name = "three equal rows (0,2,0), k=2: "
        expect.close(f"{name}the first, up to sign", np.abs(got[0]), [0, 1, 0])
    projected(project)
    # far from the origin: a centred fit would drop the direction that all rows share
    matrix = np.array([[5.0, 1, 0, 0], [5, 0, 1, 0], [5, 0, 0, 2], [5, 1, 1, 0], [5, 0, 0.5, 1]])
    query = np.array([[1.0, 0, 0, 3], [0.5, 2, 0, 0]])
    axes, _ = oracles.principal(matrix, 2)

    def scores(components):
        a, b = query @ components.T, matrix @ components.T
        a, b = (m / np.sqrt((m * m).sum(axis=1, keepdims=True)) for m in (a, b))
        return a @ b.T

    wanted = scores(axes)
    mine = np.asarray(fit_svd(matrix, 2), dtype=float)
    rows = project(query, mine), project(matrix, mine)
    case = "cosines of 2 queries and 5 rows, k=2"
    if expect.shape(case, rows[0], (2, 2)) and expect.shape(case, rows[1], (5, 2)):
        expect.close(case, np.asarray(rows[0]) @ np.asarray(rows[1]).T, wanted, UNIT)


def lopsided(fit_svd):
    """Orthonormal rows, each explaining exactly what the eigenvalues of the Gram matrix say."""
    matrix = np.array(
        [[4.0, 1, 0, 2, 0], [3, 0, 1, 2, 0], [0, 2, 5, 0, 1], [0, 1, 3, 1, 2]], dtype=float
    )
    before = matrix.copy()
    got = fit_svd(matrix, 3)
    axes, values = oracles.principal(before, 3)
    expect.unchanged("the caller's matrix", before, matrix)
    case = "a (4, 5) matrix, k=3"
    if not expect.shape(case, got, (3, 5)):
        return
    got = np.asarray(got, dtype=float)
    reread = 'Stage 3, "Signs"'
    expect.close(f"{case}: dot products of its rows", got @ got.T, np.eye(3), reread=reread)
    lengths = np.sqrt(((before @ got.T) ** 2).sum(axis=0))
    expect.close(f"{case}: singular value of each row", lengths, values, reread=reread)
    same = np.abs((got * axes).sum(axis=1))  # |cosine|: a sign may turn, a direction may not
    expect.close(f"{case}: |cosine| to the directions", same, np.ones(3), UNIT, reread=reread)


def projected(project):
    """Components that the check hands in: no sign is free, every number is known."""
    components = np.array([[0.6, 0.0, 0.8, 0.0], [0.0, 1.0, 0.0, 0.0]])
    # (5, 4, 0, 1): .6*5 = 3 and 4, length 5; (0, 0, 10, 9): 8 and 0; (0, -.5, 0, 0): 0 and -.5
    matrix = np.array([[5.0, 4, 0, 1], [0, 0, 10, 9], [0, -0.5, 0, 0]])
    got = project(matrix, components)
    rows = [[0.6, 0.8], [1, 0], [0, -1]]
    expect.close("3 rows on 2 components: (3,4), (8,0), (0,-.5) scaled", got, rows, UNIT)
    expect.unchanged("the caller's matrix", [5.0, 4, 0, 1], matrix[0].tolist())
    expect.unchanged("the caller's components", [0.6, 0.0, 0.8, 0.0], components[0].tolist())
    # nothing at all, and something that lies across both components
    got = project(np.array([[0.0] * 4, [0, 0, 0, 7], [0, 3, 0, 0]]), components)
    rows = [[0, 0], [0, 0], [0, 1]]
    expect.close("a row of zeros, a row that projects to zero", got, rows, UNIT)
    got = project(np.array([[3.0, 4.0]]), np.eye(2))
    expect.close("one row, as a query", got, [[0.6, 0.8]], UNIT)
    got = project(np.array([[3.0, 4, 0], [2, 0, 5], [1, -6, 1]]), np.array([[0.0, 1, 0]]))
    expect.close("3 rows on 1 component: 4, 0 and -6 scaled", got, [[1], [0], [-1]], UNIT)


@stage(reread='Stage 4, "By hand"')
def check_stage4(rrf):
    """Two rankings by hand (order, then scores), absent ids, ties, other k, nothing to fuse."""

    def case(name, got, ids, scores, reread=None):
        expect.instance(name, got, list, reread=reread)
        pairs = isinstance(got, list) and all(
            isinstance(item, (tuple, list)) and len(item) == 2 for item in got
        )
        if expect.true(name, pairs, got, "a list of (id, score) tuples", reread=reread):
            expect.equal(f"{name}: ids", [item[0] for item in got], ids, reread=reread)
            expect.close(f"{name}: scores", [item[1] for item in got], scores, reread=reread)

    # 3: 1/62 + 1/61; 7: 1/61; 5: 1/62
    rankings = [[7, 3], [3, 5]]
    name = "rankings 7 3 and 3 5"
    case(name, rrf(rankings), [3, 7, 5], [0.0325224749, 0.0163934426, 0.0161290323])
    expect.unchanged("the caller's rankings", [[7, 3], [3, 5]], rankings)
    # k = 1: 2 has 1/2, 9 has 1/3 + 1/2, 4 has 1/4 + 1/4, 6 has 1/3
    got = rrf([[2, 9, 4], [9, 6, 4]], 1)
    case("rankings 2 9 4 and 9 6 4, k=1", got, [9, 2, 4, 6], [5 / 6, 1 / 2, 1 / 2, 1 / 3])
    # three rankings: 8 is in one only, at the top; 1 is second, third, third
    got = rrf([[8, 1], [5, 0, 1], [0, 2, 1]], 10)
    scores = [1 / 11 + 1 / 12, 1 / 12 + 2 / 13, 1 / 11, 1 / 11, 1 / 12]
    order = sorted(zip(scores, [0, 1, 5, 8, 2]), key=lambda row: (-row[0], row[1]))
    ids, scores = [doc for _, doc in order], [score for score, _ in order]
    unmatched = 'Stage 4, "Unmatched is not ranked"'
    case("three rankings of 2, 3 and 3 ids, k=10", got, ids, scores, unmatched)
    # 40 and 3 have changed places: exactly the same score
    got = rrf([[40, 3], [3, 40]])
    case("a tie of 40 and 3", got, [3, 40], [1 / 61 + 1 / 62] * 2)
    # 1/61 + 1/64 against 1/62 + 1/63: a difference of 1.6e-5 is no tie
    got, pair = rrf([[9, 5], [2, 4, 5, 9]])[:2], [1 / 61 + 1 / 64, 1 / 62 + 1 / 63]
    case("the first two of 9 5 and 2 4 5 9", got, [9, 5], pair)
    case("an empty ranking beside 6 2", rrf([[], [6, 2]]), [6, 2], [1 / 61, 1 / 62], unmatched)
    long = list(range(70, 30, -1))
    case("one ranking of 40 ids", rrf([long]), long, [1 / (60 + n) for n in range(1, 41)])
    case("no rankings", rrf([]), [], [])


@stage(reread='Stage 5, "By hand"')
def check_stage5(chunk, best_chunk_scores):
    """Ten letters, eleven, short texts, bad overlaps; best chunks below zero and out of order."""

    def case(text, size, overlap, expected):
        name = f"{text!r} by letter, size {size}, overlap {overlap}" if text else "no tokens"
        tokens = list(text)
        got = chunk(tokens, size, overlap)
        expect.instance(name, got, (list, tuple))
        lists = all(isinstance(part, (list, tuple)) for part in got)
        if expect.true(name, lists, got, "lists of tokens, in one list"):
            # each list as one text, so that a message can show them all
            shown = [" ".join(map(str, part)) for part in got]
            expect.equal(name, shown, [" ".join(part) for part in expected.split()])
        expect.unchanged("the caller's tokens", list(text), tokens)

    case("abcdefghij", 4, 2, "abcd cdef efgh ghij")
    case("abcdefghijk", 4, 2, "abcd cdef efgh ghij ijk")
    case("abcdefg", 3, 0, "abc def g")
    case("abcdef", 3, 0, "abc def")
    case("abcdefgh", 5, 1, "abcde efgh")
    case("abcdefg", 4, 3, "abcd bcde cdef defg")
    case("abcd", 4, 2, "abcd")
    case("abc", 5, 2, "abc")
    case("abc", 3, 2, "abc")
    case("ab", 5, 3, "ab")
    case("abc", 1, 0, "a b c")
    case("abababba", 2, 0, "ab ab ab ba")  # the same words again are no overlap
    case("", 4, 2, "")
    expect.raises("overlap 4 in chunks of 4", ValueError, chunk, list("abcdef"), 4, 4)
    expect.raises("overlap 5 in chunks of 4", ValueError, chunk, list("abcdef"), 4, 5)
    expect.raises("overlap 4 in chunks of 4, two tokens", ValueError, chunk, list("ab"), 4, 4)
    best_chunks(best_chunk_scores)


def best_chunks(best_chunk_scores):
    """The hand case, documents without chunks, one chunk for many documents."""
    reread = 'Stage 5, "The best chunk"'
    scores, parents = np.array([0.5, -0.3, 0.2, -0.1]), np.array([2, 0, 2, 0])
    got = best_chunk_scores(scores, parents, 3)
    case = "chunks .5, -.3, .2, -.1 of documents 2, 0, 2, 0"
    expect.close(case, got, [-0.1, 0, 0.5], reread=reread)
    expect.unchanged("the caller's scores", [0.5, -0.3, 0.2, -0.1], scores.tolist())
    expect.unchanged("the caller's parents", [2, 0, 2, 0], parents.tolist())
    got = best_chunk_scores(np.array([0.7, 0.9, 0.4]), np.array([1, 1, 3]), 6)
    case = "three chunks, six documents"
    expect.close(case, got, [0, 0.9, 0, 0.4, 0, 0], reread=reread)
    got = best_chunk_scores(np.array([-5e3, -2.5e3]), np.array([1, 1]), 2)
    expect.close("only chunks far below zero", got, [0, -2.5e3], reread=reread)
    got = best_chunk_scores(np.array([0.0, -0.5, 0.2, 0.6, -0.4]), np.array([0, 0, 1, 1, 1]), 2)
    expect.close("chunks 0, -.5 and .2, .6, -.4 of two documents", got, [0, 0.6], reread=reread)


@stage(reread='Stage 6, "By hand"')
def check_stage6(bm25, bootstrap_interval, slice_report):
    """BM25 by hand and by a slow loop; the bootstrap against the exact law of its means."""
    scored(bm25)
    reread = 'Stage 6, "The bootstrap"'
    interval(bootstrap_interval, reread)
    drawn("30 values", bootstrap_interval, reread)
    reported(slice_report, reread)
    within(slice_report, reread)
    exact_law("the interval of 12 numbers", bootstrap_interval, reread, 20000)

    def one_slice(values, rng, n):
        report = slice_report(
            [*values, *[500.0 + i for i in range(8)]], ["a"] * len(values) + ["b"] * 8, rng, n
        )
        return report["a"][1:]

    drawn("slices", one_slice, reread)
    exact_law("slice a of two, its interval", one_slice, reread, 4000)
