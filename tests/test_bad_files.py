"""Lab files in any state: encodings, what stands around a stage, links, names, rights, no space."""

import os
import re
import sys

import pytest

from checks.runner.lab import NotUsable, discover, find
from tests.workshop import solved
from tests.workspace import HEAD, LAB, RIGHT, Workspace, body, only

posix = pytest.mark.skipif(sys.platform == "win32", reason="links, pipes and limits of POSIX")
FILE = LAB.relative
NO_LAB = "there is no lab called 9"


def edited(old, new, count=-1):
    """The lab with stage 1 right, and something else in it replaced."""
    text = LAB.splice("pair_counts", HEAD + RIGHT.rstrip("\n")).text
    assert old in text
    return text.replace(old, new, count)


AROUND = [
    ("no divider", edited("# # Solutions", ""), 0, "stage 1 passed"),
    ("a divider that says something else", edited("# # Solutions", "# # End"), 0, "stage 1 passed"),
    (
        "no solution",
        edited("def solution_pair_counts", "def solution_gone"),
        2,
        "stage 1 needs solution_pair_counts, which this file no longer has",
    ),
    ("no heading", edited("# ## Stage 1 ", "# ## Part 1 "), 2, "lab-3 has no stage 1"),
    ("a heading with an odd digit", edited("# ## Stage 1 ", "# ## Stage ² "), 2, "has no stage 1"),
    ("a heading twice", edited("# ## Stage 2 ", "# ## Stage 1 "), 0, "stage 1 passed"),
    ("a loop in a cell", edited("# # Sol", "\nwhile True: pass\n# # Sol"), 0, "stage 1 passed"),
    ("an exit in a cell", edited("# # Sol", "\nraise SystemExit\n# # Sol"), 0, "stage 1 passed"),
    ("an import that fails", edited("# %%\n", "# %%\nimport nowhere\n", 1), 0, "stage 1 passed"),
    (
        "an import that it needs, gone",
        edited("from collections import Counter, defaultdict", ""),
        1,
        "NameError: name 'Counter' is not defined",
    ),
    (
        "a second, wrong definition below",
        edited("\n# # Sol", "\ndef pair_counts(ids):\n    return {}\n\n# # Sol"),
        1,
        "pair_counts is defined 2 times",
    ),
    (
        "only below the divider",
        edited("def pair_counts", "def count_pairs") + "\n\ndef pair_counts(ids):\n    return {}\n",
        1,
        "there is no function called pair_counts in this file; was it renamed to count_pairs?",
    ),
    ("form feeds and odd line ends", edited("# %%\n", "# %%\n\x0c\u2028 = 1\n", 1), 2, "invalid"),
]
LATIN = "# é\n".encode("latin-1")
BYTES = [
    ("UTF-16", LAB.text.encode("utf-16"), "the file is not UTF-8: byte 0xff", 1),
    ("latin-1", LAB.text.encode() + LATIN, "byte 0xe9", LAB.text.count("\n") + 1),
    ("nothing", b"", "the file has no stages", 1),
    ("one line", b"x = 1\n", "the file has no stages", 1),
    ("a picture", bytes(range(256)) * 9, "the file is not UTF-8", 2),
    ("20 MB", b"#" * 20_000_000, "cannot be read: it has 20000000 bytes", 1),
    ("a notebook", b'{"cells": [], "metadata": null}\n', "the file has no stages", 1),
]  # fmt: skip
ENDINGS = [
    ("CRLF", lambda data: data.replace(b"\n", b"\r\n")),
    ("CR", lambda data: data.replace(b"\n", b"\r")),
    ("mixed", lambda data: data.replace(b"\n", b"\r\n", 300)),
    ("BOM", lambda data: b"\xef\xbb\xbf" + data),
    ("BOM and CRLF", lambda data: b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n")),
    ("no last line end", lambda data: data.rstrip(b"\n")),
    ("trailing spaces", lambda data: data.replace(b"\n\n", b"\n   \n")),
    (
        "tabs",
        lambda data: re.sub(rb"^(?: {4})+", lambda m: b"\t" * (len(m[0]) // 4), data, flags=re.M),
    ),
]


def names(rows):
    return [row[0] for row in rows]


@pytest.mark.parametrize(
    ("text", "status", "words"), [row[1:] for row in AROUND], ids=names(AROUND)
)
def test_a_lab_that_was_edited_around_its_stage(home, text, status, words):
    home.file.write_text(text, encoding="utf-8", newline="\n")
    done = home.checks("3", "1")
    assert done.status == status and words in done.said, done
    if status:
        assert "  next  " in done.said and (done.err != "") == (status == 2), done


@pytest.mark.parametrize(("data", "words", "line"), [row[1:] for row in BYTES], ids=names(BYTES))
def test_a_file_that_is_no_lab_is_said_with_its_line(home, data, words, line):
    home.file.write_bytes(data)
    done = home.checks("3", "1")
    assert done.status == 2 and done.out == "", done
    assert done.err.startswith(f"{FILE}:{line}:1: error: ") and words in done.err, done
    assert done.err.count("\n") == 2 and "\n  next  " in done.err, done
    assert home.checks().status == 0  # the table shows the others


@pytest.mark.parametrize("change", [row[1] for row in ENDINGS], ids=names(ENDINGS))
def test_any_line_ends_are_judged_reset_and_restored_byte_for_byte(home, change):
    home.put(body())
    home.file.write_bytes(change(home.file.read_bytes()))
    before = home.file.read_bytes()
    assert home.checks("3", "1").status == 0
    assert home.checks("reset", "3", "1", changes=True).status == 0
    assert b'raise NotImplementedError("stage 1: pair_counts")' in home.file.read_bytes()
    assert home.checks("3", "1").status == 1
    assert home.checks("restore", "3", "1", changes=True).status == 0
    assert home.file.read_bytes() == before


@posix
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "there is no lab called 3"),
        (lambda path: path.mkdir(), "cannot be read: Is a directory"),
        (lambda path: path.symlink_to("/no/such/file"), "cannot be read: No such file"),
        (lambda path: path.symlink_to(path), "cannot be read: Too many levels of symbolic links"),
        (lambda path: os.mkfifo(path), "cannot be read: it is no regular file"),
        (lambda path: path.symlink_to("/dev/zero"), "cannot be read: it is no regular file"),
    ],
    ids=["nothing", "a folder", "a dangling link", "a link to itself", "a pipe", "a device"],
)
def test_what_stands_in_a_labs_place_is_said_and_never_waited_for(home, make, words):
    home.file.unlink()
    make(home.file)
    for command in (("3", "1"), ("hint", "3", "1"), ("reset", "3", "1")):
        done = home.checks(*command)
        assert done.status == 2 and words in done.err and "\n  next  " in done.err, done
    assert home.checks().status == 0


