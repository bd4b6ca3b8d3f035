"""Layers of networks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from learnrate import nd
from learnrate._missing import missing
from learnrate.compat.mxnet.gluon.block import Block, HybridBlock
from learnrate.compat.mxnet.gluon.parameter import Parameter
from learnrate.errors import InputError, OptionError
from learnrate.nd import NDArray

__all__ = [
    "Activation",
    "Block",
    "Dense",
    "Dropout",
    "Flatten",
    "HybridBlock",
    "HybridSequential",
    "Lambda",
    "Sequential",
]


class Sequential(Block):
    """A network of layers, each of which gets the output of the one before."""

    def add(self, *blocks: Block) -> None:
        """Add layers at the end."""
        for block in blocks:
            if not isinstance(block, Block):
                raise InputError(
                    f"add() must be given layers. Got {type(block).__name__} instead; "
                    "wrap a function in nn.Lambda."
                )
            self.register_child(block)

    def forward(self, *inputs: Any) -> Any:
        """Feed the input to the first layer, and each layer's output to the next."""
        (x,) = inputs
        for layer in self._children.values():
            x = layer(x)
        return x

    def __getitem__(self, key: Any) -> Any:
        layers = list(self._children.values())[key]
        if isinstance(layers, Block):
            return layers
        part = type(self)(prefix=self._prefix)
        part.add(*layers)
        return part

    def __len__(self) -> int:
        return len(self._children)

    def __iter__(self) -> Iterator[Block]:
        return iter(self._children.values())


class HybridSequential(Sequential):
    """A network of layers, as `Sequential`; MXNet can compile it."""


class Dense(Block):
    """A fully connected layer, ``activation(x·Wᵀ + b)``.

    Parameters
    ----------
    units : int
        Number of outputs.
    activation : str, optional
        relu, sigmoid, softrelu, softsign or tanh.
    use_bias : bool
        Whether there is a bias ``b``.
    flatten : bool
        Whether the input is reshaped to (n, d).
    weight_initializer, bias_initializer : Initializer or str, optional
        Used in place of the network's initializer.
    in_units : int
        Number of inputs; 0 if the first minibatch decides it.
    """

    def __init__(
        self,
        units: int,
        activation: str | None = None,
        use_bias: bool = True,
        flatten: bool = True,
        dtype: Any = "float32",
        weight_initializer: Any = None,
        bias_initializer: Any = "zeros",
        in_units: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not hasattr(units, "__index__") or units < 1:
            raise OptionError(f"units must be at least 1. Got {units!r} instead.")
        self._units, self._flatten = units, flatten
        self._activation = activation
        self.weight = self.params.get(
            "weight", shape=(units, in_units), dtype=dtype, init=weight_initializer
        )
        self.bias: Parameter | None = None
        if use_bias:
            self.bias = self.params.get("bias", shape=(units,), dtype=dtype, init=bias_initializer)

    def forward(self, *inputs: Any) -> NDArray:
        """Compute the outputs, shape (n, units), or (…, units) without ``flatten``."""
        (x,) = inputs
        in_units = math.prod(x.shape[1:]) if self._flatten else x.shape[-1]
        self.weight.finish((self._units, in_units))
        weight, bias = self.weight.data(), None if self.bias is None else self.bias.data()
        if weight.shape[1] != in_units:
            raise InputError(
                f"{self.name} must be given {weight.shape[1]} inputs per example. "
                f"Got an array of shape {x.shape} instead, {in_units} per example."
            )
        out = nd.FullyConnected(x, weight, bias, self._units, bias is None, self._flatten)
        return out if self._activation is None else nd.Activation(out, self._activation)

    def __repr__(self) -> str:
        inputs = (self.weight.shape or (0, 0))[1] or None
        activation = f"Activation({self._activation})" if self._activation else "linear"
        return f"Dense({inputs} -> {self._units}, {activation})"


class Dropout(Block):
    """While training, zero each element with probability ``rate`` and divide the others by ``1 − rate``."""

    def __init__(self, rate: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._rate = rate

    def forward(self, *inputs: Any) -> NDArray:
        """Apply dropout in training mode, which `autograd.record` sets."""
        (x,) = inputs
        return nd.Dropout(x, self._rate)

    def __repr__(self) -> str:
        return f"Dropout(p = {self._rate}, axes=())"


class Flatten(Block):
    """Reshapes (n, …) to (n, d)."""

    def forward(self, *inputs: Any) -> NDArray:
        """Reshape (n, …) to (n, d)."""
        x: NDArray
        (x,) = inputs
        return nd.flatten(x)

    def __repr__(self) -> str:
        return "Flatten"


class Activation(Block):
    """An activation function: relu, sigmoid, softrelu, softsign or tanh."""

    def __init__(self, activation: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._activation = activation

    def forward(self, *inputs: Any) -> NDArray:
        """Apply it to every element."""
        (x,) = inputs
        return nd.Activation(x, self._activation)

    def __repr__(self) -> str:
        return f"Activation({self._activation})"


class Lambda(Block):
    """A layer from a function, or from the name of a function of ``nd``."""

    def __init__(self, function: Callable[..., Any] | str, prefix: str | None = None) -> None:
        super().__init__(prefix)
        self._function = getattr(nd, function) if isinstance(function, str) else function

    def forward(self, *inputs: Any) -> Any:
        """Call the function."""
        return self._function(*inputs)

    def __repr__(self) -> str:
        return f"Lambda({self._function.__name__})"


__getattr__ = missing("gluon.nn", __all__)
