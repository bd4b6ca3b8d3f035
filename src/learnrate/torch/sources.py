"""Makes `Examples` of the data that a user gives: tensors, arrays, a Dataset or a DataLoader."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import (
    DataLoader,
    IterableDataset,
    Subset,
    TensorDataset,
    default_collate,
)

from learnrate.errors import DataError
from learnrate.torch.batches import moved, same, tensors_of
from learnrate.torch.examples import (
    Collate,
    DrawnExamples,
    Examples,
    Form,
    HeldItems,
    TensorExamples,
    generators_in,
    reading,
)
from learnrate.torch.memory import free_memory
from learnrate.torch.orders import subset_of
from learnrate.torch.randomness import draws, python_randomness

__all__ = ["as_examples", "form_of", "is_stream", "workers_of"]

_CPU = torch.device("cpu")
_AGAIN = 256
"""Items that are read twice, at most."""
_SECONDS = 1.0
"""For reading items twice, at most."""
_WORKERS = (
    "num_workers",
    "worker_init_fn",
    "multiprocessing_context",
    "prefetch_factor",
    "timeout",
)


def as_examples(
    data: Any,
    *,
    name: str,
    device: torch.device,
    dtype: torch.dtype,
    pairs: bool = True,
    hold: bool | None = None,
) -> Examples:
    """Examples ready to train on.

    Floating-point numbers are brought to the model's ``dtype``, whole numbers stay as they are. A Dataset whose
    items are the same when read again is read once and held, if a quarter of the free memory is enough; any other is
    read at every visit, by the DataLoader's workers if it has some. A ``collate_fn`` is called for every minibatch.

    Parameters
    ----------
    data : any
        Tensors or arrays, a map-style Dataset, or a DataLoader.
    name : str
        Of the option.
    device, dtype
        Of the minibatches.
    pairs : bool
        Whether a minibatch is inputs and a target; else it is what is collated.
    hold : bool, optional
        Whether items are held, where the caller says so.

    Raises
    ------
    DataError
        If the data hold no pairs of inputs and target, or numbers that are not finite.
    """
    form = form_of(device, dtype, pairs=pairs)
    dataset: Any = data
    collate: Collate = default_collate
    workers = workers_of(data)
    if isinstance(data, DataLoader):
        dataset, collate = data.dataset, data.collate_fn
        if data.batch_size is None and data.batch_sampler is None:
            raise DataError(
                f"{name} must be a DataLoader that makes minibatches. Got one with batch_size=None instead, or give "
                "its Dataset."
            )
    if isinstance(dataset, IterableDataset):
        dataset = _all_of(dataset, name)
    if isinstance(data, DataLoader) and (indices := subset_of(data)) is not None:
        dataset = Subset(dataset, list(indices))
    if type(dataset) is TensorDataset and collate is default_collate:  # and no more than tensors
        dataset = dataset.tensors
    if isinstance(dataset, tuple | list) and all(
        isinstance(part, Tensor | np.ndarray) for part in dataset
    ):
        return _checked(form([_as_tensor(part) for part in dataset]), name)
    if (
        not pairs
        and isinstance(dataset, Mapping)
        and all(isinstance(part, Tensor | np.ndarray) for part in dataset.values())
    ):
        return _checked(form({key: _as_tensor(part) for key, part in dataset.items()}), name)
    if isinstance(dataset, Mapping | str) or not (
        hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__")
    ):
        raise DataError(
            f"{name} must be a pair of tensors (X, y), a Dataset or a DataLoader. Got {type(data).__name__} instead; what gives "
            "examples one after another goes into an IterableDataset."
        )
    if len(dataset) == 0:
        raise DataError(f"{name} must hold at least 1 example. Got none instead.")
    drawn = DrawnExamples(dataset, collate, form, workers, generators_in([dataset, collate]))
    items = None if hold is False else _items(drawn, certain=hold is True)
    if items is None:
        return drawn
    reread = None if hold is True else drawn.batch
    if collate is default_collate:
        held = HeldItems(items, collate, form)
        whole = _checked(held.batch(torch.arange(len(items))), name)
        return replace(whole, reread=reread)
    return HeldItems(items, collate, form, reread)


def form_of(device: torch.device, dtype: torch.dtype, *, pairs: bool) -> Form:
    """What makes a minibatch of what was collated: inputs and a target, or the same on the device."""

    def form(collated: Any) -> Any:
        return _pair(collated, device, dtype) if pairs else moved(collated, device, dtype)

    return form


def workers_of(data: Any) -> dict[str, Any]:
    """A DataLoader's options for reading in processes of their own, if it does."""
    if not isinstance(data, DataLoader) or not data.num_workers:
        return {}
    return {key: getattr(data, key) for key in _WORKERS}


def is_stream(data: Any) -> bool:
    """Whether examples come one after another and have no numbers."""
    return isinstance(getattr(data, "dataset", data), IterableDataset)


