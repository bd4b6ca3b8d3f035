"""Examples from tensors, arrays, a map-style Dataset, or the Dataset inside a DataLoader."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import (
    DataLoader,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    TensorDataset,
    default_collate,
)

from learnrate.errors import DataError
from learnrate.torch.failures import short
from learnrate.torch.memory import free_memory, is_out_of_memory
from learnrate.torch.randomness import draws, python_randomness

__all__ = ["Examples", "as_examples"]

Batch = tuple[tuple[Tensor, ...], Tensor]
"""What the model is called with, and the target."""

_CPU = torch.device("cpu")
_READ = 1024
"""Items read from a Dataset at a time."""


class Examples(Protocol):
    """Examples by number."""

    def __len__(self) -> int:
        """How many there are."""
        ...

    def batch(self, indices: Tensor) -> Batch:
        """The examples with these numbers, on the device, in the model's type."""
        ...


@dataclass(frozen=True, eq=False)
class TensorExamples:
    """Examples held in memory: inputs and target, each with one row per example."""

    inputs: tuple[Tensor, ...]
    target: Tensor

    def __len__(self) -> int:
        return len(self.target)

    def batch(self, indices: Tensor) -> Batch:
        """Rows of the tensors."""
        indices = indices.to(self.target.device)
        return tuple(tensor[indices] for tensor in self.inputs), self.target[indices]


@dataclass(frozen=True, eq=False)
class DrawnExamples:
    """Examples fetched anew at every visit: a Dataset that augments at random, or is too large to hold."""

    dataset: Any
    collate: Callable[[list[Any]], Any]
    device: torch.device
    dtype: torch.dtype

    def __len__(self) -> int:
        return len(self.dataset)

    def batch(self, indices: Tensor) -> Batch:
        """The items, collated."""
        try:
            items = self.collate([self.dataset[i] for i in indices.tolist()])
        except Exception as error:  # the Dataset is the caller's own
            if is_out_of_memory(error):
                raise
            raise DataError(
                "Items of a Dataset must be sequences of tensors, arrays or numbers, of one shape each. "
                f"Got {type(error).__name__} on reading them instead: {short(error, 200)}"
            ) from error
        return _inputs_and_target(items, self.device, self.dtype)


def as_examples(data: Any, *, name: str, device: torch.device, dtype: torch.dtype) -> Examples:
    """Examples ready to train on.

    Floating-point numbers are brought to the model's ``dtype``, whole numbers stay as they are. A Dataset
    whose items are the same when read twice is read once and held, if a quarter of the free memory is
    enough; any other is read at every visit. A DataLoader lends its Dataset and its ``collate_fn``; the
    order is learnrate's own, so one with a sampler that leaves out or weighs examples is refused.

    Raises
    ------
    DataError
        If the data hold no pairs of inputs and target, or numbers that are not finite.
    """
    dataset: Any = data
    collate: Callable[[list[Any]], Any] = default_collate
    if isinstance(data, DataLoader):
        dataset, collate = _lent(data, name)
    if type(dataset) is TensorDataset and collate is default_collate:  # and no more than tensors
        dataset = dataset.tensors
    if isinstance(dataset, IterableDataset):
        raise DataError(
            f"{name} must be a map-style Dataset, whose items have numbers. Got an IterableDataset "
            "instead; read it into tensors, or give it __getitem__ and __len__."
        )
    if isinstance(dataset, tuple | list) and all(
        isinstance(part, Tensor | np.ndarray) for part in dataset
    ):
        inputs, target = _inputs_and_target([_as_tensor(part) for part in dataset], device, dtype)
        return _checked(TensorExamples(inputs, target), name)
    if isinstance(dataset, Mapping | str) or not (
        hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__")
    ):
        raise DataError(
            f"{name} must be a pair of tensors (X, y), a map-style Dataset or a DataLoader. "
            f"Got {type(data).__name__} instead."
        )
    if len(dataset) == 0:
        raise DataError(f"{name} must hold at least 1 example. Got none instead.")
    drawn = DrawnExamples(dataset, collate, device, dtype)
    return _checked(_held(drawn), name) if _can_be_held(drawn) else drawn


