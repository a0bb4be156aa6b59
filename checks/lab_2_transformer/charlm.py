"""Stage 5: what a character model must do, from its shapes to its loss after training."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F

from checks import expect

DETS = ["the", "a", "one", "my"]
ADJS = ["small", "old", "quiet", "red", "brave", "hungry", "tall", "lazy"]
NOUNS = ["cat", "robot", "sailor", "poet", "horse", "owl", "baker", "child", "lion", "king"]
VERBS = ["sees", "follows", "finds", "paints", "helps", "hears", "draws", "fears"]
STEPS, CONTEXT, PEAK_RATE, CEILING = 250, 32, 6e-3, 0.75


def entropy():
    """Of the grammar, in nats per character: 12.92 nats over 29.925 characters."""

    def mean_length(words):
        return sum(map(len, words)) / len(words)

    nats = 2 * math.log(len(DETS)) + 2 * (math.log(2) + math.log(len(ADJS)) / 2)
    nats += 2 * math.log(len(NOUNS)) + math.log(len(VERBS))
    phrase = mean_length(DETS) + 1 + (mean_length(ADJS) + 1) / 2 + mean_length(NOUNS)
    return nats / (phrase + 1 + mean_length(VERBS) + 1 + phrase + len(". "))


def grammar_ids(rng, n_sentences):
    """A text of the grammar as ids; 26 different characters, numbered in their order."""

    def noun_phrase():
        adjective = [rng.choice(ADJS)] if rng.random() < 0.5 else []
        return [rng.choice(DETS), *adjective, rng.choice(NOUNS)]

    sentences = [[*noun_phrase(), rng.choice(VERBS), *noun_phrase()] for _ in range(n_sentences)]
    text = "".join(" ".join(sentence) + ". " for sentence in sentences)
    letters = sorted(set("".join([*DETS, *ADJS, *NOUNS, *VERBS, ". "])))
    number = {letter: i for i, letter in enumerate(letters)}
    return torch.tensor([number[letter] for letter in text]), len(letters)


def loud(CharLM, *sizes, seed=1):
    """A model whose every parameter matters: branches that start at zero would hide a leak."""
    torch.manual_seed(seed)
    model = CharLM(*sizes)
    torch.manual_seed(seed + 1)
    if isinstance(model, torch.nn.Module):
        with torch.no_grad():
            for part in model.parameters():
                if part.requires_grad:
                    part.add_(0.2 * torch.randn_like(part))
        model.eval()
    return model


def logits_of(model, ids):
    """What the model says, without a graph."""
    with torch.no_grad():
        return model(ids)


def moved(before, after, axis):
    """The rows along `axis` in which two logits differ by more than float32's noise."""
    apart = ~((after - before).abs() <= 1e-4 * (1 + before.abs().max()))
    return apart.movedim(axis, 0).flatten(1).any(dim=1).nonzero().flatten().tolist()


def leaves(tensor):
    """Every parameter that a result was computed from, registered or not."""
    found, seen, todo = [], set(), [tensor.grad_fn]
    while todo:
        step = todo.pop()
        if step is None or step in seen:
            continue
        seen.add(step)
        found += [step.variable] if hasattr(step, "variable") else []
        todo += [before for before, _ in step.next_functions]
    return found


def check(CharLM, next_char_loss, sample):
    """Everything cheap first. A model that fails there is not trained."""
    fine = shapes(CharLM) and perturbation(CharLM) and order_and_parts(CharLM)
    fine = loss(CharLM, next_char_loss) and fine
    fine = drawing(CharLM, sample) and fine
    if fine:
        training(CharLM, next_char_loss)


