"""dist/site in headless Chromium, served on loopback under the path that Pages gives it.

What is seen goes to .cache/browser as pictures: the front page and a lab, narrow and wide,
light and dark.
"""

import functools
import http.server
import re
import shutil
import threading
from pathlib import Path

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from tests.editor.driver import CHROMIUM
from tests.workshop import ROOT

SITE = ROOT / "dist" / "site"
SHOTS = ROOT / ".cache" / "browser"
PAGES = sorted(file.name for file in SITE.glob("*.html"))
PHONE, DESKTOP = (390, 844), (1280, 900)
MOST = 500_000  # bytes of the front page with all its pictures, on a screen of double density

TOO_WIDE = """[...document.querySelectorAll('body *')]
  .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('pre, .wide'))
  .map(e => e.outerHTML.slice(0, 90))"""

pytestmark = pytest.mark.skipif(not PAGES, reason="build the site first: nox -s site")


def base() -> str:
    """The path at which the site wants to be served: what its 404 page says, or any."""
    found = re.search(r'<base href="([^"]*)">', (SITE / "404.html").read_text(encoding="utf-8"))
    return found[1] if found else "/a/path/"


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves the site below its base, and writes no log."""

    def translate_path(self, path):
        """The file behind an address; nothing lies outside the base."""
        below = path.removeprefix(base()) if path.startswith(base()) else "nowhere"
        return super().translate_path(f"/{below}")

    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture(scope="module")
def address():
    handler = functools.partial(Quiet, directory=SITE)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}{base()}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        names = ("chromium", "chromium-browser", "google-chrome")
        path = next(filter(None, map(shutil.which, names)), None)
        found = playwright.chromium.launch(executable_path=path, args=CHROMIUM)
        yield found
        found.close()


@pytest.fixture
def visit(browser, address):
    """Open a page in a window of its own; `page.faults` are console errors and foreign requests."""
    contexts = []

    def opened(name, size=DESKTOP, scheme="light", where="", **options):
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.faults = []
        origin = where or address
        page.on("console", lambda m: page.faults.append(m.text) if m.type != "log" else None)
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("requestfailed", lambda r: page.faults.append(f"failed: {r.url}"))
        page.on(
            "request",
            lambda r: None if r.url.startswith(origin) else page.faults.append(f"asked {r.url}"),
        )
        page.goto(f"{origin}{name}")
        return page

    yield opened
    for context in contexts:
        context.close()


def scroll_through(page):
    """Load what is loaded lazily."""
    page.evaluate("document.querySelectorAll('img').forEach(i => { i.loading = 'eager' })")
    page.evaluate("Promise.all([...document.images].map(i => i.decode()))")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_loads_without_a_fault_and_asks_nobody_else(visit, name):
    page = visit(name)
    scroll_through(page)
    assert page.faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(visit, name, scheme):
    page = visit(name, scheme=scheme, bypass_csp=True)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_wider_than_the_window(visit, name):
    page = visit(name)
    scroll_through(page)
    for width in (320, 390, 700, 1100, 1280):
        page.set_viewport_size({"width": width, "height": 844})
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, page.evaluate(TOO_WIDE)


def test_every_link_within_the_site_answers(visit, address):
    seen = set()
    for name in PAGES:
        page = visit(name)
        for link in page.eval_on_selector_all("a[href]", "all => all.map(a => a.href)"):
            if link.startswith(address):
                target, _, anchor = link.partition("#")
                seen.add(target)
                if anchor and target == page.url.partition("#")[0]:
                    assert page.locator(f"[id='{anchor}']").count() == 1, link
    page = visit("index.html")
    for target in sorted(seen):
        assert page.request.get(target).ok, target


@pytest.mark.parametrize("name", ["index.html", "lab-3.html"])
def test_a_notebook_that_is_downloaded_is_one(visit, name, tmp_path):
    page = visit(name)
    links = page.locator("a[download]")
    if not links.count():
        pytest.skip("no notebooks in dist/")
    with page.expect_download() as waiting:
        links.first.click()
    waiting.value.save_as(tmp_path / "lab.ipynb")
    book = nbformat.read(tmp_path / "lab.ipynb", as_version=4)
    nbformat.validate(book)
    assert any("TODO(you)" in cell.source for cell in book.cells)


def test_the_front_page_is_light_in_bytes(visit):
    page = visit("index.html", device_scale_factor=2)
    sizes = []
    page.on("response", lambda answer: sizes.append(len(answer.body())))
    page.reload()
    scroll_through(page)
    assert len(sizes) > 8 and sum(sizes) < MOST, sum(sizes)


def test_the_site_works_from_the_file_system(visit):
    page = visit("index.html", where=f"{SITE.as_uri()}/")
    scroll_through(page)
    assert page.faults == []
    assert page.evaluate("getComputedStyle(document.body).margin") == "0px", "the style is applied"
    page.locator(".card h4 a").first.click()
    assert page.locator("h1").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_follow_the_colour_scheme(visit, scheme):
    page = visit("index.html", scheme=scheme)
    scroll_through(page)
    shown = page.eval_on_selector_all(".card img", "all => all.map(i => i.currentSrc)")
    assert shown and all(f"-{scheme}-" in source for source in shown)


def test_the_first_tab_leads_to_the_content(visit):
    page = visit("index.html")
    page.keyboard.press("Tab")
    skip = page.locator(".skip")
    assert skip.evaluate("e => e === document.activeElement") and skip.bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")


def test_what_scrolls_can_be_reached_by_the_keyboard(visit):
    for name in PAGES:
        page = visit(name, PHONE)
        stuck = page.evaluate(
            "[...document.querySelectorAll('main *')].filter(e => e.scrollWidth > e.clientWidth + 1"
            " && getComputedStyle(e).overflowX === 'auto' && e.tabIndex < 0)"
            ".map(e => e.outerHTML.slice(0, 200))"
        )
        assert stuck == [], name


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("name", ["index", "lab-4"])
def test_pictures_of_the_pages_are_kept_to_look_at(visit, name, size, scheme):
    page = visit(f"{name}.html", size, scheme)
    scroll_through(page)
    SHOTS.mkdir(parents=True, exist_ok=True)
    file = Path(SHOTS, f"{name}-{size[0]}-{scheme}.png")
    page.screenshot(path=file, full_page=True)
    assert file.stat().st_size > 20_000
