"""The table of losses."""

from __future__ import annotations

from learnrate.errors import not_one_of, option
from learnrate.training.losses.base import Loss
from learnrate.training.losses.classes import Logistic, Softmax
from learnrate.training.losses.numbers import Huber, Poisson, Squared

__all__ = ["LOSSES", "get_loss"]

LOSSES: dict[str, type[Loss]] = {
    loss.name: loss for loss in (Squared, Huber, Logistic, Softmax, Poisson)
}
"""Every loss of the linear model by its name."""


def get_loss(name: str) -> type[Loss]:
    """The loss of this name in `LOSSES`.

    Raises
    ------
    OptionError
        If there is no loss of this name.
    """
    if not isinstance(name, str) or name not in LOSSES:
        raise not_one_of(option("loss"), name, LOSSES)
    return LOSSES[name]
