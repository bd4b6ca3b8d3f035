"""Small models, data, and the plain loop that every lane must equal."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from learnrate.data.order import epoch_order
from learnrate.torch.randomness import Stream, forked_random_states, reseed

CPU = torch.device("cpu")
Pair = tuple[Tensor, Tensor]


def regression(n: int = 70, d: int = 5, *, seed: int = 0) -> Pair:
    """A smooth function of d features, in float64."""
    rng = torch.Generator().manual_seed(seed)
    X = torch.randn(n, d, generator=rng, dtype=torch.float64)
    y = torch.sin(X[:, :1]) + 0.5 * X[:, 1:2] + 0.1 * torch.randn(n, 1, generator=rng).double()
    return X, y


def images(n: int = 40, *, classes: int = 3, seed: int = 0) -> Pair:
    """Small pictures whose class is where they are bright."""
    rng = torch.Generator().manual_seed(seed)
    y = torch.randint(classes, (n,), generator=rng)
    X = torch.randn(n, 1, 6, 6, generator=rng, dtype=torch.float64)
    X[torch.arange(n), 0, y] += 2
    return X, y


class Pairs(Dataset[Any]):
    """A map-style Dataset of NumPy items."""

    def __init__(self) -> None:
        X, y = regression()
        self.X, self.y = X.numpy(), y.numpy()

    def __len__(self) -> int:
        return len(self.X)

    def __getitem__(self, i: int) -> Any:
        return self.X[i], self.y[i]


def seeded(build: Callable[[], nn.Module], seed: int = 0) -> nn.Module:
    """A model built in float64 from a seed."""
    with forked_random_states(CPU):
        torch.manual_seed(seed)
        return build().double()


def mlp(d: int = 5, out: int = 1) -> nn.Module:
    return seeded(lambda: nn.Sequential(nn.Linear(d, 8), nn.Tanh(), nn.Linear(8, out)))


def cnn() -> nn.Module:
    return seeded(
        lambda: nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(4, 4, 3),
            nn.Flatten(),
            nn.Linear(4, 3),
        )
    )


def plain_loop(
    model: nn.Module,
    data: Pair,
    loss: Callable[[Tensor, Tensor], Tensor],
    lr: float,
    *,
    optimizer: type[torch.optim.Optimizer] = torch.optim.SGD,
    options: Mapping[str, Any] | None = None,
    batch_size: int,
    epochs: int,
    seed: int = 0,
    multipliers: Any = None,
) -> tuple[list[float], nn.Module]:
    """PyTorch's own loop for one learning rate: the losses over all examples, and the trained model."""
    model = copy.deepcopy(model)
    X, y = data
    steps = optimizer(model.parameters(), lr=lr, **(options or {}))  # type: ignore[call-arg]

    def evaluate() -> float:
        model.eval()
        with torch.no_grad():
            return float(loss(model(X), y))

    losses, t = [evaluate()], 0
    for epoch in range(epochs):
        model.train()
        order = torch.from_numpy(epoch_order(len(X), batch_size, seed=seed, epoch=epoch))
        with forked_random_states(CPU):
            reseed(CPU, seed, Stream.TRAINING, epoch)
            for first in range(0, len(X), batch_size):
                J = order[first : first + batch_size]
                if multipliers is not None:
                    steps.param_groups[0]["lr"] = lr * float(multipliers[t])
                t += 1
                steps.zero_grad()
                loss(model(X[J]), y[J]).backward()  # type: ignore[no-untyped-call]
                steps.step()
        losses.append(evaluate())
    return losses, model
