"""A DataLoader's minibatches are followed: who is in them, how they are put together, what is drawn for them."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    Sampler,
    Subset,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

import learnrate.torch
from learnrate.data.order import Sampling
from learnrate.errors import DataError
from learnrate.torch.orders import order_of
from learnrate.torch.randomness import Stream, forked_random_states, reseed
from tests.torch.models import CPU, Pairs, mlp, regression, seeded

LRS = [0.01, 0.05]
MSE = nn.functional.mse_loss


def swept(model: Any, data: Any, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return learnrate.torch.sweep(model, data, loss="mse", lrs=LRS, **{"epochs": 3, **options})


def visited(
    model: nn.Module, loader: Any, batches: Any, lr: float, *, drawn: bool = False
) -> nn.Module:
    """PyTorch's own loop over the minibatches of each epoch."""
    model = copy.deepcopy(model)
    steps = torch.optim.SGD(model.parameters(), lr=lr)
    with forked_random_states(CPU):
        for epoch, of_epoch in enumerate(batches):
            model.train()
            reseed(CPU, 0, Stream.TRAINING, epoch)
            for J in of_epoch:
                x, y = loader.collate_fn([loader.dataset[int(i)] for i in J])
                steps.zero_grad()
                MSE(model(x), y).backward()  # type: ignore[no-untyped-call]
                steps.step()
    return model


def assert_same(result: Any, trained: nn.Module) -> None:
    for name, value in result.state_dict(LRS[1]).items():
        torch.testing.assert_close(value, trained.state_dict()[name], rtol=1e-9, atol=1e-12)


def test_the_order_of_a_loader_that_does_not_shuffle() -> None:
    for drop in (False, True):
        loader = DataLoader(Pairs(), batch_size=16, drop_last=drop)
        batches = list(torch.split(torch.arange(70), 16))
        batches = batches[: 4 if drop else 5]
        assert_same(swept(mlp(), loader), visited(mlp(), loader, [batches] * 3, 0.05))
        shuffled = swept(mlp(), loader, sampling="shuffle", lanes_at_once=1)
        assert not np.allclose(shuffled.losses[..., -1], swept(mlp(), loader).losses[..., -1])


def test_drop_last_leaves_out_the_short_minibatch_of_every_order() -> None:
    loader = DataLoader(Pairs(), batch_size=16, shuffle=True, drop_last=True)
    whole = DataLoader(Pairs(), batch_size=16, shuffle=True)
    order = order_of(whole, 70, 16, Sampling.SHUFFLE, given=[])
    batches = [order.epoch(0, e)[:4] for e in range(3)]
    assert_same(swept(mlp(), loader), visited(mlp(), loader, batches, 0.05))


def test_a_sampler_of_a_part_is_a_subset() -> None:
    part = list(range(0, 70, 2))
    loader = DataLoader(Pairs(), batch_size=16, sampler=SubsetRandomSampler(part))
    result = swept(mlp(), loader)
    expected = swept(mlp(), DataLoader(Subset(Pairs(), part), batch_size=16, shuffle=True))
    np.testing.assert_array_equal(result.losses, expected.losses)
    assert result.examples == 35


class Descending(Sampler[int]):
    """The target's order, with a jump drawn from NumPy's global generator."""

    def __iter__(self) -> Any:
        first = np.random.randint(70)  # noqa: NPY002
        return iter(np.roll(np.argsort(Pairs().y[:, 0]), first).tolist())

    def __len__(self) -> int:
        return 70


SAMPLERS: dict[str, Any] = {
    "weighted": lambda: {"sampler": WeightedRandomSampler([1.0] * 60 + [9.0] * 10, 50)},
    "with replacement": lambda: {"sampler": RandomSampler(Pairs(), True)},
    "some of them": lambda: {"sampler": RandomSampler(Pairs(), num_samples=40)},
    "own": lambda: {"sampler": Descending()},
    "own minibatches": lambda: {
        "batch_sampler": BatchSampler(Descending(), 7, drop_last=True),
        "batch_size": 1,
    },
}


@pytest.mark.parametrize("name", SAMPLERS)
def test_samplers_are_followed(name: str) -> None:
    loader: Any = DataLoader(Pairs(), **{"batch_size": 16, **SAMPLERS[name]()})
    order = order_of(loader, 70, 16, Sampling.SHUFFLE, given=[])
    batches = [order.epoch(0, e) for e in range(3)]
    assert not torch.equal(batches[0][0], batches[1][0])
    result = swept(mlp(), loader)
    assert "stacked" in result.engine_reason
    assert_same(result, visited(mlp(), loader, batches, 0.05))
    again = swept(mlp(), loader, lanes_at_once=1)
    np.testing.assert_allclose(again.losses, result.losses, rtol=1e-9)
    X, y = regression()
    final = MSE(result.model(0.05)(X), y).detach()
    assert result.losses[0, 1, -1] == pytest.approx(
        float(final), rel=1e-9
    )  # over all examples, once


