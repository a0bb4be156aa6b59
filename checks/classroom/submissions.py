"""What was handed in: folders are looked at, and it is said what was found.

A submission is a folder that holds lab files, at its top or under `labs/`; a folder of such
folders is a class. Links are not followed, and nothing that a submission holds is run or
imported here: a file is found by its name and read as bytes.
"""

from __future__ import annotations

import os
import re
import stat

from checks.runner.lab import NotUsable

LAB_FILE = re.compile(
    r"(?:(?P<who>.+)[-_ ])?(?P<lab>lab[-_ ]?(?P<number>\d+)(?:[-_ (.].*)?)\.(?P<kind>py|ipynb)",
    re.I,
)
LAB_FOLDER = re.compile(r"lab[-_ ]?\d+([-_ ].*)?", re.I)  # a hand-in's own folder for one lab
SKIPPED = {"__pycache__", "node_modules", "venv"}
LARGEST = {"py": 4 << 20, "ipynb": 64 << 20}  # bytes; a lab has 40 kB, a notebook its pictures
CLASSROOM = "-submissions"  # `gh classroom clone` writes hw-submissions/hw-USERNAME


class Submission:
    """One hand-in: its name, the file of each lab, and what is worth knowing about it."""

    def __init__(self, name: str) -> None:
        self.name = name.encode("utf-8", "backslashreplace").decode()  # a name may be no UTF-8
        self.files: dict[int, str] = {}
        self.notes: list[str] = []
        self._found: dict[int, list[tuple[tuple, str]]] = {}

    def add(self, number: int, rank: tuple, path: str) -> None:
        """A file that could be the lab; of several the lowest rank is judged."""
        self._found.setdefault(number, []).append((rank, path))
        self._found[number].sort()
        self.files[number] = self._found[number][0][1]

    def settle(self, folder: str) -> None:
        """Say which files were passed over."""
        for number in sorted(self._found):
            first, *others = [os.path.relpath(path, folder) for _, path in self._found[number]]
            if others:
                self.notes.append(f"{first} is judged, not {', '.join(others)}")


def collect(folders: list[str], stems: dict[int, str]) -> list[Submission]:
    """The submissions in these folders, by name. `stems` names the labs there are, by number."""
    found: list[tuple[str, Submission]] = []
    for folder in folders:
        if not os.path.exists(folder):
            raise NotUsable(f"there is no folder {folder}", "check its name, or unpack it first")
        if not os.path.isdir(folder):
            raise NotUsable(
                f"{folder} is a file", "name the folder it stands in; an archive is unpacked first"
            )
        folder = os.path.realpath(folder)
        found += [(folder, one) for one in _Search(stems).whole(folder)]
    if not any(one.files for _, one in found):
        raise NotUsable(
            f"no lab file in {', '.join(folders)}",
            "a submission is a folder with files such as "
            f"{next(iter(stems.values()), 'lab_3')}.py, at its top or under labs/",
        )
    names = [one.name for _, one in found]
    for folder, one in found:
        if names.count(one.name) > 1:  # section-a/kim and section-b/kim
            parts = os.path.normpath(folder).split(os.sep)
            above = parts[-2] if parts[-1] == one.name else parts[-1]
            one.name = f"{above}/{one.name}"
    return sorted((one for _, one in found), key=lambda one: one.name)


