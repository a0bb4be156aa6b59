"""A journal and a progress folder in any state: the verdict is the same, and says what is lost."""

import os
import sys

import pytest

from tests.test_bad_files import without_rights
from tests.workspace import body, only

posix = pytest.mark.skipif(sys.platform == "win32", reason="links, pipes and rights of POSIX")
RECORD = '{"at": "2026-01-01T00:00:00Z", "lab": "lab-3", "stage": %s, "event": "%s", "source": "s"}'
GOOD = RECORD % (2, "failed")
JUNK = [
    ("bytes", os.urandom(1 << 20)),
    ("10 MB in one line", b"x" * 10_000_000),
    ("a hundred thousand lines", b"{\n" * 100_000),
    ("zeros", bytes(4096)),
    ("a nest of lists", b'{"at": ' + b"[" * 100_000 + b"\n"),
    ("an endless number", (RECORD % ("1e999", "failed")).encode()),
    ("a stage of a thousand digits", (RECORD % ("1" * 5000, "failed")).encode()),
    ("month 13", GOOD.replace("-01-01", "-13-01").encode()),
    ("another time zone", GOOD.replace("00Z", "00+01:00").encode()),
    ("other types", GOOD.replace('"lab-3"', "[3]").replace("2026", "year").encode()),
    ("half a line", GOOD[:40].encode()),
    ("UTF-16", GOOD.encode("utf-16")),
]
PLACES = [
    ("a folder", lambda path: path.mkdir(), "Is a directory"),
    ("a pipe", lambda path: os.mkfifo(path), "it is no regular file"),
    ("a full device", lambda path: path.symlink_to("/dev/full"), "it is no regular file"),
    ("an endless device", lambda path: path.symlink_to("/dev/zero"), "it is no regular file"),
    ("a dangling link", lambda path: path.symlink_to("/no/such"), "No such file"),
    ("a link to itself", lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
]


def names(rows):
    return [row[0] for row in rows]


@pytest.mark.parametrize("junk", [row[1] for row in JUNK], ids=names(JUNK))
def test_junk_in_the_journal_loses_itself_alone(home, junk):
    home.progress.mkdir()
    home.journal.write_bytes(f"{GOOD}\n".encode() + junk)
    home.put(only("return {}"))
    assert home.checks("3", "1").status == 1
    assert home.checks("hint", "3", "1").out.startswith("hint 1 of 3")
    assert home.checks("hint", "3", "1").out.startswith("hint 2 of 3")
    assert home.checks().status == 0
    assert home.journal.read_bytes().startswith(f"{GOOD}\n".encode() + junk)


@posix
@pytest.mark.parametrize(("make", "words"), [row[1:] for row in PLACES], ids=names(PLACES))
def test_what_stands_in_the_journals_place_costs_no_verdict(home, make, words):
    home.progress.mkdir()
    make(home.journal)
    home.put(body())
    done = home.checks("3", "1")
    assert done.status == 0 and done.out.startswith("stage 1 passed"), done
    assert done.err.startswith("the journal was not written: ") and words in done.err, done
    assert "\n  next  " in done.err and str(home.journal) in done.err
    assert home.checks().status == 0
    reset = home.checks("reset", "3", "1", changes=True)
    assert reset.status == 0 and "kept       .progress/attempts" in reset.out, reset
    assert home.checks("restore", "3", "1", changes=True).status == 0
    assert "zip(ids" in home.file.read_text(encoding="utf-8")


@posix
def test_a_journal_that_may_not_be_written_keeps_its_records(home):
    home.progress.mkdir()
    home.journal.write_text(f"{GOOD}\n")
    home.journal.chmod(0o444)
    home.put(body())
    done = home.checks("3", "1", preexec_fn=without_rights)
    assert done.status == 0 and "the journal was not written: Permission denied" in done.err, done
    assert home.journal.read_text() == f"{GOOD}\n"


@posix
def test_a_full_disk_leaves_a_journal_that_can_be_read(home):
    from tests.test_bad_files import with_little_space

    home.progress.mkdir()
    home.journal.write_text(f"{GOOD}\n")
    home.put(only("return {}"))
    size = home.journal.stat().st_size + 40  # a part of the record fits
    done = home.checks("3", "1", preexec_fn=with_little_space(size))
    assert done.status == 1 and "was not written: File too large" in done.err, done
    assert home.checks("3", "1").status == 1  # there is space again
    assert home.journal.read_text().endswith('"source": "s"}\n') is False
    assert home.checks("hint", "3", "1").out.startswith("hint 1 of 3")
    lines = home.journal.read_text().split("\n")
    assert len(lines) == 5 and lines[0] == GOOD and lines[2].startswith('{"at"')


@posix
@pytest.mark.parametrize("where", ["a file", "a place that cannot be", "a folder without rights"])
def test_a_progress_folder_that_cannot_be_costs_no_verdict_and_no_text(home, where):
    home.put(body())
    env, options = {}, {"preexec_fn": without_rights}
    if where == "a file":
        home.progress.write_text("mine")
    elif where == "a place that cannot be":
        env = {"ML_MINI_LABS_PROGRESS": "/proc/nowhere"}
    else:
        home.progress.mkdir(0o555)
        home.progress.chmod(0o555)
    done = home.checks("3", "1", env=env, **options)
    assert done.status == 0 and "the journal was not written" in done.err, done
    reset = home.checks("reset", "3", "1", env=env, **options)
    assert reset.status == 2 and "your attempt could not be kept" in reset.err, reset
    shown = home.checks("compare", "3", "1", "--diff", env=env, **options)
    assert shown.status == 0 and "no diff was opened" in shown.out, shown
    assert home.checks("restore", "3", "1", env=env, **options).status == 2
    assert home.checks(env=env, **options).status == 0
    if where == "a file":
        assert home.progress.read_text() == "mine"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xff\xfe", "the file is not UTF-8: byte 0xff"),
        (b"def (", "the file does not parse: invalid syntax, line 1"),
        (b"", "it does not define pair_counts"),
        (b"def merge(): pass\n", "it does not define pair_counts"),
    ],
    ids=["no UTF-8", "no Python", "nothing", "another function"],
)
def test_an_attempt_that_was_damaged_is_named_and_nothing_is_overwritten(home, data, words):
    home.put(body())
    assert home.checks("reset", "3", "1", changes=True).status == 0
    (attempt,) = home.progress.glob("attempts/*/*/*.py")
    attempt.write_bytes(data)
    done = home.checks("restore", "3", "1")
    assert done.status == 2 and words in done.err and str(attempt) in done.err, done
    assert "nothing was changed" in done.err


