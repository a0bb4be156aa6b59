"""Reset a stage to its stub and bring an attempt back; nothing outside its functions changes.

The stub is derived from the file itself: signature and docstring stay, the body becomes the two
lines of `stub.generate`. Before anything is written the attempt goes to .progress/attempts.
"""

from __future__ import annotations

import io
import os
import subprocess
import time
from _ast import ClassDef

from checks.expect import names
from checks.runner import journal, places, stub
from checks.runner.judge import Judge
from checks.runner.lab import Definition, Lab, NotUsable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

BOM = b"\xef\xbb\xbf"


def definitions(lab: Lab, number: int) -> list[Definition]:
    """The learner's definitions of a stage; refuses where one is missing or stands twice."""
    found = []
    for name in Judge(lab).own(number):
        every = [d for d in lab.definitions.get(name, []) if d.line < lab.divider]
        heading = lab.where(lab.stages[number].line)
        if not every:
            raise NotUsable(
                f"there is no function called {name} in stage {number}",
                f"give it that name again, or bring the file back: git checkout {lab.relative}",
                heading,
                lab.id,
            )
        if len(every) > 1:
            lines = names(str(d.name_line) for d in every)
            raise NotUsable(
                f"{name} is defined {len(every)} times (lines {lines})",
                "delete all but one, then ask again",
                lab.where(every[-1].name_line),
                lab.id,
            )
        found.append(every[0])
    return found


def reset(lab: Lab, number: int, event: str = "reset") -> str:
    """Put the stubs of a stage back; returns what to say. A stage that is a stub stays."""
    mine = definitions(lab, number)
    if all(stub.is_stub(d.node) for d in mine):
        return f"stage {number} is the stub already: {lab.where(mine[0].name_line)}"
    stubs = [(d, shipped(lab, d, number)) for d in mine]
    kept = keep(lab, number)
    replace(lab, stubs)
    journal.write(lab.id, number, event)
    functions = names(d.name for d in mine)
    return (
        f"stage {number} is the stub again: {functions}, {lab.where(mine[0].name_line)}\n"
        f"  kept       {kept}\n"
        f"  next       write it, or bring your attempt back: "
        f"python -m checks restore {lab.number} {number}"
    )


def shipped(lab: Lab, mine: Definition, number: int) -> str:
    """The shipped stub: from the file, or from git where the contract was changed in the file."""
    theirs = lab.key.definition(f"solution_{mine.name}")
    assert theirs is not None, f"{lab.relative} has no solution_{mine.name}"
    documented = isinstance(mine.node, ClassDef) or stub.has_docstring(mine.node)
    if documented and stub.signature(mine.node, hidden=True) == stub.signature(theirs.node):
        return stub.generate(lab, mine, number)
    for text in _history(lab):
        try:
            older = Lab(lab.path, text)
        except NotUsable:
            continue
        found = older.definition(mine.name)
        if found is not None and stub.is_stub(found.node):
            return older.source(found)
    raise NotUsable(
        f"the signature or the docstring of {mine.name} is not the shipped one, "
        "and git remembers no stub of it",
        "put its contract back first; your code can stay",
        lab.where(mine.name_line),
        lab.id,
    )


def unsolved(lab: Lab) -> Lab:
    """The lab as it is shipped, whatever was written in it here: stubs, and no check called."""
    judge = Judge(lab)
    for number in lab.stages:
        for name in judge.own(number):
            found = lab.definition(name)
            if found is None:
                raise NotUsable(
                    f"{lab.relative} has no {name}: it is no lab to hand out",
                    f"bring it back: git checkout -- {lab.relative}",
                    lab.where(lab.stages[number].line),
                    lab.id,
                )
            if not found.is_stub:
                lab = lab.splice(name, shipped(lab, found, number))
    lines = [f"# {line}" if line.startswith("check_stage") else line for line in lab.lines]
    return Lab(lab.path, "\n".join(lines))


def _history(lab: Lab) -> Iterator[str]:
    """The lab file as git remembers it, newest first; nothing where there is no git."""
    folder, name = os.path.split(lab.path)
    git = ["git", "-C", folder]
    try:
        log = subprocess.run(
            [*git, "log", "--format=%H", "-n", "200", "--", name], capture_output=True, check=True
        )
        for commit in log.stdout.decode().split():
            shown = subprocess.run([*git, "show", f"{commit}:./{name}"], capture_output=True)
            if shown.returncode == 0:
                yield shown.stdout.decode("utf-8", "replace").replace("\r\n", "\n")
    except (OSError, subprocess.CalledProcessError):
        return


