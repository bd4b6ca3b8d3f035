"""The training loops of chapters 3 and 7 of the book."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from learnrate import autograd, nd
from learnrate.compat.d2lzh.data import data_iter
from learnrate.compat.d2lzh.drawing import set_figsize
from learnrate.compat.d2lzh.models import linreg, sgd, squared_loss
from learnrate.compat.mxnet import gluon, init
from learnrate.compat.mxnet.gluon import nn
from learnrate.errors import DataError, InputError, OptionError
from learnrate.nd import Context, NDArray
from learnrate.nd.context import cpu

__all__ = [
    "evaluate_accuracy",
    "train_2d",
    "train_ch3",
    "train_ch7",
    "train_gluon_ch7",
    "train_sgd",
    "try_all_gpus",
    "try_gpu",
]

Batches = Iterable[tuple[NDArray, NDArray]]
Network = Callable[[NDArray], NDArray]


def try_gpu() -> Context:
    """The device for computing: ``cpu(0)``, the only one."""
    return cpu()


def try_all_gpus() -> list[Context]:
    """The devices for computing: ``[cpu(0)]``."""
    return [cpu()]


def _correct(scores: NDArray, y: NDArray) -> float:
    """The number of examples that are classified correctly."""
    return float((scores.argmax(axis=1) == y.astype(scores.dtype)).sum())


def evaluate_accuracy(data_iter: Batches, net: Network, ctx: Any = None) -> float:
    """Return the accuracy of ``net``: the fraction of examples that it classifies correctly.

    Raises
    ------
    DataError
        If there are no examples.
    """
    del ctx
    right, n = 0.0, 0
    for X, y in data_iter:
        right += _correct(net(X), y)
        n += y.size
    if n == 0:
        raise DataError("evaluate_accuracy must be given minibatches. Got none.")
    return right / n


def train_ch3(
    net: Network,
    train_iter: Batches,
    test_iter: Batches,
    loss: Callable[[NDArray, NDArray], NDArray],
    num_epochs: int,
    batch_size: int,
    params: Sequence[NDArray] | None = None,
    lr: float | None = None,
    trainer: Any = None,
) -> None:
    """Train a classifier, and print loss and accuracies after each epoch.

    Parameters
    ----------
    net : callable
        Computes the scores of a minibatch, shape (n, classes).
    train_iter, test_iter : iterable
        Minibatches ``(X, y)``; each iteration starts from the beginning.
    loss : callable
        Computes the loss of each example from scores and classes.
    num_epochs, batch_size : int
        Passes over the examples, and batch size |B|.
    params, lr
        Parameters and learning rate η for `sgd`.
    trainer : gluon.Trainer, optional
        Used for the steps in place of `sgd`.

    Raises
    ------
    OptionError
        If there is neither a trainer nor ``params`` and ``lr``.
    DataError
        If an epoch has no minibatches, as with a generator that has ended.
    """
    if trainer is None and (params is None or lr is None):
        raise OptionError("train_ch3 must be given params and lr, or a trainer. Got neither.")
    for epoch in range(1, num_epochs + 1):
        total, right, n = 0.0, 0.0, 0
        for X, y in train_iter:
            with autograd.record():
                scores = net(X)
                summed = loss(scores, y).sum()
            summed.backward()
            if trainer is not None:
                trainer.step(batch_size)
            elif params is not None and lr is not None:
                sgd(params, lr, batch_size)
            total += float(summed)
            right += _correct(scores, y)
            n += y.size
        if n == 0:
            raise DataError(
                "train_ch3 must be given minibatches, anew for each epoch. "
                f"Got none for epoch {epoch} instead; give a DataLoader or a list."
            )
        accuracy = evaluate_accuracy(test_iter, net)
        print(
            f"epoch {epoch}, loss {total / n:.4f}, train acc {right / n:.3f}, test acc {accuracy:.3f}"
        )


def train_2d(trainer: Callable[..., Any]) -> list[tuple[Any, Any]]:
    """Take 20 optimiser steps in two variables from (−5, −2), and return all points.

    Parameters
    ----------
    trainer : callable
        One step: returns the next ``(x1, x2, s1, s2)``, where s1 and s2, 0 at first, are the optimizer state.

    Raises
    ------
    InputError
        If it does not return four values.
    """
    x1: Any = -5
    x2: Any = -2
    s1: Any = 0
    s2: Any = 0
    path = [(x1, x2)]
    for _ in range(20):
        step = trainer(x1, x2, s1, s2)
        if not isinstance(step, tuple | list) or len(step) != 4:
            raise InputError(
                "train_2d must be given a function that returns x1, x2 and two states. "
                f"Got {step!r} from it instead."
            )
        x1, x2, s1, s2 = step
        path.append((x1, x2))
    print(f"epoch {len(path) - 1}, x1 {float(x1):f}, x2 {float(x2):f}")
    return path


def train_ch7(
    trainer_fn: Callable[[Sequence[NDArray], Any, dict[str, Any]], None],
    states: Any,
    hyperparams: dict[str, Any],
    features: NDArray,
    labels: NDArray,
    batch_size: int = 10,
    num_epochs: int = 2,
) -> None:
    """Train linear regression with the script's own update; print the last loss and plot the losses.

    Parameters
    ----------
    trainer_fn : callable
        ``trainer_fn([w, b], states, hyperparams)`` changes the parameters in place. Their gradients are those of the mean
        loss of the minibatch.
    states, hyperparams
        Arguments for it.
    features, labels : NDArray
        Shapes (n, d) and (n,).
    batch_size, num_epochs : int
        Batch size |B|, and passes over the examples.
    """
    w = nd.random.normal(scale=0.01, shape=(features.shape[1], 1))
    b = nd.zeros(1)
    w.attach_grad()
    b.attach_grad()
    _train_linear(
        lambda X: linreg(X, w, b),
        squared_loss,
        lambda batch: trainer_fn([w, b], states, hyperparams),
        lambda: data_iter(batch_size, features, labels),
        (features, labels),
        (batch_size, num_epochs),
        mean=True,
    )


def train_gluon_ch7(
    trainer_name: str,
    trainer_hyperparams: dict[str, Any],
    features: NDArray,
    labels: NDArray,
    batch_size: int = 10,
    num_epochs: int = 2,
) -> None:
    """Train linear regression with an optimiser of Gluon, such as ``"adam"``; print the last loss and plot the losses.

    Parameters
    ----------
    trainer_name : str
        Name of the optimiser.
    trainer_hyperparams : dict
        Its arguments, such as ``{"learning_rate": 0.03}``.
    features, labels : NDArray
        Shapes (n, d) and (n,).
    batch_size, num_epochs : int
        Batch size |B|, and passes over the examples.
    """
    net = nn.Sequential()
    net.add(nn.Dense(1))
    net.initialize(init.Normal(sigma=0.01), force_reinit=True)
    trainer = gluon.Trainer(net.collect_params(), trainer_name, trainer_hyperparams)
    loader = gluon.data.DataLoader(
        gluon.data.ArrayDataset(features, labels), batch_size, shuffle=True
    )
    _train_linear(
        net,
        gluon.loss.L2Loss(),
        trainer.step,
        lambda: loader,
        (features, labels),
        (batch_size, num_epochs),
        mean=False,
    )


def train_sgd(
    lr: float, batch_size: int, features: NDArray, labels: NDArray, num_epochs: int = 2
) -> None:
    """Train linear regression by minibatch SGD; print the last loss and plot the losses.

    Parameters
    ----------
    lr : float
        Learning rate η.
    batch_size, num_epochs : int
        Batch size |B|, and passes over the examples.
    features, labels : NDArray
        Shapes (n, d) and (n,).
    """

    def step(params: Sequence[NDArray], states: Any, hyperparams: dict[str, Any]) -> None:
        sgd(params, hyperparams["lr"], 1)

    train_ch7(step, None, {"lr": lr}, features, labels, batch_size, num_epochs)


def _train_linear(
    net: Network,
    loss: Callable[[NDArray, NDArray], NDArray],
    step: Callable[[int], None],
    batches: Callable[[], Batches],
    examples: tuple[NDArray, NDArray],
    sizes: tuple[int, int],
    mean: bool,
) -> None:
    """Train, measuring the mean loss of all examples at the start and after every 100 examples; print and plot."""
    from matplotlib import pyplot

    features, labels = examples
    batch_size, num_epochs = sizes

    def over_all() -> float:
        return float(loss(net(features), labels).mean())

    losses, seconds = [over_all()], 0.0
    for _ in range(num_epochs):
        start = time.time()
        for i, (X, y) in enumerate(batches(), 1):
            with autograd.record():
                value = loss(net(X), y)
                if mean:
                    value = value.mean()
            value.backward()
            step(batch_size)
            if i * batch_size % 100 == 0:
                losses.append(over_all())
        seconds = time.time() - start
    print(f"loss: {losses[-1]:f}, {seconds:f} sec per epoch")
    set_figsize()
    pyplot.plot(np.linspace(0, num_epochs, len(losses)), losses)
    pyplot.xlabel("epoch")
    pyplot.ylabel("loss")
