"""A real VS Code on a copy of this workspace: tasks, problems, squiggles, the watcher."""

import io
import json
import re
import statistics
import time

import psutil
import pytest
from PIL import Image

from tests.editor import install
from tests.editor.driver import MEASURED, Editor

FILE = "labs/lab_3_bpe.py"
WRONG = """    out, at = [], 0
    while at < len(ids):
        if set(ids[at : at + 2]) == set(pair):
            out.append(new_id)
            at += 2
        else:
            out.append(ids[at])
            at += 1
    return out"""
RIGHT = WRONG.replace("set(ids[at : at + 2]) == set(pair)", "tuple(ids[at : at + 2]) == pair")
MEANING = "this is what you get when the order within the pair is ignored"
PICTURE = install.ROOT / "docs" / "squiggle.png"


@pytest.fixture(scope="module")
def editor(tmp_path_factory):
    install.ensure()
    window = Editor(tmp_path_factory.mktemp("editor"))
    try:
        window.load(FILE)
        window.command("View: Toggle Primary Side Bar Visibility")
        yield window
    finally:
        window.close()


@pytest.fixture
def lab(editor):
    """The lab file of the copy and its journal, as shipped before and after each test."""
    file = editor.folder / FILE
    shipped = file.read_text(encoding="utf-8")
    yield file
    file.write_text(shipped, encoding="utf-8")
    (editor.folder / ".progress" / "journal.jsonl").unlink(missing_ok=True)


def write(file, body):
    """Write `body` as stage 2; the line of its function."""
    text = file.read_text(encoding="utf-8")
    start = text.index("\ndef merge(")
    end = text.index("\n\n\n", start)
    head = text[start:end].split('"""')
    function = f'{head[0]}"""{head[1]}"""\n{body}'
    file.write_text(text[:start] + function + text[end:], encoding="utf-8")
    return text[: start + 1].count("\n") + 1


FAULTS = [
    (".vscode/tasks.json", '"version": "2.0.0"', '"version": 7'),
    (".vscode/settings.json", '"files.eol": "\\n"', '"files.eol": 7'),
    (".vscode/extensions.json", '"recommendations": [', '"recommendations": [7, '),
]  # launch.json wants the debugger's extension, devcontainer.json a schema from the network


@pytest.mark.parametrize(("name", "right", "wrong"), FAULTS, ids=[row[0] for row in FAULTS])
def test_the_editors_own_schemas_find_a_planted_fault_and_no_other(editor, name, right, wrong):
    file = editor.folder / name
    text = file.read_text(encoding="utf-8")
    assert right in text
    file.write_text(text.replace(right, wrong), encoding="utf-8")
    editor.show(name)
    assert editor.until(editor.count)
    file.write_text(text, encoding="utf-8")
    assert editor.counts(0) and editor.problems() == []
    editor.command("View: Close All Editors")


def test_a_wrong_stage_shows_one_problem_and_its_squiggle_and_a_right_one_none(
    editor, lab, pytestconfig, tmp_path
):
    line = write(lab, WRONG)
    editor.show(FILE)
    editor.goto(line + 13)
    editor.build("[lab-3/stage-2]", "next fix line")
    editor.goto(line + 10)  # the middle of the function: all of it is in sight,
    assert editor.counts(1) and editor.until(editor.squiggles) == 1
    for _ in range(3):  # with the cursor in its wrong line
        editor.page.keyboard.press("ArrowDown")
    take(editor, PICTURE if pytestconfig.getoption("picture") else tmp_path / PICTURE.name)
    _, row = editor.problems()
    assert MEANING in row and f"at line {line} " in row

    write(lab, RIGHT)
    editor.shows("tuple(ids[at : at + 2]) == pair")
    editor.build("stage 2 passed: merge.")
    assert editor.counts(0) and editor.squiggles() == 0


def take(editor, path):
    """A picture of the window, sharp on any screen and small enough for a front page."""
    sharp = Image.open(io.BytesIO(editor.picture()))
    sharp.quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)
    assert path.stat().st_size < 250_000


def test_the_pick_task_judges_the_stage_that_was_picked(editor, lab):
    write(lab, WRONG)
    editor.task("Run Stage…")
    editor.entry("3 · BPE tokenizer").click()
    editor.entry("2").click()
    editor.says(MEANING, "next fix line")
    assert editor.counts(1)


def test_all_labs_are_judged_with_no_editor_open(editor, lab):
    write(lab, WRONG)
    editor.command("View: Close All Editors")
    editor.task("Run All Labs")
    editor.says("lab-3: 0 of 6 done", "lab-8: 0 of 6 done")
    assert editor.counts(1)


