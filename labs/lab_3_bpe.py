# %% [markdown]
# # Lab 3 · BPE tokenizer
#
# **You build** byte-pair encoding: pair counting, the merge loop, a vocabulary,
# encode and decode, the compression ratio, and a trainer that is fast enough to use.
# **Concepts**: tokenization, why vocabulary size matters.
# **Pairs with**: Transformers · tokenization. **Time**: 2 to 3 hours.
#
# **Legend.** `ids` list of ints, 0..255 a byte, 256 and up a merge. `pair` two ids that
# stand side by side. *Rank*: a merge's place in the training order, from 0; the merge of
# rank $r$ makes the id $256 + r$.
#
# **The rule.** Read the stage, write the function, run its check. When it fails, re-read
# the explanation, not the solution. Compare with the solution only after a real attempt,
# then write yours again from memory the next day. Never read the solutions first:
# recognition feels like knowledge; only recall is.

# %%
import re
from collections import Counter, defaultdict

import matplotlib.pyplot as plt

from checks.lab_3_bpe import (
    check_stage1,
    check_stage2,
    check_stage3,
    check_stage4,
    check_stage5,
    check_stage6,
)

PAPER = b"aaabdaaabac"
SUBJECTS = ["the cache", "the model", "the reader", "a tokenizer", "the queue", "an index"]
VERBS = ["reads", "writes", "forgets", "compresses", "counts", "returns"]
OBJECTS = ["every byte", "the longest word", "nothing at all", "the same pair", "a new token"]
TEXT = ". ".join(
    f"{SUBJECTS[i * 7 % 6]} {VERBS[i * 5 % 6]} {OBJECTS[(i * i + i // 3) % 5]}" for i in range(120)
)

# %% [markdown]
# ## Stage 1 · Counting pairs
#
# A tokenizer trained by BPE asks one question again and again: which two neighbours
# stand together most often? The answer needs a count of every adjacent position.
#
# ### By hand
# `5 6 5 6 7` has four adjacent positions: (5,6), (6,5), (5,6), (6,7). Overlaps count:
# `9 9 9 9` holds (9,9) three times, although only two of them can be merged at once.

# %%
print(list(PAPER))
print(list(zip(PAPER, PAPER[1:])))


# %%
def pair_counts(ids):
    """How often each pair of neighbours stands in `ids`.

    ids      sequence of ints, any length
    returns  dict (left, right) -> count > 0; overlapping positions all count

    Fewer than two ids give an empty dict. `ids` is not changed.

    >>> pair_counts([5, 6, 5, 6, 7])
    {(5, 6): 2, (6, 5): 1, (6, 7): 1}
    """
    # TODO(you): stage 1, about 1 line.
    raise NotImplementedError("stage 1: pair_counts")


# %%
# Done? Uncomment, run, read what it says.
# check_stage1(pair_counts)

# %%
# Predict first: how steep is the fall from the first pair to the tenth?
top = Counter(pair_counts(list(TEXT.encode()))).most_common(20)
plt.bar([bytes(pair).decode() for pair, _ in top], [count for _, count in top])
plt.xlabel("pair of bytes")
plt.ylabel("count")
plt.show()

# %% [markdown]
# ## Stage 2 · Merging a pair
#
# One pass from left to right: where the pair stands, write the new id and step over both.
#
# ### By hand
# Merge (7,7) into 256 in `7 7 7`: positions 0 and 1 become 256, the third 7 has no partner
# left. The result is `256 7`. Read from the right it would be `7 256`, another token
# sequence for the same text, so every BPE implementation fixes the direction.

# %%
print([256 if pair == (97, 97) else pair for pair in zip(PAPER, PAPER[1:])])


# %%
def merge(ids, pair, new_id):
    """Replace `pair` by `new_id` in one pass from left to right.

    ids      list of ints
    pair     (left, right)
    new_id   int that does not occur in ids
    returns  a new list, also where nothing was merged; `ids` is not changed

    >>> merge([7, 7, 7], (7, 7), 256)
    [256, 7]
    """
    # TODO(you): stage 2, about 9 lines.
    raise NotImplementedError("stage 2: merge")


# %%
# Done? Uncomment, run, read what it says.
# check_stage2(merge)

# %%
# Predict first: the pair (e, space) stands often. What share of the length does one merge save?
before = list(TEXT.encode())
after = merge(before, (ord("e"), ord(" ")), 256)
plt.barh(["before", "after"], [len(before), len(after)])
plt.xlabel("length (tokens)")
plt.show()

