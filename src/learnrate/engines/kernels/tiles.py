"""Tiles: small matrix products whose sums stay in registers, as Numba intrinsics.

A tile is ``rows × vectors`` vectors. Each term of its product loads ``vectors`` vectors of one row of the
right factor, once, and multiplies them by one number for each row of the left factor, so that the
processor's multipliers are kept busy and its load units are not.
"""

# mypy: disable-error-code="import-untyped, no-untyped-call"

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from learnrate.engines.kernels.vectors import LANE_BYTES, ROW_BYTES, Emitter, Vector

__all__ = [
    "descend",
    "descend_with_momentum",
    "lane_tile",
    "row_tile",
    "store_difference",
    "store_tile",
]


def row_tile(rows: int, vectors: int) -> tuple[Any, Any]:
    """``zeros`` and ``accumulate`` for a tile whose columns run along the features."""
    return _tile(ROW_BYTES, rows, vectors)


def lane_tile(rows: int) -> tuple[Any, Any]:
    """``zeros`` and ``accumulate`` for a tile whose columns are the lanes of one vector."""
    return _tile(LANE_BYTES, rows, 1)


def _tile(size: int, rows: int, vectors: int) -> tuple[Any, Any]:
    @intrinsic
    def zeros(typing: Any, A: Any) -> Any:
        """A tile of zeros of the type of A."""
        result = types.UniTuple(Vector(A.dtype, size), rows * vectors)

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return ir.Constant(context.get_data_type(result), None)

        return result(A), generate

    @intrinsic
    def accumulate(
        typing: Any,
        tile: Any,
        A: Any,
        a: Any,
        row: Any,
        term: Any,
        X: Any,
        x: Any,
        x_row: Any,
        terms: Any,
    ) -> Any:
        """Add to row i of the tile ``Σ_t A[a + i·row + t·term] · X[x + t·x_row + …]``, for t < terms."""

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            emit = Emitter(context, builder, signature, args)
            before, _, a, row, term, _, x, x_row, terms = args
            of = context.get_data_type(tile.dtype)
            sums = [
                cgutils.alloca_once_value(builder, value)
                for value in cgutils.unpack_tuple(builder, before)
            ]
            with cgutils.for_range(builder, terms) as loop:
                right_at = builder.add(x, builder.mul(loop.index, x_row))
                left_at = builder.add(a, builder.mul(loop.index, term))
                right = [
                    emit.read(5, emit.offset(right_at, of.count, v), of) for v in range(vectors)
                ]
                for i in range(rows):
                    left = emit.spread(1, emit.offset(left_at, row, i), of)
                    for v in range(vectors):
                        place = sums[i * vectors + v]
                        new = emit.multiply_add(left, right[v], builder.load(place))
                        builder.store(new, place)
            return context.make_tuple(builder, tile, [builder.load(place) for place in sums])

        index = types.intp
        return tile(tile, A, index, index, index, X, index, index, index), generate

    return zeros, accumulate


def store_tile(rows: int, vectors: int) -> Any:
    """Writes a tile: its row i to ``out[start + i·row]``."""

    @intrinsic
    def write(typing: Any, tile: Any, out: Any, start: Any, row: Any) -> Any:
        """Write the tile."""

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            emit = Emitter(context, builder, signature, args)
            for position, value in enumerate(cgutils.unpack_tuple(builder, args[0])):
                i, v = divmod(position, vectors)
                index = emit.offset(args[2], args[3], i)
                emit.write(1, emit.offset(index, value.type.count, v), value)
            return emit.nothing()

        return types.void(tile, out, types.intp, types.intp), generate

    return write


def store_difference(rows: int) -> Any:
    """Writes ``tile − c_i``, for a tile one vector wide: its row i to ``out[start + i·row]``."""

    @intrinsic
    def write(
        typing: Any, tile: Any, c: Any, c_start: Any, c_row: Any, out: Any, start: Any, row: Any
    ) -> Any:
        """The ``c_i`` of row i is at ``c[c_start + i·c_row]``."""

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            emit = Emitter(context, builder, signature, args)
            _, _, c_start, c_row, _, start, row = args
            for i, index, value in _rows(emit, args[0], start, row):
                right = emit.spread(1, emit.offset(c_start, c_row, i), value.type)
                emit.write(4, index, builder.fsub(value, right))
            return emit.nothing()

        index = types.intp
        return types.void(tile, c, index, index, out, index, index), generate

    return write


def descend(rows: int) -> Any:
    """Steps with a tile one vector wide: row i of ``new`` is that of ``old + rates · (c_i − tile)``."""

    @intrinsic
    def step(
        typing: Any,
        tile: Any,
        old: Any,
        new: Any,
        start: Any,
        row: Any,
        c: Any,
        c_start: Any,
        c_row: Any,
        rates: Any,
    ) -> Any:
        """Row i is at ``old[start + i·row]``, its ``c_i`` at ``c[c_start + i·c_row]``."""

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            emit = Emitter(context, builder, signature, args)
            _, _, _, start, row, _, c_start, c_row, _ = args
            of = context.get_data_type(tile.dtype)
            eta = emit.read(8, ir.Constant(start.type, 0), of)
            for i, index, value in _rows(emit, args[0], start, row):
                right = emit.spread(5, emit.offset(c_start, c_row, i), of)
                change = builder.fsub(right, value)
                emit.write(2, index, emit.multiply_add(eta, change, emit.read(1, index, of)))
            return emit.nothing()

        index = types.intp
        signature = types.void(tile, old, new, index, index, c, index, index, rates)
        return signature, generate

    return step


def descend_with_momentum(rows: int) -> Any:
    """Steps with a tile: ``velocity ← μ velocity + tile − c_i``, ``new = old − rates · velocity``."""

    @intrinsic
    def step(
        typing: Any,
        tile: Any,
        old: Any,
        new: Any,
        velocity: Any,
        start: Any,
        row: Any,
        c: Any,
        c_start: Any,
        c_row: Any,
        rates: Any,
        momentum: Any,
    ) -> Any:
        """Row i is at ``old[start + i·row]``, its ``c_i`` at ``c[c_start + i·c_row]``."""

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            emit = Emitter(context, builder, signature, args)
            _, _, _, _, start, row, _, c_start, c_row, _, mu = args
            of = context.get_data_type(tile.dtype)
            eta, mu = emit.read(9, ir.Constant(start.type, 0), of), emit.fill(mu, of)
            for i, index, value in _rows(emit, args[0], start, row):
                right = emit.spread(6, emit.offset(c_start, c_row, i), of)
                gradient = builder.fsub(value, right)
                speed = emit.multiply_add(mu, emit.read(3, index, of), gradient)
                emit.write(3, index, speed)
                change = builder.fmul(eta, speed)
                emit.write(2, index, builder.fsub(emit.read(1, index, of), change))
            return emit.nothing()

        index = types.intp
        signature = types.void(
            tile, old, new, velocity, index, index, c, index, index, rates, momentum
        )
        return signature, generate

    return step


def _rows(emit: Emitter, tile: Any, start: Any, row: Any) -> Iterator[tuple[int, Any, Any]]:
    """Number, index in the array and value of each row of a tile one vector wide."""
    for i, value in enumerate(cgutils.unpack_tuple(emit.builder, tile)):
        yield i, emit.offset(start, row, i), value
