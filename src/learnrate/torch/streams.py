"""Examples that come one after another and have no numbers: an IterableDataset, read once for all lanes.

A minibatch is known by its place in the stream. Lanes that are trained together visit it together, so the stream passes
once; lanes that do not fit beside them read it again from its seed. When it ends it begins anew, as in a loop over epochs.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, default_collate

from learnrate.errors import DataError, OptionError
from learnrate.torch.batches import alike, copied, tensors_of
from learnrate.torch.examples import Collate, Examples, Form, generators_in, reading, renew_all
from learnrate.torch.randomness import Stream, forked_random_states, remembered, reseed, words_of

__all__ = ["StreamOrder", "StreamedExamples", "stream_of"]

_CPU = torch.device("cpu")
_COMPARED = 3
"""Number of minibatches at the beginning that are read twice, to compare them."""
_TAIL = 2
"""Number of minibatches at the end that are kept, because the checks read them again."""


@dataclass(frozen=True)
class StreamOrder:
    """The places of all minibatches, in one epoch.

    Attributes
    ----------
    steps : int
        Minibatches.
    """

    steps: int

    def epoch(self, seed: int, epoch: int) -> tuple[Tensor, ...]:
        """The place of each minibatch."""
        return torch.split(torch.arange(self.steps), 1)


class StreamedExamples(Examples):
    """Minibatches of a stream, by their places.

    Parameters
    ----------
    passes : callable
        Gives an iterator over what is collated, given the number of the pass; it draws what it draws from torch's,
        NumPy's or Python's global generators, or from those below.
    form : callable
        What becomes of what is collated.
    generators : list
        Random generators of the stream's own.
    seed : int
        Of the first reading.
    minibatches : int
        How many a training visits.
    head : int
        So many first ones are kept, which the checks read again.

    Attributes
    ----------
    repeats : bool
        Whether it gave the same minibatches when it was read again from its seed.
    batch_size : int
        Examples of the first minibatch.
    minibatches : int
        How many a training visits.
    """

    in_turn = True

    def __init__(
        self,
        passes: Callable[[int], Iterator[Any]],
        form: Form,
        generators: list[Any],
        seed: int,
        minibatches: int,
        head: int,
    ) -> None:
        self._passes, self._form, self._generators = passes, form, generators
        self._seed, self.minibatches, self.repeats = seed, minibatches, True
        self._kept = max(head, _COMPARED)
        self._rewind()
        first = [self.batch(torch.tensor([t])) for t in range(_COMPARED)]
        self.batch_size = max((len(part) for part in tensors_of(first[0]) if part.ndim), default=1)
        again = StreamedExamples.__new__(StreamedExamples)
        again.__dict__ = {**self.__dict__}
        again._rewind()
        self.repeats = all(
            alike(batch, again.batch(torch.tensor([t]))) for t, batch in enumerate(first)
        )
        if self.repeats:  # reading twice may have moved what both readings share
            self._rewind()

    def __len__(self) -> int:
        """How many a training visits."""
        return self.minibatches * self.batch_size

    def _rewind(self) -> None:
        self._run: Iterator[Any] | None = None
        self._next = self._pass = 0
        self._head: dict[int, Any] = {}
        self._tail: OrderedDict[int, Any] = OrderedDict()
        self._restore: Callable[[], None] | None = None

    def renew(
        self, device: torch.device, seed: int, stream: Stream, epoch: int = 0, step: int = 0
    ) -> None:
        """Put the global generators at the start of a stream of draws; those of the data stay where they are."""
        reseed(device, seed, stream, epoch, step)
        if seed != self._seed:
            self._again("another seed")
            self._seed = seed

    def batch(self, indices: Tensor) -> Any:
        """The minibatch at a place."""
        place = int(indices[0])
        for kept in (self._head, self._tail):
            if place in kept:
                return copied(kept[place])
        if place < self._next:
            self._again("lanes that were trained after others")
        while self._next <= place:
            batch = self._form(self._read())
            if self._next < self._kept:
                self._head[self._next] = batch
            self._tail[self._next] = batch
            if len(self._tail) > _TAIL:
                self._tail.popitem(last=False)
            self._next += 1
        return copied(batch)

    def _again(self, why: str) -> None:
        if self._next and not self.repeats:
            raise OptionError(
                "A stream must give the same minibatches when it is read again from its seed. Got others, and it was read "
                f"again for {why}; draw its random numbers from torch's, NumPy's or Python's global generator, or let all "
                "lanes of one seed fit together (lanes_at_once)."
            )
        self._rewind()

    def _read(self) -> Any:
        """What is collated next, with the stream's own draws."""
        outside = remembered(_CPU)
        try:
            if self._restore is not None:
                self._restore()
            with reading():
                if self._run is None:
                    self._begin()
                assert self._run is not None
                try:
                    return next(self._run)
                except StopIteration:
                    self._pass += 1
                    self._begin()
                try:
                    return next(self._run)
                except StopIteration:
                    raise DataError(
                        "A stream must give at least one minibatch in every pass. Got none instead; give it enough "
                        "examples for its batch_size, and let __iter__ begin anew."
                    ) from None
        finally:
            self._restore = remembered(_CPU)
            outside()

    def _begin(self) -> None:
        """A new pass."""
        reseed(_CPU, self._seed, Stream.ORDER, self._pass)
        renew_all(self._generators, words_of(self._seed, Stream.ORDER, self._pass, 0))
        self._run = self._passes(self._pass)

    def __getstate__(self) -> dict[str, Any]:
        """Without the pass that is under way."""
        left_out = ("_run", "_restore", "_head", "_tail")
        rest = {name: value for name, value in vars(self).items() if name not in left_out}
        return {
            **rest,
            "_run": None,
            "_restore": None,
            "_head": {},
            "_tail": OrderedDict(),
            "_next": 0,
            "_pass": 0,
        }


def stream_of(
    data: Any,
    form: Form,
    workers: Mapping[str, Any],
    *,
    batch_size: int,
    seed: int,
    minibatches: int,
    head: int,
) -> StreamedExamples:
    """The minibatches of an IterableDataset, or of a DataLoader of one.

    Parameters
    ----------
    data : IterableDataset or DataLoader
    form : callable
        What becomes of what is collated.
    workers : mapping
        The DataLoader's options for reading in processes of their own.
    batch_size : int
        Where ``data`` is no DataLoader.
    seed : int
        Of the first reading.
    minibatches, head : int
        How many a training visits, and how many first ones the checks read again.
    """
    loader = data if isinstance(data, DataLoader) else None
    dataset = data if loader is None else loader.dataset
    collate: Collate = default_collate if loader is None else loader.collate_fn
    kept = {
        "batch_size": batch_size if loader is None else loader.batch_size,
        "drop_last": loader is not None and loader.drop_last,
        "collate_fn": collate,
        **workers,
    }

    def passes(number: int) -> Iterator[Any]:
        if callable(getattr(dataset, "set_epoch", None)):
            dataset.set_epoch(number)  # type: ignore[union-attr]  # which it has
        start = int(torch.randint(1 << 62, ()))
        return iter(DataLoader(dataset, generator=torch.Generator().manual_seed(start), **kept))

    with forked_random_states(_CPU):
        own = generators_in([dataset, collate])
        return StreamedExamples(passes, form, own, seed, minibatches, head)