def test_a_lab_and_the_progress_are_judged_and_shown(editor, lab):
    line = write(lab, RIGHT)
    editor.show(FILE)
    editor.goto(line)
    editor.task("Run Lab")
    editor.says("lab-3: 1 of 6 done, next: stage 1")
    assert editor.counts(0)
    editor.task("Show Progress")
    editor.says("1 of 49 stages done", "python -m checks --help")


def test_a_hint_is_for_the_stage_under_the_cursor(editor, lab):
    editor.show(FILE)
    editor.goto(write(lab, WRONG) + 3)
    editor.task("Hint")
    editor.says("hint 1 of 3, lab-3 stage 2")


def test_a_stage_is_compared_reset_restored_and_recalled(editor, lab):
    shipped = lab.read_text(encoding="utf-8")
    line = write(lab, RIGHT)
    right = lab.read_text(encoding="utf-8")
    editor.show(FILE)
    editor.goto(line + 10)
    editor.shows("tuple(ids[at : at + 2]) == pair")
    editor.task("Run Stage")
    editor.says("stage 2 passed: merge.")

    editor.task("Compare Stage")
    editor.says("reference", "merge, ", "calls of the check: yours")
    editor.until(lambda: editor.page.locator(".monaco-diff-editor").count())
    assert editor.page.locator(".monaco-diff-editor").count() == 1
    editor.command("View: Close Editor")

    editor.show(FILE)
    editor.goto(line + 10)
    editor.task("Reset Stage")
    editor.says("stage 2 is the stub again: merge")
    assert lab.read_text(encoding="utf-8") == shipped
    editor.shows('raise NotImplementedError("stage 2: merge")')
    editor.task("Restore Attempt")
    editor.says("stage 2 is your attempt of")
    assert lab.read_text(encoding="utf-8") == right
    editor.shows("tuple(ids[at : at + 2]) == pair")

    journal = editor.folder / ".progress" / "journal.jsonl"
    rows = [json.loads(row) for row in journal.read_text(encoding="utf-8").splitlines()]
    days = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 3 * 86400))
    for row in rows:
        row["at"] = days + row["at"][10:]
    journal.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    editor.task("Recall")
    editor.says("lab-3, recall 1. stage 2 is the stub again: merge")
    assert lab.read_text(encoding="utf-8") == shipped


CLOCK = """() => {
  window.clock = {saved: 0, seen: 0, count: -1};
  document.addEventListener('keydown', event => {
    if (event.ctrlKey && event.key === 's') window.clock.saved = performance.now();
  }, true);
  new MutationObserver(() => {
    const count = document.querySelectorAll('.squiggly-error').length;
    if (count !== window.clock.count) {
      window.clock.count = count;
      window.clock.seen = performance.now();
    }
  }).observe(document.body, {subtree: true, childList: true, attributes: true});
}"""


def test_the_squiggle_follows_the_save_while_the_watcher_runs(editor, lab):
    line = write(lab, RIGHT)
    editor.show(FILE)
    editor.goto(line + 10)
    editor.shows("tuple(ids[at : at + 2]) == pair")
    editor.task("Watch Labs")
    editor.says("watching labs/ (process", "ends it)")
    watcher = int(re.findall(r"\(process (\d+)", editor.terminal())[-1])
    editor.page.evaluate(CLOCK)
    row = lab.read_text(encoding="utf-8").split("\n").index("    return out", line) + 1
    waits = []
    for wanted in (1, 0) * 3:
        editor.page.locator(".editor-instance .view-lines").first.click()
        editor.goto(row, 16 - wanted)  # the end of `return out`, and of `return outx`
        editor.page.keyboard.press("x" if wanted else "Backspace")
        editor.page.keyboard.press("Control+s")
        assert editor.counts(wanted)
        assert editor.until(lambda wanted=wanted: editor.squiggles() == wanted)
        clock = editor.page.evaluate("window.clock")
        waits.append(clock["seen"] - clock["saved"])
    shown = ", ".join(f"{wait:.0f}" for wait in waits)
    MEASURED.append(f"Ctrl+S to squiggle: {statistics.median(waits):.0f} ms ({shown})")
    editor.says("stage 2 passed: merge.")

    editor.command("View: Close All Editors")  # the watcher needs no open editor
    write(lab, WRONG)
    assert editor.counts(1)
    editor.reload()  # nor this window: the task goes on in the next
    write(lab, RIGHT)
    editor.says("stage 2 passed: merge.")
    write(lab, WRONG)
    assert editor.counts(1)
    write(lab, RIGHT)
    assert editor.counts(0)
    editor.command("Tasks: Terminate Task")
    editor.entry("Watch Labs").click()
    assert editor.until(lambda: not psutil.pid_exists(watcher))
