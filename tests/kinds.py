"""The kinds of hand-in: a function writes one at its desk, and says what is known of it."""

from __future__ import annotations

import sys
from collections.abc import Callable

import jupytext
import nbformat

from checks.runner.lab import Lab
from tests.desk import (
    CRASHED,
    FAILED,
    MARK,
    MISSING,
    PASSED,
    TIMEOUT,
    TODO,
    UNUSABLE,
    WRONG,
    Desk,
    Known,
)
from tests.workshop import JUDGES, SLIPS, answers, solved, with_answer, with_slip

LINUX = sys.platform.startswith("linux")


def right(desk: Desk) -> Known:
    desk.write(solved(desk.lab).text)
    return desk.known()


def unusual_but_right(desk: Desk) -> Known:
    answer = desk.rng.choice(answers(desk.lab))
    stage, lab = answer[0], with_answer(desk.lab, answer)
    desk.write(lab.text)  # what other stages make of, say, a list for an array is their own affair
    return _any_stage(desk.known(), lab, PASSED | WRONG).but(lab, stage, PASSED)


def slip(desk: Desk) -> Known:
    lab, one = desk.rng.choice([(lab, s) for lab, s in SLIPS if lab is desk.lab])
    desk.write(with_slip(lab, one).text)
    stage = JUDGES[lab.id].owner[one.function]
    meanings = one.meaning if not one.twin else ""
    return desk.known().but(lab, stage, WRONG, meanings)


def untouched(desk: Desk) -> Known:
    desk.write(desk.lab.text)
    return desk.known(TODO, "still to write")


def half_done(desk: Desk) -> Known:
    stages = sorted(desk.lab.stages)
    last = desk.rng.choice(stages[:-1])
    lab, known = desk.lab, desk.known()
    for name, stage in JUDGES[lab.id].owner.items():
        if stage <= last:
            lab = lab.splice(name, solved(desk.lab).source(solved(desk.lab).definition(name)))
    desk.write(lab.text)
    for stage in stages:
        if stage > last:
            known.but(desk.lab, stage, TODO)
    return known


def broken(desk: Desk) -> Known:
    bad = desk.rng.choice(["def (:", "return 1", "x = '", "((((" * 300, "if True:\nprint(1)"])
    desk.write(f"{solved(desk.lab).text}\n{bad}")
    return desk.known(UNUSABLE, "does not parse")


def endless(desk: Desk) -> Known:
    text, stage = desk.doing("while True: pass")
    desk.write(text)
    return desk.known().but(desk.lab, stage, TIMEOUT, "still running after")


def crlf(desk: Desk) -> Known:
    desk.write(solved(desk.lab).text.replace("\n", "\r\n"))
    return desk.known()


def with_mark(desk: Desk) -> Known:
    desk.write(solved(desk.lab).text, encoding="utf-8-sig")
    return desk.known()


def renamed(desk: Desk) -> Known:
    name, stage = desk.function()
    lab = solved(desk.lab)
    source = lab.source(lab.definition(name)).replace(f"def {name}(", f"def my_{name}(")
    desk.write(lab.splice(name, source).text)
    return desk.known().but(desk.lab, stage, FAILED, f"no function called {name}")


def latin_1(desk: Desk) -> Known:
    text = solved(desk.lab).text.encode("ascii", "ignore").decode() + "\n# caf\xe9"
    desk.write(text, encoding="latin-1")
    return desk.known(UNUSABLE, "not UTF-8")


def huge(desk: Desk) -> Known:
    desk.write(solved(desk.lab).text + "\n#" * (3 << 20))
    return desk.known(MISSING).noted("bytes, and a lab at most")


def empty_folder(desk: Desk) -> Known:
    return desk.known(MISSING).noted("no lab file")


def link_to_the_reference(desk: Desk) -> Known:
    (desk.folder / f"{desk.lab.stem}.py").symlink_to(desk.lab.path)
    return desk.known(MISSING).noted("is a link")


