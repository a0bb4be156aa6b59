"""The built site in a real browser; run by `nox -s browser`, which builds it first."""