def shapes(CharLM):
    """Logits of every length up to the context, as numbers that are no probabilities."""
    model = loud(CharLM, 7, 16, 2, 2, 6)
    ok = expect.instance("CharLM(7, 16, 2, 2, 6)", model, torch.nn.Module)
    for B, T in [(3, 5), (1, 1), (2, 6)] if ok else []:
        logits = logits_of(model, torch.arange(B * T).reshape(B, T) % 7)
        case = f"logits of ids of shape ({B}, {T}), V = 7"
        ok = expect.instance(case, logits, torch.Tensor) and expect.shape(case, logits, (B, T, 7))
        if not ok:
            return False
    # as many ids and as long a context as asked for, whatever the lab's own text needs
    wide = logits_of(loud(CharLM, 40, 16, 2, 1, 48), torch.arange(96).reshape(2, 48) % 40)
    if not expect.shape("logits of ids of shape (2, 48), V = 40", wide, (2, 48, 40)):
        return False
    sums = logits.exp().sum(-1), logits.sum(-1)
    shares = bool((logits >= 0).all() and ((sums[1] - 1).abs() < 1e-4).all())
    what = "probabilities" if shares else "logits"
    return expect.equal("what the model returns", what, "logits", reread='Stage 5, "The loss"')


def perturbation(CharLM, sizes=(7, 16, 2, 2, 6)):
    """Change one id: its own row and all later ones move, no earlier one, no other sequence."""
    model, context = loud(CharLM, *sizes), sizes[-1]
    ids = torch.arange(3 * context).reshape(3, context) ** 2 % sizes[0]
    before, ok = logits_of(model, ids), True
    for t in range(context):
        changed = ids.clone()
        changed[1, t] = (changed[1, t] + 1) % sizes[0]
        after = logits_of(model, changed)
        if t == 0:
            others = [b for b in moved(before, after, 0) if b != 1]
            ok = expect.equal("one of three sequences changed: the others that moved", others, [])
        rows = moved(before[1:2], after[1:2], 1)
        case = f"perturbation test: id {t} of {context} changed, rows of logits that moved"
        ok = expect.equal(case, rows, list(range(t, context))) and ok
    same = not moved(before, logits_of(model.train(), ids), 1)
    case = "in training, without dropout: the same logits as in evaluation"
    return expect.equal(case, same, True) and ok


def order_and_parts(CharLM):
    """The order counts, a prefix is a prefix, each head and each layer has its own part."""
    by_hand = 'Stage 5, "By hand"'
    one = loud(CharLM, 7, 16, 2, 1, 6)
    first, second = [logits_of(one, torch.tensor([ids])) for ids in ([1, 2, 3], [2, 1, 3])]
    differs = 2 in moved(first, second, 1)
    case = "one layer, ids [1 2 3] and [2 1 3]: is the last row different"
    ok = expect.equal(case, differs, True, reread=by_hand)
    model = loud(CharLM, 7, 16, 2, 2, 6)
    ids = torch.tensor([[3, 1, 4, 1, 5, 2]])
    whole = logits_of(model, ids)
    lengths = [T for T in range(1, 6) if moved(whole[:, :T], logits_of(model, ids[:, :T]), 1)]
    case = "lengths T at which a prefix has other logits than the same rows of all 6 ids"
    ok = expect.equal(case, lengths, [], reread=by_hand) and ok
    # the same numbers in the same parameters: only the cut into heads can differ
    single, four = [logits_of(loud(CharLM, 7, 16, n_heads, 2, 6), ids) for n_heads in (1, 4)]
    differs = bool(moved(single, four, 1))
    case = "1 head and 4 heads: are the logits different"
    ok = expect.equal(case, differs, True, reread=by_hand) and ok
    logits = model(ids)
    case = "can the logits be differentiated"
    if not expect.true(case, logits.requires_grad, "no graph", "a graph"):
        return False
    known = {id(p) for p in model.parameters()}
    strays = any(id(leaf) not in known for leaf in leaves(logits))
    case = "does forward use parameters that model.parameters() does not list"
    ok = expect.equal(case, strays, False, reread=by_hand) and ok
    sizes = [sum(p.numel() for p in loud(CharLM, 7, 16, 2, n, 6).parameters()) for n in (1, 3)]
    case = "do 3 layers have more parameters than 1"
    ok = expect.equal(case, sizes[1] > sizes[0], True, reread=by_hand) and ok
    case = "does a second layer, all its parameters 0, leave the logits as they are"
    ok = expect.equal(case, residual(CharLM, ids), True, reread=by_hand) and ok
    deep = loud(CharLM, 7, 16, 2, 3, 6)  # three layers: one that is left out is not a half
    deep(ids).square().sum().backward()
    idle = sum(p.requires_grad and p.grad is None for p in deep.parameters())
    case = "three layers: parameters that take no part in forward"
    return expect.equal(case, int(idle), 0, reread=by_hand) and ok


