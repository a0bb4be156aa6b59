"""A lab read cell by cell, with what was kept of it, is the lab read anew as a whole."""

import random
import re
import shutil

import pytest

from checks.runner.lab import Lab, NotUsable
from tests.workshop import LABS, name, solved


def positions(code):
    """All that a traceback can tell: each instruction's place, and the same of inner code."""
    inner = [positions(const) for const in code.co_consts if hasattr(const, "co_code")]
    return code.co_code, code.co_names, list(code.co_positions()), inner


def shown(lab):
    """Everything that a lab knows of its text."""
    found = {}
    for label, every in lab.definitions.items():
        packed = [definition.pack() for definition in every]
        found[label] = [(*one[:-1], *one[-1][:3], positions(one[-1][3])) for one in packed]
    return found, lab.cell_names, {n: (s.title, s.line, s.end) for n, s in lab.stages.items()}


@pytest.fixture
def saved(tmp_path):
    """A folder of labs; `saved(lab, text)` writes one of them and reads it, as a check does."""
    (tmp_path / "labs").mkdir()

    def save(lab, text):
        path = tmp_path / "labs" / f"{lab.stem}.py"
        path.write_text(text, encoding="utf-8")
        return Lab(str(path))

    return save


def is_as_read_anew(lab):
    return shown(lab) == shown(Lab(lab.path, lab.text))


def edited(text, rng):
    """The text after one edit: a line or a cell put in, taken out, moved, doubled or changed."""
    lines, cells = text.split("\n"), text.split("\n# %%")
    at = rng.randrange(len(lines))
    one, two = rng.randrange(1, len(cells)), rng.randrange(1, len(cells))
    kind = rng.choice(("line", "cut", "word", "cell", "swap", "twice"))
    if kind == "line":
        lines.insert(at, rng.choice(["", "# a line", "x = 1", "    pass", "LIMIT = 3"]))
    elif kind == "cut":
        del lines[at : at + rng.randrange(1, 4)]
    elif kind == "word":
        lines[at] = re.sub(r"\b(ids|x|q|k|pair)\b", "other", lines[at])
    elif kind == "cell":
        lines[at:at] = ["# %%", "def more(a):", "    return a", ""]
    elif kind == "swap":
        cells[one], cells[two] = cells[two], cells[one]
        return "\n# %%".join(cells)
    else:
        cells.insert(one, cells[two])
        return "\n# %%".join(cells)
    return "\n".join(lines)


@pytest.mark.parametrize("lab", LABS, ids=name)
def test_after_any_edit_a_lab_is_what_it_is_when_read_anew(saved, lab):
    rng = random.Random(lab.number)
    text, read = solved(lab).text, 0
    assert is_as_read_anew(saved(lab, text)) and is_as_read_anew(saved(lab, text))
    for _ in range(10):
        new = edited(text, rng)
        try:
            Lab(lab.path, new).verify()
        except NotUsable as no:
            with pytest.raises(NotUsable, match=re.escape(no.message)):
                saved(lab, new)
            continue
        text, read = new, read + 1
        assert is_as_read_anew(saved(lab, text))
    assert read > 3


@pytest.mark.parametrize(
    "text",
    [
        "# %%\nif LIMIT:\n    A = 1\n# %%\nelse:\n    B = 2\n",
        'TEXT = """\n# %%\nA = 1\n# %%\n"""\n',
        "from __future__ import annotations\n# %%\ndef f(x: Unknown):\n    return x\n",
        "# %%\n\n# %%\n\n# %%\nA, b = 1, 2\n",
        "",
    ],
    ids=["a statement over two cells", "a marker in a string", "future", "empty cells", "nothing"],
)
def test_what_does_not_keep_to_cells_is_read_as_a_whole(saved, text):
    for _ in range(2):
        assert is_as_read_anew(saved(LABS[0], text))


def test_a_changed_solution_changes_the_contract_of_its_stub(saved):
    lab = LABS[0]
    own, theirs = (f"# %%\ndef {name}(x):\n    return x\n" for name in ("f", "solution_f"))
    text = f"{own}# %%\n# # Solutions\n{theirs}"
    assert not saved(lab, text).definition("f").problem
    assert saved(lab, text.replace("solution_f(x)", "solution_f(x, y)")).definition("f").problem
    assert not saved(lab, text.replace("def solution_f", "def f_solved")).definition("f").problem


def test_only_the_cell_that_changed_is_parsed_again(saved, monkeypatch):
    from checks.runner import cells

    lab = solved(LABS[0])
    saved(lab, lab.text)
    parsed = []
    monkeypatch.setattr(
        cells, "_parsed", lambda *args, real=cells._parsed: parsed.append(args[1]) or real(*args)
    )
    saved(lab, lab.text)
    assert parsed == []
    definition = lab.definition(next(iter(lab.stages.values())) and "Tower")
    lines = [
        *lab.lines[: definition.end - 1],
        "        # one line more",
        *lab.lines[definition.end - 1 :],
    ]
    saved(lab, "\n".join(lines))
    assert len(parsed) == 1


def test_what_is_kept_of_another_path_or_half_written_is_not_used(saved, tmp_path):
    lab = LABS[0]
    first = saved(lab, lab.text)
    (kept,) = (tmp_path / "labs" / "__pycache__").iterdir()
    moved = tmp_path / "elsewhere"
    shutil.move(tmp_path / "labs", moved)
    there = Lab(str(moved / f"{lab.stem}.py"))
    assert there.definition("Tower").facts[3].co_filename == there.path != first.path
    kept = moved / "__pycache__" / kept.name
    whole = kept.read_bytes()
    for broken in (b"", whole[:-1], whole[: len(whole) // 2], b"x" * 40):
        kept.write_bytes(broken)
        assert is_as_read_anew(Lab(there.path))
