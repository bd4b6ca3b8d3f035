"""The base class of losses: the value, and the derivatives with respect to the model's output ``z``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from learnrate._shapes import Array, Float

__all__ = ["Loss"]


@dataclass(frozen=True)
class Loss(ABC):
    """A loss ``φ(z, y)`` of one example, where ``z = x·W + b`` has C outputs. It can be pickled.

    Methods compute all K lanes at once: ``z`` has shape (rows, C, K), and ``t``, the labels in the form that `encode`
    returns, has the rows along its first axis. Where ``z`` of a lane is not finite, neither are its results; other
    lanes are not changed.

    Attributes
    ----------
    name : str
        The value of the option ``loss``.
    of_classes : bool
        Whether the labels are codes of classes.
    quadratic : bool
        Whether φ is a quadratic function of z, so that training needs only the Gram matrices of the examples.
    curvature : float or None
        An upper bound on the eigenvalues of ``∂²φ/∂z²``; None where there is none.
    bounded : bool
        Whether φ' is bounded. If it is, a rate that is too large makes the loss oscillate, not grow without bound.
    score : str
        The score that is reported beside the loss: ``"accuracy"``, ``"R²"`` or ``"D²"``.
    """

    name: ClassVar[str]
    of_classes: ClassVar[bool] = False
    quadratic: ClassVar[bool] = False
    bounded: ClassVar[bool] = False
    curvature: ClassVar[float | None] = None
    score: ClassVar[str]

    @classmethod
    def of(cls, y: Array, classes: int) -> Self:
        """Make the loss for these training labels, with ``classes`` classes if they are codes.

        Raises
        ------
        DataError
            If this loss is not defined for such labels.
        """
        return cls()

    @property
    def outputs(self) -> int:
        """C, the number of outputs."""
        return 1

    @property
    @abstractmethod
    def quantity(self) -> str:
        """What a curve shows, for the axis label of a plot."""

    def encode(self, y: Array, dtype: Any) -> Array:
        """Labels of shape (rows,) in the form ``t`` of the other methods: shape (rows, 1, 1) unless overridden."""
        t: Array = y.astype(dtype, copy=False)[:, None, None]
        return t

    @abstractmethod
    def value(self, z: Float[Array, "rows C K"], t: Array) -> Float[Array, "rows K"]:
        """``φ(z, y)`` for every row and lane."""

    @abstractmethod
    def derivative(self, z: Float[Array, "rows C K"], t: Array) -> Float[Array, "rows C K"]:
        """``∂φ/∂z`` for every row, output and lane. ``z`` may be overwritten."""

    def second_derivative(self, z: Float[Array, "rows C"], y: Array) -> Float[Array, "rows C C"]:
        """``∂²φ/∂z²`` for every row, of one lane."""
        raise NotImplementedError

    def fit(self, z: Float[Array, "rows C K"], t: Array) -> dict[str, Float[Array, " K"]]:
        """Sums over the rows from which the score is computed, by name; empty if the loss is enough."""
        return {}

    def at_best(self, y: Array) -> float:
        """The mean loss of the best constant ``z`` on these labels, for D²; nan where it is not defined."""
        return float(np.nan)
