"""The loss with which a target is trained, and the score shown beside it: accuracy, R² or D²."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.data.plan import TargetKind
from learnrate.data.prepared import Prepared
from learnrate.training.losses import Loss, get_loss

__all__ = ["chosen_loss", "r_squared", "scores", "target_kind"]

_NAMES = {"accuracy": "accuracy", "R²": "r2", "D²": "d2"}


def target_kind(loss: str | None) -> TargetKind:
    """The kind of target that a loss is for; ``"auto"`` if no loss was chosen."""
    if loss is None:
        return "auto"
    return "class" if get_loss(loss).of_classes else "number"


def chosen_loss(loss: str | None, data: Prepared) -> Loss:
    """The loss of this name for these examples; by default the one for their kind of target."""
    if loss is None:
        two = len(data.classes) == 2
        loss = ("logistic" if two else "softmax") if data.classes else "squared"
    return get_loss(loss).of(data.y_train, len(data.classes))


def scores(
    loss: Loss, curves: Mapping[str, Float[Array, "S K epochs"]], data: Prepared
) -> dict[str, Float[Array, "S K epochs"]]:
    """Curves of the score: ``accuracy``, ``r2`` or ``d2``, and for held-out examples ``val_accuracy`` and so on.

    Parameters
    ----------
    loss : Loss
        The loss; for squared loss the result is empty.
    curves : mapping from str to array
        Curves of the mean loss, and of the means of what `Loss.fit` sums.
    data : Prepared
        The examples.
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
