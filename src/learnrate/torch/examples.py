"""Examples by number, from whatever a user has: made into minibatches as the user's own loop makes them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from learnrate.errors import DataError, LearnrateError
from learnrate.torch.batches import selected
from learnrate.torch.failures import short
from learnrate.torch.memory import is_out_of_memory
from learnrate.torch.randomness import Stream, reseed, words_of

__all__ = [
    "DrawnExamples",
    "Examples",
    "HeldItems",
    "TensorExamples",
    "generators_in",
    "reading",
    "renew_all",
]

Form = Callable[[Any], Any]
"""Takes what was collated and returns a minibatch on the device."""
Collate = Callable[[list[Any]], Any]

_DEPTH = 4
_MANY = 1000


class Examples:
    """Examples by number.

    Attributes
    ----------
    in_turn : bool
        Whether lanes visit each minibatch one after the other, for it comes once.
    generators : sequence
        Random generators of their own, which are put to the same place for every lane.
    """

    in_turn = False
    generators: Sequence[Any] = ()

    def __len__(self) -> int:
        """How many there are."""
        raise NotImplementedError

    def batch(self, indices: Tensor) -> Any:
        """The minibatch of the examples with these numbers, on the device, in the model's type."""
        raise NotImplementedError

    def anew(self, indices: Tensor) -> Any:
        """The minibatch of `batch`, from items that are read again; None if no items are held in memory."""
        return None

    def read(self, batches: Sequence[Tensor], skipped: int = 0) -> Iterator[Any]:
        """Minibatches one after another, but for the first few; the draws are those from the first one on."""
        return map(self.batch, batches[skipped:])

    def renew(
        self, device: torch.device, seed: int, stream: Stream, epoch: int = 0, step: int = 0
    ) -> None:
        """Put all random generators at the start of a stream: torch's, NumPy's, Python's, and the examples' own."""
        reseed(device, seed, stream, epoch, step)


@dataclass(frozen=True, eq=False)
class TensorExamples(Examples):
    """Examples held in memory as a minibatch of all of them, whose tensors have one row per example.

    Attributes
    ----------
    whole, n
        The minibatch, and how many they are.
    reread : callable, optional
        Gives a minibatch from items that are read again.
    """

    whole: Any
    n: int
    reread: Callable[[Tensor], Any] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "reread": None}  # which needs the whole Dataset

    def __len__(self) -> int:
        return self.n

    @property
    def target(self) -> Tensor:
        """The last tensor."""
        target: Tensor = self.whole[-1]
        return target

    def batch(self, indices: Tensor) -> Any:
        """Rows of the tensors."""
        return selected(self.whole, indices)

    def anew(self, indices: Tensor) -> Any:
        """The minibatch of `batch`, from items that are read again; None if the tensors were given, not read from items."""
        return None if self.reread is None else self.reread(indices)


@dataclass(frozen=True, eq=False)
class HeldItems(Examples):
    """Items held in memory, collated for every minibatch."""

    items: list[Any]
    collate: Collate
    form: Form
    reread: Callable[[Tensor], Any] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "reread": None}  # which needs the whole Dataset

    def __len__(self) -> int:
        return len(self.items)

    def batch(self, indices: Tensor) -> Any:
        """The items, collated."""
        with reading():
            collated = self.collate([self.items[i] for i in indices.tolist()])
        return self.form(collated)

    def anew(self, indices: Tensor) -> Any:
        """The minibatch of `batch`, from items that are read again; None if they cannot be read again."""
        return None if self.reread is None else self.reread(indices)


@dataclass(frozen=True, eq=False)
class DrawnExamples(Examples):
    """Examples read anew at every visit: a Dataset that augments at random, or is too large to hold.

    Attributes
    ----------
    dataset, collate, form
        Where items come from and what becomes of them.
    workers : mapping
        A DataLoader's options for reading in processes of their own; none to read here.
    generators : list
        Random generators of the Dataset's own, which are put to the same place for every lane.
    """

    dataset: Any
    collate: Collate
    form: Form
    workers: dict[str, Any] = field(default_factory=dict)
    generators: list[Any] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.dataset)

    def batch(self, indices: Tensor) -> Any:
        """The items, collated."""
        with reading():
            collated = self.collate([self.dataset[i] for i in indices.tolist()])
        return self.form(collated)

    def read(self, batches: Sequence[Tensor], skipped: int = 0) -> Iterator[Any]:
        """Minibatches one after another, read ahead by workers where there are some.

        The workers' draws follow from what they have read before, so that they read those that are skipped too.
        """
        if not self.workers:
            return super().read(batches, skipped)
        loader: DataLoader[Any] = DataLoader(
            self.dataset,
            batch_sampler=[indices.tolist() for indices in batches],
            collate_fn=self.collate,
            generator=torch.Generator().manual_seed(int(torch.randint(1 << 62, ()))),
            **self.workers,
        )
        read = iter(loader)

        def collated() -> Iterator[Any]:
            for _ in batches:
                with reading():
                    items = next(read)
                yield items

        return map(self.form, itertools.islice(collated(), skipped, None))

    def renew(
        self, device: torch.device, seed: int, stream: Stream, epoch: int = 0, step: int = 0
    ) -> None:
        """Put all random generators at the start of a stream."""
        super().renew(device, seed, stream, epoch, step)
        renew_all(self.generators, words_of(seed, stream, epoch, step))


def renew_all(generators: Sequence[Any], words: Sequence[int]) -> None:
    """Put random generators, each by its place among them, to where these words say."""
    for place, generator in enumerate(generators):
        start = np.random.SeedSequence([*words, place])
        if isinstance(generator, torch.Generator):
            generator.manual_seed(int(start.generate_state(1, np.uint64)[0]) >> 1)
        elif isinstance(generator, np.random.Generator):
            kind: Any = type(generator.bit_generator)
            generator.bit_generator.state = kind(start).state
        else:
            generator.seed(int(start.generate_state(1)[0]))


class reading:  # noqa: N801  # used as a function
    """Tell in one line what a Dataset or a ``collate_fn`` raises."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if not isinstance(error, Exception) or isinstance(error, LearnrateError):
            return
        if is_out_of_memory(error):
            return
        raise DataError(
            "Items of a Dataset must be sequences of tensors, arrays or numbers, of one shape each. "
            f"Got {type(error).__name__} on reading them instead: {short(error, 200)}"
        ) from error


def generators_in(value: Any, depth: int = 0) -> list[Any]:
    """Random generators inside an object and its attributes."""
    own = torch.Generator | np.random.Generator | np.random.RandomState | random.Random
    if isinstance(value, own):
        return [value]
    if depth == _DEPTH or isinstance(value, type | Tensor | np.ndarray | str | bytes):
        return []
    inside: Iterable[Any] = ()
    if isinstance(value, dict):
        inside = list(value.values())
    elif isinstance(value, list | tuple | set):
        inside = value
    elif hasattr(value, "__dict__") and not callable(getattr(value, "__code__", None)):
        inside = list(vars(value).values())
    parts = list(inside)[:_MANY]
    found = [generator for part in parts for generator in generators_in(part, depth + 1)]
    return list({id(generator): generator for generator in found}.values())
