"""The notebooks that the front page offers: each runs alone, whole, as shipped and as solved."""

import pytest

from tests import alone
from tests.workshop import LABS, name


@pytest.mark.parametrize("lab", LABS, ids=name)
def test_each_notebook_runs_alone_whole_as_shipped_and_as_solved(lab, tmp_path):
    """In one kernel, as somebody would who runs all cells, writes all stages and runs all again."""
    alone.prove(lab, tmp_path)
