"""The checks of lab 1. PyTorch is imported where a stage needs it: stages 4 and 5 do not."""

from __future__ import annotations

import numpy as np

from checks import expect
from checks.expect import stage
from checks.lab_1_two_tower import oracles
from checks.lab_1_two_tower.oracles import unit, wave
from checks.lab_1_two_tower.search import (
    check_codes,
    check_empty,
    check_many,
    copied,
    ids_of,
    same_tables,
    slow_search,
    tables_of,
)

WHERE = 'Stage 1, "Where rows start"'


def tensor(x):
    """A float32 tensor made afresh."""
    import torch

    return torch.tensor(np.asarray(x), dtype=torch.float32)


def filled(tower, scale):
    """The tower with numbers in it that do not depend on how it was made."""
    import torch

    at = 0
    with torch.no_grad():
        for parameter in tower.parameters():  # one wave that runs through them all
            numbers = wave(at + parameter.numel(), scale=scale)[at:]
            parameter.copy_(tensor(numbers).reshape(parameter.shape))
            at += parameter.numel()
    return tower


def table_of(tower, n_ids):
    """All numbers of the embedding table: what has a row or a column for each id."""
    weights = [p.detach() for p in tower.parameters()]
    tables = [p for p in weights if p.ndim == 2 and max(p.shape) in range(n_ids, n_ids + 9)]
    return np.concatenate([p.reshape(-1).numpy() for p in tables or weights])


def check_rows(Tower):
    """Shape, length and which id a row belongs to."""
    import torch

    # five ids of seven numbers: a table on its side gives five numbers, and no error
    expect.shape("ids [4, 0, 2] of 5, d = 7", Tower(5, 7)(torch.tensor([4, 0, 2])), (3, 7))
    tower = Tower(7, 5)
    expect.true("a Tower", isinstance(tower, torch.nn.Module), type(tower), "an nn.Module")
    expect.true(
        "what an optimizer finds in Tower(7, 5)",
        list(tower.parameters()),
        "no parameters",
        "at least the embedding table, as an nn.Embedding or an nn.Parameter",
    )
    filled(tower, 0.1)  # rows of about 0.16: shorter than 1, so that a cap at 1 is seen too
    ids = torch.tensor([4, 0, 6])
    out = tower(ids)
    expect.shape("ids [4, 0, 6], d = 5", out, (3, 5))
    expect.unchanged("the caller's ids", [4, 0, 6], ids.tolist())
    lengths = np.sqrt((out.detach().numpy() ** 2).sum(axis=1))
    expect.close("ids [4, 0, 6]: lengths of the rows", lengths, np.ones(3), 1e-4)
    longer = filled(Tower(7, 5), 3.0)(torch.tensor([2, 5])).detach().numpy()
    lengths = np.sqrt((longer**2).sum(axis=1))
    expect.close("a table of long rows: lengths of the rows", lengths, np.ones(2), 1e-4)
    expect.true(
        "the embeddings' dtype", out.is_floating_point(), str(out.dtype), "a floating point type"
    )
    expect.shape("a batch of one id, d = 5", tower(torch.tensor([3])), (1, 5))
    expect.shape("one id, and d = 1", Tower(2, 1)(torch.tensor([1])), (1, 1))
    expect.shape("the last id of 1201, d = 3", Tower(1201, 3)(torch.tensor([1200])), (1, 3))
    tower.eval()  # dropout, where somebody has some, is off
    out = tower(torch.tensor([4, 0, 6, 0, 1])).detach().numpy()
    expect.close("ids [4, 0, 6, 0, 1]: both rows of id 0", out[3], out[1], 1e-5)
    alone = tower(torch.tensor([6])).detach().numpy()
    expect.close("id 6 alone and in a batch", alone[0], out[2], 1e-5)
    fresh = Tower(7, 5).eval()(torch.arange(7)).detach().numpy()
    gap = np.abs(fresh[:, None] - fresh).sum(axis=2)[~np.eye(7, dtype=bool)].min()
    expect.true("ids 0 to 6", gap > 1e-4, "two ids with one row", "a row of its own for each id")


