"""A pytest node per stage, for the Testing panel, `pytest labs/` and nox."""

pytest_plugins = ["checks.pytest_plugin"]
