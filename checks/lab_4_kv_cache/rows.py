"""How many rows pass through w_k: the work of a generator, counted and not timed.

Every array of the model becomes a `Watched` one, and so does whatever is computed from it.
A product reports itself to the ledger, which looks for entries of w_k among the factors. It
knows them by their values, 53 random bits each: a head's columns, a transpose, or q, k and v
fused into one matrix are recognised as well as w_k itself.

A row through w_k uses each of its entries once, so

    rows = (products in which entries of w_k take part) / (entries of w_k).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

SAMPLES = 64  # entries looked at before a whole array is: misses a share of 1/3 once in 10^11


class Ledger:
    """Rows through w_k of each layer, while it is open."""

    current: Ledger | None = None

    def __init__(self, weights: list[np.ndarray]) -> None:
        self.size = weights[0].size
        self.rows = np.zeros(len(weights))
        values = np.concatenate([np.ravel(w) for w in weights])
        layers = np.repeat(np.arange(len(weights)), self.size)
        order = np.argsort(values)
        self.values, self.layers = values[order], layers[order]

    def __enter__(self) -> Ledger:
        Ledger.current = self
        return self

    def __exit__(self, *_: object) -> None:
        Ledger.current = None

    def _known(self, entries: np.ndarray) -> np.ndarray:
        """The layer of each entry, -1 for what does not come from a w_k."""
        at = np.searchsorted(self.values, entries).clip(max=len(self.values) - 1)
        return np.where(self.values[at] == entries, self.layers[at], -1)

    def note(self, factor: Any, products: float) -> None:
        """`factor` took part in that many products, each of its entries in equally many."""
        entries = np.asarray(factor)
        if entries.ndim == 0 or entries.size == 0 or entries.dtype != np.float64:
            return
        sample = np.arange(1, SAMPLES + 1) * 2654435761 % entries.size
        if (self._known(entries.flat[sample]) < 0).all():
            return
        found = self._known(entries.ravel())
        counts = np.bincount(found[found >= 0], minlength=len(self.rows))
        self.rows += counts * (products / entries.size) / self.size


def _note(factors: tuple, products: float) -> None:
    if Ledger.current is not None:
        for factor in factors:
            Ledger.current.note(factor, products)


def _bare(value: Any) -> Any:
    if isinstance(value, Watched):
        return value.view(np.ndarray)
    if isinstance(value, (list, tuple)):
        return type(value)(map(_bare, value)) if type(value) in (list, tuple) else value
    return value


def _watched(value: Any) -> Any:
    if type(value) is np.ndarray:
        return value.view(Watched)
    return type(value)(map(_watched, value)) if type(value) in (list, tuple) else value


def _einsum_products(subscripts: Any, factors: tuple) -> float:
    """Products in an einsum of two factors; 0 where it is written in another way."""
    if not isinstance(subscripts, str) or len(factors) != 2:
        return 0.0
    sizes: dict[str, int] = {}
    terms = subscripts.replace(" ", "").partition("->")[0].split(",")
    for term, factor in zip(terms, factors):
        shape = np.shape(factor)
        free = len(shape) - len(term.replace("...", ""))
        axes = term.replace("...", "".join(chr(0x3B1 + i) for i in reversed(range(free))))
        for axis, size in zip(axes, shape):
            sizes[axis] = max(size, sizes.get(axis, 1))
    return float(math.prod(sizes.values()))


class Watched(np.ndarray):
    """An array that reports the products it takes part in; its results are watched too."""

    __array_priority__ = 1000.0

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **named: Any) -> Any:
        out = named.get("out")
        if out is not None:
            named["out"] = tuple(map(_bare, out))
        factors = tuple(map(_bare, inputs))
        result = getattr(ufunc, method)(*factors, **named)
        if method == "__call__" and ufunc.signature is not None:  # matmul and its kin
            _note(factors, float(np.size(result) * np.shape(factors[0])[-1]))
        elif ufunc is np.multiply and all(map(np.ndim, factors)):  # a number makes no row
            _note(factors, float(np.size(result)))
        return _watched(result) if out is None else out[0] if len(out) == 1 else out

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if func in (np.dot, np.inner, np.tensordot):
            result = func(*map(_bare, args), **{k: _bare(v) for k, v in kwargs.items()})
            factors = tuple(args[:2]) + tuple(kwargs[k] for k in ("a", "b") if k in kwargs)
            # |a| |b| |out| = (rows * inner) (inner * columns) (rows * columns)
            sizes = [np.size(part) for part in (*factors, result)]
            _note(factors, math.sqrt(math.prod(sizes)))
            return _watched(result)
        if func is np.einsum:
            bare = [_bare(a) for a in args]
            result = func(*bare, **{k: _bare(v) for k, v in kwargs.items()})
            _note(tuple(bare[1:]), _einsum_products(bare[0], tuple(bare[1:])))
            return _watched(result)
        return _watched(super().__array_function__(func, types, args, kwargs))

    def dot(self, b: Any, out: Any = None) -> Any:  # the method passes by __array_function__
        """`np.dot`, reported."""
        return np.dot(self, b) if out is None else np.dot(self, b, out=out)


def watch(part: Any) -> Any:
    """A copy of a model with every array in it watched."""
    if isinstance(part, np.ndarray):
        return part.copy().view(Watched)
    if isinstance(part, dict):
        return {key: watch(value) for key, value in part.items()}
    return [watch(value) for value in part] if isinstance(part, list) else part


def count_rows(generate: Callable, model: dict, prompt: Any, n: int) -> list[int]:
    """Rows through w_k in each layer while `generate(model, prompt, n)` runs."""
    with Ledger([layer["w_k"] for layer in model["layers"]]) as ledger:
        generate(watch(model), prompt, n)
    return [round(float(rows)) for rows in ledger.rows]
