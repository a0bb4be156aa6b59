"""The checks of lab 3. Pure Python: nothing is imported that a stage does not need."""

from __future__ import annotations

from checks import expect
from checks.expect import stage

PAPER = b"aaabdaaabac"  # three merges leave five tokens, whichever way the ties fall
RHYME = b"the cat sat on the mat; the rat sat on the hat, that fat cat"
# two letters in runs of every length up to five: a pair's neighbours overlap with it
RUNS = b"aababbabaaabbbabbaaaababaaaabbabbbbaabaaaaabbaaabab"
# ' ab' comes first; then its ten tails tie, in words that differ only there
TIED = " ".join(f"ab{tail}" for tail in "cdefghijkl" * 2)


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
        if (rest[0], *rest[1:2]) == pair:
            out.append(new_id)
            del rest[:2]
        else:
            out.append(rest.pop(0))
    return out


def slow_encode(text, merges):
    """The oracle of encoding: a merge names older ids only, so one pass a rank is enough."""
    ids = list(text.encode("utf-8"))
    for rank, pair in enumerate(merges):
        ids = slow_merge(ids, pair, 256 + rank)
    return ids


@stage(reread='Stage 1, "By hand"')
def check_stage1(pair_counts):
    """A hand value, overlaps, order within a pair, the short lists, the caller's list."""
    # 5 6 5 6 7: (5,6) at 0 and 2, (6,5) at 1, (6,7) at 3
    first = pair_counts([5, 6, 5, 6, 7])
    expect.instance("pairs of [5, 6, 5, 6, 7]", first, dict)
    hand = {(5, 6): 2, (6, 5): 1, (6, 7): 1}
    expect.equal("pairs of [5, 6, 5, 6, 7]", first, hand)
    # 9 9 9 9 holds the pair (9, 9) at positions 0, 1 and 2
    expect.equal("four equal ids overlap", pair_counts([9, 9, 9, 9]), {(9, 9): 3})
    # (4, 4) at 0, 1 and 4
    got = pair_counts([4, 4, 4, 8, 4, 4])
    expect.equal("overlaps in two runs", got, {(4, 4): 3, (4, 8): 1, (8, 4): 1})
    expect.equal("two ids", pair_counts([3, 4]), {(3, 4): 1})
    expect.equal("ids above 255", pair_counts([300, 2, 300, 2]), {(300, 2): 2, (2, 300): 1})
    expect.equal("the id 0", pair_counts([0, 0, 5, 0]), {(0, 0): 1, (0, 5): 1, (5, 0): 1})
    expect.equal("301 equal ids", pair_counts([7] * 301), {(7, 7): 300})
    expect.equal("one id", pair_counts([7]), {})
    expect.equal("no ids", pair_counts([]), {})
    ids = list(PAPER)
    expect.equal("the bytes of 'aaabdaaabac'", pair_counts(ids), slow_pair_counts(PAPER))
    expect.unchanged("the caller's list", list(PAPER), ids)
    expect.equal("a second call", pair_counts([1, 2]), {(1, 2): 1})
    expect.equal("pairs of [5, 6, 5, 6, 7], after all these calls", first, hand)


