"""Parameters: arrays with a gradient. Their shape may be unknown until the first minibatch."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np

from learnrate import autograd, nd
from learnrate._missing import missing
from learnrate.autograd import Leaf
from learnrate.compat.mxnet import initializer
from learnrate.compat.mxnet.initializer import Uniform, create
from learnrate.errors import DataError, InputError
from learnrate.nd import Context, NDArray
from learnrate.nd.context import check_context, cpu
from learnrate.nd.functions.arguments import dtype_of, shape_tuple

__all__ = ["Constant", "Parameter", "ParameterDict"]


class UnfilledError(InputError, RuntimeError):
    """A parameter has no values yet. MXNet raises a RuntimeError."""


class Parameter:
    """An array that a network learns.

    Parameters
    ----------
    name : str
        Such as ``dense0_weight``.
    grad_req : str
        What `backward` does with the gradient: ``"write"``, ``"add"``, or ``"null"`` for an array that is not learned.
    shape : tuple of int
        0 means a length that the first minibatch decides.
    dtype : str
        Type of the elements.
    lr_mult, wd_mult : float
        Factors for the learning rate and the weight decay of the trainer.
    init : Initializer or str, optional
        Used in place of the network's initializer.
    """

    def __init__(
        self,
        name: str,
        grad_req: str = "write",
        shape: Any = None,
        dtype: Any = "float32",
        lr_mult: float = 1.0,
        wd_mult: float = 1.0,
        init: Any = None,
        allow_deferred_init: bool = False,
    ) -> None:
        del allow_deferred_init  # always allowed
        self.name = name
        self.shape: tuple[int, ...] | None = None if shape is None else shape_tuple(shape)
        self.dtype = dtype_of(dtype).type
        self.lr_mult = lr_mult
        self.wd_mult = wd_mult
        self.init = init
        self._grad_req = grad_req
        self._data: NDArray | None = None
        self._waiting: Any = None  # the initializer, until the shape is known

    def __repr__(self) -> str:
        return f"Parameter {self.name} (shape={self.shape}, dtype={self.dtype})"

    @property
    def grad_req(self) -> str:
        """What `backward` does with the gradient: write, add or null."""
        return self._grad_req

    @grad_req.setter
    def grad_req(self, grad_req: str) -> None:
        self._grad_req = grad_req
        if self._data is not None:
            self._attach_grad(self._data)

    def _attach_grad(self, values: NDArray) -> None:
        values.attach_grad(self._grad_req)
        if isinstance(values._node, Leaf):
            values._node.name = self.name

    def initialize(
        self,
        init: Any = None,
        ctx: Any = None,
        default_init: Any = None,
        force_reinit: bool = False,
    ) -> None:
        """Initialise the array, or do it later if its shape is not known yet.

        Parameters
        ----------
        init : Initializer or str, optional
            By default the parameter's own, else ``default_init``, else `Uniform`.
        ctx : Context or list of Context, optional
            Must be the CPU.
        default_init : Initializer or str, optional
            Used if neither ``init`` is given nor the parameter has an initializer.
        force_reinit : bool
            Whether to initialise an array that has values.
        """
        for context in ctx if isinstance(ctx, list | tuple) else [ctx]:
            check_context(context)
        if self._data is not None and not force_reinit:
            warnings.warn(
                f"{self.name} is initialised already and keeps its values. "
                "Pass force_reinit=True to draw new ones.",
                stacklevel=4,
            )
            return
        self._data = None
        own = init if init is not None else self.init
        if own is not None:
            chosen = create(own)
            # The parameter's own initializer fills a bias too; that of the network sets it to 0.
            fill = getattr(chosen, "_init_weight", None)
            self._waiting = fill if fill is not None else chosen
        else:
            self._waiting = create(default_init if default_init is not None else Uniform())
        if self.shape is not None and all(length > 0 for length in self.shape):
            self._fill(self.shape)

    def _fill(self, shape: tuple[int, ...]) -> None:
        with autograd.pause():
            values = nd.zeros(shape, dtype=self.dtype)
            self._waiting(self.name, values)
        self._accept(values)

    def _accept(self, values: NDArray) -> None:
        self.shape, self._data, self._waiting = values.shape, values, None
        with autograd.pause():
            self._attach_grad(values)

    def finish(self, shape: tuple[int, ...]) -> None:
        """Initialise the array with this shape, if that has not been done.

        Raises
        ------
        InputError
            If `initialize` was not called.
        """
        if self._data is None:
            if self._waiting is None:
                raise self._unfilled("call net.initialize()")
            self._fill(shape)

    def _unfilled(self, advice: str) -> UnfilledError:
        return UnfilledError(f"{self.name} must be initialised before it is used; {advice} first.")

    def data(self, ctx: Any = None) -> NDArray:
        """The array."""
        check_context(ctx)
        if self._data is None:
            wait = "run a first batch, which decides its shape,"
            raise self._unfilled("call net.initialize()" if self._waiting is None else wait)
        return self._data

    def grad(self, ctx: Any = None) -> NDArray:
        """The gradient from the last `backward`."""
        gradient = self.data(ctx).grad
        if gradient is None or self._grad_req == "null":
            raise InputError(
                f"{self.name} must have a grad_req other than 'null' to have a gradient."
            )
        return gradient  # type: ignore[no-any-return]

    @property
    def is_fresh(self) -> bool:
        """Whether a `backward` has written the gradient since `use_up`."""
        node = self.data()._node
        return isinstance(node, Leaf) and node.fresh

    def use_up(self) -> None:
        """Mark the gradient as used for a step."""
        node = self.data()._node
        if isinstance(node, Leaf):
            node.fresh = False

    def set_data(self, data: Any) -> None:
        """Replace the values, and set the shape if it was not known.

        Raises
        ------
        DataError
            If ``data`` does not fit the shape.
        """
        values = nd.array(data, dtype=self.dtype)
        self.check_fit(values.shape)
        if self._data is None:
            self._accept(values)
        else:
            self._data[:] = values

    def check_fit(self, shape: tuple[int, ...]) -> None:
        """Check that values of a shape fit this parameter, as far as its shape is known.

        Raises
        ------
        DataError
            If they do not.
        """
        known = self.shape or (0,) * len(shape)
        if len(known) != len(shape) or any(
            length not in (0, given) for length, given in zip(known, shape, strict=True)
        ):
            raise DataError(
                f"{self.name} must be given values of shape {self.shape}. Got {shape} instead."
            )

    def zero_grad(self) -> None:
        """Fill the gradient with 0, for a ``grad_req`` of ``"add"``."""
        if self._data is not None and self._grad_req != "null":
            self._data.grad[:] = 0

    def list_data(self) -> list[NDArray]:
        """The array, in a list: one for each device."""
        return [self.data()]

    def list_grad(self) -> list[NDArray]:
        """The gradient, in a list: one for each device."""
        return [self.grad()]

    def list_ctx(self) -> list[Context]:
        """The devices of the array: the CPU."""
        return [cpu()]


class Constant(Parameter):
    """An array of a network that is not learned.

    Parameters
    ----------
    name : str
        Such as ``net0_mask``.
    value : NDArray, or list of numbers
        Its values, which every initialisation sets.
    """

    def __init__(self, name: str, value: Any) -> None:
        self.value = value if isinstance(value, NDArray) else nd.array(value)
        shape, dtype = self.value.shape, self.value.dtype
        super().__init__(name, "null", shape, dtype, init=initializer.Constant(self.value))

    def __repr__(self) -> str:
        return f"Constant {self.name} (shape={self.shape}, dtype={self.dtype})"


class ParameterDict(dict[str, Parameter]):
    """Parameters by name, in the order of their layers."""

    def __init__(self, prefix: str = "") -> None:
        super().__init__()
        self.prefix = prefix

    def __repr__(self) -> str:
        lines = "".join(f"  {parameter!r}\n" for parameter in self.values())
        return f"{self.prefix} (\n{lines})"

    def get(self, name: str, default: Any = None, **arguments: Any) -> Parameter:
        """Return the parameter ``prefix + name``; if there is none, create it with ``arguments``."""
        del default
        full = self.prefix + name
        if full not in self:
            self[full] = Parameter(full, **arguments)
        return self[full]

    def get_constant(self, name: str, value: Any = None) -> Parameter:
        """Return the constant ``prefix + name``; if there is none, create it with ``value``.

        Raises
        ------
        InputError
            If there is none and no value is given, or there is one with other values.
        """
        full = self.prefix + name
        known = self.get(name) if full in self else None
        if known is None:
            if value is None:
                raise InputError(f"get_constant must be given a value for {full}. Got none.")
            self[full] = known = Constant(full, value)
        elif value is not None and not (
            isinstance(known, Constant) and np.array_equal(known.value, nd.array(value))
        ):
            raise InputError(
                f"{full} must keep its values. Got others instead; give it a new name."
            )
        return known

    def matching(self, pattern: str | None) -> ParameterDict:
        """The parameters whose name begins with a match of a regular expression; all for None."""
        chosen = ParameterDict(self.prefix)
        for name, parameter in self.items():
            if pattern is None or re.compile(pattern).match(name):
                chosen[name] = parameter
        return chosen

    def initialize(
        self, init: Any = None, ctx: Any = None, verbose: bool = False, force_reinit: bool = False
    ) -> None:
        """Initialise every parameter, with ``init`` if it has no initializer of its own."""
        del verbose
        for parameter in self.values():
            parameter.initialize(None, ctx, init, force_reinit)

    def zero_grad(self) -> None:
        """Fill every gradient with 0."""
        for parameter in self.values():
            parameter.zero_grad()

    def setattr(self, name: str, value: Any) -> None:
        """Set an attribute, such as ``grad_req`` or ``lr_mult``, of every parameter."""
        for parameter in self.values():
            setattr(parameter, name, value)


__getattr__ = missing("gluon.parameter", __all__)
