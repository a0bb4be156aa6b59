# %% [markdown]
# # Lab 3 · BPE tokenizer
#
# **You build** byte-pair encoding from scratch: pair counting, the merge loop, a vocabulary,
# encode and decode, the compression ratio, and a trainer that is fast enough to use.
# **Concepts**: tokenization, why vocabulary size matters.
# **Pairs with**: Transformers · tokenization. **Time**: 2 to 3 hours.
#
# **Legend.** `ids` a list of ints: 0..255 is a byte, 256 and up is a merge.
# `pair` two ids that stand side by side, left one first. *Rank* a merge's place in the training
# order, from 0; the merge of rank $r$ makes id $256 + r$. $N$ bytes of text, $M$ merges, $V =
# 256 + M$ vocabulary entries, $d$ the width of an embedding.
#
# **The rule.** Read the stage, write the function, run its check. When it fails, re-read
# the explanation, not the solution. Compare with the solution only after a real attempt,
# then write yours again from memory the next day. Never read the solutions first:
# recognition feels like knowledge; only recall is.

# %%
import random
import re
from collections import Counter, defaultdict
from operator import length_hint
from time import perf_counter

import matplotlib.pyplot as plt

from checks.lab_3_bpe import (
    check_stage1,
    check_stage2,
    check_stage3,
    check_stage4,
    check_stage5,
    check_stage6,
)

PAPER = b"aaabdaaabac"          # small enough to merge with a pencil

# %% [markdown]
# ## The text that you train on
#
# Merges are learned from data, so there has to be some: 48 kB of English of a kind, told
# from the grammar below. A capital word is replaced by one of its own lines; early lines
# come more often, so a few words are common and many are rare, as in any language. Run the
# cell and go on: nothing here has to be learned.

# %%
GRAMMAR = {
    "TEXT": """CLAUSE. | CLAUSE, and CLAUSE. | When CLAUSE, CLAUSE. | CLAUSE, because CLAUSE.
        | CLAUSE; but CLAUSE. | "CLAUSE," said NAME. | "Why MAY THING VERB?" asked NAME.
        | If THING should VERB WHERE, I MAY VERB it. | It is not THING that makes us QUALITY.""",
    "CLAUSE": """THING VERBed | THING VERBed HOW | THING VERBed WHERE | WHO VERBed THING WHERE
        | WHO had never VERBed THING | THING seemed QUALITY | there were COUNT NOUNs WHERE
        | WHO MAY rather VERB than VERB | nobody WHERE knew which NOUN had VERBed
        | WHO thought that CLAUSE | THING VERBed whenever THING VERBed""",
    "THING": """the NOUN | the QUALITY NOUN | the NOUNs | my NOUN | his NOUN | every QUALITY NOUN
        | it | WHO | our NOUN | the NOUN of the NOUN | this NOUN | the NOUN WHERE | her NOUN""",
    "WHERE": """in THING | at the NOUN | near the NOUN | behind our NOUN | with THING
        | from the NOUN to the NOUN | between the NOUNs | under this NOUN
        | on the other side of the NOUN""",
    "WHO": "he | she | they | I | we | you | NAME",
    "NAME": "Anna | Mr Brook | the teacher | old Tom | Mary | the captain | Peter Hale | someone",
    "MAY": "would | should | could | might",
    "COUNT": "two | three | some | many | a hundred | no | only a few | more | 12 | 30 | 1900",
    "HOW": """slowly | again | too late | alone | carefully | quietly | early | often | for hours
        | at once | without a word | as well as before | in the morning | after all | forever
        | by accident | long ago | suddenly | almost exactly | for no reason | day and night""",
    "QUALITY": """old | small | long | cold | quiet | warm | narrow | bright | empty | heavy | dark
        | strange | green | wooden | broken | gentle | careful | ordinary | hungry | silver | thin
        | patient | careless | unexpected | beautiful | impossible | colder | older | young | final
        | simple | foreign | nervous | public | useful | wonderful | deep | private | loud | modern
        | happier | northern | unhappy | famous | golden | plain""",
    "VERB": """work | wait | turn | look | call | walk | open | watch | talk | answer | follow
        | start | return | listen | remember | wonder | help | finish | rest | climb | repair
        | gather | whisper | point | travel | laugh | wander | explain | mention | discover | count
        | paint | search | question | interest | develop | protect | long | collect | doubt | avoid
        | defend | visit | record | pick | disappear | publish | attack | print""",
    "NOUN": """house | river | morning | letter | road | friend | winter | garden | market | window
        | teacher | engine | village | boat | doctor | kitchen | summer | bridge | farmer | island
        | table | paper | station | forest | queue | driver | mountain | harbour | picture | idea
        | brother | machine | corner | candle | journey | shadow | number | sister | lantern | book
        | cupboard | orchard | painter | blanket | message | neighbour | valley | compass | king
        | stranger | chimney | ladder | question | government | problem | school | minute | animal
        | theatre | hospital | sentence | language | project | captain | dollar | newspaper
        | telephone | professor | argument | colour | event | sailor | mirror | passenger""",
}


