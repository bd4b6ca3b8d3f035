"""The Gram matrices of minibatches, which all lanes share."""

from __future__ import annotations

from typing import Any

from learnrate.linear.kernels.arguments import Rows, Scratch, Steps
from learnrate.linear.kernels.compiled import inner
from learnrate.linear.kernels.vectors import ROW_BYTES, TILE, centre, prefetch, row_product

__all__ = ["gather", "minibatch_grams", "row_gram"]

_AHEAD = (
    2048  # numbers to come that are asked for early: 8 or 16 KiB of them stay in a level-2 cache
)
_LINE = 64  # bytes


@inner
def gather(rows: Rows, order: Any, first: int, stop: int, Z: Any, width: int) -> None:
    """Copy examples ``order[first:stop]`` to the rows ``(z, 1, r, 0, …)`` of Z. The zeros are there already."""
    X, y, d, shift, ref = rows.X, rows.y, rows.d, rows.shift, rows.ref
    last = order.size - 1
    lead = max(4, _AHEAD // d)
    line, step = _LINE // X.itemsize, ROW_BYTES // X.itemsize
    row = 0
    for position in range(first, stop):
        ahead = order[min(position + lead, last)]
        prefetch(y, ahead)
        prefetch(X, ahead * d)
        prefetch(X, ahead * d + d - 1)
        for j in range(line, d - 1, line):  # a row of more than two cache lines
            prefetch(X, ahead * d + j)
        i = order[position]
        r = y[i] - ref[d]  # first, since both may be large
        # The end of a row is not read with a mask: that would wait for the cache line after it, which nobody has
        # asked for.
        if d >= step:
            r -= centre(X, i * d, shift, rows.fit, Z, row, d)
        else:
            for j in range(d):
                z = X[i * d + j] - shift[j]
                Z[row + j] = z
                r -= z * ref[j]
        Z[row + d] = 1
        Z[row + d + 1] = r
        row += width


@inner
def row_gram(Z: Any, rows: int, width: int, G: Any, g: int, kept: float) -> None:
    """``G[g:] ← kept · G[g:] + ZᵀZ`` on and above the diagonal, in tiles of whole vectors.

    Below the diagonal only the tiles on it are filled: squares of `TILE` rows and columns.
    """
    step = ROW_BYTES // Z.itemsize
    for i in range(0, width, TILE):
        for j in range(i, width, step):
            at = g + i * width + j
            row_product(G, at, kept, Z, Z, width, i, 1, width, j, rows, 0, 0, 0, 0, 0)


@inner
def _add_to(total: Any, at: int, part: Any, first: int, count: int) -> None:
    """``total[at:at + count] += part[first:first + count]``; LLVM makes vector code of a loop over slices."""
    to, what = total[at : at + count], part[first : first + count]
    for k in range(count):
        to[k] += what[k]


@inner
def _shift_back(rows: Rows, G: Any, g: int, width: int, q: Any) -> None:
    """Fill the matrix below the diagonal by symmetry, and multiply it by M of `learnrate.linear.anchor`."""
    d, shift = rows.d, rows.shift
    for i in range(d + 1):
        for j in range(i):
            G[g + i * width + j] = G[g + j * width + i]
    last = g + d * width
    for j in range(d + 2):
        q[j] = G[last + j]
        G[last + j] = 0
    for i in range(d):
        row = g + i * width
        for j in range(d + 2):
            G[last + j] += shift[i] * G[row + j]
            G[row + j] += shift[i] * q[j]
    for j in range(d + 2):  # last, since it is the largest term by far
        G[last + j] += rows.kappa * q[j]


@inner
def minibatch_grams(
    rows: Rows,
    steps: Steps,
    epoch: int,
    first: int,
    stop: int,
    scratch: Scratch,
    G: Any,
    sums: Any,
    at_sums: int,
) -> None:
    """Compute ``(G, c)`` of the minibatches ``first, …, stop − 1`` of an epoch, one after another in ``G``.

    Without a shift G is symmetric, and below the diagonal only the tiles on it are filled (see `row_gram`). A minibatch
    of more than ``scratch.room`` rows is read in blocks. If ``sums`` is not empty, ``Σ (z, 1, r)(z, 1, r)ᵀ`` on and above
    the diagonal is added to it from ``at_sums`` on. Weight decay is added: to the diagonal of G, and ``−decay · w_ref``
    to c.
    """
    d, width, order = rows.d, scratch.width, steps.orders[epoch]
    size = width * width
    for t in range(first, stop):
        g = (t - first) * size
        begin = t * steps.batch_size
        end = min(begin + steps.batch_size, order.size)
        for at in range(begin, end, scratch.room):
            count = min(scratch.room, end - at)
            gather(rows, order, at, at + count, scratch.Z, width)
            row_gram(scratch.Z, count, width, G, g, 1.0 if at > begin else 0.0)
        if sums.size:
            _add_to(sums, at_sums, G, g, (d + 2) * width)
        if rows.shifted:
            _shift_back(rows, G, g, width, scratch.row)
        if rows.decay > 0:
            last = g + d * width
            for i in range(d):
                pull = rows.decay * rows.ref[i]
                G[g + i * width + i] += rows.decay
                G[g + i * width + d + 1] -= pull
                G[last + i] += rows.decay * rows.shift[i]
                G[last + d + 1] -= rows.shift[i] * pull
