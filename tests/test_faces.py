"""The faces agree with labs/: the editor's lists, the sessions, the README, CI, pytest."""

import json
import re
import shutil
import subprocess
import sys

import jsonschema
import jupytext
import pytest
from check_jsonschema.builtin_schemas import get_builtin_schema

from checks.runner import outline
from checks.runner.progress import tracks
from tests.workshop import LABS, ROOT, name, solved

# The two regexes by which the Jupyter extension of VS Code splits a file, line by line.
CELL = re.compile(r"^(#\s*%%|#\s*\<codecell\>|#\s*In\[\d*?\]|#\s*In\[ \])")
MARKDOWN = re.compile(r"^(#\s*%%\s*\[markdown\]|#\s*\<markdowncell\>)")


WORKFLOWS = sorted(f".github/workflows/{p.name}" for p in (ROOT / ".github/workflows").iterdir())


def settings(path):
    """A JSON file with comments, as VS Code reads it."""
    text = (ROOT / path).read_text(encoding="utf-8")
    return json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.M))


def test_the_pick_lists_name_every_lab_and_every_stage():
    lab, stage = settings(".vscode/tasks.json")["inputs"]
    wanted = [{"label": f"{lab.number} · {lab.title}", "value": f"{lab.number}"} for lab in LABS]
    paste = ",\n".join(json.dumps(row, ensure_ascii=False) for row in wanted)
    assert lab["options"] == wanted, f"paste into .vscode/tasks.json:\n{paste}"
    most = max(max(lab.stages) for lab in LABS)
    assert stage["options"] == [str(n) for n in range(1, most + 1)]


def test_every_task_runs_the_one_command_as_a_process():
    for task in settings(".vscode/tasks.json")["tasks"]:
        assert task["type"] == "process" and task["args"][:2] == ["-m", "checks"]
        assert "interpreterPath" not in json.dumps(task)


@pytest.mark.parametrize("lab", LABS, ids=name)
def test_the_problem_matcher_reads_the_first_line(lab):
    task = settings(".vscode/tasks.json")["tasks"][0]
    pattern = re.compile(task["problemMatcher"]["pattern"]["regexp"])
    found = pattern.match(f"{lab.relative}:12:5: error: stage 2: it: is wrong [lab-3/stage-2]")
    assert found and found.groups() == (
        lab.relative, "12", "5", "error", "stage 2: it: is wrong", "lab-3/stage-2",
    )  # fmt: skip


def test_the_sessions_are_the_labs():
    command = [sys.executable, "-m", "nox", "--json", "-l", "-k", "lab"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    sessions = [row["session"] for row in json.loads(listed)]
    assert [s for s in sessions if s.startswith("lab-")] == [lab.id for lab in LABS]


def test_the_table_of_the_readme_names_every_lab_in_the_suggested_orders():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[?(\d+) · ([^\]|]+?)\]?(?:\(.*?\))? \|", text, flags=re.M)
    wanted = [n for _, numbers in tracks() for n in numbers]
    titles = {lab.number: lab.title for lab in LABS}
    assert rows == [(str(n), titles[n]) for n in wanted]


def test_every_lab_stands_in_one_track():
    named = [n for track, numbers in tracks() for n in numbers if track != "more"]
    assert sorted(named) == [lab.number for lab in LABS]


@pytest.mark.parametrize("lab", LABS, ids=name)
def test_vs_code_and_jupytext_see_the_same_cells(lab):
    assert CELL.match(lab.lines[0]), "the first line must be a cell marker"
    cells = []
    for line in lab.lines:
        if CELL.match(line):
            kind = "markdown" if MARKDOWN.match(line) else "code"
            cells.append((kind, []))
        else:
            cells[-1][1].append(line)
    book = jupytext.reads(lab.text, fmt="py:percent")
    assert [kind for kind, _ in cells] == [cell.cell_type for cell in book.cells]
    for (kind, lines), cell in zip(cells, book.cells):
        if kind == "markdown":
            lines = [line.removeprefix("#").removeprefix(" ") for line in lines]
        assert "\n".join(lines).strip() == cell.source.strip()


@pytest.mark.parametrize("lab", LABS, ids=name)
def test_text_after_a_cell_marker_is_nothing_or_markdown(lab):
    for line in lab.lines:
        if CELL.match(line):
            assert line in ("# %%", "# %% [markdown]"), line


@pytest.mark.parametrize("lab", LABS, ids=name)
def test_a_lab_imports_its_own_checks_and_what_its_card_allows(lab):
    found = set()
    for every in lab.definitions.values():
        node = every[-1].node
        for alias in getattr(node, "names", []):
            found.add(getattr(node, "module", None) or alias.name)
    tops = {module.partition(".")[0] for module in found} - set(sys.stdlib_module_names)
    assert tops <= {"numpy", "matplotlib", "torch", "checks"}
    assert {m for m in found if m.startswith("checks")} == {f"checks.{lab.stem}"}


