"""Which examples make which minibatch: learnrate's own order, or that of a DataLoader's sampler."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.utils.data import (
    DataLoader,
    RandomSampler,
    SequentialSampler,
    SubsetRandomSampler,
)

from learnrate.data.order import Sampling, epoch_order
from learnrate.errors import DataError
from learnrate.torch.failures import short
from learnrate.torch.randomness import Stream, forked_random_states, reseed

__all__ = ["Order", "OwnOrder", "SamplerOrder", "order_of", "subset_of"]

_CPU = torch.device("cpu")


class Order(Protocol):
    """The minibatches of every epoch, the same for all lanes of a seed."""

    @property
    def steps(self) -> int:
        """Minibatches of an epoch."""
        ...

    def epoch(self, seed: int, epoch: int) -> tuple[Tensor, ...]:
        """The numbers of the examples of each minibatch."""
        ...


@dataclass(frozen=True)
class OwnOrder:
    """A permutation that is drawn for every epoch, or none; see `learnrate.data.order`.

    Attributes
    ----------
    n, batch_size : int
        Examples, and of a minibatch.
    sampling : Sampling
        How they are chosen.
    shuffle : bool
        Whether they are; else they come as they are numbered.
    drop_last : bool
        Whether a short last minibatch is left out.
    """

    n: int
    batch_size: int
    sampling: Sampling = Sampling.SHUFFLE
    shuffle: bool = True
    drop_last: bool = False

    @property
    def steps(self) -> int:
        """Minibatches of an epoch."""
        return self.n // self.batch_size if self.drop_last else -(-self.n // self.batch_size)

    def epoch(self, seed: int, epoch: int) -> tuple[Tensor, ...]:
        """The numbers of the examples of each minibatch."""
        order = torch.arange(self.n)
        if self.shuffle:
            drawn = epoch_order(
                self.n, self.batch_size, seed=seed, epoch=epoch, sampling=self.sampling
            )
            order = torch.from_numpy(drawn)
        return torch.split(order, self.batch_size)[: self.steps]


@dataclass(frozen=True, eq=False)
class SamplerOrder:
    """What a sampler of minibatches gives, with the random generators put to the epoch's own place before.

    Attributes
    ----------
    sampler : iterable
        Gives sequences of numbers.
    steps : int
        Minibatches of an epoch.
    """

    sampler: Any
    steps: int

    def epoch(self, seed: int, epoch: int) -> tuple[Tensor, ...]:
        """The numbers of the examples of each minibatch.

        Raises
        ------
        DataError
            If it fails, or gives another number of minibatches than in the first epoch.
        """
        batches = self.drawn(self.sampler, seed, epoch)
        if len(batches) != self.steps:
            raise DataError(
                f"A sampler must give as many minibatches in every epoch. Got {self.steps} and then {len(batches)}; "
                "use drop_last=True, or a sampler with a fixed number."
            )
        return batches

    @staticmethod
    def drawn(sampler: Any, seed: int, epoch: int) -> tuple[Tensor, ...]:
        """One pass of the sampler."""
        inner = getattr(sampler, "sampler", None)
        for part in (sampler, inner):
            if callable(getattr(part, "set_epoch", None)):
                part.set_epoch(epoch)  # type: ignore[union-attr]
        with forked_random_states(_CPU):
            reseed(_CPU, seed, Stream.ORDER, epoch)
            for part in (sampler, inner):
                if hasattr(part, "generator"):
                    start = int(torch.randint(1 << 62, ()))
                    part.generator = torch.Generator().manual_seed(start)  # type: ignore[union-attr]
            try:
                return tuple(torch.tensor([int(i) for i in batch]) for batch in sampler)
            except (TypeError, ValueError) as error:
                raise DataError(
                    f"A sampler must give numbers of examples. Got {type(error).__name__} instead: {short(error)}"
                ) from error


def subset_of(loader: DataLoader[Any]) -> Any:
    """The numbers that a loader draws from without repeating, where these are not all of the examples."""
    return loader.sampler.indices if type(loader.sampler) is SubsetRandomSampler else None


def order_of(
    data: Any, n: int, batch_size: int, sampling: Sampling, *, given: Iterable[str]
) -> Order:
    """The order for some data.

    Parameters
    ----------
    data : any
        What is trained on; the order of a DataLoader is followed.
    n : int
        Examples.
    batch_size : int
        Of a minibatch.
    sampling : Sampling
        For learnrate's own order.
    given : names
        Which of ``batch_size`` and ``sampling`` the caller gave: they go before the loader's.

    Raises
    ------
    DataError
        If a sampler cannot be followed.
    """
    if not isinstance(data, DataLoader):
        return OwnOrder(n, batch_size, sampling)
    asked = list(given)
    sampler: Any = data.sampler
    own_batches = data.batch_size is None
    drop = bool(data.drop_last)
    if drop and n < batch_size:
        raise DataError(
            f"With drop_last there must be at least {batch_size} examples. Got {n} instead; use a smaller batch_size."
        )
    plain = isinstance(sampler, SequentialSampler) or type(sampler) is SubsetRandomSampler
    plain |= isinstance(sampler, RandomSampler) and not sampler.replacement
    plain &= not own_batches and (type(sampler) is not RandomSampler or len(sampler) == n)
    if plain:
        shuffle = "sampling" in asked or not isinstance(sampler, SequentialSampler)
        return OwnOrder(n, batch_size, sampling, shuffle, drop)
    if asked:
        raise DataError(
            f"{asked[0]} must be left out with a DataLoader that has a sampler of its own "
            f"({type(data.batch_sampler if own_batches else sampler).__name__}), whose order is followed. Got both."
        )
    with forked_random_states(_CPU):
        try:
            followed = copy.deepcopy(data.batch_sampler, {id(data.dataset): data.dataset})
        except Exception:  # it holds what cannot be copied
            followed = data.batch_sampler
    passes = [SamplerOrder.drawn(followed, 0, 0) for _ in range(2)]
    same = len(passes[0]) == len(passes[1]) and all(map(torch.equal, *passes))
    if not same:
        raise DataError(
            "A sampler must draw from torch's, NumPy's or Python's global generator, or from one that it has as "
            f"`generator`: then all lanes see the same minibatches. Got {type(sampler).__name__}, which gives another "
            "order when it is asked again; draw its random numbers from one of these."
        )
    if not passes[0]:
        raise DataError("A sampler must give at least one minibatch. Got none instead.")
    return SamplerOrder(followed, len(passes[0]))