@stage(reread='Stage 2, "By hand"')
def check_stage2(merge):
    """A hand value, overlaps from the left, near misses, the ends, a new list."""
    got = merge([1, 2, 3, 1, 2], (1, 2), 256)
    expect.instance("merge (1, 2) in [1, 2, 3, 1, 2]", got, list)
    expect.equal("merge (1, 2) in [1, 2, 3, 1, 2]", got, [256, 3, 256])
    # from the left: positions 0 and 1 are one pair, the third 7 is left over
    expect.equal("three equal ids", merge([7, 7, 7], (7, 7), 256), [256, 7])
    expect.equal("five equal ids", merge([7] * 5, (7, 7), 256), [256, 256, 7])
    expect.equal("three equal ids after another", merge([5, 7, 7, 7], (7, 7), 256), [5, 256, 7])
    expect.equal("the pair the other way round", merge([2, 1, 1, 3], (1, 2), 256), [2, 1, 1, 3])
    expect.equal("left twice, then right", merge([1, 1, 2, 2], (1, 2), 257), [1, 257, 2])
    expect.equal("left and right, apart", merge([1, 5, 2, 1], (1, 2), 257), [1, 5, 2, 1])
    # as text, '1, 2' stands in '11, 2' and in '1, 22'
    expect.equal("ids 11 and 22 beside 2 and 1", merge([11, 2, 1, 22], (1, 2), 9), [11, 2, 1, 22])
    # ids made anew: equal to those of the pair, and other objects
    big = [int(digits) for digits in ("300", "301", "300", "300", "301")]
    expect.equal("ids above 256", merge(big, (300, 301), 302), [302, 300, 302])
    expect.equal("a pair that falls", merge([3, 8, 3, 8], (8, 3), 256), [3, 256, 8])
    expect.equal("the id 0", merge([0, 0, 5, 0], (0, 5), 256), [0, 256, 0])
    expect.equal("one id", merge([4], (4, 4), 256), [4])
    expect.equal("no ids", merge([], (4, 4), 256), [])
    ids = [6, 8, 6, 8, 9]
    expect.equal("a pair in front", merge(ids, (6, 8), 300), [300, 300, 9])
    expect.unchanged("the caller's list", [6, 8, 6, 8, 9], ids)
    expect.equal("a pair that is not there", merge(ids, (1, 2), 300), [6, 8, 6, 8, 9])
    for case, given in (("a pair that is not there", ids), ("one id", [4]), ("no ids", [])):
        new = merge(given, (1, 2), 300) is not given
        expect.true(f"{case}: a new list", new, "the caller's own list", "a new list on every call")
    expect.equal("merge (1, 2) in [1, 2, 3, 1, 2], after all these calls", got, [256, 3, 256])


def list_of_tuples(case, merges):
    """The type that the contract names; `encode` looks the pairs up, so they must hash."""
    expect.instance(case, merges, list)
    odd = [pair for pair in merges if not (isinstance(pair, tuple) and len(pair) == 2)]
    expect.true(f"{case}: its items", not odd, odd[:1], "tuples (left, right)")


def replay(case, words, merges, asked):
    """Each merge had the largest count at its step, at least 2, and none was left out.

    One look for all of it, so that right ties that lead to more merges look alike.
    """
    list_of_tuples(case, merges)
    words = [list(word) for word in words]
    for rank in range(len(merges) + 1):
        counts: dict = {}
        for word in words:
            for pair, n in slow_pair_counts(word).items():
                counts[pair] = counts.get(pair, 0) + n
        best = max(counts.values(), default=0)
        if rank == len(merges) or rank == asked:
            break
        count = counts.get(merges[rank], 0)
        if count != best or best < 2:
            wanted = f"a pair that counts {best}" if best > 1 else "no merge: no pair counts 2"
            wrong = f"{case}: count of merge {rank}"
            expect.true(wrong, False, {merges[rank]: count}, wanted, free=True)
            return words
        words = [slow_merge(word, merges[rank], 256 + rank) for word in words]
    if len(merges) < asked and best >= 2:
        wanted = f"more of the {asked}: a pair counts {best} still"
        expect.true(f"{case}: how many", False, len(merges), wanted, free=True)
    else:
        few = len(merges) <= asked
        expect.true(f"{case}: how many", few, len(merges), f"{asked} at most", free=True)
    return words


def same_every_time(function, corpus, n_merges):
    """Ties fall alike on a second call, and in fresh Pythons with other hash seeds.

    Ten tails tie at every step: ties at random agree twice by luck once in 10! calls.
    """
    from checks.lab_3_bpe import seeds

    first = function(corpus, n_merges)
    again = function(corpus, n_merges)
    expect.true(
        "ten pairs tie: a second call", again == first, "other merges", "the same on every call"
    )
    others = seeds.answers(function, (corpus, n_merges))
    expect.true(
        "ten pairs tie: another run of Python",
        all(other == first for other in others),
        "other merges",
        "the same under any hash seed: walk no set of str or bytes",
    )