@posix
def test_a_lab_behind_links_is_the_lab_and_stays_a_link(home):
    home.put(body())
    kept = home.home / "elsewhere.py"
    home.file.rename(kept)
    home.file.symlink_to(kept)
    link = home.home / "a link.py"
    link.symlink_to(home.file)
    line = str(LAB.definition("pair_counts").name_line)
    try:
        assert home.checks(str(link), line).status == 0
        assert home.checks("reset", str(link), line, changes=True).status == 0
        assert home.file.is_symlink() and "raise NotImpl" in kept.read_text(encoding="utf-8")
        assert home.checks("restore", FILE, line, changes=True).status == 0
        assert home.file.is_symlink() and home.checks("3", "1").status == 0
    finally:
        link.unlink()
        kept.unlink()


@pytest.mark.parametrize(
    "name",
    ["lab_9.py", "lab__x.py", "lab_x_y.py", "lab_²_x.py", "LAB_9_x.py", "lab_9_x.py~",
     ".lab_9_x.py.swp", "lab_3_bpe_old.py", "lab_3_bpe copy.py", "lab_-9_x.py", "notes.py"],
)  # fmt: skip
def test_a_file_with_another_name_is_no_lab_and_disturbs_none(home, name):
    (home.labs / name).write_text(LAB.text, encoding="utf-8")
    done = home.checks("9", "1")
    assert done.status == 2 and NO_LAB in done.err, done
    assert "name one of the labs: 1, 2, 3, 4, 5, 6, 7, 8\n" in done.err, done
    table = home.checks()
    assert table.status == 0 and table.out.count("lab-3 ") == 1, table


