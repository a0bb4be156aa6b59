"""The page for instructors holds, and so does a handout made by it."""

import json
import re
import subprocess
import sys
import tomllib

import jsonschema
import pytest
import ruamel.yaml
from check_jsonschema.builtin_schemas import get_builtin_schema

from checks.classroom import grade, handout, points, pool
from checks.runner import command, seal
from checks.runner.lab import NotUsable
from tests.workshop import JUDGES, LABS, ROOT, name, written

PAGE = (ROOT / "docs" / "instructors.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, flags=re.M | re.S)
WORKFLOWS = [text for kind, text in BLOCKS if kind == "yaml"]


def test_nothing_on_the_page_waits_to_be_filled_in():
    assert "@@" not in PAGE and "TODO" not in PAGE


def test_there_are_workflows_on_the_page():
    assert len(WORKFLOWS) == 3


@pytest.mark.parametrize("text", WORKFLOWS, ids=lambda text: text.split("\n")[0])
def test_each_workflow_fits_the_schema_and_pins_its_actions(text):
    found = ruamel.yaml.YAML(typ="safe").load(text)
    jsonschema.validate(found, get_builtin_schema("vendor.github-workflows"))
    used = re.findall(r"uses: (.*)", text)
    ours = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    for one in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", one), one
        assert f"uses: {one}" in ours, f"{one} is not the version that our own workflow uses"
    for job in found["jobs"].values():
        assert job["timeout-minutes"] and "permissions" in found


def test_every_json_and_toml_on_the_page_can_be_read():
    for kind, text in BLOCKS:
        if kind == "json":
            json.loads(text)
        if kind == "toml":
            scheme = tomllib.loads(text)
            assert points.Points(scheme).of("lab-4", 6) == 0
            assert points.Points(scheme).of("lab-4", 5) == 2
            assert points.Points(scheme).of("lab-3", 1) == 1


def test_the_verdict_on_the_page_has_the_fields_of_a_verdict():
    (shown,) = [text for kind, text in BLOCKS if kind == "json" and '"carried"' in text]
    done = subprocess.run(
        [sys.executable, "-m", "checks", "4", "--json"], cwd=ROOT, capture_output=True, text=True
    )
    assert set(json.loads(shown)) == set(json.loads(done.stdout.splitlines()[0]))


def sessions():
    command = [sys.executable, "-m", "nox", "-l"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return set(re.findall(r"^[*-] (\S+)", listed, flags=re.M))


def test_every_session_and_command_that_the_page_names_exists():
    named = re.findall(r"(?:nox|noxfile\.py`?) -s ([\w-]+)", PAGE)
    assert len(named) >= 6 and set(named) <= sessions()
    commands = re.findall(r"-m checks ((?:[^\n`]|\\\n)+)", PAGE)
    assert len(commands) > 4
    for words in (line.replace("\\\n", " ").split() for line in commands):
        usage = command.USAGE
        if words[0] in command.CLASSROOM:
            usage = {"grade": grade.parser(), "handout": handout.parser()}[words[0]].format_help()
        else:
            assert words[0].strip('"').isdigit() or words[0] == '"$lab"' or words[0] in usage
        for option in (word.rstrip(",.") for word in words if word.startswith("--")):
            assert option in usage, option


def test_every_option_that_the_page_names_beside_a_command_exists():
    for option in re.findall(r"`(--[a-z]+)[ `]", PAGE):
        assert option in grade.parser().format_help() + command.USAGE, option


def test_every_way_of_keeping_apart_is_explained():
    for way in pool.WAYS:
        assert f"| `{way}` |" in PAGE


def test_every_link_within_the_page_leads_somewhere():
    heads = {
        re.sub(r"[^\w -]", "", head).strip().lower().replace(" ", "-")
        for head in re.findall(r"^#+ (.*)$", PAGE, flags=re.M)
    }
    links = re.findall(r"\]\(#([\w-]+)\)", PAGE)
    assert links and set(links) <= heads


# A handout.


def handed_out(text):
    """A lab's text as it ends in a handout."""
    return text[: text.index("# %% [markdown]\n# # Solutions")].rstrip("\n") + "\n"


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("class") / "handout"
    done = run(ROOT, "handout", str(folder), "--lab", "3", "4")
    assert done.returncode == 0, done.stderr
    return folder


def run(folder, *words):
    command = [sys.executable, "-m", "checks", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8")


def test_a_handout_holds_stubs_and_no_solution_that_can_be_read(copy):
    texts = {p.name: p.read_text(encoding="utf-8") for p in (copy / "labs").glob("lab_*.py")}
    assert set(texts) == {
        lab.relative.removeprefix("labs/") for lab in LABS if lab.number in (3, 4)
    }
    for text in texts.values():
        assert "solution_" not in text and "# # Solutions" not in text and text.endswith("\n")
    assert not (copy / "tests").exists() and not (copy / "checks" / "lab_5_mini_rag").exists()
    for path in copy.rglob("*"):
        if path.is_file() and "slips" not in path.name and path.suffix != ".png":
            assert not re.search(r"^def solution_", path.read_text(encoding="utf-8"), flags=re.M)


def test_the_readme_of_a_handout_speaks_of_what_is_in_it(copy):
    told, ours = (folder / "README.md" for folder in (copy, ROOT))
    text = told.read_text(encoding="utf-8")
    for link in re.findall(r"\]\((?!http)([^)#]+)", text):
        assert (copy / link).exists(), link
    for pattern, _ in handout.FOR_STUDENTS:
        assert re.search(pattern, ours.read_text(encoding="utf-8")), pattern
        assert not re.search(pattern, text), pattern
    assert "instructors" not in text and "notebooks" not in text and "-s lab-3" in text
    other = handout.readme(ours.read_text(encoding="utf-8"), ["lab_8_on_call.py"], "lab-8")
    assert "-s lab-8" in other and "-s lab-3" not in other and "4 · KV cache" not in other


def test_an_untouched_handout_is_to_do_and_its_reference_passes(copy):
    assert "0 of 6 done" in run(copy, "3").stdout
    assert run(copy, "3", "--reference").stdout.count("passed") == 6
    listed = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "labs"],
        cwd=copy, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert "labs/lab_3_bpe.py::stage-2-merge" in listed
    listed = subprocess.run(
        [sys.executable, "-m", "nox", "-l"], cwd=copy, capture_output=True, text=True
    ).stdout
    assert "* lab-3 ->" in listed and "- tests ->" in listed


def test_a_mistake_in_a_handout_is_named_and_its_stage_can_be_reset(copy):
    lab = next(lab for lab in LABS if lab.number == 4)
    file = copy / lab.relative
    before = file.read_text(encoding="utf-8")
    mine = written(lab, ["kv_rows", "cache_bytes"])
    right = mine.source(mine.definition("kv_rows"))
    assert right.count("prompt_len + n - 1") == 1
    wrong = mine.splice("kv_rows", right.replace("prompt_len + n - 1", "prompt_len + n"))
    file.write_text(handed_out(wrong.text), encoding="utf-8")
    said = run(copy, "4", "5").stdout
    assert "this is what you get when" in said and "python -m checks hint 4 5" in said
    refused = run(copy, "compare", "4", "5", "--give-up")
    assert refused.returncode == 2 and "handed out without solutions" in refused.stderr
    assert run(copy, "reset", "4", "5").returncode == 0
    assert file.read_text(encoding="utf-8").count("raise NotImplementedError") == before.count(
        "raise NotImplementedError"
    )


def test_what_is_for_instructors_is_refused_in_a_handout(copy):
    done = run(copy, "grade", ".")
    assert done.returncode == 2 and "for whoever teaches" in done.stderr


def test_a_folder_that_is_there_is_never_written_into(tmp_path):
    done = run(ROOT, "handout", str(tmp_path))
    assert (
        done.returncode == 2 and "is there already" in done.stderr and not any(tmp_path.iterdir())
    )


@pytest.mark.parametrize("lab", LABS, ids=name)
def test_what_was_written_in_a_lab_is_not_handed_out(lab):
    functions = list(JUDGES[lab.id].owner)
    assert handout.unsolved(written(lab, functions)) == handout.unsolved(lab)
    assert lab.text.startswith(handout.unsolved(lab).rstrip("\n"))


def test_a_sealed_text_comes_back_whatever_happened_to_its_line_ends(tmp_path):
    data = seal.sealed("x = 'é'\n" * 100)
    assert b"x = " not in data and data.isascii()
    path = tmp_path / "lab_3_bpe.sealed"
    path.write_bytes(data.replace(b"\n", b"\r\n"))
    assert seal.opened(str(path)) == "x = 'é'\n" * 100
    path.write_bytes(data[:80])
    with pytest.raises(NotUsable, match="cannot be opened"):
        seal.opened(str(path))