def link_loop(desk: Desk) -> Known:
    (desk.folder / "labs").symlink_to(desk.folder)
    (desk.folder / "up").symlink_to("..")
    return desk.known(MISSING).noted("is a link")


def own_checks(desk: Desk) -> Known:
    """A checkout whose checks say yes to everything."""
    name, stage = desk.function()
    desk.write(solved(desk.lab).splice(name, f"def {name}(*_, **__):\n    return None").text)
    for part in ("checks", "checks/runner", f"checks/{desk.lab.stem}"):
        (desk.folder / part).mkdir(parents=True, exist_ok=True)
        (desk.folder / part / "__init__.py").write_text("raise SystemExit(0)\n", encoding="utf-8")
    (desk.folder / "checks" / "expect.py").write_text("equal = close = print\n", encoding="utf-8")
    (desk.folder / "sitecustomize.py").write_text("raise SystemExit(0)\n", encoding="utf-8")
    return desk.known().but(desk.lab, stage, WRONG)


def without_solutions(desk: Desk) -> Known:
    text = solved(desk.lab).text
    desk.write(text[: text.index("# # Solutions")])
    return desk.known()


def wrong_solutions(desk: Desk) -> Known:
    """Every solution is replaced, and a stage is left to write: the judge's own stand in."""
    lab = solved(desk.lab)
    _, stage = desk.function()
    for name, at in JUDGES[desk.lab.id].owner.items():
        lab = lab.splice(f"solution_{name}", f"solution_{name} = None")
        if at == stage:
            lab = lab.splice(name, desk.lab.source(desk.lab.definition(name)))
    desk.write(lab.text)
    return desk.known().but(desk.lab, stage, TODO)


def no_headings(desk: Desk) -> Known:
    desk.write(solved(desk.lab).text.replace("# ## Stage", "# ## Part"))
    return desk.known()


def no_lab_at_all(desk: Desk) -> Known:
    desk.write("print('hello')")
    return desk.known(FAILED, "there is no function called")


def binary(desk: Desk) -> Known:
    path = desk.write("")
    path.write_bytes(b"\x7fELF\x00" + bytes(desk.rng.randrange(256) for _ in range(4000)))
    return desk.known(UNUSABLE)


def kills_its_judge(desk: Desk) -> Known:
    text, _ = desk.doing("import os\nos.kill(os.getppid(), 9)")
    desk.write(text)
    return _any_stage(desk.known(), desk.lab, PASSED | CRASHED).noted("also uses os")


def kills_everything(desk: Desk) -> Known:
    """Only where it has a namespace to itself: its parent is process 1 there."""
    text, _ = desk.doing("import os\nif os.getppid() == 1:\n    os.kill(-1, 9)")
    desk.write(text)
    return _any_stage(desk.known(), desk.lab, PASSED | CRASHED)


def leaves_processes(desk: Desk) -> Known:
    code = (
        "import os, subprocess\n"
        "for _ in range(0 if _LEFT else 3):\n"
        "    if os.fork() == 0:\n"
        "        os.setsid()\n"
        f"        subprocess.Popen(['sleep', '{MARK}'], start_new_session=True)\n"
        "        os._exit(0)\n"
        "_LEFT.append(1)"
    )
    text, _ = desk.doing(code)
    desk.write(f"_LEFT = []\n{text}")
    return desk.known()


def fills_memory(desk: Desk) -> Known:
    text, stage = desk.doing("held = []\nwhile True:\n    held.append(bytes(1 << 28))")
    desk.write(text)
    return desk.known().but(desk.lab, stage, CRASHED, "memory")


def fills_the_screen(desk: Desk) -> Known:
    text, _ = desk.doing("if not _SAID:\n    _SAID.append(1)\n    print('x' * (1 << 28))")
    desk.write(f"_SAID = []\n{text}")
    return desk.known()


