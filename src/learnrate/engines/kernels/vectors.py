"""Vectors in registers for Numba: load, store, multiply-add.

LLVM turns plain loops into vector code as it sees fit; what the engine needs is sums that stay in
registers. These intrinsics say so. They are LLVM's own vector operations, so they run on any processor:
where it has narrower registers LLVM splits them.

A vector holds neighbouring entries of a flat array. There are two lengths: short ones for a row of
features, where there are few, and long ones for lanes. No index is checked.
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
from numba.extending import models, register_model

__all__ = [
    "LANE_BYTES",
    "ROW_BYTES",
    "WIDE",
    "Emitter",
    "Vector",
    "intrinsic",
    "load_lanes",
    "load_row",
    "load_row_part",
    "multiply",
    "multiply_add",
    "prefetch",
    "spread_lanes",
    "store",
    "subtract",
    "total",
    "zero_row",
]

_HAS: dict[str, bool] = dict(llvm.get_host_cpu_features())
ROW_BYTES = 32 if _HAS.get("avx") else 16
LANE_BYTES = 64 if _HAS.get("avx512f") else ROW_BYTES
WIDE = not _HAS.get("avx") or bool(_HAS.get("avx512f"))
"""Whether there are 32 vector registers, as nearly everywhere; AVX without its 512-bit part has 16."""

intrinsic: Any = numba_intrinsic
"""Numba's decorator; the function lacks its first argument when kernels call it, which has no type."""

_I32 = ir.IntType(32)
_INDEX = ir.IntType(64)


