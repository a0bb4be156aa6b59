"""Lab 3 against oracles that nobody here wrote, or wrote afresh, and the numbers in its prose."""

import os
import random
import re
import subprocess
import sys
from collections import Counter

import pytest
import tiktoken

from checks.lab_3_bpe import seeds, stages
from checks.runner.lab import Lab, find
from checks.runner.workbench import Workbench

LAB = Lab(find("3"))
NAMES = ["pair_counts", "merge", "train", "build_vocab", "decode", "encode", "compression_ratio"]
NAMES = [f"solution_{name}" for name in [*NAMES, "train_fast"]]
SPACE = Workbench(LAB).build([*NAMES, "story", "TEXT", "UNSEEN", "ESSAY", "pair_visits", "GRAMMAR"])
TEXT, ESSAY, UNSEEN = SPACE["TEXT"], SPACE["ESSAY"], SPACE["UNSEEN"]
SAMPLES = [
    ESSAY,
    UNSEEN,
    TEXT[900:1400],
    "naïve café, 水很冷 🙂🙃",
    "",
    "a",
    " \r\n\t ",
    "aaaaaaa",
    "\0",
]


def solution(name):
    return SPACE[f"solution_{name}"]


@pytest.fixture(scope="module")
def merges():
    return solution("train")(TEXT.encode(), 256)


def tiktoken_of(merges, pattern=r"(?s).+"):
    ranks = {token: number for number, token in solution("build_vocab")(merges).items()}
    return tiktoken.Encoding("ours", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})


def test_encode_gives_the_ids_of_tiktoken(merges):
    oracle = tiktoken_of(merges)
    for sample in SAMPLES:
        assert solution("encode")(sample, merges) == oracle.encode(sample)


def test_decode_and_ratio_agree_with_tiktoken(merges):
    oracle, vocab = tiktoken_of(merges), solution("build_vocab")(merges)
    rng = random.Random(9)
    for _ in range(50):
        ids = rng.choices(range(512), k=9)  # most of them no UTF-8
        assert solution("decode")(ids, vocab) == oracle.decode(ids)
    tokens = len(oracle.encode(ESSAY))
    assert solution("compression_ratio")(ESSAY, merges) == len(ESSAY.encode()) / tokens


def test_each_sample_comes_back_from_its_ids(merges):
    vocab = solution("build_vocab")(merges)
    for sample in SAMPLES:
        assert solution("decode")(solution("encode")(sample, merges), vocab) == sample


def test_words_encoded_alone_agree_with_tiktoken_split_alike():
    merges = solution("train_fast")(TEXT, 200)
    oracle = tiktoken_of(merges, r" ?\S+|\s+")
    for sample in SAMPLES:
        words = re.findall(r" ?\S+|\s+", sample)
        ours = [n for word in words for n in solution("encode")(word, merges)]
        assert ours == oracle.encode(sample)


def first_most_frequent(words, n_merges):
    """Training in byte strings, without ids: ties to the pair that is met first."""
    words = [[bytes([b]) for b in word] for word in words]
    learned = []
    while len(learned) < n_merges:
        seen = Counter((w[i], w[i + 1]) for w in words for i in range(len(w) - 1))
        pair, count = max(seen.items(), key=lambda item: item[1], default=(None, 0))
        if count < 2:
            break
        learned.append(pair)
        for word in words:
            at = 0
            while at + 1 < len(word):
                if (word[at], word[at + 1]) == pair:
                    word[at : at + 2] = [pair[0] + pair[1]]
                at += 1
    return learned


def test_train_makes_the_tokens_of_a_trainer_that_knows_no_ids():
    # Two ids may spell the same bytes, and this trainer cannot tell them apart: the seed's
    # text makes no such pair in its first 90 merges.
    data = SPACE["story"](random.Random(1), 2_000).encode()
    merges = solution("train")(data, 90)
    vocab = solution("build_vocab")(merges)
    assert len(set(vocab.values())) == len(vocab)
    assert [(vocab[a], vocab[b]) for a, b in merges] == first_most_frequent([data], 90)


@pytest.mark.parametrize("seed", range(20))
def test_both_trainers_replay_on_random_texts(seed):
    rng = random.Random(seed)
    text = "".join(rng.choices("ab \n", [5, 4, 2, 1], k=60))
    data = text.encode()
    stages.replay("random", [data], solution("train")(data, 99), 99)
    stages.replay("random words", stages.words_of(text), solution("train_fast")(text, 99), 99)


