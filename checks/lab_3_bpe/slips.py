"""Wrong on purpose: what people write in lab 3, and what each of them gives."""

from checks.expect import Slip

SLIPS = [
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
        "train",
        "max(counts, key=counts.get)",
        "min(counts, key=counts.get)",
        "when the rarest pair is merged",
    ),
    Slip(
        "train",
        "max(counts, key=counts.get)",
        "max(counts)",
        "when the largest pair is merged, not the most frequent",
    ),
    Slip("train", "counts[pair] < 2", "counts[pair] < 1", "when a pair that stands once is merged"),
    Slip(
        "train",
        "counts[pair] < 2",
        "counts[pair] < 3",
        "when training stops although a pair still stands twice",
    ),
    Slip("train", "256 + len(merges)", "257 + len(merges)", "when the first new id is 257"),
    Slip("train", "256 + len(merges)", "256", "when every merge gets the same id"),
    Slip("train", "range(n_merges)", "range(n_merges - 1)", "when one merge too few is made"),
    Slip("train", "range(n_merges)", "range(n_merges + 1)", "when one merge too many is made"),
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
    Slip("build_vocab", "range(256)", "range(255)", "when byte 255 is left out"),
    Slip("build_vocab", "range(256)", "range(128)", "when only the 128 ASCII bytes are there"),
    Slip("build_vocab", "bytes([i])", "bytes(i)", "when bytes(i) makes i zero bytes"),
    Slip("build_vocab", "bytes([i])", "chr(i).encode()", "when characters are put for bytes"),
    Slip(
        "build_vocab",
        "vocab[left] + vocab[right]",
        "vocab[right] + vocab[left]",
        "when the two parts are joined the wrong way round",
    ),
    Slip(
        "build_vocab",
        "enumerate(merges, 256)",
        "enumerate(merges, 257)",
        "when the first merge gets the id 257",
    ),
    Slip(
        "decode",
        'b"".join(vocab[i] for i in ids).decode("utf-8", errors="replace")',
        '"".join(vocab[i].decode("utf-8", errors="replace") for i in ids)',
        "when each token is decoded alone, in place of the joined bytes",
    ),
    Slip(
        "decode",
        'errors="replace"',
        'errors="ignore"',
        "when bytes that are no text vanish in place of being marked",
    ),
    Slip(
        "decode",
        'errors="replace"',
        'errors="strict"',
        "when bytes that are no text raise in place of being marked",
    ),
    Slip(
        "decode",
        'decode("utf-8", errors="replace")',
        'decode("latin-1")',
        "when bytes are read as Latin-1",
    ),
    Slip(
        "encode",
        'list(text.encode("utf-8"))',
        "[ord(c) for c in text]",
        "when characters are taken for bytes",
    ),
    Slip(
        "encode",
        "min(found, key=ranks.get)",
        "max(found, key=ranks.get)",
        "when the highest rank is merged first",
    ),
    Slip(
        "encode",
        "min(found, key=ranks.get)",
        "next(p for p in zip(ids, ids[1:]) if p in ranks)",
        "when the leftmost pair is merged first",
    ),
    Slip(
        "encode",
        "min(found, key=ranks.get)",
        "max(found, key=list(zip(ids, ids[1:])).count)",
        "when the most frequent pair is merged first",
    ),
    Slip("encode", "256 + ranks[pair]", "257 + ranks[pair]", "when new ids begin at 257"),
    Slip(
        "encode",
        None,
        """
def solution_encode(text, merges):
    tokens = {i: bytes([i]) for i in range(256)}
    for new, (left, right) in enumerate(merges, 256):
        tokens[new] = tokens[left] + tokens[right]
    data, ids = text.encode("utf-8"), []
    while data:
        best = max((i for i, t in tokens.items() if data.startswith(t)), key=lambda i: len(tokens[i]))
        ids.append(best)
        data = data[len(tokens[best]):]
    return ids
""",
        "when the longest token that fits is taken",
    ),
    Slip(
        "encode",
        None,
        """
def solution_encode(text, merges):
    ids = list(text.encode("utf-8"))
    pairs = [pair for pair in merges if pair in zip(ids, ids[1:])]
    return solution_merge(ids, pairs[0], 256 + merges.index(pairs[0])) if pairs else ids
""",
        "when only one merge is applied",
    ),
    Slip(
        "compression_ratio",
        'len(text.encode("utf-8"))',
        "len(text)",
        "when characters are counted, not bytes",
    ),
    Slip(
        "compression_ratio",
        'len(text.encode("utf-8")) / len(solution_encode(text, merges))',
        'len(solution_encode(text, merges)) / len(text.encode("utf-8"))',
        "when the ratio is upside down",
    ),
    Slip("train_fast", "(counts[p], p)", "(-counts[p], p)", "when the rarest pair is merged"),
    Slip(
        "train_fast",
        "(counts[p], p)",
        "p",
        "when the largest pair is merged, not the most frequent",
    ),
    Slip(
        "train_fast",
        "sign * words[word]",
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
        "when training stops although a pair still stands twice",
    ),
    Slip(
        "train_fast",
        "account(word, -1)",
        "pass",
        "when the old pairs of a merged word are not taken back",
    ),
    Slip(
        "train_fast",
        "len(merges) < n_merges",
        "len(merges) <= n_merges",
        "when one merge too many is made",
    ),
    Slip(
        "train_fast",
        "len(merges) < n_merges",
        "len(merges) < n_merges - 1",
        "when one merge too few is made",
    ),
    Slip(
        "train_fast",
        're.findall(r" ?\\S+|\\s+", text)',
        "[text]",
        "when merges cross the edge between two words",
    ),
    Slip("train_fast", "256 + len(merges)", "257 + len(merges)", "when the first new id is 257"),
]
