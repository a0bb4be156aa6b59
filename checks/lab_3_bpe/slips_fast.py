"""Slips of stage 6: training over words."""

from checks.expect import Slip

FAST = [
    Slip(
        "train_fast",
        ", default=None)",
        ")",
        "when max() is asked for the largest of no pairs",
    ),
    Slip(
        "train_fast",
        "max(counts, key=counts.get, default=None)",
        "min(counts, key=counts.get, default=None)",
        "when the rarest pair is merged",
    ),
    Slip(
        "train_fast",
        "max(counts, key=counts.get, default=None)",
        "max(counts, default=None)",
        "when the largest pair is merged, not the most frequent",
    ),
    Slip(
        "train_fast",
        "sign * times[at]",
        "sign",
        "when a word counts once, however often it stands",
    ),
    Slip(
        "train_fast",
        "counts[pair] < 2",
        "counts[pair] < 1",
        "when a pair that stands once is merged",
    ),
    Slip(
        "train_fast",
        "counts[pair] < 2",
        "counts[pair] < 3",
        "when training stops although a pair still counts 2",
    ),
    Slip(
        "train_fast",
        "account(at, -1)",
        "pass",
        "when the old pairs of a merged word are not taken back",
    ),
    Slip(
        "train_fast",
        "new_id)\n            account(at, 1)",
        "new_id)",
        "when the new pairs of a merged word are not counted",
    ),
    Slip(
        "train_fast",
        "account(at, -1)",
        "counts.pop(pair, None)",
        "when only the merged pair leaves the counts, and its neighbours' pairs stay",
    ),
    Slip(
        "train_fast",
        "            where[pair].add(at)",
        "            where[pair].add(at) if sign > 0 and max(pair) < 256 else None",
        "when the index is not told of the pairs that a merge makes",
    ),
    Slip("train_fast", "256 + n_merges", "257 + n_merges", "when one merge too many is made"),
    Slip("train_fast", "256 + n_merges", "255 + n_merges", "when one merge too few is made"),
    Slip(
        "train_fast",
        "words[at], pair, new_id",
        "words[at], pair, new_id + 1",
        "when the first new id is 257",
    ),
    Slip(
        "train_fast",
        're.findall(r" ?\\S+|\\s+", text)',
        "[text]",
        "when merges cross the edge between two words",
    ),
    Slip(
        "train_fast",
        're.findall(r" ?\\S+|\\s+", text)',
        "text.split()",
        "when split() makes the words, which drops the spaces",
    ),
    Slip(
        "train_fast",
        're.findall(r" ?\\S+|\\s+", text)',
        're.findall(r"\\S+|\\s+", text)',
        "when a space is a word of its own, in place of going with the next word",
    ),
    Slip(
        "train_fast",
        're.findall(r" ?\\S+|\\s+", text)',
        're.findall(r" ?\\S+", text)',
        "when runs of spaces and line ends are left out",
    ),
    Slip(
        "train_fast",
        're.findall(r" ?\\S+|\\s+", text)',
        're.findall(r" ?\\w+|\\s+", text)',
        "when \\w makes the words, which drops the marks",
    ),
    Slip(
        "train_fast",
        'list(word.encode("utf-8"))',
        "list(map(ord, word))",
        "when characters are taken for bytes",
    ),
    Slip(
        "train_fast",
        "key=counts.get",
        "key=lambda pair: (counts[pair], random.random())",
        "when ties are broken at random",
    ),
    Slip(
        "train_fast",
        None,
        """
def solution_train_fast(text, n_merges):
    words = Counter(re.findall(r" ?\\S+|\\s+", text))
    spelled = {word: list(word.encode("utf-8")) for word in set(words)}
    merges = []
    for new_id in range(256, 256 + n_merges):
        counts = Counter()
        for word, ids in spelled.items():
            for pair in zip(ids, ids[1:]):
                counts[pair] += words[word]
        pair = max(counts, key=counts.get, default=None)
        if counts[pair] < 2:
            break
        spelled = {word: merge(ids, pair, new_id) for word, ids in spelled.items()}
        merges.append(pair)
    return merges
""",
        "when ties fall as a set of words is walked, in an order that changes from run to run",
    ),
    Slip(
        "train_fast",
        're.findall(r" ?\\S+|\\s+", text)',
        'text.split(" ")',
        "when split(' ') makes the words, which drops the spaces",
    ),
    Slip(
        "train_fast",
        "words[at], pair, new_id)\n            account(at, 1)",
        "words[at], pair, new_id)\n            for new in zip(words[at], words[at][1:]): counts[new] += 1; where[new].add(at)",
        "when the new pairs of a word are counted once, however often the word stands",
    ),
    Slip(
        "train_fast",
        "            account(at, -1)",
        "            for old in zip(words[at], words[at][1:]): counts[old] -= 1",
        "when the old pairs of a word are taken back once, however often the word stands",
    ),
    Slip(
        "train_fast",
        "text))",
        "text.lower()))",
        "when capitals are made small before anything is counted",
    ),
    Slip(
        "train_fast",
        're.findall(r" ?\\S+|\\s+", text)',
        're.findall(r" *\\S+|\\s+", text)',
        "when all spaces in front go with a word, not one of them",
    ),
    Slip(
        "train_fast",
        're.findall(r" ?\\S+|\\s+", text)',
        're.findall(r" ?\\S+|\\s+", text.strip())',
        "when spaces and line ends at the edges are dropped first",
    ),
    Slip(
        "train_fast",
        'found = Counter(re.findall(r" ?\\S+|\\s+", text))',
        'found = Counter(re.findall(r" ?\\S+|\\s+", text)); '
        "found = Counter({word: n for word, n in found.items() if n > 1})",
        "when words that stand once are left out",
    ),
]
