"""The faces agree with labs/: the editor's lists, the sessions, the README, CI."""

import json
import re
import subprocess
import sys

import jsonschema
import jupytext
import pytest
from check_jsonschema.builtin_schemas import get_builtin_schema

from checks.runner.progress import tracks
from tests.workshop import LABS, ROOT, name, settings

# The two regexes by which the Jupyter extension of VS Code splits a file, line by line.
CELL = re.compile(r"^(#\s*%%|#\s*\<codecell\>|#\s*In\[\d*?\]|#\s*In\[ \])")
MARKDOWN = re.compile(r"^(#\s*%%\s*\[markdown\]|#\s*\<markdowncell\>)")


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


def test_a_task_ends_with_zero_whatever_the_verdict_so_that_no_launch_seems_to_have_failed():
    for task in settings(".vscode/tasks.json")["tasks"]:
        assert ("--task" in task["args"]) is not task.get("isBackground", False)
    for words in (["3", "1"], ["3", "99"]):
        command = [sys.executable, "-m", "checks", *words]
        plain = subprocess.run(command, cwd=ROOT, capture_output=True)
        task = subprocess.run([*command, "--task"], cwd=ROOT, capture_output=True)
        assert plain.returncode > 0 == task.returncode
        assert (task.stdout, task.stderr) == (plain.stdout, plain.stderr)


@pytest.mark.parametrize("lab", LABS, ids=name)
def test_the_problem_matcher_reads_the_first_line(lab):
    task = settings(".vscode/tasks.json")["tasks"][0]
    pattern = re.compile(task["problemMatcher"]["pattern"]["regexp"])
    found = pattern.match(f"{lab.relative}:12:5: error: stage 2: it: is wrong [lab-3/stage-2]")
    assert found and found.groups() == (
        lab.relative, "12", "5", "error", "stage 2: it: is wrong", "lab-3/stage-2",
    )  # fmt: skip


def test_the_sessions_that_ci_picks_out_are_the_labs():
    command = [sys.executable, "-m", "nox", "--json", "-l", "-k", "lab"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    sessions = [row["session"] for row in json.loads(listed)]
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    (pattern,) = re.findall(r'nox --json -l -k lab \| jq -c .*select\(test\("(.+)"\)\)', workflow)
    others = ["jupyterlab", "lab", "labs", "lab-3-notebook", "collab-3", "lab-x"]
    picked = [name for name in [*sessions, *others] if re.search(pattern, name)]
    assert picked == [lab.id for lab in LABS]


def test_the_table_of_the_readme_names_every_lab_in_the_suggested_orders():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[?(\d+) · ([^\]|]+?)\]?(?:\(.*?\))? \|", text, flags=re.M)
    wanted = [n for _, numbers in tracks() for n in numbers]
    titles = {lab.number: lab.title for lab in LABS}
    have = {number for number, _ in rows}
    track = {n: track for track, numbers in tracks() for n in numbers}
    paste = "".join(
        f"\n| [{lab.number} · {lab.title}]({lab.relative}) | {track[lab.number]} | {built(lab)} |"
        for lab in LABS
        if str(lab.number) not in have
    )
    assert rows == [(str(n), titles[n]) for n in wanted], f"paste into README.md:{paste}"


def built(lab):
    """What one builds in a lab, from its card."""
    return lab.text.partition("**You build** ")[2].partition("\n")[0]


def test_every_lab_stands_in_one_track():
    named = [n for track, numbers in tracks() for n in numbers if track != "more"]
    for number in sorted({lab.number for lab in LABS} - set(named)):
        raise AssertionError(f"labs/orders.toml: put {number} into one of the tracks")
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


WORKFLOWS = sorted(
    file.relative_to(ROOT).as_posix() for file in (ROOT / ".github" / "workflows").glob("*.yml")
)


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
    "containerEnv": dict, "otherPortsAttributes": dict, "customizations": dict,
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


def test_the_places_that_the_readme_shows_are_those_of_the_labs():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    lab = next(lab for lab in LABS if lab.number == 4)
    shown = re.findall(rf"{lab.relative}:(\d+):", text) + re.findall(r"fix line (\d+)", text)
    assert len(shown) == 3 and {*shown} == {str(lab.definition("kv_rows").name_line)}
