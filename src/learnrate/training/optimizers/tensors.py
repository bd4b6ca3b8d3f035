"""The array operations of the update rules for PyTorch tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["TorchOperations"]


class TorchOperations:
    """`learnrate.training.optimizers.arrays.Operations` for PyTorch tensors."""

    def copy(self, a: Tensor, b: Tensor) -> None:
        """``a ← b``"""
        a.copy_(b)

    def lerp(self, a: Tensor, b: Tensor, weight: float) -> None:
        """``a ← a + weight · (b − a)``"""
        a.lerp_(b, weight)

    def add(self, a: Tensor, b: Tensor, factor: float = 1.0) -> None:
        """``a ← a + factor · b``"""
        a.add_(b, alpha=factor)

    def add_product(self, a: Tensor, b: Tensor, c: Tensor, factor: float = 1.0) -> None:
        """``a ← a + factor · b · c``"""
        a.addcmul_(b, c, value=factor)

    def add_ratio(self, a: Tensor, b: Tensor, c: Tensor, factor: float = 1.0) -> None:
        """``a ← a + factor · b / c``"""
        a.addcdiv_(b, c, value=factor)

    def plus(self, a: Tensor, b: Tensor, factor: float = 1.0) -> Tensor:
        """``a + factor · b``"""
        return a.add(b, alpha=factor)

    def sqrt(self, a: Tensor) -> Tensor:
        """``√a``"""
        return a.sqrt()

    def sign(self, a: Tensor) -> Tensor:
        """``sign a``"""
        return a.sign()

    def absolute(self, a: Tensor) -> Tensor:
        """``|a|``"""
        return a.abs()

    def maximum(self, a: Tensor, b: Tensor) -> None:
        """``a ← max(a, b)``"""
        a.clamp_(min=b)
