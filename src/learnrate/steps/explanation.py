"""An explained step as plain data: names, ids, numbers. Words and drawings are made elsewhere."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from learnrate._shapes import Array, Bool, Float, Int

__all__ = ["Attached", "Explanation", "GradientCheck", "GraphNode", "Update"]


@dataclass(frozen=True, eq=False)
class Attached:
    """What ``attach_grad()`` allocated for one parameter.

    Attributes
    ----------
    name : str
        ``"w"`` or ``"b"``.
    grad : array
        ``.grad`` right after the call: zeros of the same shape and dtype.
    grad_req : str
        ``"write"``: each ``backward()`` replaces what ``.grad`` holds.
    """

    name: str
    grad: Array
    grad_req: str

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of ``.grad`` along each axis."""
        return self.grad.shape

    @property
    def dtype(self) -> str:
        """Type of the elements of ``.grad``."""
        return str(self.grad.dtype)


@dataclass(frozen=True, eq=False)
class GraphNode:
    """One node of the recorded graph, or an array of data that went into one.

    Attributes
    ----------
    id : str
        Unique in the graph, ``"n0"``, ``"n1"``, … in forward order.
    name : str
        ``X``, ``y``, ``w``, ``b``, ``Xw``, ``ŷ``, ``r``, ``r²`` or ``loss``.
    kind : {"data", "parameter", "operation"}
        Data has no gradient; a parameter is an array with ``attach_grad()``.
    operator : str
        The recorded operator, such as ``"dot"``; empty unless ``kind`` is ``"operation"``.
    expression : str
        The value in terms of the parents' names: ``"Xw + b"``.
    parents : tuple of str
        Ids of the nodes that went in.
    values : array
        What came out in the forward pass.
    gradient : array or None
        What reached the node in the backward pass, shaped like ``values``; None where nothing did.
    visited : int or None
        Place in the backward pass, from 1.
    rule : str
        How the gradient came from the one before it: ``"grad(r²) × 2r"``.
    """

    id: str
    name: str
    kind: Literal["data", "parameter", "operation"]
    operator: str
    expression: str
    parents: tuple[str, ...]
    values: Array
    gradient: Array | None
    visited: int | None
    rule: str

    @property
    def shape(self) -> tuple[int, ...]:
        """Length along each axis."""
        return self.values.shape


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
    """The gradient of the minibatch's summed loss in three ways, for ``(w_1, …, w_d, b)``.

    Attributes
    ----------
    residuals : float64 array, shape (batch,)
        ``r_i = x_i·w + b − y_i``.
    terms : float64 array, shape (batch, d + 1)
        ``x_ij r_i``, and ``r_i`` for the bias: what the sum by hand adds up.
    by_hand : float64 array, shape (d + 1,)
        ``Σ_i x_ij (x_i·w + b − y_i)``, the sum of the terms.
    backward : float64 array, shape (d + 1,)
        What ``backward()`` left in ``w.grad`` and ``b.grad``.
    finite_difference : float64 array, shape (d + 1,)
        ``(L(θ + h e_j) − L(θ − h e_j)) / 2h``; nan where it was not computed, see ``checked``.
    checked : bool array, shape (d + 1,)
        Which finite differences were computed: all, unless there are thousands of parameters.
    h : float
        Half the distance that a parameter was moved.
    """

    residuals: Float[Array, " batch"]
    terms: Float[Array, "batch D"]
    by_hand: Float[Array, " D"]
    backward: Float[Array, " D"]
    finite_difference: Float[Array, " D"]
    checked: Bool[Array, " D"]
    h: float

    @property
    def disagreement(self) -> float:
        """The largest difference between any two of the three, over all parameters; may be not finite."""
        third = np.where(self.checked, self.finite_difference, self.by_hand)
        with np.errstate(all="ignore"):
            return float(np.ptp([self.backward, self.by_hand, third], axis=0).max())