def check_gradients(Tower):
    """Every parameter receives a gradient, and every id can learn."""
    import torch

    tower = filled(Tower(7, 5), 0.3).eval()
    everyone = torch.arange(7)
    before = tower(everyone)
    frozen = sum(not p.requires_grad for p in tower.parameters())
    expect.equal("Tower(7, 5): parameters that are frozen", frozen, 0)
    case = "a loss on all 7 ids"
    expect.true(
        f"{case}: backward()",
        before.requires_grad,
        "a result cut off from the parameters",
        "a result that backward() can follow",
    )
    (before * tensor(wave(9, 5)[2:])).sum().backward()  # another direction than the rows have
    grads = [p.grad for p in tower.parameters()]
    sparse = sum(g is not None and g.is_sparse for g in grads)
    expect.equal(f"{case}: parameters with a sparse gradient, which Adam refuses", sparse, 0)
    dead = sum(g is None or not bool((g.abs() > 1e-7).any()) for g in grads)
    expect.equal(f"{case}: parameters without a gradient", dead, 0)
    expect.true(f"{case}: gradients", all(bool(g.isfinite().all()) for g in grads if g is not None),
                "NaN or inf", "finite numbers")  # fmt: skip
    with torch.no_grad():
        for p in tower.parameters():
            p -= 0.01 * (p.grad if p.grad is not None else 0)
    moved = (tower(everyone) - before).detach().abs().sum(dim=1)
    expect.equal(
        f"{case}, one step of descent: ids that stay", np.flatnonzero(moved.numpy() == 0), []
    )
    # lengths are 1 whatever the parameters are: only rounding is left of their gradient
    tower.zero_grad()
    (tower(everyone) ** 2).sum().backward()
    pull = max(float(g.abs().max()) for p in tower.parameters() if (g := p.grad) is not None)
    expect.true(
        "the gradient of the rows' lengths",
        pull < 0.01,
        "a pull on the parameters",
        "none, since every length is 1: the scaling takes part in the gradient",
    )


@stage(reread='Stage 1, "By hand"')
def check_stage1(Tower):
    """Unit rows, gradients, two towers apart, and where the rows start.

    The start is judged on 401 x 32 draws: the standard deviation of their sample standard
    deviation is 0.1 / sqrt(2 * 12832) = 0.0006 and that of their mean 0.0009. Bounds of 0.006
    are 9 and 6 of them: a right answer fails less than once in 10^8 runs. The share beyond two
    standard deviations is 0.0455 with a standard deviation of 0.0018: a bound of 0.012 is 6.
    """
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(20)
        check_rows(Tower)
        check_gradients(Tower)
        users, items = Tower(7, 5).eval(), Tower(7, 5).eval()
        ids = torch.arange(7)
        before = items(ids).detach().numpy()
        same = bool(np.allclose(users(ids).detach().numpy(), before))
        expect.true("two fresh towers", not same, "the same rows in both", "different rows")
        filled(users, 0.2)
        expect.close("the user tower learns: the item tower", items(ids), before, reread=WHERE)
        table = table_of(Tower(401, 32), 401)
        mean, spread = float(table.mean()), float(table.std())
        expect.true(
            "a fresh table, 401 ids and d = 32: standard deviation",
            abs(spread - 0.1) < 0.006,
            f"{spread:.2f}",
            "0.10, from N(0, 0.1²)",
            reread=WHERE,
        )
        expect.true(
            "a fresh table: mean",
            abs(mean) < 0.006,
            f"{mean:.2f}",
            "0.00, from N(0, 0.1²)",
            reread=WHERE,
        )
        beyond = float((np.abs(table) > 0.2).mean())
        expect.true(
            "a fresh table: share of the numbers beyond 0.2",
            abs(beyond - 0.0455) < 0.012,
            f"{beyond:.3f}",
            "0.046, from N(0, 0.1²)",
            reread=WHERE,
        )


