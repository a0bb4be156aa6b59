"""The comparison behind `nox -s reproduce` can fail; a lab is the same under other seeds and zones.

And: versions stand in requirements.lock and in the image's digest, nowhere else.
"""

import copy
import math
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from tests.reproduce import __main__ as reproduce
from tests.reproduce import compare, settings, values
from tests.reproduce.settings import Setting
from tests.workshop import LABS, ROOT

MADE = """
import time
from time import perf_counter
begin = perf_counter()
total = sum(range({n}))
seconds = perf_counter() - begin
print(f"{total} in {seconds:.6f} s, {1000 * (time.time() - begin)} ms")
words = list({f"word {i}" for i in range(20)})
"""
LAB = LABS[0]


def made(n=3, seed="0", text=MADE):
    """What the child gives for a made text, in a fresh process with this hash seed."""
    script = (
        "import marshal, os, sys\n"
        "from tests.reproduce import child\n"
        "out = os.dup(1)\n"
        "os.dup2(2, 1)\n"
        "child.set_variables({})\n"
        "os.write(out, marshal.dumps(child.run('made.py', sys.stdin.read())))\n"
    )
    environment = Setting("made", {}, (seed, "UTC")).environment()
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=text.replace("{n}", str(n)).encode(),
        capture_output=True,
        cwd=ROOT,
        env=environment,
    )
    assert done.returncode == 0, done.stderr.decode()
    return reproduce.marshal.loads(done.stdout)


def result(**changed):
    """A result as a child gives it, of a lab whose checks all pass."""
    found = {
        "verdicts": [f"stage {number} passed" for number in LAB.stages],
        "printed": "recall 0.57\nloss 1.386\n",
        "pictures": ["a", "b"],
        "values": values.of_space({"x": np.arange(3.0), "n": 7}),
        "error": "",
        "in effect": "",
        "seconds": 1.0,
    }
    return copy.deepcopy(found) | changed


def problems(setting, **changed):
    """What is said of a run that differs from the one under the pins."""
    return compare.broken(compare.row(LAB, setting, result(**changed), result()))


PINNED = Setting("the pins", {}, exact=True)
FREE = Setting("another level", {})


def test_a_last_bit_is_seen_and_measured():
    x = np.linspace(0.1, 1.0, 7)
    y = x.copy()
    y[3] = np.nextafter(y[3], 2)
    (a, mine), (b, theirs) = values.described(x), values.described(y)
    assert a != b
    assert values.difference(mine, theirs) == np.spacing(x[3])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (0.0, -0.0),
        ([1, 2], [2, 1]),
        ({"a": 1}, {"a": 2}),
        ("a", "b"),
        (np.zeros(3), np.zeros((3, 1))),
        (np.zeros(3), np.zeros(3, dtype=np.float32)),
        (np.array(["a", 1], dtype=object), np.array(["a", 2], dtype=object)),
        (np.random.default_rng(1), np.random.default_rng(2)),
    ],
    ids=str,
)
def test_values_that_differ_have_other_digests(one, other):
    assert values.described(one)[0] == values.described(copy.deepcopy(one))[0]
    assert values.described(one)[0] != values.described(other)[0]


def test_the_order_of_a_set_or_of_keys_is_no_value():
    assert values.described({"a", "b"}) == values.described({"b", "a"})
    assert values.described({"a": 1, "b": 2}) == values.described({"b": 2, "a": 1})


def test_differences_are_relative_beyond_one_and_infinite_where_shapes_differ():
    def far(one, other):
        return values.difference(values.described(one)[1], values.described(other)[1])

    assert far([1e6], [1e6 + 1]) == pytest.approx(1e-6)
    assert far([0.0, math.nan, math.inf], [1e-9, math.nan, math.inf]) == 1e-9
    assert far([1.0], [1.0, 2.0]) == math.inf and far([1.0], [math.nan]) == math.inf


def test_what_is_equal_breaks_no_promise():
    assert problems(PINNED) == [] and problems(FREE) == []


def test_another_printed_digit_is_broken_everywhere():
    for setting in (PINNED, FREE):
        (problem,) = problems(setting, printed="recall 0.57\nloss 1.387\n")
        assert problem == "printed 'loss 1.387' where the pins give 'loss 1.386'"


def test_a_check_that_fails_or_a_lost_verdict_is_broken_everywhere():
    wrong = ["stage 1 failed: it is wrong", *result()["verdicts"][1:]]
    assert problems(FREE, verdicts=wrong) == [f"{len(wrong) - 1} of {len(wrong)} checks passed"]
    assert problems(FREE, verdicts=result()["verdicts"][:-1])


def test_another_bit_or_pixel_is_broken_under_the_pins_alone():
    other = values.of_space({"x": np.arange(3.0) + 1e-16, "n": 8})
    (problem,) = problems(PINNED, values=other)
    assert problem.startswith("not the same bits: n, x (")
    assert problems(PINNED, pictures=["a", "c"]) == ["1 pictures are not the same"]
    assert problems(FREE, values=other, pictures=["a", "c"]) == []