class Sequences(Pairs):
    """Of different lengths; one is very long."""

    def __init__(self) -> None:
        rng = torch.Generator().manual_seed(0)
        lengths = [*torch.randint(3, 9, (70,), generator=rng).tolist()]
        lengths[7] = 60
        self.x = [torch.randn(n, 4, generator=rng).double() for n in lengths]
        self.y = torch.stack([x.mean(0).sum() for x in self.x])  # type: ignore[assignment]

    def __len__(self) -> int:
        return 70

    def __getitem__(self, i: int) -> Any:
        return self.x[i], self.y[i]


def padded(items: Any) -> Any:
    xs, ys = zip(*items, strict=True)
    return pad_sequence(list(xs), batch_first=True), torch.stack(ys)


class Convolved(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.out = nn.Conv1d(4, 6, 3, padding=1), nn.Linear(6, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(torch.relu(self.conv(x.transpose(1, 2))).mean(-1)).squeeze(1)  # type: ignore[no-any-return]


def test_padding_is_done_for_every_minibatch_in_evaluation_too() -> None:
    loader = DataLoader(Sequences(), batch_size=16, collate_fn=padded)
    batches = torch.split(torch.arange(70), 16)
    result = swept(seeded(Convolved), loader)
    trained = visited(seeded(Convolved), loader, [batches] * 3, 0.05)
    assert_same(result, trained)
    total = 0.0
    for J in batches:
        x, y = padded([loader.dataset[int(i)] for i in J])
        total += len(J) * float(MSE(trained(x), y).detach())
    assert result.losses[0, 1, -1] == pytest.approx(total / 70, rel=1e-9)


class Noisy(Pairs):
    """Changes one item in a hundred, by a generator of its own."""

    def __init__(self, rng: Any) -> None:
        super().__init__()
        self.rng = rng

    def __getitem__(self, i: int) -> Any:
        draw = (
            float(torch.rand((), generator=self.rng))
            if isinstance(self.rng, torch.Generator)
            else self.rng.random()
        )
        return (-self.X[i] if draw < 0.01 else self.X[i]), self.y[i]


@pytest.mark.parametrize("kind", [torch.Generator, np.random.default_rng])
def test_a_generator_of_the_datas_own_is_at_the_same_place_for_every_lane(kind: Any) -> None:
    result = swept(mlp(), Noisy(kind()), batch_size=16)
    for at_once in (1, 2):
        again = swept(mlp(), Noisy(kind()), batch_size=16, lanes_at_once=at_once)
        np.testing.assert_allclose(again.losses, result.losses, rtol=1e-9)


class Counted(Pairs):
    """Another item at every tenth reading: nothing is drawn."""

    reads = 0

    def __getitem__(self, i: int) -> Any:
        Counted.reads += 1
        return self.X[i] * (1 + (Counted.reads % 10 == 0)), self.y[i]


def test_items_that_change_are_seen_on_many_or_said() -> None:
    with pytest.raises(DataError, match="the same minibatch when they are read again"):
        swept(mlp(), Counted(), batch_size=16)
    calls = []

    class Listed(Pairs):
        def __getitem__(self, i: int) -> Any:
            calls.append(i)
            return super().__getitem__(i)

    swept(mlp(), Listed(), batch_size=16)
    held = len(calls)
    swept(mlp(), Listed(), batch_size=16, hold=True)
    assert len(calls) == held + 71
    swept(mlp(), Listed(), batch_size=16, hold=False)
    assert len(calls) > 4 * held


class Augmented(Pairs):
    def __getitem__(self, i: int) -> Any:
        return self.X[i] + 0.1 * torch.randn(5).numpy(), self.y[i]


@pytest.mark.slow
def test_workers_read_what_is_read_anew() -> None:
    loader = DataLoader(Augmented(), batch_size=35, shuffle=True, num_workers=1)
    result = swept(mlp(), loader, epochs=1)
    again = swept(mlp(), loader, epochs=1, lanes_at_once=1)
    np.testing.assert_allclose(again.losses, result.losses, rtol=1e-9)
