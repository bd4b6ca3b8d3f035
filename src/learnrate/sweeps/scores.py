"""What stands beside the loss: accuracy of classes, R² of numbers, D² of counts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.data.prepared import Prepared
from learnrate.training.losses import Loss

__all__ = ["r_squared", "scores"]

_NAMES = {"accuracy": "accuracy", "R²": "r2", "D²": "d2"}


def scores(
    loss: Loss, curves: Mapping[str, Float[Array, "S K epochs"]], data: Prepared
) -> dict[str, Float[Array, "S K epochs"]]:
    """The score of a loss other than the squared one before training and after each epoch, by name.

    ``accuracy``, ``r2`` or ``d2`` on the training examples, and with ``val_`` before it on those held out.

    Parameters
    ----------
    loss : Loss
    curves : mapping from str to array
        What was measured: means of the loss, and of what `Loss.fit` sums.
    data : Prepared
    """
    found = {}
    for prefix, y in (("", data.y_train), ("val_", data.y_val)):
        if f"{prefix}loss" not in curves or loss.quadratic:
            continue
        if loss.score == "accuracy":
            score = curves[f"{prefix}accuracy"]
        elif loss.score == "R²":
            variance = data.val_variance if prefix else float(np.var(data.y_train, dtype=float))
            assert variance is not None
            score = r_squared(curves[f"{prefix}squared_error"] / 2, variance)
        else:
            best = loss.at_best(data.y_train if y is None else y)
            with np.errstate(all="ignore"):
                score = np.asarray(1 - curves[f"{prefix}loss"] / np.float64(best))
        found[prefix + _NAMES[loss.score]] = score
    return found


def r_squared(loss: Float[Array, "..."], variance: float) -> Float[Array, "..."]:
    """``R² = 1 − Σ(ŷ − y)² / Σ(y − ȳ)²`` from the mean of ``½(ŷ − y)²``; nan where y is constant."""
    with np.errstate(all="ignore"):
        return np.asarray(1 - 2 * loss / np.float64(variance))
