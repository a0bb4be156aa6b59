"""Files and functions stay short enough to be read at one sitting; a lab is as long as it is."""

import ast

import pytest

from tests.workshop import ROOT

LINES, FUNCTION = 400, 60
FILES = sorted(
    path
    for top in ("checks", "publish", "tests", "noxfile.py", "conftest.py")
    for path in ([ROOT / top] if top.endswith(".py") else (ROOT / top).rglob("*.py"))
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_file_and_no_function_is_too_long(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LINES, "cut it by theme"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            long = node.end_lineno - node.lineno + 1
            assert long <= FUNCTION, f"{node.name} at line {node.lineno} has {long} lines"


def test_all_rooms_are_looked_at():
    rooms = {path.relative_to(ROOT).parts[0] for path in FILES}
    assert rooms == {"checks", "publish", "tests", "noxfile.py", "conftest.py"}
    assert len(FILES) > 100
