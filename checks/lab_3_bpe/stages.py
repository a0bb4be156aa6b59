"""The checks of lab 3. Pure Python: nothing is imported that a stage does not need."""

from __future__ import annotations

from checks import expect
from checks.expect import stage

PAPER = b"aaabdaaabac"  # the worked example of Gage, 1994: three merges, five tokens


def slow_pair_counts(ids):
    """The oracle of counting: every position, one at a time."""
    counts: dict = {}
    for at in range(len(ids) - 1):
        pair = (ids[at], ids[at + 1])
        counts[pair] = counts.get(pair, 0) + 1
    return counts


def slow_merge(ids, pair, new_id):
    """The oracle of merging: eat the list from the left."""
    out: list = []
    rest = list(ids)
    while rest:
        if tuple(rest[:2]) == tuple(pair):
            out, rest = [*out, new_id], rest[2:]
        else:
            out, rest = [*out, rest[0]], rest[1:]
    return out


@stage(reread='Stage 1, "By hand"')
def check_stage1(pair_counts):
    """A hand value, overlaps, order within a pair, the short lists, the caller's list."""
    # 5 6 5 6 7: (5,6) at 0 and 2, (6,5) at 1, (6,7) at 3
    got = pair_counts([5, 6, 5, 6, 7])
    expect.instance("pairs of [5, 6, 5, 6, 7]", got, dict)
    expect.equal("pairs of [5, 6, 5, 6, 7]", got, {(5, 6): 2, (6, 5): 1, (6, 7): 1})
    # 9 9 9 9 holds the pair (9, 9) at positions 0, 1 and 2
    expect.equal("four equal ids overlap", pair_counts([9, 9, 9, 9]), {(9, 9): 3})
    expect.equal("two ids", pair_counts([3, 4]), {(3, 4): 1})
    expect.equal("ids above 255", pair_counts([300, 2, 300, 2]), {(300, 2): 2, (2, 300): 1})
    expect.equal("one id", pair_counts([7]), {})
    expect.equal("no ids", pair_counts([]), {})
    ids = list(PAPER)
    expect.equal("the bytes of 'aaabdaaabac'", pair_counts(ids), slow_pair_counts(PAPER))
    expect.unchanged("the caller's list", list(PAPER), ids)
    expect.equal("a second call", pair_counts([1, 2]), {(1, 2): 1})


@stage(reread='Stage 2, "By hand"')
def check_stage2(merge):
    """A hand value, overlaps from the left, near misses, the ends, a new list."""
    got = merge([1, 2, 3, 1, 2], (1, 2), 256)
    expect.instance("merge (1, 2) in [1, 2, 3, 1, 2]", got, list)
    expect.equal("merge (1, 2) in [1, 2, 3, 1, 2]", got, [256, 3, 256])
    # from the left: positions 0 and 1 are one pair, the third 7 is left over
    expect.equal("three equal ids", merge([7, 7, 7], (7, 7), 256), [256, 7])
    expect.equal("five equal ids", merge([7] * 5, (7, 7), 256), [256, 256, 7])
    expect.equal("the pair the other way round", merge([2, 1, 1, 3], (1, 2), 256), [2, 1, 1, 3])
    # after the merge 256 stands beside 2: a second pass would be needed, and is not asked for
    expect.equal("what a merge makes adjacent stays", merge([1, 1, 2, 2], (1, 2), 257), [1, 257, 2])
    expect.equal("one id", merge([4], (4, 4), 256), [4])
    expect.equal("no ids", merge([], (4, 4), 256), [])
    ids = [6, 8, 6, 8, 9]
    expect.equal("a pair in front", merge(ids, (6, 8), 300), [300, 300, 9])
    expect.unchanged("the caller's list", [6, 8, 6, 8, 9], ids)
    same = merge(ids, (1, 2), 300)
    expect.equal("a pair that is not there", same, [6, 8, 6, 8, 9])
    expect.true(
        "a pair that is not there: a new list",
        same is not ids,
        "the caller's own list",
        "a new list on every call",
    )


def replay(data, merges, case):
    """Each merge must have had the largest count at its step; returns the final ids."""
    ids = list(data)
    for rank, pair in enumerate(merges):
        counts = slow_pair_counts(ids)
        best = max(counts.values(), default=0)
        expect.true(
            f"{case}: count of merge {rank}",
            counts.get(tuple(pair), 0) == best,
            counts.get(tuple(pair), 0),
            f"{best}, the largest count at that step",
        )
        ids = slow_merge(ids, tuple(pair), 256 + rank)
    return ids


@stage(reread='Stage 3, "By hand"')
def check_stage3(train):
    """The published example, the stop rule, ids of merged pairs, ties the same every time."""
    got = train(PAPER, 1)
    expect.instance("one merge on b'aaabdaaabac'", got, list)
    expect.equal("one merge on b'aaabdaaabac'", got, [(97, 97)])  # aa stands 4 times
    merges = train(PAPER, 3)
    expect.true("three merges: how many", len(merges) == 3, len(merges), "3")
    ids = replay(PAPER, merges, "b'aaabdaaabac'")
    expect.true("three merges: tokens left", len(ids) == 5, len(ids), "5")
    expect.equal("no merges asked for", train(PAPER, 0), [])
    expect.equal("nothing to read", train(b"", 4), [])
    expect.equal("b'abcd', no pair twice", train(b"abcd", 4), [])
    # aaa: the pair (a, a) counts 2; merged once it leaves two tokens, whose pair counts 1
    expect.equal("b'aaa' allows one merge", train(b"aaa", 9), [(97, 97)])
    text = b"the cat sat on the mat; the rat sat on the hat, that fat cat"
    merges = train(text, 12)
    left = replay(text, merges, "the rhyme")
    more = max(slow_pair_counts(left).values(), default=0)
    expect.true("the rhyme: when to stop", len(merges) == 12 or more < 2, len(merges), "12")
    expect.equal("the same answer twice", train(text, 12), merges)


