"""The routines of the kernels that are written by hand, as Numba intrinsics.

LLVM compiles plain loops to vector code by rules of its own. Where this is slower by a third or more, in one of the
cases of the benchmark, a routine here is written in LLVM's vector operations. These run on any processor: LLVM splits a
vector that is wider than its registers. ``benchmarks/kernel_routines.py`` measures how much time each of them saves; the
results are in docs/engines.md.

A vector holds neighbouring entries of a flat array. There are two lengths: short vectors for a row of features, of which
there may be few, and long ones for lanes. Indices are not checked, and must not be negative.
"""

# mypy: disable-error-code="import-untyped, no-untyped-call, untyped-decorator"

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic as numba_intrinsic

from learnrate.linear.kernel_cache import vector_bytes

__all__ = [
    "LANE_BYTES",
    "ROW_BYTES",
    "TILE",
    "Emitter",
    "centre",
    "descend",
    "intrinsic",
    "lane_product",
    "prefetch",
    "row_product",
]


def _own_bytes() -> int:
    """The width of this processor's vector registers, in bytes."""
    has: dict[str, bool] = dict(llvm.get_host_cpu_features())
    return 64 if has.get("avx512f") else 32 if has.get("avx") else 16


LANE_BYTES = vector_bytes() or _own_bytes()
"""Bytes of a vector of lanes: the width of the registers."""

ROW_BYTES = min(LANE_BYTES, 32)
"""Bytes of a vector of features."""

TILE = 8
"""Rows of a tile. Its sums and their terms take ten vector registers; processors have 16 or 32."""

