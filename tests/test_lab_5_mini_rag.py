"""Lab 5 against scikit-learn, rank-bm25 and SciPy; and every figure that its prose gives."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from checks.lab_5_mini_rag import oracles, stretch
from checks.runner.lab import Lab, find
from checks.runner.workbench import Workbench

LAB = Lab(find("5"))
FUNCTIONS = [name for name in LAB.definitions if name.startswith("solution_")]
CONSTANTS = ["DOCS", "TOPICS", "QUERIES", "KINDS", "RELEVANT", "DEPTH", "N_COMPONENTS"]
CONSTANTS += ["EXPERIMENTS", "SIZE"]
SPACE = Workbench(LAB).build([*FUNCTIONS, *CONSTANTS])
OWN = SimpleNamespace(**{name.removeprefix("solution_"): SPACE[name] for name in FUNCTIONS})
DOCS, QUERIES, RELEVANT, KINDS = (SPACE[n] for n in ("DOCS", "QUERIES", "RELEVANT", "KINDS"))
NAMES = ["sparrow", "aurelia", "northwick", "lindqvist", "merope", "gannet", "hestia", "clover"]
VOCAB, IDF, MATRIX = OWN.fit_tfidf(DOCS)
BRIDGES = range(4, 40, 5)


def found(scores, zeros=False):
    return [int(i) for i in OWN.rank(scores) if zeros or scores[i] > 1e-9][: SPACE["DEPTH"]]


def rows_of(texts):
    return OWN.transform(texts, VOCAB, IDF)


def svd_scores(queries, matrix=MATRIX, fitted=MATRIX, k=SPACE["N_COMPONENTS"]):
    axes = OWN.fit_svd(fitted, k)
    return OWN.project(queries, axes) @ OWN.project(matrix, axes).T


def fuse(*systems):
    return [[i for i, _ in OWN.rrf(list(lists))][: SPACE["DEPTH"]] for lists in zip(*systems)]


def of_kind(kind, rankings, k):
    at = [i for i, query in enumerate(QUERIES) if query[0] == kind]
    return OWN.recall_at_k([rankings[i] for i in at], [RELEVANT[i] for i in at], k)


def systems(texts):
    rows = rows_of(texts)
    cosines, meanings = rows @ MATRIX.T, svd_scores(rows)
    words, topics = [found(s) for s in cosines], [found(s) for s in meanings]
    zeros = fuse([found(s, True) for s in cosines], [found(s, True) for s in meanings])
    return {"TF-IDF": words, "SVD": topics, "RRF": fuse(words, topics), "zeros": zeros}


SYSTEMS = systems([text for _, text, _ in QUERIES])


def test_tfidf_is_that_of_scikit_learn_with_our_tokenizer():
    text = pytest.importorskip("sklearn.feature_extraction.text")
    theirs = text.TfidfVectorizer(tokenizer=OWN.tokenize, token_pattern=None, lowercase=False)
    matrix = theirs.fit_transform(DOCS).toarray()
    assert theirs.vocabulary_ == VOCAB
    np.testing.assert_allclose(IDF, theirs.idf_, rtol=1e-12)
    np.testing.assert_allclose(MATRIX, matrix, atol=1e-12)
    texts = [query for _, query, _ in QUERIES] + ["", "unheard words"]
    np.testing.assert_allclose(rows_of(texts), theirs.transform(texts).toarray(), atol=1e-12)


def test_svd_scores_are_those_of_scikit_learn():
    decomposition = pytest.importorskip("sklearn.decomposition")
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    model = decomposition.TruncatedSVD(9, algorithm="arpack", tol=1e-12, random_state=0)
    notes = preprocessing.normalize(model.fit_transform(MATRIX))
    queries = rows_of([text for _, text, _ in QUERIES])
    theirs = preprocessing.normalize(model.transform(queries)) @ notes.T
    np.testing.assert_allclose(svd_scores(queries), theirs, atol=1e-8)


def test_bm25_is_that_of_rank_bm25_with_the_idf_of_lucene():
    rank_bm25 = pytest.importorskip("rank_bm25")
    notes = [OWN.tokenize(doc) for doc in DOCS]
    theirs = rank_bm25.BM25Okapi(notes, k1=1.5, b=0.75)
    floor = theirs.epsilon * theirs.average_idf
    df = {word: sum(word in note for note in notes) for word in VOCAB}
    common = [word for word, n in df.items() if n > 20]
    assert common  # where the floor bites: a quarter of the mean idf, as stage 6 says
    assert theirs.epsilon == 0.25 and all(theirs.idf[word] == floor for word in common)
    theirs.idf = {word: np.log(1 + (40 - n + 0.5) / (n + 0.5)) for word, n in df.items()}
    for _, text, _ in QUERIES:
        query = [*OWN.tokenize(text), "the", "unheard"]
        np.testing.assert_allclose(OWN.bm25(notes, query), theirs.get_scores(query), atol=1e-10)


def test_slow_oracles_agree_with_scikit_learn_too():
    text = pytest.importorskip("sklearn.feature_extraction.text")
    docs = ["oil x-1 oil", "pump oil x-1", "", "gas gas oil gas"]
    theirs = text.TfidfVectorizer(tokenizer=str.split, token_pattern=None)
    matrix = theirs.fit_transform(docs).toarray()
    np.testing.assert_allclose(
        oracles.cosine_rows(docs, theirs.vocabulary_, theirs.idf_), matrix, atol=1e-12
    )


def test_bootstrap_interval_is_that_of_scipy():
    stats = pytest.importorskip("scipy.stats")
    values = np.random.default_rng(1).exponential(size=30)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    ours = OWN.bootstrap_interval(values, np.random.default_rng(3), 20_000)
    np.testing.assert_allclose(ours, theirs, atol=0.02)


@pytest.mark.parametrize("resamples", [4_000, 20_000])
def test_a_right_bootstrap_stays_inside_the_bounds_for_every_seed(resamples):
    values = np.array(stretch.SKEWED, dtype=float)
    (low_least, low_most), (high_least, high_most) = (
        stretch.bounds(share, resamples) for share in (0.025, 0.975)
    )
    for seed in range(150):  # at 5 sigma and two ends: a failure once in 10^6
        low, high = OWN.bootstrap_interval(values, np.random.default_rng(seed), resamples)
        assert low_least <= low <= low_most and high_least <= high <= high_most, seed


def test_the_corpus_is_forty_notes_with_codes_and_keys_in_their_topic():
    assert len(DOCS) == 40 and len(SPACE["TOPICS"]) == 8
    tokens = [OWN.tokenize(doc) for doc in DOCS]
    assert all(45 <= len(note) <= 80 for note in tokens)
    for topic, name in enumerate(NAMES):
        assert [i for i, note in enumerate(tokens) if name in note] == list(
            range(5 * topic, 5 * topic + 5)
        )
    codes = [w for note in tokens for w in note if re.fullmatch(r"[a-z]-\d+", w)]
    assert len(codes) == len(set(codes)) == 24
    assert [kind for kind, *_ in QUERIES] == [kind for kind in KINDS for _ in range(24)]
    assert all(len({note // 5 for note in key}) == 1 for key in RELEVANT)


def test_each_query_is_of_its_kind():
    words = [set(OWN.tokenize(doc)) for doc in DOCS]
    for kind, text, key in QUERIES:
        asked = set(OWN.tokenize(text))
        if kind == "paraphrase":  # shares nothing with its note, something with its topic
            assert not any(asked & words[note] for note in key), text
            topic = 5 * (min(key) // 5)
            assert any(asked & words[note] for note in range(topic, topic + 5)), text
        elif kind == "code":
            assert all(asked <= words[note] for note in key), text
        else:
            assert all(len(asked & words[note]) >= 2 for note in key), text


@pytest.mark.parametrize(
    ("name", "recall", "mrr"),
    [("TF-IDF", 0.67, 0.67), ("SVD", 1.00, 0.57), ("RRF", 1.00, 0.70), ("zeros", 0.76, 0.68)],
)
def test_the_measured_table(name, recall, mrr):
    assert OWN.recall_at_k(SYSTEMS[name], RELEVANT, 5) == pytest.approx(recall, abs=0.02)
    assert OWN.mean_reciprocal_rank(SYSTEMS[name], RELEVANT) == pytest.approx(mrr, abs=0.02)


def test_paraphrases_are_won_by_svd_and_codes_by_tfidf():
    assert of_kind("paraphrase", SYSTEMS["TF-IDF"], 10) == 0
    assert of_kind("paraphrase", SYSTEMS["SVD"], 5) >= 0.95
    assert of_kind("code", SYSTEMS["TF-IDF"], 1) == 1
    assert of_kind("code", SYSTEMS["SVD"], 1) == pytest.approx(0.42, abs=0.05)
    assert of_kind("code", SYSTEMS["SVD"], 5) == 1
    assert of_kind("code", SYSTEMS["RRF"], 1) == pytest.approx(0.75, abs=0.05)
    assert of_kind("keyword", SYSTEMS["RRF"], 1) > of_kind("keyword", SYSTEMS["SVD"], 1) + 0.2
    assert of_kind("paraphrase", SYSTEMS["zeros"], 5) == pytest.approx(0.29, abs=0.05)


def test_keywords_beat_semantics_on_the_code_that_the_lab_shows():
    at = next(i for i, query in enumerate(QUERIES) if query[1] == "Sparrow P-1107")
    assert SYSTEMS["TF-IDF"][at][0] == 2
    assert SYSTEMS["SVD"][at][0] != 2 and set(SYSTEMS["SVD"][at][:5]) == set(range(5))


def test_nine_components_are_the_right_number():
    values = np.linalg.svd(MATRIX)[1]
    assert values[0] / values[1] == pytest.approx(2, abs=0.1)
    assert np.argmax(-np.diff(values[1:])) == 7  # the largest gap comes after the ninth
    rows = rows_of([text for _, text, _ in QUERIES])
    wanted = {4: 0.62, 9: 1.0, 20: 0.42, 40: 0.0}
    for k, recall in wanted.items():
        rankings = [found(s) for s in svd_scores(rows, k=k)]
        assert of_kind("paraphrase", rankings, 5) == pytest.approx(recall, abs=0.06), k


def test_semantics_comes_from_names_and_bridges():
    """Without the eight names, and fitted without the eight notes that use both dialects."""
    struck = MATRIX.copy()
    struck[:, [VOCAB[name] for name in NAMES]] = 0
    struck /= np.linalg.norm(struck, axis=1, keepdims=True)
    rows = rows_of([text for _, text, _ in QUERIES])
    fitted = np.delete(struck, list(BRIDGES), axis=0)
    rankings = [found(s) for s in svd_scores(rows, struck, fitted)]
    assert of_kind("paraphrase", rankings, 5) == 0
    only_bridges = [found(s) for s in svd_scores(rows, struck, struck)]
    assert of_kind("paraphrase", only_bridges, 5) > 0.6


def test_one_function_word_before_each_paraphrase_spoils_the_fusion():
    texts = [f"the {text}" if kind == "paraphrase" else text for kind, text, _ in QUERIES]
    assert of_kind("paraphrase", SYSTEMS["RRF"], 5) == 1
    assert of_kind("paraphrase", systems(texts)["RRF"], 5) == pytest.approx(0.12, abs=0.05)


def places(query, note):
    """Where the note stands: whole notes, chunks, chunks that overlap."""
    row = rows_of([query])
    scores = [(row @ MATRIX.T)[0]]
    for overlap in (0, SPACE["SIZE"] // 2):
        pieces = [
            (" ".join(part), doc)
            for doc, text in enumerate(DOCS)
            for part in OWN.chunk(OWN.tokenize(text), SPACE["SIZE"], overlap)
        ]
        index = rows_of([part for part, _ in pieces])
        parents = np.array([doc for _, doc in pieces])
        scores.append(OWN.best_chunk_scores((row @ index.T)[0], parents, len(DOCS)))
    return [list(OWN.rank(s)).index(note) + 1 for s in scores]


def test_chunking_helps_once_hurts_once_and_overlap_rescues_once():
    helped, hurt, rescued = (places(*experiment) for experiment in SPACE["EXPERIMENTS"])
    assert helped == [2, 1, 1]
    assert hurt == [1, 2, 2]
    assert rescued == [1, 3, 1]


def test_bm25_agrees_with_tfidf_on_notes_of_equal_length():
    notes = [OWN.tokenize(doc) for doc in DOCS]
    rankings = [found(OWN.bm25(notes, OWN.tokenize(text))) for _, text, _ in QUERIES]
    for kind in KINDS:
        assert of_kind(kind, rankings, 1) == of_kind(kind, SYSTEMS["TF-IDF"], 1)


def test_a_bootstrap_of_perfect_answers_has_no_width():
    rng = np.random.default_rng(0)
    assert tuple(OWN.bootstrap_interval([1.0] * 24, rng)) == (1, 1)
    low, high = OWN.bootstrap_interval([0.0] * 4 + [1.0] * 4, rng, 20_000)
    assert (low, high) == (0.125, 0.875)
