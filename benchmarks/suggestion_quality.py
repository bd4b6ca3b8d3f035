"""How good the suggested rates are: learnrate against Lightning, fastai, torch-lr-finder and the default rate.

A task is a model, data, an optimiser and a horizon. Each tool suggests a rate for it with each of five seeds;
a fresh run at that rate is trained to the horizon, and its final loss on examples that no tool has seen is
compared with the best of a fine grid of 41 rates: ``regret = loss − best``, as a share of ``start − best``.
Cost is steps of training and seconds.

Results are appended to a JSON-lines file, one line per task, tool and seed; what is there already is not
done again, so the work can be done in parts, and a new tool is measured alone::

    ENV/bin/python -m benchmarks.suggestion_quality                       # all that is missing in results/
    ENV/bin/python -m benchmarks.suggestion_quality --out mine.jsonl --tasks digits-mlp-sgd-3 --tools learnrate

``benchmarks/requirements/lr_finders.txt`` says how to make ENV, and `benchmarks.suggestion_report` makes tables
and a chart of the results. Each tool is used with its own defaults, as its documentation says.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import math
import os
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import learnrate.torch
from learnrate.torch.optimizers import default_lr, equal_class
from learnrate.training.optimizers import OPTIMIZERS

SEEDS = 5
B = 32
GRID = np.geomspace(1e-5, 10, 41)
RESULTS = Path(__file__).parent / "results" / "suggestion_quality.jsonl"
Line = dict[str, Any]


# Tasks ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Task:
    """What is to be trained, and for how long."""

    data: str
    model: str
    optimizer: str
    epochs: int

    @property
    def name(self) -> str:
        """As ``--tasks`` takes it."""
        return f"{self.data}-{self.model}-{self.optimizer}-{self.epochs}"

    @property
    def loss(self) -> str:
        """Name of the loss."""
        return "mse" if self.data in ("diabetes", "friedman") else "cross-entropy"

    @property
    def train(self) -> Pair:
        """Examples to train on."""
        return load(self.data)[0]

    def build(self, seed: int) -> nn.Module:
        """A fresh model."""
        torch.manual_seed(seed)
        (X, y), *_ = load(self.data)
        d, out = X.shape[1], 1 if self.loss == "mse" else int(y.max()) + 1
        if self.model == "linear":
            return nn.Linear(d, out)
        if self.model == "mlp":
            return nn.Sequential(nn.Linear(d, 64), nn.ReLU(), nn.Linear(64, out))
        if self.model == "deep":
            layers = [nn.Linear(d, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 32)]
            return nn.Sequential(*layers, nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, out))
        return nn.Sequential(
            *[nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 8, 3, padding=1), nn.ReLU()],
            *[nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU()],
            *[nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64, out)],
        )


TASKS = [
    Task("digits", "linear", "sgd", 3),
    Task("digits", "mlp", "sgd", 3),
    Task("digits", "mlp", "sgd", 15),
    Task("digits", "mlp", "momentum", 5),
    Task("digits", "mlp", "adam", 3),
    Task("digits", "deep", "adamw", 10),
    Task("digits", "cnn", "adam", 3),
    Task("digits", "cnn", "momentum", 3),
    Task("wine", "mlp", "sgd", 20),
    Task("cancer", "mlp", "adam", 10),
    Task("cancer", "deep", "rmsprop", 10),
    Task("diabetes", "mlp", "adam", 20),
    Task("friedman", "mlp", "sgd", 10),
    Task("friedman", "deep", "adagrad", 10),
]

Pair = tuple[Tensor, Tensor]


@cache
def load(name: str) -> tuple[Pair, Pair, Pair]:
    """Standardised examples: 60 % to train on, 20 % held out for learnrate, 20 % to judge by."""
    from sklearn import datasets

    if name == "friedman":
        X, y = datasets.make_friedman1(1200, noise=1.0, random_state=0)
    else:
        load = {
            "digits": datasets.load_digits,
            "wine": datasets.load_wine,
            "cancer": datasets.load_breast_cancer,
            "diabetes": datasets.load_diabetes,
        }[name]
        X, y = load(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))
    parts = np.split(order, [len(X) * 6 // 10, len(X) * 8 // 10])
    train = parts[0]
    scale = X[train].std(axis=0)
    X = (X - X[train].mean(axis=0)) / np.where(scale > 0, scale, 1)
    if name in ("friedman", "diabetes"):
        y = ((y - y[train].mean()) / y[train].std())[:, None]
    target = torch.tensor(y, dtype=torch.float32 if y.ndim == 2 else torch.int64)
    features = torch.tensor(X, dtype=torch.float32)
    train_pair, held, test = ((features[part], target[part]) for part in parts)
    return train_pair, held, test


def loader(task: Task, order: int) -> Any:
    """Minibatches as the other tools take them, in an order of its own at each run."""
    generator = torch.Generator().manual_seed(order)
    return DataLoader(
        TensorDataset(*task.train), B, shuffle=True, drop_last=True, generator=generator
    )


def optimizer(task: Task, model: nn.Module, lr: float) -> torch.optim.Optimizer:
    """The task's optimiser."""
    row = OPTIMIZERS[task.optimizer]
    return equal_class(row)(model.parameters(), lr=lr, **row.defaults)  # type: ignore[call-arg]


