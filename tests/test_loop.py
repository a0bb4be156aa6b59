"""The learner's loop: journal, progress, reset, restore, recall, compare."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from checks.runner import attempts, compare, hints, journal, progress, recall, sandbox, session
from checks.runner.lab import Lab, NotUsable
from checks.runner.verdict import FAILED, PASSED, TODO
from tests.workshop import JUDGES, LABS, ROOT, STAGES, name, solved, written

LAB = next(lab for lab in LABS if lab.number == 3)
WRITER = """
import sys
from checks.runner import journal
for at in range(int(sys.argv[2])):
    journal.write("lab-3", 1, "failed", f"{sys.argv[1]}-{at}")
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Lab 3 in a folder of its own, as shipped."""
    path = tmp_path / "labs" / "lab_3_bpe.py"
    path.parent.mkdir()
    path.write_text(LAB.text, encoding="utf-8")
    return path


def write_records(*rows):
    """A journal with these (days ago, stage, event, source) rows of lab 3."""
    folder = Path(journal.folder())
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for days, stage, event, *source in rows:
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - days * 86400))
        row = {"at": at, "lab": "lab-3", "stage": stage, "event": event, "source": "".join(source)}
        lines.append(json.dumps(row))
    Path(journal.path()).write_text("\n".join(lines) + "\n", encoding="utf-8")


def past(stage=1):
    return progress.history(journal.read())[("lab-3", stage)]


def test_writers_at_once_and_writers_killed_lose_nothing_else():
    command = [sys.executable, "-c", WRITER]
    steady = [subprocess.Popen([*command, f"w{n}", "250"], cwd=ROOT) for n in range(4)]
    for n in range(12):  # these are killed in the middle of their work
        doomed = subprocess.Popen([*command, f"k{n}", "100000"], cwd=ROOT)
        time.sleep(0.06)
        doomed.send_signal(signal.SIGKILL)
        doomed.wait()
    for writer in steady:
        assert writer.wait() == 0
    sources = [record.source for record in journal.read()]
    for n in range(4):
        mine = [s for s in sources if s.startswith(f"w{n}-")]
        assert sorted(mine) == sorted(f"w{n}-{at}" for at in range(250))


@pytest.mark.parametrize(
    "damage",
    [b'{"at": "2026-01-01T00:00:00Z", "lab": "lab-3", "st', b"\xff\xfe\x00\n", b"[]\n", b"{}\n",
     b'{"at": 7, "lab": "lab-3", "stage": 1, "event": "passed", "source": ""}\n', b"\n\n"],
)  # fmt: skip
def test_a_bad_line_loses_itself_alone(damage):
    journal.write("lab-3", 1, PASSED)
    with open(journal.path(), "ab") as out:
        out.write(damage)
    journal.write("lab-3", 2, FAILED)
    assert [record.event for record in journal.read()] == [PASSED, FAILED]


def test_a_journal_that_cannot_be_written_is_said_and_no_more(monkeypatch, tmp_path, capsys):
    (tmp_path / "taken").write_text("")
    monkeypatch.setenv("ML_MINI_LABS_PROGRESS", str(tmp_path / "taken"))
    journal.write("lab-3", 1, PASSED)
    assert "the journal was not written" in capsys.readouterr().err


def test_verdicts_are_recorded_and_an_untouched_lab_leaves_no_trace():
    session.judge(sandbox.Job(LAB, [1]))
    assert not os.path.exists(journal.path())
    session.judge(sandbox.Job(solved(LAB), [1]))
    session.judge(sandbox.Job(LAB, [1]))
    assert [record.event for record in journal.read()] == [PASSED, TODO]


def test_a_stage_that_passed_and_fails_now_is_no_longer_done():
    write_records((3, 1, PASSED), (2, 2, PASSED), (1, 1, FAILED))
    now = progress.LabProgress(solved(LAB), progress.history(journal.read()), time.time())
    assert now.done == [2] and now.next == 1


def test_a_stub_is_not_done_whatever_the_journal_says():
    write_records((1, 1, PASSED))
    now = progress.LabProgress(LAB, progress.history(journal.read()), time.time())
    assert now.done == []


@pytest.mark.parametrize(
    ("rows", "days"),
    [
        ([(0, 1, PASSED)], 1),
        ([(5, 1, PASSED), (1, 1, "recall"), (1, 1, PASSED)], 2),
        ([(9, 1, PASSED), (8, 1, "recall"), (8, 1, PASSED), (2, 1, "recall"), (2, 1, PASSED)], 5),
        ([(5, 1, PASSED), (1, 1, "recall"), (1, 1, "hint"), (1, 1, PASSED)], 0),
        ([(5, 1, PASSED), (4, 1, "recall"), (1, 1, PASSED)], 0),
    ],
    ids=["first pass", "once", "twice", "with a hint", "after three days"],
)
def test_recall_is_spaced(rows, days):
    write_records(*rows)
    assert past().due == pytest.approx(time.time() + days * 86400, abs=5)


@pytest.mark.parametrize(("lab", "number"), STAGES, ids=name)
@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_reset_brings_back_the_shipped_bytes_of_every_stage(tmp_path, lab, number, ending):
    path = tmp_path / "labs" / os.path.basename(lab.path)
    path.parent.mkdir()
    mark = b"\xef\xbb\xbf"
    shipped = mark + lab.text.replace("\n", ending).encode()
    mine = written(lab, JUDGES[lab.id].own(number))
    filled = mark + mine.text.replace("\n", ending).encode()
    path.write_bytes(filled)
    assert "is the stub again" in attempts.reset(Lab(str(path)), number)
    assert path.read_bytes() == shipped
    attempts.restore(Lab(str(path)), number)
    assert path.read_bytes() == filled


def test_a_contract_that_was_deleted_comes_back_from_the_history(tmp_path):
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "shipped"]):
        if command[0] == "add":
            path = tmp_path / "labs" / "lab_3_bpe.py"
            path.parent.mkdir()
            path.write_text(LAB.text, encoding="utf-8")
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", *command], cwd=tmp_path, check=True
        )
    path.write_text(solved(LAB).text, encoding="utf-8")  # no docstring is left
    for number in LAB.stages:
        attempts.reset(Lab(str(path)), number)
    assert path.read_text(encoding="utf-8") == LAB.text


def test_a_contract_that_is_nowhere_is_not_made_up(file):
    file.write_text(solved(LAB).text, encoding="utf-8")
    with pytest.raises(NotUsable, match="docstring"):
        attempts.reset(Lab(str(file)), 1)
    assert file.read_text(encoding="utf-8") == solved(LAB).text


def test_reset_refuses_a_file_that_does_not_parse(file):
    file.write_text(LAB.text + "\ndef (:\n", encoding="utf-8")
    with pytest.raises(NotUsable, match="does not parse"):
        attempts.reset(Lab(str(file)), 1)


def test_reset_refuses_two_definitions_and_a_missing_one(file):
    twice = LAB.splice(
        "merge", "def merge(a, b, c):\n    return []\n\n\ndef merge(a, b, c):\n    pass"
    )
    file.write_text(twice.text, encoding="utf-8")
    with pytest.raises(NotUsable, match="defined 2 times"):
        attempts.reset(Lab(str(file)), 2)
    file.write_text(LAB.splice("merge", "").text, encoding="utf-8")
    with pytest.raises(NotUsable, match="no function called merge"):
        attempts.reset(Lab(str(file)), 2)


def test_a_file_that_cannot_be_replaced_stays_as_it_is(file, monkeypatch):
    text = written(LAB, ["pair_counts"]).text
    file.write_text(text, encoding="utf-8")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NotUsable, match="No space left"):
        attempts.reset(Lab(str(file)), 1)
    assert file.read_text(encoding="utf-8") == text
    assert [path.name for path in file.parent.glob("lab_*")] == [file.name]


def test_restore_without_an_attempt_says_so(file):
    with pytest.raises(NotUsable, match="no attempt"):
        attempts.restore(Lab(str(file)), 1)


def test_recall_resets_what_is_due_and_the_next_call_goes_on_with_it(file, monkeypatch):
    from checks.runner import lab as labs

    file.write_text(written(LAB, ["merge", "train"]).text, encoding="utf-8")
    monkeypatch.setattr(labs, "discover", lambda root="": [str(file)])
    write_records((2, 2, PASSED), (0, 3, PASSED))
    said = recall.start()
    assert "lab-3, recall 1. stage 2 is the stub again" in said
    assert file.read_text(encoding="utf-8") == written(LAB, ["train"]).text
    assert "stage 2 is being recalled" in recall.start()
    write_records((2, 3, TODO))
    with pytest.raises(NotUsable, match="nothing is due"):
        recall.start()


def test_the_reference_opens_after_a_pass_three_attempts_or_giving_up(monkeypatch, capsys):
    wrong = LAB.splice("pair_counts", "def pair_counts(ids):\n    return {}")
    with pytest.raises(NotUsable, match="has not passed yet"):
        compare.compare(wrong, 1)
    write_records((1, 1, FAILED, "a"), (1, 1, FAILED, "a"), (1, 1, FAILED, "b"))
    with pytest.raises(NotUsable, match="1 more attempts"):
        compare.compare(wrong, 1)
    write_records((1, 1, FAILED, "a"), (1, 1, FAILED, "b"), (1, 1, "crashed", "c"))
    assert "zip(ids, ids[1:])" in compare.compare(wrong, 1)
    write_records((1, 2, FAILED, "a"))
    assert "Counter" in compare.compare(wrong, 1, give_up=True)
    assert [r.event for r in journal.read()][-2:] == ["give-up", "compare"]


def test_a_comparison_measures_both_on_the_checks_own_calls():
    shown = compare.compare(solved(LAB), 2)
    assert "calls of the check: yours" in shown and "reference" in shown


def test_hints_count_from_the_journal():
    first = hints.following(LAB, 2)
    assert first != hints.following(LAB, 2) and "hint 1 of 3" in first


def test_the_picture_of_the_progress_is_an_svg_with_a_box_a_stage():
    import xml.etree.ElementTree as tree

    root = tree.fromstring(progress.svg())
    boxes = [e for e in root.iter() if e.tag.endswith("rect")]
    assert len(boxes) == len(STAGES)
