"""The front page: every word from the labs' own files, every link leads somewhere, no solution.

The pictures come from a stub here; `nox -s site` runs every lab, and one small lab runs below.
"""

import io
import json
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from urllib.parse import unquote

import jupytext
import pytest
from PIL import Image

from checks.runner.progress import tracks
from publish import remote
from publish.site import build, labs, paper, solved, strength, text
from publish.site.repository import Repository, is_github
from tests import ninth_lab
from tests.pages import Page
from tests.workshop import JUDGES, LABS, ROOT, name, written

GITHUB = Repository("https://github.com/some-one/my.labs", "abc1234", "2026-11-24", "notebooks")
STRENGTH = [
    {
        "lab": lab.id, "stage": 1, "title": lab.stages[1].title, "slips": 9, "rejected": 9,
        "diagnosed": 9, "right": 3, "accepted": 3, "mutants": 1000, "killed": 999,
        "equivalent": 2, "alive": ["x"], "seconds": 1.0,
    }
    for lab in LABS
]  # fmt: skip
INSTRUCTORS = """# For those who teach

See [lab 3](../labs/lab_3_bpe.py), [the guide](../CONTRIBUTING.md#the-house), [this](#grading)
and [Python](https://www.python.org/).

## Grading

| what | how |
|:--|--:|
| a stage | `nox -s lab-3 -- 1` |
"""


def drawn(lab):
    """Stands in for a run: each cell prints a line, and each that plots shows a grey picture."""
    out = io.BytesIO()
    Image.new("RGBA", (60, 40), "#888").save(out, "webp")
    picture = solved.Picture([(60, 40, out.getvalue())], [(60, 40, out.getvalue())])
    words = {"title": "", "x": "steps", "y": "loss (nats)", "legend": ["a", "b"], "scale": False}
    cells = jupytext.reads(lab.text, fmt="py:percent").cells
    figures = [
        [solved.Figure(picture, [picture], [words])] * cell.source.count("plt.show()")
        for cell in cells
    ]
    return solved.Run([solved.Output("printed", figure) for figure in figures], 9.0)