@stage(reread='Stage 3, "By hand"')
def check_stage3(train):
    """The hand example, the stop rule, ids of merged pairs, ties the same every time."""
    got = train(PAPER, 1)
    list_of_tuples("one merge on b'aaabdaaabac'", got)
    expect.equal("one merge on b'aaabdaaabac'", got, [(97, 97)])  # aa counts 4
    (ids,) = replay("three merges on b'aaabdaaabac'", [PAPER], train(PAPER, 3), 3)
    expect.equal("three merges on b'aaabdaaabac': tokens left", len(ids), 5)
    # aaa: the pair (a, a) counts 2; merged once it leaves two tokens, whose pair counts 1
    expect.equal("b'aaa' allows one merge", train(b"aaa", 9), [(97, 97)])
    # eight a: (a, a) counts 7; then four 256, and (256, 256) counts 3; then two 257
    expect.equal("eight times b'a'", train(b"a" * 8, 9), [(97, 97), (256, 256)])
    expect.equal("b'abcd', no pair twice", train(b"abcd", 4), [])
    expect.equal("no merges asked for", train(PAPER, 0), [])
    expect.equal("one byte", train(b"a", 4), [])
    expect.equal("nothing to read", train(b"", 4), [])
    # FF FE stands twice; neither byte can stand in UTF-8
    odd = b"\xff\xfe\x80\xff\xfe"
    expect.equal("bytes that are no text", train(odd, 5), [(255, 254)])
    # capitals, line ends, spaces at both ends: bytes like any others
    edges = b"\n \n AbabABab\nabAB ab \n \n"
    replay("capitals, line ends, spaces at the edges", [edges], train(edges, 99), 99)
    replay("twelve merges on a rhyme", [RHYME], train(RHYME, 12), 12)
    replay("as many merges as a rhyme allows", [RHYME], train(RHYME, 99), 99)
    other = RHYME[::-1]
    replay("the rhyme backwards", [other], train(other, 99), 99)
    replay("runs of a and b", [RUNS], train(RUNS, 99), 99)
    long = b" ".join(RHYME[at : at + 17] for at in range(0, 40, 3))
    replay("pieces of the rhyme, one after another", [long], train(long, 99), 99)
    same_every_time(train, TIED.encode(), 15)


@stage(reread='Stage 4, "By hand"')
def check_stage4(build_vocab, decode):
    """All 256 bytes, merged tokens in rank order, characters split over tokens, bad bytes."""
    every = bytes(range(256))
    bare = build_vocab([])
    expect.instance("no merges", bare, dict)
    expect.equal("no merges: entries", len(bare), 256)
    expect.equal("no merges: the 256 bytes", bare, {i: every[i : i + 1] for i in every})
    one = build_vocab([(104, 105)])
    expect.equal("merge (104, 105): entries", len(one), 257)
    same = {i: one.get(i) for i in every}
    expect.equal("merge (104, 105): the 256 bytes", same, {i: every[i : i + 1] for i in every})
    # 256 = h i, 257 = hi + !
    merges = [(104, 105), (256, 33)]
    vocab = build_vocab(merges)
    expect.unchanged("the caller's merges", [(104, 105), (256, 33)], merges)
    expect.equal("merges (104, 105), (256, 33): entries", len(vocab), 258)
    expect.equal("token 256", vocab.get(256), b"hi")
    expect.instance("token 256", vocab.get(256), bytes)
    expect.equal("token 257, built on 256", vocab.get(257), b"hi!")
    # 256 = C3 A9, 257 = ! + C3 A9, 258 = both; a part may stand left or right, or twice
    vocab = build_vocab([(195, 169), (33, 256), (257, 257)])
    expect.equal("token 258, twice 257", vocab.get(258), "!é!é".encode())
    # 256 = the first two bytes of €; 257 = a space and t
    vocab = build_vocab([(226, 130), (32, 116)])
    expect.equal("token 256, a part of a character", vocab.get(256), b"\xe2\x82")
    expect.equal("token 257, a space and t", vocab.get(257), b" t")
    # 256 = ab, 257 = bc, and abc in two ways
    vocab = build_vocab([(97, 98), (98, 99), (256, 99), (97, 257)])
    expect.equal("two tokens of the same bytes: entries", len(vocab), 260)
    expect.equal("two tokens of the same bytes: the second", vocab.get(259), b"abc")
    decode_tokens(decode, {**bare, 256: b"hi", 257: b"hi!", 258: b"\xa9\xe2\x82"})
    expect.equal("no merges, after all these: entries", len(build_vocab([])), 256)


