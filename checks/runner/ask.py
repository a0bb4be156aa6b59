"""Run Stage asks the watcher, where one is running: a warm parent answers in milliseconds.

The question is the command's arguments, the answer its exit status and its text, over a Unix
socket in .progress that only this user may open. Whatever goes wrong, the caller judges by
itself: the watcher is a shortcut and never a condition.
"""

from __future__ import annotations

import os

from checks.runner import journal, terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    import threading
    from collections.abc import Callable
    from typing import Any

LONGEST = 100  # bytes of a socket's path that every system takes
SECONDS = 150.0


def path() -> str:
    """Where the watcher listens; nothing where the path would be too long or cannot be."""
    place = os.path.join(journal.folder(), "watch.sock")
    return place if os.name == "posix" and len(os.fsencode(place)) < LONGEST else ""


def ask(words: list[str]) -> int | None:
    """Let the watcher run this command and print its answer; None where there is none."""
    place = path()
    if not place or not os.path.exists(place):
        return None
    import _socket
    import marshal

    line = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        line.settimeout(SECONDS)
        line.connect(place)
        line.sendall(marshal.dumps(words))
        line.shutdown(_socket.SHUT_WR)
        answer = b""
        while data := line.recv(1 << 16):
            answer += data
        status, text = marshal.loads(answer)
    except (OSError, EOFError, ValueError, TypeError):
        return None
    finally:
        line.close()
    terminal.say(text.removesuffix("\n"))
    return int(status)


class Server:
    """The listening end: a thread that takes one question at a time."""

    def __init__(self, listener: socket.socket | None, place: str) -> None:
        self.listener, self.place = listener, place

    def close(self) -> None:
        """Stop listening."""
        if self.listener is not None:
            self.listener.close()
            try:
                os.unlink(self.place)
            except OSError:  # somebody took it away already
                pass


def serve(lock: threading.Lock, heat: Callable[[Any], None]) -> Server:
    """Listen for questions in a thread; `lock` keeps one verdict at a time."""
    import socket
    import threading

    place = path()
    if not place or (os.path.exists(place) and _answers(place)):
        return Server(None, place)  # another watcher is there already
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        if os.path.lexists(place):
            os.unlink(place)  # left by a watcher that was killed
        mask = os.umask(0o177)
        try:
            listener.bind(place)
        finally:
            os.umask(mask)
    except OSError:  # a folder that cannot be written, or holds no sockets
        listener.close()
        return Server(None, place)
    listener.listen(8)

    def answer_all() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            with line, lock:
                try:
                    _answer(line, heat)
                except OSError:
                    continue  # the caller has gone

    threading.Thread(target=answer_all, daemon=True).start()
    return Server(listener, place)


def _answers(place: str) -> bool:
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(0.5)
        try:
            line.connect(place)
        except OSError:
            return False
    return True


def _answer(line: socket.socket, heat: Callable[[Any], None]) -> None:
    import marshal

    line.settimeout(5.0)
    question = b""
    while data := line.recv(1 << 16):
        question += data
    if not question:
        return
    from checks.runner import command

    try:
        status, text = command.answer([str(word) for word in marshal.loads(question)], heat)
    except Exception:
        return  # no answer: the caller judges by itself and says what is wrong
    line.sendall(marshal.dumps((status, text)))
