"""Right but unusual answers pass: refusing one is as bad as passing a wrong one."""

import pytest

from checks.runner import report, sandbox, stub
from checks.runner.judge import Judge
from checks.runner.lab import Lab, find
from checks.runner.verdict import PASSED

RIGHT = {
    "pair_counts": [
        "def pair_counts(ids):\n    from itertools import pairwise\n    return Counter(pairwise(ids))",
        "def pair_counts(ids):\n    out = defaultdict(int)\n    for i in range(1, len(ids)):\n"
        "        out[ids[i - 1], ids[i]] += 1\n    return out",
        "def pair_counts(ids):\n    pairs = [(a, b) for a, b in zip(ids, ids[1:])]\n"
        "    return {p: pairs.count(p) for p in pairs}",
    ],
    "merge": [
        "def merge(ids, pair, new_id):\n    out = []\n    for i in ids:\n        out.append(i)\n"
        "        if len(out) > 1 and (out[-2], out[-1]) == tuple(pair):\n"
        "            out[-2:] = [new_id]\n    return out",
        "def merge(ids, pair, new_id):\n    if len(ids) < 2:\n        return list(ids)\n"
        "    if (ids[0], ids[1]) == pair:\n        return [new_id] + merge(ids[2:], pair, new_id)\n"
        "    return [ids[0]] + merge(ids[1:], pair, new_id)",
        "def merge(a, b, c):\n    it, out = iter(range(len(a))), []\n    for i in it:\n"
        "        hit = i + 1 < len(a) and (a[i], a[i + 1]) == b\n"
        "        out.append(c if hit else a[i])\n        if hit:\n            next(it)\n    return out",
    ],
    "train": [
        "def train(data, n_merges):\n    ids, out = list(data), []\n    while len(out) < n_merges:\n"
        "        c = Counter(zip(ids, ids[1:]))\n        if not c or max(c.values()) < 2:\n"
        "            return out\n        p = max(sorted(c), key=lambda q: c[q])\n"
        "        ids = merge(ids, p, 256 + len(out))\n        out.append(p)\n    return out",
        "def train(data, n_merges):\n    ids, out = list(data), []\n    for new in range(256, 256 + n_merges):\n"
        "        best = pair_counts(ids).items()\n"
        "        best = [(n, p) for p, n in best if n > 1]\n        if not best:\n            break\n"
        "        out.append(max(best)[1])\n        ids = merge(ids, out[-1], new)\n    return out",
        "def train(data, n_merges):\n    def step(ids, left, new):\n        c = pair_counts(ids)\n"
        "        if not left or not c or max(c.values()) == 1:\n            return []\n"
        "        p = min(c, key=lambda q: (-c[q], q))\n"
        "        return [p, *step(merge(ids, p, new), left - 1, new + 1)]\n"
        "    return step(list(data), n_merges, 256)",
    ],
    "decode": [
        "def decode(ids, vocab):\n    out = bytearray()\n    for i in ids:\n        out += vocab[i]\n"
        "    return str(bytes(out), 'utf-8', 'replace')",
    ],
    "encode": [
        "def encode(text, merges):\n    ids = list(text.encode())\n"
        "    for r, p in enumerate(merges):\n        ids = merge(ids, p, 256 + r)\n    return ids",
        "def encode(text, merges):\n    ids = list(text.encode())\n    while True:\n"
        "        here = set(zip(ids, ids[1:]))\n"
        "        r = next((r for r, p in enumerate(merges) if p in here), None)\n"
        "        if r is None:\n            return ids\n        ids = merge(ids, merges[r], 256 + r)",
    ],
    "train_fast": [
        "def train_fast(text, n_merges):\n"
        "    words = [list(w.encode()) for w in re.findall(r' ?\\S+|\\s+', text)]\n    out = []\n"
        "    for new in range(256, 256 + n_merges):\n        c = Counter()\n"
        "        for w in words:\n            c.update(zip(w, w[1:]))\n"
        "        if not c or max(c.values()) < 2:\n            break\n"
        "        out.append(max(c, key=c.get))\n"
        "        words = [merge(w, out[-1], new) for w in words]\n    return out",
    ],
}


@pytest.mark.parametrize(
    ("name", "source"), [(name, source) for name, every in RIGHT.items() for source in every]
)
def test_each_unusual_right_answer_passes(name, source):
    lab = Lab(find("3"))
    owner = Judge(lab).owner
    lab = Lab(lab.path, stub.solved(lab, list(owner))).splice(name, source)
    (verdict,) = sandbox.run(sandbox.Job(lab, [owner[name]]))
    assert verdict.state == PASSED, report.text(verdict, lab)
