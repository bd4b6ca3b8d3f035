"""The small tasks by which rules for longer runs and for ending rates early are chosen and judged.

Two groups: those in `TASKS` but not in `ASIDE` are what rules are chosen by; those in `ASIDE` were added after the last rule
had been chosen, and are for judging alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["ASIDE", "TASKS", "Pair", "Task", "build", "load"]

RATES = 25
"""Trained to judge by; a usual sweep takes every other one, 13."""

Pair = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Task:
    """What is trained: data, model, optimizer, schedule, and the steps of the sweep."""

    data: str
    model: str
    optimizer: str
    schedule: str = "constant"
    T0: int = 60
    batch_size: int = 32

    @property
    def name(self) -> str:
        """As ``--tasks`` takes it."""
        return f"{self.data}-{self.model}-{self.optimizer}-{self.schedule}"

    @property
    def lrs(self) -> Any:
        """Four decades about what is usual for the optimizer."""
        high = {"sgd": 3.0, "momentum": 1.0}.get(self.optimizer, 0.1)
        return np.geomspace(1e-4 * high, high, RATES)


TASKS = [
    Task("digits", "mlp", "sgd"),
    Task("digits", "mlp", "adamw"),
    Task("digits", "cnn", "momentum", T0=40),
    Task("digits", "cnn", "adam", "cosine", T0=40),
    Task("digits", "linear", "momentum"),
    Task("cancer", "mlp", "adam"),
    Task("wine", "mlp", "momentum", T0=40),
    Task("diabetes", "mlp", "adamw"),
    Task("friedman", "deep", "adam"),
    Task("friedman", "mlp", "adamw", "linear"),
    Task("teacher", "mlp", "sgd", T0=100),
    Task("teacher", "mlp", "adamw", "linear", T0=100),
    Task("text", "transformer", "adamw", T0=50),
    Task("text", "gru", "adam", T0=40),
    Task("text", "mlp", "momentum"),
    Task("houses", "mlp", "adam"),
    Task("spirals", "mlp", "adam"),
    Task("spirals", "mlp", "momentum", "cosine"),
]
_LATER = [
    Task("pictures", "mlp", "adam", "cosine"),
    Task("friedman2", "mlp", "momentum"),
    Task("moons", "deep", "sgd", "cosine"),
    Task("pictures", "deep", "momentum"),
    Task("pupil", "mlp", "momentum", T0=80),
    Task("waves", "deep", "adamw", "cosine"),
    Task("cancer", "deep", "adamw", "linear"),
    Task("houses", "deep", "momentum", "linear"),
    Task("friedman2", "mlp", "adam"),
]
ASIDE = frozenset(task.name for task in _LATER)
TASKS += _LATER


def _classes(n: int, seed: int) -> Pair:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    r = rng.uniform(0.1, 1, n)
    angle = 4 * r + 2 * np.pi * y / 3 + 0.15 * rng.standard_normal(n)
    X = np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1)
    return torch.tensor(X, dtype=torch.float32), torch.tensor(y)


def _taught(n: int, seed: int) -> Pair:
    rng = torch.Generator().manual_seed(seed)
    X = torch.randn(n, 10, generator=rng)
    weights = torch.Generator().manual_seed(7)
    A, b = torch.randn(10, 12, generator=weights) / 3, torch.randn(12, 1, generator=weights)
    return X, torch.tanh(X @ A) @ b + 0.1 * torch.randn(n, 1, generator=rng)


def _judged(n: int, seed: int) -> Pair:
    """Classes by a fixed network, a tenth of them wrong."""
    rng = torch.Generator().manual_seed(seed)
    X = torch.randn(n, 12, generator=rng)
    weights = torch.Generator().manual_seed(8)
    A, b = torch.randn(12, 16, generator=weights) / 3, torch.randn(16, 5, generator=weights)
    y = (torch.tanh(X @ A) @ b).argmax(dim=1)
    wrong = torch.rand(n, generator=rng) < 0.1
    return X, torch.where(wrong, torch.randint(5, (n,), generator=rng), y)


def _waves(n: int, seed: int) -> Pair:
    rng = torch.Generator().manual_seed(seed)
    X = 2 * torch.rand(n, 2, generator=rng) - 1
    y = torch.sin(5 * X[:, :1]) * torch.cos(4 * X[:, 1:])
    return X, y + 0.1 * torch.randn(n, 1, generator=rng)


def _made(name: str, n: int, seed: int) -> Pair:
    from sklearn import datasets

    if name == "moons":
        X, y = datasets.make_moons(n, noise=0.25, random_state=seed)
        return torch.tensor(X, dtype=torch.float32), torch.tensor(y)
    X, y = datasets.make_friedman2(n, noise=100.0, random_state=seed)
    X, y = (X - X.mean(axis=0)) / X.std(axis=0), (y - y.mean()) / y.std()
    return torch.tensor(X, dtype=torch.float32), torch.tensor(y[:, None], dtype=torch.float32)


CONTEXT, LETTERS = 16, 64


def _letters() -> Tensor:
    """The docstrings of Python's built-ins, a text that ships with it, as numbers of letters."""
    import builtins

    words = " ".join(str(getattr(builtins, name).__doc__) for name in sorted(dir(builtins)))
    return torch.tensor(
        [min(max(ord(c) - 32, 0), LETTERS - 1) for c in words.lower().replace("{", "")]
    )


