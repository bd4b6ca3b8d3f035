"""Linear regression from scratch, as in the book: the model, the loss and SGD on arrays with automatic gradients.

Source: *Dive into Deep Learning* (《动手学深度学习》), section 3.2, "Linear regression from scratch".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from learnrate import autograd, nd
from learnrate.errors import OptionError
from learnrate.nd import NDArray

__all__ = ["data_iter", "linreg", "sgd", "squared_loss", "train"]


def linreg(X: NDArray, w: NDArray, b: NDArray) -> NDArray:
    """The linear model ``ŷ = X·w + b``.

    Shapes: ``X`` (n, d), ``w`` (d, 1), ``b`` (1,), result (n, 1).
    """
    return nd.dot(X, w) + b


def squared_loss(y_hat: NDArray, y: NDArray) -> NDArray:
    """The squared loss of each example, ``½(ŷ − y)²``.

    Shapes: ``y_hat`` (n, 1), ``y`` (n,), result (n, 1). Without the reshape, (n, 1) minus (n,) would broadcast to
    (n, n).
    """
    return (y_hat - y.reshape(y_hat.shape)) ** 2 / 2


def sgd(params: Sequence[NDArray], lr: float, batch_size: int) -> None:
    """Minibatch SGD: ``θ ← θ − η/|B| · Σ_{i∈J} ∇ℓ_i(θ)`` for every parameter, in place.

    Parameters
    ----------
    params : sequence of NDArray
        Parameters θ, each with the sum of the gradients over the minibatch J in ``param.grad``.
    lr : float
        Learning rate η.
    batch_size : int
        Nominal batch size ``|B|``, also for a last minibatch with fewer examples.
    """
    for param in params:
        param[:] = param - lr * param.grad / batch_size


def data_iter(
    batch_size: int,
    features: NDArray,
    labels: NDArray,
    *,
    order: Sequence[int] | np.ndarray[tuple[int], np.dtype[np.int64]] | None = None,
    rng: np.random.Generator | None = None,
) -> Iterator[tuple[NDArray, NDArray]]:
    """Yield minibatches ``(X_J, y_J)`` of the examples in a random order.

    Parameters
    ----------
    batch_size : int
        Nominal batch size ``|B|``; the last minibatch may have fewer examples.
    features : NDArray
        ``X``, shape (n, d).
    labels : NDArray
        ``y``, shape (n,).
    order : sequence of int, optional
        The order of the examples. By default a random permutation drawn from ``rng``.
    rng : numpy.random.Generator, optional
        By default a new generator with a random seed. NumPy's global random state is not used.

    Raises
    ------
    OptionError
        If ``batch_size`` is below 1.
    """
    if batch_size < 1:
        raise OptionError(f"batch_size must be at least 1. Got {batch_size} instead.")
    if order is None:
        order = (rng or np.random.default_rng()).permutation(len(features))
    for i in range(0, len(order), batch_size):
        indices = nd.array(order[i : i + batch_size], dtype="int64")
        yield features.take(indices), labels.take(indices)


def train(
    features: NDArray,
    labels: NDArray,
    *,
    lr: float,
    batch_size: int = 10,
    epochs: int = 3,
    rng: np.random.Generator | None = None,
) -> tuple[NDArray, NDArray, list[float]]:
    """Train ``ŷ = X·w + b`` by minibatch SGD with squared loss, from ``w ~ N(0, 0.01²)`` and ``b = 0``.

    Parameters
    ----------
    features : NDArray
        ``X``, shape (n, d).
    labels : NDArray
        ``y``, shape (n,).
    lr : float
        Learning rate η.
    batch_size, epochs : int
        Nominal batch size ``|B|`` and passes over the examples.
    rng : numpy.random.Generator, optional
        Draws ``w`` and the order of every epoch. A seeded generator makes the run repeatable.

    Returns
    -------
    w : NDArray, shape (d, 1)
    b : NDArray, shape (1,)
    losses : list of float
        Mean loss over all examples before training and after each epoch.
    """
    rng = rng or np.random.default_rng()
    w = nd.array(rng.normal(0, 0.01, (features.shape[1], 1)), dtype=features.dtype)
    b = nd.zeros(shape=(1,), dtype=features.dtype)
    w.attach_grad()
    b.attach_grad()
    losses = [float(squared_loss(linreg(features, w, b), labels).mean())]
    for _ in range(epochs):
        for X, y in data_iter(batch_size, features, labels, rng=rng):
            with autograd.record():
                loss = squared_loss(linreg(X, w, b), y)
            loss.backward()
            sgd([w, b], lr, batch_size)
        losses.append(float(squared_loss(linreg(features, w, b), labels).mean()))
    return w, b, losses
