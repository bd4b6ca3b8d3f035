"""A sweep of a PyTorch model that was stopped goes on to the same bits, however its lanes are trained."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

import learnrate.torch
from learnrate.errors import OptionError
from learnrate.torch.result import TorchSweepResult
from learnrate.training.checkpoint import Checkpoints
from learnrate.training.monitor import SweepInterrupted
from tests.interrupting import interrupted_once_saved
from tests.torch.models import Pairs, regression
from tests.torch.test_step import Keeping

LRS = [1e-3, 1e-2, 1e-1]
SOURCE = Path(__file__).parents[2] / "src"


def network(*inside: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 8), *inside, nn.Linear(8, 1)).double()


class Counting(nn.Module):
    """Keeps a number in an attribute, which is in no array."""

    def __init__(self) -> None:
        super().__init__()
        self.inside, self.calls = network(), 0

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.calls += 1
        return self.inside(x) / (1 + self.calls / 10)  # type: ignore[no-any-return]


def sweep(
    folder: Path | None, *, stop_after: int | None = None, model: Any = None, **options: Any
) -> TorchSweepResult:
    def stop(done: int, total: int) -> None:
        if done == stop_after:
            raise KeyboardInterrupt

    settings: dict[str, Any] = {"data": regression(), "lrs": LRS, "epochs": 3, "batch_size": 16}
    return learnrate.torch.sweep(
        network(nn.Tanh()) if model is None else model,
        loss="mse",
        checkpoint=None if folder is None else learnrate.Checkpoint(folder, every=0),
        on_epoch=stop,
        **{**settings, **options},
    )


def assert_same(a: TorchSweepResult, b: TorchSweepResult) -> None:
    np.testing.assert_array_equal(a.losses, b.losses)
    if a.val_losses is not None:
        np.testing.assert_array_equal(a.val_losses, np.asarray(b.val_losses))
    for seed in range(len(a.losses)):
        for lr in a.lrs:
            ours, theirs = b.state_dict(lr, seed=seed), a.state_dict(lr, seed=seed)
            for name, tensor in theirs.items():
                torch.testing.assert_close(ours[name], tensor, rtol=0, atol=0, equal_nan=True)


KINDS: list[tuple[Any, dict[str, Any]]] = [
    (lambda: network(nn.Tanh()), {"optimizer": "momentum", "seeds": 2}),
    (lambda: network(nn.ReLU(), nn.Dropout(0.3)), {"optimizer": "adamw", "lanes_at_once": 2}),
    (lambda: network(nn.BatchNorm1d(8)), {"optimizer": "adamw", "schedule": "cosine"}),
    (lambda: network(nn.BatchNorm1d(8), nn.Dropout(0.3)), {"lanes_at_once": 1}),
    (lambda: network(), {"optimizer": "nadam", "lanes_at_once": 1, "accumulate": 2}),
    (lambda: network(), {"data": Pairs(), "hold": False, "val_data": regression(20)}),
    (lambda: network(), {"optimizer": torch.optim.Rprop}),
    (lambda: network(), {"optimizer": Keeping}),
    (lambda: network(), {"optimizer": Keeping, "lanes_at_once": 1}),
    (Counting, {}),
]
NAMES = ["momentum", "dropout", "batchnorm", "alone", "nadam", "drawn", "class"]
NAMES += ["lists", "lists alone", "attribute"]


@pytest.mark.parametrize(("model", "options"), KINDS, ids=NAMES)
@pytest.mark.filterwarnings("ignore:Lanes were trained one at a time")
def test_a_stopped_sweep_goes_on_to_the_same_bits(
    model: Any, options: dict[str, Any], tmp_path: Path
) -> None:
    whole = sweep(None, model=model(), **options)
    with pytest.raises(SweepInterrupted):
        sweep(tmp_path, stop_after=2, model=model(), **options)
    resumed = sweep(tmp_path, model=model(), **options)
    assert_same(whole, resumed)
    assert resumed.engine_reason == f"{whole.engine_reason}".replace("on cpu", "the checkpoint's")


class Noisy(Pairs):
    """Items with noise from PyTorch's, NumPy's and Python's generators and from one of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.own = np.random.default_rng(0)

    def __getitem__(self, i: int) -> Any:
        x, y = super().__getitem__(i)
        drawn = torch.rand(()).item(), random.random(), np.random.rand(), self.own.random()  # noqa: NPY002
        return x + 0.1 * sum(drawn), y