def keep(lab: Lab, number: int) -> str:
    """Write the stage's functions as they are to a new file; its path from the workspace."""
    folder = attempts_folder(lab, number)
    text = "\n\n\n".join(lab.source(d) for d in definitions(lab, number)) + "\n"
    stamp = time.strftime("%Y-%m-%dT%H-%M-%S", time.gmtime())
    try:
        os.makedirs(folder, exist_ok=True)
        for serial in range(1000):
            name = f"{stamp}.py" if not serial else f"{stamp}-{serial:03}.py"
            try:
                _write_new(os.path.join(folder, name), text.encode())
            except FileExistsError:
                continue
            root = os.path.dirname(os.path.abspath(journal.folder()))
            return os.path.relpath(os.path.join(folder, name), root)
    except OSError as error:
        raise NotUsable(
            f"your attempt could not be kept in {folder}: {error.strerror}",
            "nothing was changed; make the folder writable or free some space, then ask again",
            lab.where(lab.stages[number].line),
            lab.id,
        ) from None
    raise NotUsable("a thousand attempts within one second", "wait a second")


def _write_new(path: str, data: bytes) -> None:
    """Write a file that was not there, whole and to the disk, or not at all."""
    with open(path, "xb") as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            file.raw.close()  # without another try to write what is still buffered
            os.unlink(path)
            raise


def attempts_folder(lab: Lab, number: int) -> str:
    """`.progress/attempts/lab-3/stage-2`."""
    return os.path.join(journal.folder(), "attempts", lab.id, f"stage-{number}")


def kept(lab: Lab, number: int) -> list[str]:
    """The paths of a stage's attempts, oldest first."""
    folder = attempts_folder(lab, number)
    files = os.listdir(folder) if os.path.isdir(folder) else []
    mine = [file for file in files if file.endswith(".py") and file[:1].isdigit()]
    return [os.path.join(folder, file) for file in sorted(mine, key=_when)]


def _when(file: str) -> tuple[str, int]:
    stamp, _, serial = file.removesuffix(".py")[19:].partition("-")
    return file[:19] + stamp, int(serial) if serial.isdigit() else 0


def restore(lab: Lab, number: int) -> str:
    """Bring the newest attempt back; what stands there now is kept first, unless it is a stub."""
    paths = kept(lab, number)
    if not paths:
        raise NotUsable(
            f"no attempt at stage {number} of {lab.id} was kept",
            "an attempt is kept by reset and by recall",
        )
    mine = definitions(lab, number)
    attempt = _attempt(lab, paths[-1])
    sources = [(d, attempt.definition(d.name)) for d in mine]
    lost = [d.name for d, theirs in sources if theirs is None]
    if lost:
        raise _bad_attempt(paths[-1], f"it does not define {names(lost)}")
    if any(not stub.is_stub(d.node) for d in mine):
        keep(lab, number)
    replace(lab, [(d, attempt.source(theirs)) for d, theirs in sources if theirs])
    journal.write(lab.id, number, "restore")
    return f"stage {number} is your attempt of {_when(os.path.basename(paths[-1]))[0]} UTC again"


def _attempt(lab: Lab, path: str) -> Lab:
    """A kept attempt, read as the lab file is."""
    try:
        return Lab(lab.path, places.source(path, path, lab.id))
    except NotUsable as no:
        line = no.where.split(":")[1:2]
        raise _bad_attempt(path, f"{no.message}, line {''.join(line)}") from None


def _bad_attempt(path: str, why: str) -> NotUsable:
    return NotUsable(
        f"the newest attempt, {path}, cannot be brought back: {why}",
        "nothing was changed; mend that file, or delete it for the one before, then ask again",
    )


def replace(lab: Lab, changes: list[tuple[Definition, str]]) -> None:
    """Write the lab file with these definitions replaced; every other byte stays as it was."""
    with open(lab.path, "rb") as file:
        data = file.read()
    mark = BOM if data.startswith(BOM) else b""
    with io.StringIO(data.removeprefix(BOM).decode("utf-8"), newline="") as raw:
        lines = raw.readlines()
    if Lab(lab.path).text != lab.text:
        raise NotUsable("the file changed in the meantime", "ask again", lab.relative, lab.id)
    for found, source in sorted(changes, key=lambda change: -change[0].line):
        ending = _ending(lines[found.line - 1])
        last = lines[found.end - 1]
        closing = last[len(last.rstrip("\r\n")) :]
        text = ending.join(source.split("\n")) + closing
        lines[found.line - 1 : found.end] = [text]
    path = os.path.realpath(lab.path)  # a link stays a link
    temporary = f"{path}.{os.getpid()}.new"
    try:
        if not os.access(path, os.W_OK):
            raise PermissionError(13, "the file is read-only")
        _write_new(temporary, mark + "".join(lines).encode("utf-8"))
        try:
            os.chmod(temporary, os.stat(path).st_mode)
            os.replace(temporary, path)
        except OSError:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise NotUsable(
            f"the file could not be written: {error.strerror}",
            "nothing was changed; make the file writable or free some space, then ask again",
            lab.where(1),
            lab.id,
        ) from None


def _ending(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :] or "\n"
