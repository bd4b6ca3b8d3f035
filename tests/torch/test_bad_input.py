"""What the front door refuses: each in one line that says what must hold, what came and what to do."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import (
    DataLoader,
    IterableDataset,
    Sampler,
)

import learnrate.torch
from learnrate.errors import DataError, OptionError
from tests.torch.models import Pairs, cnn, images, mlp, regression, seeded

KEPT: dict[str, Any] = {"loss": "mse", "lrs": [0.01, 0.1], "batch_size": 16, "epochs": 2}


def sampled(sampler: Any) -> Any:
    return DataLoader(Pairs(), batch_size=16, sampler=sampler)


def normed() -> nn.Module:
    return seeded(lambda: nn.Sequential(nn.Linear(5, 3), nn.BatchNorm1d(3), nn.Linear(3, 1)))


def breaks(*_: Any) -> Any:
    raise ZeroDivisionError("division by\nzero")


class Unseeded(Sampler[int]):
    """Draws from a generator that nobody can put back."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng()

    def __iter__(self) -> Any:
        return iter(self.rng.permutation(70).tolist())

    def __len__(self) -> int:
        return 70


class Unreadable(Pairs):
    def __getitem__(self, i: int) -> Any:
        raise OSError("the disk is gone")


class Tuple(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(5, 1)

    def forward(self, x: Tensor) -> Any:
        return self.layer(x), x


class Overwriting(nn.Module):
    """Changes in place what the backward pass needs."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(5, 1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.exp(self.layer(x)).mul_(2)


class Endless(IterableDataset[Any]):
    def __iter__(self) -> Any:
        yield regression()


BAD: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"loss": "mce"}, OptionError, "Did you mean 'mse'"),
    ({"loss": nn.MSELoss(reduction="sum")}, OptionError, "reduction='mean'"),
    ({"loss": nn.MSELoss(reduction="none")}, OptionError, "reduction='mean'"),
    ({"loss": lambda output, target: (output - target) ** 2}, OptionError, "one number"),
    ({"loss": lambda output, target: torch.zeros(())}, OptionError, "depend"),
    ({"loss": "cross-entropy"}, OptionError, "classes"),
    ({"optimizer": "adamm"}, OptionError, "Did you mean 'adam'"),
    ({"metrics": "acuracy"}, OptionError, "Did you mean 'accuracy'"),
    ({"lrs": [0.1, -1]}, OptionError, "-1"),
    ({"batch_size": 71}, OptionError, "70"),
    ({"epochs": 0}, OptionError, "epochs"),
    ({"lanes_at_once": 0}, OptionError, "lanes_at_once"),
    ({"start": "fresh"}, OptionError, "given"),
    ({"device": "gpu"}, OptionError, "gpu"),
    ({"schedule": "cosin"}, OptionError, "cosine"),
    ({"model": lambda: 3}, OptionError, "int"),
    ({"model": nn.Linear(4, 1).double()}, OptionError, "shapes"),
    ({"model": nn.Linear(5, 2).double()}, OptionError, "last layer"),
    ({"model": nn.Linear(5, 1).half()}, OptionError, "float16"),
    ({"model": nn.ReLU()}, OptionError, "parameters to train"),
    ({"model": nn.LazyLinear(1)}, OptionError, "lazy"),
    ({"data": 3}, DataError, "int"),
    ({"data": Endless()}, OptionError, "IterableDataset"),
    ({"data": (torch.zeros(3, 5), torch.zeros(4))}, DataError, "3 and 4"),
    ({"data": (torch.zeros(0, 5), torch.zeros(0))}, DataError, "at least 1"),
    ({"data": (torch.full((3, 5), torch.nan), torch.zeros(3))}, DataError, "input 1"),
    ({"data": torch.zeros(3, 5)}, DataError, "target"),
    ({"data": ["a", "b"]}, DataError, "target"),
    ({"data": [{"x": 1.0}]}, DataError, "dict"),
    ({"data": ([[1.0], [2.0]], [1.0, 2.0])}, DataError, "Got a list in it"),
    (
        {"loss": nn.MSELoss(), "data": (torch.ones(20, 5), torch.ones(20))},
        OptionError,
        "target size",
    ),
    ({"data": sampled(Unseeded())}, DataError, "batch_size must be left out"),
    ({"data": sampled(Unseeded()), "batch_size": None}, DataError, "Unseeded, which gives another"),
    ({"data": sampled(["a", "b"]), "batch_size": None}, DataError, "numbers of examples"),
    ({"data": DataLoader(Pairs(), batch_size=None)}, DataError, "batch_size=None"),
    ({"metrics": 3}, OptionError, "Got 3"),
    ({"metrics": nn.functional.l1_loss}, OptionError, "mapping from names to functions"),
    ({"metrics": {"a": 3}}, OptionError, "Got 3 for 'a'"),
    ({"metrics": {"loss": nn.functional.l1_loss}}, OptionError, "name of its own"),
    ({"metrics": {"a": breaks}}, OptionError, "Metric 'a' must take a minibatch of the data"),
    ({"metrics": {"a": lambda output, target: 0.5}}, OptionError, "Metric 'a' must be one number"),
    (
        {
            "metrics": "accuracy",
            "data": (torch.ones(20, 5), torch.ones(20, 2)),
            "model": nn.Linear(5, 3),
            "loss": lambda output, target: output.mean(),
        },
        OptionError,
        "one target for each example",
    ),
    ({"loss": nn.MSELoss}, OptionError, "MSELoss()"),
    ({"loss": lambda output, target: output.argmax()}, OptionError, "torch.int64"),
    ({"loss": breaks}, OptionError, "division by zero"),
    (
        {"loss": lambda output, target: (output - target).square().sum()},
        OptionError,
        "adds up over examples",
    ),
    (
        {
            "loss": lambda output, target: (output - target).square().mean(),
            "data": (regression()[0], regression()[1][:, 0]),
        },
        OptionError,
        "pairs every output with every target instead: outputs are (6, 1), targets (6,)",
    ),
    ({"model": 3}, OptionError, "Got int"),
    ({"model": nn.Linear}, OptionError, "without arguments. Got TypeError"),
    ({"model": breaks}, OptionError, "division by zero"),
    ({"model": nn.Linear(5, 1, device="meta")}, OptionError, "meta"),
    ({"model": Tuple()}, OptionError, "one tensor. Got tuple"),
    ({"model": Overwriting()}, OptionError, "inplace"),
    (
        {"model": nn.Linear(5, 1), "data": (torch.ones(20, 5).int(), torch.ones(20))},
        OptionError,
        "(4, 5) int32",
    ),
    ({"device": "meta"}, OptionError, "meta"),
    ({"lanes_at_once": "all"}, OptionError, "'auto' or a whole number"),
    ({"optimizer_options": 3}, OptionError, "weight_decay"),
    ({"on_epoch": 3}, OptionError, "on_epoch"),
    ({"data": {"x": regression()[0], "y": regression()[1]}}, DataError, "Got dict"),
    ({"data": "houses.csv"}, DataError, "Got str"),
    ({"data": (np.ones((2, 5)), np.array(["a", "b"]))}, DataError, "classes to 0, 1, 2"),
    ({"data": (torch.eye(5).to_sparse(), torch.ones(5))}, DataError, "to_dense"),
    ({"data": Unreadable()}, DataError, "OSError on reading them instead: the disk is gone"),
    ({"data": (torch.ones(20, 5), 2 * torch.ones(20)), "loss": "bce"}, DataError, "Got 2 in data"),
    ({"data": (torch.ones(20, 5), -torch.ones(20)), "loss": "bce"}, DataError, "Got -1 in data"),
    (
        {"val_data": (torch.ones(20, 4), torch.ones(20))},
        OptionError,
        "must take val_data (shapes (16, 4)",
    ),
    (
        {
            "val_data": (torch.ones(9, 5), 2 * torch.ones(9)),
            "data": (torch.ones(20, 5), torch.ones(20)),
            "loss": "bce",
        },
        DataError,
        "Got 2 in val_data",
    ),
    (
        {"loss": lambda output, target: (output - target).square().mean() / 0},
        OptionError,
        "finite before training",
    ),
    ({"model": normed(), "data": regression(17)}, OptionError, "the last minibatch has 1 example"),
]


@pytest.mark.parametrize(("change", "kind", "words"), BAD, ids=lambda v: str(v)[:30])
def test_bad_input_gets_one_line(change: dict[str, Any], kind: type[Exception], words: str) -> None:
    arguments = {"model": mlp(), "data": regression(), **KEPT, **change}
    with pytest.raises(kind) as caught:
        learnrate.torch.sweep(**arguments)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_class_that_the_model_does_not_know_is_told_in_one_line() -> None:
    X, y = images()
    y[-1] = 9
    kept = {**KEPT, "loss": "cross-entropy"}
    with pytest.raises(DataError, match=r"classes from 0 to 2\. Got 9 in data"):
        learnrate.torch.sweep(cnn(), (X, y), **kept)


def test_a_reset_needs_modules_that_can() -> None:
    class Scale(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(5).double())

        def forward(self, x: Tensor) -> Tensor:
            return x * self.scale

    model = nn.Sequential(Scale(), mlp())
    with pytest.raises(OptionError, match="'0'"):
        learnrate.torch.sweep(model, regression(), start="reset", **KEPT)


def test_a_model_from_torch_jit_is_refused_for_its_parameters_cannot_be_bound() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch.jit's being old
        model = torch.jit.trace(nn.Linear(5, 1), torch.ones(2, 5))  # type: ignore[no-untyped-call]
    with pytest.raises(OptionError, match=r"torch\.jit"):
        learnrate.torch.sweep(nn.Sequential(model), regression(), **KEPT)


def test_inside_of_autocast_there_is_no_sweep() -> None:
    """Its copies of the weights, kept until the outermost autocast ends, do not follow the training."""
    with torch.autocast("cpu", dtype=torch.bfloat16), pytest.raises(OptionError, match="autocast"):
        learnrate.torch.sweep(mlp(), regression(), **KEPT)


def test_what_a_callback_raises_is_the_callers_own() -> None:
    def stop(done: int, total: int) -> None:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        learnrate.torch.sweep(mlp(), regression(), on_epoch=stop, **KEPT)


@pytest.mark.parametrize(
    "loss",
    [
        lambda output, target: (output - target[:, None]).square().mean(),
        lambda output, target: (output[:, 0] - target).abs().sum() / len(target),
        lambda output, target: nn.functional.binary_cross_entropy_with_logits(
            output.flatten(), (target > 0).to(output.dtype)
        ),
        lambda output, target: 1 - nn.functional.cosine_similarity(output[:, 0], target, dim=0),
        lambda output, target: (output.mean() - target.mean()).square(),
        lambda output, target: output.clamp_(-9, 9)[:, 0].sub(target).square().mean(),
    ],
)
@pytest.mark.parametrize("build", [mlp, lambda: zeros()], ids=["drawn", "zeros"])
def test_a_loss_of_ones_own_that_is_right_is_taken(loss: Any, build: Any) -> None:
    X, y = regression()
    result = learnrate.torch.sweep(build(), (X, y[:, 0]), loss=loss, lrs=[0.01, 0.1], batch_size=16)
    assert np.isfinite(result.losses).all()


def zeros() -> nn.Module:
    """All its answers are 0 at first, whatever the targets."""
    model = nn.Linear(5, 1).double()
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    return model
