"""The option of the editor's session, and the figures that it measured."""

import pytest

MEASURED: list[str] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--picture`: renew docs/squiggle.png, which the README shows."""
    parser.addoption("--picture", action="store_true", help="renew the picture of the README")


def pytest_terminal_summary(terminalreporter) -> None:
    """What was measured on the way."""
    for line in MEASURED:
        terminalreporter.write_line(line)