def tell(rng, symbol="TEXT"):
    """One of the symbol's lines, the early ones more often, its own symbols told in turn."""
    lines = GRAMMAR[symbol].split("|")
    weights = [1 / (5 + place) for place in range(len(lines))]
    line = rng.choices(lines, weights)[0].strip()
    return re.sub("[A-Z]{3,}", lambda found: tell(rng, found[0]), line)


def story(rng, n_bytes):
    """Sentences, each with a capital, cut at `n_bytes`."""
    told = ""
    while len(told) < n_bytes:
        sentence = tell(rng)
        told += sentence[0].upper() + sentence[1:] + " "
    return told[:n_bytes]


TEXT = story(random.Random(3), 48_000)
UNSEEN = story(random.Random(4), 1_200)         # the same author, another day
ESSAY = """Nothing in this paragraph was written for the trainer. It speaks of tax forms, jazz
records and penguins, of proofs by induction and of last week's football scores. A tokenizer
meets text like it every day, and has to cut it up with what it learned from somebody else."""
print(f"{TEXT[:160]}...")
print(f"{len(TEXT.split()):,} words, {len(set(TEXT.split())):,} different ones")

# %% [markdown]
# ## Stage 1 · Counting pairs
#
# A model reads numbers, so text has to be cut into pieces from a fixed list. Characters are
# a poor list: Unicode has 150,000 of them, and a rare one would never be trained. Whole
# words are worse: the list never ends, and a word that is not on it cannot be read at all.
# BPE begins with the 256 bytes, which spell every text there is, and then asks one question
# again and again: *which two neighbours stand together most often?* Those two become one new
# entry of the list. So the first thing that it needs is a count of neighbours:
#
# $$c(a, b) = \#\{\,i : x_i = a,\ x_{i+1} = b\,\}$$
#
# The unit is positions. $n$ ids have $n - 1$ of them, so the counts add up to $n - 1$.
#
# ### By hand
# `5 6 5 6 7` has four adjacent positions: (5,6), (6,5), (5,6), (6,7). So (5,6) counts 2, and
# (6,5) is another pair than (5,6). Overlaps count: `9 9 9 9` holds (9,9) three times,
# although only two of them can be merged at once. `aaabdaaabac` is 11 bytes and 10
# positions; (a,a) stands at 4 of them, and no other pair at more than 2.

# %%
print([PAPER[at : at + 2] for at in range(len(PAPER) - 1)])
print("bytes.count finds", PAPER.count(b"aa"), "of the four: it steps over what it has found")


# %%
def pair_counts(ids):
    """How often each pair of neighbours stands in `ids`.

    ids      list of ints, any length
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
# Predict first: 256 bytes could form 65,536 pairs. How many does the text use, and what share
# of all its positions do the twenty most frequent hold?
counts = Counter(pair_counts(list(TEXT.encode())))
top = counts.most_common(20)
labels = [bytes(pair).decode().replace(" ", "␣") for pair, _ in top]

plt.figure(figsize=(9, 4))
plt.bar(labels, [count for _, count in top])
plt.xlabel("pair of bytes (␣ is a space)")
plt.ylabel("count (positions)")
plt.title("The twenty most frequent pairs in 48 kB")
plt.show()
share = sum(count for _, count in top) / counts.total()
print(f"{len(counts)} different pairs; the top twenty hold {share:.0%} of {counts.total():,}")

# %% [markdown]
# ## Stage 2 · Merging a pair
#
# Once the pair is chosen, every place where it stands becomes one id. One pass from left to
# right does it: where the pair stands, write the new id and step over both; elsewhere copy
# one id and step over one. The list gets shorter by one for each merge that was made, which
# is what the pair's count promised, unless the pair overlaps itself.
#
# ### By hand
# Merge (7,7) into 256 in `7 7 7`: positions 0 and 1 become 256, and the third 7 has no
# partner left. The result is `256 7`. Read from the right it would be `7 256`: another
# sequence for the same text, and the model has learned only one of them. So every BPE
# implementation fixes the direction, and it is left to right. (7,7) counts 2 here and saves
# one token; in a run of $n$ equal ids it counts $n - 1$ and saves $\lfloor n/2 \rfloor$.

# %%
run = [7] * 9
print(f"nine sevens: (7, 7) counts {len(run) - 1} and saves {len(run) // 2} tokens")


# %%
def merge(ids, pair, new_id):
    """Replace `pair` by `new_id` in one pass from left to right.

    ids      list of ints
    pair     tuple (left, right)
    new_id   int that does not occur in ids, nor in pair
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
# Predict first: a dot is a pair, and most dots lie on the line "saved as many as it counted".
# Which kind of pair falls below it, and how far below?
page = TEXT[:6000] + "\n" + "-" * 80 + "\n" + TEXT[6000:9000] + "\n" + "." * 30
ids = list(page.encode())
counts = Counter(pair_counts(ids))
found = [pair for pair, _ in counts.most_common(120)]
saved = [len(ids) - len(merge(ids, pair, 256)) for pair in found]

plt.plot([counts[pair] for pair in found], saved, "o", alpha=0.5)
plt.plot([0, 340], [0, 340], ":", color="gray", label="saved as many as it counted")
for pair, gain in zip(found, saved):
    if pair in [(45, 45), (46, 46), (104, 101)]:
        plt.annotate(f'"{bytes(pair).decode()}"', (counts[pair], gain), (8, -5),
                     textcoords="offset points")
plt.xlabel("count of the pair (positions)")
plt.ylabel("tokens saved by merging it")
plt.legend()
plt.show()

# %% [markdown]
# ## Stage 3 · The merge loop
#
# Training is a loop: count all pairs, merge the most frequent one, count again,
#
# $$(a, b)_r = \arg\max_{(a,b)} c_r(a, b), \qquad \text{which makes the id } 256 + r.$$
#
# *Again* is the word that matters: a merge changes the pairs around it. When `th` is merged,
# every (h,e) behind a t disappears and (th,e) is born, so counts from before are stale. That
# is how tokens grow: `th`, then `the`, then ` the `.
#
# The result is not a vocabulary but a *list in order*, the ranks, and the order is all that
# an encoder needs later. GPT-2's file holds 50,000 of them.
#
# ### By hand
# `aaabdaaabac`: (a,a) counts 4, overlaps included, and becomes 256. Now the text is
# `256 a b d 256 a b a c`, in which (256,a) and (a,b) both count 2. Take either: after three
# merges 5 tokens are left of 11. Which one you take is a *tie*, and any rule is right as long
# as it is a rule: two runs that break ties differently make two tokenizers, and a model
# trained with one reads noise from the other.
#
# Training stops when no pair counts 2, because such a merge would cost a vocabulary entry
# and save one token in the whole text. `aaa` allows one merge: (a,a) counts 2, then (256,a)
# counts 1.

