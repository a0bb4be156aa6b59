"""The gates: what every lab must keep, proven for every lab that is there."""

import ast
import importlib

import pytest

from checks.expect import Slip
from checks.runner import diagnose, hints, report, sandbox, stub, workbench
from checks.runner.judge import Judge
from checks.runner.lab import Lab, discover
from checks.runner.verdict import FAILED, PASSED, TODO

LABS = [Lab(path) for path in discover()]
JUDGES = {lab.id: Judge(lab) for lab in LABS}
STAGES = [(lab, n) for lab in LABS for n in lab.stages]
SLIPS = [
    (lab, slip)
    for lab in LABS
    for slip in importlib.import_module(f"checks.{lab.stem}.slips").SLIPS
]


def name(value):
    if isinstance(value, Lab):
        return value.id
    return f"{value.function}-{value.meaning}" if isinstance(value, Slip) else str(value)


@pytest.mark.parametrize(("lab", "number"), STAGES, ids=name)
def test_each_shipped_stage_is_todo(lab, number):
    (verdict,) = sandbox.run(sandbox.Job(lab, [number]))
    assert verdict.state == TODO, report.text(verdict, lab)


@pytest.mark.parametrize(("lab", "number"), STAGES, ids=name)
def test_each_shipped_stub_is_the_generated_one(lab, number):
    for function in JUDGES[lab.id].own(number):
        found = lab.definition(function)
        assert lab.source(found) == stub.generate(lab, found, number)


@pytest.mark.parametrize(("lab", "number"), STAGES, ids=name)
def test_each_solution_passes_as_the_learners_own(lab, number):
    solved = Lab(lab.path, stub.solved(lab, list(JUDGES[lab.id].owner)))
    (verdict,) = sandbox.run(sandbox.Job(solved, [number]))
    assert verdict.state == PASSED, report.text(verdict, solved)
    assert not verdict.carried


def with_slip(lab, slip):
    """The solved lab in which the learner made this mistake."""
    judge = JUDGES[lab.id]
    solved = Lab(lab.path, stub.solved(lab, list(judge.owner)))
    source = lab.source(lab.definition(f"solution_{slip.function}"))
    wrong = stub.as_learner(workbench.patched(source, slip.function, slip.old, slip.new))
    return solved.splice(slip.function, wrong)


@pytest.mark.parametrize(("lab", "slip"), SLIPS, ids=name)
def test_each_slip_is_rejected_and_diagnosed_as_itself(lab, slip):
    wrong = with_slip(lab, slip)
    number = JUDGES[lab.id].owner[slip.function]
    (verdict,) = sandbox.run(sandbox.Job(wrong, [number]))
    assert verdict.state not in (PASSED, TODO)
    assert slip.meaning in verdict.diagnosis, report.text(verdict, wrong)
    twins = {s.meaning for _, s in SLIPS if s.twin and s.twin == slip.twin}
    assert set(verdict.diagnosis) <= twins | {slip.meaning}


@pytest.mark.parametrize(("lab", "slip"), SLIPS, ids=name)
def test_each_message_names_case_reread_and_next(lab, slip):
    wrong = with_slip(lab, slip)
    number = JUDGES[lab.id].owner[slip.function]
    (verdict,) = sandbox.run(sandbox.Job(wrong, [number]))
    text = report.text(verdict, wrong)
    first = text.splitlines()[0]
    assert first.startswith(f"{verdict.file}:{verdict.line}:{verdict.column}: error: stage")
    assert first.endswith(f"[{verdict.code}]")
    assert verdict.message and "  next " in text
    if verdict.state == FAILED:
        assert "  got " in text and "  expected " in text
    stage, _, quoted = verdict.reread.partition(", ")
    region = lab.lines[lab.stages[number].line - 1 : lab.stages[number].end]
    assert stage == f"Stage {number}"
    assert f"# ### {quoted.strip(chr(34))}" in region


@pytest.mark.parametrize(("lab", "number"), STAGES, ids=name)
def test_each_stage_has_at_least_eight_slips(lab, number):
    judge = JUDGES[lab.id]
    assert sum(judge.owner[slip.function] == number for at, slip in SLIPS if at is lab) >= 8


@pytest.mark.parametrize("lab", LABS, ids=name)
def test_solutions_call_only_solutions(lab):
    functions = set(JUDGES[lab.id].owner)
    for function in functions:
        node = lab.definition(f"solution_{function}").node
        used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        assert not used & functions


def test_diagnosis_stays_silent_where_no_slip_gives_the_result():
    lab = LABS[0]
    judge = Judge(lab.splice("merge", "def merge(ids, pair, new_id):\n    return [new_id, 4711]"))
    assert judge.judge(2).state == FAILED
    assert diagnose.diagnose(judge, 2, *judge.failures[2]) == []


@pytest.mark.parametrize(("lab", "number"), STAGES, ids=name)
def test_each_stage_has_three_hints(lab, number):
    assert len(hints.read(lab.stem)[number]) == 3
