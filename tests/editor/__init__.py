"""A real VS Code, without a screen: `nox -s vscode`."""
