"""The losses as recorded operations, as in the book, for the reference engine, which differentiates them by `backward`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from learnrate import nd
from learnrate._shapes import Array
from learnrate.autograd import Operator
from learnrate.nd import NDArray
from learnrate.nd.apply import unary
from learnrate.scratch import squared_loss
from learnrate.training.losses import Huber, Loss

__all__ = ["recorded"]


def _huber(z: NDArray, y: NDArray, *, delta: float) -> NDArray:
    """``½ r²`` where ``|r| ≤ δ``, else ``δ(|r| − ½ δ)``."""
    r = z - y.reshape(z.shape)
    return nd.where(r.abs() <= delta, r**2 / 2, delta * (r.abs() - delta / 2))


def _logistic(z: NDArray, y: NDArray) -> NDArray:
    """``log(1 + e^{−m})``, with ``m = z`` for the class 1 and ``−z`` for the class 0."""
    return nd.softrelu((1 - 2 * y.reshape(z.shape)) * z)


def _softmax(z: NDArray, y: NDArray) -> NDArray:
    """``−log softmax(z)_y``: softmax and logarithm in one operation, because the logarithm of a small quotient is not accurate."""
    return -nd.pick(nd.log_softmax(z), y)


def _poisson(z: NDArray, y: NDArray) -> NDArray:
    """``e^z − y z + y log y − y``"""
    y = y.reshape(z.shape)
    some = nd.where(y > 0, y, nd.ones_like(y))
    return z.exp() - y * z + y * some.log() - y


_RECORDED: dict[str, Callable[..., NDArray]] = {
    "squared": squared_loss,
    "logistic": _logistic,
    "softmax": _softmax,
    "poisson": _poisson,
}


def _by_formulas(loss: Loss) -> Callable[[NDArray, NDArray], NDArray]:
    """``φ`` as one operation, whose gradient is the loss's own derivative."""

    def value(z: Array, y: Array) -> Array:
        return loss.value(z[:, :, None], loss.encode(y, z.dtype))

    def gradient(g: Array, out: Array, z: Array, y: Array) -> Array:
        return g * loss.derivative(z[:, :, None].copy(), loss.encode(y, z.dtype))[:, :, 0]

    operator = Operator(loss.name, value, gradient)
    return lambda z, y: unary(operator, z, y.asnumpy())


def recorded(loss: Loss) -> Callable[[NDArray, NDArray], NDArray]:
    """``φ`` as a function of the outputs, (n, C), and the labels, (n,), which has one value for each example.

    A loss that is not written here as recorded operations is one operation, with the derivative of the loss itself.

    Source: *Dive into Deep Learning* (《动手学深度学习》), sections 3.2 and 3.6.
    """
    if isinstance(loss, Huber):
        return partial(_huber, delta=loss.delta)
    return _RECORDED.get(loss.name) or _by_formulas(loss)