def writes_to_every_pipe(desk: Desk) -> Known:
    code = (
        "import os\n"
        "for pipe in range(3, 64):\n"
        "    try:\n"
        "        os.write(pipe, b'\\xff' * 100000)\n"
        "    except OSError:\n"
        "        pass"
    )
    text, _ = desk.doing(code)
    desk.write(text)
    return _any_stage(desk.known(), desk.lab, PASSED | CRASHED | TIMEOUT)


def removes_its_folder(desk: Desk) -> Known:
    text, _ = desk.doing("import os, shutil\nshutil.rmtree('.', ignore_errors=True)\n"
                         "shutil.rmtree(os.environ['HOME'], ignore_errors=True)")  # fmt: skip
    desk.write(text)
    return desk.known().noted("also uses os, shutil")


def leaves_the_process(desk: Desk) -> Known:
    text, stage = desk.doing("import os\nos._exit(0)")
    desk.write(text)
    return desk.known().but(desk.lab, stage, CRASHED, "ended the process")


def segmentation_fault(desk: Desk) -> Known:
    text, stage = desk.doing("import ctypes\nctypes.string_at(0)")
    desk.write(text)
    return desk.known().but(desk.lab, stage, CRASHED, "signal 11")


def recursion(desk: Desk) -> Known:
    text, stage = desk.doing("def again():\n    return again()\nagain()")
    desk.write(text)
    return desk.known().but(desk.lab, stage, CRASHED, "RecursionError")


def notebook(desk: Desk) -> Known:
    """With a cell in front that carries other checks, packed."""
    book = jupytext.reads(f"{solved(desk.lab).text}\n# hand-in {desk.number}", fmt="py:percent")
    packed = f"import sys\n%pip install nothing\nsys.modules['checks'] = '{'x' * 30_000}'"
    book.cells.insert(1, nbformat.v4.new_code_cell(packed))
    for at, cell in enumerate(book.cells):
        cell.id = f"cell-{at}"
    path = desk.folder / f"{desk.lab.stem}.ipynb"
    path.write_text(nbformat.writes(book), encoding="utf-8")
    return desk.known()


def notebook_with_a_broken_cell(desk: Desk) -> Known:
    known = notebook(desk)
    path = desk.folder / f"{desk.lab.stem}.ipynb"
    book = nbformat.read(path, as_version=4)
    book.cells[-1].source += "\nfor for"
    path.write_text(nbformat.writes(book), encoding="utf-8")
    return known.noted("does not parse")


def torn_notebook(desk: Desk) -> Known:
    notebook(desk)
    path = desk.folder / f"{desk.lab.stem}.ipynb"
    path.write_bytes(path.read_bytes()[:5000])
    return desk.known(UNUSABLE, "no notebook")


def a_folder_a_lab(desk: Desk) -> Known:
    """As nbgrader collects: student/assignment/file."""
    desk.write(solved(desk.lab).text, f"{desk.lab.id}/{desk.lab.stem}.py")
    return desk.known()


def _any_stage(known: Known, lab: Lab, states: set[str]) -> Known:
    for stage in lab.stages:
        known.but(lab, stage, states)
    return known


Kind = Callable[[Desk], Known]
COMMON: list[Kind] = [right, unusual_but_right, slip, slip, slip, untouched, half_done]
ODD: list[Kind] = [
    broken, crlf, with_mark, renamed, latin_1, huge, empty_folder, own_checks, without_solutions,
    wrong_solutions, no_headings, no_lab_at_all, binary, recursion, leaves_the_process, notebook,
    notebook_with_a_broken_cell, torn_notebook, a_folder_a_lab, removes_its_folder,
]  # fmt: skip
LINUX_ONLY: list[Kind] = [
    link_to_the_reference, link_loop, kills_its_judge, kills_everything, leaves_processes,
    fills_memory, fills_the_screen, writes_to_every_pipe, segmentation_fault,
]  # fmt: skip
SLOW: list[Kind] = [endless]  # each takes a stage's whole time
KINDS = [*COMMON, *ODD, *(LINUX_ONLY if LINUX else []), *SLOW]
