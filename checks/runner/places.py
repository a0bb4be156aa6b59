"""Where things are: the workspace, its labs, a lab's file, the progress folder.

Whatever a learner may have put there in its place (a link, a pipe, a copy of a lab) gets one
clear message here, and never waits or ends in a traceback.
"""

from __future__ import annotations

import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LARGEST = 1 << 24  # bytes of a lab file; the longest lab has 60 000
REGULAR, KIND = 0o100000, 0o170000  # of a file's mode


class NotUsable(Exception):
    """Cannot be done as asked (exit status 2): one line for the editor, then what to do."""

    def __init__(self, message: str, next_step: str, where: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message, self.next_step, self.where, self.code = message, next_step, where, code

    def __str__(self) -> str:
        head = f"{self.where}: error: {self.message}" if self.where else f"error: {self.message}"
        tail = f" [{self.code}]" if self.code else ""
        return f"{head}{tail}\n  next       {self.next_step}"


def as_number(text: str) -> int:
    """A number as somebody types it, or -1: `int` and `isdigit` take more than digits."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def is_regular(path: str) -> bool:
    """Whether `path` is a file that can be read to its end: no folder, pipe or device."""
    try:
        return os.stat(path).st_mode & KIND == REGULAR
    except (OSError, ValueError):
        return False


def source(path: str, relative: str, code: str) -> str:
    """A lab's text with LF line ends; the file itself is never written."""
    try:
        found = os.stat(path)
        if found.st_mode & KIND not in (REGULAR, 0o040000):  # a folder is said by `open`
            raise OSError(0, "it is no regular file")
        if found.st_size > LARGEST:
            raise OSError(0, f"it has {found.st_size} bytes")
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise NotUsable(
            f"cannot be read: {error.strerror}",
            f"check the file's name and its rights, or bring it back: git checkout {relative}",
            f"{relative}:1:1",
            code,
        ) from None
    return decoded(data, relative, code)


def decoded(data: bytes, relative: str, code: str) -> str:
    """A file's bytes as text with LF line ends; refuses what is not UTF-8, with its line."""
    try:
        text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise NotUsable(
            f"the file is not UTF-8: byte 0x{data[error.start]:02x}",
            "save it again with the encoding UTF-8",
            f"{relative}:{line}:1",
            code,
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def progress_folder() -> str:
    """Where the journal and the attempts are kept: `.progress`, or ML_MINI_LABS_PROGRESS."""
    return os.environ.get("ML_MINI_LABS_PROGRESS") or os.path.join(ROOT, ".progress")


def discover(root: str = ROOT) -> list[str]:
    """The paths of all labs, by number.

    Where two files have one number, a copy that somebody kept (`lab_3_bpe_old.py`) has no
    checks of its own, and is none of the labs.
    """
    folder = os.path.join(root, "labs")
    found: dict[int, list[str]] = {}
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        parts = name.split("_")
        if name.endswith(".py") and parts[0] == "lab" and len(parts) > 2:
            found.setdefault(as_number(parts[1]), []).append(os.path.join(folder, name))
    found.pop(-1, None)
    return [path for number in sorted(found) for path in _with_checks(root, found[number])]


def _with_checks(root: str, paths: list[str]) -> list[str]:
    if len(paths) == 1:
        return paths
    checks = os.path.join(root, "checks")
    with_checks = [p for p in paths if os.path.isdir(os.path.join(checks, stem_of(p)))]
    return with_checks or paths


def stem_of(path: str) -> str:
    """`lab_3_bpe`."""
    return os.path.basename(path).removesuffix(".py")


def number_of(path: str) -> int:
    """The number that stands in a lab's file name."""
    return as_number(stem_of(path).split("_")[1])


def find(word: str, root: str = ROOT) -> str:
    """The path of the lab called `3`, `lab-3`, `lab_3_bpe` or by its file, through links too."""
    paths = discover(root)
    if not paths:
        raise NotUsable(
            f"there are no labs in {os.path.join(root, 'labs')}",
            "bring them back: git checkout labs",
        )
    if "." in os.path.basename(word) and os.path.isfile(word):
        return _by_file(word, paths, root)
    name = os.path.basename(word.replace("\\", "/")).removesuffix(".py")
    bare = name.lower().removeprefix("lab").lstrip("-_ ")
    for path in paths:
        if stem_of(path) == name or (as_number(bare) == number_of(path)):
            return path
    have = ", ".join(str(number_of(path)) for path in paths)
    shown = word if word.strip() else repr(word)
    raise NotUsable(f"there is no lab called {shown}", f"name one of the labs: {have}")


def _by_file(word: str, paths: list[str], root: str) -> str:
    """The lab that a file is: itself, through a link, and never another one of that name."""
    here = os.path.abspath(word)
    if here in paths:
        return here
    real = os.path.realpath(word)
    for path in paths:
        if os.path.realpath(path) == real:
            return path
    number = as_number(stem_of(word).partition("_")[2].partition("_")[0])
    near = [path for path in paths if number_of(path) == number] or paths
    raise NotUsable(
        f"{word} is no lab of this workspace, {root}",
        f"open labs/{os.path.basename(near[0])} and put the cursor into a stage",
    )
