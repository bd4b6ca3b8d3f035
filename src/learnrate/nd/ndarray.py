"""NDArray, an array whose operations can be recorded and differentiated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from learnrate._missing import why_missing
from learnrate._shapes import Array
from learnrate.autograd import Leaf, Node, mark_variables
from learnrate.autograd import backward as _backward
from learnrate.autograd.scopes import state
from learnrate.errors import AutogradError, InputError, MissingNameError, not_one_of
from learnrate.nd.apply import quiet, unary
from learnrate.nd.context import Context, check_context, cpu
from learnrate.nd.functions.arguments import check_writable, record_copy
from learnrate.nd.indexing import EVERYTHING, numpy_key
from learnrate.nd.methods import Methods
from learnrate.nd.operators.choosing import GATHER, SLICE
from learnrate.nd.operators.shaping import RESHAPE_COPY
from learnrate.nd.recording import Recording, recording

__all__ = ["NDArray", "waitall"]

GRAD_REQS = ("write", "add", "null")


class _OneElement(np.ndarray[Any, Any]):
    """A NumPy array of one element that ``float`` and ``'%f'`` accept, as in NumPy 1."""

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __repr__(self) -> str:
        return repr(self.view(np.ndarray))


class NDArray(Methods):
    """An array whose operations are recorded inside `autograd.record`. Create one with `nd.array`.

    The elements are contiguous in memory. ``x[1:3]``, ``x[0]``, ``x.reshape(…)`` and ``x.detach()`` share memory with
    ``x``, as does every ``x[…]`` of integers and slices that is contiguous; all other results are copies.
    """

    __slots__ = ("__weakref__",)
    __array_ufunc__ = None  # NumPy leaves mixed operations to this class, which refuses them

    @property
    def dtype(self) -> type[np.generic]:
        """Type of the elements, such as ``numpy.float32``."""
        return self._data.dtype.type

    @property
    def context(self) -> Context:
        """The device of the array: ``cpu(0)``."""
        return cpu()

    ctx = context

    def asnumpy(self) -> Array:
        """Return a copy as a NumPy array."""
        copy = self._data.copy()
        return copy.view(_OneElement) if copy.size == 1 else copy

    def asscalar(self) -> Any:
        """Return the only element as a NumPy scalar.

        Raises
        ------
        InputError
            If the array has more than one element.
        """
        if self._data.size != 1:
            raise InputError(
                "asscalar() must be called on an array of one element. "
                f"Got one of shape {self.shape} instead; reduce it first, with .sum() or .mean()."
            )
        return self._data.ravel()[0]

    def __float__(self) -> float:
        return float(self.asscalar())

    def __int__(self) -> int:
        return int(self.asscalar())

    def __bool__(self) -> bool:
        if self._data.size != 1:
            raise InputError(
                "The truth of an array must be that of its one element. "
                f"Got an array of shape {self.shape} instead; use .min() for all, .max() for any."
            )
        return bool(self._data.ravel()[0])

    def __len__(self) -> int:
        return int(self._data.shape[0])

    def __iter__(self) -> Iterator[NDArray]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        shape = "x".join(str(size) for size in self.shape)
        return f"\n{self._data!s}\n<NDArray {shape} @cpu(0)>"

    def __reduce__(self) -> tuple[Any, ...]:
        return NDArray, (self._data,)

    def __getattr__(self, name: str) -> Any:
        why = why_missing(name, [n for n in dir(NDArray) if not n.startswith("_")])
        raise MissingNameError(f"NDArray.{name} is not part of learnrate{why}", name=name, obj=self)

    # Gradients

    @property
    def grad(self) -> Any:
        """The gradient from the last backward pass, an array; None without `attach_grad`."""
        node = self._node
        return node.grad if type(node) is Leaf else None

    def attach_grad(self, grad_req: str = "write") -> None:
        """Create ``.grad``, zeros of the shape of this array, and record what is computed from the array.

        If the array was itself computed while recording, it becomes a leaf: no gradient flows further back.

        Parameters
        ----------
        grad_req : str
            What `backward` does with the gradient: ``"write"`` replaces the last one, ``"add"`` adds to it, ``"null"``
            drops it.
        """
        zeros = self.__class__(np.zeros(self._data.shape, self._data.dtype))
        mark_variables(self, zeros, grad_req)

    def backward(
        self, out_grad: NDArray | None = None, retain_graph: bool = False, train_mode: bool = True
    ) -> None:
        """Compute the gradient of the sum of this array with respect to every array with `attach_grad`.

        Parameters
        ----------
        out_grad : NDArray, optional
            Weights of the elements in the sum, ones by default.
        retain_graph : bool
            Whether to keep the graph, so that it can be differentiated again.
        train_mode : bool
            Ignored, as in MXNet.

        Raises
        ------
        AutogradError
            If the array was not recorded, or its graph was released by an earlier call.
        """
        _backward(self, out_grad, retain_graph, train_mode)

    def detach(self) -> NDArray:
        """Return an array that shares the memory and is not in the recorded graph."""
        return self.__class__(self._data)

    # The protocol learnrate.autograd.backward.Recorded

    def _mark(self, gradient: Any, grad_req: str) -> None:
        if grad_req not in GRAD_REQS:
            raise not_one_of("grad_req", grad_req, GRAD_REQS)
        self._check_like(gradient, "A gradient's memory")
        self._node = Leaf(self._data, gradient, grad_req)

    def _check_like(self, other: Any, what: str) -> None:
        given = getattr(other, "_data", None)
        if given is None or given.shape != self._data.shape or given.dtype != self._data.dtype:
            found = type(other).__name__ if given is None else f"{given.dtype} of {given.shape}"
            raise InputError(
                f"{what} must be an NDArray of {self._data.dtype} of shape {self.shape}. "
                f"Got {found} instead."
            )

    def _head_gradient(self, given: Any) -> Array:
        if given is None:
            ones = np.empty(self._data.shape, self._data.dtype)
            ones.fill(1)
            return ones
        self._check_like(given, "A head gradient")
        return given._data  # type: ignore[no-any-return]

    @staticmethod
    def _recording(value: Any, node: Node | None) -> Any:
        return recording(value, node)

    def _like(self, value: Any) -> NDArray:
        if isinstance(value, Recording):
            value = value.through(RESHAPE_COPY, self.shape)
            return self.__class__(value._data, value._node)
        return self.__class__(np.array(value, dtype=self._data.dtype, order="C"))

    def _replace(self, gradient: Array) -> None:
        self._data[...] = gradient

    def _accumulate(self, gradient: Array) -> None:
        np.add(self._data, gradient, out=self._data, casting="unsafe")

    @staticmethod
    def _quietly(function: Callable[..., None], *args: Any) -> None:
        if (
            state.watchers
        ):  # a watcher may start a backward pass, and a context cannot be entered twice
            with np.errstate(all="ignore"):
                function(*args)
        else:
            quiet.backward_pass(function, *args)

    # Elements

    def __getitem__(self, key: Any) -> NDArray:
        if type(key) is slice and key == EVERYTHING:
            return self
        key, basic = numpy_key(key)
        return unary(SLICE if basic else GATHER, self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        everything = type(key) is slice and key == EVERYTHING
        if value is self and everything:  # the last step of x[:] += y
            return
        if state.recording:
            check_writable(self)
            if getattr(value, "_node", None) is not None:
                self._check_whole(everything, value)
                record_copy(value, self)
        given = value
        if type(value) is NDArray:
            given = value._data
            if everything and given.shape == self._data.shape and given.dtype is self._data.dtype:
                self._data[...] = given
                return
            if given.size == 1:
                given = given.reshape(())
        try:
            quiet.load(_set, self._data, key if everything else numpy_key(key)[0], given)
        except (ValueError, TypeError, IndexError, OverflowError) as error:
            raise InputError(
                f"x[…] = value must be given a value that fits {self._data.dtype} elements of an array of "
                f"shape {self.shape}. Got {_describe(given)} instead: {error}."
            ) from error

    def _check_whole(self, everything: bool, value: NDArray) -> None:
        if not everything or value.shape != self.shape:
            raise AutogradError(
                "While recording, a recorded result must be written to a whole array of its own shape. "
                f"Got a part of shape {self.shape} instead; join parts with nd.concat or nd.stack."
            )

    def copyto(self, other: Any) -> NDArray:
        """Copy the values to ``other``, an array of the same shape, and return it."""
        if isinstance(other, Context):
            check_context(other)
            return self.copy()
        if other.shape != self.shape:
            raise InputError(
                f"copyto() must be given an array of shape {self.shape}. Got {other.shape} instead."
            )
        other[:] = self
        return other  # type: ignore[no-any-return]

    def as_in_context(self, context: Any) -> NDArray:
        """Return this array, which is on the CPU; another device raises OptionError."""
        check_context(context)
        return self

    def wait_to_read(self) -> None:
        """Do nothing, since nothing is computed in the background."""


def _set(data: Array, key: Any, value: Any) -> None:
    data[key] = value


def _describe(value: Any) -> str:
    shape = getattr(value, "shape", None)
    return f"shape {shape}" if shape else repr(value)


def waitall() -> None:
    """Do nothing, since nothing is computed in the background."""
