"""The answers to the exercises, computed with learnrate when the page is opened."""

from __future__ import annotations

from typing import Any

import numpy as np

import learnrate
from learnrate import autograd, nd, scratch
from learnrate.book.note.catalogue import Texts

__all__ = ["answers"]

_RATE, _BATCH, _EPOCHS = 0.03, 10, 3


def answers(t: Texts) -> dict[str, str]:
    """Question to answer, in the words of ``t``."""
    X, y = learnrate.note_data()
    found = {
        "zero": zero_start(X, y),
        "batch": half_batch(X, y),
        "scale": scaled_feature(X, y, t),
        "half": without_half(X, y),
    }
    return {t(f"{name}_question"): t(f"{name}_answer", **values) for name, values in found.items()}


def zero_start(X: Any, y: Any) -> dict[str, str]:
    """The final loss from weights that are zero, and from random ones."""
    random = learnrate.data.initial_weights(X.shape[1], 0)
    losses = {"zero": np.zeros_like(random), "random": random}
    return {name: f"{_train(X, y, w, _EPOCHS)[1]:.3g}" for name, w in losses.items()}


def half_batch(X: Any, y: Any) -> dict[str, str]:
    """What changes from a batch size to its half."""
    values = {}
    for size in (_BATCH, _BATCH // 2):
        result = learnrate.sweep(X, y, lrs=_RATE, batch_size=size, epochs=1)
        values[f"steps{size}"] = str(-(-len(y) // size))
        values[f"loss{size}"] = f"{result.losses[0, 0, -1]:.3g}"
        values[f"limit{size}"] = f"{result.limit:.3g}"
    return values


def scaled_feature(X: Any, y: Any, t: Texts) -> dict[str, str]:
    """What changes when the first feature is a hundred times as large."""
    large = X * [100, 1]
    plain, steep = (learnrate.theory.analyse(features, y, _BATCH) for features in (X, large))
    diverged, scaled = (
        learnrate.sweep(large, y, lrs=_RATE, batch_size=_BATCH, epochs=_EPOCHS, standardize=wanted)
        for wanted in (False, True)
    )
    loss = diverged.losses[0, 0, -1]
    outcome = t("outcome_not", loss=f"{loss:.3g}") if np.isfinite(loss) else t("outcome_diverged")
    return {
        "lambda1": f"{plain.spectrum.largest:.3g}",
        "lambda2": f"{steep.spectrum.largest:,.0f}",
        "limit1": f"{plain.limit.value:.3g}",
        "limit2": f"{steep.limit.value:.2g}",
        "outcome": outcome,
        "scaled": f"{scaled.losses[0, 0, -1]:.3g}",
    }


def without_half(X: Any, y: Any) -> dict[str, str]:
    """The weights learned with the ½, and those without it at half the rate."""
    start = learnrate.data.initial_weights(X.shape[1], 0)
    with_half, _ = _train(X, y, start, 1)
    without, _ = _train(X, y, start, 1, lr=_RATE / 2, factor=2.0)
    values = {
        f"{row}{i + 1}": f"{value:.6f}"
        for row, learned in (("a", with_half), ("b", without))
        for i, value in enumerate(learned)
    }
    return {**values, "difference": f"{np.abs(with_half - without).max():.1g}"}


def _train(
    X: Any, y: Any, start: Any, epochs: int, *, lr: float = _RATE, factor: float = 1.0
) -> tuple[Any, float]:
    """The note's loop from a given start: ``(w₁, …, b)`` and the final mean loss."""
    features, labels = nd.array(X), nd.array(y)
    w, b = nd.array(np.reshape(start, (-1, 1))), nd.zeros(shape=(1,), dtype=features.dtype)
    w.attach_grad()
    b.attach_grad()
    for epoch in range(epochs):
        order = learnrate.data.epoch_order(len(y), _BATCH, seed=0, epoch=epoch)
        for X_J, y_J in scratch.data_iter(_BATCH, features, labels, order=order):
            with autograd.record():
                loss = scratch.squared_loss(scratch.linreg(X_J, w, b), y_J) * factor
            loss.backward()
            scratch.sgd([w, b], lr, _BATCH)
    loss = scratch.squared_loss(scratch.linreg(features, w, b), labels).mean()
    return np.append(w.asnumpy().ravel(), b.asnumpy()), float(loss)