def test_an_emulator_that_cannot_sort_is_found_and_named_and_promises_nothing(
    monkeypatch, tmp_path, capsys
):
    wrong = tmp_path / "sitecustomize.py"  # what the emulator does, done to NumPy here
    wrong.write_text(
        "import numpy as np\nright = np.argsort\nnp.argsort = lambda x: right(x)[::-1]\n"
    )
    path = ("/usr/bin/env", f"PYTHONPATH={tmp_path}") if os.name == "posix" else ()
    found = reproduce.possible([Setting("bad", {}, prefix=path, exact=True)], [])
    assert [setting.errs for setting in found] == [bool(path)]
    if path:
        assert "its argsort errs" in capsys.readouterr().out
        row = compare.row(LAB, found[0], result(printed="", error="KeyError"), result())
        assert compare.broken(row) == []
        shown = compare.row(LAB, found[0], result(printed=""), result())
        assert "| bad, whose argsort errs |" in compare.line(shown)
    (right,) = reproduce.possible([Setting("good", {}, exact=True)], [LAB])
    assert not right.errs


def test_a_setting_that_crashes_or_hangs_is_a_row_with_the_reason():
    crash = (sys.executable, "-c", "import os; os.abort()")
    why = reproduce.start("5", Setting("made", {}, prefix=crash))
    assert isinstance(why, str) and ("signal 6" in why or "exit" in why)
    row = compare.lost(LAB, FREE, why)
    assert compare.broken(row) == [f"the run ended: {why}"] and why in compare.line(row)
    endless = (sys.executable, "-c", "while True: pass")
    assert reproduce.start("5", Setting("made", {}, prefix=endless), 0.3).startswith("still run")


def test_a_clock_of_a_lab_stands_and_the_rest_is_compared():
    one, two = made(), made(seed="1")
    assert one["printed"] == two["printed"] == "3 in 0.001000 s, 2.0 ms\n"
    assert compare.differing(one["values"], two["values"]) == ["words"]
    assert made(n=4)["printed"] != one["printed"]


def test_a_cell_that_raises_ends_the_run_with_its_line():
    assert (
        made(text="x = 1\ny = x / 0\n")["error"]
        == "ZeroDivisionError: division by zero (made.py:2)"
    )


def test_the_fastest_lab_is_the_same_under_another_hash_seed_and_time_zone():
    lab = next(lab for lab in LABS if lab.number == reproduce.QUICK[0])
    elsewhere = settings.native(quick=True)[0]
    rows = reproduce.measure([lab], [elsewhere])
    assert [row["setting"] for row in rows] == ["the pins", elsewhere.name]
    assert {row["values"] for row in rows} == {rows[0]["of"]} and rows[0]["of"] > 20
    assert [problem for row in rows for problem in compare.broken(row)] == []


# Where a version may stand besides, and why; npm's packages of the editor are none of the lock's.
EXCEPTIONS = {
    "tests/test_bench.py": ({"pytest"}, "a row that is made up for a test"),
    "tests/test_bad_environment.py": ({"torch"}, "locks that are made up for a test"),
    "tests/lock.py": ({"numpy", "networkx", "contourpy"}, "HELD, from which the lock is made"),
    "pyproject.toml": ({"setuptools"}, "the first one that installs a pyproject in place"),
}


def texts():
    """(path, text) of every file of the project that a person writes, but for the lock."""
    kinds = {".py", ".md", ".toml", ".yml", ".yaml", ".json", ".txt", ".cfg", ".sh", ""}
    rooms = ("checks", "publish", "tests", "docs", "labs", ".github", ".devcontainer", ".vscode",
             ".ci")  # fmt: skip
    files = [path for room in rooms for path in sorted((ROOT / room).rglob("*"))]
    for path in [*files, *sorted(ROOT.iterdir())]:
        made = {"__pycache__", "node_modules"} & set(path.parts)
        mine = path.name in ("requirements.lock", "test_reproduce.py")
        if path.is_file() and path.suffix in kinds and not made and not mine:
            yield path.relative_to(ROOT).as_posix(), path.read_text("utf-8", errors="replace")


def versions_named(text, names):
    """The packages among `names` of which a text names a version: `a==1`, `a: 1`, `A 2.4`."""
    pinned = re.compile(
        r"(?<![\w.-])([\w.-]+)(?:\[[\w,]+\])?[ \"'`]*(?:==|>=|<=|~=|@|:)[ \"'`]*v?\d"
    )
    spoken = re.compile(r"(?<![\w.-])([A-Za-z][\w-]*) v?\d+\.\d+")
    found = {m[1].lower() for pattern in (pinned, spoken) for m in pattern.finditer(text)}
    return found & names


def test_a_version_is_seen_however_it_is_written():
    for text in ("numpy==2.1", 'NumPy >= "2"', "numpy[all]~=2.0", "numpy: 2", "since NumPy 2.4"):
        assert versions_named(text, {"numpy"}) == {"numpy"}, text
    assert not versions_named("numpy, 2.4 times; my-numpy==2; numpy 2 and 3", {"numpy"})


def test_only_the_lock_names_versions_of_its_packages():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    names = {name.lower() for name in re.findall(r"^([\w.-]+)==", lock, flags=re.M)}
    assert {"numpy", "torch", "pytest"} <= names
    for path, text in texts():
        if path == "tests/bench/peers.txt":  # other people's tools, in an environment of their own
            continue
        allowed, why = EXCEPTIONS.get(path, (set(), "versions stand in requirements.lock alone"))
        assert versions_named(text, names) <= allowed, f"{path}: {why}"


def test_only_the_dockerfile_names_the_image():
    digest = re.compile(r"@sha256:[0-9a-f]{64}|mcr\.microsoft\.com/devcontainers")
    holders = {path for path, text in texts() if digest.search(text)}
    assert holders == {".devcontainer/Dockerfile"}
