"""Processes that a learner's code leaves behind: found by their parent, and ended.

Killing a process group misses whoever left it (`setsid`, a daemon, `start_new_session`). On Linux
orphans are handed to the nearest ancestor that asked for them: while a verdict is found, that
is us. Elsewhere the group is all that can be reached.
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container
    from typing import Any

IS_LINUX = sys.platform.startswith("linux")
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
SECONDS = 2.0  # in which whoever was killed must be gone


def _prctl(option: int, value: int) -> bool:
    """Call prctl(2); False where this is not Linux, or Python lacks its own foreign functions."""
    if not IS_LINUX:
        return False
    try:
        import _ctypes  # ctypes itself takes two milliseconds to import, this half of one

        this_program: Any = None
        call = _ctypes.dlsym(_ctypes.dlopen(this_program, 0), "prctl")
        return not _ctypes.call_function(call, (option, value, 0, 0, 0))
    except (ImportError, OSError, AttributeError):
        return False


def adopt(wanted: bool = True) -> bool:
    """Ask for the orphans among our descendants, or no longer; whether the system does it."""
    return _prctl(PR_SET_CHILD_SUBREAPER, int(wanted))


def die_with(parent: int) -> None:
    """End this process when `parent` ends, however that happens."""
    if _prctl(PR_SET_PDEATHSIG, 9) and os.getppid() != parent:
        os._exit(1)  # it has ended already


def children() -> set[int]:
    """The processes whose parent we are; one call to the system where there are none."""
    if not IS_LINUX:
        return set()
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return set()
    me, found = str(os.getpid()).encode(), set()
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    fields = file.read().rpartition(b") ")[2].split()
            except OSError:
                continue  # it has ended
            if fields[1] == me:
                found.add(int(name))
    return found


def end(spared: Container[int] = ()) -> int:
    """Kill our children but `spared`, and the children that they leave; how many ran."""
    ran: set[int] = set()
    limit = time.monotonic() + SECONDS
    while left := {pid for pid in children() if pid not in spared}:
        for pid in left:
            if _is_running(pid):
                ran.add(pid)
                _kill(pid)
        for pid in left:
            _reap(pid)
        if time.monotonic() > limit:
            break
        time.sleep(0.001)  # the children of those that were killed are handed to us
    return len(ran)


def _is_running(pid: int) -> bool:
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    except ChildProcessError:
        return False


def _kill(pid: int) -> None:
    try:
        os.kill(pid, 9)
    except (ProcessLookupError, PermissionError):
        pass


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass
