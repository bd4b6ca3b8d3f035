"""Checking gradients with finite differences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from learnrate._shapes import Array
from learnrate.autograd import record
from learnrate.errors import AutogradError, InputError
from learnrate.nd.ndarray import NDArray

__all__ = ["check_gradient", "numerical_gradient"]

# The error of a central difference is h² f‴/6 from the formula and ε|f|/h from rounding: smallest near h = ε^(1/3).
_STEP = float(np.finfo(np.float64).eps ** (1 / 3))


def check_gradient(
    function: Callable[..., NDArray], *inputs: NDArray, rtol: float = 1e-6, atol: float = 1e-7
) -> float:
    """Compare the recorded gradients of ``function(*inputs)`` with central finite differences.

    The elements of the result are summed with fixed, different weights, since errors could cancel in a plain sum (as
    those of softmax do).

    Parameters
    ----------
    function : callable
        Computes an NDArray from NDArrays.
    *inputs : NDArray
        Where to check, float64. They and their ``.grad`` are not changed.
    rtol, atol : float
        The allowed difference is ``atol + rtol · |largest numerical value|``.

    Returns
    -------
    float
        The largest difference.

    Raises
    ------
    AutogradError
        If a difference is larger than allowed.
    InputError
        If an input is not float64.

    Examples
    --------
    >>> from learnrate import nd
    >>> nd.check_gradient(lambda x: x.exp() / x, nd.array([0.5, 2], dtype="float64")) < 1e-8
    True
    """
    for array in inputs:
        if array.dtype is not np.float64:
            raise InputError(
                f"check_gradient must be given float64 arrays: a step in {array.dtype.__name__} is lost "
                "in rounding. Make them with nd.array(…, dtype='float64')."
            )
    largest = 0.0
    for i, (recorded, numerical) in enumerate(
        zip(_recorded(function, inputs), numerical_gradient(function, *inputs), strict=True)
    ):
        difference = float(np.max(np.abs(recorded - numerical), initial=0.0))
        allowed = atol + rtol * float(np.max(np.abs(numerical), initial=0.0))
        if not difference <= allowed:
            raise AutogradError(
                f"The gradient for input {i} must agree with finite differences within {allowed:.1e}. "
                f"Got a difference of {difference:.1e} instead: recorded {recorded.ravel()[:4]}, "
                f"numerical {numerical.ravel()[:4]}."
            )
        largest = max(largest, difference)
    return largest


def _weights(out: NDArray) -> Array:
    """A weight between 0.5 and 1.5 for each element of a result."""
    return 1 + 0.5 * np.cos(1 + np.arange(out.size, dtype=np.float64)).reshape(out.shape)


def _recorded(function: Callable[..., NDArray], inputs: tuple[NDArray, ...]) -> list[Array]:
    """Gradients by recording and a backward pass."""
    copies = [NDArray(array.asnumpy()) for array in inputs]
    for copy in copies:
        copy.attach_grad()
    with record():
        out = function(*copies)
    out.backward(NDArray(_weights(out).astype(out.dtype)))
    return [copy.grad.asnumpy() for copy in copies]


def numerical_gradient(function: Callable[..., NDArray], *inputs: NDArray) -> list[Array]:
    """Gradients of the weighted sum by central differences, ``(f(x + h) − f(x − h)) / 2h`` for each element."""
    gradients = []
    for i, array in enumerate(inputs):
        point = array.asnumpy()
        gradient = np.empty_like(point)
        for at in np.ndindex(point.shape):
            step = _STEP * max(1.0, abs(float(point[at])))
            sides = []
            for sign in (1, -1):
                moved = point.copy()
                moved[at] += sign * step
                out = function(*inputs[:i], NDArray(moved), *inputs[i + 1 :])
                sides.append(float((out.asnumpy() * _weights(out)).sum()))
            gradient[at] = (sides[0] - sides[1]) / (2 * step)
        gradients.append(gradient)
    return gradients