def decode_tokens(decode, given):
    """Characters split over tokens, bytes that are no text, the edges, the caller's own."""
    kept, ids = dict(given), [257, 32, 256]
    expect.equal("decode [257, 32, 256]", decode(ids, given), "hi! hi")
    expect.unchanged("the caller's ids", [257, 32, 256], ids)
    expect.equal("decode nothing", decode([], given), "")
    # é is the two bytes C3 A9: neither is text on its own; nor is 258 without its neighbours
    expect.equal("one character in two tokens", decode([195, 169], given), "é")
    expect.equal("a token that begins and ends inside", decode([195, 258, 172, 33], given), "é€!")
    expect.equal("a byte that is no text", decode([104, 255, 105], given), "h\ufffdi")
    expect.equal("é in two tokens, then no text", decode([195, 169, 255], given), "é\ufffd")
    expect.equal("a character that is cut off at the end", decode([33, 226, 130], given), "!\ufffd")
    accent = [101, 204, 129]
    expect.equal("e and an accent, two characters", decode(accent, given), "e\u0301")
    # EF BB BF is U+FEFF, a character like any other once it is decoded
    edges = [32, 239, 187, 191, 256, 0, 13, 10]
    expect.equal("spaces at the edges, a byte 0", decode(edges, given), " \ufeffhi\0\r\n")
    marked = [239, 187, 191, 104]
    expect.equal("the mark EF BB BF in front", decode(marked, given), "\ufeffh")
    expect.unchanged("the caller's vocabulary", kept, given)


@stage(reread='Stage 5, "By hand"')
def check_stage5(encode, compression_ratio):
    """Rank before length, rank before frequency, bytes not characters, the ratio's unit."""
    got = encode("hé", [])
    expect.instance("no merges: the bytes of 'hé'", got, list)
    expect.equal("no merges: the bytes of 'hé'", got, [104, 195, 169])
    expect.equal("empty text", encode("", [(97, 98)]), [])
    expect.equal("'ab', one merge", encode("ab", [(97, 98)]), [256])
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
    encode_a_text(encode)
    check_the_ratio(compression_ratio, paper)


def encode_a_text(encode):
    """Overlaps, spaces, bytes of an emoji, merges that do not occur, the caller's merges."""
    expect.equal("'aaa': the left two", encode("aaa", [(97, 97)]), [256, 97])
    # 256 = a + space, 257 = that + b: nothing is cut at a space
    expect.equal("'a b': across a space", encode("a b", [(97, 32), (256, 98)]), [257])
    expect.equal("two lines: across a line end", encode("a\nb", [(97, 10), (256, 98)]), [257])
    expect.equal("'🙂', its first two bytes", encode("🙂", [(240, 159)]), [256, 153, 130])
    expect.equal("'no': no merge applies", encode("no", [(97, 98), (256, 99)]), [110, 111])
    expect.equal("'ab', rank 0 is elsewhere", encode("ab", [(99, 100), (97, 98)]), [257])
    expect.equal("a capital, edges", encode(" Ab\r\n", []), [32, 65, 98, 13, 10])
    # two ways to write é: one character, or e and an accent
    accents = [195, 169, 101, 204, 129]
    expect.equal("'é' twice, written in two ways", encode("\u00e9e\u0301", []), accents)
    # th, at, he, the, 'the ', zz, cat, sat, ' t': nested, absent, taken apart by others
    merges = [(116, 104), (97, 116), (104, 101), (256, 101), (259, 32), (122, 122), (99, 257)]
    merges += [(115, 257), (32, 116)]
    given = list(merges)
    text = f" {RHYME.decode()} — he hears The théâtre\n"
    expect.equal("a rhyme, nine merges", encode(text, given), slow_encode(text, merges))
    expect.unchanged("the caller's merges", merges, given)