class _Search:
    """Looks through one folder that was named."""

    def __init__(self, stems: dict[int, str]) -> None:
        self.stems = stems

    def whole(self, folder: str) -> list[Submission]:
        """Everything in a folder: one submission, or one a sub-folder."""
        name = os.path.basename(folder)
        here = self.look(name, folder)
        if here is not None:
            for one in here:
                one.name = one.name.removeprefix(f"{name}/")
            return here
        inside, notes = _folders(folder)
        if "checks" in inside or "labs" in inside:  # a checkout whose labs are gone
            return [_empty(name, notes)]
        if "submitted" in inside:  # the root of an nbgrader course
            return self.whole(os.path.join(folder, "submitted"))
        below = {child: _folders(os.path.join(folder, child))[0] for child in inside}
        told = [child for child in inside if LAB_FOLDER.fullmatch(child)]
        if told and all(self.look("", os.path.join(folder, child)) for child in told):
            return [self.joined(name, folder, told)]  # alice/lab-3, alice/lab-4
        found: list[Submission] = []
        for child in inside:
            found += self.child(folder, child, _assignments(below))
        prefix = name.removesuffix(CLASSROOM) + "-"
        if name.endswith(CLASSROOM) and all(one.name.startswith(prefix) for one in found):
            for one in found:
                one.name = one.name.removeprefix(prefix)
        if found and notes:
            found[0].notes += notes
        return found

    def child(self, folder: str, child: str, assignments: set[str]) -> list[Submission]:
        """One sub-folder of a class: a submission, or a section of several."""
        path = os.path.join(folder, child)
        here = self.look(child, path)
        if here is not None:
            return here
        inside, notes = _folders(path)
        holding = [sub for sub in inside if self.look("", os.path.join(path, sub))]
        if not holding or "checks" in inside:
            return [_empty(child, notes)]
        if all(LAB_FOLDER.fullmatch(sub) or sub in assignments for sub in holding):
            return [self.joined(child, path, holding)]
        return [
            one
            for sub in inside
            for one in self.look(f"{child}/{sub}", os.path.join(path, sub))
            or [_empty(f"{child}/{sub}", [])]
        ]

    def joined(self, name: str, folder: str, parts: list[str]) -> Submission:
        """One submission whose labs stand in folders of their own."""
        one = Submission(name)
        for part in parts:
            for other in self.look("", os.path.join(folder, part)) or []:
                for number, files in other._found.items():
                    for rank, path in files:
                        one.add(number, rank, path)
                one.notes += other.notes
        one.settle(folder)
        return one

    def look(self, name: str, folder: str) -> list[Submission] | None:
        """The submissions whose files stand in this very folder; None where there are none.

        Files called `kim_123_lab_3_bpe.py`, as a course system packs them, are one a person.
        """
        own = Submission(name)
        others: dict[str, Submission] = {}
        for path, entry in _files(folder):
            found = LAB_FILE.fullmatch(entry.name)
            if found is None:
                continue
            number, who = int(found["number"]), found["who"]
            stem = self.stems.get(number)
            one = own if who is None else others.setdefault(who, Submission(_under(name, who)))
            problem = f"there is no lab {number} here" if stem is None else _refused(entry, found)
            if problem:
                one.notes.append(f"{entry.name}: {problem}")
                continue
            plain = path == folder
            exact = found["lab"].lower() == stem
            one.add(number, (not exact, found["kind"].lower() != "py", plain), entry.path)
        if not own.files and others:
            for one in others.values():
                one.settle(folder)
            return list(others.values())
        if own.files:
            own.settle(folder)
            if others:
                own.notes.append(f"not judged: files of {', '.join(sorted(others))}")
            return [own]
        return [own] if own.notes else None


def _under(name: str, who: str) -> str:
    return f"{name}/{who}" if name else who


def _empty(name: str, notes: list[str]) -> Submission:
    one = Submission(name)
    one.notes = [*notes, "no lab file"]
    return one


def _assignments(below: dict[str, list[str]]) -> set[str]:
    """Folder names that stand under more than one student: kim/week-1, lee/week-1."""
    every = [name for names in below.values() for name in names]
    return {name for name in every if every.count(name) > 1}


def _entries(folder: str) -> list[os.DirEntry]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []  # may not be read, or is gone


def _files(folder: str) -> list[tuple[str, os.DirEntry]]:
    """The entries of a folder and of its labs/, where that is a folder and no link."""
    found = [(folder, entry) for entry in _entries(folder)]
    for _, entry in list(found):
        if entry.name == "labs" and entry.is_dir(follow_symlinks=False):
            found += [(entry.path, inner) for inner in _entries(entry.path)]
    return found


def _folders(folder: str) -> tuple[list[str], list[str]]:
    """The sub-folders that may hold submissions, and what was left out."""
    names, notes = [], []
    for entry in _entries(folder):
        if entry.is_symlink():
            notes.append(f"{entry.name} is a link and was not followed")
        elif entry.is_dir() and entry.name[0] not in "._" and entry.name not in SKIPPED:
            names.append(entry.name)
    return names, notes


def _refused(entry: os.DirEntry, found: re.Match) -> str:
    """Why a file is not read, or nothing."""
    if entry.is_symlink():
        return "is a link and was not followed"
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if not stat.S_ISREG(status.st_mode):
        return "is no file"
    limit = LARGEST[found["kind"].lower()]
    if status.st_size > limit:
        return f"has {status.st_size:,} bytes, and a lab at most {limit:,}"
    return ""


def read(path: str) -> bytes:
    """A file's bytes; never through a link that took its place since it was found."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
        return file.read(max(LARGEST.values()) + 1)
