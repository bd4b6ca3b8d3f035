"""`learnrate.torch.sweep` against the plain loop, one `torch.optim` run per rate: the same curves, in one run.

Both train the same models on the same minibatches and evaluate the loss over all examples before training
and after each epoch. Rounds alternate between the two, and the median of the rounds' ratios is reported
beside its range, so that a busy machine troubles both alike; ``--clock cpu`` counts processor seconds
instead, which hardly depend on what else runs. Needs scikit-learn for its digits::

    python -m benchmarks.torch_lanes
    python -m benchmarks.torch_lanes --update                  # and put the table into docs/pytorch*.md
    python -m benchmarks.torch_lanes --device cuda --update    # 64 lanes, and how busy they keep the GPU
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import learnrate.torch
from benchmarks.pages import DOCS, put, where_and_when
from learnrate.data.order import epoch_order
from learnrate.torch.optimizers import equal_class
from learnrate.training.optimizers import OPTIMIZERS

B = 32
CLOCKS: dict[str, Callable[[], float]] = {"wall": time.perf_counter, "cpu": time.process_time}


@dataclass(frozen=True, eq=False)
class Work:
    """One row of the table."""

    name: str
    model: nn.Module
    data: tuple[Tensor, Tensor]
    loss: str
    lanes: int
    epochs: int
    at_least: float
    optimizer: str = "sgd"
    batch_size: int = B
    prune: bool = False
    rates: tuple[float, float] = (1e-3, 1e-1)

    @property
    def lrs(self) -> Any:
        """Rates, none of which diverges."""
        return np.geomspace(*self.rates, self.lanes) if self.lanes > 1 else np.array([1e-2])


class LeNet(nn.Sequential):
    """LeCun's network for digits of 28 × 28."""

    def __init__(self) -> None:
        super().__init__(
            *[nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2)],
            *[nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2), nn.Flatten()],
            *[
                nn.Linear(400, 120),
                nn.Sigmoid(),
                nn.Linear(120, 84),
                nn.Sigmoid(),
                nn.Linear(84, 10),
            ],
        )


class Mnist(nn.Sequential):
    """The network of PyTorch's own MNIST example, without its dropout, whose draws no plain loop shares."""

    def __init__(self) -> None:
        super().__init__(
            *[nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)],
            *[nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Linear(128, 10)],
        )


def encoder(width: int) -> nn.TransformerEncoder:
    """Two layers of four heads."""
    layer = nn.TransformerEncoderLayer(
        width, 4, 4 * width, 0.0, "gelu", batch_first=True, norm_first=True
    )
    return nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)


class ViT(nn.Module):
    """Patches of 7 × 7, two layers of width 64."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(1, 64, 7, stride=7)
        self.place = nn.Parameter(torch.randn(16, 64) * 0.02)
        self.body, self.head = encoder(64), nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Images to ten logits."""
        out: Tensor = self.head(self.body(self.patches(x).flatten(2).mT + self.place).mean(1))
        return out


class GPT(nn.Module):
    """Two causal layers of width 64 over contexts of 32."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(96, 64), nn.Parameter(torch.randn(32, 64) * 0.02)
        self.body, self.head = encoder(64), nn.Linear(64, 96)
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(32))

    def forward(self, x: Tensor) -> Tensor:
        """Tokens to the logits of the next, classes second as the loss expects."""
        x = self.body(self.tokens(x) + self.places, self.mask, is_causal=True)
        out: Tensor = self.head(x).mT
        return out


class Recurrent(nn.Module):
    """Two layers of 64, read at the last of 32 times."""

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.cells, self.head = kind(32, 64, 2, batch_first=True), nn.Linear(64, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Sequences to a number."""
        out: Tensor = self.head(self.cells(x)[0][:, -1])
        return out


