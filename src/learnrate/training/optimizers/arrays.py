"""The array operations of the update rules, mostly in place, and their implementations for NumPy and PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

__all__ = ["NumpyOperations", "Operations", "Step", "TorchOperations", "decayed", "shrink"]


class Operations(Protocol):
    """Operations on arrays of NumPy or PyTorch. Those that change their first argument return nothing."""

    def copy(self, a: Any, b: Any) -> None:
        """``a ← b``"""

    def lerp(self, a: Any, b: Any, weight: float) -> None:
        """``a ← a + weight · (b − a)``"""

    def add(self, a: Any, b: Any, factor: float = 1.0) -> None:
        """``a ← a + factor · b``"""

    def add_product(self, a: Any, b: Any, c: Any, factor: float = 1.0) -> None:
        """``a ← a + factor · b · c``"""

    def add_ratio(self, a: Any, b: Any, c: Any, factor: float = 1.0) -> None:
        """``a ← a + factor · b / c``"""

    def plus(self, a: Any, b: Any, factor: float = 1.0) -> Any:
        """``a + factor · b``"""

    def sqrt(self, a: Any) -> Any:
        """``√a``"""

    def sign(self, a: Any) -> Any:
        """``sign a``"""

    def absolute(self, a: Any) -> Any:
        """``|a|``"""

    def maximum(self, a: Any, b: Any) -> None:
        """``a ← max(a, b)``"""


class NumpyOperations:
    """`Operations` for NumPy arrays."""

    def copy(self, a: Any, b: Any) -> None:
        """``a ← b``"""
        a[...] = b

    def lerp(self, a: Any, b: Any, weight: float) -> None:
        """``a ← a + weight · (b − a)``"""
        a += weight * (b - a)

    def add(self, a: Any, b: Any, factor: float = 1.0) -> None:
        """``a ← a + factor · b``"""
        a += factor * b

    def add_product(self, a: Any, b: Any, c: Any, factor: float = 1.0) -> None:
        """``a ← a + factor · b · c``"""
        a += factor * (b * c)

    def add_ratio(self, a: Any, b: Any, c: Any, factor: float = 1.0) -> None:
        """``a ← a + factor · b / c``"""
        a += factor * (b / c)

    def plus(self, a: Any, b: Any, factor: float = 1.0) -> Any:
        """``a + factor · b``"""
        return a + factor * b

    def sqrt(self, a: Any) -> Any:
        """``√a``"""
        return np.sqrt(a)

    def sign(self, a: Any) -> Any:
        """``sign a``"""
        return np.sign(a)

    def absolute(self, a: Any) -> Any:
        """``|a|``"""
        return np.abs(a)

    def maximum(self, a: Any, b: Any) -> None:
        """``a ← max(a, b)``"""
        np.maximum(a, b, out=a)


class Step(NamedTuple):
    """What an update rule needs in one step, beside the parameters and the gradient.

    Attributes
    ----------
    state : mapping from str to array
        The arrays of the optimizer state, all 0 before the first step.
    lr : array, shape (K, 1) or (K,)
        Learning rates times the multiplier of the schedule. They broadcast against the parameters.
    t : int
        Number of the step, from 1.
    options : mapping
        All options of the optimizer.
    """

    state: Mapping[str, Any]
    lr: Any
    t: int
    options: Mapping[str, Any]


def decayed(ops: Operations, theta: Any, g: Any, step: Step) -> Any:
    """``g + α θ``: the gradient with L2 weight decay."""
    decay = step.options["weight_decay"]
    return ops.plus(g, theta, decay) if decay else g


def shrink(theta: Any, step: Step) -> None:
    """``θ ← (1 − η α) θ``: decoupled weight decay."""
    if step.options["weight_decay"]:
        theta *= 1 - step.lr * step.options["weight_decay"]


class TorchOperations:
    """`learnrate.training.optimizers.arrays.Operations` for PyTorch tensors."""

    def copy(self, a: Any, b: Any) -> None:
        """``a ← b``"""
        a.copy_(b)

    def lerp(self, a: Any, b: Any, weight: float) -> None:
        """``a ← a + weight · (b − a)``"""
        a.lerp_(b, weight)

    def add(self, a: Any, b: Any, factor: float = 1.0) -> None:
        """``a ← a + factor · b``"""
        a.add_(b, alpha=factor)

    def add_product(self, a: Any, b: Any, c: Any, factor: float = 1.0) -> None:
        """``a ← a + factor · b · c``"""
        a.addcmul_(b, c, value=factor)

    def add_ratio(self, a: Any, b: Any, c: Any, factor: float = 1.0) -> None:
        """``a ← a + factor · b / c``"""
        a.addcdiv_(b, c, value=factor)

    def plus(self, a: Any, b: Any, factor: float = 1.0) -> Any:
        """``a + factor · b``"""
        return a.add(b, alpha=factor)

    def sqrt(self, a: Any) -> Any:
        """``√a``"""
        return a.sqrt()

    def sign(self, a: Any) -> Any:
        """``sign a``"""
        return a.sign()

    def absolute(self, a: Any) -> Any:
        """``|a|``"""
        return a.abs()

    def maximum(self, a: Any, b: Any) -> None:
        """``a ← max(a, b)``"""
        a.clamp_(min=b)
