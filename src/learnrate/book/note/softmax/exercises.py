"""The answers to the exercises of note one, computed when the page is opened."""

from __future__ import annotations

from typing import Any

import numpy as np

import learnrate
from learnrate import nd
from learnrate.book.note.catalogue import Texts
from learnrate.book.note.softmax.model import CLASSES, points, softmax, train

__all__ = ["answers", "far_apart", "shifted", "two_classes", "zero_start"]


def answers(t: Texts) -> dict[str, str]:
    """Question to answer, in the words of ``t``."""
    found = {
        "zero": zero_start(),
        "shift": shifted(),
        "two": two_classes(),
        "apart": far_apart(),
    }
    return {t(f"{name}_question"): t(f"{name}_answer", **values) for name, values in found.items()}


def zero_start() -> dict[str, str]:
    """Losses from weights that are zero, and from random ones."""
    X, y = points()
    starts = {"zero": np.zeros((2, 3)), "random": np.random.default_rng(0).normal(0, 1, (2, 3))}
    values = {"log": f"{np.log(3):.4f}"}
    for name, W in starts.items():
        losses = train(X, y, W, 0.3, 10)[1]
        values |= {f"{name}0": f"{losses[0]:.4f}", f"{name}10": f"{losses[-1]:.4f}"}
    return values


def shifted() -> dict[str, str]:
    """Probabilities of scores, of the same scores and 1000, and by the formula as it stands."""
    o = np.array([[2.0, 1.0, -1.0]])
    with np.errstate(all="ignore"):
        e = np.exp(o + 1000)
        naive = e / e.sum()
    return {
        "plain": _listed(softmax(nd.array(o)).asnumpy()),
        "shifted": _listed(softmax(nd.array(o + 1000)).asnumpy()),
        "naive": _listed(naive),
    }


def two_classes() -> dict[str, str]:
    """Softmax regression of two classes beside logistic regression at twice the rate, both from zero."""
    X, y = points()
    X, y = X[y < 2], y[y < 2]
    (W, b), losses = train(X, y, np.zeros((2, 2)), 0.1, 5)
    w, c = _logistic(X, y, 0.2, 5)
    values = {
        f"s{i + 1}": f"{value:.6f}" for i, value in enumerate([*(W[:, 1] - W[:, 0]), b[1] - b[0]])
    }
    values |= {f"l{i + 1}": f"{value:.6f}" for i, value in enumerate([*w, c])}
    return {**values, "loss": f"{losses[-1]:.4f}"}


def _logistic(X: Any, y: Any, lr: float, epochs: int, batch_size: int = 10) -> tuple[Any, float]:
    """Plain logistic regression from zero, over the same minibatches: ``w ← w − η/|B| Σ x (σ(x·w + b) − y)``."""
    w, b = np.zeros(X.shape[1]), 0.0
    for epoch in range(epochs):
        order = learnrate.data.epoch_order(len(y), batch_size, seed=0, epoch=epoch)
        for i in range(0, len(y), batch_size):
            J = order[i : i + batch_size]
            error = 1 / (1 + np.exp(-(X[J] @ w + b))) - y[J]
            w, b = w - lr / batch_size * X[J].T @ error, b - lr / batch_size * error.sum()
    return w, float(b)


def far_apart() -> dict[str, str]:
    """Classes that a line parts: the loss and the size of the weights as training goes on."""
    X, y = points(spread=0.4, apart=1.6, n=60)
    names = np.array(CLASSES)[y]
    values = {}
    for epochs in (5, 40, 320):
        result = learnrate.sweep(
            X, names, lrs=1.0, epochs=epochs, batch_size=len(y), standardize=False
        )
        values[f"loss{epochs}"] = f"{result.losses[0, 0, -1]:.2g}"
        values[f"size{epochs}"] = f"{np.linalg.norm(result.W):.3g}"
    return values


def _listed(p: Any) -> str:
    return ", ".join(f"{value:.4f}" for value in np.ravel(p))
