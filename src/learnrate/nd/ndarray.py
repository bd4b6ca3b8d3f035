"""NDArray: an array that records what is computed from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from learnrate._shapes import Array
from learnrate.autograd import Leaf, Node
from learnrate.autograd import backward as _backward
from learnrate.autograd.scopes import state
from learnrate.errors import AutogradError, InputError
from learnrate.nd.apply import apply, binary, binary_left_scalar, quiet
from learnrate.nd.operators.arithmetic import ADD, DIVIDE, MULTIPLY, NEGATIVE, POWER, SUBTRACT
from learnrate.nd.operators.products import DOT
from learnrate.nd.operators.reductions import MEAN, SUM
from learnrate.nd.operators.shaping import RESHAPE, SLICE, TAKE, TRANSPOSE

__all__ = ["NDArray"]


class _OneElement(np.ndarray[Any, Any]):
    """A NumPy array of one element that ``float`` and ``'%f'`` accept, as NumPy 1 let any such array."""

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __repr__(self) -> str:
        return repr(self.view(np.ndarray))


class NDArray:
    """An array whose operations are recorded inside `autograd.record`. Make one with `nd.array`."""

    __slots__ = ("__weakref__", "_data", "_node")
    __array_ufunc__ = None  # NumPy leaves mixed operations to this class, which refuses them
    __hash__ = object.__hash__

    def __init__(self, data: Array, node: Node | None = None) -> None:
        self._data = data
        self._node = node

    # Shape and contents

    @property
    def shape(self) -> tuple[int, ...]:
        """Length along each axis."""
        return self._data.shape

    @property
    def size(self) -> int:
        """Number of elements."""
        return self._data.size

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self._data.ndim

    @property
    def dtype(self) -> type[np.generic]:
        """Type of the elements, such as ``numpy.float32``."""
        return self._data.dtype.type

    def asnumpy(self) -> Array:
        """Return a copy as a NumPy array."""
        copy = self._data.copy()
        return copy.view(_OneElement) if copy.size == 1 else copy

    def asscalar(self) -> Any:
        """Return the one element as a NumPy scalar."""
        if self._data.size != 1:
            raise InputError(
                f"asscalar() must be called on an array of one element. Got shape {self.shape} instead."
            )
        return self._data.ravel()[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self._data, dtype=dtype)

    def __len__(self) -> int:
        return int(self._data.shape[0])

    def __iter__(self) -> Iterator[NDArray]:
        for i in range(len(self)):
            yield self[i]

    def __repr__(self) -> str:
        shape = "x".join(str(size) for size in self.shape)
        return f"\n{self._data!s}\n<NDArray {shape} @cpu(0)>"

    # Gradients

    @property
    def grad(self) -> Any:
        """The gradient that the last backward sweep wrote; None without `attach_grad`."""
        node = self._node
        return node.grad if type(node) is Leaf else None

    def attach_grad(self, grad_req: str = "write") -> None:
        """Allocate ``.grad`` (zeros, like this array) and have operations on this array recorded."""
        self._mark(self.__class__(np.zeros(self._data.shape, self._data.dtype)), grad_req)

    def backward(
        self, out_grad: NDArray | None = None, retain_graph: bool = False, train_mode: bool = True
    ) -> None:
        """Compute the gradient of this array's sum for every array with `attach_grad`."""
        _backward(self, out_grad, retain_graph, train_mode)

    def detach(self) -> NDArray:
        """Return an array of the same memory that is not recorded."""
        return self.__class__(self._data)

    def write(self, gradient: Array) -> None:
        """Replace the contents, as a gradient's memory."""
        np.copyto(self._data, gradient)

    def add(self, gradient: Array) -> None:
        """Add to the contents, as a gradient's memory."""
        self._data += gradient

    def _mark(self, gradient: Any, grad_req: str) -> None:
        self._node = Leaf(self._data, gradient, grad_req)

    def _like(self, value: Any) -> NDArray:
        return self.__class__(np.zeros_like(self._data) if value is None else np.array(value))

    def _head_gradient(self, given: Any) -> Array:
        if given is None:
            return np.ones(self._data.shape, self._data.dtype)
        data: Array = given._data
        return data

    @staticmethod
    def _arithmetic() -> AbstractContextManager[Any]:
        return np.errstate(all="ignore")

    # Arithmetic

    def __add__(self, other: Any) -> NDArray:
        return binary(ADD, self, other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> NDArray:
        return binary(SUBTRACT, self, other)

    def __rsub__(self, other: Any) -> NDArray:
        return binary_left_scalar(SUBTRACT, other, self)

    def __mul__(self, other: Any) -> NDArray:
        return binary(MULTIPLY, self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> NDArray:
        return binary(DIVIDE, self, other)

    def __rtruediv__(self, other: Any) -> NDArray:
        return binary_left_scalar(DIVIDE, other, self)

    def __pow__(self, other: Any) -> NDArray:
        return binary(POWER, self, other)

    def __rpow__(self, other: Any) -> NDArray:
        return binary_left_scalar(POWER, other, self)

    def __neg__(self) -> NDArray:
        return apply(NEGATIVE, (self,))

    def __iadd__(self, other: Any) -> NDArray:
        return self._write(binary(ADD, self, other))

    def __isub__(self, other: Any) -> NDArray:
        return self._write(binary(SUBTRACT, self, other))

    def __imul__(self, other: Any) -> NDArray:
        return self._write(binary(MULTIPLY, self, other))

    def __itruediv__(self, other: Any) -> NDArray:
        return self._write(binary(DIVIDE, self, other))

    def _write(self, result: NDArray) -> NDArray:
        """Take over the contents of ``result``, in place."""
        self[:] = result
        return self

    # Indexing

    def __getitem__(self, key: Any) -> NDArray:
        if key == slice(None):
            return self
        return apply(SLICE, (self,), key)

    def __setitem__(self, key: Any, value: Any) -> None:
        if state.recording and self._node is not None:
            raise AutogradError(
                "An array in the recorded graph must not be written to while recording. "
                "Write to it outside of autograd.record()."
            )
        if value is self:
            return
        if type(value) is NDArray:
            value = value._data
        try:
            quiet.call(self._data.__setitem__, key, value)
        except ValueError as error:
            raise InputError(
                f"A value must broadcast to the shape that it is written to. Got {np.shape(value)} "
                f"for {self._data[key].shape} instead."
            ) from error

    # Methods

    def reshape(self, *shape: Any) -> NDArray:
        """Return an array of the same memory with another shape."""
        return apply(RESHAPE, (self,), shape[0] if len(shape) == 1 else shape)

    @property
    def T(self) -> NDArray:  # noqa: N802
        """The transpose, a copy."""
        return apply(TRANSPOSE, (self,))

    def take(self, indices: NDArray) -> NDArray:
        """Rows at ``indices``; those out of range are clipped to it."""
        return apply(TAKE, (self,), quiet.call(indices._data.astype, np.intp))

    def dot(self, other: NDArray) -> NDArray:
        """``nd.dot(self, other)``."""
        return apply(DOT, (self, other))

    def sum(self, axis: Any = None, keepdims: bool = False) -> NDArray:
        """Sum over ``axis``, over all elements by default."""
        return apply(SUM, (self,), axis, keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> NDArray:
        """Mean over ``axis``, over all elements by default."""
        return apply(MEAN, (self,), axis, keepdims)

    def astype(self, dtype: Any) -> NDArray:
        """Return a copy with another dtype."""
        return self.__class__(self._data.astype(dtype))

    def __float__(self) -> float:
        return float(self.asscalar())

    def __bool__(self) -> bool:
        return bool(self.asscalar())
