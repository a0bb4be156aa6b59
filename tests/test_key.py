"""Whose solutions count: a hand-in is judged, carried and diagnosed by the instructor's."""

import pytest

from checks import expect
from checks.runner import judge, sandbox
from checks.runner.lab import Lab, find
from tests.workshop import LABS, solved

LAB = next(lab for lab in LABS if lab.number == 3)


def compensated(lab):
    """A wrong stage 4, and a reference of stage 3 that makes up for it."""
    cheat = solved(lab)
    source = cheat.source(cheat.definition("generate_cached"))
    wrong = source.replace("decode_step(model, ids[-1], cache)", "decode_step(model, -1, cache)")
    assert wrong != source
    wrong = wrong.replace(
        "    for step in range(n):", "    cache.ids = ids\n    for step in range(n):"
    )
    wrong = wrong.replace("ids = np.append(ids,", "cache.ids = ids = np.append(ids,")
    cheat = cheat.splice("generate_cached", wrong)
    cheat = cheat.splice("decode_step", lab.source(lab.definition("decode_step")))
    right = lab.source(lab.definition("solution_decode_step"))
    head, _, body = right.partition("\n")
    return cheat.splice("solution_decode_step", f"{head}\n    token = cache.ids[-1]\n{body}")


def test_an_edited_solution_turns_nothing_green_once_the_key_is_the_instructors(tmp_path):
    lab = Lab(find("4"))
    cheat = compensated(lab)
    (fooled,) = sandbox.run(sandbox.Job(cheat, [4]))
    assert fooled.state == "passed"  # in a learner's own copy it fools that learner alone
    mine = Lab(str(tmp_path / "lab_4_kv_cache.py"), cheat.text, lab)
    (verdict,) = sandbox.run(sandbox.Job(mine, [4]))
    assert verdict.state == "failed"


@pytest.mark.parametrize("start", [sandbox.fork, sandbox.spawn])
def test_a_hand_in_without_solutions_is_judged_and_diagnosed_by_the_key(start, tmp_path):
    lab = solved(LAB).splice("merge", "def merge(ids, pair, new_id):\n    return list(ids)")
    text = lab.text[: lab.text.index("# # Solutions")]
    mine = Lab(str(tmp_path / "lab_3_bpe.py"), text, LAB)
    first, second, third = sandbox.run(sandbox.Job(mine, [1, 2, 3]), start=start)
    assert (first.state, second.state, third.state) == ("passed", "failed", "passed")
    assert third.carried == [2] and "merge" in second.functions


def test_a_contract_is_the_keys_whatever_the_file_says_of_its_solution():
    text = solved(LAB).splice("solution_merge", "def solution_merge(ids):\n    return 1").text
    (verdict,) = sandbox.run(sandbox.Job(Lab(LAB.path, text, LAB), [2]))
    assert verdict.state == "passed"


NINTH = """# %% [markdown]
# # Lab 9 · Given
# ## Stage 1 · Twice
def scale(x):
    return 2 * x
def double(x):
    raise NotImplementedError("stage 1: double")
# # Solutions
def solution_double(x):
    return 2 * x
"""


def test_what_a_lab_gives_to_a_check_is_the_keys_too(monkeypatch, tmp_path):
    @expect.stage(reread="Stage 1")
    def check_stage1(double, scale):
        expect.equal("twice 3", double(3), scale(3))

    monkeypatch.setattr(judge, "load_checks", lambda lab: {1: check_stage1})
    path = str(tmp_path / "lab_9_given.py")
    key = Lab(path, NINTH)
    cheat = NINTH.replace("return 2 * x\ndef double", "return 3 * x\ndef double")
    cheat = cheat.replace('raise NotImplementedError("stage 1: double")', "return 3 * x")
    assert judge.Judge(Lab(path, cheat)).judge(1).state == "passed"
    verdict = judge.Judge(Lab(path, cheat, key)).judge(1)
    assert verdict.state == "failed" and dict(verdict.rows)["expected"] == "6"
