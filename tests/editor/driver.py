"""Drive the real editor: a server on a copy of the workspace, and Chromium on its window."""

from __future__ import annotations

import base64
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Locator, Page, TimeoutError, sync_playwright

from tests.editor import install

ROOT = install.ROOT
MEASURED: list[str] = []  # lines for the end of the session
QUIET = [
    "--auth", "none", "--disable-telemetry", "--disable-update-check",
    "--disable-workspace-trust", "--disable-getting-started-override",
]  # fmt: skip
CHROMIUM = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
PATIENCE = 180.0  # seconds that a condition may take on a machine that others use too
SIZE = {"width": 1090, "height": 800}
USER_SETTINGS = """{
  "workbench.startupEditor": "none", "workbench.tips.enabled": false,
  "workbench.colorTheme": "Default Light Modern", "window.commandCenter": false,
  "window.title": "${rootName}", "editor.occurrencesHighlight": "off",
  "breadcrumbs.enabled": false, "git.enabled": false, "remote.autoForwardPorts": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden", "editor.minimap.enabled": false,
  "editor.stickyScroll.enabled": false, "terminal.integrated.gpuAcceleration": "off",
  "terminal.integrated.fontSize": 12, "terminal.integrated.tabs.enabled": false,
  "terminal.integrated.shellIntegration.decorationsEnabled": "never"
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
    """A VS Code window on a copy of this workspace. It waits for conditions, never for a time."""

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
        self.page: Page = self.browser.new_page(viewport=SIZE)
        self.page.set_default_timeout(1e3 * PATIENCE)

    def picture(self) -> bytes:
        """A screenshot at twice the resolution, as PNG."""
        screen = self.page.context.new_cdp_session(self.page)
        clip = {"x": 0, "y": 0, **SIZE, "scale": 2}
        shot = screen.send("Page.captureScreenshot", {"format": "png", "clip": clip})
        screen.detach()
        return base64.b64decode(shot["data"])

    def _wait_for_port(self) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
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

    def load(self, name: str = "") -> None:
        """Load the window, with a file of the workspace in it where one is named; until ready."""
        address = f"http://127.0.0.1:{self.port}/?folder={quote(str(self.folder))}"
        if name:
            file = f"vscode-remote://127.0.0.1:{self.port}{self.folder / name}"
            address += "&payload=" + quote(f'[["openFile","{file}"]]')
        self.page.goto("about:blank")
        self.page.goto(address)
        self.page.wait_for_selector(".monaco-workbench")
        if name:
            self.page.wait_for_selector(f'.tab[data-resource-name="{Path(name).name}"]')
            self.page.wait_for_selector(".view-line")
        self._is_ready()

    def reload(self) -> None:
        """Load the same window anew by the editor's own command; its terminals go on."""
        self.page.evaluate("window.isOld = true")
        self.command("Developer: Reload Window")
        self.page.wait_for_function("!window.isOld")
        self.page.wait_for_selector(".monaco-workbench")
        self._is_ready()

    def _is_ready(self) -> None:
        """Wait until the tasks have been read."""
        self._entry("task Run Stage", "Run Stage").wait_for()
        self.page.keyboard.press("Escape")
        self._palette().wait_for(state="hidden")

    def until(self, what: Callable[[], Any], seconds: float = PATIENCE) -> Any:
        """Wait until `what()` is true or the time is over; its last value."""
        end = time.monotonic() + seconds
        while not (value := what()) and time.monotonic() < end:
            self.page.wait_for_timeout(50)
        return value

    def _palette(self) -> Locator:
        return self.page.locator(".quick-input-widget input[type=text]").first

    def _entry(self, text: str, label: str) -> Locator:
        """Type `text` into the palette; the entry of its list that is called `label`.

        Again where the palette went away: a window that is still loading takes the focus.
        """
        box = self._palette()
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                if not box.is_visible():
                    self.page.keyboard.press("F1")
                box.fill(text, timeout=3000)
            except TimeoutError:
                continue
            self.until(lambda: self.entry(label).is_visible() or not box.is_visible())
            if box.is_visible() and self.entry(label).is_visible():
                break
        return self.entry(label)

    def entry(self, label: str) -> Locator:
        """The entry of the open list that is called `label`; a comment may follow."""
        row = ".quick-input-list .monaco-list-row"
        ways = [
            f'[aria-label="{label}"]',
            f'[aria-label^="{label}, "]',
            f'[aria-label^="{label}: "]',
        ]
        return self.page.locator(", ".join(row + way for way in ways))

    def command(self, name: str) -> None:
        """Run a command by its whole name in the palette."""
        self._entry(f">{name}", name).click()
        self.until(lambda: not self.entry(name).is_visible())

    def task(self, name: str) -> None:
        """Run a task by its label."""
        self._entry(f"task {name}", name).click()

    def build(self, *texts: str) -> None:
        """Press the keys of the default build task until the terminal shows all the texts.

        VS Code ignores them while it looks for the tasks of the window's last life.
        """
        end = time.monotonic() + PATIENCE
        while not self._says(texts) and time.monotonic() < end:
            self.page.keyboard.press("Control+Shift+b")
            self.until(lambda: self._says(texts), seconds=20)
        self.says(*texts)

    def show(self, name: str) -> None:
        """Bring a file of the workspace to the front, as Ctrl+P does."""
        folder, _, file = name.rpartition("/")
        self.page.keyboard.press("Control+p")
        self._palette().wait_for(state="visible")
        self._palette().fill(name)
        self.entry(f"{file} {folder}").click()
        self.page.wait_for_selector(f'.tab.active[data-resource-name="{file}"]')

    def goto(self, line: int, column: int = 1) -> None:
        """Put the cursor into a line of the open file, until the status bar says so."""
        self.page.keyboard.press("Control+g")
        self._palette().wait_for(state="visible")
        self._palette().fill(f":{line}:{column}")
        self.page.keyboard.press("Enter")
        self._palette().wait_for(state="hidden")  # a key pressed before that is lost
        self.page.get_by_text(f"Ln {line}, Col {column}", exact=True).wait_for()

    def shows(self, text: str) -> None:
        """Wait until the editor has a line from the disk in its visible part."""
        pattern = re.compile(re.escape(text).replace(r"\ ", r"\s"))  # it draws hard spaces
        self.page.locator(".view-line", has_text=pattern).first.wait_for()

    def count(self) -> int:
        """Errors and warnings that the status bar counts."""
        label = self.page.locator('[id="status.problems"] a').get_attribute("aria-label") or ""
        return sum(int(word) for word in label.replace(",", " ").split() if word.isdigit())

    def counts(self, number: int) -> bool:
        """Wait until the status bar counts so many errors and warnings."""
        return self.until(lambda: self.count() == number)

    def problems(self) -> list[str]:
        """The rows of the Problems panel, as text."""
        self.command("Problems: Focus on Problems View")
        rows = self.page.locator(".markers-panel .monaco-list-row")
        self.until(lambda: bool(rows.count()) == bool(self.count()))
        return [" ".join((row.get_attribute("aria-label") or "").split()) for row in rows.all()]

    def squiggles(self) -> int:
        """Error squiggles in the visible part of the editor."""
        return self.page.locator(".squiggly-error").count()

    def terminal(self) -> str:
        """The visible text of the terminals."""
        rows = self.page.locator(".xterm-rows > div").all_inner_texts()
        return "\n".join(rows).replace("\xa0", " ")

    def _says(self, texts: tuple[str, ...]) -> bool:
        shown = "".join(self.terminal().split())
        return all("".join(text.split()) in shown for text in texts)

    def says(self, *texts: str) -> None:
        """Wait until a terminal shows all the texts, wherever it wrapped them."""
        said = self.until(lambda: self._says(texts))
        assert said, f"{texts} not in the terminal:\n{self.terminal()}"