class Vector(types.Type):
    """``size / itemsize`` neighbouring numbers, as a Numba type."""

    def __init__(self, dtype: Any, size: int) -> None:
        self.dtype = dtype
        self.count = size // (dtype.bitwidth // 8)
        super().__init__(name=f"Vector({dtype}, {self.count})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    """In LLVM it is a vector value."""

    def __init__(self, manager: Any, kind: Vector) -> None:
        element = ir.FloatType() if kind.dtype == types.float32 else ir.DoubleType()
        super().__init__(manager, kind, ir.VectorType(element, kind.count))


class Emitter:
    """Writes LLVM instructions for one call of an intrinsic, whose arguments go by position."""

    def __init__(self, context: Any, builder: Any, signature: Any, args: Any) -> None:
        self.context, self.builder, self.kinds, self.args = context, builder, signature.args, args

    def offset(self, index: Any, step: Any, times: int) -> Any:
        """``index + step · times``"""
        step = step if isinstance(step, ir.Value) else ir.Constant(_INDEX, step)
        return self.builder.add(index, self.builder.mul(step, ir.Constant(_INDEX, times)))

    def address(self, array: int, index: Any, of: Any = None) -> Any:
        """Where ``array[index]`` lies, as the place of a number or of a vector ``of`` LLVM's type."""
        make = self.context.make_array(self.kinds[array])
        place = self.builder.gep(make(self.context, self.builder, self.args[array]).data, [index])
        return place if of is None else self.builder.bitcast(place, of.as_pointer())

    def read(self, array: int, index: Any, of: Any) -> Any:
        """The vector at ``array[index]``."""
        value = self.builder.load(self.address(array, index, of))
        value.align = self.kinds[array].dtype.bitwidth // 8
        return value

    def write(self, array: int, index: Any, value: Any) -> None:
        """Put a vector at ``array[index]``."""
        place = self.address(array, index, value.type)
        self.builder.store(value, place).align = self.kinds[array].dtype.bitwidth // 8

    def spread(self, array: int, index: Any, of: Any) -> Any:
        """A vector whose entries all are ``array[index]``."""
        return self.fill(self.builder.load(self.address(array, index)), of)

    def fill(self, number: Any, of: Any) -> Any:
        """A vector whose entries all are ``number``."""
        one = self.builder.insert_element(ir.Constant(of, ir.Undefined), number, _I32(0))
        first = ir.Constant(ir.VectorType(_I32, of.count), [0] * of.count)
        return self.builder.shuffle_vector(one, one, first)

    def multiply_add(self, a: Any, b: Any, c: Any) -> Any:
        """``a·b + c``: fused where the processor can, two operations where it can't."""
        return self.call(f"llvm.fmuladd.{_suffix(a.type)}", a.type, a, b, c)

    def call(self, name: str, result: Any, *arguments: Any) -> Any:
        """Call an intrinsic of LLVM's."""
        kind = ir.FunctionType(result, [argument.type for argument in arguments])
        function = cgutils.get_or_insert_function(self.builder.module, kind, name)
        return self.builder.call(function, arguments)

    def nothing(self) -> Any:
        """What an intrinsic that only writes gives back."""
        return self.context.get_dummy_value()

    def halves(self, value: Any) -> Iterator[Any]:
        """The lower and the upper half of a vector."""
        half = value.type.count // 2
        for first in (0, half):
            chosen = ir.Constant(ir.VectorType(_I32, half), list(range(first, first + half)))
            yield self.builder.shuffle_vector(value, value, chosen)


def _suffix(of: Any) -> str:
    """LLVM's name for a vector type."""
    return f"v{of.count}f{32 if isinstance(of.element, ir.FloatType) else 64}"


def _loader(size: int) -> Any:
    @intrinsic
    def load(typing: Any, array: Any, index: Any) -> Any:
        """The vector that starts at ``array[index]``."""
        kind = Vector(array.dtype, size)

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            emit = Emitter(context, builder, signature, args)
            return emit.read(0, args[1], context.get_data_type(kind))

        return kind(array, types.intp), generate

    return load


load_row = _loader(ROW_BYTES)
load_lanes = _loader(LANE_BYTES)


@intrinsic
def load_row_part(typing: Any, array: Any, index: Any, count: Any) -> Any:
    """Like ``load_row``, but only ``count`` entries are read, which may be 0; the others are 0."""
    kind = Vector(array.dtype, ROW_BYTES)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        emit = Emitter(context, builder, signature, args)
        of = context.get_data_type(kind)
        integers = ir.VectorType(_INDEX, of.count)
        positions = ir.Constant(integers, list(range(of.count)))
        mask = builder.icmp_signed("<", positions, emit.fill(args[2], integers))
        align = _I32(array.dtype.bitwidth // 8)
        place, rest = emit.address(0, args[1], of), ir.Constant(of, None)
        return emit.call(f"llvm.masked.load.{_suffix(of)}.p0", of, place, align, mask, rest)

    return kind(array, types.intp, types.intp), generate


@intrinsic
def store(typing: Any, array: Any, index: Any, vector: Any) -> Any:
    """Write a vector to ``array[index]`` and what follows it."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        emit = Emitter(context, builder, signature, args)
        emit.write(0, args[1], args[2])
        return emit.nothing()

    return types.void(array, types.intp, vector), generate


@intrinsic
def spread_lanes(typing: Any, array: Any, index: Any) -> Any:
    """A vector of lanes that all are ``array[index]``."""
    kind = Vector(array.dtype, LANE_BYTES)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        emit = Emitter(context, builder, signature, args)
        return emit.spread(0, args[1], context.get_data_type(kind))

    return kind(array, types.intp), generate


@intrinsic
def zero_row(typing: Any, array: Any) -> Any:
    """A vector of zeros of the type of ``array``."""
    kind = Vector(array.dtype, ROW_BYTES)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return ir.Constant(context.get_data_type(kind), None)

    return kind(array), generate


@intrinsic
def multiply(typing: Any, a: Any, b: Any) -> Any:
    """``a·b``"""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fmul(*args)

    return a(a, b), generate


@intrinsic
def multiply_add(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """``a·b + c``"""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return Emitter(context, builder, signature, args).multiply_add(*args)

    return a(a, b, c), generate


@intrinsic
def subtract(typing: Any, a: Any, b: Any) -> Any:
    """``a − b``"""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fsub(*args)

    return a(a, b), generate


@intrinsic
def total(typing: Any, vector: Any) -> Any:
    """Sum of a vector's entries: the halves are added, until one number is left."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        emit, rest = Emitter(context, builder, signature, args), args[0]
        while rest.type.count > 1:
            rest = builder.fadd(*emit.halves(rest))
        return builder.extract_element(rest, _I32(0))

    return vector.dtype(vector), generate


@intrinsic
def prefetch(typing: Any, array: Any, index: Any) -> Any:
    """Ask for the cache line of ``array[index]``, which will be read soon."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        emit = Emitter(context, builder, signature, args)
        place = builder.bitcast(emit.address(0, args[1]), ir.IntType(8).as_pointer())
        for_reading, keep, data = _I32(0), _I32(2), _I32(1)
        emit.call("llvm.prefetch.p0", ir.VoidType(), place, for_reading, keep, data)
        return emit.nothing()

    return types.void(array, types.intp), generate
