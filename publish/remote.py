"""The address of the repository on the web, as git knows it, and no other."""

from __future__ import annotations

import subprocess
from urllib.parse import urlsplit

from checks.runner.lab import ROOT


def address() -> str:
    """`https://HOST/OWNER/NAME` of git's `origin`; nothing where it has none on the web."""
    command = ["git", "-C", ROOT, "remote", "get-url", "origin"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:  # no git
        return ""
    return on_the_web(done.stdout.strip())


def on_the_web(remote: str) -> str:
    """The page of a git remote, without a user's name or token; nothing for a path."""
    if "://" not in remote and "@" in remote.partition(":")[0]:
        remote = "ssh://" + remote.replace(":", "/", 1)  # git@host:owner/name.git
    parts = urlsplit(remote)
    if parts.scheme not in ("https", "ssh") or not parts.hostname or not parts.path.strip("/"):
        return ""
    return f"https://{parts.hostname}{parts.path.rstrip('/').removesuffix('.git')}"