def test_the_solutions_give_the_same_under_any_hash_seed():
    for name, corpus in [("train", TEXT[:3000].encode()), ("train_fast", TEXT)]:
        here = solution(name)(corpus, 40)
        there = seeds.answers(solution(name), (corpus, 40), seeds=("0", "1", "2", "3"))
        assert there == [here] * 4


HOSTILE = r"""
import re
from collections import Counter

def by_set(text, n):
    found = sorted(Counter(set(text.split())).items(), key=lambda item: item[1])
    return [(len(word), ord(word[-1])) for word, _ in found[:n]]

def by_order(text, n, /, *, scale=1):
    print("noise on stdout")
    return [(ord(word[-1]) * scale, 0) for word in WORD.findall(text)[:n]]

def closed():
    kept = []
    return lambda text, n: kept

WORD = re.compile(r"\S+")
"""


def test_seeds_are_told_apart_and_what_cannot_travel_is_not_asked():
    space = {"__name__": "elsewhere"}
    exec(HOSTILE, space)
    one, two = seeds.answers(space["by_set"], (stages.TIED, 8))
    assert one != two
    assert seeds.answers(space["by_order"], (stages.TIED, 3)) == [[(99, 0), (100, 0), (101, 0)]] * 2
    assert seeds.answers(space["closed"](), (stages.TIED, 3)) == []
    assert seeds.answers(print, (stages.TIED, 3)) == []


def test_stage_1_is_judged_without_re_and_without_other_packages():
    code = (
        "import sys; from checks.lab_3_bpe import stages; from collections import Counter;"
        "before = set(sys.modules); stages.check_stage1(lambda ids: Counter(zip(ids, ids[1:])));"
        "print(sorted(m for m in sys.modules if m in ('re', 'numpy', 'torch', 'subprocess')"
        " or m.startswith('checks.lab_3_bpe.se')))"
    )
    env = {**os.environ, "PYTHONPATH": "."}
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stdout


def test_a_gain_shrinks_and_a_stranger_gains_less(merges):
    ratio = solution("compression_ratio")
    assert f"{ratio(UNSEEN, merges):.1f} {ratio(ESSAY, merges):.1f}" == "3.0 1.7"
    assert ratio("🙂🙃🚀🎈", merges) == 1.0
    english, hindi = "The water is cold and the night is long.", "पानी ठंडा है और रात लंबी है।"
    counts = [len(solution("encode")(text, merges)) for text in (english, hindi)]
    assert counts == [16, 72] and len(hindi.encode()) == 72
    assert "need 16 tokens for the English sentence and 72 for the Hindi" in prose()


def prose():
    return " ".join(line.lstrip("# ") for line in LAB.lines)


def test_the_numbers_in_the_prose_are_those_of_the_text(merges):
    words = TEXT.split()
    assert f"{len(words):,} words, of which {len(set(words))} are different" in prose()
    counts = solution("pair_counts")(list(TEXT.encode()))
    assert f"the first merge saves {max(counts.values()):,} tokens" in prose()
    rows = 50_257 * 768
    assert round(rows / 1e6, 1) == 38.6 and round(rows / 124e6, 2) == 0.31


def test_pair_visits_counts_both_trainers_and_puts_everything_back(merges):
    space = dict(SPACE)
    visits = SPACE["pair_visits"]
    slow = visits(solution("train"), TEXT.encode(), 64)
    fast = visits(solution("train_fast"), TEXT, 64)
    assert "zip" not in SPACE and space == SPACE
    assert visits(solution("train"), b"abab", 0) == 0
    # abab: 3 pairs to count, 3 to merge; then one pair (256, 256), which counts 1
    assert visits(solution("train"), b"abab", 9) == 3 + 3 + 1
    assert slow > 60 * fast


def test_pair_visits_sees_a_learners_own_loop_over_zip_and_says_0_for_others():
    space = {"pair_visits": None}
    source = LAB.source(LAB.definition("pair_visits"))
    learner = """
from operator import length_hint
def train(ids, n):
    return [pair for _ in range(n) for pair in zip(ids, ids[1:])]
def indexed(ids, n):
    return [(ids[i], ids[i + 1]) for i in range(len(ids) - 1)]
def breaks(ids, n):
    raise KeyError(n)
"""
    exec(source + learner, space)
    assert space["pair_visits"](space["train"], [1, 2, 3, 4], 2) == 6
    assert space["pair_visits"](space["indexed"], [1, 2, 3], 1) == 0
    with pytest.raises(KeyError):
        space["pair_visits"](space["breaks"], [1], 1)
    assert "zip" not in space