# %%
merged_once = [256, 97, 98, 100, 256, 97, 98, 97, 99]       # 256 a b d 256 a b a c
print(len(PAPER), "bytes,", len(merged_once), "tokens; the next merge is a tie:")
print(Counter(zip(merged_once, merged_once[1:])).most_common(3))


# %%
def train(data, n_merges):
    """The merges of BPE training, in rank order.

    data      bytes, not necessarily text
    n_merges  int >= 0, the largest number of merges
    returns   list of tuples (left, right); the one of rank r makes the id 256 + r

    Each merge has the largest count at its step, by `pair_counts`. Stops early when no pair
    counts 2. Ties: any of them, but the same on every call and in every run of Python. (A
    set of str or of bytes is walked in an order that changes from run to run; a dict is not.)

    >>> train(b"aaa", 9)
    [(97, 97)]
    """
    # TODO(you): stage 3, about 9 lines.
    raise NotImplementedError("stage 3: train")


# %%
# Done? Uncomment, run, read what it says.
# check_stage3(train)

# %%
# Predict first: the first merge saves 1,715 tokens. What does the 100th save? (A second or
# two.)
merges = train(TEXT.encode(), 256)
ids, lengths = list(TEXT.encode()), [len(TEXT.encode())]
for rank, pair in enumerate(merges):
    ids = merge(ids, pair, 256 + rank)
    lengths.append(len(ids))
gains = [before - after for before, after in zip(lengths, lengths[1:])]

plt.loglog(range(1, len(gains) + 1), gains, ".")
plt.xlabel("merge, in training order (the first is 1)")
plt.ylabel("tokens saved")
plt.title("Each further vocabulary entry buys less")
plt.show()
print(f"merge 1 saves {gains[0]:,}, merge 10 {gains[9]:,}, merge 100 {gains[99]:,}")
print(f"{lengths[0]:,} bytes -> {lengths[64]:,} tokens after 64, {lengths[-1]:,} after 256 merges")

# %% [markdown]
# ## Stage 4 · Vocabulary and decoding
#
# The way back is short. An id below 256 is its byte; an id above is the bytes of its left
# part, then those of its right part, both of which are older. One pass over the merges in
# rank order spells all of them.
#
# The trap is that a token is *bytes*, not text. UTF-8 writes `é` as C3 A9, `€` as three bytes
# and an emoji as four, and a merge may cut between any of them. So decode joins all bytes
# first and reads the whole as UTF-8 once. A chat that streams tokens meets this each time it
# prints an emoji: it has to hold bytes back until the character is complete.
#
# A model may also emit ids whose bytes are no UTF-8 at all. `errors="replace"` puts the mark
# U+FFFD (�) there: a server must not crash because of a model's choice, and it should not
# hide what happened either.
#
# ### By hand
# Merges (104,105), (256,33): `h` is 104, `i` is 105, `!` is 33, so token 256 is `hi` and token
# 257 is `hi!`. The vocabulary has 256 + 2 = 258 entries, and `[257, 32, 256]` reads `hi! hi`.

# %%
print("é".encode().hex(" "), "|", bytes([195]).decode(errors="replace"), "|",
      bytes([195, 169]).decode(errors="replace"))


# %%
def build_vocab(merges):
    """The bytes behind every id.

    merges   list of pairs in rank order, each of ids older than itself; not changed
    returns  dict int -> bytes with 256 + len(merges) entries

    >>> build_vocab([(104, 105), (256, 33)])[257]
    b'hi!'
    """
    # TODO(you): stage 4, about 4 lines.
    raise NotImplementedError("stage 4: build_vocab")


# %%
def decode(ids, vocab):
    """The text of `ids`: all bytes joined, then read as UTF-8 with errors="replace".

    ids      list of ints, not changed
    vocab    dict int -> bytes, as from `build_vocab`
    returns  str

    >>> decode([195, 169, 255], build_vocab([]))
    'é\ufffd'
    """
    # TODO(you): stage 4, about 1 line.
    raise NotImplementedError("stage 4: decode")


# %%
# Done? Uncomment, run, read what it says.
# check_stage4(build_vocab, decode)

