"""Initial values of parameters, drawn from learnrate's generator, which ``mx.random.seed`` seeds."""

from __future__ import annotations

import math
from typing import Any

from learnrate._missing import is_mxnet_name, missing
from learnrate.errors import InputError, OptionError, did_you_mean, not_one_of
from learnrate.nd import NDArray, random

__all__ = [
    "Constant",
    "Initializer",
    "Normal",
    "One",
    "Uniform",
    "Xavier",
    "Zero",
    "create",
]


class Initializer:
    """Base class of initializers. A subclass defines ``_init_weight(self, name, arr)``.

    As in MXNet, a parameter named ``…bias`` is initialised with 0, unless its layer has an initializer for it.
    """

    def __init__(self, **kwargs: Any) -> None:
        self._arguments = kwargs

    def __call__(self, name: str, arr: NDArray) -> None:
        """Fill ``arr``, the values of the parameter ``name``, in place."""
        if name.endswith("bias"):
            arr[:] = 0
        else:
            self._init_weight(name, arr)

    def _init_weight(self, name: str, arr: NDArray) -> None:
        raise InputError(
            f"An initializer must fill weights in a method _init_weight(self, name, arr). "
            f"Got {type(self).__name__}, which has none, instead."
        )

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self._arguments.items())
        return f"{type(self).__name__}({arguments})"


class Constant(Initializer):
    """Every weight is ``value``, a number or an array of the weights' shape."""

    def __init__(self, value: Any = 0) -> None:
        super().__init__(value=value)
        self.value = value

    def _init_weight(self, name: str, arr: NDArray) -> None:
        del name
        arr[:] = self.value


class Zero(Constant):
    """Every weight is 0."""

    def __init__(self) -> None:
        super().__init__(0)


class One(Constant):
    """Every weight is 1."""

    def __init__(self) -> None:
        super().__init__(1)


class Uniform(Initializer):
    """``w ~ U(−scale, scale)``, the default of a network."""

    def __init__(self, scale: float = 0.07) -> None:
        super().__init__(scale=scale)
        self.scale = scale

    def _init_weight(self, name: str, arr: NDArray) -> None:
        del name
        random.uniform(-self.scale, self.scale, dtype=arr.dtype, out=arr)


class Normal(Initializer):
    """``w ~ N(0, sigma²)``."""

    def __init__(self, sigma: float = 0.01) -> None:
        super().__init__(sigma=sigma)
        self.sigma = sigma

    def _init_weight(self, name: str, arr: NDArray) -> None:
        del name
        random.normal(0, self.sigma, dtype=arr.dtype, out=arr)


class Xavier(Initializer):
    """Xavier initialisation: ``w ~ U(−s, s)`` with ``s = √(magnitude / factor)``, which keeps the scale of signals.

    For a weight of shape (outputs, inputs), the factor is the mean of the two numbers (``factor_type="avg"``), the
    inputs (``"in"``) or the outputs (``"out"``). With ``rnd_type="gaussian"``, ``w ~ N(0, s²)``.

    Source: Glorot & Bengio, AISTATS 2010.
    """

    def __init__(
        self, rnd_type: str = "uniform", factor_type: str = "avg", magnitude: float = 3
    ) -> None:
        super().__init__(rnd_type=rnd_type, factor_type=factor_type, magnitude=magnitude)
        _check("rnd_type", rnd_type, ("uniform", "gaussian"))
        _check("factor_type", factor_type, ("avg", "in", "out"))
        self.rnd_type, self.factor_type, self.magnitude = rnd_type, factor_type, float(magnitude)

    def _init_weight(self, name: str, arr: NDArray) -> None:
        if arr.ndim < 2:
            raise InputError(
                f"Xavier must be given weights with at least 2 axes. Got {name!r} of shape {arr.shape} "
                "instead; use another initializer for it."
            )
        area = math.prod(arr.shape[2:])
        fan_out, fan_in = arr.shape[0] * area, arr.shape[1] * area
        factor = {"avg": (fan_in + fan_out) / 2, "in": fan_in, "out": fan_out}[self.factor_type]
        scale = math.sqrt(self.magnitude / factor)
        if self.rnd_type == "uniform":
            random.uniform(-scale, scale, dtype=arr.dtype, out=arr)
        else:
            random.normal(0, scale, dtype=arr.dtype, out=arr)


def _check(name: str, value: Any, known: tuple[str, ...]) -> None:
    if value not in known:
        raise not_one_of(name, value, known)


_BY_NAME: dict[str, type[Initializer]] = {
    "constant": Constant,
    "normal": Normal,
    "one": One,
    "ones": One,
    "uniform": Uniform,
    "xavier": Xavier,
    "zero": Zero,
    "zeros": Zero,
}


def create(init: Any) -> Initializer:
    """Return the initializer of a name, such as ``"zeros"``; an initializer is returned itself.

    Raises
    ------
    OptionError
        If there is no initializer of this name.
    """
    if isinstance(init, str) and init.lower() in _BY_NAME:
        return _BY_NAME[init.lower()]()
    if not callable(init):
        typo = isinstance(init, str) and not is_mxnet_name(init)
        nearest = did_you_mean(init, _BY_NAME) if typo else ""
        raise OptionError(
            f"An initializer must be one of mxnet.init, or its name. Got {init!r} instead.{nearest}"
        )
    return init  # type: ignore[no-any-return]


__getattr__ = missing("init", __all__)