def test_what_is_no_attempt_is_never_brought_back(home):
    home.put(body())
    assert home.checks("reset", "3", "1", changes=True).status == 0
    (attempt,) = home.progress.glob("attempts/*/*/*.py")
    for name in ("zz.txt", ".DS_Store", "notes.py", "attempt.py~"):
        attempt.with_name(name).write_bytes(b"\xff")
    attempt.with_name("zz-folder").mkdir()
    assert home.checks("restore", "3", "1", changes=True).status == 0
    assert home.checks("3", "1").status == 0


@pytest.mark.parametrize(
    ("file", "data", "command", "words"),
    [
        ("labs/orders.toml", None, (), "cannot be read: No such file"),
        ("labs/orders.toml", b"tracks = [", (), "cannot be read: TOMLDecodeError"),
        ("labs/orders.toml", b"x = 1", (), "cannot be read: KeyError: 'tracks'"),
        ("labs/orders.toml", b"[tracks]\na = 7\n", (), "cannot be read: TypeError"),
        ("labs/orders.toml", b"\xff", ("--svg",), "cannot be read: UnicodeDecodeError"),
        ("checks/lab_3_bpe/hints.md", None, ("hint", "3", "1"), "cannot be read: No such file"),
        ("checks/lab_3_bpe/hints.md", b"\xff", ("hint", "3", "1"), "it is not UTF-8"),
        (
            "checks/lab_3_bpe/hints.md",
            b"# Stage x\n- a",
            ("hint", "3", "1"),
            "no hints for stage 1",
        ),
        ("checks/lab_3_bpe/stages.py", None, ("3", "1"), "labs/lab_3_bpe.py has no checks"),
        ("checks/lab_3_bpe/stages.py", b"def (", ("3", "1"), "does not load: SyntaxError"),
        ("checks/lab_3_bpe/stages.py", b"\n1 / 0", ("3", "1"), "stages.py:2:1: error:"),
        ("checks/lab_3_bpe/slips.py", None, ("3", "1"), "does not load: ModuleNotFoundError"),
        ("checks/lab_3_bpe/slips.py", b"def (", ("3", "1"), "does not load: SyntaxError"),
    ],
)
def test_a_part_of_the_labs_that_was_damaged_is_named_with_the_way_back(
    home, file, data, command, words
):
    path = home.home / file
    shipped = path.read_bytes()
    home.put(only("return {}"))
    try:
        if data is None:
            path.unlink()
        else:
            path.write_bytes(data)
        done = home.checks(*command)
    finally:
        path.write_bytes(shipped)
    assert done.status == 2 and words in done.err, done
    assert "\n  next       " in done.err
    if "slips" in file:  # the verdict itself needs none of them
        assert "error: stage 1: pairs of [5, 6, 5, 6, 7]" in done.out, done


def test_a_stage_without_a_check_is_named_with_its_heading(home):
    text = home.file.read_text(encoding="utf-8")
    more = text.replace("# # Solutions", "# ## Stage 7 · Mine\n# ### By hand\n\n# # Solutions", 1)
    home.file.write_text(more, encoding="utf-8", newline="\n")
    done = home.checks("3", "7")
    line = more[: more.index("# ## Stage 7")].count("\n") + 1
    assert done.status == 2, done
    assert done.err.startswith(f"labs/lab_3_bpe.py:{line}:1: error: stage 7 of lab-3 has no check")
