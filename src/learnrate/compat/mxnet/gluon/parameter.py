"""Parameters: arrays with a gradient, whose shape may be known only when the first batch arrives."""

from __future__ import annotations

import re
import warnings
from typing import Any

from learnrate import autograd, nd
from learnrate._missing import missing
from learnrate.compat.mxnet.initializer import Uniform, create
from learnrate.errors import DataError, InputError
from learnrate.nd import Context, NDArray
from learnrate.nd.context import check_context, cpu
from learnrate.nd.functions.arguments import dtype_of, shape_tuple

__all__ = ["Parameter", "ParameterDict"]


class Parameter:
    """An array that a network learns.

    Parameters
    ----------
    name : str
        Such as ``dense0_weight``.
    grad_req : str
        As in `NDArray.attach_grad`; ``"null"`` for what is not learned.
    shape : tuple of int
        A 0 stands for a length that the first batch decides.
    dtype : str
        Type of the elements.
    lr_mult, wd_mult : float
        The trainer multiplies the learning rate and the weight decay by them.
    init : Initializer or str, optional
        Taken instead of the one that the network is initialised with.
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
        del allow_deferred_init  # every shape may be decided late
        self.name = name
        self.shape: tuple[int, ...] | None = None if shape is None else shape_tuple(shape)
        self.dtype = dtype_of(dtype).type
        self.lr_mult = lr_mult
        self.wd_mult = wd_mult
        self.init = init
        self._grad_req = grad_req
        self._data: NDArray | None = None
        self._waiting: Any = None  # what will fill it once its shape is known

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
            self._data.attach_grad(grad_req)

    def initialize(
        self,
        init: Any = None,
        ctx: Any = None,
        default_init: Any = None,
        force_reinit: bool = False,
    ) -> None:
        """Fill the array, at once if its shape is known, else when it is.

        Parameters
        ----------
        init : Initializer or str, optional
            By default the parameter's own, else ``default_init``, else `Uniform`.
        ctx : Context or list of Context, optional
            Must be the CPU.
        default_init : Initializer or str, optional
            See ``init``.
        force_reinit : bool
            Fill an array that was filled already.
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
            # What is asked for by name fills biases too, which a network's initializer leaves at 0.
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
            values.attach_grad(self._grad_req)

    def finish(self, shape: tuple[int, ...]) -> None:
        """Fill the array with this shape if it is still to be filled.

        Raises
        ------
        InputError
            If `initialize` was not called.
        """
        if self._data is None:
            if self._waiting is None:
                raise self._unfilled("call net.initialize()")
            self._fill(shape)

    def _unfilled(self, advice: str) -> InputError:
        return InputError(f"{self.name} must be initialised before it is used; {advice} first.")

    def data(self, ctx: Any = None) -> NDArray:
        """The array itself."""
        check_context(ctx)
        if self._data is None:
            wait = "run a first batch, which decides its shape,"
            raise self._unfilled("call net.initialize()" if self._waiting is None else wait)
        return self._data

    def grad(self, ctx: Any = None) -> NDArray:
        """Its gradient, as the last `backward` left it."""
        gradient = self.data(ctx).grad
        if gradient is None or self._grad_req == "null":
            raise InputError(
                f"{self.name} must have a grad_req other than 'null' to have a gradient."
            )
        return gradient  # type: ignore[no-any-return]

    def set_data(self, data: Any) -> None:
        """Replace the values, and the shape if it is still to be decided.

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
        """Refuse values of another shape than this parameter's, as far as it is known.

        Raises
        ------
        DataError
            If they differ.
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
        """Where the array lives: the CPU."""
        return [cpu()]


class ParameterDict(dict[str, Parameter]):
    """Parameters by name, in the order of their layers."""

    def __init__(self, prefix: str = "") -> None:
        super().__init__()
        self.prefix = prefix

    def __repr__(self) -> str:
        lines = "".join(f"  {parameter!r}\n" for parameter in self.values())
        return f"{self.prefix} (\n{lines})"

    def get(self, name: str, default: Any = None, **arguments: Any) -> Parameter:
        """Return the parameter ``prefix + name``, made with ``arguments`` if there is none yet."""
        del default
        full = self.prefix + name
        if full not in self:
            self[full] = Parameter(full, **arguments)
        return self[full]

    def matching(self, pattern: str | None) -> ParameterDict:
        """Those whose name begins with a match of a regular expression."""
        chosen = ParameterDict(self.prefix)
        for name, parameter in self.items():
            if pattern is None or re.compile(pattern).match(name):
                chosen[name] = parameter
        return chosen

    def initialize(
        self, init: Any = None, ctx: Any = None, verbose: bool = False, force_reinit: bool = False
    ) -> None:
        """Fill every parameter, those without an initializer of their own with ``init``."""
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