@stage(reread='Stage 2, "By hand"')
def check_stage2(in_batch_loss):
    """ln B, two identities by hand, a lopsided batch against a loop, both gradients."""
    import torch

    got = in_batch_loss(torch.zeros(4, 3), torch.zeros(4, 3), 1.0)
    expect.instance("zero embeddings, B = 4", got, torch.Tensor)
    expect.close("zero embeddings, B = 4", got, 1.386294361, 1e-5)  # ln 4
    eye = torch.eye(2)
    # own item at 1 / tau, the other at 0: ln(1 + e^(-1 / tau))
    expect.close("u = v = I, temperature 1", in_batch_loss(eye, eye, 1.0), 0.313261688, 1e-5)
    why = 'Stage 2, "Why a temperature"'
    got = in_batch_loss(eye, eye, 0.5)
    expect.close("u = v = I, temperature 0.5", got, 0.126928011, 1e-5, reread=why)
    # lengths 2 and 3 are not scaled away: own item at 6, the other at 0
    got = in_batch_loss(2 * eye, 3 * eye, 2.0)
    expect.close("u = 2 I, v = 3 I, temperature 2", got, 0.048587352, 1e-5)  # ln(1 + e^-3)
    # own item at 0, the other at 1 / 0.02: ln(1 + e^50)
    got = in_batch_loss(eye, eye.flip(0), 0.02)
    expect.close("u = I, v = I turned round, temperature 0.02", got, 50.0, 1e-5, reread=why)
    # user 0 is undecided (0, 0); user 1 gives its own item 0 and the other 1
    u, v = tensor([[0, 0], [1, 0]]), tensor([[1, 0], [0, 1]])
    got = in_batch_loss(u, v, 1.0)
    expect.close("users (0, 0) and (1, 0), items I", got, 1.003204434, 1e-5)  # (ln 2 + ln(1+e)) / 2
    u_array, v_array = wave(3, 4), wave(4, 3).T.copy()
    for temperature in (0.7, 0.25):
        u, v = tensor(u_array).requires_grad_(), tensor(v_array).requires_grad_()
        case = f"B = 3, d = 4, temperature {temperature}"
        got = in_batch_loss(u, v, temperature)
        want = oracles.slow_loss(oracles.slow_logits(u_array, v_array, temperature))
        expect.close(case, got, want, 1e-5)
        expect.true(
            f"{case}: backward()",
            got.requires_grad,
            "a result cut off from u and v",
            "a tensor that backward() can follow",
        )
        got.backward()
        want_u, want_v = oracles.slow_gradients(u_array, v_array, temperature)
        for name, came, want in (("u", u.grad, want_u), ("v", v.grad, want_v)):
            came = torch.zeros(3, 4) if came is None else came
            expect.close(f"{case}: gradient of {name}", came, want, 1e-5)
        expect.unchanged("the caller's u", tensor(u_array), u)
        expect.unchanged("the caller's v", tensor(v_array), v)
    got = in_batch_loss(tensor(u_array[:1]), tensor(v_array[:1]), 0.3)
    expect.close("one pair, no negatives", got, 0.0, 1e-5)


@stage(reread='Stage 3, "By hand"')
def check_stage3(logq_correct):
    """Two columns by hand, a lopsided batch, the floor, the gradient, the caller's tensors."""
    import torch

    got = logq_correct(torch.zeros(2, 2), tensor([0.5, 0.25]))
    expect.instance("zero logits, q = (0.5, 0.25)", got, torch.Tensor)
    # -ln 0.5 = 0.693 in column 0, -ln 0.25 = 1.386 in column 1, in both rows
    want = [[0.693147181, 1.386294361]] * 2
    expect.close("zero logits, q = (0.5, 0.25)", got, want, 1e-5)
    logits_array, q_array = wave(3, 3, scale=4.0), np.array([0.3, 0.02, 0.6])
    logits, q = tensor(logits_array).requires_grad_(), tensor(q_array)
    got = logq_correct(logits, q)
    expect.close("B = 3, q = (0.3, 0.02, 0.6)", got, logits_array - np.log(q_array), 1e-5)
    silent = 'Stage 3, "Three silent mistakes"'
    # q = 1 for all: there is nothing to correct
    got_one = logq_correct(tensor(logits_array), torch.ones(3))
    expect.close("B = 3, q = 1 for every item", got_one, logits_array, 1e-5, reread=silent)
    floor = 'Stage 3, "The floor"'
    # ln 1e-6 = -13.815511; ln 2e-6 = -13.122363 stands above the floor, 1e-9 and 0 below
    want = [[13.815510558, 13.122363377, 13.815510558]] * 3
    got_floor = logq_correct(torch.zeros(3, 3), tensor([0.0, 2e-6, 1e-9]))
    expect.close("zero logits, q = (0, 2e-6, 1e-9)", got_floor, want, 1e-5, reread=floor)
    expect.true(
        "B = 3: backward()",
        got.requires_grad,
        "a result cut off from the logits",
        "a tensor that backward() can follow",
    )
    (got * tensor(wave(3, 3))).sum().backward()
    came = torch.zeros(3, 3) if logits.grad is None else logits.grad
    expect.close("B = 3: gradient of the logits", came, wave(3, 3), 1e-5)
    mine, q = tensor(logits_array), tensor([0.3, 0.0, 0.6])
    logq_correct(mine, q)
    expect.unchanged("the caller's logits", tensor(logits_array), mine)
    expect.unchanged("the caller's q", tensor([0.3, 0.0, 0.6]), q)


