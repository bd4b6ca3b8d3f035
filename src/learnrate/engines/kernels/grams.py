"""The Gram matrices of minibatches, which all lanes share."""

from __future__ import annotations

from typing import Any

from learnrate.engines.kernels.compiled import inner
from learnrate.engines.kernels.tiles import row_tile, store_tile
from learnrate.engines.kernels.vectors import (
    WIDE,
    load_row,
    multiply_add,
    prefetch,
    store,
    subtract,
    total,
    zero_row,
)

__all__ = ["gather", "minibatch_grams", "row_gram", "tile_rows"]

_AHEAD = (
    2048  # numbers to come that are asked for early: 8 or 16 KiB of them stay in a level-2 cache
)

_ROWS = (
    8 if WIDE else 4
)  # rows of a tile, whole vectors of them: with 2 vectors they leave room in the registers
_zeros_2, _add_2 = row_tile(_ROWS, 2)
_zeros_1, _add_1 = row_tile(_ROWS, 1)
_store_2, _store_1 = store_tile(_ROWS, 2), store_tile(_ROWS, 1)


@inner
def gather(
    X: Any,
    y: Any,
    d: int,
    order: Any,
    first: int,
    stop: int,
    shift: Any,
    ref: Any,
    Z: Any,
    width: int,
    step: int,
) -> None:
    """Copy examples ``order[first:stop]`` to the rows ``(z, 1, r, 0, …)`` of Z, whose zeros are there.

    ``X`` is flat; ``width`` is a row of Z and ``step`` a vector, in numbers. ``ref`` is
    ``(w_ref, β_ref, 0, …)``, and from ``width`` on what `reference` puts there.
    """
    whole = d // step * step
    last = order.size - 1
    lead = max(4, _AHEAD // d)
    row = 0
    for position in range(first, stop):
        ahead = order[min(position + lead, last)]
        prefetch(y, ahead)
        prefetch(X, ahead * d)
        prefetch(X, ahead * d + d - 1)
        if d > 4 * step:  # a row of more than two cache lines
            j = 2 * step
            while j < d - 1:
                prefetch(X, ahead * d + j)
                j += 2 * step
        i = order[position]
        rest = ref[d]
        if whole == 0:  # less than a vector
            for k in range(d):
                number = X[i * d + k] - shift[k]
                Z[row + k] = number
                rest += number * ref[k]
            Z[row + d] = 1
            Z[row + d + 1] = y[i] - rest
            row += width
            continue
        known = zero_row(Z)
        j = 0
        while j < whole:  # a range of unknown step would begin with a division
            z = subtract(load_row(X, i * d + j), load_row(shift, j))
            store(Z, row + j, z)
            known = multiply_add(z, load_row(ref, j), known)
            j += step
        # What is left of a row is not read with a mask: that would wait for the cache line after it, which
        # nobody has asked for.
        if whole < d:  # its last vector, in which some numbers are there again
            z = subtract(load_row(X, i * d + d - step), load_row(shift, d - step))
            store(Z, row + d - step, z)
            known = multiply_add(z, load_row(ref, width), known)
        Z[row + d] = 1
        Z[row + d + 1] = y[i] - rest - total(known)
        row += width


@inner
def row_gram(Z: Any, rows: int, width: int, step: int, used: int, G: Any, g: int) -> None:
    """``G[g:] ← ZᵀZ`` on and above the diagonal, in tiles."""
    for i in range(0, used, _ROWS):
        j = i
        while j < width:
            at = g + i * width + j
            if j + 2 * step <= width:
                _store_2(_add_2(_zeros_2(Z), Z, i, 1, width, Z, j, width, rows), G, at, width)
                j += 2 * step
            else:
                _store_1(_add_1(_zeros_1(Z), Z, i, 1, width, Z, j, width, rows), G, at, width)
                j += step


@inner
def tile_rows(D: int) -> int:
    """Rows, at most 8, of the tiles that a step goes through: those that leave the fewest over."""
    return -(-D // -(-D // 8))


@inner
def _add_to(total: Any, at: int, part: Any, first: int, count: int) -> None:
    """Add ``count`` numbers to others; of slices, since their loop becomes one of vectors."""
    to, what = total[at : at + count], part[first : first + count]
    for k in range(count):
        to[k] += what[k]


@inner
def _mirror(G: Any, g: int, width: int, D: int, band: int) -> None:
    """Fill in what is below the diagonal, in blocks of ``band`` rows and columns along it.

    The tiles of `row_gram` on the diagonal have filled in their own part; what is left of them goes tile by tile.
    """
    begin = 0
    while begin < D:
        end = min(begin + band, D)
        tile = (begin // _ROWS + 1) * _ROWS
        while tile < end:
            for j in range(begin, tile):
                for i in range(tile, min(tile + _ROWS, end)):
                    G[g + i * width + j] = G[g + j * width + i]
            tile += _ROWS
        begin += band


@inner
def _shift_back(G: Any, g: int, d: int, width: int, shift: Any, kappa: Any, q: Any) -> None:
    """Multiply by M of `learnrate.engines.anchor`; there is room for a row in ``q``."""
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
        G[last + j] += kappa * q[j]


@inner
def minibatch_grams(
    X: Any,
    y: Any,
    d: int,
    order: Any,
    batch_size: int,
    first: int,
    stop: int,
    shift: Any,
    ref: Any,
    shifted: bool,
    decay: Any,
    kappa: Any,
    Z: Any,
    room: int,
    G: Any,
    part: Any,
    sums: Any,
    at_sums: int,
    width: int,
    step: int,
) -> None:
    """``(G, c)`` of the minibatches ``first, …, stop − 1``, one after another in ``G``.

    Without a shift G is symmetric, and below the diagonal only what a step's tiles on it cover is there.

    Z has ``room`` rows; a larger minibatch is gone through in blocks. With ``sums`` not empty,
    ``Σ (z, 1, r)(z, 1, r)ᵀ`` on and above the diagonal is added to it from ``at_sums`` on. Weight
    decay, the same for all lanes, is put in here: ``decay = α |B|`` on the diagonal of G, and
    ``−decay · w_ref`` on c.
    """
    size = width * width
    band = d + 1 if shifted else tile_rows(d + 1)
    for t in range(first, stop):
        g = (t - first) * size
        begin = t * batch_size
        end = min(begin + batch_size, order.size)
        at = begin
        while at < end:
            rows = min(room, end - at)
            gather(X, y, d, order, at, at + rows, shift, ref, Z, width, step)
            if at == begin:
                row_gram(Z, rows, width, step, d + 2, G, g)
            else:
                row_gram(Z, rows, width, step, d + 2, part, 0)
                _add_to(G, g, part, 0, size)
            at += rows
        if sums.size:
            _add_to(sums, at_sums, G, g, (d + 2) * width)
        _mirror(G, g, width, d + 1, band)
        if shifted:
            _shift_back(G, g, d, width, shift, kappa, part)
        if decay > 0:
            last = g + d * width
            for i in range(d):
                G[g + i * width + i] += decay
                G[g + i * width + d + 1] -= decay * ref[i]
                G[last + i] += decay * shift[i]
                G[last + d + 1] -= decay * shift[i] * ref[i]
