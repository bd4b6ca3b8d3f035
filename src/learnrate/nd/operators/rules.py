"""What the gradients of several operators share."""

from __future__ import annotations

from typing import Any

import numpy as np

from learnrate.autograd import Operator

__all__ = ["fit", "through", "zero_gradient"]


def through(operator: Operator, x: Any, *attributes: Any) -> Any:
    """``operator(x, *attributes)`` inside a rule: computed, and recorded where ``x`` records.

    Rules are NumPy's arithmetic; what NumPy writes in place, or computes in several steps, goes through here, so that
    the rule itself can be differentiated (see `learnrate.nd.recording`).
    """
    recorded = getattr(x, "through", None)
    return operator.forward(x, *attributes) if recorded is None else recorded(operator, *attributes)


def fit(g: Any, x: Any) -> Any:
    """``g`` summed to the shape of ``x``: what broadcasting copied, its gradient adds up."""
    shape = x.shape
    if g.shape == shape:
        return g
    if g.shape[1:] == shape:  # a row added to every row: the bias of a layer
        return np.add.reduce(g, 0)
    new_axes = g.ndim - len(shape)
    stretched = [i for i, size in enumerate(shape, new_axes) if size == 1]
    return np.add.reduce(g, (*range(new_axes), *stretched), keepdims=True).reshape(shape)


def zero_gradient(g: Any, out: Any, x: Any, *attributes: Any) -> Any:
    """The gradient of a step function: 0 wherever it has one."""
    return np.zeros(x.shape, x.dtype)