def made(to, repository, dist):
    """A site in `to`, and its pages by name."""
    guide = dist / "instructors.md"
    site = build.Site(to, repository, run=drawn, dist=dist, instructors=guide)
    return {file.name: Page(file) for file in site.build()}


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    """What other sessions leave in dist/: a strength card and notebooks."""
    folder = tmp_path_factory.mktemp("dist")
    (folder / "strength.json").write_text(json.dumps(STRENGTH), encoding="utf-8")
    (folder / "instructors.md").write_text(INSTRUCTORS, encoding="utf-8")
    (folder / "bench.json").write_text("{}", encoding="utf-8")
    (folder / "bench.md").write_text("# Speed\n\n![lines](bench/lines.png)\n", encoding="utf-8")
    (folder / "bench").mkdir()
    Image.new("RGB", (30, 20)).save(folder / "bench" / "lines.png")
    for lab in LABS[:-1]:
        (folder / f"{lab.stem}.ipynb").write_text("{}", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory, dist):
    return made(tmp_path_factory.mktemp("site"), GITHUB, dist)


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A clone without a remote, in which nothing but the site was built."""
    return made(tmp_path_factory.mktemp("bare"), Repository(), tmp_path_factory.mktemp("none"))


@pytest.fixture(params=["site", "bare"])
def pages(request):
    return request.getfixturevalue(request.param)


def test_every_link_and_every_anchor_within_the_site_resolves(pages):
    for page in pages.values():
        assert len(page.ids) == len(set(page.ids)), page.file.name
        wanted = [a["href"] for a in page.all("a") + page.all("link")]
        wanted += [image["src"] for image in page.all("img")]
        for tag in page.all("img") + page.all("source"):
            wanted += [part.split()[0] for part in tag.get("srcset", tag.get("src", "")).split(",")]
        for address in wanted:
            if "://" not in address:
                path, _, anchor = unquote(address).partition("#")
                target = page.file.parent / path if path else page.file
                assert target.is_file(), f"{page.file.name}: {address}"
                assert not anchor or anchor in pages[target.name].ids, (
                    f"{page.file.name}: {address}"
                )
                assert not address.startswith("/"), "the site may be served under any path"


def test_nothing_is_loaded_from_elsewhere_and_there_is_no_script(pages):
    style = (ROOT / "publish" / "site" / "style.css").read_text(encoding="utf-8")
    assert "url(" not in style and "@import" not in style and "@font-face" not in style
    for page in pages.values():
        assert {tag for tag, _ in page.tags}.isdisjoint(
            {"script", "iframe", "object", "form", "style"}
        )
        for tag, attributes in page.tags:
            assert not any(key.startswith("on") or key == "style" for key in attributes), tag
            for key in ("src", "srcset", "data", "poster", "action", "background"):
                assert "//" not in attributes.get(key, ""), f"{page.file.name}: {tag} {key}"
        assert all("//" not in link["href"] for link in page.all("link"))
        (policy,) = [m["content"] for m in page.all("meta") if "http-equiv" in m]
        assert policy.startswith("default-src 'none'; img-src 'self'; style-src 'self';")


def test_no_page_holds_a_line_that_only_a_solution_has(pages):
    shown = {line.strip() for page in pages.values() for line in page.text.split("\n")}
    above = {line.strip() for lab in LABS for line in lab.lines[: lab.divider - 1]}
    for lab in LABS:
        for solution, found in lab.definitions.items():
            if solution.startswith("solution_"):
                for source in (
                    lab.source(found[-1]),
                    lab.source(found[-1]).replace("solution_", ""),
                ):
                    lines = {line.strip() for line in source.split("\n")}
                    secret = {line for line in lines - above if len(line) > 12}
                    assert not secret & shown, f"{lab.id}: {secret & shown}"
    assert not any("solution_" in page.text for page in pages.values())


@pytest.mark.parametrize("lab", LABS, ids=name)
def test_a_function_that_was_written_here_is_shown_as_its_stub(lab):
    mine = written(lab, list(JUDGES[lab.id].owner))
    mine.text = mine.text.replace("\n# check_stage", "\ncheck_stage")
    mine.lines = mine.text.split("\n")
    shipped = labs.shipped(lab, JUDGES[lab.id])
    assert shipped.strip() in lab.text and shipped.count("# TODO(you)") >= len(lab.stages)
    assert labs.shipped(mine, JUDGES[lab.id]) == shipped


def test_every_lab_has_a_card_and_a_page_in_the_suggested_orders(pages):
    front = pages["index.html"]
    cards = [tag["id"] for tag in front.all("li") if tag.get("class") == "card"]
    assert cards == [f"lab-{number}" for _, numbers in tracks() for number in numbers]
    assert {f"{lab.id}.html" for lab in LABS} <= set(pages)
    shown = " ".join(front.text.split())
    for track, numbers in tracks():
        assert f"{track.capitalize()} {' → '.join(map(str, numbers))}" in shown
    first = labs.orders()["interview"]["first"]
    titles = {lab.number: lab.title for lab in LABS}
    wanted = ", then ".join(f"{number} · {titles[number]}" for number in first)
    assert f"For an interview on ML systems: {wanted}. The others" in shown


@pytest.mark.parametrize("lab", LABS, ids=name)
def test_the_words_of_a_card_are_those_of_the_lab(lab, site):
    card = labs.read(lab.path).card
    assert {"You build", "Concepts", "Pairs with", "Time"} <= set(card)
    for page in (site["index.html"], site[f"{lab.id}.html"]):
        shown = " ".join(page.text.split())
        for label, said in card.items():
            words = " ".join(re.sub(r"[*`]", "", said).split())
            assert f"{label} {words}" in shown or f"{label}{words}" in shown, words


@pytest.mark.parametrize("lab", LABS, ids=name)
def test_a_labs_page_holds_every_stage_stub_check_and_plot(lab, site):
    page = site[f"{lab.id}.html"]
    assert [i for i in page.ids if re.fullmatch(r"stage-\d+", i)] == [
        f"stage-{n}" for n in lab.stages
    ]
    for stage in lab.stages.values():
        assert (2, f"Stage {stage.number} · {stage.title}".replace("`", "")) in page.headings
    above = "\n".join(lab.lines[: lab.divider - 1])
    assert page.text.count("# TODO(you)") == above.count("# TODO(you)")
    assert page.text.count("# check_stage") == above.count("# check_stage")
    assert len(page.all("img")) == above.count("plt.show()")
    assert "$" not in page.prose, "a formula was not read"


def test_headings_descend_by_one_and_pictures_have_sizes_and_words(pages):
    for page in pages.values():
        levels = [level for level, _ in page.headings]
        assert levels[0] == 1 and levels.count(1) == 1, page.file.name
        assert all(b <= a + 1 for a, b in pairwise(levels)), page.file.name
        assert page.all("html")[0]["lang"] == "en" and len(page.all("main")) == 1
        for image in page.all("img"):
            assert image["alt"] and image["width"].isdigit() and image["height"].isdigit()
    assert pages["lab-3.html"].all("img")[0]["alt"] == "Plot. loss (nats) over steps. Legend: a; b."


def test_the_verdict_on_the_front_page_is_what_the_command_says(pages, tmp_path):
    front = " ".join(pages["index.html"].text.split())
    assert (
        "this is what you get when the cached way feeds the last new token, which nobody" in front
    )
    assert "got (9152, 136) expected (9152, 135)" in front


def test_without_a_remote_there_is_no_address_at_all(bare):
    for page in bare.values():
        assert not [a for a in page.all("a") if "://" in a["href"]]
        assert not [a for a in page.all("a") if "download" in a]
    assert "git clone" not in bare["index.html"].text
    assert {"checks.html", "speed.html", "instructors.html"}.isdisjoint(bare)


@pytest.mark.parametrize(
    "origin",
    [
        "git@github.com:some-one/my.labs.git", "ssh://git@github.com/some-one/my.labs.git",
        "https://github.com/some-one/my.labs", "https://token:x@github.com/some-one/my.labs.git",
    ],
)  # fmt: skip
def test_a_github_remote_is_read_in_every_form(origin):
    address = remote.on_the_web(origin)
    assert address == GITHUB.address and is_github(address)


@pytest.mark.parametrize("origin", ["", "../labs", "/srv/labs.git", "https://example.org/a/b"])
def test_any_other_remote_gives_no_buttons(origin):
    assert not is_github(remote.on_the_web(origin))


def test_the_buttons_lead_to_this_repository(site):
    front, page = site["index.html"], site["lab-3.html"]
    codespaces = "https://codespaces.new/some-one/my.labs?quickstart=1"
    assert set(front.link("codespaces")) == set(page.link("codespaces")) == {codespaces}
    colab = (
        "https://colab.research.google.com/github/some-one/my.labs/blob/notebooks/lab_3_bpe.ipynb"
    )
    assert page.link("colab") == [colab] and colab in front.link("colab")
    assert page.link("/blob/HEAD/") == [f"{GITHUB.address}/blob/HEAD/labs/lab_3_bpe.py"]
    assert "lab_3_bpe.ipynb" in page.link(".ipynb")
    last = site[f"{LABS[-1].id}.html"]
    assert not last.link("ipynb"), "no notebook was built of it"


def test_colab_is_offered_only_where_a_branch_holds_the_notebooks():
    assert Repository(GITHUB.address).colab("lab_3_bpe.ipynb") == ""
    assert Repository(notebooks="notebooks").colab("lab_3_bpe.ipynb") == ""


def test_the_404_page_knows_where_the_site_is_served(site, bare):
    assert site["404.html"].all("base") == [{"href": "/my.labs/"}]
    assert bare["404.html"].all("base") == []
    assert Repository("https://github.com/me/Me.github.io").base == "/"


def test_the_instructors_page_leads_on_within_the_site_or_to_the_repository(site):
    page = site["instructors.html"]
    assert "lab-3.html" in page.link("lab-3") and "#grading" in page.link("#grading")
    assert page.link("CONTRIBUTING") == [f"{GITHUB.address}/blob/HEAD/CONTRIBUTING.md#the-house"]
    assert "https://www.python.org/" in page.link("python")
    assert all("instructors.html" in other.link("instructors")[0] for other in site.values())


def test_the_strength_page_shows_the_measured_figures(site):
    shown = " ".join(site["checks.html"].text.split())
    labs_ = len(LABS)
    assert f"{9 * labs_} of {9 * labs_}" in shown and "(99.9 %)" in shown
    assert len(site["checks.html"].all("caption")) == labs_
    assert "checks reject 99.9 %" in " ".join(site["index.html"].text.split())


def test_the_speed_page_shows_what_the_bench_wrote_with_its_pictures(site):
    page = site["speed.html"]
    (image,) = page.all("img")
    assert image["src"] == "bench-lines.png" and image["alt"] == "lines"
    assert (image["width"], image["height"]) == ("30", "20")


def test_a_strength_card_may_say_when_and_where_it_was_measured(tmp_path):
    file = tmp_path / "strength.json"
    assert strength.read(file) is None
    file.write_text(json.dumps({"date": "2026-11-24", "machine": "2 cores", "rows": STRENGTH}))
    card = strength.read(file)
    assert card and card.date == "2026-11-24" and card.total["slips"] == 9 * len(LABS)


def test_a_formula_is_mathml_and_keeps_its_latex():
    shown = text.Prose().html("The loss is $\\ln 4$:\n\n$$L = \\frac{1}{B}\\sum_b z_b$$")
    assert shown.count("<math ") == 2 and 'alttext="\\ln 4"' in shown
    assert "<mfrac>" in shown and 'class="formula"' in shown and "$" not in shown


@pytest.mark.parametrize("lab", LABS, ids=name)
def test_no_command_of_a_formula_is_left_unread(lab):
    for cell in labs.read(lab.path).cells:
        if cell.kind == "text":
            formulas = re.findall(r"<math .*?</math>", text.Prose().html(cell.source), flags=re.S)
            shown = [re.sub(r"<[^>]*>", "", formula) for formula in formulas]
            assert not [formula for formula in shown if "\\" in formula]


def test_a_long_formula_in_a_line_scrolls_with_what_closes_it_and_floor_division_is_one_sign():
    shown = text.Prose().inline(r"so $q, k, v = xW_q,\ xW_k,\ xW_v + 0 + 0 + 0$, and $h // g$.")
    assert shown.count('<span class="formula" tabindex="0"') == 1
    assert "</math>\u2060,</span> and" in shown and "<mo>//</mo>" in shown


def test_a_table_scrolls_within_itself_and_has_no_empty_heading_and_no_style():
    shown = text.Prose().html("| a | |\n|--:|---|\n| 1 | 2 |")
    assert '<th class="right">a</th>' in shown and "<td></td>" in shown and "style" not in shown
    assert '<div class="wide" tabindex="0"' in shown


def test_dark_paper_recolours_a_figure_and_gives_its_colours_back():
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.subplots(1, 2)
    axes[0].plot([1, 2], [1, 3], marker="o", label="line")
    axes[0].set(xlabel="steps", ylabel="loss", title="left")
    axes[0].legend()
    axes[1].scatter([1, 2], [3, 4], color="tab:orange")
    axes[1].bar([1, 2], [1, 2], color="lightgray")
    before = paper.png(figure)
    found = paper.bundle(figure)
    assert paper.png(figure) == before == found["light"] != found["dark"]
    assert len(found["cards"]) == 2
    words = {"title": "left", "x": "steps", "y": "loss", "legend": ["line"], "scale": False}
    assert found["words"][0] == words


@pytest.mark.parametrize("colour", ["black", "gray", "tab:blue", "tab:red", "darkgreen", "k"])
def test_what_is_drawn_dark_on_light_is_light_on_dark(colour):
    red, green, blue, _ = paper.on_dark(colour)
    assert 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.35


def test_a_ninth_lab_is_picked_up_and_really_run(tmp_path):
    shutil.copytree(ROOT / "publish", tmp_path / "publish")
    shutil.copytree(ROOT / "checks" / "runner", tmp_path / "checks" / "runner")
    for file in (
        "checks/__init__.py",
        "checks/expect.py",
        "checks/values.py",
        "labs/orders.toml",
        "requirements.lock",
    ):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    ninth_lab.begin(tmp_path)
    command = [sys.executable, "-m", "publish.site"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    front = Page(tmp_path / "dist" / "site" / "index.html")
    assert "More 9" in " ".join(front.text.split()) and "You build one function." in front.text
    assert "Predict first: is it a straight line?" in front.text
    page = Page(tmp_path / "dist" / "site" / "lab-9.html")
    assert "four points" in page.text and "return 2 * x" not in page.text
    (image,) = page.all("img")
    assert image["alt"] == "Plot. twice x over x."
    for dark in (False, True):
        kept = next(
            (tmp_path / "dist" / "site").glob(f"lab-9-1-{'dark' if dark else 'light'}-*.webp")
        )
        assert Image.open(kept).width > 500
    assert len(list((tmp_path / ".cache" / "site").glob("*.json"))) == 1
