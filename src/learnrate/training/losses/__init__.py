"""The losses of the linear model, with their derivatives, for all engines and for the theory."""

from learnrate.training.losses.base import Loss
from learnrate.training.losses.classes import Logistic, Softmax
from learnrate.training.losses.numbers import Huber, Poisson, Squared
from learnrate.training.losses.table import LOSSES, get_loss

__all__ = ["LOSSES", "Huber", "Logistic", "Loss", "Poisson", "Softmax", "Squared", "get_loss"]
