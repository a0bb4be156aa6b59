"""The pins, and what children fork from: NumPy and PyTorch are loaded once, here."""

import gc
import shutil
import sys

import pytest

from checks.runner import pins

pins.apply()

from checks.runner.lab import Lab, discover  # noqa: E402  the pins come before NumPy

if sys.platform != "win32":
    import numpy as np

    np.random.default_rng(0)  # loads the lazy submodule that every fork would pay for
    if any("torch" in Lab(path).definitions for path in discover()):
        import torch

        torch.set_num_threads(1)


def pytest_collection_finish():
    """What is there now stays: each collection looks at what came since, and is soon due."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def _copy(tmp_path_factory):
    """One copy of the workspace a process, made when a test first asks for it."""
    from tests.workspace import Workspace

    return Workspace(tmp_path_factory.mktemp("copy") / "workspace")


@pytest.fixture
def home(_copy):
    """That copy as shipped, whatever the test before did to it."""
    yield _copy.clean()
    _copy.clean()


@pytest.fixture
def watching(home):
    """Starts a watcher in the copy, with these variables in its environment."""
    from tests.workspace import Watching

    begun = []

    def start(**environ):
        begun.append(Watching(home, **environ))
        return begun[-1]

    yield start
    for watcher in begun:
        watcher.end()


@pytest.fixture(autouse=True)
def _own_progress(monkeypatch, tmp_path):
    """No test writes into the journal of the one who runs it."""
    monkeypatch.setenv("ML_MINI_LABS_PROGRESS", str(tmp_path / "progress"))


@pytest.fixture
def workspace(tmp_path):
    """A copy of the workspace with lab 3 alone, stage 2 wrong and the rest as solved."""
    from tests.workshop import LABS, ROOT, solved

    for part in ("checks", "labs", "conftest.py", "pyproject.toml"):
        source = ROOT / part
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tmp_path / part)
    lab = solved(next(lab for lab in LABS if lab.number == 3))
    wrong = lab.splice("merge", "def merge(ids, pair, new_id):\n    return list(ids)")
    (tmp_path / lab.relative).write_text(wrong.text, encoding="utf-8")
    return tmp_path