@dataclass(frozen=True, eq=False)
class Explanation:
    """One step of minibatch SGD on ``ŷ = X·w + b`` with the loss ``½(ŷ − y)²``, number by number.

    Attributes
    ----------
    lr : float
        Learning rate η.
    batch_size : int
        Nominal ``|B|``, which the update divides by; a short last minibatch has fewer rows.
    seed : int
        Decides the start and the order, as in a sweep.
    step, epoch : int
        Which step of training this is, and in which epoch, both from 1.
    minibatch, minibatches : int
        The step's place in its epoch, from 1, and the steps of an epoch.
    n : int
        Examples trained on.
    feature_names : tuple of str
        One name per feature.
    target_name : str
        What is predicted.
    standardized : bool
        Whether the features were scaled to mean 0 and standard deviation 1.
    left_out : tuple of str
        Columns of the table that are not learned from, each with the reason.
    notes : tuple of str
        What was done to the rows of the table.
    indices : int64 array, shape (batch,)
        The minibatch's rows among the examples, from 0.
    X, y : float64 arrays, shapes (batch, d) and (batch,)
        Their features and labels, as the model sees them.
    attached : tuple of Attached
        What ``attach_grad()`` allocated, before training.
    nodes : tuple of GraphNode
        The recorded graph in forward order; the last is the loss.
    updates : tuple of Update
        The steps of w and b.
    check : GradientCheck
        The same gradient by hand and by finite differences.
    loss_before, loss_after : float
        Mean loss over this minibatch before and after the update.
    """

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
    standardized: bool
    left_out: tuple[str, ...]
    notes: tuple[str, ...]
    indices: Int[Array, " batch"]
    X: Float[Array, "batch d"]
    y: Float[Array, " batch"]
    attached: tuple[Attached, ...]
    nodes: tuple[GraphNode, ...]
    updates: tuple[Update, ...]
    check: GradientCheck
    loss_before: float
    loss_after: float

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """``w[feature]`` for every feature, then ``b``."""
        return (*(f"w[{name}]" for name in self.feature_names), "b")

    @property
    def visited(self) -> tuple[GraphNode, ...]:
        """The nodes that ``backward()`` reached, in its order."""
        reached = [node for node in self.nodes if node.visited is not None]
        return tuple(sorted(reached, key=lambda node: node.visited or 0))

    def save(self, path: str | Path, *, lang: str = "en") -> Path:
        """Write it as html, svg, mmd (Mermaid) or json: the suffix decides.

        Parameters
        ----------
        path : str or Path
            Output file.
        lang : {"en", "zh"}
            Language of the text.

        Raises
        ------
        OutputError
            For a suffix that is not known or a place that cannot be written; nothing half-written stays.
        """
        from learnrate.steps.files import save_explanation

        return save_explanation(self, path, lang=lang)

    def as_dict(self) -> dict[str, Any]:
        """Everything as JSON can hold it, unabridged; a number that is not finite is null."""
        from learnrate import __version__

        parts = {name: _plain(value) for name, value in vars(self).items()}
        return {"learnrate": __version__, **parts}

    def __str__(self) -> str:
        """The text that ``learnrate explain`` prints."""
        from learnrate.steps.terminal import render_text

        return render_text(self)

    def __repr__(self) -> str:
        """Size and place in a line."""
        B, d = self.X.shape
        return (
            f"<Explanation: step {self.step} at learning rate {self.lr:g}, "
            f"{B} examples × {d} features, {len(self.nodes)} nodes>"
        )


_DERIVED = ("shape", "dtype", "disagreement")
"""Properties that JSON holds beside the fields."""


def _plain(value: Any) -> Any:
    """``value`` as lists, dicts, strings and finite numbers."""
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Attached | GraphNode | Update | GradientCheck):
        derived = {name: _plain(getattr(value, name)) for name in _DERIVED if hasattr(value, name)}
        return {**{name: _plain(part) for name, part in vars(value).items()}, **derived}
    return value
