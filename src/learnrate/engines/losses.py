"""The loss of all examples at every lane, in the coordinates of `learnrate.engines.anchor`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.engines.anchor import Anchor

__all__ = ["Quadratic", "residuals", "row_blocks", "squared_errors", "sum_of_products"]

_BLOCK = 1 << 17  # numbers in one block of scratch: 1 MiB of float64, which a level-2 cache holds


def row_blocks(n: int, width: int) -> Iterator[slice]:
    """Cut ``n`` rows of ``width`` numbers into blocks that fit the scratch."""
    rows = max(1, _BLOCK // width)
    for first in range(0, n, rows):
        yield slice(first, min(first + rows, n))


def residuals(X: Float[Array, "n d"], y: Float[Array, " n"], anchor: Anchor) -> Float[Array, " n"]:
    """``r`` of examples, worked out in float64."""
    r = np.empty(len(y), dtype=X.dtype)
    bias = anchor.beta - float(anchor.shift @ anchor.w)
    for rows in row_blocks(*X.shape):
        r[rows] = y[rows] - X[rows] @ anchor.w - bias
    return r


@dataclass(frozen=True, eq=False)
class Quadratic:
    """The loss of all n examples as a quadratic form: ``L(δ) = ½ uᵀ Q u`` with ``u = (δ_w, δ_β, −1)``.

    Attributes
    ----------
    Q : float64 array, shape (d + 2, d + 2)
        ``(1/n) Σ (z, 1, r)(z, 1, r)ᵀ``
    """

    Q: Float[Array, "d2 d2"]

    def losses(self, delta: Float[Array, "D K"]) -> Float[Array, " K"]:
        """Mean loss of every lane; not finite for a diverged one."""
        u = np.empty((len(delta) + 1, delta.shape[1]))
        u[:-1], u[-1] = delta, -1.0
        loss: Float[Array, " K"] = 0.5 * np.einsum("ik,ik->k", u, self.Q @ u)
        return np.maximum(loss, 0.0)


def sum_of_products(
    X: Float[Array, "n d"], y: Float[Array, " n"], anchor: Anchor
) -> tuple[Float[Array, "d2 d2"], Float[Array, " n"]]:
    """``Σ (z, 1, r)(z, 1, r)ᵀ`` over examples, the n-fold Q of `Quadratic`; and ``r``.

    About the anchor all numbers are of one size, so the type of X serves for a block; the sum over blocks
    is made in float64.
    """
    n, d = X.shape
    w, shift = (v.astype(X.dtype) for v in (anchor.w, anchor.shift))
    r = np.empty(n, dtype=X.dtype)
    Q = np.zeros((d + 2, d + 2))
    blocks = list(row_blocks(n, d + 2))
    room = np.ones((blocks[0].stop, d + 2), dtype=X.dtype)
    for rows in blocks:
        Z = room[: rows.stop - rows.start]
        np.subtract(X[rows], shift, out=Z[:, :d])
        np.subtract(y[rows], X.dtype.type(anchor.beta), out=Z[:, d + 1])
        Z[:, d + 1] -= Z[:, :d] @ w
        r[rows] = Z[:, d + 1]
        Q += Z.T @ Z
    return Q, r


def squared_errors(
    X: Float[Array, "n d"], r: Float[Array, " n"], anchor: Anchor, delta: Float[Array, "D K"]
) -> Float[Array, " K"]:
    """Sum of ``(z·δ_w + δ_β − r)²``, in blocks; in float64 for the lanes that overflow X's type."""
    total = np.zeros(delta.shape[1])
    shift = anchor.shift.astype(delta.dtype)
    for rows in row_blocks(len(r), sum(delta.shape)):
        error = (X[rows] - shift) @ delta[:-1]
        error += delta[-1]
        error -= r[rows, None]
        total += np.einsum("nk,nk->k", error, error)
    large = ~(total < np.sqrt(np.finfo(delta.dtype).max)) & np.isfinite(delta).all(axis=0)
    if delta.dtype != np.float64 and large.any():
        total[large] = squared_errors(X, r, anchor, delta[:, large].astype(np.float64))
    return total