def residual(CharLM, ids):
    """Whether a second layer of zeros leaves the logits of one layer as they are.

    Its parameters are those that a model of two layers has and a model of one has not;
    where a class keeps its layers otherwise, nothing can be said.
    """
    one, two = loud(CharLM, 7, 16, 2, 1, 6), loud(CharLM, 7, 16, 2, 2, 6)
    shared = dict(one.named_parameters())
    with torch.no_grad():
        for name, part in two.named_parameters():
            if name not in shared:
                part.zero_()
            elif part.shape == shared[name].shape:
                part.copy_(shared[name])
            else:
                return True
    return not moved(logits_of(one, ids), logits_of(two, ids), 1)


def puppet(CharLM, context, says):
    """A model of the learner's own class that says what it is told: ids (B, T) -> (B, T, V)."""

    def forward(self, ids):
        self.fed = tuple(ids.shape)
        return says(ids)

    return type("Puppet", (CharLM,), {"forward": forward})(3, 8, 2, 1, context)


def loss(CharLM, next_char_loss):
    """Uniform and lopsided models by hand, what the model is fed, a gradient."""
    reread = 'Stage 5, "The loss"'
    ids = torch.tensor([[0, 1, 2, 1, 0], [2, 2, 0, 1, 1]])
    model = puppet(CharLM, 4, lambda ids: torch.zeros(*ids.shape, 3))
    got = next_char_loss(model, ids)
    case = "loss of a model that knows nothing, V = 3"
    ok = expect.instance(case, got, torch.Tensor, reread=reread)
    if not ok:
        return False
    ok = expect.equal(
        "(B, T) that the model is fed of (2, 5) ids", model.fed, (2, 4), reread=reread
    )
    ok = expect.close(case, got, math.log(3), 1e-5, reread=reread) and ok  # ln V, float32
    # after id i, the logits are row i: probabilities (.1 .3 .6), (.5 .25 .25), (.2 .7 .1)
    shares = torch.tensor([[0.1, 0.3, 0.6], [0.5, 0.25, 0.25], [0.2, 0.7, 0.1]])
    table = torch.nn.Parameter(shares.log() + torch.tensor([[1.0], [-2.0], [3.0]]))
    got = next_char_loss(puppet(CharLM, 4, lambda ids: table[ids]), ids)
    # 0>1 .3, 1>2 .25, 2>1 .7, 1>0 .5; 2>2 .1, 2>0 .2, 0>1 .3, 1>1 .25
    answers = [0.3, 0.25, 0.7, 0.5, 0.1, 0.2, 0.3, 0.25]
    expected = -sum(map(math.log, answers)) / 8
    ok = expect.close("loss of a table of probabilities", got, expected, 1e-5, reread=reread) and ok
    if not expect.true(
        "does a gradient flow", got.requires_grad, "no graph", "a graph", reread=reread
    ):
        return False
    got.backward()
    felt = table.grad is not None and bool(table.grad.abs().max() > 1e-3)
    return expect.equal("does the gradient reach the model", felt, True, reread=reread) and ok


