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
from checks.runner import journal, stub
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
    stubs = [(d, _stub(lab, d, number)) for d in mine]
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


def _stub(lab: Lab, mine: Definition, number: int) -> str:
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
    os.makedirs(folder, exist_ok=True)
    text = "\n\n\n".join(lab.source(d) for d in definitions(lab, number)) + "\n"
    stamp = time.strftime("%Y-%m-%dT%H-%M-%S", time.gmtime())
    for serial in range(1000):
        path = os.path.join(folder, f"{stamp}.py" if not serial else f"{stamp}-{serial:03}.py")
        try:
            with open(path, "x", encoding="utf-8", newline="\n") as file:
                file.write(text)
        except FileExistsError:
            continue
        return os.path.relpath(path, os.path.dirname(journal.folder()))
    raise NotUsable("a thousand attempts within one second", "wait a second")


def attempts_folder(lab: Lab, number: int) -> str:
    """`.progress/attempts/lab-3/stage-2`."""
    return os.path.join(journal.folder(), "attempts", lab.id, f"stage-{number}")


def kept(lab: Lab, number: int) -> list[str]:
    """The paths of a stage's attempts, oldest first."""
    folder = attempts_folder(lab, number)
    if not os.path.isdir(folder):
        return []
    return [os.path.join(folder, file) for file in sorted(os.listdir(folder), key=_when)]


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
    with open(paths[-1], encoding="utf-8") as file:
        text = file.read()
    attempt = Lab(lab.path, text)
    mine = definitions(lab, number)
    sources = [(d, attempt.definition(d.name)) for d in mine]
    if any(theirs is None for _, theirs in sources):
        raise NotUsable(f"{paths[-1]} does not define all of them", "copy it over by hand")
    if any(not stub.is_stub(d.node) for d in mine):
        keep(lab, number)
    replace(lab, [(d, attempt.source(theirs)) for d, theirs in sources if theirs])
    journal.write(lab.id, number, "restore")
    return f"stage {number} is your attempt of {_when(os.path.basename(paths[-1]))[0]} UTC again"


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
    temporary = f"{lab.path}.{os.getpid()}.new"
    try:
        with open(temporary, "xb") as file:
            file.write(mark + "".join(lines).encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, os.stat(lab.path).st_mode)
        if not os.access(lab.path, os.W_OK):
            raise PermissionError(13, "the file is read-only")
        os.replace(temporary, lab.path)
    except OSError as error:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise NotUsable(
            f"the file could not be written: {error.strerror}",
            "nothing was changed; make the file writable or free some space, then ask again",
            lab.relative,
            lab.id,
        ) from None


def _ending(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :] or "\n"