@stage(reread='Stage 4, "By hand"')
def check_stage4(build_vocab, decode):
    """All 256 bytes, merged tokens in rank order, characters split over tokens, bad bytes."""
    bare = build_vocab([])
    expect.instance("no merges", bare, dict)
    expect.equal("no merges: entries", len(bare), 256)
    expect.equal("no merges: byte 200", bare.get(200), b"\xc8")
    # 256 = h i, 257 = hi + !
    vocab = build_vocab([(104, 105), (256, 33)])
    expect.equal("merges (104, 105), (256, 33): entries", len(vocab), 258)
    expect.equal("token 256", vocab.get(256), b"hi")
    expect.equal("token 257, built on 256", vocab.get(257), b"hi!")
    merges = [(104, 105), (256, 33)]
    build_vocab(merges)
    expect.unchanged("the caller's merges", [(104, 105), (256, 33)], merges)
    expect.equal("decode [257, 32, 256]", decode([257, 32, 256], dict(vocab)), "hi! hi")
    expect.equal("decode nothing", decode([], dict(vocab)), "")
    # é is the two bytes C3 A9: neither is text on its own
    expect.equal("one character in two tokens", decode([195, 169], dict(vocab)), "é")
    expect.equal("a byte that is no text", decode([104, 255], dict(vocab)), "h\ufffd")


@stage(reread='Stage 5, "By hand"')
def check_stage5(encode, compression_ratio):
    """Rank before length, rank before frequency, bytes not characters, the ratio's unit."""
    expect.equal("no merges: the bytes of 'hé'", encode("hé", []), [104, 195, 169])
    expect.instance("encode returns", encode("a", []), list)
    expect.equal("empty text", encode("", [(97, 98)]), [])
    paper = [(97, 97), (256, 97), (257, 98)]
    expect.equal(
        "'aaabdaaabac', three merges", encode("aaabdaaabac", paper), [258, 100, 258, 97, 99]
    )
    # rank 0 takes b c first, so the pair (a, b) of rank 1 is gone
    expect.equal("'abc': rank 0 is (b, c)", encode("abc", [(98, 99), (97, 98)]), [97, 256])
    # longest match would take abc = 258; rank order takes cd first
    chain = [(99, 100), (97, 98), (257, 99)]
    expect.equal("'abcd': a longer token exists", encode("abcd", chain), [257, 256])
    # only 'highest rank first' takes bc here; leftmost and longest find ab and cd too
    expect.equal(
        "'abcd': rank 0 is (c, d), rank 2 is (b, c)",
        encode("abcd", [(99, 100), (97, 98), (98, 99)]),
        [257, 256],
    )
    # bc stands twice and ab once, but ab has the lower rank
    expect.equal(
        "'abcbc': the lower rank is the rarer pair",
        encode("abcbc", [(97, 98), (98, 99)]),
        [256, 99, 257],
    )
    # a + bc is a token of three bytes, and rank 0 takes ab before it can come about
    expect.equal(
        "'abc': a token for all three bytes exists",
        encode("abc", [(97, 98), (98, 99), (97, 257)]),
        [256, 99],
    )
    merges = [(98, 99), (97, 98)]
    encode("abcab", merges)
    expect.unchanged("the caller's merges", [(98, 99), (97, 98)], merges)
    # 11 bytes in 5 tokens
    expect.close("ratio of 'aaabdaaabac'", compression_ratio("aaabdaaabac", paper), 2.2)
    # é is one character and two bytes: 2 bytes in 2 tokens
    expect.close("ratio of 'é', no merges", compression_ratio("é", []), 1.0)
    expect.close("ratio of 'éé', one merge", compression_ratio("éé", [(195, 169)]), 2.0)


@stage(reread='Stage 6, "By hand"')
def check_stage6(train_fast):
    """Replay over words: the best count at each step, no merge over a word's edge."""
    import re  # only here: the other stages do without it

    text = "low low low lower lowest newest newest widest widest low  é é\n\n"
    merges = train_fast(text, 14)
    expect.instance("14 merges", merges, list)
    words = [list(w.encode()) for w in re.findall(r" ?\S+|\s+", text)]
    for rank, pair in enumerate([tuple(p) for p in merges]):
        counts: dict = {}
        for word in words:
            for each, n in slow_pair_counts(word).items():
                counts[each] = counts.get(each, 0) + n
        best = max(counts.values(), default=0)
        expect.true(
            f"count of merge {rank} inside words",
            counts.get(pair, 0) == best,
            counts.get(pair, 0),
            f"{best}, the largest count at that step",
        )
        words = [slow_merge(word, pair, 256 + rank) for word in words]
    expect.equal("14 merges: how many", len(merges), 14)
    expect.equal("no merges asked for", train_fast(text, 0), [])
    expect.equal("no text", train_fast("", 3), [])
    # every word stands once, so the only pair that stands twice is inside 'aaa'
    expect.equal("'aaa b' allows one merge", train_fast("aaa b", 5), [(97, 97)])
    expect.equal("'ab ab ab', two merges at most", len(train_fast("ab ab ab", 9)), 2)
    expect.equal("the same answer twice", train_fast(text, 14), merges)
