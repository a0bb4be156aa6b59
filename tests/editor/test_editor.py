"""A real VS Code on a copy of this workspace: tasks, problems, squiggles, the watcher."""

import pytest

from tests.editor import install
from tests.editor.driver import Editor

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
    yield window
    window.close()


@pytest.fixture
def lab(editor):
    """The lab file of the copy, as shipped before and after each test."""
    file = editor.folder / "labs" / "lab_3_bpe.py"
    shipped = file.read_text(encoding="utf-8")
    yield file
    file.write_text(shipped, encoding="utf-8")


def write(file, body):
    """Write `body` as stage 2; the line of its function."""
    text = file.read_text(encoding="utf-8")
    start = text.index("\ndef merge(")
    end = text.index("\n\n\n", start)
    head = text[start:end].split('"""')
    function = f'{head[0]}"""{head[1]}"""\n{body}'
    file.write_text(text[:start] + function + text[end:], encoding="utf-8")
    return text[: start + 1].count("\n") + 1


@pytest.mark.parametrize(
    "name", [".vscode/tasks.json", ".vscode/settings.json", ".vscode/extensions.json"]
)  # launch.json wants the debugger's extension, devcontainer.json a schema from the network
def test_the_editors_own_schemas_find_no_fault(editor, name):
    editor.open(name)
    editor.page.wait_for_timeout(4000)
    assert editor.problems() == [] and editor.count() == 0


def test_a_fault_in_a_configuration_would_be_seen(editor):
    file = editor.folder / ".vscode" / "tasks.json"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('"version": "2.0.0"', '"version": 7'), encoding="utf-8")
    editor.open(".vscode/tasks.json")
    assert editor.wait_for_problems(1) >= 1
    file.write_text(text, encoding="utf-8")


def test_a_wrong_stage_shows_one_problem_and_its_squiggle_and_a_right_one_none(editor, lab):
    line = write(lab, WRONG)
    editor.open("labs/lab_3_bpe.py")
    editor.page.wait_for_timeout(6000)  # the first task wants the window to have settled
    editor.goto(line + 12)
    editor.build()
    assert editor.wait_for_problems(1) == 1
    assert editor.squiggles() == 1
    assert "[lab-3/stage-2]" in editor.wait_for_text("next       fix line")
    PICTURE.parent.mkdir(exist_ok=True)
    editor.page.screenshot(path=PICTURE)
    _, row = editor.problems()
    assert MEANING in row and f"at line {line} " in row

    write(lab, RIGHT)
    editor.open("labs/lab_3_bpe.py")
    editor.goto(line + 4)
    editor.build()
    assert "stage 2 passed: merge." in editor.wait_for_text("stage 2 passed")
    assert editor.wait_for_problems(0) == 0 and editor.squiggles() == 0


def test_the_pick_task_judges_the_stage_that_was_picked(editor, lab):
    write(lab, WRONG)
    editor.open()
    editor.task("Run Stage…")
    editor.pick("BPE")
    editor.pick("2")
    assert MEANING in editor.wait_for_text("next       fix line").replace("\n", "")
    assert editor.wait_for_problems(1) == 1


def test_all_labs_run_with_no_editor_open(editor, lab):
    write(lab, WRONG)
    editor.open()
    editor.task("Run All Labs")
    assert "lab-3: 0 of 6 done" in editor.wait_for_text("lab-3: 0 of 6 done")
    assert editor.wait_for_problems(1) == 1


def test_the_squiggle_follows_the_save_while_the_watcher_runs(editor, lab):
    editor.open("labs/lab_3_bpe.py")
    editor.task("Watch Labs")
    editor.wait_for_text("watching labs/")
    write(lab, WRONG)
    assert editor.wait_for_problems(1) == 1
    write(lab, RIGHT)
    assert editor.wait_for_problems(0) == 0
    assert "stage 2 passed: merge." in editor.wait_for_text("stage 2 passed")
    editor.command("Tasks: Terminate Task")