def _text(of: slice) -> Pair:
    letters = _letters()[:40_000]
    letters = letters[slice(int(of.start * len(letters)), int(of.stop * len(letters)))]
    starts = torch.arange(0, len(letters) - CONTEXT - 1, 5)
    windows = letters[starts[:, None] + torch.arange(CONTEXT + 1)]
    return windows[:, :-1], windows[:, -1]


@cache
def load(name: str) -> tuple[Pair, Pair]:
    """Standardised examples to train on, and others held out."""
    if name == "spirals":
        return _classes(600, 0), _classes(600, 1)
    if name == "teacher":
        return _taught(100_000, 0), _taught(1000, 1)
    if name == "text":
        return _text(slice(0, 0.8)), _text(slice(0.8, 1))
    if name == "pupil":
        return _judged(100_000, 0), _judged(1000, 1)
    if name == "waves":
        return _waves(2000, 0), _waves(1000, 1)
    if name in ("moons", "friedman2"):
        return _made(name, 1500, 0), _made(name, 1000, 1)
    if name == "houses":
        from learnrate.sweeps.examples import examples

        data = examples("houses", target="price", missing="mean", val=0.25, seed=0, dtype="float32")
        mean, scale = data.y_train.mean(), data.y_train.std()
        pairs = ((data.X_train, data.y_train), (data.X_val, data.y_val))
        train, held = (
            (torch.tensor(X), torch.tensor((y - mean) / scale)[:, None]) for X, y in pairs
        )
        return train, held
    from benchmarks.suggestion_quality import load as of_sklearn

    train, held, test = of_sklearn("digits" if name == "pictures" else name)
    held = torch.cat([held[0], test[0]]), torch.cat([held[1], test[1]])
    return ((train[0], train[0]), (held[0], held[0])) if name == "pictures" else (train, held)


class _Letters(nn.Module):
    """Letters into a vector of the last place: by attention, or by a GRU."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        width = 32
        self.kind = kind
        self.letters, self.places = nn.Embedding(LETTERS, width), nn.Embedding(CONTEXT, width)
        self.inside: nn.Module
        if kind == "gru":
            self.inside = nn.GRU(width, width, batch_first=True)
        else:
            self.inside = nn.TransformerEncoderLayer(width, 2, 64, dropout=0.0, batch_first=True)
        self.out = nn.Linear(width, LETTERS)

    def forward(self, x: Tensor) -> Tensor:
        h = self.letters(x) + self.places.weight
        h = self.inside(h)[0] if self.kind == "gru" else self.inside(h)
        out: Tensor = self.out(h[:, -1])
        return out


def build(task: Task, seed: int) -> nn.Module:
    """A fresh model."""
    torch.manual_seed(seed)
    X, y = load(task.data)[0]
    out = int(y.max()) + 1 if y.dtype == torch.int64 else y.shape[1]
    if task.data == "text":
        out = LETTERS
        if task.model != "mlp":
            return _Letters(task.model)
        return nn.Sequential(
            nn.Embedding(LETTERS, 8), nn.Flatten(), nn.Linear(8 * CONTEXT, 64), nn.ReLU(), nn.Linear(64, out)
        )  # fmt: skip
    d = X.shape[1]
    if task.model == "linear":
        return nn.Linear(d, out)
    if task.model == "mlp":
        return nn.Sequential(nn.Linear(d, 64), nn.ReLU(), nn.Linear(64, out))
    if task.model == "deep":
        layers = [nn.Linear(d, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 32)]
        return nn.Sequential(*layers, nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, out))
    return nn.Sequential(
        *[nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)],
        *[nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64, out)],
    )  # fmt: skip
