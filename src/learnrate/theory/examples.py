"""The examples with a 1 for the bias, ``x̃ = (x, 1)``, and along eigenvectors, without a second copy of the features.

To append a column of ones to X would double the memory, and take longer than most of the computations that need it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import cached_property

import numpy as np

from learnrate._shapes import Array, Float, Int

__all__ = ["Examples", "Rotated"]

_BLOCK = 1024  # rows at a time, so that they and their products stay in the processor's cache


class Examples:
    """The matrix ``X̃ = (X, 1)`` of shape (n, D), for products and blocks of rows.

    Parameters
    ----------
    X : array, shape (n, d)
        Features, of any real type; products are in float64. The attribute ``rounding`` is the machine epsilon of the
        original type.
    one : float or None
        The number in the last column; None for no such column.
    """

    def __init__(self, X: Array, one: float | None = 1.0) -> None:
        kind = X.dtype if X.dtype.kind == "f" else np.dtype(np.float64)
        self.rounding = float(np.finfo(kind).eps)
        self.X: Float[Array, "n d"] = np.asarray(X, dtype=np.float64)
        self.one = one

    @cached_property
    def largest(self) -> float:
        """The largest absolute value in X̃."""
        largest = max(float(self.X.max(initial=0.0)), -float(self.X.min(initial=0.0)))
        return max(largest, 0.0 if self.one is None else abs(self.one))

    @property
    def shape(self) -> tuple[int, int]:
        """``(n, D)``: examples, and parameters with the bias."""
        n, d = self.X.shape
        return n, d + (self.one is not None)

    def whole(self) -> Float[Array, "n D"]:
        """X̃ as an array, which copies X."""
        X = self.X.copy()
        return X if self.one is None else np.column_stack([X, np.full(len(X), self.one)])

    def blocks(
        self, chosen: Int[Array, " some"] | None = None, *, most: int | None = None
    ) -> Iterator[Float[Array, "rows D"]]:
        """All rows, or the chosen ones, at most ``most`` at a time. Each block is overwritten by the next."""
        most, d = most or _BLOCK, self.X.shape[1]
        n = len(self.X) if chosen is None else len(chosen)
        held = np.empty((min(n, most), self.shape[1]))
        if self.one is not None:
            held[:, d] = self.one
        for at in range(0, n, most):
            block = held[: min(most, n - at)]
            X = self.X if chosen is None else self.X.take(chosen[at : at + most], axis=0)
            block[:, :d] = X[at : at + most] if chosen is None else X
            yield block

    def minibatches(
        self, orders: Iterator[Int[Array, "runs B"]]
    ) -> Iterator[Float[Array, "runs B D"]]:
        """Minibatches divided by ``√B``; the index n means a row of zeros. Each is overwritten by the next."""
        n, d = self.X.shape
        first = next(orders)
        gathered = np.empty((*first.shape, d))
        minibatch = np.empty((*first.shape, self.shape[1]))
        features, root = minibatch[..., :d], np.sqrt(first.shape[1])
        fresh = False
        for order in itertools.chain([first], orders):
            if self.one is not None and not fresh:
                minibatch[..., d] = self.one / root
            np.take(self.X, order, axis=0, out=gathered, mode="clip")
            np.divide(gathered, root, out=features)
            fresh = order[-1, -1] < n  # rows of zeros come last
            if not fresh:
                minibatch[order == n] = 0.0
            yield minibatch

    def __matmul__(self, A: Float[Array, "D ..."]) -> Float[Array, "n ..."]:
        """``X̃ A``."""
        if self.one is None:
            return self.X @ A
        product: Array = self.X @ A[:-1]
        product += self.one * A[-1]
        return product

    def pull(self, v: Float[Array, " n"]) -> Float[Array, " D"]:
        """``X̃ᵀ v``."""
        product: Array = self.X.T @ v
        return product if self.one is None else np.append(product, self.one * v.sum())

    def gram(self) -> Float[Array, "D D"]:
        """``X̃ᵀX̃``."""
        n, D = self.shape
        gram = np.empty((D, D))
        d = self.X.shape[1]
        gram[:d, :d] = self.X.T @ self.X
        if self.one is not None:
            gram[d, :d] = gram[:d, d] = self.one * (np.ones(n) @ self.X)
            gram[d, d] = n * self.one**2
        return gram


class Rotated:
    """``z_i = Qᵀ x̃_i``, the coordinates along the Hessian's eigenvectors, of all or some examples, computed block by block.

    All ``z_i`` at once would take as much memory as the examples, and for many examples it takes longer to write and
    read them than to compute them.

    Parameters
    ----------
    examples : Examples
        X̃.
    vectors : array, shape (D, r)
        Q.
    chosen : array, shape (rows,), or None
        Which examples; None for all.
    residuals : callable
        Returns ``ε_i`` of all examples; called when they are needed.
    """

    def __init__(
        self,
        examples: Examples,
        vectors: Float[Array, "D r"],
        chosen: Int[Array, " rows"] | None,
        residuals: Callable[[], Float[Array, " n"]],
    ) -> None:
        self._examples = examples
        self._vectors = vectors
        self._chosen = chosen
        self._residuals = residuals
        self.rows = examples.shape[0] if chosen is None else len(chosen)

    def blocks(
        self, *, most: int | None = None, residuals: bool = False
    ) -> Iterator[tuple[Float[Array, "rows r"], Float[Array, " rows"] | None]]:
        """Yield blocks of at most ``most`` rows ``z_i``, each with its ``ε_i`` if ``residuals``, else with None."""
        eps, at = self._residuals() if residuals else None, 0
        if eps is not None and self._chosen is not None:
            eps = eps[self._chosen]
        for rows in self._examples.blocks(self._chosen, most=most):
            yield rows @ self._vectors, None if eps is None else eps[at : at + len(rows)]
            at += len(rows)
