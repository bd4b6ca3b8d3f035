"""Minibatches of any structure: tensors inside tuples, lists and mappings, taken apart and put together again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

__all__ = ["copied", "flatten", "moved", "same", "selected", "tensors_of"]


def _apply(change: Callable[[Tensor], Any], batch: Any) -> Any:
    """A copy of a structure in which ``change`` is applied to every tensor; other values stay as they are."""
    if isinstance(batch, Tensor):
        return change(batch)
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*(_apply(change, part) for part in batch))
    if isinstance(batch, list | tuple):
        return type(batch)(_apply(change, part) for part in batch)
    if isinstance(batch, Mapping):
        parts = {key: _apply(change, part) for key, part in batch.items()}
        return parts if type(batch) is dict else type(batch)(parts)  # type: ignore[call-arg]
    return batch


def flatten(batch: Any) -> tuple[list[Tensor], Callable[[Sequence[Tensor]], Any]]:
    """All tensors of a minibatch in order, and what puts others in their places."""
    tensors: list[Tensor] = []
    _apply(tensors.append, batch)

    def rebuild(others: Sequence[Tensor]) -> Any:
        rest: Iterator[Tensor] = iter(others)
        return _apply(lambda _: next(rest), batch)

    return tensors, rebuild


def same(a: Any, b: Any) -> bool:
    """Whether two tensors or arrays have equal shapes and numbers; nan is like nan."""
    return a.shape == b.shape and bool(((a == b) | ((a != a) & (b != b))).all())


def tensors_of(batch: Any) -> list[Tensor]:
    """All tensors of a minibatch in order."""
    return flatten(batch)[0]


def copied(batch: Any) -> Any:
    """A minibatch that a model may change."""
    return _apply(Tensor.clone, batch)


def selected(batch: Any, indices: Tensor) -> Any:
    """The rows of all tensors with these numbers."""
    return _apply(lambda tensor: tensor[indices.to(tensor.device)], batch)


def moved(batch: Any, device: torch.device, dtype: torch.dtype) -> Any:
    """The minibatch on a device, its floating-point numbers in the model's type, whole numbers as they are.

    An object with a ``to`` of its own, such as a batch of graphs, moves itself.
    """
    if not isinstance(batch, Tensor | list | tuple | Mapping) and callable(
        to := getattr(batch, "to", None)
    ):
        return to(device)
    return _apply(lambda t: t.to(device, dtype if t.is_floating_point() else t.dtype), batch)
