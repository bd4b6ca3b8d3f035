"""Operators and functions of `nd` as methods: ``x + y``, ``x.exp()``, ``x.sum(axis=0)``."""

from __future__ import annotations

from typing import Any, Self

from learnrate.autograd.scopes import state
from learnrate.errors import AutogradError, InputError
from learnrate.nd.apply import binary, binary_reversed
from learnrate.nd.base import Base
from learnrate.nd.functions import choosing, elementwise, products, reductions, shaping
from learnrate.nd.functions.arguments import check_writable
from learnrate.nd.operators import arithmetic as op

__all__ = ["Methods"]


class Methods(Base):
    """The operators and methods of `NDArray` that compute new arrays."""

    __slots__ = ()
    __hash__ = object.__hash__

    __add__ = binary(op.ADD)
    __radd__ = binary_reversed(op.ADD)
    __sub__ = binary(op.SUBTRACT)
    __rsub__ = binary_reversed(op.SUBTRACT)
    __mul__ = binary(op.MULTIPLY)
    __rmul__ = binary_reversed(op.MULTIPLY)
    __truediv__ = binary(op.DIVIDE)
    __rtruediv__ = binary_reversed(op.DIVIDE)
    __mod__ = binary(op.MODULO)
    __rmod__ = binary_reversed(op.MODULO)
    __pow__ = binary(op.POWER)
    __rpow__ = binary_reversed(op.POWER)
    __neg__ = elementwise.negative
    __abs__ = elementwise.abs

    # Element by element: 1 or 0 in the dtype of the array
    __eq__ = binary(op.COMPARISONS["equal"])  # type: ignore[assignment]
    __ne__ = binary(op.COMPARISONS["not_equal"])  # type: ignore[assignment]
    __gt__ = binary(op.COMPARISONS["greater"])
    __ge__ = binary(op.COMPARISONS["greater_equal"])
    __lt__ = binary(op.COMPARISONS["lesser"])
    __le__ = binary(op.COMPARISONS["lesser_equal"])

    def __iadd__(self, other: Any) -> Self:
        return self._write(self + other)

    def __isub__(self, other: Any) -> Self:
        return self._write(self - other)

    def __imul__(self, other: Any) -> Self:
        return self._write(self * other)

    def __itruediv__(self, other: Any) -> Self:
        return self._write(self / other)

    def __imod__(self, other: Any) -> Self:
        return self._write(self % other)

    def __ipow__(self, other: Any) -> Self:
        return self._write(self**other)

    def _write(self, result: Self) -> Self:
        """Copy the values of ``result`` into this array: the last step of ``x += y``."""
        if state.recording and (self._node is not None or result._node is not None):
            check_writable(self)
            raise AutogradError(
                "While recording, x += y and the like must not involve recorded arrays. "
                "Write x = x + y, which makes a new array."
            )
        if result._data.shape != self._data.shape:
            raise InputError(
                f"An array must keep its shape when it is written to. Got a result of shape "
                f"{result.shape} for {self.shape} instead; write x = x + y for a new array."
            )
        self._data[...] = result._data
        return self

    # Functions

    abs = elementwise.abs
    astype = elementwise.astype
    ceil = elementwise.ceil
    clip = elementwise.clip
    copy = elementwise.copy
    cos = elementwise.cos
    exp = elementwise.exp
    expm1 = elementwise.expm1
    floor = elementwise.floor
    log = elementwise.log
    log10 = elementwise.log10
    log1p = elementwise.log1p
    log2 = elementwise.log2
    ones_like = elementwise.ones_like
    reciprocal = elementwise.reciprocal
    relu = elementwise.relu
    round = elementwise.round
    rsqrt = elementwise.rsqrt
    sigmoid = elementwise.sigmoid
    sign = elementwise.sign
    sin = elementwise.sin
    sqrt = elementwise.sqrt
    square = elementwise.square
    tan = elementwise.tan
    tanh = elementwise.tanh
    zeros_like = elementwise.zeros_like

    argmax = reductions.argmax
    argmin = reductions.argmin
    max = reductions.max
    mean = reductions.mean
    min = reductions.min
    norm = reductions.norm
    prod = reductions.prod
    sum = reductions.sum

    broadcast_like = shaping.broadcast_like
    broadcast_to = shaping.broadcast_to
    expand_dims = shaping.expand_dims
    flatten = shaping.flatten
    repeat = shaping.repeat
    reshape = shaping.share_reshaped
    reshape_like = shaping.reshape_like
    squeeze = shaping.squeeze
    swapaxes = shaping.swapaxes
    tile = shaping.tile
    transpose = shaping.transpose

    one_hot = choosing.one_hot
    pick = choosing.pick
    take = choosing.take

    log_softmax = products.log_softmax
    softmax = products.softmax

    @property
    def T(self) -> Self:
        """The transpose, a copy; a vector is returned itself."""
        return shaping.transposed(self)