# %% [markdown]
# ## Stage 3 · The merge loop
#
# Count, merge the most frequent pair, count again. A merge changes its neighbours' pairs,
# so counts from before it are stale. Training stops when no pair stands twice: such a
# merge would add a vocabulary entry and save one token in all.
#
# ### By hand
# `aaabdaaabac`: (a,a) stands 4 times, counting overlaps. After that merge, ab or a
# 256-a pair follows with count 2, and after three merges 5 tokens are left of 11.
# `aaa` allows one merge: (a,a) counts 2, then `256 a` counts 1.

# %%
print(len(PAPER), "bytes, 3 merges, 5 tokens:", 11 / 5, "bytes per token")


# %%
def train(data, n_merges):
    """The merges of BPE training, in rank order.

    data      bytes
    n_merges  int >= 0, the largest number of merges
    returns   list of pairs; the pair of rank r makes the id 256 + r

    Each merge has the largest count at its step, by `pair_counts`. Stops early when no
    pair counts 2. Ties: any of them, but the same on every call.
    """
    # TODO(you): stage 3, about 9 lines.
    raise NotImplementedError("stage 3: train")


# %%
# Done? Uncomment, run, read what it says.
# check_stage3(train)

# %%
# Predict first: does the hundredth merge save as much as the first?
ids, lengths = list(TEXT.encode()), []
for rank, pair in enumerate(train(TEXT.encode(), 100)):
    ids = merge(ids, pair, 256 + rank)
    lengths.append(len(ids))
plt.plot(lengths)
plt.xlabel("merges")
plt.ylabel("length (tokens)")
plt.show()

# %% [markdown]
# ## Stage 4 · Vocabulary and decoding
#
# A token is bytes, not text: `é` is C3 A9, and a token may hold one of the two. So decode
# joins the bytes first and reads them as UTF-8 once.
#
# ### By hand
# Merges (104,105), (256,33): token 256 is `hi`, token 257 is `hi!`. 258 entries in all.

# %%
print("é".encode(), bytes([195]).decode(errors="replace"))


# %%
def build_vocab(merges):
    """The bytes behind every id.

    merges   list of pairs in rank order, each of ids older than itself
    returns  dict int -> bytes with 256 + len(merges) entries
    """
    # TODO(you): stage 4, about 4 lines.
    raise NotImplementedError("stage 4: build_vocab")


# %%
def decode(ids, vocab):
    """The text of `ids`; bytes that are not UTF-8 become U+FFFD.

    ids      list of ints
    vocab    dict int -> bytes
    returns  str
    """
    # TODO(you): stage 4, about 1 line.
    raise NotImplementedError("stage 4: decode")


# %%
# Done? Uncomment, run, read what it says.
# check_stage4(build_vocab, decode)

# %%
# Predict first: how long, in bytes, is the longest token after 100 merges?
sizes = [len(token) for token in build_vocab(train(TEXT.encode(), 100)).values()]
plt.hist(sizes, bins=range(1, max(sizes) + 2))
plt.yscale("log")
plt.xlabel("length of a token (bytes)")
plt.ylabel("tokens")
plt.show()

# %% [markdown]
# ## Stage 5 · Encoding, and what it is worth
#
# New text is merged in *rank* order: of the pairs present, the one learned first. Longest
# match, leftmost first and most frequent first all decode back to the same text, so no
# round-trip test can see them; they give the model ids that it was not trained on.
#
# ### By hand
# Merges (b,c), (a,b), text `abc`: rank 0 takes `bc`, the pair (a,b) is gone: `97 256`.
# Compression ratio: UTF-8 bytes per token. `aaabdaaabac` after three merges: 11/5 = 2.2.

# %%
print({name: len(name.encode()) / len(name) for name in ("token", "naïve", "🙂🙂")})


# %%
def encode(text, merges):
    """The ids of `text`: the lowest rank first, until no merge applies.

    text     str
    merges   list of pairs in rank order
    returns  list of ints
    """
    # TODO(you): stage 5, about 9 lines.
    raise NotImplementedError("stage 5: encode")


# %%
def compression_ratio(text, merges):
    """UTF-8 bytes per token.

    text     str, not empty
    merges   list of pairs in rank order
    returns  float >= 1
    """
    # TODO(you): stage 5, about 1 line.
    raise NotImplementedError("stage 5: compression_ratio")


# %%
# Done? Uncomment, run, read what it says.
# check_stage5(encode, compression_ratio)

# %%
# Predict first: which of the three texts gains nothing from merges learned on English?
merges = train(TEXT.encode(), 160)
samples = {
    "English": TEXT[:400],
    "random letters": "".join(chr(97 + i * i * 31 % 26) for i in range(400)),
    "emoji": "🙂🙃" * 50,
}
vocab_sizes = [256 + n for n in (0, 20, 40, 80, 160)]
for name, sample in samples.items():
    plt.plot(vocab_sizes, [compression_ratio(sample, merges[: n - 256]) for n in vocab_sizes],
             marker="o", label=name)
    tokens = len(encode(sample, merges))
    print(f"{name:15} {len(sample) / tokens:.2f} characters per token")
