"""Drive the real editor: a server on a copy of the workspace, and Chromium on its window."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Page, sync_playwright

from tests.editor import install

ROOT = install.ROOT
QUIET = [
    "--auth", "none", "--disable-telemetry", "--disable-update-check",
    "--disable-workspace-trust", "--disable-getting-started-override",
]  # fmt: skip
CHROMIUM = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
USER_SETTINGS = """{
  "workbench.startupEditor": "none", "workbench.tips.enabled": false,
  "workbench.colorTheme": "Default Light Modern", "window.commandCenter": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden", "editor.minimap.enabled": false,
  "terminal.integrated.gpuAcceleration": "off"
}"""


def copy_workspace(to: Path) -> None:
    """The files that git knows or would add, without the caches."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True,
    ).stdout.decode()  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return line.getsockname()[1]


class Editor:
    """A VS Code window on a copy of this workspace."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "ml-mini-labs"
        copy_workspace(self.folder)
        (self.folder / ".venv").symlink_to(sys.prefix)  # tasks find it as on a bare machine
        settings = home / "user" / "User"
        settings.mkdir(parents=True)
        (settings / "settings.json").write_text(USER_SETTINGS)
        self.port = free_port()
        environ = dict(os.environ, HOME=str(home), XDG_CONFIG_HOME=str(home / "config"))
        environ.pop("ML_MINI_LABS_PROGRESS", None)
        self.log = (home / "server.log").open("w")
        address = f"127.0.0.1:{self.port}"
        command = [install.node(), install.entry(), *QUIET, "--bind-addr", address,
                   "--user-data-dir", home / "user", "--extensions-dir", home / "extensions",
                   self.folder]  # fmt: skip
        self.server = subprocess.Popen(
            [str(word) for word in command], env=environ, cwd=home, stdout=self.log, stderr=self.log
        )
        self._wait_for_port()
        self.playwright = sync_playwright().start()
        self.browser = self.playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("chromium-browser"),
            args=CHROMIUM,
        )
        self.page: Page = self.browser.new_page(viewport={"width": 1280, "height": 860})

    def _wait_for_port(self) -> None:
        for _ in range(300):
            with socket.socket() as line:
                if line.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise TimeoutError("the editor's server does not answer")

    def close(self) -> None:
        """End the browser and the server."""
        self.browser.close()
        self.playwright.stop()
        self.server.terminate()
        self.server.wait(20)
        self.log.close()

    def open(self, name: str = "") -> None:
        """Open the window, with a file of the workspace in it where one is named."""
        address = f"http://127.0.0.1:{self.port}/?folder={quote(str(self.folder))}"
        if name:
            file = f"vscode-remote://127.0.0.1:{self.port}{self.folder / name}"
            address += "&payload=" + quote(f'[["openFile","{file}"]]')
        self.page.goto("about:blank")
        self.page.goto(address)
        self.page.wait_for_selector(".monaco-workbench", timeout=60_000)
        if name:
            self.page.wait_for_selector(f'.tab[data-resource-name="{Path(name).name}"]')
            self.page.wait_for_selector(".view-line")
        self.page.wait_for_timeout(2000)

    def command(self, name: str) -> None:
        """Run a command by its name in the palette."""
        self.page.keyboard.press("F1")
        self.page.wait_for_selector(".quick-input-widget")
        self.page.keyboard.insert_text(f">{name}")
        self.page.wait_for_timeout(800)
        self.page.keyboard.press("Enter")
        self.page.wait_for_timeout(800)

    def pick(self, text: str) -> None:
        """Choose the entry of the open list that holds `text`."""
        self.page.wait_for_timeout(1200)
        self.page.keyboard.insert_text(text)
        self.page.wait_for_timeout(600)
        self.page.keyboard.press("Enter")

    def goto(self, line: int) -> None:
        """Put the cursor into a line of the open file."""
        self.page.keyboard.press("Control+g")
        self.page.wait_for_timeout(400)
        self.page.keyboard.insert_text(str(line))
        self.page.keyboard.press("Enter")
        self.page.wait_for_timeout(400)

    def task(self, name: str) -> None:
        """Run a task by its label."""
        self.page.keyboard.press("F1")
        self.page.wait_for_timeout(600)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(f"task {name}")
        self.page.wait_for_timeout(2500)
        self.page.keyboard.press("Enter")
        self.page.wait_for_timeout(800)

    def build(self) -> None:
        """Run the default build task; pressed again where the window was not ready for it."""
        for _ in range(3):
            self.page.keyboard.press("Control+Shift+b")
            if "Executing task" in self.wait_for_text("Executing task", 12):
                return

    def count(self) -> int:
        """Errors and warnings that the status bar shows."""
        label = self.page.locator('[id="status.problems"] a').get_attribute("aria-label") or ""
        return sum(int(word) for word in label.replace(",", " ").split() if word.isdigit())

    def wait_for_problems(self, number: int, seconds: float = 25) -> int:
        """Wait until so many problems are shown, and are still after a moment."""
        for _ in range(int(seconds * 5)):
            if self.count() == number:
                self.page.wait_for_timeout(700)
                if self.count() == number:
                    break
            self.page.wait_for_timeout(200)
        return self.count()

    def problems(self) -> list[str]:
        """The rows of the Problems panel, as text."""
        self.command("Problems: Focus on Problems View")
        self.page.wait_for_timeout(1000)
        rows = self.page.locator(".markers-panel .monaco-list-row").all()
        return [" ".join((row.get_attribute("aria-label") or "").split()) for row in rows]

    def squiggles(self) -> int:
        """Error squiggles in the visible part of the editor."""
        return self.page.locator(".squiggly-error").count()

    def wait_for_text(self, text: str, seconds: float = 40) -> str:
        """Wait until a terminal shows `text`; its rows."""
        shown = ""
        for _ in range(int(seconds * 4)):
            shown = "\n".join(self.page.locator(".xterm-rows > div").all_inner_texts())
            shown = shown.replace("\xa0", " ")
            if text in shown:
                return shown
            self.page.wait_for_timeout(250)
        return shown
