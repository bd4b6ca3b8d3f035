"""Minibatches of any structure: tensors inside tuples, lists, mappings and dataclasses, taken apart and put together again."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

__all__ = ["alike", "applied", "copied", "flatten", "moved", "same", "selected", "tensors_of"]

_EMPTY = torch.empty(0)


def applied(
    change: Callable[[Tensor], Any], batch: Any, other: Callable[[Any], Any] = lambda part: part
) -> Any:
    """A copy of a structure in which ``change`` is applied to every tensor, and ``other`` to what is no structure."""
    if isinstance(batch, Tensor):
        return change(batch)
    if isinstance(batch, PackedSequence):  # its sizes belong to the CPU
        names = ("data", "sorted_indices", "unsorted_indices")
        return batch._replace(**{n: applied(change, getattr(batch, n), other) for n in names})
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        parts_of = (applied(change, part, other) for part in batch)
        return type(batch)._make(parts_of)  # type: ignore[attr-defined]
    if isinstance(batch, list | tuple):
        return type(batch)(applied(change, part, other) for part in batch)
    if isinstance(batch, Mapping):
        parts = {key: applied(change, part, other) for key, part in batch.items()}
        try:
            return parts if type(batch) is dict else type(batch)(parts)  # type: ignore[call-arg]
        except TypeError:  # made in another way, such as a defaultdict
            return parts
    if is_dataclass(batch) and not isinstance(batch, type):
        made = copy.copy(batch)
        for field in fields(batch):
            part = applied(change, getattr(batch, field.name), other)
            object.__setattr__(made, field.name, part)
        return made
    return other(batch)


def flatten(batch: Any) -> tuple[list[Tensor], Callable[[Sequence[Tensor]], Any]]:
    """All tensors of a minibatch in order, and what puts others in their places."""
    tensors: list[Tensor] = []
    applied(tensors.append, batch)
    hollow = applied(lambda _: _EMPTY, batch)  # which holds no minibatch in memory

    def rebuild(others: Sequence[Tensor]) -> Any:
        rest: Iterator[Tensor] = iter(others)
        return applied(lambda _: next(rest), hollow)

    return tensors, rebuild


def same(a: Any, b: Any) -> bool:
    """Whether two tensors or arrays have equal shapes and numbers; nan is like nan."""
    return a.shape == b.shape and bool(((a == b) | ((a != a) & (b != b))).all())


def tensors_of(batch: Any) -> list[Tensor]:
    """All tensors of a minibatch in order."""
    return flatten(batch)[0]


def alike(a: Any, b: Any) -> bool:
    """Whether two minibatches have the same tensors."""
    one, other = tensors_of(a), tensors_of(b)
    return len(one) == len(other) and all(map(same, one, other))


def copied(batch: Any) -> Any:
    """A minibatch that a model may change."""
    return applied(Tensor.clone, batch)


def selected(batch: Any, indices: Tensor) -> Any:
    """The rows of all tensors with these numbers."""
    return applied(lambda tensor: tensor[indices.to(tensor.device)], batch)


def moved(batch: Any, device: torch.device, dtype: torch.dtype) -> Any:
    """The minibatch on a device, its floating-point numbers in the model's type, whole numbers as they are.

    An object with a ``to`` of its own, such as a batch of graphs, moves itself, inside of a structure too.
    """

    def other(part: Any) -> Any:
        to = getattr(part, "to", None)
        return to(device) if callable(to) else part

    return applied(
        lambda t: t.to(device, dtype if t.is_floating_point() else t.dtype), batch, other
    )
