"""A pytest node per stage: on the command line, and in the Testing panel of VS Code.

The panel's adapter is a pytest plugin of the Python extension. It reads a few attributes of
items and reports and knows nothing of stages; the tests below hold what it reads.
"""

import json
import shutil
import subprocess
import sys

import pytest

from checks.runner import outline
from tests.workshop import LABS, ROOT

LAB = next(lab for lab in LABS if lab.number == 3)


def pytest_run(*words, cwd=ROOT):
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


SPY = """
import json, os, sys
import pytest

class Spy:
    told = {"items": [], "reports": [], "errors": []}

    def pytest_collection_finish(self, session):
        for item in session.items:
            self.told["items"].append({
                "name": item.name, "id": item.nodeid, "path": str(item.path),
                "line": item.location[1], "markers": len(item.own_markers),
                "file": isinstance(item.parent, pytest.File) and str(item.parent.path),
                "cases": hasattr(item, "callspec"), "within": os.path.relpath(item.path),
            })

    def pytest_exception_interact(self, node, call, report):
        self.told["errors"].append([node.nodeid, report.longreprtext])

    def pytest_report_teststatus(self, report):
        self.told["reports"].append(
            [report.nodeid, report.when, report.outcome, report.longreprtext]
        )

spy = Spy()
status = pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:]], plugins=[spy])
print("TOLD " + json.dumps({**spy.told, "status": int(status)}))
"""


def told(folder, *words):
    """What a plugin sees of a run in `folder`: items, reports, exceptions, the exit status."""
    command = [sys.executable, "-c", SPY, f"--rootdir={folder}", *words]
    shown = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    return json.loads(shown.rpartition("TOLD ")[2])


def panel_id(folder, item):
    """The adapter's id of a node: the whole path as opened, and what follows the first `::`."""
    return "::".join([str(folder / item["within"]), *item["id"].split("::")[1:]])


@pytest.fixture(params=["folder", "link"])
def opened(request, workspace, tmp_path_factory):
    """The workspace as it was opened: by its own path, or through a symbolic link."""
    if request.param == "folder":
        return workspace
    link = tmp_path_factory.mktemp("link") / "labs of mine"
    try:
        link.symlink_to(workspace, target_is_directory=True)
    except OSError:
        pytest.skip("this system lets nobody make a symbolic link")
    return link


def test_the_panel_can_place_every_stage_in_its_tree(opened):
    found = told(opened, "--collect-only", "labs")
    assert (found["status"], found["errors"]) == (0, [])
    lines = {(lab.relative, n): line for lab in LABS for n, line, _ in outline.outline(lab.path)}
    assert len(found["items"]) == len(lines)
    for item in found["items"]:
        assert item["path"] == item["file"] and item["within"].startswith("labs")
        assert not item["cases"] and not item["markers"] and "[" not in item["name"]
        assert item["id"].endswith(f"::{item['name']}") and item["id"].count("::") == 1
        place = item["within"], int(item["name"].split("-")[1])
        if place[0] != LAB.relative:  # lab 3 is solved in the copy, and has other lines
            assert item["line"] + 1 == lines[place]
    assert len({panel_id(opened, item) for item in found["items"]}) == len(lines)


def test_the_panel_runs_what_it_named_and_learns_how_each_went(opened):
    items = told(opened, "--collect-only", LAB.relative)["items"]
    stub = LAB.source(LAB.definition("train"))
    file = opened / LAB.relative
    text = file.read_text(encoding="utf-8")
    start = text.index("def train(")
    file.write_text(text[:start] + stub + text[text.index("\n\n\n", start) :], encoding="utf-8")
    found = told(opened, *[panel_id(opened, item) for item in items[:3]])
    names = [item["name"] for item in items[:3]]
    assert [item["name"] for item in found["items"]] == names
    outcomes = {
        node.partition("::")[2]: (out, text)
        for node, when, out, text in found["reports"]
        if when == "call"
    }
    right, wrong, open_ = (outcomes[name] for name in names)
    assert right == ("passed", "")
    assert wrong[0] == "failed" and wrong[1].startswith(f"{LAB.relative}:{items[1]['line'] + 1}:5:")
    assert "  next       fix line" in wrong[1] and "Traceback" not in wrong[1]
    assert open_[0] == "skipped" and "still to write" in open_[1]


def test_the_panel_keeps_the_nodes_of_a_file_that_does_not_parse(workspace):
    before = told(workspace, "--collect-only", LAB.relative)["items"]
    file = workspace / LAB.relative
    broken = file.read_text(encoding="utf-8").replace("return list(ids)", "return list(ids", 1)
    file.write_text(broken, encoding="utf-8")
    found = told(workspace, "--collect-only", LAB.relative)
    assert (found["items"], found["errors"], found["status"]) == (before, [], 0)
    found = told(workspace, panel_id(workspace, before[1]))
    assert {out for _, when, out, _ in found["reports"] if when == "call"} == {"failed"}
    ((_, message),) = found["errors"]
    assert "does not parse" in message and f"{LAB.relative}:{before[1]['line'] + 2}:" in message
