"""Whether a lab gives the same on every machine: the maintainers' `nox -s reproduce`."""
