"""The option of the editor's session, what it measured, and the window as it was at a failure."""

from collections.abc import Generator

import pytest

from tests.editor import install
from tests.editor.driver import MEASURED

SCREENS = install.ROOT / "dist" / "editor"


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--picture`: renew docs/squiggle.png, which the README shows."""
    parser.addoption("--picture", action="store_true", help="renew the picture of the README")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport]:
    """A picture of the window where a test failed, for somebody who was not there."""
    report = yield
    editor = getattr(item, "funcargs", {}).get("editor")
    if report.failed and report.when == "call" and editor is not None:
        SCREENS.mkdir(parents=True, exist_ok=True)
        path = SCREENS / f"{item.name}.png".replace("/", "-")
        editor.page.screenshot(path=path)
        report.sections.append(("the window", str(path)))
    return report


def pytest_terminal_summary(terminalreporter) -> None:
    """What was measured on the way."""
    for line in MEASURED:
        terminalreporter.write_line(line)