@stage(reread='Stage 4, "By hand"')
def check_stage4(recall_at_k, popularity):
    """One user by hand, then what the mean is over, ties, a large k, nobody; then counts."""
    one = np.array([[0.1, 0.9, 0.4, 0.7]])
    got = recall_at_k(one.copy(), [{0, 2, 3}], 2)
    expect.shape("scores (0.1, 0.9, 0.4, 0.7), relevant {0, 2, 3}, k = 2", got, ())
    # the best two are items 1 and 3: one of three
    expect.close("scores (0.1, 0.9, 0.4, 0.7), relevant {0, 2, 3}, k = 2", got, 1 / 3)
    expect.close("the same, k = 3", recall_at_k(one.copy(), [{0, 2, 3}], 3), 2 / 3)
    expect.close("the same, k = 1", recall_at_k(one.copy(), [{0, 2, 3}], 1), 0.0)
    expect.close("k = 9 of 4 items", recall_at_k(one.copy(), [{0, 2, 3}], 9), 1.0)
    expect.close("one relevant item, k = 3", recall_at_k(one.copy(), [{3}], 3), 1.0)
    # user 0 finds 1 of 1, user 1 finds 1 of 4: (1 + 1/4) / 2, where 2 of 5 would be 0.4
    two = np.array([[5.0, 4.0, 3.0, 2.0, 1.0], [1.0, 2.0, 3.0, 4.0, 5.0]])
    got = recall_at_k(two.copy(), [{1}, {0, 1, 2, 3}], 2)
    expect.close("1 of 1 and 1 of 4 found", got, 0.625)
    got = recall_at_k(np.vstack([two, two[:1]]), [{1}, set(), {2}], 2)
    expect.close("finds 1 of 1, has no relevant item, finds 0 of 1", got, 0.5)
    expect.close("nobody has a relevant item", recall_at_k(two.copy(), [set(), set()], 2), 0.0)
    expect.close("negative scores", recall_at_k(-two, [{4}, {0}], 1), 1.0)
    got = recall_at_k(np.array([[3.0, 7.0, 7.0, 7.0]]), [{1, 3}], 1)
    expect.close("scores (3, 7, 7, 7), relevant {1, 3}, k = 1", got, 0.5)
    close = np.array([[0.3, 0.3 + 1e-12, 0.1]])  # close is no tie
    expect.close("two scores a hair apart, k = 1", recall_at_k(close, [{1}], 1), 1.0)
    # scores 0, 1, 2 in turn: a hundred items score 2, and the lowest of their ids are 2, 5, 8
    levels = (np.arange(300) % 3).astype(float)[None]
    got = recall_at_k(levels.copy(), [{2, 5, 8}], 3)
    expect.close("300 items, three scores, ties to the lower id, k = 3", got, 1.0)
    scores, relevant = wave(6, 11), [{0, 3}, {10}, set(), {4, 5, 6, 7}, {1, 2, 9}, {8}]
    kept, own = scores.copy(), [set(r) for r in relevant]
    want = oracles.slow_recall(scores.tolist(), relevant, 4)
    expect.close("6 users, 11 items, k = 4", recall_at_k(kept, own, 4), want)
    expect.unchanged("the caller's scores", scores, kept)
    expect.true("the caller's sets", own == relevant, own, "as they were: work on a copy")
    check_popularity(popularity)


def check_popularity(popularity):
    """Counts, zeros for what never occurs, the caller's array."""
    baseline = 'Stage 4, "The baseline"'
    train = np.array([3, 0, 3, 5, 3, 0])
    got = popularity(train, 8)
    expect.shape("items (3, 0, 3, 5, 3, 0) of 8: counts", got, (8,), reread=baseline)
    expect.close("items (3, 0, 3, 5, 3, 0) of 8: counts", got, [2, 0, 0, 3, 0, 1, 0, 0],
                 reread=baseline)  # fmt: skip
    expect.unchanged("the caller's items", np.array([3, 0, 3, 5, 3, 0]), train, reread=baseline)
    got = popularity(np.array([6, 2, 6]), 7)
    expect.close("items (6, 2, 6) of 7", got, [0, 0, 1, 0, 0, 0, 2], reread=baseline)


