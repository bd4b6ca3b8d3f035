"""Losses for classes: logistic for two, softmax for any number. Labels are codes 0, 1, …."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.errors import DataError
from learnrate.training.losses.base import Loss

__all__ = ["Logistic", "Softmax"]


class _OfClasses(Loss):
    """The parts that the losses for classes share."""

    of_classes: ClassVar[bool] = True
    bounded: ClassVar[bool] = True
    score: ClassVar[str] = "accuracy"

    @property
    def quantity(self) -> str:
        """``"log loss"``."""
        return "log loss"

    def at_best(self, y: Array) -> float:
        """The entropy of the classes, ``−Σ p log p``, with p their relative frequencies."""
        shares = np.bincount(y.astype(np.int64)) / len(y)
        shares = shares[shares > 0]
        return float(-(shares * np.log(shares)).sum())


@dataclass(frozen=True)
class Logistic(_OfClasses):
    """``φ = log(1 + e^z) − y z`` with y in {0, 1}: the log loss of ``p = σ(z) = 1/(1 + e^−z)``; ``φ' = σ(z) − y``.

    ``φ'' = σ(z)(1 − σ(z)) ≤ ¼``.
    """

    name: ClassVar[str] = "logistic"
    curvature: ClassVar[float | None] = 0.25

    @classmethod
    def of(cls, y: Array, classes: int) -> Self:
        """Make the loss; raises DataError unless there are two classes."""
        if classes != 2:
            raise DataError(
                f"For the loss logistic the target must hold 2 classes. Got {classes} instead; use softmax."
            )
        return cls()

    def value(self, z: Float[Array, "rows C K"], t: Array) -> Float[Array, "rows K"]:
        """``log(1 + e^z) − y z`` as ``max(−m, 0) + log(1 + e^−|z|)``, m = z or −z: it does not overflow."""
        z, y = z[:, 0], t[:, 0]
        # m is the margin of the right class. max(z, 0) − y z would lose all digits where z is large.
        margin = np.where(y > 0.5, z, -z)
        return np.asarray(np.log1p(np.exp(-np.abs(z))) + np.maximum(-margin, 0))

    def derivative(self, z: Float[Array, "rows C K"], t: Array) -> Float[Array, "rows C K"]:
        """``σ(z) − y`` as ``s / (1 + e^{−s z})`` with ``s = 1 − 2y``, which is accurate near 0."""
        sign = 1 - 2 * t
        np.multiply(z, -sign, out=z)
        np.exp(z, out=z)
        z += 1
        np.divide(sign, z, out=z)
        return z

    def second_derivative(self, z: Float[Array, "rows C"], y: Array) -> Float[Array, "rows C C"]:
        """``σ(z)(1 − σ(z))``"""
        e = np.exp(-np.abs(z))
        return np.asarray(e / (1 + e) ** 2)[:, :, None]

    def fit(self, z: Float[Array, "rows C K"], t: Array) -> dict[str, Float[Array, " K"]]:
        """The number of rows that are classified correctly."""
        right = (z > 0) == (t > 0.5)
        right &= np.isfinite(z)
        return {"accuracy": right[:, 0].sum(axis=0, dtype=np.float64)}


@dataclass(frozen=True)
class Softmax(_OfClasses):
    """``φ = log Σ_c e^{z_c} − z_y``: the log loss of ``p = softmax(z)``; ``φ' = p − e_y``.

    ``φ'' = diag(p) − p pᵀ``, whose eigenvalues are at most ½.

    Attributes
    ----------
    classes : int
        C, the number of classes.

    Source of the bound: Böhning (1992), "Multinomial logistic regression algorithm".
    """

    classes: int = 2

    name: ClassVar[str] = "softmax"
    curvature: ClassVar[float | None] = 0.5

    @classmethod
    def of(cls, y: Array, classes: int) -> Self:
        """Make the loss, with one output for each class."""
        return cls(classes)

    @property
    def outputs(self) -> int:
        """C, the number of classes."""
        return self.classes

    def encode(self, y: Array, dtype: Any) -> Array:
        """The codes unchanged, shape (rows,)."""
        return y

    def value(self, z: Float[Array, "rows C K"], t: Array) -> Float[Array, "rows K"]:
        """``m − z_y + log Σ_c e^{z_c − m}``, m the largest ``z_c``; accurate also where the loss is small."""
        rows = np.arange(len(t))
        largest = z.max(axis=1)
        behind = z[rows, t] - largest
        e = np.exp(z - largest[:, None])
        e[rows, t] = 0
        return np.asarray(np.log1p(np.expm1(behind) + e.sum(axis=1)) - behind)

    def derivative(self, z: Float[Array, "rows C K"], t: Array) -> Float[Array, "rows C K"]:
        """``softmax(z) − e_y``"""
        np.subtract(z, z.max(axis=1)[:, None], out=z)
        np.exp(z, out=z)
        np.divide(z, z.sum(axis=1)[:, None], out=z)
        z[np.arange(len(t)), t] -= 1
        return z

    def second_derivative(self, z: Float[Array, "rows C"], y: Array) -> Float[Array, "rows C C"]:
        """``diag(p) − p pᵀ``"""
        p = np.exp(z - z.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        return np.asarray(p[:, :, None] * np.eye(self.classes) - p[:, :, None] * p[:, None, :])

    def fit(self, z: Float[Array, "rows C K"], t: Array) -> dict[str, Float[Array, " K"]]:
        """The number of rows that are classified correctly."""
        right = z[np.arange(len(t)), t] >= z.max(axis=1)
        return {"accuracy": right.sum(axis=0, dtype=np.float64)}