@pytest.mark.parametrize("name", ["lab_9_new.py", "lab_09_new.py", "lab_9_é (1).py"])
def test_a_lab_without_checks_is_told_what_to_write(home, name):
    (home.labs / name).write_text(LAB.text, encoding="utf-8")
    done = home.checks("9", "1")
    stem = name.removesuffix(".py")
    assert done.status == 2 and f"write checks/{stem}/stages.py" in done.err, done
    assert done.err.startswith(f"labs/{name}:1:1: error: "), done


def test_a_file_of_another_workspace_is_never_taken_for_one_of_this(home, tmp_path):
    other = tmp_path / "lab_3_bpe.py"
    other.write_text(LAB.text, encoding="utf-8")
    done = home.checks(str(other), "140")
    assert done.status == 2 and f"is no lab of this workspace, {home.home}" in done.err, done
    assert "open labs/lab_3_bpe.py" in done.err
    with pytest.raises(NotUsable, match="no lab of this workspace"):
        find(str(other), str(home.home))


@pytest.mark.parametrize("words", [(), ("3", "1"), ("all",), ("--svg",), ("recall",), ("watch",)])
def test_a_workspace_without_labs_says_so(home, words):
    for path in list(home.labs.iterdir()):
        if path.name != "__pycache__":
            path.unlink()
    done = home.checks(*words)
    assert done.status == 2 and done.out == "", done
    assert "there are no labs in" in done.err and "git checkout labs" in done.err, done
    assert discover(str(home.home)) == []


def without_rights():
    """In the child: root obeys the rights of files, too."""
    import ctypes

    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)


def with_little_space(size):
    """In the child: no file may grow beyond `size` bytes, as on a disk that is full."""

    def limit():
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


@posix
@pytest.mark.parametrize(
    ("mode", "status", "words"),
    [(0o444, 0, "stage 1 passed"), (0o000, 2, "cannot be read: Permission denied")],
)
def test_a_lab_that_may_not_be_written_or_read(home, mode, status, words):
    home.put(body())
    home.file.chmod(mode)
    done = home.checks("3", "1", preexec_fn=without_rights)
    assert done.status == status and words in done.said, done


@posix
def test_a_read_only_lab_is_not_reset_and_says_so(home):
    home.put(body())
    home.file.chmod(0o444)
    done = home.checks("reset", "3", "1", preexec_fn=without_rights)
    assert done.status == 2 and "could not be written: the file is read-only" in done.err, done
    assert "nothing was changed" in done.err


@posix
@pytest.mark.parametrize(
    ("size", "words", "kept"),
    [
        (0, "your attempt could not be kept in", 0),
        (9000, "could not be written: File too large", 1),
    ],
)
def test_a_full_disk_changes_nothing(home, size, words, kept):
    home.put(body())
    done = home.checks("reset", "3", "1", preexec_fn=with_little_space(size))
    assert done.status == 2 and words in done.err and "nothing was changed" in done.err, done
    attempts = list(home.progress.glob("attempts/*/*/*"))
    assert len(attempts) == kept  # half an attempt would be brought back as if it were whole
    done = home.checks("restore", "3", "1", preexec_fn=with_little_space(size))
    assert done.status == 2 and "next" in done.err, done


@posix
def test_a_folder_that_may_not_be_written_keeps_the_lab(home):
    home.put(body())
    home.labs.chmod(0o555)
    try:
        done = home.checks("reset", "3", "1", preexec_fn=without_rights)
    finally:
        home.labs.chmod(0o755)
    assert done.status == 2 and "could not be written: Permission denied" in done.err, done


def test_a_space_and_an_accent_in_the_path(tmp_path):
    folder = tmp_path / "mes é labs (1)"
    folder.mkdir()
    home = Workspace(folder / "home of labs")
    home.put(only("return {}"))
    done = home.checks("3", "1")
    assert done.status == 1 and done.out.startswith(f"{FILE}:140:5: error: stage 1: "), done


def test_the_lab_is_the_same_when_its_cells_are_remembered_or_not(home):
    home.save(solved(LAB))
    first = home.checks("3", "2").out
    notes = home.labs / "__pycache__"
    assert any(path.name.endswith(".cells") for path in notes.iterdir())
    assert home.checks("3", "2").out == first
    for path in notes.glob("*.cells"):
        path.write_bytes(b"\xff" * 100)
    assert home.checks("3", "2").out == first
