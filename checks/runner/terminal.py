"""Streams that can always be written to: closed ones, a pipe whose reader has gone, no UTF-8.

A verdict is worth its journal line and its exit status even where nobody can read it.
"""

from __future__ import annotations

import codecs
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

PLAIN = {
    "·": "-", "●": "#", "○": "o", "µ": "u", "×": "x", "→": "->", "≤": "<=", "≥": ">=",
    "–": "-", "—": "-", "…": "...", "“": '"', "”": '"', "‘": "'", "’": "'", "−": "-",
}  # fmt: skip


def plain(error: UnicodeError) -> tuple[str, int]:
    """What an encoding without a character shows in its place; an error handler for `codecs`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join(PLAIN.get(character, "?") for character in lost), error.end


def ready() -> None:
    """Open what is closed, and let the encoding of the terminal stand in for what it lacks."""
    for number in range(3):  # else the next pipe gets the number of a standard stream
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    codecs.register_error("plain", plain)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="plain")


def say(text: str) -> None:
    """Print a text at once; where the reader has gone (`| head -1`), nobody is told."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        silence(1)


def flush() -> None:
    """What was printed goes out now; nobody is told where the reader has gone."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        silence(1)


def complain(text: str) -> None:
    """The same on the other stream, which may be as full or as closed."""
    try:
        print(text, file=sys.stderr, flush=True)
    except (OSError, ValueError):
        silence(2)


def silence(number: int) -> None:
    """From here on, what is written to a standard stream goes nowhere, buffers included."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, number)
    os.close(null)


def end_by_exception() -> None:
    """A polite end (SIGTERM, SIGHUP of a closed terminal) unwinds, so that children end too."""
    import _signal

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt(number)

    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(_signal, name):
            _signal.signal(getattr(_signal, name), stop)
