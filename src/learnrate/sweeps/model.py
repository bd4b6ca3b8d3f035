"""The trained linear model of one lane."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.errors import DataError, OptionError
from learnrate.training.losses import Loss, Squared

__all__ = ["LinearModel"]


@dataclass(frozen=True, eq=False)
class LinearModel:
    """A trained model ``z = X·w + b`` in the user's own units, with its predictions.

    Attributes
    ----------
    w : float64 array, shape (d,), or (d, C) with a column for each of C classes
        One weight per feature.
    b : float, or float64 array of shape (C,)
        Bias.
    feature_names : tuple of str
        The names of the d features; ``column=category`` for a one-hot column.
    target_name : str
        The name of the target.
    loss : Loss
        The loss that it was trained with, which decides what z means.
    classes : tuple of str
        The classes in the order of their codes; empty if the target is a number.
    """

    w: Float[Array, "d ..."]
    b: float | Float[Array, " C"]
    feature_names: tuple[str, ...]
    target_name: str
    loss: Loss = field(default_factory=Squared)
    classes: tuple[str, ...] = ()

    def output(self, X: Float[Array, "m d"]) -> Float[Array, "m ..."]:
        """``z = X·w + b``, (m,) or (m, C), for an array whose columns are `feature_names`, in the user's units."""
        X = np.asarray(X)
        if X.ndim != 2 or X.shape[1] != len(self.w):
            raise DataError(
                f"X must have shape (m, {len(self.w)}), one column per feature. "
                f"Got {X.shape} instead; the features are {', '.join(self.feature_names[:8])}."
            )
        with np.errstate(all="ignore"):
            return np.asarray(X @ self.w + self.b)

    def predict(self, X: Float[Array, "m d"]) -> Array:
        """The prediction for each row, shape (m,): ``z``, for counts ``e^z``, for classes the name of the most probable one."""
        z = self.output(X)
        if self.classes:
            codes = z.argmax(axis=1) if z.ndim == 2 else (z > 0).astype(np.int64)
            names: Array = np.array(self.classes)[codes]
            return names
        if self.loss.name == "poisson":
            with np.errstate(all="ignore"):
                return np.asarray(np.exp(z))
        return z

    def probabilities(self, X: Float[Array, "m d"]) -> Float[Array, "m C"]:
        """The probability of each class, in the order of `classes`: softmax of z, or of ``(0, z)`` with one output.

        Raises
        ------
        OptionError
            If the target is not a class.
        """
        if not self.classes:
            raise OptionError(
                f"Probabilities are of classes. Got a model of the number {self.target_name!r}; use predict."
            )
        z = self.output(X)
        if z.ndim == 1:
            z = np.stack([np.zeros_like(z), z], axis=1)
        with np.errstate(all="ignore"):
            p = np.exp(z - z.max(axis=1, keepdims=True))
            return np.asarray(p / p.sum(axis=1, keepdims=True))

    def as_dict(self) -> dict[str, Any]:
        """The weights by feature name, with ``"(bias)"``; if there is a column for each class, such a mapping for each."""
        if self.w.ndim == 2:
            columns = zip(self.classes, self.w.T, np.asarray(self.b), strict=True)
            return {name: self._named(w, b) for name, w, b in columns}
        return self._named(self.w, self.b)

    def _named(self, w: Float[Array, " d"], b: Any) -> dict[str, float]:
        weights = {name: float(x) for name, x in zip(self.feature_names, w, strict=True)}
        return {**weights, "(bias)": float(b)}
