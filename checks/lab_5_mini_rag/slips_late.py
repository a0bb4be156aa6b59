"""Slips of stage 6: BM25 and the bootstrap."""

from checks.expect import Slip

LATE = [
    Slip(
        "bm25",
        "np.log(1 + (len(tf) - df + 0.5) / (df + 0.5))",
        "np.log((len(tf) - df + 0.5) / (df + 0.5))",
        "when the idf is Robertson's, which may be negative",
    ),
    Slip(
        "bm25",
        "np.log(1 + (len(tf) - df + 0.5) / (df + 0.5))",
        "np.log((1 + len(tf)) / (1 + df)) + 1",
        "when the idf is that of stage 1",
    ),
    Slip(
        "bm25",
        "np.log(1 + (len(tf) - df + 0.5) / (df + 0.5))",
        "np.log(len(tf) / max(df, 1))",
        "when the idf is ATIRE's ln(N / df)",
    ),
    Slip(
        "bm25",
        "np.log(1 + (len(tf) - df + 0.5) / (df + 0.5))",
        "max(np.log((len(tf) - df + 0.5) / (df + 0.5)), 0.0)",
        "when a negative idf is cut off at 0",
    ),
    Slip("bm25", "np.count_nonzero(tf)", "tf.sum()", "when df counts occurrences, not documents"),
    Slip(
        "bm25",
        "tf * (k1 + 1) / (tf + norm)",
        "tf / (tf + norm)",
        "when the factor k1 + 1 is left out",
    ),
    Slip("bm25", "tf * (k1 + 1) / (tf + norm)", "tf", "when tf does not saturate"),
    Slip(
        "bm25",
        "lengths / lengths.mean())",
        "lengths)",
        "when lengths are not divided by their mean",
    ),
    Slip(
        "bm25",
        "lengths / lengths.mean())",
        "lengths.mean() / np.maximum(lengths, 1))",
        "when the mean length is divided by the length",
    ),
    Slip(
        "bm25",
        "lengths / lengths.mean())",
        "lengths / lengths[lengths > 0].mean())",
        "when an empty document is left out of the mean length",
    ),
    Slip(
        "bm25",
        "lengths.mean()",
        "np.median(lengths)",
        "when lengths are divided by their median",
    ),
    Slip(
        "bm25",
        "doc.count(word) for",
        '" ".join(doc).count(word) for',
        "when a word is counted inside longer words too",
    ),
    Slip(
        "bm25",
        "norm = k1 * (1 - b + b * lengths / lengths.mean())",
        "norm = k1 * np.ones(len(lengths))",
        "when the length of a document is ignored",
    ),
    Slip("bm25", "1 - b + b * lengths", "b + (1 - b) * lengths", "when b and 1 - b change places"),
    Slip(
        "bm25",
        "norm = k1 * (1 - b + b * lengths / lengths.mean())",
        "norm = 1 - b + b * lengths / lengths.mean()",
        "when k1 does not multiply the length term",
    ),
    Slip(
        "bm25",
        "for word in query_tokens",
        "for word in dict.fromkeys(query_tokens)",
        "when a query word that stands twice counts once",
    ),
    Slip(
        "bm25",
        "len(doc) for doc",
        "len(set(doc)) for doc",
        "when a length counts different words, not tokens",
    ),
    Slip(
        "bm25",
        "doc.count(word) for doc",
        "(word in doc) + 0 for doc",
        "when tf is 1 however often the word stands there",
    ),
    Slip(
        "bm25",
        None,
        """
def solution_bm25(tokenized_docs, query_tokens, k1=1.5, b=0.75):
    lengths = np.array([len(doc) for doc in tokenized_docs])
    k1, b = 1.5, 0.75
    norm = k1 * (1 - b + b * lengths / lengths.mean())
    scores = np.zeros(len(tokenized_docs))
    for word in query_tokens:
        tf = np.array([doc.count(word) for doc in tokenized_docs])
        df = np.count_nonzero(tf)
        idf = np.log(1 + (len(tf) - df + 0.5) / (df + 0.5))
        scores += idf * tf * (k1 + 1) / (tf + norm)
    return scores
""",
        "when k1 and b are fixed whatever the caller says",
    ),
    Slip(
        "bootstrap_interval",
        "[2.5, 97.5]",
        "[5, 95]",
        "when 5 % are cut off at each end, which makes it a 90 % interval",
    ),
    Slip(
        "bootstrap_interval",
        "[2.5, 97.5]",
        "[0.025, 0.975]",
        "when percentiles are given as shares",
    ),
    Slip(
        "bootstrap_interval",
        "draws.mean(axis=1)",
        "draws",
        "when percentiles of single values are taken, not of means",
    ),
    Slip(
        "bootstrap_interval",
        "draws.mean(axis=1)",
        "np.median(draws, axis=1)",
        "when medians are resampled, not means",
    ),
    Slip(
        "bootstrap_interval",
        "draws.mean(axis=1)",
        "draws.mean(axis=0)",
        "when the mean goes over the resamples, not within each",
    ),
    Slip("bootstrap_interval", "[2.5, 97.5]", "[97.5, 2.5]", "when high comes before low"),
    Slip(
        "bootstrap_interval",
        None,
        """
def solution_bootstrap_interval(values, rng, n_resamples=2000):
    values = np.asarray(values)
    means = [rng.permutation(values).mean() for _ in range(n_resamples)]
    return tuple(np.percentile(means, [2.5, 97.5]))
""",
        "when values are drawn without replacement, so that every mean is the same",
    ),
    Slip(
        "bootstrap_interval",
        None,
        """
def solution_bootstrap_interval(values, rng, n_resamples=2000):
    values = np.asarray(values)
    n = max(1, len(values) // 2)
    means = rng.choice(values, size=(n_resamples, n)).mean(axis=1)
    return tuple(np.percentile(means, [2.5, 97.5]))
""",
        "when half as many values are drawn as there are",
    ),
    Slip(
        "bootstrap_interval",
        None,
        """
def solution_bootstrap_interval(values, rng, n_resamples=2000):
    values = np.asarray(values)
    n = max(1, len(values) - 1)
    means = rng.choice(values, size=(n_resamples, n)).mean(axis=1)
    return tuple(np.percentile(means, [2.5, 97.5]))
""",
        "when one value fewer is drawn than there are",
    ),
    Slip(
        "bootstrap_interval",
        "rng.choice",
        "np.random.default_rng().choice",
        "when a generator without a seed is used in place of rng",
    ),
    Slip(
        "bootstrap_interval",
        None,
        """
def solution_bootstrap_interval(values, rng, n_resamples=2000):
    values = np.asarray(values)
    own = np.random.default_rng(0)
    means = own.choice(values, size=(n_resamples, len(values))).mean(axis=1)
    return tuple(np.percentile(means, [2.5, 97.5]))
""",
        "when a generator with a seed of its own is used in place of rng",
    ),
    Slip(
        "bootstrap_interval",
        None,
        """
def solution_bootstrap_interval(values, rng, n_resamples=2000):
    values = np.asarray(values)
    means = rng.choice(values, size=(n_resamples, len(values))).mean(axis=1)
    return means.mean() - 1.96 * means.std(), means.mean() + 1.96 * means.std()
""",
        "when the interval is the mean plus and minus 1.96 standard errors",
    ),
    Slip(
        "bootstrap_interval",
        None,
        """
def solution_bootstrap_interval(values, rng, n_resamples=2000):
    values = np.asarray(values)
    means = rng.choice(values, size=(n_resamples, len(values))).mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return 2 * values.mean() - high, 2 * values.mean() - low
""",
        "when the percentiles are mirrored at the mean (the basic bootstrap)",
    ),
    Slip(
        "bootstrap_interval",
        None,
        """
def solution_bootstrap_interval(values, rng, n_resamples=2000):
    values = np.asarray(values)
    means = rng.choice(values, size=(2000, len(values))).mean(axis=1)
    return tuple(np.percentile(means, [2.5, 97.5]))
""",
        "when 2,000 resamples are drawn whatever the caller says",
    ),
    Slip(
        "slice_report",
        "own = [value for value, its in zip(values, slices) if its == name]",
        "own = values",
        "when every slice gets the values of all",
    ),
    Slip(
        "slice_report",
        "solution_bootstrap_interval(own, rng, n_resamples)",
        "solution_bootstrap_interval(values, rng, n_resamples)",
        "when the interval resamples all queries, not those of the slice",
    ),
    Slip(
        "slice_report",
        "(own, rng, n_resamples)",
        "(own, rng)",
        "when n_resamples is not handed on",
    ),
    Slip(
        "slice_report",
        "(own, rng, n_resamples)",
        "(own, np.random.default_rng(), n_resamples)",
        "when each slice gets a generator without a seed in place of rng",
    ),
    Slip(
        "slice_report",
        "(own, rng, n_resamples)",
        "(own, np.random.default_rng(0), n_resamples)",
        "when each slice gets a generator with a seed of its own in place of rng",
    ),
    Slip(
        "slice_report",
        None,
        """
def solution_slice_report(values, slices, rng, n_resamples=2000):
    values, slices = np.asarray(values), np.asarray(slices)
    report = {}
    for name in dict.fromkeys(slices.tolist()):
        means = []
        while len(means) < n_resamples:
            drawn = rng.integers(len(values), size=len(values))
            own = values[drawn][slices[drawn] == name]
            means += [own.mean()] if len(own) else []
        report[name] = (values[slices == name].mean(), *np.percentile(means, [2.5, 97.5]))
    return report
""",
        "when all queries are resampled together and then parted into slices",
    ),
    Slip(
        "slice_report",
        "(np.mean(own), low, high)",
        "(low, np.mean(own), high)",
        "when the mean comes between low and high, not first",
    ),
    Slip(
        "slice_report",
        "(np.mean(own), low, high)",
        "((low + high) / 2, low, high)",
        "when the middle of the interval is given for the mean",
    ),
    Slip("slice_report", "np.mean(own)", "np.median(own)", "when the median is given for the mean"),
    Slip(
        "slice_report",
        "np.mean(own)",
        "np.sum(own) / len(values)",
        "when a slice's sum is divided by the number of all queries",
    ),
    Slip("bm25", "np.log(1 + (", "np.log2(1 + (", "when the logarithm is to base 2"),
    Slip("bm25", "np.log(1 + (", "np.log10(1 + (", "when the logarithm is to base 10"),
    Slip(
        "bm25", "(len(tf) - df + 0.5)", "(len(tf) - df)", "when .5 is added to df and not to N - df"
    ),
    Slip(
        "bm25",
        "    lengths =",
        "    b = 0.75\n    lengths =",
        "when b is .75 whatever the caller says",
    ),
    Slip(
        "bm25",
        "    lengths =",
        "    k1 = 1.5\n    lengths =",
        "when k1 is 1.5 whatever the caller says",
    ),
    Slip(
        "bm25",
        "(len(tf) - df + 0.5)",
        "(np.count_nonzero(lengths) - df + 0.5)",
        "when an empty document does not count in N",
    ),
    Slip(
        "bm25",
        "    return scores",
        "    return scores / max(1, len(query_tokens))",
        "when the sum is divided by the number of query words",
    ),
    Slip(
        "bm25",
        "    return scores",
        "    return scores / (np.linalg.norm(scores) or 1)",
        "when the scores are scaled to length 1",
    ),
    Slip(
        "bm25",
        "    lengths =",
        "    query_tokens.sort()\n    lengths =",
        "when the caller's query is sorted",
    ),
    Slip(
        "bm25", "scores += idf", "scores[:] = idf", "when the last query word overwrites the others"
    ),
    Slip(
        "bootstrap_interval",
        "return low, high",
        "return values.mean(), low, high",
        "when the mean is returned too",
    ),
    Slip(
        "bootstrap_interval",
        "draws.mean(axis=1)",
        "draws.sum(axis=1)",
        "when sums are resampled, not means",
    ),
    Slip(
        "bootstrap_interval",
        "np.percentile(draws.mean(axis=1), [2.5, 97.5])",
        "np.percentile(values, [2.5, 97.5])",
        "when nothing is resampled: percentiles of the values themselves",
    ),
    Slip("slice_report", "np.mean(own)", "np.mean(values)", "when the mean is that of all queries"),
    Slip(
        "slice_report",
        "        low, high =",
        "        if len(own) < 2:\n            continue\n        low, high =",
        "when a slice of one query is left out",
    ),
    Slip(
        "slice_report",
        "own = [value for value, its in zip(values, slices) if its == name]",
        "own = [dict(zip(slices, values))[name]]",
        "when a dict keeps only the last value of each slice",
    ),
]