def larger() -> list[Work]:
    """Models of which one lane fills a processor: none should be slower than the plain loop."""
    pictures, text = torch.randn(1280, 1, 28, 28), torch.randint(96, (1280, 33))
    digits = (pictures, torch.randint(10, (1280,)))
    sequences = (torch.randn(1280, 32, 32), torch.randn(1280, 1))
    mlp = nn.Sequential(
        *[
            nn.Flatten(),
            nn.Linear(784, 512),
            nn.ReLU(),
            nn.Linear(512, 512),
            nn.ReLU(),
            nn.Linear(512, 10),
        ]
    )
    kind, bar = "cross-entropy", 0.95
    by_adam: dict[str, Any] = {"optimizer": "adam", "rates": (1e-5, 1e-3)}
    return [
        Work("LeNet", LeNet(), digits, kind, 13, 5, bar),
        Work("MNIST's net", Mnist(), digits, kind, 13, 1, bar),
        Work("MLP 784-512-512-10", mlp, digits, kind, 13, 5, bar),
        Work("ViT, 2 layers of 64", ViT(), digits, kind, 13, 4, bar, **by_adam),
        Work(
            "GPT, 2 layers of 64, minibatches of 16",
            GPT(),
            (text[:, :-1], text[:, 1:]),
            kind,
            13,
            2,
            bar,
            batch_size=16,
            **by_adam,
        ),
        Work("LSTM 2 × 64, length 32", Recurrent(nn.LSTM), sequences, "mse", 16, 2, 1.2),
        Work("GRU 2 × 64, length 32", Recurrent(nn.GRU), sequences, "mse", 16, 2, 1.2),
    ]


def works(device: torch.device) -> list[Work]:
    """What is timed there, with the ratio that it should reach."""
    from sklearn.datasets import load_digits

    torch.manual_seed(0)
    X = torch.randn(10_000, 20)
    y = torch.tanh(X[:, :1]) + 0.1 * torch.randn(10_000, 1)
    digits = load_digits()
    D = torch.tensor(digits.data / 16, dtype=torch.float32)
    labels = torch.tensor(digits.target)
    small = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 1))
    wide = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    cnn = nn.Sequential(
        *[nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)],
        *[nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)],
        *[nn.Flatten(), nn.Linear(64, 10)],
    )
    images = (D.reshape(-1, 1, 8, 8), labels)
    if device.type != "cpu":
        return [
            Work("MLP 20-32-1, n = 10,000", small, (X, y), "mse", 64, 3, 20),
            Work("digits, MLP 64-64-10", wide, (D, labels), "cross-entropy", 64, 10, 20),
            Work("digits, CNN", cnn, images, "cross-entropy", 64, 10, 20),
        ]
    return [
        Work("MLP 20-32-1, n = 10,000", small, (X, y), "mse", 32, 3, 8),
        Work("MLP 20-32-1, 188 steps", small, (X[:6016], y[:6016]), "mse", 24, 1, 7),
        Work("MLP 20-32-1, pruned", small, (X[:640], y[:640]), "mse", 13, 128, 1, prune=True),
        Work("MLP 20-32-1, adam", small, (X, y), "mse", 32, 3, 8, "adam"),
        Work("digits, MLP 64-64-10", wide, (D, labels), "cross-entropy", 32, 10, 4),
        Work("digits, CNN", cnn, images, "cross-entropy", 16, 3, 1),
        Work("MLP 20-32-1, one lane", small, (X, y), "mse", 1, 10, 1 / 1.3),
        Work("digits, CNN, one lane", cnn, images, "cross-entropy", 1, 10, 1 / 1.3),
        *larger(),
    ]


def plain(work: Work, device: torch.device) -> Any:
    """The curves by PyTorch's own loop, one rate after the other; those of pruned lanes end where the sweep's ended."""
    X, y = (tensor.to(device) for tensor in work.data)
    loss = nn.MSELoss() if work.loss == "mse" else nn.CrossEntropyLoss()
    curves = np.full((work.lanes, work.epochs + 1), np.nan)
    ends = epochs_of(work, device)
    row = OPTIMIZERS[work.optimizer]
    for k, lr in enumerate(work.lrs):
        model = copy.deepcopy(work.model).to(device)
        optimizer = equal_class(row)(model.parameters(), lr=float(lr))  # type: ignore[call-arg]

        def evaluate(model: nn.Module = model) -> float:
            model.eval()
            with torch.no_grad():
                blocks = zip(X.split(4096), y.split(4096), strict=True)  # type: ignore[no-untyped-call]
                return sum(len(b) * float(loss(model(a), b)) for a, b in blocks) / len(X)

        curves[k, 0] = evaluate()
        for epoch in range(ends[k]):
            model.train()
            order = torch.from_numpy(epoch_order(len(X), work.batch_size, seed=0, epoch=epoch)).to(
                device
            )
            for J in torch.split(order, work.batch_size):
                optimizer.zero_grad()
                loss(model(X[J]), y[J]).backward()
                optimizer.step()
            curves[k, epoch + 1] = evaluate()
    return curves


