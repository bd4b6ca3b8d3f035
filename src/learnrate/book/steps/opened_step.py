"""One training step of a linear model, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from learnrate._shapes import Array, Bool, Float, Int
from learnrate.book.steps.opened import GraphNode, Opened

__all__ = ["GradientCheck", "OpenedStep", "Update"]


@dataclass(frozen=True, eq=False)
class Update:
    """The step of one parameter: ``new = old − change``, ``change = η/|B| · gradient``."""

    name: str
    old: Array
    gradient: Array
    change: Array
    new: Array


@dataclass(frozen=True, eq=False)
class GradientCheck:
    """The gradient of the summed loss of a minibatch in three ways, for the D entries of ``(w_1, …, w_d, b)``.

    Attributes
    ----------
    residuals : float64 array, shape (batch, C)
        ``r_i = x_i·w + b − y_i``; for classes the probabilities, minus 1 at the class of the example.
    terms : float64 array, shape (batch, D)
        ``x_ij r_i``, and ``r_i`` for the bias: the terms of the sum by hand.
    by_hand : float64 array, shape (D,)
        ``Σ_i x_ij r_i``, the sum of the terms.
    backward : float64 array, shape (D,)
        ``w.grad`` and ``b.grad`` after ``backward()``.
    finite_difference : float64 array, shape (D,)
        ``(L(θ + h e_j) − L(θ − h e_j)) / 2h``; NaN if it was not computed, see ``checked``.
    checked : bool array, shape (D,)
        Which finite differences were computed: all, up to 2,000 parameters.
    h : float
        The h of the finite differences.
    """

    residuals: Float[Array, "batch C"]
    terms: Float[Array, "batch D"]
    by_hand: Float[Array, " D"]
    backward: Float[Array, " D"]
    finite_difference: Float[Array, " D"]
    checked: Bool[Array, " D"]
    h: float

    @property
    def disagreement(self) -> float:
        """The largest difference between two of the three, over all parameters; not finite if training diverged."""
        third = np.where(self.checked, self.finite_difference, self.by_hand)
        with np.errstate(all="ignore"):
            return float(np.ptp([self.backward, self.by_hand, third], axis=0).max())


@dataclass(frozen=True, eq=False, kw_only=True)
class OpenedStep(Opened):
    """The numbers of one training step, each of which `Explanation` describes."""

    loss: str
    lr: float
    batch_size: int
    seed: int
    step: int
    epoch: int
    minibatch: int
    minibatches: int
    n: int
    feature_names: tuple[str, ...]
    target_name: str
    classes: tuple[str, ...]
    standardized: bool
    left_out: tuple[str, ...]
    notes: tuple[str, ...]
    indices: Int[Array, " batch"]
    X: Float[Array, "batch d"]
    y: Float[Array, " batch"]
    updates: tuple[Update, ...]
    check: GradientCheck
    loss_before: float
    loss_after: float

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """``w[feature]`` for every feature, then ``b``; for several outputs ``w[feature, class]`` and ``b[class]``."""
        if not self.outputs:
            return (*(f"w[{name}]" for name in self.feature_names), "b")
        weights = (f"w[{name}, {c}]" for name in self.feature_names for c in self.outputs)
        return (*weights, *(f"b[{c}]" for c in self.outputs))

    @property
    def outputs(self) -> tuple[str, ...]:
        """The class of each output; empty if there is one output."""
        return self.classes if self.loss == "softmax" else ()

    def row_labels(self, node: GraphNode, rows: Sequence[int]) -> list[str]:
        """The names of the features, or the numbers of the examples."""
        if node.name == "w":
            return [self.feature_names[i] for i in rows]
        if node.kind == "parameter":
            return [self.outputs[i] if self.outputs else "" for i in rows]
        return [f"#{index + 1}" for index in self.indices[list(rows)]]

    def column_labels(self, node: GraphNode, columns: Sequence[int]) -> list[str]:
        """The names of the features or of the classes; empty for other arrays."""
        if node.name == "X":
            return [self.feature_names[j] for j in columns]
        of_classes = self.outputs and node.shape[1:] == (len(self.outputs),)
        return [self.outputs[c] for c in columns] if of_classes else []

    def __repr__(self) -> str:
        """The step and its size in one line."""
        B, d = self.X.shape
        return (
            f"<{type(self).__name__}: step {self.step} at learning rate {self.lr:g}, "
            f"{B} examples × {d} features, {len(self.nodes)} nodes>"
        )
