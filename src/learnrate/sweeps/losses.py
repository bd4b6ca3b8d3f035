"""Which loss a target is trained with."""

from __future__ import annotations

from learnrate.data.plan import TargetKind
from learnrate.data.prepared import Prepared
from learnrate.training.losses import Loss, get_loss

__all__ = ["chosen_loss", "target_kind"]


def target_kind(loss: str | None) -> TargetKind:
    """What a loss takes; whatever the target is by itself where none was chosen."""
    if loss is None:
        return "auto"
    return "class" if get_loss(loss).of_classes else "number"


def chosen_loss(loss: str | None, data: Prepared) -> Loss:
    """The loss of that name for these examples; by their target where none was chosen."""
    if loss is None:
        two = len(data.classes) == 2
        loss = ("logistic" if two else "softmax") if data.classes else "squared"
    return get_loss(loss).of(data.y_train, len(data.classes))
