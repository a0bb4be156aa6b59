"""What the check of stage 6 looks at: BM25 by number, the bootstrap by its exact law."""

from __future__ import annotations

import numpy as np

from checks import expect
from checks.lab_5_mini_rag import oracles


def scored(bm25):
    """One query word by hand; then length, repeats, common words, other k1 and b."""

    def case(name, docs, query, wanted=None, k1=1.5, b=0.75, reread=None):
        if wanted is None:
            wanted = oracles.bm25_score(docs, query, k1, b)
        mine, own = [list(doc) for doc in docs], list(query)
        plain = (k1, b) == (1.5, 0.75)
        got = bm25(mine, own) if plain else bm25(mine, own, k1, b)
        expect.close(name, got, wanted, reread=reread)
        expect.unchanged("the caller's documents", docs, mine)
        expect.unchanged("the caller's query", query, own)

    two = [["aa", "bb"], ["aa", "cc", "cc"]]
    # ln 2 * 5 / 3.725
    case("'aa bb', 'aa cc cc', query 'cc'", two, ["cc"], [0, 0.9303989002])
    # aa is in both: ln(1 + .5/2.5) = .182322, not negative
    case("a word in every document", two, ["aa"], reread='Stage 6, "Which idf"')
    # lengths 8, 2, 0 and 5: the mean is 3.75 and the median 3.5
    docs = [["x"] * 6 + ["y", "xv"], ["y", "z"], [], ["x", "z", "z", "w", "v"]]
    name = "four documents, one empty; a query word twice, one unknown"
    case(name, docs, ["x", "z", "x", "unknown", "v"])
    case("four documents, k1=0.9, b=0.3", docs, ["y", "x"], None, 0.9, 0.3)
    case("no length correction: b=0", docs, ["x"], None, 2.0, 0.0)
    case("no query words", docs, [], [0, 0, 0, 0])
    case("other documents, the same words", [["y"], ["x", "y"], ["y", "y", "z"]], ["y", "x"])


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
    expect.unchanged("the caller's values", [0.0, 1.0, 5.0, 2.0, 9.0, 4.0], values)


def drawn(case, function, reread):
    """Chance comes from rng: another interval at each call, the same one from the same state.

    The ends are means of 30 square roots: two draws agree in both less than once in 10^9 runs.
    """
    values = np.sqrt(np.arange(2.0, 32.0)).tolist()
    ours = np.random.default_rng(11)
    first, second = (pair(case, function(list(values), ours, 40), reread) for _ in range(2))
    name, got = f"{case}, two calls with one rng", "the same interval twice"
    expect.true(name, first != second, got, "two intervals: draws come from rng", reread=reread)
    again = pair(case, function(list(values), np.random.default_rng(11), 40), reread)
    name, got = f"{case}, two calls with the same state of rng", "two intervals"
    wanted = "the same interval: draws come from rng and from nothing else"
    expect.true(name, again == first, got, wanted, reread=reread)


def within(slice_report, reread):
    """A slice of six is resampled by six of its own: six times such a mean is a whole number.

    Other numbers of draws pass such a test once in five times or less often, and eight of them
    in a row once in 4 * 10^5.
    """
    values, slices = [0.0, 1.0, 5.0, 2.0, 9.0, 4.0], ["a", "b"] * 6
    both = [float(x) for value in values for x in (value, value + 70)]
    rng = np.random.default_rng(17)
    means = [float(slice_report(both, slices, rng, 1)["a"][1]) for _ in range(8)]
    whole = all(abs(6 * mean - round(6 * mean)) < 1e-9 for mean in means)
    wanted = "sums of six draws from the slice, divided by six"
    name = "slices of six values each, one resample"
    expect.true(name, whole and max(means) <= 9, means, wanted, reread=reread, free=True)


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
    got = slice_report([1.0, 7.0, 0.0, 4.0], ["b", "a", "b", "b"], rng, 30)
    expect.close("slice b of 1, 0 and 4: mean", got["b"][0], 5 / 3, reread=reread)
    expect.close("slice a of one value, 7", list(got.get("a", ())), [7, 7, 7], reread=reread)
    case = "slice b of 1, 0 and 4: low <= mean <= high"
    mean, low, high = (float(x) for x in got["b"])
    expect.true(case, low <= mean <= high, (mean, low, high), "mean, low, high", reread=reread)
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