def check_the_ratio(compression_ratio, paper):
    """UTF-8 bytes over tokens."""
    worth = 'Stage 5, "What it is worth"'
    # 11 bytes in 5 tokens
    got = compression_ratio("aaabdaaabac", paper)
    expect.close("ratio of 'aaabdaaabac'", got, 2.2, reread=worth)
    # 7 bytes, one of them a line end, in 3 tokens
    got = compression_ratio("abcabc\n", [(97, 98), (256, 99)])
    expect.close("ratio of 'abcabc' and a line end", got, 7 / 3, reread=worth)
    # these merges were learned elsewhere: 3 bytes in 2 tokens, a and bc
    got = compression_ratio("abc", [(98, 99), (97, 98)])
    expect.close("ratio of 'abc', merges (b, c) and (a, b)", got, 1.5, reread=worth)
    # é is one character and two bytes: 2 bytes in 2 tokens, 4 bytes in 2 tokens
    expect.close("ratio of 'é', no merges", compression_ratio("é", []), 1.0, reread=worth)
    got = compression_ratio("éé", [(195, 169)])
    expect.close("ratio of 'éé', one merge", got, 2.0, reread=worth)


def words_of(text):
    """The words of stage 6 in bytes."""
    import re  # only here: the other stages do without it

    return [word.encode() for word in re.findall(r" ?\S+|\s+", text)]


@stage(reread='Stage 6, "By hand"')
def check_stage6(train_fast):
    """Small texts by hand, replays over words, ties the same every time."""
    # every word stands once, so the only pair that counts 2 is inside 'aaa'
    got = train_fast("aaa b", 5)
    list_of_tuples("'aaa b'", got)
    expect.equal("'aaa b' allows one merge", got, [(97, 97)])
    # (a, b) counts 3; then the two words ' ab' hold (32, 256)
    expect.equal("'ab ab ab'", train_fast("ab ab ab", 9), [(97, 98), (32, 256)])
    expect.equal("'ab ab ab', one merge asked for", train_fast("ab ab ab", 1), [(97, 98)])
    expect.equal("no merges asked for", train_fast("ab ab ab", 0), [])
    expect.equal("no text", train_fast("", 3), [])
    expect.equal("one letter", train_fast("a", 3), [])
    # the words are a, ' b', ' a', ' b': a space goes with what follows it
    expect.equal(
        "'a b a b': a space belongs to the next word", train_fast("a b a b", 5), [(32, 98)]
    )
    # a, two spaces, b, two spaces, c
    expect.equal("'a  b  c': two spaces are a word", train_fast("a  b  c", 5), [(32, 32)])
    # x, two line ends, y, two line ends and a space, z
    expect.equal("line ends and a space", train_fast("x\n\ny\n\n z", 5), [(10, 10)])
    # two spaces before each b are a word of their own, and so are the line ends after it
    got = train_fast("  b  b\n\n", 5)
    expect.equal("two spaces and b, twice, then two line ends", got, [(32, 32)])
    # b, then two line ends twice: the last word counts, too
    expect.equal("line ends at the end", train_fast("\n\nb\n\n", 5), [(10, 10)])
    # C3 A9 counts 3; then ' é' twice
    expect.equal("'é é é': bytes", train_fast("é é é", 5), [(195, 169), (32, 256)])
    # C2 A0 is white space too: a, C2 A0, b, ' a', C2 A0, b
    expect.equal("a no-break space is a word", train_fast("a\xa0b a\xa0b", 5), [(194, 160)])
    texts = {
        "words with marks": "it's it's. so, so! it's",
        "words of a and b": " ".join(RUNS.decode()[at : at + 9] for at in range(0, 42, 4)),
        "overlaps in words": "aaaaa banana aaaa banana nanana aaaaa ananas bananana",
        "a text": "Low low Low lower lowest newest newest widest Widest low  new é é\n\n",
    }
    for case, text in texts.items():
        replay(f"{case}, as many as it allows", words_of(text), train_fast(text, 99), 99)
    replay("a text, 4 merges", words_of(text), train_fast(text, 4), 4)
    same_every_time(train_fast, TIED, 15)