@pytest.mark.parametrize("path", [*WORKFLOWS, ".github/dependabot.yml"])
def test_the_workflows_fit_their_schemas(path):
    import ruamel.yaml

    kind = "dependabot" if "dependabot" in path else "github-workflows"
    text = (ROOT / path).read_text(encoding="utf-8")
    rules = get_builtin_schema(f"vendor.{kind}")
    jsonschema.validate(ruamel.yaml.YAML(typ="safe").load(text), rules)
    for used in re.findall(r"uses: (.*)", text):
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", used), used


def test_the_container_takes_the_lock_and_runs_as_vscode():
    text = (ROOT / ".devcontainer" / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"^FROM \S+@sha256:[0-9a-f]{64}$", text, flags=re.M)
    assert "--require-hashes" in text and text.rindex("USER vscode") > text.rindex("pip install")


KNOWN = {  # the properties that we use, and their types in the devcontainer specification
    "name": str, "build": dict, "remoteUser": str, "hostRequirements": dict,
    "containerEnv": dict, "customizations": dict,
}  # fmt: skip


def test_devcontainer_json_holds_what_the_specification_names():
    found = settings(".devcontainer/devcontainer.json")
    assert {key: type(value) for key, value in found.items()} == KNOWN
    folder = ROOT / ".devcontainer"
    assert set(found["build"]) <= {"dockerfile", "context", "args", "target", "cacheFrom"}
    assert (folder / found["build"]["dockerfile"]).exists()
    assert (folder / found["build"]["context"]).resolve() == ROOT.resolve()
    assert found["hostRequirements"]["cpus"] == 2
    assert re.fullmatch(r"\d+([tgmk]b)?", found["hostRequirements"]["memory"])
    assert all(isinstance(value, str) for value in found["containerEnv"].values())
    for file in found["customizations"]["codespaces"]["openFiles"]:
        assert (ROOT / file).exists()


def pytest_run(*words, cwd=ROOT, **env):
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def test_pytest_lists_a_node_per_stage_without_numpy_or_torch():
    script = (
        "import sys, pytest\n"
        "class Spy:\n"
        "    def pytest_collection_finish(self, session):\n"
        "        for item in session.items:\n"
        "            print(item.nodeid, *item.location[:2])\n"
        "pytest.main(['--collect-only', '-q', '-p', 'no:cacheprovider', 'labs'], plugins=[Spy()])\n"
        "print('loaded', sorted({'numpy', 'torch'} & set(sys.modules)))\n"
    )
    command = [sys.executable, "-c", script]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout
    assert "loaded []" in shown
    for lab in LABS:
        for number, line, functions in outline.outline(lab.path):
            node = f"{lab.relative}::stage-{number}-{'-'.join(functions)}"
            assert f"{node} {lab.relative} {line - 1}\n" in shown


@pytest.fixture
def workspace(tmp_path):
    """A copy of the workspace with lab 3 alone, stage 2 wrong and the rest as solved."""
    for part in ("checks", "labs", "conftest.py", "pyproject.toml"):
        source = ROOT / part
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tmp_path / part)
    lab = solved(next(lab for lab in LABS if lab.number == 3))
    wrong = lab.splice("merge", "def merge(ids, pair, new_id):\n    return list(ids)")
    (tmp_path / lab.relative).write_text(wrong.text, encoding="utf-8")
    return tmp_path


def test_pytest_judges_stages_and_shows_the_verdict_alone(workspace):
    done = pytest_run("labs/lab_3_bpe.py", "--junitxml=out.xml", cwd=workspace)
    assert done.returncode == 1
    assert "5 passed" in done.stdout and "1 failed" in done.stdout
    assert "error: stage 2: " in done.stdout and "Traceback" not in done.stdout
    assert "lab-3: 5 of 6 done, next: stage 2" in done.stdout
    xml = (workspace / "out.xml").read_text(encoding="utf-8")
    assert 'failures="1"' in xml and 'tests="6"' in xml


def test_pytest_selects_by_the_functions_name(workspace):
    done = pytest_run("labs", "-k", "pair_counts", "-x", cwd=workspace)
    assert done.returncode == 0 and "1 passed" in done.stdout


def test_a_stage_that_is_still_to_write_fails_when_all_are_asked_for():
    assert pytest_run("labs", "-k", "bpe").returncode == 0
    assert pytest_run("labs", "-k", "bpe", "--strict-stages").returncode == 1


def test_a_lab_that_does_not_parse_fails_its_own_nodes_alone(workspace):
    shipped = next(lab for lab in LABS if lab.number == 3).text
    (workspace / "labs" / "lab_9_new.py").write_text(shipped, encoding="utf-8")
    checks = workspace / "checks"
    shutil.copytree(checks / "lab_3_bpe", checks / "lab_9_new")
    broken = workspace / "labs" / "lab_3_bpe.py"
    broken.write_text(broken.read_text(encoding="utf-8") + "\ndef (:\n", encoding="utf-8")
    done = pytest_run("labs/lab_3_bpe.py", "labs/lab_9_new.py", cwd=workspace)
    assert "6 failed, 6 skipped" in done.stdout and "does not parse" in done.stdout
    assert "FAILED labs/lab_9_new.py" not in done.stdout