# %%
# Predict first: a merge can at most double the longest token. After 256 merges, how many bytes
# has the longest, and does it stop at the end of a word?
vocab = build_vocab(merges)
sizes = {token_id: len(token) for token_id, token in vocab.items() if token_id > 255}
longest = sorted(sizes, key=sizes.get, reverse=True)

plt.plot(sizes.keys(), sizes.values(), "o", alpha=0.5)
for token_id in [256, 261, *longest[:2]]:
    plt.annotate(repr(vocab[token_id].decode()), (token_id, sizes[token_id]), (-4, 7),
                 textcoords="offset points", ha="left" if token_id < 300 else "right")
plt.ylim(0, max(sizes.values()) + 2)
plt.xlabel("token id (256 is the first merge)")
plt.ylabel("length of the token (bytes)")
plt.show()
print("longest:", [decode([token_id], vocab) for token_id in longest[:6]])

# %% [markdown]
# ## Stage 5 · Encoding, and what it is worth
#
# New text is merged in *rank* order: of all pairs present, the one that was learned first is
# merged everywhere, until no pair has a rank. That replays the training, so the model meets
# the cuts that it was trained on. Longest token first, leftmost pair first and most frequent
# pair first look as good: each of them decodes to the same text, so no round-trip test can
# see the difference. Only the ids show it.
#
# ### By hand
# Merges (b,c), (a,b); text `abc`. Rank 0 takes `bc` and makes it 256; the pair (a,b) is gone.
# So `97 256`. Leftmost first would take `ab` and give `257 99`: the same text, other ids.
#
# ### What it is worth
# The *compression ratio* is UTF-8 bytes per token. `aaabdaaabac` after three merges: 11 bytes in
# 5 tokens, 2.2. With no merges it is 1, whatever the text. GPT-2 reaches somewhat more
# than 4 on English.
#
# $$\text{ratio} = \frac{\text{UTF-8 bytes}}{\text{tokens}} \qquad
# \text{fertility} = \frac{\text{tokens}}{\text{words}}$$
#
# ### Why vocabulary size matters
# **It buys sequence length.** Four bytes per token instead of one make a text 4 times shorter:
# a quarter of the KV cache, a quarter of the steps to generate it, and attention scores fall by
# $4^2 = 16$. Llama 3 went from 32,000 to 128,256 entries and from 3.17 to 3.94 characters per
# token on English: about a fifth fewer tokens for the same text.
#
# **It costs rows.** Each entry is a row of $d$ numbers in the embedding, and another in the
# output layer unless the two are tied. GPT-2 has 50,257 = 256 + 50,000 + 1 rows (the last one
# ends a document) of $d = 768$: 38.6 million parameters, 31% of the small model. The softmax
# runs over all of them at every step, and the rarest are hardly ever trained.
#
# **It is shared unevenly.** Merges go to what the corpus holds most of. A language that it
# hardly contains stays near one byte per token, pays for more tokens for the same sentence and
# fills the context sooner. So ask for fertility per language, never for the ratio alone: bytes
# per token flatter a script that needs three bytes for a letter.

# %%
for name, rows, d, tables, parameters in [("GPT-2 small", 50_257, 768, 1, 124e6),
                                          ("Llama 2 7B", 32_000, 4_096, 2, 6.74e9),
                                          ("Llama 3 8B", 128_256, 4_096, 2, 8.03e9)]:
    weights = rows * d * tables
    print(f"{name:12} {weights / 1e6:7,.1f} million in rows, {weights / parameters:4.0%} of all")


# %%
def encode(text, merges):
    """The ids of `text`: the lowest rank first, until no merge applies.

    text     str; its UTF-8 bytes are merged as a whole, across spaces too
    merges   list of pairs in rank order, no pair twice, each of ids older than itself;
             not changed
    returns  list of ints; empty for an empty text

    >>> encode("abc", [(98, 99), (97, 98)])
    [97, 256]
    """
    # TODO(you): stage 5, about 6 lines.
    raise NotImplementedError("stage 5: encode")