class Passing(IterableDataset[Any]):
    """Examples with noise, one after another."""

    def __iter__(self) -> Any:
        for x, y in zip(*regression(), strict=True):
            yield x + 0.1 * torch.rand(5), y


def noisy_loader() -> DataLoader[Any]:
    return DataLoader(Noisy(), batch_size=16, shuffle=True, num_workers=2)


def stop(after: int, monkeypatch: pytest.MonkeyPatch, sweeping: Callable[[], object]) -> None:
    """Press Ctrl-C as soon as so many checkpoints have been written."""
    save, left = Checkpoints.save, [after]

    def saved(self: Checkpoints, *arguments: Any, **options: Any) -> None:
        save(self, *arguments, **options)
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Checkpoints, "save", saved)
        with pytest.raises(KeyboardInterrupt):
            sweeping()


MORE_KINDS: list[tuple[Any, dict[str, Any]]] = [
    (lambda: network(nn.Dropout(0.3)), {"eval_train": False, "eval_every": 7, "ema": 0.9}),
    (
        lambda: network(nn.Dropout(0.3)),
        {"eval_train": False, "lanes_at_once": 1, "lrs": [0.01], "schedule": "cosine"},
    ),
    (lambda: network(nn.Dropout(0.3)), {"data": Noisy(), "hold": False}),
    (lambda: network(nn.Dropout(0.3)), {"data": Noisy(), "hold": False, "lanes_at_once": 1}),
    (lambda: network(nn.Dropout(0.3)), {"data": Passing(), "epochs": None, "steps": 13}),
    (
        lambda: network(nn.Dropout(0.3)),
        {"data": Passing(), "epochs": None, "steps": 9, "lanes_at_once": 1},
    ),
    (lambda: network().float(), {"precision": "fp16"}),
    (lambda: network(nn.Dropout(0.3)), {"data": noisy_loader(), "hold": False, "batch_size": None}),
]
MORE_NAMES = ["evals", "one", "noise", "noise-alone", "stream", "stream-alone", "fp16", "workers"]


QUICK = ("batchnorm", "alone", "evals", "fp16")


