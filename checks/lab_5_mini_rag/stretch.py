"""What the check of stage 6 looks at: BM25 by number, the bootstrap by its exact law."""

from __future__ import annotations

import numpy as np

from checks import expect
from checks.lab_5_mini_rag import oracles


def scored(bm25):
    """One query word by hand; then length, repeats, common words, other k1 and b."""
    docs = [["aa", "bb"], ["aa", "cc", "cc"]]
    # ln 2 * 5 / 3.725
    case = "'aa bb', 'aa cc cc', query 'cc'"
    expect.close(case, bm25(docs, ["cc"]), [0, 0.9303989002])
    # aa is in both: ln(1 + .5/2.5) = .182322, not negative
    got = bm25(docs, ["aa"])
    wanted = oracles.bm25_score(docs, ["aa"], 1.5, 0.75)
    which = 'Stage 6, "Which idf"'
    expect.close("a word in every document", got, wanted, reread=which)
    docs = [["x"] * 6 + ["y"], ["y", "z"], [], ["x", "z", "z", "w", "v"]]
    query = ["x", "z", "x", "unknown"]
    case = "four documents, one empty; a query word twice, one unknown"
    expect.close(case, bm25(docs, query), oracles.bm25_score(docs, query, 1.5, 0.75))
    case = "four documents, k1=0.9, b=0.3"
    got = bm25(docs, ["y", "x"], 0.9, 0.3)
    expect.close(case, got, oracles.bm25_score(docs, ["y", "x"], 0.9, 0.3))
    got = bm25(docs, ["x"], 2.0, 0.0)
    expect.close("no length correction: b=0", got, oracles.bm25_score(docs, ["x"], 2.0, 0.0))
    expect.close("no query words", bm25(docs, []), [0, 0, 0, 0])
    expect.unchanged("the caller's documents", ["y", "z"], docs[1])
    expect.unchanged("the caller's query", ["x", "z", "x", "unknown"], query)


def pair(case, got, reread):
    """(low, high) as floats."""
    ok = isinstance(got, (tuple, list, np.ndarray)) and len(got) == 2
    expect.true(case, ok, got, "two numbers, low and high", reread=reread)
    return (float(got[0]), float(got[1])) if ok else (0.0, 0.0)


def interval(bootstrap_interval, reread):
    """What needs no chance: equal values, one value, one resample, the rng that is used."""
    rng = np.random.default_rng(3)
    case = "five values of .4: low and high"
    expect.close(case, pair(case, bootstrap_interval([0.4] * 5, rng), reread), [0.4, 0.4])
    case = "a single value 7: low and high"
    expect.close(case, pair(case, bootstrap_interval([7.0], rng, 50), reread), [7, 7])
    values = [0.0, 1.0, 5.0, 2.0, 9.0, 4.0]
    case = "one resample of six values: low equals high"
    low, high = pair(case, bootstrap_interval(values, rng, 1), reread)
    expect.true(case, low == high, (low, high), "the one mean, twice", reread=reread)
    # six draws from whole numbers: six times their mean is whole. Five or seven draws pass
    # such a test once in five or seven times, eight tests in a row once in 4 * 10^5.
    means = [pair(case, bootstrap_interval(values, rng, 1), reread)[0] for _ in range(8)]
    whole = all(abs(6 * mean - round(6 * mean)) < 1e-9 for mean in means)
    drawn = "sums of six draws, divided by six"
    expect.true("single resamples of six values", whole, means, drawn, reread=reread)
    ours = np.random.default_rng(11)
    before = str(ours.bit_generator.state)
    first = pair("six values", bootstrap_interval(values, ours, 40), reread)
    moved = str(ours.bit_generator.state) != before
    expect.true("draws come from rng", moved, "an rng that was not used", "rng used", reread=reread)
    again = pair("six values", bootstrap_interval(values, np.random.default_rng(11), 40), reread)
    expect.equal("the same rng state gives the same interval", again, first, reread=reread)
    expect.unchanged("the caller's values", [0.0, 1.0, 5.0, 2.0, 9.0, 4.0], values)


def reported(slice_report, reread):
    """Two interleaved slices without spread, so that no chance is left; then a mean."""
    values, slices = np.array([2.0, 5.0, 2.0, 5.0, 2.0]), ["code", "text", "code", "text", "code"]
    got = slice_report(values, slices, np.random.default_rng(3), 30)
    case = "slices code and text, 2 and 5 throughout"
    expect.instance(case, got, dict, reread=reread)
    expect.equal(f"{case}: names", sorted(map(str, got)), ["code", "text"], reread=reread)
    for name, value in (("code", 2.0), ("text", 5.0)):
        row = got.get(name, ())
        ok = isinstance(row, (tuple, list, np.ndarray)) and len(row) == 3
        if expect.true(f"{case}: {name}", ok, row, "mean, low and high", reread=reread):
            expect.close(f"{case}: {name}", list(row), [value] * 3, reread=reread)
    rng = np.random.default_rng(3)
    before = str(rng.bit_generator.state)
    got = slice_report([1.0, 7.0, 0.0, 4.0], ["b", "a", "b", "b"], rng, 30)
    moved = str(rng.bit_generator.state) != before
    expect.close("slice b of 1, 0 and 4: mean", got["b"][0], 5 / 3, reread=reread)
    case = "slice b of 1, 0 and 4: low <= mean <= high"
    mean, low, high = (float(x) for x in got["b"])
    expect.true(case, low <= mean <= high, (mean, low, high), "mean, low, high", reread=reread)
    asked = "slices: draws come from rng"
    expect.true(asked, moved, "an rng that was not used", "rng used", reread=reread)
    once = slice_report([1.0, 7.0, 0.0, 4.0], ["b", "a", "b", "b"], rng, 1)
    case = "slices, one resample: low equals high"
    low, high = pair(case, once["b"][1:], reread)
    expect.true(case, low == high, (low, high), "the one mean, twice", reread=reread)
    expect.unchanged("the caller's values", [2.0, 5.0, 2.0, 5.0, 2.0], values.tolist())
    expect.unchanged("the caller's slices", "code text code text code", " ".join(slices))


SKEWED = [0, 0, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55]  # so skewed that mean +- 2 sigma is wrong


def bounds(share, resamples):
    """The least and the largest mean that a right answer may give for this percentile.

    The share of the resampled means below the true percentile is off by sigma =
    sqrt(share (1 - share) / resamples). The bounds are 5 sigma on either side of both ends:
    a right answer fails once in 10^6 runs.
    """
    law = oracles.resampled_sums(SKEWED).cumsum()
    slack = 5 * (share * (1 - share) / resamples) ** 0.5
    at = np.searchsorted(law, [share - slack, share + slack])
    return at[0] / len(SKEWED), (at[1] + 1) / len(SKEWED)


def exact_law(case, function, reread, resamples):
    """Low and high against the exact distribution of a resampled mean."""
    values = [float(value) for value in SKEWED]
    got = function(values, np.random.default_rng(29), resamples)
    for name, value, share in zip(("low", "high"), pair(case, got, reread), (0.025, 0.975)):
        least, most = bounds(share, resamples)
        ok = least - 1e-9 <= value <= most + 1e-9
        wanted = f"{least:.2f} to {most:.2f}, by the exact law of the resampled mean"
        expect.true(f"{case}: {name}", ok, value, wanted, reread=reread)
