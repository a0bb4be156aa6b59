"""Drive a real JupyterLab: a bare environment of its own, and Chromium on its window.

The environment, `.cache/jupyterlab`, holds JupyterLab and what a lab imports, in the versions of
`requirements.lock` where it names them, and nothing of this repository.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from playwright.sync_api import Page, sync_playwright

from tests.editor.driver import CHROMIUM, ROOT, free_port

VERSION = "4.6.6"
CACHE = ROOT / ".cache" / "jupyterlab"
STAMP = CACHE / f"ready-{VERSION}"
CONFIG = {
    "ServerApp": {"open_browser": False, "allow_root": True, "ip": "127.0.0.1", "port_retries": 0},
    "IdentityProvider": {"token": ""},
    "LabApp": {
        "expose_app_in_browser": True,
        "news_url": None,
        "check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
    },
}


def python() -> Path:
    """The interpreter of the bare environment."""
    return CACHE / ("Scripts" if os.name == "nt" else "bin") / "python"


def ensure() -> None:
    """Make the environment where it is missing; about a minute, once."""
    if STAMP.exists():
        return
    shutil.rmtree(CACHE, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", CACHE], check=True)
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = [line.split()[0] for line in lock if "==" in line and line[0] not in " #-"]
    constraints = CACHE / "constraints.txt"
    constraints.write_text("\n".join(pin for pin in pins if not pin.startswith("torch=")))
    words = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", constraints]
    wanted = [f"jupyterlab=={VERSION}", "numpy", "matplotlib"]
    subprocess.run([python(), *words, *wanted], check=True)
    STAMP.write_text("")


class JupyterLab:
    """A JupyterLab window on a folder that holds one notebook."""

    def __init__(self, home: Path, notebook: Path) -> None:
        self.file = notebook
        self.port = free_port()
        environ = dict(os.environ, HOME=str(home), JUPYTER_CONFIG_DIR=str(home / "config"))
        for name in ("PYTHONPATH", "JUPYTER_PATH", "MPLBACKEND"):
            environ.pop(name, None)
        settings = home / "config" / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True)
        (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')
        (home / "config" / "jupyter_config.json").write_text(json.dumps(CONFIG))
        self.log = (home / "server.log").open("w")
        command = [python(), "-m", "jupyterlab", f"--ServerApp.port={self.port}"]
        self.server = subprocess.Popen(
            command, cwd=notebook.parent, env=environ, stdout=self.log, stderr=self.log
        )
        self._wait()
        self.playwright = sync_playwright().start()
        self.browser = self.playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("chromium-browser"),
            args=CHROMIUM,
        )
        self.page: Page = self.browser.new_page(viewport={"width": 1100, "height": 900})
        self.page.goto(f"http://127.0.0.1:{self.port}/lab/tree/{notebook.name}?reset")
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=90_000)
        self.page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=90_000)
        self.page.evaluate("jupyterapp.shell.collapseLeft()")

    def _wait(self) -> None:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api", timeout=1)
                return
            except OSError:
                time.sleep(0.2)
        raise TimeoutError("JupyterLab's server does not answer")

    def close(self) -> None:
        """End the browser, and the server with its kernels."""
        self.browser.close()
        self.playwright.stop()
        self.server.terminate()
        self.server.wait(30)
        self.log.close()

    def command(self, name: str, **arguments: Any) -> None:
        """Run a command of JupyterLab, as its menus do; waits for its end."""
        run = "([name, given]) => jupyterapp.commands.execute(name, given).then(() => 0)"
        self.page.evaluate(run, [name, arguments])

    def saved(self) -> NotebookNode:
        """The notebook as it is now, outputs included."""
        self.command("docmanager:save")
        return nbformat.read(self.file, 4)

    def find(self, text: str, kind: str = "code") -> int:
        """The index of the first cell of a kind whose source holds `text`."""
        cells = self.saved().cells
        return next(i for i, c in enumerate(cells) if c.cell_type == kind and text in c.source)

    def select(self, cell: int, where: str = "start") -> None:
        """Make a cell the active one and bring it into view."""
        self.page.evaluate(
            """async ([at, where]) => {
                const notebook = jupyterapp.shell.currentWidget.content;
                notebook.activeCellIndex = at;
                await notebook.scrollToItem(at, where);
            }""",
            [cell, where],
        )
        self.page.wait_for_timeout(500)

    def type(self, cell: int, text: str) -> NotebookNode:
        """Click into a cell, write `text` over it, and run it with Shift+Enter; the cell."""
        self.select(cell)
        self.page.locator(".jp-Cell.jp-mod-active .cm-content").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(text)
        return self._shift_enter(cell)

    def run(self, cell: int) -> NotebookNode:
        """Click on a cell and run it with Shift+Enter; the cell."""
        self.select(cell)
        self.page.locator(".jp-Cell.jp-mod-active .jp-InputPrompt").click()
        return self._shift_enter(cell)

    def _shift_enter(self, cell: int) -> NotebookNode:
        before = self.saved().cells[cell].execution_count
        self.page.keyboard.press("Shift+Enter")
        for _ in range(240):
            done = self.saved().cells[cell]
            if done.execution_count not in (None, before):
                return done
            self.page.wait_for_timeout(250)
        raise TimeoutError(f"cell {cell} does not end")