@cache
def epochs_of(work: Work, device: torch.device) -> list[int]:
    """Epochs that each lane is trained for."""
    if not work.prune:
        return [work.epochs] * work.lanes
    ends: list[int] = np.isfinite(stacked(work, device)[:, 1:]).sum(axis=1).tolist()
    return ends


def stacked(work: Work, device: torch.device) -> Any:
    """The curves by one sweep."""
    result = learnrate.torch.sweep(
        work.model,
        work.data,
        loss=work.loss,
        lrs=work.lrs,
        optimizer=work.optimizer,
        batch_size=work.batch_size,
        epochs=work.epochs,
        device=device,
        prune=work.prune,
    )
    return result.losses[0]


def timed(
    run: Callable[[Work, torch.device], Any],
    work: Work,
    device: torch.device,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[float, Any]:
    """Seconds, and the curves."""
    began = clock()
    curves = run(work, device)
    return clock() - began, curves


def busy_share(work: Work, device: torch.device) -> float:
    """Share of a sweep's time that the GPU computes; its kernels run one after the other."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CUDA]) as profiled:
        seconds, _ = timed(stacked, work, device)
    busy = sum(event.self_device_time_total for event in profiled.key_averages()) / 1e6
    return float(busy / seconds)


def row(work: Work, device: torch.device, rounds: int, clock: Callable[[], float]) -> str:
    """A row of the table."""
    ours, theirs = [], []
    for _ in range(rounds + 1):  # the first round warms up
        epochs_of(work, device)
        seconds, curves = timed(stacked, work, device, clock)
        ours.append(seconds)
        seconds, expected = timed(plain, work, device, clock)
        theirs.append(seconds)
        # Rounding grows where a lane is unstable: most of them must agree closely.
        assert np.nanmedian(np.abs(curves / expected - 1)) < 1e-3
    ratios = [b / a for a, b in zip(ours[1:], theirs[1:], strict=True)]
    a, b = statistics.median(ours[1:]), statistics.median(theirs[1:])
    busy = "–" if device.type == "cpu" else f"{busy_share(work, device):.0%}"
    return (
        f"| {work.name} | {work.lanes} | {b:.2f} s | {a:.2f} s | {statistics.median(ratios):.2f}× | "
        f"{min(ratios):.2f} – {max(ratios):.2f} | {work.at_least:.2g}× | {busy} |"
    )


def main() -> None:
    """Print the table, and put it into the pages if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--clock", choices=CLOCKS, default="wall")
    parser.add_argument("--only", default="", help="rows whose name holds this")
    parser.add_argument("--update", action="store_true", help="put it into docs/pytorch*.md")
    given = parser.parse_args()
    device = torch.device(given.device)
    torch.set_num_threads(given.threads)
    lines = [
        "| work | lanes | plain loop | one sweep | ratio | range | asked for | GPU busy |",
        "|" + " --- |" * 8,
    ]
    print("\n".join(lines))
    for work in works(device):
        if given.only in work.name:
            lines.append(row(work, device, given.rounds, CLOCKS[given.clock]))
            print(lines[-1], flush=True)
    gpu = f" on {torch.cuda.get_device_name(device)}" if device.type == "cuda" else ""
    command = f"--device {device} --threads {given.threads} --rounds {given.rounds}"
    command = f"python -m benchmarks.torch_lanes {command} --clock {given.clock} --update"
    where = f"{where_and_when()}, torch {torch.__version__}{gpu}"
    lines += ["", f"{where}, medians of {given.rounds} rounds, {given.clock} time: `{command}`"]
    print("\n".join(lines[-2:]))
    if given.update:
        for page in ("pytorch.md", "pytorch.zh-CN.md"):
            put(DOCS / page, f"lanes on {device.type}", "\n".join([*lines, ""]))


if __name__ == "__main__":
    main()
