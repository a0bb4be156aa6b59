"""The front page: a static site of the labs, without a script and without a foreign request."""
