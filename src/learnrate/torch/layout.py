"""Where each trained parameter lies in a lane's row of ``θ``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

__all__ = ["Layout"]


@dataclass(frozen=True)
class Layout:
    """The trained parameters of a module as one vector of P numbers.

    Attributes
    ----------
    names : tuple of str
        As in ``module.named_parameters()``; a tied parameter has one name.
    shapes : tuple of torch.Size
        Their shapes.
    """

    names: tuple[str, ...]
    shapes: tuple[torch.Size, ...]

    @classmethod
    def of(cls, module: nn.Module, without: Iterable[str] = ()) -> Layout:
        """The layout of a module's parameters that require a gradient, except some."""
        left_out = set(without)
        trained = {
            name: parameter.shape
            for name, parameter in module.named_parameters()
            if parameter.requires_grad and name not in left_out
        }
        return cls(tuple(trained), tuple(trained.values()))

    @property
    def sizes(self) -> list[int]:
        """How many numbers each parameter has."""
        return [shape.numel() for shape in self.shapes]

    @property
    def size(self) -> int:
        """P."""
        return sum(self.sizes)

    def split(self, row: Tensor) -> dict[str, Tensor]:
        """Views of one lane's row (P,), by name."""
        pieces = torch.split(row, self.sizes)
        return {
            name: piece.view(shape)
            for name, piece, shape in zip(self.names, pieces, self.shapes, strict=True)
        }

    def join(self, module: nn.Module) -> Tensor:
        """The module's parameters as a row (P,)."""
        parameters = dict(module.named_parameters())
        return torch.cat([parameters[name].detach().reshape(-1) for name in self.names])

    def bind(self, module: nn.Module, row: Tensor, gradient: Tensor) -> None:
        """Make the module's parameters, and their ``.grad``, views of a row (P,) each."""
        parameters = dict(module.named_parameters())
        gradients = self.split(gradient)
        for name, view in self.split(row).items():
            parameters[name].data = view
            parameters[name].grad = gradients[name]