# %%
def compression_ratio(text, merges):
    """UTF-8 bytes per token.

    text     str, not empty
    merges   list of pairs in rank order
    returns  float >= 1

    >>> compression_ratio("aaabdaaabac", [(97, 97), (256, 97), (257, 98)])
    2.2
    """
    # TODO(you): stage 5, about 1 line.
    raise NotImplementedError("stage 5: compression_ratio")


# %%
# Done? Uncomment, run, read what it says.
# check_stage5(encode, compression_ratio)

# %%
# Predict first: which of the four texts gains nothing from merges learned on English, and why
# does the second plot put it lower still? (`merges` is what stage 3 has learned.)
rng = random.Random(5)
samples = {
    "English, same author": UNSEEN,
    "English, another author": ESSAY,
    "random letters": "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=400)),
    "emoji": "🙂🙃🚀🎈" * 60,
}
sizes = [256 + n for n in (0, 16, 32, 64, 128, 256)]
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), sharex=True, sharey=True)
for name, sample in samples.items():
    ratios = [compression_ratio(sample, merges[: size - 256]) for size in sizes]
    letters = [len(sample) / len(encode(sample, merges[: size - 256])) for size in sizes]
    left.plot(sizes, ratios, marker="o", label=name)
    right.plot(sizes, letters, marker="o", label=name)
    print(f"{name:24} {ratios[-1]:.2f} bytes per token, {letters[-1]:.2f} characters per token")
left.set_ylabel("UTF-8 bytes per token")
right.set_ylabel("characters per token")
for axes in (left, right):
    axes.set_xlabel("vocabulary size (entries)")
    axes.grid(alpha=0.3)
figure.legend(*left.get_legend_handles_labels(), loc="upper center", ncols=len(samples))
plt.show()

# %%
# Predict first: one sentence, six languages, merges learned on English. Which needs the fewest
# bytes, and which needs the fewest tokens?
sentences = {
    "English": "The water is cold and the night is long.",
    "German": "Das Wasser ist kalt und die Nacht ist lang.",
    "Russian": "Вода холодная, а ночь длинная.",
    "Greek": "Το νερό είναι κρύο και η νύχτα είναι μεγάλη.",
    "Hindi": "पानी ठंडा है और रात लंबी है।",
    "Chinese": "水很冷，夜很长。",
}
n_bytes = [len(sentence.encode()) for sentence in sentences.values()]
n_tokens = [len(encode(sentence, merges)) for sentence in sentences.values()]

plt.bar(list(sentences), n_bytes, color="lightgray", label="UTF-8 bytes (no merges)")
plt.bar(list(sentences), n_tokens, width=0.5, label="tokens (256 merges)")
plt.ylabel("length of the same sentence (bytes, tokens)")
plt.legend()
plt.show()
for (name, sentence), n in zip(sentences.items(), n_tokens):
    words = len(sentence.split())
    print(f"{name:8} {n:3} tokens, {n / n_tokens[0]:.1f} times English"
          + (f", fertility {n / words:.1f}" if words > 1 else ", no spaces to count words by"))

# %% [markdown]
# ## Stage 6 · Fast training (stretch)
#
# `train` reads all $N$ positions for each of $M$ merges, $O(N \cdot M)$. A gigabyte and 50,000
# merges are $5 \cdot 10^{13}$ positions: at this lab's pace, some 8 million a second, more than two
# months. Three ideas bring it down, and every production trainer has them.
#
# 1. **Cut into words first.** A merge may not cross the edge of a word, and a word keeps the
#    space in front of it: `low low` is `low` and `␣low`. This is also better: no entry is
#    spent on `. The␣` or on one phrase of the corpus.
# 2. **Keep each different word once, with its count.** Our text has 8,253 words, of which 899
#    are different. In a language their number grows roughly like the square root of the length
#    (Heaps' law), so the larger the corpus, the larger the gain.
# 3. **Count once, then mend.** Keep an index from each pair to the words that hold it. A merge
#    takes the pairs of those words out of the counts, merges them, and puts the new pairs
#    in. All other words stay untouched.
#
# ### By hand
# `aaa b` has the words `aaa` and ` b`. Only (a,a) counts 2, so there is one merge; (32,98)
# stands once. In `ab ab ab` the words are `ab` once and ` ab` twice: (a,b) counts 3. After that
# merge (32,256) counts 2; it is the last. ` ab` was merged once, not twice.

