"""The linear model that a lane has learned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.errors import DataError

__all__ = ["LinearModel"]


@dataclass(frozen=True, eq=False)
class LinearModel:
    """``ŷ = X·w + b`` in the user's own units.

    Attributes
    ----------
    w : float64 array, shape (d,)
        One weight per feature.
    b : float
        Bias.
    feature_names : tuple of str
        The d columns that ``w`` belongs to; ``column=category`` for a one-hot column.
    target_name : str
        What is predicted.
    """

    w: Float[Array, " d"]
    b: float
    feature_names: tuple[str, ...]
    target_name: str

    def predict(self, X: Float[Array, "m d"]) -> Float[Array, " m"]:
        """``X·w + b`` for an array whose columns are `feature_names`, in the user's units."""
        X = np.asarray(X)
        if X.ndim != 2 or X.shape[1] != len(self.w):
            raise DataError(
                f"X must have shape (m, {len(self.w)}), one column per feature. "
                f"Got {X.shape} instead; the features are {', '.join(self.feature_names[:8])}."
            )
        with np.errstate(all="ignore"):
            return X @ self.w + self.b

    def as_dict(self) -> dict[str, float]:
        """Name → weight, and ``"(bias)"``."""
        weights = {name: float(w) for name, w in zip(self.feature_names, self.w, strict=True)}
        return {**weights, "(bias)": self.b}