def _lent(loader: DataLoader[Any], name: str) -> tuple[Any, Callable[[list[Any]], Any]]:
    """Dataset and ``collate_fn`` of a DataLoader that visits every example once."""
    sampler: Any = loader.sampler
    plain = isinstance(sampler, SequentialSampler) or (
        isinstance(sampler, RandomSampler)
        and not sampler.replacement
        and sampler.num_samples == len(sampler.data_source)
    )
    if isinstance(loader.dataset, IterableDataset) or (plain and loader.batch_size is not None):
        return loader.dataset, loader.collate_fn
    came = type(sampler if loader.batch_size is not None else loader.batch_sampler).__name__
    raise DataError(
        f"{name} must visit every example once an epoch, in an order that learnrate draws itself. Got a "
        f"DataLoader with a {came} of its own instead; give its Dataset, or a torch.utils.data.Subset of it."
    )


def _as_tensor(part: Tensor | np.ndarray[Any, Any]) -> Tensor:
    if isinstance(part, Tensor):
        return part.detach()
    try:
        return torch.from_numpy(
            np.array(part)
        )  # a copy: torch warns of arrays that cannot be written
    except TypeError:
        raise DataError(
            f"Arrays must hold numbers. Got {part.dtype} instead; convert them, classes to 0, 1, 2, …."
        ) from None


def _inputs_and_target(items: Any, device: torch.device, dtype: torch.dtype) -> Batch:
    if not isinstance(items, Sequence) or len(items) < 2:
        came = type(items).__name__
        raise DataError(
            "Each example must be inputs and a target, such as (x, y). "
            f"Got {came if not isinstance(items, Sequence) else f'{len(items)} part'} instead."
        )
    for part in items:
        if not isinstance(part, Tensor):
            raise DataError(
                "Each example must be a sequence of tensors, arrays or numbers, the target last. "
                f"Got a {type(part).__name__} in it instead; convert it in the Dataset."
            )
        if part.layout != torch.strided:
            raise DataError(
                f"Tensors must be dense. Got {str(part.layout).removeprefix('torch.')} instead; use .to_dense()."
            )
    *inputs, target = (
        part.to(device, dtype if part.is_floating_point() else part.dtype) for part in items
    )
    return tuple(inputs), target


def _can_be_held(drawn: DrawnExamples) -> bool:
    """Whether the items are the same on a second reading, without any draws, and all of them fit."""
    n = len(drawn)
    some = torch.tensor(sorted({0, n // 2, n - 1}))
    # By values alone an item that is flipped now and then would often pass.
    before = draws(_CPU), python_randomness()
    first, second = drawn.batch(some), drawn.batch(some)
    same_draws = torch.equal(before[0][0], draws(_CPU)[0]) and before[1] == python_randomness()
    tensors = [*first[0], first[1]]
    if not (same_draws and all(map(_same, tensors, [*second[0], second[1]]))):
        return False
    size = sum(t.nbytes for t in tensors) * n // len(some)
    return size <= free_memory(drawn.device) // 4


def _same(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and bool(((a == b) | ((a != a) & (b != b))).all())


def _held(drawn: DrawnExamples) -> TensorExamples:
    parts = [drawn.batch(block) for block in torch.split(torch.arange(len(drawn)), _READ)]
    inputs = tuple(torch.cat(tensors) for tensors in zip(*(p[0] for p in parts), strict=True))
    return TensorExamples(inputs, torch.cat([p[1] for p in parts]))


def _checked(examples: TensorExamples, name: str) -> TensorExamples:
    """Refuse tensors of different lengths, of none, and with numbers that are not finite."""
    parts = [*examples.inputs, examples.target]
    lengths = [len(part) if part.ndim else 0 for part in parts]
    if len(set(lengths)) > 1 or lengths[0] == 0:
        raise DataError(
            f"{name} must have one row per example in every tensor, and at least 1. "
            f"Got {_and(lengths)} rows instead."
        )
    for place, part in enumerate(parts):
        if part.is_floating_point() and not bool(torch.isfinite(part).all()):
            which = "the target" if place == len(parts) - 1 else f"input {place + 1}"
            raise DataError(
                f"{name} must hold finite numbers. Got nan or inf in {which} instead; "
                "drop those examples or fill them in."
            )
    return examples


def _and(items: Iterable[Any]) -> str:
    return " and ".join(map(str, items))