# %%
print(Counter(re.findall(r" ?\S+|\s+", "low low lower  lowest\n\n")))


# %%
def train_fast(text, n_merges):
    """BPE training over words; no merge crosses two words.

    text      str; its words are re.findall(r" ?\\S+|\\s+", text), spelled in UTF-8
    n_merges  int >= 0, the largest number of merges
    returns   list of tuples (left, right) in rank order, as `train`: each has the largest
              count at its step, over all words, and it stops when no pair counts 2

    Ties: any of them, but the same on every call and in every run of Python. (A set of
    words is walked in an order that changes from run to run; number the words instead.)

    >>> train_fast("aaa b", 5)
    [(97, 97)]
    """
    # TODO(you): stage 6, about 19 lines.
    raise NotImplementedError("stage 6: train_fast")


# %%
# Done? Uncomment, run, read what it says.
# check_stage6(train_fast)


# %% [markdown]
# ### Did it save anything?
# Seconds depend on the machine, so count the work as well. `pair_visits` runs a trainer and
# hands it versions of `pair_counts`, `merge` and `zip` that count the pairs they walk over.
# It sees your own code, as long as that reads pairs with one of the three; a `while` loop of
# your own inside a trainer is not seen, and a 0 says so.

# %%
def pair_visits(trainer, *args):
    """How many pairs of neighbours `trainer(*args)` reads through pair_counts, merge and zip."""
    space, visits, busy = trainer.__globals__, 0, False

    def counting(function, positions):
        def lent(*given, **named):
            nonlocal visits, busy
            if busy:                                # zip inside of pair_counts counts once
                return function(*given, **named)
            visits += max(0, positions([length_hint(a, 0) for a in (*given, *named.values())]))
            busy = function is not zip
            try:
                return function(*given, **named)
            finally:
                busy = False
        return lent

    readers = [name for name in space if name.endswith(("pair_counts", "merge"))]
    own = {name: space[name] for name in readers if callable(space[name])}
    try:
        for name, function in own.items():
            space[name] = counting(function, lambda sizes: sizes[0] - 1)
        space["zip"] = counting(zip, lambda sizes: min(sizes, default=0))
        trainer(*args)
    finally:
        space.update(own)
        space.pop("zip", None)
    return visits


# %%
# Predict first: ten times the merges cost `train` ten times the reading. And `train_fast`?
# (Several seconds.)
steps = [4, 16, 64, 256]
trainers = {
    "recount everything": (train, TEXT.encode()),
    "words, counts mended": (train_fast, TEXT),
}
for name, (trainer, corpus) in trainers.items():
    visits = [pair_visits(trainer, corpus, n) for n in steps]
    begin = perf_counter()
    trainer(corpus, steps[-1])
    seconds = perf_counter() - begin
    plt.loglog(steps, visits, marker="o", label=f"{name} ({seconds:.2f} s)")
    seen = f"{visits[-1]:,} pairs read" if visits[-1] else "nothing was counted: a loop of its own"
    print(f"{name:21} {seen}, {seconds:.2f} s for {steps[-1]} merges")
plt.xticks(steps, steps)
plt.minorticks_off()
plt.xlabel("merges")
plt.ylabel("pairs read while training")
plt.legend()
plt.show()