@stage(reread='Stage 5, "By hand"')
def check_stage5(hash_codes, lsh_search):
    """Codes first; then a search in one table, in several, with too little found, with none."""
    check_codes(hash_codes)
    search = 'Stage 5, "Search"'
    # angles in degrees; the query stands at 80
    degrees = np.array([200, 85, 300, 10, 95, 45, 60, 170, 260])
    x = np.stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], axis=1)
    query = np.array([np.cos(np.radians(80)), np.sin(np.radians(80))])
    quadrants, turned = np.eye(2), unit(np.array([[1.0, 1.4], [1.0, -0.2]]))

    def ask(case, every_planes, k, q=query):
        """One search against the oracle, by ids and in their order."""
        tables = tables_of(hash_codes, x, every_planes)
        before = copied(tables)
        got = ids_of(case, lsh_search(q.copy(), x.copy(), tables, k))
        expect.equal(case, got, slow_search(q, x, every_planes, k), reread=search)
        same_tables(before, tables)

    # first quadrant: 85, 10, 45, 60 degrees are ids 1, 3, 5, 6; the nearest is 85, then 60
    ask("one table, the query's quadrant holds ids 1, 3, 5, 6; k = 2", [quadrants], 2)
    ask("the same, k = 7 of four found", [quadrants], 7)
    ask("two tables, k = 3", [turned, quadrants], 3)
    ask("two tables, every candidate", [quadrants, turned], 9)
    ask("two tables the other way round", [turned, quadrants], 9)
    south = np.array([np.cos(np.radians(280)), np.sin(np.radians(280))])
    ask("a query at 280 degrees, two tables, k = 4", [quadrants, turned], 4, south)
    check_empty(hash_codes, lsh_search, x, search)
    check_many(hash_codes, lsh_search, search)


@stage(reread='Stage 6, "By hand"')
def check_stage6(mask_accidental_hits):
    """Three pairs by hand, seven pairs against a loop, no repeat, the gradient, the loss."""
    import torch

    def seen(case, logits_array, items):
        """The softmax over what the mask leaves, against the loop."""
        logits = tensor(logits_array).requires_grad_()
        got = mask_accidental_hits(logits, torch.tensor(items))
        expect.instance(case, got, torch.Tensor)
        expect.shape(case, got, (len(items), len(items)))
        nothing = not bool(got.isnan().any())
        expect.true(f"{case}: NaN", nothing, got, "numbers, or minus infinity")
        want = oracles.slow_mask(logits_array, items)
        expect.close(f"{case}: softmax", got.softmax(dim=1), want, 1e-5)
        stay = want > 0
        left = got.detach().numpy()[stay]
        expect.close(f"{case}: the logits that stay", left, logits_array[stay], 1e-5)
        return logits, got

    # row 0 loses column 2, row 2 loses column 0, row 1 loses nothing
    seen("items (17, 5, 17), zero logits", np.zeros((3, 3)), [17, 5, 17])
    array, items = wave(7, 7, scale=6.0), [4, 9, 4, 2, 9, 4, 30]
    logits, got = seen("items (4, 9, 4, 2, 9, 4, 30)", array, items)
    expect.true(
        "seven pairs: backward()",
        got.requires_grad,
        "a result cut off from the logits",
        "a tensor that backward() can follow",
    )
    loss = -got.log_softmax(dim=1).diagonal().mean()
    loss.backward()
    came = torch.zeros(7, 7) if logits.grad is None else logits.grad
    want = (oracles.slow_mask(array, items) - np.eye(7)) / 7
    expect.close("seven pairs: gradient of the loss", came, want, 1e-5)
    expect.unchanged("the caller's logits", tensor(array), logits)
    seen("no item twice", wave(4, 4, scale=6.0), [8, 3, 1, 5])
    seen("all pairs hold item 0", wave(3, 3, scale=6.0), [0, 0, 0])
    # ids that float32 cannot tell apart
    seen("items (2^24 + 1, 2^24, 5)", wave(3, 3), [2**24 + 1, 2**24, 5])
    # a fill has to vanish beside logits of -48 too, as large as 1 / 0.02 makes them
    low = wave(3, 3, scale=3.0) - 48.0
    seen("items (6, 6, 1), logits near -48", low, [6, 6, 1])
    plain = tensor(array)
    mask_accidental_hits(plain, torch.tensor(items))
    expect.unchanged("the caller's own logits", tensor(array), plain)
