"""Comparing and showing: shapes first, no broadcasting, any kind of entry."""

import numpy as np
import pytest

from checks import values


@pytest.mark.parametrize(
    ("got", "expected", "is_equal"),
    [
        ([1, 2], (1, 2), True), ([1, [2]], [1, [3]], False), (np.array([1, 2]), [1, 2], True),
        (np.ones(3), 1.0, False), (np.ones((3, 1)), np.ones((1, 3)), False), ("a", "a", True),
        (True, 1, True), ("1", 1, False), ({1: 2}, {1: 2}, True), (None, 0, False),
    ],
)  # fmt: skip
def test_equal_compares_item_by_item_and_never_broadcasts(got, expected, is_equal):
    assert values.equal(got, expected) is is_equal


@pytest.mark.parametrize("kind", [bool, int, float, complex])
def test_two_large_arrays_of_any_kind_can_be_contrasted(kind):
    a, b = np.zeros(20, dtype=kind), np.zeros(20, dtype=kind)
    b[7] = 1
    got, expected = values.contrast(a, b)
    assert "[7]" in got and got.split()[0] != expected


def test_nan_is_close_to_nan_only():
    assert values.close(np.array([np.nan, 1]), np.array([np.nan, 1]), 1e-9)
    assert not values.close(np.array([np.nan]), np.array([1.0]), 1e-9)
    assert "nan" in values.contrast(np.full(20, np.nan), np.zeros(20))[0]


def test_a_container_of_large_arrays_is_shown_by_its_corners():
    model = {"layers": [{"w": np.arange(10_000.0).reshape(100, 100)}], "name": "tiny"}
    text = values.show(model, 400)
    assert text.startswith("{'layers': [{'w': array([[") and "..." in text and len(text) <= 400
    assert values.show({"w": np.arange(3)}) == "{'w': array([0, 1, 2])}"
    assert values.call("forward", (model, np.arange(500)), {}) == ""
    assert (
        values.call("forward", (np.arange(500), 3), {}) == "forward(int64 array of shape (500,), 3)"
    )
