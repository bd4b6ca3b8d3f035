"""Softmax regression as the note has it: the model, the loss, 150 points of three classes, and training from scratch."""

from __future__ import annotations

from typing import Any

import numpy as np

import learnrate
from learnrate import autograd, nd, scratch

__all__ = ["CLASSES", "cross_entropy", "points", "scores_loss", "softmax", "train"]

CLASSES = ("A", "B", "C")


def softmax(o: Any) -> Any:
    """``ŷ_j = exp(o_j) / Σ_k exp(o_k)`` of each row of ``o``, shape (n, C).

    The largest score is taken away first: that changes no ``ŷ``, and exp cannot overflow.
    """
    e = nd.exp(o - o.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def cross_entropy(p: Any, y: Any) -> Any:
    """``−ln ŷ_y`` of each row: ``p`` (n, C) holds probabilities, ``y`` (n,) the number of the class."""
    return -nd.log(nd.pick(p, y))


def points(spread: float = 0.75, apart: float = 1.0, n: int = 150) -> tuple[Any, Any]:
    """Points of three classes in the plane: X (n, 2), and y (n,), the numbers of their classes."""
    centres = np.array([(0.0, 1.4), (-1.2, -0.7), (1.2, -0.7)])
    y = np.repeat(np.arange(3), n // 3)
    noise = np.random.default_rng(0).normal(0, spread, (len(y), 2))
    return apart * centres[y] + noise, y


def train(X: Any, y: Any, W: Any, lr: float, epochs: int, batch_size: int = 10) -> tuple[Any, Any]:
    """Minibatch SGD from weights ``W`` (d, C) and zero biases: ``(W, b)`` at the end and the mean losses, epochs + 1 of them."""
    features, labels = nd.array(X), nd.array(y)
    W, b = nd.array(W), nd.zeros(W.shape[1], dtype=features.dtype)
    W.attach_grad()
    b.attach_grad()
    losses = [_mean(features, labels, W, b)]
    for epoch in range(epochs):
        order = learnrate.data.epoch_order(len(y), batch_size, seed=0, epoch=epoch)
        for X_J, y_J in scratch.data_iter(batch_size, features, labels, order=order):
            with autograd.record():
                loss = cross_entropy(softmax(scratch.linreg(X_J, W, b)), y_J)
            loss.backward()
            scratch.sgd([W, b], lr, batch_size)
        losses.append(_mean(features, labels, W, b))
    return (W.asnumpy(), b.asnumpy()), losses


def _mean(X: Any, y: Any, W: Any, b: Any) -> float:
    return float(cross_entropy(softmax(scratch.linreg(X, W, b)), y).mean())


def scores_loss(o: Any, label: int) -> tuple[Any, Any, float, float]:
    """For one row of scores: probabilities, the gradient by ``backward()``, the cross-entropy, and another gradient to compare.

    The last is that of the squared loss ``½ Σ (ŷ − y)²`` with respect to the score of the label.
    """
    scores, y = nd.array([o], dtype="float64"), nd.array([label])
    scores.attach_grad()
    with autograd.record():
        p = softmax(scores)
        loss = cross_entropy(p, y)
    loss.backward()
    gradient = scores.grad.asnumpy()[0]
    with autograd.record():
        squared = scratch.squared_loss(softmax(scores), nd.one_hot(y, len(o)).astype("float64"))
    squared.backward()
    return p.asnumpy()[0], gradient, float(loss), float(scores.grad[0, label])