@pytest.mark.parametrize(
    ("model", "options"),
    [
        pytest.param(*kind, id=name, marks=[pytest.mark.slow] * (name not in QUICK))
        for kind, name in zip([*KINDS[:-1], *MORE_KINDS], [*NAMES[:-1], *MORE_NAMES], strict=True)
    ],
)
@pytest.mark.filterwarnings("ignore:Lanes were trained one at a time")
def test_a_sweep_that_was_stopped_inside_an_epoch_goes_on_to_the_same_bits(
    model: Any, options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = sweep(None, model=model(), **options)

    def again() -> TorchSweepResult:
        return sweep(tmp_path, model=model(), **options)

    for after in (3, 5):  # twice in one epoch
        stop(after, monkeypatch, again)
    assert_same(whole, again())


def test_a_lane_that_an_error_ended_stays_ended(tmp_path: Path) -> None:
    def loss(output: Tensor, y: Tensor) -> Tensor:
        if not torch.isfinite(output).all():
            raise ValueError("not finite")
        return ((output - y) ** 2).mean()

    options: dict[str, Any] = {"lrs": [1e-3, 1e6], "epochs": 4}
    whole = learnrate.torch.sweep(network(), regression(), loss=loss, lanes_at_once=1, **options)
    assert np.isnan(whole.losses[0, 1, -1])

    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    kept: dict[str, Any] = {"checkpoint": learnrate.Checkpoint(tmp_path, 0), "lanes_at_once": 1}
    with pytest.raises(SweepInterrupted):
        learnrate.torch.sweep(network(), regression(), loss=loss, on_epoch=stop, **options, **kept)
    resumed = learnrate.torch.sweep(network(), regression(), loss=loss, **options, **kept)
    assert_same(whole, resumed)
    assert whole.notes == resumed.notes


def test_another_model_or_other_data_are_refused(tmp_path: Path) -> None:
    sweep(tmp_path)
    other = regression(seed=1)
    torch.manual_seed(1)
    changed: list[tuple[dict[str, Any], str]] = [
        ({"model": nn.Linear(5, 1).double()}, "model is"),
        ({"data": other}, "examples is"),
        ({"val_data": other}, "val_data is"),
        ({"optimizer": "adamw"}, "optimizer is"),
        ({"clip_grad_norm": 1.0}, "clip_grad_norm is"),
        ({"schedule": lambda step: 1 / (1 + step)}, "schedule is constant there and a function"),
    ]
    for options, what in changed:
        with pytest.raises(OptionError, match=f"must be of the same sweep. .*{what}"):
            sweep(tmp_path, **options)


MODELS = """
import time, torch

class Slow(torch.nn.Linear):
    def forward(self, x):
        time.sleep(0.01)
        return super().forward(x)

def make(features):
    return Slow(features, 1)
"""


@pytest.mark.slow
def test_ctrl_c_inside_the_first_epoch_saves_and_says_how_to_go_on(tmp_path: Path) -> None:
    (tmp_path / "slowly.py").write_text(MODELS)
    command = [
        sys.executable,
        "-m",
        "learnrate",
        "sweep",
        "--model",
        "slowly:make",
        "--lrs",
        "0.01,0.1",
    ]
    command += ["-b", "5", "-e", "1", "--checkpoint", "kept", "--checkpoint-every", "0"]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    ended = interrupted_once_saved(command, tmp_path / "kept", env=environment, cwd=tmp_path)
    assert ended.returncode == 130, ended.stderr
    assert ended.stdout == ""
    assert ended.stderr == (
        "Interrupted before the first measurement. Saved in kept: the same command goes on from there.\n"
    )
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "Suggested learning rate: 0.1" in done.stdout


SCRIPT = """
# Trains the same sweep again and again, each time in a child process that is killed at a random moment: some milliseconds
# after it has saved itself for the first time, which it does at every step.
import os, random, signal, sys, time, torch, numpy as np, learnrate, learnrate.torch
from pathlib import Path
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(0)
X = torch.randn(200, 8)
y = X.sin().sum(1, keepdim=True)
model = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 1))
optimizer, at_once, kills_wanted = sys.argv[1], sys.argv[2], int(sys.argv[3])

def train(folder, out):
    result = learnrate.torch.sweep(
        model, (X, y), loss="mse", lrs=[1e-3, 1e-2, 1e-1], epochs=6, optimizer=optimizer,
        lanes_at_once="auto" if at_once == "auto" else int(at_once),
        checkpoint=learnrate.Checkpoint(folder, every=0) if folder else None,
    )
    rows = [torch.cat([t.reshape(-1).double() for t in result.state_dict(lr).values()]) for lr in result.lrs]
    np.savez("part.npz", losses=result.losses, rows=torch.stack(rows).numpy())
    os.replace("part.npz", out)

def newest(folder):
    return max(Path(folder).glob("[0-9]*.checkpoint"), default=None)

def run(folder, out, *, kill_after=None):
    before = newest(folder)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            train(folder, out)
            code = 0
        finally:
            os._exit(code)
    if kill_after is not None:
        while newest(folder) == before and not os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            time.sleep(0.002)
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)  # one that has ended is still there, since nobody waited for it
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in ((0,) if kill_after is None else (0, -signal.SIGKILL)), status
    return status != 0

train("", "first.npz")  # what children would load and find out each for itself is there
run("", "whole.npz")
rng, kills, compared = random.Random(f"{optimizer} {at_once}"), 0, 0
while kills < kills_wanted:
    folder, out = f"kept {compared}", f"{compared}.npz"
    for attempt in range(6):  # the sixth is left alone, however busy the machine is
        kills += run(folder, out, kill_after=None if attempt == 5 else rng.uniform(0, 0.15))
        if Path(out).exists():
            break
    with np.load("whole.npz") as expected, np.load(out) as found:
        for name in expected:
            np.testing.assert_array_equal(found[name], expected[name])
    compared += 1
print(kills, compared)
"""


@pytest.mark.slow
@pytest.mark.parametrize("at_once", ["auto", "1"])
@pytest.mark.parametrize("optimizer", ["momentum", "adamw"])
def test_kills_change_no_bit(optimizer: str, at_once: str, tmp_path: Path) -> None:
    """SIGKILL at 13 random moments for each of four ways to train, most of them inside of an epoch.

    Every sweep that ends has the bits of an unbroken one.
    """
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "script.py", optimizer, at_once, "13"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    kills, compared = map(int, done.stdout.split())
    assert kills >= 13
    assert compared >= 2
