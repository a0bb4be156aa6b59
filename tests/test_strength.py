"""The strength card can fail: a missed target is said, mutants are mistakes, seeds move."""

import copy

import numpy as np
import pytest

from checks.runner import sandbox
from tests import mutants, operators, seeds, strength
from tests.workshop import LABS, name

ROW = {
    "lab": "lab-9", "stage": 1, "title": "Counting", "slips": 9, "rejected": 9, "diagnosed": 9,
    "right": 4, "accepted": 4, "mutants": 40, "killed": 38, "equivalent": 2, "alive": [],
    "sweep": {"seeds": 100, "passed": 100, "luck": []}, "seconds": 1.0,
}  # fmt: skip


def lab(number):
    return next(lab for lab in LABS if lab.number == number)


def made(source):
    """The sources of all mutants of a definition."""
    return {text for _, text in operators.mutants(source)}


def test_a_row_on_its_targets_has_no_weakness():
    assert strength.weaknesses(ROW) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"rejected": 8}, "8 of 9 slips rejected"),
        ({"diagnosed": 8}, "8 of 9 slips diagnosed as themselves"),
        ({"accepted": 3}, "3 of 4 right answers accepted"),
        ({"killed": 37}, "37 of 40 mutants killed"),
        ({"sweep": {"luck": ["the solution, seed 3: failed, it"]}}, "the solution, seed 3: failed"),
    ],
    ids=str,
)
def test_each_missed_target_is_said(changed, said):
    (problem,) = strength.weaknesses(ROW | changed)
    assert problem.startswith(said)


def test_the_total_adds_what_the_rows_say():
    text = strength.total([ROW, copy.deepcopy(ROW)])
    assert text.startswith("2 stages: 18 of 18 slips") and "76 of 80 mutants" in text
    assert "200 of 200 seeds" in text


def test_an_entry_that_is_no_mutant_or_has_no_reason_is_found(tmp_path, monkeypatch):
    first = mutants.of_stage(lab(3), 1)[0][0]
    monkeypatch.setattr(mutants, "EQUIVALENT", tmp_path)
    listed = tmp_path / f"{lab(3).stem}.txt"
    listed.write_text(f"{first}\n    It is.\n", encoding="utf-8")
    assert mutants.bad_entries(lab(3)) == []
    listed.write_text(f"{first}\nmerge: return x  ->  return y\n  It was.\n", encoding="utf-8")
    assert mutants.bad_entries(lab(3)) == [first, "merge: return x  ->  return y"]


@pytest.mark.parametrize("one", LABS, ids=name)
def test_no_entry_of_a_list_is_stale(one):
    assert mutants.bad_entries(one) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("return x.sum(axis=1)", "return x.sum(axis=0)"),
        ("return x.mean(axis=0, keepdims=True)", "return x.mean(axis=0)"),
        ("return x.std(ddof=1)", "return x.std()"),
        ("return x.copy()", "return x"),
        ("return x[:n]", "return x[:n + 1]"),
        ("return x[n]", "return x[n - 1]"),
        ("return [i for i in range(n)]", "return [i for i in range(n + 1)]"),
        ("return x < n", "return x <= n"),
        ("return x - n", "return n - x"),
        ("return f(x, n, 0)", "return f(n, x, 0)"),
        ("return x @ n", "return n @ x"),
        ("return w['ln1'] + w['ln2']", "return w['ln2'] + w['ln2']"),
        ("return re.findall('[a-z]+', x)", "return re.findall('[a-z]', x)"),
        ("x = x + n\n    return x", "x += n\n    return x"),
        ("return x, 1", "return (1, x)"),
    ],
    ids=lambda text: text,
)
def test_a_mistake_that_people_make_is_a_mutant(right, wrong):
    head = "def f(x, n, w):\n    "
    assert head + wrong in made(head + right)


def test_a_line_may_slip_into_a_loop_or_out_of_it():
    source = "def f(x):\n    a = 0\n    for i in x:\n        a += i\n        b = a\n    return b"
    assert source.replace("\n    return", "\n        return") in made(source)
    assert source.replace("\n        b", "\n    b") in made(source)


def test_neighbours_are_swapped_only_where_their_order_can_matter():
    independent = "def f(x, y):\n    a = x\n    b = y\n    return a + b"
    assert not any(name.startswith("swapped: a") for name, _ in operators.mutants(independent))
    dependent = "def f(x):\n    a = x + 1\n    b = a * 2\n    return b"
    names = [name for name, _ in operators.mutants(dependent)]
    assert "swapped: a = x + 1  <->  b = a * 2" in names


def test_mutants_have_names_of_their_own_and_compile():
    source = (
        "def f(x):\n    for i in x:\n        if i:\n            break\n    y = x[0]\n    y = x[0]"
    )
    found = list(operators.mutants(source))
    assert len({name for name, _ in found}) == len({text for _, text in found}) == len(found)
    for _, text in found:
        compile(text, "mutant", "exec")


def test_the_seam_moves_fixed_seeds_and_nothing_else():
    def drawn(*seed):
        return np.random.default_rng(*seed).random()

    plain = drawn(3)
    with seeds.seam():
        assert drawn(3) == plain
        seeds._here.k = 5
        try:
            assert drawn(3) == drawn(3) != plain
            assert drawn([1, 3]) != drawn([1, 4])
            assert drawn() != drawn()
        finally:
            seeds._here.k = 0
    assert drawn(3) == plain


@pytest.mark.skipif(not sandbox.CAN_FORK, reason="a fresh Python knows no seam")
def test_a_sweep_moves_seeds_where_a_stage_draws_and_says_where_it_does_not(monkeypatch):
    for many in ("SOLUTION", "ANSWER", "SLIP"):
        monkeypatch.setattr(seeds, many, 1)
    assert seeds.sweep(lab(3), 1)["seeds"] == 0
    found = seeds.sweep(lab(7), 4)
    assert found["seeds"] == found["passed"] == 1 and found["luck"] == []
    assert found["accepted"] == found["answers"] >= 3
    assert found["refused"] == found["slipped"] >= 8
