"""Operators and functions of `nd` as methods: ``x + y``, ``x.exp()``, ``x.sum(axis=0)``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from learnrate.nd.apply import binary, binary_reversed
from learnrate.nd.functions import choosing, elementwise, products, reductions, shaping
from learnrate.nd.operators import arithmetic as op

if TYPE_CHECKING:
    from learnrate.nd.ndarray import NDArray

__all__ = ["Methods"]


class Methods:
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

    def __iadd__(self, other: Any) -> NDArray:  # type: ignore[misc]
        return self._write(self + other)

    def __isub__(self, other: Any) -> NDArray:  # type: ignore[misc]
        return self._write(self - other)

    def __imul__(self, other: Any) -> NDArray:  # type: ignore[misc]
        return self._write(self * other)

    def __itruediv__(self, other: Any) -> NDArray:  # type: ignore[misc]
        return self._write(self / other)

    def __imod__(self, other: Any) -> NDArray:  # type: ignore[misc]
        return self._write(self % other)

    def __ipow__(self, other: Any) -> NDArray:  # type: ignore[misc]
        return self._write(self**other)

    if TYPE_CHECKING:  # defined in NDArray

        def _write(self, result: NDArray) -> NDArray: ...

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
    def T(self) -> NDArray:
        """The transpose, a copy; a vector is returned itself."""
        array: Any = self
        return shaping.transpose(array) if array.ndim > 1 else array
