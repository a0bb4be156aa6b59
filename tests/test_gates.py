"""The gates: what every lab must keep, proven for every lab that is there."""

import ast
import re

import pytest

from checks.runner import diagnose, hints, report, stub
from checks.runner.judge import Judge
from checks.runner.verdict import FAILED, PASSED, TODO
from tests.workshop import (
    JUDGES,
    LABS,
    ROOT,
    SLIPS,
    STAGES,
    answers,
    judged,
    name,
    slip_verdict,
    solved,
    with_answer,
    with_slip,
)

ANSWERS = [(lab, answer) for lab in LABS for answer in answers(lab)]


@pytest.mark.parametrize(("lab", "number"), STAGES, ids=name)
def test_each_shipped_stage_is_todo(lab, number):
    verdict = judged(lab, number)
    assert verdict.state == TODO, report.text(verdict, lab)


@pytest.mark.parametrize(("lab", "number"), STAGES, ids=name)
def test_each_shipped_stub_is_the_generated_one(lab, number):
    for function in JUDGES[lab.id].own(number):
        found = lab.definition(function)
        assert lab.source(found) == stub.generate(lab, found, number)


@pytest.mark.parametrize(("lab", "number"), STAGES, ids=name)
def test_each_solution_passes_as_the_learners_own(lab, number):
    verdict = judged(solved(lab), number)
    assert verdict.state == PASSED, report.text(verdict, solved(lab))
    assert not verdict.carried


@pytest.mark.parametrize(("lab", "slip"), SLIPS, ids=name)
def test_each_slip_is_rejected_and_diagnosed_as_itself_in_words_to_act_on(lab, slip):
    verdict = slip_verdict(lab, slip)
    text = report.text(verdict, with_slip(lab, slip))
    assert verdict.state not in (PASSED, TODO), slip.meaning
    assert slip.meaning in verdict.diagnosis, text
    twins = {s.meaning for at, s in SLIPS if at is lab and s.twin and s.twin == slip.twin}
    assert set(verdict.diagnosis) <= twins | {slip.meaning}, text
    assert not verdict.so_far, text
    names_case_reread_and_next(lab, verdict, text)


def names_case_reread_and_next(lab, verdict, text):
    """The message lint; here, so that a slip is judged once."""
    first = text.splitlines()[0]
    assert first.startswith(f"{verdict.file}:{verdict.line}:{verdict.column}: error: stage")
    assert first.endswith(f"[{verdict.code}]")
    assert len(first) <= 320, first
    assert verdict.message and "  next " in text
    if verdict.state == FAILED:
        assert "  got " in text and "  expected " in text
    stage, _, quoted = verdict.reread.partition(", ")
    region = lab.lines[lab.stages[verdict.stage].line - 1 : lab.stages[verdict.stage].end]
    assert stage == f"Stage {verdict.stage}"
    assert f"# ### {quoted.strip(chr(34))}" in region, verdict.reread


@pytest.mark.parametrize(("lab", "slip"), SLIPS, ids=name)
def test_each_meaning_completes_its_sentence(lab, slip):
    assert re.match(r"(when|where|if|while) .*[^.]$", slip.meaning), slip.meaning
    assert len(slip.meaning) <= 110, slip.meaning


@pytest.mark.parametrize(("lab", "number"), STAGES, ids=name)
def test_each_stage_has_eight_slips_three_right_answers_and_three_hints(lab, number):
    owner = JUDGES[lab.id].owner
    path = ROOT / "checks" / lab.stem / "hints.md"
    shown = hints.parse(path.read_text(encoding="utf-8")) if path.exists() else {}
    missing = [
        f"{file}: stage {number} has {have} {what}, and needs {need}"
        for file, what, have, need in (
            (
                f"checks/{lab.stem}/slips.py",
                "slips",
                sum(owner[slip.function] == number for at, slip in SLIPS if at is lab),
                8,
            ),
            (
                f"tests/right/{lab.stem}*.py",
                "right answers",
                sum(at is lab and stage == number for at, (stage, *_) in ANSWERS),
                3,
            ),
            (f"checks/{lab.stem}/hints.md", "hints", len(shown.get(number, [])), 3),
        )
        if have < need or (what == "hints" and have != need)
    ]
    assert not missing, "\n".join(["", *missing])


@pytest.mark.parametrize(
    ("lab", "answer"),
    ANSWERS,
    ids=[f"{lab.id}-{stage}-{title}" for lab, (stage, title, _) in ANSWERS],
)
def test_each_unusual_right_answer_passes(lab, answer):
    answered = with_answer(lab, answer)
    verdict = judged(answered, answer[0])
    assert verdict.state == PASSED, report.text(verdict, answered)


@pytest.mark.parametrize("lab", LABS, ids=name)
def test_solutions_call_only_solutions(lab):
    functions = set(JUDGES[lab.id].owner)
    for function in functions:
        node = lab.definition(f"solution_{function}").node
        used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        assert not used & functions


@pytest.mark.parametrize("lab", LABS, ids=name)
def test_solutions_are_short(lab):
    for function in JUDGES[lab.id].owner:
        for part in stub.methods(lab.definition(f"solution_{function}").node):
            assert stub.line_count(lab, part) <= 20, f"{function}.{part.name}"


def test_diagnosis_stays_silent_where_no_slip_gives_the_result():
    lab = next(lab for lab in LABS if lab.number == 3)
    judge = Judge(lab.splice("merge", "def merge(ids, pair, new_id):\n    return [new_id, 4711]"))
    assert judge.judge(2).state == FAILED
    assert list(diagnose.diagnose(judge, 2, *judge.failures[2])) == [([], True)]


def test_a_diagnosis_that_later_cases_do_not_bear_out_holds_so_far_only():
    lab = next(lab for lab in LABS if lab.number == 3)
    slip = next(slip for at, slip in SLIPS if at is lab and slip.function == "merge")
    wrong = with_slip(lab, slip).source(with_slip(lab, slip).definition("merge"))
    head, _, body = wrong.partition("\n")
    both = f"{head}\n    if 300 in ids:\n        return [4711]\n{body}"
    verdict = judged(solved(lab).splice("merge", both), 2)
    assert verdict.diagnosis == [slip.meaning] and verdict.so_far
    text = report.text(verdict, lab)
    assert "so far     what you get" in text and "later cases differ" in text
    assert f"so far, this is what you get {slip.meaning}" in report.problem(verdict)