# Tools: each returns the suggested rate, or None, and the steps that it took --------------------------

Suggested = tuple[float | None, int]


def _ours(task: Task, seed: int, seeds: int) -> Suggested:
    train, held, _ = load(task.data)
    starts = iter(range(100 * seed, 100 * seed + seeds))
    result = learnrate.torch.sweep(
        lambda: task.build(next(starts)),
        train,
        val_data=held,
        loss=task.loss,
        optimizer=task.optimizer,
        batch_size=B,
        epochs=task.epochs,
        seeds=seeds,
        keep="none",
    )
    steps = seeds * len(result.lrs) * task.epochs * -(-len(train[0]) // B)
    return result.suggestion().lr, steps


def ours(task: Task, seed: int, order: int) -> Suggested:
    """`learnrate.torch.sweep` over its own grid, with the held-out examples; its order is its own."""
    return _ours(task, seed, 1)


def ours_three_seeds(task: Task, seed: int, order: int) -> Suggested:
    """The same, each rate trained with three seeds."""
    return _ours(task, seed, 3)


def default_rate(task: Task, seed: int, order: int) -> Suggested:
    """What `torch.optim` takes where no rate is given."""
    return default_lr(OPTIMIZERS[task.optimizer]), 0


def _module(task: Task, seed: int) -> Any:
    """The task as a LightningModule."""
    import logging

    import lightning.pytorch as pl

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

    class Module(pl.LightningModule):  # type: ignore[misc, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.model, self.lr = task.build(100 * seed), 1e-3

        def training_step(self, batch: Any, index: int) -> Any:
            return learnrate.torch.LOSSES[task.loss](self.model(batch[0]), batch[1])

        def configure_optimizers(self) -> Any:
            return optimizer(task, self.model, self.lr)

    return Module()


def ours_by_lightning(task: Task, seed: int, order: int) -> Suggested:
    """`learnrate.lightning.sweep` of the module that Lightning's own finder is given."""
    import learnrate.lightning

    train, held, _ = load(task.data)
    result = learnrate.lightning.sweep(
        _module(task, seed),
        loader(task, order),
        val_data=DataLoader(TensorDataset(*held), B),
        epochs=task.epochs,
        keep="none",
    )
    return result.suggestion().lr, len(result.lrs) * task.epochs * (len(train[0]) // B)


def _lightning(task: Task, seed: int, order: int) -> Any:
    import lightning.pytorch as pl
    from lightning.pytorch.tuner import Tuner

    trainer = pl.Trainer(
        max_epochs=1000,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    return Tuner(trainer).lr_find(_module(task, seed), train_dataloaders=loader(task, order))


def lightning(task: Task, seed: int, order: int) -> Suggested:
    """``Tuner.lr_find`` of Lightning: exponential ramp of 100 steps, steepest descent."""
    found = _lightning(task, seed, order)
    return found.suggestion(), len(found.results["lr"])


def lightning_before(task: Task, seed: int, order: int) -> Suggested:
    """Its curve with the rule of versions before 2.5.3: the slope per step, not per unit of the rate.

    Lightning's issue 21141 tells how the present rule goes astray on noisy losses.
    """
    found = _lightning(task, seed, order)
    lrs, losses = (np.array(found.results[name][10:-1]) for name in ("lr", "loss"))
    lrs, losses = lrs[np.isfinite(losses)], losses[np.isfinite(losses)]
    steps = len(found.results["lr"])
    return (float(lrs[np.argmin(np.gradient(losses))]) if len(losses) > 1 else None), steps


def _fastai(task: Task, seed: int, order: int, method: str) -> Suggested:
    from fastai.callback import schedule
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner
    from fastai.optimizer import OptimWrapper

    def wrapped(groups: Any, lr: float) -> Any:
        parameters = [p for g in groups for p in (g if isinstance(g, list | tuple) else [g])]
        return OptimWrapper(opt=optimizer(task, nn.ParameterList(parameters), lr))

    learner = Learner(
        DataLoaders(loader(task, order), loader(task, order)),
        task.build(100 * seed),
        loss_func=learnrate.torch.LOSSES[task.loss],
        opt_func=wrapped,
        path=Path(tempfile.gettempdir()),  # where it keeps the model while it searches
    )
    with learner.no_bar(), learner.no_logging():
        found = learner.lr_find(suggest_funcs=(getattr(schedule, method),), show_plot=False)
    return float(found[0]), len(learner.recorder.losses)


def fastai_valley(task: Task, seed: int, order: int) -> Suggested:
    """``lr_find`` of fastai with its default suggestion."""
    return _fastai(task, seed, order, "valley")


def fastai_steep(task: Task, seed: int, order: int) -> Suggested:
    """``lr_find`` of fastai with the suggestion by the steepest slope."""
    return _fastai(task, seed, order, "steep")


def torch_lr_finder(task: Task, seed: int, order: int) -> Suggested:
    """``range_test`` of torch-lr-finder as its README has it, and the suggestion of its ``plot``."""
    from torch_lr_finder import LRFinder

    model = task.build(100 * seed)
    finder = LRFinder(
        model, optimizer(task, model, 1e-7), learnrate.torch.LOSSES[task.loss], device="cpu"
    )
    with contextlib.redirect_stdout(io.StringIO()):
        finder.range_test(loader(task, order), end_lr=100, num_iter=100)
    lrs, losses = np.array(finder.history["lr"]), np.array(finder.history["loss"])
    steps = len(lrs)
    lrs, losses = (
        lrs[10:-5],
        losses[10:-5],
    )  # what its own plot skips, and refuses where too few are left
    return (float(lrs[np.argmin(np.gradient(losses))]) if len(losses) > 1 else None), steps


TOOLS: dict[str, Callable[[Task, int, int], Suggested]] = {
    "learnrate": ours,
    "learnrate, 3 seeds": ours_three_seeds,
    "lightning": lightning,
    "lightning, rule before 2.5.3": lightning_before,
    "fastai valley": fastai_valley,
    "fastai steep": fastai_steep,
    "torch-lr-finder": torch_lr_finder,
    "default": default_rate,
}
DOORS: dict[str, Callable[[Task, int, int], Suggested]] = {"learnrate.lightning": ours_by_lightning}
"""Tools that are compared on the task `BESIDE` alone, for they train as another tool does."""
BESIDE = "digits-mlp-adam-3"
"""The task on which calls stand side by side."""


# Judging ----------------------------------------------------------------------------------------------


def judge(task: Task, seed: int, lrs: Any) -> tuple[Any, float]:
    """Final losses of fresh runs at some rates, not finite where they diverge, and the start's.

    Their start and order are those of no tool, and so are the examples.
    """
    train, _, test = load(task.data)
    result = learnrate.torch.sweep(
        lambda: task.build(1000 + seed),
        train,
        val_data=test,
        loss=task.loss,
        lrs=lrs,
        optimizer=task.optimizer,
        batch_size=B,
        epochs=task.epochs,
        seed=1000 + seed,
        keep="none",
    )
    assert result.val_losses is not None
    return result.val_losses[0, :, -1], float(result.val_losses[0, 0, 0])


def one(task: Task, tool: str, seed: int) -> Line:
    """A line of the results."""
    line: Line = {"task": task.name, "tool": tool, "seed": seed}
    if tool == "grid":
        losses, start = judge(task, seed, GRID)
        return {**line, "best": float(np.nanmin(losses)), "start": start, "losses": finite(losses)}
    suggest, began = {**TOOLS, **DOORS}[tool], time.perf_counter()
    try:
        lr, steps = suggest(task, seed, 2 * seed)
        line |= {"lr": lr, "steps": steps, "seconds": time.perf_counter() - began}
        if seed == 0:  # the same call on the same model, its loader in another order
            line["again"] = suggest(task, seed, 1)[0]
    except Exception as error:  # a tool that fails has suggested nothing
        return {
            **line,
            "lr": None,
            "steps": 0,
            "seconds": 0.0,
            "loss": None,
            "error": repr(error)[:200],
        }
    usable = lr is not None and math.isfinite(lr) and lr > 0
    return {**line, "loss": finite(judge(task, seed, [lr])[0])[0] if usable else None}


def finite(values: Any) -> list[float | None]:
    """Numbers as JSON can hold them."""
    return [float(v) if math.isfinite(v) else None for v in values]


def read(path: Path) -> dict[tuple[str, str, int], Line]:
    """What has been done."""
    if not path.exists():
        return {}
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return {(line["task"], line["tool"], line["seed"]): line for line in lines}


def run(path: Path, tasks: list[str], tools: list[str], seeds: int, seconds: float) -> None:
    """Do what is missing, for at most so many seconds."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    os.environ["TQDM_DISABLE"] = "1"
    done, began = read(path), time.monotonic()
    wanted = [task for task in TASKS if not tasks or task.name in tasks]
    for seed, task, tool in product(range(seeds), wanted, ("grid", *TOOLS, *DOORS)):
        if tool in DOORS and task.name != BESIDE:
            continue
        if (tools and tool not in tools) or (task.name, tool, seed) in done:
            continue
        if time.monotonic() - began > seconds:
            return
        line = json.dumps(one(task, tool, seed))
        with path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        print(line[:150], flush=True)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--tasks", nargs="*", default=[], help=", ".join(t.name for t in TASKS))
    parser.add_argument(
        "--tools", nargs="*", default=[], help=f"grid, {', '.join([*TOOLS, *DOORS])}"
    )
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--seconds", type=float, default=math.inf)
    given = parser.parse_args()
    run(given.out, given.tasks, given.tools, given.seeds, given.seconds)


if __name__ == "__main__":
    main()
