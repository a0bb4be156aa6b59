"""Write requirements.lock anew: `nox -s lock`, with uv on the PATH.

The torch block at the top is kept as it stands, since its CPU builds come from an index of
PyTorch's own and are moved by hand; so are the versions held below. Every other version is the
newest that pyproject's names allow, for all platforms, with hashes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements.lock"
DASHES = "# " + "-" * 76 + "\n"
HELD = ["numpy==2.4.6", "networkx==3.6.1", "contourpy==1.3.3"]  # the last ones for Python 3.11


def names() -> list[str]:
    """Every package that pyproject.toml names, but torch."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)
    groups = project["dependency-groups"]
    return [*project["project"]["dependencies"], *groups["dev"], *groups["torch"]]


def main() -> int:
    """Resolve with uv, keep the head of the lock, write the rest."""
    head, dashes, _ = LOCK.read_text(encoding="utf-8").partition(DASHES)
    if not dashes:
        sys.exit("requirements.lock has no line of dashes below the torch block")
    with tempfile.TemporaryDirectory() as folder:
        wanted, held = Path(folder, "names.in"), Path(folder, "held.txt")
        wanted.write_text("\n".join(name for name in names() if name != "torch") + "\n")
        held.write_text("\n".join(HELD) + "\n")
        command = ["uv", "pip", "compile", "--universal", "--python-version", "3.11",
                   "--generate-hashes", "--no-header", "--no-annotate",
                   "-c", str(held), str(wanted)]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, text=True)
        except FileNotFoundError:
            sys.exit("uv is missing: see docs.astral.sh/uv for how to install it")
    if done.returncode:
        sys.exit(done.stderr)
    LOCK.write_text(head + dashes + done.stdout, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