if TILE % (ROW_BYTES // 4):
    raise AssertionError("A tile's rows, and so those of matrices, must be whole vectors.")

intrinsic: Any = numba_intrinsic
"""The decorator `numba.extending.intrinsic`. Kernels call the function without its first argument, ``typing``."""

_I32, _INDEX = ir.IntType(32), ir.IntType(64)


class Emitter:
    """Writes LLVM instructions for one call of an intrinsic. Methods take the positions of its arguments.

    Parameters
    ----------
    size : int
        Bytes of a vector.
    like : int
        Position of the argument, an array, that has the type of the vectors' numbers.
    context, builder, signature, args
        What Numba passes to the function that generates code.
    """

    def __init__(
        self, size: int, like: int, context: Any, builder: Any, signature: Any, args: Any
    ) -> None:
        self.context, self.builder, self.kinds, self.args = context, builder, signature.args, args
        kind = self.kinds[like].dtype
        self.count, self.align = size * 8 // kind.bitwidth, kind.bitwidth // 8
        number = ir.FloatType() if kind == types.float32 else ir.DoubleType()
        self.of = ir.VectorType(number, self.count)
        self.zeros = ir.Constant(self.of, None)
        self.suffix = f"v{self.count}f{kind.bitwidth}"

    def offset(self, index: Any, step: Any, times: Any) -> Any:
        """``index + step · times``; the last two are Python integers or values of LLVM."""
        step, times = (v if isinstance(v, ir.Value) else _INDEX(v) for v in (step, times))
        return self.builder.add(index, self.builder.mul(step, times))

    def place(self, array: int, index: Any) -> Any:
        """The address of ``array[index]``."""
        make = self.context.make_array(self.kinds[array])
        return self.builder.gep(make(self.context, self.builder, self.args[array]).data, [index])

    def read(self, array: int, index: Any) -> Any:
        """The vector at ``array[index]``."""
        place = self.builder.bitcast(self.place(array, index), self.of.as_pointer())
        value = self.builder.load(place)
        value.align = self.align
        return value

    def write(self, array: int, index: Any, value: Any) -> None:
        """Put a vector at ``array[index]``."""
        place = self.builder.bitcast(self.place(array, index), self.of.as_pointer())
        self.builder.store(value, place).align = self.align

    def add_doubles(self, array: int, index: Any, value: Any) -> None:
        """Add a vector of either type to the float64 numbers from ``array[index]`` on."""
        kind, builder = ir.VectorType(ir.DoubleType(), self.count), self.builder
        place = builder.bitcast(self.place(array, index), kind.as_pointer())
        before = builder.load(place)
        before.align = 8
        more = value if value.type == kind else builder.fpext(value, kind)
        builder.store(builder.fadd(before, more), place).align = 8

    def spread(self, number: Any) -> Any:
        """A vector whose entries are all this number."""
        one = self.builder.insert_element(ir.Constant(self.of, ir.Undefined), number, _I32(0))
        first = ir.Constant(ir.VectorType(_I32, self.count), [0] * self.count)
        return self.builder.shuffle_vector(one, one, first)

    def multiply_add(self, a: Any, b: Any, c: Any) -> Any:
        """``a·b + c``: fused where the processor can, two operations where it can't."""
        kind = ir.FunctionType(self.of, [self.of] * 3)
        name = f"llvm.fmuladd.{self.suffix}"
        function = cgutils.get_or_insert_function(self.builder.module, kind, name)
        return self.builder.call(function, [a, b, c])

    def total(self, vector: Any) -> Any:
        """Sum of a vector's entries: the halves are added, until one number is left."""
        while vector.type.count > 1:
            vector = self.builder.fadd(*self._halves(vector))
        return self.builder.extract_element(vector, _I32(0))

    def _halves(self, vector: Any) -> Iterator[Any]:
        half = vector.type.count // 2
        for first in (0, half):
            chosen = ir.Constant(ir.VectorType(_I32, half), list(range(first, first + half)))
            yield self.builder.shuffle_vector(vector, vector, chosen)


def _product(size: int) -> Any:
    """The intrinsic that computes a tile of a matrix product; ``size`` is the number of bytes of a vector."""

    @intrinsic
    def product(
        typing: Any,
        out: Any,
        o: Any,
        kept: Any,
        A: Any,
        X: Any,
        length: Any,
        a: Any,
        row: Any,
        term: Any,
        x: Any,
        terms: Any,
        a_2: Any,
        row_2: Any,
        term_2: Any,
        x_2: Any,
        terms_2: Any,
    ) -> Any:
        """``out[o + i·length + v] ← kept · out[…] + Σ_t A[a + i·row + t·term] X[x + t·length + v]``.

        For the rows i < `TILE` and every v of a vector, summed over t < ``terms``. The arguments with ``_2`` give a
        second range of terms, which is added; ``length`` is the length of a row of X and of ``out``. The sums stay in
        registers. Each term loads one vector of X and multiplies it by one number for each row. If ``kept`` is 0, ``out``
        is not read, so it may hold NaN.
        """

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            emit = Emitter(size, 0, context, builder, signature, args)
            _, o, kept, _, _, length, *ranges = args
            sums = [cgutils.alloca_once_value(builder, emit.zeros) for _ in range(TILE)]
            for a, row, term, x, terms in (ranges[:5], ranges[5:]):
                with cgutils.for_range(builder, terms) as loop:
                    right = emit.read(4, emit.offset(x, length, loop.index))
                    left = emit.offset(a, term, loop.index)
                    for i, place in enumerate(sums):
                        number = emit.spread(builder.load(emit.place(3, emit.offset(left, row, i))))
                        more = emit.multiply_add(number, right, builder.load(place))
                        builder.store(more, place)
            fresh = builder.fcmp_ordered("==", kept, ir.Constant(kept.type, 0))
            for i, place in enumerate(sums):
                at, value = emit.offset(o, length, i), builder.load(place)
                more = emit.multiply_add(emit.spread(kept), emit.read(0, at), value)
                emit.write(0, at, builder.select(fresh, value, more))
            return context.get_dummy_value()

        return types.void(out, types.intp, out.dtype, A, X, *[types.intp] * 11), generate

    return product


row_product = _product(ROW_BYTES)
lane_product = _product(LANE_BYTES)


@intrinsic
def descend(
    typing: Any, delta: Any, at: Any, eta: Any, lane: Any, scale: Any, change: Any, k: Any
) -> Any:
    """``δ[at + v] ← δ[at + v] − scale · η[lane + v] · change[k + v]`` for every v of a vector of lanes.

    A plain loop would write vectors of another width than those that `lane_product` reads afterwards, and the processor
    would have to wait.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        emit = Emitter(LANE_BYTES, 0, context, builder, signature, args)
        _, at, _, lane, scale, _, k = args
        rates = builder.fmul(emit.spread(scale), emit.read(2, lane))
        step = builder.fmul(rates, emit.read(5, k))
        emit.write(0, at, builder.fsub(emit.read(0, at), step))
        return context.get_dummy_value()

    i = types.intp
    return types.void(delta, i, eta, i, delta.dtype, change, i), generate


@intrinsic
def centre(typing: Any, X: Any, x: Any, shift: Any, fit: Any, Z: Any, z: Any, count: Any) -> Any:
    """``Z[z + j] ← X[x + j] − shift[j]`` for j < ``count``; returns ``Σ_j Z[z + j] fit_j``.

    ``count`` is at least the length of a vector. The last vector ends where the row ends, so that it may overlap the one
    before it; ``fit`` is stored vector by vector, with 0 for the numbers that come a second time.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        emit = Emitter(ROW_BYTES, 4, context, builder, signature, args)
        _, x, _, _, _, z, count = args
        size, known = _INDEX(emit.count), cgutils.alloca_once_value(builder, emit.zeros)
        last = builder.sub(count, size)
        vectors = builder.udiv(builder.add(count, _INDEX(emit.count - 1)), size)
        with cgutils.for_range(builder, vectors) as loop:
            own = builder.mul(loop.index, size)
            j = builder.select(builder.icmp_signed("<", own, last), own, last)
            number = builder.fsub(emit.read(0, builder.add(x, j)), emit.read(2, j))
            emit.write(4, builder.add(z, j), number)
            builder.store(emit.multiply_add(number, emit.read(3, own), builder.load(known)), known)
        return emit.total(builder.load(known))

    i = types.intp
    return Z.dtype(X, i, shift, fit, Z, i, i), generate


@intrinsic
def prefetch(typing: Any, array: Any, index: Any) -> Any:
    """Load the cache line of ``array[index]`` into the cache, because it will be read soon."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        make, byte = context.make_array(signature.args[0]), ir.IntType(8).as_pointer()
        place = builder.gep(make(context, builder, args[0]).data, [args[1]])
        kind = ir.FunctionType(ir.VoidType(), [byte, _I32, _I32, _I32])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        for_reading, keep, data = _I32(0), _I32(2), _I32(1)
        builder.call(function, [builder.bitcast(place, byte), for_reading, keep, data])
        return context.get_dummy_value()

    return types.void(array, types.intp), generate
