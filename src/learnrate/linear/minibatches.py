"""The rows and the Gram matrices of the minibatches of an epoch, many at a time, for the engine `gram`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from learnrate._shapes import Array, Float, Int
from learnrate.linear.anchor import Anchor
from learnrate.linear.losses import row_blocks
from learnrate.linear.problem import LinearProblem

__all__ = ["Minibatches"]

_CHUNK = 1 << 17  # numbers in one chunk of gathered rows, or of matrices


class Minibatches:
    """Rows ``(z, 1, −r)`` in the coordinates of `learnrate.linear.anchor`.

    If all rows fit into one chunk they are computed once. Otherwise they are computed when they are needed, so
    that there is never a copy of X. X and r are those of one block of the examples.
    """

    def __init__(
        self, problem: LinearProblem, anchor: Anchor, X: Float[Array, "n d"], r: Float[Array, " n"]
    ) -> None:
        self.problem, self.anchor, self.X = problem, anchor, X
        self.shift = anchor.shift.astype(problem.dtype) if anchor.shifted else None
        self._minus_r = -r
        self._table: Array | None = None
        if len(r) * (problem.d + 2) <= _CHUNK:
            self._table = self._make(np.arange(len(r)))

    def _make(self, rows: Int[Array, "..."]) -> Float[Array, "..."]:
        d = self.problem.d
        Z = np.empty((*rows.shape, d + 2), dtype=self.problem.dtype)
        Z[..., :d] = self.X.take(rows, axis=0)  # several times faster than X[rows]
        if self.shift is not None:
            Z[..., :d] -= self.shift
        Z[..., d] = 1
        Z[..., d + 1] = self._minus_r.take(rows)
        return Z

    def take(self, rows: Int[Array, "..."]) -> Float[Array, "..."]:
        """The rows with these indices."""
        return self._make(rows) if self._table is None else self._table.take(rows, axis=0)

    def blocks(self, rows: Int[Array, " batch"], lanes: int) -> Iterator[Float[Array, "block d2"]]:
        """Yield the rows of one minibatch in blocks that fit into a level-2 cache with their errors in all lanes."""
        for block in row_blocks(len(rows), self.problem.d + 2 + lanes):
            yield self.take(rows[block])

    def grams(
        self, order: Int[Array, " visits"], scales: Float[Array, " steps"]
    ) -> Iterator[Float[Array, "steps D D1"]]:
        """Yield ``s M (G, −c)`` of the minibatches in order, as many at a time as fit into a level-2 cache.

        It includes weight decay, which is the same for all lanes: ``α I`` is added to the weights' part of G and
        ``−α w_ref`` to that of c. ``s`` is the step's entry of ``scales``, which includes ``1/|B|``.
        """
        d, B = self.problem.d, self.problem.batch_size
        at_once = max(1, _CHUNK // ((d + 2) * max(B, d + 1)))
        step = 0
        for first in range(0, len(order), at_once * B):
            J = order[first : first + at_once * B]
            whole = len(J) // B * B
            for batches in (J[:whole].reshape(-1, B), J[whole:].reshape(1, -1)):
                if batches.size:
                    yield self._scaled(self._grams(batches), scales[step : step + len(batches)])
                    step += len(batches)

    def _grams(self, batches: Int[Array, "steps batch"]) -> Float[Array, "steps D D1"]:
        """``Σ z̃ (z̃, −r)ᵀ`` of each minibatch; a large one is summed in blocks of rows."""
        steps, size = batches.shape
        A: Array | None = None
        for columns in row_blocks(size, (self.problem.d + 2) * steps):
            Z = self.take(batches[:, columns])
            part = Z[..., :-1].transpose(0, 2, 1) @ Z
            A = part if A is None else A + part
        assert A is not None
        return A

    def _scaled(
        self, A: Float[Array, "steps D D1"], scales: Float[Array, " steps"]
    ) -> Float[Array, "steps D D1"]:
        """Multiply by M and the scales, in place, and add the weight decay."""
        d, alpha = self.problem.d, self.problem.weight_decay * self.problem.batch_size
        if self.shift is not None:
            q = A[:, d:].copy()
            A[:, d] *= self.problem.dtype.type(self.anchor.kappa)
            A[:, d] += self.shift @ A[:, :d]
            A[:, :d] += self.shift[:, None] * q
        if alpha:
            weights = np.arange(d)
            A[:, weights, weights] += self.problem.dtype.type(alpha)
            A[:, :d, d + 1] += (alpha * self.anchor.w).astype(self.problem.dtype)
            A[:, d, :d] += (alpha * self.anchor.shift).astype(self.problem.dtype)
            A[:, d, d + 1] += self.problem.dtype.type(alpha * self.anchor.shift @ self.anchor.w)
        A *= scales[:, None, None]
        return A