plt.xlabel("vocabulary size (tokens)")
plt.ylabel("UTF-8 bytes per token")
plt.legend()
plt.show()

# %% [markdown]
# ## Stage 6 · Fast training (stretch)
#
# Real trainers split text into words first: a word that stands 1,000 times is merged once,
# with its count. A merge then touches only the words that hold the pair.
#
# ### By hand
# `aaa b` has the words `aaa` and ` b`. Only (a,a) counts 2, so there is one merge; no merge
# crosses the edge between two words.

# %%
print(Counter(re.findall(r" ?\S+|\s+", "low low lower")))


# %%
def train_fast(text, n_merges):
    """BPE training over words; no merge crosses two words.

    text      str; its words are re.findall(r" ?\\S+|\\s+", text)
    n_merges  int >= 0
    returns   list of pairs in rank order, as `train`; stops when no pair counts 2

    Ties: any of them, but the same on every call.
    """
    # TODO(you): stage 6, about 19 lines.
    raise NotImplementedError("stage 6: train_fast")


# %%
# Done? Uncomment, run, read what it says.
# check_stage6(train_fast)

# %%
# Predict first: how many times more positions does `train` look at?
words = re.findall(r" ?\S+|\s+", TEXT)
recount = 100 * len(TEXT.encode())
by_word = 100 * sum(len(word.encode()) for word in set(words))
plt.barh(["recount everything", "each word once"], [recount, by_word])
plt.xlabel("positions looked at in 100 merges")
plt.show()
print(len(train_fast(TEXT, 100)), "merges")

# %% [markdown]
# # What this toy leaves out
# Special tokens, the regular expressions that production tokenizers split by, a training
# corpus of gigabytes, and a trie or a heap in the encoder.
#
# # Interview questions that you can answer now
# - Why bytes and not characters? Why does a round-trip test not prove an encoder?
# - What does a larger vocabulary buy, and what does it cost in the embedding table?

# %% [markdown]
# # Solutions
# No peeking: write yours first, then compare, then write it again tomorrow.


# %%
def solution_pair_counts(ids):
    return Counter(zip(ids, ids[1:]))


# %%
def solution_merge(ids, pair, new_id):
    merged, at = [], 0
    while at < len(ids):
        if tuple(ids[at : at + 2]) == pair:
            merged.append(new_id)
            at += 2
        else:
            merged.append(ids[at])
            at += 1
    return merged


# %%
def solution_train(data, n_merges):
    ids, merges = list(data), []
    for _ in range(n_merges):
        counts = solution_pair_counts(ids)
        pair = max(counts, key=counts.get) if counts else None
        if pair is None or counts[pair] < 2:
            break
        ids = solution_merge(ids, pair, 256 + len(merges))
        merges.append(pair)
    return merges


# %%
def solution_build_vocab(merges):
    vocab = {i: bytes([i]) for i in range(256)}
    for new_id, (left, right) in enumerate(merges, 256):
        vocab[new_id] = vocab[left] + vocab[right]
    return vocab


# %%
def solution_decode(ids, vocab):
    return b"".join(vocab[i] for i in ids).decode("utf-8", errors="replace")


# %%
def solution_encode(text, merges):
    ranks = {pair: rank for rank, pair in enumerate(merges)}
    ids = list(text.encode("utf-8"))
    while len(ids) > 1:
        found = [pair for pair in zip(ids, ids[1:]) if pair in ranks]
        if not found:
            break
        pair = min(found, key=ranks.get)
        ids = solution_merge(ids, pair, 256 + ranks[pair])
    return ids


# %%
def solution_compression_ratio(text, merges):
    return len(text.encode("utf-8")) / len(solution_encode(text, merges))


# %%
def solution_train_fast(text, n_merges):
    words = Counter(re.findall(r" ?\S+|\s+", text))
    spelled = {word: list(word.encode("utf-8")) for word in words}
    counts, where, merges = Counter(), defaultdict(set), []

    def account(word, sign):
        for pair in zip(spelled[word], spelled[word][1:]):
            counts[pair] += sign * words[word]
            where[pair].add(word)

    for word in words:
        account(word, 1)
    while len(merges) < n_merges:
        pair = max(counts, key=lambda p: (counts[p], p), default=None)
        if pair is None or counts[pair] < 2:
            break
        for word in where.pop(pair):
            account(word, -1)
            spelled[word] = solution_merge(spelled[word], pair, 256 + len(merges))
            account(word, 1)
        merges.append(pair)
    return merges
