"""What the layers of a network compute, by MXNet's names."""

from __future__ import annotations

from learnrate.autograd import is_training
from learnrate.errors import InputError, OptionError, not_one_of
from learnrate.nd import random
from learnrate.nd.functions import elementwise
from learnrate.nd.functions.products import dot
from learnrate.nd.functions.shaping import flatten as flatten_rows
from learnrate.nd.ndarray import NDArray

__all__ = ["Activation", "Dropout", "FullyConnected"]

_ACTIVATIONS = {
    "relu": elementwise.relu,
    "sigmoid": elementwise.sigmoid,
    "softrelu": elementwise.softrelu,
    "softsign": elementwise.softsign,
    "tanh": elementwise.tanh,
}


def Activation(data: NDArray, act_type: str) -> NDArray:
    """Apply relu, sigmoid, softrelu, softsign or tanh, by name."""
    if act_type not in _ACTIVATIONS:
        raise not_one_of("act_type", act_type, _ACTIVATIONS)
    return _ACTIVATIONS[act_type](data)


def FullyConnected(
    data: NDArray,
    weight: NDArray,
    bias: NDArray | None = None,
    num_hidden: int | None = None,
    no_bias: bool = False,
    flatten: bool = True,
) -> NDArray:
    """``x·Wᵀ + b`` with ``weight`` of shape (outputs, inputs) and ``bias`` of shape (outputs,), without it with ``no_bias``.

    With ``flatten``, ``data`` is reshaped to (n, inputs) first and the result has shape (n, outputs); otherwise the last
    axis of ``data`` is that of the inputs.
    """
    if num_hidden is not None and num_hidden != weight.shape[0]:
        raise InputError(
            f"FullyConnected must be given num_hidden = {weight.shape[0]} with a weight of shape "
            f"{weight.shape}. Got {num_hidden} instead."
        )
    if flatten and data.ndim != 2:
        data = flatten_rows(data)
    product = dot(data, weight, transpose_b=True)
    return product if no_bias or bias is None else product + bias


def Dropout(data: NDArray, p: float = 0.5, mode: str = "training") -> NDArray:
    """While training, zero each element with probability ``p`` and divide the others by ``1 − p``.

    With ``mode="always"`` also while predicting. Source: Srivastava et al., JMLR 15 (2014).
    """
    if not 0 <= p <= 1:
        raise OptionError(f"p must be a probability from 0 to 1. Got {p!r} instead.")
    if p == 0 or not (is_training() or mode == "always"):
        return elementwise.identity(data)
    kept = random.uniform(0, 1, data.shape, dtype=data.dtype) >= p
    result: NDArray = data * kept
    return result / (1 - p) if p < 1 else result