def drawing(CharLM, sample):
    """Certain models first: which ids are fed, which row is read. Then chance."""
    reread = 'Stage 5, "Sampling"'

    def running_sum(ids):  # certain that the next id is the sum of all it is fed, plus 1 for each
        return 50.0 * F.one_hot((ids + 1).cumsum(-1) % 3, 3).float()

    def by_hand(prompt, n, context):
        ids = list(prompt)
        for _ in range(n):
            ids.append(sum(i + 1 for i in ids[-context:]) % 3)
        return ids

    ok = True
    for prompt, n in [([1], 0), ([2, 0], 12), ([1], 3), ([0, 1, 1, 2, 0, 2, 2], 6)]:
        mine = list(prompt)
        got = sample(puppet(CharLM, 4, running_sum), mine, n, np.random.default_rng(0))
        case = f"context 4, prompt {prompt}, n = {n}, a model without doubt"
        expected = by_hand(prompt, n, 4)
        if not expect.shape(case, got, (len(expected),), reread=reread):
            return False
        ok = expect.equal(case, np.asarray(got).tolist(), expected, reread=reread) and ok
        ok = expect.unchanged("the caller's prompt", prompt, mine, reread=reread) and ok

    if not ok:
        return False
    # 6,000 draws: a share of .6 has a standard error of .0063, of .3 of .0059, of .1 of .0039;
    # a right answer strays by .035 (5.5 of them) from one of its shares once in 10^7 runs,
    # and a temperature of .8 moves the first by .055
    doubt = torch.tensor([0.6, 0.3, 0.1]).log()
    model = puppet(CharLM, 4, lambda ids: doubt.expand(*ids.shape, 3))
    got = np.asarray(sample(model, [0], 6000, np.random.default_rng(5)))[1:]
    shares = [float((got == i).mean()) for i in range(3)]
    near = max(abs(a - b) for a, b in zip(shares, (0.6, 0.3, 0.1))) < 0.035
    case = "shares of the ids 0, 1, 2 in 6,000 draws"
    ok = expect.true(case, near, shares, "[0.6, 0.3, 0.1] within .035", reread=reread) and ok
    # 1,500 draws of 30 equal ids: one of them is missing once in 10^20 runs
    even = puppet(CharLM, 4, lambda ids: torch.zeros(*ids.shape, 30))
    came = set(np.asarray(sample(even, [0], 1500, np.random.default_rng(6)))[1:].tolist())
    case = "30 equally likely ids: how many come in 1,500 draws"
    ok = expect.equal(case, len(came), 30, reread=reread) and ok
    texts = [list(sample(model, [0], 40, np.random.default_rng(seed))) for seed in (1, 1, 2)]
    same = expect.equal(
        "the same seed twice: the same text", texts[0] == texts[1], True, reread=reread
    )
    case = "two different seeds: the same text"
    # 40 draws agree by chance with probability .46^40, once in 10^13 runs
    return expect.equal(case, texts[0] == texts[2], False, reread=reread) and ok and same


def training(CharLM, next_char_loss):
    """Train on the grammar; the loss must end between its entropy and the ceiling."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # two are slower for a model this small
    try:
        model, unseen = trained(CharLM, next_char_loss)
    finally:
        torch.set_num_threads(threads)
    value = validation_loss(model, unseen)
    ends = f"{value:.3f} nats per character"
    case = f"validation loss after {STEPS} steps: not below the entropy of the text"
    floor = f"at least {entropy():.3f}: nobody can know more, so the answer leaks in"
    if expect.true(case, value >= entropy(), ends, floor):
        case = f"validation loss after {STEPS} steps"
        expect.true(case, value < CEILING, ends, f"less than {CEILING}")
    before = logits_of(model, unseen[:1, :CONTEXT])
    changed = unseen[:1, :CONTEXT].clone()
    changed[0, 20] = (changed[0, 20] + 1) % 26
    leaked = [t for t in moved(before, logits_of(model, changed), 1) if t < 20]
    case = "perturbation test, trained: id 20 of 32 changed, earlier rows that moved"
    expect.equal(case, leaked, [])


def trained(CharLM, next_char_loss):
    """A model after 250 one-cycle steps of Adam, and windows of a text that it has not seen."""
    rng = np.random.default_rng(0)
    text, vocab = grammar_ids(rng, 3000)
    unseen, _ = grammar_ids(rng, 700)
    torch.manual_seed(0)
    model = CharLM(vocab, 64, 4, 2, CONTEXT)
    model.train()
    optimizer = torch.optim.Adam(model.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=PEAK_RATE, total_steps=STEPS)
    window = torch.arange(CONTEXT + 1)
    for _ in range(STEPS):
        starts = torch.from_numpy(rng.integers(0, len(text) - CONTEXT - 1, size=16))
        value = next_char_loss(model, text[starts[:, None] + window])
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        schedule.step()
    starts = torch.arange(0, len(unseen) - CONTEXT - 1, 2 * CONTEXT)
    return model.eval(), unseen[starts[:, None] + window]


def validation_loss(model, windows):
    """By our own cross-entropy, not the learner's."""
    logits = logits_of(model, windows[:, :-1])
    return float(F.cross_entropy(logits.flatten(0, 1), windows[:, 1:].flatten()))