def _all_of(dataset: IterableDataset[Any], name: str) -> list[Any]:
    """The items of a stream that ends, if they fit into a quarter of the free memory."""
    items: list[Any] = []
    size, free = 0, free_memory(_CPU) // 4
    with reading():
        for item in dataset:
            items.append(item)
            size += _bytes(item)
            if size > free:
                raise DataError(
                    f"{name} must end, and fit into a quarter of the free memory. Got {len(items):,} items and more "
                    "instead; give a fixed part of them, such as itertools.islice of it in a list."
                )
    return items


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


def _pair(items: Any, device: torch.device, dtype: torch.dtype) -> tuple[tuple[Tensor, ...], Any]:
    """Inputs and target."""
    if not isinstance(items, Sequence) or len(items) < 2:
        came = type(items).__name__
        raise DataError(
            "Each example must be inputs and a target, such as (x, y); with step= it can be anything. "
            f"Got {came if not isinstance(items, Sequence) else f'{len(items)} part'} instead."
        )
    for part in items:
        if not isinstance(part, Tensor):
            raise DataError(
                "Each example must be a sequence of tensors, arrays or numbers, the target last. "
                f"Got a {type(part).__name__} in it instead; convert it in the Dataset, or use step=."
            )
        if part.layout != torch.strided:
            raise DataError(
                f"Tensors must be dense. Got {str(part.layout).removeprefix('torch.')} instead; use .to_dense()."
            )
    *inputs, target = moved(items, device, dtype)
    return tuple(inputs), target


def _items(drawn: DrawnExamples, *, certain: bool) -> list[Any] | None:
    """All items, if they are the same on another reading, without any draws, and fit; else None."""
    n = len(drawn)
    # By values alone an item that is flipped now and then would often pass.
    before = draws(_CPU), python_randomness(), _places(drawn.generators)

    def still() -> bool:
        same = torch.equal(before[0][0], draws(_CPU)[0]) and before[1] == python_randomness()
        return certain or (same and before[2] == _places(drawn.generators))

    with reading():
        first = {i: drawn.dataset[i] for i in sorted({0, n // 2, n - 1})}
    drawn.batch(torch.tensor([0]))  # which complains of what is no example
    size = sum(_bytes(item) for item in first.values()) * n // len(first)
    if not still() or size > free_memory(_CPU) // 4:
        return None
    items: list[Any] = []
    for i in range(n):
        with reading():
            items.append(first[i] if i in first else drawn.dataset[i])
        if i % _AGAIN == 0 and not still():
            return None
    if certain:
        return items
    began = time.perf_counter()
    for i in sorted(range(n), key=lambda i: (i * 2654435761) % 4294967296)[:_AGAIN]:
        if not _same(drawn.dataset[i], items[i]):
            return None
        if time.perf_counter() - began > _SECONDS:
            break
    return items if still() else None


def _places(generators: Sequence[Any]) -> list[Any]:
    """The states of random generators, as values that can be compared."""
    places: list[Any] = []
    for generator in generators:
        if isinstance(generator, torch.Generator):
            places.append(bytes(generator.get_state().numpy()))
        elif isinstance(generator, np.random.Generator):
            places.append(str(generator.bit_generator.state))
        elif isinstance(generator, np.random.RandomState):
            places.append(str(generator.get_state()))
        else:
            places.append(generator.getstate())
    return places


def _bytes(item: Any) -> int:
    """About how much memory an item takes."""
    if isinstance(item, Tensor | np.ndarray):
        return int(item.nbytes)
    if isinstance(item, Mapping):
        item = list(item.values())
    if is_dataclass(item):
        item = [getattr(item, field.name) for field in fields(item)]
    return sum(map(_bytes, item)) if isinstance(item, list | tuple) else 64


def _same(a: Any, b: Any) -> bool:
    """Whether two readings of an item are equal; nan is like nan."""
    if type(a) is not type(b):
        return False
    if isinstance(a, Tensor | np.ndarray):
        return same(a, b)
    if isinstance(a, Mapping):
        return list(a) == list(b) and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(_same, a, b))
    if is_dataclass(a):
        return all(_same(getattr(a, field.name), getattr(b, field.name)) for field in fields(a))
    return bool(a == b) or (a != a and b != b)


def _checked(whole: Any, name: str) -> TensorExamples:
    """Refuse tensors of different lengths, of none, and with numbers that are not finite."""
    parts = tensors_of(whole)
    lengths = [len(part) if part.ndim else 0 for part in parts]
    if len(set(lengths)) > 1 or not lengths or lengths[0] == 0:
        raise DataError(
            f"{name} must have one row per example in every tensor, and at least 1. "
            f"Got {' and '.join(map(str, lengths))} rows instead."
        )
    for place, part in enumerate(parts):
        if part.is_floating_point() and not bool(torch.isfinite(part).all()):
            which = "the target" if place == len(parts) - 1 else f"input {place + 1}"
            raise DataError(
                f"{name} must hold finite numbers. Got nan or inf in {which} instead; "
                "drop those examples or fill them in."
            )
    return TensorExamples(whole, lengths[0])
