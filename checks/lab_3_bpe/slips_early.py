"""Wrong on purpose: what people write in stages 1 to 3 of lab 3, and what each of them gives."""

from checks.expect import Slip

EARLY = [
    Slip(
        "pair_counts",
        None,
        """
def solution_pair_counts(ids):
    counts, at = Counter(), 0
    while at < len(ids) - 1:
        pair = (ids[at], ids[at + 1])
        counts[pair] += 1
        at += 2 if at + 2 < len(ids) and pair[0] == pair[1] else 1
    return counts
""",
        "when pairs that overlap are counted once",
    ),
    Slip(
        "pair_counts",
        "zip(ids, ids[1:])",
        "zip(ids[::2], ids[1::2])",
        "when only every second position is counted",
    ),
    Slip(
        "pair_counts",
        "zip(ids, ids[1:])",
        "zip(ids[1:], ids)",
        "when the right neighbour is put first",
    ),
    Slip(
        "pair_counts",
        "zip(ids, ids[1:])",
        "zip(ids, ids[2:])",
        "when the neighbour after next is paired",
    ),
    Slip(
        "pair_counts",
        "zip(ids, ids[1:])",
        "set(zip(ids, ids[1:]))",
        "when a pair is noted once, however often it stands there",
    ),
    Slip(
        "pair_counts",
        "zip(ids, ids[1:])",
        "zip(ids[1:], ids[2:])",
        "when the first pair is left out",
    ),
    Slip(
        "pair_counts", "zip(ids, ids[1:])", "zip(ids, ids[1:-1])", "when the last pair is left out"
    ),
    Slip(
        "pair_counts",
        "zip(ids, ids[1:])",
        "zip(ids, [*ids[1:], *ids[:1]])",
        "when the last id is paired with the first",
    ),
    Slip(
        "pair_counts",
        "Counter(zip(ids, ids[1:]))",
        "Counter(tuple(sorted(pair)) for pair in zip(ids, ids[1:]))",
        "when (a, b) and (b, a) are counted as one pair",
    ),
    Slip(
        "pair_counts",
        None,
        """
def solution_pair_counts(ids):
    found = list(zip(ids, ids[1:]))
    return {(left, right): found.count((left, right)) for left in ids for right in ids}
""",
        "when pairs that never stand there are listed with a count of 0",
    ),
    Slip(
        "pair_counts",
        None,
        """
def solution_pair_counts(ids, counts={}):
    for pair in zip(ids, ids[1:]):
        counts[pair] = counts.get(pair, 0) + 1
    return counts
""",
        "when the counts of earlier calls are still there, in a default argument",
    ),
    Slip(
        "pair_counts",
        "zip(ids, ids[1:])",
        "(pair for pair in zip(ids, ids[1:]) if all(pair))",
        "when the id 0 is taken for no id at all",
    ),
    Slip(
        "pair_counts",
        "Counter(zip(ids, ids[1:]))",
        "Counter({pair: n for pair, n in Counter(zip(ids, ids[1:])).items() if n > 1})",
        "when pairs that stand once are left out",
    ),
    Slip(
        "merge",
        "ids[at : at + 2]) == pair",
        "ids[at : at + 2]) == pair and at < len(ids) - 2",
        "when a pair in the last two places is overlooked",
    ),
    Slip("merge", "(new_id)", "(256)", "when 256 is written, whatever new_id is"),
    Slip(
        "merge",
        "    merged, at = [], 0",
        "    if len(ids) < 2:\n        return ids\n    merged, at = [], 0",
        "when a list too short for a pair is handed back itself",
    ),
    Slip("merge", "at += 2", "at += 1", "when the second id of a merged pair is read again"),
    Slip("merge", "merged, at = [], 0", "merged, at = [], 1", "when the first id is skipped"),
    Slip(
        "merge",
        "if tuple(ids[at : at + 2]) == pair",
        "if set(ids[at : at + 2]) == set(pair)",
        "when the order within the pair is ignored",
    ),
    Slip(
        "merge",
        None,
        """
def solution_merge(ids, pair, new_id):
    merged, at = [], len(ids) - 1
    while at >= 0:
        if at and (ids[at - 1], ids[at]) == pair:
            merged, at = [new_id, *merged], at - 2
        else:
            merged, at = [ids[at], *merged], at - 1
    return merged
""",
        "when the list is read from right to left",
    ),
    Slip(
        "merge",
        None,
        """
def solution_merge(ids, pair, new_id):
    for at in range(len(ids) - 1):
        if (ids[at], ids[at + 1]) == pair:
            return [*ids[:at], new_id, *ids[at + 2 :]]
    return list(ids)
""",
        "when only the first occurrence is merged",
    ),
    Slip(
        "merge",
        None,
        """
def solution_merge(ids, pair, new_id):
    at = 0
    while at < len(ids) - 1:
        if (ids[at], ids[at + 1]) == pair:
            ids[at : at + 2] = [new_id]
        at += 1
    return ids
""",
        "when the caller's list is changed in place",
    ),
    Slip(
        "merge",
        None,
        """
def solution_merge(ids, pair, new_id):
    merged, at = [], 0
    while at < len(ids) - 1:
        hit = (ids[at], ids[at + 1]) == pair
        merged.append(new_id if hit else ids[at])
        at += 2 if hit else 1
    return merged
""",
        "when the last id is dropped unless it belongs to a pair",
    ),
    Slip(
        "merge",
        None,
        """
def solution_merge(ids, pair, new_id):
    merged, at = [], 0
    while at < len(ids):
        if tuple(ids[at : at + 2]) == pair:
            merged += [new_id, new_id]
            at += 2
        else:
            merged.append(ids[at])
            at += 1
    return merged
""",
        "when each of the two ids is replaced, not the pair",
    ),
    Slip(
        "merge",
        "tuple(ids[at : at + 2]) == pair",
        "ids[at : at + 2] == pair",
        "when a list is compared with a tuple, which is never equal",
    ),
    Slip(
        "merge",
        "tuple(ids[at : at + 2]) == pair",
        "at + 1 < len(ids) and ids[at] is pair[0] and ids[at + 1] is pair[1]",
        "when ids are compared with `is`, which holds for small ints only",
    ),
    Slip(
        "merge",
        "tuple(ids[at : at + 2]) == pair",
        "ids[at] == pair[0] and ids[at + 1] == pair[1]",
        "when the last id looks for a neighbour behind the end",
    ),
    Slip(
        "merge",
        None,
        """
def solution_merge(ids, pair, new_id):
    text = ",".join(map(str, ids)).replace(f"{pair[0]},{pair[1]}", str(new_id))
    return [int(part) for part in text.split(",")]
""",
        "when ids are replaced as text, where 1,2 also stands in 11,22",
    ),
    Slip(
        "merge",
        None,
        """
def solution_merge(ids, pair, new_id):
    merged, at = [], 0
    while at < len(ids):
        if ids[at] == pair[0] and pair[1] in ids[at + 1 :]:
            merged.append(new_id)
            at = ids.index(pair[1], at + 1) + 1
        else:
            merged.append(ids[at])
            at += 1
    return merged
""",
        "when right may stand anywhere behind left, not only next to it",
    ),
    Slip(
        "merge",
        None,
        """
def solution_merge(ids, pair, new_id):
    merged, before = [], None
    for n in ids:
        if before and (before, n) == pair:
            merged[-1], before = new_id, None
        else:
            merged.append(n)
            before = n
    return merged
""",
        "when the id 0 is taken for no id at all",
    ),
    Slip(
        "merge",
        "[], 0\n",
        "[], 0\n    if pair not in zip(ids, ids[1:]):\n        return ids\n",
        "when the caller's own list is handed back where the pair is not there",
    ),
    Slip(
        "merge",
        "tuple(ids[at : at + 2]) == pair",
        "tuple(ids[at : at + 2]) == pair and (at % 2 == 0 or pair[0] != pair[1])",
        "when a run of equal ids is only merged from an even place on",
    ),
    Slip(
        "train",
        ", default=None)\n        if not counts or counts[pair] < 2:\n            break",
        ")",
        "when nothing stops the loop before all pairs are used up",
    ),
    Slip(
        "train",
        ", default=None)",
        ")",
        "when max() is asked for the largest of no pairs",
    ),
    Slip(
        "train",
        "max(counts, key=counts.get, default=None)",
        "min(counts, key=counts.get, default=None)",
        "when the rarest pair is merged",
    ),
    Slip(
        "train",
        "max(counts, key=counts.get, default=None)",
        "max(counts, default=None)",
        "when the largest pair is merged, not the most frequent",
    ),
    Slip(
        "train",
        "ids = solution_merge(",
        "solution_merge(",
        "when the list that merge returns is dropped, so that nothing changes",
    ),
    Slip("train", "counts[pair] < 2", "counts[pair] < 1", "when a pair that stands once is merged"),
    Slip(
        "train",
        "counts[pair] < 2",
        "counts[pair] < 3",
        "when training stops although a pair still counts 2",
    ),
    Slip(
        "train",
        "merge(ids, pair, new_id)",
        "merge(ids, pair, new_id + 1)",
        "when the first new id is 257",
    ),
    Slip(
        "train",
        "merge(ids, pair, new_id)",
        "merge(ids, pair, 256)",
        "when every merge gets the same id",
    ),
    Slip(
        "train",
        "merge(ids, pair, new_id)",
        "merge(ids, pair, max(ids) + 1)",
        "when a new id is the largest id so far plus one, not 256 and up",
    ),
    Slip("train", "256 + n_merges", "255 + n_merges", "when one merge too few is made"),
    Slip("train", "256 + n_merges", "257 + n_merges", "when one merge too many is made"),
    Slip(
        "train", "256 + n_merges", "n_merges", "when n_merges is read as the size of the vocabulary"
    ),
    Slip(
        "train",
        "list(data)",
        'list(map(ord, data.decode(errors="replace")))',
        "when the bytes are read as characters first",
    ),
    Slip(
        "train",
        None,
        """
def solution_train(data, n_merges):
    counts = Counter(zip(data, data[1:]))
    return [pair for pair, count in counts.most_common(n_merges) if count > 1]
""",
        "when pairs are counted once and never again after a merge",
    ),
    Slip(
        "train",
        None,
        """
def solution_train(data, n_merges):
    ids, merges = list(data), []
    for new_id in range(256, 256 + n_merges):
        saved = {pair: len(ids) - len(merge(ids, pair, new_id)) for pair in pair_counts(ids)}
        pair = max(saved, key=saved.get, default=None)
        if not saved or saved[pair] < 2:
            break
        ids = merge(ids, pair, new_id)
        merges.append(pair)
    return merges
""",
        "when pairs that overlap are counted once",
    ),
    Slip(
        "train",
        None,
        """
def solution_train(data, n_merges, merges=[]):
    ids = list(data)
    for new_id in range(256, 256 + n_merges):
        counts = pair_counts(ids)
        pair = max(counts, key=counts.get, default=None)
        if not counts or counts[pair] < 2:
            break
        ids = merge(ids, pair, new_id)
        merges.append(pair)
    return merges
""",
        "when the list of merges is a default argument, which all calls share",
    ),
    Slip(
        "train",
        "key=counts.get",
        "key=lambda pair: (counts[pair], random.random())",
        "when ties are broken at random",
    ),
    Slip(
        "train",
        "key=counts.get",
        "key=lambda pair: (counts[pair], hash(str(pair)))",
        "when ties are broken by a hash of text, which every run of Python makes anew",
    ),
]
