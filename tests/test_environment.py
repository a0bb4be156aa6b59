"""The pinned environment finds the workspace from anywhere."""

import os
import subprocess
import venv

from checks import environment


def test_an_environment_imports_the_workspace_wherever_it_is_started(tmp_path):
    root = tmp_path / "a workspace's façade"
    root.mkdir()
    (root / "found_here.py").write_text("print('found')", encoding="utf-8")
    place = tmp_path / "venv"
    venv.EnvBuilder(with_pip=False, symlinks=os.name != "nt").create(place)
    python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    environment.put_on_path(str(python), str(root))
    (line,) = place.rglob("ml_mini_labs_root.pth")
    assert line.read_bytes().isascii()
    done = subprocess.run(
        [python, "-c", "import found_here"], cwd=place, capture_output=True, text=True
    )
    assert done.stdout.strip() == "found", done.stderr
