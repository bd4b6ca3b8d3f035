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
    def of(cls, module: nn.Module, names: Iterable[str]) -> Layout:
        """The layout of some parameters of a module."""
        parameters = dict(module.named_parameters())
        chosen = tuple(names)
        return cls(chosen, tuple(parameters[name].shape for name in chosen))

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

    def split_rows(self, rows: Tensor) -> list[Tensor]:
        """Views (K, …) of all lanes' rows (K, P), one for each parameter."""
        pieces = torch.split(rows, self.sizes, dim=1)
        return [
            piece.reshape(len(rows), *shape)
            for piece, shape in zip(pieces, self.shapes, strict=True)
        ]

    def join(self, module: nn.Module) -> Tensor:
        """The module's parameters as a row (P,)."""
        parameters = dict(module.named_parameters())
        return torch.cat([parameters[name].detach().reshape(-1) for name in self.names])