# %% [markdown]
# # What this toy leaves out
# - **A better cut into words.** GPT-2 splits by a regular expression that keeps letters, digits
#   and punctuation apart, so that `dog`, `dog.` and `dog!` share a token; GPT-4's cuts numbers
#   into groups of at most three digits. Where the cut lies decides what can be merged at all.
# - **Special tokens** such as the end of a document. They are matched before BPE and must never
#   come out of a user's text, or a user can forge the end of a prompt.
# - **Speed of encoding.** Ours looks at all positions for each merge, $O(N \cdot M)$ at worst.
#   In production each word is encoded once and cached, and a heap makes a long word
#   $O(n \log n)$.
# - **A corpus of gigabytes**, counted in parallel, with a heap for the largest count.
# - **Other trainers.** Unigram (SentencePiece) starts large and prunes; BPE-dropout skips
#   merges at random, so that the model sees several cuts of a word.
# - **Entries that are never trained.** Tokenizer and model often see different data. A token
#   that the model's data lacks keeps its random row, and a prompt that holds it gives nonsense
#   (` SolidGoldMagikarp`, a user name, was GPT-2's).
#
# # Interview questions that you can answer now
# - *Why bytes and not characters?* 256 entries spell every text, so nothing is ever unknown;
#   150,000 characters would need as many rows before the first merge.
# - *What does a larger vocabulary buy, and what does it cost?* Shorter sequences (Llama 3: 3.17
#   to 3.94 characters per token), so less KV cache, fewer steps, attention down with the
#   square. It costs $V \cdot d$ parameters a table (GPT-2: 38.6 million, 31% of the small
#   model), a softmax over $V$, and rows that are rarely trained.
# - *Two encoders both pass a round-trip test. Are they the same?* No. Longest match, leftmost
#   first and rank order all decode to the same text; compare ids. The model knows only the ids
#   of rank order.
# - *Why does the order of merges matter?* It is the tokenizer: the vocabulary follows from it,
#   and encode replays it. `abc` with (b,c) before (a,b) is `97 256`, the other way round it is
#   `256 99`.
# - *Why is the same prompt dearer in Hindi than in English?* The corpus held little of it, so
#   few merges apply: our merges need 16 tokens for the English sentence and 72 for the Hindi
#   one, which is one a byte.
# - *How would you train on a gigabyte?* Words with counts, an index from pairs to words, counts
#   mended and not recounted; here about 180 times fewer pairs read, and 40 times faster.
# - *Why can a model not spell, or count the letters of a word?* It never sees letters: ` the␣`
#   is one id, and what it is made of is known only from data that happens to say so.
# - *What breaks if tokens are decoded one by one?* Characters of more than one byte: `é` in two
#   tokens prints two U+FFFD. A stream has to hold back bytes until a character is complete.

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
    for new_id in range(256, 256 + n_merges):
        counts = solution_pair_counts(ids)
        pair = max(counts, key=counts.get, default=None)
        if not counts or counts[pair] < 2:
            break
        ids = solution_merge(ids, pair, new_id)
        merges.append(pair)
    return merges


# %%
def solution_build_vocab(merges):
    vocab = {byte: bytes([byte]) for byte in range(256)}
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
    while found := [pair for pair in zip(ids, ids[1:]) if pair in ranks]:
        pair = min(found, key=ranks.get)
        ids = solution_merge(ids, pair, 256 + ranks[pair])
    return ids


# %%
def solution_compression_ratio(text, merges):
    return len(text.encode("utf-8")) / len(solution_encode(text, merges))


# %%
def solution_train_fast(text, n_merges):
    found = Counter(re.findall(r" ?\S+|\s+", text))
    words, times = [list(word.encode("utf-8")) for word in found], list(found.values())
    counts, where, merges = Counter(), defaultdict(set), []

    def account(at, sign):
        for pair in zip(words[at], words[at][1:]):
            counts[pair] += sign * times[at]
            where[pair].add(at)

    for at in range(len(words)):
        account(at, 1)
    for new_id in range(256, 256 + n_merges):
        pair = max(counts, key=counts.get, default=None)
        if counts[pair] < 2:        # a Counter: 0 where there is no pair at all
            break
        for at in where.pop(pair):  # only the words that hold the pair
            account(at, -1)
            words[at] = solution_merge(words[at], pair, new_id)
            account(at, 1)
        merges.append(pair)
    return merges
